"""Kernels in the manner of textbooks and libraries: scans, warps, tiles, solvers, samplers."""

import math

import numpy as np
from numba import cuda, float32, float64, int32

from tests.kernels.case import Case

TX, TY = 4, 2
N = 8
ROWS = 5
STEPS = 12


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


def segments(x, start, out):
    """Log-sum-exp of segments of different lengths, some of them empty; none is long."""
    i = cuda.grid(1)
    if i >= start.shape[0] - 1:
        return
    first, last = start[i], start[i + 1]
    if first == last:
        out[i] = 0.0
        return
    top = x[first]
    for k in range(1, N):
        if first + k >= last:
            break
        top = max(top, x[first + k])
    total = 0.0
    for k in range(N):
        if first + k >= last:
            break
        total += math.exp(x[first + k] - top)
    out[i] = top + math.log(total)


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


def thomas(low, mid, high, rhs, out):
    """A tridiagonal system for each thread, factors in local arrays."""
    i = cuda.grid(1)
    if i < rhs.shape[0]:
        c = cuda.local.array(ROWS, float64)
        d = cuda.local.array(ROWS, float64)
        c[0] = high[i, 0] / mid[i, 0]
        d[0] = rhs[i, 0] / mid[i, 0]
        for k in range(1, ROWS):
            m = 1.0 / (mid[i, k] - low[i, k] * c[k - 1])
            c[k] = high[i, k] * m
            d[k] = (rhs[i, k] - low[i, k] * d[k - 1]) * m
        for k in range(ROWS - 2, -1, -1):
            d[k] -= c[k] * d[k + 1]
        for k in range(ROWS):
            out[i, k] = d[k]


def carried(x, decay, out):
    """A grid-stride loop whose trips hand a number on."""
    s = 0.5
    n = 0
    for i in range(cuda.grid(1), x.shape[0], cuda.gridsize(1)):
        s = decay * s + x[i] * math.cos(s)
        n += 1  # noqa: SIM113
        out[i] = s * n


def sphere_tracing(origin, direction, radius, depth, colour):
    """Distance fields: misses return early, hits leave the loop."""
    i, j = cuda.grid(2)
    if i >= depth.shape[0] or j >= depth.shape[1]:
        return
    t = 0.0
    hit = False
    for _ in range(STEPS):
        px = origin[0] + t * direction[i, j, 0]
        py = origin[1] + t * direction[i, j, 1]
        pz = origin[2] + t * direction[i, j, 2]
        d = math.sqrt(px * px + py * py + pz * pz) - radius
        ground = py + 1.0
        if ground < d:
            d = ground
        if d < 1e-2:
            hit = True
            break
        t += d
        if t > 20.0:
            break
    if not hit:
        depth[i, j] = 0.0
        return
    depth[i, j] = t
    colour[i, j] = math.exp(-0.1 * t) * (px + py * pz)


def texture(image, u, v, out):
    """Bilinear sampling in single precision, coordinates clamped to the edge."""
    i = cuda.grid(1)
    if i >= out.shape[0]:
        return
    h, w = image.shape[0], image.shape[1]
    x = u[i] * w - float32(0.5)
    y = v[i] * h - float32(0.5)
    x0 = int(math.floor(x))  # noqa: RUF046
    y0 = int(math.floor(y))  # noqa: RUF046
    fx = x - x0
    fy = y - y0
    xa = max(0, min(x0, w - 1))
    xb = max(0, min(x0 + 1, w - 1))
    ya = max(0, min(y0, h - 1))
    yb = max(0, min(y0 + 1, h - 1))
    for c in range(image.shape[2]):
        top = image[ya, xa, c] * (1 - fx) + image[ya, xb, c] * fx
        low = image[yb, xa, c] * (1 - fx) + image[yb, xb, c] * fx
        out[i, c] = top * (1 - fy) + low * fy


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


def slope_3d(f, out):
    """A launch along three axes, one-sided differences at the borders, a slice of a row."""
    i, j, k = cuda.grid(3)
    a, b, c = f.shape
    if i < a and j < b and k < c:
        row = f[i, j]
        gz = row[min(k + 1, c - 1)] - row[max(k - 1, 0)]
        gy = f[i, min(j + 1, b - 1), k] - f[i, max(j - 1, 0), k]
        gx = f[min(i + 1, a - 1), j, k] - f[max(i - 1, 0), j, k]
        out[i, j, k] = math.sqrt(gx * gx + gy * gy + gz * gz + 1e-3)


@cuda.jit(device=True)
def times(p, q):
    return p[0] * q[0] - p[1] * q[1], p[0] * q[1] + p[1] * q[0]


@cuda.jit(device=True)
def step(z, c):
    (a, b), n = times(z, z), 1
    return (a + c[0], b + c[1]), n


def complex_orbit(c, z, out):
    """Device functions of tuples, nested and unpacked."""
    i = cuda.grid(1)
    if i < out.shape[0]:
        p = (z[i, 0], z[i, 1])
        count = 0
        for _ in range(4):
            p, n = step(p, (c[0], c[1]))
            count += n
            if p[0] * p[0] + p[1] * p[1] > 16.0:
                break
        out[i] = times(p, (0.5, -0.25))[0] + count


