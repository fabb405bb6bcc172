"""Statements other than loops: assignment, branches, returns, checks, nested functions.

``body`` lowers a statement list.  Where control may leave in the middle (``return``, ``break``,
``continue`` on some path), the rest of the list moves into the path that stays, so that the IR
needs no jumps.
"""

from __future__ import annotations

import ast
import functools
from typing import Any

import numba

from srcad.frontend import scopes
from srcad.frontend.core import FALSE, FLAGS, PLAIN, STMT, TRUE, Lowering, handles
from srcad.frontend.joins import branch
from srcad.frontend.source import SourceFunction
from srcad.frontend.values import (
    FunctionV,
    IterV,
    Lazy,
    ListV,
    Record,
    Static,
    Tuple,
    describe,
    is_array,
    is_scalar,
)
from srcad.ir.build import const
from srcad.ir.nodes import Atom, Print, Var
from srcad.ir.types import is_complex


def escaped(lo: Lowering) -> Atom:
    """Whether control has left the present statement list (constant where known)."""
    out: Atom = FALSE
    for f in FLAGS:
        out = lo.b.op("or", out, lo.frame.env.get(f, FALSE))
    return out


def body(lo: Lowering, stmts: list[ast.stmt]) -> None:
    """Lower a statement list, guarding what follows a possible exit."""
    for k, s in enumerate(stmts):
        if lo.frame.dead:
            return
        rest = stmts[k + 1 :]
        if isinstance(s, ast.If) and rest and scopes.leaves([s]):
            if scopes.always_leaves(s.body):
                if_statement(lo, s, s.body, [*s.orelse, *rest])
                return
            if scopes.always_leaves(s.orelse):
                if_statement(lo, s, [*s.body, *rest], s.orelse)
                return
        lo.stmt(s)
        left = escaped(lo)
        if isinstance(left, Var):
            if rest:
                branch(lo, left, lambda: None, lambda rest=rest: continue_with(lo, rest))  # type: ignore[misc]
            return
        if left == TRUE:
            return


def continue_with(lo: Lowering, rest: list[ast.stmt]) -> None:
    """The rest of a statement list on the path where control has not left."""
    lo.frame.env.update(dict.fromkeys(FLAGS, FALSE))
    body(lo, rest)


@handles(STMT, ast.If)
def if_statement(
    lo: Lowering, node: ast.If, then: list | None = None, orelse: list | None = None
) -> None:
    """A branch (taken at compile time where the condition is known)."""
    before = lo.node, lo.b.loc
    lo.node, lo.b.loc = node, lo.loc(node)
    cond = lo.truth(lo.read(lo.expr(node.test), node.test), node.test)
    then = node.body if then is None else then
    orelse = node.orelse if orelse is None else orelse
    branch(lo, cond, lambda: body(lo, then), lambda: body(lo, orelse))
    lo.node, lo.b.loc = before


@handles(STMT, ast.Return)
def return_statement(lo: Lowering, node: ast.Return) -> None:
    """``return``: remembered under hidden names that join like any other."""
    value = Static(None) if node.value is None else lo.read(lo.expr(node.value), node.value)
    lo.frame.env[".retval"] = keep(lo, value, node.value)
    lo.frame.env[".ret"] = TRUE


def settle(lo: Lowering, v: Any) -> Any:
    """A value that is about to be bound: array expressions are computed now."""
    from srcad.frontend.arrays import materialize

    if isinstance(v, Lazy):
        return v if v.view else materialize(lo, v)
    if isinstance(v, Tuple):
        return Tuple(tuple(settle(lo, x) for x in v.items), v.cls)
    return v


def solid(lo: Lowering, v: Any) -> Any:
    """A value that leaves the compiled function: views that are expressions are computed too."""
    from srcad.frontend.arrays import materialize

    if isinstance(v, Lazy):
        return materialize(lo, v)
    if isinstance(v, Tuple):
        return Tuple(tuple(solid(lo, x) for x in v.items), v.cls)
    if isinstance(v, Record):
        return Record(v.cls, {k: solid(lo, x) for k, x in v.fields.items()})
    return v


def keep(lo: Lowering, v: Any, node: Any) -> Any:
    """``settle``, of a value that gets a name or another place where it may be used twice."""
    if isinstance(v, IterV):
        lo.fail(
            node,
            f"the iterator {v.kind}(...) cannot be kept here",
            "a second use would find it exhausted",
            f"write {v.kind}(...) in the for statement",
        )
    return settle(lo, v)


@handles(STMT, ast.Break, ast.Continue)
def break_statement(lo: Lowering, node: ast.AST) -> None:
    """``break`` and ``continue`` set a flag of the loop."""
    lo.frame.env[".brk" if isinstance(node, ast.Break) else ".cont"] = TRUE


