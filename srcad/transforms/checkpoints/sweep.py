"""The forward sweep of a checkpointed loop: all its steps, and states kept on the way.

In: an outline, and the name of the function of one step.  Out: a function of the loop's bounds, the
number (or bytes) of states, and the operands of the step.  Its results are those of the loop and
then, for the reverse sweep: the number of steps, of states kept and of places for them, the numbers
before the last step, and (``Layout``) the storage of states and the state before the last step.

Where the number of steps is known on entry, states are kept as ``schedule`` says, and the last
step begins where the reverse sweep does.  Otherwise (``while``, ``break``) the schedule is online:
a state is kept every ``every`` steps, and when there is no place left every other one is given up
and ``every`` doubled (the even spacing of Stumm and Walther 2010, "New algorithms for optimal
online checkpointing", section 2).  The reverse sweep, which knows the number of steps, goes through
the segments between them with the binomial schedule and the places that have become free.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Call, Const, For, Function, Keep, Var
from srcad.ir.types import F8, I8, ListT, Type
from srcad.transforms.arrays import copy, fresh, sizes
from srcad.transforms.checkpoints.emit import carry_for, carry_while, choose
from srcad.transforms.checkpoints.outline import Outline
from srcad.transforms.checkpoints.states import INTS, States, state_bytes, states
from srcad.transforms.draws import written_record


@dataclass
class Layout:
    """Extra results of the forward sweep: how many there are of each kind, in this order."""

    known: bool  # the number of steps, on entry; else nothing is kept of the last step
    numbers: int  # carried numbers: before the last step, and their states
    arrays: int  # arrays of the state: before the last step, and their states
    scratch: list[int] = field(default_factory=list)  # axes of each array that is only written
    draws: bool = False


@dataclass
class Extras:
    """Extra results, taken apart."""

    trips: Atom
    slots: Atom
    held: Atom
    last: tuple[Var, ...]
    work: tuple[Var, ...]
    where: Var | None = None
    states: States | None = None
    sizes: list[tuple[Var, ...]] = field(default_factory=list)
    drawn: Var | None = None

    def flat(self) -> tuple[Atom, ...]:
        """As results."""
        found: list[Atom] = [self.trips, self.slots, self.held, *self.last, *self.work]
        if self.where is not None and self.states is not None:
            found += [self.where, *self.states.numbers, *self.states.arrays]
        found += [n for shape in self.sizes for n in shape]
        return (*found, self.drawn) if self.drawn is not None else tuple(found)

    @staticmethod
    def of(layout: Layout, flat: tuple[Var, ...]) -> Extras:
        """Inverse of ``flat``."""
        rest = list(flat)

        def take(n: int) -> tuple[Var, ...]:
            found = tuple(rest[:n])
            del rest[:n]
            return found

        trips, slots, held = take(3)
        made = Extras(trips, slots, held, take(layout.numbers), take(layout.arrays))
        (made.where,) = take(1)
        made.states = States(take(layout.numbers), take(layout.arrays))
        made.sizes = [take(n) for n in layout.scratch]
        if layout.draws:
            (made.drawn,) = take(1)
        return made


ONLINE = 128  # states at most where the number of steps is not known: all places are made on entry


@dataclass(frozen=True)
class Online:
    """Places for states while the number of steps is not known."""

    kept: States
    where: Var
    places: Atom


class Steps:
    """Emits calls of the step on operands that are bound once."""

    def __init__(self, b: Builder, o: Outline, fn: str, start: Atom, step: Atom) -> None:
        self.b, self.o, self.fn, self.start, self.step = b, o, fn, start, step
        self.fixed: tuple[Atom, ...] = ()

    def index(self, k: Atom) -> Atom:
        """The loop's index in step ``k``."""
        far = self.b.op("mul", k, self.step)
        return self.b.op("add", self.start, far, hint=self.o.step.params[0].hint)

    def __call__(self, k: Atom, numbers: tuple[Atom, ...]) -> tuple[Var, ...]:
        """The numbers after step ``k``."""
        out = tuple(self.b.var(c.arg.hint, c.arg.type) for c in self.o.scalars)
        self.b.emit(Call(out, self.fn, (self.index(k), *numbers, *self.fixed), self.b.loc))
        return out


def emit_sweep(
    name: str, o: Outline, keep: Keep, step: str, split: str, draws: bool, doc: str
) -> tuple[Function, Layout]:
    """The forward sweep as a function ``name`` (without callees)."""
    return _Sweep(o, keep, step, split, draws).function(name, doc)


