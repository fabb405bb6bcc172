"""What is checked of a sample call: value, first order, second order in all four pairs of modes.

A ``Subject`` is a program with its arguments as IR.  It is lowered once; the transforms are applied
to the IR and run by the reference backend, so that one call costs a few hundredths of a second and
every call of every function of the library can have everything checked.  The oracle is the original
function, run by Python: its results, and central differences of it.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import count
from typing import Any

import numpy as np

import srcad
from srcad import compiler
from srcad.api.check import vector
from srcad.api.fitting import fit_array
from srcad.api.programs import yields
from srcad.api.specialisation import captured_types, fetching, restorer
from srcad.backends.reference import Program as Interpreter
from srcad.ir.nodes import Function
from srcad.ir.types import Scalar, is_float
from srcad.ir.verify import verify
from srcad.options import Options
from srcad.specs import leaves_of, rebuild, spec_of
from srcad.transforms.forward import forward
from srcad.transforms.reverse import reverse_with_report

OPTIONS = Options(backend="reference")
STEP = 1e-4
Leaves = list[Any]


def quietly(f: Callable[..., Any], *args: Any) -> Any:
    """A call that warns of nothing."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f(*args)


def tangent(fn: Function, active: tuple[bool, ...]) -> Function:
    """Given tangents of the active parameters: tangents of the float results."""
    made = forward(fn, active)
    return yields(made, list(range(len(fn.body.yields), len(made.body.yields))))


def pullback(fn: Function, active: tuple[bool, ...]) -> Function:
    """Given a cotangent of each float result: cotangents of the active parameters."""
    made, _ = reverse_with_report(fn, active, None, poison=True)
    return yields(made, list(range(len(fn.body.yields), len(made.body.yields))))


def runner(fn: Function) -> Callable[[Leaves], Leaves]:
    """The function of a list of leaves."""
    call = Interpreter(False).build(fn)
    return lambda leaves: list(quietly(call, *leaves))


def joined(leaves: Sequence[Any]) -> np.ndarray:
    """All numbers in one vector."""
    return np.concatenate([np.zeros(0), *(np.asarray(x, float).ravel() for x in leaves)])


class Subject:
    """A program with its arguments: as IR, with its tangent and its pullback."""

    def __init__(self, f: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.f, self.args = f, args
        self.specs = [spec_of(a) for a in args]
        transformed = srcad.differentiable(f, backend="reference")
        bound = transformed.bind(args, {})
        self.program = transformed.program({k: spec_of(v) for k, v in bound.items()})
        self.fn = self.program.fn
        inputs = len(self.fn.params) - len(self.program.captures)
        self.active = tuple(k < inputs and is_float(p.type) for k, p in enumerate(self.fn.params))

    def plain(self, args: tuple[Any, ...]) -> Any:
        """What Python makes of the program."""
        return quietly(self.f, *args)

    def fits(self, args: tuple[Any, ...]) -> bool:
        """Whether the program is one of these arguments as well."""
        return [spec_of(a) for a in args] == self.specs

    def leaves(self, args: tuple[Any, ...]) -> Leaves:
        """Leaves of the arguments, then the captured arrays."""
        found = [x for a, s in zip(args, self.specs, strict=True) for x in leaves_of(a, s)]
        return [*found, *(fetching(*c)() for c in captured_types(self.program))]

    def moved(self, args: tuple[Any, ...], u: Leaves, h: float) -> tuple[Any, ...]:
        """Arguments with their active leaves moved by ``h * u``."""
        step = iter(u)
        leaves = iter(
            [
                _shifted(x, next(step), h) if on else copy.deepcopy(x)
                for x, on in zip(self.leaves(args), self.active, strict=True)
            ]
        )
        return tuple(rebuild(s, leaves, lambda obj: obj) for s in self.specs)

    def result(self, leaves: Sequence[Any]) -> Any:
        """A structured result."""
        return restorer(self.program.out, count())(leaves)

    @cached_property
    def value(self) -> Callable[[Leaves], Leaves]:
        """The program of leaves."""
        return runner(self.fn)

    @cached_property
    def tangent_fn(self) -> Function:
        """Forward mode."""
        return compiler.clean(tangent(self.fn, self.active), OPTIONS)

    @cached_property
    def pullback_fn(self) -> Function:
        """Reverse mode."""
        return compiler.clean(pullback(self.fn, self.active), OPTIONS)

    @cached_property
    def tangent(self) -> Callable[[Leaves], Leaves]:
        """Tangents of the float results: of leaves and tangents."""
        return runner(self.tangent_fn)

    @cached_property
    def pullback(self) -> Callable[[Leaves], Leaves]:
        """Cotangents of the active leaves: of leaves and cotangents of the float results."""
        return runner(self.pullback_fn)

    def second(self) -> Iterator[tuple[str, Callable[[Leaves], Leaves]]]:
        """The four compositions of modes, outer one first in the name."""
        for mode, outer, inner in (
            ("ff", tangent, self.tangent_fn),
            ("fr", tangent, self.pullback_fn),
            ("rf", pullback, self.tangent_fn),
            ("rr", pullback, self.pullback_fn),
        ):
            more = len(inner.params) - len(self.active)
            made = outer(inner, self.active + (False,) * more)
            verify(made)
            yield mode, runner(made)

    def inputs(self, rng: Any, args: tuple[Any, ...]) -> Leaves:
        """Random tangents of the active leaves."""
        chosen = zip(self.fn.params, self.leaves(args), self.active, strict=True)
        return [_random(rng, p.type, x) for p, x, on in chosen if on]

    def outputs(self, rng: Any, results: Sequence[Any]) -> Leaves:
        """Random cotangents of the float results."""
        chosen = zip(self.fn.body.yields, results, strict=True)
        return [_random(rng, y.type, x) for y, x in chosen if is_float(y.type)]


def _random(rng: Any, t: Any, like: Any) -> Any:
    if isinstance(t, Scalar):
        return float(rng.standard_normal())
    return fit_array(rng.standard_normal(np.shape(like)), np.shape(like), t, "a tangent")


def _shifted(x: Any, u: Any, h: float) -> Any:
    if isinstance(x, np.ndarray):
        return fit_array(x + h * u, x.shape, spec_of(x).type, "an argument")  # type: ignore[union-attr]
    return type(x)(x + h * u)


def differences(f: Callable[[float], np.ndarray]) -> np.ndarray:
    """The slope at 0 by four-point central differences."""
    h = STEP
    return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)


