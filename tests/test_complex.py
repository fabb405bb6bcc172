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
from srcad.errors import SrcadError, TypeMismatch
from srcad.frontend.calls import full_name
from srcad.frontend.complexes import CAPABLE, CAPABLE_METHODS, HANDLERS
from srcad.frontend.core import CALLS, METHODS
from srcad.ir.nodes import Var
from srcad.ir.primitives_base import COMPLEX, PRIMITIVES
from srcad.ir.primitives_complex import ANALYTIC
from srcad.ir.types import C8, C16, F4, F8, is_complex, promote
from srcad.ir.walk import variables
from srcad.library import LIBRARY, LIBRARY_COMPLEX, LIBRARY_METHODS
from srcad.rules.registry import FUNCTIONS
from tests.complex_programs import PROGRAMS
from tests.samples import Call, Draw
from tests.test_library import fresh, program, same

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


SECOND = ["loop_", "branch_", "partsw_", "cmath_", "rec_", "dict_", "tern_", "dot_"]


@pytest.mark.parametrize("f", [f for f in PROGRAMS if f.__name__ in SECOND])
def test_second_order(f):
    """Derivatives of the Jacobian of the parts."""
    srcad.check_grads(f, (Z, W), order=2, **R)


@pytest.mark.parametrize("name", ["loop_", "branch_"])
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


# the library, from its own samples
class ComplexDraw(Draw):
    """Arguments with an imaginary part."""

    def array(self, values: Any) -> np.ndarray:
        """Given numbers, each with another imaginary part."""
        a = np.array(values, dtype=np.complex128)
        return a + 1j * self.rng.uniform(0.2, 1.0, a.shape)

    def num(self, low: float = 0.3, high: float = 1.8) -> Any:
        """A number."""
        return complex(super().num(low, high), float(self.rng.uniform(0.2, 1.0)))


def holds(x: Any) -> bool:
    """Whether a complex number is in an argument."""
    if isinstance(x, (tuple, list)):
        return any(map(holds, x))
    return isinstance(x, complex) or isinstance(x, np.ndarray) and x.dtype.kind == "c"


def complex_calls(f: Callable[..., Any]) -> list[Call]:
    """The samples of a function, drawn complex, where that makes sense."""
    try:
        found = list(LIBRARY[f].samples(ComplexDraw(3)))
    except (TypeError, ValueError):  # the sample itself orders or casts what it draws
        return []
    return [c for c in found if any(map(holds, c.args))]


CAPABLE_LIBRARY = [f for f in LIBRARY if f in CAPABLE or f in LIBRARY_COMPLEX]
CASES = [
    pytest.param(f, k, id=f"{full_name(f)}-{k}")
    for f in CAPABLE_LIBRARY
    for k in range(len(complex_calls(f)))
]


def first_smooth(f: Callable[..., Any]) -> int:
    """The first sample whose derivatives are compared (values of all are)."""
    return next((k for k, c in enumerate(complex_calls(f)) if c.smooth), -1)


@pytest.mark.parametrize(("f", "k"), CASES)
def test_library(f, k):
    """NumPy's values, and derivatives against differences."""
    call = complex_calls(f)[k]
    run = program(f, call)
    try:
        want = run(*copy.deepcopy(call.args))
    except (TypeError, ValueError) as e:
        pytest.fail(f"NumPy refuses the sample: {e}")
    keywords = call.keywords
    of_matrices = np.ndim(call.args[0]) != 1 and not isinstance(keywords.get("axis"), int)
    if f is np.linalg.norm and of_matrices and keywords.get("ord") in (2, -2, "nuc"):
        with pytest.raises(TypeMismatch, match="spectral norm of complex"):
            srcad.differentiable(run, **R)(*call.args)
        return
    got = srcad.differentiable(run, **R)(*copy.deepcopy(call.args))
    same(got, want, 1e-12)
    if k == first_smooth(f):
        srcad.check_grads(fresh(run), call.args, order=1, **R)


def test_what_is_declared_is_tested():
    """Every function that takes complex arguments is called with them somewhere here."""
    import inspect

    from tests import complex_programs

    text = inspect.getsource(complex_programs) + inspect.getsource(
        inspect.getmodule(test_what_is_declared_is_tested)  # type: ignore[arg-type]
    )
    sampled = {f for f in CAPABLE_LIBRARY if complex_calls(f)}
    untested = []
    for f in {*CAPABLE, *HANDLERS, *LIBRARY_COMPLEX} - sampled:
        name = full_name(f).removeprefix("srcad.library.factors.").split(".")[-1]
        if f"{name}(" not in text:
            untested.append(full_name(f))
    for name in CAPABLE_METHODS:
        if f".{name}(" not in text:
            untested.append(name)
    assert not untested, sorted(untested)


