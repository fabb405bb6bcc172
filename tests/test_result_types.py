"""Dtypes of elementwise results on arrays against Numba's type inference.

(``tests/test_rules_numba.py`` does the same for primitives of numbers.)
"""

from __future__ import annotations

import itertools
import linecache
from typing import Any

import numba as nb
import numpy as np
import pytest
from numba.core import compiler, typed_passes
from numba.core.errors import NumbaError
from numba.core.registry import cpu_target

import srcad
from srcad.errors import SrcadError
from srcad.frontend.arguments import spec_of
from srcad.ir.primitives import PRIMITIVES
from srcad.rules import FUNCTIONS
from tests import elementwise
from tests.elementwise import Row

KINDS: dict[str, Any] = {"f8": np.float64, "f4": np.float32, "i8": np.int64, "b1": np.bool_}
NUMBA = {"f8": nb.float64, "f4": nb.float32, "i8": nb.int64, "b1": nb.boolean}
CODES = {nb.float64: "f8", nb.float32: "f4", nb.boolean: "b1"}
# where srcad does as NumPy does: differences of bools are refused, sinc of integers is no integer
# (Numba cuts it), +x of bools stays
DEVIATIONS = {
    ("sub", "b1", "b1"): "refused",
    ("neg", "b1"): "refused",
    ("positive", "b1"): "b1",
    ("sinc", "i8"): "f8",
}


def rows(arity: int) -> list[Row]:
    """The functions for arrays (``ldexp`` is given an exponent of its own)."""
    found = [*elementwise.rows(True, aliases=False), *elementwise.rows(True, True, False)]
    return [r for r in found if PRIMITIVES[r.name].arity == arity and r.name != "ldexp"]


def function(r: Row, names: tuple[str, ...]) -> Any:
    """A function that applies one to its arguments."""
    text = f"def f({', '.join(names)}):\n    return {r.text.format(*names)}\n"
    file = f"<type of {r.name} {r.text}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    scope: dict[str, Any] = {f"f{k}": f for k, f in enumerate(FUNCTIONS)}
    exec(compile(text, file, "exec"), scope)
    return scope["f"]


def by_numba(f: Any, kinds: tuple[str, ...], arrays: tuple[bool, ...]) -> str | None:
    """The dtype that Numba infers; ``None`` where it knows no such function."""
    signature = tuple(
        nb.types.Array(NUMBA[k], 1, "C") if a else NUMBA[k]
        for k, a in zip(kinds, arrays, strict=True)
    )
    contexts = cpu_target.typing_context, cpu_target.target_context
    try:
        ir = compiler.run_frontend(f)  # type: ignore[no-untyped-call]
        found = typed_passes.type_inference_stage(*contexts, ir, signature, None, {})  # type: ignore[no-untyped-call]
    except NumbaError:
        return None
    kind = found.return_type.dtype
    return CODES.get(kind, "i8" if isinstance(kind, nb.types.Integer) else str(kind))


def by_srcad(f: Any, kinds: tuple[str, ...], arrays: tuple[bool, ...]) -> str:
    """The dtype of the same here."""
    values = [
        np.ones(2, KINDS[k]) if a else KINDS[k](1) if k == "f4" else KINDS[k](1).item()
        for k, a in zip(kinds, arrays, strict=True)
    ]
    specs = {name: spec_of(v) for name, v in zip("xy", values, strict=False)}
    try:
        (out,) = srcad.differentiable(f, backend="reference").program(specs).fn.body.yields
    except SrcadError:
        return "refused"
    return str(out.type)[:2]


@pytest.fixture(scope="module", autouse=True)
def _numba_ready() -> None:
    nb.njit(lambda x: x + 1)(1)
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()


def compare(arity: int, chosen: list[tuple[tuple[str, ...], tuple[bool, ...]]]) -> int:
    """Assert that both agree; how many cases there were."""
    wrong, count = [], 0
    for r in rows(arity):
        f = function(r, ("x", "y")[:arity])
        for kinds, arrays in chosen:
            want = by_numba(f, kinds, arrays)
            if want is not None:
                want = DEVIATIONS.get((r.name, *kinds), want)
                found = by_srcad(f, kinds, arrays)
                count += 1
                if found != want:
                    wrong.append((r.name, kinds, arrays, found, want))
    assert not wrong
    return count


def test_one_operand() -> None:
    """Functions of one array."""
    assert compare(1, [((k,), (True,)) for k in KINDS]) > 100


def test_two_operands() -> None:
    """Functions of an array and a number of any kinds, of two arrays of some."""
    chosen = [(pair, (True, False)) for pair in itertools.product(KINDS, KINDS)]
    chosen += [(pair, (True, True)) for pair in (("f4", "i8"), ("b1", "f4"), ("i8", "b1"))]
    chosen += [(("f4", "f8"), (False, True)), (("b1", "b1"), (True, True))]
    assert compare(2, chosen) > 300
