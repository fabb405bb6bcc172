"""Functions of numbers with several results, rounding, functions of ``math`` on sequences."""

from __future__ import annotations

import math

import numpy as np

from srcad.library.registry import implements, refuse
from srcad.runtime.special import srcad_exponent


@implements(
    np.divmod,
    samples=lambda d: [
        d.call(d.vec(5, -7.0, 7.0), d.num()),
        d.call(d.num(5.0, 7.0), -d.num()),
        d.call(d.mat(2, 3, -9.0, 9.0), d.vec(3, 1.0, 2.0)),
        d.value(d.ints(-9, 9, 4), 3),
    ],
)
def divmod_(x, y):
    """``x // y`` and ``x % y``; the quotient has derivative zero."""
    return np.floor_divide(x, y), np.remainder(x, y)


def _parts(d):
    return [
        d.call(d.num(1.2, 1.8)),
        d.call(-d.num(1.2, 1.8)),
        d.value(3),
        d.value(-2.0),
        d.value(-math.inf),
    ]


@implements(
    np.modf,
    samples=lambda d: [*_parts(d), d.call(d.vec(5, -7.0, 7.0)), d.value(d.array([-2.0, math.inf]))],
)
def modf(x):
    """The fraction, whose derivative is 1, and the whole part, whose derivative is zero."""
    x = 1.0 * np.asarray(x) if np.ndim(x) > 0 else 1.0 * x
    whole = np.trunc(x)
    return np.where(np.isinf(x), 0.0, x - whole), whole


def whole(x):
    """A float, or an array of floats, as integers."""
    return x.astype(np.int64) if np.ndim(x) > 0 else int(x)


@implements(
    np.round,
    np.around,
    samples=lambda d: [
        d.value(d.vec(5, -7.0, 7.0)),
        d.value(d.mat(2, 3), 1),
        d.value(d.array([12.0, -17.0, 250.0]), decimals=-1),
        d.value(d.num(), 2),
        d.value(2.5),
        d.value(d.ints(-9, 9, 4), 1),
        d.value(d.ints(-99, 99, 4), -1),
        d.value(1234, -2),
        d.value(-7),
    ],
    method="round",
)
def around(a, decimals=0, out=None):
    """Rounded to so many decimals; integers stay what they are."""
    x = np.asarray(a) if np.ndim(a) > 0 else a
    if isinstance(a, int) or np.asarray(a).dtype.kind in "iu":
        if decimals >= 0:
            return +x
        return whole(np.rint(x / 10**-decimals)) * 10**-decimals
    if decimals > 0:
        return as_kind_of(np.asarray(a), np.rint(x * 10.0**decimals) / 10.0**decimals)
    return as_kind_of(np.asarray(a), np.rint(x / 10.0**-decimals) * 10.0**-decimals)


def as_kind_of(a, x):
    """A result in float32 where the operand is."""
    if a.dtype != np.float32:
        return x
    return x.astype(np.float32) if np.ndim(x) > 0 else np.float32(x)


@implements(math.modf, samples=_parts)
def modf_of_number(x):
    """The fraction, whose derivative is 1, and the whole part, whose derivative is zero."""
    x = 1.0 * x
    return 0.0 if np.isinf(x) else x - np.trunc(x), np.trunc(x)


