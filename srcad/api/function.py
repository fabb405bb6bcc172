"""Function objects: binding arguments, choosing the specialisation, calling, rebuilding results.

A ``Transformed`` stands for a transform of a user function (or of another ``Transformed``).  At a
call it binds the arguments to names, describes them by specs, looks up (or makes) the
``Specialisation`` for these specs, and runs it.  A specialisation is thrown away when a captured
number or the type of a captured array has changed.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, update_wrapper
from itertools import count
from operator import itemgetter
from typing import Any

import numpy as np
from numba.core.compiler_lock import global_compiler_lock

from srcad.analyses.summaries import summary_of
from srcad.api.safety import compiling, located, name_of
from srcad.compiler import Program, build, lowered
from srcad.errors import TypeMismatch, UnknownFunction
from srcad.frontend.arguments import Leaf, Node, Opaque, Spec, array_type, leaves_of, spec_of
from srcad.frontend.arguments import build as container
from srcad.frontend.core import PLAIN
from srcad.frontend.source import unwrap
from srcad.frontend.values import describe_object
from srcad.ir.nodes import Function, Var
from srcad.ir.types import ArrayT, Scalar
from srcad.options import Options, defaults


@dataclass
class Specialisation:
    """Compiled code for one set of argument kinds."""

    program: Program
    run: Callable[..., tuple[Any, ...]]
    written: tuple[int, ...]  # positions of the array parameters that the code writes

    @cached_property
    def restore(self) -> Callable[[Sequence[Any]], Any]:
        """Makes the structured result from its leaves."""
        return restorer(self.program.out, count())

    def valid(self) -> bool:
        """Whether the captured numbers still have the values that were frozen."""
        for path, value in self.program.guards:
            try:
                now = path()
            except Exception:
                return False
            if now is not value and (type(now) is not type(value) or now != value):
                if not (now != now and value != value):
                    return False
        for c in self.program.captures:
            now = c.path()
            if now is not c.obj and not (isinstance(now, np.ndarray) and same_kind(now, c.var)):
                return False
        return True

    def captured(self) -> tuple[Any, ...]:
        """The captured arrays as they are now."""
        return tuple(c.path() for c in self.program.captures)

    def __call__(self, leaves: Sequence[Any]) -> Any:
        """Run on the leaves of the arguments; the structured result."""
        if self.program.captures:
            leaves = [*leaves, *self.captured()]
        if self.written:
            check_overlap(self.program, self.written, leaves)
        return self.restore(self.run(*leaves))


def kind_of(x: Any) -> Any:
    """What decides the compiled code for a number or an array, quick to have; else ``None``."""
    kind = type(x)
    if kind is np.ndarray:
        return x.dtype, x.ndim, x.flags.num
    if kind is int:
        return kind if -(1 << 63) <= x < 1 << 63 else None
    return kind if kind in _NUMBERS else None


_NUMBERS = {float, bool, np.float64, np.float32, np.int64, np.int32, np.bool_}


def same_kind(a: np.ndarray, v: Var) -> bool:
    """Whether a captured array can stand for the one that was compiled for."""
    assert isinstance(v.type, ArrayT)
    try:
        t = array_type(a, "a captured array")
    except TypeMismatch:
        return False
    return (t.dtype, t.ndim, t.layout) == (v.type.dtype, v.type.ndim, v.type.layout)


def check_overlap(program: Program, written: tuple[int, ...], leaves: Sequence[Any]) -> None:
    """Arguments that are written must not share memory with others.

    Raises:
        TypeMismatch: they do, so the derivative with respect to each is not defined.
    """
    arrays = [(k, a) for k, a in enumerate(leaves) if isinstance(a, np.ndarray)]
    for k in written:
        for j, b in arrays:
            if j != k and np.may_share_memory(leaves[k], b) and np.shares_memory(leaves[k], b):
                names = [p.name for p in program.fn.params]
                raise TypeMismatch(
                    f"{program.source.name} writes to {names[k]!r}, which overlaps {names[j]!r} "
                    "in memory",
                    program.source.loc(program.source.node),
                    "a change of one would change the other, so neither has a derivative of its "
                    "own",
                    "pass a copy",
                )


def restorer(spec: Spec, leaf: Iterator[int]) -> Callable[[Sequence[Any]], Any]:
    """A function that makes a result from its leaves (``leaf`` counts their positions)."""
    if isinstance(spec, Leaf):
        k = next(leaf)
        if isinstance(spec.type, Scalar):
            number = _SCALARS[spec.type.kind]
            return lambda leaves: number(leaves[k])
        return itemgetter(k)
    if isinstance(spec, Node):
        parts = [restorer(p, leaf) for p in spec.parts]
        if spec.kind == "swapped":
            first, second = parts
            return lambda leaves: (second(leaves), first(leaves))
        if spec.cls is tuple:
            return lambda leaves: tuple([part(leaves) for part in parts])
        return lambda leaves: container(spec, [part(leaves) for part in parts])
    obj = spec.obj
    return lambda leaves: obj


_SCALARS: dict[str, Callable[[Any], Any]] = {"f8": float, "f4": np.float32, "i8": int, "b1": bool}


class Transformed:
    """A function made from another one; see the module docstring.

    Args:
        f: the user's function or another ``Transformed``.
        options: ``Options`` fields as keywords; others are inherited from ``f``.
    """

    label = "f"

    def __init__(self, f: Any, **options: Any) -> None:
        defaults().merged(options)  # refuses what is no option
        self.inner = f
        self._own = options
        if not callable(f):
            raise TypeMismatch(
                f"expected a function, got {describe_object(f)}",
                instead="pass the function itself: grad(f)(x), not grad(f(x))",
            )
        self.cache: dict[Any, Specialisation] = {}
        self.quick: dict[tuple[Any, ...], tuple[Options, Specialisation]] = {}
        if not isinstance(f, Transformed):
            f = unwrap(f)
        try:
            update_wrapper(self, f, updated=())
        except (AttributeError, TypeError):
            pass
        self.__name__ = f"{self.label}({getattr(f, '__name__', 'f')})"

    @property
    def options(self) -> Options:
        """The options in force."""
        if isinstance(self.inner, Transformed):
            return self.inner.options.merged(self._own)
        return defaults().merged(self._own)

    @cached_property
    def signature(self) -> inspect.Signature:
        """The user's signature."""
        if isinstance(self.inner, Transformed):
            return self.inner.signature
        try:
            return inspect.signature(unwrap(self.inner))
        except (TypeError, ValueError):
            name = getattr(self.inner, "__name__", repr(self.inner))
            raise UnknownFunction(
                f"{name} has no Python source",
                why="srcad differentiates the source code of Python functions",
                instead="call it in a Python function, and pass that",
            ) from None

    @cached_property
    def positional(self) -> tuple[str, ...] | None:
        """Names of the parameters where plain positional calls need no binding."""
        kinds = {p.kind for p in self.signature.parameters.values()}
        if kinds <= {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}:
            return tuple(self.signature.parameters)
        return None

    @located
    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Arguments by name, defaults filled in.

        Raises:
            TypeMismatch: they do not fit the signature.
        """
        if not kwargs and self.positional is not None and self.plain(args):
            return dict(zip(self.positional, args, strict=True))
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as e:
            raise TypeMismatch(
                f"{name_of(self)}: {e}",
                why=PLAIN,
                instead=f"call it as {name_of(self)}{self.signature}",
            ) from None
        bound.apply_defaults()
        return dict(bound.arguments)

    # compilation
    def program(self, specs: dict[str, Spec]) -> Program:
        """The program for given argument kinds (subclasses transform that of ``inner``)."""
        if isinstance(self.inner, Transformed):
            return self.inner.program(specs)
        return lowered(self.inner, specs, self.options)

    @located
    def specs(self, bound: dict[str, Any]) -> dict[str, Spec]:
        """The kinds of arguments bound by name."""
        return {k: spec_of(v, f"argument {k!r}") for k, v in bound.items()}

    def specialise(self, bound: dict[str, Any]) -> Specialisation:
        """Compiled code for these arguments."""
        specs = self.specs(bound)
        key = (self.options, tuple(specs.items()))
        found = self.cache.get(key)
        if found is None or not found.valid():
            with global_compiler_lock:  # of several threads, one compiles
                found = self.cache.get(key)
                if found is None or not found.valid():
                    found = self.cache[key] = self.compile(specs)
        return found

    @located
    def compile(self, specs: dict[str, Spec]) -> Specialisation:
        """Generate and build the code for given argument kinds."""
        options, start = self.options, time.perf_counter()
        if options.verbose:
            kinds = ", ".join(f"{k}: {describe_spec(s)}" for k, s in specs.items())
            print(f"srcad: compiling {self.__name__} for ({kinds})", file=sys.stderr)
        with compiling(self):
            made = make(self.program(specs))
        if options.verbose:
            print(
                f"srcad: {self.__name__} generated in {time.perf_counter() - start:.2f} s",
                file=sys.stderr,
            )
        return made

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call with the arguments of the user's function."""
        if not kwargs:  # numbers and arrays seen before: no binding, no descriptions
            kinds = tuple(map(kind_of, args))
            known = self.quick.get(kinds)
            if known is not None and known[0] is defaults() and known[1].valid():
                return known[1](args)
            if None not in kinds and self.plain(args):
                bound = self.bind(args, kwargs)
                special = self.specialise(bound)
                self.quick[kinds] = defaults(), special
                return special(args)
        return self.call_bound(self.bind(args, kwargs))

    def plain(self, args: tuple[Any, ...]) -> bool:
        """Whether arguments are in the order of the parameters, none left out."""
        return self.positional is not None and len(args) == len(self.positional)

    def call_bound(self, bound: dict[str, Any]) -> Any:
        """Call with arguments bound by name."""
        special = self.specialise(bound)
        leaves = [x for (k, v) in bound.items() for x in leaves_of(v, special.program.arguments[k])]
        return special(leaves)

    def source(self, *args: Any, **kwargs: Any) -> str:
        """The generated Python for these arguments (see ``srcad.source``)."""
        from srcad.api.inspect import source

        return source(self, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<srcad {self.__name__}>"

    def __reduce__(self) -> Any:
        from srcad.api.pickling import reduced

        return reduced(self)

    def state(self) -> tuple[Any, ...]:
        """What ``__init__`` needs to make an equal object."""
        return (self.inner, self._own)


def _remake(cls: Any, state: tuple[Any, ...]) -> Any:
    *args, options = state
    return cls(*args, **options)


def make(program: Program) -> Specialisation:
    """Build the code of a program."""
    return Specialisation(program, build(program), written_arrays(program.fn))


def written_arrays(fn: Function) -> tuple[int, ...]:
    """Positions of the array parameters that a function writes."""
    summary = summary_of(fn)
    return tuple(
        k
        for k, (p, w) in enumerate(zip(fn.params, summary.writes, strict=True))
        if w and isinstance(p.type, ArrayT)
    )


def describe_spec(spec: Spec) -> str:
    """An argument kind in words, for ``verbose``."""
    if isinstance(spec, Leaf):
        return str(spec.type)
    if isinstance(spec, Node):
        return f"{spec.kind}({', '.join(map(describe_spec, spec.parts))})"
    return repr(spec.obj) if isinstance(spec, Opaque) else "?"


def as_function(f: Any, options: dict[str, Any] | None = None) -> Transformed:
    """``f`` as a function object (a plain function is wrapped)."""
    if isinstance(f, Transformed) and not options:
        return f
    return Transformed(f, **(options or {}))
