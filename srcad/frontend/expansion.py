"""Expanding user functions: a call is lowered in place, specialised to the argument values.

A function found on its own chain of calls becomes an IR function of its own (``recursion``).
"""

from __future__ import annotations

import ast
from typing import Any

from srcad.frontend import scopes
from srcad.frontend.core import FALSE, PLAIN, TRUE, Frame, Lowering, RecursionFound, Unreachable
from srcad.frontend.source import SourceFunction, of_library
from srcad.frontend.statements import body, keep, settle, solid
from srcad.frontend.values import UNBOUND, FunctionV, Record, Static, Tuple, flatten
from srcad.ir.nodes import Loc
from srcad.paths import Path


def static_argument(lo: Lowering, x: Any, node: Any) -> Any:
    """An object bound by a method or a partial."""
    from srcad.frontend.names import captured

    return captured(lo, x, Path(x), node)


# expanding user functions
def expand(lo: Lowering, f: FunctionV, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """Expand a call of a user function in place."""
    from srcad.frontend.fence import check_function

    check_function(f.source)
    args = [keep(lo, a, node) for a in args]
    keywords = {k: keep(lo, v, node) for k, v in keywords.items()}
    return expand_bound(lo, f, bind(lo, f, args, keywords, node), node)


def expand_bound(lo: Lowering, f: FunctionV, bound: dict[str, Any], node: Any) -> Any:
    """``expand`` with parameters already bound."""
    key = call_key(f, bound)
    if key in lo.program.instances:
        return lo.program.instances[key].call(lo, bound, node)
    if f.separate:
        return separately(lo, f, bound, key, node)
    if key in lo.active:
        raise RecursionFound(key)
    if len(lo.active) > 200:
        lo.fail(
            node,
            "calls nest too deeply here",
            "a recursion that changes the kind of its arguments at each level cannot be compiled",
        )
    lo.active.append(key)
    depth, mark, known = len(lo.active), lo.b.mark(), set(lo.program.instances)
    try:
        at = lo.loc(node) if of_library(f.source) else None
        value = activation(lo, f, bound, (*lo.frame.path, ("call", id(node))), at)
        if lo.frame.dead:
            raise Unreachable(len(lo.b.stack))
        return value
    except RecursionFound as found:
        if found.key != key:
            raise
        lo.b.rewind(mark)  # the body will stand in a function of its own
        lo.program.forget(known)
    finally:
        del lo.active[depth - 1 :]
    return separately(lo, f, bound, key, node)


def separately(lo: Lowering, f: FunctionV, bound: dict[str, Any], key: Any, node: Any) -> Any:
    """A call of a function that is not expanded."""
    from srcad.frontend.recursion import Instance

    instance = Instance(lo, f, bound, key)
    lo.program.instances[key] = instance
    instance.compile()
    return instance.call(lo, bound, node)


def call_key(f: FunctionV, bound: dict[str, Any]) -> Any:
    """What a specialisation depends on: the function and the kinds of its arguments."""
    parts = []
    for name, v in bound.items():
        leaves, shape = flatten(v)
        parts.append((name, shape, tuple(a.type for a in leaves)))
    return (id(f.source.node), seen_values(f), tuple(parts))


def seen_values(f: FunctionV) -> Any:
    """The values a nested function sees in the functions around it, at this moment."""
    out = []
    frame = f.frame
    names = scopes.loads([f.source.node]) if frame is not None else {}
    while frame is not None:
        for name in names:
            if name in frame.env and not isinstance(frame.env[name], FunctionV):
                leaves, shape = flatten(frame.env[name])
                out.append((name, str(shape), tuple(map(str, leaves))))
        frame = frame.outer
    return tuple(out)


def activation(
    lo: Lowering, f: FunctionV, bound: dict[str, Any], path: tuple, at: Loc | None = None
) -> Any:
    """Lower the body of a function with bound parameters; its return value.

    What stands in a function of the library is located ``at`` the user's call of it.
    """
    src = f.source
    outer_frame, node, loc = lo.frame, lo.node, lo.b.loc
    frame = Frame(src, dict(bound), path, f.frame, at=at)
    stmts = src.node.body if isinstance(src.node, ast.FunctionDef) else None
    frame.loads = scopes.loads(stmts if stmts is not None else [src.node.body])
    names = scopes.assigned(stmts) if stmts is not None else {}
    frame.local = frozenset(names) | frozenset(bound)
    lo.frame = frame
    frame.env.update({".ret": FALSE, ".brk": FALSE, ".cont": FALSE})
    try:
        if stmts is None:
            lo.node = src.node.body
            lo.b.loc = lo.loc(src.node.body)
            value = settle(lo, lo.read(lo.expr(src.node.body), src.node.body))
        else:
            body(lo, stmts)
            value = result_of(lo, src)
        return value if path else solid(lo, value)
    except Unreachable as e:  # in a lambda; the statements of a function end by themselves
        lo.stop(e, src.node)
        return Static(None)
    finally:
        lo.frame, lo.node, lo.b.loc = outer_frame, node, loc
        if frame.dead and outer_frame is not None:
            outer_frame.dead = True


def result_of(lo: Lowering, src: SourceFunction) -> Any:
    """What a function returns after its body is lowered."""
    env = lo.frame.env
    left = env.get(".ret", FALSE)
    if lo.frame.dead:
        return env.get(".retval", Static(None))
    value = env.get(".retval", UNBOUND)
    if left == FALSE or value is UNBOUND:
        return Static(None)
    if left != TRUE:
        from srcad.frontend.values import Maybe

        inner = value.value if isinstance(value, Maybe) else value
        lo.read(inner, src.node, "the result")
        if isinstance(inner, Static) and inner.obj is None:
            return inner
        lo.b.check(
            left,
            "TypeError",
            f"{src.name} (line {getattr(src.node, 'lineno', '?')}) ended without returning a value",
        )
        return inner
    from srcad.frontend.values import Maybe

    value = value.value if isinstance(value, Maybe) else value
    return lo.read(value, src.node, "the result")


def bind(
    lo: Lowering, f: FunctionV, args: list[Any], keywords: dict[str, Any], node: Any
) -> dict[str, Any]:
    """Parameters of a function from the arguments of a call (Python's rules)."""
    a = f.source.node.args
    name = f.source.name
    positional = [p.arg for p in (*a.posonlyargs, *a.args)]
    bound: dict[str, Any] = dict(zip(positional, args, strict=False))
    if len(args) > len(positional):
        if a.vararg is None:
            lo.mismatch(
                node,
                f"{name} takes {len(positional)} positional "
                f"argument{'s' * (len(positional) != 1)}, got {len(args)}",
                PLAIN,
            )
        bound[a.vararg.arg] = Tuple(tuple(args[len(positional) :]))
    elif a.vararg is not None:
        bound[a.vararg.arg] = Tuple(())
    extra: dict[str, Any] = {}
    for k, v in keywords.items():
        if k in bound or k in {p.arg for p in a.posonlyargs}:
            lo.mismatch(node, f"{name} got two values for {k!r}", PLAIN)
        if k in positional or k in {p.arg for p in a.kwonlyargs}:
            bound[k] = v
        elif a.kwarg is not None:
            extra[k] = v
        else:
            lo.mismatch(node, f"{name} has no parameter {k!r}", PLAIN)
    if a.kwarg is not None:
        bound[a.kwarg.arg] = Record(dict, extra)
    for p in [*positional, *(p.arg for p in a.kwonlyargs)]:
        if p not in bound:
            bound[p] = default_of(lo, f, p, node)
    return bound


def positional(f: FunctionV, bound: dict[str, Any]) -> list[Any]:
    """Bound arguments in the order of the parameters, those of ``*args`` one by one."""
    star = f.source.node.args.vararg
    name = star.arg if star is not None else None
    return [x for k, v in bound.items() for x in (v.items if k == name else (v,))]


def default_of(lo: Lowering, f: FunctionV, name: str, node: Any) -> Any:
    """Default value of a parameter."""
    if name in f.defaults:
        return f.defaults[name]
    function = f.source.function
    if function is not None:
        code = function.__code__
        names = code.co_varnames[: code.co_argcount]
        defaults = function.__defaults__ or ()
        table = dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
        table |= function.__kwdefaults__ or {}
        if name in table:
            return static_argument(lo, table[name], node)
    lo.mismatch(node, f"{f.source.name} needs the argument {name!r}", PLAIN)
