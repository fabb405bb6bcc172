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
    match s:
        case Op(args=args) | ArrayOp(args=args) | Call(args=args):
            return args
        case Draw(args=args, given=given):
            return args if given is None else (*args, given)
        case Load(array=a, index=i):
            return (a, *i)
        case Store(array=a, index=i, value=v) | Accumulate(array=a, index=i, value=v):
            return (a, *i, v)
        case Alloc(shape=shape):
            return shape
        case View(base=b):
            return (b, *view_atoms(s))
        case Dim(array=a):
            return (a,)
        case Reserve(array=a, size=n):
            return (a, n)
        case If(cond=c):
            return (c,)
        case For(start=a, stop=b, step=c, carried=carried, keep=keep):
            return (a, b, c, *(x.init for x in carried), *_limit(keep))
        case While(carried=carried, keep=keep):
            return (*(x.init for x in carried), *_limit(keep))
        case Check(cond=c, message=m):
            return (c, *(x for x in m if isinstance(x, (Var, Const))))
        case Print(args=args):
            return tuple(x for x in args if isinstance(x, (Var, Const)))
    raise TypeError(f"not a statement: {s!r}")


def _limit(keep: Keep | None) -> tuple[Atom, ...]:
    return () if keep is None else (keep.limit,)


def keeping(s: For | While, use: Callable[[Atom], Atom]) -> Keep | None:
    """What a loop says about checkpointing, its operand mapped by ``use``."""
    return None if s.keep is None else replace(s.keep, limit=use(s.keep.limit))


def targets(s: Stmt) -> tuple[Var, ...]:
    """Variables that the statement assigns in the block it stands in."""
    match s:
        case Op(target=t) | Load(target=t) | Alloc(target=t) | View(target=t) | Dim(target=t):
            return (t,)
        case ArrayOp(targets=ts) | Call(targets=ts) | Draw(targets=ts):
            return ts
        case If(results=rs):
            return rs
        case For(carried=cs) | While(carried=cs):
            return tuple(c.result for c in cs)
    return ()


def blocks(s: Stmt) -> tuple[Block, ...]:
    """The inner blocks of a statement."""
    match s:
        case If(then=a, orelse=b):
            return (a, b)
        case For(body=b) | While(body=b):
            return (b,)
    return ()


def binders(s: Stmt) -> tuple[Var, ...]:
    """Variables that the statement binds for its inner block: loop index, carried arguments."""
    match s:
        case For(index=i, carried=cs):
            return (i, *(c.arg for c in cs))
        case While(carried=cs):
            return tuple(c.arg for c in cs)
    return ()


def statements(block: Block) -> Iterator[Stmt]:
    """Every statement of a block, inner ones after the one that owns them."""
    for s in block.stmts:
        yield s
        for inner in blocks(s):
            yield from statements(inner)


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
    match s:
        case Op():
            args = tuple(map(u, s.args))
            return replace(s, args=args, target=define(s.target))
        case ArrayOp() | Call():
            args = tuple(map(u, s.args))
            return replace(s, args=args, targets=tuple(map(define, s.targets)))
        case Draw():
            args, given = tuple(map(u, s.args)), None if s.given is None else u(s.given)
            return replace(s, args=args, given=given, targets=tuple(map(define, s.targets)))
        case Load():
            array, index = u(s.array), tuple(map(u, s.index))
            return replace(s, array=array, index=index, target=define(s.target))
        case Store() | Accumulate():
            return replace(s, array=u(s.array), index=tuple(map(u, s.index)), value=u(s.value))
        case Alloc():
            shape = tuple(map(u, s.shape))
            return replace(s, shape=shape, target=define(s.target))
        case View():
            base, spec = u(s.base), _map_view(s, u)
            return replace(s, base=base, spec=spec, target=define(s.target))
        case Dim():
            array = u(s.array)
            return replace(s, array=array, target=define(s.target))
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
