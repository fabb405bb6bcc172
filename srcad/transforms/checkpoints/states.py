"""States of a loop in storage: one array for each number and each array of the state.

In: the numbers and arrays that make up the state.  Out: ``States``, which emits their storage
(the first axis counts the states), and copies from and to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from srcad.ir.build import Builder, const
from srcad.ir.nodes import Atom, Var
from srcad.ir.types import ArrayT, Scalar, numpy_dtype
from srcad.transforms.arrays import each, sizes

INTS = ArrayT("i8", 1)


@dataclass(frozen=True)
class States:
    """Storage for several states: of the numbers, of the arrays."""

    numbers: tuple[Var, ...]
    arrays: tuple[Var, ...]

    def save(self, b: Builder, slot: Atom, numbers: Sequence[Atom], arrays: Sequence[Var]) -> None:
        """Keep the present state."""
        for store, a in zip(self.numbers, numbers, strict=True):
            b.store(store, (slot,), a)
        for store, array in zip(self.arrays, arrays, strict=True):
            each(b, array, lambda i, s=store, x=array: b.store(s, (slot, *i), b.load(x, *i)))  # type: ignore[misc]

    def move(self, b: Builder, source: Atom, target: Atom, arrays: Sequence[Var]) -> None:
        """Put a state in another place; ``arrays`` are of the sizes of its arrays."""
        for store in self.numbers:
            b.store(store, (target,), b.load(store, source))
        for store, x in zip(self.arrays, arrays, strict=True):
            each(b, x, lambda i, s=store: b.store(s, (target, *i), b.load(s, source, *i)))  # type: ignore[misc]

    def load_numbers(self, b: Builder, slot: Atom) -> tuple[Var, ...]:
        """The numbers of a state."""
        return tuple(b.load(store, slot, hint=store.hint) for store in self.numbers)

    def load_arrays(self, b: Builder, slot: Atom, arrays: Sequence[Var]) -> None:
        """The arrays of a state into ``arrays``."""
        for store, array in zip(self.arrays, arrays, strict=True):
            each(b, array, lambda i, s=store, x=array: b.store(x, i, b.load(s, slot, *i)))  # type: ignore[misc]


def store_type(v: Var) -> ArrayT:
    """Type of the storage for states of one number or array."""
    if isinstance(v.type, Scalar):
        return ArrayT(v.type.kind, 1)
    assert isinstance(v.type, ArrayT)
    return ArrayT(v.type.dtype, v.type.ndim + 1)


def states(b: Builder, slots: Atom, numbers: Sequence[Var], arrays: Sequence[Var]) -> States:
    """New storage for ``slots`` states of these sizes."""
    return States(
        tuple(b.alloc(store_type(v), (slots,), False, f"{v.hint}_states") for v in numbers),
        tuple(
            b.alloc(store_type(v), (slots, *sizes(b, v)), False, f"{v.hint}_states") for v in arrays
        ),
    )


def state_bytes(b: Builder, numbers: Sequence[Var], arrays: Sequence[Var]) -> Atom:
    """Bytes of one state."""
    fixed = sum(numpy_dtype(v.type.kind).itemsize for v in numbers if isinstance(v.type, Scalar))
    total: Atom = const(fixed)
    for v in arrays:
        assert isinstance(v.type, ArrayT)
        size: Atom = const(numpy_dtype(v.type.dtype).itemsize)
        for n in sizes(b, v):
            size = b.op("mul", size, n)
        total = b.op("add", total, size, hint="bytes")
    return total
