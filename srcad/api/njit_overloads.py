"""``srcad.grad(f)(x)``, ``srcad.jvp(f, …)`` and their like written inside ``@njit`` code.

In: the types of their arguments, as Numba's overload mechanism hands them over.  Out: an
implementation whose constant is a function object of srcad; it is inlined, so that the object is a
constant of the user's function, stamp included (``njit_stamps``).

Limits: ``f`` is an njit function or an object of srcad (Numba has no type for a plain Python
function); ``argnums`` and ``has_aux`` are constants; no options.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.core.errors import RequireLiteralValue
from numba.extending import overload, overload_attribute, typeof_impl

from srcad.api.function import Transformed, as_function
from srcad.api.grad import Differentiable, Grad, grad, value_and_grad
from srcad.api.higher import hvp, jvp
from srcad.api.jacobian import hessian, jacfwd, jacobian, jacrev
from srcad.api.njit import DerivativeType, numba_type
from srcad.api.njit_code import Glue, glue, items_of, leaf_texts, spec_of_type
from srcad.api.programs import jvp_program, pack
from srcad.api.safety import compiling
from srcad.errors import TypeMismatch
from srcad.frontend.arguments import Leaf, Node, Opaque, Spec, leaf_specs, spec_of
from srcad.ir.types import ArrayT, is_float

_made: dict[Any, Any] = {}


def function_of(t: Any) -> Any:
    """The function that a type stands for, ``None`` if it stands for none."""
    if isinstance(t, DerivativeType):
        return t.obj
    return t.dispatcher if isinstance(t, types.Dispatcher) else None


def value_of(t: Any) -> Any:
    """The constant that a type stands for.

    Raises:
        RequireLiteralValue: it is known only at run time.
    """
    if isinstance(t, types.Literal):
        return t.literal_value
    if isinstance(t, types.Omitted):
        return t.value
    if isinstance(t, types.NoneType):
        return None
    if isinstance(t, types.BaseTuple):
        return tuple(map(value_of, items_of(t)))
    if isinstance(t, (int, str, bool, tuple, type(None))):  # a default
        return t
    raise RequireLiteralValue(
        "argnums, has_aux must be constants: write srcad.grad(f, 1), with a number"
    )


def once(make: Callable[..., Any], f: Any, *rest: Any) -> Any:
    """The object for these constants, always the same one."""
    key = (make, id(f), rest)
    if key not in _made:
        _made[key] = make(f, *rest)
        _made[id(f)] = f  # an object that has gone would leave its id to another
    return _made[key]


def inside(f: Any, **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: what ``f`` means in njit code (Numba compares annotations as well)."""

    def add(g: Callable[..., Any]) -> Callable[..., Any]:
        g.__annotations__ = {}
        overload(f, inline="always", **options)(g)
        return g

    return add


def makers() -> None:
    """``grad`` and its like: they make an object while the user's function is compiled."""

    @inside(grad, prefer_literal=True)
    def grad_inside(f: Any, argnums: Any = 0, has_aux: Any = False) -> Any:
        obj = function_of(f)
        if obj is None:
            return None
        made = once(grad, obj, value_of(argnums), value_of(has_aux))
        return lambda f, argnums=0, has_aux=False: made

    @inside(value_and_grad, prefer_literal=True)
    def value_and_grad_inside(f: Any, argnums: Any = 0, has_aux: Any = False) -> Any:
        obj = function_of(f)
        if obj is None:
            return None
        made = once(value_and_grad, obj, value_of(argnums), value_of(has_aux))
        return lambda f, argnums=0, has_aux=False: made

    for make in (jacfwd, jacrev, jacobian, hessian):
        matrix(make)


def matrix(make: Any) -> None:
    """Jacobians and Hessians."""

    @inside(make, prefer_literal=True)
    def matrix_inside(f: Any, argnums: Any = 0) -> Any:
        obj = function_of(f)
        if obj is None:
            return None
        made = once(make, obj, value_of(argnums))
        return lambda f, argnums=0: made


