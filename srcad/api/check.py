"""``check_grads``: derivatives against differences, and against each other."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from srcad.api.blame import Blame, Lines
from srcad.api.function import Transformed, as_function
from srcad.api.grad import Grad
from srcad.api.hessian_products import has_float
from srcad.api.higher import jvp, vjp
from srcad.api.jacobian import Jacobian
from srcad.api.jacobians import jacobian_program
from srcad.api.safety import name_of
from srcad.compiler import Program
from srcad.errors import SrcadError, TypeMismatch
from srcad.ir.types import Scalar, is_float
from srcad.specs import Leaf, Node, Spec, item_of, leaf_specs, leaves_of, pairs, rebuild, spec_of

DIRECTIONS = 3  # in which a failure is looked at
LIKELY = 0.9  # how well a line's contribution must fit the difference to be named


class CheckFailed(SrcadError, AssertionError):
    """A derivative does not agree with differences, or two modes disagree."""


def check_grads(
    f: Any,
    args: tuple[Any, ...],
    order: int = 2,
    modes: Any = ("fwd", "rev"),
    rtol: float = 2e-6,
    atol: float = 2e-6,
    seed: int = 0,
    **options: Any,
) -> None:
    """Check the derivatives of a function at a point, to a given order.

    Forward mode is compared with central differences (four points) in a random direction, reverse
    mode with forward mode by the inner-product identity.  At order 2 the same is done to the
    gradient (of a function with one float result) or to the Jacobian.  Complex numbers are varied
    in both parts; the inner product is JAX's, the real part of the sum of products.

    Args:
        f: the function; it is called with copies of the arguments.
        args: its arguments; every float in them is varied.
        order: 1 or 2 (or more).
        modes: which of ``"fwd"`` and ``"rev"`` to check.
        rtol, atol: tolerances, relative to the largest entry.

    Raises:
        CheckFailed: they do not agree; the message says by how much, and names the line of ``f``
            whose contribution the difference is, if it is that of one.

    >>> from srcad.examples import square_sum
    >>> check_grads(square_sum, (np.array([1.0, 2.0]),), backend="reference")
    """
    g = as_function(f, options)
    unknown = set(modes) - {"fwd", "rev"}
    if unknown:
        raise TypeMismatch(
            f"modes must be 'fwd' or 'rev', not {unknown.pop()!r}", instead='modes=("fwd", "rev")'
        )
    args = tuple(args)
    specs = [spec_of(a, f"argument {k}") for k, a in enumerate(args)]
    positions = tuple(k for k, s in enumerate(specs) if has_float(s))
    if not positions:
        raise TypeMismatch(
            "check_grads needs an argument that is a float or an array of floats",
            instead="pass a float (1.0 instead of 1)",
        )
    from srcad.api.records import draws_afresh

    if draws_afresh(g, args):
        raise TypeMismatch(
            f"{name_of(g)} draws other random numbers in each call",
            why="differences between calls then say nothing about derivatives",
            instead="seed the generator in the function: np.random.seed(1)",
        )
    rng = np.random.default_rng(seed)
    _first_order(g, args, specs, modes, rng, rtol, atol)
    if order > 1:
        out = g(*copy.deepcopy(args))
        scalar = isinstance(out, (float, np.floating))
        inner: Any = Grad(g, positions) if scalar else PartsJacobian(g, positions, "fwd")
        check_grads(inner, args, order - 1, modes, rtol * 10, atol * 10, seed + 1)


class PartsJacobian(Jacobian):
    """The Jacobian of the real and imaginary parts: defined for every function."""

    label = "jacobian"

    def program(self, specs: dict[str, Spec]) -> Program:
        """The Jacobian of the inner program, its complex numbers taken as pairs of floats."""
        inner = Transformed.program(self, specs)
        arguments = {k: parts_only(s) for k, s in inner.arguments.items()}
        plain = replace(inner, arguments=arguments, out=parts_only(inner.out))
        made = jacobian_program(plain, self.argnums, self.mode)
        return replace(made, arguments=inner.arguments)


def parts_only(spec: Spec) -> Spec:
    """A structure without complex numbers: tuples of two floats, arrays of pairs."""
    if isinstance(spec, Leaf):
        return Leaf(spec.type)
    if isinstance(spec, Node) and spec.kind == "complex":
        return Node("tuple", tuple, (0, 1), tuple(map(parts_only, spec.parts)))
    if isinstance(spec, Node):
        return replace(spec, parts=tuple(map(parts_only, spec.parts)))
    return spec


def _first_order(
    g: Any, args: tuple[Any, ...], specs: list[Spec], modes: Any, rng: Any, rtol: float, atol: float
) -> None:
    tangents = tuple(direction(a, s, rng) for a, s in zip(args, specs, strict=True))
    out, out_t = jvp(g, copy.deepcopy(args), tangents)
    if "fwd" in modes:

        def gap(t: Any) -> tuple[np.ndarray, None]:
            tangent = vector(jvp(g, copy.deepcopy(args), t)[1])
            return tangent - differences(g, args, specs, t), None

        expected = differences(g, args, specs, tangents)
        what = "forward mode against central differences"
        compare(what, g, vector(out_t), expected, rtol, atol, lambda: culprit(g, args, specs, gap))
    if "rev" in modes:
        weights = weights_like(out, rng)
        _, pullback = vjp(g, *copy.deepcopy(args))
        cotangents = vector(pullback(weights))
        # the pairing of JAX: the real part of the sum of products, without conjugation
        along = vector(weights, conjugate=True)
        left = float(vector(out_t) @ along)
        right = float(cotangents @ vector(tangents, conjugate=True))

        def both(t: Any) -> tuple[np.ndarray, np.ndarray]:
            forwards = vector(jvp(g, copy.deepcopy(args), t)[1]) @ along
            return np.array([cotangents @ vector(t, conjugate=True) - forwards]), along

        got, want = np.array([right]), np.array([left])
        what = "reverse mode against forward mode"
        compare(what, g, got, want, rtol, atol, lambda: culprit(g, args, specs, both))


def culprit(
    g: Any,
    args: tuple[Any, ...],
    specs: list[Spec],
    gap: Callable[[Any], tuple[np.ndarray, np.ndarray | None]],
) -> Blame | None:
    """The line that explains a difference; ``gap`` gives it for a direction, and its weights."""
    rng = np.random.default_rng(1)
    errors, parts = [], []
    try:
        bound = g.bind(copy.deepcopy(args), {})
        lines = Lines(g, g.specs(bound))
        for _ in range(DIRECTIONS):
            t = tuple(direction(a, s, rng) for a, s in zip(args, specs, strict=True))
            leaves = [x for d, s in zip(t, specs, strict=True) for x in tangent_leaves(d, s)]
            rows = lines.at(bound, [x for x in leaves if x is not None])
            error, weights = gap(t)
            errors.append(error)
            parts.append(rows if weights is None else (rows @ weights)[:, None])
    except SrcadError:  # the failure is reported without a line
        return None
    blame = lines.blame(np.concatenate(errors), np.concatenate(parts, axis=1))
    return blame if blame is not None and blame.fit > LIKELY else None


def compare(
    what: str,
    g: Any,
    got: np.ndarray,
    want: np.ndarray,
    rtol: float,
    atol: float,
    explain: Callable[[], Blame | None] = lambda: None,
) -> None:
    """Raise where two vectors differ."""
    scale = max(float(np.max(np.abs(want), initial=0.0)), 1.0)
    error = np.abs(got - want)
    bad = ~(error <= atol * scale + rtol * np.abs(want)) & ~(np.isnan(got) & np.isnan(want))
    if bad.any():
        k = int(np.argmax(np.where(bad, np.nan_to_num(error, nan=np.inf), -1)))
        blame = explain()
        why = "the derivative is wrong, or the function is not smooth here"
        if blame is not None:
            why += f"; the difference is {blame.share()} what this line contributes"
        raise CheckFailed(
            f"{g.__name__}: {what} disagree: component {k} of {len(got)} is "
            f"{got[k]!r}, expected {want[k]!r} (difference {error[k]:.3g})",
            blame.loc if blame is not None else None,
            why,
            "look at branches and kinks near this point",
        )


def direction(x: Any, spec: Spec, rng: Any) -> Any:
    """A random tangent of the structure of an argument."""
    leaves: list[Any] = []
    for v, leaf in zip(leaves_of(x, spec), leaf_specs(spec), strict=True):
        if not is_float(leaf.type):
            leaves.append(None)
        elif isinstance(leaf.type, Scalar):
            leaves.append(float(rng.standard_normal()))
        else:
            leaves.append(rng.standard_normal(np.shape(v)))
    return rebuild(spec, iter(leaves), lambda obj: None)


def moved(
    args: tuple[Any, ...], specs: list[Spec], tangents: tuple[Any, ...], h: float
) -> tuple[Any, ...]:
    """Copies of the arguments, moved by ``h`` times the tangents."""
    out = []
    for x, spec, t in zip(copy.deepcopy(args), specs, tangents, strict=True):
        pairs = zip(leaves_of(x, spec), tangent_leaves(t, spec), strict=True)
        leaves = [v if d is None else shifted(v, d, h) for v, d in pairs]
        out.append(rebuild(spec, iter(leaves), lambda obj: obj))
    return tuple(out)


def shifted(v: Any, d: Any, h: float) -> Any:
    """``v + h * d`` of the same dtype and layout."""
    if isinstance(v, np.ndarray):
        from srcad.api.fitting import fit_array

        spec = spec_of(v)
        assert isinstance(spec, Leaf)
        return fit_array(v + h * d, v.shape, spec.type, "an argument")
    return type(v)(v + h * d)


def tangent_leaves(t: Any, spec: Spec) -> Any:
    """Leaves of a tangent made by ``direction``."""
    if isinstance(spec, Leaf):
        yield pairs(t) if spec.part == "pairs" else t
    elif isinstance(spec, Node):
        for key, part in zip(spec.keys, spec.parts, strict=True):
            yield from tangent_leaves(item_of(t, spec, key), part)


def differences(
    g: Any, args: tuple[Any, ...], specs: list[Spec], tangents: tuple[Any, ...]
) -> np.ndarray:
    """Directional derivative of all float results by four-point central differences."""

    def at(h: float) -> np.ndarray:
        return vector(g(*moved(args, specs, tangents, h)))

    h = (
        1e-3
        if any(str(leaf.type).startswith("f4") for s in specs for leaf in leaf_specs(s))
        else 1e-4
    )
    out: np.ndarray = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    return out


def vector(x: Any, conjugate: bool = False) -> np.ndarray:
    """All float leaves in one vector; complex ones as their two parts."""
    return np.concatenate([np.zeros(0), *_leaves(x, conjugate)])


def _leaves(x: Any, conjugate: bool = False) -> Any:
    if isinstance(x, (complex, np.complexfloating, np.ndarray)) and np.iscomplexobj(x):
        z = np.asarray(x, dtype=np.complex128).ravel()
        yield pairs(z.conj() if conjugate else z).ravel()
    elif isinstance(x, (float, np.floating)) or isinstance(x, np.ndarray) and x.dtype.kind == "f":
        yield np.asarray(x, dtype=float).ravel()
    elif isinstance(x, (tuple, list)):
        for v in x:
            yield from _leaves(v, conjugate)
    elif isinstance(x, dict):
        for v in x.values():
            yield from _leaves(v, conjugate)
    elif hasattr(x, "__dataclass_fields__"):
        for n in x.__dataclass_fields__:
            yield from _leaves(getattr(x, n), conjugate)


def weights_like(out: Any, rng: Any) -> Any:
    """A random cotangent of the structure of a result."""
    return direction(out, spec_of(out, "the result"), rng)
