"""Which arrays of a kernel are accessed by each thread at elements of its own only.

In: a kernel's function, the places its hidden parameters stand for, the axes of the launch with
more than one thread.  Out: ``owned``: names of the array parameters no two threads of which (for
shared memory: of one block) ever touch the same element.  Accumulation into these needs no
atomics.

Method: for each axis of the launch there must be one subscript which in every access of the
kernel is ``s * thread + r``: ``thread`` the position along that axis, counted over the grid (or,
for shared memory, over the block), ``r`` the same part that all threads have in common and less
than ``s`` of the thread's own; or that plus a multiple of the number of threads, as in a
grid-stride loop.
Subscripts must be known not to be negative (``a[-1]`` is the last element).

Invariant: sound whatever order threads run in; phases between barriers are not looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from srcad.analyses.linear_forms import Form, Forms, atom
from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.summaries import summarise
from srcad.ir.nodes import Accumulate, Atom, Call, Function, Load, Store, Var, View
from srcad.ir.threads import is_barrier
from srcad.ir.types import ArrayT
from srcad.ir.walk import statements

Signature = tuple[Any, ...]
Index = tuple[Atom | None, ...]


def owned(
    fn: Function, places: Mapping[str, str], shared: Collection[str], axes: frozenset[str]
) -> set[str]:
    """Names of the parameters that are accessed at elements of the thread's own only."""
    return _Owned(fn, places, shared, axes).found()


class _Owned:
    def __init__(
        self, fn: Function, places: Mapping[str, str], shared: Collection[str], axes: frozenset[str]
    ) -> None:
        self.fn, self.shared, self.axes = fn, shared, axes
        self.params = {p.name for p in fn.params}
        self.forms = Forms(fn, places, axes)
        self.regions = Regions(fn, summarise(fn))
        self.views = {s.target.name: s for s in statements(fn.body) if isinstance(s, View)}
        self.accesses: dict[str, list[Index | None]] = defaultdict(list)
        for s in statements(fn.body):
            if isinstance(s, (Load, Store, Accumulate)):
                index = self.position(s.array, s.index)
                for r in self.regions.of(s.array):
                    self.accesses[r].append(index)
            elif isinstance(s, Call) and not is_barrier(s):
                for a in filter(is_reference, s.args):
                    for r in self.regions.of(a):
                        self.accesses[r].append(None)

    def found(self) -> set[str]:
        """The parameters that pass."""
        return {p.name for p in self.fn.params if isinstance(p.type, ArrayT) and self.passes(p)}

    def position(self, array: Var, index: Index) -> Index | None:
        """The subscripts in the parameter that a reference is a view of, as far as known."""
        while array.name in self.views:
            view = self.views[array.name]
            if view.kind != "index" or any(item[0] == "new" for item in view.spec):
                return None
            rest, found = list(index), []
            for item in view.spec:
                if item[0] == "at":
                    found.append(item[1])
                else:
                    a = rest.pop(0)
                    found.append(a if item[1] is None and item[3] is None else None)
            array, index = view.base, (*found, *rest)
        return index if array.name in self.params else None

    def passes(self, p: Var) -> bool:
        """Whether every axis of the launch has a subscript of its own."""
        accesses = self.accesses[p.name]
        if not accesses or any(a is None for a in accesses):
            return False
        assert isinstance(p.type, ArrayT)
        columns = list(zip(*(a for a in accesses if a is not None), strict=True))
        return all(
            any(self.agree(column, axis, p.name in self.shared) for column in columns)
            for axis in self.axes
        )

    def agree(self, column: Index, axis: str, shared: bool) -> bool:
        """Whether a subscript tells the threads along an axis apart, the same way everywhere."""
        signatures = {self.signature(a, axis, shared) for a in column}
        return len(signatures) == 1 and None not in signatures

    def signature(self, a: Atom | None, axis: str, shared: bool) -> Signature | None:
        """What two accesses must have in common to be apart for different threads."""
        if a is None:
            return None
        form = self.forms.of(a)
        t, b, w, g = (atom(c, axis) for c in "tbwg")
        scale = form.get((t,), 0)
        own: Form = {(t,): scale}
        if not shared:
            own[b, w] = scale
        if scale < 1 or any(form.get(m) != scale for m in own):
            return None
        rest = {m: c for m, c in form.items() if m not in own}
        period = {w} if shared else {g, w}
        common: list[tuple[Any, int]] = []
        low = high = 0
        for m, c in rest.items():
            if not self.forms.nonnegative(m, c):
                return None
            if m and all(x in self.forms.fixed or shared and x.startswith("@b") for x in m):
                common.append((m, c))
            elif period <= set(m) and c % scale == 0:
                continue  # a multiple of the number of threads
            else:
                most = self.most(m, c)
                if most is None:
                    return None
                low, high = (low + c, high + c) if not m else (low, high + most)
        if low // scale != high // scale:
            return None
        return (scale, low // scale, tuple(sorted(common)))

    def most(self, m: tuple[str, ...], c: int) -> int | None:
        """The most that a term can be."""
        total = c
        for x in m:
            if x not in self.forms.most:
                return None
            total *= self.forms.most[x]
        return total
