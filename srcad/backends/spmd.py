"""Kernels without a GPU: every thread of a launch through the reference interpreter, and its races.

In: a kernel's function, a launch, the arguments, what the hidden parameters stand for.  Out: the
arguments changed as the launch changes them; with ``races`` a ``RaceError`` where two threads touch
an element and the order matters.

How: blocks one after the other; the threads of a block take turns at barriers (each is a thread
of Python's of which only one runs at a time), so the result is the same from run to run; inside of
``shuffled(seed)`` blocks, and threads between barriers, run in a random order.  Two
accesses to an element are a race unless both read or both are atomic, if they are made by
threads of one block between the same two barriers, or by threads of different blocks.

Limits: shared memory begins with NaNs (integers: a large number), as nothing says what it holds; a
block some threads of which wait at a barrier that others never reach is an error.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import product
from typing import Any

import numpy as np

from srcad.backends.closures import Compiled, Frame, Step
from srcad.backends.reference import Program, _Closures
from srcad.errors import InternalError, SrcadError
from srcad.ir.nodes import Accumulate, Function, Load, Store, View
from srcad.ir.threads import ATOMIC, BARRIER, EXACT, LANE, PLACES, Hidden, how_atomic
from srcad.ir.types import ArrayT, numpy_dtype
from srcad.ir.walk import statements
from srcad.runtime.exact import EXACT_HELPERS

Triple = tuple[int, int, int]


_ORDER: ContextVar[random.Random | None] = ContextVar("order", default=None)


@contextmanager
def shuffled(seed: int) -> Iterator[None]:
    """Blocks, and threads between two barriers, run in a random order."""
    token = _ORDER.set(random.Random(seed))
    try:
        yield
    finally:
        _ORDER.reset(token)


def in_some_order(items: list[Any]) -> list[Any]:
    """The items as they are, or shuffled."""
    chance = _ORDER.get()
    return items if chance is None else chance.sample(items, len(items))


class RaceError(SrcadError):
    """Two threads touch an element, and what comes out depends on who is first."""


def launch(
    fn: Function,
    blocks: Triple,
    threads: Triple,
    arguments: Mapping[str, Any],
    hidden: Mapping[str, Hidden],
    given: Mapping[str, Any],
    races: bool = False,
) -> None:
    """Run a kernel.

    Args:
        fn: what a thread executes.
        blocks: the size of the grid.
        threads: the size of a block.
        arguments: values of the parameters that are not hidden.
        hidden: what the others stand for.
        given: values of workspaces and rows.
        races: look for races.

    Raises:
        RaceError: there is one.
    """
    own = {n for n, h in hidden.items() if h.kind == "shared"}
    watch = Watch(own) if races else None
    for block in in_some_order(positions(blocks)):
        values = {**arguments, **given}
        for name, h in hidden.items():
            if h.kind == "shared":
                values[name] = shared_array(fn, name, h)
        run_block(fn, block, blocks, threads, values, hidden, watch)


def shared_array(fn: Function, name: str, h: Hidden) -> np.ndarray:
    """Storage of a block, with contents that nobody should rely on."""
    (t,) = (p.type for p in fn.params if p.name == name)
    assert isinstance(t, ArrayT)
    dtype = numpy_dtype(t.dtype)
    if h.zero:
        return np.zeros(h.shape, dtype)
    return np.full(h.shape, np.nan if dtype.kind == "f" else 99, dtype)


def positions(size: Triple) -> list[Triple]:
    """All positions in a block or a grid, x fastest."""
    return [(x, y, z) for z, y, x in product(*(range(n) for n in size[::-1]))]


def places(thread: Triple, block: Triple, threads: Triple, blocks: Triple) -> dict[str, int]:
    """Where a thread stands: the values of all places of a launch."""
    found: dict[str, int] = {}
    lane, far = 0, 1
    for axis, t, b, w, g in zip("xyz", thread, block, threads, blocks, strict=True):
        values = (t, b, w, g, b * w + t, g * w)
        found |= {f"{p}_{axis}": v for p, v in zip(PLACES, values, strict=True)}
        lane, far = lane + far * (b * w + t), far * g * w
    return {**found, LANE: lane}


def run_block(
    fn: Function,
    block: Triple,
    blocks: Triple,
    threads: Triple,
    values: Mapping[str, Any],
    hidden: Mapping[str, Hidden],
    watch: Watch | None,
) -> None:
    """All threads of one block, from barrier to barrier."""
    turns = Turns()
    program = ThreadProgram(turns, watch)
    call = program.build(fn)

    def start(thread: Triple) -> Callable[[], Any]:
        where = places(thread, block, threads, blocks)
        mine = {n: where[h.what] for n, h in hidden.items() if h.kind == "place"}
        args = [mine[p.name] if p.name in mine else values[p.name] for p in fn.params]
        return lambda: call(*args)

    work = [start(t) for t in positions(threads)]
    if BARRIER not in fn.callees:
        for k in in_some_order(list(range(len(work)))):
            if watch is not None:
                watch.thread = (block, k)
            work[k]()
    else:
        turns.run(work, lambda k: setattr(watch, "thread", (block, k)) if watch else None, watch)
    if watch is not None:
        watch.barrier()


class Turns:
    """The threads of a block, one at a time; they change at barriers."""

    def __init__(self) -> None:
        self.baton = threading.Semaphore(0)
        self.mine: threading.Semaphore | None = None
        self.waiting: set[int] = set()
        self.errors: list[BaseException] = []
        self.current = 0
        self.stop = False

    def barrier(self, *_: Any) -> tuple:
        """Called by a thread: let the others come here."""
        own, me = self.mine, self.current
        assert own is not None
        self.waiting.add(me)
        self.baton.release()
        own.acquire()
        if self.stop:
            raise SystemExit
        return ()

    def run(
        self, work: list[Callable[[], Any]], enter: Callable[[int], None], watch: Watch | None
    ) -> None:
        """Run all to the end."""
        gates = [threading.Semaphore(0) for _ in work]

        def body(k: int) -> None:
            gates[k].acquire()
            try:
                if not self.stop:
                    work[k]()
            except SystemExit:
                pass
            except BaseException as e:  # handed to who launched the kernel
                self.errors.append(e)
            self.baton.release()

        crew = [threading.Thread(target=body, args=(k,), daemon=True) for k in range(len(work))]
        for t in crew:
            t.start()
        alive = list(range(len(work)))
        while alive:
            self.waiting = set()
            for k in in_some_order(alive):
                self.current, self.mine = k, gates[k]
                enter(k)
                gates[k].release()
                self.baton.acquire()
                if self.errors:
                    break
            divided = self.waiting and len(self.waiting) < len(alive)
            if self.errors or divided:
                self.finish(gates, crew)
                if self.errors:
                    raise self.errors[0]
                raise InternalError("some threads wait at a barrier that others never reach")
            alive = [k for k in alive if k in self.waiting]
            if watch is not None:
                watch.barrier()
        for t in crew:
            t.join()

    def finish(self, gates: list[threading.Semaphore], crew: list[threading.Thread]) -> None:
        """Let what waits come to an end, after an error."""
        self.stop = True
        for g in gates:
            g.release()
        for t in crew:
            t.join()


class ThreadProgram(Program):
    """Functions of one block."""

    def __init__(self, turns: Turns, watch: Watch | None) -> None:
        super().__init__(False)
        self.turns, self.watch = turns, watch

    def build(self, fn: Function) -> Compiled:
        """A callable; the barrier lets the other threads run."""
        if fn.name == BARRIER:
            return self.turns.barrier
        if fn.name.startswith(EXACT):
            return self.exact(fn)
        if id(fn) not in self.compiled:
            self.compiled[id(fn)] = (fn, self.made(fn))
        return self.compiled[id(fn)][1]

    def exact(self, fn: Function) -> Compiled:
        """An operation on an exact sum."""
        what = fn.name.removeprefix(EXACT)
        how = {"add": "add", "value": "read", "clear": "write"}[what]
        do, watch = EXACT_HELPERS[f"srcad_exact_{what}"], self.watch
        first = fn.body.stmts[0]

        def done(*args: Any) -> tuple:
            if watch is not None:
                watch.touch(args[0], (args[1], 0), how, first)
            got = do(*args)
            return () if got is None else (got,)

        return done

    def made(self, fn: Function) -> Compiled:
        """A callable, that tells of accesses if somebody watches."""
        watch = self.watch
        if watch is None:
            return _Closures(fn, False, self.build).function()
        if not fn.name.startswith(ATOMIC):
            return _Watched(fn, self.build, watch).function()
        plain, load = _Closures(fn, False, self.build).function(), fn.body.stmts[0]
        how = how_atomic(fn.name)

        def told(*args: Any) -> tuple:
            watch.touch(args[0], args[1:-1], how, load)
            return plain(*args)

        return told


# races
class Watch:
    """Who has touched which element since the last barrier, and since the launch began."""

    def __init__(self, own: set[str]) -> None:
        self.own = own  # arrays of a block: no other block touches them
        self.thread: tuple[Triple, int] = ((0, 0, 0), 0)
        self.phase: dict[int, dict[str, int]] = {}
        self.launch: dict[int, dict[str, Triple]] = {}

    def barrier(self) -> None:
        """What came before is ordered before what comes."""
        self.phase.clear()

    def touch(self, array: np.ndarray, index: tuple[int, ...], how: str, s: Any) -> None:
        """Note an access: ``read``, ``write`` or ``add``."""
        data, strides = array.__array_interface__["data"][0], array.strides
        shape = array.shape
        at = data + sum((i % n) * d for i, n, d in zip(index, shape, strides, strict=True))
        block, k = self.thread
        self._note(self.phase.setdefault(at, {}), k, how, s, "threads of a block")
        if s.array.name not in self.own:
            self._note(self.launch.setdefault(at, {}), block, how, s, "blocks")

    def _note(self, seen: dict[str, Any], me: Any, how: str, s: Any, who: str) -> None:
        for other, first in seen.items():
            if (first != me or first is MANY) and (other != how or how == "write"):
                raise RaceError(
                    f"a race: two {who} {other} and {how} an element of {s.array.name}",
                    s.loc,
                    "what comes out depends on which of them is first",
                    "separate them by a barrier, or use cuda.atomic.add",
                )
        known = seen.setdefault(how, me)
        if known != me:
            seen[how] = MANY


MANY: Any = object()


class _Watched(_Closures):
    """Closures that tell of each access to storage that threads share."""

    def __init__(self, fn: Function, build: Callable[[Function], Compiled], watch: Watch) -> None:
        super().__init__(fn, False, build)
        self.watch = watch
        self.common = {p.name for p in fn.params}
        for s in statements(fn.body):
            if isinstance(s, View) and s.base.name in self.common:
                self.common.add(s.target.name)
                if s.base.name in watch.own:
                    watch.own.add(s.target.name)

    def told(self, s: Load | Store | Accumulate, step: Step, how: str) -> Step:
        """The access, told of before."""
        if s.array.name not in self.common:
            return step
        array, index, touch = self.slots[s.array.name], self.all(s.index), self.watch.touch

        def watched(fr: Frame) -> None:
            touch(fr[array], tuple([fr[i] for i in index]), how, s)
            step(fr)

        return watched

    def _load(self, s: Load) -> Step:
        return self.told(s, super()._load(s), "read")

    def _store(self, s: Store) -> Step:
        return self.told(s, super()._store(s), "write")

    def _accumulate(self, s: Accumulate) -> Step:
        return self.told(s, super()._accumulate(s), "add" if s.atomic else "write")
