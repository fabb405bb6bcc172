"""Complex numbers and the cache on disk: part of every key, and the same bits from a hit."""

from __future__ import annotations

import cmath

import numpy as np
import pytest

import srcad
from srcad.api import higher, inside
from srcad.cache import entries
from tests.test_cache import cache, flat, key  # noqa: F401  (cache is a fixture)

FACTOR = 1.5 - 0.5j
TABLE = np.array([1.0 + 2.0j, -0.5 + 1.0j, 0.25 - 3.0j])


def modulus(z, w):
    """A float of a complex array, a complex number, a captured number and a captured array."""
    total = 0.0
    for k in range(len(z)):
        total += abs(FACTOR * z[k] * TABLE[k] + w * cmath.exp(w)) ** 2
    return total


def turned(z, w):
    """Complex results: an array and a number."""
    return z * TABLE * w, w * np.sum(z)


def square(w):
    return w * w * FACTOR


def everything():
    """Results of several transforms, of new objects."""
    z, w = np.array([0.3 + 1.0j, 0.7 - 0.2j, 1.1j]), 0.4 + 0.2j
    z_b, w_b = np.zeros(3, complex), np.zeros(1, complex)
    srcad.adjoint(modulus, cache=True)(z, z_b, w, w_b, np.ones(1))
    out, pullback = srcad.vjp(turned, z, w, cache=True)
    return [
        srcad.grad(modulus, (0, 1), cache=True)(z, w),
        srcad.grad(square, holomorphic=True, cache=True)(w),
        *(out, pullback((z, 1j))),
        srcad.jvp(turned, (z, w), (z, None), cache=True),
        (z_b, w_b),
    ]


def test_hits_of_complex_numbers(cache, monkeypatch):  # noqa: F811
    """The same bits, and of the same kinds, without the compiler."""
    first = everything()
    z, w = np.array([0.3 + 1.0j, 0.7 - 0.2j, 1.1j]), 0.4 + 0.2j
    with srcad.using(backend="reference"):
        right = srcad.grad(modulus, (0, 1))(z, w)
    np.testing.assert_allclose(first[0][0], right[0], rtol=1e-12)
    np.testing.assert_allclose(first[0][1], right[1], rtol=1e-12)

    def never(*args):
        raise AssertionError("the compiler ran")

    monkeypatch.setattr(inside, "lowered", never)
    higher._memo.clear()
    again = everything()
    assert flat(again) == flat(first)
    assert type(again[1]) is complex and again[0][0].dtype == np.complex128


def test_captured_complex_numbers_may_change(cache, monkeypatch):  # noqa: F811
    """A captured array is read at each call; a number or another kind compiles anew."""
    z, w = np.array([0.3 + 1.0j, 0.7 - 0.2j, 1.1j]), 0.4 + 0.2j
    g = srcad.grad(modulus, cache=True)
    changes = (
        ("TABLE", TABLE * 1j + 0.5),
        ("TABLE", np.asfortranarray(TABLE.real)),
        ("TABLE", np.repeat(TABLE, 2)[::2]),
        ("TABLE", TABLE.astype(np.complex64)),
        ("FACTOR", -1.5 + 0.25j),
        ("FACTOR", 2.0),
    )
    for name, value in ((None, None), *changes):
        if name:
            monkeypatch.setitem(globals(), name, value)
        for f in (g, srcad.grad(modulus, cache=True)):
            right = srcad.grad(modulus, backend="reference")(z, w)
            np.testing.assert_allclose(f(z, w), right, rtol=1e-6 if name == "TABLE" else 1e-12)


def slot(*args):
    """The key of the gradient at these arguments."""
    g = srcad.grad(modulus, cache=True)
    return g.slot(("call",), g.specs(g.bind(args, {}))).key


def test_keys_of_complex_arguments(cache):  # noqa: F811
    """Complex arrays are not their pairs, complex numbers not tuples, nor one kind the other."""
    z = np.ones(3, complex)
    kinds = (
        *((z, 1j), (z, 1.0), (z, np.complex64(1j)), (z, (0.0, 1.0))),
        *((z.view(float).reshape(3, 2), 1j), (z.astype(np.complex64), 1j), (z.real, 1j)),
        (np.ones(6, complex)[::2], 1j),
    )
    assert len({slot(*args) for args in kinds}) == len(kinds)
    assert slot(z, 1j) == slot(2 * z, np.complex128(2.0))
    signs = (0j, complex(0.0, -0.0), complex(-0.0, 0.0), np.complex64(0), 0.0)
    assert len({key(x) for x in signs}) == len(signs)
    holomorphic = [srcad.grad(square), srcad.grad(square, holomorphic=True)]
    assert len({entries.Slot(g).key for g in holomorphic}) == 2


def test_key_of_a_complex_definition(monkeypatch):
    """What a program declares for complex arguments is part of the keys."""
    from srcad.library import LIBRARY_COMPLEX

    before = key(modulus)
    monkeypatch.setitem(LIBRARY_COMPLEX, abs, square)
    assert key(modulus) != before


def test_functions_that_are_imported_late():
    """Those of SciPy's slow modules are refused or taken by their definition, as all others are."""
    import scipy.integrate

    def rule(z):
        return scipy.integrate.simpson(z)

    def trapezoids(z):
        return scipy.integrate.trapezoid(z)

    with pytest.raises(srcad.errors.SrcadError, match="complex"):
        srcad.differentiable(rule, backend="reference")(TABLE)
    got = srcad.differentiable(trapezoids, backend="reference")(TABLE)
    np.testing.assert_allclose(got, np.sum(TABLE[1:] + TABLE[:-1]) / 2, rtol=1e-14)
