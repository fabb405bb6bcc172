"""``implicit_root``, ``fixed_point``, ``implicit_minimum``: solutions of equations, differentiated.

The solver runs as it is (``api.outside``); its steps are not differentiated.  By the implicit
function theorem ``residual(x(p), p) = 0`` gives ``J x_t = -r_t`` with ``J`` the Jacobian in ``x``
and ``r_t`` the tangent of the residual at fixed ``x`` (Christianson 1994; Blondel et al. 2022,
"Efficient and modular implicit differentiation").  That is a rule in the differentiable language
(``custom_jvp``) which calls the solution again, so derivatives of every order follow, in both
modes: reverse mode is the transpose of the rule, one linear solve a cotangent.

Never silently wrong: where the solver's result is not a solution, Newton's step from it is long,
and the derivative raises ``ValueError``.

Limits: ``x`` is a number, an array or a tuple of these; ``J`` is dense.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.api.custom import CustomJvp
from srcad.api.grad import grad
from srcad.api.higher import jvp
from srcad.api.jacobian import jacobian
from srcad.api.outside import Outside
from srcad.errors import TypeMismatch

CLOSE = 1e-3  # how long Newton's step from a solution may be, relative to 1 + the largest entry


class Implicit(CustomJvp):
    """The solution of an equation as a function of its parameters."""

    label = "implicit_root"
    rules_travel = False  # with a pickle: the constructor makes them

    def __init__(self, residual: Any, solver: Any, close: float = CLOSE, **options: Any) -> None:
        for name, f in ((self.given[0], residual), (self.given[1], solver)):
            if not callable(f):
                raise TypeMismatch(
                    f"{self.label}: the {name} is {f!r}, which is no function",
                    instead=f"pass the {name} itself",
                )
        self.parts = (residual, solver, close)
        root, rule = equations(self, self.residual(residual), self.solution(solver), close)
        super().__init__(root, **options)
        self.defjvp(rule)
        self.__name__ = f"{self.label}({getattr(residual, '__name__', 'f')})"

    given = ("residual", "solver")

    def residual(self, f: Any) -> Any:
        """What is zero at the solution."""
        return f

    def solution(self, solver: Any) -> Any:
        """What finds it."""
        return Outside(solver)

    def state(self) -> tuple[Any, ...]:
        """See ``Transformed.state``."""
        return (*self.parts, self._own)


class FixedPoint(Implicit):
    """A fixed point as a function of its parameters."""

    label = "fixed_point"
    given = ("step", "solver")

    def __init__(self, step: Any, solver: Any = None, close: float = CLOSE, **options: Any) -> None:
        self.by_steps = solver is None
        super().__init__(step, iteration(step) if solver is None else solver, close, **options)
        self.parts = (step, solver, close)

    def residual(self, f: Any) -> Any:
        """The start of a step less its end."""

        def gap(x: Any, *params: Any) -> Any:
            return difference(x, f(x, *params))

        return gap

    def solution(self, solver: Any) -> Any:
        """The solver, or the steps themselves."""
        return solver if self.by_steps else Outside(solver)


class Minimum(Implicit):
    """A minimum as a function of its parameters."""

    label = "implicit_minimum"
    given = ("objective", "solver")

    def residual(self, f: Any) -> Any:
        """The gradient."""

        def slope(x: Any, *params: Any) -> Any:
            return grad(f)(x, *params)

        return slope


def equations(
    name: Any, residual: Any, solution: Any, close: float
) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The function of start and parameters, and its rule (both in the language)."""

    def root(x0: Any, *params: Any) -> Any:
        return solution(x0, *params)

    def rule(primals: Any, tangents: Any) -> Any:
        params, params_t = primals[1:], tangents[1:]
        x = name(*primals)

        def at_fixed_x(p: Any) -> Any:
            return flat(residual(x, *p))

        def at_fixed_params(v: Any) -> Any:
            return flat(residual(unflat(v, 0, x)[0], *params))

        r = at_fixed_x(params)  # not with its tangent: that it is constant has to be visible
        r_t = jvp(at_fixed_x, (params,), (params_t,))[1]
        v = flat(x)
        matrix = jacobian(at_fixed_params)(v)
        newton = np.linalg.solve(matrix, r)
        if not np.max(np.abs(newton)) <= close * (1.0 + np.max(np.abs(v))):
            raise ValueError("the solver's result is no solution, so its derivative is not defined")
        return x, unflat(-np.linalg.solve(matrix, r_t), 0, x)[0]

    return root, rule


