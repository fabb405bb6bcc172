"""Walking the IR: what a statement reads and assigns, its inner blocks, renaming.

Every other pass gets its traversal here, so that a new node class is described once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Call,
    Carried,
    Check,
    Const,
    Dim,
    Draw,
    For,
    Function,
    If,
    Keep,
    Load,
    Op,
    Print,
    Reserve,
    Stmt,
    Store,
    Var,
    View,
    While,
)


def view_atoms(view: View) -> Iterator[Atom]:
    """The atoms inside a view's specification (slice bounds, sizes, positions)."""
    for item in view.spec:
        if isinstance(item, tuple):
            for part in item[1:]:
                if isinstance(part, (Var, Const)):
                    yield part
        elif isinstance(item, (Var, Const)):
            yield item


def operands(s: Stmt) -> tuple[Atom, ...]:
    """Atoms that the statement itself reads (not those of its inner blocks)."""
    return _OPERANDS[type(s)](s)


# by class, since these are asked of every statement by every pass (a match tries one by one)
_OPERANDS: dict[type, Callable[[Any], tuple[Atom, ...]]] = {
    **dict.fromkeys((Op, ArrayOp, Call), lambda s: s.args),
    Draw: lambda s: s.args if s.given is None else (*s.args, s.given),
    Load: lambda s: (s.array, *s.index),
    **dict.fromkeys((Store, Accumulate), lambda s: (s.array, *s.index, s.value)),
    Alloc: lambda s: s.shape,
    View: lambda s: (s.base, *view_atoms(s)),
    Dim: lambda s: (s.array,),
    Reserve: lambda s: (s.array, s.size),
    If: lambda s: (s.cond,),
    For: lambda s: (s.start, s.stop, s.step, *(c.init for c in s.carried), *_limit(s.keep)),
    While: lambda s: (*(c.init for c in s.carried), *_limit(s.keep)),
    Check: lambda s: (s.cond, *(x for x in s.message if isinstance(x, (Var, Const)))),
    Print: lambda s: tuple(x for x in s.args if isinstance(x, (Var, Const))),
}


def _limit(keep: Keep | None) -> tuple[Atom, ...]:
    return () if keep is None else (keep.limit,)


def keeping(s: For | While, use: Callable[[Atom], Atom]) -> Keep | None:
    """What a loop says about checkpointing, its operand mapped by ``use``."""
    return None if s.keep is None else replace(s.keep, limit=use(s.keep.limit))


def targets(s: Stmt) -> tuple[Var, ...]:
    """Variables that the statement assigns in the block it stands in."""
    kind = type(s)
    if kind in _ONE_TARGET:
        return (s.target,)  # type: ignore[union-attr]
    several = _TARGETS.get(kind)
    return several(s) if several is not None else ()


_ONE_TARGET = frozenset({Op, Load, Alloc, View, Dim})
_TARGETS: dict[type, Callable[[Any], tuple[Var, ...]]] = {
    **dict.fromkeys((ArrayOp, Call, Draw), lambda s: s.targets),
    If: lambda s: s.results,
    **dict.fromkeys((For, While), lambda s: tuple([c.result for c in s.carried])),
}


def blocks(s: Stmt) -> tuple[Block, ...]:
    """The inner blocks of a statement."""
    inner = _BLOCKS.get(type(s))
    return inner(s) if inner is not None else ()


_BLOCKS: dict[type, Callable[[Any], tuple[Block, ...]]] = {
    If: lambda s: (s.then, s.orelse),
    **dict.fromkeys((For, While), lambda s: (s.body,)),
}


def binders(s: Stmt) -> tuple[Var, ...]:
    """Variables that the statement binds for its inner block: loop index, carried arguments."""
    bound = _BINDERS.get(type(s))
    return bound(s) if bound is not None else ()


_BINDERS: dict[type, Callable[[Any], tuple[Var, ...]]] = {
    For: lambda s: (s.index, *[c.arg for c in s.carried]),
    While: lambda s: tuple([c.arg for c in s.carried]),
}


def statements(block: Block) -> Iterator[Stmt]:
    """Every statement of a block, inner ones after the one that owns them."""
    todo = [iter(block.stmts)]
    while todo:
        for s in todo[-1]:
            yield s
            inner = _BLOCKS.get(type(s))
            if inner is not None:
                todo += [iter(b.stmts) for b in reversed(inner(s))]
                break
        else:
            todo.pop()


def free_variables(block: Block, params: Iterable[Var]) -> list[Var]:
    """Variables a block reads but neither it nor the parameters define, in order."""
    defined = {p.name for p in params}
    free: dict[str, Var] = {}

    def use(a: Any) -> None:
        if isinstance(a, Var) and a.name not in defined:
            free.setdefault(a.name, a)

    def walk(b: Block) -> None:
        for s in b.stmts:
            visit(s)
        for y in b.yields:
            use(y)

    def visit(s: Stmt) -> None:
        for a in operands(s):
            use(a)
        defined.update(v.name for v in binders(s))
        for inner in blocks(s):
            walk(inner)
        defined.update(v.name for v in targets(s))

    walk(block)
    return list(free.values())


