"""Calls: to the user's functions, to builtins and NumPy, to methods of abstract values.

A user function is expanded at the call, specialised to the argument values (constants, tuples
and functions among them).  A function that calls itself becomes an IR function of its own
(``recursion``).  What srcad knows stands in ``CALLS`` (by function object) and ``METHODS``;
scalar primitives come from the rule registry.
"""

from __future__ import annotations

import ast
import inspect
import os
import sys
import types
from typing import Any

import numpy as np

from srcad.errors import InternalError, NoDerivative, SrcadError, UnknownFunction
from srcad.frontend.advice import advice
from srcad.frontend.core import CALLS, EXPR, METHODS, OBJECTS, PLAIN, RULED, Lowering, handles
from srcad.frontend.expansion import expand, static_argument
from srcad.frontend.joins import branch
from srcad.frontend.logic import before_writes
from srcad.frontend.signatures import arrange, parameters_of, parameters_of_method
from srcad.frontend.source import call_parts, get_source
from srcad.frontend.statements import settle
from srcad.frontend.values import (
    Choice,
    FunctionV,
    MethodV,
    Record,
    Static,
    Tuple,
    describe,
    is_array,
    is_scalar,
)
from srcad.ir.build import const
from srcad.library import LIBRARY, LIBRARY_METHODS, complete, is_checkpoint, refuse


