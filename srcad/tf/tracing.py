"""Tracing: a Python function on tensors becomes a graph of nodes.

In: a function, its arguments (tensors are replaced by symbolic inputs, everything else stays).
Out: ``Graph``: nodes in regions (bodies of loops, and what follows a decision, are regions of
their own), results, and the variables read and written.  Variables met for the first time are made
inputs and the tracing starts anew, until all are known.  What is assigned to a variable holds for
the trace only: other threads, and the program afterwards, see nothing of it.

A loop's body is traced once.  Variables and local names carry values from trip to trip
(``carrying``); a loop that cannot be followed, or that a tape records, is unrolled or refused.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcad.tape import nest
from srcad.tape.convert import to_tensor
from srcad.tape.state import STATE
from srcad.tape.tensor import Tensor
from srcad.tape.variable import Variable
from srcad.tf.carrying import Local, Unclear, carried_locals
from srcad.tf.graphs import Branch, Graph, Leaf, Loop, While, fingerprint, mark
from srcad.tf.symbolic import NotTraceable, Span, Sym

UNROLLED = 16  # trips of a loop that may be unrolled
ATTEMPTS = 8
DECISIONS = 8  # on one path
PATHS = 16


class Trace:
    """One attempt to trace; every path through the function is a run of it.

    Where a value decides (``bool`` of a symbol) the first run takes it to be true; later runs
    repeat the steps up to there, symbol by symbol, and take it to be false.
    """

    def __init__(self, known: list[Variable]) -> None:
        self.root: list[Any] = []
        self.home: dict[int, list[Any]] = {}
        self.places: set[Any] = set()  # that scopes inside of the function ask for
        self.alive: list[Sym] = []  # ids in ``home`` stay unique
        self.keep: list[Sym] = []
        self.known = known
        self.missed: list[Variable] = []
        self.path: list[tuple[Branch, bool]] = []
        self.prefix = 0
        self.start()

    # paths
    def start(self) -> None:
        """Begin a path."""
        self.regions: list[list[Any]] = [self.root]
        self.now: dict[int, Tensor] = {}  # the values of variables, in this trace only
        self.cursor = self.position = 0

    def decide(self, sym: Sym) -> bool:
        """The outcome of a test on this path."""
        if len(self.regions) != self.position + 1:
            raise NotTraceable("a value is needed inside of a loop while the function is traced")
        if self.position == len(self.path):
            if len(self.path) >= DECISIONS:
                raise NotTraceable("values decide again and again about what comes next")
            branch = Branch(sym, [], [], len(self.keep))
            self.regions[-1].append(branch)
            self.path.append((branch, True))
        branch, outcome = self.path[self.position]
        self.position += 1
        self.regions.append(branch.then if outcome else branch.other)
        return outcome

    def next_path(self) -> bool:
        """Prepare the path that has not been run yet; whether there is one."""
        while self.path and not self.path[-1][1]:
            self.path.pop()
        if not self.path:
            return False
        branch, _ = self.path.pop()
        self.path.append((branch, False))
        self.prefix = branch.created
        del self.keep[self.prefix :]
        self.start()
        return True

    def again(self, op: str, args: tuple[Any, ...]) -> Sym | None:
        """The symbol of this step, if the step repeats one of an earlier path."""
        if self.cursor >= self.prefix:
            return None
        sym = self.keep[self.cursor]
        if sym.op != op or not _same(sym.args, args):
            raise NotTraceable("the function does something else every time")
        return sym

    @property
    def repeating(self) -> bool:
        """Whether the last step was one of an earlier path."""
        return self.cursor <= self.prefix

    def add(self, sym: Sym) -> int:
        """A node of the current region; its operands must be visible there."""
        self.cursor += 1
        if self.repeating:
            return sym.serial
        for a in sym.args:
            if isinstance(a, Sym):
                self.visible(a)
            elif hasattr(a, "elsewhere"):
                self.places.add(a.place)
        self.home[id(sym)] = self.regions[-1]
        self.keep.append(sym)
        self.alive.append(sym)
        if sym.op not in ("input", "index", "param", "result"):
            self.regions[-1].append(sym)
        return len(self.alive)

    def visible(self, sym: Sym) -> None:
        """Refuse a value of a loop's body outside of it."""
        if all(self.home.get(id(sym)) is not r for r in self.regions):
            raise NotTraceable("a value of a loop's body is used after the loop")

    def read(self, variable: Variable) -> Tensor:
        """The value of a variable; one that is not known is missed."""
        if id(variable) not in self.now:
            self.now[id(variable)] = variable._tensor
            self.missed.append(variable)
        return self.now[id(variable)]

    def write(self, variable: Variable, tensor: Tensor) -> None:
        """A variable is assigned."""
        self.read(variable)
        self.now[id(variable)] = tensor

    def range(self, bounds: tuple[Any, ...], dtype: Any) -> Tensor:
        """The tensor of a ``tf.range``."""
        return Tensor(Span(bounds, dtype))

    def loop(self, sym: Span) -> Iterator[Tensor]:
        """The trips of a loop: one symbolic trip, or all of them unrolled."""
        frame = sys._getframe(3)  # iterate, __iter__ and this method are not the user's
        try:
            names = carried_locals(frame)
            if not STATE.tapes or not any(n.needed for n in names):
                return self._symbolic(sym, [] if STATE.tapes else names)
        except Unclear:
            pass
        if not sym.known or sym.shape[0] > UNROLLED:
            raise NotTraceable("a local name carries a value from trip to trip of a loop")
        return iter([Tensor(sym.dtype.type(i)) for i in range(*map(int, sym.args))])

    def _symbolic(self, sym: Sym, names: list[Local]) -> Iterator[Tensor]:
        """The body twice: once to see that the second trip does what the first one did."""
        places: list[Any] = [*(Held(self, v) for v in self.known), *names]
        before = [p.read() for p in places]
        marks = []
        for _ in range(2):
            loop = self._enter(sym, places, before)
            yield Tensor(loop.index)
            after = [p.read()._value for p in places]
            self._close(loop.body)
            marks.append(fingerprint(loop, after))
        if marks[0] != marks[1]:
            raise NotTraceable("a loop does something else in every trip")
        for p, old, (param, value), new in zip(places, before, loop.params, after, strict=True):
            if new is param:
                p.write(old)
                continue
            if np.shape(new) != param.shape or new.dtype != param.dtype:
                if not p.needed:  # a local of the trip, of which a namesake was there before
                    continue
                raise NotTraceable("a value changes its shape or type in a loop")
            result = Sym("result", (), param.shape, param.dtype)
            loop.carried.append((param, value, new, result))
            p.write(Tensor(result))
        if not self.repeating:
            self.regions[-1].append(loop)

    def while_loop(self, test: Any, body: Any, values: list[Tensor]) -> list[Tensor]:
        """The loop ``while test(*values): values = body(*values)``; no tape follows it."""
        if STATE.tapes:
            raise NotTraceable("a tape records a loop of unknown length")
        loop = While()
        before = [*values, *(self.now[id(v)] for v in self.known)]
        loop.params = [(self._param(t._value), t._value) for t in before]
        mine = [Tensor(p) for p, _ in loop.params]
        self._variables_are(mine[len(values) :])
        self.regions.append(loop.head)
        loop.test = to_tensor(test(*mine[: len(values)]))._value
        self._close(loop.head)
        if any(
            self.now[id(v)] is not t for v, t in zip(self.known, mine[len(values) :], strict=True)
        ):
            raise NotTraceable("the condition of a loop assigns to a variable")
        self.regions.append(loop.body)
        found = [to_tensor(x) for x in body(*mine[: len(values)])]
        after = [*found, *(self.now[id(v)] for v in self.known)]
        self._close(loop.body)
        tensors = []
        for (param, value), old, t in zip(loop.params, before, after, strict=True):
            if t._value is param:
                tensors.append(old)
                continue
            if np.shape(t._value) != param.shape or t._value.dtype != param.dtype:
                raise NotTraceable("a value changes its shape or type in a loop")
            tensors.append(Tensor(Sym("result", (), param.shape, param.dtype)))
            loop.carried.append((param, value, t._value, tensors[-1]._value))
        if not self.repeating:
            self.regions[-1].append(loop)
        self._variables_are(tensors[len(values) :])
        return tensors[: len(values)]

    def _param(self, value: Any) -> Sym:
        return Sym("param", (), np.shape(value), value.dtype)

    def _variables_are(self, tensors: list[Tensor]) -> None:
        """The values of all known variables."""
        for v, t in zip(self.known, tensors, strict=True):
            self.now[id(v)] = t

    def _close(self, region: list[Any]) -> None:
        """Leave a region."""
        if self.regions.pop() is not region:
            raise NotTraceable("a loop is left from inside of another one")

    def _enter(self, sym: Sym, places: list[Any], before: list[Tensor]) -> Loop:
        loop = Loop(sym.args, None)
        self.regions.append(loop.body)
        loop.index = Sym("index", (), (), sym.dtype)
        for p, old in zip(places, before, strict=True):
            loop.params.append((self._param(old._value), old._value))
            p.write(Tensor(loop.params[-1][0]))
        return loop


