"""Zoo programs as IR, and transforms of transforms of them, run by the reference backend.

``Subject`` lowers a program of the zoo once and makes fresh leaves for every call.  The functions
below compose transforms at the level of the IR, each result cleaned and verified as the compiler
does it: what the functional interface builds out of them, and more (in-place adjoints with
cotangents of the arguments on exit, reverse over reverse, third derivatives).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import srcad
from srcad import compiler
from srcad.api.higher import fit_array
from srcad.api.programs import substitute, yields
from srcad.api.selection import select
from srcad.backends.reference import run as interpret
from srcad.frontend.arguments import leaves_of, spec_of
from srcad.ir.build import const
from srcad.ir.nodes import Function
from srcad.ir.types import ArrayT, Scalar, is_float
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.options import Options
from srcad.transforms.forward import forward
from srcad.transforms.reverse import reverse_with_report
from tests import oracle
from tests.zoo.registry import Program

CHECKED = Options(backend="reference", verify=True, poison=True)


_clean = True


def cleaned(fn: Function) -> Function:
    """The function after the clean-up passes, verified after each."""
    verify(fn)
    return compiler.clean(fn, CHECKED) if _clean else fn


@contextmanager
def uncleaned() -> Iterator[None]:
    """Inside the ``with``, what transforms made is verified but not cleaned."""
    global _clean
    _clean = False
    try:
        yield
    finally:
        _clean = True


def size(fn: Function) -> int:
    """Statements of a function and of all it calls, inner blocks included."""
    bodies = [fn.body, *(c.body for name, c in fn.callees.items() if c is not fn)]
    return sum(1 for body in bodies for _ in statements(body))


class Subject:
    """A program of the zoo as IR."""

    def __init__(self, program: Program) -> None:
        self.zoo = program
        self.transformed = srcad.differentiable(program.fn, backend="reference", verify=True)
        bound = self.transformed.bind(program.args(), program.kwargs)
        specs = {k: spec_of(v) for k, v in bound.items()}
        self.program = self.transformed.program(specs)
        self.fn = self.program.fn
        chosen = select(self.program, program.wrt)
        self.positions = [k for s in chosen for k in s.active]
        self.active = tuple(k in self.positions for k in range(len(self.fn.params)))
        count = len(self.fn.params) - len(self.program.captures)
        self.floats = [k for k in range(count) if is_float(self.fn.params[k].type)]
        self.every = tuple(k in self.floats for k in range(len(self.fn.params)))

    @property
    def scalar(self) -> bool:
        """Whether the result is one float."""
        out = self.fn.body.yields
        return len(out) == 1 and isinstance(out[0].type, Scalar) and is_float(out[0].type)

    def leaves(self, args: tuple | None = None) -> list[Any]:
        """Leaves of the arguments (fresh ones), then the captured arrays."""
        args = self.zoo.args() if args is None else args
        bound = self.transformed.bind(args, self.zoo.kwargs)
        found = [x for k, v in bound.items() for x in leaves_of(v, self.program.arguments[k])]
        return [*found, *(c.path() for c in self.program.captures)]

    def fitted(self, k: int, values: np.ndarray) -> Any:
        """Numbers as a tangent (or shadow) of parameter ``k``, of its shape and layout."""
        kind = self.fn.params[k].type
        if isinstance(kind, Scalar):
            return float(values.reshape(()))
        shape = np.shape(self.leaves()[k])
        return fit_array(values.reshape(shape), shape, kind, "a tangent")

    def spread(self, tangents: list[Any]) -> list[Any]:
        """Tangents of the differentiated arguments as leaves in the order of the parameters."""
        flat = dict(zip(self.positions, float_leaves(tangents), strict=True))
        return [self.fitted(k, np.asarray(flat[k], float)) for k in sorted(self.positions)]

    def gathered(self, found: list[Any]) -> np.ndarray:
        """Cotangents in the order of the parameters as a vector in the order of arguments."""
        by_position = dict(zip(sorted(self.positions), found, strict=True))
        return joined([by_position[k] for k in self.positions])

    def seeds(self, weights: Any) -> list[Any]:
        """Cotangents of the results as leaves of their types."""
        kinds = [y.type for y in self.fn.body.yields if is_float(y.type)]
        return [
            float(w) if isinstance(t, Scalar) else fit_array(w, np.shape(w), t, "a seed")
            for t, w in zip(kinds, float_leaves(weights), strict=True)
        ]

    def directions(self, seed: int, count: int = 1) -> list[list[Any]]:
        """Random tangents of the differentiated arguments."""
        rng = np.random.default_rng(seed)
        args = self.zoo.args()
        return [[oracle.random_like(args[k], rng) for k in self.zoo.wrt] for _ in range(count)]


def float_leaves(tree: Any) -> Iterator[Any]:
    """The leaves of a tangent that are not ``None``."""
    return (x for x in oracle.leaves(tree) if oracle.is_float_leaf(x))


def arrays_only(tree: Any) -> Any:
    """Cotangents of the arguments on exit: numbers cannot be written, so theirs are ``None``."""
    return oracle.map_tree(lambda x: x if isinstance(x, np.ndarray) else None, tree)


def joined(leaves: list[Any]) -> np.ndarray:
    """All numbers in one vector."""
    return np.concatenate([np.zeros(0), *(np.asarray(x, float).ravel() for x in leaves)])


# compositions: every one is a function of the primal parameters and then of what is named
def gradient(fn: Function, active: tuple[bool, ...]) -> Function:
    """Cotangents of the active parameters, the first result seeded with one."""
    floats = [y for y in fn.body.yields if is_float(y.type)]
    seeded = tuple(k == 0 for k in range(len(floats)))
    made, _ = reverse_with_report(fn, active, seeded, poison=True)
    seed = made.params[len(fn.params)]
    made = substitute(made, {seed.name: const(1.0, seed.type)})  # type: ignore[arg-type]
    return cleaned(yields(made, list(range(len(fn.body.yields), len(made.body.yields)))))


def pullback(fn: Function, active: tuple[bool, ...]) -> Function:
    """Given a cotangent of each float result: cotangents of the active parameters."""
    made, _ = reverse_with_report(fn, active, None, poison=True)
    return cleaned(yields(made, list(range(len(fn.body.yields), len(made.body.yields)))))


def in_place(fn: Function, active: tuple[bool, ...]) -> Function:
    """Given cotangents and a shadow of each active array: all results, shadows updated."""
    made, _ = reverse_with_report(fn, active, None, allocate=False, poison=True)
    return cleaned(made)


def tangent(fn: Function, active: tuple[bool, ...]) -> Function:
    """Given tangents of the active parameters: tangents of the float results."""
    made = forward(fn, active)
    return cleaned(yields(made, list(range(len(fn.body.yields), len(made.body.yields)))))


def also(active: tuple[bool, ...], fn: Function) -> tuple[bool, ...]:
    """The pattern for a transformed function: parameters that were added are constants."""
    return active + (False,) * (len(fn.params) - len(active))


def run(fn: Function, args: list[Any]) -> tuple:
    """Interpret; floating-point warnings are not of interest."""
    with np.errstate(all="ignore"):
        return interpret(fn, tuple(args))


class Adjoint:
    """The in-place adjoint of a program: cotangents of results and of the arguments on exit."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.fn = in_place(subject.fn, subject.every)
        self.arrays = [k for k in subject.floats if isinstance(subject.fn.params[k].type, ArrayT)]
        self.scalars = [k for k in subject.floats if k not in self.arrays]

    def arguments(self, weights: Any, exit_weights: Any) -> tuple[list[Any], list[Any], list[Any]]:
        """Leaves, cotangents of the results, shadows of the arrays."""
        s = self.subject
        on_exit = (x for x in oracle.leaves(list(exit_weights)) if isinstance(x, np.ndarray))
        shadows = [s.fitted(k, x) for k, x in zip(self.arrays, on_exit, strict=True)]
        return s.leaves(), s.seeds(weights), shadows

    def gradient(self, weights: Any, exit_weights: Any) -> np.ndarray:
        """Of the weighted result and exit arguments, with respect to the program's arguments."""
        leaves, seeds, shadows = self.arguments(weights, exit_weights)
        found = run(self.fn, [*leaves, *seeds, *shadows])
        return self.collect(found[len(self.subject.fn.body.yields) :], shadows)

    def collect(self, scalars: tuple, shadows: list[Any]) -> np.ndarray:
        """Cotangents of scalars and shadows in the order of the program's arguments."""
        parts = dict(zip(self.scalars, scalars, strict=True)) | dict(
            zip(self.arrays, shadows, strict=True)
        )
        return joined([parts[k] for k in self.subject.positions])

    def hvp(self, weights: Any, exit_weights: Any, tangents: list[Any]) -> np.ndarray:
        """Forward over the in-place adjoint."""
        s, n = self.subject, len(self.subject.fn.params)
        leaves, seeds, shadows = self.arguments(weights, exit_weights)
        pattern = s.active + (False,) * len(seeds) + (True,) * len(shadows)
        fn = cleaned(forward(self.fn, pattern))
        zeros = [s.fitted(k, np.zeros(np.shape(leaves[k]))) for k in self.arrays]
        found = run(fn, [*leaves, *seeds, *shadows, *s.spread(tangents), *zeros])
        floats = [y for y in self.fn.body.yields[: len(s.fn.body.yields)] if is_float(y.type)]
        assert n == len(leaves)
        return self.collect(found[len(self.fn.body.yields) + len(floats) :], zeros)


class Tangent:
    """Forward mode with the tangents of the arguments on exit.

    With ``every`` all float arguments are active, those that are constant with zero tangents.
    """

    def __init__(self, subject: Subject, every: bool = True) -> None:
        self.subject = subject
        self.floats = subject.floats if every else sorted(subject.positions)
        self.fn = cleaned(forward(subject.fn, subject.every if every else subject.active))

    def run(self, tangents: list[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Tangents of the active leaves of the arguments on exit, and of the results."""
        s = self.subject
        given = dict(zip(sorted(s.positions), s.spread(tangents), strict=True))
        leaves = s.leaves()
        seeds = [
            given[k] if k in given else s.fitted(k, np.zeros(np.shape(leaves[k])))
            for k in self.floats
        ]
        results = run(self.fn, [*leaves, *seeds])
        return joined(seeds), joined(list(results[len(s.fn.body.yields) :]))
