"""The derivative of every elementwise function against mpmath, over its whole domain.

Generated from the registry: each rule with a derivative is evaluated, in first order, at random
points and at the ends of the domain, and must be as accurate as its operands allow::

    |error| <= 8 eps (|f'| + sum_j |x_j d f'/d x_j| + terms)

where ``terms`` is zero but for the few formulas that are sums, whose terms are named below.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from typing import Any

import mpmath as mp  # type: ignore[import-untyped]
import pytest

from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import B1, I8
from srcad.rules import RULES, is_zero
from tests.domains import between, mixed, near, sizes
from tests.exact import from_template
from tests.test_rules import Traced, operands

EPS = 2.0**-52
COUNT = 200

Exact = Callable[..., Any]
Points = Callable[[random.Random], tuple[float, ...]]


def number(low: int, high: int) -> Callable[[random.Random], int]:
    """Random orders."""
    return lambda r: r.randint(low, high)


EVERYWHERE = mixed(between(-3, 3), between(-40, 40), sizes(-12, 2))
POSITIVE = mixed(between(1e-6, 4), sizes(-100, 100, sign=False))
UNIT = mixed(between(-0.999, 0.999), near(1.0, -15, -1, -1), near(-1.0, -15, -1, 1), sizes(-20, -1))
FRACTION = mixed(between(0.001, 0.999), near(1.0, -14, -1, -1), sizes(-100, -1, sign=False))
ANY_SIZE = mixed(POSITIVE, sizes(-307, 307, sign=False))
LARGEST = sizes(307, 308.25)
MODERATE = mixed(between(0.1, 5), sizes(-3, 2, sign=False))

# where each function is tested: as many draws as operands
DOMAINS: dict[str, tuple[Callable[[random.Random], float], ...]] = {
    "sqrt": (POSITIVE,),
    "cbrt": (mixed(POSITIVE, sizes(-50, 50)),),
    "cpow_re": (MODERATE, between(-3, 3), between(-2, 3)),
    "cpow_im": (MODERATE, between(-3, 3), between(-2, 3)),
    "log": (POSITIVE,),
    "log2": (POSITIVE,),
    "log10": (POSITIVE,),
    "log1p": (mixed(UNIT, POSITIVE),),
    "expm1": (mixed(EVERYWHERE, between(-700, 700)),),
    "exp": (between(-700, 700),),
    "exp2": (between(-1000, 1000),),
    "exp10": (between(-300, 300),),
    "sinh": (mixed(EVERYWHERE, between(-700, 700)),),
    "cosh": (mixed(EVERYWHERE, between(-700, 700)),),
    "tanh": (mixed(EVERYWHERE, between(-350, 350)),),
    "asin": (UNIT,),
    "acos": (UNIT,),
    "atanh": (UNIT,),
    "acosh": (mixed(between(1.0001, 9), near(1.0, -15, -1, 1), sizes(0.1, 300, sign=False)),),
    "asinh": (mixed(EVERYWHERE, sizes(-300, 300)),),
    "atan": (mixed(EVERYWHERE, sizes(-300, 150)),),
    "erf": (mixed(EVERYWHERE, between(-26, 26)),),
    "erfc": (mixed(EVERYWHERE, between(-26, 26)),),
    "erfcx": (mixed(EVERYWHERE, between(-26, 26), sizes(0, 153, sign=False)),),
    "erfc_integral": (number(0, 4), mixed(between(-26, 30), between(-1, 2), sizes(1, 100, False))),
    "expit": (mixed(EVERYWHERE, between(-700, 700)),),
    "log_expit": (mixed(EVERYWHERE, between(-700, 700)),),
    "logit": (FRACTION,),
    "ndtr": (mixed(EVERYWHERE, between(-37, 37)),),
    "log_ndtr": (mixed(EVERYWHERE, between(-37, 37), sizes(-2, 8)),),
    "ndtri": (FRACTION,),
    "erfinv": (UNIT,),
    "erfcinv": (mixed(FRACTION, between(0.01, 1.99), near(2.0, -14, -1, -1)),),
    "entr": (POSITIVE,),
    "xlogy": (POSITIVE, POSITIVE),
    "xlog1py": (POSITIVE, mixed(UNIT, POSITIVE)),
    "rel_entr": (ANY_SIZE, ANY_SIZE),
    "kl_div": (ANY_SIZE, ANY_SIZE),
    "gamma": (between(0.05, 20),),
    "lgamma": (MODERATE,),
    "gammaln": (MODERATE,),
    "digamma": (MODERATE,),
    "polygamma": (number(1, 4), MODERATE),
    "beta": (MODERATE, MODERATE),
    "betaln": (MODERATE, MODERATE),
    "bessel_j": (number(0, 4), mixed(between(-40, 40), sizes(-6, 4))),
    "bessel_i": (number(0, 4), mixed(between(-40, 40), sizes(-6, 2))),
    "bessel_i_scaled": (number(0, 4), mixed(between(-40, 40), sizes(-6, 3))),
    "sinc": (mixed(between(-5, 5), sizes(-12, 0)),),
    "pow": (POSITIVE, between(-3, 3)),
    "fpow": (POSITIVE, between(-3, 3)),
    "float_power": (POSITIVE, between(-3, 3)),
    "truediv": (EVERYWHERE, POSITIVE),
    "steep_div": (EVERYWHERE, POSITIVE),
    "guarded_div": (EVERYWHERE, POSITIVE),
    "reciprocal": (POSITIVE,),
    "mod": (mixed(between(-9, 9), LARGEST), mixed(between(0.7, 3), LARGEST)),
    "fmod": (mixed(between(-9, 9), LARGEST), mixed(between(0.7, 3), LARGEST)),
    "ldexp": (EVERYWHERE, number(-4, 4)),
    "logaddexp": (between(-800, 800), between(-800, 800)),
    "logaddexp2": (between(-800, 800), between(-800, 800)),
    "hypot": (sizes(-300, 300), sizes(-300, 300)),
    "atan2": (sizes(-300, 300), sizes(-300, 300)),
}


def scaled_integral(n: Any, x: Any) -> Any:
    """exp(x^2) times the n-th integral of erfc, by the recurrence; for huge x by its expansion."""
    if x > 1e12:
        return 2 / mp.sqrt(mp.pi) / (2 * x) ** (n + 1) * (1 - (n + 1) * (n + 2) / (4 * x * x))
    before, here = 2 / mp.sqrt(mp.pi), mp.exp(x * x) * mp.erfc(x)
    for k in range(1, int(n) + 1):
        before, here = here, (before - 2 * x * here) / (2 * k)
    return here


def density(x: Any) -> Any:
    """The derivative of ``ndtr``."""
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def expit(x: Any) -> Any:
    """The logistic function."""
    return 1 / (1 + mp.exp(-x))


def bell(x: Any) -> Any:
    """The derivative of ``erf``."""
    return 2 / mp.sqrt(mp.pi) * mp.exp(-x * x)


def quantile(tail: Any, start: Any) -> Any:
    """The normal quantile of a lower tail, by Newton's method."""
    z = mp.mpf(start)
    for _ in range(5):
        z -= (mp.erfc(-z / mp.sqrt(2)) / 2 - tail) / density(z)
    return z


