"""Loops over arrays in all combinations: the passes for loops change no value and no derivative."""

from __future__ import annotations

import pytest

from tests import affine_checks, affine_programs


@pytest.mark.parametrize("block", range(2))
def test_against_the_oracle(block):
    """Value, exit state, gradient and tangent, after everything that passes can do to loops."""
    found = [affine_checks.check(3 * block + k, sizes=(5, 0, 1)) for k in range(3)]
    assert sum(map(len, found)) >= 5


def test_what_programs_are_made_of():
    """What the passes look for is frequent."""
    text = [affine_programs.source(seed) for seed in range(100)]
    marks = (
        "idx[",
        "[::-1]",
        " % n",
        "break",
        "range(n - 1, ",
        " + 1)",
        "n - 1 - i",
        "np.zeros(m)",
    )
    for mark in marks:
        assert sum(mark in t for t in text) >= 8, mark
    assert affine_programs.source(7) == affine_programs.source(7)
