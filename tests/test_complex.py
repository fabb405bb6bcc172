"""Complex numbers: values, derivatives, conventions, refusals.

Oracles: NumPy's and plain Python's values; for elementwise functions the Taylor coefficients from
values on a circle (Cauchy's formula), which know nothing of real and imaginary parts; for programs
differences in both parts, and forward against reverse mode by JAX's pairing; JAX itself where it is
installed.  What is declared complex-capable is enumerated from the registries, and so is what is
not: each of those must refuse by name.
"""

from __future__ import annotations

import cmath
import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcad
from srcad.errors import TypeMismatch
from srcad.ir.nodes import Var
from srcad.ir.primitives_base import PRIMITIVES
from srcad.ir.primitives_complex import ANALYTIC
from srcad.ir.types import C8, C16, F4, F8, is_complex, promote
from srcad.ir.walk import variables
from srcad.rules.registry import FUNCTIONS
from tests.complex_programs import PROGRAMS
from tests.test_library import same

R = {"backend": "reference"}
H = {"holomorphic": True, **R}


def points(seed: int, *shape: int) -> np.ndarray:
    """Random complex numbers."""
    rng = np.random.default_rng(seed)
    return 1.5 * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape))


# elementwise functions, from the table of primitives
def elementwise() -> dict[str, Callable[..., Any]]:
    """A NumPy function (or an operator) for every analytic primitive."""
    numpys = {f: op for f, op in FUNCTIONS.items() if getattr(np, f.__name__, None) is f}
    ufuncs = {op: f for f, op in numpys.items() if isinstance(f, np.ufunc) and op in ANALYTIC}
    return {**ufuncs, "fpow": lambda z, w: z**w, "neg": lambda z: -z}


ELEMENTWISE = elementwise()
AXES = [
    *(complex(a, b) for a in (-2.0, -0.5, 0.5, 2.0) for b in (0.0, -0.0)),
    *(complex(a, b) for b in (-2.0, -0.5, 0.5, 2.0) for a in (0.0, -0.0)),
]


def of_one(op: str) -> Callable[[Any], Any]:
    """A function of one number: of two, both depend on it."""
    f = ELEMENTWISE[op]
    if PRIMITIVES[op].arity == 1:
        return lambda z: f(z)
    return lambda z: f(z, (0.7 - 0.4j) * z + 0.2j)


def taylor(f: Callable[[Any], Any], z: complex) -> tuple[complex, complex]:
    """First and second derivative from values on a circle."""
    turn = 1e-3 * abs(z) * np.exp(2j * np.pi * np.arange(16) / 16)
    values = np.array([complex(f(np.complex128(z + t))) for t in turn])
    return np.mean(values / turn), 2 * np.mean(values / turn**2)


def test_every_analytic_primitive_is_here():
    """The table of primitives and the functions tested below are the same."""
    assert set(ELEMENTWISE) == set(ANALYTIC)


@pytest.mark.parametrize("op", ANALYTIC)
def test_elementwise_value(op):
    """NumPy's values, on both sides of the branch cuts too."""
    f = of_one(op)
    compiled = srcad.differentiable(f, **R)
    for z in (*points(1, 20), *AXES):
        want = complex(f(np.complex128(z)))
        assert abs(compiled(complex(z)) - want) <= 1e-14 * max(abs(want), 1e-3), z


@pytest.mark.parametrize("op", ANALYTIC)
def test_elementwise_derivatives(op):
    """Forward, reverse and second derivatives against Cauchy's formula."""
    f = of_one(op)
    forward, reverse = srcad.jacfwd(f, **H), srcad.grad(f, **H)
    second = [srcad.grad(reverse, **H), srcad.jacfwd(reverse, **H)]
    for z in map(complex, points(2, 4)):
        d, dd = taylor(f, z)
        for g in (forward, reverse):
            assert abs(g(z) - d) <= 1e-10 * max(abs(d), 1), z
        for g in second:
            assert abs(g(z) - dd) <= 1e-7 * max(abs(dd), abs(d), 1), z


@pytest.mark.parametrize("op", ["log", "sqrt", "asin"])
def test_elementwise_on_arrays(op):
    """Broadcast, strided, complex64."""
    f, z = of_one(op), points(3, 2, 3)
    for a in (z, np.asfortranarray(z), z[:, ::-1], z[:0], z[0, :1]):
        same(srcad.differentiable(f, **R)(a), f(a), 1e-13)
    single = z.astype(np.complex64)
    got = srcad.differentiable(f, **R)(single)
    want = f(single)
    assert got.dtype == want.dtype
    same(got, want, 1e-5)


