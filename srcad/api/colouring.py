"""Colourings of sparse matrices: which columns can be computed together.

In: the pattern of a matrix as CSR index arrays.  Out: a colour for every column, such that the sum
of the columns of one colour determines their entries.

* ``columns``: columns of one colour have no row in common (Curtis, Powell & Reid 1974; Coleman &
  Moré 1983: a distance-2 colouring, here greedy, columns with most neighbours first).
* ``star``: for symmetric matrices; neighbours differ, and no path of four vertices has two colours,
  so every entry can be read off one of the two columns it stands in (Gebremedhin, Manne & Pothen,
  "What color is your Jacobian?", 2005, algorithm 4.1).

Compiled by Numba where the pattern is large; small ones are not worth a compilation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np
import scipy.sparse as sp

SMALL = 20_000  # nonzeros


def columns(pattern: sp.csr_array) -> np.ndarray:
    """A colour for every column; columns of one colour have no row in common.

    >>> columns(sp.csr_array(np.eye(4) + np.eye(4, k=1))).max() + 1
    np.int64(2)
    """
    turned = pattern.tocsc()
    arrays = (pattern.indptr, pattern.indices, turned.indptr, turned.indices)
    return _run(_columns, pattern.nnz, *arrays)


def star(pattern: sp.csr_array) -> np.ndarray:
    """A colour for every column of a symmetric pattern.

    >>> arrow = np.eye(5); arrow[0, :] = arrow[:, 0] = 1.0
    >>> star(sp.csr_array(arrow))
    array([0, 1, 1, 1, 1])
    """
    return _run(_star, pattern.nnz, pattern.indptr, pattern.indices)


def _run(f: Callable[..., Any], size: int, *arrays: np.ndarray) -> np.ndarray:
    run = f if size < SMALL else _compiled(f)
    colours: np.ndarray = run(*(a.astype(np.int64) for a in arrays))
    return colours


@cache
def _compiled(f: Callable[..., Any]) -> Any:
    return numba.njit(f)


def _columns(rows: Any, row_cols: Any, cols: Any, col_rows: Any) -> Any:
    n = len(cols) - 1
    mark, degree = np.full(n, -1), np.zeros(n, np.int64)
    for j in range(n):
        for a in range(cols[j], cols[j + 1]):
            i = col_rows[a]
            for b in range(rows[i], rows[i + 1]):
                k = row_cols[b]
                if mark[k] != j:
                    mark[k] = j
                    degree[j] += 1
    colour, forbidden = np.full(n, -1), np.full(n + 1, -1)
    for j in np.argsort(-degree, kind="mergesort"):
        for a in range(cols[j], cols[j + 1]):
            i = col_rows[a]
            for b in range(rows[i], rows[i + 1]):
                taken = colour[row_cols[b]]
                if taken >= 0:
                    forbidden[taken] = j
        c = 0
        while forbidden[c] == j:
            c += 1
        colour[j] = c
    return colour


def _star(ptr: Any, adjacent: Any) -> Any:
    n = len(ptr) - 1
    colour, forbidden = np.full(n, -1), np.full(n + 1, -1)
    degree = ptr[1:] - ptr[:-1]
    for v in np.argsort(-degree, kind="mergesort"):
        for a in range(ptr[v], ptr[v + 1]):
            w = adjacent[a]
            if w == v:
                continue
            if colour[w] >= 0:
                forbidden[colour[w]] = v
            for b in range(ptr[w], ptr[w + 1]):
                x = adjacent[b]
                if x in (v, w) or colour[x] < 0:
                    continue
                if colour[w] < 0:  # v and x would be the ends of a path around w
                    forbidden[colour[x]] = v
                    continue
                for d in range(ptr[x], ptr[x + 1]):
                    y = adjacent[d]
                    if y != w and y != x and colour[y] == colour[w]:
                        forbidden[colour[x]] = v
                        break
        c = 0
        while forbidden[c] == v:
            c += 1
        colour[v] = c
    return colour
