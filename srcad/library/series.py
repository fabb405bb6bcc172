"""Polynomials of numpy.polynomial: coefficients from the lowest, and other bases.

As in NumPy, results lose their trailing coefficients that are zero; which these are is decided by
the values at hand, and has no derivative.
"""

from __future__ import annotations

import numpy as np

from srcad.library.axes import element, flat
from srcad.library.polynomials import fitted, longer, polydiv
from srcad.library.registry import implements, refuse
from srcad.library.signals import convolve

P = np.polynomial.polynomial


def trimmed(c):
    """Coefficients up to the last that is not zero; a single zero if there is none."""
    n = len(c)
    while n > 1 and c[n - 1] == 0:
        n -= 1
    return c[:n]


def series(c):
    """Coefficients as floats, trimmed."""
    c = flat(c) + 0.0
    if len(c) == 0:
        raise ValueError("Coefficient array is empty")
    return trimmed(c)


_PAIRS = lambda d: [  # noqa: E731
    d.call(d.vec(3), d.vec(2)),
    d.call(d.vec(2), d.vec(4)),
    d.call(np.array([1, 2, 0]), d.vec(2)),
]


@implements(P.polyadd, samples=_PAIRS)
def polyadd(c1, c2):
    """Sum of two polynomials."""
    return trimmed(longer(series(c1), series(c2), False, 1))


@implements(P.polysub, samples=_PAIRS)
def polysub(c1, c2):
    """Difference of two polynomials."""
    return trimmed(longer(series(c1), series(c2), False, -1))


@implements(P.polymul, samples=_PAIRS)
def polymul(c1, c2):
    """Product of two polynomials."""
    return trimmed(convolve(series(c1), series(c2)))


@implements(P.polymulx, samples=lambda d: [d.call(d.vec(3)), d.value(np.array([0.0]))])
def polymulx(c):
    """The polynomial times its variable."""
    c = series(c)
    if len(c) == 1 and c[0] == 0.0:
        return c
    return np.concatenate((np.zeros(1), c))


@implements(P.polypow, samples=lambda d: [d.call(d.vec(2), 3), d.call(d.vec(3), 0)])
def polypow(c, pow, maxpower=None):
    """A power of a polynomial; ``pow`` is a whole number."""
    if pow < 0 or maxpower is not None and pow > maxpower:
        raise ValueError("Power must be a non-negative integer, not above maxpower")
    base = series(c)
    out = np.ones(1)
    for _ in range(pow):
        out = convolve(out, base)
    return out


@implements(P.polydiv, samples=lambda d: [d.call(d.vec(4), d.vec(2)), d.call(d.vec(2), d.vec(3))])
def polydiv_up(c1, c2):
    """Quotient and remainder of two polynomials."""
    u, v = series(c1), series(c2)
    if v[len(v) - 1] == 0:
        raise ZeroDivisionError("division by the polynomial 0")
    if len(u) < len(v):
        return u[:1] * 0.0, u
    q, r = polydiv(u[::-1], v[::-1])
    rest = np.zeros(max(len(v) - 1, 1))
    for k in range(min(len(r), len(v) - 1)):
        rest[k] = r[len(r) - 1 - k]
    return q[::-1].copy(), trimmed(rest)


@implements(
    P.polyder,
    samples=lambda d: [
        d.call(d.vec(4)),
        d.call(d.vec(4), m=2, scl=0.5),
        d.call(d.vec(2), m=3),
        d.call(d.vec(3), m=0),
    ],
)
def polyder(c, m=1, scl=1, axis=0):
    """Derivative of a polynomial, ``m`` times (a constant)."""
    if np.ndim(c) > 1:
        refuse("polyder of coefficients that are no vector", "call it column by column")
    if m < 0:
        raise ValueError("The order of derivation must be non-negative")
    y = flat(c) + 0.0
    for _ in tuple(range(m)):
        if len(y) == 1:
            y = y * 0.0
        else:
            y = y[1:] * np.arange(1, len(y)) * scl
    return y


@implements(
    P.polyint,
    samples=lambda d: [
        d.call(d.vec(3)),
        d.call(d.vec(3), m=2, k=[0.5, 2.0], lbnd=0.3),
        d.call(d.vec(3), k=[0.7], scl=2.0),
    ],
)
def polyint(c, m=1, k=(), lbnd=0, scl=1, axis=0):
    """Integral of a polynomial from ``lbnd``, ``m`` times (a constant)."""
    if np.ndim(c) > 1:
        refuse("polyint of coefficients that are no vector", "call it column by column")
    constants = k if isinstance(k, tuple) else (k,)
    if m < 0 or len(constants) > m:
        raise ValueError("Too many integration constants, or a negative order")
    y = flat(c) + 0.0
    if len(y) == 0:
        raise IndexError("polyint of no coefficients")
    for j in tuple(range(m)):
        up = np.zeros(len(y) + 1)
        up[1:] = y * scl / np.arange(1, len(y) + 1)
        at = 0.0
        for i in range(len(up) - 1, -1, -1):
            at = at * lbnd + up[i]
        up[0] = (constants[j] if j < len(constants) else 0.0) - at
        y = up
    return y


