"""States that are made anew in each step: gradients are gathers, and their arrays are reused.

What is compiled for a gradient is run by the reference interpreter and compared with forward mode.
"""

from __future__ import annotations

import numpy as np
import pytest

import srcad
from srcad.backends.reference import run
from srcad.compiler import finished
from tests.renewing_programs import RENEWING, copied, renewed, shrinking


@pytest.mark.parametrize("f", RENEWING, ids=lambda f: f.__name__)
def test_gradients_are_right(f):
    """For no step, one, and several, as they are compiled."""
    g = srcad.grad(f, backend="cpu", vector_math=False, argnums=(0, 2))
    example = np.ones(5), 3, 0.3
    fn = finished(g.program(g.specs(g.bind(example, {}))))
    forward = srcad.jacfwd(f, argnums=(0, 2), backend="reference")
    for n, steps in ((3, 2), (4, 0), (5, 1), (5, 2), (6, 3), (7, 4)):
        if f is not shrinking or n > 3:
            args = 0.3 + 0.2 * np.sin(np.arange(float(n))), steps, 0.3
            for found, expected in zip(run(fn, args), forward(*args), strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("f", [renewed, copied], ids=lambda f: f.__name__)
def test_states_are_rows_of_one_matrix(f):
    """And what each cell gives to its neighbours is collected."""
    source = srcad.source(srcad.grad(f, backend="cpu"), np.ones(9), 3, 0.3)
    assert "new = np.empty((" in source
    assert "for i in range(2, " in source.split("# adjoint of", 1)[1]
