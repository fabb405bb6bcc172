"""The device without one: the simulator, what Numba infers, the text, the errors.

``test_cuda_ptx`` assembles the same programs with the toolkit, ``test_cuda_gpu`` runs them.
"""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import srcad
from srcad.api.batch_cuda import samples
from srcad.backends import device_driver
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Carried, Function
from srcad.ir.types import B1, I8, ArrayT, ListT, Scalar
from srcad.runtime import device
from srcad.storage.capacity import capacities
from srcad.storage.device import sized
from tests.cuda_target import compiles

ROOT = Path(__file__).resolve().parents[1]


def run(*command, **variables):
    """A Python process, and what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    made = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


def test_simulator():
    """Every program of ``cuda_programs`` in Numba's simulator, in one process."""
    found = json.loads(run("-W", "error", "-m", "tests.cuda_simulate", NUMBA_ENABLE_CUDASIM="1"))
    assert found["checked"] > 45
    assert not found["wrong"], "\n".join(f"{k}: {v}" for k, v in found["wrong"].items())


def test_example():
    """The example in the simulator: orbits are found to rounding."""
    printed = run("-W", "error", "-m", "examples.orbits_cuda", NUMBA_ENABLE_CUDASIM="1")
    assert "4 orbits" in printed and all(float(x) < 1e-13 for x in re.findall(r"\de-\d+", printed))
    assert "errors of 0.9, 3.5, 3.5" in printed


def test_import_needs_no_cuda():
    """Neither importing srcad nor using it on the processor imports CUDA."""
    text = (
        "import sys, srcad\n"
        "from srcad.examples import square_sum\n"
        "import numpy as np\n"
        "srcad.batch(srcad.grad(square_sum), backend='reference')(np.ones((2, 2)))\n"
        "print([m for m in sys.modules if m.startswith('numba.cuda')])\n"
    )
    assert run("-c", text).strip() == "[]"


def loss(x, w):
    s = 0.0
    for k in range(len(x)):
        s = math.sin(s) + w * x[k]
        if s > 10.0:
            raise ValueError("too far")
    return s


def test_source():
    """The kernel is readable: constant sizes, a grid-stride loop, a comment for each user line."""
    f = srcad.batch(srcad.value_and_grad(loss), (0, None), target="cuda")
    text = f.source(np.ones((5, 3)), 2.0)
    assert "s_tape = cuda.local.array(3, np.float64)" in text
    assert "for i in range(cuda.grid(1), n, cuda.gridsize(1)):" in text
    assert "# adjoint of line" in text and "s = math.sin(s) + w * x[k]" in text
    assert "srcad_mark_1(out)" in text and "return math.nan" in text
    assert "raise" not in text and "np.zeros" not in text


@pytest.mark.parametrize("name", ["rint", "cbrt", "logaddexp", "betaln", "max"])
def test_numba_infers(name):
    """A few primitives through Numba's own inference and lowering (the rest: ``test_support``)."""
    assert compiles(name)


def test_targets():
    with pytest.raises(srcad.TypeMismatch, match="no target 'gpu'"):
        srcad.batch(loss, target="gpu")
    with pytest.raises(srcad.TypeMismatch, match="called 'stream'"):
        srcad.batch(lambda x, stream: x, target="cuda")
    outer = srcad.grad(srcad.batch(loss, target="cuda"), backend="reference")
    with pytest.raises(srcad.TypeMismatch, match="transform first"):
        outer(np.ones((2, 3)), 1.0)


class NoDevice:
    """``numba.cuda`` on a machine without a driver, or without the toolkit."""

    def __init__(self, error):
        self.error = error

    def is_available(self):
        return False

    def cuda_error(self):
        return self.error


@pytest.mark.parametrize(
    ("error", "words"), [("libcuda.so not found", "no CUDA driver"), (None, "toolkit is not")]
)
def test_no_device(monkeypatch, error, words):
    """Neither driver nor toolkit: an error of srcad that says what to install."""
    device_driver.ready.cache_clear()
    monkeypatch.setattr(device_driver, "numba_cuda", lambda: NoDevice(error))
    with pytest.raises(srcad.DeviceError, match=words) as e:
        srcad.batch(loss, target="cuda")(np.ones((2, 3)), np.ones(2))
    assert "srcad[cuda]" in str(e.value) and (error or "NVVM") in str(e.value)


