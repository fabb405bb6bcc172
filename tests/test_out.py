"""Results in arrays of the caller: the same numbers, no other array touched, misfits refused."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest

import srcad

REFERENCE: dict[str, Any] = {"backend": "reference", "verify": True}


class Model(NamedTuple):
    w: np.ndarray
    b: float


def chain(x: np.ndarray) -> float:
    s = 0.0
    for i in range(len(x) - 1):
        s += math.sin(x[i]) * x[i + 1] ** 2
    return s


def fit(p: Model, x: np.ndarray) -> float:
    return np.sum((x @ p.w + p.b) ** 2)


def branches(x: np.ndarray, flag: bool) -> np.ndarray:
    """The result is a view, an argument, or new."""
    y = x * 2.0
    return y[1:] if flag else x[:3]


X = np.linspace(0.2, 1.4, 5)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_gradient(backend: str) -> None:
    """Whatever was in the array before; again and again; the array itself is returned."""
    g, out = srcad.grad(chain, backend=backend), np.full(5, 7.0)
    want = g(X)
    for _ in range(3):
        assert g(X, out=out) is out
        np.testing.assert_array_equal(out, want)
        out[:] = np.nan
    v = srcad.value_and_grad(chain, backend="reference")
    value, gradient = v(X, out=(None, out))
    assert value == pytest.approx(chain(X)) and gradient is out
    np.testing.assert_allclose(out, want, rtol=1e-14)


def log_sum_exp(x: np.ndarray) -> float:
    s = 0.0
    for i in range(len(x)):
        s += math.exp(x[i])
    return math.log(s)


def test_no_other_array() -> None:
    """The tape is in the result: with one of the caller nothing is allocated, nothing cleared."""
    from srcad.api.outs import out_program
    from srcad.compiler import finished
    from srcad.ir.nodes import Alloc, Const, Store
    from srcad.ir.types import ArrayT
    from srcad.ir.walk import statements

    g = srcad.grad(log_sum_exp, backend="cpu", verify=True)
    program = g.program(g.specs({"x": X}))
    assert sum(isinstance(s, Alloc) for s in statements(finished(program).body)) == 1
    found = list(statements(finished(out_program(program, (ArrayT("f8", 1),))).body))
    assert not any(isinstance(s, Alloc) for s in found)
    assert not any(isinstance(s, Store) and isinstance(s.value, Const) for s in found)
    h, out = srcad.grad(log_sum_exp, backend="python"), np.full(5, np.nan)
    np.testing.assert_allclose(h(X, out=out), np.exp(X) / np.sum(np.exp(X)), rtol=1e-15)


def test_other_transforms() -> None:
    """Hessians, Jacobians, the function itself, in any layout."""
    h = srcad.hessian(chain, **REFERENCE)
    for out in (np.empty((5, 5)), np.empty((5, 5), order="F"), np.empty((5, 10))[:, ::2]):
        assert h(X, out=out) is out
        np.testing.assert_array_equal(out, h(X))
    f = srcad.differentiable(branches, **REFERENCE)
    for flag, n in ((True, 4), (False, 3)):
        out, x = np.empty(n), X.copy()
        assert f(x, flag, out=out) is out
        np.testing.assert_array_equal(out, branches(X, flag))
        np.testing.assert_array_equal(x, X)


def test_structures() -> None:
    """Arrays in the structure of the result, ``None`` in place of numbers."""
    x, p = np.arange(6.0).reshape(3, 2), Model(np.array([0.5, -1.0]), 0.3)
    g, w = srcad.grad(fit, **REFERENCE), np.empty(2)
    got, want = g(p, x, out=Model(w, None)), g(p, x)  # type: ignore[arg-type]
    assert isinstance(got, Model) and got.w is w and got.b == want.b
    np.testing.assert_array_equal(w, want.w)
    both = srcad.grad(fit, (0, 1), **REFERENCE)
    x_b = np.empty((3, 2))
    got = both(p, x, out=(Model(w, None), x_b))  # type: ignore[arg-type]
    assert got[1] is x_b and got[0].b == want.b
    np.testing.assert_array_equal(x_b, both(p, x)[1])


MISFITS = {
    "shape": np.empty(4),
    "rank": np.empty((5, 1)),
    "dtype": np.empty(5, np.float32),
    "list": [0.0] * 5,
    "None": None,
    "tuple": (np.empty(5),),
    "read-only": np.broadcast_to(0.0, 5),
    "subclass": np.ma.empty(5),
}


@pytest.mark.parametrize("out", MISFITS.values(), ids=MISFITS)
def test_misfits(out: Any) -> None:
    """Refused, on the first call and after one that fits."""
    g = GRADIENTS.setdefault("cpu", srcad.grad(chain))
    for f in (srcad.grad(chain, **REFERENCE), g):
        for _ in range(2):
            with pytest.raises(srcad.TypeMismatch, match="out"):
                f(X, out=out)
            f(X, out=np.empty(5))


GRADIENTS: dict[str, Any] = {}
TABLE = np.linspace(0.0, 1.0, 5)


def looked_up(x: np.ndarray) -> float:
    return np.sum(TABLE * x * x)


def test_shared_memory() -> None:
    """An array must not overlap arguments, captured arrays, or another result."""
    room = np.linspace(0.2, 1.4, 12)
    g = srcad.grad(chain, **REFERENCE)
    for out in (room[:5], room[4:9], room[:10:2], room[8::-2]):
        with pytest.raises(srcad.TypeMismatch, match="shares memory"):
            g(room[:5], out=out)
    g(room[:5], out=room[5:10])
    with pytest.raises(srcad.TypeMismatch, match="shares memory"):
        srcad.grad(looked_up, **REFERENCE)(X, out=TABLE)

    def product(x: np.ndarray, y: np.ndarray) -> float:
        return np.sum(x * y)

    out = np.empty(5)
    with pytest.raises(srcad.TypeMismatch, match="shares memory"):
        srcad.grad(product, (0, 1), **REFERENCE)(X, X + 1, out=(out, out))


def test_parameter_called_out() -> None:
    """The user's own parameter of that name stays one."""

    def scaled(x: float, out: float) -> float:
        return x * out

    assert srcad.grad(scaled, **REFERENCE)(2.0, out=3.0) == 3.0


