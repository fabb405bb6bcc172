"""Runs the cases of ``offload_programs`` in Numba's simulator; prints what is wrong, as JSON.

It is a process of its own, started with ``NUMBA_ENABLE_CUDASIM=1``.  Products and factorisations
go to a stand-in for CuPy, which takes nothing but arrays of the device.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numba import cuda
from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

import srcad
from srcad.errors import SrcadError
from srcad.storage.offload import cut, kernels
from tests.offload_programs import CASES, differences
from tests.simulator import brisk


def on_device(x: Any) -> Any:
    """An argument, on the device if it is an array."""
    return cuda.to_device(x) if isinstance(x, np.ndarray) else x


class Array(FakeCUDAArray):
    """An array of the stand-in for CuPy."""

    def reshape(self, *shape: Any) -> Array:
        """See ``np.reshape``."""
        return Array(np.reshape(self._ary, *shape))


CALLS: list[str] = []


def stand_in(name: str, f: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy for arrays of the device."""

    def g(*args: Any, **kwargs: Any) -> Any:
        CALLS.append(name)
        assert all(isinstance(x, (FakeCUDAArray, float)) for x in args), args
        found = f(*[getattr(x, "_ary", x) for x in args], **kwargs)
        many = isinstance(found, tuple)
        made = tuple(Array(np.asarray(x)) for x in (found if many else (found,)))
        return made if many else made[0]

    return g


def fake_cupy() -> Any:
    """A module like CuPy."""
    names = ("solve", "inv", "det", "cholesky", "eigh", "svd", "qr", "slogdet", "pinv")
    return SimpleNamespace(
        asarray=stand_in("asarray", np.asarray),
        matmul=stand_in("matmul", np.matmul),
        asfortranarray=stand_in("asfortranarray", np.asfortranarray),
        ascontiguousarray=stand_in("ascontiguousarray", np.ascontiguousarray),
        linalg=SimpleNamespace(**{n: stand_in(n, getattr(np.linalg, n)) for n in names}),
        cuda=SimpleNamespace(ExternalStream=lambda pointer: contextlib.nullcontext()),
    )


def solved(a, b):
    """Factorisations, whose results have different layouts."""
    w, v = np.linalg.eigh(a @ a.T)
    return np.sum(np.linalg.solve(a, b) ** 2) + np.linalg.det(a) + np.sum(w * w) + np.sum(v[0] ** 2)


def case(name: str) -> str:
    """What is wrong with the transforms of a case."""
    found = dict(CASES[name].checks(target="cuda"))
    wrong = []
    for what, expected in CASES[name].checks(backend="reference"):
        if CASES[name].scalar and what not in ("value_and_grad", "hvp"):
            continue  # what is interpreted
        text = differences(found[what](on_device), expected(lambda x: x))
        wrong += [f"{what}: {text}"] if text else []
    return "; ".join(wrong)


def factorisations() -> str:
    """CuPy's, and what their derivatives are made of."""
    a = np.random.default_rng(1).normal(size=(3, 3))
    b = np.ones(3)
    CALLS.clear()
    found = srcad.value_and_grad(solved, (0, 1), target="cuda")(on_device(a), on_device(b))
    missing = {"matmul", "solve", "det", "eigh"} - set(CALLS)
    if missing:
        return f"not called: {missing}"
    return differences(found, srcad.value_and_grad(solved, (0, 1), backend="reference")(a, b))


def without_cupy() -> str:
    """Products by a kernel of our own; factorisations are refused."""
    sys.modules["cupy"] = None  # type: ignore[assignment]
    try:
        wrong = [
            text
            for what in ("grad", "value")
            for of in [dict(CASES["turned"].checks(target="cuda"))[what]]
            for ref in [dict(CASES["turned"].checks(backend="reference"))[what]]
            if (text := differences(of(on_device), ref(lambda x: x)))
        ]
        vectors = srcad.grad(lambda x: (x @ x) ** 2, target="cuda")(on_device(np.arange(3.0)))
        wrong += [t] if (t := differences(vectors, 20.0 * np.arange(3.0))) else []
        g = srcad.grad(lambda a: np.linalg.det(a), target="cuda")
        refused = raises(lambda: g(on_device(np.eye(2))), "det on the device needs CuPy")
    finally:
        sys.modules["cupy"] = fake_cupy()
    return "; ".join([*wrong, *([refused] if refused else [])])