makers()


def attribute(name: str) -> None:
    """``f.grad`` and ``f.value_and_grad`` of a ``@differentiable`` function."""

    def get(f: Any) -> Any:
        if not isinstance(f.obj, Differentiable):
            return None
        made = getattr(f.obj, name)
        return lambda f: made

    get.__annotations__ = {}
    overload_attribute(DerivativeType, name, inline="always")(get)


attribute("grad")
attribute("value_and_grad")


class AtPoint:
    """``jvp(f, …)`` or ``hvp(f, …)`` as an object: called with primals and tangents."""

    def __init__(self, f: Any, kind: str) -> None:
        self.inner, self.kind = f, kind
        self.f = as_function(f)
        self.__name__ = f"{kind}({getattr(f, '__name__', 'f')})"

    def chain(self) -> tuple[Any, ...]:
        """What makes an equal object (``njit_stamps``)."""
        return (self.inner, self.kind, {})

    @property
    def options(self) -> Any:
        """The options in force."""
        return self.f.options

    def in_njit(self, args: tuple[Any, ...], kws: dict[str, Any]) -> Glue:
        """Code for a call with arguments of the given Numba types."""
        primals, tangents = args
        for name, t in (("primals", primals), ("tangents", tangents)):
            if not isinstance(t, types.BaseTuple):
                raise TypeMismatch(
                    f"{name} of {self.kind} must be a tuple, got the Numba type {t}",
                    instead=f"srcad.{self.kind}(f, (x,), (x_t,))",
                )
        given = [spec_of_type(t, f"primal {k}") for k, t in enumerate(primals)]
        f = self.f
        if self.kind == "hvp":
            on = tuple(k for k, s in enumerate(given) if has_float(s))
            f = Grad(self.f, on)
        specs, texts, known = bound_to(self.f, given)
        with compiling(f):
            program = f.program(specs)
        moving = list(moved(specs, texts, tangents))
        active = (*(m is not None for m in moving), *(False for _ in program.captures))
        with compiling(f):
            made = jvp_program(program, active)
        before, seeds = seeds_for(specs, texts, moving, known)
        arguments = [*((texts[k], s) for k, s in specs.items()), *seeds]
        picked = None
        if self.kind == "hvp":
            rows = dict(zip(on, made.out.parts[1].parts, strict=True))  # type: ignore[union-attr]
            out = pack(tuple(rows.get(k, Opaque(None, None)) for k in range(len(given))))
            picked = (out, sum(1 for _ in leaf_specs(made.out.parts[0])))  # type: ignore[union-attr]
        return glue(made, CALL, arguments, tuple(before), picked, known)


CALL = inspect.Signature(
    [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in ("primals", "tangents")]
)


@typeof_impl.register(AtPoint)
def type_of(obj: AtPoint, c: Any) -> DerivativeType:
    """Its Numba type."""
    return numba_type(obj)


def has_float(spec: Spec) -> bool:
    """Whether a spec has a float leaf."""
    return any(is_float(leaf.type) for leaf in leaf_specs(spec))


def bound_to(
    f: Transformed, given: list[Spec]
) -> tuple[dict[str, Spec], dict[str, str], dict[str, Any]]:
    """Specs and expressions of the parameters of ``f``, for a tuple of primals."""
    texts = [f"primals[{k}]" for k in range(len(given))]
    try:
        bound = f.signature.bind(*zip(given, texts, strict=True))
    except TypeError as e:
        raise TypeMismatch(f"{f.__name__}: {e}") from None
    passed = set(bound.arguments)
    bound.apply_defaults()
    specs: dict[str, Spec] = {}
    exprs: dict[str, str] = {}
    known: dict[str, Any] = {}
    for name, v in bound.arguments.items():
        if name not in passed and v != ():
            specs[name], exprs[name], known[f"_default_{name}"] = spec_of(v), f"_default_{name}", v
        elif f.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
            parts = tuple(s for s, _ in v)
            specs[name] = Node("tuple", tuple, tuple(range(len(parts))), parts)
            exprs[name] = f"primals[{len(given) - len(parts)}:]"
        else:
            specs[name], exprs[name] = v
    return specs, exprs, known


