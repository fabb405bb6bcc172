"""Where the tapes of a kernel live: in local arrays, or in rows of one workspace a dtype.

In: a kernel's function after the last transform, whose tapes are arrays and lists that it
allocates.  Out: ``placed``: the same function in which tapes that are short in every launch are
arrays of the thread's own (registers or local memory), and every other tape is a range of rows of a
hidden parameter ``workspace``, one column a thread; and what the launch has to find out: how many
rows each needs (``Tape.rows``, from the trips that the loops around may make in that launch).

Invariant: two threads never share a column, neighbours lie side by side.  A tape's position is a
count of iterations, so the product of the trips of the loops around its stores bounds it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from srcad.analyses.extents import Extents
from srcad.analyses.tree import Node, Tree
from srcad.errors import NoDerivative, UnsupportedSyntax
from srcad.ir.build import ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
    Const,
    Dim,
    For,
    Function,
    If,
    Load,
    Loc,
    Reserve,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.threads import LANE, Hidden, limits
from srcad.ir.types import I8, ArrayT, Scalar
from srcad.ir.walk import blocks, operands, statements, variables
from srcad.transforms.arrays import zero_of

SMALL = 64  # elements of a tape that a thread keeps to itself


@dataclass(frozen=True)
class Tape:
    """One tape: its first row's parameter, its element type, where it is made and written."""

    row: Var
    kind: str
    home: Node
    stores: tuple[Node, ...]
    loc: Loc | None
    count: Var | None = None  # how many elements it has in this launch, if they start as zeros

    def loops(self, node: Node) -> list[Node]:
        """The loops around a place in which the tape is one and the same."""
        around = set(self.home.ancestors())
        return [body for body in node.loops() if body not in around]

    def rows(self, extents: Extents) -> int:
        """How many elements a thread may record in a launch.

        Raises:
            NoDerivative: there is no bound.
        """
        most = 0
        for node in self.stores:
            product = 1
            for body in self.loops(node):
                trips = extents.trips(body)
                if trips is None:
                    raise unbounded(self.loc, getattr(body.owner, "loc", None))
                product *= trips
            most = max(most, product)
        return most


def unfilled(fn: Function) -> Function:
    """The function whose tapes of tangents do not start with zeros: all that is read is written.

    (A tape's tangent is stored wherever the tape is; what is added to is the tangent of a shadow.)
    """
    added = {s.array.name for s in statements(fn.body) if isinstance(s, Accumulate)}

    def block(b: Block) -> Block:
        return replace(b, stmts=tuple(map(one, b.stmts)))

    def one(s: Stmt) -> Stmt:
        match s:
            case If():
                return replace(s, then=block(s.then), orelse=block(s.orelse))
            case For() | While():
                return replace(s, body=block(s.body))
            case Alloc(target=t) if s.zero and t.name not in added and role_of(s) == "tangent":
                fixed = all(isinstance(n, Const) for n in s.shape)
                return s if fixed and isinstance(s.target.type, ArrayT) else replace(s, zero=False)
        return s

    return replace(fn, body=block(fn.body))


def cleared(fn: Function) -> Function:
    """The function that writes the zeros of its tapes itself: rows of a workspace have none.

    (The shadow of a tape, in the adjoint of an adjoint, starts with zeros.)
    """
    b = Builder(Namer(v.name for v in variables(fn)))

    def block(inner: Block) -> Block:
        with b.block() as out:
            for s in inner.stmts:
                one(s)
        return Block(tuple(out), inner.yields)

    def one(s: Stmt) -> None:
        b.loc = getattr(s, "loc", None)
        match s:
            case If():
                s = replace(s, then=block(s.then), orelse=block(s.orelse))
            case For() | While():
                s = replace(s, body=block(s.body))
            case Alloc(target=t) if s.zero and isinstance(t.type, ArrayT) and is_tape(s):
                b.emit(replace(s, zero=False))
                with b.loop(ZERO, s.shape[0]) as k:
                    b.store(t, (k,), zero_of(t.type.element))
                return
        b.emit(s)

    return replace(fn, body=block(fn.body))


def role_of(s: Alloc) -> str:
    """What a statement belongs to."""
    return s.loc.role if s.loc is not None else "primal"


