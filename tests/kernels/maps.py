"""One thread an element: arithmetic, branches, loops, helpers, gathers and scatters."""

import math

import numpy as np
from numba import cuda, float64

from tests.kernels.case import Case

N = 11


def saxpy(a, x, y, out):
    i = cuda.grid(1)
    if i >= out.shape[0]:
        return
    out[i] = a * math.sin(x[i]) + y[i] * x[i]


def by_hand(x, out):
    i = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
    if i < x.size:
        out[i] = x[i] * math.exp(-x[i])


def grid_stride(x, out):
    start = cuda.grid(1)
    step = cuda.gridsize(1)
    for i in range(start, x.shape[0], step):
        t = x[i]
        for _ in range(3):
            t = t + math.sin(t)
        out[i] = t


def grid_stride_while(x, out):
    i = cuda.grid(1)
    while i < x.shape[0]:
        out[i] = math.tanh(x[i]) * x[i]
        i += cuda.gridsize(1)


def strided_fit(x, y, slope, shift, loss):
    threads = cuda.blockDim.x * cuda.gridDim.x
    for i in range(cuda.grid(1), x.shape[0], threads):
        r = slope * x[i] + shift - y[i]
        loss[i] = r * r


def strided_sum(x, scale, out):
    for i in range(cuda.grid(1), x.shape[0], cuda.gridsize(1)):
        cuda.atomic.add(out, 0, math.sin(scale * x[i]))


def recurrence(x, a):
    """One thread: each trip reads what the one before wrote."""
    for i in range(1, x.shape[0]):
        x[i] = x[i] + a * x[i - 1] * x[i - 1]


def overwritten(x, out):
    """Trips write the same element."""
    for i in range(x.shape[0]):
        out[0] = x[i] * x[i]