class _Sweep:
    def __init__(self, o: Outline, keep: Keep, step: str, split: str, draws: bool) -> None:
        self.o, self.keep, self.split, self.draws = o, keep, split, draws
        loop = o.loop
        self.known = isinstance(loop, For) and not loop.breaks
        self.b = b = Builder(Namer(), loop.loc)
        ranged = isinstance(loop, For)
        self.start: Atom = b.var("start", I8) if ranged else ZERO
        self.trips: Atom = b.var("steps", I8) if ranged else ZERO
        self.limit = b.var("memory" if keep.bytes else "snapshots", I8)
        stride: Atom = ONE
        if isinstance(loop, For):
            stride = loop.step if isinstance(loop.step, Const) else b.var("step", I8)
        self.stride = stride
        self.inits = [b.var(c.arg.hint, c.arg.type) for c in o.scalars]
        self.free = [b.var(v.hint or v.name, v.type) for v in o.free]
        self.arrays = [b.var(v.hint or v.name, v.type) for v, _ in o.arrays]
        self.given = [b.var(c.arg.hint, c.init.type) for c in o.buffers]
        self.steps = Steps(b, o, step, self.start, stride)

    def function(self, name: str, doc: str) -> tuple[Function, Layout]:
        """The function and the layout of its results."""
        b, o = self.b, self.o
        pairs = zip(self.given, o.buffers, strict=True)
        buffers = tuple(self._buffer(v, c.arg.type) for v, c in pairs)
        self.record: tuple[Var, ...] = ()
        if self.draws:
            numbers = b.alloc(ListT(F8), (), hint="drawn")
            self.record = (numbers, b.alloc(INTS, (ONE,), hint="at"))
        self.steps.fixed = (*self.free, *self.arrays, *buffers, *self.record)
        state = [v for v, (_, role) in zip(self.arrays, o.arrays, strict=True) if role == "state"]
        self.state = (*state, *buffers, *self.record[1:])
        results, extras = self._counted() if self.known else self._unknown()
        scratch = [v for v, (_, r) in zip(self.arrays, o.arrays, strict=True) if r == "scratch"]
        extras.sizes = [sizes(b, v) for v in scratch]  # type: ignore[misc]
        if self.draws:
            extras.drawn = written_record(b, *self.record)
        params = [v for v in (self.start, self.trips, self.stride) if isinstance(v, Var)]
        params += [self.limit, *self.inits, *self.free, *self.arrays, *self.given]
        layout = Layout(
            self.known, len(self.inits), len(self.state), [len(x) for x in extras.sizes], self.draws
        )
        body = Block(tuple(b.stack[0]), (*results, *buffers, *extras.flat()))
        return Function(name, tuple(params), body, doc=doc), layout

    def _buffer(self, given: Var, kind: Type) -> Var:
        made = fresh(self.b, kind, sizes(self.b, given), False, given.hint)
        return copy(self.b, given, given.hint, into=made)

    def _work(self) -> tuple[Var, ...]:
        return tuple(fresh(self.b, v.type, sizes(self.b, v), False, v.hint) for v in self.state)

    def _names(self, role: str = "") -> list[tuple[str, Type]]:
        return [(c.arg.hint + role, c.arg.type) for c in self.o.scalars]

    def _slots(self) -> Atom:
        """How many states may be kept."""
        if not self.keep.bytes:
            return self.limit
        room = self.b.op("max", state_bytes(self.b, self.inits, self.state), ONE)
        several = self.b.op("sub", self.b.op("floordiv", self.limit, room), ONE)  # one in hand
        return self.b.op("max", several, ONE, hint="snapshots")

    def _counted(self) -> tuple[tuple[Var, ...], Extras]:
        b = self.b
        last = b.op("sub", self.trips, ONE, hint="last")
        slots = b.op("max", b.op("min", self._slots(), last), ONE, hint="slots")
        where = b.alloc(INTS, (slots,), hint="where")
        kept = states(b, slots, self.inits, self.state)
        work = self._work()
        names = [*self._names(), *self._names("_last"), ("held", I8), ("next", I8)]
        count = len(self.inits)

        def body(k: Var, args: tuple[Var, ...]) -> tuple[Atom, ...]:
            numbers, (held, following) = args[:count], args[2 * count :]

            def save() -> tuple[Atom, ...]:
                kept.save(b, held, numbers, self.state)
                b.store(where, (held,), k)
                return b.op("add", held, ONE), self._next(k, b.op("sub", slots, held))

            here = b.op("and", b.op("eq", k, following), b.op("lt", k, last))
            after = choose(b, here, names[-2:], save, lambda: (held, following))

            def hand() -> tuple[Atom, ...]:
                for v, w in zip(self.state, work, strict=True):
                    copy(b, v, "", into=w)
                return ()

            choose(b, b.op("eq", k, last), (), hand, lambda: ())
            return (*self.steps(k, numbers), *numbers, *after)

        inits: tuple[Atom, ...] = (*self.inits, *self.inits, ZERO, ZERO)
        out = carry_for(b, (ZERO, self.trips), names, inits, body)
        extras = Extras(self.trips, slots, out[-2], out[count : 2 * count], work, where, kept)
        return out[:count], extras

    def _next(self, k: Atom, room: Atom) -> Atom:
        """Before which step the next state is kept (never if there is room for this one only)."""
        b = self.b

        def ahead() -> tuple[Atom, ...]:
            advance = b.var("advance", I8)
            b.emit(Call((advance,), self.split, (b.op("sub", self.trips, k), room), b.loc))
            return (b.op("add", k, advance),)

        return choose(b, b.op("gt", room, ONE), (("next", I8),), ahead, lambda: (self.trips,))[0]

    def _unknown(self) -> tuple[tuple[Var, ...], Extras]:
        b = self.b
        slots, places = self._places()
        where = b.alloc(INTS, (slots,), hint="where")
        kept = states(b, slots, self.inits, self.state)
        work = self._work()
        names = [*self._names(), ("trips", I8), ("held", I8), ("every", I8)]
        inits: tuple[Atom, ...] = (*self.inits, ZERO, ZERO, ONE)

        def body(k: Var, args: tuple[Var, ...]) -> tuple[Atom, ...]:
            *numbers, trips, held, every = args
            held_, every_ = self._keep(Online(kept, where, places), k, numbers, held, every)
            return (*self.steps(k, tuple(numbers)), b.op("add", trips, ONE), held_, every_)

        if isinstance(self.o.loop, For):
            out = carry_for(b, (ZERO, self.trips), names, inits, body, breaks=True)
        else:
            out = carry_while(b, names, inits, lambda args: body(args[-3], args))
        *results, trips, held, _ = out
        return tuple(results), Extras(trips, slots, held, tuple(self.inits), work, where, kept)

    def _places(self) -> tuple[Var, Atom]:
        """How many states there may be, and how many of them before the last step is known.

        The others are for the segments between them, without which the last segment, and the one
        before it, would cost the square of their lengths.
        """
        b = self.b
        slots = b.op("max", b.op("min", self._slots(), const(ONLINE)), ONE, hint="slots")
        assert isinstance(slots, Var)
        half = b.op("floordiv", b.op("add", slots, ONE), const(2))
        return slots, b.op("select", b.op("lt", slots, const(4)), ONE, half, hint="places")

    def _keep(
        self, online: Online, k: Var, numbers: list[Var], held: Var, every: Var
    ) -> tuple[Var, ...]:
        """Keep the state before step ``k`` if it is its turn; how many there are, and how often."""
        b, kept, where = self.b, online.kept, online.where
        turn = (("held", I8), ("every", I8))

        def thin() -> tuple[Atom, ...]:
            half = b.op("floordiv", b.op("add", held, ONE), const(2), hint="held")
            with b.loop(ONE, half) as i:
                j = b.op("mul", i, const(2), hint="j")
                b.store(where, (i,), b.load(where, j))
                kept.move(b, j, i, self.state)
            return half, b.op("mul", every, const(2), hint="every")

        def save(held: Atom) -> tuple[Atom, ...]:
            kept.save(b, held, numbers, self.state)
            b.store(where, (held,), k)
            return (b.op("add", held, ONE, hint="held"),)

        def due() -> tuple[Atom, ...]:
            full = b.op("eq", held, online.places)
            left, often = choose(b, full, turn, thin, lambda: (held, every))
            still = b.op("eq", b.op("mod", k, often), ZERO)
            (after,) = choose(b, still, turn[:1], lambda: save(left), lambda: (left,))
            return after, often

        on = b.op("eq", b.op("mod", k, every), ZERO)
        return choose(b, on, turn, due, lambda: (held, every))
