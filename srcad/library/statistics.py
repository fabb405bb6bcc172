"""Statistics: ptp, average, cov, corrcoef."""

from __future__ import annotations

import numpy as np

from srcad.library.registry import axes_of, implements, refuse


@implements(
    np.ptp,
    samples=lambda d: [
        d.call(d.vec(5)),
        d.call(d.mat(3, 4), axis=0),
        d.call(d.mat(3, 4), axis=(0, -1), keepdims=True),
        d.value(d.ints(0, 9, 3, 2), axis=-1),
    ],
    # the method of arrays is no more in NumPy 2
    method="ptp" if hasattr(np.ndarray, "ptp") else "",
)
def ptp(a, axis=None, out=None, keepdims=False):
    """The greatest element less the least one."""
    a = np.asarray(a)
    if a.dtype.kind == "b":
        refuse("np.ptp of bools", "convert them to int")
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


def fitted_weights(w, a, axis):
    """Weights of elements, or of positions along axes, as they broadcast to the array."""
    if np.ndim(w) == np.ndim(a):
        for n, m in zip(w.shape, a.shape):  # noqa: B905  (the frontend has no strict=)
            if n != m:
                raise ValueError("Shape of weights must be consistent with shape of a.")
        return w
    if axis is None:
        refuse("weights of another shape without an axis", "give the axis they belong to")
    axes = axes_of(axis, np.ndim(a))
    if np.ndim(w) != len(axes):
        raise ValueError("Shape of weights must be consistent with shape of a along axis.")
    last = -1
    for j, k in enumerate(axes):
        if k < last:
            refuse("weights along axes that are not in order", "np.transpose them")
        if w.shape[j] != a.shape[k]:
            raise ValueError("Shape of weights must be consistent with shape of a along axis.")
        last = k
    sizes: tuple = ()
    for k, n in enumerate(a.shape):
        sizes = (*sizes, n if k in axes else 1)
    return np.ascontiguousarray(w).reshape(sizes)


@implements(
    np.average,
    samples=lambda d: [
        d.call(d.vec(4)),
        d.call(d.mat(2, 3), axis=0),
        d.call(d.vec(4), None, d.pos(4)),
        d.call(d.mat(2, 3), axis=-1, weights=d.pos(3)),
        d.call(d.mat(2, 3), axis=0, weights=d.pos(2, 3), returned=True),
        d.call(d.arr(2, 3, 2), axis=(0, 2), weights=d.pos(2, 2), keepdims=True),
        d.call(d.mat(2, 3), returned=True, axis=1),
        d.value([1, 2, 3], weights=[3, 1, 2], returned=True),
        d.value(d.vec(3), returned=True),
    ],
)
def average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    """The mean, weighted."""
    a = np.asarray(a)
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        if returned:
            return mean, mean * 0.0 + a.size / max(np.size(mean), 1)
        return mean
    w = fitted_weights(np.asarray(weights), a, axis)
    total = np.sum(np.broadcast_to(w, a.shape) * 1.0, axis=axis, keepdims=keepdims)
    if np.any(total == 0.0):
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    mean = np.divide(np.sum(a * w, axis=axis, keepdims=keepdims), total)
    if returned:
        return mean, total
    return mean


def variables(m, rowvar):
    """Samples of variables, a variable a row."""
    m = np.asarray(m, dtype=np.float64)
    if np.ndim(m) > 2:
        raise ValueError("m has more than 2 dimensions")
    if np.ndim(m) < 2:
        return m.reshape((1, m.size)) if np.ndim(m) == 0 else m[None, :]
    return m if rowvar else m.T


def frequencies(w, n, name):
    """Weights of samples as floats."""
    w = np.asarray(w, dtype=np.float64)
    if np.ndim(w) > 1:
        raise RuntimeError("cannot handle multidimensional weights")
    if len(w) != n:
        raise RuntimeError("incompatible numbers of samples and weights")
    if np.any(w < 0):
        raise ValueError("weights cannot be negative")
    return w


def sample_weights(n, fweights, aweights):
    """The product of the weights that are given."""
    w = np.ones(n)
    if fweights is not None:
        f = frequencies(fweights, n, "fweights")
        if np.any(f != np.around(f)):
            raise TypeError("fweights must be integer")
        w = w * f
    if aweights is not None:
        w = w * frequencies(aweights, n, "aweights")
    return w


