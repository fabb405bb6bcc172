"""Arguments: from specs to typed parameters and abstract values, and captured arrays.

In: the spec of an argument (``srcad.specs``).  Out: its abstract value; its leaves become
parameters of the IR function.  A captured array becomes a hidden parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.errors import TypeMismatch
from srcad.frontend.core import Capture, Lowering
from srcad.frontend.values import Record, Static, Tuple
from srcad.ir.layout import view_layout
from srcad.ir.nodes import Var
from srcad.ir.types import ArrayT
from srcad.paths import Path
from srcad.specs import (
    Leaf,
    Node,
    Opaque,
    Spec,
    array_type,
    build,
    item_of,
    leaf_of,
    leaf_specs,
    leaves_of,
    pairs,
    part_of,
    rebuild,
    scalar_type,
    spec_of,
    unpaired,
    whole_type,
    wholes,
)

__all__ = [  # what a spec is belongs to an argument
    "Leaf",
    "Node",
    "Opaque",
    "Spec",
    "array_type",
    "build",
    "capture_array",
    "child_name",
    "item_of",
    "leaf_of",
    "leaf_specs",
    "leaves_of",
    "pairs",
    "parameter",
    "part_of",
    "rebuild",
    "scalar_type",
    "spec_of",
    "unpaired",
    "whole_type",
    "wholes",
]


def parameter(lo: Lowering, name: str, spec: Spec, params: list[Var]) -> Any:
    """Abstract value of an argument; its leaves become parameters."""
    if isinstance(spec, Leaf):
        v = lo.b.var(name, spec.type)
        params.append(v)
        return as_complex(lo, v) if spec.part == "pairs" else v
    if isinstance(spec, Opaque):
        obj = spec.obj
        return Static(obj, Path(obj))
    items = [
        parameter(lo, child_name(name, k, spec), p, params)
        for k, p in zip(spec.keys, spec.parts, strict=True)
    ]
    if spec.kind == "complex":
        return lo.b.op("complex", *items, hint=name)
    if spec.kind == "dict":
        return Record(dict, dict(zip(spec.keys, items, strict=True)))
    if spec.kind == "dataclass":
        return Record(spec.cls, dict(zip(spec.keys, items, strict=True)))
    return Tuple(tuple(items), {"namedtuple": spec.cls, "list": list}.get(spec.kind))


def as_complex(lo: Lowering, v: Var) -> Var:
    """The complex array whose pairs are a parameter."""
    out = lo.b.view(v, "complex", (), view_layout(v.type, "complex", ()), v.hint)  # type: ignore[arg-type]
    lo.roots[out.name] = frozenset([v.name])
    return lo.note_shape(out)


def child_name(name: str, key: Any, spec: Node) -> str:
    """Name of the parameter for an item of a structured argument."""
    fields = getattr(spec.cls, "_fields", None)
    label = fields[key] if fields is not None else key
    return f"{name}_{label}" if str(label).isidentifier() or isinstance(label, int) else f"{name}_k"


def capture_array(lo: Lowering, obj: np.ndarray, path: Any, node: Any) -> Var:
    """An array seen from inside the function becomes a hidden argument."""
    known = lo.program.captures.get(id(obj))
    if known is not None:
        if path is not None and isinstance(known.path, Path):
            lo.program.guards.append((path.same(known.path), True))
        if known.value is not None:
            return known.value
        if known.var.name not in lo.shapes:
            at_the_top(lo, lambda: lo.shape(known.var))
        return known.var
    try:
        t = array_type(obj, "a captured array")
    except TypeMismatch as e:
        lo.mismatch(node, e.what, e.why, e.instead)
    hint = getattr(node, "id", None) or getattr(node, "attr", None) or "captured"
    t = ArrayT(t.dtype, t.ndim, t.layout, False)
    leaf = leaf_of(t)
    assert isinstance(leaf, Leaf)
    v = lo.b.var(hint, leaf.type)
    capture = lo.program.captures[id(obj)] = Capture(path or Path(obj), v, obj)

    def known_there() -> None:
        if leaf.part == "pairs":
            capture.value = as_complex(lo, v)
        else:
            lo.shape(v)

    at_the_top(lo, known_there)
    return capture.value or v


def at_the_top(lo: Lowering, do: Callable[[], Any]) -> None:
    """Emit at the top of the function, so that it is known everywhere (sizes, as a rule)."""
    here = len(lo.b.stack[0])
    lo.b.stack.append(lo.b.stack[0])
    do()
    lo.b.stack.pop()
    sizes = lo.b.stack[0][here:]
    del lo.b.stack[0][here:]
    lo.b.stack[0][:0] = sizes
