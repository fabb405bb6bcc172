"""Abstract values: what a Python expression is at compile time.

The frontend is a partial evaluator.  Numbers and arrays are IR atoms; everything that gives a
program its structure (tuples, functions, ranges, modules, ``None``) is known at compile time and
never reaches the IR.  Composite values are trees whose leaves are IR atoms, so that a branch or
a loop joins them leaf by leaf.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcad.ir.nodes import Atom, Const, Var
from srcad.ir.types import ArrayT, ListT, Scalar, numpy_dtype
from srcad.paths import Path


@dataclass(frozen=True, eq=False)
class Static:
    """A Python object known at compile time: function, module, class, dtype, string, ``None``.

    ``path`` fetches the object again (how guards and captures notice a change).
    """

    obj: Any
    path: Path | None = None


@dataclass(frozen=True, eq=False)
class Tuple:
    """A tuple; ``cls`` is the namedtuple class where it is one.

    A list whose length is known at compile time, and which nobody changes, is one too: of class
    ``list``, which matters where it is an index.
    """

    items: tuple[Any, ...]
    cls: type | None = None


@dataclass(frozen=True, eq=False)
class Record:
    """A dataclass instance (``cls`` a class) or a dict with constant keys (``cls`` is dict)."""

    cls: type
    fields: dict[Any, Any]


@dataclass(frozen=True, eq=False)
class ListV:
    """A list that the program builds.

    ``cells`` mirrors the structure of an element with one growable IR list a leaf; ``length``
    is a one-element integer array, so that every alias of the list sees the same length.
    ``element`` is the structure with the type of each leaf; ``origin`` is the memo key under
    which a wider element type is recorded.
    """

    cells: Any
    length: Var
    element: Any
    origin: Any


@dataclass(frozen=True, eq=False)
class FunctionV:
    """A function of the user: a ``SourceFunction``, and the environment it was defined in."""

    source: Any
    env: dict[str, Any] | None = None
    frame: Any = None
    bound: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    separate: bool = False  # called as a function of its own, not expanded


@dataclass(frozen=True, eq=False)
class Choice:
    """One of two functions, by a condition known only at run time."""

    cond: Atom
    then: Any
    orelse: Any


@dataclass(frozen=True, eq=False)
class MethodV:
    """A method of an abstract value, not yet called: ``a.sum``, ``xs.append``."""

    owner: Any
    name: str


@dataclass(frozen=True, eq=False)
class RangeV:
    """``range(start, stop, step)``."""

    start: Atom
    stop: Atom
    step: Atom
    parallel: bool = False


@dataclass(frozen=True, eq=False)
class IterV:
    """``enumerate``, ``zip``, ``reversed`` of other iterables."""

    kind: str
    parts: tuple[Any, ...]
    start: Atom = field(default_factory=lambda: Const(0, Scalar("i8")))


@dataclass(frozen=True, eq=False)
class SliceV:
    """``start:stop:step`` with atoms or ``None``."""

    start: Atom | None
    stop: Atom | None
    step: Atom | None


@dataclass(frozen=True, eq=False)
class Lazy:
    """A whole-array expression not yet computed, so that nested ones fuse into one loop.

    ``element(index)`` emits the code for one element.  ``reads`` are the arrays it reads, with
    ``True`` where only at the very same index.  ``dtype`` is an element dtype code.
    """

    shape: tuple[Atom, ...]
    dtype: str
    element: Callable[[tuple[Atom, ...]], Atom]
    reads: tuple[tuple[Var, bool], ...] = ()
    view: bool = False  # sees later writes to what it reads: never computed early


@dataclass(frozen=True, eq=False)
class Maybe:
    """A value that is bound only where ``flag`` is true (``none``: elsewhere it is ``None``)."""

    value: Any
    flag: Atom
    loc: Any = None
    none: bool = False


@dataclass(frozen=True, eq=False)
class Conflict:
    """A name whose values on two paths do not fit together; an error only when read."""

    reason: str


UNBOUND = Conflict("unbound")


def is_none(v: Any) -> bool:
    """Whether a value is ``None``."""
    return isinstance(v, Static) and v.obj is None


def is_array(v: Any) -> bool:
    """Whether ``v`` is an array or an unevaluated array expression."""
    return isinstance(v, Lazy) or isinstance(v, Var) and isinstance(v.type, ArrayT)


def is_scalar(v: Any) -> bool:
    """Whether ``v`` is a number."""
    return isinstance(v, (Var, Const)) and isinstance(v.type, Scalar)


def flatten(v: Any) -> tuple[list[Atom], Any]:
    """Leaves of a value, and a hashable description of the rest (for comparison and rebuild)."""
    if isinstance(v, (Var, Const)):
        return [v], "*"
    if isinstance(v, Tuple):
        parts = [flatten(x) for x in v.items]
        return [a for p in parts for a in p[0]], ("tuple", v.cls, tuple(p[1] for p in parts))
    if isinstance(v, Record):
        parts = [flatten(x) for x in v.fields.values()]
        shape = ("record", v.cls, tuple(v.fields), tuple(p[1] for p in parts))
        return [a for p in parts for a in p[0]], shape
    if isinstance(v, ListV):
        leaves, shape = flatten(v.cells)
        return [v.length, *leaves], ("list", shape, flatten(v.element)[1], Box(v))
    if isinstance(v, RangeV):
        return [v.start, v.stop, v.step], ("range", v.parallel)
    if isinstance(v, IterV):
        parts = [flatten(x) for x in v.parts]
        leaves = [a for p in parts for a in p[0]]
        return [v.start, *leaves], ("iter", v.kind, tuple(p[1] for p in parts))
    if isinstance(v, SliceV):
        bounds = [b for b in (v.start, v.stop, v.step) if b is not None]
        return bounds, ("slice", tuple(b is None for b in (v.start, v.stop, v.step)))
    if isinstance(v, Static):
        return [], ("static", Box(v))
    return [], ("opaque", Box(v))


@dataclass(frozen=True)
class Box:
    """A compile-time value inside a structure; equal when it means the same object."""

    value: Any = field(compare=False)
    key: Any = None

    def __post_init__(self) -> None:
        v = self.value
        key: Any = id(v)
        if isinstance(v, Static):
            key = ("static", id(v.obj))
            if isinstance(v.obj, (str, bytes, type(None))):
                key = ("static", v.obj)
        elif isinstance(v, FunctionV):
            key = ("function", id(v.source.node), id(v.env), v.bound, tuple(v.keywords.items()))
        elif isinstance(v, ListV):
            key = "list"
        object.__setattr__(self, "key", key)


def unflatten(shape: Any, leaves: list[Atom]) -> Any:
    """Inverse of ``flatten`` (consumes ``leaves`` from the front)."""
    it = iter(leaves)
    return _rebuild(shape, it)


def _rebuild(shape: Any, it: Any) -> Any:
    if shape == "*":
        return next(it)
    kind = shape[0]
    if kind == "tuple":
        return Tuple(tuple(_rebuild(s, it) for s in shape[2]), shape[1])
    if kind == "record":
        values = [_rebuild(s, it) for s in shape[3]]
        return Record(shape[1], dict(zip(shape[2], values, strict=True)))
    if kind == "list":
        length = next(it)
        old = shape[3].value
        return ListV(_rebuild(shape[1], it), length, old.element, old.origin)
    if kind == "range":
        return RangeV(next(it), next(it), next(it), shape[1])
    if kind == "iter":
        start = next(it)
        return IterV(shape[1], tuple(_rebuild(s, it) for s in shape[2]), start)
    if kind == "slice":
        return SliceV(*(None if missing else next(it) for missing in shape[1]))
    return shape[1].value


NUMBERS = {
    "f8": "a float",
    "f4": "a float32",
    "i8": "an int",
    "b1": "a bool",
    "c16": "a complex number",
    "c8": "a complex64",
}


def describe(v: Any) -> str:
    """What a value is, in words for an error message."""
    if isinstance(v, (Var, Const)):
        t = v.type
        if isinstance(t, ArrayT):
            return f"a {t.ndim}-D array of {numpy_dtype(t.dtype).name}"
        if isinstance(t, ListT):
            return "a list"
        return NUMBERS[t.kind]
    if isinstance(v, Lazy):
        return f"a {len(v.shape)}-D array of {numpy_dtype(v.dtype).name}"
    if isinstance(v, Tuple):
        return f"a tuple {brief(v)}" if v.items else "an empty tuple"
    if isinstance(v, Record):
        return "a dict" if v.cls is dict else f"a {v.cls.__name__}"
    if isinstance(v, ListV):
        return "a list"
    if isinstance(v, FunctionV):
        return f"the function {v.source.name}"
    if isinstance(v, Static):
        return describe_object(v.obj)
    if isinstance(v, MethodV):
        return f"the method {v.name}, which is not called here"
    if isinstance(v, Maybe):
        return describe(v.value)
    return {
        "RangeV": "a range",
        "Choice": "a function",
        "IterV": "an iterator",
        "SliceV": "a slice",
    }.get(type(v).__name__, "a value")


def brief(v: Any, depth: int = 2) -> str:
    """An item of a tuple in a word, a tuple in brackets."""
    if isinstance(v, Tuple):
        if depth == 0 or len(v.items) > 6:
            return f"({len(v.items)} items)"
        return f"({', '.join(brief(x, depth - 1) for x in v.items)})"
    return describe(v).removeprefix("a ").removeprefix("an ").removeprefix("the ")


def describe_object(obj: Any) -> str:
    """A Python object known at compile time, in words."""
    if isinstance(obj, types.ModuleType):
        return f"the module {obj.__name__}"
    if isinstance(obj, type):
        return f"the type {obj.__name__}"
    if callable(obj):
        return f"the function {getattr(obj, '__name__', type(obj).__name__)}"
    if isinstance(obj, (str, bytes)):
        return f"the string {obj!r}" if len(obj) < 40 else "a string"
    if obj is None or obj is Ellipsis or isinstance(obj, np.dtype):
        return repr(obj)
    return f"an object of type {type(obj).__name__}"
