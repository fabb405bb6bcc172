"""Atomic maxima and minima of floats: the thread whose value is the extreme stores it once more.

In: a kernel with ``cuda.atomic.max(a, i, v)`` (``min``, ``nanmax``, ``nanmin``), before any
transform.  Out: ``routed``: the same kernel in which it is found out whose value is the one that is
left in ``a[i]``, and that thread executes ``a[i] = v``.  In memory this changes nothing; it is an
ordinary statement, so tangents, adjoints and second order follow as for any other.

Ties go to the value that was in the array before, then to the thread with the lowest number, then
to its first call: what a loop over the threads gives with ``max``.

* **Shared arrays**: after the next barrier the extreme is known.  Each thread whose value is equal
  to it enters its number into a shared table; behind a second barrier it sees whether it has won;
  behind a third the table is cleared.
* **Global arrays**: other blocks may not have begun.  The kernel is launched three times, the first
  two on copies of what it changes (``cuda.rounds``): to find the extremes, to find who has won, to
  run (of an adjoint, only the last goes on to the reverse sweep).  It is the same compiled code, so
  that values are the same in all three to the last bit; a kernel whose values depend on the order
  of the threads is therefore refused.

Limits: the calls alone touch a global array; between a call on a shared array and the barrier
after it there is no end of a loop; neither is given a slice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from srcad.analyses.regions import Regions
from srcad.analyses.summaries import summarise
from srcad.cuda.contests import Entry, check_contested, is_extreme, unsettled
from srcad.cuda.program import Kernel, Launch
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Call, Const, For, If, Stmt, Var, While
from srcad.ir.threads import LANE, Hidden, atomic_function, barrier, how_atomic, is_barrier
from srcad.ir.types import B1, I8, ArrayT, Scalar, Type
from srcad.ir.walk import blocks, statements, variables

FIRST = const(2**62)  # less the number of a thread: the lowest number is the largest
FALSE = const(False)


def routed(kernel: Kernel, launch: Launch) -> Kernel:
    """The kernel in which who has won an atomic maximum stores its value.

    Raises:
        UnsupportedSyntax: nobody can know who has won.
    """
    if not any(map(is_extreme, statements(kernel.fn.body))):
        return kernel
    return _Routing(kernel, launch).run()


class _Routing:
    def __init__(self, kernel: Kernel, launch: Launch) -> None:
        self.kernel, self.axes = kernel, sorted(launch.axes)
        self.fn = kernel.fn
        self.b = Builder(Namer(v.name for v in variables(self.fn)))
        self.regions = Regions(self.fn, summarise(self.fn))
        self.hidden = dict(kernel.hidden)
        self.params: list[Var] = []
        self.made: dict[Any, Var] = {
            h.what: Var(n, I8, n) for n, h in self.hidden.items() if h.kind == "place"
        }
        self.callees = dict(self.fn.callees)

    def run(self) -> Kernel:
        """The whole kernel."""
        check_contested(self.kernel, self.regions)
        with self.b.block() as opening:
            self.number = self.ticket()
        stmts, _ = self.block(self.fn.body)
        body = Block((*opening, *stmts))
        fn = replace(
            self.fn, params=(*self.fn.params, *self.params), body=body, callees=self.callees
        )
        return self.kernel.with_fn(fn, hidden=self.hidden)

    # hidden parameters
    def parameter(self, wish: str, kind: Type, what: Hidden, key: Any = None) -> Var:
        """A hidden parameter, made once for each ``key``."""
        key = what.what if key is None else key
        if key not in self.made:
            self.made[key] = v = self.b.var(wish, kind)
            self.hidden[v.name] = what
            self.params.append(v)
        return self.made[key]

    def place(self, name: str) -> Var:
        """Where the thread stands."""
        return self.parameter(name, I8, Hidden("place", name))

    def ticket(self) -> Atom:
        """What a thread enters: unique in its block, the largest that of the first thread."""
        number: Atom = ZERO
        for axis in self.axes[::-1]:
            wide = self.b.op("mul", number, self.place(f"width_{axis}"), hint="number")
            number = self.b.op("add", wide, self.place(f"thread_{axis}"), hint="number")
        return self.b.op("sub", FIRST, number, hint="ticket")

    def contest(self, kind: str, a: Var) -> Var:
        """An array by which it is found out who wins a global array."""
        assert isinstance(a.type, ArrayT)
        dtype = a.type.dtype if kind in ("race", "best") else "i8"
        t = ArrayT(dtype, a.type.ndim)
        return self.parameter(f"{a.name}_{kind}", t, Hidden(kind, a.name), (kind, a.name))

    def table(self, a: Var) -> Var:
        """Tickets, and whether the element was changed, of the elements of a shared array."""
        assert isinstance(a.type, ArrayT)
        what = Hidden("shared", "", (2, *self.hidden[a.name].shape), zero=True)
        wish = f"{a.hint or a.name}_winner"
        return self.parameter(wish, ArrayT("i8", a.type.ndim + 1), what, ("table", a.name))

    def update(self, how: str, a: Var, rest: tuple[Atom, ...], old: bool = False) -> Atom:
        """An atomic; with ``old`` the element as it was."""
        assert isinstance(a.type, ArrayT)
        f = atomic_function(how, a.type, old)
        self.callees.setdefault(f.name, f)
        got = (self.b.var("old", a.type.element),) if old else ()
        self.b.emit(Call(got, f.name, (a, *rest), self.b.loc))
        return got[0] if got else ZERO

    # statements
    def block(self, b: Block) -> tuple[list[Stmt], list[Entry]]:
        """A block, and what still waits at its end."""
        waiting: list[Entry] = []
        with self.b.block() as out:
            for s in b.stmts:
                self.b.loc = getattr(s, "loc", None)
                waiting = self.statement(s, waiting)
        return out, waiting

    def statement(self, s: Stmt, waiting: list[Entry]) -> list[Entry]:
        """One statement; what waits after it."""
        if is_barrier(s):
            self.b.emit(s)
            self.settle(waiting)
            return []
        if waiting and any(is_barrier(x) for b in blocks(s) for x in statements(b)):
            raise unsettled(waiting[0])
        match s:
            case Call() if is_extreme(s):
                return [*waiting, *self.call(s)]
            case If():
                return [*waiting, *self.branch(s)]
            case For() | While():
                stmts, inner = self.block(s.body)
                if inner:
                    raise unsettled(inner[0])
                s = replace(s, body=Block(tuple(stmts), s.body.yields))
        self.b.emit(s)
        return waiting

    def branch(self, s: If) -> list[Entry]:
        """A branch hands out what waits in it."""
        sides, entries, results = [], [], list(s.results)
        for side in (s.then, s.orelse):
            sides.append(self.block(side))
        yields: list[list[Atom]] = [[*s.then.yields], [*s.orelse.yields]]
        for k, (_, waiting) in enumerate(sides):
            for e in waiting:
                given = (*e.index, e.value, e.raised, e.called)
                outs = [self.b.var(getattr(a, "hint", "") or "t", a.type) for a in given]
                results += outs
                yields[k] += given
                yields[1 - k] += [nothing(a.type) for a in given]
                *index, value, raised, called = outs
                entries.append(Entry(e.array, tuple(index), value, raised, called, e.loc))
        then, orelse = (
            Block(tuple(stmts), tuple(y)) for (stmts, _), y in zip(sides, yields, strict=True)
        )
        self.b.emit(If(s.cond, then, orelse, tuple(results), s.loc))
        return entries

    def call(self, s: Call) -> list[Entry]:
        """One of the calls."""
        a, *index, value = s.args
        assert isinstance(a, Var)
        how, at = how_atomic(s.fn), tuple(index)
        number = self.b.op("stop_gradient", value)
        if a.name in self.kernel.shared:
            old = self.update(how, a, (*at, number), True)
            same = self.b.op("le" if how.endswith("max") else "ge", number, old)
            raised = self.b.op("not", same, hint="raised")
            return [Entry(a, at, value, raised, const(True), s.loc)]
        self.globally(how, a, at, value, number)
        return []

    def when(self, cond: Atom, action: Any) -> None:
        """``if cond: action()``."""
        with self.b.block() as then:
            action()
        self.b.if_(cond, Block(tuple(then)), Block(()))

    def whether(self, cond: Atom, action: Any) -> Var:
        """``action() if cond else False``."""
        with self.b.block() as then:
            got = action()
        made = self.b.var("wins", B1)
        self.b.if_(cond, Block(tuple(then), (got,)), Block((), (FALSE,)), (made,))
        return made

    def globally(self, how: str, a: Var, at: tuple[Atom, ...], value: Atom, number: Atom) -> None:
        """A global array: the tables are those of the launches before this one."""
        ticket = self.b.op("sub", FIRST, self.place(LANE), hint="ticket")
        self.parameter("last", B1, Hidden("last"), "last")
        race, best, claim, winner = (
            self.contest(kind, a) for kind in ("race", "best", "claim", "winner")
        )
        self.update(how, race, (*at, number))
        top = self.b.load(best, *at, hint="top")

        def equal() -> Atom:
            self.update("max", claim, (*at, ticket))
            return self.b.op("eq", self.b.load(winner, *at, hint="first"), ticket)

        wins = self.whether(self.b.op("eq", number, top), equal)

        def first() -> Atom:  # else the value that was there has won
            return self.b.op("ne", self.b.op("stop_gradient", self.b.load(a, *at)), top)

        self.when(self.whether(wins, first), lambda: self.b.store(a, at, value))

    def settle(self, waiting: list[Entry]) -> None:
        """Behind a barrier: who has won, in the shared arrays."""
        if not waiting:
            return
        equal = [self.enter(e) for e in waiting]
        self.b.emit(barrier(self.b.loc))
        wins = [self.won(e, same) for e, same in zip(waiting, equal, strict=True)]
        pairs = list(zip(waiting, wins, strict=True))
        for e, won in pairs[::-1]:  # of two calls of a thread the first has the last word
            self.b.loc = e.loc
            self.when(won, lambda e=e: self.b.store(e.array, e.index, e.value))  # type: ignore[misc]
        self.b.emit(barrier(self.b.loc))
        for e, won in pairs:
            self.when(won, lambda e=e: self.clear(e))  # type: ignore[misc]

    def enter(self, e: Entry) -> Var:
        """Whether a thread's value is the extreme; then its ticket stands in the table."""
        self.b.loc = e.loc

        def equal() -> Atom:
            number = self.b.op("stop_gradient", e.value)
            top = self.b.op("stop_gradient", self.b.load(e.array, *e.index, hint="top"))
            return self.b.op("eq", number, top)

        same, table = self.whether(e.called, equal), self.table(e.array)
        self.when(same, lambda: self.update("max", table, (ZERO, *e.index, self.number)))
        both = self.b.op("and", same, e.raised)
        self.when(both, lambda: self.update("max", table, (ONE, *e.index, ONE)))
        return same

    def won(self, e: Entry, same: Var) -> Var:
        """Whether the ticket is the thread's, and the element was not the extreme before."""
        table = self.table(e.array)

        def look() -> Atom:
            first = self.b.op("eq", self.b.load(table, ZERO, *e.index), self.number)
            return self.b.op("and", first, self.b.op("gt", self.b.load(table, ONE, *e.index), ZERO))

        return self.whether(same, look)

    def clear(self, e: Entry) -> None:
        """The table for the next time."""
        for row in (ZERO, ONE):
            self.b.store(self.table(e.array), (row, *e.index), ZERO)


def nothing(t: Type) -> Const:
    """The value of a variable of an entry that is none."""
    assert isinstance(t, Scalar)
    return const({"i8": 0, "b1": False}.get(t.kind, 0.0), t)