def on_the_unit_circle(z):
    return np.log(z), np.sqrt(z * z), z / abs(z), np.angle(z)


def test_singular_points():
    """Conventions: modulus and angle have derivative 0 at 0; whole powers are polynomials."""
    assert srcad.grad(lambda z: abs(z), **R)(0j) == 0
    assert srcad.grad(lambda z: np.angle(z), **R)(0j) == 0
    for p, first, second in ((2, 0, 2), (2.0, 0, 2), (1.0, 1, 0), (3.0, 0, 0), (0.0, 0, 0)):
        g = srcad.grad(lambda z, p: z**p, **H)
        assert g(0j, p) == first
        assert srcad.grad(g, **H)(0j, p) == second
    assert not np.isfinite(srcad.grad(lambda z: np.sqrt(z), **H)(0j))
    masked = srcad.grad(lambda z: np.sum(np.where(np.abs(z) > 0, np.sqrt(z), 0)).real, **R)
    np.testing.assert_allclose(masked(np.array([0j, 4 + 0j])), [0, 0.25])


def test_both_sides_of_a_branch_cut():
    """The sign of a zero decides, in the derivative as in the value."""
    g = srcad.grad(lambda z: np.sqrt(z), **H)
    assert g(complex(-4, 0.0)) == pytest.approx(-0.25j)
    assert g(complex(-4, -0.0)) == pytest.approx(0.25j)
    assert srcad.differentiable(lambda z: np.log(-1.0 * z), **R)(1 + 0j) == cmath.log(-1.0 + 0j)


# programs
def flat(x: Any) -> np.ndarray:
    """All numbers of a result."""
    if isinstance(x, (tuple, list)):
        return np.concatenate([flat(v) for v in x])
    return np.asarray(x, complex).ravel()


Z, W = points(4, 2, 3), points(5, 2, 3)


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_program(f):
    """The value is Python's, derivatives are those of differences; the IR is verified."""
    want = flat(f(Z.copy(), W.copy()))
    got = flat(srcad.differentiable(f, verify=True, **R)(Z.copy(), W.copy()))
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13)
    srcad.check_grads(f, (np.asfortranarray(Z), W[:, ::-1]), order=1, **R)


SECOND = ["loop_", "branch_", "partsw_", "cmath_", "rec_", "dict_", "tern_"]


@pytest.mark.parametrize("f", [f for f in PROGRAMS if f.__name__ in SECOND])
def test_second_order(f):
    """Derivatives of the Jacobian of the parts."""
    srcad.check_grads(f, (Z, W), order=2, **R)


@pytest.mark.parametrize("name", ["loop_"])
def test_compiled(name):
    """Numba gives what the interpreter gives."""
    (f,) = (f for f in PROGRAMS if f.__name__ == name)
    (out, pull), (out_r, pull_r) = (srcad.vjp(f, Z, W, backend=b) for b in ("cpu", "reference"))
    np.testing.assert_allclose(flat(out), flat(out_r), rtol=1e-13)
    seed = copy.deepcopy(out)
    np.testing.assert_allclose(flat(pull(seed)), flat(pull_r(seed)), rtol=1e-12)


def test_no_complex_number_is_left():
    """Every variable after the pass is real."""
    from srcad.compiler import lowered
    from srcad.frontend.arguments import spec_of
    from srcad.options import Options

    (f,) = (f for f in PROGRAMS if f.__name__ == "list_")
    made = lowered(f, {"z": spec_of(Z), "w": spec_of(W)}, Options(**R))
    assert not [v for v in variables(made.fn) if is_complex(v.type)]


# conventions
def real_of_complex(z):
    return np.sum(np.abs(z) ** 2 * z.real) + np.sum(z * z * z).imag


def complex_of_real(x):
    return np.exp(1j * x) * x[0]


def mixed(z, x):
    u = z.copy()
    for k in range(1, len(u)):
        u[k] = u[k - 1] * u[k] + x[k] * np.conj(z[k])
    return u * x, np.sum(u * np.conj(u)).real


