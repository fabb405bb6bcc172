"""Exceptions of the program come out with the message that plain Python gives them.

What SciPy's own sources are refused for is said of the user's call.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.special

import srcad


def negative(x, n):
    if n < 0:
        raise ValueError(f"bad {n} of {x:.3f} {{}} {n > -9!r}", n)
    return x**n


def shape_of_it(a, n):
    m = len(a) - n
    if m != 0:
        raise AssertionError(f"{a.shape} is no {(n,)}: 10 / {m} is {10 // m:>4d}")
    return np.sum(a * a)


def asserted(x, n):
    assert n * x < 4.0, f"10 / {n} is {10 // n}"
    return x * x


def in_a_helper(x, n):
    for k in range(n):
        x = checked(x, k)
    return x


def checked(x, k):
    if k * x > 4.0:
        raise RuntimeError("step", k, f"diverged at {x}")
    return x * 1.5


def zipped(xs, ys):
    total = 0.0
    for x, y in zip(xs, ys, strict=True):
        total += x * y
    return total


CASES = [(negative, (2.0, -3)), (shape_of_it, (np.ones(3), 5)), (in_a_helper, (1.3, 6))]
CASES += [(zipped, (np.ones(3), np.ones(2))), (zipped, (np.ones(2), np.ones(3)))]


@pytest.mark.parametrize("backend", ["reference", "python", "cpu"])
@pytest.mark.parametrize(("f", "args"), CASES, ids=lambda x: getattr(x, "__name__", ""))
def test_arguments_of_the_exception(f, args, backend):
    """They are those of the plain call, from values and derivatives of any order."""
    with pytest.raises(Exception) as plain:  # noqa: PT011
        f(*args)
    g = srcad.grad(f, backend=backend)
    calls = [lambda: srcad.differentiable(f, backend=backend)(*args), lambda: g(*args)]
    if backend == "reference":
        calls.append(lambda: srcad.hessian(f, backend=backend)(*args))
    for call in calls:
        with pytest.raises(type(plain.value)) as found:
            call()
        assert found.value.args == plain.value.args


def test_the_message_costs_nothing_where_nothing_fails():
    """Its division by zero never happens."""
    assert srcad.grad(asserted, backend="reference")(3.0, 0) == 6.0
    with pytest.raises(AssertionError, match=r"10 / 2 is 5"):
        srcad.grad(asserted, backend="reference")(3.0, 2)


def logarithm(a):
    return np.sum(scipy.linalg.logm(a))


def of_a_ufunc(a):
    return np.sum(scipy.special.erfi(a))


def of_its_own(a):
    return np.sum(np.apply_over_axes(lambda x, k: np.packbits(x), a, 0))


@pytest.mark.parametrize(
    ("f", "name"),
    [(logarithm, ".logm"), (of_a_ufunc, "scipy.special.erfi"), (of_its_own, "np.packbits")],
)
def test_functions_of_scipy_are_refused_where_they_are_called(f, name):
    """The message points at the user's line, whatever of SciPy's own source was met first."""
    with pytest.raises(srcad.UnknownFunction) as raised:
        srcad.grad(f, backend="reference")(np.eye(2))
    assert f"{name} is not a function srcad knows" in raised.value.what
    assert raised.value.loc.file == __file__ and raised.value.instead
