"""The reference backend: an interpreter of the IR with Numba's semantics.

In: a function and its arguments (Python numbers, NumPy arrays, lists).  Out: the tuple of its
results; float32 values are Python floats already rounded.  It shares no code with the printer,
so that each checks the other.

How: every statement becomes a closure over slots of a frame, once a function.  ``debug=True``
wraps each closure: errors carry the statement's place, the first NaN that appears is reported,
and reads of storage that was never written are found (fresh uninitialised floats are NaNs with
a mark).

Limits: integers that do not fit give what x86 gives; an index out of range raises
``IndexError`` (Numba reads whatever is there).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srcad.backends.closures import Compiled, Ended, Frame, StatementClosures, Step, convert
from srcad.ir.nodes import Check, For, Function, If, While
from srcad.ir.walk import statements

Observer = Callable[[str, tuple, tuple], None]


def run(
    fn: Function, args: tuple, *, debug: bool = False, observe: Observer | None = None
) -> tuple:
    """Execute a function; arguments are converted to the parameters' scalar types.

    ``observe(name, args, results)`` is told of every call of a function, when it returns.
    """
    return Program(debug, observe).build(fn)(*args)


class ReferenceBackend:
    """``reference`` behind the protocol of ``backends.base``."""

    def build(self, fn: Function) -> Compiled:
        """A callable for ``fn``."""
        return Program(False).build(fn)


class Program:
    """The compiled functions of one program, by identity of the IR function."""

    def __init__(self, debug: bool, observe: Observer | None = None) -> None:
        self.debug, self.observe = debug, observe
        self.compiled: dict[int, tuple[Function, Compiled]] = {}

    def build(self, fn: Function) -> Compiled:
        """A callable for ``fn``, compiled once."""
        if id(fn) not in self.compiled:
            made = _Closures(fn, self.debug, self.build).function()
            self.compiled[id(fn)] = (fn, made if self.observe is None else self._told(fn, made))
        return self.compiled[id(fn)][1]

    def _told(self, fn: Function, call: Compiled) -> Compiled:
        def wrapped(*args: Any) -> tuple:
            results = call(*args)
            self.observe(fn.name, args, results)  # type: ignore[misc]
            return results

        return wrapped


class _Closures(StatementClosures):
    """Makes the closures of one function."""

    def function(self) -> Compiled:
        """The callable for the whole function."""
        params = [self.bind(p) for p in self.fn.params]
        types = [p.type for p in self.fn.params]
        steps = self.block(self.fn.body)
        results = [self.slot(y) for y in self.fn.body.yields]
        template, name = self.template, self.fn.name

        def call(*args: Any) -> tuple:
            if len(args) != len(params):
                raise TypeError(f"{name} takes {len(params)} arguments, not {len(args)}")
            frame = template.copy()
            for slot, arg, t in zip(params, args, types, strict=True):
                frame[slot] = convert(arg, t)
            for step in steps:
                step(frame)
            return tuple([frame[r] for r in results])

        def ending(*args: Any) -> tuple:
            try:
                return call(*args)
            except Ended:
                return ()

        early = any(isinstance(s, Check) and not s.exception for s in statements(self.fn.body))
        return ending if early else call

    def _if(self, s: If) -> Step:
        cond = self.slot(s.cond)
        branches = []
        for b in (s.orelse, s.then):
            steps = self.block(b)
            branches.append((steps, self.all(b.yields)))
        targets = [self.bind(r) for r in s.results]

        def step(fr: Frame) -> None:
            steps, yields = branches[fr[cond]]
            for inner in steps:
                inner(fr)
            for t, y in zip(targets, yields):  # noqa: B905
                fr[t] = fr[y]

        return step

    def _carried(self, s: For | While) -> tuple[list[int], slice, list[Step], list[int]]:
        """Slots of the initial values, of the carried values, the body, its yields."""
        inits = [self.slot(c.init) for c in s.carried]
        args = [self.bind(c.arg) for c in s.carried]
        steps = self.block(s.body)
        yields = self.all(s.body.yields)
        for c, a in zip(s.carried, args, strict=True):
            self.slots[c.result.name] = a
        first = args[0] if args else 0
        return inits, slice(first, first + len(args)), steps, yields

    def _for(self, s: For) -> Step:
        bounds = self.all((s.start, s.stop, s.step))
        index, breaks = self.bind(s.index), s.breaks
        inits, args, steps, yields = self._carried(s)
        flag = args.start
        # threads come in any order; before the last pass has looked at it a mark is but a wish
        threads = s.parallel and s.loc is not None and s.loc.role == "parallel"

        def step(fr: Frame) -> None:
            start, stop, stride = [fr[b] for b in bounds]
            fr[args] = [fr[i] for i in inits]
            trips = range(start, stop, stride)
            for i in trips[::-1] if threads else trips:
                fr[index] = i
                for inner in steps:
                    inner(fr)
                fr[args] = [fr[y] for y in yields]
                if breaks and fr[flag]:
                    break

        return step

    def _while(self, s: While) -> Step:
        inits, args, steps, yields = self._carried(s)
        flag = args.start

        def step(fr: Frame) -> None:
            fr[args] = [fr[i] for i in inits]
            while fr[flag]:
                for inner in steps:
                    inner(fr)
                fr[args] = [fr[y] for y in yields]

        return step
