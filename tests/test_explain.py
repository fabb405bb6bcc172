"""What ``srcad.explain`` says of the tape, and what it does not do to find out."""

import math

import numpy as np

import srcad
from tests.test_storage import F8, upwind_rows


def of_copy(u, c, steps):
    """``upwind_rows`` leaves its argument alone."""
    return upwind_rows(u.copy(), c, steps)


def test_explain_counts_rows_without_running_the_loops():
    """Rows that are recorded count in full; what fills them, minutes of work, is not run."""
    u, steps = np.ones(1000), 1000
    said = srcad.explain(srcad.grad(of_copy), u, 0.1, steps)
    assert said.tape_bytes == steps * 1000 * F8


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
