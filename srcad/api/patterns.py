"""The nonzeros of a Jacobian: which entries can differ from zero, found without probing values.

In: a program, what is selected, arguments.  Out: a boolean ``scipy.sparse`` matrix with one row for
every element of the float results and one column for every element of the selected inputs.  The
compiled program propagates bit sets instead of floats (``transforms.dependence``), 64 columns a
pass.

A pattern belongs to the integers, the shapes and the way through the program that it was found for;
``Situation`` holds the first two.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp

from srcad.api.fitting import fit_array
from srcad.api.higher import snapshot
from srcad.api.jacobians import silent
from srcad.api.programs import active_pattern, captured_count, move_captures
from srcad.api.selection import Selection
from srcad.api.specialisation import Specialisation, make
from srcad.compiler import Program
from srcad.frontend.arguments import Leaf
from srcad.ir.nodes import Function
from srcad.ir.types import ArrayT, is_float
from srcad.ir.verify import verify
from srcad.specs import pack
from srcad.transforms.dependence import dependence, set_type

WIDTH = 64


def dependence_program(program: Program, chosen: list[Selection]) -> Program:
    """The program that propagates the bit sets."""
    active = active_pattern(program, chosen)
    fn = silenced(dependence(program.fn, active))
    if program.options.verify:
        verify(fn)
    sets = tuple(
        Leaf(set_type(p.type)) for p, on in zip(program.fn.params, active, strict=True) if on
    )
    fn = move_captures(fn, captured_count(program), len(program.fn.params))
    out = pack(tuple(Leaf(y.type) for y in fn.body.yields))
    return program.with_fn(fn, arguments={**program.arguments, ".sets": pack(sets)}, out=out)


def silenced(fn: Function) -> Function:
    """The function and all that it calls, without prints."""
    shared: dict[str, Function] = {}
    for name, f in fn.callees.items():
        shared[name] = Function(name, f.params, silent(f).body, shared)
    return Function(fn.name, fn.params, silent(fn).body, shared)


class Patterns:
    """Finds patterns of one specialisation."""

    def __init__(self, program: Program, chosen: list[Selection]) -> None:
        active = active_pattern(program, chosen)
        self.params = [p for p, on in zip(program.fn.params, active, strict=True) if on]
        names = [p.name for p in self.params]
        self.selected = [program.fn.params[k].name for s in chosen for k in s.active]
        self.places = [names.index(n) for n in self.selected]
        self.positions = [k for s in chosen for k in s.active]
        self.special: Specialisation = make(dependence_program(program, chosen))

    def find(self, leaves: list[Any]) -> tuple[sp.csr_array, list[int], list[int]]:
        """The pattern for these arguments, the sizes of the results and of the inputs."""
        sizes = [int(np.size(leaves[k])) for k in self.positions]
        n = sum(sizes)
        rows, cols, heights = [], [], [0]
        for start in range(0, max(n, 1), WIDTH):
            parts = self.run(leaves, start, sizes)
            heights, sets = [len(p) for p in parts], np.concatenate(parts)
            touched = np.flatnonzero(sets)
            bits = np.unpackbits(
                sets[touched].astype("<i8").view(np.uint8).reshape(-1, 8), axis=1, bitorder="little"
            )
            r, c = np.nonzero(bits)
            rows.append(touched[r])
            cols.append(c + start)
        i, j = np.concatenate(rows), np.concatenate(cols)
        pattern = sp.csr_array((np.ones(len(i), bool), (i, j)), shape=(sum(heights), n))
        pattern.sort_indices()
        return pattern, heights, sizes

    def run(self, leaves: list[Any], start: int, sizes: list[int]) -> list[np.ndarray]:
        """One pass: the bit sets of every float result."""
        given: list[Any] = [None] * len(self.params)
        offset = 0
        for place, position, size in zip(self.places, self.positions, sizes, strict=True):
            bits = np.zeros(size, np.int64)
            here = np.arange(size) + offset - start
            on = (here >= 0) & (here < WIDTH)
            bits[on] = np.left_shift(np.uint64(1), here[on].astype(np.uint64)).view(np.int64)
            kind = set_type(self.params[place].type)
            shape = np.shape(leaves[position])
            array = isinstance(kind, ArrayT)
            given[place] = (
                fit_array(bits.reshape(shape), shape, kind, "a bit set") if array else int(bits[0])
            )
            offset += size
        results = self.special([*map(snapshot, leaves), *given])
        return [np.asarray(r, np.int64).ravel() for r in results]


class Situation:
    """What a pattern depends on besides the way through the program: integers and shapes."""

    def __init__(self, program: Program, leaves: list[Any]) -> None:
        self.shapes = tuple(np.shape(x) for x in leaves)
        self.discrete = tuple(
            x.copy() if isinstance(x, np.ndarray) else x
            for x, p in zip(leaves, program.fn.params, strict=True)
            if not is_float(p.type)
        )

    def fits(self, program: Program, leaves: list[Any]) -> bool:
        """Whether other arguments have the same integers and shapes."""
        if self.shapes != tuple(np.shape(x) for x in leaves):
            return False
        others = (x for x, p in zip(leaves, program.fn.params, strict=True) if not is_float(p.type))
        return all(
            np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b
            for a, b in zip(self.discrete, others, strict=True)
        )
