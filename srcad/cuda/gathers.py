"""Adjoints of stencils over threads: each thread collects what its neighbours add.

In: an adjoint kernel in which every thread adds to an array at constant distances from its own
place (``x_b[i - 1]``, ``x_b[i]``, ``x_b[i + 1]``).  Out: the same kernel in two launches of one
code: in the first a thread takes the elements at its place, computes for each what the threads
around it would add, and adds that plainly; in the second (``last``) the kernel does the rest.  No
addition is atomic, and sums are in a fixed order.  (Hückelheim et al., "Automatic differentiation
for adjoint stencil loops", ICPP 2019; ``storage.gathers`` does it for loops.)

Invariant: every contribution is made once, by the owner of its element.  The first launch writes
nothing but these arrays, nobody reads them, and what a contribution is computed from is read before
the kernel writes it: so it is what the thread itself would have read.

Limits: branches and straight lines (no loops, barriers, views, shared memory); each axis of the
launch moves along one axis of the array by one element a thread; a place before the first element
must be excluded by a branch (``if i > 0``), since there a subscript counts from the end; what
several threads compute again must not cost as much as an elementary function.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from srcad.analyses.linear_forms import Forms
from srcad.ir.build import ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Atom,
    Block,
    Const,
    Dim,
    Function,
    If,
    Load,
    Op,
    Stmt,
    Store,
    Var,
)
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.threads import CONTEST, Hidden
from srcad.ir.types import B1, I8, ArrayT
from srcad.ir.walk import operands, rewrite_block, statements, targets, variables

COSTLY = 20  # an operation that is not done once for each neighbour
Lows = dict[str, int]  # the least place of a thread, by axis
Shift = tuple[int, ...]  # how far the element is from the thread, by axis of the launch


@dataclass(frozen=True)
class Part:
    """An addition to a neighbour, its distances, and the conditions it stands under."""

    stmt: Accumulate
    shift: Shift


@dataclass(frozen=True)
class Target:
    """An array that is collected: which of its axes the axes of the launch move along."""

    array: Var
    along: tuple[int, ...]
    parts: tuple[Part, ...]


def gathered(
    fn: Function, hidden: Mapping[str, Hidden], axes: frozenset[str], numbers: frozenset[str]
) -> tuple[Function, dict[str, Hidden]]:
    """The kernel in two launches, if that is possible; and its hidden parameters."""
    found = _Stencil(fn, hidden, axes, numbers)
    targets = found.targets()
    if not targets:
        return fn, dict(hidden)
    return found.rewritten(targets)


class _Stencil:
    """One kernel."""

    def __init__(
        self,
        fn: Function,
        hidden: Mapping[str, Hidden],
        axes: frozenset[str],
        numbers: frozenset[str],
    ) -> None:
        self.fn, self.hidden, self.numbers = fn, hidden, numbers
        self.axes = sorted(axes)
        places = {n: h.what for n, h in hidden.items() if h.kind == "place"}
        self.grid = {what[-1]: Var(n, I8, n) for n, what in places.items() if what[:5] == "grid_"}
        self.places = places
        self.forms = Forms(fn, places, axes)
        self.b = Builder(Namer(v.name for v in variables(fn)))

    # what can be collected
    def targets(self) -> list[Target]:
        """The arrays that can be collected."""
        if not self.axes or not self.simple() or any(a not in self.grid for a in self.axes):
            return []
        sums: dict[str, list[Accumulate]] = defaultdict(list)
        for s in statements(self.fn.body):
            if isinstance(s, Accumulate) and s.atomic and s.array.name not in self.numbers:
                sums[s.array.name].append(s)
        touched = {s.array.name for s in statements(self.fn.body) if isinstance(s, (Load, Store))}
        found = [self.target(group) for n, group in sums.items() if n not in touched]
        if not self.read_first(self.fn.body, set()):
            return []
        shifted = [t for t in found if t is not None and any(any(p.shift) for p in t.parts)]
        return [t for t in shifted if self.cheap(t)]

    def simple(self) -> bool:
        """Whether a thread's place says all that it does, in straight lines and branches."""
        kinds = (Op, Load, Dim, Store, Accumulate, If)
        special = any(h.kind in (*CONTEST, "shared", "exact") for h in self.hidden.values())
        other = any(
            what[-1] in self.axes and what[:5] != "grid_" and not what.startswith("gridsize")
            for what in self.places.values()
        )
        plain = all(isinstance(s, kinds) for s in statements(self.fn.body))
        return plain and not special and not other

    def cheap(self, t: Target) -> bool:
        """Whether what several threads compute for one element costs little."""
        slices = (_only(self.fn.body, p.stmt, t.array) for p in t.parts)
        return not any(isinstance(s, Op) and costly(s) for b in slices for s in statements(b))

    def read_first(self, b: Block, written: set[str]) -> bool:
        """Whether nothing is read that the kernel may have written before."""
        for s in b.stmts:
            if isinstance(s, Load) and s.array.name in written:
                return False
            if isinstance(s, (Store, Accumulate)):
                written.add(s.array.name)
            if isinstance(s, If):
                arms = set(written), set(written)  # a thread takes one of them
                both = zip((s.then, s.orelse), arms, strict=True)
                if not all(self.read_first(x, known) for x, known in both):
                    return False
                written.update(*arms)
        return True

    def target(self, group: list[Accumulate]) -> Target | None:
        """An array all of whose additions are at constant distances from the thread."""
        array = group[0].array
        assert isinstance(array.type, ArrayT)
        if array.type.ndim < len(self.axes):
            return None
        along, parts = self.moving(group[0]), []
        if along is None:
            return None
        rest = [k for k in range(array.type.ndim) if k not in along]
        for s in group:
            shift = tuple(
                self.distance(s.index[k], a) for k, a in zip(along, self.axes, strict=True)
            )
            fixed = all(self.uniform(s.index[k]) and s.index[k] == group[0].index[k] for k in rest)
            if None in shift or not fixed:
                return None
            parts.append(Part(s, shift))  # type: ignore[arg-type]
        first = {id(s): low for s, low in self.lowest(self.fn.body, {})}
        for p in parts:
            known = first[id(p.stmt)]
            if any(known.get(a, 0) + n < 0 for a, n in zip(self.axes, p.shift, strict=True)):
                return None
        return Target(array, along, tuple(parts))

    def moving(self, s: Accumulate) -> tuple[int, ...] | None:
        """Which subscript each axis of the launch is."""
        found = []
        for axis in self.axes:
            at = [k for k, a in enumerate(s.index) if self.distance(a, axis) is not None]
            if len(at) != 1:
                return None
            found += at
        return tuple(found)

    def distance(self, a: Atom, axis: str) -> int | None:
        """How far a subscript is from the thread's place along an axis."""
        form = dict(self.forms.of(a))
        for m, c in self.forms.of(self.grid[axis]).items():
            if form.pop(m, 0) != c:
                return None
        return int(form.get((), 0)) if not set(form) - {()} else None

    def uniform(self, a: Atom) -> bool:
        """Whether a subscript is a number that is known, and counts from the beginning."""
        return isinstance(a, Const) and int(a.value) >= 0

    def lowest(self, b: Block, known: Lows) -> Iterator[tuple[Accumulate, Lows]]:
        """Each addition with the least place, by axis, that the branches around it let pass."""
        for s in b.stmts:
            if isinstance(s, Accumulate):
                yield s, known
            elif isinstance(s, If):
                yield from self.lowest(s.then, known | self.bounds(s.cond, True, known))
                yield from self.lowest(s.orelse, known | self.bounds(s.cond, False, known))

    def bounds(self, cond: Atom, holds: bool, known: Lows) -> Lows:
        """The least places if a condition holds, or does not."""
        s = self.forms.tree.home[cond.name].stmt if isinstance(cond, Var) else None
        if isinstance(s, Op) and s.op == "not":
            return self.bounds(s.args[0], not holds, known)
        if isinstance(s, Op) and s.op == ("and" if holds else "or"):
            for a in s.args:
                known = known | self.bounds(a, holds, known)
            return known
        if isinstance(s, If) and holds:  # a condition made by a branch: one arm says no
            k = [r.name for r in s.results].index(cond.name)  # type: ignore[union-attr]
            for one, other, side in ((s.then, s.orelse, True), (s.orelse, s.then, False)):
                no = other.yields[k]
                if isinstance(no, Const) and not no.value:
                    known = known | self.bounds(s.cond, side, known)
                    return known | self.bounds(one.yields[k], True, known)
            return known
        if not isinstance(s, Op) or s.op not in OPPOSITE:
            return known
        op, (x, y) = s.op if holds else OPPOSITE[s.op], s.args
        if op in ("lt", "le"):
            op, x, y = {"lt": "gt", "le": "ge"}[op], y, x
        out = dict(known)
        for axis in self.axes:
            far = self.distance(x, axis)
            if isinstance(y, Const) and far is not None:
                out[axis] = max(out.get(axis, 0), int(y.value) + (op == "gt") - far)
        return out

    # the two launches
    def rewritten(self, targets: list[Target]) -> tuple[Function, dict[str, Hidden]]:
        """The kernel with its first launch."""
        b = self.b
        last = b.var("last", B1)
        gone = {id(p.stmt) for t in targets for p in t.parts}
        at_end = [s for s in self.fn.body.stmts if self.of_number(s)]
        rest = [s for s in self.fn.body.stmts if not self.of_number(s)]
        values = [s.value for s in at_end if isinstance(s, Accumulate)]
        results = tuple(b.var("part", v.type) for v in values)
        none = tuple(Const(0.0, v.type) for v in values)
        sizes = self.sizes()
        with b.block() as first:
            for s in sizes.values():
                b.emit(s)
            for t in targets:
                self.collect(t, {a: s.target for a, s in sizes.items()})
        other = _without(Block(tuple(rest)), gone)
        both = If(last, Block(other.stmts, tuple(values)), Block(tuple(first), none), results)
        pairs = zip(at_end, results, strict=True)
        tail = [replace(s, value=r) for s, r in pairs if isinstance(s, Accumulate)]
        new = dict(self.hidden) | self.added | {last.name: Hidden("last", "")}
        params = (*self.fn.params, *(Var(n, I8, n) for n in self.added), last)
        return replace(self.fn, params=params, body=Block((both, *tail))), new

    def of_number(self, s: Stmt) -> bool:
        """Whether a statement adds to the shadow of a number."""
        return isinstance(s, Accumulate) and s.array.name in self.numbers

    def sizes(self) -> dict[str, Op]:
        """The number of threads along each axis."""
        self.added: dict[str, Hidden] = {}
        made = {}
        for axis in self.axes:
            name = next((n for n, w in self.places.items() if w == f"gridsize_{axis}"), None)
            if name is None:
                name = self.b.namer.fresh(f"gridsize_{axis}")
                self.added[name] = Hidden("place", f"gridsize_{axis}")
            made[axis] = Op(self.b.var("threads", I8), "max", (Var(name, I8, name), const(1)))
        return made

    def collect(self, t: Target, sizes: dict[str, Var]) -> None:
        """The elements at a thread's place, and beyond the last thread's."""
        b = self.b
        low = [min(p.shift[k] for p in t.parts) for k in range(len(self.axes))]
        high = [max(p.shift[k] for p in t.parts) for k in range(len(self.axes))]

        def level(k: int, at: list[Var]) -> None:
            if k == len(self.axes):
                self.element(t, at, sizes)
                return
            axis = self.axes[k]
            start = _plus(b, self.grid[axis], low[k])
            stop = _plus(b, sizes[axis], high[k])
            with b.loop(start, stop, sizes[axis], hint="at") as index:
                level(k + 1, [*at, index])

        level(0, [])

    def element(self, t: Target, at: list[Var], sizes: dict[str, Var]) -> None:
        """What one element gets."""
        b, kind = self.b, t.array.type
        assert isinstance(kind, ArrayT)
        inside: Atom = const(True)
        for k, a in zip(t.along, at, strict=True):
            n = b.dim(t.array, k)
            for test in (b.op("ge", a, ZERO), b.op("lt", a, n)):
                inside = b.op("and", inside, test)
        with b.block() as then:
            total = b.alloc(ArrayT(kind.dtype, 1, "C"), (const(1),), hint="total")
            for p in t.parts:
                self.contribution(p, total, at, sizes)
            index = list(t.parts[0].stmt.index)
            for k, a in zip(t.along, at, strict=True):
                index[k] = a
            b.loc = t.parts[0].stmt.loc
            b.accumulate(t.array, tuple(index), b.load(total, ZERO))
        b.if_(inside, Block(tuple(then)), Block(()))

    def contribution(self, p: Part, total: Var, at: list[Var], sizes: dict[str, Var]) -> None:
        """What the thread at a distance would add, if there is one."""
        b = self.b
        there: Atom = const(True)
        places: dict[str, Atom] = {}
        for axis, a, far in zip(self.axes, at, p.shift, strict=True):
            k = _plus(b, a, -far)
            places[self.grid[axis].name] = k
            for test in (b.op("ge", k, ZERO), b.op("lt", k, sizes[axis])):
                there = b.op("and", there, test)
        only = _only(self.fn.body, p.stmt, total)
        names: dict[str, Atom] = dict(places)

        def define(v: Var) -> Var:
            new = b.var(v.hint or v.name, v.type)
            names[v.name] = new
            return new

        def use(a: Atom) -> Atom:
            return names.get(a.name, a) if isinstance(a, Var) else a

        body = rewrite_block(only, use, define)
        b.if_(there, Block(body.stmts), Block(()))


