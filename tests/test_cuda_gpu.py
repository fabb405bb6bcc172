"""The programs of ``cuda_programs`` on a GPU, against the interpreter; skipped where there is none.

``python -m benchmarks.cuda`` runs this file too, and keeps the date, the device and the outcome.
"""

import math
import warnings

import numpy as np
import pytest

import srcad
from srcad.backends import device_driver
from srcad.errors import DeviceError

try:
    device_driver.ready()
except DeviceError as e:
    pytest.skip(f"no GPU: {e.what}", allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from numba import cuda

    from tests import cuda_programs as programs

pytestmark = pytest.mark.filterwarnings("ignore")  # Numba warns of small grids


def on_device(x):
    """Arguments with their arrays on the device."""
    if isinstance(x, np.ndarray):
        if x.flags.c_contiguous:
            return cuda.to_device(x)
        return cuda.to_device(np.repeat(x, 2, axis=1))[:, ::2]
    return type(x)(*map(on_device, x)) if hasattr(x, "_fields") else x


def flat(x):
    """The arrays of a result, on the host."""
    if isinstance(x, tuple):
        return [a for y in x for a in flat(y)]
    return [x if isinstance(x, np.ndarray) else x.copy_to_host()]


def compare(found, expected):
    """Arrays of the same kind and, to rounding, contents."""
    for a, b in zip(flat(found), flat(expected), strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=2e-5 if b.dtype == np.float32 else 1e-10, atol=1e-12)


@pytest.mark.parametrize("name", programs.CASES)
def test_batches(name):
    case = programs.CASES[name]
    compare(case.batch(target="cuda")(*map(on_device, case.args)), case.expected())


@pytest.mark.parametrize("name", programs.kernels())
def test_kernels(name):
    f, expected = programs.kernels()[name]
    out = cuda.to_device(np.zeros(3))
    cuda.jit(f)[1, 32](cuda.to_device(programs.X1), out)
    compare(out, np.array([expected(x) for x in programs.X1]))


def test_more_samples_than_threads():
    """The loop with the stride of the grid, on a stream."""
    n = 1_500_001
    x = np.linspace(0.5, 1.5, n)
    stream = cuda.stream()
    f = srcad.batch(srcad.grad(programs.scalars), (0, None), target="cuda")
    found = f(cuda.to_device(x, stream=stream), 2.0, stream=stream)
    stream.synchronize()
    compare(found, np.cos(x) * 2.0 + 3.0 * x * x)


def test_failed_check():
    f = srcad.batch(srcad.value_and_grad(programs.guarded), target="cuda")
    v, g = f(cuda.to_device(np.array([4.0, -1.0])))
    compare((v, g), (np.array([2.0, math.nan]), np.array([0.25, math.nan])))


def test_overlap():
    """An array that is written in the memory of another argument."""

    def moved(x, y):
        x[0] = y[0]
        return x[0]

    a = cuda.to_device(np.ones((4, 3)))
    with pytest.raises(srcad.TypeMismatch, match="overlaps"):
        srcad.batch(moved, target="cuda")(a, a)


@pytest.mark.parametrize("library", ["torch", "cupy"])
def test_other_libraries(library):
    """Arrays by ``__cuda_array_interface__``."""
    module = pytest.importorskip(library)
    if library == "torch":
        x = module.linspace(0.5, 1.5, 7, dtype=module.float64, device="cuda")
    else:
        x = module.linspace(0.5, 1.5, 7)
    found = srcad.batch(srcad.grad(programs.until), target="cuda")(x)
    host = np.linspace(0.5, 1.5, 7)
    compare(found, srcad.batch(srcad.grad(programs.until), backend="reference")(host))
