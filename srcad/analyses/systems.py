"""Systems of linear inequalities in integers: which of them have no solution.

In: inequalities ``form >= 0``, a form being a sum of integer multiples of unknowns and a number.
Out: ``infeasible``: whether they are known to contradict each other.

Invariant: ``True`` only where no integers fulfil all of them.  Method: unknowns that an equality
gives are replaced, the rest eliminated one by one (Fourier-Motzkin; Williams, "Fourier's method
of linear programming and its dual", 1986), with bounds rounded to integers on the way (the first
part of the Omega test; Pugh 1992, section 2.2).
Limits: what only integers, not fractions, contradict is found where rounding finds it; systems
that grow beyond ``MOST`` inequalities count as solvable.

>>> i, j = {"i": 1}, {"j": 1}
>>> rise = plus(plus(j, i, -1), {"": -1})  # j - i - 1 >= 0: i < j
>>> infeasible([rise], [plus(i, j, -1)]), infeasible([rise], [])
(True, False)
"""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd

Form = dict[str, int]  # coefficients by unknown; that of "" is the number
MOST = 120


def plus(p: Form, q: Form, factor: int = 1) -> Form:
    """``p + factor * q``."""
    out = dict(p)
    for name, k in q.items():
        out[name] = out.get(name, 0) + factor * k
    return {name: k for name, k in out.items() if k}


def infeasible(inequalities: Iterable[Form], equalities: Iterable[Form]) -> bool:
    """Whether no integers make all inequalities at least and all equalities equal to zero."""
    solved = _solved(list(inequalities), list(equalities))
    if solved is None:
        return True
    rows = _tightened(solved)
    while rows:
        name = _cheapest(rows)
        if name is None:
            return False
        low = [r for r in rows if r.get(name, 0) > 0]
        high = [r for r in rows if r.get(name, 0) < 0]
        rest = [r for r in rows if name not in r]
        if len(rest) + len(low) * len(high) > MOST:
            return False
        both = (plus(_scaled(a, -b[name]), _scaled(b, a[name])) for a in low for b in high)
        rows = _tightened([*rest, *both])
    return rows is None


def _solved(rows: list[Form], equalities: list[Form]) -> list[Form] | None:
    """The inequalities with what equalities say put in; ``None``: these contradict each other."""
    while equalities:
        e = equalities.pop()
        names = [n for n in e if n]
        if not names:
            if e:
                return None
            continue
        common = gcd(*(e[n] for n in names))
        if e.get("", 0) % common:
            return None
        name = min(names, key=lambda n: (abs(e[n]), n))
        rows = [_without(name, e, r) for r in rows]
        equalities = [_without(name, e, r) for r in equalities]
    return rows


def _without(name: str, e: Form, row: Form) -> Form:
    """A row in which an unknown is replaced by what ``e = 0`` says of it (times a number)."""
    k = row.get(name, 0)
    if not k:
        return row
    sign = 1 if e[name] > 0 else -1
    return plus(_scaled(row, abs(e[name])), e, -k * sign)


def _scaled(row: Form, factor: int) -> Form:
    return {n: factor * k for n, k in row.items()}


def _tightened(rows: Iterable[Form]) -> list[Form] | None:
    """Rows without common factors, the strongest of each kind; ``None``: one is never true."""
    best: dict[tuple[tuple[str, int], ...], int] = {}
    for row in rows:
        names = sorted(n for n in row if n)
        number = row.get("", 0)
        if not names:
            if number < 0:
                return None
            continue
        common = gcd(*(row[n] for n in names))
        kind = tuple((n, row[n] // common) for n in names)
        best[kind] = min(best.get(kind, number // common), number // common)
    return [{**dict(kind), **({"": number} if number else {})} for kind, number in best.items()]


def _cheapest(rows: list[Form]) -> str | None:
    """The unknown whose elimination makes the fewest rows."""
    low: dict[str, int] = {}
    high: dict[str, int] = {}
    for r in rows:
        for n, k in r.items():
            if n:
                side = low if k > 0 else high
                side[n] = side.get(n, 0) + 1
    names = sorted({*low, *high})
    return min(names, key=lambda n: (low.get(n, 0) * high.get(n, 0), n), default=None)