def is_tape(s: Alloc) -> bool:
    """Whether an array is made by a transform, in a size that the arguments decide."""
    return role_of(s) != "primal" and len(s.shape) == 1 and not isinstance(s.shape[0], Const)


@dataclass(frozen=True)
class Placed:
    """The function, its new hidden parameters, its tapes."""

    fn: Function
    hidden: dict[str, Hidden]
    tapes: tuple[Tape, ...]


def placed(fn: Function, places: Mapping[str, str]) -> Placed:
    """The function with its tapes where they will be; ``places`` says where its threads stand."""
    return _Placing(fn, places).run()


class _Placing:
    def __init__(self, fn: Function, places: Mapping[str, str]) -> None:
        self.fn, self.tree = fn, Tree(fn)
        known = {n: limits(place) for n, place in places.items()}
        self.always = Extents(fn, known, {})
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.moved = {
            s.target.name: s
            for s in statements(fn.body)
            if isinstance(s, Alloc) and not self.stays(s)
        }
        self.tapes = frozenset(self.moved)
        self.wanted = wanted(fn)  # of sizes, all but those of which only tapes are made
        self.own: dict[str, Var] = {}
        self.short: dict[str, int] = {}  # tapes that are short in every launch
        self.rows: dict[str, Var] = {}
        self.counts: dict[str, Var] = {}
        self.spaces: dict[str, Var] = {}
        known_lane = [n for n, place in places.items() if place == LANE]
        self.lane = Var(known_lane[0] if known_lane else self.b.namer.fresh(LANE), I8, LANE)
        self.stores: dict[str, list[Node]] = defaultdict(list)

    def stays(self, s: Alloc) -> bool:
        """Whether an array is the thread's own."""
        role = role_of(s)
        known = isinstance(s.target.type, ArrayT) and all(isinstance(n, Const) for n in s.shape)
        if known:
            size = 1
            for n in s.shape:
                size *= int(n.value)  # type: ignore[union-attr]
            return s.zero or size <= SMALL or role == "primal" or len(s.shape) != 1
        if role == "primal":
            raise UnsupportedSyntax(
                "an array or a list that grows with the arguments is made in a kernel",
                s.loc,
                "a thread has memory of a fixed size only",
                "use cuda.local.array of a constant size, or pass an array for it",
            )
        return False

    def run(self) -> Placed:
        """The whole function."""
        for node, _, s in self.tree.walk():
            if isinstance(s, (Store, Accumulate)) and s.array.name in self.moved:
                self.stores[s.array.name].append(node)
        for name in list(self.moved):
            self.shorten(name)
        for name, s in self.moved.items():
            kind = s.target.type.element  # type: ignore[union-attr]
            if not isinstance(kind, Scalar):
                raise NoDerivative(
                    "references to arrays would have to be recorded in a kernel",
                    s.loc,
                    "the tape of a thread holds numbers",
                    "do not choose between arrays inside a loop",
                )
            self.rows[name] = self.b.var(f"{s.target.hint or name}_row", I8)
            if s.zero:
                self.counts[name] = self.b.var(f"{s.target.hint or name}_rows", I8)
            if kind.kind not in self.spaces:
                space = self.b.var(f"workspace_{kind.kind}", ArrayT(kind.kind, 2))
                self.spaces[kind.kind] = space
        body = self.block(self.fn.body)
        tapes = tuple(self.tape(name) for name in self.moved)
        hidden = {v.name: Hidden("workspace", kind) for kind, v in self.spaces.items()}
        table = (*self.rows.items(), *self.counts.items())
        hidden |= {v.name: Hidden("row", name) for name, v in table}
        if self.rows:
            hidden[self.lane.name] = Hidden("place", LANE)
        extra = (*self.spaces.values(), *(v for _, v in table), self.lane)
        params = tuple(dict.fromkeys((*self.fn.params, *(extra if self.rows else ()))))
        return Placed(replace(self.fn, params=params, body=body), hidden, tapes)

    def shorten(self, name: str) -> None:
        """A tape that is short in every launch becomes an array of the thread's own."""
        s = self.moved[name]
        kind = s.target.type.element  # type: ignore[union-attr]
        try:
            size = self.bound(name).rows(self.always)
        except NoDerivative:
            return
        if isinstance(kind, Scalar) and size <= SMALL:
            del self.moved[name]
            self.short[name] = size
            self.own[name] = Var(name, ArrayT(kind.kind, 1), s.target.hint)

    def bound(self, name: str) -> Tape:
        """A tape as far as its size goes."""
        kind = self.moved[name].target.type.element  # type: ignore[union-attr]
        loc = next((s.loc for _, _, s in self.tree.walk() if stored(s, name)), None)
        home = self.tree.home[name].node
        return Tape(Var("", I8), str(kind), home, tuple(self.stores[name]), loc)

    def tape(self, name: str) -> Tape:
        """What the launch has to know; loops without any bound are refused here."""
        tape = self.bound(name)
        for node in tape.stores:
            for body in tape.loops(node):
                if isinstance(body.owner, While) and not self.always.bounded(body.owner):
                    raise unbounded(tape.loc, body.owner.loc)
        return replace(tape, row=self.rows[name], count=self.counts.get(name))

    def block(self, b: Block) -> Block:
        """A block with the accesses to moved tapes replaced."""
        with self.b.block() as out:
            for s in b.stmts:
                self.statement(s)
        return Block(tuple(out), b.yields)

    def statement(self, s: Stmt) -> None:
        """One statement."""
        self.b.loc = getattr(s, "loc", None)
        match s:
            case If():
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            case For() | While():
                s = replace(s, body=self.block(s.body))
            case Alloc(target=t) if t.name in self.short:
                s = Alloc(self.own[t.name], (const(self.short[t.name]),), s.zero, s.loc)
            case Reserve(array=t) if t.name in self.short:
                return
            case Load() | Store() | Accumulate() if s.array.name in self.short:
                s = replace(s, array=self.own[s.array.name])
            case Alloc(target=t) | Reserve(array=t) if t.name in self.moved:
                if isinstance(s, Alloc) and s.zero:
                    self.zeros(t)
                return
            case Dim(array=t) if t.name in self.tapes and s.target.name not in self.wanted:
                return
            case Load() | Store() | Accumulate() if s.array.name in self.moved:
                s = self.access(s)
            case _:
                for a in operands(s):
                    if isinstance(a, Var) and a.name in self.moved:
                        raise UnsupportedSyntax(
                            f"a tape for {a.hint or a.name} is used as a whole array in a kernel",
                            getattr(s, "loc", None),
                            "tapes of threads are rows of one array",
                            "write the operation as a loop over elements",
                        )
        self.b.emit(s)

    def zeros(self, t: Var) -> None:
        """Zeros in the rows of a tape."""
        b, space = self.b, self.spaces[t.type.element.kind]  # type: ignore[union-attr]
        with b.loop(ZERO, self.counts[t.name]) as k:
            at = b.op("add", self.rows[t.name], k, hint="at")
            b.store(space, (at, self.lane), zero_of(t.type.element))  # type: ignore[union-attr]

    def access(self, s: Load | Store | Accumulate) -> Load | Store | Accumulate:
        """The same access in the workspace."""
        name = s.array.name
        space = self.spaces[s.array.type.element.kind]  # type: ignore[union-attr]
        at: Atom = self.b.op("add", self.rows[name], s.index[0], hint="at")
        return replace(s, array=space, index=(at, self.lane))


def wanted(fn: Function) -> set[str]:
    """What is used for anything but to make room in a list."""
    uses = (s for s in statements(fn.body) if not isinstance(s, Reserve))
    found = {a.name for s in uses for a in operands(s) if isinstance(a, Var)}
    inner = (b for s in statements(fn.body) for b in blocks(s))
    return found | {y.name for b in (fn.body, *inner) for y in b.yields if isinstance(y, Var)}


def stored(s: Stmt, name: str) -> bool:
    """Whether a statement writes to a tape."""
    return isinstance(s, Store) and s.array.name == name


def unbounded(loc: Loc | None, loop: Loc | None) -> NoDerivative:
    """The error for a tape without a bound."""
    line = f" (line {loop.line})" if loop is not None else ""
    return NoDerivative(
        "a value that the adjoint kernel needs is computed in a loop whose trips nothing bounds"
        + line,
        loc,
        "each thread records it, in memory that is allocated before the launch",
        "write the loop as: for k in range(limit): if not condition: break",
    )
