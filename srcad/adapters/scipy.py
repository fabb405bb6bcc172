"""Derivatives in the forms that SciPy asks for: ``jac``, ``hess``, ``hessp``, sparse, C code."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import scipy
from numba import types

from srcad.api.function import as_function
from srcad.api.grad import grad, value_and_grad
from srcad.api.hessian_products import hvp
from srcad.api.jacobian import hessian, jacobian
from srcad.api.safety import compiling
from srcad.api.sparse import sparse_hessian, sparse_jacobian
from srcad.backends.cpu import compile_module
from srcad.backends.printer import emit
from srcad.compiler import finished
from srcad.errors import TypeMismatch
from srcad.frontend.arguments import Leaf
from srcad.ir.types import F8


class Objective:
    """A function of a vector that returns one float, for ``scipy.optimize.minimize``.

    Called it gives value and gradient (``jac=True``); ``hessp`` is the product of the Hessian with
    a vector, ``hess`` the dense Hessian, ``sparse_hess`` a ``scipy.sparse`` one.
    """

    def __init__(self, f: Any, **options: Any) -> None:
        self.f = as_function(f, options)
        self.both = value_and_grad(self.f)
        self.jac = grad(self.f)
        self.hess = hessian(self.f)
        self.sparse_hess = sparse_hessian(self.f)

    def __call__(self, x: np.ndarray, *args: Any) -> tuple[float, np.ndarray]:
        """Value and gradient."""
        value, gradient = self.both(x, *args)
        return value, gradient

    def hessp(self, x: np.ndarray, p: np.ndarray, *args: Any) -> np.ndarray:
        """The Hessian at ``x`` times ``p``."""
        product: np.ndarray = hvp(self.f, (x, *args), (p, *(None for _ in args)))[0]
        return product


def objective(f: Any, **options: Any) -> Objective:
    """An objective for ``scipy.optimize.minimize``.

    >>> from scipy.optimize import minimize
    >>> from srcad.examples import square_sum
    >>> f = objective(square_sum, backend="reference")
    >>> found = minimize(f, np.ones(2), jac=True, hessp=f.hessp, method="trust-ncg")
    >>> bool(np.all(np.abs(found.x) < 1e-6))
    True
    """
    return Objective(f, **options)


class Residuals:
    """A function of a vector that returns a vector, for ``least_squares`` and ``root``."""

    def __init__(self, f: Any, **options: Any) -> None:
        self.f = as_function(f, options)
        self.jac = jacobian(self.f)
        self.sparse_jac = sparse_jacobian(self.f)

    def __call__(self, x: np.ndarray, *args: Any) -> np.ndarray:
        """The residuals."""
        out: np.ndarray = self.f(x, *args)
        return out


def residuals(f: Any, **options: Any) -> Residuals:
    """Residuals for ``scipy.optimize.least_squares``, with ``jac`` and ``sparse_jac``.

    >>> from scipy.optimize import least_squares
    >>> from srcad.examples import squares
    >>> r = residuals(squares, backend="reference")
    >>> bool(least_squares(r, np.ones(2), jac=r.sparse_jac).cost < 1e-8)
    True
    """
    return Residuals(f, **options)


class Rates:
    """A right-hand side ``f(t, y, *args)`` for ``scipy.integrate.solve_ivp``, with its ``jac``."""

    def __init__(self, f: Any, sparse: bool = False, **options: Any) -> None:
        self.f = as_function(f, options)
        self.jac = sparse_jacobian(self.f, 1) if sparse else jacobian(self.f, 1)

    def __call__(self, t: float, y: np.ndarray, *args: Any) -> np.ndarray:
        """The rates of change."""
        out: np.ndarray = self.f(float(t), y, *args)
        return out


def rates(f: Any, sparse: bool = False, **options: Any) -> Rates:
    """Rates for ``scipy.integrate.solve_ivp(r, ..., method="BDF", jac=r.jac)``.

    >>> from scipy.integrate import solve_ivp
    >>> from srcad.examples import decay
    >>> r = rates(decay, backend="reference")
    >>> end = solve_ivp(r, (0.0, 1.0), [1.0], method="BDF", jac=r.jac, rtol=1e-8).y[0, -1]
    >>> round(float(end), 4)
    0.3679
    """
    return Rates(f, sparse, **options)


def low_level(f: Any, parameters: int) -> scipy.LowLevelCallable:
    """A function of numbers as machine code: ``double f(int n, double *x)``.

    Args:
        f: a function of ``parameters`` floats that returns one float, or such a derivative
            (``grad(f, 1)``).  It must not raise.
        parameters: how many floats it takes.

    Raises:
        TypeMismatch: it returns something else.

    >>> from scipy.integrate import quad
    >>> from srcad.examples import decayed
    >>> round(quad(low_level(decayed, 2), 0.0, 1.0, args=(2.0,))[0], 6)  # of exp(-2 x)
    0.432332
    """
    g = as_function(f)
    bound = g.bind((1.0,) * parameters, {})
    with compiling(g):
        program = g.program(g.specs(bound))
    if program.out != Leaf(F8) or program.captures:
        raise TypeMismatch(
            f"low_level of {g.__name__}, which does not return one float, or captures arrays",
            program.source.loc(program.source.node),
            instead="return one float, and pass all it needs as numbers",
        )
    inner = compile_module(emit(finished(program, whole=True, threads=False)), program.fn.name)
    values = ", ".join(f"x[{k}]" for k in range(parameters))
    namespace: dict[str, Any] = {"inner": inner, "__name__": __name__}
    exec(f"def call(n, x):\n    return inner({values})\n", namespace)
    signature = types.float64(types.intc, types.CPointer(types.float64))
    made = numba.cfunc(signature)(namespace["call"])
    _alive.append(made)  # its code must outlive the pointer
    return scipy.LowLevelCallable(made.ctypes)  # type: ignore[call-overload, no-any-return]


_alive: list[Any] = []
