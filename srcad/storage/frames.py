"""A record of the calls that a recursion makes: the small functions that write and read it.

In: a function of numbers (and of arrays that all calls hand on as they are).  Out: IR functions on
a record, two arrays: of integers, beginning with how far both are filled, and of floats.

Each call that is recorded has a frame: the words of ``FIELDS``, its arguments and its results, the
frames of the calls that it made itself, and last the position of its beginning (so that frames can
be walked in both directions).  An activation of a reverse version has a frame as well: that of
the call it reverses, or one made for it (not ``CLOSED``), behind which it records its own calls.

Invariant: a frame is used only for a call of the same function with the same arguments, bit for
bit; wherever none is found the function itself is called.  So a record decides how long something
takes, never what comes out (functions are pure; NaN is never the same).
Limits: ``FULL`` numbers; what would be recorded beyond is evaluated again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Call, Carried, Function, Var
from srcad.ir.types import F4, F8, I8, ArrayT, Scalar
from srcad.ir.walk import variables

FIELDS = ("end", "forward", "last", "back", "floats", "closed", "start", "id")
END, FORWARD, LAST, BACK, FLOATS, CLOSED, START, ID = (const(k) for k in range(len(FIELDS)))
HEADER = len(FIELDS)
FULL = 1 << 20  # numbers in each array, from which on nothing more is recorded
ROOM = FULL + FULL // 4  # and for the ends of frames that are begun
MOST = 1000  # arguments and results of a function
INTS, FLOATS_ = ArrayT("i8", 1), ArrayT("f8", 1)
PROBES = 128  # calls, after which the depth of a recursion is taken to be known
LOOK = 4  # frames that are compared before the function is called again
NONE = const(-1)


@dataclass
class Record:
    """The parameters for a record, and statements on it."""

    b: Builder
    ints: Var = field(init=False)
    floats: Var = field(init=False)

    def __post_init__(self) -> None:
        self.ints = self.b.var("calls", INTS)
        self.floats = self.b.var("numbers", FLOATS_)

    @property
    def params(self) -> tuple[Var, Var]:
        """Both arrays."""
        return self.ints, self.floats

    def get(self, at: Atom, word: Atom, hint: str) -> Var:
        """A word of a frame."""
        return self.b.load(self.ints, self.b.op("add", at, word, hint="at"), hint=hint)

    def put(self, at: Atom, word: Atom, value: Atom) -> None:
        """Change it."""
        self.b.store(self.ints, (self.b.op("add", at, word, hint="at"),), value)

    def top(self) -> tuple[Var, Var]:
        """How far the arrays are filled."""
        return self.b.load(self.ints, ZERO, hint="top"), self.b.load(self.ints, ONE, hint="top")

    def fill(self, ints: Atom, floats: Atom) -> None:
        """Say how far."""
        self.b.store(self.ints, (ZERO,), ints)
        self.b.store(self.ints, (ONE,), floats)

    def full(self, top: Atom, room: Atom) -> Atom:
        """Whether there is no more room."""
        most = (self.b.op("gt", x, const(FULL), hint="full") for x in (top, room))
        return self.b.op("or", *most, hint="full")

    def branch(
        self, cond: Atom, then: Callable[[], Sequence[Atom]], orelse: Callable[[], Sequence[Atom]]
    ) -> tuple[Var, ...]:
        """The values of one of two blocks."""
        with self.b.block() as one:
            a = tuple(then())
        with self.b.block() as other:
            c = tuple(orelse())
        results = tuple(self.b.var("chosen", y.type) for y in a)
        self.b.if_(cond, Block(tuple(one), a), Block(tuple(other), c), results)
        return results


class Frames:
    """The functions for one function ``fn``; ``number`` is its own in the record."""

    def __init__(self, fn: Function, number: int, namer: Namer) -> None:
        self.fn, self.number = fn, number
        self.given = [p for p in fn.params if isinstance(p.type, Scalar)]
        self.results = [y.type for y in fn.body.yields]
        kinds = [*(p.type for p in self.given), *self.results]
        self.words = sum(t not in (F8, F4) for t in kinds)
        self.numbers = len(kinds) - self.words
        self.recorded = namer.fresh(f"{fn.name}_recorded")
        self.again = namer.fresh(f"{fn.name}_again")
        self.found = namer.fresh(f"{fn.name}_found")
        self.probe = namer.fresh(f"{fn.name}_depth")

    @property
    def size(self) -> int:
        """Words of a frame before those of its calls."""
        return HEADER + self.words

    def places(self) -> list[tuple[bool, int]]:
        """For arguments and results: whether among the floats, and where."""
        found: list[tuple[bool, int]] = []
        counts = {True: 0, False: HEADER}
        for t in (*(p.type for p in self.given), *self.results):
            real = t in (F8, F4)
            found.append((real, counts[real]))
            counts[real] += 1
        return found

    def begun(self) -> tuple[Builder, Record, tuple[Var, ...]]:
        """What a new function with the parameters of ``fn`` begins with."""
        b = Builder(Namer(v.name for v in variables(self.fn)))
        return b, Record(b), self.fn.params

    def call(self, b: Builder, name: str, args: Sequence[Atom]) -> tuple[Var, ...]:
        """A call of a function with the results of ``fn``."""
        made = tuple(b.var("value", t) for t in self.results)
        b.emit(Call(made, name, tuple(args), b.loc))
        return made

    def whole(
        self, b: Builder, name: str, params: tuple[Var, ...], yields: Sequence[Atom]
    ) -> Function:
        """The function that is in hand."""
        return Function(name, params, Block(tuple(b.stack[0]), tuple(yields)))

    # recording
    def recording(self, body: Callable[[Record], Block]) -> Function:
        """``fn`` that records its calls: ``body`` has them replaced."""
        b, r, params = self.begun()
        top, room = r.top()
        inner = body(r)

        def plain() -> Sequence[Atom]:
            return self.call(b, self.fn.name, params)

        def recorded() -> Sequence[Atom]:
            start = b.op("add", top, const(self.size), hint="start")
            r.fill(start, b.op("add", room, const(self.numbers), hint="top"))
            count = len(self.given)
            self.write(b, r, top, room, self.given, self.places()[:count])
            b.stack[-1] += inner.stmts
            self.write(b, r, top, room, inner.yields, self.places()[count:])
            end = b.load(r.ints, ZERO, hint="end")
            past = b.op("add", end, ONE, hint="past")
            b.store(r.ints, (end,), top)
            b.store(r.ints, (ZERO,), past)
            for word, value in (
                *((END, past), (FORWARD, start), (LAST, NONE), (BACK, end), (FLOATS, room)),
                *((CLOSED, ONE), (START, start), (ID, const(self.number))),
            ):
                r.put(top, word, value)
            return inner.yields

        found = r.branch(r.full(top, room), plain, recorded)
        return self.whole(b, self.recorded, (*params, *r.params), found)

    # how deep the recursion is
    def probing(self, body: Callable[[Var, Atom], Block], most: int) -> Function:
        """``fn`` that notes how deep it calls itself; ``body`` has its calls replaced.

        After ``PROBES`` calls, and ``most`` levels down, it goes on as ``fn``.
        """
        b, _, params = self.begun()
        noted, depth = b.var("deepest", INTS), b.var("depth", I8)
        deepest = b.load(noted, ZERO, hint="deepest")
        b.store(noted, (ZERO,), b.op("max", deepest, depth, hint="deepest"))
        count = b.op("add", b.load(noted, ONE, hint="count"), ONE, hint="count")
        b.store(noted, (ONE,), count)
        inner = body(noted, b.op("add", depth, ONE, hint="next"))

        def whole() -> Sequence[Atom]:
            b.stack[-1] += inner.stmts
            return inner.yields

        low = b.op("ge", depth, const(most), hint="low")
        full = b.op("or", low, b.op("gt", count, const(PROBES), hint="full"), hint="full")
        found = Record(b).branch(full, lambda: self.call(b, self.fn.name, params), whole)
        return self.whole(b, self.probe, (*params, noted, depth), found)

    def write(
        self,
        b: Builder,
        r: Record,
        at: Atom,
        room: Atom,
        values: Sequence[Atom],
        places: list[tuple[bool, int]],
    ) -> None:
        """Arguments or results into a frame."""
        for value, (real, k) in zip(values, places, strict=True):
            if real:
                b.store(r.floats, (b.op("add", room, const(k), hint="at"),), b.cast(value, F8))
            else:
                r.put(at, const(k), b.cast(value, I8))

    # reading
    def same(self, b: Builder, r: Record, at: Atom) -> Atom:
        """Whether a frame is of a call with these arguments."""
        places = self.places()

        def compared() -> Sequence[Atom]:
            room = r.get(at, FLOATS, "room")
            equal: Atom = const(True)
            for p, (real, k) in zip(self.given, places, strict=False):
                if real:
                    known = b.load(r.floats, b.op("add", room, const(k), hint="at"), hint="known")
                    value = b.cast(p, F8)
                    signs = (b.op("copysign", const(1.0), x, hint="sign") for x in (known, value))
                    one = b.op("eq", known, value, hint="same")
                    one = b.op("and", one, b.op("eq", *signs, hint="same"), hint="same")
                else:
                    one = b.op("eq", r.get(at, const(k), "known"), b.cast(p, I8), hint="same")
                equal = b.op("and", equal, one, hint="same") if equal != const(True) else one
            return (equal,)

        mine = b.op("eq", r.get(at, ID, "id"), const(self.number), hint="mine")
        return r.branch(mine, compared, lambda: (const(False),))[0]

    def read(self, b: Builder, r: Record, at: Atom) -> list[Atom]:
        """The results in a frame."""
        room = r.get(at, FLOATS, "room")
        found: list[Atom] = []
        places = self.places()[len(self.given) :]
        for t, (real, k) in zip(self.results, places, strict=True):
            assert isinstance(t, Scalar)
            place = b.op("add", room, const(k), hint="at")
            got = b.load(r.floats, place) if real else r.get(at, const(k), "value")
            found.append(b.cast(got, t))
        return found

    def walk(
        self, b: Builder, first: Atom, step: Callable[[Atom], Sequence[Atom]], r: Record
    ) -> tuple[Atom, Atom]:
        """``step`` from one position to (frame found or -1, next position), a few times."""
        index, found, place = b.var("k", I8), b.var("found", I8), b.var("place", I8)
        with b.block() as stmts:
            open_ = b.op("lt", found, ZERO, hint="open")
            new = r.branch(open_, lambda: step(place), lambda: (found, place))
        results = b.var("found", I8), b.var("place", I8)
        carried = (Carried(results[0], found, NONE), Carried(results[1], place, first))
        b.for_(index, ZERO, const(LOOK), ONE, carried, Block(tuple(stmts), new))
        return results

    def taking(self) -> Function:
        """``fn`` whose results are taken from the frame of an activation, in the order of calls."""
        b, r, params = self.begun()
        own = b.var("own", I8)

        def replayed() -> Sequence[Atom]:
            limit = b.op("sub", r.get(own, END, "end"), ONE, hint="limit")

            def step(at: Atom) -> Sequence[Atom]:
                def compare() -> Sequence[Atom]:
                    return r.branch(
                        self.same(b, r, at),
                        lambda: (at, at),
                        lambda: (NONE, r.get(at, END, "place")),
                    )

                inside = b.op("lt", at, limit, hint="inside")
                return r.branch(inside, compare, lambda: (NONE, at))

            found, _ = self.walk(b, r.get(own, FORWARD, "place"), step, r)

            def taken() -> Sequence[Atom]:
                r.put(own, FORWARD, r.get(found, END, "next"))
                r.put(own, LAST, found)
                return self.read(b, r, found)

            known = b.op("ge", found, ZERO, hint="known")
            return r.branch(known, taken, lambda: self.call(b, self.fn.name, params))

        def recorded() -> Sequence[Atom]:
            top, _ = r.top()
            made = self.call(b, self.recorded, (*params, *r.params))
            more = b.op("gt", r.top()[0], top, hint="more")
            r.put(own, LAST, r.branch(more, lambda: (top,), lambda: (NONE,))[0])
            return made

        def known() -> Sequence[Atom]:
            closed = b.op("eq", r.get(own, CLOSED, "closed"), ONE, hint="closed")
            return r.branch(closed, replayed, recorded)

        none = b.op("lt", own, ZERO, hint="none")
        found = r.branch(none, lambda: self.call(b, self.fn.name, params), known)
        return self.whole(b, self.again, (*params, *r.params, own), found)

    def finding(self) -> Function:
        """The frame of a call that is reversed, in the order opposite to that of calls; or -1."""
        b, r, params = self.begun()
        own = b.var("own", I8)

        def search() -> Sequence[Atom]:
            back = r.get(own, BACK, "back")
            fresh = b.op("lt", back, ZERO, hint="fresh")
            first = r.branch(fresh, lambda: (r.top()[0],), lambda: (back,))[0]
            low = r.get(own, START, "start")

            def step(at: Atom) -> Sequence[Atom]:
                def compare() -> Sequence[Atom]:
                    frame = r.get(at, NONE, "frame")
                    same = self.same(b, r, frame)
                    return r.branch(same, lambda: (frame, frame), lambda: (NONE, frame))

                inside = b.op("gt", at, low, hint="inside")
                return r.branch(inside, compare, lambda: (NONE, at))

            found, _ = self.walk(b, first, step, r)

            def note() -> Sequence[Atom]:
                r.put(own, BACK, found)
                return ()

            r.branch(b.op("ge", found, ZERO, hint="known"), note, lambda: ())
            return (found,)

        def known() -> Sequence[Atom]:
            last = r.get(own, LAST, "last")
            some = b.op("ge", last, ZERO, hint="some")
            hit = r.branch(some, lambda: (self.same(b, r, last),), lambda: (const(False),))[0]
            return r.branch(hit, lambda: (last,), search)

        found = r.branch(b.op("lt", own, ZERO, hint="none"), lambda: (NONE,), known)
        return self.whole(b, self.found, (*params, *r.params, own), found)


def entering(name: str) -> Function:
    """The frame of an activation: that of the call it reverses, ready to be read, or a new one.

    Where there is no room for one it is -1.
    """
    b = Builder(Namer())
    r = Record(b)
    known = b.var("known", I8)

    def made() -> Sequence[Atom]:
        top, room = r.top()

        def new() -> Sequence[Atom]:
            start = b.op("add", top, const(HEADER), hint="start")
            r.fill(start, room)
            for word, value in (
                *((END, ZERO), (FORWARD, start), (LAST, NONE), (BACK, NONE), (FLOATS, room)),
                *((CLOSED, ZERO), (START, start), (ID, NONE)),
            ):
                r.put(top, word, value)
            return (top,)

        return r.branch(r.full(top, room), lambda: (NONE,), new)

    def again() -> Sequence[Atom]:
        r.put(known, FORWARD, r.get(known, START, "start"))
        r.put(known, BACK, b.op("sub", r.get(known, END, "end"), ONE, hint="back"))
        r.put(known, LAST, NONE)
        return (known,)

    own = r.branch(b.op("lt", known, ZERO, hint="new"), made, again)
    return Function(name, (*r.params, known), Block(tuple(b.stack[0]), own))


def leaving(name: str) -> Function:
    """After a call is reversed: what that recorded is forgotten, its frame if it is the last."""
    b = Builder(Namer())
    r = Record(b)
    own, known, top, room = (b.var(n, I8) for n in ("own", "known", "top", "room"))

    def ended() -> Sequence[Atom]:
        opened = b.op("eq", r.get(own, CLOSED, "closed"), ZERO, hint="opened")
        last = b.op("eq", r.get(known, END, "end"), top, hint="last")
        return (b.op("and", opened, last, hint="ended"),)

    some = b.op("ge", known, ZERO, hint="some")
    gone = r.branch(some, ended, lambda: (const(False),))[0]

    def forget() -> Sequence[Atom]:
        r.put(own, LAST, NONE)
        return known, r.get(known, FLOATS, "room")

    r.fill(*r.branch(gone, forget, lambda: (top, room)))
    return Function(name, (*r.params, own, known, top, room), Block(tuple(b.stack[0])))
