"""Polynomials by their coefficients: values, arithmetic, derivatives, integrals, fits.

Which leading coefficients are zero is decided by the values at hand, and has no derivative.
"""

from __future__ import annotations

import numpy as np

from srcad.library.axes import element, flat
from srcad.library.registry import implements, refuse
from srcad.library.signals import convolve

P = np.polynomial.polynomial


def values(p, x, last):
    """Horner's rule at each element of ``x``; ``last``: the constant coefficient comes last."""
    c = np.asarray(p) if last else np.asarray(p)[::-1]
    if np.ndim(x) == 0:
        return value(c, element(x), np.result_type(c, x))
    points = flat(x)
    out = np.empty(len(points), np.result_type(c, points))
    for i in range(len(points)):
        out[i] = value(c, points[i], out.dtype)
    return out.reshape(np.shape(x))


def value(c, x, dtype):
    """Horner's rule at a number."""
    y = np.zeros(1, dtype)[0]
    for k in range(len(c)):
        y = y * x + c[k]
    return y


@implements(
    np.polyval,
    samples=lambda d: [
        d.call(d.vec(4), d.num()),
        d.call(d.vec(3), d.vec(2)),
        d.call(d.vec(3), d.mat(2, 2)),
        d.call((d.num(), d.num()), d.vec(2)),
        d.value(np.arange(3), 4),
    ],
)
def polyval(p, x):
    """Values of a polynomial, its highest coefficient first."""
    if np.ndim(p) != 1:
        refuse("np.polyval of coefficients that are no vector", "call it column by column")
    return values(p, x, True)


@implements(
    P.polyval,
    samples=lambda d: [
        d.call(d.num(), d.vec(4)),
        d.call(d.vec(2), d.vec(3)),
        d.call(d.mat(2, 2), d.vec(3)),
        d.call(d.vec(2), d.mat(3, 2)),
        d.call(d.vec(2), d.mat(3, 2), tensor=False),
    ],
)
def polyval_up(x, c, tensor=True):
    """Values of a polynomial, its constant coefficient first; of several, a column each."""
    c = np.asarray(c)
    if len(c) == 0:
        raise IndexError("polyval of no coefficients")
    if np.ndim(c) == 1:
        return values(c, x, False)
    if tensor and np.ndim(x) > 0:
        c = np.ascontiguousarray(c).reshape((*c.shape, *(1,) * np.ndim(x)))
    y = c[len(c) - 1] + x * 0
    for k in range(len(c) - 2, -1, -1):
        y = c[k] + y * x
    return y


@implements(
    P.polyval2d,
    samples=lambda d: [
        d.call(d.vec(2), d.vec(2), d.mat(3, 2)),
        d.call(d.num(), d.num(), d.mat(2, 3)),
    ],
)
def polyval2d(x, y, c):
    """Values of a polynomial of two variables."""
    return polyval_up(y, polyval_up(x, c), tensor=False)


@implements(P.polyval3d, samples=lambda d: [d.call(d.vec(2), d.vec(2), d.vec(2), d.arr(2, 3, 2))])
def polyval3d(x, y, z, c):
    """Values of a polynomial of three variables."""
    return polyval_up(z, polyval_up(y, polyval_up(x, c), tensor=False), tensor=False)


def longer(a, b, last, sign):
    """Sum, or difference, of coefficients; the shorter are zero where they end."""
    n = max(len(a), len(b))
    out = np.zeros(n, np.result_type(a, b))
    i, j = (n - len(a), n - len(b)) if last else (0, 0)
    out[i : i + len(a)] += a
    out[j : j + len(b)] += sign * b
    return out


@implements(np.polyadd, samples=lambda d: [d.call(d.vec(3), d.vec(2)), d.call(d.num(), d.vec(2))])
def polyadd(a1, a2):
    """Sum of two polynomials."""
    return longer(flat(a1), flat(a2), True, 1)


@implements(np.polysub, samples=lambda d: [d.call(d.vec(3), d.vec(2)), d.call(d.vec(2), d.vec(4))])
def polysub(a1, a2):
    """Difference of two polynomials."""
    return longer(flat(a1), flat(a2), True, -1)


def leading(p):
    """Coefficients from the first that is not zero; a single zero if there is none."""
    if len(p) == 0:
        return np.zeros(1, p.dtype)
    k = 0
    while k < len(p) - 1 and p[k] == 0:
        k += 1
    return p[k:]


@implements(
    np.polymul,
    samples=lambda d: [
        d.call(d.vec(3), d.vec(2)),
        d.call(d.num(), d.vec(2)),
        d.call(np.array([0, 0, 2]), d.vec(2)),
    ],
)
def polymul(a1, a2):
    """Product of two polynomials."""
    return convolve(leading(flat(a1)), leading(flat(a2)))


@implements(
    np.polydiv,
    samples=lambda d: [
        d.call(np.array([0.3, -1.2, 0.7, 0.9, 1.1]), np.array([0.8, 0.5])),
        d.call(np.array([0.3, -1.2, 0.7, 0.9]), np.array([1.2, 0.5, -0.3])),
        d.call(np.array([0.3, -1.2]), np.array([1.2, 0.5, -0.3])),
        d.call(np.array([0.3, -1.2]), 0.6),
    ],
)
def polydiv(u, v):
    """Quotient and remainder of two polynomials."""
    r, w = flat(u) + 0.0, flat(v) + 0.0
    m, n = len(r) - 1, len(w) - 1
    q = np.zeros(max(m - n + 1, 1))
    scale = 1.0 / w[0]
    for k in range(m - n + 1):
        q[k] = scale * r[k]
        for j in range(n + 1):
            r[k + j] -= q[k] * w[j]
    k = 0
    while k < len(r) - 1 and abs(r[k]) <= 1e-8:
        k += 1
    return q, r[k:].copy()


