"""NumPy's objects that are subscripted: ``r_ c_ s_ index_exp mgrid ogrid``."""

from __future__ import annotations

import numpy as np

from srcad.library.axes import flat
from srcad.library.indexing import along
from srcad.library.registry import LIBRARY_ITEMS, refuse


def steps(s):
    """The numbers that a slice of a grid stands for."""
    start = 0 if s.start is None else s.start
    return np.arange(start, s.stop, 1 if s.step is None else s.step)


def part(x):
    """An item of ``np.r_`` as an array of at least one axis."""
    if isinstance(x, slice):
        return steps(x)
    if isinstance(x, str):
        refuse("a string in np.r_ or np.c_", "np.concatenate")
    return np.asarray(x) if np.ndim(x) > 0 else flat(x)


def rows(key):
    """``np.r_[...]``: items joined along the first axis."""
    parts: tuple = ()
    for x in key if isinstance(key, tuple) else (key,):
        parts = (*parts, part(x))
    return np.concatenate(parts, 0)


def columns(key):
    """``np.c_[...]``: items joined along the last axis, vectors as columns."""
    parts: tuple = ()
    for x in key if isinstance(key, tuple) else (key,):
        p = part(x)
        parts = (*parts, p[:, None] if np.ndim(p) == 1 else p)
    return np.concatenate(parts, -1)


def itself(key):
    """``np.s_[...]``: the key."""
    return key


def as_tuple(key):
    """``np.index_exp[...]``: the key as a tuple."""
    return key if isinstance(key, tuple) else (key,)


def open_grid(key):
    """``np.ogrid[...]``: one array for each axis, to be broadcast."""
    if isinstance(key, slice):
        return steps(key)
    out: tuple = ()
    for k, s in enumerate(key):
        out = (*out, along(steps(s), k, len(key)))
    return out


def full_grid(key):
    """``np.mgrid[...]``: the coordinates of a grid, stacked."""
    if isinstance(key, slice):
        return steps(key)
    parts = open_grid(key)
    shapes: tuple = ()
    for p in parts:
        shapes = (*shapes, p.shape)
    out = np.empty((len(parts), *np.broadcast_shapes(*shapes)), np.result_type(*parts))
    for k, p in enumerate(parts):
        out[k] = p
    return out


LIBRARY_ITEMS.update(
    {
        np.r_: rows,
        np.c_: columns,
        np.s_: itself,
        np.index_exp: as_tuple,
        np.ogrid: open_grid,
        np.mgrid: full_grid,
    }
)
