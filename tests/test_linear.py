"""Linear algebra inside programs: einsum, stacks, factorisations, norms at zero.

Values against the plain call, derivatives against differences, interpreted and (some) compiled.
"""

import numba.np.extensions
import numpy as np
import pytest
import scipy.linalg

import srcad
from tests.zoo.registry import mat, vec

PROGRAMS = []


def add(fn, args, jit=False):
    """Enter a program, as in the zoo; ``jit``: compiled as well."""
    PROGRAMS.append(pytest.param(fn, args, jit, id=fn.__name__))


def cube(seed=0):
    return np.random.default_rng(seed).uniform(0.3, 1.4, (2, 3, 2))


def regular(n, seed=0):
    return mat(n, n, seed) + 3.0 * np.eye(n)


def einsum_products(a, b, v):
    c = np.einsum("ij,jk->ki", a, b)
    return np.sum(np.einsum("ki,i", c, v) ** 2) + np.einsum("ij,ji", a, b) * c[0, 0]


add(einsum_products, lambda: (mat(2, 3), mat(3, 2), vec(2)), jit=True)


def einsum_chain(a, b, c):
    return np.sum(np.sin(np.einsum("ij,kl,jk->il", a, b, c)))


add(einsum_chain, lambda: (mat(2, 3), mat(2, 2), mat(3, 2)))


def einsum_dots(t, m):
    s = np.einsum("...ij,jk->...ik", t, m)
    return np.sum(np.einsum("b...->...", s) ** 2) + np.einsum("bij,bij->", s, s)


add(einsum_dots, lambda: (cube(), mat(2, 3)))


def einsum_diagonal(m, v):
    d = np.einsum("ii->i", m)
    s = np.sum(d * v)
    m[0, 0] *= v[1]
    return s + np.einsum("ii", m) * d[0] + np.sum(np.einsum("ij->ji", m)[0] * v)


add(einsum_diagonal, lambda: (mat(3, 3), vec(3)))


def einsum_broadcast(t, v):
    return np.sum(np.einsum("...i,...i->...", t, v) * np.einsum("i,j->ij", v, v)[0, 0])


add(einsum_broadcast, lambda: (cube(), vec(2)))


def stacked_products(t, m, v):
    s = t @ np.transpose(t, (0, 2, 1))
    return np.sum(s * s) + np.sum((s @ m)[0]) + np.sum(m @ s) * np.sum(t @ v)


add(stacked_products, lambda: (cube(), mat(3, 3), vec(2)))


def ridge(a, y, rate):
    n = a.shape[1]
    c, low = scipy.linalg.cho_factor(a.T @ a + rate * np.eye(n))
    x = scipy.linalg.cho_solve((c, low), a.T @ y)
    return np.sum((a @ x - y) ** 2) + rate * np.sum(x * x)


add(ridge, lambda: (mat(4, 2), vec(4), 0.3), jit=True)


def factors_used_twice(a, b):
    lu, piv = scipy.linalg.lu_factor(a)
    x = scipy.linalg.lu_solve((lu, piv), b)
    y = scipy.linalg.lu_solve((lu, piv), x, trans=1)
    return np.sum(x * y) + np.sum(scipy.linalg.solve_triangular(a, y, lower=True))


add(factors_used_twice, lambda: (regular(3), vec(3)), jit=True)


def spectrum(a, x):
    w, v = np.linalg.eigh(a + a.T)
    u, s, vt = np.linalg.svd(a, full_matrices=False)
    low = u[:, :1] * s[0] @ vt[:1]
    return np.sum(np.exp(-x * w)) + np.sum((v * w**2) @ v.T) + np.sum(low * low * a)


add(spectrum, lambda: (mat(3, 3), 0.4))


def in_a_loop(a, x):
    s = 0.0
    for k in range(3):
        q, r = np.linalg.qr(a * (x + k) + np.eye(3))
        sign, logdet = np.linalg.slogdet(r)
        s += np.sum(q @ r) * x + sign * logdet
        a[k] *= x
    return s + np.linalg.norm(np.linalg.matrix_power(a, 3), "fro")


add(in_a_loop, lambda: (regular(3), 0.4))


def norm_at_zero(a, x):
    z = x * np.zeros(3)
    return np.linalg.norm(a) + np.linalg.norm(z) + np.sum(np.linalg.norm(np.outer(a, z), axis=1))


add(norm_at_zero, lambda: (vec(3), 0.4))


def whole_numbers(k, a):
    m = k @ k
    return np.sum(m * a) + np.sum(a @ m)


add(whole_numbers, lambda: (np.arange(4).reshape(2, 2), mat(2, 2)))


def einsum_forms(form):
    """A product by subscripts that are a constant of the program."""
    return lambda x, y: np.einsum(form, x, y)