def covariance(x, ddof, fweights, aweights):
    """The covariance of the rows."""
    n = x.shape[1]
    if fweights is None and aweights is None:
        fact = n - ddof
        d = x - np.mean(x, axis=1, keepdims=True)
        c = d @ d.T
    else:
        w = sample_weights(n, fweights, aweights)
        total = np.sum(w)
        d = x - (np.divide(x @ w, total))[:, None]
        c = (d * w) @ d.T
        fact = total
        if ddof != 0:
            v = 1.0 if aweights is None else np.divide(np.sum(w * np.asarray(aweights)), total)
            fact = total - ddof * v
    return c * np.divide(1.0, max(fact, 0))


@implements(
    np.cov,
    samples=lambda d: [
        d.call(d.mat(2, 5)),
        d.call(d.mat(4, 2), rowvar=False),
        d.call(d.vec(5)),
        d.call(d.vec(4), d.vec(4), bias=True),
        d.call(d.mat(2, 4), d.vec(4), ddof=0),
        d.call(d.mat(4, 2), d.mat(4, 2), False),
        d.call(d.mat(2, 4), fweights=d.ints(1, 4, 4), aweights=[0.5, 1.0, 0.2, 1.5]),
        d.call(d.mat(2, 3), None, True, False, None, None, d.pos(3)),
        d.value(d.ints(0, 9, 2, 5), ddof=0, fweights=[1, 2, 1, 3, 1]),
    ],
)
def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None):
    """Covariances; of one vector a number."""
    if dtype is not None and np.dtype(dtype) != np.float64:
        refuse("another dtype of np.cov than float64", "convert the result with .astype")
    x = variables(m, rowvar)
    if y is not None:
        x = np.concatenate((x, variables(y, rowvar)), axis=0)
    free = (0 if bias else 1) if ddof is None else ddof
    c = covariance(x, free, fweights, aweights)
    if np.ndim(m) < 2 and y is None:
        return c[0, 0]
    if c.shape[0] == 1:
        raise ValueError("one variable: give np.cov a vector, the result is a number")
    return c


@implements(
    np.corrcoef,
    samples=lambda d: [
        d.call(d.mat(2, 5)),
        d.call(d.vec(4), d.vec(4)),
        d.call(d.mat(4, 2), rowvar=False),
        d.call(d.mat(2, 3), d.mat(1, 3)),
        d.value(d.vec(3)),
        d.value([1, 2, 4], [0, 3, 1]),
    ],
)
def corrcoef(x, y=None, rowvar=True, *, dtype=None):
    """Correlation coefficients; on the diagonal, which is 1, the derivative is zero."""
    c = cov(x, y, rowvar, dtype=dtype)
    if np.ndim(c) == 0:
        return np.divide(c, c)
    s = np.sqrt(np.diag(c))
    return np.clip(c / s[:, None] / s[None, :], -1.0, 1.0)


def mean_where(a, axis=None, keepdims=False, where=True):
    """``np.mean`` of what a mask selects."""
    total = np.sum(a * 1.0, axis=axis, keepdims=keepdims, where=where)
    n = np.sum(np.broadcast_to(where, np.shape(a)), axis=axis, keepdims=keepdims)
    return np.divide(total, n)


def var_about(a, axis=None, ddof=0, keepdims=False, where=True, mean=None):
    """``np.var`` of what a mask selects, or about a mean that is given."""
    d = a - (mean_where(a, axis, True, where) if mean is None else mean)
    n = np.sum(np.broadcast_to(where, np.shape(a)), axis=axis, keepdims=keepdims)
    return np.divide(np.sum(d * d, axis=axis, keepdims=keepdims, where=where), n - ddof)


def root_or_zero(v):
    """The square root, of which the derivative at zero is zero."""
    return np.where(v == 0, v - v, np.sqrt(v))


def std_about(a, axis=None, ddof=0, keepdims=False, where=True, mean=None):
    """``np.std`` of what a mask selects, or about a mean that is given."""
    return root_or_zero(var_about(a, axis, ddof, keepdims, where, mean))
