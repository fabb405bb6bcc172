"""``audit``: a hand-written derivative against the compiler's, over many points.

In: a function, a derivative written by hand, a sampler of arguments.  Out: a ``Report``: which
components are wrong, where most, by how much, and the line of the function they hang on
(``api.blame``); also in how many ways the points went through the function, and which sides of its
branches none of them took.
"""

from __future__ import annotations

import copy
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcad.api.blame import Blame, Lines
from srcad.api.fitting import real_array
from srcad.api.function import Transformed, as_function
from srcad.api.grad import Grad
from srcad.api.records import draws_afresh
from srcad.api.reports import Finding, Report
from srcad.api.safety import name_of
from srcad.api.selection import select
from srcad.api.walks import Walks
from srcad.errors import TypeMismatch
from srcad.frontend.arguments import Leaf, Node, Spec, item_of
from srcad.frontend.values import describe_object
from srcad.ir.types import is_float

POINTS = 12  # the worst of them tell the line
COMPONENTS = 12  # of one argument; more are explained by these


def audit(
    f: Any,
    hand_gradient: Callable[..., Any],
    sampler: Callable[..., Any],
    n: int = 100,
    argnums: Any = 0,
    rtol: float = 1e-6,
    atol: float = 1e-9,
    seed: int = 0,
    **options: Any,
) -> Report:
    """Compare a hand-written gradient with the compiler's, over many points.

    Args:
        f: a function that returns one float.
        hand_gradient: a function of the same arguments; returns what ``grad(f, argnums)`` would.
        sampler: ``sampler(rng)`` gives arguments as a tuple (or the only argument); ``rng`` is a
            ``numpy.random.Generator``.  A sampler without parameters is called as it is.
        n: how many points.
        argnums: what the hand-written gradient is with respect to.
        rtol, atol: tolerances; ``rtol`` is relative to the largest component of an argument.
        seed: of the generator.

    Returns:
        A ``Report`` with ``ok`` and ``findings``; each finding has ``component``, ``point``,
        ``error``, ``line``, ``text``.  It prints.

    Raises:
        TypeMismatch: the hand-written gradient has another structure or shape.

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> wrong = lambda x: np.where(np.arange(len(x)) == 1, -2.0, 2.0) * x
    >>> report = audit(square_sum, wrong, lambda rng: rng.normal(size=3), backend="reference")
    >>> report.ok, report.findings[0].component, report.findings[0].text
    (False, 'x[1]', 's += x[i] * x[i]')
    """
    g = as_function(f, options)
    if draws_afresh(g, as_tuple(draw(sampler, np.random.default_rng(seed)))):
        raise TypeMismatch(
            f"{name_of(g)} draws other random numbers in each call",
            instead="seed the generator in the function: np.random.seed(1)",
        )
    return Audit(g, hand_gradient, argnums, rtol, atol).report(sampler, n, seed)


def draw(sampler: Callable[..., Any], rng: np.random.Generator) -> Any:
    """One point of a sampler."""
    try:
        takes = bool(inspect.signature(sampler).parameters)
    except (TypeError, ValueError):
        takes = True
    return sampler(rng) if takes else sampler()


def as_tuple(point: Any) -> tuple[Any, ...]:
    """The arguments of a point."""
    return point if type(point) is tuple else (point,)


@dataclass
class Point:
    """The derivative at one point, by both."""

    args: tuple[Any, ...]
    got: np.ndarray
    expected: np.ndarray

    @property
    def error(self) -> np.ndarray:
        """The difference; infinite where only one of them is a number."""
        both = np.isnan(self.got) & np.isnan(self.expected)
        with np.errstate(invalid="ignore"):
            gap = np.where(self.got == self.expected, 0.0, self.got - self.expected)
        return np.where(both, 0.0, np.nan_to_num(gap, nan=np.inf))


@dataclass(frozen=True)
class Component:
    """One number of the gradient: its name, and where the input is that it belongs to."""

    name: str
    leaf: int  # position among the parameters
    element: int


