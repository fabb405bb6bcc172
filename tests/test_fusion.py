"""Loops that run forwards and backwards at once, and step by step: which do, and that it is right.

The zoo (``zoo/iterations.py``) compares such programs with the oracle.  Here: what is recorded does
not grow with the number of iterations where it need not, and random loop bodies against forward
mode, which knows nothing of all this.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import srcad
from tests.programs import BY_NAME
from tests.randprog.loading import load, unload
from tests.randprog.program import RandomProgram
from tests.zoo.registry import mat, vec


def tape(name, *args):
    p = BY_NAME[name]
    return srcad.explain(srcad.grad(p.fn, argnums=p.wrt), *args).tape_bytes


ONCE = {
    "sum_over_rows": lambda n: (mat(n, 3), vec(3)),
    "sum_of_pairs": lambda n: (vec(n), 0.8),
    "divides_by_each": lambda n: (vec(n), vec(n)),
    "in_place_map": lambda n: (vec(n),),
    "rows_through_views": lambda n: (mat(n, 4), mat(n, 4)),
    "counts_on_the_way": lambda n: (vec(n),),
    "scratch_by_constants": lambda n: (vec(n),),
}


@pytest.mark.parametrize("name", ONCE)
def test_what_is_recorded_is_as_large_as_one_iteration(name):
    assert tape(name, *ONCE[name](40)) <= tape(name, *ONCE[name](20)) + 8 * 20


STEPS = {
    "diffusion": (lambda n: (vec(6), n, 0.1), 6),
    "runge_kutta": (lambda n: (vec(4), n), 4),
    "steps_of_a_grid": (lambda n: (mat(4, 4), n), 16),
}


@pytest.mark.parametrize("name", STEPS)
def test_time_steps_keep_one_state_each(name):
    make, state = STEPS[name]
    more = tape(name, *make(30)) - tape(name, *make(20))
    assert more == 10 * state * 8


def test_a_check_that_fails_leaves_what_the_plain_loop_leaves():
    p = BY_NAME["divides_by_each"]
    x, plain, ours = np.array([1.0, 2.0, 0.0, 3.0]), np.ones(4), np.ones(4)
    with pytest.raises(ZeroDivisionError):
        p.fn([float(v) for v in x], plain)
    with pytest.raises(ZeroDivisionError):
        srcad.grad(p.fn)(x, ours)
    assert np.array_equal(plain, ours)


BODY = (
    "q = x[i] * w[0]",
    "q = q * q + x[i]",
    "q = out[i] + w[i % 3] * q",
    "s += q * w[1]",
    "s -= x[i]",
    "s = s * 0.5 + q",
    "r += q * q",
    "r += s",
    "out[i] = q * x[i]",
    "out[i] += 0.5 * q",
    "out[0] += q",
    "x[i] = 0.5 * q",
    "acc[k % 3] += q * w[2]",
    "acc[0] = q",
    "k += 2",
    "k = i",
    "u[0], u[1] = u[1] * q, u[0]",
    "for j in range(3): t[j] = q * w[j]",
    "for j in range(1, 3): t[j] = q + t[j - 1]",
    "t[0] = q",
    "for j in range(3): q += t[j] * t[j]",
    "for j in range(3): u[j] += 0.3 * u[j] * u[j - 1]",
    "for j in range(3): q = 0.3 * q * q + u[j]",
    "for j in range(i % 3): r += t[j] * q",
    "if q > 0.5: s += t[1]",
    "if q > 0.4: q = 0.4 * q",
    "v = x[i:]; v[0] *= 0.9",
    "z = w * 1.0; q += z[1] * z[0]",
)
AFTER = (
    "r = r + s",
    "r = r * s",
    "r -= out[0]",
    "r += np.sum(t)",
    "r += acc[0] * acc[1]",
    "x[0] = s",
)
TEMPLATE = """
import numpy as np


def program(x, w, out, u):
    t = {t}
    acc = np.zeros(3)
    s, r, q, k = 0.1, 0.0, 0.5, 1
    for i in {loop}:
        q = q / (1.0 + q * q)
        {body}
    {after}
    return r + 0.5 * s + u[1]
"""


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(BODY), min_size=2, max_size=7),
    st.lists(st.sampled_from(AFTER), max_size=2),
    st.sampled_from(("np.empty(3)", "np.zeros(3)", "w.copy()")),
    st.sampled_from(("range(len(x))", "range(3, -1, -1)", "range(1, 4)", "range(0)")),
)
def test_random_loops_against_forward_mode(body, after, t, loop):
    if loop == "range(0)":
        t = "np.zeros(3)"
    if t == "np.empty(3)":  # nothing undefined is read
        body = ["for j in range(3): t[j] = q * w[j]", *body]
    text = TEMPLATE.format(t=t, loop=loop, body="\n        ".join(body), after="\n    ".join(after))
    compare_text(text)


def compare_text(text):
    program = RandomProgram(text, "<random loop>", (), "float", {}, "program")
    try:
        compare_modes(load(program))
    finally:
        unload(program)


def compare_modes(f, args=None):
    """Value, exit state, the inner-product identity, and its like for second derivatives."""
    args = args or (vec(4), vec(3, 1), vec(4, 2), vec(3, 3))
    tangents = tuple(np.cos(np.arange(a.size) + k) for k, a in enumerate(args))
    names = tuple(range(len(args)))

    def fresh():
        return tuple(a.copy() for a in args)

    plain, ours = fresh(), fresh()
    try:
        with np.errstate(over="raise", invalid="raise"):
            value = f(*plain)
    except FloatingPointError:
        return
    if not abs(value) < 1e8:  # nothing is left of the digits to compare
        return
    with srcad.using(backend="reference", verify=True):
        got, gradient = srcad.value_and_grad(f, argnums=names)(*ours)
        _, slope = srcad.jvp(f, fresh(), tangents)
        forward = srcad.hvp(f, fresh(), tangents)
        backward = srcad.vjp(srcad.grad(f, argnums=names), *fresh())[1](tangents)
    assert np.isclose(got, value, rtol=1e-12)
    for a, b in zip(plain, ours, strict=True):
        assert np.allclose(a, b, rtol=1e-12)
    size = max(1.0, *(float(np.max(np.abs(g))) for g in (*gradient, *forward)))
    if size > 1e8:
        return
    assert np.isclose(dot(gradient, tangents), slope, rtol=1e-9, atol=1e-11 * size)
    for a, b in zip(forward, backward, strict=True):
        assert np.allclose(a, b, rtol=1e-8, atol=1e-10 * size)


def dot(a, b):
    return sum(float(x @ y) for x, y in zip(a, b, strict=True))


def powers(a):
    """The cube of each matrix, from the identity by repeated products."""
    out = np.empty(a.shape)
    for i in range(a.shape[0]):
        product = np.zeros((2, 2))
        for j in range(2):
            product[j, j] = 1.0
        k = 3
        while k > 0:
            product = np.dot(product, a[i])
            k -= 1
        out[i] = product
    return out


def test_array_that_a_loop_starts_from_is_cleared():
    """An array that a loop reads only under another name is zero where it was made so."""
    a = np.array([[[0.5, 1.0], [2.0, 0.25]], [[1.5, -1.0], [0.0, 0.75]]])
    f = srcad.differentiable(powers, backend="reference", poison=True)
    np.testing.assert_allclose(f(a), np.linalg.matrix_power(a, 3), rtol=1e-13)
