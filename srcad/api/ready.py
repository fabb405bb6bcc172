"""What a call is compared with, so that most calls cost little more than their compiled code.

In: a specialisation that has run, and the arguments.  A ``Plan`` (``plan_of``) is for the gate
before compiled code (``backends.gate``), which an ``Entry`` calls without a step in Python.
``Ready`` serves a call that no gate takes: Numba's fingerprint of the arguments chooses it.

Invariant: nothing is called that ``Transformed.specialise`` would not have found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from srcad import options as settings
from srcad.api.specialisation import Specialisation
from srcad.backends.base import as_tuple
from srcad.ir.types import ArrayT, Scalar, is_complex
from srcad.specs import Leaf, Node, Spec, pairs, unpaired

if TYPE_CHECKING:
    from srcad.backends.gate import Plan
    from srcad.options import Options


class Ready:
    """A specialisation that has run, with what the next call is compared with.

    Numba's fingerprint of the arguments has chosen it; it holds rank, layout and element type of
    arrays, but says nothing of subclasses and foreign byte order, nor of the size of an integer.

    ``names`` and ``watched`` are captured values, compared by identity: where one is another
    object, ``Specialisation.valid`` decides.  The compiled function itself is called where nothing
    comes before or after it.
    """

    __slots__ = ("arrays", "integers", "names", "options", "planned", "run", "special", "watched")

    def __init__(self, options: Options, special: Specialisation, args: tuple[Any, ...]) -> None:
        self.options, self.special = options, special
        arrays = ((k, x) for k, x in enumerate(args) if isinstance(x, np.ndarray))
        self.arrays = tuple((k, x.dtype) for k, x in arrays)
        self.integers = tuple(k for k, x in enumerate(args) if isinstance(x, (int, np.int64)))
        watched = [(p, value) for p, value in special.face.guards]
        watched += [(p, special.arrays[k][1]) for k, (p, _) in enumerate(special.face.captures)]
        entries = {id(p): p.entry() for p, _ in watched}
        self.names = tuple((*entries[id(p)], v) for p, v in watched if entries[id(p)])
        self.watched = tuple((p.get, v) for p, v in watched if not entries[id(p)])
        self.planned = False  # whether a gate has been made
        self.run: Callable[..., Any] = special.simple
        if special.compiled is not None and not special.fetch and not special.extra:
            if special.spread is None and bare(special.face.out):
                self.run = special.compiled

    def fit(self, args: tuple[Any, ...]) -> bool:
        """Whether integers are numbers of 64 bits."""
        return all(-(1 << 63) <= args[k] < 1 << 63 for k in self.integers)


def plan_of(ready: Ready, args: tuple[Any, ...], **more: Any) -> Plan | None:
    """The plan for calls like one that ``ready`` has served, where compiled code may be called."""
    from srcad.backends.gate import Plan, entry_point

    special = ready.special
    if special.compiled is None:
        return None
    extra = tuple(
        pairs(x) if is_complex(t) else x
        for x, (_, t) in zip(special.kept, special.face.captures, strict=True)
    )
    extra += special.extra
    leaves = args if special.spread is None else special.spread(*args)
    entry = entry_point(special.compiled, (*leaves, *extra))
    if entry is None:
        return None
    names = ((vars(settings), "in_force", ready.options), *ready.names)
    if not more and not bare(special.face.out):
        more = {"shape": shape_of(special.face.out, special.face.results, False)}
        if not more["shape"]:
            more["finish"] = finishing(special)
    return Plan(entry, args, names, ready.watched, extra, spread=special.spread, **more)


class Entry:
    """An object whose call is that of another one, which each object has for itself.

    >>> e = Entry()
    >>> e.enter(abs)
    >>> e(-1)
    1
    """

    __slots__ = ("__call__",)
    __call__: Callable[..., Any]

    def enter(self, way: Callable[..., Any]) -> None:
        """Let a call of the object be one of ``way``."""
        Entry.__dict__["__call__"].__set__(self, way)  # a subclass may have a method of the name


def bare(spec: Spec) -> bool:
    """Whether a result is what compiled code returns: an array or a number, a tuple of several.

    >>> bare(Leaf(Scalar("f8"))), bare(Leaf(Scalar("f4")))
    (True, False)
    """
    if isinstance(spec, Leaf):
        return not spec.part and (isinstance(spec.type, ArrayT) or spec.type != Scalar("f4"))
    several = isinstance(spec, Node) and spec.kind == "tuple" and len(spec.parts) > 1
    return several and all(isinstance(p, Leaf) and bare(p) for p in spec.parts)  # type: ignore[union-attr]


def shape_of(spec: Spec, numbers: int, into: bool) -> tuple[int, ...]:
    """A result in tuples, as a plan describes it; empty for other structures.

    ``numbers`` says how many results compiled code returns, ``into`` whether arrays are given.

    >>> pair = Node("tuple", tuple, (0, 1), (Leaf(Scalar("f8")), Leaf(Scalar("f8"))))
    >>> shape_of(pair, 2, False)
    (0, 2, 2, 0, 2, 1)
    """
    from srcad.backends.gate import GROUP, ITEM, PLACE, SINGLE, WHOLE

    items, places = count(), count()

    def parts(spec: Spec) -> Iterator[int]:
        if isinstance(spec, Node) and spec.kind == "tuple":
            yield from (GROUP, len(spec.parts))
            for part in spec.parts:
                yield from parts(part)
        elif not isinstance(spec, Leaf) or spec.part:
            raise LookupError
        elif into and isinstance(spec.type, ArrayT):
            yield from (PLACE, next(places))
        else:
            if spec.type == Scalar("f4"):
                yield from (SINGLE, 0)
            yield from (ITEM, next(items)) if numbers != 1 else (WHOLE, next(items))

    try:
        return tuple(parts(spec))
    except LookupError:
        return ()


def finishing(special: Specialisation) -> Callable[[Any], Any]:
    """A function from what compiled code returns to the result of a call."""
    several = special.face.results != 1
    names: dict[str, Any] = {"f4": np.float32, "c8": np.complex64, "unpaired": unpaired}
    text = expression(special.face.out, (f"r[{k}]" if several else "r" for k in count()), names)
    if text is not None:
        made: Callable[[Any], Any] = eval(f"lambda r: {text}", names)
        return made
    results, restore = special.face.results, special.restore
    return lambda r: restore(as_tuple(results, r))


def expression(spec: Spec, leaf: Iterator[str], names: dict[str, Any]) -> str | None:
    """The structure as an expression of its leaves, where it consists of tuples of leaves.

    >>> pair = Node("tuple", tuple, (0, 1), (Leaf(Scalar("f8")), Leaf(Scalar("f4"))))
    >>> expression(pair, iter(("r[0]", "r[1]")), {})
    '(r[0], f4(r[1]),)'
    """
    if isinstance(spec, Leaf):
        if spec.part:
            return f"unpaired({next(leaf)})"
        return f"f4({next(leaf)})" if spec.type == Scalar("f4") else next(leaf)
    if not isinstance(spec, Node) or spec.kind not in ("tuple", "namedtuple", "complex"):
        return None
    if spec.kind == "complex":
        whole = f"complex({next(leaf)}, {next(leaf)})"
        return whole if spec.cls is complex else f"c8({whole})"
    parts = [expression(p, leaf, names) for p in spec.parts]
    if any(p is None for p in parts):
        return None
    inside = "".join(f"{p}, " for p in parts).rstrip()
    if spec.kind == "tuple":
        return f"({inside})"
    names[f"c{len(names)}"] = spec.cls
    return f"c{len(names) - 1}({inside})"
