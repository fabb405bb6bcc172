"""``deterministic=True``: the same bits in every order of the threads, and the right sums."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from srcad.backends.spmd import shuffled
from srcad.cuda import kernel
from srcad.runtime.exact import WORDS, srcad_exact_add, srcad_exact_clear, srcad_exact_value
from tests.kernel_checks import Derivatives, run, woven
from tests.kernels import CASES

# scatters, stencils, sums in shared memory, products, updates in place, maxima, numbers, floats
NAMES = (
    *("dot", "soft_histogram", "hard_histogram", "scan", "layer_norm", "log_sum_exp"),
    *("neighbours", "tiled_matmul", "persistent", "reduce_doubling", "block_maximum"),
    *("nearest_of_bin", "strided_fit", "cross_entropy"),
)


def adjoint(name, seed):
    """Arguments and shadows after the adjoint, threads in some order."""
    case = CASES[name]
    d = Derivatives(case, races=False)
    k = kernel(case.kernel, backend="reference", deterministic=True)
    with shuffled(seed):
        return run(k.adjoint, case, woven(d.args, d.shadows))


@pytest.mark.parametrize("name", NAMES)
def test_every_order(name):
    """Bit for bit the same; to rounding what atomic additions give."""
    one, two = adjoint(name, 1), adjoint(name, 2)
    d = Derivatives(CASES[name], races=False)
    plain = run(d.k.adjoint, CASES[name], woven(d.args, d.shadows))
    for a, b, c in zip(one, two, plain, strict=True):
        if isinstance(a, np.ndarray):
            assert a.tobytes() == b.tobytes()
            single = any(np.asarray(x).dtype == np.float32 for x in d.args)
            np.testing.assert_allclose(a, c, rtol=1e-5 if single else 1e-12, atol=1e-13)


def test_atomics_do_differ():
    """The test above would notice: without the option, orders differ."""
    case = CASES["soft_histogram"]
    d = Derivatives(case, races=False)
    found = set()
    for seed in range(6):
        with shuffled(seed):
            found.add(run(d.k, case, d.args)[-1].tobytes())
    assert len(found) > 1


@pytest.mark.parametrize("kind", ["f8", "f4"])
def test_sums_are_exact(kind):
    """Against fractions: cancellation, the whole range of exponents, denormals."""
    g = np.random.default_rng(1)
    span = (-1080, 1010) if kind == "f8" else (-149, 120)
    for trial in range(200):
        exponents = g.integers(*(span if trial % 2 else (-3, 3)), 9)
        values = np.ldexp(g.normal(size=9), exponents).astype(kind).astype("f8")
        values = [*values, *(-values[1:] if trial % 3 else ())]
        row = np.zeros((2, WORDS[kind]), np.int64)
        for v in values:
            srcad_exact_add(row, 1, v)
        exact = float(sum(map(Fraction, values)))
        assert abs(srcad_exact_value(row, 1) - exact) <= 2 * np.spacing(abs(exact))
        assert not row[0].any()
        srcad_exact_clear(row, 1)
        assert not row.any()


def test_sums_of_infinities():
    """As IEEE has it."""
    for values, total in (
        ((math.inf, 1.0), math.inf),
        ((-math.inf, 1.0), -math.inf),
        ((math.inf, -math.inf), math.nan),
        ((1.0, math.nan), math.nan),
        ((1.5e308, 1.5e308, -1.5e308), 1.5e308),
    ):
        row = np.zeros((1, WORDS["f8"]), np.int64)
        for v in values:
            srcad_exact_add(row, 0, v)
        np.testing.assert_equal(srcad_exact_value(row, 0), total)


def test_second_order():
    """The tangent of the adjoint."""
    case = CASES["tiled_matmul"]
    d = Derivatives(case, races=False)
    given = woven(d.args, d.shadows)
    rng = np.random.default_rng(3)
    t = [rng.normal(size=np.shape(a)) if np.asarray(a).dtype.kind == "f" else None for a in given]
    ends = []
    for choice in (True, False):
        k = kernel(case.kernel, backend="reference", deterministic=choice)
        ends.append(run(k.adjoint.jvp, case, woven(given, t)))
    for x, y in zip(*ends, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-13)
