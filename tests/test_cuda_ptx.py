"""Every generated program assembled to PTX for compute capability 8.0 and 9.0, without a GPU.

The simulator accepts what does not compile, so both are needed.  Runs where the toolkit is
installed (``.ci/cuda``), is skipped elsewhere.
"""

import importlib.util

import pytest

from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import ArrayT

if importlib.util.find_spec("numba_cuda") is None:
    pytest.skip("the CUDA toolkit is not installed (.ci/cuda installs it)", allow_module_level=True)

from numba import cuda, float64, int64, types

from examples import orbits_cuda
from srcad.backends.cuda import compile_text
from tests import cuda_programs as programs
from tests.cuda_target import KINDS, assembled, combinations, patched

NUMBERS = {
    **KINDS,
    **{f"i{n}": getattr(types, f"int{8 * n}") for n in (1, 2, 4, 8)},
    **{f"u{n}": getattr(types, f"uint{8 * n}") for n in (1, 2, 4)},
}


def numba_type(t):
    """A type of the IR as Numba's."""
    if isinstance(t, ArrayT):
        return types.Array(NUMBERS[t.dtype], t.ndim, t.layout)
    return NUMBERS[t.kind]


def assemble(f, signature):
    """PTX for both compute capabilities."""
    patched()
    for cc in ((8, 0), (9, 0)):
        ptx, _ = cuda.compile_ptx(f, signature, cc=cc)
        assert f".target sm_{cc[0]}{cc[1]}" in ptx


@pytest.mark.parametrize("name", programs.CASES)
def test_batches(name):
    case = programs.CASES[name]
    f = case.batch(target="cuda")
    kernel = f.found_kernel(f.bind(case.args, {}), host=True)[1].kernel
    results = [
        types.Array(NUMBERS[getattr(t, "dtype", None) or t.kind], getattr(t, "ndim", 0) + 1, "C")
        for t in kernel.kinds
    ]
    signature = (int64, *map(numba_type, kernel.params), *results)
    assemble(compile_text(kernel.source, kernel.name).py_func, signature)


@pytest.mark.parametrize("name", programs.kernels())
def test_kernels(name):
    vector = float64[::1]
    assemble(programs.kernels()[name][0], (vector, vector))


def test_example():
    matrix = float64[:, ::1]
    assemble(orbits_cuda.fit.py_func, (matrix, float64[::1], matrix))


@pytest.mark.parametrize("name", PRIMITIVES)
def test_primitives(name):
    """Of operands of every type, and with the result's type that the compiler assumes."""
    # NumPy's functions of booleans give integers here, which mean the same
    of_bools = ("stop_gradient", "maximum", "minimum", "fmax", "fmin")
    wrong = [assembled(name, kinds) for kinds in combinations(name)]
    assert not [w for w in wrong if w and not (name in of_bools and "int64, not bool" in w)]
