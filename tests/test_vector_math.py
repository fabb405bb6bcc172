"""Vector forms of elementary functions: within 4 units in the last place, in loops and alone."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest

import srcad
from srcad.backends.reference import run
from srcad.ir.text import text
from srcad.ir.verify import verify
from srcad.rules import RULES
from srcad.runtime.vector_math import NAMES, available, variants, vector_math
from srcad.storage.strips import in_strips
from tests.vector_accuracy import errors, points

WIDE = {"exp": (-80.0, 80.0), "sin": (-100.0, 100.0), "cos": (-100.0, 100.0), "log": (1e-30, 1e30)}
OF_MATH = [n for n in NAMES if hasattr(math, n)]


def domain(name):
    """Where a function is tested."""
    if name in WIDE:
        return WIDE[name]
    low, high = RULES[name].domain[0] if name in RULES else (0.1, 0.9)
    return max(low, -20.0), min(high, 20.0)


def compiled():
    """One function that fills a row for every name."""
    names = ", ".join(f"f_{n}" for n in CHOSEN)
    body = "\n".join(f"        out[{k}, i] = f_{n}(x[{k}, i])" for k, n in enumerate(CHOSEN))
    space = {f"f_{n}": vector_math(n) for n in CHOSEN}
    exec(f"def fill(x, out):\n    # {names}\n    for i in range(x.shape[1]):\n{body}\n", space)
    return numba.njit(space["fill"], error_model="numpy")


CHOSEN = ["exp", "log", "sin", "cos", "tanh", "expm1", "log1p", "erf", "atan", "sinh"]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_accuracy_in_loops(kind):
    """Against math in double precision (float32), and extended precision where NumPy has it."""
    fill, rng = compiled(), np.random.default_rng(0)
    x = np.array([rng.uniform(*domain(n), size=4000) for n in CHOSEN]).astype(kind)
    out = np.empty_like(x)
    fill(x, out)
    for k, name in enumerate(CHOSEN):
        exact = np.array([getattr(math, name)(float(v)) for v in x[k]])
        ulp = np.spacing(np.abs(exact).astype(kind)).astype(float)
        assert np.max(np.abs(out[k] - exact) / ulp) <= 4.5, name  # half a unit is math's own


def test_special_values():
    """Infinities, NaN and zeros come out as they should, in vectors too."""
    fill = compiled()
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0] * 8)
    x = np.tile(special, (len(CHOSEN), 1))
    out = np.empty_like(x)
    fill(x, out)
    with np.errstate(all="ignore"):
        exact = np.array([np.exp(special), *map(reference, CHOSEN[1:])])
    np.testing.assert_allclose(out[:, :48], exact, rtol=1e-15, equal_nan=True)


def reference(name):
    """NumPy's (SciPy's) values of the special points."""
    import scipy.special

    f = {"erf": scipy.special.erf, "atan": np.arctan}.get(name) or getattr(np, name)
    return f(np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0] * 8))


def test_names_that_are_not_there():
    """Unknown functions have no vector form; those of integers are not typed."""
    assert variants("no_such_function", 64) == {}
    f = vector_math("exp")
    if variants("exp", 64):
        with pytest.raises(numba.TypingError):
            numba.njit(lambda i: f(i))(1)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(available()))
def test_accuracy_over_the_whole_domain(name, kind):
    """At most 4 units in the last place against mpmath (a sample of ``tests.vector_accuracy``)."""
    x = points(name, 25, kind, np.random.default_rng(1))
    assert np.max(errors(name, x)) <= 4.0


def sigmoids(x, scale):
    """A map and two sums in one loop."""
    total, weight = 0.0, 0.0
    for i in range(len(x)):
        y = 1.0 / (1.0 + math.exp(-scale * x[i]))
        total += y * math.sin(x[i])
        weight -= y
    return total * weight


def stepped(x):
    """Exponentials that a comparison sees."""
    out = np.empty(len(x))
    for i in range(len(x)):
        out[i] = math.exp(x[i])
    best = out[0]
    for i in range(len(x)):
        if out[i] > best:
            best = out[i]
    return best


def test_what_takes_vector_forms():
    """Loops that only compute and sum; nothing that decides, and nothing where it is turned off."""
    x = np.linspace(-1.0, 1.0, 1001)
    on = srcad.value_and_grad(sigmoids, argnums=(0, 1))
    off = srcad.value_and_grad(sigmoids, argnums=(0, 1), vector_math=False)
    if available():
        source = srcad.source(on, x, 1.5)
        assert "vmath.exp(" in source and "vmath.sin(" in source and "raise" not in source
    assert "vmath" not in srcad.source(off, x, 1.5)
    assert "vmath" not in srcad.source(srcad.grad(stepped), x)
    (value, (x_b, scale_b)), (value0, (x_b0, scale_b0)) = on(x, 1.5), off(x, 1.5)
    np.testing.assert_allclose(value, value0, rtol=1e-14)
    np.testing.assert_allclose(scale_b, scale_b0, rtol=1e-13)
    np.testing.assert_allclose(x_b, x_b0, rtol=1e-13, atol=1e-15)


def test_strips_keep_every_bit():
    """Without vector forms, a loop in strips gives exactly what the loop gives."""
    x = np.sin(np.arange(1300.0))
    g = srcad.value_and_grad(sigmoids, argnums=(0, 1), backend="reference")
    program = g.program(g.specs(g.bind((x, 1.5), {})))
    strips = in_strips(program.fn, {"exp", "sin"})
    verify(strips)
    assert "_strip" in text(strips)
    for n in (0, 1, 511, 512, 513, 1300):
        plain, cut = run(program.fn, (x[:n].copy(), 1.5)), run(strips, (x[:n].copy(), 1.5))
        assert all(map(np.array_equal, plain, cut))


def backwards(x, scale):
    """The same from the end."""
    total = 0.0
    for i in range(len(x) - 1, -1, -1):
        total += math.exp(x[i] * scale) + math.sin(x[i])
    return total


def test_strips_downwards():
    """A loop down goes over its strips in the old order as well."""
    x = np.sin(np.arange(1300.0))
    g = srcad.value_and_grad(backwards, argnums=(0, 1), backend="reference")
    program = g.program(g.specs(g.bind((x, 1.5), {})))
    strips = in_strips(program.fn, {"exp", "sin"})
    verify(strips)
    assert ", -512)" in text(strips)
    for n in (0, 1, 511, 512, 513, 1300):
        plain, cut = run(program.fn, (x[:n].copy(), 1.5)), run(strips, (x[:n].copy(), 1.5))
        assert all(map(np.array_equal, plain, cut))
