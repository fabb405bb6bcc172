"""The special functions that generated code carries with it, against mpmath."""

from __future__ import annotations

import inspect
import math
import random
from collections.abc import Callable, Iterable
from typing import Any

import mpmath as mp  # type: ignore[import-untyped]
import numba as nb
import numpy as np
import pytest
import scipy.special as sp

import srcad
from srcad.ir.primitives import PRIMITIVES
from srcad.runtime import RUNTIME_HELPERS, bessel, entropy, gamma, normal, with_callees
from srcad.runtime.special import srcad_digamma, srcad_exponent, srcad_polygamma

ROOT = 1.4616321449683623  # digamma's positive root
RND = random.Random(1)


def uniform(low: float, high: float, n: int = 60) -> list[float]:
    """Random numbers."""
    return [RND.uniform(low, high) for _ in range(n)]


def powers(low: float, high: float, n: int = 60) -> list[float]:
    """Random numbers of random size."""
    return [10 ** RND.uniform(low, high) for _ in range(n)]


def pairs(xs: list[float], ys: list[float]) -> list[tuple[float, float]]:
    """Points of two coordinates."""
    return list(zip(xs, ys, strict=True))


def worst(
    f: Callable[..., float],
    exact: Callable[..., Any],
    points: Iterable[Any],
    size: Callable[..., float] | None = None,
    digits: int = 50,
) -> float:
    """The largest error, relative to the value (and ``size``, where that is larger)."""
    out = 0.0
    with mp.workdps(digits):
        for p in points:
            point = p if isinstance(p, tuple) else (p,)
            e = exact(*map(mp.mpf, point))
            scale = abs(e) if size is None else max(abs(e), size(*point))
            out = max(out, float(abs(f(*point) - e) / scale))
    return out


def test_digamma_is_accurate() -> None:
    """Relative accuracy 1e-14 for positive arguments, at the root as well."""
    xs = [*uniform(1e-3, 30, 300), ROOT, 1.4616, 1.0, 2.0, 9.9999, 10.0, 1e10, 1e-300]
    assert worst(srcad_digamma, mp.digamma, xs) <= 1e-14
    xs = [-1e-20, -0.3, -0.5, -0.75, -3.3, -17.25, -9.999]
    assert worst(srcad_digamma, mp.digamma, xs) <= 1e-12


@pytest.mark.parametrize("n", [1, 2, 3, 6, 10])
def test_polygamma_is_accurate(n: int) -> None:
    """Relative accuracy 1e-13, also left of zero."""
    xs = [*uniform(1e-3, 40), -0.5, -3.3, -7.75]
    assert worst(lambda x: srcad_polygamma(n, x), lambda x: mp.polygamma(n, x), xs) <= 1e-13


def quantile(p: Any) -> Any:
    """The normal quantile by Newton's method."""
    z = mp.mpf(float(sp.ndtri(float(p))))
    for _ in range(6):
        z -= (mp.ncdf(z) - p) / mp.npdf(z)
    return z


def test_logistic_and_normal() -> None:
    """Relative accuracy 1e-15 in both tails, 1e-14 where an error function is the limit."""
    xs = [*uniform(-700, 700), *uniform(-3, 3)]
    assert worst(normal.srcad_expit, lambda x: 1 / (1 + mp.exp(-x)), xs) <= 1e-15
    assert worst(normal.srcad_log_expit, lambda x: -mp.log1p(mp.exp(-x)), xs, digits=700) <= 1e-15
    odds = [*uniform(0, 1), *powers(-300, 0), 0.5 + 1e-9, 0.3, 0.65]
    assert worst(normal.srcad_logit, lambda x: mp.log(x / (1 - x)), odds) <= 1e-15
    xs = [*uniform(-37, 7), *uniform(-2, 2), -1000.0]
    assert worst(normal.srcad_log_ndtr, lambda x: mp.log(mp.ncdf(x)), xs) <= 2e-14


def test_quantiles() -> None:
    """Relative accuracy 1e-15, from the smallest probabilities on."""
    root = math.sqrt(2)
    assert (
        worst(normal.srcad_ndtri, quantile, uniform(0, 1, 20) + powers(-300, 0, 20), digits=340)
        <= 1e-15
    )
    half = [*uniform(-1, 1), *powers(-30, 0)]
    assert worst(normal.srcad_erfinv, lambda y: quantile((1 + y) / 2) / mp.sqrt(2), half) <= 1e-15
    for y in (1e-300, 1e-20, 0.3, 1.2, 1.9999):
        assert math.isclose(
            normal.srcad_erfcinv(y), -normal.srcad_ndtri(y / 2) / root, rel_tol=1e-15
        )


