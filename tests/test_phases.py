"""Loops in phases: where that happens, where it must not, and that every bit stays.

Programs are run by the interpreter before and after the pass, strips of three iterations, whether
it is worth it or not.  Cotangents are compared to the last bit too: no sum changes its order.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import srcad
from srcad.ir.text import text
from srcad.ir.verify import verify
from srcad.storage.phases import phased
from tests.phase_programs import arguments, load, source
from tests.test_jam import outcome, same


def springs(x, pairs, stiff):
    """Energy of springs between points, with a branch and a division by the length."""
    total = 0.0
    for k in range(pairs.shape[0]):
        i = pairs[k, 0]
        j = pairs[k, 1]
        a = x[i, 0] - x[j, 0]
        b = x[i, 1] - x[j, 1]
        c = x[i, 2] - x[j, 2]
        square = a * a + b * b + c * c
        if square > 0.01:
            length = math.sqrt(square)
            bent = math.sin(length) / length
            more = (length - 1.0) * (length - 1.0) * bent + 0.25 * square / length
        else:
            more = square * square * (1.0 - square)
        total += stiff * more
    return total


def handed_on(x, pairs, stiff):
    """Everything depends on the iteration before."""
    s = 1.0
    for k in range(pairs.shape[0]):
        a = x[pairs[k, 0], 0] + s
        s = stiff * math.sin(a * a + 0.5 * a + 0.1) / (2.0 + a * a)
    return s


def in_place(x, pairs, stiff):
    """What is read may have been written by an earlier iteration."""
    total = 0.0
    y = x.copy()
    for k in range(pairs.shape[0]):
        i, j = pairs[k, 0], pairs[k, 1]
        a = y[i, 0] - y[j, 0]
        b = math.sin(a * a + 0.5 * a + 0.1) / (2.0 + a * a)
        y[i, 0] -= stiff * b
        y[j, 0] += stiff * b
        total += b
    return total


def own_elements(x, pairs, stiff):
    """Each iteration reads its own element before it writes it."""
    total = 0.0
    y = np.ones(pairs.shape[0])
    for k in range(pairs.shape[0]):
        a = y[k] + x[pairs[k, 0], 0] - x[pairs[k, 1], 1]
        y[k] = math.sin(a * a + 0.5 * a + 0.1) / (2.0 + a * a)
        total += a * y[k]
    return total


def raising(x, pairs, stiff):
    """Another exception than that of a division."""
    total = 0.0
    for k in range(pairs.shape[0]):
        a = x[pairs[k, 0], 0]
        if a > 1e6:
            raise ValueError("too large")
        total += stiff * math.sin(a * a + 0.5 * a + 0.1) / (2.0 + a * a)
    return total


def written_outside(x, out, pairs):
    """It shows in an argument which iterations have run before a division fails."""
    for k in range(pairs.shape[0]):
        out[k] = 1.0 / x[pairs[k, 0], 0] + math.sin(x[pairs[k, 1], 1])
    return out[0]


def sometimes(x, pairs, stiff):
    """It divides by a number of one side of a branch, which is zero on the other side."""
    total = 0.0
    for k in range(pairs.shape[0]):
        a, b = x[pairs[k, 0]], x[pairs[k, 1]]
        if b < 0.5:
            total += stiff * math.sin(a) / b
        else:
            total += a * b * stiff
    return total


def weighted(x, pairs, stiff):
    """Little to compute."""
    total = 0.0
    for k in range(pairs.shape[0]):
        total += stiff * x[pairs[k, 0], 0] * x[pairs[k, 1], 1]
    return total


def program(f, *args, gradient=False):
    """The IR of a function or of its gradient."""
    floats = tuple(k for k, a in enumerate(args) if np.asarray(a).dtype == np.float64)
    transform = srcad.value_and_grad if gradient else srcad.differentiable
    options = {"argnums": floats} if gradient else {}
    g = transform(f, backend="reference", **options)
    return g.program(g.specs(g.bind(args, {}))).fn


def springy(n=9, m=20):
    """Arguments of ``springs``."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 3)), rng.integers(-n, n, (m, 2)), 0.7


