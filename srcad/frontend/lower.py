"""The frontend's front door: a user function and the kinds of its arguments give IR.

In: a callable and a spec for each bound argument.  Out: ``Lowered``: the IR function, the
structure of its result, the hidden arguments (arrays it captures), the numbers it froze.
Invariant: the IR verifies; running it gives what ``numba.njit`` of the function gives.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from srcad.errors import UnsupportedSyntax
from srcad.frontend import (  # noqa: F401  (each adds its handlers)
    arrays,
    builtins_,
    calls,
    checkpoints,
    complexes,
    conversions,
    creation,
    einsum,
    exceptions,
    expansion,
    expressions,
    indexing,
    iterating,
    joining,
    linear,
    lists,
    logic,
    loops,
    matrices,
    names,
    ordering,
    quantifiers,
    random,
    readonly,
    reductions,
    scans,
    shaping,
    statements,
    vectorizing,
)
from srcad.frontend.arguments import parameter
from srcad.frontend.core import Capture, Lowering, Program, RecursionFound, Restart
from srcad.frontend.fence import check_function
from srcad.frontend.source import SourceFunction, call_parts, get_source
from srcad.frontend.values import FunctionV, ListV, Maybe, Record, Static, Tuple, describe, flatten
from srcad.ir.layout import view_layout
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Const, Function, Var
from srcad.ir.threads import Hidden
from srcad.ir.types import ArrayT, is_complex
from srcad.ir.walk import called, rewrite_block
from srcad.paths import Path
from srcad.specs import Spec


@dataclass(frozen=True)
class Lowered:
    """A lowered function; ``param_counts`` says how many leaves each argument has."""

    fn: Function
    source: SourceFunction
    result: Any
    param_counts: tuple[int, ...]
    captures: tuple[Capture, ...]
    guards: tuple[tuple[Any, Any], ...]
    hidden: tuple[tuple[Var, Hidden], ...] = ()
    names: dict[str, str] = field(default_factory=dict)  # what the user calls temporaries


def lower(f: Any, arguments: dict[str, Spec], options: Any = None) -> Lowered:
    """Lower a function for given argument kinds.

    Args:
        f: a Python function, method, partial, njit dispatcher or differentiable function.
        arguments: spec of each parameter, bound by name (``*args`` as one tuple spec).
        options: choices of the compilation (transforms of inner functions ask for them).
    """
    function, front, keywords = call_parts(f)
    source = get_source(function)
    check_function(source)
    facts: dict[Any, Any] = {}
    for _ in range(100):
        try:
            program = Program(facts=facts, options=options)
            return _attempt(source, arguments, front, keywords, program, f)
        except Restart:
            continue
    raise UnsupportedSyntax(
        f"the types of the lists in {source.name} do not settle",
        source.loc(source.node),
        "an element gets another structure every time one is added",
        "give the elements of a list one structure",
    )


def _attempt(
    source: SourceFunction,
    arguments: dict[str, Spec],
    front: tuple,
    keywords: dict,
    program: Program,
    given: Any = None,
) -> Lowered:
    lo = Lowering(program)
    lo.node = source.node
    params: list[Var] = []
    bound, counts = {}, []
    for name, spec in arguments.items():
        before = len(params)
        bound[name] = parameter(lo, name, spec, params)
        counts.append(len(params) - before)
    from srcad.frontend.core import Frame

    lo.frame = Frame(source, {}, ())
    for p in params:
        if hasattr(p.type, "ndim"):
            lo.shape(p)
    f = FunctionV(source)
    bound = with_bound(lo, f, bound, front, keywords)
    if calls.has_rule(given):
        value = calls.call_static(
            lo, Static(given), expansion.positional(f, bound), {}, source.node
        )
        return _finish(lo, source, value, params, tuple(counts))
    key = expansion.call_key(f, bound)
    lo.active.append(key)
    mark = lo.b.mark()
    try:
        value = expansion.activation(lo, f, bound, ())
    except RecursionFound as found:
        if found.key != key:
            raise
        lo.b.rewind(mark)  # the body will stand in a function of its own
        lo.program.forget(set())
        value = _recursive(lo, f, bound, key)
    return _finish(lo, source, value, params, tuple(counts))


def with_bound(
    lo: Lowering, f: FunctionV, bound: dict[str, Any], front: tuple, keywords: dict
) -> dict[str, Any]:
    """Arguments a method or a partial brings along."""
    a = f.source.node.args
    positional = [p.arg for p in (*a.posonlyargs, *a.args)]
    out: dict[str, Any] = {}
    for name, x in zip(positional, front, strict=False):
        out[name] = expansion.static_argument(lo, x, f.source.node)
    for name, x in keywords.items():
        if name not in bound:
            out[name] = expansion.static_argument(lo, x, f.source.node)
    extra = front[len(positional) :]
    for name, v in bound.items():
        if a.vararg is not None and name == a.vararg.arg and extra:
            v = Tuple((*(expansion.static_argument(lo, x, f.source.node) for x in extra), *v.items))
        out[name] = v
    for p in [*positional, *(p.arg for p in a.kwonlyargs)]:
        if p not in out:
            out[p] = expansion.default_of(lo, f, p, f.source.node)
    if a.vararg is not None:
        out.setdefault(a.vararg.arg, Tuple(()))
    if a.kwarg is not None:
        out.setdefault(a.kwarg.arg, Record(dict, {}))
    return out


def _recursive(lo: Lowering, f: FunctionV, bound: dict, key: Any) -> Any:
    from srcad.frontend.recursion import Instance

    lo.active.clear()
    instance = Instance(lo, f, bound, key)
    lo.program.instances[key] = instance
    instance.compile()
    return instance.call(lo, bound, f.source.node)


def _finish(
    lo: Lowering, source: SourceFunction, value: Any, params: list[Var], counts: tuple[int, ...]
) -> Lowered:
    check_result(lo, value, source)
    leaves = [x for v in flatten(value)[0] for x in real_leaves(lo, v)]
    captures = tuple(lo.program.captures.values())
    block = Block(tuple(lo.b.stack[0]), tuple(leaves))
    callees = called(block, lo.program.callees)  # lowering twice leaves some that nothing calls
    hidden = tuple(h for h in lo.program.hidden.values() if isinstance(h[0], Var))
    whole = (*params, *(c.var for c in captures), *(v for v, _ in hidden))
    fn = Function(source.name, whole, block, callees)
    fn = with_user_names(fn, lo.program.names, lo.b.namer)
    return Lowered(
        fn, source, value, counts, captures, guards_of(lo.program), hidden, lo.program.names
    )


def guards_of(program: Program) -> tuple[tuple[Path, Any], ...]:
    """What must keep its value, each once; what a path starts from is always the same."""
    return tuple({p.identity(): (p, v) for p, v in program.guards if p.steps}.values())


def real_leaves(lo: Lowering, v: Any) -> tuple[Any, ...]:
    """A result as the function returns it: complex numbers as two, arrays as pairs."""
    if not is_complex(v.type):
        return (v,)
    if isinstance(v.type, ArrayT):
        return (lo.b.view(v, "pairs", (), view_layout(v.type, "pairs", ()), v.hint),)
    return lo.b.op("real", v), lo.b.op("imag", v)


def with_user_names(fn: Function, chosen: dict[str, str], namer: Namer) -> Function:
    """Temporaries that the user named carry that name, here and in the functions called."""
    table: dict[str, Var] = {}

    def define(v: Var) -> Var:
        wish = chosen.get(v.name)
        if wish is None or v.name in params:
            return v
        table[v.name] = Var(namer.fresh(wish), v.type, wish)
        return table[v.name]

    def use(a: Any) -> Any:
        return table.get(a.name, a) if isinstance(a, Var) else a

    shared: dict[str, Function] = {}
    for f in [*fn.callees.values(), fn]:
        params = {p.name for p in f.params}
        new = replace(f, body=rewrite_block(f.body, use, define), callees=shared)
        if f is not fn:
            shared[f.name] = new
    return new


def check_result(lo: Lowering, value: Any, source: SourceFunction) -> None:
    """Results are numbers, arrays, ``None`` and tuples, dicts, dataclasses of them."""
    if isinstance(value, Maybe):
        value = value.value
    if isinstance(value, Tuple):
        for v in value.items:
            check_result(lo, v, source)
    elif isinstance(value, Record):
        for v in value.fields.values():
            check_result(lo, v, source)
    elif isinstance(value, ListV):
        lo.mismatch(
            source.node,
            f"{source.name} returns a list",
            "a list has no fixed length to shape a derivative by",
            "return np.array(the_list)",
        )
    elif not (isinstance(value, (Var, Const)) or isinstance(value, Static) and value.obj is None):
        lo.mismatch(
            source.node,
            f"{source.name} returns {describe(value)}",
            instead="return numbers, arrays and tuples of them",
        )
