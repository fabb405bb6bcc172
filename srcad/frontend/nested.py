"""An inner function as an IR function of its own, and any IR function as code in place.

``isolate`` is closure conversion (Reynolds 1972): the body of a callee becomes an IR ``Function``
whose parameters are the numbers and arrays it is given and then everything it sees of the
functions around it.  A transform can be applied to that, and ``splice`` puts the outcome where
the call stands.  So a derivative inside a differentiated function is ordinary code by the time
an outer transform sees it: its variables are distinct from all others, and no tags are needed to
tell perturbations apart (Siskind & Pearlmutter 2005, "Perturbation confusion").

Invariant: what is spliced is a copy with fresh names, functions it calls included.

Limits: a function cannot take a derivative of itself, as its code would contain itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from srcad.errors import NoDerivative
from srcad.frontend.arguments import Leaf, Node, Opaque, Spec
from srcad.frontend.core import Frame, Lowering, RecursionFound, Unreachable
from srcad.frontend.expansion import bind, call_key, expand_bound
from srcad.frontend.source import SourceFunction
from srcad.frontend.statements import keep, solid
from srcad.frontend.values import FunctionV, Maybe, Record, Static, Tuple, flatten
from srcad.ir.nodes import Alloc, Atom, Block, Call, Const, Dim, Function, Rule, Stmt, Var
from srcad.ir.types import ArrayT, Scalar, is_float
from srcad.ir.walk import called, free_variables, rewrite_block, targets

Body = Callable[[Lowering, dict[str, Any]], Any]


@dataclass(frozen=True)
class Isolated:
    """An inner function by itself.

    ``fn``'s parameters are the leaves of ``arguments``, to be called with ``operands``, then
    ``extras``, which are variables of the functions around it.
    """

    fn: Function
    source: SourceFunction
    arguments: dict[str, Spec]
    operands: tuple[Atom, ...]
    extras: tuple[Var, ...]
    result: Any


def isolate(
    lo: Lowering,
    f: FunctionV,
    front: tuple[Any, ...],
    args: list[Any],
    keywords: dict[str, Any],
    node: Any,
    body: Body | None = None,
) -> Isolated:
    """Lower a call of ``f`` into a function of its own.

    Args:
        lo: the lowering that meets the call.
        f: the function.
        front: arguments that it brings along (of a method); they are seen, not given.
        args: what it is given.
        keywords: likewise.
        node: the call.
        body: lowers the body for bound parameters (default: expands ``f``).
    """
    given = [keep(lo, a, node) for a in args]
    named = {**f.keywords, **{k: keep(lo, v, node) for k, v in keywords.items()}}
    bound = bind(lo, f, [*f.bound, *front, *given], named, node)
    if call_key(f, bound) in lo.active:
        refuse_itself(lo, f.source.name, node)
    sub = _inside(lo, f)
    hidden = set(list(bound)[: len(f.bound) + len(front)]) | (set(f.keywords) - set(keywords))
    params: list[Var] = []
    operands: list[Atom] = []
    arguments: dict[str, Spec] = {}
    inner = dict(bound)
    for name, v in bound.items():
        if name not in hidden:
            inner[name], arguments[name] = _parameter(lo, sub, name, v, params, operands)
    run: Body = body or (lambda at, values: expand_bound(at, f, values, node))
    try:
        value = _value(sub, f, run, inner)
    except RecursionFound as found:
        if found.key in lo.active:
            refuse_itself(lo, f.source.name, node)
        raise
    except Unreachable:  # it always raises, and so does its derivative
        run(lo, bound)
        raise
    leaves, _ = flatten(value)
    block = Block(tuple(sub.b.stack[0]), tuple(leaves))
    extras = tuple(free_variables(block, params))
    _publish_captures(lo, extras)
    fn = Function(f.source.name, (*params, *extras), block, _family(lo, block, node, f))
    return Isolated(fn, f.source, arguments, tuple(operands), extras, value)


@dataclass(frozen=True)
class Outline:
    """Code of its own: its parameters, its body, and what it sees of the functions around it."""

    params: tuple[Var, ...]
    body: Block
    extras: tuple[Var, ...]


def outline(
    lo: Lowering,
    f: FunctionV,
    like: list[Atom],
    build: Callable[[Lowering, list[Atom]], list[Atom]],
) -> Outline:
    """Lower ``build(lowering, parameters)``, which gives results, with parameters like ``like``."""
    sub = _inside(lo, f)
    sub.active = []  # it is called by name, so it may call what it is called from
    params = []
    for a in like:
        p = sub.b.var((a.hint or a.name) if isinstance(a, Var) else "x", a.type)
        params.append(p)
        if isinstance(a, Var) and isinstance(a.type, ArrayT):
            sub.shape(p)
    leaves = build(sub, list(params))
    block = Block(tuple(sub.b.stack[0]), tuple(leaves))
    return Outline(tuple(params), block, tuple(free_variables(block, params)))


def _inside(lo: Lowering, f: FunctionV) -> Lowering:
    """The lowering of the inner function: it knows what is known here."""
    sub = Lowering(lo.program, lo.b.namer)
    sub.shapes, sub.sizes, sub.shape_keys = dict(lo.shapes), dict(lo.sizes), dict(lo.shape_keys)
    sub.roots, sub.views, sub.active = dict(lo.roots), dict(lo.views), list(lo.active)
    sub.node, sub.b.loc = lo.node, lo.b.loc
    sub.frame = replace(lo.frame, dead=False, path=(*lo.frame.path, ("nested", id(f.source.node))))
    return sub


def _parameter(
    lo: Lowering, sub: Lowering, name: str, v: Any, params: list[Var], operands: list[Atom]
) -> tuple[Any, Spec]:
    """Inner value and kind of an argument; floats and arrays become parameters.

    Integers are seen as they are (a constant may choose an axis), and so are functions, lists
    and ranges; an integer still counts as a parameter, which nothing reads.
    """
    if isinstance(v, (Var, Const)) and isinstance(v.type, (Scalar, ArrayT)):
        p = sub.b.var(name, v.type)
        params.append(p)
        operands.append(v)
        if isinstance(v, Var) and isinstance(v.type, ArrayT):
            sub.roots[p.name] = lo.root(v)
            sub.shape_keys[p.name] = tuple(map(lo.size_key, lo.shape(v)))
            sub.shape(p)
        seen = p if isinstance(v.type, ArrayT) or is_float(v.type) else v
        return seen, Leaf(v.type)
    if isinstance(v, Tuple):
        parts = [
            _parameter(lo, sub, f"{name}_{k}", x, params, operands) for k, x in enumerate(v.items)
        ]
        cls = v.cls or tuple
        kind = "list" if cls is list else "tuple" if cls is tuple else "namedtuple"
        spec = Node(kind, cls, tuple(range(len(parts))), tuple(s for _, s in parts))
        return Tuple(tuple(x for x, _ in parts), v.cls), spec
    if isinstance(v, Record):
        made = {
            k: _parameter(lo, sub, f"{name}_{k}", x, params, operands) for k, x in v.fields.items()
        }
        kind = "dict" if v.cls is dict else "dataclass"
        spec = Node(kind, v.cls, tuple(made), tuple(s for _, s in made.values()))
        return Record(v.cls, {k: x for k, (x, _) in made.items()}), spec
    return v, Opaque(None, v.obj if isinstance(v, Static) else v)


def _value(sub: Lowering, f: FunctionV, run: Body, bound: dict[str, Any]) -> Any:
    """The result of the inner function, checked to be one that a derivative can be taken of."""
    from srcad.frontend.lower import check_result

    value = solid(sub, run(sub, bound))
    value = value.value if isinstance(value, Maybe) else value
    sub.frame = Frame(f.source, {}, ())
    check_result(sub, value, f.source)
    return value


def refuse_itself(lo: Lowering, name: str, node: Any) -> None:
    """A function that differentiates itself has no finite code."""
    lo.fail(
        node,
        f"{name} takes a derivative of itself",
        "the code of such a function would contain its own derivative, and that of it, without end",
        "write one function for each order of differentiation",
        NoDerivative,
    )


def _publish_captures(lo: Lowering, extras: tuple[Var, ...]) -> None:
    """Sizes of captured arrays first met inside are read at the top of the outer function too."""
    from srcad.frontend.arguments import at_the_top

    captured = {c.var.name for c in lo.program.captures.values()}
    for v in extras:
        if v.name in captured and v.name not in lo.shapes:
            at_the_top(lo, partial(lo.shape, v))


def _family(lo: Lowering, block: Block, node: Any, f: FunctionV) -> dict[str, Function]:
    """The functions that a block calls, directly or not, as a table of their own."""
    unfinished = {i.name for i in lo.program.instances.values() if i.busy}
    found = called(block, lo.program.callees)
    if unfinished & set(found):
        refuse_itself(lo, f.source.name, node)
    shared: dict[str, Function] = {}
    for name, fn in found.items():
        shared[name] = replace(fn, callees=shared)
    return shared


def splice(lo: Lowering, fn: Function, operands: tuple[Atom, ...]) -> list[Atom]:
    """Put the code of an IR function here; its results."""
    names = _adopt(lo, fn)
    table: dict[str, Atom] = {p.name: a for p, a in zip(fn.params, operands, strict=True)}
    block = _renamed(lo, fn.body, table, names)
    for s in block.stmts:
        lo.b.emit(s)
        _note(lo, s)
    for y in block.yields:
        if isinstance(y, Var) and isinstance(y.type, ArrayT):
            lo.note_shape(y)
    return list(block.yields)


def _note(lo: Lowering, s: Stmt) -> None:
    """What the frontend remembers of sizes and storage, for code that it did not write."""
    match s:
        case Dim(target=t, array=a) if a.name in lo.shapes:
            lo.sizes[t.name] = lo.size_key(lo.shapes[a.name][s.axis])
        case Alloc(target=t, shape=shape) if isinstance(t.type, ArrayT):
            lo.shapes[t.name] = shape
        case _:
            for t in targets(s):
                if not isinstance(t.type, Scalar):
                    lo.roots[t.name] = None


def _adopt(lo: Lowering, fn: Function) -> dict[str, str]:
    """The functions that ``fn`` calls become the program's, under names of their own."""
    found = called(fn.body, fn.callees)
    names = {name: lo.b.namer.fresh(name) for name in found}
    for name, callee in found.items():
        table: dict[str, Atom] = {}
        params = tuple(_fresh(lo, p, table) for p in callee.params)
        body = _renamed(lo, callee.body, table, names)
        lo.program.callees[names[name]] = replace(
            callee,
            name=names[name],
            params=params,
            body=body,
            callees=lo.program.callees,
            rule=renamed_rule(callee.rule, names),
        )
    return names


