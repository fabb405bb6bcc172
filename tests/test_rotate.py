"""Arrays that change places stay where they are: which do, that it is right, which must not.

Gradients are compared with forward mode, which moves references as the program does; second
derivatives with forward over forward; what the caller sees with plain Python.
"""

from __future__ import annotations

import numpy as np
import pytest

import srcad
from srcad.analyses.regions import is_reference
from srcad.backends.reference import run
from srcad.compiler import lowered
from srcad.ir.nodes import For
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.transforms.rotate import rotated
from tests.rotating_programs import OTHERS, ROTATED, heat, leapfrog, mutated


def arguments(n=6, steps=3):
    """Arguments of one of the programs."""
    return 0.4 + 0.3 * np.sin(np.arange(float(n))), steps, 0.3


def lower(f):
    """The program as IR."""
    g = srcad.grad(f)
    return lowered(f, g.specs(g.bind(arguments(), {})), srcad.options.Options()).fn


def carrying(fn):
    """The loops that carry arrays."""
    loops = (s for s in statements(fn.body) if isinstance(s, For))
    return [s for s in loops if any(is_reference(c.arg) for c in s.carried)]


@pytest.mark.parametrize("f", ROTATED, ids=lambda f: f.__name__)
def test_the_primal_gives_the_same_bits(f):
    """Whole cycles and what is left of them, as verified IR that carries no array."""
    fn = lower(f)
    after = rotated(fn)
    verify(after)
    assert carrying(fn) and not carrying(after)
    for steps in range(7):
        found, expected = (run(p, arguments(7, steps)) for p in (after, fn))
        assert np.array(found).tobytes() == np.array(expected).tobytes()


@pytest.mark.parametrize("f", OTHERS, ids=lambda f: f.__name__)
def test_others_stay(f):
    """Where it is not known which array is which, or somebody could tell that one has moved."""
    fn = lower(f)
    assert rotated(fn) is fn


@pytest.mark.parametrize("f", [*ROTATED, *OTHERS], ids=lambda f: f.__name__)
def test_gradients_are_right(f):
    """For no step, one, and numbers that are whole cycles and are not."""
    g = srcad.value_and_grad(f, argnums=(0, 2), backend="reference")
    forward = srcad.jacfwd(f, argnums=(0, 2), backend="reference")
    for steps in (0, 1, 2, 3, 4, 5, 6, 7) if f in ROTATED[:4:3] else (0, 3, 4):
        value, found = g(*arguments(5, steps))
        assert value == f(*arguments(5, steps))
        for x, y in zip(found, forward(*arguments(5, steps)), strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("f", [heat, leapfrog], ids=lambda f: f.__name__)
def test_second_derivatives(f):
    """Of the program that has its arrays in place."""
    found = srcad.hessian(f, backend="reference")(*arguments(5, 3))
    one = srcad.jacfwd(f, backend="reference")
    step = 1e-6 * np.eye(5)
    x, *rest = arguments(5, 3)
    columns = [(one(x + h, *rest) - one(x - h, *rest)) / 2e-6 for h in step]
    np.testing.assert_allclose(found, columns, rtol=2e-7, atol=2e-7)


def test_the_caller_sees_the_argument_as_the_program_leaves_it():
    """Whichever array it is in the end."""
    for steps in (2, 3):
        seen, plain = arguments(6, steps), arguments(6, steps)
        srcad.grad(mutated, backend="reference")(*seen)
        mutated(*plain)
        np.testing.assert_array_equal(seen[0], plain[0])


def test_compiled_adjoints_record_no_references():
    """Nothing in the gradient that is compiled changes places."""
    source = srcad.source(srcad.grad(heat, backend="cpu"), *arguments(9, 5))
    assert "append" not in source and "u, v = v, u" not in source