@handles(STMT, ast.Pass, ast.Import, ast.ImportFrom)
def pass_statement(lo: Lowering, node: Any) -> None:
    """``pass``; an import inside a function binds the modules."""
    if isinstance(node, ast.Pass):
        return
    import importlib

    for alias in node.names:
        try:
            if isinstance(node, ast.Import):
                module: Any = importlib.import_module(alias.name)
                if not alias.asname:
                    module = importlib.import_module(alias.name.split(".")[0])
            else:
                module = getattr(importlib.import_module(node.module or ""), alias.name)
        except (ImportError, AttributeError, ValueError):
            lo.fail(node, f"cannot import {alias.name} here", instead="import at module level")
        lo.frame.env[alias.asname or alias.name.split(".")[0]] = Static(module)


@handles(STMT, ast.Expr)
def expression_statement(lo: Lowering, node: ast.Expr) -> None:
    """An expression for its effects (docstrings vanish)."""
    if not isinstance(node.value, ast.Constant):
        lo.read(lo.expr(node.value), node.value)


@handles(STMT, ast.Assign)
def assign_statement(lo: Lowering, node: ast.Assign) -> None:
    """``a = b = value``."""
    from srcad.frontend.logic import before_writes

    value = lo.read(lo.expr(node.value), node.value)
    value = before_writes(lo, value, node.targets) if plain_store(node) else settle(lo, value)
    for target in node.targets:
        assign(lo, target, value)


def plain_store(node: ast.Assign) -> bool:
    """Whether an array expression may be written straight into its target."""
    return len(node.targets) == 1 and isinstance(node.targets[0], ast.Subscript)


@handles(STMT, ast.AnnAssign)
def annotated(lo: Lowering, node: ast.AnnAssign) -> None:
    """``name: annotation = value``; the annotation is not looked at."""
    if node.value is not None:
        assign(lo, node.target, settle(lo, lo.read(lo.expr(node.value), node.value)))


@handles(STMT, ast.Delete)
def delete(lo: Lowering, node: ast.Delete) -> None:
    """``del name``."""
    for t in node.targets:
        if not isinstance(t, ast.Name):
            lo.fail(t, "del of an element is not supported", instead="assign a new value instead")
        lo.read(lo.frame.env.get(t.id, _unbound()), t, t.id)
        lo.frame.env.pop(t.id, None)


def _unbound() -> Any:
    from srcad.frontend.values import UNBOUND

    return UNBOUND


def assign(lo: Lowering, target: ast.AST, value: Any) -> None:
    """Bind or write ``value`` to an assignment target."""
    if isinstance(target, ast.Name):
        lo.frame.env[target.id] = rename(lo, keep(lo, value, target), target.id)
    elif isinstance(target, (ast.Tuple, ast.List)):
        items = unpack(lo, value, target)
        for t, v in zip(target.elts, items, strict=True):
            assign(lo, t, v)
    elif isinstance(target, ast.Subscript):
        from srcad.frontend.indexing import store_subscript

        store_subscript(lo, target, value)
    elif isinstance(target, ast.Starred):
        assign(lo, target.value, value)
    elif not assign_part(lo, target, value):
        lo.fail(
            target,
            "cannot assign to an attribute",
            "objects are read-only inside a differentiated function",
            "return the new value, or keep it in an array",
        )


def assign_part(lo: Lowering, target: Any, value: Any) -> bool:
    """``a.real = value``: whether that is what an assignment to an attribute means."""
    from srcad.frontend.complexes import write_part

    if not (isinstance(target, ast.Attribute) and target.attr in ("real", "imag")):
        return False
    owner = lo.read(lo.expr(target.value), target.value)
    return write_part(lo, owner, target.attr, value, target)


def rename(lo: Lowering, v: Any, name: str) -> Any:
    """Note the user's name for a temporary that an assignment has just bound."""
    if isinstance(v, Var) and v.name in lo.b.fresh:
        lo.program.names.setdefault(v.name, name)
    return v


def unpack(lo: Lowering, value: Any, target: Any) -> list[Any]:
    """Items of an unpacked value; of an array or a list star targets are refused."""
    n = len(target.elts)
    value = lo.read(value, target)
    star = next((k for k, t in enumerate(target.elts) if isinstance(t, ast.Starred)), None)
    if star is not None and isinstance(value, Tuple) and len(value.items) >= n - 1:
        after = len(value.items) - (n - 1 - star)
        rest = Tuple(value.items[star:after], list)
        return [*value.items[:star], rest, *value.items[after:]]
    if star is not None:
        short = isinstance(value, Tuple)
        what = f"needs at least {n - 1} values" if short else f"of {describe(value)}"
        lo.fail(target, f"starred assignment {what} is not supported", instead="unpack by index")
    if isinstance(value, Tuple):
        if len(value.items) != n:
            lo.mismatch(target, f"cannot unpack {len(value.items)} values into {n} names", PLAIN)
        return list(value.items)
    if is_array(value) or isinstance(value, ListV):
        from srcad.frontend.loops import indexed

        size, item = indexed(lo, value, target)
        lo.b.check(lo.b.op("eq", size, const(n)), "ValueError", f"expected {n} values to unpack")
        return [item(const(k)) for k in range(n)]
    lo.mismatch(target, f"cannot unpack {describe(value)}", PLAIN)


