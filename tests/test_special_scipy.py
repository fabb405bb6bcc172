"""Special functions agree with SciPy's to 1e-13, over the domain and at its ends.

Relative to the value; of Bessel functions, which have zeros, to the size of the oscillation there.
(SciPy's ``cosm1`` loses digits near multiples of a turn, so it is compared near zero only.)
"""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.special as sp

import srcad

RNG = np.random.default_rng(7)
TINY = 10.0 ** RNG.uniform(-300, -1, 30)
POSITIVE = np.concatenate([TINY, RNG.uniform(0.0, 170.0, 60)])
REAL = np.concatenate([TINY, -TINY, RNG.normal(size=60) * 3, RNG.uniform(-30, 30, 60)])
UNIT = np.concatenate([TINY, RNG.uniform(0, 1, 60), 1 - 10.0 ** RNG.uniform(-12, -1, 20)])
WAVES = RNG.uniform(-50, 50, 120)

ONE: dict[str, np.ndarray] = {
    "erf": REAL,
    "erfc": np.append(REAL[:150], RNG.uniform(-6, 26, 60)),
    "erfcx": RNG.uniform(-5, 50, 100),
    "erfinv": 2 * UNIT - 1,
    "erfcinv": 2 * UNIT,
    "gamma": np.append(POSITIVE[30:], RNG.uniform(-20, 0, 40)),
    "gammaln": np.append(POSITIVE, [1.0, 2.0, 1e5, 1e300]),
    "psi": np.append(POSITIVE, 1e8),
    "expit": np.append(REAL, [-745.0, 745.0]),
    "logit": UNIT,
    "log_expit": np.append(REAL, [-745.0, 745.0]),
    "ndtr": RNG.uniform(-37, 8, 100),
    "log_ndtr": np.append(RNG.uniform(-35, 8, 100), [-1e5, 30.0]),
    "ndtri": UNIT,
    "i0": RNG.uniform(-50, 50, 60),
    "i1": RNG.uniform(-50, 50, 60),
    "i0e": np.append(WAVES, [0.0, 1e5]),
    "i1e": np.append(WAVES, [0.0, 1e5]),
    "j0": WAVES,
    "j1": WAVES,
    "cosm1": RNG.uniform(-3, 3, 60),
    "entr": POSITIVE,
    "exp10": RNG.uniform(-300, 300, 60),
    "exp2": RNG.uniform(-1000, 1000, 60),
    "cbrt": REAL,
}
TWO: dict[str, tuple[np.ndarray, np.ndarray]] = {
    "betaln": (RNG.uniform(0.01, 90, 60), RNG.uniform(0.01, 90, 60)),
    "beta": (RNG.uniform(0.01, 20, 60), RNG.uniform(0.01, 20, 60)),
    "xlogy": (RNG.normal(size=60), RNG.uniform(0.0, 9, 60)),
    "xlog1py": (RNG.normal(size=60), RNG.uniform(-0.9, 9, 60)),
    "rel_entr": (RNG.uniform(0, 9, 60), RNG.uniform(0.1, 9, 60)),
    "kl_div": (RNG.uniform(5, 9, 60), RNG.uniform(0.1, 3, 60)),
    "huber": (RNG.uniform(0, 3, 60), RNG.normal(size=60) * 3),
    "pseudo_huber": (RNG.uniform(0.1, 3, 60), RNG.normal(size=60) * 3),
}
CALLS: dict[str, Callable[..., np.ndarray]] = {
    "erf": lambda x: sp.erf(x),
    "erfc": lambda x: sp.erfc(x),
    "erfcx": lambda x: sp.erfcx(x),
    "erfinv": lambda x: sp.erfinv(x),
    "erfcinv": lambda x: sp.erfcinv(x),
    "gamma": lambda x: sp.gamma(x),
    "gammaln": lambda x: sp.gammaln(x),
    "psi": lambda x: sp.psi(x),
    "expit": lambda x: sp.expit(x),
    "logit": lambda x: sp.logit(x),
    "log_expit": lambda x: sp.log_expit(x),
    "ndtr": lambda x: sp.ndtr(x),
    "log_ndtr": lambda x: sp.log_ndtr(x),
    "ndtri": lambda x: sp.ndtri(x),
    "i0": lambda x: sp.i0(x),
    "i1": lambda x: sp.i1(x),
    "i0e": lambda x: sp.i0e(x),
    "i1e": lambda x: sp.i1e(x),
    "j0": lambda x: sp.j0(x),
    "j1": lambda x: sp.j1(x),
    "cosm1": lambda x: sp.cosm1(x),
    "entr": lambda x: sp.entr(x),
    "exp10": lambda x: sp.exp10(x),
    "exp2": lambda x: sp.exp2(x),
    "cbrt": lambda x: sp.cbrt(x),
    "betaln": lambda x, y: sp.betaln(x, y),
    "beta": lambda x, y: sp.beta(x, y),
    "xlogy": lambda x, y: sp.xlogy(x, y),
    "xlog1py": lambda x, y: sp.xlog1py(x, y),
    "rel_entr": lambda x, y: sp.rel_entr(x, y),
    "kl_div": lambda x, y: sp.kl_div(x, y),
    "huber": lambda x, y: sp.huber(x, y),
    "pseudo_huber": lambda x, y: sp.pseudo_huber(x, y),
}


@pytest.mark.parametrize("name", CALLS)
def test_value_is_scipys(name):
    """Every number, relative to itself."""
    args = TWO.get(name) or (ONE[name],)
    got = srcad.differentiable(CALLS[name], backend="reference")(*args)
    want = CALLS[name](*args)
    size = np.abs(want)
    if name in ("j0", "j1"):
        size = np.maximum(size, np.sqrt(2.0 / (np.pi * np.maximum(np.abs(args[0]), 1.0))))
    with np.errstate(invalid="ignore"):  # infinite at both ends
        wrong = ~(np.abs(got - want) <= 1e-13 * size + 5e-324) & (got != want)
    assert not wrong.any(), [a[wrong] for a in args]


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_polygamma(order):
    """Its order is a constant."""

    def f(x):
        return sp.polygamma(order, x)

    x = RNG.uniform(0.01, 90, 60)
    got = srcad.differentiable(f, backend="reference")(x)
    np.testing.assert_allclose(got, f(x), rtol=1e-13)
