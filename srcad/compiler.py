"""The whole compiler on one screen.

    user function --lower--> IR --complex numbers to pairs--> IR --clean--> IR
        --forward | reverse, repeated--> IR --backend--> code

A ``Program`` is a function at some stage of this: its IR, the structure of its arguments and of
its result, the arrays it captures and the numbers it froze.  Every transform maps a program to a
program, so any of them applies to the result of any other; the last step builds a callable.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from srcad.backends.base import backend
from srcad.frontend.core import Capture
from srcad.frontend.lower import lower
from srcad.frontend.source import SourceFunction
from srcad.frontend.values import Maybe, Record, Tuple
from srcad.ir.nodes import Function
from srcad.ir.types import ArrayT
from srcad.ir.verify import verify
from srcad.messages import with_messages
from srcad.options import Options
from srcad.specs import Node, Opaque, Spec, leaf_of, leaf_specs
from srcad.stages import Purpose, arranged
from srcad.storage.interchange import interchanged
from srcad.storage.outs import written
from srcad.storage.pooled import pooled
from srcad.storage.split import split
from srcad.transforms import (
    accumulate,
    ascending,
    checks,
    complex_pairs,
    cse,
    dead_code,
    extrema,
    hoist,
    hoist_loads,
    induction,
    scalarise,
    simplify,
    slices,
)
from srcad.transforms.renew import renewed

PASSES: tuple[Callable[[Function], Function], ...] = (
    simplify.run,
    scalarise.run,
    slices.run,
    cse.run,
    induction.run,
    hoist.run,
    hoist_loads.run,
    checks.run,
    dead_code.run,  # a loop that carries nothing may be turned
    ascending.run,
    simplify.run,
    accumulate.run,
    dead_code.run,
)


@dataclass(frozen=True)
class Program:
    """A function on its way through the compiler.

    ``fn``'s parameters are the leaves of ``arguments`` in order, then the captured arrays; its
    results are the leaves of ``out``.
    """

    fn: Function
    arguments: dict[str, Spec]
    out: Spec
    captures: tuple[Capture, ...]
    guards: tuple[tuple[Any, Any], ...]
    source: SourceFunction
    options: Options
    reports: tuple[Any, ...] = ()
    outs: tuple[Program, tuple[ArrayT, ...]] | None = None  # whose results go to given arrays

    def with_fn(self, fn: Function, **changes: Any) -> Program:
        """The program with new IR, cleaned up."""
        return replace(self, fn=clean(fn, self.options), **changes)

    def leaf_range(self, name: str) -> range:
        """Positions of the parameters that belong to an argument."""
        start = 0
        for n, spec in self.arguments.items():
            count = sum(1 for _ in leaf_specs(spec))
            if n == name:
                return range(start, start + count)
            start += count
        raise KeyError(name)


def lowered(f: Any, arguments: dict[str, Spec], options: Options) -> Program:
    """A user function as a program."""
    low = lower(f, arguments, options)
    if options.verify:
        verify(low.fn)
    fn = complex_pairs.run(low.fn)
    if options.verify:
        verify(fn)
    program = Program(
        fn, arguments, out_spec(low.result), low.captures, low.guards, low.source, options
    )
    program = program.with_fn(fn)
    if options.target == "cpu" and not options.debug:
        program = program.with_fn(renewed(interchanged(program.fn)))
    return program.with_fn(extrema.run(program.fn)) if options.target == "cuda" else program


def out_spec(value: Any) -> Spec:
    """Structure of a result, from the frontend's abstract value."""
    if isinstance(value, Maybe):
        value = value.value
    if isinstance(value, Tuple):
        cls = tuple if value.cls in (None, list) else value.cls
        parts = tuple(map(out_spec, value.items))
        kind = "tuple" if cls is tuple else "namedtuple"
        return Node(kind, cls, tuple(range(len(parts))), parts)
    if isinstance(value, Record):
        kind = "dict" if value.cls is dict else "dataclass"
        return Node(
            kind, value.cls, tuple(value.fields), tuple(map(out_spec, value.fields.values()))
        )
    if hasattr(value, "type"):
        return leaf_of(value.type)
    return Opaque(None, None)


def clean(fn: Function, options: Options) -> Function:
    """The clean-up passes, each verified if asked."""
    if options.debug:  # every statement of the user runs, also those whose values are not used
        return fn
    for run in PASSES:
        fn = run(fn)
        if options.verify:
            verify(fn)
    return fn


def finished(program: Program, whole: bool = False, threads: bool = True) -> Function:
    """The IR as it is printed and run: what only comes after the last transform is done here.

    Args:
        whole: in one piece, for what is not the processor: no vector forms, no parts.
        threads: whether loops may run on several threads.
    """
    if program.options.debug:
        return program.fn
    if program.outs is None:
        fn = stored(program, whole, threads)
    else:
        plain, given = program.outs
        fn = written(stored(plain, whole, threads), given, len(plain.captures))
        if program.options.verify:
            verify(fn)
    if whole or program.options.backend != "cpu":
        return fn
    return pooled(split(fn)) if program.options.workspace else split(fn)


def stored(program: Program, whole: bool, threads: bool) -> Function:
    """``finished``, but for long functions in parts, and results in arrays of their own."""
    options = program.options
    kind = "whole" if whole else "machine" if options.backend == "cpu" else "text"
    given = [x.derived for spec in program.arguments.values() for x in leaf_specs(spec)]
    results = [x.derived for x in leaf_specs(program.out)]
    known = len(given) + len(program.captures) == len(program.fn.params)
    known &= len(results) == len(program.fn.body.yields)
    counted = {name for report in program.reports for name in report.loops}  # for ``explain``
    names = vector_functions() if options.vector_math else ()
    return arranged(
        program.fn, Purpose(options, kind, threads, names, counted, given * known, results * known)
    )


def vector_functions() -> Collection[str]:
    """Elementary functions that have vector forms on this machine."""
    from srcad.runtime.vector_math import available

    return available()


def build(program: Program) -> Callable[..., tuple[Any, ...]]:
    """A callable of the leaves of the arguments that gives the leaves of the result."""
    if program.options.debug:
        from srcad.backends.reference import Program as Interpreter

        return with_messages(Interpreter(True).build(program.fn), program.fn)
    fn = finished(program)
    return with_messages(backend(program.options.backend).build(fn), fn)
