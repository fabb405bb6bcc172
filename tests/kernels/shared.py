"""Tiles in shared memory: stencils with halo, products, transposition, sorting, time steps."""

import math

import numpy as np
from numba import cuda, float64

from tests.kernels.case import Case

T = 4  # width of a tile
B = 8  # threads of a block in one dimension


def stencil_halo(x, w, out):
    s = cuda.shared.array(B + 2, float64)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    n = x.shape[0]
    s[t + 1] = x[i] if i < n else 0.0
    if t == 0:
        s[0] = x[i - 1] if i > 0 else 0.0
    if t == B - 1:
        s[B + 1] = x[i + 1] if i + 1 < n else 0.0
    cuda.syncthreads()
    if i < n:
        out[i] = w[0] * s[t] + w[1] * s[t + 1] * s[t + 1] + w[2] * s[t + 2]


def tiled_matmul(a, b, c):
    sa = cuda.shared.array((T, T), float64)
    sb = cuda.shared.array((T, T), float64)
    x, y = cuda.grid(2)
    tx = cuda.threadIdx.x
    ty = cuda.threadIdx.y
    total = 0.0
    for k in range((a.shape[1] + T - 1) // T):
        sa[tx, ty] = 0.0
        sb[tx, ty] = 0.0
        if x < a.shape[0] and ty + k * T < a.shape[1]:
            sa[tx, ty] = a[x, ty + k * T]
        if y < b.shape[1] and tx + k * T < b.shape[0]:
            sb[tx, ty] = b[tx + k * T, y]
        cuda.syncthreads()
        for j in range(T):
            total += sa[tx, j] * sb[j, ty]
        cuda.syncthreads()
    if x < c.shape[0] and y < c.shape[1]:
        c[x, y] = total


def transpose(x, out):
    tile = cuda.shared.array((T, T + 1), float64)
    i, j = cuda.grid(2)
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    if i < x.shape[0] and j < x.shape[1]:
        tile[tx, ty] = x[i, j]
    cuda.syncthreads()
    p = cuda.blockIdx.y * cuda.blockDim.y + tx
    q = cuda.blockIdx.x * cuda.blockDim.x + ty
    if p < out.shape[0] and q < out.shape[1]:
        out[p, q] = tile[ty, tx] * tile[ty, tx]


def diffusion_in_shared(x, out, steps, alpha):
    s = cuda.shared.array(B, float64)
    t = cuda.threadIdx.x
    s[t] = x[t]
    cuda.syncthreads()
    for _ in range(steps):
        left = s[t - 1] if t > 0 else s[B - 1]
        right = s[t + 1] if t < B - 1 else s[0]
        v = s[t] + alpha * (left - 2.0 * s[t] + right) * s[t]
        cuda.syncthreads()
        s[t] = v
        cuda.syncthreads()
    out[t] = s[t]


def ping_pong(x, out):
    s = cuda.shared.array((2, B), float64)
    t = cuda.threadIdx.x
    s[0, t] = x[t]
    cuda.syncthreads()
    for k in range(3):
        s[(k + 1) % 2, t] = math.sin(s[k % 2, (t + 1) % B]) * x[t]
        cuda.syncthreads()
    out[t] = s[1, t]


def bitonic_sort(x, out):
    s = cuda.shared.array(B, float64)
    t = cuda.threadIdx.x
    s[t] = x[t]
    cuda.syncthreads()
    k = 2
    while k <= B:
        j = k // 2
        while j > 0:
            other = t ^ j
            if other > t:
                up = (t & k) == 0
                if (s[t] > s[other]) == up:
                    v = s[t]
                    s[t] = s[other]
                    s[other] = v
            cuda.syncthreads()
            j //= 2
        k *= 2
    out[t] = s[t] * (t + 1)


def convolution(x, taps, out):
    c = cuda.shared.array(3, float64)
    t = cuda.threadIdx.x
    if t < 3:
        c[t] = taps[t]
    cuda.syncthreads()
    i = cuda.grid(1)
    if i < out.shape[0]:
        total = 0.0
        for k in range(3):
            total += c[k] * x[i + k]
        out[i] = total


def forces_tiled(x, charge, energy):
    s = cuda.shared.array((B, 2), float64)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    n = x.shape[0]
    own = x[i] if i < n else 0.0
    total = 0.0
    for tile in range((n + B - 1) // B):
        j = tile * B + t
        s[t, 0] = x[j] if j < n else 0.0
        s[t, 1] = charge[j] if j < n else 0.0
        cuda.syncthreads()
        for k in range(B):
            if tile * B + k != i:
                d = own - s[k, 0]
                total += s[k, 1] / (d * d + 0.1)
        cuda.syncthreads()
    if i < n:
        energy[i] = total * charge[i]


def gather_from_neighbours(x, shift, out):
    s = cuda.shared.array(B, float64)
    t = cuda.threadIdx.x
    s[t] = x[t] * x[t]
    cuda.syncthreads()
    out[t] = s[(t + shift) % B] * s[t]


def block_solve(diagonal, rhs, out):
    """Jacobi sweeps for a periodic tridiagonal system."""
    s = cuda.shared.array(B, float64)
    t = cuda.threadIdx.x
    s[t] = 0.0
    cuda.syncthreads()
    for _ in range(4):
        v = (rhs[t] + s[(t + 1) % B] + s[(t + B - 1) % B]) / diagonal[t]
        cuda.syncthreads()
        s[t] = v
        cuda.syncthreads()
    out[t] = s[t]


def until_converged(x, out, tolerance):
    """All threads leave the loop together: what decides is in shared memory."""
    s = cuda.shared.array(B, float64)
    most = cuda.shared.array(1, float64)
    t = cuda.threadIdx.x
    s[t] = x[t]
    cuda.syncthreads()
    for _ in range(20):
        v = 0.5 * (s[t] + s[(t + 1) % B])
        cuda.syncthreads()
        s[t] = v
        cuda.syncthreads()
        if t == 0:
            low = s[0]
            high = s[0]
            for k in range(1, B):
                low = min(low, s[k])
                high = max(high, s[k])
            most[0] = high - low
        cuda.syncthreads()
        if most[0] < tolerance:
            break
    out[t] = s[t] * s[t]


CASES = [
    Case(
        stencil_halo,
        (2, B),
        lambda g: (g.normal(size=13), g.normal(size=3), np.zeros(13)),
        second=True,
    ),
    Case(
        tiled_matmul,
        ((2, 1), (T, T)),
        lambda g: (g.normal(size=(5, 6)), g.normal(size=(6, 3)), np.zeros((5, 3))),
        second=True,
    ),
    Case(transpose, ((1, 2), (T, T)), lambda g: (g.normal(size=(3, 6)), np.zeros((6, 3)))),
    Case(
        diffusion_in_shared, (1, B), lambda g: (g.normal(size=B), np.zeros(B), 3, 0.1), second=True
    ),
    Case(ping_pong, (1, B), lambda g: (g.normal(size=B), np.zeros(B))),
    Case(bitonic_sort, (1, B), lambda g: (g.normal(size=B), np.zeros(B))),
    Case(convolution, (2, B), lambda g: (g.normal(size=15), g.normal(size=3), np.zeros(13))),
    Case(forces_tiled, (2, B), lambda g: (*g.normal(size=(2, 11)), np.zeros(11))),
    Case(gather_from_neighbours, (1, B), lambda g: (g.normal(size=B), 3, np.zeros(B))),
    Case(block_solve, (1, B), lambda g: (g.uniform(3, 4, B), g.normal(size=B), np.zeros(B))),
    Case(until_converged, (1, B), lambda g: (g.normal(size=B), np.zeros(B), 0.5)),
]
