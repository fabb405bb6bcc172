"""The launches of a kernel that has to know who wins an atomic maximum (``cuda.extremes``).

In: a kernel, the arguments of a launch, which of them it changes.  Out: ``rounds``: what to launch
it with, one launch after the other.  Most kernels are launched once.

Of every array with atomic maxima there are four more of its shape: ``race``, in which they are
taken; ``best``, what they gave in the first launch; ``claim``, the tickets of those who have it;
``winner``, what that gave in the second launch.  The third launch is the one that counts; the other
two have copies of what the kernel changes, and leave an adjoint's reverse sweep out (``last``).

Limits: arrays that the kernel changes are contiguous (a copy must be of the same kind, for the
same compiled code to run).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from srcad.backends.cuda import compile_text
from srcad.cuda.program import Kernel
from srcad.errors import TypeMismatch
from srcad.ir.nodes import Function, If, Var
from srcad.ir.threads import CONTEST
from srcad.transforms.barriers import written

CLEARING = """from numba import cuda


@cuda.jit
def clear(a):
    for k in range(cuda.grid(1), a.size, cuda.gridsize(1)):
        a[k // a.shape[1], k % a.shape[1]] = 0
"""
Round = tuple[list[Any], dict[str, Any]]


def rounds(
    kernel: Kernel, values: list[Any], changed: Collection[str], memory: Memory
) -> Iterator[Round]:
    """Arguments, and arrays for the hidden parameters of ``CONTEST``, of each launch.

    Raises:
        TypeMismatch: an array that has to be copied is not contiguous.
    """
    contests = {n: h for n, h in kernel.hidden.items() if h.kind in CONTEST}
    flags = {n for n, h in contests.items() if h.kind == "last"}
    contests = {n: h for n, h in contests.items() if n not in flags}
    if not contests:
        for last in (False, True) if flags else (True,):  # two launches: ``cuda.gathers``
            yield values, dict.fromkeys(flags, last)
        return
    by_name = dict(zip((p.name for p in kernel.arguments), values, strict=True))
    arrays = {h.what: by_name[h.what] for h in contests.values()}
    best = {n: memory.like(x, np.nan, x.dtype) for n, x in arrays.items()}
    winner = {n: memory.like(x, 0, np.dtype("i8")) for n, x in arrays.items()}

    def tables() -> dict[tuple[str, str], Any]:
        made = {("race", n): memory.copy(x, n) for n, x in arrays.items()}
        made |= {("claim", n): memory.like(x, 0, np.dtype("i8")) for n, x in arrays.items()}
        made |= {("best", n): x for n, x in best.items()}
        return made | {("winner", n): x for n, x in winner.items()}

    def extra(made: dict[tuple[str, str], Any], last: bool) -> dict[str, Any]:
        known = {p: made[h.kind, h.what] for p, h in contests.items()}
        return known | dict.fromkeys(flags, last)

    touched = written_before(kernel.fn, flags) & set(changed)

    made = tables()
    yield scratch(kernel.arguments, values, touched, memory), extra(made, False)
    best = {n: made["race", n] for n in arrays}
    made = tables()
    yield scratch(kernel.arguments, values, touched, memory), extra(made, False)
    winner = {n: made["claim", n] for n in arrays}
    yield values, extra(tables(), True)


def written_before(fn: Function, flags: Collection[str]) -> set[str]:
    """What a kernel changes outside of what it does in the last launch only."""
    stmts = tuple(
        s
        for s in fn.body.stmts
        if not (isinstance(s, If) and isinstance(s.cond, Var) and s.cond.name in flags)
    )
    return {p.name for p in written(replace(fn, body=replace(fn.body, stmts=stmts, yields=())))}


def scratch(
    params: tuple[Var, ...], values: list[Any], changed: Collection[str], memory: Memory
) -> list[Any]:
    """The arguments, copies of those that the kernel changes."""
    pairs = zip(params, values, strict=True)
    return [memory.copy(x, p.name) if p.name in changed else x for p, x in pairs]


@cache
def clearing() -> Any:
    """The kernel that fills a matrix with zeros."""
    return compile_text(CLEARING, "clear", "zeros")


class Memory:
    """Where arrays are made."""

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> Any:
        """An array that is written before it is read."""
        raise NotImplementedError

    def zeros(self, shape: tuple[int, ...]) -> Any:
        """A matrix of integers, zero."""
        raise NotImplementedError

    def constant(self, x: np.ndarray) -> Any:
        """An array of the host that the kernel captures."""
        raise NotImplementedError

    def like(self, x: Any, value: float, dtype: np.dtype) -> Any:
        """An array of the shape of ``x``, filled."""
        raise NotImplementedError

    def copy(self, x: Any, name: str) -> Any:
        """A copy of an array."""
        raise NotImplementedError


class HostMemory(Memory):
    """Arrays of NumPy."""

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """An array that is written before it is read."""
        return np.zeros(shape, dtype)

    def zeros(self, shape: tuple[int, ...]) -> np.ndarray:
        """A matrix of integers, zero."""
        return np.zeros(shape, "i8")

    def constant(self, x: np.ndarray) -> np.ndarray:
        """An array of the host that the kernel captures."""
        return x

    def like(self, x: Any, value: float, dtype: np.dtype) -> np.ndarray:
        """An array of the shape of ``x``, filled."""
        return np.full(x.shape, value, dtype)

    def copy(self, x: Any, name: str) -> np.ndarray:
        """A copy of an array."""
        return np.array(x)


class DeviceMemory(Memory):
    """Arrays of ``numba.cuda``, all work on them in one stream."""

    def __init__(self, cuda: Any, stream: Any) -> None:
        self.cuda, self.stream = cuda, stream

    def empty(self, shape: tuple[int, ...], dtype: np.dtype) -> Any:
        """An array that is written before it is read."""
        return self.cuda.device_array(shape, dtype, stream=self.stream)

    def zeros(self, shape: tuple[int, ...]) -> Any:
        """A matrix of integers, zero: filled where it is."""
        made = self.cuda.device_array(shape, np.dtype("i8"), stream=self.stream)
        clearing()[min(4096, shape[0] * shape[1] // 256 + 1), 256, self.stream](made)
        return made

    def constant(self, x: np.ndarray) -> Any:
        """An array of the host that the kernel captures: copied at each launch."""
        return self.cuda.to_device(np.asarray(x, order="C"), stream=self.stream)

    def like(self, x: Any, value: float, dtype: np.dtype) -> Any:
        """An array of the shape of ``x``, filled."""
        return self.cuda.to_device(np.full(x.shape, value, dtype), stream=self.stream)

    def copy(self, x: Any, name: str) -> Any:
        """A copy of an array.

        Raises:
            TypeMismatch: it is not contiguous.
        """
        if isinstance(x, np.ndarray):  # with the simulator
            return self.cuda.to_device(np.asarray(x, order="C"), stream=self.stream)
        order = "C" if x.is_c_contiguous() else "F" if x.is_f_contiguous() else ""
        if not order:
            raise TypeMismatch(
                f"{name!r} is not contiguous",
                why="a kernel with atomic maxima is first launched on copies of what it changes, "
                "which must have the same layout",
                instead="pass a contiguous array",
            )
        made = self.cuda.device_array(x.shape, x.dtype, order=order, stream=self.stream)
        made.copy_to_device(x, stream=self.stream)
        return made