@dataclass(frozen=True)
class Held:
    """A variable's value in a trace."""

    trace: Trace
    variable: Variable
    needed: bool = True

    def read(self) -> Tensor:
        """The value."""
        return self.trace.now[id(self.variable)]

    def write(self, tensor: Tensor) -> None:
        """Replace it."""
        self.trace.now[id(self.variable)] = tensor


def trace(f: Callable[..., Any], args: Any, kwargs: Any) -> Graph:
    """The graph of a function for arguments of these types."""
    known: list[Variable] = []
    tapes = list(STATE.tapes)
    for _ in range(ATTEMPTS):
        attempt = Trace(list(known))
        STATE.trace = attempt
        try:
            graph = _attempt(attempt, f, args, kwargs)
            if not attempt.missed:
                return graph
        except NotTraceable:
            if not attempt.missed:
                raise
        finally:
            STATE.trace, STATE.tapes = None, list(tapes)
        known += attempt.missed
    raise NotTraceable("the function makes new variables every time")


def _attempt(attempt: Trace, f: Callable[..., Any], args: Any, kwargs: Any) -> Graph:
    tapes, leaves = list(STATE.tapes), []
    while True:
        STATE.tapes = list(tapes)
        inputs, variable_inputs, leaf = _path(attempt, f, args, kwargs)
        leaves.append(leaf)
        attempt.regions[-1].append(leaf)
        if attempt.missed or not attempt.next_path():
            break
        if len(leaves) >= PATHS:
            raise NotTraceable("there are too many paths through the function")
    return Graph(inputs, attempt.known, variable_inputs, attempt.root, leaves, attempt.places)


