"""Every program of the zoo: value, exit state and derivatives agree with the oracle.

All run under the reference backend, verified after every pass and with storage poisoned that the
reverse sweep must not read.  The third of them marked ``jit`` is compiled: the value is that of
plain ``numba.njit``, gradients are those of the oracle; tangents are checked on every second and
second derivatives on every fourth of these, to bound the time spent in the compiler.
"""

import types

import numpy as np
import pytest

import srcad
from tests import zoo_checks
from tests.check_njit import _compiled, deep_njit
from tests.programs import PROGRAMS
from tests.zoo_checks import Expected, check, check_exit, expect, quiet, tolerance

REFERENCE = {"backend": "reference", "verify": True, "poison": True}
JIT = [p for p in PROGRAMS if p.jit]
PLAIN = [
    p for p in JIT if p.njit and isinstance(getattr(p.fn, "py_func", p.fn), types.FunctionType)
]


def over(programs):
    """A test for each of these programs."""
    return pytest.mark.parametrize("program", programs, ids=str)


@over(PROGRAMS)
def test_reference(program):
    """Everything, interpreted."""
    check(program, REFERENCE)
    check_exit(program, REFERENCE)


@over(JIT)
def test_compiled_gradient(program):
    """Value, exit state and gradient, compiled."""
    expected, f = Expected(program), srcad.differentiable(program.fn, backend="cpu")
    with quiet():
        if expected.scalar:
            zoo_checks.check_gradient(expected, f)
        else:
            zoo_checks.check_pullback(expected, f)


@over(JIT[::2])
def test_compiled_jvp(program):
    """Forward mode, compiled."""
    with quiet():
        zoo_checks.check_jvp(Expected(program), srcad.differentiable(program.fn, backend="cpu"))


@over([p for p in JIT if "array_output" not in p.tags][1::4])
def test_compiled_hvp(program):
    """Forward over reverse, compiled."""
    expected = Expected(program)
    if not expected.scalar:
        pytest.skip("the result is not one float")
    with quiet():
        zoo_checks.check_hvp(expected, srcad.differentiable(program.fn, backend="cpu"))


@over(PLAIN)
def test_value_is_that_of_njit(program):
    """The plain call is what numba makes of the same function."""
    given, plain = program.args(), [_compiled(a, {}) for a in program.args()]
    with quiet():
        want = deep_njit(getattr(program.fn, "py_func", program.fn))(*plain, **program.kwargs)
        got = srcad.differentiable(program.fn, backend="cpu")(*given, **program.kwargs)
    tol = min(tolerance(program), 1e-12) if "float32" not in program.tags else 1e-6
    expect("value", got, want, tol)
    expect(
        "exit state",
        [a for a in given if isinstance(a, np.ndarray)],
        [a for a in plain if isinstance(a, np.ndarray)],
        tol,
    )


def test_a_third_is_compiled():
    """The share of programs that run under JIT."""
    assert 3 * len(JIT) >= len(PROGRAMS)
