"""Derivatives inside differentiated functions: what ``srcad.grad(g)(x)`` means to the frontend.

A function of the user may call ``grad``, ``value_and_grad``, ``jacobian``, ``jacfwd``, ``jacrev``,
``hessian``, ``jvp``, ``hvp``, ``vjp`` and ``linearize`` of a function, of a local closure over what
is being differentiated, or objects that these have made elsewhere.  At the call the inner function
is isolated as IR (``frontend.nested``), the same transforms are applied to it as outside
(``Transformed.program``), and the code that comes out is spliced in.

Limits: options given inside are checked but have no effect (those of the outermost call are in
force); a function cannot take a derivative of itself; an inner function that writes an array must
not see it under two names.
"""

from __future__ import annotations

from typing import Any

from srcad.analyses.summaries import summary_of
from srcad.api.custom import Custom
from srcad.api.function import Transformed
from srcad.api.linear_maps import LinearMap
from srcad.api.nested_batch import samples
from srcad.compiler import Program, out_spec
from srcad.errors import SrcadError
from srcad.frontend.arguments import Spec
from srcad.frontend.calls import call_static, has_rule
from srcad.frontend.core import Capture, Lowering
from srcad.frontend.expansion import positional, static_argument
from srcad.frontend.nested import Body, Isolated, isolate, splice, value_of
from srcad.frontend.source import call_parts, get_source
from srcad.frontend.values import FunctionV, Static, describe
from srcad.ir.nodes import Atom, Function, Var
from srcad.ir.nodes import Call as IrCall
from srcad.ir.types import ArrayT, Scalar
from srcad.ir.walk import statements
from srcad.options import Options, defaults
from srcad.paths import Path
from srcad.transforms.arrays import copy, fit


class Held:
    """A function of the program being compiled, where an object of the API wants a callable."""

    def __init__(self, f: Any) -> None:
        self.value = f
        self.__name__ = f.source.name if isinstance(f, FunctionV) else describe(f)

    def __call__(self, *args: Any) -> Any:
        """Never called: it exists at compile time only."""
        raise AssertionError("a function of the compiler was called")


class Inner(Transformed):
    """The innermost function of a chain of transforms, as the program that it was lowered to."""

    def __init__(self, program: Program, name: str) -> None:
        self.made, self.inner, self.__name__ = program, None, name

    @property
    def options(self) -> Options:
        """The options in force."""
        return self.made.options

    def program(self, specs: dict[str, Spec]) -> Program:
        """The program itself."""
        return self.made


class Call:
    """One call of a derivative: the inner function by itself, and the transforms around it."""

    def __init__(
        self, lo: Lowering, f: Any, args: list[Any], keywords: dict[str, Any], node: Any
    ) -> None:
        self.lo, self.node = lo, node
        chain, base = links(f)
        function, front, named, body = resolve(lo, base, node)
        with located_at(lo, node):
            one = samples(lo, chain, function, len(front), args, keywords, node)
        inner = isolate(lo, function, front, one.args, {**named, **one.keywords}, node, body)
        program = whole(lo, inner)
        self.inner = one.stacked(lo, inner, node)
        transform: Transformed = Inner(program, function.source.name)
        for link in reversed(one.chain):
            cls, (_, *state, _) = type(link), link.state()
            transform = cls(transform, *state)
        with located_at(lo, node):
            self.program = transform.program({**program.arguments, **one.specs})

    def run(self, program: Program, *more: Atom) -> Any:
        """Splice the program in; the abstract value of its result."""
        operands = (*self.inner.operands, *more, *self.inner.extras)
        return run(self.lo, program, operands, self.inner.source.name, self.node)


def run(lo: Lowering, program: Program, operands: tuple[Atom, ...], name: str, node: Any) -> Any:
    """Splice a program in; the abstract value of its result."""
    check_aliases(lo, program.fn, operands, name, node)
    if any(isinstance(s, IrCall) for s in statements(program.fn.body)):
        operands = apart(lo, operands)
    results = splice(lo, program.fn, operands)
    note_roots(lo, program.fn, results)
    return value_of(program.out, iter(results))


