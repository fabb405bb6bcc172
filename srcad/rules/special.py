"""Derivatives of special functions: error function, gamma family, sinc, scaling by powers of 2."""
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math

import numpy as np
import scipy.special

from srcad.ir.types import I8
from srcad.rules.declare import not_implemented, scalar_rule
from srcad.rules.expr import absolute, cos, digamma, exp, ldexp, polygamma, where
from srcad.runtime.special import srcad_polygamma

TWO_OVER_SQRT_PI = 2 / math.sqrt(math.pi)


@scalar_rule("erf", math.erf, scipy.special.erf)
def error_function(x):
    """d erf = 2/sqrt(pi) e^(-x^2)."""
    return TWO_OVER_SQRT_PI * exp(-(x * x))


@scalar_rule("erfc", math.erfc, scipy.special.erfc)
def complementary_error_function(x):
    """d erfc = -2/sqrt(pi) e^(-x^2)."""
    return -TWO_OVER_SQRT_PI * exp(-(x * x))


@scalar_rule("gamma", math.gamma, scipy.special.gamma, domain=(0.2, 5), guard=True)
def gamma(x, out):
    """d gamma = gamma digamma; NaN at the poles, as those of its kin."""
    return out * digamma(x)


@scalar_rule("lgamma", math.lgamma, domain=(0.2, 9), guard=True)
def log_gamma(x):
    """d log|gamma| = digamma."""
    return digamma(x)


@scalar_rule("digamma", scipy.special.digamma, domain=(0.2, 9), guard=True)
def digamma_function(x):
    """d digamma = polygamma(1, .)."""
    return polygamma(x.number(1, I8), x)


@scalar_rule("polygamma", srcad_polygamma, domain=((1, 4), (0.2, 9)), guard=True)
def polygamma_function(n, x):
    """d polygamma(n, x) = polygamma(n + 1, x) dx; the order n is an integer."""
    return None, polygamma(n + 1, x)


@scalar_rule("sinc", np.sinc, domain=(-2, 2))
def cardinal_sine(x, out):
    """d (sin(pi x) / (pi x)) = (cos(pi x) - sinc(x)) / x; near 0 a series, so that it is 0 at 0
    and higher derivatives exist."""
    t = math.pi * x
    s = t * t
    series = 20 / math.factorial(21)
    for k in range(9, 0, -1):
        series = 2 * k / math.factorial(2 * k + 1) - s * series
    series = -(math.pi * t) * series
    small = absolute(x) < 0.25
    return where(small, series, (cos(t) - out) / where(small, 1, x))


@scalar_rule("heaviside", np.heaviside)
def heaviside(x, at_zero):
    """d heaviside(x, h) = 0 dx; h passes where x = 0."""
    return 0, where(x == 0, 1, 0)


@scalar_rule("ldexp", math.ldexp, np.ldexp, domain=((-3, 3), (-4, 4)))
def load_exponent(x, n):
    """d(x 2^n) = 2^n dx; n is an integer."""
    return ldexp(x.number(1), n), None


not_implemented(
    np.nextafter,
    math.nextafter,
    np.spacing,
    math.ulp,
    reason="it depends on the floating-point grid, not on the real number",
)
