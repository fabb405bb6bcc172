"""Two loops over almost the same range: the part in common, and the iterations left over.

In: two loops of step one, whose ends are a known number apart.  Out: ``aligned``: both over the
common range, and the iterations of each before and after it as plain statements.

Invariant: the same iterations in the same order.  The left over ones are executed without asking
whether there are any, so the common range must be known not to be cut short (``facts``: a program
that has stored ``a[0]`` has an array of at least one element).  Limits: bodies that are short and
flat, ``FEW`` iterations at each end.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from srcad.analyses.distances import Distances
from srcad.analyses.polynomials import Facts, plus
from srcad.ir.build import ONE, Builder, const
from srcad.ir.nodes import Accumulate, Atom, Const, Dim, For, Load, Op, Stmt, Store, Var
from srcad.ir.primitives import fold
from srcad.ir.types import I8
from srcad.ir.walk import rewrite

FEW = 2
SHORT = 12  # statements of a body that is copied
FLAT = (Op, Load, Store, Accumulate, Dim)


@dataclass
class Aligned:
    """Two loops of one range, and what comes before and after each."""

    first: For
    second: For
    before: tuple[list[Stmt], list[Stmt]] = field(default_factory=lambda: ([], []))
    after: tuple[list[Stmt], list[Stmt]] = field(default_factory=lambda: ([], []))


def aligned(
    distances: Distances, b: Builder, first: For, second: For, facts: Facts
) -> Aligned | None:
    """The two loops over their common range, or ``None``."""
    if first.step != second.step or not isinstance(first.step, Const) or not first.step.value:
        return None
    forms = distances.forms
    start = plus(forms.of(second.start), forms.of(first.start), -1)
    stop = plus(forms.of(second.stop), forms.of(first.stop), -1)
    if (set(start) | set(stop)) - {()}:
        return None
    late, longer = start.get((), 0), stop.get((), 0)
    if not late and not longer:
        return Aligned(first, second)
    ends = isinstance(first.start, Const) and isinstance(second.start, Const)
    if first.step != ONE or not ends or max(abs(late), abs(longer)) > FEW:
        return None
    low, high = (second if late > 0 else first).start, (first if longer > 0 else second).stop
    if not forms.nonnegative(plus(forms.of(high), forms.of(low), -1), facts):
        return None
    return _cut(distances, b, first, second, low, high, (late, longer))


def _cut(
    distances: Distances,
    b: Builder,
    first: For,
    second: For,
    low: Atom,
    high: Atom,
    apart: tuple[int, int],
) -> Aligned | None:
    """The loops from ``low`` to ``high``, with copies of the iterations outside."""
    late, longer = apart
    copied = [s for s, n in ((first, late), (first, -longer)) if n > 0]
    copied += [s for s, n in ((second, -late), (second, longer)) if n > 0]
    if not all(map(_copied, copied)):
        return None
    found = Aligned(replace(first, start=low, stop=high), replace(second, start=low, stop=high))
    assert isinstance(low, Const)
    for side, s, n in ((0, first, late), (1, second, -late)):
        for k in range(max(n, 0), 0, -1):
            found.before[side].extend(_iteration(distances, b, s, const(low.value - k)))
    for side, s, n in ((0, first, -longer), (1, second, longer)):
        for k in range(max(n, 0)):
            with b.block() as position:
                b.loc = s.loc
                at = high if not k else b.op("add", high, const(k), hint="last")
            distances.learn(position)
            found.after[side].extend([*position, *_iteration(distances, b, s, at)])
    return found


def _copied(s: For) -> bool:
    """Whether a body may be copied."""
    flat = all(isinstance(t, FLAT) for t in s.body.stmts)
    return not s.carried and flat and len(s.body.stmts) <= SHORT


def _iteration(distances: Distances, b: Builder, s: For, at: Atom) -> list[Stmt]:
    """One iteration, with variables of its own."""
    known: dict[str, Atom] = {s.index.name: at}
    out: list[Stmt] = []

    def use(a: Atom) -> Atom:
        return known.get(a.name, a) if isinstance(a, Var) else a

    def define(v: Var) -> Var:
        made = known[v.name] = b.var(v.hint or v.name, v.type)
        return made

    for t in s.body.stmts:
        if isinstance(t, Op) and t.target.type == I8:
            value = fold(t.op, tuple(map(use, t.args)))
            if value is not None:
                known[t.target.name] = value
                continue
        out.append(rewrite(t, use, define))
    distances.learn(out)
    return out
