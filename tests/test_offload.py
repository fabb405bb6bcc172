"""Array functions on the device, without one: interpreted with races, simulated, the text, errors.

``test_offload_ptx`` assembles the same kernels with the toolkit, ``test_offload_gpu`` runs them.
"""

from __future__ import annotations

import json

import numpy as np
import pytest

import srcad
from srcad.api import offload
from srcad.storage.offload import cut, kernels
from tests.offload_programs import CASES, differences
from tests.test_cuda import run


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Blocks of four threads, so that small arrays have several; races are looked for."""
    monkeypatch.setattr(kernels, "WIDTH", 4)
    monkeypatch.setattr(cut, "WIDTH", 4)
    monkeypatch.setattr(offload, "RACES", True)


@pytest.mark.parametrize("name", CASES)
def test_interpreted(name):
    """Every transform equals the processor's, and no two threads race."""
    case = CASES[name]
    on = dict(case.checks(backend="reference", target="cuda"))
    on |= {"grad": dict(case.checks(backend="reference", target="cuda", verify=True)).get("grad")}
    for what, expected in case.checks(backend="reference"):
        if case.scalar and what not in ("grad", "jvp"):
            continue  # what is simulated
        wrong = differences(on[what](lambda x: x), expected(lambda x: x))
        assert not wrong, f"{what}: {wrong}"


def test_target():
    with pytest.raises(srcad.TypeMismatch, match="no target 'gpu'"):
        srcad.differentiable(lambda x: x, target="gpu")
    assert srcad.differentiable(np.sum, target="cuda").options.target == "cuda"


def test_simulator():
    """Every case, products by a stand-in for CuPy, streams, errors; in Numba's simulator."""
    found = json.loads(run("-W", "error", "-m", "tests.offload_simulate", NUMBA_ENABLE_CUDASIM="1"))
    assert found["checked"] > 30
    assert not found["wrong"], "\n".join(f"{k}: {v}" for k, v in found["wrong"].items())


def source(f, *args, **options):
    """The text for the device."""
    return srcad.source(srcad.differentiable(f, target="cuda", **options), *args)


def test_fused():
    """A chain over a matrix is one loop over all elements, its sum two kernels."""
    text = source(CASES["chain"].f, *CASES["chain"].args)
    assert "for k in range(grid, n_0 * n_" in text and text.count("@cuda.jit") == 2
    assert "math.tanh" in text and "cuda.syncthreads()" in text and "gpu.number(" in text


def test_turned():
    """A sum over rows for each column: a thread a column, no atomic additions."""
    text = srcad.source(srcad.grad(CASES["chain"].f, 1, target="cuda"), *CASES["chain"].args)
    assert "atomic" not in text and "for i in range(n)" in text


def test_atomic_or_not():
    """Additions to elements that several threads share are atomic, or made by one thread."""
    case = CASES["gathered"]
    g = srcad.grad(case.f, target="cuda")
    assert "cuda.atomic.add(" in srcad.source(g, *case.args)
    ordered = srcad.grad(case.f, target="cuda", deterministic=True)
    text = srcad.source(ordered, *case.args)
    assert "atomic" not in text and "[1, 1, gpu.stream]" in text
    on = {"backend": "reference", "deterministic": True}
    found = srcad.grad(case.f, target="cuda", **on)(*case.args)
    assert not differences(found, srcad.grad(case.f, backend="reference")(*case.args))


def test_greatest():
    """The adjoint of a maximum asks no element whether it has exceeded those before it."""
    text = srcad.source(srcad.grad(CASES["logsumexp"].f, target="cuda"), np.ones(5))
    driver = text[text.index("def logsumexp_b(gpu") :]
    assert "for " not in driver and "while " not in driver
    assert all(line.count("range(grid") for line in text.splitlines() if "for k in range(g" in line)


@pytest.mark.parametrize("x", [[3.0, 1.0, 3.0], [1.0, 2.0, 2.0], [np.nan, 1.0], [1.0, np.nan]])
def test_greatest_of_equal(x):
    """Of equal elements the first has the derivative; NaN is the greatest."""
    for f in (np.max, lambda x: np.min(-x), lambda x: np.max(np.abs(x[None, :] * x[:, None]))):

        def whole(x, f=f):
            return f(x)

        on = srcad.value_and_grad(whole, backend="reference", target="cuda")(np.array(x))
        expected = srcad.value_and_grad(whole, backend="reference")(np.array(x))
        assert not differences(on[0], expected[0])
        if not np.isnan(x).any():
            assert not differences(on[1], expected[1])


def raising(x):
    for i in range(len(x)):
        if x[i] < 0.0:
            raise ValueError("negative")
    return np.sum(np.sqrt(x))


def printing(x):
    s = 0.0
    for i in range(len(x)):
        s += x[i]
        print(s)
    return s


def drawing(x):
    return np.sum(x * np.random.normal())


def recursive(x, n):
    return np.sum(x) if n == 0 else recursive(x * 0.5, n - 1)


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (raising, "a raise in a loop over elements"),
        (printing, "a print in a loop over elements"),
        (drawing, "a random number"),
        (lambda x: recursive(x, 2), "recursion"),
        (lambda x: np.linalg.eig(x)[0], "eig"),
    ],
)
def test_refused(f, words):
    """What has no form on the device is refused, with its place and what to write."""
    x = np.eye(2) if words == "eig" else np.ones(3)
    with pytest.raises(srcad.SrcadError, match=words) as e:
        source(f, x)
    assert "instead:" in str(e.value) and "line " in str(e.value)


def test_raising_outside():
    """A check of a whole array raises as on the processor."""

    def f(x):
        if np.min(x) < 0.0:
            raise ValueError("negative")
        return np.sum(np.sqrt(x))

    g = srcad.grad(f, backend="reference", target="cuda")
    np.testing.assert_allclose(g(np.array([1.0, 4.0])), [0.5, 0.25])
    with pytest.raises(ValueError, match="negative"):
        g(np.array([1.0, -4.0]))
    with pytest.raises(ValueError, match="zero-size"):
        g(np.array([]))


def test_ones():
    """Other patterns of sizes that are 1 are other variants of the same object."""
    g = srcad.grad(CASES["spread"].f, (0, 1), backend="reference", target="cuda")
    for shapes in (((3, 2), (3, 1)), ((3, 2), (1, 2)), ((1, 2), (3, 1)), ((1, 1), (1, 1))):
        x, w = (np.arange(np.prod(s)).reshape(s) * 0.1 for s in shapes)
        expected = srcad.grad(CASES["spread"].f, (0, 1), backend="reference")(x, w)
        assert not differences(g(x, w), expected)
