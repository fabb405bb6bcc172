"""What each known function takes: the part of its signature that srcad supports.

In: the arguments of a call of a builtin, a NumPy function or a method.  Out: the same arguments
with required ones in position and optional ones by name, which is how the handlers read them.
Everything a handler would not look at is refused here, so no argument is ever ignored.

One line a function; of a parameter ``x``: ``x`` is required, ``x?`` may be missing and stays in
position, ``x=`` may be missing and goes by name, ``x!v`` is known but accepted only with the
value ``v`` (or ``None``), ``*x`` takes any number.
"""

from __future__ import annotations

import builtins
import cmath
import math
from functools import cache
from typing import Any

import numba
import numpy as np

import srcad.library
from srcad.frontend.core import CALLS, METHODS, PLAIN, Lowering
from srcad.frontend.values import Static
from srcad.ir.nodes import Const

_TABLE = """
len obj
range start stop? step?
min *values key! default!
max *values key! default!
sum iterable start=
enumerate iterable start=
zip *iterables strict=
slice start stop? step?
reversed sequence
sorted iterable key= reverse=
float x?
int x?
bool x?
round number ndigits?
divmod x y
pow base exp mod?
abs x
print *values sep! end! file! flush!False
tuple iterable?
list iterable?
dict *values **named
any iterable
all iterable
isinstance obj classes
getattr obj name
math.floor x
math.ceil x
math.trunc x
math.log x base?
numba.prange start stop? step?
numba.np.extensions.cross2d a b
np.float64 x?
np.float32 x?
np.complex128 x?
complex real? imag=
cmath.exp z
cmath.sqrt z
cmath.log10 z
cmath.sin z
cmath.cos z
cmath.tan z
cmath.sinh z
cmath.cosh z
cmath.tanh z
cmath.asin z
cmath.acos z
cmath.atan z
cmath.asinh z
cmath.acosh z
cmath.atanh z
cmath.isnan z
cmath.isinf z
cmath.isfinite z
cmath.phase z
cmath.polar z
cmath.log z base?
cmath.rect r phi
np.complex64 x?
np.int64 x?
np.int32 x?
np.bool_ x?
np.zeros shape dtype= order!C
np.ones shape dtype= order!C
np.empty shape dtype= order!C
np.zeros_like a dtype= order! subok! shape!
np.ones_like a dtype= order! subok! shape!
np.empty_like prototype dtype= order! subok! shape!
np.full shape fill_value dtype= order!C
np.full_like a fill_value dtype= order! subok! shape!
np.arange start stop? step? dtype=
np.array object dtype= copy!True order! subok! ndmin=
np.copy a order! subok!
np.asarray a dtype= order! copy!
np.ascontiguousarray a dtype!
np.asfortranarray a dtype!
np.outer a b out!
np.einsum *operands out! dtype! order!K casting!safe optimize=
np.sum a axis= dtype= out! keepdims= initial= where=
np.prod a axis= dtype= out! keepdims= initial= where=
np.max a axis= out! keepdims= initial= where=
np.min a axis= out! keepdims= initial= where=
np.amax a axis= out! keepdims= initial= where=
np.amin a axis= out! keepdims= initial= where=
np.nanmax a axis= out! keepdims= initial= where=
np.nanmin a axis= out! keepdims= initial= where=
np.mean a axis= dtype= out! keepdims= where=
np.var a axis= dtype= out! ddof= keepdims= where= mean= correction=
np.std a axis= dtype= out! ddof= keepdims= where= mean= correction=
np.any a axis= out! keepdims= where=
np.all a axis= out! keepdims= where=
np.count_nonzero a axis= keepdims=
np.argmax a axis= out! keepdims=
np.argmin a axis= out! keepdims=
np.cumsum a axis= dtype= out!
np.cumprod a axis= dtype= out!
np.reshape a shape= order= copy= newshape=
np.ravel a order=
np.transpose a axes=
np.swapaxes a axis1 axis2
np.moveaxis a source destination
np.expand_dims a axis
np.squeeze a axis=
np.flip m axis=
np.flipud m
np.fliplr m
np.concatenate arrays axis= out! dtype= casting!same_kind
np.hstack tup dtype= casting!same_kind
np.vstack tup dtype= casting!same_kind
np.stack arrays axis= out! dtype= casting!same_kind
np.column_stack tup
np.where condition x? y?
np.clip a a_min= a_max= out! min= max=
np.broadcast_to array shape subok!False
np.ndindex *shape
np.ndenumerate arr
np.ndim a
np.result_type *values
np.vectorize pyfunc otypes= doc! excluded! cache!False signature!
np.dtype dtype
np.finfo dtype
np.iinfo type
np.diagonal a offset= axis1= axis2=
np.lib.stride_tricks.sliding_window_view x window_shape axis= subok!False writeable!False
np.broadcast_shapes *args
np.size a axis=
np.shape a
srcad.library.refuse what instead?
srcad.library.registry.draw *args
np.random.seed seed?
srcad.library.factors.solve a b
srcad.library.factors.inv a
srcad.library.factors.det a
srcad.library.factors.cholesky a
srcad.library.factors.eigh a
srcad.library.factors.eig a
srcad.library.factors.svd a
srcad.library.factors.qr a
srcad.library.factors.slogdet a
srcad.library.factors.pinv a cutoff
srcad.library.axes_of axis ndim
srcad.library.checkpoints.checkpointed steps snapshots? memory?
srcad.library.checkpoints.checkpoint f
np.triu m k=
np.tril m k=
ListV.append x
ListV.pop i?
ListV.clear
ListV.sort key= reverse=
ListV.copy
ListV.extend iterable
Tuple._replace **fields
Tuple._asdict
Record.items
Record.keys
Record.values
Record.get key default?
array.copy order!C
array.conj
array.conjugate
array.astype dtype order! casting! subok! copy!True
array.fill value
array.item *args
array.reshape *shape order= copy=
array.ravel order=
array.flatten order=
array.transpose *axes
array.diagonal offset= axis1= axis2=
array.squeeze axis=
array.swapaxes axis1 axis2
array.clip min= max= out!
array.sum axis= dtype= out! keepdims= initial= where=
array.prod axis= dtype= out! keepdims= initial= where=
array.max axis= out! keepdims= initial= where=
array.min axis= out! keepdims= initial= where=
array.mean axis= dtype= out! keepdims= where=
array.var axis= dtype= out! ddof= keepdims= where= mean= correction=
array.std axis= dtype= out! ddof= keepdims= where= mean= correction=
array.any axis= out! keepdims= where=
array.all axis= out! keepdims= where=
array.argmax axis= out! keepdims=
array.argmin axis= out! keepdims=
array.cumsum axis= dtype= out!
array.cumprod axis= dtype= out!
scalar.item
scalar.copy
"""

