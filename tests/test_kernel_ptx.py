"""The zoo of kernels assembled to PTX for compute capability 8.0 and 9.0, without a GPU.

Every kernel as its user wrote it would be, its tangent, its adjoint and (where it is tested) its
second order.  Runs where the toolkit is installed (``.ci/cuda``), is skipped elsewhere.
"""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

if importlib.util.find_spec("numba_cuda") is None:
    pytest.skip("the CUDA toolkit is not installed (.ci/cuda installs it)", allow_module_level=True)

from numba import cuda, from_dtype, types

from benchmarks import cuda_kernels
from benchmarks.cuda_timing import copied
from srcad.backends.cuda_kernel import given_names
from srcad.cuda import kernel
from srcad.cuda.arguments import arrange
from srcad.cuda.launching import settling_kernel
from srcad.cuda.rounds import clearing
from srcad.ir.types import ArrayT, numpy_dtype
from tests.cuda_target import patched
from tests.kernel_checks import Derivatives, companion, is_float, scalar, woven
from tests.kernels import CASES
from tests.test_kernel_gathers import GATHERED

TWICE = ("saxpy", "newton", "tiled_matmul", "ray_marcher", "tile_with_halo", "whole_maximum")
EXACT = ("dot", "soft_histogram", "tiled_matmul", "nearest_of_bin", "reduce_doubling")


def numba_type(t):
    """The type of Numba for a type of the IR."""
    if isinstance(t, ArrayT):
        return types.Array(from_dtype(numpy_dtype(t.dtype)), t.ndim, t.layout)
    return from_dtype(numpy_dtype(t.kind))


def assemble(case, transform, args, deterministic=False):
    """One transform of a kernel, for both capabilities."""
    k = kernel(case.kernel, backend="reference", deterministic=deterministic)
    for step in transform:
        k = getattr(k, step)
    compile_launch(k, case.launch, args)


def compile_launch(k, launch, args):
    """What a launch compiles."""
    configured = k[launch]
    groups = arrange(k.signature, None, len(k.transforms), list(args), k.__name__)
    made = k.compiled(configured.launch, groups)
    fn, hidden = made.ready.kernel.fn, made.ready.kernel.hidden
    kinds = {p.name: p.type for p in fn.params}
    names = [p.name for p in made.ready.kernel.arguments] + list(given_names(fn, hidden))
    signature = types.void(*(numba_type(kinds[n]) for n in names))
    compiles(made.dispatcher, signature)


def compiles(dispatcher, signature):
    """Whether PTX comes out, for both capabilities."""
    for cc in ((8, 0), (9, 0)):
        text, _ = cuda.compile_ptx(dispatcher.py_func, signature, cc=cc)
        assert f".target sm_{cc[0]}{cc[1]}" in text
        assert ".entry" in text


@pytest.mark.parametrize("name", CASES)
def test_kernels(name):
    """A kernel and its derivatives."""
    patched()
    case = CASES[name]
    d = Derivatives(case, races=False)
    given = woven(d.args, d.shadows)
    assemble(case, (), d.args)
    assemble(case, ("jvp",), woven(d.args, d.t))
    assemble(case, ("adjoint",), given)
    if case.second:
        t = [np.zeros_like(a) if is_float(a) else None for a in given]
        t = [scalar(a, x) for a, x in zip(given, t, strict=True)]
        assemble(case, ("adjoint", "jvp"), woven(given, t))


@pytest.mark.parametrize("name", TWICE)
def test_reverse_over_reverse(name):
    """Adjoints of adjoints."""
    patched()
    d = Derivatives(CASES[name], races=False)
    given = woven(d.args, d.shadows)
    rng = np.random.default_rng(5)
    assemble(
        CASES[name], ("adjoint", "adjoint"), woven(given, [companion(rng, a, True) for a in given])
    )


@pytest.mark.parametrize("case", GATHERED.values(), ids=lambda c: c.name)
def test_gathers(case):
    """Adjoints of stencils, in two launches of one code."""
    patched()
    d = Derivatives(case, races=False)
    assemble(case, ("adjoint",), woven(d.args, d.shadows))


@pytest.mark.parametrize("name", EXACT)
def test_deterministic(name):
    """Adjoints with exact sums."""
    patched()
    d = Derivatives(CASES[name], races=False)
    assemble(CASES[name], ("adjoint",), woven(d.args, d.shadows), True)


def test_kernels_beside():
    """Those that clear and settle exact sums, of arrays of every rank."""
    patched()
    table = types.Array(types.int64, 2, "C")
    compiles(clearing(), types.void(table))
    for ndim in range(4):
        for kind in (types.float64, types.float32):
            compiles(settling_kernel(ndim), types.void(types.Array(kind, ndim, "C"), table))


def test_benchmarks():
    """The kernels of ``benchmarks.cuda_kernels``, adjoints by hand too."""
    patched()
    f1, f2 = types.float64[::1], types.float64[:, ::1]
    compiles(copied, types.void(f1, f1))
    compiles(cuda_kernels.damped_b, types.void(f1, f1, f1, f1))
    compiles(cuda_kernels.squares_b, types.void(f1, f1, f1, f1))
    compiles(cuda_kernels.heat_b, types.void(f2, f2, f2, f2))
    compiles(cuda_kernels.cleared, types.void(f2))
    for name, f in cuda_kernels.KERNELS.items():
        x, out, _, launch, _ = cuda_kernels.row(name, 1000)
        args = [x, np.zeros_like(x), np.zeros(out), np.ones(out)]
        compile_launch(kernel(f, backend="reference").adjoint, launch, args)
