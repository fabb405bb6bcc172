"""How accurate the vector forms of elementary functions are, over their whole domains.

    python -m tests.vector_accuracy --count 20000

Largest error of each function in compiled loops, in units in the last place, against mpmath; exit
status 1 where one exceeds 4.  The points: magnitudes of all orders, both signs, the neighbourhood
of zero and one, and the range where the results are finite.
"""

from __future__ import annotations

import argparse
import math
import sys

import mpmath
import numba
import numpy as np

from srcad.runtime.vector_math import available, vector_math

LIMIT = 4.0
FINITE = {  # where arguments are taken from, besides magnitudes of all orders
    **dict.fromkeys(("exp", "expm1"), (-745.0, 709.7)),
    **dict.fromkeys(("sinh", "cosh"), (-710.0, 710.0)),
    **dict.fromkeys(("log", "log2", "log10"), (0.0, math.inf)),
    **dict.fromkeys(("asin", "acos", "atanh"), (-1.0, 1.0)),
    "log1p": (-1.0, math.inf),
    "acosh": (1.0, math.inf),
    "tanh": (-25.0, 25.0),
    "erf": (-6.5, 6.5),
    "erfc": (-6.5, 27.2),
}
EXACT = {"log2": lambda x: mpmath.log(x, 2)}
SINGLE = {"exp": 87.0, "expm1": 87.0, "sinh": 87.0, "cosh": 87.0, "erfc": 9.0}  # of float32


def points(name: str, count: int, kind: type, rng: np.random.Generator) -> np.ndarray:
    """Arguments of a function."""
    double = kind is np.float64
    orders, small, digits = (300, -20, -15) if double else (37, -8, -6)
    sign = rng.choice([-1.0, 1.0], (3, count))
    low, high = FINITE.get(name, (-math.inf, math.inf))
    x = np.concatenate(
        [
            sign[0] * 10.0 ** rng.uniform(-orders, orders, count),
            sign[1] * 10.0 ** rng.uniform(small, 1.5, count),
            1.0 + sign[2] * 10.0 ** rng.uniform(digits, 0, count),
            rng.uniform(max(low, -1e3), min(high, 1e3), count),
        ]
    ).astype(kind)
    top = math.inf if double else SINGLE.get(name, math.inf)
    return x[(x > low) & (x < high) & (abs(x) < top)]


def errors(name: str, x: np.ndarray) -> np.ndarray:
    """Errors of a compiled loop in units in the last place."""
    f = vector_math(name)

    @numba.njit(error_model="numpy")
    def fill(x, out):
        for i in range(len(x)):
            out[i] = f(x[i])

    out = np.empty_like(x)
    fill(x, out)
    exact = EXACT.get(name) or getattr(mpmath, name)
    with mpmath.workprec(120):
        return np.array([_error(out[k], exact(mpmath.mpf(float(x[k])))) for k in range(len(x))])


def _error(found: np.floating, exact: mpmath.mpf) -> float:
    nearest = found.dtype.type(float(exact))
    if not np.isfinite(nearest):
        return 0.0 if found == nearest else math.inf
    return float(abs(mpmath.mpf(float(found)) - exact) / float(np.spacing(abs(nearest))))


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="points of each kind")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    worst = 0.0
    for kind in (np.float64, np.float32):
        for name in sorted(available()):
            x = points(name, given.count, kind, np.random.default_rng(given.seed))
            e = errors(name, x)
            at = int(np.argmax(e))
            print(f"{kind.__name__} {name:6} {e[at]:5.2f} ulp at {x[at]!r}", flush=True)
            worst = max(worst, e[at])
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
