"""Reading from an array in which only one constant is ever written gives that constant.

In: one function.  Out: the same function without such reads.  A reverse sweep that was made before
shapes were known records sizes; once they are constants, so is what is read back.

Invariant: a program reads no element that it has not written, unless the array starts as zeros.
Limits: arrays that are only read and written by element.
"""

from __future__ import annotations

from dataclasses import replace

from srcad.ir.nodes import Alloc, Atom, Const, Function, Load, Store, Var
from srcad.ir.types import ArrayT
from srcad.ir.walk import blocks, operands, rewrite_block, statements
from srcad.transforms.program import key

WHOLE = ("f8", "f4", "i8", "b1")  # element types that keep every value of their kind


def run(fn: Function) -> Function:
    """The function with such reads replaced."""
    cells = _constants(fn)
    known = {
        s.target.name: cells[s.array.name]
        for s in statements(fn.body)
        if isinstance(s, Load) and s.array.name in cells
    }

    def use(a: Atom) -> Atom:
        found = known.get(a.name) if isinstance(a, Var) else None
        return found if found is not None and found.type == a.type else a

    return replace(fn, body=rewrite_block(fn.body, use, lambda v: v)) if known else fn


def _constants(fn: Function) -> dict[str, Const]:
    """Arrays that hold nothing but one constant."""
    made: dict[str, bool] = {}
    found: dict[str, list[Atom]] = {}
    other = {y.name for y in fn.body.yields if isinstance(y, Var)}
    for s in statements(fn.body):
        if isinstance(s, Alloc) and isinstance(s.target.type, ArrayT):
            if s.target.type.dtype in WHOLE:
                made[s.target.name] = s.zero
        used = operands(s)
        if isinstance(s, (Load, Store)):
            used = tuple(a for a in used if a is not s.array)
        if isinstance(s, Store):
            found.setdefault(s.array.name, []).append(s.value)
        other |= {a.name for a in used if isinstance(a, Var)}
        other |= {y.name for b in blocks(s) for y in b.yields if isinstance(y, Var)}
    out: dict[str, Const] = {}
    for name, values in found.items():
        first = values[0]
        if name in made and name not in other and isinstance(first, Const):
            if all(key(v) == key(first) for v in values) and not (made[name] and first.value):
                out[name] = first
    return out
