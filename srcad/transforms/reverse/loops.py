"""The adjoint of a checkpointed loop, which is a call by now (``checkpoints.calls``).

In: the call of the loop's forward sweep, the state of the reverse sweep.  Out: a call of the loop's
reverse sweep (``checkpoints.revolve``) on what the forward sweep left, and on the shadows of the
arrays that the loop sees.

Invariant: of the primal, only numbers and arrays that the loop does not write are read here; the
states that it went through are storage of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from srcad.analyses.activity import Activity
from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.summaries import summarise
from srcad.ir.nodes import Atom, Call, For, Var
from srcad.ir.types import is_float, shadow_type
from srcad.transforms.arrays import add_to, fit, like, zero_of
from srcad.transforms.checkpoints.calls import LoopCall
from srcad.transforms.checkpoints.revolve import Active, emit_revolve
from srcad.transforms.family import Family
from srcad.transforms.reverse.adjoint import Adjoint

Versions = Callable[[str, tuple[bool, ...], tuple[bool, ...]], str]


@dataclass
class LoopAdjoint:
    """Emits the reverse of one call of a loop's forward sweep."""

    family: Family
    versions: Versions
    reference: Callable[[Adjoint, Any, int], Var]
    adjoint: Adjoint
    s: Call
    loop: LoopCall

    def emit(self) -> None:
        """The adjoint, if anything that the loop gives has one."""
        o, activity = self.loop.outline, self.adjoint.activity
        numbers, rest = self.s.targets[: len(o.scalars)], self.s.targets[len(o.scalars) :]
        seeds = [self.adjoint.env.pop(t.name, None) for t in numbers]
        self.buffers = rest[: len(o.buffers)]
        arrays = [activity.carries(self.s.args[k]) for k, _ in self.loop.arrays()]
        written = any(
            on and role != "read" for on, (_, role) in zip(arrays, self.loop.arrays(), strict=True)
        )
        if (
            any(x is not None for x in seeds)
            or written
            or any(map(activity.shadowed, self.buffers))
        ):
            active = self._active(tuple(arrays))
            self._call(active, self._version(active), seeds)

    def _active(self, arrays: tuple[bool, ...]) -> Active:
        """What carries a derivative through the loop, to a fixed point over its steps."""
        o, carries = self.loop.outline, self.adjoint.activity.carries
        step = self.family.callees[self.loop.again]
        summaries = summarise(step)
        regions = Regions(step, summaries)
        owned = step.params[self._first_buffer() :]
        now = Active(
            tuple(carries(c.init) for c in o.scalars),
            tuple(map(carries, o.free)),
            arrays,
            tuple(carries(c.init) for c in o.buffers),
        )
        while True:
            found = Activity(step, regions, summaries, now.of_step(self.loop.layout.draws))
            more = replace(
                now,
                numbers=tuple(map(found.varied.has, step.body.yields)),
                buffers=tuple(found.varied.has(v) for v, _ in zip(owned, o.buffers, strict=False)),
            )
            more = replace(
                now,
                numbers=_either(now.numbers, more.numbers),
                buffers=_either(now.buffers, more.buffers),
            )
            if more == now:
                return now
            now = more

    def _first_buffer(self) -> int:
        o = self.loop.outline
        return 1 + len(o.scalars) + len(o.free) + len(o.arrays)

    def _version(self, active: Active) -> str:
        """The name of the loop's reverse sweep."""
        o, layout, family = self.loop.outline, self.loop.layout, self.family
        seeded = tuple(
            on for c, on in zip(o.scalars, active.numbers, strict=True) if is_float(c.arg.type)
        )
        step_b = self.versions(self.loop.again, active.of_step(layout.draws), seeded)
        names = (self.loop.again, step_b, self.loop.split)
        name = family.version(
            ("revolve", self.s.fn, active),
            f"{self.s.fn}_b",
            self.s.fn,
            lambda name, sweep: replace(
                emit_revolve(name, o, sweep, layout, active, names, self.loop.doc),
                callees=family.callees,
            ),
        )
        self.loop.reverses.add(name)
        return name

    def _call(self, active: Active, fn: str, seeds: list[Atom | None]) -> None:
        o, adjoint, s = self.loop.outline, self.adjoint, self.s
        b, value = adjoint.b, adjoint.scopes.value
        bounds = [s.args[0]] if isinstance(o.loop, For) else []
        bounds += [s.args[2]] if self.loop.bounds > 3 else []
        args = [*map(value, bounds), *map(value, self.loop.own(s)), *map(value, o.free)]
        params = o.step.params[self._first_buffer() - len(o.arrays) :]
        for p, (k, role) in zip(params, self.loop.arrays(), strict=False):
            if role == "read":
                args.append(fit(b, self.reference(adjoint, s, k), p.type))
        numbers = [c for c, on in zip(o.scalars, active.numbers, strict=True) if on]
        given = [x for x, on in zip(seeds, active.numbers, strict=True) if on]
        args += [
            zero_of(c.arg.type) if x is None else x for c, x in zip(numbers, given, strict=True)
        ]
        buffers = self._buffers(active)
        args += [x for _, x in buffers]
        for p, (k, _), on in zip(params, self.loop.arrays(), active.arrays, strict=False):
            if on:
                shadow = adjoint.scopes.shadow(s.args[k])
                args.append(fit(b, shadow, shadow_type(p.type)))
        into = [c.init for c in numbers]
        into += [v for v, on in zip(o.free, active.free, strict=True) if on]
        kinds = [c.arg.type for c in numbers] + [a.type for a in into[len(numbers) :]]
        made = tuple(b.var(adjoint.hint(a), t) for a, t in zip(into, kinds, strict=True))
        b.emit(Call(made, fn, tuple(args), b.loc))
        for a, m in zip(into, made, strict=True):
            adjoint.add(a, m)
        for init, x in buffers:
            if adjoint.activity.shadowed(init):
                add_to(b, adjoint.scopes.shadow(init), x)

    def _buffers(self, active: Active) -> list[tuple[Atom, Var]]:
        """What each buffer began with, and the shadow of what it became."""
        o, adjoint = self.loop.outline, self.adjoint
        extras = self.loop.extras(self.s)
        works = extras.work[len(extras.work) - len(o.buffers) - self.loop.layout.draws :]
        found = []
        for c, t, w, on in zip(o.buffers, self.buffers, works, active.buffers, strict=False):
            if on and adjoint.activity.shadowed(t):
                found.append((c.init, adjoint.scopes.shadow(t)))
            elif on:
                kept = adjoint.scopes.value(w)
                found.append((c.init, like(adjoint.b, kept, adjoint.hint(c.arg))))  # type: ignore[arg-type]
        return found


def _either(xs: Iterable[bool], ys: Iterable[bool]) -> tuple[bool, ...]:
    return tuple(x or y for x, y in zip(xs, ys, strict=True))


def left(s: Call, loop: LoopCall) -> set[str]:
    """Names of the arrays that the forward sweep leaves for the reverse sweep."""
    return {t.name for t in loop.own(s) if is_reference(t)}
