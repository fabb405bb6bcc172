"""Functions of scipy.special: Bessel functions by order, polygamma, logsumexp and softmax."""

from __future__ import annotations

import math

import numpy as np
import scipy.special

from srcad.library.axes import reduced, rows_of
from srcad.library.registry import implements, refuse
from srcad.runtime.bessel import srcad_bessel_i, srcad_bessel_i_scaled, srcad_bessel_j
from srcad.runtime.special import srcad_polygamma


def _arguments(d):
    return [d.call(d.num()), d.call(d.vec(4, -9.0, 9.0)), d.call(d.mat(2, 3, 0.5, 40.0))]


@implements(scipy.special.j0, samples=_arguments)
def j0(x):
    """Bessel's function J of order 0."""
    return srcad_bessel_j(0, x)


@implements(scipy.special.j1, samples=_arguments)
def j1(x):
    """Bessel's function J of order 1."""
    return srcad_bessel_j(1, x)


@implements(
    scipy.special.i0, np.i0, samples=lambda d: [d.call(d.vec(4, -9.0, 9.0)), d.call(d.pos(2, 3))]
)
def i0(x):
    """The modified Bessel function of order 0."""
    return srcad_bessel_i(0, x)


@implements(scipy.special.i1, samples=lambda d: [d.call(d.num()), d.call(d.vec(4, -9.0, 9.0))])
def i1(x):
    """The modified Bessel function of order 1."""
    return srcad_bessel_i(1, x)


@implements(scipy.special.i0e, samples=_arguments)
def i0e(x):
    """``exp(-|x|) i0(x)``; |x| has slope 0 at 0."""
    return srcad_bessel_i_scaled(0, x)


@implements(scipy.special.i1e, samples=_arguments)
def i1e(x):
    """``exp(-|x|) i1(x)``; |x| has slope 0 at 0."""
    return srcad_bessel_i_scaled(1, x)


@implements(
    scipy.special.polygamma,
    samples=lambda d: [d.call(1, d.num()), d.call(2, d.vec(3, 0.4, 6.0)), d.call(0, d.pos(2, 2))],
)
def polygamma(n, x):
    """The ``n``-th derivative of digamma; the order is an integer."""
    if not isinstance(n, int):
        refuse("polygamma of an order that is not an integer", "give an integer order")
    if n == 0:
        return scipy.special.psi(x)
    return srcad_polygamma(n, x)


def _log_sum(x, w):
    """``log(sum(w exp(x)))`` of vectors; what is not finite stays as the largest element."""
    n = len(x)
    k = -1
    for j in range(n):
        if (w is None or w[j] != 0) and (k < 0 or x[j] > x[k] or x[j] != x[j]):
            k = j
    if k < 0:
        return -math.inf
    top = x[k]
    if not np.isfinite(top):
        return top
    rest = 0.0
    for j in range(n):
        if w is None:
            if j != k:
                rest += np.exp(x[j] - top)
        elif w[j] != 0 or x[j] - top < 700.0:  # a weight 0 has a derivative
            rest += w[j] * np.exp(x[j] - top)
    return top + (np.log1p(rest) if w is None else np.log(rest))


def _signed_log_sum(x, w):
    """``log(abs(s))`` and the sign of ``s = sum(w exp(x))``, of vectors."""
    k = -1
    for j in range(len(x)):
        if w[j] != 0 and (k < 0 or x[j] > x[k] or x[j] != x[j]):
            k = j
    if k < 0 or x[k] == -math.inf:
        return -math.inf, 0.0
    if not np.isfinite(x[k]):
        return x[k], np.sign(w[k]) * 1.0
    s = 0.0
    for j in range(len(x)):
        if w[j] != 0 or x[j] - x[k] < 700.0:  # a weight 0 has a derivative
            s += w[j] * np.exp(x[j] - x[k])
    return x[k] + np.log(np.abs(s)), np.sign(s)


def logs_and_signs(a, axis, b, keepdims):
    """``logsumexp`` of sums that may be negative; the derivative of a sign is zero."""
    a = np.asarray(a)
    x = rows_of(a, axis)
    w = rows_of(np.broadcast_to(1.0 if b is None else b, a.shape), axis)
    r, signs = np.empty(x.shape[0]), np.empty(x.shape[0])
    for i in range(x.shape[0]):
        r[i], signs[i] = _signed_log_sum(x[i], w[i])
    return reduced(r, a.shape, axis, keepdims), reduced(signs, a.shape, axis, keepdims)


