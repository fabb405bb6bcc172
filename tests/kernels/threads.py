"""Threads on their own in the manner of libraries: solvers, samplers, marchers, searches."""

import math

import numpy as np
from numba import cuda, float32, float64

from tests.kernels.case import Case

N = 8
ROWS = 5
STEPS = 12


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
    Case(segments, (2, 4), segmented),
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
    Case(slope_3d, ((1, 2, 1), (3, 2, 4)), lambda r: (normal(r, 3, 3, 4), np.zeros((3, 3, 4)))),
    Case(complex_orbit, (1, 8), lambda r: (normal(r, 2), normal(r, 6, 2), np.zeros(6)), rtol=1e-4),
    Case(compensated, (1, 4), summed, step=1e-2, rtol=2e-3),
    Case(until_close, (1, 4), lambda r: (1 + r.random(3), np.zeros(3), np.zeros(3, int))),
    Case(
        pivoted,
        (1, 4),
        lambda r: (normal(r, 3, 3, 3), normal(r, 3, 3), np.zeros((3, 3))),
        rtol=1e-4,
    ),
    Case(nearest_three, (1, 4), lambda r: (normal(r, 6, 2), normal(r, 3, 2), np.zeros(3))),
)
