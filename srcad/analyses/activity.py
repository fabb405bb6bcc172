"""Which values carry a derivative: they vary with an active input, and a seed depends on them.

In: a function, its regions, the active parameters, the seeded results.  Out: ``Activity``, with one
answer for every scalar variable and every region.

Invariant: sound, flow-insensitive, floats only; an integer or bool never varies, and neither does
the result of an operation whose derivative is declared zero.  In a call, every float result and
every float array that the callee writes varies if any operand does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from srcad.analyses.effects import Summary
from srcad.analyses.regions import Regions, is_reference
from srcad.ir.draws import DRAWS
from srcad.ir.nodes import (
    Accumulate,
    ArrayOp,
    Atom,
    Call,
    Draw,
    For,
    Function,
    If,
    Load,
    Op,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.threads import is_inert
from srcad.ir.types import Scalar, is_float
from srcad.ir.walk import statements
from srcad.rules.registry import has_rule, is_zero


def is_number(a: Atom) -> bool:
    """Whether an atom is a float scalar variable."""
    return isinstance(a, Var) and isinstance(a.type, Scalar) and is_float(a.type)


class Marks:
    """A growing set of marked scalars and regions."""

    def __init__(self, regions: Regions) -> None:
        self.regions = regions
        self.names: set[str] = set()
        self.storage: set[str] = set()

    def has(self, a: Atom) -> bool:
        """Whether a scalar, or any region of a reference, is marked."""
        if is_reference(a):
            return not self.storage.isdisjoint(self.regions.reached(a))
        return isinstance(a, Var) and a.name in self.names

    def any(self, atoms: Iterable[Atom]) -> bool:
        """Whether any of the atoms is marked."""
        return any(self.has(a) for a in atoms)

    def put(self, a: Atom) -> None:
        """Mark a float scalar, or the float regions of a reference."""
        if is_reference(a):
            if is_float(a.type):
                self.storage |= self.regions.reached(a)
        elif is_number(a):
            assert isinstance(a, Var)
            self.names.add(a.name)

    def size(self) -> int:
        """Grows with every new mark."""
        return len(self.names) + len(self.storage)


class Activity:
    """Varied and useful scalars and regions; shadows follow groups of regions."""

    def __init__(
        self,
        fn: Function,
        regions: Regions,
        summaries: dict[str, Summary],
        active: tuple[bool, ...],
        seeded: tuple[bool, ...] | None = None,
        inout: bool = False,
    ) -> None:
        self.regions = regions
        self.summaries = summaries
        self.varied = Marks(regions)
        for p, on in zip(fn.params, active, strict=True):
            if on:
                self.varied.put(p)
        _fixpoint(fn, self.varied, self._vary)
        self.useful: Marks | None = None
        if seeded is not None:
            self.useful = Marks(regions)
            self._seed(fn, active, seeded, inout)
            _fixpoint(fn, self.useful, self._use, backward=True)
        live = {r for r in self.varied.storage if self.useful is None or r in self.useful.storage}
        self._shadowed = {regions.group(r) for r in live}

    def active(self, a: Atom) -> bool:
        """Whether a scalar carries a derivative."""
        if is_reference(a) or not self.varied.has(a):
            return False
        return self.useful is None or self.useful.has(a)

    def shadowed(self, a: Atom) -> bool:
        """Whether an array or list has a shadow."""
        if not is_reference(a) or not is_float(a.type):
            return False
        return any(self.regions.group(r) in self._shadowed for r in self.regions.reached(a))

    def carries(self, a: Atom) -> bool:
        """Whether an atom of any type has a derivative companion."""
        return self.shadowed(a) if is_reference(a) else self.active(a)

    # varied: forward
    def _vary(self, s: Stmt) -> None:
        marks = self.varied
        match s:
            case Op():
                if marks.any(s.args) and not (has_rule(s.op) and is_zero(s.op)):
                    marks.put(s.target)
            case Load():
                if not is_reference(s.target) and marks.has(s.array):
                    marks.put(s.target)
            case Store() | Accumulate():
                if not is_reference(s.value) and marks.has(s.value):
                    marks.put(s.array)
            case ArrayOp():
                if marks.any(s.args):
                    for t in s.targets:
                        marks.put(t)
            case Draw():
                if DRAWS[s.kind].slope and marks.any(s.args):
                    marks.put(s.targets[0])
            case If():
                for r, a, b in zip(s.results, s.then.yields, s.orelse.yields, strict=True):
                    if not is_reference(r) and (marks.has(a) or marks.has(b)):
                        marks.put(r)
            case For() | While():
                for c, y in zip(s.carried, s.body.yields, strict=True):
                    if not is_reference(c.arg) and (marks.has(c.init) or marks.has(y)):
                        marks.put(c.arg)
                        marks.put(c.result)
            case Call() if not is_inert(s):
                if marks.any(s.args):
                    for a in self._call_outputs(s):
                        marks.put(a)

    def _call_outputs(self, s: Call) -> list[Atom]:
        written = zip(s.args, self.summaries[s.fn].writes, strict=True)
        return [*s.targets, *(a for a, w in written if w)]

    # useful: backward
    def _seed(
        self, fn: Function, active: tuple[bool, ...], seeded: tuple[bool, ...], inout: bool
    ) -> None:
        assert self.useful is not None
        floats = [y for y in fn.body.yields if is_float(y.type)]
        for y, on in zip(floats, seeded, strict=True):
            if on:
                self.useful.put(y)
        if inout:
            for p, on in zip(fn.params, active, strict=True):
                if on and is_reference(p):
                    self.useful.put(p)

    def _use(self, s: Stmt) -> None:
        marks = self.useful
        assert marks is not None
        match s:
            case Op():
                if marks.has(s.target) and not (has_rule(s.op) and is_zero(s.op)):
                    for a in s.args:
                        marks.put(a)
            case Load():
                if not is_reference(s.target) and marks.has(s.target):
                    marks.put(s.array)
            case Store() | Accumulate():
                if not is_reference(s.value) and marks.has(s.array):
                    marks.put(s.value)
            case ArrayOp():
                if marks.any(s.targets):
                    for a in s.args:
                        marks.put(a)
            case Draw():
                if DRAWS[s.kind].slope and marks.any(s.targets):
                    marks.put(s.args[0])
            case If():
                for r, a, b in zip(s.results, s.then.yields, s.orelse.yields, strict=True):
                    if not is_reference(r) and marks.has(r):
                        marks.put(a)
                        marks.put(b)
            case For() | While():
                for c, y in zip(s.carried, s.body.yields, strict=True):
                    if not is_reference(c.arg) and (marks.has(c.result) or marks.has(c.arg)):
                        for a in (c.arg, c.result, c.init, y):
                            marks.put(a)
            case Call() if not is_inert(s):
                if marks.any(self._call_outputs(s)):
                    for a in s.args:
                        marks.put(a)


def _fixpoint(
    fn: Function, marks: Marks, step: Callable[[Stmt], None], *, backward: bool = False
) -> None:
    todo = list(statements(fn.body))
    if backward:
        todo.reverse()
    size = -1
    while size != marks.size():
        size = marks.size()
        for s in todo:
            step(s)