@handles(STMT, ast.AugAssign)
def augmented(lo: Lowering, node: ast.AugAssign) -> None:
    """``target op= value``: arrays and elements are updated in place."""
    from srcad.frontend.arrays import update_array
    from srcad.frontend.expressions import binary
    from srcad.frontend.indexing import update_subscript

    if isinstance(node.target, ast.Name):
        name = node.target.id
        old = lo.read(lookup(lo, node.target), node.target, name)
        value = lo.read(lo.expr(node.value), node.value)
        if is_array(old) and isinstance(old, Var):
            update_array(lo, old, type(node.op), value, node)
            lo.frame.env[name] = old
        elif isinstance(old, ListV) and isinstance(node.op, ast.Add):
            from srcad.frontend.lists import extend

            extend(lo, old, value, node)
        else:
            new = settle(lo, binary(lo, type(node.op), old, value, node))
            lo.frame.env[name] = rename(lo, new, name)
    elif isinstance(node.target, ast.Subscript):
        update_subscript(lo, node.target, type(node.op), node.value, node)
    else:
        lo.fail(
            node.target,
            "cannot assign to an attribute",
            "objects are read-only inside a differentiated function",
            "keep the value in a local variable or an array",
        )


def lookup(lo: Lowering, node: ast.Name) -> Any:
    """A local name (augmented assignment makes a name local)."""
    from srcad.frontend.names import name_value

    return name_value(lo, node)


def emit_print(lo: Lowering, values: list[Any], node: Any) -> None:
    """``print`` of numbers and strings."""
    args: list[Any] = []
    for v in values:
        if isinstance(v, Static) and isinstance(v.obj, str):
            args.append(v.obj)
        elif is_scalar(v) and is_complex(v.type):
            lo.fail(
                node,
                "print of a complex number is not supported",
                "it is two real numbers here",
                "print(z.real, z.imag)",
            )
        elif is_scalar(v):
            args.append(v)
        elif is_array(v):
            lo.fail(node, "print of an array is not supported", instead="print its elements")
        else:
            lo.fail(node, f"cannot print {describe(v)}", instead="print numbers and strings")
    lo.b.emit(Print(tuple(args), lo.b.loc))


@handles(STMT, ast.FunctionDef)
def nested_function(lo: Lowering, node: ast.FunctionDef) -> None:
    """``def`` inside a function: a value that knows its environment."""
    f: Any = make_closure(lo, node, node.name)
    for d in reversed(node.decorator_list):
        f = decorated(lo, f, d)
    lo.frame.env[node.name] = f


# decorators after which a function computes what it computed before
SAME = {numba.njit, numba.jit, functools.wraps, functools.lru_cache, functools.cache}


def decorated(lo: Lowering, f: Any, node: Any) -> Any:
    """What a decorator makes of a nested function; Numba's and ``wraps`` leave it as it is."""
    if isinstance(node, ast.Call):
        made = lo.read(lo.expr(node.func), node.func)
        if isinstance(made, Static) and made.obj in SAME:
            return f
    from srcad.frontend.calls import call_value

    decorator = lo.read(lo.expr(node), node)
    if isinstance(decorator, Static) and decorator.obj in SAME:
        return f
    return settle(lo, call_value(lo, decorator, [f], {}, node))


def make_closure(lo: Lowering, node: Any, name: str) -> FunctionV:
    """A nested function or lambda; defaults are evaluated now."""
    outer = lo.frame.source
    src = SourceFunction(node, name, outer.file, outer.globals, outer.closure, cells=outer.cells)
    a = node.args
    positional = [*a.posonlyargs, *a.args]
    defaults: dict[str, Any] = {}
    for arg, d in zip(positional[len(positional) - len(a.defaults) :], a.defaults, strict=True):
        defaults[arg.arg] = settle(lo, lo.read(lo.expr(d), d))
    for arg, kd in zip(a.kwonlyargs, a.kw_defaults, strict=True):
        if kd is not None:
            defaults[arg.arg] = settle(lo, lo.read(lo.expr(kd), kd))
    return FunctionV(src, env=lo.frame.env, frame=lo.frame, defaults=defaults)


@handles(STMT, ast.Global, ast.Nonlocal)
def global_statement(lo: Lowering, node: Any) -> None:
    """Refused: derivatives of hidden state are not defined."""
    lo.fail(
        node,
        f"{type(node).__name__.lower()} is not supported",
        "a derivative with respect to hidden state is not defined",
        "pass the value in and return the new one",
    )
