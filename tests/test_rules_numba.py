"""Every primitive's template against Numba: it compiles, has the declared result type, and
computes what the primitive's evaluator computes.

Types are checked for all kinds of operands by Numba's type inference alone; values by compiling
one function per operand kind that evaluates every template.
"""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Callable
from typing import Any

import numba as nb
import numpy as np
import pytest
from numba.core import compiler, typed_passes
from numba.core.registry import cpu_target

from srcad.ir.primitives import PRIMITIVES, WITH_ORDER, Primitive
from srcad.ir.types import Scalar
from srcad.runtime import RUNTIME_HELPERS

KINDS = {"f8": nb.float64, "f4": nb.float32, "i8": nb.int64, "b1": nb.boolean}
NAMES = {nb.float64: "f8", nb.float32: "f4", nb.boolean: "b1", nb.int64: "i8", nb.int8: "i8"}
FLOATS = ("f8", "f4")
INTEGER_ONLY = {"bitand", "bitor", "bitxor", "lshift", "rshift", "invert", "gcd", "lcm"}
BOOL_ONLY = {"and", "or"}
ORDERS = WITH_ORDER - {"ldexp"}
TO_INT = {"i8", "ifloor", "iceil", "iround"}
SCOPE: dict[str, Any] = {"math": math, "np": np, "nb": nb}
for _name, _f in RUNTIME_HELPERS.items():
    exec("from __future__ import annotations\n" + inspect.getsource(_f), SCOPE)
    SCOPE[_name] = nb.njit(error_model="numpy")(SCOPE[_name])
POINTS: dict[str, list[Any]] = {
    "f8": [-2.5, -1.0, -0.0, 0.0, 0.3, 1.0, 2.5, 7.25, math.inf, -math.inf, math.nan],
    "f4": [-2.5, -1.0, -0.0, 0.0, 0.25, 1.0, 2.5, 7.25],
    "i8": [-7, -2, -1, 0, 1, 3, 6],
    "b1": [False, True],
}


def spelled(p: Primitive, operands: tuple[str, ...]) -> str:
    """A primitive in Python, as the printer writes it."""
    if "{" in p.template:
        return p.template.format(*operands)
    return f"{operands[0]} {p.template} {operands[1]}"


def accepts(p: Primitive, kinds: tuple[str, ...]) -> bool:
    """Whether the frontend gives such operands to a primitive."""
    if p.name in BOOL_ONLY:
        return set(kinds) == {"b1"}
    if p.name in INTEGER_ONLY:
        allowed = {"i8"} if p.name in ("gcd", "lcm") else {"i8", "b1"}
        return set(kinds) <= allowed
    if p.name == "fmod":
        return bool(set(kinds) & set(FLOATS))
    if p.name in ORDERS:
        return kinds[0] == "i8"
    if p.name == "ldexp":
        return kinds[1] == "i8"
    if p.name == "sinc":
        return kinds != ("b1",)
    return p.name != "select" or kinds[0] == "b1"


def program(kinds: tuple[str, ...]) -> tuple[list[Primitive], Callable[..., Any]]:
    """A function that evaluates every primitive on operands of given kinds, in rows of 20
    (Numba unpacks no longer tuples)."""
    chosen = [p for p in PRIMITIVES.values() if p.arity == len(kinds) and accepts(p, kinds)]
    names = tuple(f"a{i}" for i in range(len(kinds)))
    lines = [f"    r{i} = {spelled(p, names)}" for i, p in enumerate(chosen)]
    results = [f"r{i}" for i in range(len(chosen))]
    rows = ", ".join(
        f"({', '.join(row)},)" for row in [results[i : i + 20] for i in range(0, len(results), 20)]
    )
    scope: dict[str, Any] = dict(SCOPE)
    exec("\n".join([f"def f({', '.join(names)}):", *lines, f"    return ({rows},)"]), scope)
    return chosen, scope["f"]


