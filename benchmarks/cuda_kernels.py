"""Adjoint kernels: rows of ``benchmarks.cuda``.

srcad by ``srcad.cuda.kernel(f).adjoint``; "by hand" the adjoint that one would write in
``numba.cuda``; Warp by its adjoint of the same kernel; JAX and PyTorch by gradients of array
expressions.  Bytes are those of srcad's convention: an array that is read is read once; shadows
that are added to are read and written; the shadow of an output is read and cleared, the output is
written.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import cuda, float64

import srcad
from benchmarks.cuda_peers import jax_runner, torch_runner, warp_runner
from benchmarks.cuda_timing import Runner, blocks

T = 256  # threads of a block
S = 16  # of a block, along either axis
ALPHA = 0.1


def damped(x, out):
    """A map."""
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = x[i] * math.exp(-x[i])


def squares(x, out):
    """A reduction: sums of blocks in shared memory."""
    s = cuda.shared.array(T, float64)
    t = cuda.threadIdx.x
    total = 0.0
    for i in range(cuda.grid(1), x.shape[0], cuda.gridsize(1)):
        total += x[i] * x[i]
    s[t] = total
    cuda.syncthreads()
    k = T // 2
    while k > 0:
        if t < k:
            s[t] += s[t + k]
        cuda.syncthreads()
        k //= 2
    if t == 0:
        cuda.atomic.add(out, 0, s[0])


def heat(u, out):
    """A stencil."""
    j, i = cuda.grid(2)
    n, m = u.shape
    if 0 < i < n - 1 and 0 < j < m - 1:
        around = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]
        out[i, j] = u[i, j] + ALPHA * (around - 4.0 * u[i, j]) * u[i, j]


@cuda.jit
def damped_b(x, x_b, out, out_b):
    i = cuda.grid(1)
    if i < x.shape[0]:
        e = math.exp(-x[i])
        out[i] = x[i] * e
        x_b[i] += out_b[i] * (1.0 - x[i]) * e
        out_b[i] = 0.0


@cuda.jit
def squares_b(x, x_b, out, out_b):
    s = cuda.shared.array(T, float64)
    t = cuda.threadIdx.x
    seed = out_b[0]
    total = 0.0
    for i in range(cuda.grid(1), x.shape[0], cuda.gridsize(1)):
        total += x[i] * x[i]
        x_b[i] += 2.0 * seed * x[i]
    s[t] = total
    cuda.syncthreads()
    k = T // 2
    while k > 0:
        if t < k:
            s[t] += s[t + k]
        cuda.syncthreads()
        k //= 2
    if t == 0:
        cuda.atomic.add(out, 0, s[0])


@cuda.jit
def heat_b(u, u_b, out, out_b):
    """As a gather of what five points contribute; ``out_b`` is cleared by a copy of zeros after."""
    j, i = cuda.grid(2)
    n, m = u.shape
    if i < n and j < m:
        total = 0.0
        if 0 < i < n - 1 and 0 < j < m - 1:
            around = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]
            out[i, j] = u[i, j] + ALPHA * (around - 4.0 * u[i, j]) * u[i, j]
            total += out_b[i, j] * (1.0 + ALPHA * (around - 8.0 * u[i, j]))
        if i > 1 and 0 < j < m - 1:
            total += ALPHA * u[i - 1, j] * out_b[i - 1, j]
        if i < n - 2 and 0 < j < m - 1:
            total += ALPHA * u[i + 1, j] * out_b[i + 1, j]
        if j > 1 and 0 < i < n - 1:
            total += ALPHA * u[i, j - 1] * out_b[i, j - 1]
        if j < m - 2 and 0 < i < n - 1:
            total += ALPHA * u[i, j + 1] * out_b[i, j + 1]
        u_b[i, j] += total


@cuda.jit
def cleared(a):
    j, i = cuda.grid(2)
    if i < a.shape[0] and j < a.shape[1]:
        a[i, j] = 0.0


def damped_of(m: Any) -> Callable[..., Any]:
    """The map, of arrays."""
    return lambda x: (x * m.exp(-x)).sum()


def squares_of(m: Any) -> Callable[..., Any]:
    """The reduction, of arrays."""
    return lambda x: (x * x).sum()


def heat_of(m: Any) -> Callable[..., Any]:
    """The stencil, of arrays."""

    def total(u):
        mid = u[1:-1, 1:-1]
        around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
        return (mid + ALPHA * (around - 4.0 * mid) * mid).sum()

    return total


def damped_in_warp(wp: Any) -> Any:
    """The map."""

    def damped(x: wp.array(dtype=wp.float64), out: wp.array(dtype=wp.float64)):
        i = wp.tid()
        out[i] = x[i] * wp.exp(-x[i])

    return wp.kernel(damped)


def squares_in_warp(wp: Any) -> Any:
    """The reduction, by atomics (Warp has no shared memory in kernels of threads)."""

    def squares(x: wp.array(dtype=wp.float64), out: wp.array(dtype=wp.float64)):
        i = wp.tid()
        wp.atomic_add(out, 0, x[i] * x[i])

    return wp.kernel(squares)


def heat_in_warp(wp: Any) -> Any:
    """The stencil."""

    def heat(u: wp.array2d(dtype=wp.float64), out: wp.array2d(dtype=wp.float64)):
        i, j = wp.tid()
        if i > 0 and j > 0 and i < u.shape[0] - 1 and j < u.shape[1] - 1:
            around = u[i - 1, j] + u[i + 1, j] + u[i, j - 1] + u[i, j + 1]
            change = around - wp.float64(4.0) * u[i, j]
            out[i, j] = u[i, j] + wp.float64(ALPHA) * change * u[i, j]

    return wp.kernel(heat)


def launched(k: Any, launch: tuple[Any, Any], x: np.ndarray, out: tuple[int, ...]) -> Runner:
    """An adjoint kernel with the arguments ``x, x_b, out, out_b``."""
    held = [cuda.to_device(a) for a in (x, np.zeros_like(x), np.zeros(out), np.ones(out))]

    def gradients() -> list[np.ndarray]:
        again = [cuda.to_device(a) for a in (x, np.zeros_like(x), np.zeros(out), np.ones(out))]
        k[launch](*again)
        return [again[1].copy_to_host()]

    return Runner(lambda: k[launch](*held), gradients)


class HeatByHand:
    """Two kernels behind each other: the gather, then zeros."""

    def __getitem__(self, launch: tuple[Any, Any]) -> Callable[..., None]:
        def run(u: Any, u_b: Any, out: Any, out_b: Any) -> None:
            heat_b[launch](u, u_b, out, out_b)
            cleared[launch](out_b)

        return run


NAMES = ("damped", "squares", "heat")
BY_HAND = {"damped": damped_b, "squares": squares_b, "heat": HeatByHand()}
OF_ARRAYS = {"damped": damped_of, "squares": squares_of, "heat": heat_of}
IN_WARP = {"damped": damped_in_warp, "squares": squares_in_warp, "heat": heat_in_warp}
KERNELS = {"damped": damped, "squares": squares, "heat": heat}


def row(name: str, n: int) -> tuple[np.ndarray, tuple[int, ...], Any, tuple[Any, Any], int]:
    """Argument, shape of the output, Warp's dimensions, launch, numbers moved for each element."""
    g = np.random.default_rng(1)
    if name == "heat":
        side = max(math.isqrt(n), 3)
        grid = (blocks(side, S), blocks(side, S))
        return g.normal(size=(side, side)), (side, side), (side, side), (grid, (S, S)), 6
    x = g.uniform(0.5, 1.5, n)
    if name == "squares":
        return x, (1,), n, (blocks(n, T, 2048), T), 3
    return x, (n,), n, (blocks(n, T), T), 6


def runners(name: str, n: int) -> tuple[int, dict[str, Callable[[], Runner]]]:
    """Numbers that have to be moved, and what makes the runners of a row."""
    x, out, dim, launch, each = row(name, n)

    def by_jax() -> Runner:
        import jax

        return jax_runner(lambda a: [jax.grad(OF_ARRAYS[name](jax.numpy))(a)], [x])

    def by_torch() -> Runner:
        import torch

        return torch_runner(OF_ARRAYS[name](torch), [x])

    return each * x.size, {
        "srcad": lambda: launched(srcad.cuda.kernel(KERNELS[name]).adjoint, launch, x, out),
        "by hand": lambda: launched(BY_HAND[name], launch, x, out),
        "jax": by_jax,
        "torch": by_torch,
        "warp": lambda: warp_runner(IN_WARP[name], dim, [x], out),
    }
