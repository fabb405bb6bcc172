"""Writes loop nests: elementwise nodes and reductions over one shape, in one pass.

In: a ``Nest``.  Out: statements.  Sums are accumulated in float64.  A reduction over the last
axes has its accumulator in a number, any other one in an array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from srcad.tf import spelling
from srcad.tf.scheduling import REDUCTIONS, Nest, shown
from srcad.tf.symbolic import NotTraceable, Sym

if TYPE_CHECKING:
    from srcad.tf.emitting import Emitter

STEPS = {
    "sum": ("0.0", "{0} + {1}"),
    "prod": ("1.0", "{0} * {1}"),
    "max": ("-np.inf", "({1} if {1} > {0} or {1} != {1} else {0})"),
    "min": ("np.inf", "({1} if {1} < {0} or {1} != {1} else {0})"),
    "any": ("False", "{0} or {1}"),
    "all": ("True", "{0} and {1}"),
}
STEPS |= {"amax": STEPS["max"], "amin": STEPS["min"]}


class NestWriter:
    """Writes one nest."""

    def __init__(self, emitter: Emitter, nest: Nest) -> None:
        self.emitter, self.nest = emitter, nest
        self.index = [f"i{k}" for k in range(len(nest.shape))]
        self.local: dict[int, str] = {}
        self.inner: list[Sym] = []  # reductions over the last axes
        self.outer: list[Sym] = []  # other reductions
        for n in nest.nodes:
            if n.op in REDUCTIONS:
                depth = self.depth(n)
                (self.outer if depth is None else self.inner).append(n)

    def write(self, pad: str) -> None:
        """All statements."""
        e = self.emitter
        if not self.nest.nodes:
            return
        for n in self.nest.nodes:
            if n.op in REDUCTIONS:
                if n.shape:
                    e.allocate(n, pad)
            elif n.shape and id(n) in e.whole:
                e.allocate(n, pad)
        for n in self.outer:
            start, _ = self.step(n)
            kind = e.cast(n) if start[0] in "TF" or n.dtype.kind != "f" else "np.float64"
            e.add(pad, f"{self.total(n)} = np.full({n.shape}, {start}, {kind})")
        self.level(0, pad)
        for n in self.outer:
            inner, place = pad, [f"i{k}" for k in range(n.ndim)]
            for i, d in zip(place, n.shape, strict=True):
                e.add(inner, f"for {i} in range({d}):")
                inner += "    "
            at = f"[{', '.join(place)}]"
            e.add(inner, f"{e.name(n)}{at} = {e.cast(n)}({self.total(n)}{at})")

    def level(self, k: int, pad: str) -> None:
        """The loops from axis ``k`` on."""
        e = self.emitter
        starting = [n for n in self.inner if self.depth(n) == k]
        for n in starting:
            e.add(pad, f"{self.total(n)} = {self.step(n)[0]}")
        if k == len(self.index):
            self.body(pad)
        else:
            e.add(pad, f"for {self.index[k]} in range({self.nest.shape[k]}):")
            self.level(k + 1, pad + "    ")
        for n in starting:
            target = e.name(n) + (f"[{', '.join(self.places(n))}]" if n.shape else "")
            e.add(pad, f"{target} = {e.cast(n)}({self.total(n)})")

    def body(self, pad: str) -> None:
        """The statements for one index."""
        e = self.emitter
        for n in self.nest.nodes:
            if n.op in REDUCTIONS:
                at = f"[{', '.join(self.places(n))}]" if self.depth(n) is None else ""
                item, total = self.element(n.args[0], self.index), f"{self.total(n)}{at}"
                e.add(pad, f"item = {item}")
                e.add(pad, f"{total} = {self.step(n)[1].format(total, 'item')}")
                continue
            value = f"{e.cast(n)}({self.formula(n)})"
            if not n.shape:
                e.add(pad, f"{e.name(n)} = {value}")
                continue
            self.local[id(n)] = local = f"e{e.name(n)[1:]}"
            e.add(pad, f"{local} = {value}")
            if id(n) in e.whole:
                e.add(pad, f"{e.name(n)}[{', '.join(self.index)}] = {local}")

    def formula(self, n: Sym) -> str:
        """An element of a node, not yet of its type."""
        if n.op in ("take", "take_at"):
            return self.lookup(n)
        if n.op == "where" and len(n.args) != 3:
            raise NotTraceable("this form of where has no compiled form")
        template = spelling.ELEMENTS[n.op]
        if n.op == "power" and not isinstance(n.args[1], Sym) and np.ndim(n.args[1]) == 0:
            template = spelling.power(n.args[1]) or template
        elements = [self.element(a, self.index) for a in n.args]
        if n.op in spelling.ZERO_ONE:
            elements = [
                x if _is_bool(a) else f"({x} != 0)" for x, a in zip(elements, n.args, strict=True)
            ]
        if n.op == "astype" and n.dtype == bool and not _is_bool(n.args[0]):
            return f"({elements[0]} != 0)"
        return template.format(*elements)

    def lookup(self, n: Sym) -> str:
        """An element of ``take`` or of a subscript with arrays."""
        x, *where = n.args
        shape = np.shape(x)
        if n.op == "take":
            a, width = n.options["axis"] % len(shape), np.ndim(where[0])
            at = self.element(where[0], self.index[a : a + width])
            index = [*self.index[:a], self.emitter.checked(at, shape[a]), *self.index[a + width :]]
            return self.emitter.looked_up(self.element(x, index), [(at, shape[a])], n)
        front = n.options["front"]
        wide = len(n.shape) - (len(shape) - len(where))
        mine = self.index[front : front + wide]
        places = [(self.element(w, mine), shape[front + k]) for k, w in enumerate(where)]
        own = [self.emitter.checked(i, d) for i, d in places]
        found = self.element(x, [*self.index[:front], *own, *self.index[front + wide :]])
        return self.emitter.looked_up(found, places, n)

    def element(self, x: Any, index: list[str]) -> str:
        """The element of a value at an index of a shape that it is broadcast to."""
        if id(x) in self.local and index == self.index:
            return self.local[id(x)]
        return self.emitter.element(x, index)

    # reductions
    def axes(self, n: Sym) -> set[int]:
        """The axes that are reduced."""
        if set(n.options) - {"axis", "keepdims", "dtype"}:
            raise NotTraceable(f"{n.op} with these options has no compiled form")
        every, axes = range(len(self.nest.shape)), n.options.get("axis")
        return set(every) if axes is None else {a % len(every) for a in np.atleast_1d(axes)}

    def depth(self, n: Sym) -> int | None:
        """The axis from which on all are reduced; ``None`` if another one stays inside."""
        over, rank = self.axes(n), len(self.nest.shape)
        first = min(over, default=rank)
        return first if over == set(range(first, rank)) else None

    def places(self, n: Sym) -> list[str]:
        """The subscript of a reduction's result."""
        over, keep = self.axes(n), bool(n.options.get("keepdims"))
        return ["0" if a in over else i for a, i in enumerate(self.index) if keep or a not in over]

    def step(self, n: Sym) -> tuple[str, str]:
        """The start and the step of an accumulation."""
        start, step = STEPS[n.op]
        if n.dtype.kind in "iu":
            limits = np.iinfo(n.dtype)
            start = {"0.0": "0", "1.0": "1", "-np.inf": str(limits.min)}.get(start, str(limits.max))
        return start, step

    def total(self, n: Sym) -> str:
        """The accumulator's name."""
        return f"acc{self.emitter.name(n)[1:]}"


