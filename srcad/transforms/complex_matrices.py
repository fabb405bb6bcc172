"""Products and solutions of complex matrices, by real ones.

In: an ``ArrayOp`` of complex arrays, and the arrays of pairs (or real arrays) that stand for its
operands.  Out: what stands for its results.  A product is four real products of the parts; a
system of n complex equations is the real one of 2n equations ``[[A, -B], [B, A]]``.  Derivatives
follow from the rules of the real operations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from srcad.ir.build import Builder, const
from srcad.ir.nodes import ArrayOp, Atom, Var
from srcad.ir.types import PART, ArrayT
from srcad.transforms.array_rules import matmul, solve
from srcad.transforms.arrays import each, sizes

Held = tuple[Atom, ...]
MATRICES: dict[str, Callable[[Builder, ArrayOp, list[Held]], list[Held]]] = {}


def part(b: Builder, pairs: Atom, k: int) -> Var:
    """A contiguous copy of the real (0) or imaginary (1) parts."""
    assert isinstance(pairs, Var) and isinstance(pairs.type, ArrayT)
    kind = ArrayT(pairs.type.dtype, pairs.type.ndim - 1, "C")
    out = b.alloc(kind, sizes(b, pairs)[:-1], zero=False, hint=("re", "im")[k])
    each(b, out, lambda i: b.store(out, i, b.load(pairs, *i, const(k))))
    return out


def joined(b: Builder, kind: Any, shape: tuple[Atom, ...], re: Any, im: Any) -> Var:
    """Pairs from functions that give the parts at an index."""
    part = PART[kind.element].kind
    out = b.alloc(ArrayT(part, kind.ndim + 1, "C"), (*shape, const(2)), zero=False, hint="r")

    def element(i: tuple[Atom, ...]) -> None:
        b.store(out, (*i, const(0)), re(i))
        b.store(out, (*i, const(1)), im(i))

    each(b, out, element, shape)
    return out


def _matmul(b: Builder, s: ArrayOp, args: list[Held]) -> list[Held]:
    x, y = ([part(b, a[0], k) for k in (0, 1)] for a in args)
    rr, ii = matmul(b, x[0], y[0]), matmul(b, x[1], y[1])
    ri, ir = matmul(b, x[0], y[1]), matmul(b, x[1], y[0])
    out = joined(
        b,
        s.targets[0].type,
        sizes(b, rr),
        lambda i: b.op("sub", b.load(rr, *i), b.load(ii, *i)),
        lambda i: b.op("add", b.load(ri, *i), b.load(ir, *i)),
    )
    return [(out,)]


def embedded(b: Builder, a: Var) -> Var:
    """``[[A, -B], [B, A]]`` of a square matrix of pairs."""
    assert isinstance(a.type, ArrayT)
    n = b.dim(a, 0)
    twice = b.op("add", n, n)
    out = b.alloc(ArrayT(a.type.dtype, 2, "C"), (twice, twice), zero=False, hint="m")
    with b.loop(const(0), n) as i, b.loop(const(0), n) as j:
        low, right = b.op("add", i, n), b.op("add", j, n)
        re, im = b.load(a, i, j, const(0)), b.load(a, i, j, const(1))
        b.store(out, (i, j), re)
        b.store(out, (low, right), re)
        b.store(out, (low, j), im)
        b.store(out, (i, right), b.op("neg", im))
    return out


def stacked(b: Builder, y: Var) -> Var:
    """The real parts of a right side above the imaginary ones."""
    assert isinstance(y.type, ArrayT)
    n, *rest = sizes(b, y)[:-1]
    kind = replace(y.type, ndim=y.type.ndim - 1, layout="C", mutable=True)
    out = b.alloc(kind, (b.op("add", n, n), *rest), zero=False, hint="y")

    def element(i: tuple[Atom, ...]) -> None:
        b.store(out, i, b.load(y, *i, const(0)))
        b.store(out, (b.op("add", i[0], n), *i[1:]), b.load(y, *i, const(1)))

    each(b, out, element, (n, *rest))
    return out


def _solve(b: Builder, s: ArrayOp, args: list[Held]) -> list[Held]:
    a, y = args[0][0], args[1][0]
    assert isinstance(a, Var) and isinstance(y, Var)
    x = solve(b, embedded(b, a), stacked(b, y))
    n = b.dim(a, 0)
    out = joined(
        b,
        s.targets[0].type,
        sizes(b, y)[:-1],
        lambda i: b.load(x, *i),
        lambda i: b.load(x, b.op("add", i[0], n), *i[1:]),
    )
    return [(out,)]


def _inv(b: Builder, s: ArrayOp, args: list[Held]) -> list[Held]:
    a = args[0][0]
    assert isinstance(a, Var) and isinstance(a.type, ArrayT)
    (x,) = b.array_op("inv", (ArrayT(a.type.dtype, 2, "C"),), embedded(b, a))
    n = b.dim(a, 0)
    out = joined(
        b,
        s.targets[0].type,
        (n, n),
        lambda i: b.load(x, *i),
        lambda i: b.load(x, b.op("add", i[0], n), i[1]),
    )
    return [(out,)]


MATRICES.update(matmul=_matmul, solve=_solve, inv=_inv)
