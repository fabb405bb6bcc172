"""Names and attributes: what a name means, and what a function sees of the world around it.

Captured numbers are frozen into the code and guarded; captured arrays become hidden arguments;
everything else (functions, modules, strings) is known at compile time.
"""

from __future__ import annotations

import ast
import builtins
import cmath
import math
import types
from typing import Any

import numpy as np

from srcad.frontend import threads
from srcad.frontend.core import ATTRIBUTES, EXPR, METHODS, PLAIN, Lowering, handles
from srcad.frontend.source import of_library
from srcad.frontend.values import (
    UNBOUND,
    FunctionV,
    MethodV,
    Record,
    SliceV,
    Static,
    Tuple,
    describe,
    is_array,
    is_scalar,
)
from srcad.ir.build import const
from srcad.ir.nodes import Const
from srcad.ir.types import C8, C16, Scalar
from srcad.library import LIBRARY_METHODS
from srcad.paths import Path

# what these modules hold is looked at once: nobody replaces np.sin between two calls
FIXED = (
    *("numpy", "math", "cmath", "numpy.linalg", "numpy.random"),
    *("numba", "scipy.special", "operator"),
)


def number(lo: Lowering, v: Any, node: Any) -> Const:
    """A Python number as a constant."""
    if isinstance(v, int) and not -(1 << 63) <= v < (1 << 63):
        lo.fail(
            node,
            f"the integer {v} does not fit in 64 bits",
            "ints are 64-bit numbers in compiled code",
            f"use a float: {float(v)!r}",
        )
    return const(v)


@handles(EXPR, ast.Name)
def name_expression(lo: Lowering, node: ast.Name) -> Any:
    """A name: local, enclosing function, global, builtin."""
    return lo.read(name_value(lo, node), node, node.id)


def name_value(lo: Lowering, node: ast.Name) -> Any:
    """What a name is bound to, not yet checked for being unbound."""
    name, frame = node.id, lo.frame
    if name in frame.env:
        return frame.env[name]
    if name in frame.local:
        return UNBOUND
    outer = frame.outer
    while outer is not None:
        if name in outer.env:
            return outer.env[name]
        if name in outer.local:
            return UNBOUND
        outer = outer.outer
    src = frame.source
    if name in src.closure:
        return captured(lo, src.closure[name], cell_path(src, name), node)
    if name in src.globals:
        table = src.globals
        return captured(lo, table[name], Path(table).item(name), node)
    if hasattr(builtins, name):
        return Static(getattr(builtins, name))
    lo.fail(node, f"name {name!r} is not defined", PLAIN)


def cell_path(src: Any, name: str) -> Path | None:
    """How to read a closure cell again (a nested function sees those of the one around it)."""
    cell = src.cells.get(name)
    return None if cell is None else Path(cell).cell()


def captured(lo: Lowering, obj: Any, path: Any, node: Any) -> Any:
    """An object of the user's program seen from inside the function."""
    if lo.frame is not None and of_library(lo.frame.source):
        path = None  # srcad's own text sees what does not change: nothing to guard
    if isinstance(obj, (bool, np.bool_)):
        return guard(lo, obj, path, const(bool(obj)))
    if isinstance(obj, (int, np.integer)):
        return guard(lo, obj, path, number(lo, int(obj), node))
    if isinstance(obj, np.float32):
        return guard(lo, obj, path, Const(float(obj), Scalar("f4")))
    if isinstance(obj, (float, np.floating)):
        return guard(lo, obj, path, const(float(obj)))
    if isinstance(obj, (complex, np.complex64)):
        kind = C8 if isinstance(obj, np.complex64) else C16
        return guard(lo, obj, path, Const(complex(obj), kind))
    if isinstance(obj, np.ndarray):
        from srcad.frontend.arguments import capture_array

        return capture_array(lo, obj, path, node)
    if isinstance(obj, (list, dict)) and path is not None:  # they may grow, or get other keys
        if isinstance(obj, dict):
            lo.program.guards.append((path.keys(), tuple(obj)))
        else:
            lo.program.guards.append((path.length(), len(obj)))
    if isinstance(obj, (tuple, list)):
        items = tuple(captured(lo, x, step(path, k), node) for k, x in enumerate(obj))
        named = type(obj) if hasattr(obj, "_fields") else None
        return Tuple(items, list if isinstance(obj, list) else named)
    if isinstance(obj, dict) and all(isinstance(k, (str, int)) for k in obj):
        return Record(dict, {k: captured(lo, x, step(path, k), node) for k, x in obj.items()})
    if path is not None and not isinstance(obj, types.BuiltinFunctionType):
        lo.program.guards.append((path, obj))
    return Static(obj, path)


