"""Arrays whose memory is used again.

Fresh memory from the system costs a page fault for every 4 KiB, more than an elementwise
operation on it.  ``empty`` gives arrays over blocks that return here when the last array over
them is gone; at most ``KEPT`` bytes wait for their next use.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SMALL = 1 << 18  # bytes up to which the allocator's own caches do
KEPT = 1 << 27
_free: dict[int, list[Any]] = {}


def give_back(memory: Any) -> None:
    """Keep a block for the next array of its size, unless enough is kept."""
    if _free is None:  # the interpreter is ending
        return
    waiting = sum(size * len(blocks) for size, blocks in list(_free.items()))
    if waiting + memory.size <= KEPT:
        _free.setdefault(memory.size, []).append(memory)
    elif memory.size <= KEPT:  # sizes change: those that nobody has asked for make room
        _free.clear()


class _Block:
    """Memory that an array lies over; its death gives the memory back."""

    __slots__ = ("__array_interface__", "memory")

    def __init__(self, memory: Any, shape: tuple[int, ...], dtype: Any) -> None:
        self.memory = memory
        self.__array_interface__ = {
            "shape": shape,
            "typestr": dtype.str,
            "data": (memory.ctypes.data, False),
            "version": 3,
        }

    def __del__(self, back: Any = give_back) -> None:  # bound early: globals end before arrays
        back(self.memory)


def empty(shape: tuple[int, ...], dtype: Any) -> Any:
    """An array of any content, C-ordered.

    >>> empty((2, 3), np.dtype("float32")).shape
    (2, 3)
    """
    dtype = np.dtype(dtype)
    size = dtype.itemsize
    for d in shape:
        size *= d
    if size <= SMALL:
        return np.empty(shape, dtype)
    return np.asarray(_Block(_memory(size), shape, dtype))


def _memory(size: int) -> Any:
    try:
        return _free[size].pop()
    except (KeyError, IndexError):
        return np.empty(size, np.uint8)


def clear() -> None:
    """Give everything that waits to the system."""
    _free.clear()
