"""``custom_vjp``, ``custom_jvp``, ``register_rule``, ``stop_gradient``: the user gives derivatives.

A function with a rule is a function object like others.  Where it is called, the frontend makes an
IR function with the rule beside it (``api.custom_calls``); every transform that meets a call of it
with something to differentiate uses the rule (``transforms.custom``).  Rules are functions of the
differentiable language, so a second derivative is the derivative of the rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srcad.api.function import Transformed
from srcad.callables import unwrap
from srcad.compiler import Program
from srcad.errors import TypeMismatch, UnknownFunction
from srcad.frontend.arguments import Node as NodeSpec
from srcad.frontend.arguments import Spec, build, spec_of
from srcad.frontend.core import CALLS, RULED
from srcad.library import LIBRARY
from srcad.rules.registry import FUNCTIONS


class Custom(Transformed):
    """A function whose derivative the user gives."""

    label = "custom"
    kind = ""
    missing = ""

    def __init__(self, f: Any, nondiff_argnums: Any = (), **options: Any) -> None:
        super().__init__(f, **options)
        self.nondiff = tuple(
            nondiff_argnums if isinstance(nondiff_argnums, (tuple, list)) else (nondiff_argnums,)
        )
        self.rules: tuple[Any, ...] = ()
        self.value_by_rule = False  # the function has no source: its value is that of the rule
        self.__name__ = getattr(f, "__name__", "f")

    @property
    def __srcad_function__(self) -> Any:
        """The plain Python function (how messages and signatures find it)."""
        return self.inner

    def program(self, specs: dict[str, Spec]) -> Program:
        """A program that calls the function, rule included."""
        from srcad.api.inside import lowered

        return lowered(self, specs, self.options)

    def state(self) -> tuple[Any, ...]:
        """See ``Transformed.state``."""
        return (self.inner, self.nondiff, self._own)

    def need_rules(self) -> tuple[Any, ...]:
        """The functions of the rule.

        Raises:
            UnknownFunction: none was given.
        """
        if not self.rules:
            raise UnknownFunction(
                f"{self.__name__} has no rule yet",
                why=f"it is a custom_{self.kind} function, and {self.missing} was not called",
                instead=f"call {self.__name__}.{self.missing} before",
            )
        return self.rules


class CustomVjp(Custom):
    """A function with a rule for cotangents."""

    label, kind, missing = "custom_vjp", "vjp", "defvjp(fwd, bwd)"

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """Give the rule: ``fwd(*args) -> (out, residuals)``, ``bwd(residuals, out_b)``."""
        _callables(self, "defvjp", fwd, bwd)
        self.rules = (fwd, bwd)
        self.cache.clear()
        self.quick.clear()
        self.forget()


class CustomJvp(Custom):
    """A function with a rule for tangents."""

    label, kind, missing = "custom_jvp", "jvp", "defjvp(rule)"

    def defjvp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Give the rule: ``rule(primals, tangents) -> (out, out_t)``."""
        _callables(self, "defjvp", rule)
        self.rules = (rule,)
        self.cache.clear()
        self.quick.clear()
        self.forget()
        return rule

    def defjvps(self, *jvps: Any) -> None:
        """Give a rule for each argument: ``jvp(x_t, out, *args) -> out_t``, ``None`` for zero."""
        _callables(self, "defjvps", *(f for f in jvps if f is not None))
        self.rules = (None, *jvps)
        self.cache.clear()
        self.quick.clear()
        self.forget()


def _callables(f: Custom, name: str, *rules: Any) -> None:
    for r in rules:
        if not callable(r):
            raise TypeMismatch(f"{f.__name__}.{name} needs functions, got {r!r}")