def costly(s: Op) -> bool:
    """Whether an operation takes as long as an elementary function."""
    if s.op == "pow" and isinstance(s.args[1], Const) and s.args[1].value in (2, 3):
        return False
    return PRIMITIVES[s.op].cost >= COSTLY


OPPOSITE = {"lt": "ge", "ge": "lt", "le": "gt", "gt": "le"}


def _plus(b: Builder, a: Var, k: int) -> Var:
    """``a + k``."""
    if not k:
        return a
    made = b.op("add" if k > 0 else "sub", a, const(abs(k)), hint="at")
    assert isinstance(made, Var)
    return made


def _without(b: Block, gone: set[int]) -> Block:
    """A block without some of its additions."""
    out: list[Stmt] = []
    for s in b.stmts:
        if isinstance(s, If):
            s = replace(s, then=_without(s.then, gone), orelse=_without(s.orelse, gone))
        if id(s) not in gone:
            out.append(s)
    return Block(tuple(out), b.yields)


def _only(b: Block, wanted: Accumulate, total: Var) -> Block:
    """A block with one addition, which goes to ``total``, and what is computed for it."""
    names: set[str] = set()

    def needed(inner: Block) -> Block:
        names.update(y.name for y in inner.yields if isinstance(y, Var))
        out: list[Stmt] = []
        for s in reversed(inner.stmts):
            if s is wanted:
                s = replace(wanted, array=total, index=(ZERO,), atomic=False)
            elif isinstance(s, If):
                holds = any(t is wanted for t in statements(Block((s,))))
                if not holds and not any(v.name in names for v in s.results):
                    continue
                s = replace(s, then=needed(s.then), orelse=needed(s.orelse))
            elif isinstance(s, (Store, Accumulate)) or not any(v.name in names for v in targets(s)):
                continue
            names.update(a.name for a in operands(s) if isinstance(a, Var))
            out.append(s)
        return Block(tuple(out[::-1]), inner.yields)

    return replace(needed(b), yields=())
