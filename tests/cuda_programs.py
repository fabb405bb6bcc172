"""Programs for the device: batches, and kernels that call derivatives.

``CASES`` are batches: a transform of a function of one sample, and stacked arguments.  ``KERNELS``
are kernels as a user writes them, with what they are to compute.  The simulator, the compile test
and the test on a GPU all take them from here; nobody else imports this, as it imports CUDA.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import cuda

import srcad

RNG = np.random.default_rng(11)
N = 3
X1, Y1 = RNG.uniform(0.5, 1.5, N), RNG.uniform(0.5, 1.5, N)
X2, X3 = RNG.uniform(0.5, 1.5, (N, 2)), RNG.uniform(0.5, 1.5, (N, 3))
M2 = RNG.uniform(-1.0, 1.0, (N, 3, 3)) + 3.0 * np.eye(3)
WEIGHTS = np.array([0.5, -1.0, 2.0])


class Body(NamedTuple):
    """A structure of arguments."""

    place: Any
    mass: Any


def scalars(x, y):
    return math.sin(x) * y + x**3


def many(x, n):
    """Functions that the target has not under NumPy's names."""
    s = np.cbrt(x) + np.exp2(x) + np.sign(x) + np.floor(2.0 * x) * x + np.logaddexp(x, 1.0)
    s += min(x, 1.0) * max(x, 0.9) + np.copysign(x, -x) + np.rint(x) * x + np.heaviside(x, 0.5)
    s += np.fmod(7.0 * x, 2.0) + np.sinc(x) + math.gcd(n, 12) * x + np.ldexp(x, 2)
    return s + srcad_special(x)


def srcad_special(x):
    return math.lgamma(x) + math.erf(x) + np.hypot(x, 2.0) + np.log1p(x) ** 1.5


def chain(x):
    s = 0.0
    for i in range(len(x)):
        s += x[i] ** 2 * math.exp(-x[i - 1])
    return s


def branchy(x):
    """A branch that is recorded, an early exit, a tape of constant size."""
    s = x
    for _ in range(6):
        s = s * 1.5 - 0.1 * s * s * math.sin(x) if s < 2.0 else s - 0.3 * x
        if s > 2.5:
            break
    return s


def rk4(y0, k):
    """Small arrays made in each turn of a loop outlive it."""
    y, h = np.array([y0[0], y0[1]]), 0.1
    for _ in range(3):
        k1 = np.array([y[1], -k * y[0]])
        z = y + 0.5 * h * k1
        y = y + h * np.array([z[1], -k * z[0]])
    return y


def expressions(x):
    d = x[1:] - x[:-1]
    return np.sum(d[::2] ** 2) + np.cumsum(x)[-1] * np.prod(x) + np.max(x)


def captured(x):
    return np.sum(WEIGHTS * x * x)


def solved(a, b):
    return np.sum(np.linalg.solve(a, b) ** 2) + np.log(np.linalg.det(a))


def factored(a):
    return np.linalg.cholesky(a @ a.T)


def guarded(x):
    if x < 0.0:
        raise ValueError("negative")
    return math.sqrt(x)


def running(x):
    for i in range(1, len(x)):
        x[i] = x[i - 1] * x[i]
    return x[2]


def attraction(a, b, power=2):
    d = (a.place - b.place) ** power + 0.1
    return a.mass * b.mass / d


def curvature(x, v):
    return srcad.hvp(chain, (x,), (v,))


def steps(x, n):
    """The record's size is a number that all samples share."""
    u = np.array([x, 2.0 * x])
    for _ in range(n):
        u = u + 0.1 * np.sin(u[::-1] * u)
    return u[0] * u[1]