def scaled_integral(n: int, x: Any) -> Any:
    """exp(x^2) times the n-th integral of erfc, by the recurrence with many digits."""
    before, here = 2 / mp.sqrt(mp.pi), mp.exp(x * x) * mp.erfc(x)
    for k in range(1, n + 1):
        before, here = here, (before - 2 * x * here) / (2 * k)
    return here


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_integrals_of_erfc(n: int) -> None:
    """Relative accuracy 1e-14 (SciPy's erfcx 5e-14 for x < -20)."""
    xs = [*uniform(-26, 30), *uniform(-1, 2), *powers(0, 8, 20), 24.99, 25.01]
    f = RUNTIME_HELPERS["srcad_erfc_integral"]
    assert worst(lambda x: f(n, x), lambda x: scaled_integral(n, x), xs, digits=120) <= 1e-14


def test_gamma_family() -> None:
    """Relative accuracy 1e-15 for gammaln, 2e-13 for beta: SciPy's gammaln is off by 3e-7 at
    1 - 1e-9, its betaln by 1e-7 and its beta by 2e-9 for large arguments."""
    xs = [*uniform(0, 12, 200), *powers(-300, 2.1), 1 + 1e-9, 1 - 1e-9, 2 + 1e-9, 2 - 1e-9, -1e-9]
    exact = lambda x: mp.log(abs(mp.gamma(x)))  # noqa: E731
    assert worst(gamma.srcad_gammaln, exact, xs) <= 1e-15
    assert worst(gamma.srcad_gammaln, exact, uniform(-30, 0), size=lambda x: 1.0) <= 2e-15
    points = pairs(uniform(0, 12), uniform(0, 12)) + pairs(powers(-3, 6), powers(-3, 6))
    log_beta = lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)  # noqa: E731
    assert worst(gamma.srcad_betaln, log_beta, points, size=lambda a, b: 1.0) <= 1e-14
    points = [p for p in points if float(log_beta(*map(mp.mpf, p))) > -650]
    assert worst(gamma.srcad_beta, lambda a, b: mp.exp(log_beta(a, b)), points) <= 2e-13
    points = pairs(uniform(-20, 20), uniform(-20, 20))
    assert worst(gamma.srcad_beta, mp.beta, points) <= 1e-13


def test_beta_at_poles() -> None:
    """Whole numbers that are not positive: what SciPy gives."""
    for a in (-4.0, -1.0, 0.0, 0.5, 2.0, -2.5):
        for b in (-3.0, 0.0, 1.0, 2.0, 3.0, 1.5):
            found, want = gamma.srcad_beta(a, b), sp.beta(a, b)
            want = abs(want) if math.isinf(want) else want  # the sign says nothing there
            assert math.isclose(found, want, rel_tol=1e-13), (a, b)
            assert math.isclose(gamma.srcad_betaln(a, b), sp.betaln(a, b), abs_tol=1e-13), (a, b)


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_bessel_functions(n: int) -> None:
    """Accuracy 1e-14 of the amplitude (SciPy's j0 and j1 lose digits from 1e5 on)."""

    def amplitude(x: float) -> float:
        return min(abs(x / 2) ** n / math.factorial(n), math.sqrt(2 / math.pi / abs(x)))

    xs = [*uniform(-60, 60), *uniform(2, 40), *powers(-5, 6)]
    j, i, ie = bessel.srcad_bessel_j, bessel.srcad_bessel_i, bessel.srcad_bessel_i_scaled
    assert worst(lambda x: j(n, x), lambda x: mp.besselj(n, x), xs, size=amplitude) <= 1e-14
    xs = [*uniform(-60, 60), *uniform(-700, 700, 20), *powers(-5, 2, 20)]
    assert worst(lambda x: i(n, x), lambda x: mp.besseli(n, x), xs) <= 1e-14
    scaled = lambda x: mp.besseli(n, x) * mp.exp(-abs(x))  # noqa: E731
    assert worst(lambda x: ie(n, x), scaled, [*xs, 1e4]) <= 1e-14


