"""Tracing: a Python function on tensors becomes a graph of nodes.

In: a function, its arguments (tensors are replaced by symbolic inputs, everything else stays).
Out: ``Graph``: nodes in regions (loops over ``tf.range`` are regions of their own), results, and
the variables read and written.  Variables met for the first time are made inputs and the tracing
starts anew, until all are known.  What is assigned to a variable holds for the trace only: other
threads, and the program afterwards, see nothing of it.

A loop's body is traced once.  Variables carry values from trip to trip; a local Python name that
would do so cannot be seen, so such loops are unrolled or refused (``carries_locals``).
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcad.tape import nest
from srcad.tape.convert import to_tensor
from srcad.tape.state import STATE
from srcad.tape.tensor import Tensor
from srcad.tape.variable import Variable
from srcad.tf.symbolic import NotTraceable, Span, Sym

UNROLLED = 16  # trips of a loop that may be unrolled
ATTEMPTS = 4


@dataclass
class Loop:
    """``for index in range(...)``: ``carried`` are (parameter, before, after, result)."""

    bounds: tuple[Any, ...]
    index: Any
    body: list[Any] = field(default_factory=list)
    params: list[tuple[Any, Any]] = field(default_factory=list)
    carried: list[tuple[Any, Any, Any, Any]] = field(default_factory=list)


@dataclass
class Graph:
    """A traced function: ``nodes`` (symbols and loops), inputs, results, variables."""

    inputs: list[Any]
    variables: list[Any]
    variable_inputs: list[Any]
    nodes: list[Any]
    result: Any
    updates: list[tuple[Any, Any]]


class Trace:
    """One attempt to trace."""

    def __init__(self, known: list[Variable]) -> None:
        self.regions: list[list[Any]] = [[]]
        self.home: dict[int, list[Any]] = {}
        self.keep: list[Sym] = []
        self.now: dict[int, Tensor] = {}  # the values of variables, in this trace only
        self.known = known
        self.missed: list[Variable] = []

    def add(self, sym: Sym) -> None:
        """A node of the current region; its operands must be visible there."""
        for a in sym.args:
            if isinstance(a, Sym):
                self.visible(a)
        self.home[id(sym)] = self.regions[-1]
        self.keep.append(sym)
        if sym.op not in ("input", "index", "param", "result"):
            self.regions[-1].append(sym)

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
        if carries_locals(frame):
            if not sym.known or sym.shape[0] > UNROLLED:
                raise NotTraceable("a local name carries a value from trip to trip of a loop")
            return iter([Tensor(sym.dtype.type(i)) for i in range(*map(int, sym.args))])
        return self._symbolic(sym)

    def _symbolic(self, sym: Sym) -> Iterator[Tensor]:
        """The body twice: once to see that the second trip does what the first one did."""
        before = [self.now[id(v)] for v in self.known]
        marks = []
        for _ in range(2):
            loop = self._enter(sym, before)
            yield Tensor(loop.index)
            after = self._leave(loop)
            marks.append(fingerprint(loop, after))
        if marks[0] != marks[1]:
            raise NotTraceable("a loop does something else in every trip")
        for v, old, (param, value), new in zip(self.known, before, loop.params, after, strict=True):
            if new is param:
                self.now[id(v)] = old
                continue
            if new.shape != param.shape or new.dtype != param.dtype:
                raise NotTraceable("a variable changes its shape or type in a loop")
            result = Sym("result", (), param.shape, param.dtype)
            loop.carried.append((param, value, new, result))
            self.now[id(v)] = Tensor(result)
        self.regions[-1].append(loop)

    def _enter(self, sym: Sym, before: list[Tensor]) -> Loop:
        loop = Loop(sym.args, None)
        self.regions.append(loop.body)
        loop.index = Sym("index", (), (), sym.dtype)
        for v, old in zip(self.known, before, strict=True):
            param = Sym("param", (), old._value.shape, old._value.dtype)
            loop.params.append((param, old._value))
            self.now[id(v)] = Tensor(param)
        return loop

    def _leave(self, loop: Loop) -> list[Any]:
        """The values of the variables after a trip."""
        if self.regions[-1] is not loop.body:
            raise NotTraceable("a loop is left from inside of another one")
        after = [self.now[id(v)]._value for v in self.known]
        self.regions.pop()
        return after


def fingerprint(loop: Loop, after: list[Any]) -> list[Any]:
    """What a body computes, with its own values numbered."""
    numbers: dict[int, Any] = {id(loop.index): "index"}
    numbers |= {id(p): ("param", k) for k, (p, _) in enumerate(loop.params)}
    marks: list[Any] = []
    _fingerprint(loop.body, numbers, marks)
    return [*marks, [_mark(x, numbers) for x in after]]


def _fingerprint(nodes: list[Any], numbers: dict[int, Any], marks: list[Any]) -> None:
    for n in nodes:
        if isinstance(n, Loop):
            numbers[id(n.index)] = len(numbers)
            numbers |= {id(p): len(numbers) + k for k, (p, _) in enumerate(n.params)}
            _fingerprint(n.body, numbers, marks)
            numbers |= {id(r): len(numbers) + k for k, (_, _, _, r) in enumerate(n.carried)}
            marks.append([_mark(x, numbers) for entry in n.carried for x in entry])
            continue
        operands = [_mark(a, numbers) for a in n.args]
        numbers[id(n)] = len(numbers)
        shape = () if isinstance(n, Span) else n.shape
        marks.append((n.op, operands, shape, n.dtype, repr(n.options)))


def _mark(x: Any, numbers: dict[int, Any]) -> Any:
    if isinstance(x, Sym):
        return numbers.get(id(x), ("outside", id(x)))
    return np.asarray(x).tobytes()


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
    result = nest.map_structure(_leaf, f(*args, **kwargs))
    if len(attempt.regions) != 1:
        raise NotTraceable("a loop is left by break or return")
    updates = []
    for k, v in enumerate(attempt.known):
        value = attempt.now[id(v)]._value
        if value is not variable_inputs[k]:
            updates.append((v, value))
    for value in [*nest.flatten(result), *(u for _, u in updates)]:
        if isinstance(value, Sym):
            attempt.visible(value)
    nodes = attempt.regions[0]
    return Graph(inputs, attempt.known, variable_inputs, nodes, result, updates)


def _leaf(value: Any) -> Any:
    """A result as a symbolic or NumPy value; ``None`` stays."""
    return value if value is None else to_tensor(value)._value


# loops whose body would see old values of local names
def carries_locals(frame: Any) -> bool:
    """Whether a loop of the frame's function may carry a local name from trip to trip."""
    try:
        source = textwrap.dedent(inspect.getsource(frame.f_code))
        tree = ast.parse(source)
    except (OSError, TypeError, SyntaxError):
        return True
    line = frame.f_lineno - frame.f_code.co_firstlineno + 1
    loops = [n for n in ast.walk(tree) if isinstance(n, ast.For) and n.iter.lineno == line]
    return len(loops) != 1 or _carries(loops[0])


