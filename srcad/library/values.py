"""Tests and parts of real numbers: isclose, nan_to_num, real, angle and their kin."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import element
from srcad.library.registry import implements, refuse

LARGEST = float(np.finfo(np.float64).max)
LARGEST_SINGLE = np.finfo(np.float32).max


@implements(
    np.nan_to_num,
    samples=lambda d: [
        d.call(d.vec(3)),
        d.call(d.array([1.0, np.nan, np.inf, -np.inf, 2.0]), nan=0.5, posinf=9.0, neginf=-9.0),
        d.value(d.array([[1.0, np.nan], [np.inf, -np.inf]])),
        d.call(d.num()),
        d.value(np.arange(3)),
    ],
)
def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    """Numbers instead of NaN and infinities; the derivative there is zero."""
    if not copy:
        refuse("np.nan_to_num with copy=False", "assign the result")
    x = np.asarray(x) if np.ndim(x) > 0 else element(x)
    single = np.result_type(x).itemsize == 4
    high = (LARGEST_SINGLE if single else LARGEST) if posinf is None else posinf
    low = (-LARGEST_SINGLE if single else -LARGEST) if neginf is None else neginf
    if np.result_type(x).kind != "f":
        return np.positive(x) if np.ndim(x) == 0 else np.copy(x)
    out = np.where(np.isnan(x), nan, np.where(x == np.inf, high, np.where(x == -np.inf, low, x)))
    return out.astype(x.dtype) if np.ndim(x) > 0 else out


@implements(
    np.isclose,
    samples=lambda d: [
        d.value(d.array([1.0, 1.0 + 1e-9, np.inf, np.nan]), d.array([1.1, 1.0, np.inf, np.nan])),
        d.value(d.array([np.nan, 1.0]), np.nan, equal_nan=True),
        d.value(1.0, 1.001, rtol=0.01),
        d.value(1.0, np.inf),
    ],
)
def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether two numbers are equal up to a tolerance."""
    a, b = np.asarray(a), np.asarray(b)
    near = np.logical_and(np.abs(a - b) <= atol + rtol * np.abs(b), np.isfinite(b * 1.0))
    near = np.logical_or(near, a == b)
    if equal_nan:
        near = np.logical_or(near, np.logical_and(np.isnan(a * 1.0), np.isnan(b * 1.0)))
    return near[()] if np.ndim(near) == 0 else near


@implements(
    np.allclose,
    samples=lambda d: [
        d.value(d.vec(3), 1.0),
        d.value(d.array([1.0, 2.0]), d.array([1.0 + 1e-9, 2.0])),
        d.value(d.array([np.nan]), d.array([np.nan]), equal_nan=True),
        d.value((1.0, 2.0), (1.0, 2.5), atol=1.0),
    ],
)
def allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether all elements are equal up to a tolerance."""
    return np.all(isclose(a, b, rtol, atol, equal_nan))


@implements(
    np.array_equal,
    samples=lambda d: [
        d.value(d.vec(3), d.vec(3)),
        d.value(np.arange(3), np.arange(3)),
        d.value(np.arange(3), np.arange(4)),
        d.value(np.arange(3), np.zeros((1, 3))),
        d.value(d.array([np.nan]), d.array([np.nan]), equal_nan=True),
    ],
)
def array_equal(a1, a2, equal_nan=False):
    """Whether two arrays have one shape and equal elements."""
    a, b = np.asarray(a1), np.asarray(a2)
    if np.ndim(a) != np.ndim(b):
        return False
    for k, n in enumerate(a.shape):
        if n != b.shape[k]:
            return False
    if equal_nan:
        both = np.logical_and(np.isnan(a * 1.0), np.isnan(b * 1.0))
        return bool(np.all(np.logical_or(a == b, both)))
    return bool(np.all(a == b))


@implements(
    np.array_equiv,
    samples=lambda d: [
        d.value(np.arange(3), np.array([[0, 1, 2], [0, 1, 2]])),
        d.value(np.arange(3), np.arange(2)),
        d.value(1, np.ones((2, 2))),
        d.value(np.arange(3), np.ones((3, 1))),
    ],
)
def array_equiv(a1, a2):
    """Whether two arrays can be broadcast to one shape and are equal there."""
    a, b = np.asarray(a1), np.asarray(a2)
    for j, n in enumerate(a.shape[::-1]):
        for k, m in enumerate(b.shape[::-1]):
            if j == k and n != m and n != 1 and m != 1:
                return False
    return bool(np.all(a == b))


@implements(np.isposinf, samples=lambda d: [d.value(d.array([1.0, np.inf, -np.inf])), d.value(1.0)])
def isposinf(x):
    """Whether a number is plus infinity."""
    return np.asarray(x) == np.inf if np.ndim(x) > 0 else x == np.inf


@implements(np.isneginf, samples=lambda d: [d.value(d.array([1.0, np.inf, -np.inf])), d.value(1.0)])
def isneginf(x):
    """Whether a number is minus infinity."""
    return np.asarray(x) == -np.inf if np.ndim(x) > 0 else x == -np.inf


@implements(np.real, samples=lambda d: [d.call(d.mat(2, 2)), d.call(d.num())])
def real(val):
    """The real part: of real numbers, themselves."""
    return val if np.ndim(val) == 0 else np.asarray(val)


@implements(np.imag, samples=lambda d: [d.call(d.mat(2, 2)), d.value(2.5)])
def imag(val):
    """The imaginary part: zero."""
    return np.zeros_like(val)


@implements(np.conjugate, samples=lambda d: [d.call(d.mat(2, 2)), d.call(d.num())])
def conjugate(x):
    """Of real numbers, a copy."""
    return np.positive(x)


@implements(method="conj", samples=lambda d: [d.call(d.mat(2, 2))])
def conj_method(a):
    """``a.conj()``: of a real array, itself."""
    return a


@implements(method="conjugate", samples=lambda d: [d.call(d.mat(2, 2))])
def conjugate_method(a):
    """``a.conjugate()``: of a real array, itself."""
    return a


@implements(
    np.angle, samples=lambda d: [d.call(d.vec(4)), d.value(-1.0), d.value(d.vec(3), deg=True)]
)
def angle(z, deg=False):
    """Of real numbers: zero, or half a turn if they are negative; its derivative is zero."""
    half = 180.0 if deg else np.pi
    return (
        np.where(np.signbit(np.asarray(z) * 1.0), half, 0.0)
        if np.ndim(z) > 0
        else (half if np.signbit(z * 1.0) else 0.0)
    )


@implements(np.isreal, samples=lambda d: [d.value(d.mat(2, 2)), d.value(1.0)])
def isreal(x):
    """True, of every element."""
    return True if np.ndim(x) == 0 else np.ones(np.shape(x), bool)


@implements(np.iscomplex, samples=lambda d: [d.value(d.mat(2, 2)), d.value(1.0)])
def iscomplex(x):
    """False, of every element."""
    return False if np.ndim(x) == 0 else np.zeros(np.shape(x), bool)


@implements(np.isrealobj, samples=lambda d: [d.value(d.mat(2, 2)), d.value(1)])
def isrealobj(x):
    """True."""
    return True


@implements(np.iscomplexobj, samples=lambda d: [d.value(d.mat(2, 2)), d.value(1)])
def iscomplexobj(x):
    """False."""
    return False


@implements(np.isscalar, samples=lambda d: [d.value(d.num()), d.value(d.vec(2)), d.value((1, 2))])
def isscalar(element):
    """Whether a value is a number."""
    return isinstance(element, (int, float, complex, np.float32, np.complex64, bool, str))
