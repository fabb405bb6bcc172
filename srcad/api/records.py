"""Functions that draw random numbers, where one transform runs them more than once.

A pullback, a linearisation and the columns of a Jacobian are derivatives at one and the same
sample.  The first run draws and records; the others take the numbers of the record
(``transforms.draws``), so the generator is left as one call of the function leaves it.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np

from srcad.api.function import Transformed
from srcad.api.safety import compiling
from srcad.api.specialisation import Specialisation, make
from srcad.compiler import Program
from srcad.frontend.core import Capture
from srcad.ir.types import is_float
from srcad.paths import Path
from srcad.specs import Leaf, Spec, leaves_of, pack
from srcad.transforms.draws import RECORD, recorded, replayed


def active_floats(program: Program) -> tuple[bool, ...]:
    """Every float argument is active; captured arrays are constants."""
    count = len(program.fn.params) - len(program.captures)
    return tuple(k < count and is_float(p.type) for k, p in enumerate(program.fn.params))


def recorded_program(program: Program) -> Program:
    """A program that returns its result and the numbers it drew."""
    out = pack((program.out, Leaf(RECORD)))
    return program.with_fn(recorded(program.fn), out=out)


def replayed_program(program: Program, numbers: Any) -> Program:
    """A program that takes the numbers from an array, as if it had captured it."""
    fn = replayed(program.fn)
    captured = Capture(Path(numbers), fn.params[-1], numbers)
    return replace(program.with_fn(fn), captures=(*program.captures, captured))


class Replay(Transformed):
    """A function that takes the random numbers of an earlier run instead of drawing."""

    label = "replay"

    def __init__(self, f: Transformed, numbers: Any) -> None:
        super().__init__(f)
        self.numbers = numbers

    def program(self, specs: dict[str, Spec]) -> Program:
        """The inner program, replayed."""
        return replayed_program(super().program(specs), self.numbers)

    def state(self) -> tuple[Any, ...]:
        """See ``Transformed.state``."""
        return (self.inner, self.numbers)


class Recordings:
    """Compiled functions that return the numbers they draw as well."""

    def __init__(self) -> None:
        self.made: dict[Any, Specialisation] = {}

    def run(self, f: Transformed, program: Program, leaves: list[Any]) -> tuple[Any, Any]:
        """Result and numbers."""
        key = (program.options, tuple(program.arguments.items()))
        special = self.made.get(key)
        if special is None or not special.valid() or special.program.source is not program.source:
            with compiling(f):
                special = self.made[key] = make(recorded_program(program))
        return special(leaves)  # type: ignore[no-any-return]


def draws_afresh(f: Transformed, args: tuple[Any, ...]) -> bool:
    """Whether two calls draw other random numbers: the function does not seed the generator."""
    special = f.specialise(f.bind(copy.deepcopy(args), {}))
    if not special.face.draws:
        return False
    program = special.program
    recordings, numbers = Recordings(), []
    for _ in range(2):
        bound = f.bind(copy.deepcopy(args), {})
        leaves = [x for k, v in bound.items() for x in leaves_of(v, program.arguments[k])]
        numbers.append(recordings.run(f, program, leaves)[1])
    return not np.array_equal(*numbers)


def call_and_fix(f: Transformed, args: tuple[Any, ...]) -> tuple[Any, Transformed]:
    """The result of a call, and a function that gives it again: ``f`` itself if it never draws."""
    bound = f.bind(args, {})
    special = f.specialise(bound)
    if not special.face.draws:
        return f.call_bound(bound), f
    program = special.program
    leaves = [x for k, v in bound.items() for x in leaves_of(v, program.arguments[k])]
    out, numbers = Recordings().run(f, program, leaves)
    return out, Replay(f, numbers)