def test_gradient_without_an_oracle():
    """d/dx - i d/dy, from the gradient of the same function of two real arrays."""

    def in_parts(x, y):
        r = x * x + y * y
        cube = 3.0 * x * x * y - y * y * y
        return np.sum(r * x) + np.sum(cube)

    z = points(6, 3)
    by_x, by_y = srcad.grad(in_parts, argnums=(0, 1), **R)(z.real.copy(), z.imag.copy())
    np.testing.assert_allclose(srcad.grad(real_of_complex, **R)(z), by_x - 1j * by_y, rtol=1e-13)
    value, g = srcad.value_and_grad(real_of_complex, **R)(z)
    np.testing.assert_allclose(g, by_x - 1j * by_y, rtol=1e-13)
    assert value == pytest.approx(real_of_complex(z))


def test_vjp_is_the_transpose_of_jvp():
    """Without conjugation: the cotangent of z**2 is 2 z times what is given."""
    z, c = points(7, 3), points(8, 3)
    _, pull = srcad.vjp(lambda z: z * z, z, **R)
    np.testing.assert_allclose(pull(c)[0], 2 * z * c, rtol=1e-14)
    _, out_t = srcad.jvp(lambda z: z * z, (z,), (c,), **R)
    np.testing.assert_allclose(out_t, 2 * z * c, rtol=1e-14)
    np.testing.assert_allclose(srcad.vjp(lambda z: z.imag, z, **R)[1](np.ones(3))[0], -1j)
    np.testing.assert_allclose(srcad.vjp(lambda z: np.conj(z), z, **R)[1](c)[0], c.conj())
    _, derivative = srcad.linearize(lambda z: z * z, z, **R)
    np.testing.assert_allclose(derivative(c), 2 * z * c, rtol=1e-14)


def test_against_jax():
    """The conventions are those of JAX: every transform, mixed real and complex arguments."""
    jax = pytest.importorskip("jax")
    jnp = jax.numpy

    def mixed_jax(z, x):
        u = [z[0]]
        for k in range(1, 3):
            u.append(u[k - 1] * z[k] + x[k] * jnp.conj(z[k]))
        u = jnp.stack(u)
        return u * x, jnp.sum(u * jnp.conj(u)).real

    def real_jax(z):
        return jnp.sum(jnp.abs(z) ** 2 * z.real) + jnp.sum(z * z * z).imag

    z, c, x = points(9, 3), points(10, 3), points(11, 3).real.copy()
    with jax.enable_x64(True):
        for ours, theirs in [
            (srcad.vjp(mixed, z, x, **R)[1]((c, 0.3)), jax.vjp(mixed_jax, z, x)[1]((c, 0.3))),
            (srcad.jvp(mixed, (z, x), (c, x), **R)[1], jax.jvp(mixed_jax, (z, x), (c, x))[1]),
            (
                srcad.hvp(real_of_complex, (z,), (c,), **R),
                jax.jvp(jax.grad(real_jax), (z,), (c,))[1:],
            ),
            (srcad.jacrev(lambda z: np.abs(z) * 2, **R)(z), jax.jacrev(lambda z: abs(z) * 2)(z)),
        ]:
            np.testing.assert_allclose(flat(ours), flat(list(theirs)), rtol=1e-12, atol=1e-13)


def test_holomorphic_and_its_conditions():
    """grad, jacfwd and jacrev ask for ``holomorphic=True`` where JAX does."""
    z = points(12, 3)

    def total(z):
        return np.sum(z * z * z)

    def cube(z):
        return z * z * z

    np.testing.assert_allclose(srcad.grad(total, **H)(z), 3 * z * z, rtol=1e-13)
    assert srcad.value_and_grad(total, **H)(z)[0] == pytest.approx(total(z))
    for jac in (srcad.jacobian, srcad.jacfwd, srcad.jacrev):
        np.testing.assert_allclose(jac(cube, **H)(z), np.diag(3 * z * z), rtol=1e-13)
    assert srcad.jacfwd(cube, **H)(2j) == srcad.jacrev(cube, **H)(2j) == -12
    for g, x in [
        (srcad.grad(total, **R), z),
        (srcad.jacfwd(cube, **R), z),
        (srcad.jacrev(cube, **R), z),
        (srcad.grad(total, **H), z.real.copy()),
        (srcad.grad(lambda z: np.sum(np.abs(z)), **H), z),
        (srcad.jacfwd(lambda z: np.abs(z), **H), z),
    ]:
        with pytest.raises(TypeMismatch, match=r"holomorphic"):
            g(x)


