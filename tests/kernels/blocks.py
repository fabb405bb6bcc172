"""Blocks of threads in the manner of textbooks: tiles, scans, warps, sorting, parallel solvers."""

import math

import numpy as np
from numba import cuda, float64, int32

from tests.kernels.case import Case

TX, TY = 4, 2
N = 8
ROWS = 5


def tile_with_halo(u, k, out):
    """A nonlinear five-point stencil on a tile with halo; the borders are loaded by many."""
    s = cuda.shared.array((TY + 2, TX + 2), float64)
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    x = cuda.blockIdx.x * TX + tx
    y = cuda.blockIdx.y * TY + ty
    h, w = u.shape
    for dy in range(ty, TY + 2, TY):
        for dx in range(tx, TX + 2, TX):
            gy = min(max(cuda.blockIdx.y * TY + dy - 1, 0), h - 1)
            gx = min(max(cuda.blockIdx.x * TX + dx - 1, 0), w - 1)
            s[dy, dx] = u[gy, gx]
    cuda.syncthreads()
    if x < w and y < h:
        c = s[ty + 1, tx + 1]
        total = 0.0
        for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            d = s[ty + 1 + dy, tx + 1 + dx] - c
            total += d * math.exp(-((d / k) ** 2))
        out[y, x] = c + 0.2 * total


def blelloch(x, out):
    """A work-efficient exclusive scan of squares: up, clear, down."""
    s = cuda.shared.array(N, float64)
    t = cuda.threadIdx.x
    base = cuda.blockIdx.x * N
    s[2 * t] = x[base + 2 * t] ** 2
    s[2 * t + 1] = x[base + 2 * t + 1] ** 2
    offset = 1
    d = N >> 1
    while d > 0:
        cuda.syncthreads()
        if t < d:
            a = offset * (2 * t + 1) - 1
            b = offset * (2 * t + 2) - 1
            s[b] += s[a]
        offset *= 2
        d >>= 1
    if t == 0:
        s[N - 1] = 0.0
    d = 1
    while d < N:
        offset >>= 1
        cuda.syncthreads()
        if t < d:
            a = offset * (2 * t + 1) - 1
            b = offset * (2 * t + 2) - 1
            old = s[a]
            s[a] = s[b]
            s[b] += old
        d *= 2
    cuda.syncthreads()
    out[base + 2 * t] = s[2 * t]
    out[base + 2 * t + 1] = s[2 * t + 1]


@cuda.jit(device=True)
def warp_add(v):
    step = 16
    while step > 0:
        v += cuda.shfl_down_sync(0xFFFFFFFF, v, step)
        step //= 2
    return v