FORMS = [
    ("ij,jk", (2, 3), (3, 2)),
    ("ij,jk->ki", (2, 3), (3, 2)),
    ("i,j->ji", (2,), (3,)),
    ("i,j", (2,), (3,)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ijk,jil->kl", (2, 3, 2), (3, 2, 2)),
    ("bij,bjk->bik", (2, 1, 3), (2, 3, 2)),
    ("...ij,...jk", (2, 1, 2, 3), (2, 3, 2)),
    ("iij,j->j", (2, 2, 3), (3,)),
    ("...,...->...", (2, 1), (3,)),
    (" ij , ->ij", (2, 3), ()),
]


@pytest.mark.parametrize(("form", "m", "n"), FORMS, ids=[f[0] for f in FORMS])
def test_einsum(form, m, n):
    """Subscripts of all kinds, with two operands."""
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal(m), rng.standard_normal(n)[()]
    f = einsum_forms(form)
    got = srcad.differentiable(f, backend="reference")(a, b)
    np.testing.assert_allclose(got, np.einsum(form, a, b), rtol=1e-12)
    assert np.shape(got) == np.einsum(form, a, b).shape
    srcad.check_grads(f, (a, b), order=2, backend="reference")


@pytest.mark.parametrize("form", ["ij,jk->il", "ij,jk->iik", "ij", "ijk,jk", "i...,jk->i", "i1,jk"])
def test_einsum_refuses(form):
    """What NumPy refuses."""
    with pytest.raises(srcad.TypeMismatch):
        srcad.differentiable(einsum_forms(form), backend="reference")(mat(2, 2), mat(2, 2))


@pytest.mark.parametrize("form", ["ij,j->i", "ij,ik->jk", "ij,ij->ij", "jj,ij"])
def test_einsum_checks_sizes(form):
    """Named axes are not stretched."""
    b = mat(1, 1)[0] if form == "ij,j->i" else mat(1, 1)
    with pytest.raises(ValueError, match=r"differ|mismatch"):
        srcad.differentiable(einsum_forms(form), backend="reference")(mat(2, 2), b)


@pytest.mark.parametrize(("fn", "args", "jit"), PROGRAMS)
def test_program(fn, args, jit):
    """Value and derivatives."""
    wrt = tuple(k for k, a in enumerate(args()) if np.asarray(a).dtype.kind == "f")
    value, gradient = srcad.value_and_grad(fn, argnums=wrt, backend="reference")(*args())
    np.testing.assert_allclose(value, fn(*args()), rtol=1e-10)
    srcad.check_grads(fn, args(), order=2, backend="reference")
    if jit:
        compiled = srcad.value_and_grad(fn, argnums=wrt, backend="cpu")(*args())
        np.testing.assert_allclose(compiled[0], value, rtol=1e-10)
        for g, w in zip(compiled[1], gradient, strict=True):
            np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("ord", [None, 2, 3])
def test_norm_at_zero(ord):
    """The gradient of a norm at zero is zero, and so is what a zero cotangent gives."""
    g = srcad.grad(lambda x: np.linalg.norm(x, ord), backend="reference")
    assert np.array_equal(g(np.zeros(3)), np.zeros(3))
    both = srcad.grad(lambda x: np.linalg.norm(x, ord) * 0.0, backend="reference")
    assert np.array_equal(both(np.ones(3)), np.zeros(3))


def test_eigenvalues_that_coincide():
    """The sum of equal eigenvalues is smooth; nothing is divided by their difference."""
    g = srcad.grad(lambda a: np.sum(np.linalg.eigvalsh(a)), backend="reference")
    np.testing.assert_allclose(g(np.eye(3)), np.eye(3), atol=1e-14)
    s = srcad.grad(lambda a: np.linalg.norm(a, "nuc"), backend="reference")
    np.testing.assert_allclose(s(np.eye(3)), np.eye(3), atol=1e-14)


def test_complex_eigenvalues():
    """They are refused when they turn up."""
    f = srcad.differentiable(lambda a: np.sum(np.linalg.eigvals(a)), backend="reference")
    with pytest.raises(ValueError, match="domain"):
        f(np.array([[0.0, 1.0], [-1.0, 0.0]]))


def test_pinv_of_low_rank():
    """Along matrices of one rank the derivative is that of the pseudo-inverse."""
    rng = np.random.default_rng(0)
    u, v = rng.standard_normal((4, 2)), rng.standard_normal((2, 3))
    f = srcad.differentiable(lambda x, y: np.linalg.pinv(x @ y, rcond=1e-9), backend="reference")
    np.testing.assert_allclose(f(u, v), np.linalg.pinv(u @ v), rtol=1e-9, atol=1e-12)
    srcad.check_grads(f, (u, v), order=1, backend="reference")


def test_cross_of_two_elements():
    """Numba's function for what ``np.cross`` does not do in compiled code."""
    cross2d = getattr(numba.np.extensions, "cross2d", None)
    if cross2d is None:
        pytest.skip("this Numba has no cross2d for this NumPy")

    def area(a, b):
        return np.sum(cross2d(a, b)) * cross2d(a[0], b)

    a, b = mat(3, 2), vec(2)
    want = a[:, 0] * b[1] - a[:, 1] * b[0]
    got = srcad.differentiable(area, backend="reference")(a, b)
    np.testing.assert_allclose(got, np.sum(want) * want[0], rtol=1e-14)
    srcad.check_grads(area, (a, b), backend="reference")
    with pytest.raises(ValueError, match="2D"):
        srcad.differentiable(area, backend="reference")(mat(3, 3), vec(3))
