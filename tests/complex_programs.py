"""Programs with complex numbers, of two complex 2 x 3 matrices, for ``tests/test_complex.py``."""

from __future__ import annotations

import cmath

import numpy as np

from tests.complex_moves import move_  # noqa: F401  (one of the programs)

K = 2.0 + 1j
A0 = np.array([1 + 2j, 3 - 1j, 0.5j])


def sum_(z, w):
    """Sums over all, one or the kept axis."""
    return np.sum(z * w, axis=0), np.sum(z), z.sum(axis=1, keepdims=True)


def prod_(z, w):
    """Products."""
    return np.prod(z), z.prod(axis=1)


def mean_(z, w):
    """Means."""
    return np.mean(z), z.mean(axis=0)


def cumsum_(z, w):
    """Running sums and products."""
    return np.cumsum(z), np.cumsum(w, axis=1), np.cumprod(w)


def dot_(z, w):
    """Products of vectors and matrices, conjugating or not."""
    return z @ w.T, np.dot(z, w[0]), z[0] @ w[1], np.vdot(z, w), np.inner(z, w)


def mixdot_(z, w):
    """Real times complex matrices."""
    return z.real @ w.T, z @ w.imag.T, np.dot(z.real, w[0])


def where_(z, w):
    """Choices by a real condition."""
    return np.where(np.abs(z) > 1.0, z, w), np.where(z.real > 0, z, 1.0)


def cat_(z, w):
    """Joined with complex and real arrays."""
    return np.concatenate((z, w)), np.stack((z, w)), np.vstack((z, w.real)), np.hstack((z, w))


def shape_(z, w):
    """Views."""
    return z.T, z.reshape(-1), np.ravel(z.T), z[::-1, 1:], z.flatten(), np.swapaxes(z, 0, 1)[1]


def real_(z, w):
    """Parts, modulus, angle, conjugate."""
    return (
        z.real * w.imag,
        np.real(z),
        np.imag(z),
        np.abs(z),
        np.angle(z),
        np.conj(z),
        z.conj(),
        z.conjugate(),
    )


def loop_(z, w):
    """Elements updated in place."""

    u = z.copy()
    for i in range(1, u.shape[0]):
        for j in range(u.shape[1]):
            u[i, j] += u[i - 1, j] * w[i, j]
            u[i - 1, j] = u[i, j] / (2 + w[0, j])
    return u


def aug_(z, w):
    """Whole arrays updated in place."""

    u = z.copy()
    u *= w
    u += 1j
    u -= 2.0
    u /= w + 3
    u[0] *= 2j
    return u


def partsw_(z, w):
    """The parts written through."""

    u = z.copy()
    u.real = w.imag
    u.imag[0] = w.real[1]
    u.real[1, 0] *= 3.0
    return u * z


def zeros_(z, w):
    """Arrays made complex."""

    out = np.zeros((2, 3), dtype=np.complex128)
    out[0] = z[1]
    out[1] = w[0].real
    e = np.empty_like(z)
    e[:] = 2 * w
    return out, e, np.ones_like(z) * w, np.full((2,), 1j) * z[0, 0], np.eye(3, dtype=complex) @ z[0]


def scalar_(z, w):
    """Numbers that become complex in a loop."""

    s = 0.0
    for v in z[0]:
        s += v * v
    t = 1
    for k in range(3):
        t = t * w[1, k]
    return s, t, abs(s), s.real, s.imag, s.conjugate()


def branch_(z, w):
    """A branch and a conditional loop."""

    s = z[0, 0]
    if s.real > 0:
        s = s * w[0, 0]
    else:
        s = s.real
    n = 0
    while abs(s) < 50 and n < 5:
        s = s * s + 1j
        n += 1
    return s


def cmath_(z, w):
    """Functions of cmath."""

    s = z[0, 1]
    return (
        cmath.exp(s),
        cmath.log(s),
        cmath.sqrt(s),
        cmath.phase(s),
        cmath.polar(s)[0],
        cmath.rect(abs(s), s.real),
        cmath.sin(s.real),
        cmath.log(s, 2.0),
        cmath.log(s, w[0, 0]),
    )


def complex_(z, w):
    """Numbers made of parts."""
    return (
        complex(z[0, 0].real, w[0, 0].imag),
        complex(z[0, 0].real),
        complex(z[0, 1], w[1, 1]),
        np.complex128(z[0, 0].real) * 1j,
    )


def const_(z, w):
    """Captured numbers and arrays, powers."""
    return K * z, A0 * w, 1j**2 * z[0, 0], z[0] ** 2, z[0] ** 1.5, 2 ** z[0], z[0] ** w[0], z**-1


def list_(z, w):
    """A list of complex numbers."""

    xs = []
    for k in range(3):
        xs.append(z[0, k] * w[1, k])
    xs.append(1.0 + 0j)
    return np.array(xs), xs[0] * xs[1]


