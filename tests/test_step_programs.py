"""Random programs of steps agree with plain Python and the oracle."""

import pytest

from tests import step_programs


@pytest.mark.parametrize("block", range(10))
def test_against_the_oracle(block):
    """Value and gradient, after all stages of compiled code."""
    assert sum(step_programs.check(4 * block + k) for k in range(4)) >= 8


def test_what_programs_are_made_of():
    """Copies, sweeps in part, swaps, sums and decisions are frequent."""
    text = [step_programs.source(seed) for seed in range(100)]
    for mark in (".copy()", "range(1, n", "u, v = v, u", " += ", "n - 1 - i", "break", "if "):
        assert sum(mark in t.split("for t in", 1)[1] for t in text) >= 4, mark
    assert step_programs.source(7) == step_programs.source(7)
