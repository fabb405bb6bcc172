"""What is registered with Numba when it first meets a function object in njit code.

Importing this brings ``api.njit`` with all that belongs to it, and makes it known to a compilation
that is under way.
"""

from __future__ import annotations

from typing import Any

from numba.core.registry import cpu_target
from numba.extending import overload_attribute

from srcad.api import njit_overloads  # noqa: F401  (what is written inside is known as well)
from srcad.api.grad import Differentiable
from srcad.api.njit import DerivativeType, numba_type

__all__ = ["DerivativeType", "numba_type"]


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
cpu_target.typing_context.refresh()
cpu_target.target_context.refresh()
