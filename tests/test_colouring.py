"""Colourings of random patterns are valid: checked by enumeration."""

import numpy as np
import pytest
import scipy.sparse as sp

from srcad.api import colouring


def random_pattern(rng, m, n, density):
    """A random sparse boolean matrix."""
    return sp.csr_array(rng.random((m, n)) < density)


@pytest.mark.parametrize("seed", range(12))
def test_column_colourings_are_valid(seed):
    """No row meets a colour twice; never fewer colours than a row has nonzeros."""
    rng = np.random.default_rng(seed)
    pattern = random_pattern(rng, 30, 40, rng.uniform(0.01, 0.3))
    colour = colouring.columns(pattern)
    for i in range(30):
        row = pattern.indices[pattern.indptr[i] : pattern.indptr[i + 1]]
        assert len(set(colour[row])) == len(row)


@pytest.mark.parametrize("seed", range(12))
def test_star_colourings_are_valid(seed):
    """Neighbours differ, and every path of four vertices has three colours (by enumeration)."""
    rng = np.random.default_rng(seed)
    half = random_pattern(rng, 25, 25, rng.uniform(0.02, 0.15))
    graph = (half + half.T).toarray() | np.eye(25, dtype=bool)
    colour = colouring.star(sp.csr_array(graph))
    near = [[k for k in np.flatnonzero(graph[i]) if k != i] for i in range(25)]
    for b in range(25):
        for c in near[b]:
            assert colour[b] != colour[c]
            for a in near[b]:
                for d in near[c]:
                    if len({a, b, c, d}) == 4:
                        assert len({colour[a], colour[b], colour[c], colour[d]}) > 2


def test_compiled_colourings():
    """Large patterns are coloured by the same code, compiled."""
    n = 9000
    pattern = sp.csr_array(sp.diags_array([1.0, 1.0, 1.0], offsets=[-1, 0, 1], shape=(n, n)))
    assert pattern.nnz > colouring.SMALL
    assert colouring.columns(pattern).max() == 2
    assert colouring.star(pattern).max() == 2
