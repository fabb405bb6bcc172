"""The zoo of kernels on a GPU, against the interpreter of threads; skipped where there is none."""

import numpy as np
import pytest

from srcad.backends import device_driver
from srcad.errors import DeviceError

try:
    device_driver.ready()
except DeviceError as e:
    pytest.skip(f"no GPU: {e.what}", allow_module_level=True)

from numba import cuda

from srcad.cuda import kernel
from tests.kernel_checks import Derivatives, directions, run, woven
from tests.kernels import CASES

EXACT = ("dot", "soft_histogram", "tiled_matmul", "nearest_of_bin", "reduce_doubling")

pytestmark = pytest.mark.filterwarnings("ignore")  # Numba warns of small grids


@pytest.mark.parametrize("name", CASES)
def test_kernels(name):
    """The kernel, its tangent and its adjoint."""
    case = CASES[name]
    d = Derivatives(case, races=False)
    given = woven(d.args, d.shadows)
    chains = {(): d.args, ("jvp",): woven(d.args, d.t), ("adjoint",): given}
    if case.second:
        t = directions(np.random.default_rng(5), given)
        chains["adjoint", "jvp"] = woven(given, t)
    for transform, args in chains.items():
        on_host, on_device = (kernel(case.kernel, backend=b) for b in ("reference", "cuda"))
        for step in transform:
            on_host, on_device = getattr(on_host, step), getattr(on_device, step)
        expected = run(on_host, case, args)
        given = [cuda.to_device(a) if isinstance(a, np.ndarray) else a for a in args]
        on_device[case.launch](*given)
        for x, y in zip(expected, given, strict=True):
            if isinstance(x, np.ndarray):
                found = y.copy_to_host()
                if not case.unique:  # in what order is up to the device
                    x, found = np.sort(x), np.sort(found)
                single = x.dtype == np.float32
                np.testing.assert_allclose(found, x, rtol=1e-4 if single else 1e-9, atol=1e-11)


@pytest.mark.parametrize("name", EXACT)
def test_deterministic(name):
    """Two launches give the same bits, and the sums of the interpreter."""
    case = CASES[name]
    d = Derivatives(case, races=False)
    args = woven(d.args, d.shadows)
    k = kernel(case.kernel, deterministic=True).adjoint
    expected, ends = run(d.k.adjoint, case, args), []
    for _ in range(2):
        given = [cuda.to_device(a) if isinstance(a, np.ndarray) else a for a in args]
        k[case.launch](*given)
        ends.append([x.copy_to_host() for x in given if not np.isscalar(x)])
    whole = [x for x in expected if isinstance(x, np.ndarray)]
    single = any(x.dtype == np.float32 for x in whole)
    for a, b, c in zip(*ends, whole, strict=True):
        assert a.tobytes() == b.tobytes()
        np.testing.assert_allclose(a, c, rtol=1e-4 if single else 1e-9, atol=1e-11)