def comp_(z, w):
    """Comprehensions."""

    return np.array([v * 2 for v in z[0]]), np.array([z[0, 0], w[0, 0], 1.0])


def helper(a, b):
    return a * b.conjugate(), abs(a - b)


def help_(z, w):
    """A helper."""

    a, b = helper(z[0], w[1])
    return a, b


def power_tower(z, n):
    if n == 0:
        return z
    return power_tower(z * z * 0.5, n - 1) + 1j


def rec_(z, w):
    """Recursion."""
    return power_tower(z[0, 0], 3)


def tensor_(z, w):
    """einsum and its kin."""
    return (
        np.einsum("ij,kj->ik", z, w),
        np.einsum("ij,ij", z, w),
        np.tensordot(z, w, 2),
        np.outer(z[0], w[0]),
        np.kron(z, w),
        np.trace(z @ w.T),
    )


def solve_(z, w):
    """Systems, complex or mixed."""

    m = z @ w.T + 3 * np.eye(2)
    return (
        np.linalg.solve(m, z[:, 0]),
        np.linalg.solve(m, z),
        np.linalg.inv(m),
        np.linalg.solve(m.real, z),
        np.linalg.solve(m, z.real),
    )


def var_(z, w):
    """Spread of complex numbers: of both parts."""
    return np.var(z), np.std(z, axis=1), np.var(w, 0, ddof=1, keepdims=True)


def norm_(z, w):
    """Norms that depend on the moduli."""
    return (
        np.linalg.norm(z),
        np.linalg.norm(z[0]),
        np.linalg.norm(z[0], 3),
        np.linalg.norm(z, axis=1),
        np.linalg.norm(z, 1),
    )


def fancy_(z, w):
    """Index arrays and masks."""

    k = np.array([0, 2, 2])
    u = np.zeros(4, dtype=np.complex128)
    for i in range(3):
        u[k[i]] += z[0, i]
    v = z[0][k] * w[0]
    m = z[z.real > 0]
    q = w.copy()
    q[:, 1] = z[:, 0]
    q[0, k] = w[1]
    return u, v, np.sum(m), q


def iter_(z, w):
    """Iteration over arrays."""

    s = 0j
    for i, v in enumerate(z[0]):
        s += v * i
    for a, b in zip(z[1], w[1]):  # noqa: B905
        s += a / b
    for row in z:
        s += row[0]
    return s, sum(z[0]), sum([z[0, 0], w[0, 0]])


def dict_(z, w):
    """Structures."""

    d = {"a": z[0, 0], "b": w}
    p = (z[0, 1], 2.0)
    return d["a"] * d["b"][0, 0] + p[0], d["b"] * p[1]


def tern_(z, w):
    """A conditional expression whose sides differ in kind."""

    s = z[0, 0] if z[0, 0].real > 0 else 1.0
    return s * w[0, 0], np.exp(s)


def swap_(z, w):
    """Names exchanged in a loop."""

    a, b = z.copy(), w.copy()
    for _ in range(3):
        a, b = b, a + b * 1j
    return a, b


def closure_(z, w):
    """A lambda over a complex number."""

    return (lambda x: x * z[0, 0])(w), (lambda x: x * z[0, 0])(2.0)


def recip_(z, w):
    """Ufuncs that are operators."""
    return (
        np.reciprocal(z),
        np.square(z),
        np.negative(z),
        np.positive(z),
        np.add(z, w),
        np.multiply(z, 2),
        np.divide(z, w),
        np.power(z, 2),
        np.subtract(1, z),
        np.true_divide(1, z),
    )


def intarr_(z, w):
    """Integer arrays among complex ones."""

    k = np.arange(3)
    return z * k, k * 1j * z, z[0] / (k + 1), np.exp(2j * np.pi * k / 3) * z


def dft_(z, w):
    """A discrete Fourier transform."""

    n = 3
    out = np.zeros(n, dtype=np.complex128)
    for k in range(n):
        for j in range(n):
            out[k] += z[0, j] * np.exp(-2j * np.pi * k * j / n)
    return out


def zero_d_(z, w):
    """A 0-d array."""

    a = np.array(z[0, 0])
    return a * 2, a[()], a.real


def out_(z, w):
    """Results written into arrays."""

    u = np.zeros_like(z)
    np.multiply(z, w, out=u)
    np.exp(u, u)
    return u


def while_(z, w):
    """A conditional loop over an array."""

    u = z[0].copy()
    k = 0
    while np.abs(u).max() < 20:
        u = u * u + w[0]
        k += 1
        if k > 4:
            break
    return u


def early_(z, w):
    """An early return."""

    for k in range(3):
        if abs(z[0, k]) > 1:
            return z[0, k] * w[0, 0]
    return 1.0


PROGRAMS = [f for name, f in list(globals().items()) if name.endswith("_") and callable(f)]
