"""Functions that run as they are: solvers, which compiled code calls and nobody differentiates.

``Outside(f)`` is a callable object; inside a compiled function its call becomes an array operation
without a derivative.  Its result has the structure and the kinds of the first argument, integers
made floats.  An njit function on numbers, arrays and tuples is called by compiled code directly;
any other callable through the interpreter (Numba's object mode, holding the lock).  Arguments are
copies, so the callable may overwrite them.

Invariant: the name of an operation is never used twice in a process, and means nothing in another:
what contains one is neither kept on disk nor exported.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher

from srcad.backends.array_ops import EVALUATORS, SPELLINGS
from srcad.backends.base import NAMESPACE
from srcad.compiler import out_spec
from srcad.frontend.arguments import Leaf, Node, Opaque, Spec, leaf_specs, leaves_of, rebuild
from srcad.frontend.core import OBJECTS, Lowering, handles
from srcad.frontend.nested import value_of
from srcad.frontend.statements import keep
from srcad.frontend.values import describe, flatten
from srcad.ir.types import F4, F8, ArrayT, Scalar, Type, is_float, numpy_dtype

RUNS: dict[str, Callable[..., Any]] = {}  # what runs in the interpreter, by operation
_numbers = count(1)


class Outside:
    """A callable that is not looked into."""

    of_this_process = True  # no code that calls it is kept on disk

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f
        self.__name__ = getattr(f, "__name__", type(f).__name__)
        self.made: dict[Any, str] = {}
        self.alive = threading.Lock()  # an object of this process only: not to be kept on disk

    def __call__(self, *args: Any) -> Any:
        """Plain Python."""
        return self.f(*args)

    def __reduce__(self) -> Any:
        return Outside, (self.f,)

    def operation(self, arguments: tuple[Spec, ...]) -> str:
        """The name of the operation for given kinds of arguments."""
        if arguments not in self.made:
            self.made[arguments] = _register(self.f, arguments, result_spec(arguments[0]))
        return self.made[arguments]


@handles(OBJECTS, Outside)
def call_outside(
    lo: Lowering, obj: Outside, args: list[Any], keywords: dict[str, Any], node: Any
) -> Any:
    """A call in a function that is being compiled."""
    if keywords or not args:
        lo.mismatch(node, f"{obj.__name__} takes its arguments by position, the start first")
    values = [keep(lo, a, node) for a in args]
    leaves = [x for v in values for x in flatten(v)[0]]
    specs = tuple(map(out_spec, values))
    if sum(1 for s in specs for _ in leaf_specs(s)) != len(leaves):
        lo.mismatch(
            node,
            f"{obj.__name__} is called with {', '.join(map(describe, values))}",
            instead="pass numbers, arrays, and structures of them",
        )
    result = result_spec(specs[0])
    types = tuple(leaf.type for leaf in leaf_specs(result))
    if not types:
        lo.mismatch(node, f"{obj.__name__} starts from {describe(values[0])}, which is no number")
    made = lo.b.array_op(obj.operation(specs), types, *leaves, hint="x")
    for v in made:
        lo.note_shape(v)
    return value_of(result, iter(made))


def result_spec(spec: Spec) -> Spec:
    """The kind of the result for a kind of start."""
    if isinstance(spec, Leaf):
        t = spec.type
        if isinstance(t, ArrayT):
            return Leaf(ArrayT(t.dtype if is_float(t) else "f8", t.ndim, "C"))
        return Leaf(t if t in (F8, F4) else F8)
    if isinstance(spec, Node):
        return Node(spec.kind, spec.cls, spec.keys, tuple(map(result_spec, spec.parts)))
    return spec


def _register(f: Callable[..., Any], arguments: tuple[Spec, ...], result: Spec) -> str:
    name = f"srcad_outside_{next(_numbers)}"
    operands = tuple(leaf.type for s in arguments for leaf in leaf_specs(s))
    results = tuple(leaf.type for leaf in leaf_specs(result))

    def run(*leaves: Any) -> Any:
        it = iter([np.array(x) if isinstance(x, np.ndarray) else x for x in leaves])
        found = f(*(rebuild(s, it, lambda obj: obj) for s in arguments))
        flat = list(leaves_of(found, result))
        made = tuple(fitted(x, t, f) for x, t in zip(flat, results, strict=True))
        return made if len(made) > 1 else made[0]

    plain = all(_plain(s) for s in (*arguments, result))
    EVALUATORS[name] = run
    SPELLINGS[name] = f"{name}({', '.join(f'{{{k}}}' for k in range(len(operands)))})"
    NAMESPACE[name] = (
        _compiled(f, arguments, result)
        if isinstance(f, Dispatcher) and plain
        else _interpreted(name, run, len(operands), results)
    )
    return name


def _plain(spec: Spec) -> bool:
    """Whether a structure can be written down in compiled code."""
    if isinstance(spec, Node):
        return spec.kind == "tuple" and all(map(_plain, spec.parts))
    return not isinstance(spec, Opaque)


def fitted(x: Any, t: Type, f: Any) -> Any:
    """A result as the code takes it.

    Raises:
        TypeError: it has another number of dimensions than the start.
    """
    ndim = t.ndim if isinstance(t, ArrayT) else 0
    if np.ndim(x) != ndim:
        name = getattr(f, "__name__", repr(f))
        raise TypeError(f"{name} returned {np.ndim(x)} dimensions, its start has {ndim}")
    if isinstance(t, ArrayT):
        return np.array(x, numpy_dtype(t.dtype), order="C")
    return float(x)


def _interpreted(
    name: str, run: Callable[..., Any], operands: int, results: tuple[Type, ...]
) -> Any:
    """An njit function that calls back into the interpreter.

    Object mode finds globals in the module that the function says it is of: this one.
    """
    RUNS[name] = run
    args = ", ".join(f"a{k}" for k in range(operands))
    made = ", ".join(f"r{k}" for k in range(len(results)))
    kinds = ", ".join(f"r{k}={_written(t)!r}" for k, t in enumerate(results))
    text = (
        f"def call({args}):\n    with objmode({kinds}):\n        {made} = RUNS[{name!r}]({args})\n"
        f"    return {made}\n"
    )
    return numba.njit(_defined(text, RUNS=RUNS, objmode=numba.objmode))


def _compiled(f: Any, arguments: tuple[Spec, ...], result: Spec) -> Any:
    """An njit function around an njit function: copies in, contiguous results out."""
    names = count()
    given = ", ".join(_construction(s, names) for s in arguments)
    args = ", ".join(f"a{k}" for k in range(next(names)))
    made = ", ".join(_leaves(result, "r"))
    return numba.njit(_defined(f"def call({args}):\n    r = f({given})\n    return {made}\n", f=f))


def _construction(spec: Spec, names: Iterator[int]) -> str:
    """An argument made of its leaves, as Python."""
    if isinstance(spec, Leaf):
        name = f"a{next(names)}"
        return f"{name}.copy()" if isinstance(spec.type, ArrayT) else name
    assert isinstance(spec, Node)
    return "(" + "".join(f"{_construction(p, names)}, " for p in spec.parts) + ")"


def _leaves(spec: Spec, value: str) -> Iterator[str]:
    """The leaves of a result, as Python."""
    if isinstance(spec, Leaf):
        array = isinstance(spec.type, ArrayT)
        yield f"np.ascontiguousarray({value})" if array else f"np.float64({value})"
    elif isinstance(spec, Node):
        for k, part in enumerate(spec.parts):
            yield from _leaves(part, f"{value}[{k}]")


def _written(t: Type) -> str:
    """A type as Numba writes it."""
    if isinstance(t, Scalar):
        return {"f8": "float64", "f4": "float32"}[t.kind]
    assert isinstance(t, ArrayT)
    return f"{numpy_dtype(t.dtype)}[{':,' * (t.ndim - 1)}::1]"


def _defined(text: str, **namespace: Any) -> Any:
    """The function that a text defines."""
    made: dict[str, Any] = {"__name__": __name__, "np": np, **namespace}
    exec(compile(text, "<srcad outside>", "exec"), made)
    return made["call"]
