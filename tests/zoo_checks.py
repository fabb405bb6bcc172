"""What is checked of a zoo program: value, exit state, gradient, jvp and hvp against the oracle."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np

import srcad
from tests import oracle
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
    if isinstance(x, (float, np.floating)):
        return x
    if isinstance(x, np.ndarray):
        return x if x.dtype.kind == "f" else None
    if isinstance(x, (tuple, list)):
        return [floats_only(v) for v in x]
    if isinstance(x, dict):
        return {k: floats_only(v) for k, v in x.items()}
    if hasattr(x, "__dataclass_fields__"):
        return {n: floats_only(getattr(x, n)) for n in x.__dataclass_fields__}
    return None


def random_like(x: Any, rng: np.random.Generator) -> Any:
    """A random tangent of the structure of ``x`` (``None`` for what is not a float)."""
    if isinstance(x, (float, np.floating)):
        return float(rng.standard_normal())
    if isinstance(x, np.ndarray):
        return rng.standard_normal(x.shape) if x.dtype.kind == "f" else None
    if isinstance(x, (tuple, list)):
        parts = [random_like(v, rng) for v in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    if isinstance(x, dict):
        return {k: random_like(v, rng) for k, v in x.items()}
    if hasattr(x, "__dataclass_fields__"):
        out = copy.copy(x)
        for n in x.__dataclass_fields__:
            object.__setattr__(out, n, random_like(getattr(x, n), rng))
        return out
    return None


def close(a: np.ndarray, b: np.ndarray, tol: float) -> bool:
    """Equal to a relative tolerance of the largest entry."""
    scale = max(1.0, float(np.max(np.abs(b), initial=0.0)))
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=tol, atol=tol * scale,
                                                   equal_nan=True))


class Failure(AssertionError):
    """A check that failed, with both sides."""


def expect(what: str, got: Any, want: Any, tol: float) -> None:
    """Compare two structures leaf by leaf."""
    a, b = vector(got), vector(want)
    if not close(a, b, tol):
        raise Failure(f"{what}: got {a}, expected {b}")


def single(program: Program) -> bool:
    """Whether the program computes in float32 (the oracle does not)."""
    return any("float32" in t or "single" in t or "f4" in t for t in program.tags) or \
        "single" in program.name


def check(program: Program, options: dict[str, Any], second: bool = True) -> None:
    """Everything the zoo promises of one program."""
    tol = 2e-6 if single(program) else 1e-10
    rng = np.random.default_rng(0)
    kw = program.kwargs
    f = srcad.differentiable(program.fn, **options)
    args = program.args()
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        want, want_exit = oracle.run(program.fn, program.args(), **({"kwargs": kw} if kw else {}))
    out = f(*args, **kw)
    expect("value", out, want, tol)
    expect("exit state", args, want_exit, tol)
    scalar = isinstance(out, float) or isinstance(out, np.floating)
    if kw:
        check_gradient_with_keywords(program, f, tol)
        return
    tangents = [random_like(program.args()[k], rng) for k in program.wrt]
    full = [None] * len(args)
    for k, t in zip(program.wrt, tangents, strict=True):
        full[k] = t
    out_t = oracle.jvp(program.fn, program.args(), program.wrt, tangents)[1]
    args = program.args()
    got = srcad.jvp(f, args, tuple(full))
    expect("jvp value", got[0], want, tol)
    expect("jvp", floats_only(got[1]), float_part(out_t, got[1]), tol)
    expect("exit state after jvp", args, want_exit, tol)
    if not scalar:
        return
    args = program.args()
    value, grads = srcad.value_and_grad(f, argnums=program.wrt)(*args)
    expect("value of value_and_grad", value, want, tol)
    expect("exit state after grad", args, want_exit, tol)
    expect("gradient", floats_only(grads), floats_only(oracle.gradient(
        program.fn, program.args(), program.wrt)), tol)
    if second:
        args = program.args()
        g = srcad.grad(f, argnums=program.wrt)
        got_h = srcad.jvp(g, args, tuple(full))[1]
        expect("exit state after hvp", args, want_exit, tol)
        expect("hvp", floats_only(got_h), floats_only(oracle.hvp(
            program.fn, program.args(), program.wrt, tangents)), max(tol, 1e-10))


def float_part(t: Any, like: Any) -> Any:
    """The oracle's tangent without what srcad reports as ``None`` (integer results)."""
    if like is None:
        return None
    if isinstance(like, tuple):
        return [float_part(a, b) for a, b in zip(t, like, strict=True)]
    return t


def check_gradient_with_keywords(program: Program, f: Any, tol: float) -> None:
    """Gradient of a program called with keywords."""
    grads = srcad.grad(f, argnums=program.wrt)(*program.args(), **program.kwargs)

    def bound(*args: Any) -> Any:
        return program.fn(*args, **program.kwargs)

    want = oracle.gradient(bound, program.args(), program.wrt)
    expect("gradient", floats_only(grads), floats_only(want), tol)
