"""Kernels of the zoo: tangents, adjoints, second order, races, by the interpreter of threads."""

from __future__ import annotations

import pytest

from srcad.cuda import kernel
from tests.kernel_checks import Derivatives, check_first, check_second, woven
from tests.kernels import CASES


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_first_order(case):
    """Tangents are differences, adjoints their transpose; no two threads race."""
    check_first(case)


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.second])
def test_second_order(name):
    """The tangent of the adjoint."""
    check_second(CASES[name])


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.plain])
def test_owned_shadows_have_no_atomics(name):
    """Where the index is the thread's own, the adjoint accumulates plainly."""
    case = CASES[name]
    d = Derivatives(case)
    k = kernel(case.kernel, backend="reference")
    text = k.adjoint[case.launch].source(*woven(d.args, d.shadows))
    for shadow in case.plain:
        assert f"atomic.add({shadow}," not in text
        assert f"{shadow}[" in text
