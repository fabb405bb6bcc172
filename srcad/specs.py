"""Specs: the kinds of arguments and results, from Python objects and back.

A *spec* describes one argument at compile time: the structure (tuple, namedtuple, dict,
dataclass) with an IR type at each number or array.  Functions, strings, ``None`` and other
objects are part of the structure.  Specs are hashable: they are what a specialisation depends
on.  Two arguments of equal specs run the same code.

Every call needs this module, so it imports nothing of the compiler.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from srcad.errors import TypeMismatch
from srcad.ir.layout import view_layout
from srcad.ir.types import (
    B1,
    C8,
    C16,
    COMPLEX_DTYPES,
    DTYPES,
    F4,
    F8,
    I8,
    PART,
    ArrayT,
    Scalar,
    Type,
    is_complex,
    is_float,
    shadow_type,
)


@dataclass(frozen=True)
class Leaf:
    """A number or an array; ``part`` says what it is of a complex one.

    A complex number is a ``Node`` of two leaves, ``"real"`` and ``"imag"``; a complex array one
    leaf, ``"pairs"``: the same memory as floats, with a last axis of size 2.  ``derived``: it is a
    tangent or a cotangent.
    """

    type: Type
    part: str = ""
    derived: bool = dataclasses.field(default=False, compare=False)


@dataclass(frozen=True)
class Node:
    """A structure: ``kind`` is tuple, namedtuple, list, dict, dataclass or complex."""

    kind: str
    cls: Any
    keys: tuple[Any, ...]
    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Opaque:
    """An object that is part of the specialisation: compared by identity or value."""

    key: Any
    obj: Any = dataclasses.field(compare=False)


Spec = Leaf | Node | Opaque


def array_type(a: np.ndarray, what: str) -> ArrayT:
    """IR type of an array."""
    dt = a.dtype
    code = "b1" if dt == np.bool_ else f"{dt.kind}{dt.itemsize}"
    if type(a) not in (np.ndarray, np.memmap):
        raise TypeMismatch(
            f"{what} is of type {type(a).__name__}, which is not supported",
            why="subclasses of arrays give operators another meaning",
            instead="pass an ordinary array: np.asarray(...)",
        )
    if code not in DTYPES or not dt.isnative:
        order = " in foreign byte order" if not dt.isnative else ""
        raise TypeMismatch(
            f"{what} is an array of {dt.name}{order}, which is not supported",
            instead="pass an array of float64, float32, complex128, complex64, bool or of integers "
            "that fit in int64",
        )
    layout = "C" if a.flags.c_contiguous else "F" if a.flags.f_contiguous else "A"
    if code in COMPLEX_DTYPES and layout == "F":
        layout = "A"  # the pairs of a Fortran-ordered array are not Fortran-ordered
    return ArrayT(code, a.ndim, layout, bool(a.flags.writeable))


def leaf_of(t: Type) -> Spec:
    """Spec of a number or an array of a type of the frontend."""
    if not is_complex(t):
        return Leaf(t)
    if isinstance(t, ArrayT):
        return Leaf(view_layout(t, "pairs", ()), "pairs")
    assert isinstance(t, Scalar)
    cls = complex if t == C16 else np.complex64
    return Node("complex", cls, PARTS, tuple(Leaf(PART[t], p) for p in PARTS))


PARTS = ("real", "imag")


def whole_type(spec: Spec) -> Type | None:
    """Type of the frontend of a number or an array, complex ones as one; ``None`` of the rest."""
    if isinstance(spec, Node) and spec.kind == "complex":
        return C16 if spec.cls is complex else C8
    if not isinstance(spec, Leaf):
        return None
    if spec.part == "pairs":
        assert isinstance(spec.type, ArrayT)
        return view_layout(spec.type, "complex", ())
    return spec.type


def wholes(spec: Spec) -> Iterator[tuple[Type, int]]:
    """The numbers and arrays of a structure in order, and how many leaves each has."""
    t = whole_type(spec)
    if t is not None:
        yield t, 2 if isinstance(t, Scalar) and is_complex(t) else 1
    elif isinstance(spec, Node):
        for p in spec.parts:
            yield from wholes(p)


def pairs(a: np.ndarray) -> np.ndarray:
    """A complex array as floats with a last axis of size 2, in the same memory."""
    return a[..., np.newaxis].view(a.real.dtype)


def unpaired(a: np.ndarray) -> np.ndarray:
    """A complex array from its pairs, in the same memory where they lie side by side."""
    if a.strides[-1] != a.itemsize:
        a = np.ascontiguousarray(a)
    out: np.ndarray = a.view(np.complex64 if a.dtype == np.float32 else np.complex128)
    return out[..., 0]


def scalar_type(x: Any) -> Scalar | None:
    """IR type of a number, or ``None``."""
    if isinstance(x, (bool, np.bool_)):
        return B1
    if isinstance(x, np.float32):
        return F4
    if isinstance(x, (float, np.float64)):
        return F8
    if isinstance(x, (int, np.integer)):
        return I8
    if isinstance(x, (complex, np.complex64)):  # complex128 is a complex
        return C8 if isinstance(x, np.complex64) else C16
    return None


def spec_of(x: Any, what: str = "argument") -> Spec:
    """Spec of a Python object.

    Raises:
        TypeMismatch: arrays of unsupported dtypes, ints beyond 64 bits.
    """
    t = scalar_type(x)
    if t is not None:
        if t is I8 and not -(1 << 63) <= x < 1 << 63:
            raise TypeMismatch(
                f"{what} is an int that does not fit in 64 bits",
                why="ints are 64-bit numbers in compiled code",
                instead="pass a float",
            )
        return leaf_of(t)
    if isinstance(x, np.ndarray):
        return leaf_of(array_type(x, what))
    if isinstance(x, np.generic):
        raise TypeMismatch(
            f"{what} is of type {type(x).__name__}, which is not supported",
            instead="pass a float, a complex, an int, a bool or an array of them",
        )
    if isinstance(x, (tuple, list)):
        kind = "list" if isinstance(x, list) else "namedtuple" if hasattr(x, "_fields") else "tuple"
        parts = tuple(spec_of(v, part_of(what, f"[{k}]")) for k, v in enumerate(x))
        return Node(kind, type(x), tuple(range(len(x))), parts)
    if isinstance(x, dict):
        for k in x:
            if not isinstance(k, (str, int)):
                raise TypeMismatch(
                    f"{what} is a dict with the key {k!r}", instead="use strings or ints as keys"
                )
        return Node(
            "dict",
            dict,
            tuple(x),
            tuple(spec_of(v, part_of(what, f"[{k!r}]")) for k, v in x.items()),
        )
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        names = tuple(f.name for f in dataclasses.fields(x))
        parts = tuple(spec_of(getattr(x, n), part_of(what, f".{n}")) for n in names)
        return Node("dataclass", type(x), names, parts)
    if hasattr(x, "_numba_type_") or type(x).__module__.startswith("numba.typed"):
        raise TypeMismatch(
            f"{what} is of type {type(x).__name__}, which is not supported",
            why="typed containers and jitclasses hold state srcad cannot follow",
            instead="pass arrays, tuples or a dataclass of them",
        )
    key = x if isinstance(x, (str, bytes, type(None))) else ("id", id(x))
    return Opaque(key, x)


def part_of(what: str, step: str) -> str:
    """Name of a part of an argument: ``argument 'p.w'``."""
    return f"{what[:-1]}{step}'" if what.endswith("'") else what + step


def leaves_of(x: Any, spec: Spec) -> Iterator[Any]:
    """Numbers and arrays of an argument, in the order of its parameters."""
    if isinstance(spec, Leaf):
        yield pairs(x) if spec.part == "pairs" else x
    elif isinstance(spec, Node):
        for key, part in zip(spec.keys, spec.parts, strict=True):
            yield from leaves_of(item_of(x, spec, key), part)


def item_of(x: Any, spec: Node, key: Any) -> Any:
    """Child of a structured argument."""
    return getattr(x, key) if spec.kind in ("dataclass", "complex") else x[key]


def rebuild(spec: Spec, leaves: Iterator[Any], default: Callable[[Any], Any]) -> Any:
    """A structure like ``spec`` with the given leaves; ``default`` makes what is no leaf."""
    if isinstance(spec, Leaf):
        leaf = next(leaves)
        paired = spec.part == "pairs" and isinstance(leaf, np.ndarray)
        return unpaired(leaf) if paired else leaf
    if isinstance(spec, Opaque):
        return default(spec.obj)
    items = [rebuild(p, leaves, default) for p in spec.parts]
    return build(spec, items)


def build(spec: Node, items: list[Any]) -> Any:
    """A container like ``spec`` with other items."""
    if spec.kind == "complex":
        return None if None in items else spec.cls(complex(*items))
    if spec.kind == "dict":
        return dict(zip(spec.keys, items, strict=True))
    if spec.kind == "dataclass":
        out = object.__new__(spec.cls)
        for name, v in zip(spec.keys, items, strict=True):
            object.__setattr__(out, name, v)
        return out
    return spec.cls(*items) if spec.kind == "namedtuple" else spec.cls(items)


def leaf_specs(spec: Spec) -> Iterator[Leaf]:
    """The leaves of a spec in order."""
    if isinstance(spec, Leaf):
        yield spec
    elif isinstance(spec, Node):
        for p in spec.parts:
            yield from leaf_specs(p)


def gradient_spec(spec: Spec) -> Spec:
    """Structure of a cotangent: floats stay, everything else becomes ``None``."""
    if isinstance(spec, Leaf):
        return replace(spec, derived=True) if is_float(spec.type) else Opaque(None, None)
    if isinstance(spec, Node):
        return replace(spec, parts=tuple(map(gradient_spec, spec.parts)))
    return Opaque(None, None)


def pack(parts: tuple[Spec, ...]) -> Node:
    """A plain tuple of specs."""
    return Node("tuple", tuple, tuple(range(len(parts))), parts)


def shadow_spec(spec: Spec) -> Spec:
    """Structure of a shadow: numbers become one-element arrays, ints vanish."""
    if isinstance(spec, Leaf):
        if not is_float(spec.type):
            return Opaque(None, None)
        if isinstance(spec.type, Scalar):
            return Leaf(ArrayT(spec.type.kind, 1, "C"), derived=True)
        return Leaf(shadow_type(spec.type), spec.part, derived=True)
    if isinstance(spec, Node):
        return replace(spec, parts=tuple(map(shadow_spec, spec.parts)))
    return Opaque(None, None)


def parts_of(spec: Spec) -> tuple[Any, ...]:
    """A spec as a tuple of literals, and of the classes and objects in it."""
    if isinstance(spec, Leaf):
        return ("leaf", repr(spec.type), spec.part)
    if isinstance(spec, Node):
        return ("node", spec.kind, spec.cls, spec.keys, tuple(map(parts_of, spec.parts)))
    return ("opaque", spec.obj)
