"""What kernels refuse, and what the launch checks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import cuda

import srcad
from srcad.backends.spmd import RaceError
from srcad.cuda import kernel, kernels
from srcad.errors import DeviceError, NoDerivative, SrcadError, TypeMismatch, UnsupportedSyntax
from tests.kernel_checks import woven
from tests.kernels import CASES, refused

ROOT = Path(__file__).resolve().parents[1]
X, Z = np.arange(1.0, 9.0), np.zeros(8)
P = np.array([0, 2, 8])


def copies(*args):
    """Arguments that may be written."""
    return [np.array(a) if isinstance(a, np.ndarray) else a for a in args]


REFUSED = [
    (refused.after_return, (X, X, Z, Z), UnsupportedSyntax, "not every thread.*line 14"),
    (refused.in_divided_loop, (X, X, Z, Z), UnsupportedSyntax, "not every thread.*line 24"),
    (refused.until_own_value, (X, X, Z, Z), UnsupportedSyntax, "not every thread"),
    (refused.unbounded, (X, X, Z, Z), NoDerivative, "nothing bounds"),
    (refused.rows_of_data, (P, X, X, Z[:2], Z[:2]), NoDerivative, "nothing bounds"),
    (refused.returns, (X, X), UnsupportedSyntax, "returns a value"),
    (refused.captures, (X, X), SrcadError, "TABLE"),
    (refused.exchange, (X, X, Z, Z), UnsupportedSyntax, "cuda.atomic.exch is not supported"),
    (refused.old_value, (X, X, Z, Z), UnsupportedSyntax, "gives back"),
    (refused.two_dynamic, (X, X), UnsupportedSyntax, "second array in dynamic"),
    (refused.size_of_argument, (X, X, 3), UnsupportedSyntax, "not known when the kernel"),
    (refused.grows, (X, X), UnsupportedSyntax, "grows with the arguments"),
    (refused.some_lanes, (X, X, 3), UnsupportedSyntax, "of some lanes of a warp"),
    (refused.warp_of_block, (X, X, Z, Z), UnsupportedSyntax, "not every thread.*line"),
    (refused.bits, (X, X, Z, Z), UnsupportedSyntax, "cuda.popc is not supported"),
    (refused.ballot, (X, X, Z, Z), UnsupportedSyntax, "cuda.any_sync is not supported"),
    (refused.wraps_around, (X, X, P), UnsupportedSyntax, "cuda.atomic.inc is not supported"),
    (refused.cooperative, (X, X, Z, Z), UnsupportedSyntax, "cuda.cg is not supported"),
    (refused.drawn, (X, X, P), UnsupportedSyntax, "cuda.random is not supported"),
]


@pytest.mark.parametrize(
    ("f", "args", "error", "text"), REFUSED, ids=[f.__name__ for f, *_ in REFUSED]
)
def test_kernels_that_are_refused(f, args, error, text):
    """Each says what, where, why and what to write instead."""
    with pytest.raises(error, match=text) as e:
        kernel(f, backend="reference").adjoint[1, 2, 0, 64](*copies(*args))
    assert e.value.loc is not None
    assert e.value.loc.file.endswith("refused.py")
    assert e.value.why
    assert e.value.instead


def test_races_are_found():
    """The interpreter tells of two threads that touch an element."""
    for f in (refused.racing, refused.racing_in_block):
        with pytest.raises(RaceError, match="race"):
            kernel(f, backend="reference", races=True)[1, 8](*copies(X, Z))
    with pytest.raises(RaceError, match="two blocks write and write"):
        kernel(refused.racing, backend="reference", races=True)[8, 1](*copies(X, Z))


def test_arguments_of_a_launch():
    """Shadows that are missing, of another shape, or in the same memory."""
    k = kernel(refused.plain, backend="reference")
    wrong = [
        ((X, Z, 8, Z), "shadow of 'out' is missing"),
        ((X, Z[:3], 8, Z, Z), "'x_b' must be"),
        ((X, Z.astype("f4"), 8, Z, Z), "'x_b' must be"),
        ((X, Z, 8, Z, Z, Z), "6 arguments, 5 are expected"),
        ((list(X), Z, 8, Z, Z), "of type list"),
    ]
    for args, text in wrong:
        with pytest.raises(TypeMismatch, match=text):
            k.adjoint[1, 8](*copies(*args))
    same = np.zeros(8)
    with pytest.raises(TypeMismatch, match="overlap in memory"):
        k.adjoint[1, 8](X, same, 8, np.zeros(8), same)


def test_launch_configurations():
    """Not called without; sizes are positive ints."""
    k = kernel(refused.plain, backend="reference")
    with pytest.raises(TypeMismatch, match="without a launch configuration"):
        k(X, 8, Z)
    for wrong in ((1,), (1, 0), (1, 2.5), ((1, 1, 1, 1), 1)):
        with pytest.raises(TypeMismatch, match="launch configuration"):
            k[wrong]
    for wrong in ((1, 1025), (1, (33, 32)), (1, (1, 1, 65)), ((1, 70000), 1)):
        with pytest.raises(TypeMismatch, match="a block has 1024 threads"):
            k[wrong]
    with pytest.raises(TypeMismatch, match="no backend"):
        kernel(refused.plain, backend="gpu")


def test_argnums():
    """What is not chosen has no shadow."""
    k = kernel(CASES["saxpy"].kernel, argnums=("x", "out"), backend="reference")
    x, y = copies(X, X)
    x_b, out, out_b = np.zeros(8), np.zeros(8), np.ones(8)
    k.adjoint[1, 8](2.0, x, x_b, y, out, out_b)
    np.testing.assert_allclose(x_b, 2.0 * np.cos(X) + X)
    k = kernel(CASES["saxpy"].kernel, argnums="x", backend="reference")
    with pytest.raises(TypeMismatch, match="take 'out' into argnums"):
        k.adjoint[1, 8](2.0, x, x_b, y, out)


def test_deterministic():
    """Counters that are handed out are refused, and slices that hide the element."""
    for f, text in ((refused.counter, "result is used"), (refused.in_slice, "through a slice")):
        k = kernel(f, backend="reference", deterministic=True)
        with pytest.raises(NoDerivative, match=text) as e:
            k.adjoint[1, 8](*copies(X, Z, Z, Z, np.zeros(1, np.int64)))
        assert e.value.loc.file.endswith("refused.py")


def test_shared_memory():
    """An adjoint takes twice what the kernel takes."""
    k = kernel(CASES["reduce_dynamic"].kernel, backend="reference")
    given = copies(np.ones(4096), np.zeros(1))
    k[1, 8, 0, 8 * 4096](*given)
    with pytest.raises(TypeMismatch, match="65536 bytes of shared memory") as e:
        k.adjoint[1, 8, 0, 8 * 4096](*woven(given, copies(np.zeros(4096), np.zeros(1))))
    assert e.value.loc is not None


def test_no_device():
    """Without a GPU, what has no arrays at all says so as well."""
    if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1" or cuda.is_available():
        pytest.skip("there is a device")
    with pytest.raises(DeviceError, match=r"no CUDA driver|toolkit") as e:
        kernel(refused.numbers)[1, 8](3, 2.0)
    assert "srcad[cuda]" in e.value.instead


def test_array_of_the_host():
    """A kernel of the device takes no array of the host."""
    if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1":
        pytest.skip("the simulator takes arrays of the host")
    with pytest.raises(DeviceError, match="array of the host"):
        kernel(refused.plain)[1, 8](X, 8, Z)


def test_names_of_cuda_outside_a_kernel():
    """In a function that is no kernel."""
    with pytest.raises(UnsupportedSyntax, match="function that is no kernel"):
        srcad.grad(refused.no_kernel, backend="reference")(1.0)


def test_import_needs_no_cuda():
    """Neither srcad nor srcad.cuda imports numba.cuda."""
    code = "import sys, srcad; srcad.cuda.kernel; sys.exit('numba.cuda' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_simulator():
    """The whole zoo under Numba's simulator, in a process of its own."""
    env = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.kernel_simulator"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(CASES)} kernels, 0 failures" in done.stdout