def raises(call: Callable[[], Any], words: str) -> str:
    """An error of srcad with these words and advice."""
    try:
        call()
    except SrcadError as e:
        return "" if words in str(e) and "instead:" in str(e) else str(e)
    return f"nothing was raised: {words}"


def of_host() -> str:
    """Arrays of the host are refused, also as tangents; arrays of the device by the processor."""
    f = CASES["chain"].f
    x, w = np.ones((2, 3)), np.ones(3)
    there = on_device(w)
    calls = {
        "'x' is an array of the host": lambda: srcad.grad(f, target="cuda")(x, there),
        "'w_t' is an array of the host": lambda: srcad.jvp(
            srcad.differentiable(f, target="cuda"), (on_device(x), there), (None, w)
        ),
        "'w' is an array of the device": lambda: srcad.grad(f)(x, there),
        "shape (2,)": lambda: srcad.jvp(
            srcad.differentiable(f, target="cuda"),
            (on_device(x), there),
            (None, on_device(np.ones(2))),
        ),
    }
    return "; ".join(filter(None, [raises(call, words) for words, call in calls.items()]))


WEIGHTS = np.array([1.0, 2.0, 3.0])


def captured() -> str:
    """A captured array goes to the device at every call."""
    global WEIGHTS

    def f(x):
        return np.sum(WEIGHTS * x)

    g = srcad.grad(f, target="cuda")
    x = on_device(np.ones(3))
    first = differences(g(x), WEIGHTS)
    before = WEIGHTS
    try:
        WEIGHTS = before * 2.0
        return first or differences(g(x), 2.0 * before)
    finally:
        WEIGHTS = before


def streams() -> str:
    """A stream for one call, and for all calls in a block."""
    f = srcad.differentiable(CASES["running"].f, target="cuda")
    x = on_device(np.arange(3.0))
    stream = cuda.stream()
    one = f(x, stream=stream)
    with srcad.cuda.stream(stream):
        both = srcad.value_and_grad(f)(x)
    return differences((one, both[0]), (np.array(10.0), np.array(10.0)))


def overlapping() -> str:
    """An argument that is written must not overlap another one."""

    def f(x, out):
        out[:] = x * x
        return np.sum(out)

    x = np.ones(4)
    both = on_device(x)
    return raises(
        lambda: srcad.differentiable(f, target="cuda")(both[:3], both[1:]), "which overlaps"
    )


def pullback() -> str:
    """A pullback whose seed stays zero for one result; arguments are copied."""
    f = srcad.differentiable(CASES["both"].f, target="cuda")
    x = on_device(np.arange(6.0).reshape(2, 3))
    _, pull = srcad.vjp(f, x)
    x[:] = 0.0
    return differences(
        pull((on_device(np.ones(2)), None, 2.0))[0], np.array([[1.0] * 3, [1, 1, 3]])
    )


def main() -> None:
    """Print what is wrong."""
    kernels.WIDTH = cut.WIDTH = 4
    sys.modules["cupy"] = fake_cupy()
    checks: dict[str, Callable[[], str]] = {
        n: lambda n=n: case(n)  # type: ignore[misc]
        for n in CASES
    }
    for f in (factorisations, without_cupy, of_host, captured, streams, overlapping, pullback):
        checks[f.__name__] = f
    wrong = {}
    for name, check in checks.items():
        try:
            text = check()
        except Exception:
            text = traceback.format_exc()
        if text:
            wrong[name] = text
    print(json.dumps({"checked": len(checks), "wrong": wrong}))


if __name__ == "__main__":
    brisk()
    main()