def from_the_end(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = x[i - 1] * x[-1]


def up_to(x, out, last):
    i = cuda.grid(1)
    while i <= last:
        out[i] = math.sin(x[i]) * x[last - i]
        i += cuda.gridsize(1)


def huber(x, delta, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        r = abs(x[i])
        if r <= delta:
            out[i] = 0.5 * r * r
        elif x[i] > 0:
            out[i] = delta * (r - 0.5 * delta)
        else:
            out[i] = -delta * r


def in_place(x, n):
    i = cuda.grid(1)
    if i < n:
        x[i] = x[i] * x[i] + 1.0
        if i % 2 == 0:
            x[i] = math.sqrt(x[i])


def single_precision(a, x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = a * math.cos(x[i]) + x[i] * np.float32(0.5)


@cuda.jit(device=True)
def smooth_step(x, width):
    return 1.0 / (1.0 + math.exp(-x / width))


@cuda.jit(device=True)
def two_values(x):
    return x * x, x + 1.0


@cuda.jit
def helpers(x, width, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        a, b = two_values(x[i])
        out[i] = smooth_step(a, width) * b


def horner(c, x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        powers = cuda.local.array(4, dtype=float64)
        powers[0] = 1.0
        for k in range(1, 4):
            powers[k] = powers[k - 1] * x[i]
        total = 0.0
        for k in range(4):
            total += c[k] * powers[k]
        out[i] = total


def long_local(x, out):
    """A local array longer than what a thread keeps on its tape."""
    i = cuda.grid(1)
    if i < x.shape[0]:
        a = cuda.local.array(70, float64)
        for k in range(70):
            a[k] = x[i] * k
        for k in range(1, 70):
            a[k] = math.sin(a[k - 1]) + 0.01 * a[k]
        out[i] = a[69] + a[3]


def strided_loop(x, out):
    """What a trip records has no bound that is known before the launch."""
    for i in range(cuda.grid(1), x.shape[0], cuda.gridsize(1)):
        v = x[i]
        for _ in range(x.shape[0]):
            v = math.sin(v) + 0.1 * v
        out[i] = v


def gather(x, index, out):
    i = cuda.grid(1)
    if i < index.shape[0]:
        out[i] = x[index[i]] * x[i]


def scatter(x, index, out):
    i = cuda.grid(1)
    if i < index.shape[0]:
        cuda.atomic.add(out, index[i], x[i] * x[i])


def pairs(x, out):
    i = cuda.grid(1)
    if i < out.shape[0]:
        out[i] = x[2 * i] * x[2 * i + 1]


def triples(x, out):
    i = cuda.grid(1)
    if i < out.shape[0]:
        total = 0.0
        for k in range(3):
            total += x[3 * i + k] * x[3 * i + k]
        out[i] = math.sqrt(total)


def functions(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        v = math.fabs(x[i]) + 0.5
        out[i] = math.log(v) + math.atan2(v, 2.0) + math.hypot(v, 1.0) + v**1.5 + math.erf(v)


def selection(x, y, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = max(x[i], y[i]) * min(x[i], 0.3) if x[i] > -1.0 else y[i]


def counted_by_argument(x, out, steps, scale):
    i = cuda.grid(1)
    if i < x.shape[0]:
        v = x[i]
        for k in range(steps):
            v = v + scale * math.cos(v) * (k + 1)
        out[i] = v


def triangular(x, out):
    i = cuda.grid(1)
    if i < out.shape[0]:
        v = 1.0
        for j in range(i + 1):
            v = math.sin(v + x[j] * v)
        out[i] = v


def compaction(x, count, out):
    i = cuda.grid(1)
    if i < x.shape[0] and x[i] > 0.0:
        k = cuda.atomic.add(count, 0, 1)
        out[k] = x[i] * x[i]


def reals(rng, *sizes):
    return tuple(rng.normal(size=n) for n in sizes)


L = (2, 8)
CASES = [
    Case(
        saxpy, L, lambda g: (1.3, *reals(g, N, N), np.zeros(N)), second=True, plain=("x_b", "y_b")
    ),
    Case(by_hand, L, lambda g: (*reals(g, N), np.zeros(N)), plain=("x_b",)),
    Case(grid_stride, (2, 2), lambda g: (*reals(g, N), np.zeros(N)), plain=("x_b",), second=True),
    Case(grid_stride_while, (2, 2), lambda g: (*reals(g, N), np.zeros(N)), plain=("x_b",)),
    Case(
        strided_fit,
        (2, 3),
        lambda g: (*reals(g, N, N), 0.4, 0.1, np.zeros(N)),
        plain=("x_b", "y_b"),
        second=True,
    ),
    Case(strided_sum, (2, 3), lambda g: (*reals(g, N), 0.7, np.zeros(1)), plain=("x_b",)),
    Case(recurrence, (1, 1), lambda g: (0.3 * g.normal(size=N), 0.5)),
    Case(overwritten, (1, 1), lambda g: (*reals(g, N), np.zeros(1))),
    Case(from_the_end, L, lambda g: (*reals(g, N), np.zeros(N))),
    Case(up_to, (2, 2), lambda g: (*reals(g, N), np.zeros(N), N - 1)),
    Case(huber, L, lambda g: (*reals(g, N), 0.7, np.zeros(N)), plain=("x_b",)),
    Case(in_place, L, lambda g: (*reals(g, N), N - 1)),
    Case(
        single_precision,
        L,
        lambda g: (np.float32(1.5), g.normal(size=N).astype("f4"), np.zeros(N, "f4")),
        step=1e-2,
        rtol=2e-3,
    ),
    Case(helpers, L, lambda g: (*reals(g, N), 0.8, np.zeros(N)), plain=("x_b",)),
    Case(horner, L, lambda g: (*reals(g, 4, N), np.zeros(N)), plain=("x_b",), second=True),
    Case(long_local, (1, 2), lambda g: (*reals(g, 2), np.zeros(2))),
    Case(strided_loop, (2, 2), lambda g: (*reals(g, N), np.zeros(N)), plain=("x_b",)),
    Case(gather, L, lambda g: (*reals(g, N), g.integers(0, N, N), np.zeros(N))),
    Case(scatter, L, lambda g: (*reals(g, N), g.integers(0, 3, N), np.zeros(3)), plain=("x_b",)),
    Case(pairs, L, lambda g: (*reals(g, 2 * N), np.zeros(N)), plain=("x_b",)),
    Case(triples, L, lambda g: (*reals(g, 3 * N), np.zeros(N)), plain=("x_b",)),
    Case(functions, L, lambda g: (*reals(g, N), np.zeros(N))),
    Case(selection, L, lambda g: (*reals(g, N, N), np.zeros(N))),
    Case(counted_by_argument, L, lambda g: (*reals(g, N), np.zeros(N), 4, 0.1), second=True),
    Case(triangular, L, lambda g: (*reals(g, N), np.zeros(N))),
    Case(compaction, L, lambda g: (*reals(g, N), np.zeros(1, "i8"), np.zeros(N)), unique=False),
]
