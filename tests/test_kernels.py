"""Kernels of the zoo: tangents, adjoints, second order, races, by the interpreter of threads."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from srcad.cuda import kernel
from tests.kernel_checks import Derivatives, check_first, check_reversed, check_second, woven
from tests.kernels import CASES


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_first_order(case):
    """Tangents are differences, adjoints their transpose; no two threads race."""
    check_first(case)


@pytest.mark.parametrize("name", [n for n, c in CASES.items() if c.second])
def test_second_order(name):
    """The tangent of the adjoint."""
    check_second(CASES[name])


TWICE = ("saxpy", "strided_fit", "soft_histogram", "tiled_matmul", "newton", "ray_marcher")
TWICE += ("block_maximum", "whole_maximum", "tile_with_halo", "red_black", "private_bins")


@pytest.mark.parametrize("name", TWICE)
def test_reverse_over_reverse(name):
    """The adjoint of the adjoint: numbers, atomics, barriers, records of unknown length."""
    check_reversed(CASES[name])


@pytest.mark.parametrize("steps", ["adjoint adjoint", "jvp adjoint", "adjoint jvp"])
def test_third_order(steps):
    """A loop that is left early; its record, the shadow of that, and the tangent of that."""
    check_reversed(CASES["newton"], tuple(steps.split()))


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


def test_the_text_says_who_adds_to_what():
    """The docstring of an adjoint kernel."""
    case = CASES["strided_fit"]
    d = Derivatives(case)
    k = kernel(case.kernel, backend="reference")
    text = k.adjoint[case.launch].source(*woven(d.args, d.shadows))
    assert "Adds to slope_b, shift_b by blocks; x_b, y_b plainly" in text
    assert text.count("cuda.atomic.add") == 2  # one for each number and block
    assert "workspace" not in text


def test_another_launch_another_kernel():
    """Threads that are numbered along one axis and launched along two share elements."""
    k = kernel(CASES["one_axis_of_two"].kernel, backend="reference", races=True)
    x, x_b, total = np.arange(1.0, 5.0), np.zeros(4), np.zeros(1)
    k.adjoint[1, 4](x, x_b, total, np.ones(1))
    np.testing.assert_allclose(x_b, 2 * x)
    assert "x_b[grid_x] +=" in k.adjoint[1, 4].source(x, x_b, total, total)
    k.adjoint[1, (4, 2)](x, x_b, np.zeros(1), np.ones(1))
    np.testing.assert_allclose(x_b, 6 * x)
    assert "atomic.add(x_b" in k.adjoint[1, (4, 2)].source(x, x_b, total, total)


def test_tapes_are_where_they_fit():
    """Short ones are the thread's own, others rows of a workspace."""
    texts = {}
    for name in ("reduce_while", "counted_by_argument", "neighbours"):
        case, d = CASES[name], Derivatives(CASES[name])
        k = kernel(case.kernel, backend="reference")
        texts[name] = k.adjoint[case.launch].source(*woven(d.args, d.shadows))
    assert "cuda.local.array" in texts["reduce_while"]
    assert "workspace" not in texts["reduce_while"]
    assert "workspace_f8" in texts["counted_by_argument"]
    assert "tape" not in texts["neighbours"]  # computed again


def test_example():
    """The filter of ``examples/cuda_kernels.py`` is found."""
    path = Path(__file__).resolve().parents[1] / "examples" / "cuda_kernels.py"
    spec = importlib.util.spec_from_file_location("cuda_kernels", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    np.testing.assert_allclose(example.fit("reference", 3), [0.25, 1.0, -0.5], atol=0.2)


def test_captured_numbers_are_seen():
    """A number of the module that changes makes another kernel."""
    from tests.kernels import styles

    k = kernel(styles.constants, backend="reference")
    x, before, after = np.ones(3), np.zeros(3), np.zeros(3)
    k[1, 4](x, before)
    known = styles.SCALE
    try:
        styles.SCALE = 2 * known
        k[1, 4](x, after)
    finally:
        styles.SCALE = known
    np.testing.assert_allclose(after - 1, 2 * (before - 1))


def test_derivatives_are_made_once():
    """``k.adjoint`` is one object, which keeps what it has compiled."""
    k = kernel(CASES["saxpy"].kernel, backend="reference")
    assert k.adjoint is k.adjoint
    assert k.adjoint.jvp is k.adjoint.jvp
    assert k.adjoint[1, 8] is k.adjoint[1, 8]