def compensated(x, w, out):
    """Float32 elements, float64 accumulators, Kahan's compensation."""
    i = cuda.grid(1)
    if i < x.shape[0]:
        total = float64(0.0)
        lost = 0.0
        for k in range(x.shape[1]):
            y = float64(x[i, k]) * w[k] - lost
            t = total + y
            lost = (t - total) - y
            total = t
        out[i] = float32(math.sqrt(total * total + 1.0))


def until_close(a, x, trips):
    """Halley's iteration for cube roots; every thread stops when it is done."""
    i = cuda.grid(1)
    if i >= a.shape[0]:
        return
    v = 1.0
    n = 0
    while n < 20:
        c = v * v * v
        new = v * (c + 2.0 * a[i]) / (2.0 * c + a[i])
        n += 1
        if abs(new - v) < 1e-13:
            v = new
            break
        v = new
    x[i] = v
    trips[i] = n


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


def pivoted(a, b, out):
    """Gaussian elimination with pivoting, rows exchanged in a local matrix."""
    i = cuda.grid(1)
    if i < b.shape[0]:
        m = cuda.local.array((3, 4), float64)
        for p in range(3):
            for q in range(3):
                m[p, q] = a[i, p, q]
            m[p, 3] = b[i, p]
        for p in range(3):
            best = p
            for r in range(p + 1, 3):
                if abs(m[r, p]) > abs(m[best, p]):
                    best = r
            if best != p:
                for q in range(4):
                    m[p, q], m[best, q] = m[best, q], m[p, q]
            for r in range(p + 1, 3):
                f = m[r, p] / m[p, p]
                for q in range(p, 4):
                    m[r, q] -= f * m[p, q]
        for p in range(2, -1, -1):
            s = m[p, 3]
            for q in range(p + 1, 3):
                s -= m[p, q] * out[i, q]
            out[i, p] = s / m[p, p]


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


def nearest_three(points, query, out):
    """The three nearest, kept in order in a local array; their distances are weighted."""
    i = cuda.grid(1)
    if i >= query.shape[0]:
        return
    best = cuda.local.array(3, float64)
    for k in range(3):
        best[k] = 1e9
    for p in range(points.shape[0]):
        d = 0.0
        for q in range(points.shape[1]):
            d += (points[p, q] - query[i, q]) ** 2
        if d >= best[2]:
            continue
        k = 2
        while k > 0 and best[k - 1] > d:
            best[k] = best[k - 1]
            k -= 1
        best[k] = d
    out[i] = math.sqrt(best[0]) + 0.5 * math.sqrt(best[1]) + 0.25 * math.sqrt(best[2])


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


def directions(rng):
    d = np.array([[[0.1, -0.2, 1.0], [0.0, 0.1, 1.0]], [[0.3, 1.0, 0.2], [-0.1, 0.0, 1.0]]])
    return d / np.linalg.norm(d, axis=2, keepdims=True)


def diagonal(rng, *shape):
    return 4.0 + rng.random(shape)


def segmented(rng):
    return normal(rng, 9), np.array([0, 3, 3, 4, 9]), np.zeros(4)


def sampled(rng):
    single = [rng.random(s).astype("f4") for s in ((4, 5, 2), 6, 6)]
    return (*single, np.zeros((6, 2), "f4"))


def summed(rng):
    return rng.normal(size=(3, 5)).astype("f4"), normal(rng, 5), np.zeros(3, "f4")


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
    Case(segments, (2, 4), segmented),
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
        thomas,
        (1, 4),
        lambda r: (
            *(normal(r, 3, ROWS), diagonal(r, 3, ROWS), normal(r, 3, ROWS)),
            *(normal(r, 3, ROWS), np.zeros((3, ROWS))),
        ),
        second=True,
        plain=("low_b", "mid_b", "high_b", "rhs_b"),
    ),
    Case(carried, (1, 3), lambda r: (normal(r, 10), 0.7, np.zeros(10)), second=True),
    Case(
        sphere_tracing,
        ((1, 1), (2, 2)),
        lambda r: (
            *(np.array([0.1, 0.2, -3.0]), directions(r), 1.0),
            *(np.zeros((2, 2)), np.zeros((2, 2))),
        ),
    ),
    Case(texture, (2, 4), sampled, step=1e-2, rtol=2e-3),
    Case(
        bodies,
        (2, TX),
        lambda r: (normal(r, 6, 3), r.random(6), np.zeros((6, 3))),
        rtol=1e-4,
        second=True,
    ),
    Case(slope_3d, ((1, 2, 1), (3, 2, 4)), lambda r: (normal(r, 3, 3, 4), np.zeros((3, 3, 4)))),
    Case(complex_orbit, (1, 8), lambda r: (normal(r, 2), normal(r, 6, 2), np.zeros(6)), rtol=1e-4),
    Case(compensated, (1, 4), summed, step=1e-2, rtol=2e-3),
    Case(until_close, (1, 4), lambda r: (1 + r.random(3), np.zeros(3), np.zeros(3, int))),
    Case(odd_even_sort, (1, N), lambda r: (normal(r, N), np.zeros(N))),
    Case(
        pivoted,
        (1, 4),
        lambda r: (normal(r, 3, 3, 3), normal(r, 3, 3), np.zeros((3, 3))),
        rtol=1e-4,
    ),
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
    Case(nearest_three, (1, 4), lambda r: (normal(r, 6, 2), normal(r, 3, 2), np.zeros(3))),
    Case(
        cyclic_reduction,
        (1, N),
        lambda r: (normal(r, N), diagonal(r, N), normal(r, N), normal(r, N), np.zeros(N)),
    ),
)
