"""Atomic maxima and minima in kernels: ties, NaN, orders of the threads, what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import cuda, float64

from srcad.backends.spmd import shuffled
from srcad.cuda import kernel
from srcad.errors import SrcadError, UnsupportedSyntax

T = 4


def whole(x, out):
    cuda.atomic.max(out, 0, x[cuda.grid(1)])


def twice(x, out):
    i = cuda.grid(1)
    for k in range(2):
        cuda.atomic.min(out, 0, x[i, k])


def in_block(x, start, out):
    s = cuda.shared.array(1, float64)
    t = cuda.threadIdx.x
    if t == 0:
        s[0] = start[0]
    cuda.syncthreads()
    cuda.atomic.max(s, 0, x[cuda.grid(1)])
    cuda.syncthreads()
    if t == 0:
        out[cuda.blockIdx.x] = s[0]


def nan_in_block(x, start, out):
    s = cuda.shared.array(1, float64)
    t = cuda.threadIdx.x
    if t == 0:
        s[0] = start[0]
    cuda.syncthreads()
    cuda.atomic.nanmax(s, 0, x[cuda.grid(1)])
    cuda.syncthreads()
    if t == 0:
        out[cuda.blockIdx.x] = s[0]


def nan_whole(x, out):
    cuda.atomic.nanmin(out, 0, x[cuda.grid(1)])


def shadows(f, launch, *args):
    """Shadows of all arguments, the last of which is seeded with ones; the arguments after."""
    given, found = [np.array(a, dtype=float) for a in args], []
    for k, a in enumerate(given):
        found.append(np.ones_like(a) if k == len(given) - 1 else np.zeros_like(a))
    woven = [x for pair in zip(given, found, strict=True) for x in pair]
    kernel(f, backend="reference", races=True).adjoint[launch](*woven)
    return given, found


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_ties(seed):
    """The value that was there, then the thread with the lowest number, in any order."""

    def check():
        (_, out), (x_b, out_b) = shadows(whole, (2, 2), [1.0, 3.0, 3.0, 2.0], [0.0])
        np.testing.assert_array_equal((*out, *x_b, *out_b), (3, 0, 1, 0, 0, 0))
        (_, out), (x_b, out_b) = shadows(whole, (2, 2), [1.0, 3.0, 3.0, 2.0], [3.0])
        np.testing.assert_array_equal((*x_b, *out, *out_b), (0, 0, 0, 0, 3, 1))
        _, (x_b, _) = shadows(twice, (1, 2), [[5.0, 5.0], [7.0, 5.0]], [9.0])
        np.testing.assert_array_equal(x_b, [[1, 0], [0, 0]])
        _, (x_b, s_b, _) = shadows(in_block, (2, T), [1.0, 3, 3, 2, 0, 4, 4, 4], [0.0], [0.0, 0.0])
        np.testing.assert_array_equal(x_b, [0, 1, 0, 0, 0, 1, 0, 0])
        _, (x_b, s_b, _) = shadows(in_block, (2, T), [1.0, 3, 3, 2, 0, 4, 4, 4], [3.0], [0.0, 0.0])
        np.testing.assert_array_equal((*x_b, *s_b), [0, 0, 0, 0, 0, 1, 0, 0, 1])

    if seed is None:
        check()
    else:
        with shuffled(seed):
            check()


def test_nan():
    """``max`` ignores a NaN that comes, ``nanmax`` replaces the one that is there."""
    (_, out), (x_b, out_b) = shadows(whole, (1, T), [1.0, math.nan, 2.0, 0.0], [0.0])
    np.testing.assert_array_equal((*out, *x_b, *out_b), (2.0, 0, 0, 1, 0, 0))
    (_, out), (x_b, out_b) = shadows(whole, (1, T), [1.0, math.nan, 2.0, 0.0], [math.nan])
    np.testing.assert_array_equal((*out, *x_b, *out_b), (math.nan, 0, 0, 0, 0, 1))
    (_, out), (x_b, out_b) = shadows(nan_whole, (1, T), [1.0, math.nan, 2.0, 3.0], [math.nan])
    np.testing.assert_array_equal((*out, *x_b, *out_b), (1.0, 1, 0, 0, 0, 0))
    for f, there, won in ((in_block, math.nan, 0), (nan_in_block, math.nan, 1)):
        (*_, out), (x_b, *_) = shadows(f, (1, T), [1.0, math.nan, 2.0, 0.0], [there], [0.0])
        np.testing.assert_array_equal(x_b, [0, 0, won, 0])
        np.testing.assert_array_equal(out, [2.0 if won else math.nan])


def test_the_tangent_goes_the_same_way():
    """Forward mode gives the tangent of who wins; arguments change once."""
    x, x_t, out, out_t = np.array([1.0, 3, 3, 2]), np.arange(4.0) + 5, np.zeros(1), np.ones(1)
    kernel(whole, backend="reference").jvp[2, 2](x, x_t, out, out_t)
    assert (out[0], out_t[0]) == (3.0, 6.0)


# refused
def in_loop(x, out):
    s = cuda.shared.array(1, float64)
    t = cuda.threadIdx.x
    if t == 0:
        s[0] = 0.0
    cuda.syncthreads()
    for k in range(3):
        cuda.atomic.max(s, 0, x[t] * k)
    cuda.syncthreads()
    out[t] = s[0]


def also_read(x, out):
    cuda.atomic.max(out, 0, x[cuda.grid(1)] * out[1])


def mixed(x, out):
    cuda.atomic.max(out, 0, x[cuda.grid(1)])
    cuda.atomic.min(out, 1, x[cuda.grid(1)])


def in_slice(x, out):
    row = x[0:2]
    cuda.atomic.max(row, 0, out[cuda.grid(1)])


def of_sums(x, out):
    s = cuda.shared.array(1, float64)
    t = cuda.threadIdx.x
    if t == 0:
        s[0] = 0.0
    cuda.syncthreads()
    cuda.atomic.add(s, 0, x[t])
    cuda.syncthreads()
    cuda.atomic.max(out, 0, s[0] * x[t])


def handed_back(x, out):
    out[cuda.grid(1)] = cuda.atomic.max(x, 0, 1.0)


REFUSED = [
    (in_loop, "no barrier after it"),
    (also_read, "'out' is read or written beside"),
    (mixed, "different atomic updates"),
    (in_slice, "in a slice"),
    (of_sums, "depend on the order"),
    (handed_back, "gives back"),
]


@pytest.mark.parametrize(("f", "text"), REFUSED, ids=[f.__name__ for f, _ in REFUSED])
def test_refused(f, text):
    """Each names its line, and says why and what to write."""
    args = (np.ones(4), np.zeros(4), np.ones(4), np.zeros(4))
    with pytest.raises(UnsupportedSyntax, match=text) as e:
        kernel(f, backend="reference").adjoint[1, 4](*args)
    assert e.value.loc.file.endswith("test_kernel_extremes.py")
    assert e.value.why
    assert e.value.instead


def test_narrow_elements():
    """What the device cannot update atomically."""
    with pytest.raises(SrcadError, match=r"cuda.atomic.max of an array of u1"):
        kernel(whole, backend="reference")[1, 4](np.ones(4, np.uint8), np.zeros(1, np.uint8))


def test_counters():
    """Atomic maxima of integers have no derivative and may be used as values."""

    def most(x, out, top):
        i = cuda.grid(1)
        k = cuda.atomic.max(top, 0, i)
        out[i] = x[i] * (1 if k <= i else 0)

    x, out, top = np.arange(4.0), np.zeros(4), np.zeros(1, np.int64)
    x_b, out_b = np.zeros(4), np.ones(4)
    kernel(most, backend="reference").adjoint[1, 4](x, x_b, out, out_b, top)
    np.testing.assert_array_equal(x_b, np.ones(4))
    assert top[0] == 3