class Elsewhere:
    """What an array of the device tells of itself."""

    __cuda_ndarray__ = True

    def __init__(self, address, n=8):
        self.shape, self.ndim = (n,), 1
        self.__cuda_array_interface__ = dict.fromkeys(("strides", "descr"))
        self.__cuda_array_interface__ |= {"shape": (n,), "typestr": "<f8", "version": 3}
        self.__cuda_array_interface__["data"] = (address, False)


def test_arguments_are_checked_once(monkeypatch):
    """The same memory is not looked at again, other memory is."""
    launched, looked = [], []
    monkeypatch.setattr(kernels, "launch_of", lambda b: lambda *given: launched.append(given))
    check = kernels.Configured.check
    monkeypatch.setattr(
        kernels.Configured, "check", lambda self, args: (looked.append(args), check(self, args))[1]
    )
    k = kernel(refused.plain)
    x, x_b, out, out_b = (Elsewhere(1000 * i) for i in range(1, 5))
    for _ in range(3):
        k.adjoint[1, 8](x, x_b, 8, out, out_b)
    assert (len(looked), len(launched)) == (1, 3)
    with pytest.raises(TypeMismatch, match="overlap in memory"):
        k.adjoint[1, 8](x, x_b, 8, out, Elsewhere(2032))
    with pytest.raises(TypeMismatch, match="'out_b' must be"):
        k.adjoint[1, 8](x, x_b, 8, out, Elsewhere(4000, 7))
    assert len(launched) == 3


def test_parameters_of_a_kernel():
    """A launch gives arguments by position."""

    def gathered(x, *out):
        out[0][cuda.grid(1)] = x[cuda.grid(1)]

    with pytest.raises(TypeMismatch, match=r"has the parameter \*out"):
        kernel(gathered, backend="reference")[1, 8](X, Z)
    with pytest.raises(TypeMismatch, match="'n' is of type str"):
        kernel(refused.plain, backend="reference")[1, 8](X, "8", Z)
