"""Programs that apply every elementwise function of the registry at once.

A program takes an array ``x`` of first operands and an array ``y`` of second ones, one row for each
function, and gives a tuple with one result for each; a ``Layout`` says how a row becomes an operand
(a number, a vector, a strided view, ...).  So one compilation tests a shape for all functions.
"""

from __future__ import annotations

import linecache
import operator
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcad.ir.primitives import PRIMITIVES, WITH_ORDER
from srcad.rules import FUNCTIONS, RULES, is_zero

SCALAR_ONLY = {"math", "builtins", "srcad"}


@dataclass(frozen=True)
class Row:
    """One function: its spelling in the program, and the intervals of its operands."""

    name: str
    f: Callable[..., Any]
    text: str  # with {0}, {1}
    domain: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Layout:
    """How an operand is taken from its row: the shape of a row, and the expression."""

    label: str
    shape: tuple[int, ...]
    text: str = "{0}[{1}]"


SCALAR = Layout("scalar", ())
VECTOR = Layout("vector", (3,))
MATRIX = Layout("matrix", (2, 3))
ZERO_D = Layout("0-d", (), "{0}[{1}:{2}].reshape(())")
EMPTY = Layout("empty", (0,))
STRIDED = Layout("strided", (5,), "{0}[{1}, ::2]")
REVERSED = Layout("reversed", (3,), "{0}[{1}, ::-1]")
TURNED = Layout("transposed", (3, 2), "{0}[{1}].T")
COLUMN = Layout("column", (2, 1))
ROW = Layout("row", (1, 3))
LAYOUTS = [  # of the first and of the second operand
    (SCALAR, SCALAR),
    (VECTOR, SCALAR),
    (SCALAR, VECTOR),
    (MATRIX, VECTOR),
    (VECTOR, MATRIX),
    (COLUMN, ROW),
    (ROW, COLUMN),
    (ZERO_D, ZERO_D),
    (ZERO_D, VECTOR),
    (STRIDED, ZERO_D),
    (EMPTY, EMPTY),
    (EMPTY, SCALAR),
    (REVERSED, STRIDED),
    (TURNED, MATRIX),
]


def module_of(f: Callable[..., Any]) -> str:
    """The first part of a function's module (ufuncs have none)."""
    return str(getattr(f, "__module__", "numpy")).split(".")[0]


def spelling(name: str, f: Callable[..., Any], label: str) -> str:
    """A call, or an operator."""
    template = PRIMITIVES[name].template
    if module_of(f) == "_operator" and "{" not in template:
        return f"({{0}} {template} {{1}})"
    if module_of(f) == "_operator" and f is not operator.abs:
        return f"({template})"
    if name == "select":
        return f"{label}({{0}} > 0.1, {{0}}, {{1}})"
    orders = {"ldexp": "{0}, 2"} | dict.fromkeys(WITH_ORDER - {"ldexp"}, "2, {0}")
    operands = orders.get(name, ", ".join(f"{{{k}}}" for k in range(PRIMITIVES[name].arity)))
    return f"{label}({operands})"


def rows(arrays: bool, zeros: bool = False, aliases: bool = True) -> list[Row]:
    """The functions with a derivative (or those without): on numbers, or those for arrays too."""
    found, seen = [], set()
    for k, (f, name) in enumerate(FUNCTIONS.items()):
        module = module_of(f)
        scalar_only = module in SCALAR_ONLY and f is not abs
        if name == "f4" or is_zero(name) != zeros or arrays and (scalar_only or name == "f8"):
            continue
        if aliases or name not in seen:
            domain = RULES[name].domain
            if name in WITH_ORDER:
                domain = (domain[0 if name == "ldexp" else 1],)
            if name == "select":
                domain = domain[1:]
            found.append(Row(name, f, spelling(name, f, f"f{k}"), domain))
            seen.add(name)
    return found


def program(chosen: list[Row], left: Layout, right: Layout, total: bool = False) -> Any:
    """The function of ``x`` and ``y`` (``total``: the sum of its results, which are numbers)."""

    def operand(layout: Layout, array: str, i: int) -> str:
        return layout.text.format(array, i, i + 1)

    calls = [
        r.text.format(operand(left, "x", i), operand(right, "y", i)) for i, r in enumerate(chosen)
    ]
    lines = [f"    r{i} = {c}\n" for i, c in enumerate(calls)]
    joint = " + " if total else ", "
    result = joint.join(f"r{i}" for i in range(len(calls)))
    text = f"def f(x, y):\n{''.join(lines)}    return {result}{'' if total else ','}\n"
    name = f"<elementwise {left.label} {right.label} {len(chosen)} {total}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    scope: dict[str, Any] = {f"f{k}": f for k, f in enumerate(FUNCTIONS)}
    exec(compile(text, name, "exec"), scope)
    return scope["f"]


def operands(
    chosen: list[Row], left: Layout, right: Layout, dtype: Any = np.float64, seed: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Random operands from the functions' domains; unary functions leave theirs in ``y`` unused."""
    out = []
    for k, layout in enumerate((left, right)):
        a = np.empty((len(chosen), *layout.shape))
        for i, r in enumerate(chosen):
            rnd = random.Random(f"{r.name} {k} {seed}")
            low, high = r.domain[k] if k < len(r.domain) else (0.5, 1.0)
            flat = [rnd.uniform(low, high) for _ in range(a[i].size)]
            a[i] = np.reshape(flat, layout.shape)
        out.append(a.astype(dtype))
    return out[0], out[1]
