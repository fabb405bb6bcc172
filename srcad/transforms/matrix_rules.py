"""Derivative rules of factorisations: eigh, eig, svd, qr, slogdet, pinv.

See ``array_rules`` for what a rule is.  Each reads the factors of its primal and factorises
nothing again, but for triangular systems and the inverse in ``slogdet``.  Where eigenvalues or
singular values coincide, the derivatives of the vectors do not exist and come out infinite; those
of the values do not pass there.  Sources: Giles (2008); Townsend, "Differentiating the singular
value decomposition" (2016); Walter and Lehmann, "Algorithmic differentiation of linear algebra
functions" (2018); Golub and Pereyra, "The differentiation of pseudo-inverses" (1973).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from srcad.ir.build import Builder, const
from srcad.ir.nodes import ArrayOp, Atom, Block, Var
from srcad.ir.types import ArrayT
from srcad.transforms.array_rules import (
    RULES,
    ArrayRule,
    Context,
    Tangents,
    add_mirrored,
    contiguous,
    matmul,
    mirrored,
    solve,
    trace,
    turn,
)
from srcad.transforms.arrays import add_to, each, like, sizes

Element = Callable[[Atom, Atom], Atom]


# vocabulary
def made(b: Builder, x: Var, shape: tuple[Atom, ...], element: Callable[..., Atom]) -> Var:
    """A new array of the kind of ``x`` with the elements that ``element`` emits."""
    assert isinstance(x.type, ArrayT)
    out = b.alloc(ArrayT(x.type.dtype, len(shape)), shape, False, "t")
    each(b, out, lambda index: b.store(out, index, element(*index)), shape)
    return out


def square(b: Builder, w: Var, element: Element) -> Var:
    """A matrix with as many rows and columns as the vector ``w`` has elements."""
    n = b.dim(w, 0)
    return made(b, w, (n, n), element)


def diagonal(b: Builder, m: Var, like_this: Var) -> Var:
    """The diagonal of a matrix as a vector of the size of another."""
    return made(b, m, sizes(b, like_this), lambda i: b.load(m, i, i))


def over_gaps(b: Builder, w: Var, numerator: Element, squares: bool = False) -> Var:
    """The matrix numerator(i, j) / (w_j - w_i), zero on its diagonal (``squares``: of w^2).

    A zero numerator gives zero, whatever the gap.
    """
    assert isinstance(w.type, ArrayT)
    one, zero = const(1, w.type.element), const(0, w.type.element)

    def element(i: Atom, j: Atom) -> Atom:
        x, y = b.load(w, i), b.load(w, j)
        gap = b.op("sub", y, x)
        if squares:
            gap = b.op("mul", gap, b.op("add", y, x))
        same = b.op("eq", i, j)
        inverse = b.op("truediv", one, b.op("select", same, one, gap))
        return b.op("select", same, zero, b.op("guarded_mul", numerator(i, j), inverse))

    return square(b, w, element)


def entries(b: Builder, m: Var) -> Element:
    """The elements of a matrix."""
    return lambda i, j: b.load(m, i, j)


def add_diagonal(b: Builder, m: Var, d: Var) -> None:
    """``m += diag(d)``."""
    with b.loop(const(0), b.dim(d, 0)) as i:
        b.accumulate(m, (i, i), b.load(d, i))


def scaled(b: Builder, x: Var, d: Var) -> Var:
    """The columns of ``x`` times the elements of a vector: x diag(d)."""
    return made(b, x, sizes(b, x), lambda i, j: b.op("mul", b.load(x, i, j), b.load(d, j)))


def divided(b: Builder, x: Var, s: Var, axis: int) -> Var:
    """``x`` divided by the elements of a vector along an axis; zeros stay."""
    assert isinstance(s.type, ArrayT)
    one = const(1, s.type.element)

    def element(*index: Atom) -> Atom:
        inverse = b.op("truediv", one, b.load(s, index[axis]))
        return b.op("guarded_mul", b.load(x, *index), inverse)

    return made(b, x, sizes(b, x), element)


@contextmanager
def longer(b: Builder, x: Var, axis: int, k: Var) -> Iterator[None]:
    """What is emitted inside is executed where ``x`` has more rows (columns) than ``k`` elements.

    There its columns (rows) do not span the space, and vary out of what they span.
    """
    more = b.op("gt", b.dim(x, axis), b.dim(k, 0))
    with b.block() as stmts:
        yield
    b.if_(more, Block(tuple(stmts)), Block(()))


def seed_of(c: Context, k: int) -> Var:
    """The adjoint of an array result, contiguous."""
    seed = c.seed(k)
    assert isinstance(seed, Var)
    return contiguous(c.b, seed)


def results(c: Context, *ks: int) -> tuple[Var, ...]:
    """Array results."""
    found = tuple(c.result(k) for k in ks)
    assert all(isinstance(x, Var) for x in found)
    return found  # type: ignore[return-value]


# eigh: reads the lower triangle
def _eigh_jvp(b: Builder, s: ArrayOp, tangents: Tangents) -> tuple[Var | None, ...]:
    (w, v), (tangent,) = s.targets, tangents
    assert tangent is not None
    m = matmul(b, turn(b, v), matmul(b, mirrored(b, tangent), v))
    return diagonal(b, m, w), matmul(b, v, over_gaps(b, w, entries(b, m)))


def _eigh_vjp(c: Context) -> None:
    b, (w, v) = c.b, results(c, 0, 1)
    if c.seeded(1):
        inner = over_gaps(b, w, entries(b, matmul(b, turn(b, v), seed_of(c, 1))))
        if c.seeded(0):
            add_diagonal(b, inner, seed_of(c, 0))
        left = matmul(b, v, inner)
    else:
        left = scaled(b, v, seed_of(c, 0))
    add_mirrored(b, c.shadow(0), matmul(b, left, turn(b, v)))


RULES["eigh"] = ArrayRule(_eigh_jvp, _eigh_vjp, lambda on: frozenset({1, 2}))


# eig: real eigenvalues, vectors of length 1
def _tangent_part(b: Builder, v: Var, x: Var) -> Var:
    """``x`` less what changes the lengths of the columns of ``v``: x - v diag(v^T x)."""
    along = matmul(b, turn(b, v), x)

    def element(i: Atom, j: Atom) -> Atom:
        return b.op("sub", b.load(x, i, j), b.op("mul", b.load(v, i, j), b.load(along, j, j)))

    return made(b, x, sizes(b, x), element)


def _eig_jvp(b: Builder, s: ArrayOp, tangents: Tangents) -> tuple[Var | None, ...]:
    (w, v), (tangent,) = s.targets, tangents
    assert tangent is not None
    m = solve(b, v, matmul(b, contiguous(b, tangent), v))
    moved = matmul(b, v, over_gaps(b, w, entries(b, m)))
    return diagonal(b, m, w), _tangent_part(b, v, moved)


def _eig_vjp(c: Context) -> None:
    b, (w, v) = c.b, results(c, 0, 1)
    turned = contiguous(b, turn(b, v))
    if c.seeded(1):
        moved = matmul(b, turned, _tangent_part(b, v, seed_of(c, 1)))
        inner = over_gaps(b, w, entries(b, moved))
    else:
        inner = like(b, v, "t")
    if c.seeded(0):
        add_diagonal(b, inner, seed_of(c, 0))
    add_to(b, c.shadow(0), solve(b, turned, matmul(b, inner, turned)))


RULES["eig"] = ArrayRule(_eig_jvp, _eig_vjp, lambda on: frozenset({1, 2}))


# svd: u, s, vt with as many columns of u and rows of vt as the shorter side
def _mixed(b: Builder, s: Var, p: Var, left: bool) -> Element:
    """Elements of p s + s p^T (``left``: of s p + p^T s) for a diagonal s."""

    def element(i: Atom, j: Atom) -> Atom:
        x, y = b.load(s, i if left else j), b.load(s, j if left else i)
        return b.op("add", b.op("mul", b.load(p, i, j), x), b.op("mul", b.load(p, j, i), y))

    return element


def _svd_jvp(b: Builder, op: ArrayOp, tangents: Tangents) -> tuple[Var | None, ...]:
    (u, s, vt), tangent = op.targets, tangents[0]
    assert tangent is not None
    tangent = contiguous(b, tangent)
    right = matmul(b, tangent, turn(b, vt))
    p = matmul(b, turn(b, u), right)
    u_t = matmul(b, u, over_gaps(b, s, _mixed(b, s, p, False), True))
    with longer(b, u, 0, s):
        add_to(b, right, matmul(b, u, p), -1.0)
        add_to(b, u_t, divided(b, right, s, 1))
    v_t = matmul(b, turn(b, over_gaps(b, s, _mixed(b, s, p, True), True)), vt)
    with longer(b, vt, 1, s):
        left = matmul(b, turn(b, u), tangent)
        add_to(b, left, matmul(b, p, vt), -1.0)
        add_to(b, v_t, divided(b, left, s, 0))
    return u_t, diagonal(b, p, s), v_t


def _svd_inner(b: Builder, s: Var, g: Var, left: bool) -> Var:
    """What the adjoint of one kind of vectors adds between u and vt; ``g`` is u^T u_b."""
    h = over_gaps(b, s, entries(b, g), True)

    def element(i: Atom, j: Atom) -> Atom:
        both = b.op("add", b.load(h, i, j), b.load(h, j, i))
        return b.op("mul", both, b.load(s, i if left else j))

    return square(b, s, element)


def _svd_vjp(c: Context) -> None:
    b, (u, s, vt), target = c.b, results(c, 0, 1, 2), c.shadow(0)
    if not (c.seeded(0) or c.seeded(2)):
        add_to(b, target, matmul(b, scaled(b, u, seed_of(c, 1)), vt))
        return
    n = b.dim(s, 0)
    inner = b.alloc(ArrayT(s.type.dtype, 2), (n, n), True, "t")  # type: ignore[union-attr]
    if c.seeded(1):
        add_diagonal(b, inner, seed_of(c, 1))
    if c.seeded(0):
        seed = seed_of(c, 0)
        g = matmul(b, turn(b, u), seed)
        add_to(b, inner, _svd_inner(b, s, g, False))
        with longer(b, u, 0, s):
            out = matmul(b, u, g)
            rest = made(b, out, sizes(b, out), _difference(b, seed, out))
            add_to(b, target, matmul(b, divided(b, rest, s, 1), vt))
    if c.seeded(2):
        seed = seed_of(c, 2)
        g = matmul(b, vt, turn(b, seed))
        add_to(b, inner, _svd_inner(b, s, g, True))
        with longer(b, vt, 1, s):
            out = matmul(b, turn(b, g), vt)
            rest = made(b, out, sizes(b, out), _difference(b, seed, out))
            add_to(b, target, matmul(b, u, divided(b, rest, s, 0)))
    add_to(b, target, matmul(b, matmul(b, u, inner), vt))


def _difference(b: Builder, x: Var, y: Var) -> Element:
    return lambda i, j: b.op("sub", b.load(x, i, j), b.load(y, i, j))


RULES["svd"] = ArrayRule(_svd_jvp, _svd_vjp, lambda on: frozenset({1, 2, 3}))


# qr: of a matrix of full column rank with no fewer rows than columns
def _qr_jvp(b: Builder, s: ArrayOp, tangents: Tangents) -> tuple[Var | None, ...]:
    (q, r), (tangent,) = s.targets, tangents
    assert tangent is not None
    x = solve(b, contiguous(b, turn(b, r)), contiguous(b, turn(b, tangent)))
    inner = matmul(b, turn(b, q), turn(b, x))
    assert isinstance(r.type, ArrayT)
    zero = const(0, r.type.element)

    def upper(i: Atom, j: Atom) -> Atom:
        here = b.load(inner, i, j)
        both = b.op("add", here, b.load(inner, j, i))
        over = b.op("select", b.op("gt", j, i), both, zero)
        return b.op("select", b.op("eq", i, j), here, over)

    u = made(b, r, sizes(b, r), upper)
    along = matmul(b, q, u)
    q_t = made(b, q, sizes(b, q), lambda i, j: b.op("sub", b.load(x, j, i), b.load(along, i, j)))
    return q_t, matmul(b, u, r)


def _qr_vjp(c: Context) -> None:
    b, (q, r) = c.b, results(c, 0, 1)
    assert isinstance(r.type, ArrayT)
    zero = const(0, r.type.element)
    m = like(b, r, "t")
    if c.seeded(1):
        seed = seed_of(c, 1)
        upper = made(
            b,
            r,
            sizes(b, r),
            lambda i, j: b.op("select", b.op("le", i, j), b.load(seed, i, j), zero),
        )
        add_to(b, m, matmul(b, r, turn(b, upper)))
    total = like(b, q, "t")
    if c.seeded(0):
        add_to(b, m, matmul(b, turn(b, seed_of(c, 0)), q), -1.0)
        add_to(b, total, seed_of(c, 0))
    add_to(b, total, matmul(b, q, mirrored(b, m)))
    add_to(b, c.shadow(0), turn(b, solve(b, r, contiguous(b, turn(b, total)))))


RULES["qr"] = ArrayRule(_qr_jvp, _qr_vjp, lambda on: frozenset({1, 2}))


# slogdet: the sign is locally constant
def _slogdet_jvp(b: Builder, s: ArrayOp, tangents: Tangents) -> tuple[Var | None, ...]:
    (a,), (tangent,) = s.args, tangents
    assert tangent is not None and isinstance(a, Var)
    return None, trace(b, solve(b, a, contiguous(b, tangent)))


def _slogdet_vjp(c: Context) -> None:
    b, a, seed = c.b, c.operand(0), c.seed(1)
    (inverse,) = b.array_op("inv", (ArrayT(a.type.dtype, 2),), a)  # type: ignore[union-attr]

    def element(index: tuple[Atom, ...]) -> None:
        b.accumulate(c.shadow(0), index, b.op("mul", seed, b.load(inverse, index[1], index[0])))

    each(b, a, element)


RULES["slogdet"] = ArrayRule(_slogdet_jvp, _slogdet_vjp, lambda on: frozenset({0}))


# pinv: of locally constant rank; the cutoff has no derivative
def _off_range(b: Builder, x: Var, f: Var, g: Var) -> Var:
    """``x - f (g x)``: the part of the columns of x outside the range of the projector f g."""
    along = matmul(b, f, matmul(b, g, x))
    return made(b, x, sizes(b, x), _difference(b, x, along))


def _pinv_parts(b: Builder, a: Var, p: Var, x: Var) -> tuple[Var, Var]:
    """(I - a p) x p p^T and p^T p x (I - p a), for x of the shape of a."""
    left = matmul(b, matmul(b, _off_range(b, x, a, p), p), turn(b, p))
    turned = _off_range(b, contiguous(b, turn(b, x)), p, a)
    return left, matmul(b, turn(b, p), matmul(b, p, turn(b, turned)))


def _pinv_jvp(b: Builder, s: ArrayOp, tangents: Tangents) -> tuple[Var | None, ...]:
    a, p, tangent = s.args[0], s.targets[0], tangents[0]
    assert isinstance(a, Var)
    if tangent is None:
        return (None,)
    tangent = contiguous(b, tangent)
    out = like(b, p, "t")
    add_to(b, out, matmul(b, p, matmul(b, tangent, p)), -1.0)
    for part in _pinv_parts(b, a, p, tangent):
        add_to(b, out, turn(b, part))
    return (out,)


def _pinv_vjp(c: Context) -> None:
    if not c.active(0):
        return
    b, a, (p,), target = c.b, c.operand(0), results(c, 0), c.shadow(0)
    seed = contiguous(b, turn(b, seed_of(c, 0)))
    add_to(b, target, matmul(b, turn(b, p), matmul(b, turn(b, seed), turn(b, p))), -1.0)
    for part in _pinv_parts(b, a, p, seed):
        add_to(b, target, part)


RULES["pinv"] = ArrayRule(_pinv_jvp, _pinv_vjp, lambda on: frozenset({0, 2}))
