"""Array functions for the device: what the interpreter, the simulator, the toolkit and a GPU run.

Each case is a function, its arguments, and a direction for every float among them.  ``checks`` are
the transforms of a case: a name, and a function of a target that gives a structure of arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import srcad


def chain(x, w):
    return np.sum(np.tanh(x * w + 1.0) ** 2)


def spread(x, w):
    return np.sum((x + w) * np.sin(w - x))


def row_sums(x):
    return np.sum(np.exp(np.sum(x * x, axis=1)))


def column_sums(x):
    return np.sum(np.sin(np.sum(x, axis=0)) * np.mean(x, axis=0))


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / np.sum(e)


def logsumexp(x):
    m = np.max(x)
    return m + np.log(np.sum(np.exp(x - m)))


def perceptron(w1, b1, w2, b2, x, y):
    h = np.tanh(x @ w1 + b1)
    return np.mean((h @ w2 + b2 - y) ** 2)


def stencil(u):
    v = u.copy()
    v[1:-1] = 0.25 * u[:-2] + 0.5 * u[1:-1] + 0.25 * u[2:]
    return np.sum(v * v)


def stencil_2d(u):
    v = u.copy()
    v[1:-1, 1:-1] = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] * u[1:-1, 2:] - 4.0 * u[1:-1, 1:-1]
    return np.sum(np.cos(v))


def heat(u, n, c):
    for _ in range(n):
        v = u.copy()
        v[1:-1] += c * (u[:-2] - 2.0 * u[1:-1] + u[2:])
        u = v
    return u


def swapped(u, n):
    u, v = u.copy(), np.zeros_like(u)
    for _ in range(n):
        for i in range(1, len(u) - 1):
            v[i] = u[i] * (1.0 + 0.1 * (u[i - 1] - u[i + 1]))
        v[0], v[-1] = u[0], u[-1]
        u, v = v, u
    return np.sum(u * u)


def running(x):
    return np.sum(np.cumsum(x) ** 2)


def clipped(x):
    return np.sum(np.where(x > 0.0, x * x, np.exp(x))) + np.sum(np.clip(x, -0.5, 0.5) * x)


def single(x, w):
    return np.sum(np.sqrt(x * x + np.float32(1.0)) * w)


def gathered(x, idx):
    return np.sum(x[idx] ** 3)


def scattered(x, idx):
    out = np.zeros(4)
    for i in range(len(x)):
        out[idx[i]] += x[i] * x[i]
    return np.sum(np.exp(out))


def length(x):
    return np.linalg.norm(x) + np.linalg.norm(x - 1.0) ** 3


def density(x, y, h):
    d = (x[:, None] - y[None, :]) / h
    return np.sum(np.log(np.sum(np.exp(-0.5 * d * d), axis=1)))


def until(x, tol):
    n = 0
    while np.max(np.abs(x)) > tol:
        x = x - 0.5 * np.sin(x)
        n += 1
    return np.sum(x) + n


def divided(x):
    s = np.sum(x)
    if s > 1.0:
        y = x / s
    else:
        y = x * s
    return np.dot(y, y) + s


def filtered(x, a):
    y = np.empty_like(x)
    s = 0.0
    for i in range(len(x)):
        s = a * s + (1.0 - a) * x[i]
        y[i] = s
    return np.sum(y * y)


def polynomial(x, c):
    p = np.zeros_like(x)
    for k in range(len(c)):
        p = p * x + c[k]
    return np.sum(p * p)


def pairwise(p):
    total = 0.0
    for i in range(p.shape[0]):
        for j in range(p.shape[0]):
            if i != j:
                d2 = 0.1
                for k in range(2):
                    d2 += (p[i, k] - p[j, k]) ** 2
                total += 1.0 / math.sqrt(d2)
    return total


def turned(x):
    return np.sum(np.transpose(x) @ x.copy() * 0.5) + np.sum(x.T[1:, ::2])


def both(x):
    return np.sum(x, axis=1), x.T * 2.0, np.max(x)


def growing(x):
    out = [np.sum(x)]
    while out[-1] > 0.5:
        out.append(out[-1] - 0.3 * np.sum(x))
        x = x * 0.7
    return np.sum(x) * out[-1] * out[0] ** 2


def cube(x):
    """Sizes that are constants: the kernel's names must not meet those of its parameters."""
    total = 0.0
    for i in range(3):
        for j in range(4):
            for k in range(5):
                total += x[i, j, k] ** 2
    return total


