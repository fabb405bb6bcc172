"""Derivative rules of array operations, written by emitting IR.

In: an ``ArrayOp``.  Out: ``jvp(builder, stmt, tangents)`` returns the tangents of the results
(``None``: zero); ``vjp(context)`` accumulates into the shadows of active operands; ``needs``
says which operands (by position) and results (after the operands) ``vjp`` reads, given which
operands are active.

Invariant: what is emitted consists of loops and further array operations, so that rules are
differentiated like everything else.  Sources: Giles, "Collected matrix derivative results for
forward and reverse mode algorithmic differentiation" (2008); Murray, "Differentiation of the
Cholesky decomposition" (2016).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from srcad.analyses.shapes import Size
from srcad.errors import NoDerivative
from srcad.ir.build import Builder, const
from srcad.ir.layout import view_layout
from srcad.ir.nodes import ArrayOp, Atom, Var
from srcad.ir.types import ArrayT
from srcad.transforms.arrays import add_to, copy, each, fresh, like, sizes

Tangents = tuple[Var | None, ...]


class Context(Protocol):
    """What a ``vjp`` asks for: the statement, values at the time, shadows, seeds."""

    b: Builder
    op: ArrayOp

    def active(self, k: int) -> bool: ...
    def seeded(self, k: int) -> bool: ...
    def operand(self, k: int) -> Var: ...
    def result(self, k: int) -> Atom: ...
    def shadow(self, k: int) -> Var: ...
    def seed(self, k: int) -> Atom: ...


@dataclass(frozen=True, slots=True)
class ArrayRule:
    """The derivative of one array operation."""

    jvp: Callable[[Builder, ArrayOp, Tangents], tuple[Var | None, ...]]
    vjp: Callable[[Context], None]
    needs: Callable[[tuple[bool, ...]], frozenset[int]]


RULES: dict[str, ArrayRule] = {}


def array_rule(s: ArrayOp) -> ArrayRule:
    """The rule of an operation, or ``NoDerivative``."""
    if s.op not in RULES:
        raise NoDerivative(
            f"no derivative rule for the array operation {s.op!r}",
            s.loc,
            instead="write it with operations that have rules",
        )
    return RULES[s.op]


def result_sizes(s: ArrayOp, known: dict[str, tuple[Size, ...]]) -> tuple[Size, ...] | None:
    """The shape of the first result in terms of the operands' shapes, if it follows."""
    shapes = [known[a.name] for a in s.args if isinstance(a, Var) and a.name in known]
    if s.op == "matmul":
        return (*shapes[0][:-1], *shapes[1][1:])
    if s.op in ("solve", "inv", "cholesky"):
        return shapes[-1]
    return None


# vocabulary
def matmul(b: Builder, x: Var, y: Var) -> Var:
    """``x @ y``."""
    assert isinstance(x.type, ArrayT) and isinstance(y.type, ArrayT)
    kind = ArrayT(x.type.dtype, x.type.ndim + y.type.ndim - 2)
    return b.array_op("matmul", (kind,), x, y)[0]


def solve(b: Builder, a: Var, y: Var) -> Var:
    """``np.linalg.solve(a, y)``."""
    assert isinstance(y.type, ArrayT)
    return b.array_op("solve", (replace(y.type, layout="C", mutable=True),), a, y)[0]


def turn(b: Builder, x: Var) -> Var:
    """The transpose of a matrix (a view; vectors stay)."""
    assert isinstance(x.type, ArrayT)
    if x.type.ndim < 2:
        return x
    return b.view(x, "transpose", (1, 0), view_layout(x.type, "transpose", (1, 0)))


def contiguous(b: Builder, x: Var) -> Var:
    """``x``, copied if it is strided."""
    assert isinstance(x.type, ArrayT)
    return copy(b, x, x.hint or "t") if x.type.layout != "C" else x