def from_quantile(tail: Any, factor: float) -> Any:
    """The derivative of a quantile at a tail probability, times a factor."""
    return factor / density(quantile(tail, PRIMITIVES["ndtri"].evaluate(float(tail))))


def complex_power(x: Any, y: Any, a: Any) -> tuple[Any, Any]:
    """Derivatives of the real and of the imaginary part of ``(x + iy) ** a``."""
    z = mp.mpc(x, y)
    by_z, by_a = a * z ** (a - 1), z**a * mp.log(z)
    return (by_z.real, -by_z.imag, by_a.real), (by_z.imag, by_z.real, by_a.imag)


def cardinal(x: Any) -> Any:
    """The derivative of ``sinc``."""
    t = mp.pi * x
    return (mp.cos(t) - mp.sin(t) / t) / x


def scaled_bessel(n: Any, x: Any) -> Any:
    """The derivative of ``exp(-|x|) I(n, x)``."""
    slope = (mp.besseli(n - 1, x) + mp.besseli(n + 1, x)) / 2
    return mp.exp(-abs(x)) * (slope - mp.sign(x) * mp.besseli(n, x))


def power(x: Any, y: Any) -> tuple[Any, Any]:
    """Both derivatives of ``x^y``."""
    return y * x ** (y - 1), x**y * mp.log(x)


def quotient(x: Any, y: Any) -> tuple[Any, Any]:
    """Both derivatives of ``x / y``."""
    return 1 / y, -x / y**2


def absolute(x: Any) -> Any:
    """The derivative of ``|x|``."""
    return mp.sign(x)


def from_beta(a: Any, b: Any, factor: Any = 1) -> tuple[Any, Any]:
    """Both derivatives of ``betaln``, times a factor."""
    both = mp.digamma(a + b)
    return factor * (mp.digamma(a) - both), factor * (mp.digamma(b) - both)


def largest(x: Any, y: Any) -> tuple[Any, Any]:
    """Both derivatives of ``max``."""
    return (1, 0) if x >= y else (0, 1)


def smallest(x: Any, y: Any) -> tuple[Any, Any]:
    """Both derivatives of ``min``."""
    return (1, 0) if x <= y else (0, 1)


