"""Comparing derivatives of IR programs on the reference interpreter.

Inputs are active parameters, outputs the float results and the exit state of active arrays.
``check(fn, args)`` demands: forward agrees with central differences; reverse satisfies the inner
product identity with forward, with and without ``allocate``; results and exit states are those
of the primal, bit by bit; every generated function is verified.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from srcad.backends.reference import run
from srcad.ir.nodes import Function
from srcad.ir.types import ArrayT, Scalar, is_float
from srcad.ir.verify import verify
from srcad.transforms.forward import forward
from srcad.transforms.reverse import reverse


class Mismatch(AssertionError):
    """Derivatives disagree."""


def flat(values: Any) -> np.ndarray:
    """All numbers of a nest of floats, arrays and lists."""
    parts = [np.asarray(v, dtype=float).ravel() for v in values]
    return np.concatenate(parts) if parts else np.zeros(0)


def like(value: Any, rng: np.random.Generator) -> Any:
    """Random numbers in the shape of a value."""
    if isinstance(value, np.ndarray):
        made = rng.standard_normal(value.shape).astype(value.dtype)
        plain = value.flags.c_contiguous or not value.flags.f_contiguous
        return made if plain else np.asfortranarray(made)
    if isinstance(value, list):
        return [float(rng.standard_normal()) for _ in value]
    return float(rng.standard_normal())


def same(a: Any, b: Any) -> bool:
    """Bitwise equality of results."""
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True)


class Case:
    """A function, its arguments, which of them are active."""

    def __init__(self, fn: Function, args: tuple, active: tuple[bool, ...], seed: int = 0) -> None:
        self.fn, self.args, self.active = fn, args, active
        self.rng = np.random.default_rng(seed)
        verify(fn)
        self.inputs = [k for k, on in enumerate(active) if on]
        self.arrays = [k for k in self.inputs if isinstance(fn.params[k].type, ArrayT)]
        self.floats = [k for k, y in enumerate(fn.body.yields) if is_float(y.type)]
        self.results, self.exit = self.primal(args)
        self.direction = [like(args[k], self.rng) for k in self.inputs]

    def primal(self, args: tuple) -> tuple[tuple, list]:
        used = copy.deepcopy(args)
        results = run(self.fn, used)
        return copy.deepcopy(results), [used[k] for k in range(len(used))]

    def outputs(self, args: tuple) -> np.ndarray:
        results, state = self.primal(args)
        return flat([results[k] for k in self.floats] + [state[k] for k in self.arrays])

    def moved(self, step: float) -> tuple:
        args = list(copy.deepcopy(self.args))
        for k, d in zip(self.inputs, self.direction, strict=True):
            args[k] = args[k] + step * d
        return tuple(args)

    def forward(self, fn: Function | None = None) -> np.ndarray:
        fn = fn or forward(self.fn, self.active)
        verify(fn)
        args = copy.deepcopy(self.args)
        tangents = copy.deepcopy(self.direction)
        out = run(fn, (*args, *tangents))
        n = len(self.fn.body.yields)
        self.same_effects(out[:n], args, "forward")
        moved = [t for k, t in zip(self.inputs, tangents, strict=True) if k in self.arrays]
        return flat([*out[n:], *moved])

    def same_effects(self, results: tuple, args: tuple, mode: str) -> None:
        for a, b in zip(results, self.results, strict=True):
            if not same(a, b):
                raise Mismatch(f"{mode}: results differ: {a} {b}")
        for a, b in zip(args, self.exit, strict=True):
            if not same(a, b):
                raise Mismatch(f"{mode}: exit state differs")

    def seeds(self) -> list:
        return [like(self.results[k], self.rng) for k in self.floats]

    def reverse(self, fn: Function, seeds: list) -> np.ndarray:
        """Cotangents by the allocating form."""
        verify(fn)
        args, given = copy.deepcopy(self.args), copy.deepcopy(seeds)
        out = run(fn, (*args, *given), debug=False)
        n = len(self.fn.body.yields)
        self.same_effects(out[:n], args, "reverse")
        for a, b in zip(given, seeds, strict=True):
            if not same(a, b):
                raise Mismatch("reverse: a seed was overwritten")
        return flat(out[n:])

    def reverse_into(self, fn: Function, seeds: list, exits: list) -> np.ndarray:
        """Cotangents by the form that accumulates into the caller's shadows."""
        verify(fn)
        args, shadows = copy.deepcopy(self.args), copy.deepcopy(exits)
        out = run(fn, (*args, *copy.deepcopy(seeds), *shadows))
        n = len(self.fn.body.yields)
        self.same_effects(out[:n], args, "reverse into")
        scalars, arrays = list(out[n:]), list(shadows)
        whole = [arrays.pop(0) if k in self.arrays else scalars.pop(0) for k in self.inputs]
        return flat(whole)


def close(a: float, b: float, scale: float, tol: float) -> bool:
    """Whether two inner products agree, NaN with NaN."""
    return bool(np.isnan(a) and np.isnan(b)) or abs(a - b) <= tol * max(1.0, scale)


def check(
    fn: Function,
    args: tuple,
    active: tuple[bool, ...],
    seed: int = 0,
    differences: bool = True,
    tol: float = 1e-9,
    **options: Any,
) -> Case:
    """All demands; returns the case."""
    case = Case(fn, args, active, seed)
    tangent = case.forward()
    if differences:
        check_differences(case, tangent)
    seeds = case.seeds()
    zero = [0.0 * np.asarray(case.exit[k]) for k in case.arrays]
    ones = [like(case.exit[k], case.rng) for k in case.arrays]
    into = reverse(fn, active, allocate=False, **options)
    for exits, cotangent in (
        (zero, case.reverse(reverse(fn, active, **options), seeds)),
        (zero, case.reverse_into(into, seeds, zero)),
        (ones, case.reverse_into(into, seeds, ones)),
    ):
        terms = tangent * flat([*seeds, *exits])
        left, right = float(np.sum(terms)), float(cotangent @ flat(case.direction))
        if not close(left, right, float(np.sum(np.abs(terms))), tol):
            raise Mismatch(f"forward {left!r} reverse {right!r}")
    return case


def check_differences(case: Case, tangent: np.ndarray) -> None:
    """Forward against central differences, at several steps (a kink may lie in between)."""
    worst = np.inf
    for step in (1e-6, 1e-5, 3e-7, 1e-4, 1e-7):
        up, down = case.outputs(case.moved(step)), case.outputs(case.moved(-step))
        if up.shape != down.shape or up.shape != tangent.shape:
            continue
        estimate = (up - down) / (2 * step)
        error = np.abs(estimate - tangent) / (1 + np.abs(tangent) + np.abs(estimate))
        worst = min(worst, float(np.max(error, initial=0.0)))
        if worst < 1e-5:
            return
    raise Mismatch(f"forward differs from central differences by {worst}")


def kinds(fn: Function) -> str:
    """Types of parameters and results, for messages."""
    return " ".join(str(p.type) for p in fn.params if isinstance(p.type, (Scalar, ArrayT)))