def square_into(z, out, w):
    for k in range(len(z)):
        out[k] = z[k] * z[k] * w + out[k]


def test_adjoint_of_several_results():
    """Each result is compared with its own shadow, whatever the others are like."""

    def several(z):
        return z * z, np.outer(z, np.real(z)), 1j * np.sum(z), np.sum(np.abs(z))

    z = np.array([1.0 + 1.0j, 2.0 - 1.0j])
    outs = several(z)
    seeds = [np.ones(np.shape(v) or 1, np.asarray(v).dtype) for v in outs]
    z_b = np.zeros_like(z)
    srcad.adjoint(several, **R)(z, z_b, *(s.copy() for s in seeds))
    _, pullback = srcad.vjp(several, z, **R)
    (want,) = pullback((seeds[0], seeds[1], 1.0, 1.0))
    np.testing.assert_allclose(z_b, want, rtol=1e-13)
    with pytest.raises(TypeMismatch, match="the shadow of result 1"):
        srcad.adjoint(several, **R)(z, z_b, seeds[0], seeds[0], *seeds[2:])


def test_adjoint_in_place():
    """Shadows are complex; that of what is read and written ends as the entry's cotangent."""
    z, out, c, w = points(13, 3), points(14, 3), points(15, 3), 0.5 - 1j
    z_b, out_b, w_b = np.zeros(3, complex), c.copy(), np.zeros(1, complex)
    entry = out.copy()
    srcad.adjoint(square_into, **R)(z, z_b, out, out_b, w, w_b)
    np.testing.assert_allclose(out, z * z * w + entry)
    np.testing.assert_allclose(z_b, 2 * z * w * c)
    np.testing.assert_allclose(out_b, c)
    np.testing.assert_allclose(w_b[0], np.sum(z * z * c))
    for bad in (np.zeros(3), np.zeros(2, complex)):
        with pytest.raises(TypeMismatch, match="complex128"):
            srcad.adjoint(square_into, **R)(z, bad, out, out_b, w, w_b)


FACTOR = np.array([1 + 1j, 2.0, 3j])
SHIFT = 0.5j


def captures(p):
    return abs(np.sum(p["a"] * FACTOR) + p["b"][0] * SHIFT)


def test_structures_and_captures():
    """Complex numbers anywhere in an argument; captured ones are constants."""
    p = {"a": points(16, 3), "b": (1 + 2j, 3)}
    g = srcad.grad(captures, **R)(p)
    assert g["b"][1] is None and isinstance(g["b"][0], complex)
    assert srcad.grad(captures, argnums="p['b'][0]", **R)(p) == g["b"][0]
    srcad.check_grads(captures, (p,), **R)
    before = FACTOR[0]
    try:
        FACTOR[0] = 7.0
        assert srcad.grad(captures, **R)(p)["a"][0] != g["a"][0]
    finally:
        FACTOR[0] = before


def single(z, x):
    return z * z, z[0] * 2, z * x, np.abs(z), z[0] * 1.0, z * np.arange(3), np.sum(z)


def test_complex64():
    """Kinds of results are Numba's; the parts are float32."""
    z, x = points(17, 3).astype(np.complex64), np.ones(3, np.float32)
    kinds = [np.asarray(v).dtype.name for v in srcad.differentiable(single, **R)(z, x)]
    assert kinds == [
        *("complex64", "complex128", "complex64", "float32"),
        *("complex128", "complex64", "complex64"),
    ]
    g = srcad.grad(lambda z: np.sum(np.abs(z * z)), **R)(z)
    assert g.dtype == np.complex64
    want = srcad.grad(lambda z: np.sum(np.abs(z * z)), **R)(z.astype(complex))
    np.testing.assert_allclose(g, want, rtol=1e-5)
    assert promote(C8, F8) == C16 and promote(C8, F4) == C8


def test_types_have_parts():
    """A pair is two floats, an array of pairs one float array with one axis more."""
    from srcad.ir.types import ArrayT, ListT
    from srcad.transforms.complex_pairs import parts

    assert parts(C16) == (F8, F8) and parts(C8) == (F4, F4) and parts(F8) == (F8,)
    assert parts(ArrayT("c16", 2)) == (ArrayT("f8", 3),)
    assert parts(ListT(C16)) == (ListT(F8), ListT(F8))
    assert Var("z", C16).type == C16
