"""Calls: to the user's functions, to builtins and NumPy, to methods of abstract values.

A user function is expanded at the call, specialised to the argument values (constants, tuples
and functions among them).  A function that calls itself becomes an IR function of its own
(``recursion``).  What srcad knows stands in ``CALLS`` (by function object) and ``METHODS``;
scalar primitives come from the rule registry.
"""

from __future__ import annotations

import ast
import dataclasses
import types
from typing import Any

import numpy as np

from srcad.errors import NoDerivative, SrcadError, UnknownFunction
from srcad.frontend import scopes
from srcad.frontend.core import (
    CALLS, EXPR, FALSE, METHODS, PLAIN, TRUE, Bottom, Frame, Lowering, RecursionFound, handles,
)
from srcad.frontend.joins import branch
from srcad.frontend.signatures import arrange, parameters_of, parameters_of_method
from srcad.frontend.source import SourceFunction, call_parts, get_source
from srcad.frontend.statements import body, settle
from srcad.frontend.values import (
    UNBOUND, Choice, FunctionV, Lazy, ListV, MethodV, Record, Static, Tuple, describe, flatten, is_array,
    is_scalar,
)
from srcad.ir.nodes import Const, Var


@handles(EXPR, ast.Call)
def call_expression(lo: Lowering, node: ast.Call) -> Any:
    """``f(*args, **keywords)``."""
    f = lo.read(lo.expr(node.func), node.func)
    args: list[Any] = []
    for a in node.args:
        if isinstance(a, ast.Starred):
            v = lo.read(lo.expr(a.value), a)
            if isinstance(v, Static) and isinstance(v.obj, tuple):
                v = Tuple(tuple(Static(x) for x in v.obj))
            if not isinstance(v, Tuple):
                lo.fail(a, f"cannot pass {describe(v)} with *",
                        "the number of arguments must be known at compile time",
                        "pass a tuple, or index the items one by one")
            args += v.items
        else:
            literal = isinstance(f, Static) and f.obj in (np.array, np.asarray, float)
            args.append(lo.read(array_literal(lo, a) if literal else lo.expr(a), a))
            if isinstance(args[-1], Lazy) and len(node.args) > 1 and any(
                    isinstance(n, ast.Call) for x in node.args for n in ast.walk(x)):
                args[-1] = settle(lo, args[-1])
    keywords: dict[str, Any] = {}
    for k in node.keywords:
        v = lo.read(lo.expr(k.value), k.value)
        if k.arg is not None:
            keywords[k.arg] = v
        elif isinstance(v, Record) and v.cls is dict:
            keywords.update(v.fields)
        else:
            lo.fail(k.value, f"cannot pass {describe(v)} with **",
                    "the names of the arguments must be known at compile time",
                    "pass a dict with constant keys")
    return call_value(lo, f, args, keywords, node)


def array_literal(lo: Lowering, node: Any) -> Any:
    """The argument of ``np.array``: nested lists are rows, no lists of their own."""
    if isinstance(node, ast.List) and not any(isinstance(e, ast.Starred) for e in node.elts):
        return Tuple(tuple(settle(lo, lo.read(array_literal(lo, e), e)) for e in node.elts))
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
        kind = "array" if is_array(f.owner) else "scalar" if is_scalar(f.owner) else \
            type(f.owner).__name__
        return call_method(lo, f"{kind}.{f.name}", f.owner, args, keywords, node)
    if not isinstance(f, Static):
        if isinstance(f, Record):
            method = getattr(f.cls, "__call__", None)
            if isinstance(method, types.FunctionType):
                return expand(lo, FunctionV(get_source(method)), [f, *args], keywords, node)
        lo.mismatch(node, f"{describe(f)} cannot be called", PLAIN)
    return call_static(lo, f, args, keywords, node)


def call_method(lo: Lowering, name: str, owner: Any, args: list[Any], keywords: dict[str, Any],
                node: Any) -> Any:
    """Call a method of an array, a number, a list or a dict."""
    params = parameters_of_method(name)
    if params is not None:
        args, keywords = arrange(lo, name.split(".")[1], params, args, keywords, node)
    return METHODS[name](lo, owner, args, keywords, node)


def call_choice(lo: Lowering, f: Choice, args: list[Any], keywords: dict[str, Any],
                node: Any) -> Any:
    """Call whichever function was chosen."""
    args = [settle(lo, a) for a in args]

    def side(g: Any) -> Any:
        def run() -> None:
            lo.frame.env[".value"] = settle(lo, call_value(lo, g, args, keywords, node))

        return run

    branch(lo, f.cond, side(f.then), side(f.orelse))
    return lo.read(lo.frame.env.pop(".value"), node, "the result of this call")


