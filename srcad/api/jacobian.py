"""``jacobian``, ``jacfwd``, ``jacrev`` and ``hessian``: the function objects.

How a Jacobian is built as a program stands in ``api.jacobians``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from srcad.api.function import Transformed
from srcad.api.grad import Grad
from srcad.errors import TypeMismatch
from srcad.specs import Spec

if TYPE_CHECKING:
    from srcad.compiler import Program


class Jacobian(Transformed):
    """Jacobian of a function."""

    label = "jacobian"

    def __init__(
        self,
        f: Any,
        argnums: Any = 0,
        mode: str = "auto",
        holomorphic: bool = False,
        **options: Any,
    ) -> None:
        if mode not in ("auto", "fwd", "rev"):
            raise TypeMismatch(
                f"mode must be 'auto', 'fwd' or 'rev', not {mode!r}",
                instead="leave it out: 'auto' chooses",
            )
        self.argnums = tuple(argnums) if isinstance(argnums, list) else argnums
        self.mode, self.holomorphic = mode, holomorphic
        super().__init__(f, **options)

    def program(self, specs: dict[str, Spec]) -> Program:
        """The Jacobian of the inner program."""
        from srcad.api.jacobians import jacobian_program
        from srcad.api.selection import refuse_inactive

        refuse_inactive(specs, self.argnums)
        inner = super().program(specs)
        return jacobian_program(inner, self.argnums, self.mode, self.holomorphic)

    def state(self) -> tuple[Any, ...]:
        """See ``Transformed.state``."""
        return (self.inner, self.argnums, self.mode, self.holomorphic, self._own)


def jacobian(
    f: Any, argnums: Any = 0, mode: str = "auto", holomorphic: bool = False, **options: Any
) -> Jacobian:
    """The Jacobian: for every output leaf an array of shape ``output.shape + input.shape``.

    Args:
        f: the function.
        argnums: as for ``grad``; a tuple gives a tuple inside every output leaf.
        mode: ``"fwd"``, ``"rev"``, or ``"auto"`` (reverse for scalar results of arrays).
        holomorphic: ``f`` maps complex numbers to complex numbers and is holomorphic; without it
            complex inputs need reverse mode and complex outputs forward mode.

    >>> from srcad.examples import squares
    >>> import numpy as np
    >>> jacobian(squares, backend="reference")(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    """
    return Jacobian(f, argnums, mode, holomorphic, **options)


def jacfwd(f: Any, argnums: Any = 0, holomorphic: bool = False, **options: Any) -> Jacobian:
    """``jacobian`` by forward mode."""
    return Jacobian(f, argnums, "fwd", holomorphic, **options)


def jacrev(f: Any, argnums: Any = 0, holomorphic: bool = False, **options: Any) -> Jacobian:
    """``jacobian`` by reverse mode."""
    return Jacobian(f, argnums, "rev", holomorphic, **options)


def hessian(f: Any, argnums: Any = 0, holomorphic: bool = False, **options: Any) -> Jacobian:
    """The Hessian of a function that returns one float (forward over reverse).

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> hessian(square_sum, backend="reference")(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 2.]])
    """
    inner = Grad(f, argnums, holomorphic=holomorphic, **options)
    return Jacobian(inner, argnums, "fwd", holomorphic)
