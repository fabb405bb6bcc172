"""``grad``, ``value_and_grad`` and the decorator ``differentiable``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srcad.api.function import Transformed
from srcad.specs import Spec

if TYPE_CHECKING:
    from srcad.compiler import Program


class Grad(Transformed):
    """Gradient of a function with one float result."""

    label = "grad"
    with_value = False

    def __init__(
        self,
        f: Any,
        argnums: Any = 0,
        has_aux: bool = False,
        holomorphic: bool = False,
        **options: Any,
    ) -> None:
        self.argnums = tuple(argnums) if isinstance(argnums, list) else argnums
        self.has_aux, self.holomorphic = has_aux, holomorphic
        super().__init__(f, **options)

    def program(self, specs: dict[str, Spec]) -> Program:
        """The adjoint of the inner program, seeded with 1."""
        from srcad.api.programs import grad_program
        from srcad.api.selection import refuse_inactive

        refuse_inactive(specs, self.argnums)
        name = getattr(self.inner, "__name__", "the function")
        return grad_program(
            super().program(specs),
            self.argnums,
            self.has_aux,
            self.with_value,
            name,
            self.holomorphic,
        )

    def state(self) -> tuple[Any, ...]:
        """See ``Transformed.state``."""
        return (self.inner, self.argnums, self.has_aux, self.holomorphic, self._own)


class ValueAndGrad(Grad):
    """Value and gradient in one sweep."""

    label = "value_and_grad"
    with_value = True


def grad(
    f: Any, argnums: Any = 0, has_aux: bool = False, holomorphic: bool = False, **options: Any
) -> Grad:
    """The gradient of a function that returns one float.

    Args:
        f: a numeric Python function (plain, njit, differentiable, a method, a partial).
        argnums: position, name or path (``"p.w"``) of what to differentiate with respect to, or a
            tuple of these; the result is then a tuple.
        has_aux: ``f`` returns ``(value, aux)``; the gradient comes as ``(gradient, aux)``.
        holomorphic: ``f`` is a holomorphic function of complex numbers, and its derivative is
            wanted.  Without it the result of ``f`` is real, and the gradient with respect to
            ``z = x + iy`` is ``df/dx - i df/dy``.
        **options: see ``srcad.Options``.

    Returns:
        A function of the same arguments.  Arrays give arrays of the same shape, structures give
        structures with ``None`` in place of ints.  With the keyword ``out`` the arrays in the
        result are those given, which must not overlap the arguments: ``grad(f)(x, out=g)``,
        ``value_and_grad(f)(x, out=(None, g))``.

    Raises:
        SrcadError: at the call, where the program is outside the language.

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> grad(square_sum, backend="reference")(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return Grad(f, argnums, has_aux, holomorphic, **options)


def value_and_grad(
    f: Any, argnums: Any = 0, has_aux: bool = False, holomorphic: bool = False, **options: Any
) -> ValueAndGrad:
    """Value and gradient of a function that returns one float, in one forward and reverse sweep.

    Arguments and errors are those of ``grad``; the result is ``(value, gradient)``, with
    ``has_aux`` it is ``((value, aux), gradient)``.

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> value_and_grad(square_sum, backend="reference")(np.array([1.0, 2.0]))
    (5.0, array([2., 4.]))
    """
    return ValueAndGrad(f, argnums, has_aux, holomorphic, **options)


class Differentiable(Transformed):
    """What ``@srcad.differentiable`` makes: the function, compiled, with its derivatives."""

    label = "differentiable"

    def __init__(self, f: Any, **options: Any) -> None:
        super().__init__(f, **options)
        self.__name__ = getattr(f, "__name__", "f")

    @property
    def __srcad_function__(self) -> Any:
        """The plain Python function (how the frontend looks into helpers)."""
        return self.inner

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """As a method: bound to its instance."""
        if instance is None:
            return self
        return Differentiable(self.inner.__get__(instance, owner), **self._own)

    @property
    def grad(self) -> Grad:
        """Gradient with respect to the first argument; ``srcad.grad`` for others."""
        made: Grad = self._once("grad", lambda: Grad(self))
        return made

    @property
    def value_and_grad(self) -> ValueAndGrad:
        """Value and gradient with respect to the first argument."""
        made: ValueAndGrad = self._once("value_and_grad", lambda: ValueAndGrad(self))
        return made

    def jvp(self, primals: Any, tangents: Any) -> Any:
        """``srcad.jvp(self, primals, tangents)``."""
        from srcad.api.higher import jvp

        return jvp(self, primals, tangents)

    def vjp(self, *args: Any) -> Any:
        """``srcad.vjp(self, *args)``."""
        from srcad.api.higher import vjp

        return vjp(self, *args)

    def _once(self, name: str, make: Any) -> Any:
        made = self.__dict__.setdefault("_made", {})
        if name not in made:
            made[name] = make()
        return made[name]


def differentiable(f: Any = None, **options: Any) -> Any:
    """Decorator: compile a function, and carry its derivatives.

    Args:
        f: the function; or nothing, where options are given.
        **options: see ``srcad.Options``.

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> f = differentiable(square_sum, backend="reference")
    >>> f(np.array([1.0, 2.0])), f.grad(np.array([1.0, 2.0]))
    (5.0, array([2., 4.]))
    """
    if f is None:
        return lambda g: Differentiable(g, **options)
    return Differentiable(f, **options)