@pytest.fixture(scope="module", autouse=True)
def _numba_ready() -> None:
    nb.njit(lambda x: x + 1)(1)
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()


def combinations(arity: int) -> list[tuple[str, ...]]:
    """The operand kinds to check types for."""
    if arity == 3:
        return [("b1", a, b) for a in KINDS for b in KINDS]
    return list(itertools.product(KINDS, repeat=arity))


@pytest.mark.parametrize("arity", [1, 2, 3])
def test_result_types(arity: int) -> None:
    """Numba infers the declared result type for every kind of operands."""
    wrong = []
    for kinds in combinations(arity):
        chosen, f = program(kinds)
        signature = tuple(KINDS[k] for k in kinds)
        typed = typed_passes.type_inference_stage(  # type: ignore[no-untyped-call]
            cpu_target.typing_context,
            cpu_target.target_context,
            compiler.run_frontend(f),
            signature,
            None,
            {},
        )  # type: ignore[no-untyped-call]
        for p, found in zip(chosen, itertools.chain(*typed.return_type), strict=True):
            declared = p.result_type(*(Scalar(k) for k in kinds))
            if NAMES.get(found, str(found)) != declared.kind:
                wrong.append((p.name, kinds, str(found), declared.kind))
    assert not wrong


def comparable(p: Primitive, point: tuple[float, ...]) -> bool:
    """Whether the result is defined: no shifts by negative amounts, no int of infinity."""
    if p.name in TO_INT:
        return math.isfinite(point[0])
    if p.name in ("lshift", "rshift"):
        return 0 <= point[1] < 64
    if p.name in ("pow", "floordiv", "mod") and all(isinstance(a, int) for a in point):
        return point[1] > 0  # division by zero is checked by the frontend
    if p.name == "reciprocal" and isinstance(point[0], int):
        return point[0] != 0
    if p.name == "gamma" and math.isfinite(point[0]):
        return point[0] > 0  # poles: infinite or NaN
    if p.name == "digamma":
        return point[0] not in (0.0, -math.inf)
    if p.name in ORDERS:
        return point[0] >= 0 and (p.name != "polygamma" or point[0] > 0 and point[1] > 0)
    return True


def same(a: Any, b: Any, kind: str) -> bool:
    """Equality up to rounding; NaN equals NaN."""
    if isinstance(b, float):
        return (
            math.isnan(a)
            if math.isnan(b)
            else (
                a == b or math.isclose(a, b, rel_tol=1e-12 if kind == "f8" else 1e-5, abs_tol=1e-30)
            )
        )
    return bool(a == b)


@pytest.mark.parametrize(
    "kinds",
    [
        ("f8",),
        ("f4",),
        ("i8",),
        ("b1",),
        ("f8", "f8"),
        ("f4", "f4"),
        ("i8", "i8"),
        ("f8", "i8"),
        ("i8", "f8"),
        ("b1", "f8", "f8"),
    ],
    ids=",".join,
)
def test_values(kinds: tuple[str, ...]) -> None:
    """The compiled template and the evaluator agree, at singular points as well."""
    chosen, f = program(kinds)
    compiled = nb.njit(tuple(KINDS[k] for k in kinds), error_model="numpy")(f)
    wrong = []
    values: list[list[Any]] = [POINTS[k] for k in kinds]
    for point in itertools.product(*values):
        if kinds[-1] == "i8" and len(kinds) == 2 and point[0] == 0 and point[1] < 0:
            continue  # 0 ** -1: Numba raises ZeroDivisionError under every error model
        for p, found in zip(chosen, itertools.chain(*compiled(*point)), strict=True):
            if comparable(p, point):
                kind = p.result_type(*(Scalar(k) for k in kinds)).kind
                expected = p.evaluate(*point)
                if not same(found, expected, kind):
                    wrong.append((p.name, point, found, expected))
    assert not wrong