@implements(
    np.frexp,
    math.frexp,
    samples=lambda d: [
        d.call(d.num(1.2, 1.8)),
        d.call(-d.num(40.0, 60.0)),
        d.value(0.0),
        d.value(math.inf),
        d.value(1e-310),
        d.value(6),
    ],
)
def frexp(x):
    """Mantissa, whose derivative is a power of 2, and exponent, whose derivative is zero."""
    exponent = srcad_exponent(x)
    # in two steps: 2^1073 is no number
    return np.ldexp(np.ldexp(1.0 * x, -exponent // 2), -exponent - -exponent // 2), exponent


@implements(
    math.dist,
    samples=lambda d: [d.call(d.vec(3), d.vec(3)), d.call((d.num(), 2.0), (0.1, d.num()))],
)
def dist(p, q):
    """The Euclidean distance; where the points are equal its derivative is zero."""
    if len(p) != len(q):
        raise ValueError("both points must have the same number of dimensions")
    return np.linalg.norm(np.asarray(p) - np.asarray(q))


@implements(
    math.fsum,
    samples=lambda d: [
        d.call(d.vec(5)),
        d.call([d.num(), 2.0, d.num()]),
        d.value(d.array([1e8, 1.0, -1e8])),
        d.value(np.array([])),
    ],
    notes="to twice the digits, where Python's is exact",
)
def fsum(seq):
    """A sum with the rounding errors added up and put back."""
    s = 0.0
    error = 0.0
    for x in seq:
        t = s + x
        z = t - s
        error += (s - (t - z)) + (x - z)
        s = t
    return s + error if np.isfinite(error) else s


@implements(
    math.prod,
    samples=lambda d: [
        d.call(d.vec(4)),
        d.call((d.num(), d.num(), 3)),
        d.call(d.vec(3), start=2.5),
        d.value((2, 3, 4)),
    ],
)
def prod(iterable, start=1):
    """The product of the items."""
    out = start
    for x in iterable:
        out = out * x
    return out


_COUNTS = ((5, 2), (5, 5), (3, 4), (60, 30), (0, 0))


@implements(math.comb, samples=lambda d: [d.value(n, k) for n, k in _COUNTS])
def comb(n, k):
    """The number of choices of ``k`` of ``n``: an integer, without derivative."""
    if not isinstance(n, int) or not isinstance(k, int):
        refuse("math.comb of numbers that are not integers")
    if n < 0 or k < 0:
        raise ValueError("n and k must be non-negative")
    k = min(k, n - k)
    out = 1 if k >= 0 else 0
    for i in range(k):
        if out > 9223372036854775807 // (n - i):
            raise OverflowError("the result does not fit 64 bits")
        out = out * (n - i) // (i + 1)
    return out


@implements(math.perm, samples=lambda d: [*(d.value(n, k) for n, k in _COUNTS[:3]), d.value(6)])
def perm(n, k=None):
    """The number of arrangements of ``k`` of ``n``: an integer, without derivative."""
    if not isinstance(n, int) or not (k is None or isinstance(k, int)):
        refuse("math.perm of numbers that are not integers")
    if k is None:
        k = n
    if n < 0 or k < 0:
        raise ValueError("n and k must be non-negative")
    out = 1
    for i in range(k):
        if n > i and out > 9223372036854775807 // (n - i):
            raise OverflowError("the result does not fit 64 bits")
        out = out * max(n - i, 0)
    return out


@implements(math.factorial, samples=lambda d: [d.value(0), d.value(5), d.value(20)])
def factorial(n):
    """``n!``, an integer without derivative."""
    if not isinstance(n, int):
        refuse("math.factorial of a number that is not an integer", "math.gamma(n + 1)")
    if n < 0:
        raise ValueError("factorial() not defined for negative values")
    if n > 20:
        raise OverflowError("the result does not fit 64 bits")
    out = 1
    for i in range(2, n + 1):
        out = out * i
    return out


@implements(
    math.isclose,
    samples=lambda d: [
        d.value(1.0, 1.0 + 1e-10),
        d.value(1.0, 1.1),
        d.value(1.0, 1.1, rel_tol=0.2),
        d.value(0.0, 1e-3, abs_tol=1e-2),
        d.value(math.inf, math.inf),
        d.value(math.inf, 1.0),
    ],
)
def isclose(a, b, *, rel_tol=1e-09, abs_tol=0.0):
    """Whether two numbers are equal up to a tolerance."""
    if rel_tol < 0.0 or abs_tol < 0.0:
        raise ValueError("tolerances must be non-negative")
    far = abs(a - b)
    near = far <= abs(rel_tol * a) or far <= abs(rel_tol * b) or far <= abs_tol
    return a == b or (near and math.isfinite(a) and math.isfinite(b))


@implements(
    math.remainder,
    samples=lambda d: [
        d.call(d.num(7.2, 7.8), d.num(1.9, 2.1)),
        d.call(-d.num(7.2, 7.8), d.num(1.9, 2.1)),
        d.call(d.num(8.2, 8.8), -d.num(1.9, 2.1)),
        d.value(5.0, 2.0),
        d.value(7.0, 2.0),
        d.value(1e16, 3.0),
        d.value(3.0, math.inf),
    ],
)
def remainder(x, y):
    """``x`` less the nearest multiple ``n y``; its derivative with respect to y is -n."""
    if y == 0.0 or math.isinf(x):
        raise ValueError("math domain error")
    if math.isinf(y):
        return 1.0 * x
    size = abs(1.0 * y)
    rest = np.fmod(abs(1.0 * x), size)
    other = size - rest
    if rest > other or rest == other and np.fmod(abs(x) - rest, 2.0 * size) != 0.0:
        rest = -other
    return rest if x >= 0.0 else -rest
