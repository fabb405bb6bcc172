"""Adjoints of stencils over threads: gathers where that is proved, atomic additions elsewhere."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import cuda

from srcad.cuda import kernel
from tests.kernel_checks import Derivatives, check_first, check_reversed, check_second, woven
from tests.kernels.case import Case


def one_axis(x, out):
    """An early return; the launch has threads beyond the array."""
    i = cuda.grid(1)
    if i < 1 or i >= x.shape[0] - 1:
        return
    out[i] = x[i - 1] * x[i] + 0.5 * x[i + 1] ** 2


def ahead(x, out):
    """No branch: as many threads as results, elements behind the last thread."""
    i = cuda.grid(1)
    out[i] = x[i] * x[i + 1] * x[i + 3]


def lopsided(x, y, a, out):
    """Two arrays, a number, far neighbours, fewer threads than those are away."""
    i = cuda.grid(1)
    if i >= 2 and i + 3 < x.shape[0]:
        out[i - 2] = a * x[i - 2] * y[i] + x[i + 3] * y[i + 1]


def corners(u, out):
    """Two axes, the second one in another order, borders of their own."""
    j, i = cuda.grid(2)
    n, m = u.shape
    if i > 0 and i < n - 1 and j >= 1 and j < m - 1:
        out[i, j] = u[i - 1, j - 1] * u[i + 1, j + 1] - u[i, j] ** 2
    elif i < n and j < m:
        out[i, j] = 2.0 * u[i, j]


def column(u, out):
    """One axis of the launch, a fixed column beside it."""
    i = cuda.grid(1)
    if i + 1 < u.shape[0]:
        out[i] = u[i, 2] * u[i + 1, 2]


def single(x, out):
    """Float32."""
    i = cuda.grid(1)
    if 0 < i < x.shape[0]:
        out[i] = x[i] * x[i - 1]


def from_the_end(x, out):
    """``x[-1]`` is the last element: two threads add to it."""
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = x[i] * x[i - 1]


def guarded_too_late(x, out):
    """The branch lets ``i == 1`` pass, which reads ``x[-1]``."""
    i = cuda.grid(1)
    if 0 < i < x.shape[0]:
        out[i] = x[i] * x[i - 2]


def every_second(x, out):
    """Two elements a thread."""
    i = cuda.grid(1)
    if 2 * i + 2 < x.shape[0]:
        out[i] = x[2 * i] * x[2 * i + 2]


def periodic(x, out):
    """Neighbours around the end."""
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = x[i] * x[(i + 1) % x.shape[0]]


def costly(x, out):
    """What neighbours would have to compute again is an exponential."""
    i = cuda.grid(1)
    if i + 1 < x.shape[0]:
        out[i] = math.exp(x[i] * x[i + 1])


def overwritten(x, out, again):
    """An array that is updated: the first launch reads it before the second one does that."""
    i = cuda.grid(1)
    if i + 1 < x.shape[0]:
        again[i] = again[i] * x[i + 1]
        out[i] = again[i] * x[i]


def looped(x, w, out):
    """A loop over the neighbours."""
    i = cuda.grid(1)
    if i + 2 < x.shape[0]:
        for k in range(w.shape[0]):
            out[i] += w[k] * x[i + k]


def vector(n, *more):
    return lambda r: (r.normal(size=n), *(np.zeros(m) for m in more))


def lopsided_args(r):
    return r.normal(size=9), r.normal(size=9), 0.7, np.zeros(9)


GATHERED = {
    "x_b": Case(one_axis, (3, 4), vector(9, 9), second=True),
    "x_b ": Case(ahead, (2, 3), vector(9, 6), second=True),
    "x_b, y_b": Case(lopsided, (1, 6), lopsided_args, second=True),
    "u_b": Case(
        corners, ((2, 2), (3, 2)), lambda r: (r.normal(size=(4, 5)), np.zeros((4, 5))), second=True
    ),
    "x_b   ": Case(
        overwritten, (2, 4), lambda r: (r.normal(size=7), np.zeros(7), r.normal(size=7))
    ),
    "u_b ": Case(column, (2, 4), lambda r: (r.normal(size=(7, 3)), np.zeros(7))),
    "x_b  ": Case(
        single,
        (2, 4),
        lambda r: (r.normal(size=7).astype("f4"), np.zeros(7, "f4")),
        step=1e-2,
        rtol=2e-3,
    ),
}
SCATTERED = [
    Case(from_the_end, (2, 4), vector(7, 7)),
    Case(guarded_too_late, (2, 4), vector(7, 7)),
    Case(every_second, (1, 4), vector(7, 4)),
    Case(periodic, (2, 4), vector(7, 7)),
    Case(costly, (2, 4), vector(7, 7)),
    Case(looped, (2, 4), lambda r: (r.normal(size=8), r.normal(size=3), np.zeros(8))),
]


def text(case):
    """The adjoint kernel."""
    d = Derivatives(case)
    k = kernel(case.kernel, backend="reference")
    return k.adjoint[case.launch].source(*woven(d.args, d.shadows))


@pytest.mark.parametrize("names", GATHERED)
def test_gathered(names):
    """No atomic additions to these, in two launches; right, without races, to second order."""
    case = GATHERED[names]
    check_first(case)
    source = text(case)
    for name in names.split(","):
        assert f"atomic.add({name.strip()}," not in source
    assert "last)" in source and "    if last:" in source
    if case.second:
        check_second(case)
        check_reversed(case)


@pytest.mark.parametrize("case", SCATTERED, ids=lambda c: c.name)
def test_scattered(case):
    """Where it is not proved that one thread owns the sum, additions are atomic, in one launch."""
    check_first(case)
    source = text(case)
    assert "atomic.add(x_b" in source and "last" not in source


def test_another_launch():
    """Along a second axis, which the kernel does not number, threads add to the same elements."""
    x, out = np.arange(1.0, 8.0), np.zeros(7)
    k = kernel(single, backend="reference", races=False).adjoint
    assert "atomic.add(x_b" in k[(2, 2), (4, 1)].source(x, out, out, out)
    assert "atomic" not in k[2, 4].source(x, out, out, out)