def apart(lo: Lowering, operands: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """Copies of arrays that may share storage with others.

    Where calls remain in the code that is spliced in, their adjoints need a shadow for each array.
    """
    found: list[Atom] = []
    for a in operands:
        arrays = [b for b in found if isinstance(b, Var) and isinstance(b.type, ArrayT)]
        shared = isinstance(a, Var) and isinstance(a.type, ArrayT)
        if shared and any(lo.may_alias(a, b) for b in arrays):  # type: ignore[arg-type]
            a = saved(lo, a)
        found.append(a)
    return tuple(found)


def saved(lo: Lowering, a: Atom) -> Atom:
    """A copy of an array, of the same type."""
    if not (isinstance(a, Var) and isinstance(a.type, ArrayT)):
        return a
    shape = lo.shape(a)
    return lo.note_shape(fit(lo.b, copy(lo.b, a, a.hint or a.name), a.type), shape)


def links(f: Any) -> tuple[list[Transformed], Any]:
    """The transforms around a function, outermost first, and the function."""
    chain = []
    while isinstance(f, Transformed) and f.inner is not None and not isinstance(f, Custom):
        if isinstance(f, LinearMap):  # is what its function does
            f.check()
        else:
            chain.append(f)
        f = f.inner
    return chain, f


def resolve(
    lo: Lowering, base: Any, node: Any
) -> tuple[FunctionV, tuple[Any, ...], dict[str, Any], Body | None]:
    """The function to look into, the arguments that it brings along, and how to lower it."""
    if isinstance(base, Held):
        return base.value, (), {}, None
    function, front, keywords = call_parts(base)
    try:
        source = get_source(function)
    except SrcadError as e:
        lo.fail(node, e.what, e.why, e.instead, type(e))
    values = tuple(static_argument(lo, x, node) for x in front)
    named = {k: static_argument(lo, x, node) for k, x in keywords.items()}
    f = FunctionV(source)
    if not has_rule(base):
        return f, values, named, None

    def body(at: Lowering, bound: dict[str, Any]) -> Any:
        return call_static(at, Static(base), positional(f, bound), {}, node)

    return f, values, named, body


def whole(lo: Lowering, inner: Isolated) -> Program:
    """An isolated function as a program; what it sees counts as captured."""
    options = lo.program.options or defaults()
    captures = tuple(Capture(Path(None), v, None) for v in inner.extras)
    program = Program(
        inner.fn, inner.arguments, out_spec(inner.result), captures, (), inner.source, options
    )
    return program.with_fn(inner.fn)


class located_at:
    """Errors that name no line name the call."""

    def __init__(self, lo: Lowering, node: Any) -> None:
        self.loc = lo.loc(node)

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, e: Any, trace: Any) -> None:
        if isinstance(e, SrcadError) and e.loc is None:
            raise type(e)(e.what, self.loc, e.why, e.instead) from e


def check_aliases(
    lo: Lowering, fn: Function, operands: tuple[Atom, ...], name: str, node: Any
) -> None:
    """An array that the inner function writes is seen under one name only."""
    arrays = [
        (k, a) for k, a in enumerate(operands) if isinstance(a, Var) and isinstance(a.type, ArrayT)
    ]
    if len(arrays) < 2:
        return
    writes = summary_of(fn).writes
    for k, a in arrays:
        for j, b in arrays:
            if j != k and writes[k] and lo.may_alias(a, b):
                lo.mismatch(
                    node,
                    f"{name} writes an array that it may also see under another name",
                    "a change of one would change the other, so neither has a derivative of its "
                    "own",
                    "pass a copy to the inner function",
                )


def note_roots(lo: Lowering, fn: Function, results: list[Atom]) -> None:
    """Results that may refer to what was passed in may share storage with anything."""
    for a, source in zip(results, summary_of(fn).results, strict=True):
        if isinstance(a, Var) and not isinstance(a.type, Scalar):
            if source.params or not source.fresh:
                lo.roots[a.name] = None
            else:
                lo.roots.pop(a.name, None)
