"""Array functions on a GPU, against the processor; skipped where there is none."""

import importlib.util

import numpy as np
import pytest

from srcad.backends import device_driver
from srcad.errors import DeviceError

try:
    device_driver.ready()
except DeviceError as e:
    pytest.skip(f"no GPU: {e.what}", allow_module_level=True)

from numba import cuda

import srcad
from tests import device_tensors
from tests.device_tensors import PROGRAMS
from tests.offload_programs import CASES, differences, softmax

pytestmark = pytest.mark.filterwarnings("ignore")  # Numba warns of small grids


def on_device(x):
    """An argument, on the device if it is an array."""
    return cuda.to_device(x) if isinstance(x, np.ndarray) else x


@pytest.mark.parametrize("name", CASES)
def test_cases(name):
    """Every transform of every case."""
    found = dict(CASES[name].checks(target="cuda"))
    for what, expected in CASES[name].checks(backend="reference"):
        wrong = differences(found[what](on_device), expected(lambda x: x), 1e-9)
        assert not wrong, f"{what}: {wrong}"


@pytest.mark.parametrize("name", PROGRAMS)
def test_tensors(name):
    """Programs of tensors, operation by operation and compiled."""
    assert not device_tensors.differences(name)


def test_large():
    """Several elements a thread, on a stream of its own."""
    x = np.random.default_rng(0).normal(size=300_000)
    stream = cuda.stream()
    f = srcad.differentiable(softmax, target="cuda")
    found = f(cuda.to_device(x, stream=stream), stream=stream)
    assert not differences(found, softmax(x), 1e-10)


def test_views_and_products():
    """Strided arguments; products of views; without a copy from and to CuPy."""

    def f(a, b):
        return np.sum((a[1:, ::2] @ b.T) ** 2)

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(40, 60)), rng.normal(size=(50, 30))
    found = srcad.grad(f, (0, 1), target="cuda")(on_device(a), on_device(b))
    assert not differences(found, srcad.grad(f, (0, 1), backend="reference")(a, b), 1e-10)
    if importlib.util.find_spec("cupy") is not None:
        import cupy

        again = srcad.grad(f, target="cuda")(cupy.asarray(a), cupy.asarray(b))
        assert not differences(cupy.asnumpy(cupy.asarray(again)), found[0].copy_to_host(), 1e-10)
