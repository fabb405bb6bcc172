"""The reference interpreter's simple statements: each becomes a closure over slots of a frame.

In: statements.  Out: functions of a frame (a list of values); a variable's slot is fixed when it
is bound, constants have slots of their own.  Control flow is in ``reference``.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.backends.array_ops import EVALUATORS
from srcad.backends.debug import guarded, poisoned
from srcad.backends.evaluators import CASTS, evaluator, wrap
from srcad.errors import InternalError
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Block,
    Call,
    Check,
    Const,
    Dim,
    Draw,
    Function,
    Load,
    Op,
    Print,
    Reserve,
    Stmt,
    Store,
    Var,
    View,
)
from srcad.ir.types import ArrayT, ListT, Scalar, Type, numpy_dtype

Frame = list[Any]
Step = Callable[[Frame], None]
Compiled = Callable[..., tuple]


class Ended(Exception):
    """Ends a function without results, at a check without exception."""


def convert(value: Any, t: Type) -> Any:
    """An argument as the interpreter keeps values of type ``t``."""
    return CASTS[t.kind](value) if isinstance(t, Scalar) else value


def zero(t: Type) -> Any:
    """The content of a fresh list cell."""
    if isinstance(t, ArrayT):
        return np.zeros((0,) * t.ndim, numpy_dtype(t.dtype))
    return CASTS[str(t)](0)


class StatementClosures:
    """Makes the closures of simple statements."""

    def __init__(self, fn: Function, debug: bool, build: Callable[[Function], Compiled]) -> None:
        self.fn, self.debug, self.build = fn, debug, build
        self.slots: dict[str, int] = {}
        self.template: Frame = []

    # slots
    def fresh(self, value: Any = None) -> int:
        """A slot that holds ``value`` at the start."""
        self.template.append(value)
        return len(self.template) - 1

    def bind(self, v: Var) -> int:
        """A slot for a variable."""
        self.slots[v.name] = slot = self.fresh()
        return slot

    def slot(self, a: Any) -> int:
        """Where an operand is found; constants get a place of their own."""
        if isinstance(a, Const):
            return self.fresh(CASTS[str(a.type)](a.value))
        return self.slots[a.name] if isinstance(a, Var) else self.fresh(a)

    def all(self, atoms: tuple) -> list[int]:
        """Slots of several operands."""
        return [self.slot(a) for a in atoms]

    def block(self, b: Block) -> list[Step]:
        """The closures of a block's statements."""
        return [self.step(s) for s in b.stmts]

    def step(self, s: Stmt) -> Step:
        """The closure of a statement."""
        step: Step = getattr(self, "_" + type(s).__name__.lower())(s)
        return guarded(step, s, self.slot) if self.debug else step

    # statements
    def _op(self, s: Op) -> Step:
        f = evaluator(s.op, tuple(a.type for a in s.args), s.target.type)
        args, t = self.all(s.args), self.bind(s.target)
        if len(args) == 1:
            (a,) = args
            return lambda fr: fr.__setitem__(t, f(fr[a]))
        if len(args) == 2:
            a, b = args
            return lambda fr: fr.__setitem__(t, f(fr[a], fr[b]))
        return lambda fr: fr.__setitem__(t, f(*[fr[x] for x in args]))

    def _load(self, s: Load) -> Step:
        array, index = self.slot(s.array), self.all(s.index)
        t = self.bind(s.target)
        if isinstance(s.array.type, ListT):
            return lambda fr: fr.__setitem__(t, fr[array][fr[index[0]]])
        if len(index) == 1:
            (i,) = index
            return lambda fr: fr.__setitem__(t, fr[array].item(fr[i]))
        return lambda fr: fr.__setitem__(t, fr[array].item(tuple([fr[i] for i in index])))

    def _store(self, s: Store) -> Step:
        array, index, value = self.slot(s.array), self.all(s.index), self.slot(s.value)
        if isinstance(s.array.type, ListT):
            return lambda fr: fr[array].__setitem__(fr[index[0]], fr[value])
        cast = _element_cast(s.array.type)

        def step(fr: Frame) -> None:
            fr[array][tuple([fr[i] for i in index])] = cast(fr[value])

        return step

    def _accumulate(self, s: Accumulate) -> Step:
        array, index, value = self.slot(s.array), self.all(s.index), self.slot(s.value)
        if isinstance(s.array.type, ListT):
            element = s.array.type.element
            add = evaluator("add", (element, element), element)

            def step(fr: Frame) -> None:
                cells, i = fr[array], fr[index[0]]
                cells[i] = add(cells[i], fr[value])

            return step
        cast = _element_cast(s.array.type)

        def step_array(fr: Frame) -> None:
            at = tuple([fr[i] for i in index])
            fr[array][at] = cast(fr[array].item(at) + fr[value])

        return step_array

    def _alloc(self, s: Alloc) -> Step:
        shape, t = self.all(s.shape), self.bind(s.target)
        if not isinstance(s.target.type, ArrayT):
            return lambda fr: fr.__setitem__(t, [])
        dtype = numpy_dtype(s.target.type.dtype)
        order: Any = "F" if s.target.type.layout == "F" else "C"
        make = np.zeros if s.zero else poisoned
        return lambda fr: fr.__setitem__(t, make(tuple([fr[n] for n in shape]), dtype, order))

    def _view(self, s: View) -> Step:
        base = self.slot(s.base)
        if s.kind == "index":
            items = [(item[0], self.all(item[1:])) for item in s.spec]
            t = self.bind(s.target)
            return lambda fr: fr.__setitem__(t, fr[base][_subscript(items, fr)])
        if s.kind == "reshape":
            shape, t = self.all(s.spec), self.bind(s.target)
            return lambda fr: fr.__setitem__(t, _reshape(fr[base], [fr[n] for n in shape]))
        t = self.bind(s.target)
        if s.kind == "transpose":
            return lambda fr: fr.__setitem__(t, fr[base].transpose(s.spec))
        return lambda fr: fr.__setitem__(t, fr[base])

    def _dim(self, s: Dim) -> Step:
        array, t, axis = self.slot(s.array), self.bind(s.target), s.axis
        if isinstance(s.array.type, ListT):
            return lambda fr: fr.__setitem__(t, len(fr[array]))
        return lambda fr: fr.__setitem__(t, fr[array].shape[axis])

    def _reserve(self, s: Reserve) -> Step:
        array, size = self.slot(s.array), self.slot(s.size)
        assert isinstance(s.array.type, ListT)
        cell = zero(s.array.type.element)
        return lambda fr: fr[array].extend([cell] * (fr[size] - len(fr[array])))

    def _arrayop(self, s: ArrayOp) -> Step:
        f, args = EVALUATORS[s.op], self.all(s.args)
        targets, types = [self.bind(t) for t in s.targets], [t.type for t in s.targets]

        def step(fr: Frame) -> None:
            results = f(*[fr[a] for a in args])
            for t, r, kind in zip(
                targets, results if len(targets) > 1 else (results,), types, strict=True
            ):
                fr[t] = convert(r, kind)

        return step

    def _call(self, s: Call) -> Step:
        callee, args = self.fn.callees[s.fn], self.all(s.args)
        targets, build = [self.bind(t) for t in s.targets], self.build

        def step(fr: Frame) -> None:
            results = build(callee)(*[fr[a] for a in args])
            for t, r in zip(targets, results, strict=True):
                fr[t] = r

        return step

    def _check(self, s: Check) -> Step:
        cond, message = self.slot(s.cond), self.all(s.message)
        error = getattr(builtins, s.exception) if s.exception else Ended

        def step(fr: Frame) -> None:
            if not fr[cond]:
                raise error(*[fr[m] for m in message])

        return step

    def _print(self, s: Print) -> Step:
        args = self.all(s.args)
        return lambda fr: print(*[fr[a] for a in args])

    def _draw(self, s: Draw) -> Step:
        f, args = getattr(np.random, s.kind), self.all(s.args)
        if not s.targets:
            return lambda fr: f(*[fr[a] for a in args])
        (target,) = s.targets
        if s.given is not None:
            again, t = self.slot(s.given), self.bind(target)
            return lambda fr: fr.__setitem__(t, fr[again])
        cast, t = CASTS[str(target.type)], self.bind(target)
        return lambda fr: fr.__setitem__(t, cast(f(*[fr[a] for a in args])))


def _element_cast(t: Type) -> Callable[[Any], Any]:
    """Conversion of a value to the element type of an array (integers are cut to their width)."""
    if not isinstance(t, ArrayT) or t.dtype in ("f8", "f4"):
        return lambda x: x
    if t.dtype == "b1":
        return bool
    if t.dtype == "i8":
        return wrap
    kind = numpy_dtype(t.dtype).type
    return lambda x: np.int64(x).astype(kind)


def _subscript(items: list[tuple[str, list[int]]], fr: Frame) -> tuple:
    index: list[Any] = []
    for kind, parts in items:
        values = [fr[p] for p in parts]
        index.append(values[0] if kind == "at" else slice(*values) if kind == "slice" else None)
    return tuple(index)


def _reshape(base: np.ndarray, shape: list[int]) -> np.ndarray:
    if not base.flags.c_contiguous:
        raise InternalError("reshape of an array that is not contiguous")
    return base.reshape(shape)