def renamed_rule(rule: Rule | None, names: dict[str, str]) -> Rule | None:
    """A rule that refers to functions by other names."""
    if rule is None:
        return None
    return replace(rule, derivative=names[rule.derivative], forward=names.get(rule.forward, ""))


def _fresh(lo: Lowering, v: Var, table: dict[str, Atom]) -> Var:
    new = Var(lo.b.namer.fresh(v.name), v.type, v.hint)
    table[v.name] = new
    return new


def _renamed(lo: Lowering, block: Block, table: dict[str, Atom], names: dict[str, str]) -> Block:
    def use(a: Any) -> Any:
        return table.get(a.name, a) if isinstance(a, Var) else a

    return with_calls(rewrite_block(block, use, lambda v: _fresh(lo, v, table)), names)


def with_calls(block: Block, names: dict[str, str]) -> Block:
    """A block whose calls go to functions of other names."""
    if not names:
        return block

    def one(s: Any) -> Any:
        if isinstance(s, Call):
            return replace(s, fn=names[s.fn])
        inner = {
            k: with_calls(getattr(s, k), names) for k in ("then", "orelse", "body") if hasattr(s, k)
        }
        return replace(s, **inner) if inner else s

    return Block(tuple(map(one, block.stmts)), block.yields)


def value_of(spec: Spec, leaves: Iterator[Atom]) -> Any:
    """The abstract value of a structure with the given leaves."""
    if isinstance(spec, Leaf):
        return next(leaves)
    if isinstance(spec, Opaque):
        return Static(spec.obj)
    items = tuple(value_of(p, leaves) for p in spec.parts)
    if spec.kind == "swapped":
        return Tuple(items[::-1])
    if spec.kind in ("dict", "dataclass"):
        return Record(spec.cls, dict(zip(spec.keys, items, strict=True)))
    return Tuple(items, None if spec.cls is tuple else spec.cls)
