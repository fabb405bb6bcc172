"""What is checked of a zoo program: value, exit state and derivatives against the oracle.

``check`` goes through the functional interface: value and exit state of the plain call and of every
transform, tangent, gradient (the pullback of random weights where the result is no single float)
and Hessian times vector.  ``check_exit`` goes through the in-place adjoint at the level of the IR:
cotangents of results *and* of the arguments on exit, and the tangents that forward mode leaves in
them, for programs that write into their arguments.
"""

from __future__ import annotations

import contextlib
import functools
import io
import warnings
from typing import Any

import numpy as np

import srcad
from srcad.analyses.summaries import summary_of
from srcad.api.higher import fit_array
from srcad.frontend.arguments import array_type
from tests import oracle
from tests.composition import Adjoint, Subject, Tangent, arrays_only, float_leaves
from tests.zoo.registry import Program


def flat(x: Any) -> list[np.ndarray]:
    """Leaves of a result or gradient as flat float arrays (``None`` gives nothing)."""
    if x is None or isinstance(x, str) or callable(x):
        return []
    if isinstance(x, (tuple, list)):
        return [y for e in x for y in flat(e)]
    if isinstance(x, dict):
        return [y for e in x.values() for y in flat(e)]
    if hasattr(x, "__dataclass_fields__"):
        return [y for n in x.__dataclass_fields__ for y in flat(getattr(x, n))]
    return [np.asarray(x, dtype=float).ravel()]


def vector(x: Any) -> np.ndarray:
    """All leaves in one vector."""
    return np.concatenate([np.zeros(0), *flat(x)])


def floats_only(x: Any) -> Any:
    """A structure with ints, bools and other objects replaced by ``None``."""
    return oracle.map_tree(lambda v: v if oracle.is_float_leaf(v) else None, x)


def close(a: np.ndarray, b: np.ndarray, tol: float) -> bool:
    """Equal to a relative tolerance of the largest entry (infinities and NaNs exactly)."""
    if a.shape != b.shape:
        return False
    finite = np.abs(b[np.isfinite(b)])
    scale = max(1.0, float(np.max(finite, initial=0.0)))
    return bool(np.allclose(a, b, rtol=tol, atol=tol * scale, equal_nan=True))


class Failure(AssertionError):
    """A check that failed, with both sides."""


def expect(what: str, got: Any, want: Any, tol: float) -> None:
    """Compare two structures leaf by leaf."""
    a, b = vector(got), vector(want)
    if not close(a, b, tol):
        raise Failure(f"{what}: got {a}, expected {b}")


def single(program: Program) -> bool:
    """Whether the program computes in float32 (the oracle does not)."""
    return "float32" in program.tags


def tolerance(program: Program) -> float:
    """What counts as equal, relative to the largest entry."""
    return 2e-6 if single(program) else 1e-10


class Expected:
    """What the oracle says of a program; each derivative is computed on first use."""

    def __init__(self, program: Program) -> None:
        self.program = program
        rng = np.random.default_rng(0)
        args = program.args()
        self.tangents = [oracle.random_like(args[k], rng) for k in program.wrt]
        self.out, self.exit = self.ask(oracle.run)
        self.weights = oracle.random_like(self.out, rng)
        self.exit_weights = arrays_only(oracle.random_like(self.exit, rng))
        self.scalar = isinstance(self.out, float)

    def ask(self, what: Any, *args: Any, **options: Any) -> Any:
        """One question to the oracle, on fresh arguments."""
        p = self.program
        if what is not oracle.run:
            args = (p.wrt, *args)
        with quiet():
            return what(p.fn, p.args(), *args, kwargs=p.kwargs, **options)

    @property
    def padded(self) -> tuple[Any, ...]:
        """The tangents with ``None`` for the other arguments."""
        by_position = dict(zip(self.program.wrt, self.tangents, strict=True))
        return tuple(by_position.get(k) for k in range(len(self.program.args())))

    @property
    def weighting(self) -> dict[str, Any]:
        """What the oracle takes the gradient of."""
        nothing = [None] * len(self.exit)  # of the arguments on exit: a program may return None
        return {} if self.scalar else {"weights": self.weights, "exit_weights": nothing}

    @functools.cached_property
    def tangent(self) -> tuple[Any, Any]:
        """Tangents of the result and of the arguments on exit."""
        _, out_t, _, exit_t = self.ask(oracle.jvp, self.tangents, with_exit=True)
        return floats_only(out_t), floats_only(exit_t)

    @functools.cached_property
    def gradient(self) -> Any:
        """Of the single float result, or of the weighted results."""
        return self.ask(oracle.gradient, **self.weighting)

    @functools.cached_property
    def hvp(self) -> Any:
        """Derivative of ``gradient`` along the tangents."""
        return self.ask(oracle.hvp, self.tangents, **self.weighting)

    @functools.cached_property
    def exit_gradient(self) -> Any:
        """Gradient of weighted results and weighted arguments on exit."""
        return self.ask(oracle.gradient, weights=self.weights, exit_weights=self.exit_weights)

    @functools.cached_property
    def exit_hvp(self) -> Any:
        """Derivative of ``exit_gradient`` along the tangents."""
        return self.ask(
            oracle.hvp, self.tangents, weights=self.weights, exit_weights=self.exit_weights
        )