def rest(z, w):
    """What the other programs leave out."""
    v, m = z[0].copy(), z.copy()
    np.copyto(m, w)
    np.put(m, [1], [3j])
    np.place(m, m.real > 9, [1j])
    np.putmask(v, v.real > 9, w[0])
    np.put_along_axis(m, np.array([[0], [1]]), w[:, :1], 1)
    np.fill_diagonal(m, 2j)
    v.fill(w[0, 0])
    f = np.vectorize(lambda a: a * a)
    pairs = [a * i for i, a in reversed(list(zip([1, 2], v)))]  # noqa: B905
    windows = np.lib.stride_tricks.sliding_window_view(z[0], 2)
    total = 0j
    for (i, j), a in np.ndenumerate(z):
        total += a * (i + j)
    return (
        *(
            m,
            v * z[0],
            f(z[0]),
            pairs[0],
            windows * 1j,
            total,
            dict(a=total)["a"] + pow(z[0, 0], 2),  # noqa: C408
        ),
        *(np.asarray(z)[0], np.ascontiguousarray(z.T), np.asfortranarray(z), np.copy(z), z.item(1)),
        *(np.transpose(z) * 1.0, z.transpose() * w.T, z.swapaxes(0, 1) * 1, np.fliplr(z)),
        *(np.flipud(z), np.triu(z), np.full_like(z, 2j) * z, z.astype(np.complex128), z.ravel()),
        *(
            z.diagonal() * 1,
            z.take([0, 2]),
            z.repeat(2),
            z.trace(),
            z.dot(w.T),
            z[None].squeeze(0) * 1,
        ),
        *(z.mean(), z.cumsum(), z.cumprod(), z[0].compress([True, False, True])),
        *(np.moveaxis(z, 0, 1) * 1, np.add.accumulate(z[0]), np.multiply.accumulate(z[0])),
        *(np.divide.outer(z[0], w[0]), np.add.outer(z[0], w[0]), np.subtract.outer(z[0], w[0])),
        *(np.multiply.reduce(z[0]), np.linalg.solve(z @ w.T, z[:, 0]), np.linalg.inv(z @ w.T)),
        *(
            np.linalg.outer(z[0], w[0]),
            np.broadcast_arrays(z, w[0])[1] * 1,
            z[z[0].nonzero()[0][:1]],
        ),
        *(np.array_split(z[0], 2)[0] * 1, np.block([z[0], w[0]]), np.diagflat(z[0])),
        *(np.atleast_1d(z[0, 0]), np.atleast_3d(z) * 1, np.hsplit(z, 3)[0] * 1),
        *(np.vsplit(z, 2)[0] * 1, np.rollaxis(z, 1) * 1, np.matrix_transpose(z) * 1),
        *(z[0, 0].real, np.matvec(z, w[0]), np.vecmat(z[:, 0], w)),
    )


def test_rest():
    """Data movement that the programs leave out, and functions with samples of reals only."""
    want = rest(Z, W)
    got = srcad.differentiable(rest, **R)(Z, W)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-12, atol=1e-13)
    srcad.check_grads(fresh(rest), (Z, W), order=1, **R)


def questions(z):
    v = np.ones(2) * z
    return (
        *(np.isclose(z, 1.0), np.allclose(v, 1.0), np.isnan(z), np.isreal(z), z == 1, z != z),
        *(np.iscomplexobj(z), np.isrealobj(z), not z, bool(z), isinstance(z, complex)),
        *(np.isscalar(z), np.array_equal(v, v), np.array_equiv(v, v), np.count_nonzero(v)),
        *(
            cmath.isnan(z),
            cmath.isinf(z),
            all([z, z]),
            any([z]),
            z in (1.0, 2j),
            len(v),
            np.ndim(z),
        ),
        *(v.all(), v.any(), np.all(v), np.any(v), np.size(v), np.shape(v)[0]),
        np.result_type(v).itemsize,
        *(np.iscomplex(v)[0], np.isfinite(v)[0], np.logical_not(v)[0]),
    )