def add_outer(b: Builder, target: Var, x: Var, y: Var, sign: float = 1.0) -> None:
    """``target += sign * outer(x, y)``."""

    def element(index: tuple[Atom, ...]) -> None:
        value = b.op("mul", b.load(x, index[0]), b.load(y, index[1]))
        b.accumulate(target, index, value if sign == 1 else b.op("neg", value))

    each(b, target, element)


def half_lower(b: Builder, x: Var) -> Var:
    """The lower triangle with half the diagonal (Murray's Phi)."""
    made = like(b, x, "phi")
    assert isinstance(x.type, ArrayT)
    half = const(0.5, x.type.element)
    with b.loop(const(0), b.dim(x, 0)) as i:
        with b.loop(const(0), i) as j:
            b.store(made, (i, j), b.load(x, i, j))
        b.store(made, (i, i), b.op("mul", half, b.load(x, i, i)))
    return made


def mirrored(b: Builder, x: Var) -> Var:
    """The symmetric matrix with the lower triangle of ``x``."""
    assert isinstance(x.type, ArrayT)
    full = fresh(b, replace(x.type, layout="C"), sizes(b, x), False, "full")
    with b.loop(const(0), b.dim(x, 0)) as i, b.loop(const(0), b.op("add", i, const(1))) as j:
        value = b.load(x, i, j)
        b.store(full, (i, j), value)
        b.store(full, (j, i), value)
    return full


def add_mirrored(b: Builder, target: Var, x: Var) -> None:
    """The adjoint of ``mirrored``: ``x`` and its transpose are added to the lower triangle."""
    with b.loop(const(0), b.dim(x, 0)) as i:
        with b.loop(const(0), i) as j:
            b.accumulate(target, (i, j), b.op("add", b.load(x, i, j), b.load(x, j, i)))
        b.accumulate(target, (i, i), b.load(x, i, i))


def trace(b: Builder, x: Var) -> Var:
    """The sum of the diagonal of a square matrix."""
    assert isinstance(x.type, ArrayT)
    total = b.alloc(ArrayT(x.type.dtype, 1), (const(1),), hint="trace")
    with b.loop(const(0), b.dim(x, 0)) as i:
        b.accumulate(total, (const(0),), b.load(x, i, i))
    return b.load(total, const(0))


# matmul
def _matmul_jvp(b: Builder, s: ArrayOp, tangents: Tangents) -> tuple[Var | None, ...]:
    x, y = s.args
    assert isinstance(x, Var) and isinstance(y, Var)
    found = [
        matmul(b, *pair)
        for pair in ((tangents[0], y), (x, tangents[1]))
        if pair[0] is not None and pair[1] is not None
    ]
    if len(found) == 2:
        add_to(b, found[0], found[1])
    return (found[0],)


def _matmul_vjp(c: Context) -> None:
    b, seed = c.b, c.seed(0)
    assert isinstance(seed, Var)
    ranks = [a.type.ndim for a in c.op.args]  # type: ignore[union-attr]
    if c.active(0):
        if ranks == [2, 1]:
            add_outer(b, c.shadow(0), seed, c.operand(1))
        elif ranks == [1, 2]:
            add_to(b, c.shadow(0), matmul(b, c.operand(1), seed))
        else:
            add_to(b, c.shadow(0), matmul(b, seed, turn(b, c.operand(1))))
    if c.active(1):
        if ranks == [1, 2]:
            add_outer(b, c.shadow(1), c.operand(0), seed)
        else:
            add_to(b, c.shadow(1), matmul(b, turn(b, c.operand(0)), seed))


RULES["matmul"] = ArrayRule(
    _matmul_jvp, _matmul_vjp, lambda on: frozenset(k for k, other in ((1, 0), (0, 1)) if on[other])
)


# solve
def _solve_jvp(b: Builder, s: ArrayOp, tangents: Tangents) -> tuple[Var | None, ...]:
    a, x = s.args[0], s.targets[0]
    assert isinstance(a, Var)
    right = copy(b, tangents[1], "right") if tangents[1] is not None else None
    if tangents[0] is not None:
        product = matmul(b, contiguous(b, tangents[0]), x)
        right = like(b, x, "right") if right is None else right
        add_to(b, right, product, -1.0)
    assert right is not None
    return (solve(b, a, right),)