@contextlib.contextmanager
def quiet() -> Any:
    """Nothing printed, no floating-point warnings."""
    with (
        contextlib.redirect_stdout(io.StringIO()),
        np.errstate(all="ignore"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def check(program: Program, options: dict[str, Any], second: bool = True) -> None:
    """Everything the zoo promises of one program, through the functional interface."""
    expected = Expected(program)
    f = srcad.differentiable(program.fn, **options)
    with quiet():
        check_value(expected, f)
        check_jvp(expected, f)
        if expected.scalar:
            check_gradient(expected, f)
        else:
            check_pullback(expected, f)
        if second and expected.scalar:
            check_hvp(expected, f)


def check_value(e: Expected, f: Any) -> None:
    """The plain call."""
    args = e.program.args()
    expect("value", f(*args, **e.program.kwargs), e.out, tolerance(e.program))
    expect("exit state", args, e.exit, tolerance(e.program))


def positional(e: Expected, f: Any) -> Any:
    """``f`` without its keyword arguments."""
    if not e.program.kwargs:
        return f
    inner = functools.partial(e.program.fn, **e.program.kwargs)
    return srcad.differentiable(inner, **vars(f.options))


def check_jvp(e: Expected, f: Any) -> None:
    """Forward mode."""
    tol, args = tolerance(e.program), e.program.args()
    out, out_t = srcad.jvp(positional(e, f), args, e.padded)
    expect("value of jvp", out, e.out, tol)
    expect("exit state after jvp", args, e.exit, tol)
    expect("jvp", out_t, e.tangent[0], tol)


def check_gradient(e: Expected, f: Any) -> None:
    """Reverse mode of a program with one float result."""
    tol, args = tolerance(e.program), e.program.args()
    g = srcad.value_and_grad(f, argnums=e.program.wrt)
    value, grads = g(*args, **e.program.kwargs)
    expect("value of value_and_grad", value, e.out, tol)
    expect("exit state after value_and_grad", args, e.exit, tol)
    expect("gradient", floats_only(grads), floats_only(e.gradient), tol)


def check_pullback(e: Expected, f: Any) -> None:
    """Reverse mode of a program with any results: the pullback of random weights."""
    tol, args = tolerance(e.program), e.program.args()
    out, pullback = srcad.vjp(positional(e, f), *args)
    expect("value of vjp", out, e.out, tol)
    expect("exit state after vjp", args, e.exit, tol)
    found = pullback(e.weights)
    expect("pullback", [floats_only(found[k]) for k in e.program.wrt], floats_only(e.gradient), tol)


def check_hvp(e: Expected, f: Any) -> None:
    """Forward over reverse of a program with one float result."""
    tol, args = tolerance(e.program), e.program.args()
    g = srcad.grad(positional(e, f), argnums=e.program.wrt)
    _, found = srcad.jvp(g, args, e.padded)
    expect("exit state after hvp", args, e.exit, tol)
    expect("hvp", floats_only(found), floats_only(e.hvp), tol)


def writes_arguments(subject: Subject) -> bool:
    """Whether a program changes float arrays of its caller."""
    written = summary_of(subject.fn).writes
    return any(written[k] for k in subject.floats)


def shadow(x: Any, weight: Any) -> Any:
    """What ``srcad.adjoint`` takes beside an argument: its cotangent on exit."""

    def one(leaf: Any, w: Any) -> Any:
        if not isinstance(leaf, np.ndarray):
            return np.zeros(1, np.asarray(leaf).dtype)
        return fit_array(w, leaf.shape, array_type(leaf, "an argument"), "a shadow")

    return oracle.map_tree(lambda v, w: one(v, w) if oracle.is_float_leaf(v) else None, x, weight)


def check_adjoint(e: Expected, f: Any, gradient: Any) -> bool:
    """The in-place adjoint; false where not every parameter is given by position."""
    args, tol = e.program.args(), tolerance(e.program)
    kinds = [p.kind for p in f.signature.parameters.values()]
    if len(kinds) != len(args) or any(k is not k.POSITIONAL_OR_KEYWORD for k in kinds):
        return False
    shadows = [shadow(x, w) for x, w in zip(args, e.exit_weights, strict=True)]
    out = f(*e.program.args())
    seeds = [
        np.full(1, w, np.asarray(x).dtype) if np.ndim(x) == 0 else shadow(x, w)
        for x, w in zip(float_leaves(out), float_leaves(e.weights), strict=True)
    ]
    given = [
        y
        for x, b in zip(args, shadows, strict=True)
        for y in ((x, b) if any(True for _ in float_leaves(x)) else (x,))
    ]
    expect("value of adjoint", srcad.adjoint(f)(*given, *seeds), e.out, tol)
    expect("exit state after adjoint", args, e.exit, tol)
    expect("adjoint", [floats_only(shadows[k]) for k in e.program.wrt], gradient, tol)
    return True


def check_exit(program: Program, options: dict[str, Any]) -> bool:
    """Derivatives of and into arguments that are written; false where none is."""
    subject = Subject(program)
    if not writes_arguments(subject):
        return False
    e, tol = Expected(program), tolerance(program)
    f = srcad.differentiable(program.fn, **options)
    with quiet():
        tangents, _ = Tangent(subject).run(e.tangents)
        expect("tangents on exit", tangents, e.tangent[1], tol)
        adjoint, weights = Adjoint(subject), (e.weights, e.exit_weights)
        if not check_adjoint(e, f, floats_only(e.exit_gradient)):
            gradient = adjoint.gradient(*weights)
            expect("gradient with exit cotangents", gradient, floats_only(e.exit_gradient), tol)
        hvp = adjoint.hvp(*weights, e.tangents)
        expect("hvp with exit cotangents", hvp, floats_only(e.exit_hvp), tol)
    return True
