"""The derivative of every elementwise function at operands of every size, against mpmath."""

from __future__ import annotations

import math
import random

import mpmath as mp  # type: ignore[import-untyped]
import pytest

from tests.test_accuracy import EPS, SMOOTH, TERMS, conditioning, emitted, partials_of
from tests.test_rules import operands

# operands of every size; functions whose exact values take long there are left out, and sinc,
# whose phase has no digit there, and complex powers, accurate relative to the modulus
SIZE_OF_ALL = (2.3e-308, 1e-300, 1e-160, 1e-20, 0.3, 1.5, 7.25, 1e20, 1e160, 1e300)
SLOW = {"sinc", "bessel_i", "bessel_i_scaled", "bessel_j", "erfc_integral", "erfcx", "log_ndtr"}
SLOW |= {
    "beta",
    "betaln",
    "digamma",
    "erfcinv",
    "erfinv",
    "gamma",
    "gammaln",
    "lgamma",
    "ndtr",
    "ndtri",
}
EXTREME = sorted(set(SMOOTH) - SLOW - {"cpow_re", "cpow_im", "polygamma", "ldexp", "select"})
REAL = {"log": 0, "log2": 0, "log10": 0, "log1p": -1, "xlogy": 0, "xlog1py": -1}  # from where on
REAL |= {
    "acosh": 1,
    "entr": 0,
    "rel_entr": 0,
    "kl_div": 0,
    "pow": 0,
    "fpow": 0,
    "float_power": 0,
    "logit": 0,
}


@pytest.mark.parametrize("name", EXTREME)
def test_extreme_operands(name: str) -> None:
    """A derivative that is a normal number is not lost on the way, however large its operands."""
    rnd = random.Random(name)
    low, count = REAL.get(name, -math.inf), len(operands(name))
    checked = 0
    with mp.workdps(50):
        for _ in range(40):
            floats = tuple(rnd.choice((1, -1)) * rnd.choice(SIZE_OF_ALL) for _ in range(count))
            if min(floats) <= low:
                continue
            point = tuple(map(mp.mpf, floats))
            exact, around = partials_of(name, point), conditioning(name, point)
            terms = TERMS[name](*point) if name in TERMS else 0
            for f, e, c in zip(emitted(name).at(floats), exact, around, strict=True):
                if mp.im(e) == 0 and 2.3e-308 <= abs(e) <= 1.7e308:
                    bound = 16 * EPS * (abs(e) + c + terms)
                    assert abs(f - e) <= bound, (floats, f, float(e))
                    checked += 1
    assert checked or name in ("asin", "acos", "acosh", "atanh", "heaviside")
