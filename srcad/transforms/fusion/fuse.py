"""Reverse mode with forward and reverse sweep of independent iterations in one loop.

In: a request for reverse mode, the values that it would record.  Out: the adjoint in which chosen
loops run once, each iteration forwards and at once backwards, so that what is recorded is as
large as one iteration (and stays in the cache), or ``None`` where no loop is like that.

Example: ``for i in range(n): s += f(x[i])`` with an inner loop in ``f``.  Its adjoint needs nothing
but ``s_b``, which is known before the loop where ``s`` enters the result linearly.

Invariant: the primal's statements and their order in each loop are unchanged, so values are the
same bits.  Steps: bodies become functions (``outline``), reverse mode as ever, the two loops over
the primal's call and its adjoint's become one (``merge``), the calls are expanded (``inline``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from srcad.analyses.activity import Activity
from srcad.analyses.tree import Tree
from srcad.ir.nodes import Function, Var
from srcad.ir.walk import statements, targets
from srcad.transforms import inline
from srcad.transforms.family import Family
from srcad.transforms.fusion.eligible import Candidate, candidates
from srcad.transforms.fusion.merge import merged
from srcad.transforms.fusion.outline import outlined
from srcad.transforms.fusion.stepwise import steps

Generate = Callable[[Any], tuple[Function, Any]]


def fused(
    request: Any, activity: Activity, tree: Tree, taped: dict[str, Var], generate: Generate
) -> tuple[Function, Any] | None:
    """The adjoint of ``request`` (a ``reverse.driver.Request``) with such loops, if there are."""
    merging = [
        c for c in candidates(request.fn, activity, request.allocate) if set(taped) & bound(c)
    ]
    again = steps(request.fn, activity, tree, taped)
    while merging or again:
        places = {c.position for c in merging}
        again = [c for c in again if c.position not in places]
        fn, names = outlined(request.fn, [*merging, *again])
        family = request.family.of(fn)
        once = dict(list(names.items())[: len(merging)])
        made, report = generate(replace(request, fn=fn, family=family, iterations=names))
        done, failed = merged(made, once, set(names), family)
        if not failed:
            return expanded(done, report, names, family)
        merging = [c for name, c in once.items() if name not in failed]
        again = steps(request.fn, activity, tree, taped)
    return None


def expanded(
    fn: Function, report: Any, names: dict[str, Candidate], family: Family
) -> tuple[Function, Any]:
    """The adjoint without calls of the outlined functions and their adjoints."""
    calls = family.adjoints(names) | set(names)
    whole, renamed = inline.expanded(replace(fn, callees=family.callees), calls.__contains__)
    rest = {k: f for k, f in family.callees.items() if k not in calls}
    tables = {v.name for c in names.values() for v in c.rows.values()}
    report.residuals = [
        replace(r, kind="state", tape=r.primal) if r.primal in tables else r
        for r in report.residuals
    ]
    known = {r.primal for r in report.residuals}
    for r in family.residuals:
        if r.primal not in known and r.loc is not None:  # not what it is given
            report.residuals.append(replace(r, tape=renamed.get(r.tape, r.tape)))
    return replace(whole, callees=rest), report


def bound(c: Candidate) -> set[str]:
    """The names of everything assigned in a loop."""
    return {t.name for s in statements(c.loop.body) for t in targets(s)} | {c.loop.index.name}