def moved(
    specs: dict[str, Spec], texts: dict[str, str], tangents: Any
) -> Iterator[tuple[str, Any] | None]:
    """For each leaf of the primals the expression of its tangent, ``None`` where it has none."""
    for name, spec in specs.items():
        text = texts[name].replace("primals", "tangents")
        if text.startswith("_default_"):
            yield from (None for _ in leaf_specs(spec))
        elif text.endswith(":]"):
            first = int(text.split("[")[1][:-2])
            for k, part in enumerate(spec.parts):  # type: ignore[union-attr]
                yield from moved_leaves(part, f"tangents[{first + k}]", tangents[first + k])
        else:
            k = int(text.split("[")[1][:-1])
            if k >= len(tangents):
                raise TypeMismatch("jvp needs one tangent per primal")
            yield from moved_leaves(spec, text, tangents[k])


def moved_leaves(spec: Spec, text: str, t: Any) -> Iterator[tuple[str, Any] | None]:
    """``moved`` of one argument."""
    if isinstance(spec, Leaf):
        none = isinstance(t, types.NoneType) or not is_float(spec.type)
        yield None if none else (text, t)
    elif isinstance(spec, Node):
        for k, part in enumerate(spec.parts):
            inner = t if isinstance(t, types.NoneType) else t[k]
            yield from moved_leaves(part, f"{text}[{k}]", inner)


def seeds_for(
    specs: dict[str, Spec],
    texts: dict[str, str],
    moving: list[tuple[str, Any] | None],
    known: dict[str, Any],
) -> tuple[list[str], list[tuple[str, Spec]]]:
    """Lines that make tangents of the right kind, and their names."""
    leaves = [x for k, s in specs.items() for x in leaf_texts(texts[k], s)]
    before: list[str] = []
    seeds: list[tuple[str, Spec]] = []
    for k, ((text, kind), m) in enumerate(zip(leaves, moving, strict=True)):
        if m is None:
            continue
        if isinstance(kind, ArrayT):
            name = f"_fit{kind.layout}"
            known[name] = fit_f if kind.layout == "F" else fit_c
            single = ", np.float32" if kind.dtype == "f4" else ", np.float64"
            before.append(f"t{k} = {name}({m[0]}, {text}{single})")
            seeds.append((f"t{k}", Leaf(kind)))
        else:
            seeds.append((m[0], Leaf(kind)))
    return before, seeds


@numba.njit
def fit_c(t: Any, x: Any, dtype: Any) -> Any:
    """A tangent as its own contiguous array."""
    if t.shape != x.shape:
        raise ValueError("a tangent has another shape than its primal")
    return np.ascontiguousarray(t).astype(dtype)


@numba.njit
def fit_f(t: Any, x: Any, dtype: Any) -> Any:
    """A tangent as its own Fortran-ordered array."""
    if t.shape != x.shape:
        raise ValueError("a tangent has another shape than its primal")
    return np.asfortranarray(t).astype(dtype)


@inside(jvp)
def jvp_inside(f: Any, primals: Any, tangents: Any) -> Any:
    """``srcad.jvp(f, primals, tangents)``."""
    obj = function_of(f)
    if obj is None:
        return None
    made = once(AtPoint, obj, "jvp")
    return lambda f, primals, tangents: made(primals, tangents)


@inside(hvp)
def hvp_inside(f: Any, primals: Any, tangents: Any) -> Any:
    """``srcad.hvp(f, primals, tangents)``."""
    obj = function_of(f)
    if obj is None:
        return None
    made = once(AtPoint, obj, "hvp")
    return lambda f, primals, tangents: made(primals, tangents)
