"""Derivatives of SciPy's special functions: logistic, normal distribution, entropies, beta, Bessel.

Each is a formula in functions of the same family, so derivatives of every order exist, and is
chosen such that nothing cancels where the function is well conditioned.
"""
# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import math

import scipy.special as sp

from srcad.ir.types import I8
from srcad.rules.declare import scalar_rule
from srcad.rules.expr import (
    bessel_i,
    bessel_i_scaled,
    bessel_j,
    digamma,
    erfc_integral,
    erfcx,
    exp,
    expit,
    guarded_div,
    log,
    log1p,
    ndtr,
    sign,
    sin,
    sqrt,
    steep_div,
    where,
)
from srcad.runtime.bessel import srcad_bessel_i, srcad_bessel_i_scaled, srcad_bessel_j

ROOT_PI, ROOT_2PI, ROOT_HALF = math.sqrt(math.pi), math.sqrt(2 * math.pi), math.sqrt(0.5)


@scalar_rule("expit", sp.expit)
def logistic(x, out):
    """d expit(x) = expit(x) expit(-x)."""
    return out * expit(-x)


@scalar_rule("log_expit", sp.log_expit)
def log_logistic(x):
    """d log(expit(x)) = expit(-x)."""
    return expit(-x)


@scalar_rule("logit", sp.logit, domain=(0.05, 0.95), guard=True)
def log_odds(x):
    """d logit(x) = 1 / (x (1 - x)); inf at the ends."""
    return steep_div(1, x * (1 - x))


@scalar_rule("erfcx", sp.erfcx)
def scaled_erfc(x):
    """d e^(x^2) erfc(x) = -2 e^(x^2) times the integral of erfc from x on."""
    return -2 * erfc_integral(x.number(1, I8), x)


@scalar_rule("erfc_integral", domain=((0, 4), (-2, 3)))
def scaled_integral_of_erfc(n, x):
    """d E(n, x) = -2 (n + 1) E(n + 1, x) dx; the order n is an integer."""
    return None, (-2 * (n + 1)) * erfc_integral(n + 1, x)


@scalar_rule("ndtr", sp.ndtr)
def normal_distribution(x):
    """d ndtr(x) = e^(-x^2/2) / sqrt(2 pi)."""
    return (1 / ROOT_2PI) * exp(-0.5 * (x * x))


@scalar_rule("log_ndtr", sp.log_ndtr)
def log_normal_distribution(x):
    """d log(ndtr(x)) = e^(-x^2/2) / sqrt(2 pi) / ndtr(x); on the left by erfcx, which neither
    underflows nor cancels there."""
    right = x > 0
    p, q = where(right, x, 0), where(right, 0, x)
    density = (1 / ROOT_2PI) * exp(-0.5 * (p * p))
    return where(right, density / ndtr(p), math.sqrt(2 / math.pi) / erfcx(-ROOT_HALF * q))


@scalar_rule("ndtri", sp.ndtri, domain=(0.05, 0.95), guard=True)
def normal_quantile(p, out):
    """d ndtri(p) = sqrt(2 pi) e^(out^2/2), as erfcx / p, which is accurate for small p; inf at the
    ends."""
    scaled = where(p == 0, 1, erfcx(-ROOT_HALF * out))
    return steep_div((0.5 * ROOT_2PI) * scaled, p)


@scalar_rule("erfinv", sp.erfinv, domain=(-0.9, 0.9), guard=True)
def inverse_error_function(y, out):
    """d erfinv(y) = sqrt(pi)/2 e^(out^2); inf at the ends."""
    return (0.5 * ROOT_PI) * exp(out * out)


@scalar_rule("erfcinv", sp.erfcinv, domain=(0.1, 1.9), guard=True)
def inverse_complementary_error_function(y, out):
    """d erfcinv(y) = -sqrt(pi)/2 e^(out^2), as erfcx / y, which is accurate for small y; -inf at
    the ends."""
    return steep_div((-0.5 * ROOT_PI) * where(y == 0, 1, erfcx(out)), y)


@scalar_rule("exp10", sp.exp10)
def exponential10(x, out):
    """d 10^x = 10^x log(10) dx."""
    return math.log(10) * out