def call_static(lo: Lowering, f: Static, args: list[Any], keywords: dict[str, Any],
                node: Any) -> Any:
    """Call a Python object known at compile time."""
    obj = f.obj
    handler = known(obj)
    if handler is not None:
        params = parameters_of(obj)
        if params is not None:
            args, keywords = arrange(lo, full_name(obj), params, args, keywords, node)
        return handler(lo, args, keywords, node)
    name = scalar_primitive(obj)
    if name is not None:
        return primitive_call(lo, name, obj, args, keywords, node)
    if isinstance(obj, type):
        return construct(lo, obj, args, keywords, node)
    inner, bound, bound_keywords = call_parts(obj)
    if isinstance(inner, types.FunctionType):
        front = [static_argument(lo, x, node) for x in bound]
        named = {k: static_argument(lo, x, node) for k, x in bound_keywords.items()}
        try:
            source = get_source(inner)
        except SrcadError as e:
            lo.fail(node, e.what, e.why, e.instead, type(e))
        return expand(lo, FunctionV(source), [*front, *args], {**named, **keywords}, node)
    if inner is not obj:
        front = [static_argument(lo, x, node) for x in bound]
        return call_static(lo, Static(inner), [*front, *args], keywords, node)
    unknown(lo, obj, node)


def unknown(lo: Lowering, obj: Any, node: Any) -> Any:
    """Refuse a function srcad can neither look into nor has a rule for."""
    from srcad.rules.registry import REASONS

    full = full_name(obj)
    reason = REASONS.get(obj) if _hashable(obj) else None
    if reason is not None:
        lo.fail(node, f"{full} has no derivative", reason,
                "compute it outside the differentiated function", NoDerivative)
    lo.fail(node, f"{full} is not a function srcad knows",
            "it has no Python source to look into, and no derivative rule",
            "write it out in Python, or use a NumPy or math function that srcad supports",
            UnknownFunction)


def full_name(obj: Any) -> str:
    """Name of a Python callable for messages."""
    name = getattr(obj, "__name__", None) or repr(obj)
    module = getattr(obj, "__module__", None) or ""
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


def scalar_primitive(obj: Any) -> str | None:
    """Name of the scalar primitive that a Python callable means."""
    from srcad.rules.registry import FUNCTIONS

    return FUNCTIONS.get(obj) if _hashable(obj) else None


def primitive_call(lo: Lowering, name: str, obj: Any, args: list[Any], keywords: dict[str, Any],
                   node: Any) -> Any:
    """A scalar primitive on numbers, or on arrays element by element."""
    from srcad.frontend.arrays import elementwise, fix_kinds, write_array
    from srcad.frontend.creation import as_array
    from srcad.frontend.indexing import check_target
    from srcad.ir.primitives import PRIMITIVES

    out = keywords.pop("out", None)
    if keywords:
        lo.fail(node, f"the argument {next(iter(keywords))!r} of {full_name(obj)} is not supported",
                instead="use np.where, or write a loop")
    arity = PRIMITIVES[name].arity
    if len(args) == arity + 1 and isinstance(obj, np.ufunc):
        out = args.pop()
    if len(args) != arity:
        lo.mismatch(node, f"{full_name(obj)} takes {arity} argument{'s' * (arity != 1)}, "
                          f"got {len(args)}", PLAIN)
    args = [as_array(lo, a, node) if isinstance(a, (Tuple, ListV)) else a for a in args]
    for a in args:
        if not (is_scalar(a) or is_array(a)):
            lo.mismatch(node, f"{full_name(obj)} of {describe(a)}",
                        instead="pass a number or an array")
    if isinstance(out, Static) and out.obj is None:
        out = None
    if out is not None:
        check_target(lo, out, node)
    if all(is_scalar(a) for a in args):
        value = lo.b.op(name, *fix_kinds(lo, name, tuple(args)))
        if out is not None:
            write_array(lo, out, value, node)
        return value if out is None else out
    if getattr(obj, "__module__", "") == "math":
        lo.mismatch(node, f"math.{obj.__name__} takes numbers, got an array",
                    instead="use the NumPy function of this name")
    result = elementwise(lo, name, args, node)
    if out is None:
        return result
    write_array(lo, out, result, node)
    return out


def static_argument(lo: Lowering, x: Any, node: Any) -> Any:
    """An object bound by a method or a partial."""
    from srcad.frontend.expressions import captured

    return captured(lo, x, lambda: x, node)