LN2, LN10 = 0.6931471805599453, 2.302585092994046
# the derivatives, exactly; with respect to each operand, None for an integer
EXACT: dict[str, Exact] = {
    "add": lambda x, y: (1, 1),
    "sub": lambda x, y: (1, -1),
    "mul": lambda x, y: (y, x),
    "guarded_mul": lambda x, y: (y, x),
    "truediv": quotient,
    "steep_div": quotient,
    "guarded_div": quotient,
    "neg": lambda x: -1,
    "positive": lambda x: 1,
    "square": lambda x: 2 * x,
    "reciprocal": lambda x: -1 / x**2,
    "abs": absolute,
    "fabs": absolute,
    "copysign": lambda x, y: (mp.sign(x) * mp.sign(y), 0),
    "mod": lambda x, y: (1, -mp.floor(x / y)),
    "fmod": lambda x, y: (1, -mp.sign(x / y) * mp.floor(abs(x / y))),
    "pow": power,
    "fpow": power,
    "float_power": power,
    "min": smallest,
    "minimum": smallest,
    "fmin": smallest,
    "max": largest,
    "maximum": largest,
    "fmax": largest,
    "select": lambda c, x, y: (None, int(c), 1 - int(c)),
    "f8": lambda x: 1,
    "f4": lambda x: 1,
    "cpow_re": lambda x, y, a: complex_power(x, y, a)[0],
    "cpow_im": lambda x, y, a: complex_power(x, y, a)[1],
    "sqrt": lambda x: 1 / (2 * mp.sqrt(x)),
    "cbrt": lambda x: 1 / (3 * mp.cbrt(abs(x)) ** 2),
    "exp": mp.exp,
    "exp2": lambda x: mp.log(2) * mp.mpf(2) ** x,
    "exp10": lambda x: mp.log(10) * mp.mpf(10) ** x,
    "expm1": mp.exp,
    "log": lambda x: 1 / x,
    "log2": lambda x: 1 / x / mp.log(2),
    "log10": lambda x: 1 / x / mp.log(10),
    "log1p": lambda x: 1 / (1 + x),
    "logaddexp": lambda x, y: (expit(x - y), expit(y - x)),
    "logaddexp2": lambda x, y: (expit((x - y) * mp.log(2)), expit((y - x) * mp.log(2))),
    "sin": mp.cos,
    "cos": lambda x: -mp.sin(x),
    "cosm1": lambda x: -mp.sin(x),
    "tan": lambda x: mp.sec(x) ** 2,
    "asin": lambda x: 1 / mp.sqrt(1 - x * x),
    "acos": lambda x: -1 / mp.sqrt(1 - x * x),
    "atan": lambda x: 1 / (1 + x * x),
    "atan2": lambda y, x: (x / (x * x + y * y), -y / (x * x + y * y)),
    "hypot": lambda x, y: (x / mp.hypot(x, y), y / mp.hypot(x, y)),
    "sinh": mp.cosh,
    "cosh": mp.sinh,
    "tanh": lambda x: mp.sech(x) ** 2,
    "asinh": lambda x: 1 / mp.sqrt(1 + x * x),
    "acosh": lambda x: 1 / mp.sqrt(x * x - 1),
    "atanh": lambda x: 1 / (1 - x * x),
    "deg2rad": lambda x: mp.pi / 180,
    "rad2deg": lambda x: 180 / mp.pi,
    "heaviside": lambda x, y: (0, int(x == 0)),
    "ldexp": lambda x, n: (mp.mpf(2) ** n, None),
    "sinc": cardinal,
    "erf": bell,
    "erfc": lambda x: -bell(x),
    "erfcx": lambda x: -2 * scaled_integral(1, x),
    "erfc_integral": lambda n, x: (None, -2 * (n + 1) * scaled_integral(n + 1, x)),
    "ndtr": density,
    "log_ndtr": lambda x: density(x) / (mp.erfc(-x / mp.sqrt(2)) / 2),
    "ndtri": lambda p: from_quantile(p, 1),
    "erfinv": lambda y: from_quantile((1 + y) / 2, mp.sqrt(2) / 4),
    "erfcinv": lambda y: from_quantile(y / 2, -mp.sqrt(2) / 4),
    "expit": lambda x: expit(x) * expit(-x),
    "log_expit": lambda x: expit(-x),
    "logit": lambda x: 1 / (x * (1 - x)),
    "xlogy": lambda x, y: (mp.log(y), x / y),
    "xlog1py": lambda x, y: (mp.log1p(y), x / (1 + y)),
    "entr": lambda x: -mp.log(x) - 1,
    "rel_entr": lambda x, y: (mp.log(x / y) + 1, -x / y),
    "kl_div": lambda x, y: (mp.log(x / y), 1 - x / y),
    "gamma": lambda x: mp.gamma(x) * mp.digamma(x),
    "lgamma": mp.digamma,
    "gammaln": mp.digamma,
    "digamma": lambda x: mp.polygamma(1, x),
    "polygamma": lambda n, x: (None, mp.polygamma(n + 1, x)),
    "beta": lambda a, b: from_beta(a, b, mp.beta(a, b)),
    "betaln": from_beta,
    "bessel_j": lambda n, x: (None, (mp.besselj(n - 1, x) - mp.besselj(n + 1, x)) / 2),
    "bessel_i": lambda n, x: (None, (mp.besseli(n - 1, x) + mp.besseli(n + 1, x)) / 2),
    "bessel_i_scaled": lambda n, x: (None, scaled_bessel(n, x)),
}