def compare(fn, args, strip=3):
    """Run before and after: the same bits, the same exception."""
    after = phased(fn, strip=strip, always=True)
    verify(after)
    (p, p_args), (q, q_args) = outcome(fn, args), outcome(after, args)
    assert all(map(same, p_args, q_args))
    if isinstance(p, str) or isinstance(q, str):
        assert p == q
        return
    assert all(map(same, p, q))


def fires(fn, always=True):
    """Whether the pass does something."""
    return "lanes: i8" in text(phased(fn, ("sin", "cos"), always=always))


@pytest.mark.parametrize("block", range(4))
def test_random_loops(block):
    """Values and cotangents are the same bits, exceptions the same; strips end anywhere."""
    changed = 0
    for seed in range(block * 10, block * 10 + 10):
        f = load(seed)
        for gradient in (False, True):
            fn = program(f, *arguments(seed, 7), gradient=gradient)
            changed += fires(fn)
            for m in (0, 1, 7):
                try:
                    compare(fn, arguments(seed, m))
                except AssertionError as e:
                    raise AssertionError(f"{source(seed)}m = {m}, gradient = {gradient}") from e
    assert changed > 4


def test_what_runs_in_phases():
    """Elements far apart, a branch, divisions, a sum in order: worth it for the gradient."""
    x, pairs, stiff = springy()
    for gradient in (False, True):
        fn = program(springs, x, pairs, stiff, gradient=gradient)
        assert fires(fn, always=not gradient)
        for m in (0, 1, 2, 3, 20):
            compare(fn, (x, pairs[:m], stiff))
    again = x.copy()
    again[3], again[4, 1] = again[2], np.nan  # the other branch; a number that is none
    compare(fn, (again, np.array([[2, 3], [4, 5], [3, 2], [0, 1]]), stiff))


@pytest.mark.parametrize("f", [handed_on, in_place, raising])
def test_what_stays(f):
    """Iterations that depend on each other; failures that are not those of a division."""
    x, pairs, stiff = springy()
    fn = program(f, x, pairs, stiff)
    assert not fires(fn)
    compare(fn, (x, pairs, stiff))


def test_elements_of_ones_own():
    """They are read before any of the strip is written."""
    x, pairs, stiff = springy()
    for gradient in (False, True):
        fn = program(own_elements, x, pairs, stiff, gradient=gradient)
        assert fires(fn) or gradient
        compare(fn, (x, pairs, stiff))


def test_overlapping_arguments():
    """What is written may be what is read, and shows when something fails."""
    x, pairs, _ = springy()
    fn = program(written_outside, x, np.zeros(20), pairs)
    assert not fires(fn)
    x[pairs[13, 0], 0] = 0.0
    compare(fn, (x, np.zeros(20), pairs))


def test_failures():
    """A division by zero in any iteration is raised; on the side not taken it is none."""
    for gradient in (False, True):
        fn = program(sometimes, np.ones(3), np.zeros((7, 2), np.int64), 0.7, gradient=gradient)
        assert fires(fn)
        for at in (None, 0, 2, 3, 6):
            pairs = np.zeros((7, 2), np.int64)
            if at is not None:
                pairs[at] = 1, 2
            compare(fn, (np.array([1.0, 0.0, -1.0]), pairs, 0.7))
            compare(fn, (np.array([1.0, 0.0, 0.0]), pairs, 0.7))


def test_few_operations():
    """A sum of products is left to LLVM, and so are short loops."""
    x, pairs, stiff = springy()
    assert not fires(program(weighted, x, pairs, stiff), always=False)
    assert not fires(program(weighted, x, pairs, stiff, gradient=True), always=False)


def test_compiled():
    """The value is that of the function itself, to the last bit; the gradient that of the
    interpreter."""
    rng = np.random.default_rng(0)
    x, pairs = rng.normal(size=(50, 3)), rng.integers(-50, 50, (200, 2))
    value, (x_b,) = srcad.value_and_grad(springs, argnums=(0,), vector_math=False)(x, pairs, 0.7)
    assert value == springs(x, pairs, 0.7)
    expected = srcad.grad(springs, backend="reference")(x, pairs, 0.7)
    np.testing.assert_allclose(x_b, expected, rtol=1e-11, atol=1e-11)
    with pytest.raises(ZeroDivisionError):
        srcad.grad(sometimes)(np.zeros(3), np.full((100, 2), 1), 0.7)