def test_entropies() -> None:
    """Relative accuracy 1e-15; kl_div 1e-14 even next to x = y, where SciPy loses all digits."""
    near = [1 + d for d in uniform(-1e-3, 1e-3, 40)]
    points = pairs(powers(-5, 5), powers(-5, 5)) + pairs(uniform(0.5, 2), uniform(0.5, 2))
    points += pairs(near, near[::-1])
    assert worst(entropy.srcad_xlogy, lambda x, y: x * mp.log(y), points) <= 1e-15
    assert worst(entropy.srcad_xlog1py, lambda x, y: x * mp.log1p(y), points) <= 1e-15
    assert worst(entropy.srcad_rel_entr, lambda x, y: x * mp.log(x / y), points) <= 1e-15
    divergence = lambda x, y: x * mp.log(x / y) - x + y  # noqa: E731
    assert worst(entropy.srcad_kl_div, divergence, points) <= 1e-14


def test_poles_and_infinities() -> None:
    """What the docstrings say."""
    assert math.isnan(srcad_digamma(0.0)) and math.isnan(srcad_digamma(-3.0))
    assert srcad_digamma(math.inf) == math.inf and math.isnan(srcad_digamma(-math.inf))
    assert srcad_polygamma(1, 0.0) == math.inf and srcad_polygamma(2, -1.0) == -math.inf
    assert srcad_polygamma(1, math.inf) == 0.0 and math.isnan(srcad_polygamma(0, 1.0))
    assert math.isnan(srcad_polygamma(1, -1e7)) and math.isnan(srcad_polygamma(1, math.nan))
    assert [srcad_exponent(x) for x in (8.0, -0.3, 0.0, math.inf, math.nan)] == [4, -1, 0, 0, 0]


EDGES = (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 1e-100, 1e100, math.inf, -math.inf, math.nan)
SCIPY = {
    name: getattr(sp, name[6:])
    for name in RUNTIME_HELPERS
    if hasattr(sp, name[6:])
    and name not in ("srcad_digamma", "srcad_polygamma", "srcad_beta", "srcad_betaln")
}


@pytest.mark.parametrize("name", SCIPY)
def test_edges(name: str) -> None:
    """Zeros, infinities and NaN: what SciPy gives."""
    primitive = PRIMITIVES[name[6:]]
    points = [(x,) for x in EDGES] if primitive.arity == 1 else pairs(
        [x for x in EDGES for _ in EDGES], list(EDGES) * len(EDGES)
    )  # fmt: skip
    wrong = []
    for p in points:
        with np.errstate(all="ignore"):
            found, want = primitive.evaluate(*p), float(SCIPY[name](*p))
        if not (found == want or math.isnan(found) and math.isnan(want)):
            if not math.isclose(found, want, rel_tol=1e-13, abs_tol=1e-300):
                wrong.append((p, found, want))
    assert not wrong


OF_NUMBERS = [n for n, f in RUNTIME_HELPERS.items() if f.__module__ != "srcad.runtime.storage"]


@pytest.mark.parametrize("name", OF_NUMBERS)
def test_helpers_are_self_contained(name: str) -> None:
    """The source compiles with nothing but ``math`` and other helpers around it."""
    scope: dict[str, Any] = {"math": math}
    for helper in with_callees([name]):
        source = inspect.getsource(RUNTIME_HELPERS[helper])
        exec("from __future__ import annotations\n" + source, scope)
        scope[helper] = nb.njit(error_model="numpy")(scope[helper])
    arity = len(inspect.signature(RUNTIME_HELPERS[name]).parameters)
    first = 2 if next(iter(inspect.signature(RUNTIME_HELPERS[name]).parameters)) == "n" else 0.6
    arguments = (first, 0.75) if arity == 2 else (0.75,)
    expected = RUNTIME_HELPERS[name](*arguments)
    assert scope[name](*arguments) == pytest.approx(expected, rel=1e-14)
    assert any(name in with_callees([p.helper]) for p in PRIMITIVES.values() if p.helper)


def printed(x):  # type: ignore[no-untyped-def]
    return sp.log_ndtr(x) * sp.kl_div(x, 0.5) + sp.erfinv(0.1 * x)


def test_printed_text_carries_its_helpers() -> None:
    """The module runs by itself, in every backend the same."""
    second = [srcad.hessian(printed, backend=b)(0.7) for b in ("reference", "python")]
    assert second == pytest.approx([second[0]] * 2, rel=1e-12)
    gradient = srcad.grad(printed)
    text = srcad.source(gradient, 0.7)
    assert "import scipy" not in text and "def srcad_normal_quantile" in text
    scope: dict[str, Any] = {}
    exec(text, scope)
    assert scope["printed_b"](0.7) == pytest.approx(gradient(0.7), rel=1e-13)
