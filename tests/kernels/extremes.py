"""Atomic maxima and minima, in shared and in global memory."""

import math

import numpy as np
from numba import cuda, float32, float64

from tests.kernels.case import Case

T = 8


def block_maximum(x, out):
    s = cuda.shared.array(1, float64)
    t = cuda.threadIdx.x
    if t == 0:
        s[0] = -math.inf
    cuda.syncthreads()
    v = x[cuda.grid(1)]
    cuda.atomic.max(s, 0, v * v)
    cuda.syncthreads()
    out[cuda.grid(1)] = math.exp(v * v - s[0])


def whole_maximum(x, scale, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        cuda.atomic.max(out, 0, scale * math.sin(x[i]))


def nearest_of_bin(x, y, label, out):
    for i in range(cuda.grid(1), x.shape[0], cuda.gridsize(1)):
        d = math.sqrt((x[i] - y[0]) ** 2 + y[1])
        cuda.atomic.min(out, (label[i], 1), d)


def rounds_of_maxima(x, out, n):
    s = cuda.shared.array(2, float64)
    t = cuda.threadIdx.x
    v = x[t]
    total = 0.0
    for k in range(n):
        if t == 0:
            s[0] = -10.0
            s[1] = 10.0
        cuda.syncthreads()
        if v > -1.0:
            cuda.atomic.max(s, 0, math.cos(v + k))
        else:
            cuda.atomic.max(s, 0, v * v)
        cuda.atomic.min(s, 1, v)
        cuda.syncthreads()
        total += s[0] * s[1] * v
        v = 0.9 * v + 0.01 * s[0]
        cuda.syncthreads()
    out[t] = total


def single_precision(x, out):
    s = cuda.shared.array((2, 2), float32)
    t = cuda.threadIdx.x
    if t < 4:
        s[t // 2, t % 2] = x[t]
    cuda.syncthreads()
    if t >= 4:
        cuda.atomic.nanmin(s, (t % 2, 0), x[t] * x[t - 1])
    cuda.syncthreads()
    if t < 4:
        cuda.atomic.nanmax(out, (t // 2, t % 2), s[t // 2, t % 2] * x[t])


def own_maximum(x, out):
    i = cuda.grid(1)
    a = cuda.local.array(2, float64)
    a[0] = -10.0
    a[1] = 10.0
    for j in range(x.shape[1]):
        cuda.atomic.max(a, 0, x[i, j])
        cuda.atomic.min(a, 1, x[i, j])
    out[i] = a[0] * a[1]


def extremes_of_tiles(x, out):
    s = cuda.shared.array((2, 3), float64)
    m = cuda.shared.array(1, float64)
    i, j = cuda.grid(2)
    a = cuda.threadIdx.x
    b = cuda.threadIdx.y
    s[a, b] = -9.0
    if a == 0 and b == 0:
        m[0] = 9.0
    cuda.syncthreads()
    cuda.atomic.max(s, (a, 0), x[i, j])
    if x[i, j] > 0:
        if b > 0:
            cuda.atomic.min(m, 0, x[i, j] * 2.0)
        cuda.atomic.max(s, (0, b), x[i, j] * 0.5)
    cuda.syncthreads()
    out[i, j] = s[a, 0] * x[i, j] + m[0] * s[0, b]


@cuda.jit(device=True)
def raised(s, k, v):
    cuda.atomic.max(s, k, v)
    cuda.syncthreads()
    r = s[k]
    cuda.syncthreads()
    return r


def in_helpers(x, out, flag):
    s = cuda.shared.array(2, float64)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    if t < 2:
        s[t] = -5.0
    cuda.syncthreads()
    a = raised(s, 0, x[i])
    if flag > 0:
        a *= raised(s, 1, x[i] * a)
    out[i] = a * x[i]


def changed_beside(x, high, low, y):
    i = cuda.grid(1)
    v = x[i] * x[i]
    y[i] += v
    x[i] = v * 0.5
    cuda.atomic.max(high, i % 2, v)
    cuda.atomic.min(low, 0, math.exp(v))
    cuda.atomic.add(y, i, v)


CASES = [
    Case(block_maximum, (2, T), lambda g: (g.normal(size=2 * T), np.zeros(2 * T)), second=True),
    Case(whole_maximum, (2, T), lambda g: (g.normal(size=13), 1.5, np.full(1, -2.0)), second=True),
    Case(
        nearest_of_bin,
        (2, 4),
        lambda g: (
            *(g.normal(size=13), np.array([0.1, 0.5]), np.arange(13) % 3),
            np.array([[9.0, 9.0], [9.0, 9.0], [9.0, 0.3]]),
        ),
    ),
    Case(rounds_of_maxima, (1, T), lambda g: (g.normal(size=T), np.zeros(T), 3)),
    Case(
        single_precision,
        (1, T),
        lambda g: (g.normal(size=T).astype("f4"), np.full((2, 2), -1.0, "f4")),
        step=1e-2,
        rtol=2e-2,
    ),
    Case(own_maximum, (1, 4), lambda g: (g.normal(size=(4, 3)), np.zeros(4)), plain=("x_b",)),
    Case(extremes_of_tiles, ((2, 2), (2, 3)), lambda g: (g.normal(size=(4, 6)), np.zeros((4, 6)))),
    Case(in_helpers, (2, 4), lambda g: (g.normal(size=8), np.zeros(8), 1), second=True),
    Case(
        changed_beside,
        (2, 4),
        lambda g: (g.normal(size=8), np.full(2, -3.0), np.full(1, 9.0), np.zeros(8)),
    ),
]
