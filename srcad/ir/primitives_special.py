"""The scalar primitives that are SciPy's special functions, computed by run-time helpers.

All give float64.  Bessel functions and the repeated integrals of ``erfc`` take an order, an
integer, so that derivatives of any order are functions of the same family.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from srcad.ir.primitives_base import always, define, quiet
from srcad.ir.types import F8, I8
from srcad.runtime import RUNTIME_HELPERS

# primitive and helper, number of operands, cost
_HELPED = {
    "expit": (1, 20),
    "log_expit": (1, 40),
    "logit": (1, 20),
    "erfcx": (1, 60),
    "erfc_integral": (2, 200),
    "ndtri": (1, 40),
    "erfinv": (1, 40),
    "erfcinv": (1, 40),
    "log_ndtr": (1, 60),
    "gammaln": (1, 60),
    "beta": (2, 90),
    "betaln": (2, 150),
    "bessel_i": (2, 150),
    "bessel_i_scaled": (2, 150),
    "bessel_j": (2, 150),
    "xlogy": (2, 20),
    "xlog1py": (2, 20),
    "entr": (1, 20),
    "rel_entr": (2, 30),
    "kl_div": (2, 30),
}


def define_all() -> None:
    """Add every function to the table."""
    for name, (arity, cost) in _HELPED.items():
        helper = f"srcad_{name}"
        operands = ", ".join(f"{{{i}}}" for i in range(arity))
        template = f"{helper}({operands})"
        define(name, arity, always(F8), _on_floats(name), template, cost, helper)
    define(
        "exponent",
        1,
        always(I8),
        RUNTIME_HELPERS["srcad_exponent"],
        "srcad_exponent({0})",
        8,
        "srcad_exponent",
    )
    half = "0.5 * math.erfc(-0.7071067811865476 * {0})"
    define("ndtr", 1, always(F8), quiet(scipy.special.ndtr), half, 20)
    define("exp10", 1, always(F8), quiet(scipy.special.exp10), "10.0 ** {0}", 20)
    define("cosm1", 1, always(F8), _cosm1, "-2.0 * math.sin(0.5 * {0}) ** 2", 20)


def _on_floats(name: str) -> Callable[..., Any]:
    """The helper on Python numbers; NumPy's IEEE arithmetic where it raises."""
    helper = RUNTIME_HELPERS[f"srcad_{name}"]
    original = getattr(scipy.special, name, None)

    def f(*args: Any) -> float:
        try:
            return float(helper(*(float(a) if isinstance(a, bool) else a for a in args)))
        except (ArithmeticError, ValueError):
            return float(quiet(original)(*args)) if original is not None else math.nan

    return f


def _cosm1(x: float) -> float:
    return float(-2.0 * np.sin(0.5 * x) ** 2) if math.isfinite(x) else math.nan
