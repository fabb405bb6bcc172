"""What ``srcad.explain`` says of the tape, and what it does not do to find out."""

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