Parameter = tuple[str, str, str]  # name, kind ("", "?", "=", "!", "*", "**"), value for "!"


@cache
def tables() -> tuple[dict[Any, tuple[Parameter, ...]], dict[str, tuple[Parameter, ...]]]:
    """Parameters by function object and by name of a method."""
    functions: dict[Any, tuple[Parameter, ...]] = {}
    methods: dict[str, tuple[Parameter, ...]] = {}
    for line in _TABLE.strip().splitlines():
        name, *words = line.split()
        params = tuple(map(_parameter, words))
        if name in METHODS:
            methods[name] = params
        else:
            functions[_find(name)] = params
    for name in METHODS:
        if name.startswith("scalar.") and name not in methods:
            methods[name] = methods["array." + name[7:]]
    return functions, methods


def _parameter(word: str) -> Parameter:
    if word.startswith("*"):
        stars = word.count("*")
        return word[stars:], "*" * stars, ""
    for mark in "?=!":
        if mark in word:
            name, value = word.split(mark)
            return name, mark, value
    return word, "", ""


def _find(name: str) -> Any:
    roots: dict[str, Any] = {"np": np, "math": math, "cmath": cmath, "numba": numba, "srcad": srcad}
    first, *rest = name.split(".")
    obj = roots[first] if first in roots else getattr(builtins, first)
    for r in rest:
        obj = getattr(obj, r, name)  # the name stands for what this version does not have
    return obj


def parameters_of(obj: Any) -> tuple[Parameter, ...] | None:
    """Parameters of a known function, or ``None``."""
    return tables()[0].get(obj)


def parameters_of_method(name: str) -> tuple[Parameter, ...] | None:
    """Parameters of a known method (``"array.sum"``), or ``None``."""
    return tables()[1].get(name)


def arrange(
    lo: Lowering,
    name: str,
    params: tuple[Parameter, ...],
    args: list[Any],
    keywords: dict[str, Any],
    node: Any,
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments as a handler reads them.

    Raises:
        TypeMismatch: too many, too few, unknown names.
        UnsupportedSyntax: an argument that srcad does not support.
    """
    table = {p[0]: p for p in params}
    anything = any(p[1] == "**" for p in params)
    given = _positional(lo, name, params, args, keywords, node)
    rest = [x for p, x in given if p is None]
    bound = {p[0]: x for p, x in given if p is not None}
    for k, v in keywords.items():
        if anything:
            continue
        if k not in table or table[k][1] == "*":
            lo.mismatch(node, f"{name} has no parameter {k!r}", PLAIN)
        if k in bound:
            lo.mismatch(node, f"{name} got two values for {k!r}", PLAIN)
        bound[k] = v
    front, named = rest, dict(keywords) if anything else {}
    for p, kind, accepted in params:
        if p not in bound:
            if kind == "":
                lo.mismatch(node, f"{name} needs the argument {p!r}", PLAIN)
            continue
        v = bound[p]
        if kind == "!":
            if not _is_default(v, accepted):
                lo.fail(
                    node,
                    f"the argument {p!r} of {name} is not supported",
                    instead=f"call it without {p}" + ", or write a loop" * ("np." in name),
                )
        elif kind == "=":
            named[p] = v
        else:
            front.append(v)
    return front, named


def _positional(
    lo: Lowering,
    name: str,
    params: tuple[Parameter, ...],
    args: list[Any],
    keywords: dict[str, Any],
    node: Any,
) -> list[tuple[Parameter | None, Any]]:
    """Each positional argument with its parameter (``None``: one of ``*args``)."""
    if params and params[0][1] == "*":
        return [(None, a) for a in args]
    if len(args) > len(params):
        most = str(len(params)) if params else "no"
        lo.mismatch(
            node, f"{name} takes {most} argument{'s' * (len(params) != 1)}, got {len(args)}", PLAIN
        )
    return list(zip(params, args, strict=False))


def _is_default(v: Any, accepted: str) -> bool:
    if isinstance(v, Static):
        return v.obj is None or str(v.obj) == accepted
    return isinstance(v, Const) and str(v.value) == accepted


def check_tables() -> list[str]:
    """Known functions and methods that have no line above (a test wants none).

    Functions of srcad itself have their Python signature.
    """
    functions, methods = tables()
    missing = [
        getattr(f, "__name__", repr(f))
        for f in CALLS
        if f not in functions and not getattr(f, "__module__", "").startswith("srcad.api")
    ]
    return missing + [m for m in METHODS if m not in methods]
