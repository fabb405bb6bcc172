"""What ``srcad.explain`` says of the tape, and what it does not do to find out."""

import numpy as np
import pytest

import srcad
from srcad.ir.nodes import Alloc
from srcad.ir.types import ArrayT
from tests.test_storage import F8, NAMED, gradient_of, recorded, upwind_rows, wrt


def of_copy(u, c, steps):
    """``upwind_rows`` leaves its argument alone."""
    return upwind_rows(u.copy(), c, steps)


def test_explain_counts_rows_without_running_the_loops():
    """Rows that are recorded count in full; what fills them, minutes of work, is not run."""
    u, steps = np.ones(1000), 1000
    said = srcad.explain(srcad.grad(of_copy), u, 0.1, steps)
    assert said.tape_bytes == steps * 1000 * F8


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