def test_errors_of_the_driver():
    """What the driver and the toolkit raise comes out as an error of srcad, what else does not."""

    class CudaAPIError(Exception):
        pass

    refused = pytest.raises(srcad.DeviceError, match="refuses f: CudaAPIError")
    with refused, device_driver.launching("f"):
        raise CudaAPIError("out of memory")
    with pytest.raises(KeyError), device_driver.launching("f"):
        raise KeyError


@pytest.mark.parametrize("name", sorted(device.DEVICE_HELPERS))
def test_helpers(name):
    """The device's functions give what the primitives' evaluators give."""
    from srcad.ir.primitives import PRIMITIVES

    known = {"isign": "sign", "ireciprocal": "reciprocal"}
    p = PRIMITIVES.get(known.get(name[6:], name[6:]))
    if p is None:
        assert name.startswith("srcad_mark_")
        a = np.zeros((2,) * int(name[-1]))
        device.DEVICE_HELPERS[name](a)
        assert np.isnan(a).all()
        return
    whole = name[6:] in ("isign", "ireciprocal", "gcd", "lcm")
    points = [-6, -1, 0, 1, 4, 9] if whole else [-2.5, -1.5, -0.5, -0.0, 0.0, 0.3, 0.5, 1.0, 2.5]
    points += [] if whole else [1e-300, 7e15, 1e300, math.inf, -math.inf, math.nan]
    operands = [(x,) for x in points] if p.arity == 1 else [(x, y) for x in points for y in points]
    wrong = []
    for args in operands:
        if name == "srcad_ireciprocal" and args == (0,):
            continue  # undefined
        if name == "srcad_sinc" and math.isinf(args[0]):
            continue  # math.sin raises in Python
        found, want = device.DEVICE_HELPERS[name](*args), p.evaluate(*args)
        same = found == want or (found != found and want != want)
        if not same and not math.isclose(found, want, rel_tol=5e-16):
            wrong.append((args, found, want))
    assert not wrong


def counted(turns, breaks, step=1):
    """A list that grows by ``step`` in each turn of a loop."""
    b = Builder(Namer())
    n = b.var("n", I8)
    tape = b.alloc(ListT(Scalar("f8")), (), hint="tape")
    trip, after = b.var("trip", I8), b.var("after", I8)
    stop, left = b.var("stop", B1), b.var("left", B1)
    with b.block() as stmts:
        size = b.op("add", trip, const(step))
        b.reserve(tape, size)
        b.store(tape, (trip,), const(1.0))
    flag = (Carried(left, stop, const(False)),) if breaks else ()
    end = (b.op("gt", n, const(0)), size) if breaks else (size,)
    b.for_(
        b.var("k", I8), const(0), turns(n), const(1), (*flag, Carried(after, trip, const(0))),
        Block(tuple(stmts), end), breaks,
    )  # fmt: skip
    return Function("f", (n,), Block(tuple(b.stack[0]), (after,))), tape


def test_capacity():
    """A list in a loop of a constant number of turns has a size; one in another loop has none."""
    fn, tape = counted(lambda n: const(7), True, 2)
    assert capacities(fn) == {tape.name: ("f8", 14)}
    fn, tape = counted(lambda n: n, False)
    assert capacities(fn) == {}


def test_sized():
    """Sizes of views of parameters."""
    b = Builder(Namer())
    x = b.var("x", ArrayT("f8", 2, "C"))
    part = b.view(
        x, "index", (("slice", const(1), None, const(2)), ("at", const(0))), ArrayT("f8", 1, "A")
    )
    turned = b.view(x, "transpose", (1, 0), ArrayT("f8", 2, "F"))
    sizes = (b.dim(part, 0), b.dim(turned, 0), b.dim(x, 0))
    fn = sized(Function("f", (x,), Block(tuple(b.stack[0]), sizes)), {"x": (6, 4)})
    assert [y.value for y in fn.body.yields] == [3, 4, 6]


def test_samples():
    with pytest.raises(ValueError, match="different sizes"):
        samples([(2, 3), (4,)], [0, 0])
    assert samples([(2, 3), (3,)], [1, 0]) == (3, [(2,), ()])
