"""Sums over threads: in shared memory, by atomics, in loops that halve."""

import math

import numpy as np
from numba import cuda, float32, float64

from tests.kernels.case import Case

T = 8


def dot(x, y, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        cuda.atomic.add(out, 0, x[i] * y[i])


def reduce_while(x, out):
    s = cuda.shared.array(T, float64)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    v = 0.0
    if i < x.shape[0]:
        v = x[i] * x[i]
    s[t] = v
    cuda.syncthreads()
    k = cuda.blockDim.x // 2
    while k > 0:
        if t < k:
            s[t] += s[t + k]
        cuda.syncthreads()
        k //= 2
    if t == 0:
        cuda.atomic.add(out, 0, s[0])


def reduce_doubling(x, out):
    s = cuda.shared.array(T, float32)
    t = cuda.threadIdx.x
    s[t] = x[cuda.grid(1)]
    cuda.syncthreads()
    k = 1
    while k < cuda.blockDim.x:
        if t % (2 * k) == 0:
            s[t] = s[t] + s[t + k] * s[t + k]
        cuda.syncthreads()
        k *= 2
    if t == 0:
        out[cuda.blockIdx.x] = s[0]


def reduce_grid_stride(x, out):
    s = cuda.shared.array(T, float64)
    t = cuda.threadIdx.x
    total = 0.0
    for i in range(cuda.grid(1), x.shape[0], cuda.gridsize(1)):
        total += math.sin(x[i])
    s[t] = total
    cuda.syncthreads()
    if t == 0:
        whole = 0.0
        for k in range(cuda.blockDim.x):
            whole += s[k]
        out[cuda.blockIdx.x] = whole


def reduce_dynamic(x, out):
    s = cuda.shared.array(0, float64)
    t = cuda.threadIdx.x
    s[t] = math.exp(x[cuda.grid(1)])
    cuda.syncthreads()
    for step in range(3):
        k = 4 >> step
        if t < k:
            s[t] += s[t + k]
        cuda.syncthreads()
    if t == 0:
        cuda.atomic.add(out, 0, math.log(s[0]))


def log_sum_exp(x, out):
    s = cuda.shared.array(T, float64)
    t = cuda.threadIdx.x
    v = x[cuda.grid(1)]
    s[t] = v
    cuda.syncthreads()
    k = 4
    while k > 0:
        if t < k:
            s[t] = max(s[t], s[t + k])
        cuda.syncthreads()
        k >>= 1
    most = s[0]
    cuda.syncthreads()
    s[t] = math.exp(v - most)
    cuda.syncthreads()
    k = 4
    while k > 0:
        if t < k:
            s[t] += s[t + k]
        cuda.syncthreads()
        k >>= 1
    if t == 0:
        out[cuda.blockIdx.x] = most + math.log(s[0])


def scan(x, out):
    a = cuda.shared.array(T, float64)
    b = cuda.shared.array(T, float64)
    t = cuda.threadIdx.x
    a[t] = x[t]
    cuda.syncthreads()
    k = 1
    while k < T:
        b[t] = a[t] + a[t - k] if t >= k else a[t]
        cuda.syncthreads()
        a[t] = b[t]
        cuda.syncthreads()
        k *= 2
    out[t] = a[t] * a[t]


def soft_histogram(x, weight, width, bins):
    s = cuda.shared.array(4, float64)
    t = cuda.threadIdx.x
    if t < 4:
        s[t] = 0.0
    cuda.syncthreads()
    i = cuda.grid(1)
    if i < x.shape[0]:
        for k in range(4):
            d = (x[i] - k) / width
            cuda.atomic.add(s, k, weight[i] * math.exp(-d * d))
    cuda.syncthreads()
    if t < 4:
        cuda.atomic.add(bins, t, s[t])


def hard_histogram(x, weight, bins):
    i = cuda.grid(1)
    if i < x.shape[0]:
        k = math.floor(x[i])
        if 0 <= k < bins.shape[0]:
            cuda.atomic.add(bins, k, weight[i] * x[i])


def normalise(x, out, eps):
    s = cuda.shared.array((2, T), float64)
    t = cuda.threadIdx.x
    b = cuda.blockIdx.x
    v = x[b, t]
    s[0, t] = v
    s[1, t] = v * v
    cuda.syncthreads()
    k = T // 2
    while k >= 1:
        if t < k:
            s[0, t] += s[0, t + k]
            s[1, t] += s[1, t + k]
        cuda.syncthreads()
        k //= 2
    mean = s[0, 0] / T
    variance = s[1, 0] / T - mean * mean
    out[b, t] = (v - mean) / math.sqrt(variance + eps)


def cross_entropy(logits, label, loss):
    i = cuda.grid(1)
    if i < logits.shape[0]:
        total = 0.0
        for j in range(logits.shape[1]):
            total += math.exp(logits[i, j])
        cuda.atomic.add(loss, 0, math.log(total) - logits[i, label[i]])


CASES = [
    Case(dot, (2, 4), lambda g: (*g.normal(size=(2, 7)), np.zeros(1)), plain=("x_b", "y_b")),
    Case(
        reduce_while,
        (2, T),
        lambda g: (g.normal(size=13), np.zeros(1)),
        plain=("x_b",),
        second=True,
    ),
    Case(
        reduce_doubling,
        (2, T),
        lambda g: (g.normal(size=16).astype("f4"), np.zeros(2, "f4")),
        step=1e-2,
        rtol=2e-2,
    ),
    Case(reduce_grid_stride, (2, T), lambda g: (g.normal(size=35), np.zeros(2)), plain=("x_b",)),
    Case(reduce_dynamic, (2, T, 0, 64), lambda g: (g.normal(size=16), np.zeros(1))),
    Case(log_sum_exp, (2, T), lambda g: (g.normal(size=16), np.zeros(2)), second=True),
    Case(scan, (1, T), lambda g: (g.normal(size=T), np.zeros(T))),
    Case(
        soft_histogram, (2, T), lambda g: (g.uniform(0, 3, 13), g.normal(size=13), 0.7, np.zeros(4))
    ),
    Case(hard_histogram, (2, T), lambda g: (g.uniform(0, 3, 13), g.normal(size=13), np.zeros(3))),
    Case(normalise, (2, T), lambda g: (g.normal(size=(2, T)), np.zeros((2, T)), 1e-3)),
    Case(
        cross_entropy,
        (1, 6),
        lambda g: (g.normal(size=(5, 3)), g.integers(0, 3, 5), np.zeros(1)),
        plain=("logits_b",),
    ),
]