def variables(fn: Function) -> Iterator[Var]:
    """Every variable a function binds."""
    yield from fn.params
    for s in statements(fn.body):
        yield from targets(s)
        yield from binders(s)


def called(body: Block, callees: dict[str, Function]) -> dict[str, Function]:
    """What a block calls, directly or not; the functions that rules refer to are among it."""
    found: dict[str, Function] = {}
    todo = [s.fn for s in statements(body) if isinstance(s, Call)]
    while todo:
        name = todo.pop()
        if name in found:
            continue
        fn = found[name] = callees[name]
        todo += [s.fn for s in statements(fn.body) if isinstance(s, Call)]
        todo += fn.rule.names if fn.rule is not None else ()
    return found


def _map_view(view: View, f: Callable[[Atom], Atom]) -> tuple[Any, ...]:
    def item(x: object) -> object:
        if isinstance(x, tuple):
            return tuple(f(p) if isinstance(p, (Var, Const)) else p for p in x)
        return f(x) if isinstance(x, (Var, Const)) else x

    return tuple(item(x) for x in view.spec)


def _maybe(f: Callable[[Atom], Atom], xs: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(f(x) if isinstance(x, (Var, Const)) else x for x in xs)


def rewrite(s: Stmt, use: Callable[[Atom], Atom], define: Callable[[Var], Var]) -> Stmt:
    """The statement with operands mapped by ``use`` and bound variables by ``define``.

    Inner blocks are rewritten as well; ``use`` is applied to operands before ``define`` to
    the variables bound by the same statement.
    """
    u: Callable[..., Any] = use
    match s:  # the frequent ones are made directly: ``replace`` costs ten times as much
        case Op():
            args = tuple(map(u, s.args))
            return Op(define(s.target), s.op, args, s.loc)
        case Load():
            array, index = u(s.array), tuple(map(u, s.index))
            return Load(define(s.target), array, index, s.loc)
        case Store():
            return Store(u(s.array), tuple(map(u, s.index)), u(s.value), s.loc)
        case Accumulate():
            return Accumulate(u(s.array), tuple(map(u, s.index)), u(s.value), s.loc, s.atomic)
        case ArrayOp() | Call():
            args = tuple(map(u, s.args))
            return replace(s, args=args, targets=tuple(map(define, s.targets)))
        case Draw():
            args, given = tuple(map(u, s.args)), None if s.given is None else u(s.given)
            return replace(s, args=args, given=given, targets=tuple(map(define, s.targets)))
        case Alloc():
            shape = tuple(map(u, s.shape))
            return Alloc(define(s.target), shape, s.zero, s.loc)
        case View():
            base, spec = u(s.base), _map_view(s, u)
            return View(define(s.target), base, s.kind, spec, s.loc)
        case Dim():
            array = u(s.array)
            return Dim(define(s.target), array, s.axis, s.loc)
        case Reserve():
            return replace(s, array=u(s.array), size=u(s.size))
        case Check():
            return replace(s, cond=u(s.cond), message=_maybe(u, s.message))
        case Print():
            return replace(s, args=_maybe(u, s.args))
        case If():
            cond = u(s.cond)
            then = rewrite_block(s.then, use, define)
            orelse = rewrite_block(s.orelse, use, define)
            results = tuple(map(define, s.results))
            return replace(s, cond=cond, then=then, orelse=orelse, results=results)
        case For() | While():
            return _rewrite_loop(s, use, define)
    raise TypeError(f"not a statement: {s!r}")


def _rewrite_loop(s: For | While, use: Callable[..., Any], define: Callable[..., Any]) -> Stmt:
    bounds = {}
    if isinstance(s, For):
        bounds = {"start": use(s.start), "stop": use(s.stop), "step": use(s.step)}
    inits, keep = [use(c.init) for c in s.carried], keeping(s, use)
    if isinstance(s, For):
        bounds["index"] = define(s.index)
    args = [define(c.arg) for c in s.carried]
    body = rewrite_block(s.body, use, define)
    results = [define(c.result) for c in s.carried]
    carried = tuple(Carried(r, a, i) for r, a, i in zip(results, args, inits, strict=True))
    return replace(s, carried=carried, body=body, keep=keep, **bounds)


def rewrite_block(b: Block, use: Callable[..., Any], define: Callable[..., Any]) -> Block:
    """``rewrite`` over a block, yields included."""
    stmts = tuple(rewrite(s, use, define) for s in b.stmts)
    return Block(stmts, tuple(map(use, b.yields)))
