"""Kernels that have no adjoint, or no derivative at all: each is refused with the reason."""

import math

import numpy as np
from numba import cuda, float64

TABLE = np.arange(4.0)


def after_return(x, out):
    s = cuda.shared.array(8, float64)
    i = cuda.grid(1)
    if i >= x.shape[0]:
        return
    s[cuda.threadIdx.x] = x[i]
    cuda.syncthreads()
    out[i] = s[0]


def in_divided_loop(x, out):
    s = cuda.shared.array(8, float64)
    t = cuda.threadIdx.x
    for k in range(t):
        s[t] = x[k]
        cuda.syncthreads()
    out[t] = s[t]


def until_own_value(x, out):
    t = cuda.threadIdx.x
    v = x[t]
    while v > 1.0:
        v = 0.5 * v
        cuda.syncthreads()
    out[t] = v


def unbounded(x, out):
    i = cuda.grid(1)
    v = x[i]
    while v * v > 1e-3:
        v = math.sin(v) * v
    out[i] = v


def rows_of_data(indptr, x, out):
    i = cuda.grid(1)
    v = 1.0
    for k in range(indptr[i], indptr[i + 1]):
        v = math.sin(v * x[k])
    out[i] = v


def returns(x):
    return x[cuda.grid(1)]


def captures(x):
    i = cuda.grid(1)
    TABLE[i] = x[i] * x[i]


def exchange(x, out):
    cuda.atomic.exch(out, 0, x[cuda.grid(1)])


def old_value(x, out):
    i = cuda.grid(1)
    out[i] = cuda.atomic.add(x, 0, 1.0)


def two_dynamic(x):
    a = cuda.shared.array(0, float64)
    b = cuda.shared.array(0, float64)
    a[0] = x[0]
    b[0] = a[0]


def size_of_argument(x, n):
    a = cuda.local.array(n, float64)
    a[0] = x[0]
    x[0] = a[0] * a[0]


def grows(x):
    a = np.zeros(x.shape[0])
    for k in range(x.shape[0]):
        a[k] = x[k] * x[k]
    x[0] = a[1] * a[0]


def some_lanes(x, mask):
    x[0] = cuda.shfl_sync(mask, x[0] * x[0], 1)


def warp_of_block(x, out):
    v = x[cuda.grid(1)]
    if cuda.threadIdx.x < 1:
        v = cuda.shfl_sync(-1, v, 1)
    out[cuda.grid(1)] = v


def bits(x, out):
    out[cuda.grid(1)] = x[0] * cuda.popc(cuda.grid(1))


def ballot(x, out):
    out[cuda.grid(1)] = x[0] * cuda.any_sync(-1, x[0] > 0.0)


def wraps_around(x, count):
    cuda.atomic.inc(count, 0, 4)
    x[0] = x[0] * x[0]


def cooperative(x, out):
    g = cuda.cg.this_grid()
    g.sync()
    out[0] = x[0]


def drawn(x, states):
    x[0] = x[0] * cuda.random.xoroshiro128p_uniform_float64(states, 0)


def racing(x, out):
    out[0] = x[cuda.grid(1)]


def racing_in_block(x, out):
    s = cuda.shared.array(8, float64)
    t = cuda.threadIdx.x
    s[t] = x[t]
    out[t] = s[(t + 1) % 8]


def plain(x, n, out):
    i = cuda.grid(1)
    if i < n:
        out[i] = x[i] * x[i]


def no_kernel(x):
    return x * cuda.grid(1)


def counter(x, out, count):
    i = cuda.grid(1)
    out[cuda.atomic.add(count, 0, 1)] = x[i] * x[i]


def in_slice(x, out, count):
    i = cuda.grid(1)
    part = out[i % 4 :]
    cuda.atomic.add(part, i // 4 - 1, x[i])


def numbers(n, a):
    i = cuda.grid(1)
    if i < n:
        a = a * i