def _is_bool(x: Any) -> bool:
    return (x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype).kind == "b"


def view_index(n: Sym, index: list[str]) -> list[str]:
    """The index in what a view shows."""
    base = np.shape(n.args[0])
    if n.op == "transpose":
        axes = n.options.get("axes")
        axes = range(len(base))[::-1] if axes is None else axes
        back = dict(zip((a % len(base) for a in axes), index, strict=True))
        return [back[a] for a in range(len(base))]
    if n.op == "broadcast_to":
        return index[len(index) - len(base) :]
    if n.op == "unit_reshape":
        kept = iter([i for i, d in zip(index, n.shape, strict=True) if d != 1])
        return ["0" if d == 1 else next(kept) for d in base]
    if n.op == "flip":
        axes = n.options.get("axis")
        over = range(len(base)) if axes is None else {a % len(base) for a in np.atleast_1d(axes)}
        pairs = zip(index, base, strict=True)
        return [f"{d - 1} - {i}" if a in over else i for a, (i, d) in enumerate(pairs)]
    return sliced(n.options["key"], index, base)


def sliced(key: Any, index: list[str], base: tuple[int, ...]) -> list[str]:
    """The index behind a basic subscript."""
    parts = list(key) if isinstance(key, tuple) else [key]
    if not any(p is Ellipsis for p in parts):
        parts.append(Ellipsis)
    gap = len(base) - sum(p is not None and p is not Ellipsis for p in parts)
    at = next(k for k, p in enumerate(parts) if p is Ellipsis)
    parts[at : at + 1] = [slice(None)] * gap
    own, sizes, found = iter(index), iter(base), []
    for p in parts:
        if p is None:
            next(own)
            continue
        d = next(sizes)
        if not isinstance(p, slice):
            found.append(str(int(p) % d))
            continue
        start, _, step = p.indices(d)
        i = next(own)
        found.append(i if (start, step) == (0, 1) else f"{start} + {step} * {i}")
    return found


__all__ = ["NestWriter", "shown", "view_index"]