def alike(gpu, w):
    """Names that the driver uses as well, in products of views."""
    s = 0.0
    for whole in range(2):
        for a in range(whole, gpu.shape[0] - 1):
            s += np.sum(gpu[a:] @ w) ** 2
            s += np.dot(gpu[whole], gpu[a])
    return s


@dataclass(frozen=True)
class Case:
    """A function with arguments and directions (``None`` for what is constant)."""

    f: Callable[..., Any]
    args: tuple[Any, ...]
    scalar: bool = True

    @property
    def tangents(self) -> tuple[Any, ...]:
        """A direction for each float argument."""
        rng = np.random.default_rng(5)
        return tuple([direction(rng, a) for a in self.args])

    @property
    def active(self) -> tuple[int, ...]:
        """Positions of the float arguments."""
        return tuple(k for k, t in enumerate(self.tangents) if t is not None)

    def checks(self, **options: Any) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Transforms by name, as functions of what makes an argument (the device's, the host's)."""
        f = srcad.differentiable(self.f, **options)

        def of(xs: tuple[Any, ...], place: Callable[[Any], Any]) -> tuple[Any, ...]:
            return tuple(map(place, xs))

        yield "value", lambda place: f(*of(self.args, place))
        yield ("jvp", lambda place: srcad.jvp(f, of(self.args, place), of(self.tangents, place)))
        if not self.scalar:
            return
        yield "grad", lambda place: srcad.grad(f, self.active)(*of(self.args, place))
        yield (
            "value_and_grad",
            lambda place: srcad.value_and_grad(f, self.active[0])(*of(self.args, place)),
        )
        yield ("hvp", lambda place: srcad.hvp(f, of(self.args, place), of(self.tangents, place)))


def direction(rng: np.random.Generator, a: Any) -> Any:
    """A direction for an argument, ``None`` for what is no float."""
    if np.asarray(a).dtype.kind != "f":
        return None
    v = rng.normal(size=np.shape(a))
    return v.astype(a.dtype) if isinstance(a, np.ndarray) else float(v)


def made() -> dict[str, Case]:
    """The cases by name."""
    rng = np.random.default_rng(3)
    x, m = rng.normal(size=7), rng.normal(size=(4, 3))
    net = tuple(rng.normal(size=s) for s in ((3, 4), (4,), (4, 2), (2,), (5, 3), (5, 2)))
    idx = np.array([2, 0, 2, 1, 3, 3, 0])
    cases = [
        Case(chain, (m, x[:3].copy())),
        Case(spread, (m, rng.normal(size=(4, 1)))),
        Case(row_sums, (m,)),
        Case(column_sums, (m,)),
        Case(softmax, (x,), scalar=False),
        Case(logsumexp, (x,)),
        Case(perceptron, net),
        Case(stencil, (x,)),
        Case(stencil_2d, (rng.normal(size=(4, 5)),)),
        Case(heat, (x, 3, 0.1), scalar=False),
        Case(swapped, (x, 3)),
        Case(running, (x,)),
        Case(clipped, (x,)),
        Case(single, (x.astype(np.float32), (x * 2.0).astype(np.float32))),
        Case(gathered, (x, idx)),
        Case(scattered, (x, idx)),
        Case(length, (x,)),
        Case(density, (x[:4].copy(), x[3:].copy(), 0.7)),
        Case(until, (x, 0.3)),
        Case(divided, (np.abs(x),)),
        Case(filtered, (x, 0.3)),
        Case(polynomial, (x, m[0].copy())),
        Case(pairwise, (m,)),
        Case(turned, (m,)),
        Case(growing, (np.abs(x),)),
        Case(cube, (rng.normal(size=(3, 4, 5)),)),
        Case(alike, (m, x[:3].copy())),
        Case(both, (m,), scalar=False),
    ]
    return {c.f.__name__: c for c in cases}


CASES = made()


def flat(x: Any) -> Iterator[Any]:
    """The numbers and arrays of a result, those of the device copied."""
    if isinstance(x, (tuple, list)):
        for y in x:
            yield from flat(y)
    elif x is not None:
        yield x.copy_to_host() if hasattr(x, "copy_to_host") else np.asarray(x)


def differences(found: Any, expected: Any, rtol: float = 1e-11) -> str:
    """What differs between two structures."""
    for a, b in zip(flat(found), flat(expected), strict=True):
        if a.shape != b.shape or a.dtype != b.dtype:
            return f"{a.shape} {a.dtype}, not {b.shape} {b.dtype}"
        tolerance = 2e-5 if b.dtype == np.float32 else rtol
        if not np.allclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True):
            return f"{a.tolist()}, not {b.tolist()}"
    return ""