# in the differentiable language
def flat(x: Any) -> Any:
    """All numbers of a structure in one vector."""
    if isinstance(x, tuple):
        parts: tuple[Any, ...] = ()
        for v in x:
            parts = (*parts, flat(v))
        return np.concatenate(parts)
    if np.ndim(x) == 0:
        return np.array([x])
    return np.ravel(x)


def unflat(v: Any, start: Any, like: Any) -> Any:
    """A structure like another, from a vector; and how far it reached."""
    if isinstance(like, tuple):
        out: tuple[Any, ...] = ()
        for x in like:
            part, start = unflat(v, start, x)
            out = (*out, part)
        return out, start
    if np.ndim(like) == 0:
        return v[start], start + 1
    n = np.size(like)
    return np.reshape(v[start : start + n], np.shape(like)), start + n


def difference(x: Any, y: Any) -> Any:
    """``x - y``, of structures."""
    return flat(x) - flat(y)


def iteration(step: Any, tolerance: float = 1e-13, most: int = 100_000) -> Callable[..., Any]:
    """Steps until they change nothing any more (in the language)."""

    def iterate(x0: Any, *params: Any) -> Any:
        x = step(x0, *params)
        for _ in range(most):
            y = step(x, *params)
            gap = np.max(np.abs(difference(x, y)))
            size = 1.0 + np.max(np.abs(flat(y)))
            x = y
            if gap <= tolerance * size:
                return x
        raise ValueError("fixed_point: the steps do not converge")

    return iterate


def implicit_root(residual: Any, solver: Any, close: float = CLOSE, **options: Any) -> Implicit:
    """The root of an equation, found by any solver, as a differentiable function.

    Args:
        residual: ``residual(x, *params)``, zero at the solution, of the size of ``x``; it is
            differentiated.
        solver: ``solver(x0, *params) -> x``, of the structure of ``x0``.  It is called, never
            looked into: an njit function from compiled code, any other from the interpreter.
        close: how far from a solution the result may be before a derivative is refused, measured
            by Newton's step relative to one plus the largest entry.
        **options: see ``srcad.Options``.

    Returns:
        A function of ``(x0, *params)``.  Its derivative in ``x0`` is zero.

    Raises:
        ValueError: at a derivative, where the solver's result is no solution.
        numpy.linalg.LinAlgError: at a derivative, where the Jacobian is singular.

    >>> from srcad.examples import square_root_residual, square_root_solver
    >>> root = implicit_root(square_root_residual, square_root_solver, backend="reference")
    >>> root(1.0, 9.0), grad(root, 1)(1.0, 9.0), grad(grad(root, 1), 1)(1.0, 9.0) * 108
    (3.0, 0.16666666666666666, -1.0)
    """
    return Implicit(residual, solver, close, **options)


def fixed_point(step: Any, solver: Any = None, close: float = CLOSE, **options: Any) -> FixedPoint:
    """The fixed point of an iteration, as a differentiable function.

    Args:
        step: ``step(x, *params) -> x``; it is differentiated, at the fixed point only.
        solver: ``solver(x0, *params) -> x``; by default the step is repeated until it changes
            nothing.
        close, **options: as for ``implicit_root``.

    Returns:
        A function of ``(x0, *params)``.

    >>> from srcad.examples import cosine_step
    >>> x = fixed_point(cosine_step, backend="reference")
    >>> round(x(0.5, 1.0), 6), round(grad(x, 1)(0.5, 1.0), 6)
    (0.739085, -0.297474)
    """
    return FixedPoint(step, solver, close, **options)


def implicit_minimum(objective: Any, solver: Any, close: float = CLOSE, **options: Any) -> Minimum:
    """A minimum, found by any solver, as a differentiable function.

    Args:
        objective: ``objective(x, *params)``, a float; differentiated twice.
        solver: ``solver(x0, *params) -> x``.
        close, **options: as for ``implicit_root``.

    Returns:
        A function of ``(x0, *params)``.

    >>> from srcad.examples import bowl, bowl_solver
    >>> x = implicit_minimum(bowl, bowl_solver, backend="reference")
    >>> x(0.0, 3.0), grad(x, 1)(0.0, 3.0)
    (3.0, 1.0)
    """
    return Minimum(objective, solver, close, **options)