def _carries(loop: ast.For) -> bool:
    """Whether a name is read in the body before it is surely stored there in the same trip."""
    if loop.orelse or any(_escapes(n) for s in loop.body for n in ast.walk(s)):
        return True
    stored = {n.id for s in loop.body for n in _names(s, ast.Store)}
    ready = {n.id for n in _names(loop.target, ast.Store)}
    return _reads_early(loop.body, ready, stored)


def _escapes(node: ast.AST) -> bool:
    """Stores that are no plain names, and jumps."""
    if isinstance(node, ast.Attribute | ast.Subscript):
        return not isinstance(node.ctx, ast.Load)
    kinds = (ast.Break, ast.Continue, ast.Return, ast.Delete, ast.Nonlocal, ast.Global)
    return isinstance(node, (*kinds, ast.FunctionDef, ast.NamedExpr, ast.Try, ast.Yield))


def _reads_early(body: list[ast.stmt], ready: set[str], stored: set[str]) -> bool:
    """Statements in order; ``ready`` grows by what straight-line code stores."""
    for s in body:
        inner = s.body if isinstance(s, ast.With | ast.For) else []
        for head in _heads(s):
            if any(n.id in stored - ready for n in _names(head, ast.Load)):
                return True
        if isinstance(s, ast.AugAssign) and isinstance(s.target, ast.Name):
            if s.target.id not in ready:
                return True
        if isinstance(s, ast.For):
            inside = ready | {n.id for n in _names(s.target, ast.Store)}
            if s.orelse or _reads_early(inner, inside, stored):
                return True
        elif isinstance(s, ast.With):
            for i in s.items:
                if i.optional_vars is not None:
                    ready |= {n.id for n in _names(i.optional_vars, ast.Store)}
            if _reads_early(inner, ready, stored):
                return True
        elif isinstance(s, ast.Assign | ast.AnnAssign | ast.AugAssign):
            ready |= {n.id for n in _names(s, ast.Store)}
    return False


def _heads(s: ast.stmt) -> list[ast.AST]:
    """What a statement evaluates before its blocks; all of it if it has none to look into."""
    if isinstance(s, ast.With):
        return [i.context_expr for i in s.items]
    return [s.iter] if isinstance(s, ast.For) else [s]


def _names(node: ast.AST, context: type) -> list[ast.Name]:
    return [n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, context)]