class Audit:
    """The comparison; see the module docstring."""

    def __init__(
        self, f: Transformed, hand: Callable[..., Any], argnums: Any, rtol: float, atol: float
    ) -> None:
        self.f, self.hand = f, hand
        self.argnums = tuple(argnums) if isinstance(argnums, list) else argnums
        self.rtol, self.atol = rtol, atol
        self.gradient = Grad(f, self.argnums)

    def report(self, sampler: Callable[..., Any], n: int, seed: int) -> Report:
        """Run it."""
        rng = np.random.default_rng(seed)
        walks = Walks(self.f)
        points: dict[tuple[Component, ...], list[Point]] = {}  # of one structure and shape
        for _ in range(n):
            args = as_tuple(draw(sampler, rng))
            names, point = self.point(args)
            walks.note(self.f.bind(args, {}))
            points.setdefault(tuple(names), []).append(point)
        found = [x for names, same in points.items() for x in self.findings(names, same)]
        found.sort(key=lambda x: -abs(x.error))
        return Report(name_of(self.f), n, tuple(found), len(walks.ways), walks.untaken())

    def point(self, args: tuple[Any, ...]) -> tuple[list[Component], Point]:
        """Both derivatives at a point."""
        want = self.gradient(*copy.deepcopy(args))
        got = self.hand(*copy.deepcopy(args))
        bound = self.f.bind(args, {})
        program = self.f.specialise(bound).program
        chosen = select(program, self.argnums)
        if isinstance(self.argnums, tuple):
            if not isinstance(got, (tuple, list)) or len(got) != len(chosen):
                raise TypeMismatch(
                    f"the hand-written gradient returns {describe_object(got)}, expected a tuple "
                    f"of {len(chosen)}",
                    instead="return one gradient for each of argnums",
                )
        else:
            want, got = (want,), (got,)
        names: list[Component] = []
        ours, theirs = [np.zeros(0)], [np.zeros(0)]
        for s, w, h in zip(chosen, want, got, strict=True):
            places = iter(s.positions)
            for name, leaf, a, b in numbers(plain_name(s.label), s.spec, w, h, places):
                shape = np.shape(a)
                for k, index in enumerate(np.ndindex(shape)):
                    label = f"{name}[{', '.join(map(str, index))}]" if shape else name
                    names.append(Component(label, leaf, k))
                ours.append(np.ravel(a))
                theirs.append(np.ravel(b))
        return names, Point(args, np.concatenate(theirs), np.concatenate(ours))

    def findings(self, names: tuple[Component, ...], points: list[Point]) -> list[Finding]:
        """What is wrong at points of one structure."""
        errors = np.array([p.error for p in points])  # points by components
        wanted = np.abs(np.array([p.expected for p in points]))
        leaves = np.array([c.leaf for c in names])
        scale = np.zeros_like(wanted)
        for leaf in set(leaves.tolist()):
            scale[:, leaves == leaf] = np.nan_to_num(
                wanted[:, leaves == leaf].max(axis=1, keepdims=True), nan=0.0, posinf=0.0
            )
        excess = np.abs(errors) - (self.atol + self.rtol * scale)
        out: list[Finding] = []
        for leaf in sorted(set(leaves.tolist())):
            mine = np.flatnonzero(leaves == leaf).tolist()
            bad = [k for k in mine if np.any(excess[:, k] > 0)]
            bad.sort(key=lambda k: -float(np.max(excess[:, k])))
            out += self.explained(names, bad, points, errors, excess)
        return out

    def explained(
        self,
        names: tuple[Component, ...],
        bad: list[int],
        points: list[Point],
        errors: np.ndarray,
        excess: np.ndarray,
    ) -> list[Finding]:
        """The wrong components of one argument, those with one reason together."""
        groups: dict[Any, list[int]] = {}
        blames: dict[Any, Blame | None] = {}
        for k in bad[:COMPONENTS]:
            blame = self.blame(names[k], k, points, errors, excess)
            key = (blame.loc, blame.explanation()) if blame is not None else None
            groups.setdefault(key, []).append(k)
            blames.setdefault(key, blame)
        if bad[COMPONENTS:]:
            next(iter(groups.values())).extend(bad[COMPONENTS:])
        return [
            self.finding(names, ks, points, errors, excess, blames[key])
            for key, ks in groups.items()
        ]

    def finding(
        self,
        names: tuple[Component, ...],
        ks: list[int],
        points: list[Point],
        errors: np.ndarray,
        excess: np.ndarray,
        blame: Blame | None,
    ) -> Finding:
        """One finding: the worst of some components, at its worst point."""
        k = ks[0]
        worst = int(np.argmax(excess[:, k]))
        point = points[worst]
        return Finding(
            names[k].name,
            tuple(names[j].name for j in ks),
            point.args,
            float(point.got[k]),
            float(point.expected[k]),
            float(errors[worst, k]),
            int(np.sum(np.any(excess[:, ks] > 0, axis=1))),
            blame,
        )

    def blame(
        self,
        component: Component,
        k: int,
        points: list[Point],
        errors: np.ndarray,
        excess: np.ndarray,
    ) -> Blame | None:
        """The line that one component hangs on."""
        worst = np.argsort(-excess[:, k])[:POINTS]
        rows, lines = [], None
        for j in worst:
            bound = self.f.bind(copy.deepcopy(points[j].args), {})
            specs = self.f.specs(bound)
            lines = self.lines(specs)
            rows.append(lines.at(bound, lines.unit(bound, component.leaf, component.element))[:, 0])
        assert lines is not None
        return lines.blame(errors[worst, k], np.array(rows).T)

    def lines(self, specs: dict[str, Spec]) -> Lines:
        """The contributions of the lines, compiled once a kind of arguments."""
        key = tuple(specs.items())
        made: dict[Any, Lines] = self.__dict__.setdefault("_lines", {})
        if key not in made:
            chosen = select(self.f.program(specs), self.argnums)
            made[key] = Lines(self.f, specs, {k for s in chosen for k in s.active})
        return made[key]


def plain_name(label: str) -> str:
    """The name in the label of a selection."""
    found = re.search(r"\((\w+)\)$|'(.*)'$", label)
    return next(g for g in found.groups() if g) if found is not None else label


def numbers(
    name: str, spec: Spec, want: Any, got: Any, places: Iterator[int]
) -> Iterator[tuple[str, int, Any, Any]]:
    """The float leaves of an argument: name, position, and both derivatives."""
    if isinstance(spec, Leaf):
        leaf = next(places)
        if not is_float(spec.type):
            return
        if np.shape(want) != np.shape(got):
            raise TypeMismatch(
                f"the hand-written gradient with respect to {name} has shape {np.shape(got)}, "
                f"expected {np.shape(want)}",
                instead="return an array of the shape of the argument",
            )
        yield name, leaf, want, real_array(got, float, f"the gradient with respect to {name}")
    elif isinstance(spec, Node):
        for key, part in zip(spec.keys, spec.parts, strict=True):
            step = f".{key}" if spec.kind == "dataclass" else f"[{key!r}]"
            try:
                theirs = item_of(got, spec, key)
            except (AttributeError, KeyError, IndexError, TypeError):
                raise TypeMismatch(
                    f"the hand-written gradient has no {name}{step}",
                    instead="return a structure like the argument",
                ) from None
            yield from numbers(name + step, part, item_of(want, spec, key), theirs, places)