@implements(
    scipy.special.logsumexp,
    samples=lambda d: [
        d.call(d.vec(4)),
        d.call(d.mat(3, 2), axis=0),
        d.call(d.mat(3, 2), axis=-1, keepdims=True),
        d.call(d.arr(2, 3, 2), axis=(0, 2)),
        d.call(d.vec(3), b=np.array([0.5, 2.0, 0.0])),
        d.call(d.mat(2, 3), b=np.array([[0.5], [2.0]])),
        d.value(d.array([0.0, 1000.0]), b=np.array([1.0, 0.0])),
        d.value(d.array([-np.inf, 2.0, 40.0])),
        d.value(d.array([-np.inf, -np.inf])),
        d.value(d.array([0.0, -40.0])),
        d.call(d.num()),
        d.call(d.vec(4), return_sign=True),
        d.call(d.vec(3), b=np.array([0.5, -9.0, 0.0]), return_sign=True),
        d.call(d.mat(2, 3), axis=1, b=np.array([[0.5], [-2.0]]), return_sign=True, keepdims=True),
        d.value(d.array([-np.inf, -np.inf]), return_sign=True),
        d.value(d.array([np.inf, 2.0]), b=np.array([-1.0, 2.0]), return_sign=True),
    ],
)
def logsumexp(a, axis=None, b=None, keepdims=False, return_sign=False):
    """The logarithm of a sum of exponentials; its derivative is the softmax."""
    if return_sign:
        return logs_and_signs(a, axis, b, keepdims)
    if np.ndim(a) == 0 and b is None:
        return 1.0 * a
    a = np.asarray(a)
    x = rows_of(a, axis)
    r = np.empty(x.shape[0])
    if b is None:
        for i in range(x.shape[0]):
            r[i] = _log_sum(x[i], None)
    else:
        w = rows_of(np.broadcast_to(b, a.shape), axis)
        for i in range(x.shape[0]):
            r[i] = _log_sum(x[i], w[i])
    return reduced(r, a.shape, axis, keepdims)


def _softmax_arguments(d):
    return [
        d.call(d.vec(4)),
        d.call(d.mat(3, 2)),
        d.call(d.mat(3, 2), axis=0),
        d.call(d.arr(2, 3, 2), axis=-2),
        d.call(d.arr(2, 3, 2), axis=(0, 1)),
        d.value(d.array([-np.inf, 2.0, 1000.0])),
    ]


@implements(scipy.special.softmax, samples=_softmax_arguments)
def softmax(x, axis=None):
    """``exp(x) / sum(exp(x))``."""
    x = np.asarray(x)
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


@implements(scipy.special.log_softmax, samples=_softmax_arguments)
def log_softmax(x, axis=None):
    """The logarithm of softmax, without its underflow."""
    x = np.asarray(x)
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


@implements(
    scipy.special.huber,
    samples=lambda d: [
        d.call(d.num(), d.num(2.0, 3.0)),
        d.call(d.num(0.5, 0.7), d.vec(5)),
        d.call(d.pos(3), d.mat(2, 3, -3.0, 3.0)),
        d.value(-1.0, d.vec(2)),
    ],
)
def huber(delta, r):
    """``r^2 / 2`` up to ``delta``, beyond a straight line."""
    size = np.abs(r)
    loss = np.where(size <= delta, 0.5 * size * size, delta * (size - 0.5 * delta))
    return np.where(delta < 0, math.inf, loss)


@implements(
    scipy.special.pseudo_huber,
    samples=lambda d: [
        d.call(d.num(), d.num(2.0, 3.0)),
        d.call(d.num(0.5, 0.7), d.vec(5)),
        d.call(d.pos(3), d.mat(2, 3, -3.0, 3.0)),
        d.value(0.5, d.array([0.0, 1e-9])),
        d.value(0.0, d.vec(2)),
        d.value(-1.0, d.vec(2)),
    ],
)
def pseudo_huber(delta, r):
    """``delta^2 (sqrt(1 + (r / delta)^2) - 1)``, a smooth ``huber``."""
    v = r / np.where(delta > 0, delta, 1.0)
    loss = delta * delta * np.expm1(0.5 * np.log1p(v * v))
    return np.where(delta < 0, math.inf, loss)
