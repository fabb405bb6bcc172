"""The only place that knows how the compiler under test, and the oracle, are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests import oracle
from tests.randprog.program import RandomProgram

Args = tuple[Any, ...]
Function = Callable[..., Any]


# --- the oracle -----------------------------------------------------------------------------------


def oracle_pullback(program: RandomProgram, function: Function, args: Args, weight: float) -> Any:
    """Gradient of the sum of all results times `weight`, one entry per differentiable argument."""
    weights = None
    if program.returns != "float":
        weights = cotangent(oracle.run(function, args)[0], weight)
    return oracle.gradient(function, args, program.wrt, weights)


def oracle_jvp(program: RandomProgram, function: Function, args: Args, tangents: list[Any]) -> Any:
    """The tangent of the result."""
    return oracle.jvp(function, args, program.wrt, tangents)[1]


def oracle_hvp(program: RandomProgram, function: Function, args: Args, tangents: list[Any]) -> Any:
    """Hessian times `tangents`, one entry per differentiable argument."""
    return oracle.hvp(function, args, program.wrt, tangents)


def cotangent(result: Any, weight: float) -> Any:
    """A cotangent shaped like the result, the weight in every entry."""
    if isinstance(result, tuple):
        return tuple(cotangent(item, weight) for item in result)
    return np.full_like(result, weight) if isinstance(result, np.ndarray) else weight


def random_tangents(program: RandomProgram, args: Args, rng: np.random.Generator) -> list[Any]:
    """One tangent per differentiable argument."""
    tangents = []
    for position in program.wrt:
        shape = np.shape(args[position])
        tangents.append(rng.standard_normal(shape) if shape else float(rng.standard_normal()))
    return tangents


# --- the compiler under test ----------------------------------------------------------------------


class Subject:
    """The derivatives of one program by srcad."""

    def __init__(self, program: RandomProgram, function: Function, options: dict[str, Any]):
        import srcad

        self.program, self.api = program, srcad
        self.function = srcad.differentiable(function, **options)

    def value(self, args: Args) -> Any:
        """The plain call."""
        return self.function(*args)

    def pullback(self, args: Args, weight: float) -> tuple[Any, Any]:
        """The value, and the cotangents of the differentiable arguments."""
        wrt = self.program.wrt
        if self.program.returns == "float":
            return self.api.value_and_grad(self.function, argnums=wrt)(*args)
        value, pull = self.api.vjp(self.function, *args)
        cotangents = pull(cotangent(value, weight))
        return value, [cotangents[position] for position in wrt]

    def jvp(self, args: Args, tangents: list[Any]) -> tuple[Any, Any]:
        """The value and its tangent."""
        return self.api.jvp(self.function, args, self._directions(args, tangents))

    def hvp(self, args: Args, tangents: list[Any]) -> Any:
        """Hessian times `tangents`, at the differentiable arguments."""
        products = self.api.hvp(self.function, args, self._directions(args, tangents))
        return [products[position] for position in self.program.wrt]

    def _directions(self, args: Args, tangents: list[Any]) -> Args:
        """A tangent per argument, None for the others."""
        given = dict(zip(self.program.wrt, tangents, strict=True))
        return tuple(given.get(position) for position in range(len(args)))


def is_refusal(program: RandomProgram, error: Exception) -> bool:
    """May the compiler refuse this program with this error?

    Only where a variable is bound by the number of trips, which no compiler can know, and where
    a helper gets two arguments that share memory and writes into one.
    """
    import srcad

    if not isinstance(error, srcad.SrcadError):
        return False
    shared = program.stats.get("aliased_arguments") or program.stats.get("recursion")
    if shared and "share memory" in str(error):
        return True
    return bool(program.stats.get("bound_by_trip") and "bound" in str(error))
