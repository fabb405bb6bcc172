"""What ``srcad.explain`` says of the tape, and what it does not do to find out."""

import math

import numpy as np
import pytest

import srcad
from srcad.ir.nodes import Alloc
from srcad.ir.types import ArrayT
from tests.storage_programs import F8, NAMED, distances, upwind_rows
from tests.test_storage import gradient_of, recorded, wrt


def of_copy(u, c, steps):
    """``upwind_rows`` leaves its argument alone."""
    return upwind_rows(u.copy(), c, steps)


def test_explain_counts_rows_without_running_the_loops():
    """Rows that are recorded count in full; what fills them, minutes of work, is not run."""
    u, steps = np.ones(1000), 1000
    said = srcad.explain(srcad.grad(of_copy), u, 0.1, steps)
    assert said.tape_bytes == (steps + 1) * 1000 * F8  # with the state at the end
    (state,) = (x for x in said.saved if x.bytes)
    assert state.bytes == said.tape_bytes and state.line


def recurrence(x, n, w):
    """One number of each sort."""
    y = x
    scale = w * 2.0
    other = scale + 1.0
    total, lost = 0.0, 0.0
    for i in range(n):
        z = 3.0 * y + i
        y = math.sin(z) * scale
        total += y
        lost += y * other
    return total, lost


def test_explain_says_why_the_rest_is_not_saved():
    """Each float variable is either used by the reverse sweep, or a reason is given."""
    said = srcad.explain(srcad.grad(recurrence, has_aux=True), 0.3, 4, 1.5)
    used = {s.variable: s.why for s in said.saved}
    assert used["z"] == "overwritten by the next trip"
    assert used["scale"] == "still there: never overwritten"
    why = {u.variable: u.why.partition(":")[0] for u in said.unsaved}
    assert why == {
        "other": "does not depend on what is differentiated",
        "y": "used linearly only",
        "total": "used linearly only",
        "lost": "no differentiated result depends on it",
    }
    assert "no differentiated result depends on it" in str(said)


@pytest.mark.parametrize("named", NAMED, ids=str)
def test_explain_says_so(named):
    """``explain`` reports the same bytes, where numbers are recorded and not references."""
    program, leaves = gradient_of(named, named.args(5))
    references = any(
        isinstance(s, Alloc) and isinstance(getattr(s.target.type, "element", 0), ArrayT)
        for s in program.fn.body.stmts
    )
    g = srcad.grad(named.fn, argnums=wrt(leaves), backend="reference")
    said = srcad.explain(g, *named.args(5)).tape_bytes
    found = sum(recorded(program, leaves).values())
    assert said == found or references


def test_what_stays_in_two_loops_is_recorded_as_a_row():
    """Not each element as often as the inner loop reads it, on a list that grows."""
    said = srcad.explain(srcad.grad(distances), np.ones((3, 4)), np.ones((2, 4)))
    growing = [r.variable for r in said.saved if r.how == "recorded*"]
    assert growing == ["shift_row"]