def _solve_vjp(c: Context) -> None:
    b, seed, x = c.b, c.seed(0), c.result(0)
    assert isinstance(seed, Var) and isinstance(x, Var)
    w = solve(b, contiguous(b, turn(b, c.operand(0))), contiguous(b, seed))
    if c.active(1):
        add_to(b, c.shadow(1), w)
    if c.active(0):
        assert isinstance(x.type, ArrayT)
        if x.type.ndim == 1:
            add_outer(b, c.shadow(0), w, x, -1.0)
        else:
            add_to(b, c.shadow(0), matmul(b, w, turn(b, x)), -1.0)


RULES["solve"] = ArrayRule(_solve_jvp, _solve_vjp, lambda on: frozenset({0, 2} if on[0] else {0}))


# inv
def _inv_jvp(b: Builder, s: ArrayOp, tangents: Tangents) -> tuple[Var | None, ...]:
    (y,), (tangent,) = s.targets, tangents
    assert tangent is not None
    made = like(b, y, "inv_t")
    add_to(b, made, matmul(b, matmul(b, y, contiguous(b, tangent)), y), -1.0)
    return (made,)


def _inv_vjp(c: Context) -> None:
    y, seed = c.result(0), c.seed(0)
    assert isinstance(y, Var) and isinstance(seed, Var)
    turned = turn(c.b, y)
    add_to(c.b, c.shadow(0), matmul(c.b, matmul(c.b, turned, contiguous(c.b, seed)), turned), -1.0)


RULES["inv"] = ArrayRule(_inv_jvp, _inv_vjp, lambda on: frozenset({1}))


# det: of a regular matrix
def _det_jvp(b: Builder, s: ArrayOp, tangents: Tangents) -> tuple[Var | None, ...]:
    (a,), (d,), (tangent,) = s.args, s.targets, tangents
    assert tangent is not None and isinstance(a, Var)
    made = b.op("mul", d, trace(b, solve(b, a, contiguous(b, tangent))), hint="det_t")
    assert isinstance(made, Var)
    return (made,)


def _det_vjp(c: Context) -> None:
    b, a, d = c.b, c.operand(0), c.result(0)
    assert isinstance(a.type, ArrayT)
    scale = b.op("mul", c.seed(0), d)
    (inverse,) = b.array_op("inv", (replace(a.type, layout="C", mutable=True),), a)

    def element(index: tuple[Atom, ...]) -> None:
        b.accumulate(c.shadow(0), index, b.op("mul", scale, b.load(inverse, index[1], index[0])))

    each(b, a, element)


RULES["det"] = ArrayRule(_det_jvp, _det_vjp, lambda on: frozenset({0, 1}))


# cholesky: reads the lower triangle
def _cholesky_jvp(b: Builder, s: ArrayOp, tangents: Tangents) -> tuple[Var | None, ...]:
    (low,), (tangent,) = s.targets, tangents
    assert tangent is not None
    half = solve(b, low, mirrored(b, tangent))
    inner = solve(b, low, contiguous(b, turn(b, half)))
    return (matmul(b, low, half_lower(b, inner)),)


def _cholesky_vjp(c: Context) -> None:
    b, low, seed = c.b, c.result(0), c.seed(0)
    assert isinstance(low, Var) and isinstance(seed, Var)
    turned = contiguous(b, turn(b, low))
    inner = half_lower(b, matmul(b, turned, contiguous(b, seed)))
    whole = solve(b, turned, contiguous(b, turn(b, solve(b, turned, inner))))
    add_mirrored(b, c.shadow(0), whole)


RULES["cholesky"] = ArrayRule(_cholesky_jvp, _cholesky_vjp, lambda on: frozenset({1}))