@scalar_rule("cosm1", sp.cosm1)
def cosine_minus_1(x):
    """d(cos(x) - 1) = -sin(x)."""
    return -sin(x)


@scalar_rule("xlogy", sp.xlogy, domain=(0.2, 3), guard=True)
def x_log_y(x, y):
    """d(x log(y)) = log(y) dx + x/y dy; with respect to y it is 0 where x = 0."""
    return log(y), guarded_div(x, y)


@scalar_rule("xlog1py", sp.xlog1py, domain=(-0.7, 3), guard=True)
def x_log_1_plus_y(x, y):
    """d(x log(1 + y)) = log(1 + y) dx + x/(1 + y) dy; with respect to y it is 0 where x = 0."""
    return log1p(y), guarded_div(x, 1 + y)


@scalar_rule("entr", sp.entr, domain=(0.1, 3), guard=True)
def entropy(x):
    """d(-x log(x)) = -(log(x) + 1); inf at 0."""
    return -log(x) - 1


@scalar_rule("rel_entr", sp.rel_entr, domain=(0.2, 3), guard=True)
def relative_entropy(x, y):
    """d(x log(x/y)) = (log(x/y) + 1) dx - x/y dy; at x = 0: -inf, and 0 with respect to y."""
    ratio = guarded_div(x, y)
    return _log_of(ratio, x, y) + 1, -ratio


@scalar_rule("kl_div", sp.kl_div, domain=(0.2, 3), guard=True)
def divergence(x, y):
    """d(x log(x/y) - x + y) = log(x/y) dx + (1 - x/y) dy; at x = 0: -inf, and 1."""
    return _log_of(guarded_div(x, y), x, y), guarded_div(y - x, y)


def _log_of(ratio, x, y):
    """log(x/y), of the ratio of the roots where that of the numbers over- or underflows."""
    extreme = (ratio < 1e-290) | (ratio > 1e290)
    root = guarded_div(sqrt(where(extreme, x, 1)), sqrt(where(extreme, y, 1)))
    return where(extreme, 2, 1) * log(where(extreme, root, ratio))


@scalar_rule("gammaln", sp.gammaln, domain=(0.2, 9), guard=True)
def log_gamma(x):
    """d log|gamma(x)| = digamma(x)."""
    return digamma(x)


@scalar_rule("beta", sp.beta, domain=(0.2, 5), guard=True)
def beta(a, b, out):
    """d beta(a, b) = beta(a, b) ((digamma(a) - digamma(a + b)) da + ... db)."""
    both = digamma(a + b)
    return out * (digamma(a) - both), out * (digamma(b) - both)


@scalar_rule("betaln", sp.betaln, domain=(0.2, 5), guard=True)
def log_beta(a, b):
    """d log|beta(a, b)| = (digamma(a) - digamma(a + b)) da + ... db."""
    both = digamma(a + b)
    return digamma(a) - both, digamma(b) - both


@scalar_rule("bessel_j", srcad_bessel_j, domain=((0, 4), (-6, 30)))
def bessel_function(n, x):
    """d J(n, x) = (J(n - 1, x) - J(n + 1, x)) / 2 dx, where J(-1, x) = -J(1, x)."""
    before = bessel_j(where(n > 0, n - 1, 1), x)
    return None, 0.5 * (where(n > 0, before, -before) - bessel_j(n + 1, x))


@scalar_rule("bessel_i", srcad_bessel_i, domain=((0, 4), (-3, 3)))
def modified_bessel_function(n, x):
    """d I(n, x) = (I(n - 1, x) + I(n + 1, x)) / 2 dx, where I(-1, x) = I(1, x)."""
    return None, 0.5 * (bessel_i(where(n > 0, n - 1, 1), x) + bessel_i(n + 1, x))


@scalar_rule("bessel_i_scaled", srcad_bessel_i_scaled, domain=((0, 4), (0.1, 30)))
def scaled_modified_bessel_function(n, x, out):
    """d e^-|x| I(n, x) = e^-|x| (I(n - 1, x) + I(n + 1, x)) / 2 - sign(x) out; 0 slope of |x| at
    0."""
    both = bessel_i_scaled(where(n > 0, n - 1, 1), x) + bessel_i_scaled(n + 1, x)
    return None, 0.5 * both - sign(x) * out