def test_questions():
    """Tests of complex numbers have the answers of NumPy."""
    for z in (1.5 + 0.5j, 1 + 0j, 0j, complex("nan"), complex(1, float("inf"))):
        with np.errstate(invalid="ignore"):
            want = questions(z)
        got = srcad.differentiable(questions, **R)(z)
        assert got == tuple(bool(x) if isinstance(x, np.bool_) else x for x in want)


# what is not declared
UNDECLARED = [
    pytest.param(f, id=full_name(f))
    for f in LIBRARY
    if f not in CAPABLE and f not in LIBRARY_COMPLEX and f not in HANDLERS and complex_calls(f)
]


@pytest.mark.parametrize("f", UNDECLARED)
def test_undeclared_library_refuses(f):
    """Whatever is not declared for complex arguments refuses them, and says its name."""
    for call in complex_calls(f):
        with pytest.raises(SrcadError) as e:
            srcad.differentiable(program(f, call), **R)(*copy.deepcopy(call.args))
        assert "complex" in str(e.value), str(e.value)


@pytest.mark.parametrize("op", sorted(set(PRIMITIVES) - set(COMPLEX)))
def test_undeclared_primitive_refuses(op):
    """By the choke point that all code generation goes through."""
    for kind in (C16, C8):
        with pytest.raises(TypeMismatch, match="complex numbers"):
            PRIMITIVES[op].result_type(*(kind,) * PRIMITIVES[op].arity)


def test_undeclared_calls_refuse():
    """Functions of the compiler that are not declared: called with one complex vector."""
    takes_numbers = [f for f in CALLS if getattr(f, "__module__", "").startswith("numpy")]
    fine = {*CAPABLE, *HANDLERS, np.complex128, np.complex64, np.zeros_like, np.empty_like}
    known = [f for f in takes_numbers if f not in fine and full_name(f).startswith("np.")]
    assert len(known) > 25
    for f in known:
        with pytest.raises(SrcadError):
            srcad.differentiable(lambda z, f=f: f(z), **R)(Z[0])
    for name in (k.removeprefix("array.") for k in METHODS if k.startswith("array.")):
        if name not in CAPABLE_METHODS:
            with pytest.raises(TypeMismatch, match=f"{name} is not supported for complex"):
                srcad.differentiable(lambda z, n=name: getattr(z, n)(), **R)(Z[0])
    assert not CAPABLE_METHODS - {m.partition(".")[2] for m in METHODS} - set(LIBRARY_METHODS)


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
            (
                srcad.hessian(lambda z: np.sum(z * z[::-1] * z), **H)(z),
                jax.hessian(lambda z: jnp.sum(z * z[::-1] * z), holomorphic=True)(z),
            ),
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


REFUSED: list[tuple[Callable[..., Any], str]] = [
    (lambda z: z < 1, "order"),
    (lambda z: float(z), "float"),
    (lambda z: np.float64(z), "float64"),
    (lambda z: z // 2, "floordiv"),
    (lambda z: z % 2, "mod"),
    (lambda z: np.sign(z), "sign"),
    (lambda z: np.var(np.ones(3) * z), "var"),
    (lambda z: np.linalg.det(np.eye(2) * z), "det"),
    (lambda z: np.linalg.eigh(np.eye(2) * z)[0], "eigh"),
    (lambda z: np.linalg.norm(np.eye(2) * z, 2), "spectral norm"),
    (lambda z: np.arange(3)[z], "index"),
    (lambda z: (np.ones(3) * z).astype(np.float64), "conversion"),
    (lambda z: cmath.sqrt(z, z), "1 argument"),
]


def stores_in_a_real_array(z):
    a = np.zeros(3)
    a[0] = z
    return a


def prints(z):
    print(z)
    return z


@pytest.mark.parametrize(
    ("f", "word"),
    [*REFUSED, (stores_in_a_real_array, "real array"), (prints, "print")],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_refused(f, word):
    """By name, with the line."""
    with pytest.raises(SrcadError) as e:
        srcad.differentiable(f, **R)(1 + 2j)
    assert word in str(e.value)
    assert "test_complex.py" in str(e.value)


def test_types_have_parts():
    """A pair is two floats, an array of pairs one float array with one axis more."""
    from srcad.ir.types import ArrayT, ListT
    from srcad.transforms.complex_pairs import parts

    assert parts(C16) == (F8, F8) and parts(C8) == (F4, F4) and parts(F8) == (F8,)
    assert parts(ArrayT("c16", 2)) == (ArrayT("f8", 3),)
    assert parts(ListT(C16)) == (ListT(F8), ListT(F8))
    assert Var("z", C16).type == C16