@handles(CALLS, refuse)
def refusal(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """A function of the library cannot do what the call asks for."""
    texts = [getattr(a, "obj", "") for a in (*args, *keywords.values())]
    lo.mismatch(node, texts[0], instead=texts[1] if len(texts) > 1 else "")


@handles(CALLS, np.ndim)
def number_of_axes(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """``np.ndim``: 0 of a number."""
    return const(len(shape_of_any(lo, args[0], node)))


@handles(CALLS, np.shape)
def sizes(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """``np.shape``: empty of a number."""
    return Tuple(shape_of_any(lo, args[0], node))


def shape_of_any(lo: Lowering, v: Any, node: Any) -> tuple[Any, ...]:
    """Sizes of an array, or of what becomes one."""
    from srcad.frontend.arrays import shape_of
    from srcad.frontend.creation import as_array

    return () if is_scalar(v) else shape_of(lo, as_array(lo, v, node))


@handles(EXPR, ast.Call)
def call_expression(lo: Lowering, node: ast.Call) -> Any:
    """``f(*args, **keywords)``."""
    f = lo.read(lo.expr(node.func), node.func)
    later = [*node.args, *(k.value for k in node.keywords)]
    if isinstance(f, MethodV):
        f = MethodV(before_writes(lo, f.owner, later), f.name)
    args: list[Any] = []
    for a in node.args:
        later.pop(0)
        if isinstance(a, ast.Starred):
            v = lo.read(lo.expr(a.value), a)
            if isinstance(v, Static) and isinstance(v.obj, tuple):
                v = Tuple(tuple(Static(x) for x in v.obj))
            if not isinstance(v, Tuple):
                lo.fail(
                    a,
                    f"cannot pass {describe(v)} with *",
                    "the number of arguments must be known at compile time",
                    "pass a tuple, or index the items one by one",
                )
            args += v.items
        else:
            args.append(before_writes(lo, lo.read(positional(lo, f, a), a), later))
    keywords: dict[str, Any] = {}
    for k in node.keywords:
        later.pop(0)
        v = lo.read(array_literal(lo, k.value) if takes_rows(f) else lo.expr(k.value), k.value)
        if k.arg is not None:
            keywords[k.arg] = before_writes(lo, v, later)
        elif isinstance(v, Record) and v.cls is dict:
            keywords.update(v.fields)
        else:
            lo.fail(
                k.value,
                f"cannot pass {describe(v)} with **",
                "the names of the arguments must be known at compile time",
                "pass a dict with constant keys",
            )
    return call_value(lo, f, args, keywords, node)


def positional(lo: Lowering, f: Any, node: Any) -> Any:
    """A positional argument, as ``f`` reads it."""
    if isinstance(node, ast.GeneratorExp):
        from srcad.frontend.generators import argument

        return argument(lo, f, node)
    return array_literal(lo, node) if takes_rows(f) else lo.expr(node)


def takes_rows(f: Any) -> bool:
    """Whether a list written as an argument is read at once: a row, a tuple of arrays."""
    if isinstance(f, MethodV):
        return is_array(f.owner)
    obj = f.obj if isinstance(f, Static) and callable(f.obj) else None
    return obj is float or obj is not None and full_name(obj).startswith(("np.", "scipy."))


def array_literal(lo: Lowering, node: Any) -> Any:
    """The argument of ``np.array``: nested lists are rows, no lists of their own."""
    nested = isinstance(node, ast.Tuple) and any(isinstance(e, ast.List) for e in node.elts)
    if (nested or isinstance(node, ast.List)) and not any(
        isinstance(e, ast.Starred) for e in node.elts
    ):
        items = (settle(lo, lo.read(array_literal(lo, e), e)) for e in node.elts)
        return Tuple(tuple(items), list if isinstance(node, ast.List) else None)
    if isinstance(node, ast.ListComp) and isinstance(node.elt, (ast.List, ast.ListComp)):
        if not hasattr(node, "_srcad_rows"):
            call = ast.Call(ast.Constant(np.array), [node.elt], [])
            rows = ast.ListComp(call, node.generators)
            for n in (call, call.func, rows):
                ast.copy_location(n, node)
            node._srcad_rows = rows  # type: ignore[attr-defined]
        return lo.expr(node._srcad_rows)  # type: ignore[attr-defined]
    return lo.expr(node)


def call_value(lo: Lowering, f: Any, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """Call an abstract value."""
    if isinstance(f, FunctionV):
        return expand(lo, f, [*f.bound, *args], {**f.keywords, **keywords}, node)
    if isinstance(f, Choice):
        return call_choice(lo, f, args, keywords, node)
    if isinstance(f, MethodV):
        kind = (
            "array"
            if is_array(f.owner)
            else "scalar"
            if is_scalar(f.owner)
            else type(f.owner).__name__
        )
        return call_method(lo, f"{kind}.{f.name}", f.owner, args, keywords, node)
    if not isinstance(f, Static):
        if isinstance(f, Record):
            handler = of_object(f.cls)
            if handler is not None:
                return handler(lo, f, args, keywords, node)
            method = inspect.getattr_static(f.cls, "__call__", None)
            if isinstance(method, types.FunctionType):
                return expand(lo, FunctionV(get_source(method)), [f, *args], keywords, node)
        lo.mismatch(node, f"{describe(f)} cannot be called", PLAIN)
    return call_static(lo, f, args, keywords, node)


def call_method(
    lo: Lowering, name: str, owner: Any, args: list[Any], keywords: dict[str, Any], node: Any
) -> Any:
    """Call a method of an array, a number, a list or a dict."""
    from srcad.frontend.complexes import check_method
    from srcad.frontend.destinations import deliver, place_of_out_of_method, without_out

    kind, _, short = name.partition(".")
    if kind == "array":
        out, args, keywords = without_out(place_of_out_of_method(name), args, keywords)
        if out is not None:
            return deliver(lo, out, call_method(lo, name, owner, args, keywords, node), node)
    check_method(lo, name, owner, [*args, *keywords.values()], node)
    if name not in METHODS and kind == "array" and short in LIBRARY_METHODS:
        source = get_source(LIBRARY_METHODS[short].code)
        return expand(lo, FunctionV(source), [owner, *args], keywords, node)
    params = parameters_of_method(name)
    if params is not None:
        args, keywords = arrange(lo, short, params, args, keywords, node)
    return METHODS[name](lo, owner, args, keywords, node)


def call_choice(
    lo: Lowering, f: Choice, args: list[Any], keywords: dict[str, Any], node: Any
) -> Any:
    """Call whichever function was chosen."""
    args = [settle(lo, a) for a in args]

    def side(g: Any) -> Any:
        def run() -> None:
            lo.frame.env[".value"] = settle(lo, call_value(lo, g, args, keywords, node))

        return run

    branch(lo, f.cond, side(f.then), side(f.orelse))
    return lo.read(lo.frame.env.pop(".value"), node, "the result of this call")


def call_static(
    lo: Lowering, f: Static, args: list[Any], keywords: dict[str, Any], node: Any
) -> Any:
    """Call a Python object known at compile time."""
    from srcad.frontend.complexes import complex_handler
    from srcad.frontend.destinations import deliver, place_of_out, without_out
    from srcad.frontend.primitive_calls import primitive_call

    obj = f.obj
    obj = RULED.get(obj, obj) if _hashable(obj) else obj
    builtin = obj if _hashable(obj) and (obj in CALLS or obj in complete()) else None
    if builtin is not None:
        out, args, keywords = without_out(place_of_out(obj), args, keywords)
        if out is not None:
            return deliver(lo, out, call_static(lo, f, args, keywords, node), node)
    special = complex_handler(lo, builtin, args, keywords, node) if builtin is not None else None
    if special is not None:
        return special(lo, args, keywords, node)
    handler = known(obj)
    if handler is not None:
        params = parameters_of(obj)
        if params is not None:
            args, keywords = arrange(lo, full_name(obj), params, args, keywords, node)
        return handler(lo, args, keywords, node)
    handler = of_object(type(obj))
    if handler is not None:
        return handler(lo, obj, args, keywords, node)
    name = scalar_primitive(obj)
    if name is not None:
        return primitive_call(lo, name, obj, args, keywords, node)
    if _hashable(obj) and obj in complete():
        return expand(lo, FunctionV(get_source(LIBRARY[obj].code)), args, keywords, node)
    if isinstance(obj, type):
        from srcad.frontend.construction import construct

        return construct(lo, obj, args, keywords, node)
    if isinstance(obj, np.vectorize):
        from srcad.frontend.vectorizing import call_vectorized

        return call_vectorized(lo, obj, args, keywords, node)
    return call_python(lo, obj, args, keywords, node)


def call_python(
    lo: Lowering, obj: Any, args: list[Any], keywords: dict[str, Any], node: Any
) -> Any:
    """Call what has source: a function, a method, a partial, an object that is callable."""
    inner, bound, bound_keywords = call_parts(obj)
    front = [static_argument(lo, x, node) for x in bound]
    if not isinstance(inner, types.FunctionType) or known(inner) is not None:
        if inner is not obj:
            return call_static(lo, Static(inner), [*front, *args], keywords, node)
        unknown(lo, obj, node)
    named = {k: static_argument(lo, x, node) for k, x in bound_keywords.items()}
    try:
        source = get_source(inner, obj)
    except SrcadError as e:
        lo.fail(node, e.what, e.why, e.instead, type(e))
    g = FunctionV(source, bound=(*front,), keywords=named, separate=is_checkpoint(obj))
    try:
        return call_value(lo, g, args, keywords, node)
    except SrcadError as e:
        refuse_source(lo, inner, e, node)
        raise


def unknown(lo: Lowering, obj: Any, node: Any) -> Any:
    """Refuse a function srcad can neither look into nor has a rule for."""
    from srcad.rules.registry import REASONS

    full = full_name(obj)
    reason = REASONS.get(obj) if _hashable(obj) else None
    if reason is not None:
        lo.fail(
            node,
            f"{full} has no derivative",
            reason,
            "compute it outside the differentiated function",
            NoDerivative,
        )
    why, instead = advice(obj, full)
    lo.fail(node, f"{full} is not a function srcad knows", why, instead, UnknownFunction)


def refuse_source(lo: Lowering, f: Any, error: SrcadError, node: Any) -> None:
    """Refuse a function of NumPy or SciPy whose Python source is outside the language.

    The message is about the user's call; errors in what the user passes to it come out themselves.
    """
    here, there = lo.loc(node), error.loc
    packages = ("numpy", "scipy")
    if f.__module__.partition(".")[0] not in packages or there is None or there.file == here.file:
        return
    if isinstance(error, InternalError):
        return
    made = UnknownFunction(
        f"{full_name(f)} is not a function srcad knows",
        here,
        f"its Python source was tried, and refused: {error.what} "
        f"({os.path.basename(there.file)}, line {there.line})",
        "write it out with NumPy functions of the table in docs/functions.md",
    )
    raise made from error


def full_name(obj: Any) -> str:
    """Name of a Python callable for messages."""
    name = getattr(obj, "__name__", None) or repr(obj)
    module = getattr(obj, "__module__", None) or ""
    if isinstance(obj, np.ufunc) and getattr(sys.modules.get("scipy.special"), name, None) is obj:
        module = "scipy.special"
    owner = getattr(obj, "__self__", None)
    if owner is not None and not module:  # np.add.reduce, random.random
        name = f"{getattr(owner, '__name__', type(owner).__name__)}.{name}"
        module = type(owner).__module__
    module = "np" + module[5:] if module.split(".")[0] == "numpy" else module
    return name if module in ("", "builtins", "__main__") else f"{module}.{name}"


def _hashable(obj: Any) -> bool:
    try:
        hash(obj)
    except TypeError:
        return False
    return True


def known(obj: Any) -> Any:
    """Handler of a builtin, NumPy or numba function."""
    return CALLS.get(obj) if _hashable(obj) else None


def of_object(cls: type) -> Any:
    """Handler of callable objects of a class."""
    return next((OBJECTS[c] for c in cls.__mro__ if c in OBJECTS), None)


def has_rule(obj: Any) -> bool:
    """Whether the user has given a derivative for an object, or a class of its own kind."""
    return of_object(type(obj)) is not None or _hashable(obj) and obj in RULED


def scalar_primitive(obj: Any) -> str | None:
    """Name of the scalar primitive that a Python callable means."""
    from srcad.rules.registry import FUNCTIONS

    return FUNCTIONS.get(obj) if _hashable(obj) else None