@implements(
    P.polyfromroots, samples=lambda d: [d.call(d.vec(3)), d.call(d.vec(1)), d.value(np.zeros(0))]
)
def polyfromroots(roots):
    """Coefficients of the polynomial with given roots."""
    return np.poly(roots)[::-1].copy()


@implements(
    P.polyvander,
    samples=lambda d: [d.call(d.vec(3), 2), d.call(d.mat(2, 2), 3), d.call(d.num(), 2)],
)
def polyvander(x, deg):
    """Powers up to a degree, along a new last axis."""
    if deg < 0:
        raise ValueError("deg must be non-negative")
    points = flat(x) + 0.0
    out = np.ones((len(points), deg + 1))
    for k in range(1, deg + 1):
        out[:, k] = out[:, k - 1] * points
    return out.reshape((*(np.shape(x) if np.ndim(x) > 0 else (1,)), deg + 1))


@implements(
    P.polyfit,
    samples=lambda d: [
        d.call(d.increasing(6), d.vec(6), 2),
        d.call(d.increasing(5), d.mat(5, 2), 1, w=np.array([1.0, 2.0, 1.0, 0.5, 1.0])),
    ],
)
def polyfit(x, y, deg, rcond=None, full=False, w=None):
    """Coefficients of the polynomial of a degree that fits points best.

    Points that do not determine it are an error, where NumPy warns.
    """
    if rcond is not None or full or np.ndim(deg) > 0:
        refuse("polyfit with 'rcond', 'full' or a list of degrees", "call it without them")
    return fitted(polyvander(x, deg), y, w)


def recurrence(x, c, second, step):
    """Sum of ``c[k]`` times basis functions at each element of ``x``, by their recurrence.

    The first of them is one, ``second`` gives the second, ``step(k, x, a, b)`` the next.
    """
    if np.ndim(c) != 1:
        refuse("coefficients that are no vector", "call it column by column")
    c = np.asarray(c)
    if np.ndim(x) == 0:
        return summed(element(x), c, second, step)
    points = flat(x)
    out = np.empty(len(points))
    for i in range(len(points)):
        out[i] = summed(points[i], c, second, step)
    return out.reshape(np.shape(x))


def summed(x, c, second, step):
    """The sum at a number."""
    a, b = 1.0, second(x)
    total = c[0] + 0.0
    for k in range(1, len(c)):
        total += c[k] * b
        a, b = b, step(k, x, a, b)
    return total


_VALUES = lambda d: [  # noqa: E731
    d.call(d.num(), d.vec(4)),
    d.call(d.vec(2), d.vec(3)),
    d.call(d.mat(2, 2), d.vec(1)),
]


@implements(np.polynomial.chebyshev.chebval, samples=_VALUES)
def chebval(x, c, tensor=True):
    """Values of a Chebyshev series."""
    return recurrence(x, c, lambda t: t * 1.0, lambda k, t, a, b: 2.0 * t * b - a)


@implements(np.polynomial.legendre.legval, samples=_VALUES)
def legval(x, c, tensor=True):
    """Values of a Legendre series."""
    return recurrence(
        x, c, lambda t: t * 1.0, lambda k, t, a, b: ((2 * k + 1) * t * b - k * a) / (k + 1)
    )


@implements(np.polynomial.hermite.hermval, samples=_VALUES)
def hermval(x, c, tensor=True):
    """Values of a Hermite series."""
    return recurrence(x, c, lambda t: t * 2.0, lambda k, t, a, b: 2.0 * (t * b - k * a))


@implements(np.polynomial.hermite_e.hermeval, samples=_VALUES)
def hermeval(x, c, tensor=True):
    """Values of a series of the probabilists' Hermite polynomials."""
    return recurrence(x, c, lambda t: t * 1.0, lambda k, t, a, b: t * b - k * a)


@implements(np.polynomial.laguerre.lagval, samples=_VALUES)
def lagval(x, c, tensor=True):
    """Values of a Laguerre series."""
    return recurrence(
        x, c, lambda t: 1.0 - t, lambda k, t, a, b: ((2 * k + 1 - t) * b - k * a) / (k + 1)
    )
