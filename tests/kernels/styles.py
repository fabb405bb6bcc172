"""Ways of writing: barriers in helpers, loops that halve to zero, bytes, masks, constants."""

import math

import numpy as np
from numba import cuda, float64

from tests.kernels.case import Case

TPB = 8
SCALE = 1.7
OFFS = (0.1, 0.2, 0.3)


def row_per_block(x, out):
    s = cuda.shared.array(shape=(TPB,), dtype=float64)
    row = cuda.blockIdx.x
    t = cuda.threadIdx.x
    acc = 0.0
    for j in range(t, x.shape[1], cuda.blockDim.x):
        acc += x[row, j] ** 2
    s[t] = acc
    cuda.syncthreads()
    i = cuda.blockDim.x // 2
    while i != 0:
        if t < i:
            s[t] += s[t + i]
        cuda.syncthreads()
        i //= 2
    if t == 0:
        out[row] = math.sqrt(s[0])


@cuda.jit(device=True)
def block_sum(v, s):
    t = cuda.threadIdx.x
    s[t] = v
    cuda.syncthreads()
    k = TPB // 2
    while k > 0:
        if t < k:
            s[t] += s[t + k]
        cuda.syncthreads()
        k //= 2
    r = s[0]
    cuda.syncthreads()
    return r


@cuda.jit
def layer_norm(x, g, b, out):
    s = cuda.shared.array(TPB, float64)
    row = cuda.blockIdx.x
    t = cuda.threadIdx.x
    m = block_sum(x[row, t], s) / TPB
    d = x[row, t] - m
    v = block_sum(d * d, s) / TPB
    out[row, t] = g[t] * d / math.sqrt(v + 1e-5) + b[t]


def bytes_image(img, w, out):
    i, j = cuda.grid(2)
    if i >= img.shape[0] or j >= img.shape[1]:
        return
    v = img[i, j] * w[i, j] / 255.0
    if img[i, j] > 128:
        out[i, j] = v * v
        return
    out[i, j] = v


def while_true(x, out):
    i = cuda.grid(1)
    if i >= len(x):
        return
    v = x[i]
    k = 0
    while True:
        v = 0.5 * (v + 2.0 / v)
        k += 1
        if k >= 6:
            break
        if v < 0:
            continue
    out[i] = v


def constants(x, out):
    i = cuda.grid(1)
    if 0 <= i < x.size:
        acc = 0.0
        for o in OFFS:
            acc += (x[i] + o) * SCALE
        out[i] = acc * math.pi + x.ndim


def masks(x, mask, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        if mask[i]:
            out[i] = x[i] * x[i]
        else:
            out[i] = -x[i]


def local2d(a, b, out):
    i = cuda.grid(1)
    if i < out.shape[0]:
        m = cuda.local.array((2, 2), float64)
        for p in range(2):
            for q in range(2):
                m[p, q] = 0.0
                for k in range(2):
                    m[p, q] += a[i, p, k] * b[i, k, q]
        out[i] = m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]


def two_shared(x, y, out):
    a = cuda.shared.array(TPB, float64)
    b = cuda.shared.array(TPB, float64)
    t = cuda.threadIdx.x
    a[t] = x[t]
    b[TPB - 1 - t] = y[t]
    cuda.syncthreads()
    a[t], b[t] = b[t] * 2.0, a[t]
    cuda.syncthreads()
    out[t] = a[(t + 1) % TPB] * b[t]


def uniform_if(x, out, flag):
    s = cuda.shared.array(TPB, float64)
    t = cuda.threadIdx.x
    s[t] = x[t]
    if flag > 0:
        cuda.syncthreads()
        out[t] = s[TPB - 1 - t] * x[t]
    else:
        out[t] = s[t]


def persistent(x, out, iters):
    s = cuda.shared.array((2, TPB), float64)
    t = cuda.threadIdx.x
    cur = 0
    s[cur, t] = x[t]
    cuda.syncthreads()
    for _ in range(iters):
        nxt = 1 - cur
        left = s[cur, t - 1] if t > 0 else 0.0
        right = s[cur, t + 1] if t < TPB - 1 else 0.0
        s[nxt, t] = 0.3 * left * right + s[cur, t]
        cur = nxt
        cuda.syncthreads()
    out[t] = s[cur, t]


def neighbours(pos, nl, count, e):
    i = cuda.grid(1)
    if i < pos.shape[0]:
        acc = 0.0
        for k in range(count[i]):
            j = nl[i, k]
            d = pos[i] - pos[j]
            acc += math.exp(-d * d)
        e[i] = acc


def swapped(a, b, n):
    i = cuda.grid(1)
    if i < n:
        a[i], b[i] = b[i], a[i] * a[i]


def z(*shape):
    return np.zeros(shape)


CASES = [
    Case(row_per_block, (2, TPB), lambda g: (g.normal(size=(2, 11)), z(2))),
    Case(layer_norm, (2, TPB), lambda g: (g.normal(size=(2, 8)), *g.normal(size=(2, 8)), z(2, 8))),
    Case(
        bytes_image,
        ((2, 2), (2, 2)),
        lambda g: (g.integers(0, 255, (3, 4)).astype("u1"), g.normal(size=(3, 4)), z(3, 4)),
        plain=("w_b",),
    ),
    Case(while_true, (1, 4), lambda g: (g.uniform(1, 2, 3), z(3)), plain=("x_b",)),
    Case(constants, (1, 4), lambda g: (g.normal(size=3), z(3)), plain=("x_b",)),
    Case(
        masks,
        (1, 4),
        lambda g: (g.normal(size=3), np.array([True, False, True]), z(3)),
        plain=("x_b",),
    ),
    Case(local2d, (1, 4), lambda g: (*g.normal(size=(2, 3, 2, 2)), z(3)), plain=("a_b", "b_b")),
    Case(two_shared, (1, TPB), lambda g: (*g.normal(size=(2, 8)), z(8))),
    Case(uniform_if, (1, TPB), lambda g: (g.normal(size=8), z(8), 1)),
    Case(persistent, (1, TPB), lambda g: (g.normal(size=8), z(8), 4), second=True),
    Case(
        neighbours,
        (1, 4),
        lambda g: (
            *(g.normal(size=4), np.array([[1, 2], [0, 3], [0, 0], [1, 0]])),
            *(np.array([2, 2, 1, 1]), z(4)),
        ),
    ),
    Case(swapped, (1, 4), lambda g: (*g.normal(size=(2, 3)), 3)),
]
