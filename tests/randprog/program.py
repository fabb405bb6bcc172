"""A whole random program: helpers, the function `f`, its arguments and its statistics."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import numpy as np

from tests.randprog import calls, control, definitions
from tests.randprog.chooser import Chooser, Decisions
from tests.randprog.frame import Build, Frame, overwrites
from tests.randprog.model import LOOSE, UNIT, Var, number
from tests.randprog.results import give_back

SIZE = 18  # statements of the entry function
HEADROOM = LOOSE - 10.0
_numbers = count()


@dataclass(frozen=True)
class Parameter:
    """An argument of the entry function: x and m are arrays, y a float, k an int, idx indices."""

    name: str
    shape: tuple[int, ...] = ()
    high: int = 0  # idx: entries are below this
    layout: str = "C"


@dataclass(frozen=True, eq=False)
class RandomProgram:
    """The text of a module that defines `f`, how to call it, and what it is made of."""

    source: str
    name: str
    parameters: tuple[Parameter, ...]
    returns: str
    stats: dict[str, int]
    entry: str = "f"

    @property
    def wrt(self) -> tuple[int, ...]:
        """Positions of the differentiable arguments."""
        return tuple(i for i, p in enumerate(self.parameters) if p.name in ("x", "y", "m"))

    def args(self, seed: int = 0) -> tuple[Any, ...]:
        """Fresh arguments, the same ones for the same seed."""
        uniform = random.Random(seed).uniform
        return tuple(_argument(p, uniform) for p in self.parameters)

    def __repr__(self) -> str:
        """The text: what Hypothesis shows of a counterexample."""
        return f"# {self.name}: {self.parameters}\n{self.source}"


def new_name() -> str:
    """A pseudo-filename that no other program has."""
    return f"<random {next(_numbers)}>"


def _argument(p: Parameter, uniform: Callable[[float, float], float]) -> Any:
    if p.name == "y":
        return uniform(-1.0, 1.0)
    if p.name == "k":
        return int(uniform(1, 5))
    size = int(np.prod(p.shape))
    if p.name == "idx":
        return np.array([int(uniform(0, p.high)) for _ in range(size)], dtype=np.int64)
    values = np.array([uniform(-1.0, 1.0) for _ in range(size)]).reshape(p.shape)
    if p.layout == "F":
        return np.asfortranarray(values)
    if p.layout == "A":
        return np.repeat(values, 2, axis=-1)[..., ::2]
    return values


def generate(
    chooser: Chooser, size: int = SIZE, without: frozenset[str] = frozenset()
) -> RandomProgram:
    """A random program of about `size` statements that uses none of the features `without`."""
    choose = Decisions(chooser)
    build = Build(choose, without, size, LOOSE if choose.chance(75) else UNIT, HEADROOM)
    lines = ["import math", "", "import numpy as np", ""]
    if choose.chance(30):
        build.constants.append("SCALE")
        lines += ["SCALE = 0.37", ""]
    for name, percent in (("helper", 70), ("second", 40)):
        lines += choose.span(partial(_helper, build, name, percent))
    frame, parameters = _entry(build)
    control.block(frame, size // 2, more=93)
    calls.call_uncalled(frame, 60)
    control.block(frame, size, more=93)
    calls.call_uncalled(frame, 95)
    give_back(frame, final=True)
    lines += ["", f"def f({', '.join(p.name for p in parameters)}):", *frame.lines]
    build.finished.append(frame.events)
    found = [overwrites(events) for events in build.finished]
    stats = dict(build.stats)
    stats["needed_overwrite"] = sum(anything for anything, _ in found)
    stats["array_overwrite"] = sum(in_array for _, in_array in found)
    stats["statements"] = sum(line.strip() != "" for line in lines)
    return RandomProgram("\n".join(lines) + "\n", new_name(), parameters, frame.returns, stats)


def _helper(build: Build, name: str, percent: int) -> list[str]:
    if not build.allows("helper") or not build.chooser.chance(percent):
        return []
    return ["", *definitions.write_helper(build, name), ""]


def _entry(build: Build) -> tuple[Frame, tuple[Parameter, ...]]:
    """The frame of `f`, its parameters declared."""
    choose = build.chooser
    returns = choose.weighted(((16, "float"), (2, "tuple"), (2, "array")))
    f = Frame(build, 1, returns if build.allows("results") else "float")
    f.entry = True
    length = choose.integer(3, 6)
    parameters = [Parameter("x", (length,), layout=_layout(build))]
    _declare_array(f, parameters[0], build.bound)
    f.return_shape = (number(length),)
    if choose.chance(80):
        parameters.append(Parameter("y"))
        f.declare(Var("y", "float", assignable=True))
    if choose.chance(55):
        rows, columns = choose.integer(2, 4), choose.integer(2, 4)
        if choose.chance(40):
            columns = length
        matrix = Parameter("m", (rows, columns), layout=_layout(build))
        parameters.append(matrix)
        _declare_array(f, matrix, build.array_bound())
    if choose.chance(60):
        parameters.append(Parameter("k"))
        f.declare(Var("k", "int", low=1, high=number(4)))
    if build.allows("gather") and choose.chance(45):
        high = choose.integer(2, length)
        order = Parameter("idx", (choose.integer(2, 5),), high=high)
        parameters.append(order)
        shape = (number(order.shape[0]),)
        f.declare(Var("idx", "index", shape, high=number(high - 1)))
    f.used_names.update(p.name for p in parameters)
    return f, tuple(parameters)


def _layout(build: Build) -> str:
    if not build.allows("layouts"):
        return "C"
    return build.chooser.weighted(((18, "C"), (1, "F"), (1, "A")))


def _declare_array(f: Frame, p: Parameter, bound: float) -> None:
    var = Var(p.name, "array", tuple(number(n) for n in p.shape), bound)
    var.assignable = f.chooser.chance(40)
    var.contiguous = p.layout == "C" and not var.assignable
    f.declare(var)
