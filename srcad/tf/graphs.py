"""What tracing makes: regions of nodes, which are symbols, loops, branches and ends.

``fingerprint`` says what a loop's body computes, to see whether two trips do the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from srcad.tf.symbolic import Span, Sym


@dataclass
class Loop:
    """``for index in range(...)``: ``carried`` are (parameter, before, after, result)."""

    bounds: tuple[Any, ...]
    index: Any
    body: list[Any] = field(default_factory=list)
    params: list[tuple[Any, Any]] = field(default_factory=list)
    carried: list[tuple[Any, Any, Any, Any]] = field(default_factory=list)


@dataclass
class While:
    """``while test: body``; ``carried`` as for ``Loop``."""

    test: Any = None
    head: list[Any] = field(default_factory=list)
    body: list[Any] = field(default_factory=list)
    params: list[tuple[Any, Any]] = field(default_factory=list)
    carried: list[tuple[Any, Any, Any, Any]] = field(default_factory=list)


@dataclass
class Branch:
    """What follows if a test holds, and if not; the last node of a region."""

    test: Any
    then: list[Any]
    other: list[Any]
    created: int  # symbols before the decision


@dataclass
class Leaf:
    """The end of a path: the result, and the new values of all variables that are known."""

    result: Any
    values: list[Any]
    raised: bool = False


@dataclass
class Graph:
    """A traced function: ``nodes`` end with a leaf, or with a branch into regions that do."""

    inputs: list[Any]
    variables: list[Any]
    variable_inputs: list[Any]
    nodes: list[Any]
    leaves: list[Leaf]
    places: set[Any] = field(default_factory=set)  # that blocks inside of the function ask for


def fingerprint(loop: Loop, after: list[Any]) -> list[Any]:
    """What a body computes, with its own values numbered."""
    numbers: dict[int, Any] = {id(loop.index): "index"}
    numbers |= {id(p): ("param", k) for k, (p, _) in enumerate(loop.params)}
    marks: list[Any] = []
    _fingerprint(loop.body, numbers, marks)
    return [*marks, [mark(x, numbers) for x in after]]


def _fingerprint(nodes: list[Any], numbers: dict[int, Any], marks: list[Any]) -> None:
    for n in nodes:
        if not isinstance(n, Sym):
            if isinstance(n, Loop):
                numbers[id(n.index)] = len(numbers)
            numbers |= {id(p): len(numbers) + k for k, (p, _) in enumerate(n.params)}
            for region in [n.head, n.body] if isinstance(n, While) else [n.body]:
                _fingerprint(region, numbers, marks)
            numbers |= {id(r): len(numbers) + k for k, (_, _, _, r) in enumerate(n.carried)}
            marks.append([mark(x, numbers) for entry in n.carried for x in entry])
            marks.append(mark(n.test, numbers) if isinstance(n, While) else type(n))
            continue
        operands = [mark(a, numbers) for a in n.args]
        numbers[id(n)] = len(numbers)
        shape = () if isinstance(n, Span) else n.shape
        marks.append((n.op, operands, shape, n.dtype, repr(n.options)))


def mark(x: Any, numbers: dict[int, Any]) -> Any:
    if isinstance(x, Sym):
        return numbers.get(id(x), ("outside", id(x)))
    return ("elsewhere", id(x)) if hasattr(x, "elsewhere") else np.asarray(x).tobytes()
