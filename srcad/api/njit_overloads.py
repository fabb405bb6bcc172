"""``srcad.grad(f)(x)``, ``srcad.jvp(f, …)`` and their like written inside ``@njit`` code.

In: the types of their arguments, as Numba's overload mechanism hands them over.  Out: an
implementation whose constant is a function object of srcad; it is inlined, so that the object is a
constant of the user's function, stamp included (``njit_stamps``).

Nothing of the compiler is imported before njit code with a derivative is compiled.

Limits: ``f`` is an njit function or an object of srcad (Numba has no type for a plain Python
function); ``argnums`` and ``has_aux`` are constants; no options; ``vjp`` with at most 12 arguments.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import types
from numba.core.errors import RequireLiteralValue
from numba.extending import overload

from srcad.api.grad import grad, value_and_grad
from srcad.api.hessian_products import hvp
from srcad.api.higher import jvp, vjp
from srcad.api.jacobian import hessian, jacfwd, jacobian, jacrev
from srcad.backends.cpu import register

_made: dict[Any, Any] = {}


def function_of(t: Any) -> Any:
    """The function that a type stands for, ``None`` if it stands for none."""
    from srcad.api.njit_attributes import DerivativeType

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
        from srcad.api.njit_code import items_of

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


@inside(jvp)
def jvp_inside(f: Any, primals: Any, tangents: Any) -> Any:
    """``srcad.jvp(f, primals, tangents)``."""
    obj = function_of(f)
    if obj is None:
        return None
    from srcad.api.njit_points import AtPoint

    made = once(AtPoint, obj, "jvp")
    return lambda f, primals, tangents: made(primals, tangents)


@inside(hvp)
def hvp_inside(f: Any, primals: Any, tangents: Any) -> Any:
    """``srcad.hvp(f, primals, tangents)``."""
    obj = function_of(f)
    if obj is None:
        return None
    from srcad.api.njit_points import AtPoint

    made = once(AtPoint, obj, "hvp")
    return lambda f, primals, tangents: made(primals, tangents)


def pullback(f: Any) -> Any:
    """The object that ``vjp`` of a function means."""
    from srcad.api.njit_vjp import VjpAt

    return once(VjpAt, f)


def vjp_of(count: int) -> None:
    """``srcad.vjp(f, *args)`` for a number of arguments (Numba inlines no ``*args``)."""
    args = ", ".join(f"a{k}" for k in range(count))
    text = (
        f"def vjp_inside(f, {args}):\n"
        f"    obj = function_of(f)\n"
        f"    if obj is None:\n"
        f"        return None\n"
        f"    made = pullback(obj)\n"
        f"    return lambda f, {args}: made({args})\n"
    )
    names = {"function_of": function_of, "pullback": pullback, "__name__": __name__}
    exec(compile(text, register(text, f"vjp of {count}"), "exec"), names)
    inside(vjp)(names["vjp_inside"])  # type: ignore[arg-type]


for _count in range(1, 13):
    vjp_of(_count)
