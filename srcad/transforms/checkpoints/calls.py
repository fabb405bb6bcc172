"""Checkpointed loops become calls, whose reverse is a schedule instead of a record.

In: a function.  Out: the same function where every loop with a ``keep`` (the outermost ones; those
inside are met when the step is reversed) is a call of its forward sweep (``sweep``), and in
``family.loops`` what is needed to reverse it: a ``LoopCall`` by the name of the function called.

Invariant: values and effects are those of the loop.  A step that draws random numbers records them
in the forward sweep, and takes them from the record when it is repeated; a step that prints or
checks does so in the forward sweep only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from srcad.analyses.summaries import summary_of
from srcad.ir.build import ONE, ZERO, Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Call, Const, For, Function, If, Stmt, Var, View, While
from srcad.ir.walk import blocks, variables
from srcad.transforms.checkpoints.identities import identify
from srcad.transforms.checkpoints.outline import Facts, Outline, exchanged, outline
from srcad.transforms.checkpoints.schedule import advances, emit_split
from srcad.transforms.checkpoints.sweep import Extras, Layout, emit_sweep
from srcad.transforms.draws import draws, recorded_part, replayed_part
from srcad.transforms.family import Family


@dataclass
class LoopCall:
    """A checkpointed loop that is a call: what its reverse needs to know."""

    outline: Outline
    layout: Layout
    again: str  # the step as it is repeated: silent, with the numbers drawn before
    split: str
    bounds: int  # operands before the numbers carried
    doc: str
    reverses: set[str] = field(default_factory=set)  # names of its reverse sweeps

    def own(self, s: Call) -> tuple[Var, ...]:
        """The extra results of the call, which are for its reverse."""
        return s.targets[len(self.outline.scalars) + len(self.outline.buffers) :]

    def extras(self, s: Call) -> Extras:
        """The same, taken apart."""
        return Extras.of(self.layout, self.own(s))

    def cost(self, results: tuple[Any, ...]) -> tuple[int, int, int, int]:
        """From the results of a run: steps, states kept at most, bytes of a state, and how many
        steps are repeated (apart from each one once, with its reverse)."""
        given = len(self.outline.scalars) + len(self.outline.buffers)
        trips, slots, held, *rest = results[given:]
        count = self.layout.numbers + self.layout.arrays
        size = sum(getattr(x, "nbytes", 8) for x in rest[:count])
        states = max(min(slots, trips - self.layout.known), 1) if trips else 0
        if not trips:
            return 0, 0, size, 0
        if self.layout.known:
            return trips, states, size, advances(trips, states) - (trips - 1)
        places = [*map(int, rest[count][:held]), trips]  # steps before which a state is kept
        again = sum(advances(places[k + 1] - places[k], slots - k) for k in range(held))
        return trips, states, size, again

    def arrays(self) -> list[tuple[int, str]]:
        """Positions among the operands, and roles, of the arrays that the loop sees."""
        first = self.bounds + len(self.outline.scalars) + len(self.outline.free)
        return [(first + k, role) for k, (_, role) in enumerate(self.outline.arrays)]


def with_calls(fn: Function, family: Family) -> Function:
    """``fn`` with its checkpointed loops as calls."""
    return _Calls(fn, family).function() if marked(fn.body) else fn


def marked(block: Block) -> list[For | While]:
    """The checkpointed loops of a block that are in no other one."""
    found: list[For | While] = []
    for s in block.stmts:
        if isinstance(s, (For, While)) and s.keep is not None:
            found.append(s)
        else:
            found += [x for inner in blocks(s) for x in marked(inner)]
    return found


class _Calls:
    def __init__(self, fn: Function, family: Family) -> None:
        self.family = family
        self.b = Builder(Namer(v.name for v in variables(fn)))
        before = Facts.of(fn)
        wanted = [v for s in marked(fn.body) for v in exchanged(self.b, before, s)]
        self.fn, identities = identify(self.b, fn, wanted)
        self.facts = Facts.of(self.fn, identities)

    def function(self) -> Function:
        """The function rebuilt."""
        return replace(self.fn, body=self._block(self.fn.body), callees=self.family.callees)

    def _block(self, block: Block) -> Block:
        with self.b.block() as stmts:
            for s in block.stmts:
                self._statement(s)
        return Block(tuple(stmts), block.yields)

    def _statement(self, s: Stmt) -> None:
        match s:
            case For() | While() if s.keep is not None:
                self.b.loc = s.loc
                self._loop(s)
            case If():
                self.b.emit(replace(s, then=self._block(s.then), orelse=self._block(s.orelse)))
            case For() | While():
                self.b.emit(replace(s, body=self._block(s.body)))
            case _:
                self.b.emit(s)

    def _loop(self, s: For | While) -> None:
        assert s.keep is not None
        bounds: tuple[Atom, ...] = (s.keep.limit,)
        if isinstance(s, For):
            stride = () if isinstance(s.step, Const) else (s.step,)
            bounds = (s.start, self._trips(s), *stride, *bounds)
        o = outline(self.b, self.facts, s, self._name("step"))
        name = self._name("loop")
        sweep = self._functions(o, name, len(bounds))
        numbers = [c.result for c in o.scalars]
        rest = sweep.body.yields[len(numbers) :]
        made = [self.b.var(getattr(y, "hint", "held"), y.type) for y in rest]
        inits = (*(c.init for c in o.scalars), *o.free, *(v for v, _ in o.arrays))
        args = (*bounds, *inits, *(c.init for c in o.buffers))
        self.b.emit(Call((*numbers, *made), name, args, s.loc))
        for c, v in zip(o.buffers, made, strict=False):
            self.b.emit(View(c.result, v, "same", (), s.loc))
        for c in o.moved:
            self.facts.identities.pick(self.b, c.result)

    def _functions(self, o: Outline, name: str, bounds: int) -> Function:
        """The forward sweep; with the versions of the step it goes into the family."""
        family, loop = self.family, o.loop
        assert loop.keep is not None
        line = f"line {loop.loc.line}" if loop.loc is not None else "a loop"
        doc = f"One step of the checkpointed loop, {line}."
        step = replace(o.step, callees=family.callees, doc=doc)
        family.callees[step.name] = step
        first = again = step.name
        drawing = draws(step)
        if drawing:
            first = self._version("recorded", step, recorded_part)
            again = self._version("replayed", step, replayed_part)
        again = family.silent(again, {again: summary_of(family.callees[again])})
        split = family.version(("split",), "revolve_split", step.name, lambda n, _: emit_split(n))
        doc = f"The steps of the checkpointed loop, {line}, with states kept on the way."
        sweep, layout = emit_sweep(name, o, loop.keep, first, split, drawing, doc)
        family.callees[name] = sweep = replace(sweep, callees=family.callees)
        doc = f"The reverse of the checkpointed loop, {line}: each step from the latest state kept."
        family.loops[name] = LoopCall(o, layout, again, split, bounds, doc)
        return sweep

    def _version(
        self, role: str, step: Function, make: Callable[[Function, Family, str], Function]
    ) -> str:
        return self.family.version(
            (role, step.name),
            f"{step.name}_{role}",
            step.name,
            lambda name, fn: make(fn, self.family, name),
        )

    def _name(self, role: str) -> str:
        return self.family.namer.fresh(f"{self.fn.name}_{role}")

    def _trips(self, s: For) -> Atom:
        """How many iterations there are at most."""
        b = self.b
        if s.step == ONE:
            return b.op("max", b.op("sub", s.stop, s.start, hint="n"), ZERO, hint="n")
        span = b.op("floordiv", b.op("sub", s.start, s.stop), s.step)
        return b.op("max", b.op("neg", span), ZERO, hint="n")
