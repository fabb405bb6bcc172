"""How a random number moves with the parameter of its distribution, where no formula says it.

In: a number ``z`` drawn from a distribution with the parameter ``a``.  Out: code for ``dz/da`` with
the probability of less than ``z`` held fixed: ``-(dP/da) / p`` (implicit reparameterisation).
Being ordinary IR, it has derivatives of its own.

Gamma distribution: ``P = p s`` with ``s = z/a + z^2/(a (a + 1)) + ...`` and ``dp/da = p (log z -
digamma a)``.  The terms are positive, about ``sqrt(a)`` of them count; the absolute error is that
of rounding over the density at ``z``.
"""

from __future__ import annotations

from srcad.ir.build import Builder, const
from srcad.ir.nodes import Atom, Block, Carried
from srcad.ir.types import B1, F8

SMALL = const(1e-17)


def slope(b: Builder, kind: str, z: Atom, a: Atom) -> Atom:
    """``dz/da`` of a number drawn from ``kind``."""
    assert kind == "standard_gamma"
    zero = const(0.0)
    total, by_a = _series(b, z, a)
    weight = b.op("sub", b.op("log", z), b.op("digamma", a))
    change = b.op("add", b.op("mul", weight, total), by_a)
    return b.op("select", b.op("gt", z, zero), b.op("neg", change), zero, hint="slope")


def _series(b: Builder, z: Atom, a: Atom) -> tuple[Atom, Atom]:
    """``s`` and ``ds/da``."""
    one = const(1.0)
    term, shares = b.op("truediv", z, a), b.op("truediv", one, a)
    inits = (
        b.op("gt", term, const(0.0)),
        a,
        term,
        shares,
        term,
        b.op("neg", b.op("mul", term, shares)),
    )
    names = ("more", "n", "term", "shares", "s", "s_a")
    kinds = (B1, *(F8,) * 5)
    args = tuple(b.var(name, kind) for name, kind in zip(names, kinds, strict=True))
    results = tuple(b.var(name, kind) for name, kind in zip(names, kinds, strict=True))
    with b.block() as stmts:
        n = b.op("add", args[1], one)
        term = b.op("mul", args[2], b.op("truediv", z, n))
        shares = b.op("add", args[3], b.op("truediv", one, n))
        s = b.op("add", args[4], term)
        s_a = b.op("sub", args[5], b.op("mul", term, shares))
        more = b.op("gt", term, b.op("mul", SMALL, s))
    carried = tuple(Carried(*c) for c in zip(results, args, inits, strict=True))
    b.while_(carried, Block(tuple(stmts), (more, n, term, shares, s, s_a)))
    return results[4], results[5]
