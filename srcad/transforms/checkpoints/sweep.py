"""The forward sweep of a checkpointed loop: all its steps, and states kept on the way.

In: an outline, and the name of the function of one step.  Out: a function of the loop's bounds, the
number (or bytes) of states, and the operands of the step.  Its results are those of the loop and
then, for the reverse sweep: the number of steps, of states kept and of places for them, the numbers
before the last step, and (``Layout``) the storage of states and the state before the last step.

Where the number of steps is known on entry, states are kept as ``schedule`` says, and the last
step begins where the reverse sweep does.  Otherwise (``while``, ``break``) the state at entry is
all that is kept: the reverse sweep, which knows the number, then advances from there once more.
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

    known: bool
    numbers: int  # carried numbers: before the last step, and (if known) their states
    arrays: int  # arrays of the state: before the last step, and (if known) their states
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
        if layout.known:
            (made.where,) = take(1)
            made.states = States(take(layout.numbers), take(layout.arrays))
        made.sizes = [take(n) for n in layout.scratch]
        if layout.draws:
            (made.drawn,) = take(1)
        return made


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
        slots = self._slots()
        work = self._work()
        for v, w in zip(self.state, work, strict=True):
            copy(b, v, "", into=w)
        names = [*self._names(), ("trips", I8)]
        inits: tuple[Atom, ...] = (*self.inits, ZERO)
        if isinstance(self.o.loop, For):
            out = carry_for(b, (ZERO, self.trips), names, inits, self._trip, breaks=True)
        else:
            out = carry_while(b, names, inits, lambda args: self._trip(args[-1], args))
        return out[:-1], Extras(out[-1], slots, const(1), tuple(self.inits), work)

    def _trip(self, k: Var, args: tuple[Var, ...]) -> tuple[Atom, ...]:
        return (*self.steps(k, args[:-1]), self.b.op("add", args[-1], ONE, hint="trips"))