def weigh(x: np.ndarray, n: int, w: float) -> float:
    return w * np.sum(x**3) * n


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_hessian_product(backend: str) -> None:
    """``hvp`` into arrays of the caller; numbers are returned, integers have no place."""
    x, v, out = X.copy(), np.linspace(1.0, -1.0, 5), np.full(5, np.nan)
    want = srcad.hvp(weigh, (x, 2, 0.5), (v, None, 2.0), backend=backend)
    np.testing.assert_allclose(want[0], 6 * x * v + 12 * x**2, rtol=1e-14)
    for _ in range(3):
        given = (out, None, None)
        got = srcad.hvp(weigh, (x, 2, 0.5), (v, None, 2.0), out=given, backend=backend)
        np.testing.assert_array_equal(out, want[0])
        assert got[0] is out and got[1] is None and got[2] == want[2]
        out[:] = np.nan
    if backend == "reference":
        for wrong in (out, (out,), (out, out, None), (out[1:], None, None), (x, None, None)):
            with pytest.raises(srcad.TypeMismatch):
                srcad.hvp(weigh, (x, 2, 0.5), (v, None, 2.0), out=wrong, backend=backend)
        np.testing.assert_array_equal(x, X)


def test_hessian_product_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The short way of calls with floats only gives and refuses the same."""

    def cubes(x: np.ndarray, w: float) -> float:
        print("called")
        return w * np.sum(x**3)

    x, v, out = X.copy(), np.linspace(1.0, -1.0, 5), np.empty(5)
    want = srcad.hvp(cubes, (x, 0.5), (v, 2.0), backend="reference")
    for _ in range(4):
        capsys.readouterr()
        got = srcad.hvp(cubes, (x, 0.5), (v, 2.0))
        into = srcad.hvp(cubes, (x, 0.5), (v, 2.0), out=(out, None))
        assert capsys.readouterr().out.count("called") == 2
        assert into[0] is out and into[1] == got[1] == pytest.approx(want[1])
        np.testing.assert_array_equal(out, got[0])
        np.testing.assert_allclose(out, want[0], rtol=1e-14)
        for wrong in ((v[1:], 2.0), (v, 2.0, 1.0), (v,), (2.0, v), ([1.0], 2.0)):
            with pytest.raises(srcad.TypeMismatch):
                srcad.hvp(cubes, (x, 0.5), wrong)
        for place in ((out[1:], None), out, (x, None), (None, None), (out, 1.0)):
            with pytest.raises(srcad.TypeMismatch):
                srcad.hvp(cubes, (x, 0.5), (v, 2.0), out=place)
    assert srcad.hvp(cubes, (x, 0.5), (v, None))[0] == pytest.approx(3 * x * v)
    assert srcad.hvp(cubes, (x, 0.5), (v, 2))[1] == got[1]