def custom_vjp(f: Any = None, nondiff_argnums: Any = (), **options: Any) -> Any:
    """Decorator: a function whose reverse mode is what ``defvjp`` says.

    ``fwd`` takes the arguments of ``f`` and gives ``(out, residuals)``; ``bwd(residuals, out_b)``
    gives a tuple with a cotangent for each argument (``None``: zero).  Neither may write to its
    arguments.  Forward mode is refused.

    Args:
        f: the function; or nothing, where options are given.
        nondiff_argnums: positions of arguments without derivative; ``bwd`` gets them first.
        **options: see ``srcad.Options``.

    >>> from srcad.examples import clipped, clipped_bwd, clipped_fwd
    >>> f = custom_vjp(clipped, backend="reference")
    >>> f.defvjp(clipped_fwd, clipped_bwd)
    >>> from srcad import grad
    >>> grad(f)(3.0)
    1.0
    """
    if f is None:
        return lambda g: CustomVjp(g, nondiff_argnums, **options)
    return CustomVjp(f, nondiff_argnums, **options)


def custom_jvp(f: Any = None, nondiff_argnums: Any = (), **options: Any) -> Any:
    """Decorator: a function whose derivative, in both modes, is what ``defjvp`` says.

    ``rule(primals, tangents)`` gives ``(out, out_t)``, where ``out_t`` is linear in ``tangents``:
    reverse mode is its transpose.  Arguments in ``nondiff_argnums`` come first instead.

    >>> from srcad.examples import softplus, softplus_rule
    >>> f = custom_jvp(softplus, backend="reference")
    >>> _ = f.defjvp(softplus_rule)
    >>> from srcad import grad
    >>> grad(f)(1000.0), grad(grad(f))(0.0)
    (1.0, 0.25)
    """
    if f is None:
        return lambda g: CustomJvp(g, nondiff_argnums, **options)
    return CustomJvp(f, nondiff_argnums, **options)


def register_rule(
    function: Any,
    *,
    vjp: tuple[Callable[..., Any], Callable[..., Any]] | None = None,
    jvp: Callable[..., Any] | None = None,
    nondiff_argnums: Any = (),
) -> None:
    """Give a derivative to a function that is not yours, without touching it.

    From then on srcad uses the rule wherever a differentiated program calls ``function``.

    Args:
        function: a Python or njit function, or one without Python source (then its value in
            compiled code is that which the rule computes).
        vjp: ``(fwd, bwd)`` as for ``custom_vjp``.
        jvp: the rule, as for ``custom_jvp``.
        nondiff_argnums: as for these.

    Raises:
        TypeMismatch: not exactly one of ``vjp`` and ``jvp``; a function srcad has a rule for.

    >>> import math
    >>> from srcad import grad
    >>> from srcad.examples import length, length_rule, uses_length
    >>> register_rule(length, jvp=length_rule)
    >>> grad(uses_length, backend="reference")(0.0)
    0.0
    """
    if (vjp is None) == (jvp is None):
        raise TypeMismatch("give register_rule either vjp=(fwd, bwd) or jvp=rule")
    try:
        taken = function in CALLS or function in FUNCTIONS or function in LIBRARY
    except TypeError:
        raise TypeMismatch(f"{function!r} cannot be told from others: it has no hash") from None
    if taken:
        raise TypeMismatch(
            f"srcad has a derivative of {getattr(function, '__name__', function)} already",
            instead="wrap it in a function of your own, and give that a rule",
        )
    made: Any
    if vjp is not None:
        made = CustomVjp(function, nondiff_argnums)
        made.defvjp(*vjp)
    else:
        made = CustomJvp(function, nondiff_argnums)
        made.defjvp(jvp)
    made.value_by_rule = not hasattr(unwrap(function), "__code__")
    RULED[function] = made


def stop_gradient(x: Any) -> Any:
    """``x``, taken as constant by every derivative.

    Args:
        x: a number, an array, or a structure of them.

    >>> stop_gradient(2.0)
    2.0
    """
    spec = spec_of(x)
    if isinstance(spec, NodeSpec):
        items = [x[k] if spec.kind != "dataclass" else getattr(x, k) for k in spec.keys]
        return build(spec, [stop_gradient(v) for v in items])
    return x