def step(path: Any, key: Any) -> Any:
    """Path of an item of a captured container."""
    return None if path is None else path.item(key)


def guard(lo: Lowering, obj: Any, path: Any, value: Const) -> Const:
    """A captured number is frozen into the code, which holds only while it keeps its value."""
    if path is not None:
        lo.program.guards.append((path, obj))
    return value


@handles(EXPR, ast.Attribute)
def attribute(lo: Lowering, node: ast.Attribute) -> Any:
    """``value.name``."""
    owner = lo.read(lo.expr(node.value), node.value)
    return get_attribute(lo, owner, node.attr, node)


def get_attribute(lo: Lowering, owner: Any, name: str, node: Any) -> Any:
    """An attribute of an abstract value."""
    if isinstance(owner, Static):
        of_threads = threads.attribute(lo, owner.obj, name, node)
        if of_threads is not None:
            return of_threads
        try:
            obj = getattr(owner.obj, name)
        except AttributeError:
            what = getattr(owner.obj, "__name__", repr(owner.obj))
            lo.fail(node, f"{what} has no attribute {name!r}", PLAIN)
        where = owner.path
        path = None if where is None else where.attr(name)
        if isinstance(owner.obj, types.ModuleType) and owner.obj.__name__ in FIXED:
            path = None  # the guard of the module is enough
        elif isinstance(owner.obj, types.ModuleType) and path is None:
            path = Path(owner.obj).attr(name)
        if isinstance(obj, (float, complex)) and owner.obj in (np, math, cmath):
            return const(obj)
        return captured(lo, obj, path, node)
    if isinstance(owner, (Record, Tuple)) and owner.cls not in (None, list, dict):
        found = member_of(lo, owner, name, node)
        if found is not None:
            return found
    if isinstance(owner, SliceV) and name in ("start", "stop", "step"):
        bound = getattr(owner, name)
        return Static(None) if bound is None else bound
    if (is_array(owner) or is_scalar(owner)) and name in ATTRIBUTES:
        return ATTRIBUTES[name](lo, owner, node)
    kind = "array" if is_array(owner) else "scalar" if is_scalar(owner) else type(owner).__name__
    if f"{kind}.{name}" in METHODS or kind == "array" and name in LIBRARY_METHODS:
        return MethodV(owner, name)
    lo.fail(
        node,
        f"{describe(owner)} has no attribute {name!r} that srcad supports",
        instead="use a NumPy function, or write it out",
    )


def member_of(lo: Lowering, owner: Record | Tuple, name: str, node: Any) -> Any:
    """A field, method, property or class attribute of a dataclass or namedtuple; else ``None``."""
    from srcad.frontend.calls import call_value
    from srcad.frontend.source import get_source

    fields = owner.fields if isinstance(owner, Record) else named(owner)
    if name in fields:
        return fields[name]
    if name in ("_replace", "_asdict") and isinstance(owner, Tuple):
        return MethodV(owner, name)
    member = getattr(owner.cls, name, None)
    if isinstance(member, types.FunctionType):
        return FunctionV(get_source(member), bound=(owner,))
    if isinstance(member, property) and member.fget is not None:
        return call_value(lo, FunctionV(get_source(member.fget)), [owner], {}, node)
    if member is None or isinstance(owner, Tuple) and hasattr(tuple, name):
        return None
    return captured(lo, member, None, node)


def named(owner: Tuple) -> dict[str, Any]:
    """The items of a namedtuple by their names."""
    return dict(zip(owner.cls._fields, owner.items, strict=True))  # type: ignore[union-attr]