def construct(lo: Lowering, cls: type, args: list[Any], keywords: dict[str, Any],
              node: Any) -> Any:
    """Build a namedtuple or a dataclass."""
    args = [settle(lo, a) for a in args]
    keywords = {k: settle(lo, v) for k, v in keywords.items()}
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        fields = dict(zip(cls._fields, args, strict=False)) | keywords
        for name, default in cls._field_defaults.items():  # type: ignore[attr-defined]
            fields.setdefault(name, static_argument(lo, default, node))
        if set(fields) != set(cls._fields) or len(args) > len(cls._fields):
            lo.mismatch(node, f"{cls.__name__} takes the fields {', '.join(cls._fields)}", PLAIN)
        return Tuple(tuple(fields[n] for n in cls._fields), cls)
    if dataclasses.is_dataclass(cls) and "__post_init__" not in vars(cls):
        names = [f.name for f in dataclasses.fields(cls) if f.init]
        fields = dict(zip(names, args, strict=False)) | keywords
        for f in dataclasses.fields(cls):
            if f.name not in fields and f.default is not dataclasses.MISSING:
                fields[f.name] = static_argument(lo, f.default, node)
        if set(fields) != set(names) or len(args) > len(names):
            lo.mismatch(node, f"{cls.__name__} takes the fields {', '.join(names)}", PLAIN)
        return Record(cls, {n: fields[n] for n in names})
    if issubclass(cls, BaseException):
        return Static(cls)
    lo.fail(node, f"cannot build a {cls.__name__} here",
            "only namedtuples and plain dataclasses can be built in a differentiated function",
            "use a tuple or a namedtuple")


# expanding user functions
def expand(lo: Lowering, f: FunctionV, args: list[Any], keywords: dict[str, Any],
           node: Any) -> Any:
    """Expand a call of a user function in place."""
    from srcad.frontend.fence import check_function

    check_function(f.source)
    args = [settle(lo, a) for a in args]
    keywords = {k: settle(lo, v) for k, v in keywords.items()}
    bound = bind(lo, f, args, keywords, node)
    key = call_key(f, bound)
    if key in lo.program.instances:
        return lo.program.instances[key].call(lo, bound, node)
    if key in lo.active:
        raise RecursionFound(key)
    if len(lo.active) > 200:
        lo.fail(node, "calls nest too deeply here",
                "a recursion that changes the kind of its arguments at each level cannot be "
                "compiled")
    lo.active.append(key)
    depth, mark = len(lo.active), lo.b.mark()
    try:
        return activation(lo, f, bound, (*lo.frame.path, ("call", id(node))))
    except RecursionFound as found:
        if found.key != key:
            raise
        lo.b.rewind(mark)  # the body will stand in a function of its own
    finally:
        del lo.active[depth - 1:]
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
        consts = ()
        parts.append((name, shape, tuple(a.type for a in leaves), consts))
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


def activation(lo: Lowering, f: FunctionV, bound: dict[str, Any], path: tuple) -> Any:
    """Lower the body of a function with bound parameters; its return value."""
    src = f.source
    outer_frame, node, loc = lo.frame, lo.node, lo.b.loc
    frame = Frame(src, dict(bound), path, f.frame)
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
            return settle(lo, lo.read(lo.expr(src.node.body), src.node.body))
        body(lo, stmts)
        return result_of(lo, src)
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
        lo.b.check(left, "TypeError", f"{src.name} (line {getattr(src.node, 'lineno', '?')}) ended "
                                     "without returning a value")
        return inner
    from srcad.frontend.values import Maybe

    value = value.value if isinstance(value, Maybe) else value
    return lo.read(value, src.node, "the result")


def bind(lo: Lowering, f: FunctionV, args: list[Any], keywords: dict[str, Any],
         node: Any) -> dict[str, Any]:
    """Parameters of a function from the arguments of a call (Python's rules)."""
    a = f.source.node.args
    name = f.source.name
    positional = [p.arg for p in (*a.posonlyargs, *a.args)]
    bound: dict[str, Any] = dict(zip(positional, args, strict=False))
    if len(args) > len(positional):
        if a.vararg is None:
            lo.mismatch(node, f"{name} takes {len(positional)} positional "
                              f"argument{'s' * (len(positional) != 1)}, got {len(args)}", PLAIN)
        bound[a.vararg.arg] = Tuple(tuple(args[len(positional):]))
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


def default_of(lo: Lowering, f: FunctionV, name: str, node: Any) -> Any:
    """Default value of a parameter."""
    if name in f.defaults:
        return f.defaults[name]
    function = f.source.function
    if function is not None:
        code = function.__code__
        names = code.co_varnames[:code.co_argcount]
        defaults = function.__defaults__ or ()
        table = dict(zip(names[len(names) - len(defaults):], defaults, strict=True))
        table |= function.__kwdefaults__ or {}
        if name in table:
            return static_argument(lo, table[name], node)
    lo.mismatch(node, f"{f.source.name} needs the argument {name!r}", PLAIN)


__all__ = ["Bottom", "Const", "Var"]