@implements(
    np.polyder,
    samples=lambda d: [
        d.call(d.vec(4)),
        d.call(d.vec(4), m=2),
        d.call(d.vec(2), m=3),
        d.call(d.vec(3), m=0),
    ],
)
def polyder(p, m=1):
    """Derivative of a polynomial; ``m`` is constant."""
    if m < 0:
        raise ValueError("Order of derivative must be positive (see polyint)")
    y = np.asarray(p)
    for _ in tuple(range(m)):
        y = y[:-1] * np.arange(len(y) - 1, 0, -1)
    return y


@implements(
    np.polyint,
    samples=lambda d: [
        d.call(d.vec(3)),
        d.call(d.vec(3), m=2),
        d.call(d.vec(3), m=2, k=[0.5, 2.0]),
        d.call(d.vec(3), k=0.7),
    ],
)
def polyint(p, m=1, k=None):
    """Integral of a polynomial, ``m`` times (a constant), with constants of integration ``k``."""
    if m < 0:
        raise ValueError("Order of integral must be positive (see polyder)")
    constants = np.zeros(m) if k is None else flat(k)
    if len(constants) != m and len(constants) != 1:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    y = np.asarray(p)
    for j in tuple(range(m)):
        c = constants[j] if len(constants) > 1 else constants[0]
        y = np.append(y / np.arange(len(y), 0, -1), c)
    return y


def orthogonalized(a, b):
    """Least squares by the modified Gram-Schmidt process, on copies; columns of solutions."""
    n, m = a.shape
    r = np.zeros((m, m))
    c = np.zeros((m, b.shape[1]))
    for k in range(m):
        for j in range(k, m):
            if j == k:
                r[k, k] = np.sqrt(np.sum(a[:, k] * a[:, k]))
                if not r[k, k] > n * 2e-16:
                    raise ValueError("the points do not determine the polynomial")
                a[:, k] /= r[k, k]
            else:
                r[k, j] = np.sum(a[:, k] * a[:, j])
                a[:, j] -= r[k, j] * a[:, k]
        for j in range(b.shape[1]):
            c[k, j] = np.sum(a[:, k] * b[:, j])
            b[:, j] -= c[k, j] * a[:, k]
    for j in range(b.shape[1]):
        for k in range(m - 1, -1, -1):
            for i in range(k + 1, m):
                c[k, j] -= r[k, i] * c[i, j]
            c[k, j] /= r[k, k]
    return c


@implements(
    np.polyfit,
    samples=lambda d: [
        d.call(d.increasing(6), d.vec(6), 2),
        d.call(d.increasing(5), d.mat(5, 2), 1),
        d.call(d.increasing(6), d.vec(6), 2, w=np.array([1.0, 2.0, 1.0, 0.5, 1.0, 1.0])),
        d.call(d.increasing(4), d.vec(4), 3),
        d.call(d.increasing(5), d.vec(5), 1, w=d.pos(5), cov=True),
        d.call(d.increasing(5), d.mat(5, 2), 1, cov="unscaled"),
    ],
)
def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    """Coefficients of the polynomial of a degree that fits points best.

    Points that do not determine it are an error, where NumPy warns.
    """
    if rcond is not None or full:
        refuse("the arguments 'rcond' and 'full' of np.polyfit", "np.linalg.lstsq of np.vander")
    powers = np.vander(np.asarray(x) + 0.0, deg + 1)
    c = fitted(powers, y, w)
    if isinstance(cov, bool) and not cov:
        return c
    weights = np.ones(len(powers)) if w is None else np.asarray(w) + 0.0
    return c, spread(powers * weights[:, None], weights, np.asarray(y) - powers @ c, cov)


def spread(a, weights, rest, cov):
    """Covariances of coefficients; scaled by the residuals unless ``cov`` is ``"unscaled"``."""
    scale = np.sqrt(np.sum(a * a, axis=0))
    inner = a / scale
    base = np.linalg.inv(inner.T @ inner) / np.outer(scale, scale)
    if isinstance(cov, str) and cov == "unscaled":
        return base if np.ndim(rest) == 1 else base[:, :, None] + 0.0
    free = a.shape[0] - a.shape[1]
    if free <= 0:
        raise ValueError("the number of data points must exceed order to scale the covariance")
    if np.ndim(rest) == 1:
        return base * (np.sum((rest * weights) ** 2) / free)
    return base[:, :, None] * (np.sum((rest * weights[:, None]) ** 2, axis=0) / free)


def fitted(powers, y, w):
    """Coefficients for which a matrix of powers gives the values best, weighted by ``w``."""
    a, b = powers + 0.0, np.asarray(y) + 0.0
    if len(b) == 0 or len(a) != len(b):
        raise ValueError("expected x and y to have same length")
    if np.ndim(y) == 1:
        b = b[:, None].copy()
    if w is not None:
        a *= np.asarray(w)[:, None]
        b *= np.asarray(w)[:, None]
    scale = np.sqrt(np.sum(a * a, axis=0))
    c = orthogonalized(a / scale, b) / scale[:, None]
    return c[:, 0].copy() if np.ndim(y) == 1 else c
