"""The reverse sweep of a checkpointed loop: from the states kept, step by step backwards.

In: an outline, what the forward sweep left (``sweep.Layout``), the name of the reverse version of
one step.  Out: a function of the loop's bounds, what the forward sweep left, the numbers and the
arrays that the steps only read, the adjoints of what the loop gives, and the shadows of the arrays
it sees.  Its results are the adjoints of the numbers that the loop begins with and of those it
sees; adjoints of arrays are accumulated in place.

Algorithm: Revolve (Griewank and Walther 2000).  For each step, last first: take the latest state
kept, advance from there to the step, keeping states on the way where there is room, and run the
reverse version of that one step.  At every moment there are at most ``slots`` states, and one in
hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Call, Const, For, Function, Var
from srcad.ir.types import B1, I8, Type, shadow_type
from srcad.transforms.arrays import fit, fresh, zero_of
from srcad.transforms.checkpoints.emit import carry_for, carry_while, choose
from srcad.transforms.checkpoints.outline import Outline
from srcad.transforms.checkpoints.states import States
from srcad.transforms.checkpoints.sweep import Extras, Layout, Steps


@dataclass(frozen=True)
class Active:
    """What of a loop carries a derivative."""

    numbers: tuple[bool, ...]  # carried
    free: tuple[bool, ...]
    arrays: tuple[bool, ...]
    buffers: tuple[bool, ...]

    def of_step(self, draws: bool) -> tuple[bool, ...]:
        """By the parameters of the step."""
        record = (False, False) if draws else ()
        return (False, *self.numbers, *self.free, *self.arrays, *self.buffers, *record)


def emit_revolve(
    name: str,
    o: Outline,
    sweep: Function,
    layout: Layout,
    active: Active,
    names: tuple[str, str, str],
    doc: str,
) -> Function:
    """The reverse sweep; ``names`` are the step to repeat, its reverse version, and ``split``."""
    return _Revolve(o, sweep, layout, active, names).function(name, doc)


class _Revolve:
    def __init__(
        self,
        o: Outline,
        sweep: Function,
        layout: Layout,
        active: Active,
        names: tuple[str, str, str],
    ) -> None:
        self.o, self.layout, self.active = o, layout, active
        step, self.step_b, self.split = names
        loop, self.b = o.loop, Builder(Namer(), o.loop.loc)
        self.params: list[Var] = []
        start: Atom = self._param("start", I8) if isinstance(loop, For) else ZERO
        stride: Atom = loop.step if isinstance(loop, For) else ONE
        stride = stride if isinstance(stride, Const) else self._param("step", I8)
        given = len(o.scalars) + len(o.buffers)
        held = sweep.body.yields[given:]
        self.extras = Extras.of(
            layout, tuple(self._param(getattr(y, "hint", "") or "held", y.type) for y in held)
        )
        free = [self._param(v.hint or v.name, v.type) for v in o.free]
        read = {
            v.name: self._param(v.hint or v.name, v.type) for v, role in o.arrays if role == "read"
        }
        self.names = [(c.arg.hint, c.arg.type) for c in o.scalars]
        self.seeds = [self._param(f"{hint}_b", kind) for hint, kind in self._picked()]
        owned = o.step.params[len(o.step.params) - len(o.buffers) :] if o.buffers else ()
        buffers_b = [
            self._param(f"{v.hint}_b", v.type)
            for v, on in zip(owned, active.buffers, strict=True)
            if on
        ]
        shadows = [
            self._param(f"{v.hint or v.name}_b", shadow_type(v.type))
            for (v, _), on in zip(o.arrays, active.arrays, strict=True)
            if on
        ]
        self.shadows = (*shadows, *buffers_b)
        self.steps = Steps(self.b, o, step, start, stride)
        self.steps.fixed = self._operands(free, read)

    def _param(self, hint: str, kind: Type) -> Var:
        v = self.b.var(hint, kind)
        self.params.append(v)
        return v

    def _picked(self) -> list[tuple[str, Type]]:
        return [n for n, on in zip(self.names, self.active.numbers, strict=True) if on]

    def _free(self) -> list[Var]:
        return [v for v, on in zip(self.o.free, self.active.free, strict=True) if on]

    def _operands(self, free: list[Var], read: dict[str, Var]) -> tuple[Atom, ...]:
        """What every step gets: numbers, arrays, the state in hand."""
        b, o, x = self.b, self.o, self.extras
        work, shapes = iter(x.work), iter(x.sizes)
        arrays = []
        for v, role in o.arrays:
            if role == "scratch":
                found = fresh(b, v.type, next(shapes), True, v.hint or v.name)
            else:
                found = read[v.name] if role == "read" else next(work)
            arrays.append(fit(b, found, v.type))
        arrays += [next(work) for _ in o.buffers]
        if x.drawn is not None:
            arrays += [x.drawn, next(work)]
        return (*free, *arrays)

    def function(self, name: str, doc: str) -> Function:
        """The function."""
        b, x = self.b, self.extras
        self.last = b.op("sub", x.trips, ONE, hint="last")
        adjoints = [(f"{hint}_b", kind) for hint, kind in self._picked()]
        adjoints += [(f"{v.hint or v.name}_b", v.type) for v in self._free()]
        inits: list[Atom] = [*self.seeds, *(zero_of(v.type) for v in self._free())]
        top = b.op("sub", x.held, ONE, hint="top")
        out = carry_for(
            b,
            (self.last, const(-1)),
            [("top", I8), *adjoints],
            (top, *inits),
            self._step_back,
            hint="j",
            step=const(-1),
        )
        return Function(name, tuple(self.params), Block(tuple(b.stack[0]), out[1:]), doc=doc)

    def _kept(self) -> tuple[States, Var]:
        x = self.extras
        assert x.states is not None and x.where is not None
        return x.states, x.where

    def _step_back(self, j: Var, args: tuple[Var, ...]) -> tuple[Atom, ...]:
        b, (top, *adjoints) = self.b, args
        at, numbers = self._restore(j, top)
        top, numbers = self._advance(j, at, top, numbers)
        changed = self._reverse(j, numbers, adjoints)
        latest = b.load(self._kept()[1], b.op("max", top, ZERO), hint="latest")
        done = b.cast(b.op("eq", latest, j), I8)
        return (b.op("sub", top, done, hint="top"), *changed)

    def _restore(self, j: Var, top: Var) -> tuple[Atom, tuple[Atom, ...]]:
        """The latest state in hand; which step it is before."""
        b, x = self.b, self.extras
        kept, where = self._kept()

        def first() -> tuple[Atom, ...]:
            return (j, *x.last)

        def later() -> tuple[Atom, ...]:
            kept.load_arrays(b, top, x.work)
            return (b.load(where, top, hint="at"), *kept.load_numbers(b, top))

        if not self.layout.known:
            at, *numbers = later()
            return at, tuple(numbers)
        names = [("at", I8), *self.names]
        found = choose(b, b.op("eq", j, self.last), names, first, later)
        return found[0], found[1:]

    def _advance(
        self, j: Var, at: Atom, top: Var, numbers: tuple[Atom, ...]
    ) -> tuple[Var, tuple[Atom, ...]]:
        """Run the steps up to step ``j``, keeping states on the way."""
        b, x = self.b, self.extras
        kept, where = self._kept()

        def ahead(args: tuple[Var, ...]) -> tuple[Atom, ...]:
            _, at, top, *state = args
            end = b.op("add", at, self._far(at, top, j), hint="at")
            state = list(carry_for(b, (at, end), self.names, state, self.steps))
            more = b.op("lt", end, j, hint="more")

            def keep() -> tuple[Atom, ...]:
                here = b.op("add", top, ONE, hint="top")
                b.store(where, (here,), end)
                kept.save(b, here, state, x.work)
                return (here,)

            (here,) = choose(b, more, (("top", I8),), keep, lambda: (top,))
            return (more, end, here, *state)

        names = [("more", B1), ("at", I8), ("top", I8), *self.names]
        out = carry_while(b, names, (b.op("lt", at, j), at, top, *numbers), ahead)
        return out[2], out[3:]

    def _far(self, at: Atom, top: Atom, j: Atom) -> Atom:
        """How many steps to advance before the next state is kept, or step ``j`` reached."""
        b = self.b
        room = b.op("sub", self.extras.slots, top, hint="room")
        rest = b.op("sub", j, at, hint="rest")

        def binomial() -> tuple[Atom, ...]:
            advance = b.var("advance", I8)
            b.emit(Call((advance,), self.split, (b.op("add", rest, ONE), room), b.loc))
            return (advance,)

        names = (("advance", I8),)
        return choose(b, b.op("gt", room, ONE), names, binomial, lambda: (rest,))[0]

    def _reverse(self, j: Var, numbers: tuple[Atom, ...], adjoints: list[Var]) -> tuple[Atom, ...]:
        """The reverse version of step ``j``; the adjoints before it."""
        b, count = self.b, len(self.seeds)
        again = [b.var("again", c.arg.type) for c in self.o.scalars]
        made = [b.var(a.hint, a.type) for a in adjoints]
        operands = (self.steps.index(j), *numbers, *self.steps.fixed)
        call = (*operands, *adjoints[:count], *self.shadows)
        b.emit(Call((*again, *made), self.step_b, call, b.loc))
        summed = [
            b.op("add", a, m, hint=a.hint)
            for a, m in zip(adjoints[count:], made[count:], strict=True)
        ]
        return (*made[:count], *summed)
