"""Checks of random programs: that they are fit to be test programs, and that derivatives agree.

`validate` concerns the generator alone: the program runs in plain Python without warnings, its
values are finite and moderate, its gradient by the oracle is finite.  `compile_plain` compiles it
with plain `numba.njit`.  `compare` is the test of the compiler.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tests.oracle_dual import Rounding
from tests.randprog import adapter
from tests.randprog.loading import load, load_copying, module_name, unload
from tests.randprog.program import RandomProgram

LARGE = 1e6  # no value may reach this
STEEP = 1e5  # programs with larger derivatives amplify rounding errors: not compared
TOLERANCE = 1e-10


class Mismatch(AssertionError):
    """A derivative, value or exit state differs from the oracle's."""


class Unfit(AssertionError):
    """The generator made a program that is no good test."""


def flat(*trees: Any) -> np.ndarray:
    """All numbers of some results (None counts as nothing) as one vector."""
    pieces: list[np.ndarray] = []

    def collect(tree: Any) -> None:
        if isinstance(tree, tuple | list):
            for item in tree:
                collect(item)
        elif tree is not None:
            pieces.append(np.asarray(tree, float).ravel())

    collect(trees)
    return np.concatenate(pieces) if pieces else np.zeros(0)


def run_plainly(function: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, Any]:
    """(result, arguments on exit) of the call in plain Python; warnings are errors."""
    with warnings.catch_warnings(), np.errstate(all="raise", under="ignore"):
        warnings.simplefilter("error")
        result = function(*args)
    return result, args


def validate(program: RandomProgram, seeds: Iterable[int] = (0, 1)) -> float:
    """Raise Unfit unless the program is a good test; returns its largest derivative."""
    function = load(program)
    steepest = 0.0
    try:
        for seed in seeds:
            result, state = run_plainly(function, program.args(seed))
            largest = float(np.max(np.abs(flat(result, state))))
            if not largest < LARGE:
                raise Unfit(f"a value of {largest}")
            gradient = flat(adapter.oracle_pullback(program, function, program.args(seed), 1.0))
            if not np.all(np.isfinite(gradient)):
                raise Unfit("a derivative that is not finite")
            steepest = max(steepest, float(np.max(np.abs(gradient), initial=0.0)))
    except (ArithmeticError, LookupError, TypeError, ValueError, Warning) as error:
        raise Unfit(f"{type(error).__name__}: {error}") from error
    finally:
        unload(program)
    return steepest


def compile_plain(program: RandomProgram, seed: int = 0) -> Any:
    """The result of the program compiled by plain numba.njit, helpers included."""
    import numba

    function = load(program)
    namespace = vars(sys.modules[module_name(program)])
    try:
        for name, value in list(namespace.items()):
            if callable(value) and getattr(value, "__module__", "") == namespace["__name__"]:
                namespace[name] = numba.njit(value)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return namespace[function.__name__](*program.args(seed))
    finally:
        unload(program)


def compare(program: RandomProgram, seeds: Iterable[int] = (0,), **options: Any) -> str:
    """Compare with the oracle; "compared", or the reason why there was nothing to compare.

    Value and exit state, the gradient (pullback), the tangent, the Hessian times a vector.  The
    options are the compiler's; the backend is the reference backend unless they say otherwise.
    """
    options = {"backend": "reference", **options}
    function = load(program)
    try:
        for seed in seeds:
            outcome = _compare_at(program, function, seed, options)
            if outcome != "compared":
                return outcome
    finally:
        unload(program)
    return "compared"


def _compare_at(
    program: RandomProgram, function: Callable[..., Any], seed: int, options: dict[str, Any]
) -> str:
    rng = np.random.default_rng(seed)
    expected_value, expected_state = run_plainly(function, program.args(seed))
    copying = run_plainly(load_copying(program), program.args(seed))
    if _error(flat(*copying), flat(expected_value, expected_state)) > 0.0:
        return "overlap"  # NumPy does not do what it says it does
    gradient = adapter.oracle_pullback(program, function, program.args(seed), 1.0)
    if not np.max(np.abs(flat(gradient)), initial=0.0) < STEEP:
        return "steep"
    with Rounding(seed):
        rounded = adapter.oracle_pullback(program, function, program.args(seed), 1.0)
    if not _error(flat(rounded), flat(gradient)) <= TOLERANCE / 10:
        return "steep"  # the last bit of what is computed moves the derivative by more than we see
    tangents = adapter.random_tangents(program, program.args(seed), rng)
    subject = adapter.Subject(program, function, options)
    try:
        args = program.args(seed)
        _same("value", subject.value(args), expected_value)
        _same("state after the plain call", args, expected_state)
        args = program.args(seed)
        value, found = subject.pullback(args, 1.0)
        _same("value with the gradient", value, expected_value)
        _same("gradient", found, gradient)
        _same("state after the gradient", args, expected_state)
        value, tangent = subject.jvp(program.args(seed), tangents)
        _same("value with the tangent", value, expected_value)
        expected = adapter.oracle_jvp(program, function, program.args(seed), tangents)
        _same("tangent", tangent, expected)
        if program.returns == "float":
            expected = adapter.oracle_hvp(program, function, program.args(seed), tangents)
            _same("hvp", subject.hvp(program.args(seed), tangents), expected)
    except Exception as error:
        if adapter.is_refusal(program, error):
            return "refused"
        raise
    return "compared"


def _error(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference, relative to the largest number and at least to 1."""
    scale = max(1.0, float(np.max(np.abs(other), initial=0.0)))
    return float(np.max(np.abs(one - other), initial=0.0)) / scale


def _same(what: str, found: Any, expected: Any) -> None:
    """Equal up to TOLERANCE relative to the largest number of the result, and at least to 1."""
    one, other = flat(found), flat(expected)
    if one.shape != other.shape:
        raise Mismatch(f"{what}: {one.size} numbers, not {other.size}")
    error = _error(one, other)
    if not error <= TOLERANCE:
        raise Mismatch(f"{what}: off by {error:.3g}\nfound    {one}\nexpected {other}")