# what the formulas of some rules add up (absolute values), for each partial the same
TERMS: dict[str, Callable[..., Any]] = {
    "entr": lambda x: abs(mp.log(x)) + 1,
    "tanh": lambda x: 1 + mp.tanh(x) ** 2,
    "rel_entr": lambda x, y: abs(mp.log(x / y)) + 1,
    "kl_div": lambda x, y: 1,
    "sinc": lambda x: min(1, 2 / abs(x)),
    "betaln": lambda a, b: abs(mp.digamma(a)) + abs(mp.digamma(b)) + abs(mp.digamma(a + b)),
    "bessel_j": lambda n, x: mp.sqrt(2 / mp.pi / max(abs(x), 1)),
    "bessel_i_scaled": lambda n, x: 2 / mp.sqrt(max(abs(x), 1)),
}
# ... and what rounding a + b does to gamma(a + b)
TERMS["beta"] = lambda a, b: (
    mp.beta(a, b) * TERMS["betaln"](a, b) * (1 + (a + b) * abs(mp.digamma(a + b)))
)
DIGITS = {"erfc_integral": 120, "erfcx": 120, "ndtri": 130, "erfinv": 60, "erfcinv": 130}

SMOOTH = sorted(name for name in RULES if not is_zero(name))


def drawn(name: str) -> list[tuple[Any, ...]]:
    """Points of the function's domain."""
    rnd = random.Random(name)
    draws = DOMAINS.get(name)
    if draws is None:
        kinds = [a.type for a in operands(name)]
        draws = tuple(
            (lambda r: r.random() < 0.5) if t == B1 else number(0, 4) if t == I8 else EVERYWHERE
            for t in kinds
        )
    return [tuple(d(rnd) for d in draws) for _ in range(COUNT)]


def partials_of(name: str, point: tuple[Any, ...]) -> tuple[Any, ...]:
    """The exact derivatives at a point."""
    found = (EXACT.get(name) or from_template(name))(*point)
    return found if isinstance(found, tuple) else (found,)


def conditioning(name: str, point: tuple[Any, ...]) -> list[Any]:
    """``sum_j |x_j d f'/d x_j|`` of each partial: what rounding the operands does."""
    totals = [mp.mpf(0)] * len(point)
    h = mp.mpf(10) ** -20
    for j, x in enumerate(point):
        if isinstance(x, (bool, int)):
            continue
        sides = [partials_of(name, (*point[:j], x * (1 + s * h), *point[j + 1 :])) for s in (1, -1)]
        for i, (a, b) in enumerate(zip(*sides, strict=True)):
            totals[i] += 0 if a is None else abs(a - b) / (2 * h)
    return totals


@functools.cache
def emitted(name: str) -> Traced:
    """The rule's code."""
    return Traced(name)


@pytest.mark.parametrize("name", SMOOTH)
def test_accuracy(name: str) -> None:
    """The bound above, at every point."""
    wrong = []
    with mp.workdps(DIGITS.get(name, 50)):
        for floats in drawn(name):
            found = emitted(name).at(floats)
            point = tuple(mp.mpf(x) if isinstance(x, float) else x for x in floats)
            exact, around = partials_of(name, point), conditioning(name, point)
            terms = TERMS[name](*point) if name in TERMS else 0
            for f, e, c in zip(found, exact, around, strict=True):
                if f is None:
                    continue
                bound = 8 * EPS * (abs(e) + c + terms) + 1e-305
                if not abs(f - e) <= bound and abs(e) < 1e300:
                    wrong.append((floats, f, float(e), float(abs(f - e) / bound)))
    wrong.sort(key=lambda w: -w[-1])
    assert not wrong, f"{len(wrong)} points, the worst: {wrong[:3]}"


def test_every_rule_has_an_exact_derivative() -> None:
    """The tables cover the registry, but for templates of mpmath's functions; these do as well."""
    assert set(EXACT) == set(SMOOTH)
    for name, at in (("tanh", (0.3,)), ("hypot", (0.3, 0.4)), ("truediv", (0.3, 0.4))):
        for found, exact in zip(from_template(name)(*at), partials_of(name, at), strict=True):
            assert abs(found - exact) < 1e-12
    assert set(DOMAINS) <= set(SMOOTH) and set(TERMS) <= set(SMOOTH)
