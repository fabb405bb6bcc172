"""What threads tell each other: shuffles, votes; and constants of the module."""

import math

import numpy as np
from numba import cuda, float64

from tests.kernels.case import Case

TABLE = np.array([0.5, -1.0, 2.0])
WEIGHTS = np.arange(6.0).reshape(2, 3)[:, ::-1]
ALL = 0xFFFFFFFF


@cuda.jit(device=True)
def warp_sum(v):
    k = 16
    while k > 0:
        v += cuda.shfl_down_sync(ALL, v, k)
        k //= 2
    return v


def warp_sums(x, out):
    t = cuda.threadIdx.x
    s = cuda.shared.array(2, float64)
    v = warp_sum(x[cuda.grid(1)] ** 2)
    if cuda.laneid == 0:
        s[t // cuda.warpsize] = v
    cuda.syncthreads()
    if t == 0:
        out[cuda.blockIdx.x] = s[0] * s[1]


def butterfly(x, out):
    i = cuda.grid(1)
    v = math.sin(x[i])
    for k in range(3):
        v = v * cuda.shfl_xor_sync(ALL, v, 1 << k) + 0.1
    out[i] = v + cuda.shfl_up_sync(-1, x[i], 3) * cuda.shfl_sync(-1, v, i % 5)


def voted(x, out):
    i, j = cuda.grid(2)
    n = cuda.syncthreads_count(x[i, j] > 0.0)
    v = x[i, j] * n
    if cuda.syncthreads_or(x[i, j] > 3.0):
        v = 0.0
    if not cuda.syncthreads_and(x[i, j] < 3.0):
        v = 1.0
    cuda.syncwarp()
    out[i, j] = v


def from_tables(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        c = cuda.const.array_like(TABLE)
        v = cuda.selp(x[i] > 0.0, x[i] * c[i % 3], 1)
        for k in range(WEIGHTS.shape[1]):
            v = cuda.fma(v, WEIGHTS[i % 2, k], x[i])
        out[i] = v + cuda.cbrt(1.0 + x[i] * x[i])


CASES = [
    Case(warp_sums, (2, 64), lambda g: (g.normal(size=128), np.zeros(2)), simulated=False),
    Case(
        butterfly,
        (1, 12),
        lambda g: (g.normal(size=12), np.zeros(12)),
        second=True,
        simulated=False,
    ),
    Case(
        voted,
        ((2, 1), (2, 4)),
        lambda g: (g.normal(size=(4, 4)), np.zeros((4, 4))),
        simulated=False,
    ),
    Case(from_tables, (2, 4), lambda g: (g.normal(size=7), np.zeros(7)), plain=("x_b",)),
]