def close(what: str, got: np.ndarray, want: np.ndarray, tolerance: float) -> None:
    """Equal up to a tolerance, relative to the greatest entry; NaN only where NaN is wanted."""
    scale = 1.0 + np.max(np.abs(want), initial=0.0, where=np.isfinite(want))
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * scale, err_msg=what)


def check_first_order(s: Subject, args: tuple[Any, ...], tolerance: float = 2e-6) -> None:
    """Forward mode against differences of the original, reverse mode against forward mode."""
    rng = np.random.default_rng(0)
    leaves = s.leaves(args)
    u, w = s.inputs(rng, args), s.outputs(rng, s.value(leaves))
    tangents = joined(s.tangent([*leaves, *u]))
    want = differences(lambda h: vector(s.plain(s.moved(args, u, h))))
    close("forward mode against differences", tangents, want, tolerance)
    left, right = tangents @ joined(w), joined(s.pullback([*leaves, *w])) @ joined(u)
    close("reverse mode against forward mode", np.array([right]), np.array([left]), 1e-9)


def check_second_order(s: Subject, args: tuple[Any, ...], tolerance: float = 2e-5) -> None:
    """Forward over reverse against differences of reverse; the other three pairs against it.

    Forward over forward gives second directional derivatives of the results, the others products
    of a vector with the matrix of second derivatives of the weighted sum of the results.
    """
    rng = np.random.default_rng(1)
    leaves = s.leaves(args)
    u, w = s.inputs(rng, args), s.outputs(rng, s.value(leaves))
    given = {"ff": [*u, *u], "fr": [*w, *u], "rf": [*u, *w], "rr": [*w, *u]}
    found = {mode: joined(run([*leaves, *given[mode]])) for mode, run in s.second()}
    want = differences(lambda h: joined(s.pullback([*s.leaves(s.moved(args, u, h)), *w])))
    close("forward over reverse against differences of reverse", found["fr"], want, tolerance)
    for mode in ("rf", "rr"):
        close(f"{mode} against forward over reverse", found[mode], found["fr"], 1e-9)
    along, twice = found["fr"] @ joined(u), found["ff"] @ joined(w)
    close("forward over forward", np.array([twice]), np.array([along]), 1e-8)