def triangular(x):
    """Arrays and records whose sizes are bounded, not constant."""
    s = 0.0
    for i in range(len(x)):
        a = np.zeros((i + 1, 2))
        for j in range(i + 1):
            a[j, 0] = x[j] * x[i]
            a[j, 1] = a[j, 0] * a[j // 2, 0]
        s = s * np.sum(a * a) + a[i, 1]
    return s


def selected_sum(x):
    return np.sum(x[x > 0.9] ** 3)


def bare(x):
    """A result without axes, an element of an argument."""
    return np.asarray(x * x)


def until(x):
    s, n = x, 0
    while s < 5.0:
        s, n = s * 1.5 + x * x, n + 1
    return s


@dataclass
class Case:
    """A batch: ``make`` of ``f``, on the device and on the host, of stacked arguments."""

    make: Callable[..., Any]
    f: Callable[..., Any]
    args: tuple[Any, ...]
    in_axes: Any = 0
    out_axes: Any = 0

    def batch(self, **options: Any) -> Any:
        """The function of all samples."""
        return srcad.batch(self.make(self.f), self.in_axes, self.out_axes, **options)

    def expected(self) -> Any:
        """What comes out, by the interpreter."""
        args = [a.copy() if isinstance(a, np.ndarray) else a for a in self.args]
        return self.batch(backend="reference")(*args)


def value(f):
    return f


def both(*argnums: Any) -> Callable[..., Any]:
    """Value and gradient."""
    return lambda f: srcad.value_and_grad(f, argnums or 0)


BODIES = (Body(X1, 2.0 * X1), Body(Y1 + 2.0, Y1))
CASES: dict[str, Case] = {
    "value": Case(value, scalars, (X1, Y1)),
    "gradient": Case(both(0, 1), scalars, (X1, Y1)),
    "shared number": Case(both(1), scalars, (X1, 2.0), (0, None)),
    "spellings": Case(both(), many, (X1, 18), (0, None)),
    "float32": Case(both(), scalars, (X1.astype("f4"), Y1.astype("f4"))),
    "vector": Case(both(), chain, (X3,)),
    "other axes": Case(srcad.grad, chain, (np.ascontiguousarray(X3.T),), 1, 1),
    "hessian": Case(srcad.hessian, chain, (X3,)),
    "hvp": Case(value, curvature, (X3, X3[::-1].copy())),
    "branches": Case(both(), branchy, (2.0 * X1,)),
    "forward mode": Case(srcad.jacfwd, branchy, (X1,)),
    "rk4": Case(value, rk4, (X2, X1)),
    "jacobian": Case(lambda f: srcad.jacrev(f, (0, 1)), rk4, (X2, X1)),
    "expressions": Case(both(), expressions, (X3,)),
    "captured": Case(both(), captured, (X3,)),
    "solve": Case(both(0, 1), solved, (M2, X3)),
    "cholesky": Case(value, factored, (M2,)),
    "checked": Case(both(), guarded, (X1,)),
    "in place": Case(both(), running, (X3,)),
    "structures": Case(both(0), attraction, BODIES),
    "while": Case(srcad.grad, until, (X1,)),
    "strided": Case(both(), chain, (np.repeat(X3, 2, axis=1)[:, ::2],)),
    "shared integer": Case(both(), steps, (X1, 4), (0, None)),
    "triangular": Case(both(), triangular, (X3,)),
    "selected": Case(both(), selected_sum, (X3,)),
    "no axes": Case(value, bare, (X1,)),
    "integers": Case(value, scalars, (np.arange(N, dtype="i4"), Y1)),
}


def recorded(x):
    s = x
    while s < 5.0:
        s = s * s * 1.5 + x * x
    return s


def accumulated(x, a):
    a[0] += x
    return x


def large(x):
    a = np.zeros(100_000)
    for i in range(100_000):
        a[i] = x * i
    return a[5]


def spectrum(a):
    return np.linalg.eigvalsh(a)


def drawn(x):
    return x * np.random.normal()


def selected(x):
    return x[x > 1.0]


def descent(x, n):
    return x if n == 0 else descent(x * x, n - 1)


REFUSED: dict[str, tuple[Case, str]] = {
    "record": (Case(srcad.grad, recorded, (X1,)), "number of trips is not constant"),
    "random": (Case(value, drawn, (X1,)), "a random number"),
    "shared": (Case(value, accumulated, (X1, X3[0]), (0, None)), "which all samples share"),
    "shape": (Case(value, selected, (X3,)), "the shape of a result depends on values"),
    "eigenvalues": (Case(value, spectrum, (M2,)), "eigh of whole arrays"),
    "complex": (Case(value, scalars, (X1 + 1j, Y1)), "is complex"),
    "recursion": (Case(value, descent, (X1, np.arange(N))), "recursion of descent"),
    "memory": (Case(value, large, (X1,)), "bytes of arrays a thread"),
}


# kernels
def norm(p):
    return math.sqrt(p[0] * p[0] + p[1] * p[1])


def energy(x):
    s = 0.0
    for i in range(3):
        s += x[i] ** 2 * math.exp(x[(i + 1) % 3])
    return s


@srcad.differentiable
def soft(x, y):
    return math.log(math.exp(x) + math.exp(y))


@srcad.differentiable
def weighted(p):
    """With an array that is captured: -1 at 1, 2 at 2."""
    s = 0.0
    for k in range(3):
        s += WEIGHTS[k] * p[k] * p[k]
    return s


slope = srcad.grad(scalars, (0, 1))
both_of = srcad.value_and_grad(guarded)
of_norm = srcad.grad(norm)
in_place = srcad.adjoint(energy)
bend = srcad.grad(srcad.grad(lambda x: math.sin(x) * x))


def kernels() -> dict[str, tuple[Callable[..., Any], Callable[[float], float]]]:
    """Kernels of ``(x, out)``, and what ``out`` is for a number of ``x``."""

    def gradient(x, out):
        i = cuda.grid(1)
        if i < x.shape[0]:
            a, b = slope(x[i], 2.0)
            out[i] = a + b

    def values(x, out):
        i = cuda.grid(1)
        if i < x.shape[0]:
            v, d = both_of(x[i])
            out[i] = v + d + bend(x[i])

    def numbers(x, out):
        i = cuda.grid(1)
        if i < x.shape[0]:
            a, b = of_norm((x[i], 2.0))
            out[i] = a + b

    def shadows(x, out):
        i = cuda.grid(1)
        p = cuda.local.array(3, np.float64)
        p_b = cuda.local.array(3, np.float64)
        seed = cuda.local.array(1, np.float64)
        if i < x.shape[0]:
            for k in range(3):
                p[k] = x[i] * k
                p_b[k] = 0.0
            seed[0] = 1.0
            v = in_place(p, p_b, seed)
            out[i] = v + p_b[0] + p_b[1]

    def primal(x, out):
        i = cuda.grid(1)
        if i < x.shape[0]:
            out[i] = soft(x[i], 1.0)

    def directional(x, out):
        i = cuda.grid(1)
        p = cuda.local.array(3, np.float64)
        p_t = cuda.local.array(3, np.float64)
        if i < x.shape[0]:
            for k in range(3):
                p[k] = x[i] * k
                p_t[k] = k
            v, t = srcad.jvp(weighted, (p,), (p_t,))
            out[i] = v + t

    def inside(x, out):
        i = cuda.grid(1)
        if i < x.shape[0]:
            out[i] = srcad.grad(soft)(x[i], 1.0) + soft.grad(x[i], 2.0)

    def by_energy(x):
        p, p_b = x * np.arange(3.0), np.zeros(3)
        v = srcad.adjoint(energy, backend="reference")(p, p_b, np.ones(1))
        return v + p_b[0] + p_b[1]

    def bent(x):
        return -x * math.sin(x) + 2.0 * math.cos(x)

    return {
        "gradient": (gradient, lambda x: math.cos(x) * 2.0 + 3 * x * x + math.sin(x)),
        "values": (values, lambda x: math.sqrt(x) + 0.5 / math.sqrt(x) + bent(x)),
        "numbers": (numbers, lambda x: (x + 2.0) / math.hypot(x, 2.0)),
        "shadows": (shadows, by_energy),
        "directional": (directional, lambda x: 7.0 * x * x + 14.0 * x),
        "inside": (inside, lambda x: 1 / (1 + math.exp(1 - x)) + 1 / (1 + math.exp(2 - x))),
        "primal": (primal, lambda x: math.log(math.exp(x) + math.exp(1.0))),
    }