def two_level_softmax(x, out):
    """Shuffles in warps, then across warps in shared memory; the sum is for everybody."""
    sums = cuda.shared.array(32, float64)
    t = cuda.threadIdx.x
    e = math.exp(x[cuda.blockIdx.x, t])
    total = warp_add(e)
    if t % 32 == 0:
        sums[t // 32] = total
    cuda.syncthreads()
    whole = 0.0
    for k in range(cuda.blockDim.x // 32):
        whole += sums[k]
    out[cuda.blockIdx.x, t] = e / whole


def segmented_scan(x, head, out):
    """Running sums of squares that begin anew where a flag is set."""
    s = cuda.shared.array(N, float64)
    f = cuda.shared.array(N, int32)
    t = cuda.threadIdx.x
    s[t] = x[t] * x[t]
    f[t] = head[t]
    d = 1
    while d < N:
        cuda.syncthreads()
        v, g = 0.0, 0
        if t >= d and f[t] == 0:
            v, g = s[t - d], f[t - d]
        cuda.syncthreads()
        s[t] += v
        f[t] |= g
        d <<= 1
    out[t] = s[t]


def private_bins(x, weight, bins):
    """A histogram with linear weights in shared memory, then added to the global one."""
    mine = cuda.shared.array(ROWS, float64)
    t = cuda.threadIdx.x
    if t < ROWS:
        mine[t] = 0.0
    cuda.syncthreads()
    for i in range(cuda.grid(1), x.shape[0], cuda.gridsize(1)):
        p = x[i] * (ROWS - 1)
        k = int(math.floor(p))  # noqa: RUF046
        if k < 0 or k >= ROWS - 1:
            continue
        f = p - k
        cuda.atomic.add(mine, k, (1.0 - f) * weight[i])
        cuda.atomic.add(mine, k + 1, f * weight[i])
    cuda.syncthreads()
    if t < ROWS:
        cuda.atomic.add(bins, t, mine[t] ** 2)


def bodies(pos, mass, acc):
    """Tiles of bodies in shared memory, the last one not full."""
    tile = cuda.shared.array((TX, 4), float64)
    i = cuda.grid(1)
    t = cuda.threadIdx.x
    n = pos.shape[0]
    ax = ay = az = 0.0
    j = min(i, n - 1)
    for start in range(0, n, TX):
        k = start + t
        if k < n:
            for q in range(3):
                tile[t, q] = pos[k, q]
            tile[t, 3] = mass[k]
        else:
            for q in range(4):
                tile[t, q] = 0.0
        cuda.syncthreads()
        for m in range(TX):
            dx = tile[m, 0] - pos[j, 0]
            dy = tile[m, 1] - pos[j, 1]
            dz = tile[m, 2] - pos[j, 2]
            r2 = dx * dx + dy * dy + dz * dz + 0.1
            w = tile[m, 3] / (r2 * math.sqrt(r2))
            ax += w * dx
            ay += w * dy
            az += w * dz
        cuda.syncthreads()
    if i < n:
        acc[i, 0], acc[i, 1], acc[i, 2] = ax, ay, az


def odd_even_sort(x, out):
    """Transpositions of neighbours in shared memory."""
    s = cuda.shared.array(N, float64)
    t = cuda.threadIdx.x
    s[t] = x[t]
    for r in range(N):
        cuda.syncthreads()
        if t % 2 == r % 2 and t + 1 < N:
            if s[t] > s[t + 1]:
                s[t], s[t + 1] = s[t + 1], s[t]
    cuda.syncthreads()
    out[t] = s[t] * (t + 1)


def red_black(u, f, sweeps):
    """Gauss-Seidel in one block, in place in global memory."""
    t = cuda.threadIdx.x
    for _ in range(sweeps):
        for colour in range(2):
            if t % 2 == colour and t > 0 and t + 1 < u.shape[0]:
                u[t] = 0.5 * (u[t - 1] + u[t + 1] - f[t] * u[t])
            cuda.syncthreads()


def block_of_two_axes(x, out):
    """A block with two axes, threads numbered by hand, one atomic addition a block."""
    s = cuda.shared.array(TX * TY, float64)
    tid = cuda.threadIdx.y * cuda.blockDim.x + cuda.threadIdx.x
    i, j = cuda.grid(2)
    s[tid] = math.sin(x[j, i]) if i < x.shape[1] and j < x.shape[0] else 0.0
    cuda.syncthreads()
    half = (TX * TY) // 2
    while half > 0:
        if tid < half:
            s[tid] += s[tid + half]
        cuda.syncthreads()
        half //= 2
    if tid == 0:
        cuda.atomic.add(out, 0, s[0] * s[0])


def warp_a_row(a, x, y):
    """A product with a matrix: lanes share a row, and add up by shuffles."""
    lane = cuda.threadIdx.x
    row = cuda.blockIdx.x
    total = 0.0
    for j in range(lane, a.shape[1], 32):
        total += a[row, j] * x[j]
    k = 16
    while k:
        total += cuda.shfl_xor_sync(0xFFFFFFFF, total, k)
        k >>= 1
    if lane == 0:
        y[row] = total * total


def cyclic_reduction(a, b, c, d, x):
    """A tridiagonal system by one block: every thread eliminates in log2 rounds."""
    sa = cuda.shared.array(N, float64)
    sb = cuda.shared.array(N, float64)
    sc = cuda.shared.array(N, float64)
    sd = cuda.shared.array(N, float64)
    t = cuda.threadIdx.x
    sa[t], sb[t], sc[t], sd[t] = a[t], b[t], c[t], d[t]
    cuda.syncthreads()
    stride = 1
    while stride < N:
        na, nb, nc, nd = 0.0, sb[t], 0.0, sd[t]
        if t - stride >= 0:
            f = sa[t] / sb[t - stride]
            na = -f * sa[t - stride]
            nb -= f * sc[t - stride]
            nd -= f * sd[t - stride]
        if t + stride < N:
            f = sc[t] / sb[t + stride]
            nc = -f * sc[t + stride]
            nb -= f * sa[t + stride]
            nd -= f * sd[t + stride]
        cuda.syncthreads()
        sa[t], sb[t], sc[t], sd[t] = na, nb, nc, nd
        cuda.syncthreads()
        stride *= 2
    x[t] = sd[t] / sb[t]


def normal(rng, *shape):
    return rng.normal(size=shape)


def diagonal(rng, *shape):
    return 4.0 + rng.random(shape)


CASES = (
    Case(
        tile_with_halo,
        ((2, 2), (TX, TY)),
        lambda r: (normal(r, 3, 6), 0.8, np.zeros((3, 6))),
        second=True,
    ),
    Case(blelloch, (2, N // 2), lambda r: (normal(r, 2 * N), np.zeros(2 * N)), second=True),
    Case(
        two_level_softmax, (1, 64), lambda r: (normal(r, 1, 64), np.zeros((1, 64))), simulated=False
    ),
    Case(
        segmented_scan,
        (1, N),
        lambda r: (normal(r, N), np.array([1, 0, 0, 1, 0, 0, 0, 1]), np.zeros(N)),
        second=True,
    ),
    Case(
        private_bins, (2, 8), lambda r: (r.random(20), normal(r, 20), normal(r, ROWS)), unique=False
    ),
    Case(
        bodies,
        (2, TX),
        lambda r: (normal(r, 6, 3), r.random(6), np.zeros((6, 3))),
        rtol=1e-4,
        second=True,
    ),
    Case(odd_even_sort, (1, N), lambda r: (normal(r, N), np.zeros(N))),
    Case(red_black, (1, N), lambda r: (normal(r, N), normal(r, N), 3), second=True),
    Case(
        block_of_two_axes,
        ((2, 2), (TX, TY)),
        lambda r: (normal(r, 3, 6), np.zeros(1)),
        unique=False,
    ),
    Case(
        warp_a_row,
        (1, 32),
        lambda r: (normal(r, 1, 40), normal(r, 40), np.zeros(1)),
        simulated=False,
    ),
    Case(
        cyclic_reduction,
        (1, N),
        lambda r: (normal(r, N), diagonal(r, N), normal(r, N), normal(r, N), np.zeros(N)),
    ),
)
