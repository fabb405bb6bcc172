"""Arguments: from specs to typed parameters and abstract values, and captured arrays.

In: the spec of an argument (``srcad.specs``).  Out: its abstract value; its leaves become
parameters of the IR function.  A captured array becomes a hidden parameter.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.errors import TypeMismatch
from srcad.frontend.core import Capture, Lowering
from srcad.frontend.values import Record, Static, Tuple
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
    leaf_specs,
    leaves_of,
    part_of,
    rebuild,
    scalar_type,
    spec_of,
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
    "leaf_specs",
    "leaves_of",
    "parameter",
    "part_of",
    "rebuild",
    "scalar_type",
    "spec_of",
]


def parameter(lo: Lowering, name: str, spec: Spec, params: list[Var]) -> Any:
    """Abstract value of an argument; its leaves become parameters."""
    if isinstance(spec, Leaf):
        v = lo.b.var(name, spec.type)
        params.append(v)
        return v
    if isinstance(spec, Opaque):
        obj = spec.obj
        return Static(obj, Path(obj))
    items = [
        parameter(lo, child_name(name, k, spec), p, params)
        for k, p in zip(spec.keys, spec.parts, strict=True)
    ]
    if spec.kind == "dict":
        return Record(dict, dict(zip(spec.keys, items, strict=True)))
    if spec.kind == "dataclass":
        return Record(spec.cls, dict(zip(spec.keys, items, strict=True)))
    return Tuple(tuple(items), {"namedtuple": spec.cls, "list": list}.get(spec.kind))


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
        if known.var.name not in lo.shapes:
            sizes_at_the_top(lo, known.var)
        return known.var
    try:
        t = array_type(obj, "a captured array")
    except TypeMismatch as e:
        lo.mismatch(node, e.what, e.why, e.instead)
    hint = getattr(node, "id", None) or getattr(node, "attr", None) or "captured"
    t = ArrayT(t.dtype, t.ndim, t.layout, False)
    v = lo.b.var(hint, t)
    lo.program.captures[id(obj)] = Capture(path or Path(obj), v, obj)
    sizes_at_the_top(lo, v)
    return v


def sizes_at_the_top(lo: Lowering, v: Var) -> None:
    """Read the sizes of a captured array at the top of the function, to be known everywhere."""
    here = len(lo.b.stack[0])
    lo.b.stack.append(lo.b.stack[0])
    lo.shape(v)
    lo.b.stack.pop()
    sizes = lo.b.stack[0][here:]
    del lo.b.stack[0][here:]
    lo.b.stack[0][:0] = sizes