def _path(
    attempt: Trace, f: Callable[..., Any], args: Any, kwargs: Any
) -> tuple[list[Any], list[Any], Leaf]:
    """One run of the function."""
    inputs: list[Any] = []

    def symbolic(x: Any) -> Any:
        if type(x) is not Tensor:
            return x
        inputs.append(Sym("input", (), x._value.shape, x._value.dtype))
        return Tensor(inputs[-1])

    variable_inputs = []
    for v in attempt.known:
        variable_inputs.append(Sym("input", (), v._tensor._value.shape, v._tensor._value.dtype))
        attempt.now[id(v)] = Tensor(variable_inputs[-1])
    args, kwargs = nest.map_structure(symbolic, (list(args), dict(kwargs)))
    try:
        result = nest.map_structure(_leaf, f(*args, **kwargs))
    except NotTraceable:
        raise
    except Exception:
        if not attempt.path:
            raise
        return inputs, variable_inputs, Leaf(None, [], raised=True)
    if len(attempt.regions) != attempt.position + 1:
        raise NotTraceable("a loop is left by break or return")
    values = [attempt.now[id(v)]._value for v in attempt.known]
    for value in [*nest.flatten(result), *values]:
        if isinstance(value, Sym):
            attempt.visible(value)
    return inputs, variable_inputs, Leaf(result, values)


def _same(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    """Whether operands are the same symbols and equal constants."""
    if len(a) != len(b):
        return False
    pairs = zip(a, b, strict=True)
    return all(
        x is y or (not isinstance(x, Sym) and not isinstance(y, Sym) and mark(x, {}) == mark(y, {}))
        for x, y in pairs
    )


def _leaf(value: Any) -> Any:
    """A result as a symbolic or NumPy value; ``None`` stays."""
    return value if value is None else to_tensor(value)._value
