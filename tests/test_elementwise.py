"""Every elementwise function in every shape: generated from the registry (``tests.elementwise``).

Values against NumPy, forward mode against central differences of NumPy's own function, reverse mode
against forward mode, second order in all four pairs of modes against differences of the first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import srcad
from srcad.frontend.arguments import spec_of
from srcad.frontend.kinds import result_kind
from srcad.ir.primitives import PRIMITIVES, WITH_ORDER
from srcad.ir.types import B1, F4, I8
from tests import composition, elementwise
from tests.elementwise import LAYOUTS, SCALAR, Layout, Row

OPTIONS = {"backend": "reference"}
PAIRS = [pytest.param(a, b, id=f"{a.label}-{b.label}") for a, b in LAYOUTS]


def chosen(left: Layout, right: Layout) -> list[Row]:
    """All functions, aliases included, on numbers; those that take arrays, once each, on arrays."""
    numbers = left is right is SCALAR
    return elementwise.rows(arrays=not numbers, aliases=numbers)


def evaluate(f: Any, x: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """Plain Python, quiet about domains."""
    with np.errstate(all="ignore"):
        return [np.asarray(r) for r in f(x, y)]


def differences(f: Any, x: np.ndarray, y: np.ndarray, k: int, h: float = 1e-3) -> list[np.ndarray]:
    """Central differences of order six of all results, every element of ``x`` (``y``) moved."""

    def shifted(d: float) -> list[np.ndarray]:
        return evaluate(f, x + d, y) if k == 0 else evaluate(f, x, y + d)

    sides = [(shifted(j * h), shifted(-j * h)) for j in (1, 2, 3)]
    return [
        (45 * (a1 - b1) - 9 * (a2 - b2) + (a3 - b3)) / (60 * h)
        for a1, b1, a2, b2, a3, b3 in zip(*(s for pair in sides for s in pair), strict=True)
    ]


def like_row(product: np.ndarray, layout: Layout, shape: tuple[int, ...]) -> np.ndarray:
    """What a cotangent times a partial adds up to in a row of operands."""
    base = np.zeros(layout.shape)
    scope = {"row": base[None]}
    view = eval(layout.text.format("row", 0, 1), scope)
    extra = product.ndim - np.ndim(view)
    summed = product.sum(axis=tuple(range(extra)))
    for axis, n in enumerate(np.shape(view)):
        if n == 1:
            summed = summed.sum(axis=axis, keepdims=True)
    if np.ndim(view) == 0:
        return np.reshape(summed, layout.shape)
    view[...] = summed
    return base


def directional(f: Any, x: np.ndarray, y: np.ndarray, k: int) -> list[np.ndarray]:
    """The partial derivatives by the first (second) operand, by forward mode."""
    tangents = (np.ones_like(x) * (k == 0), np.ones_like(y) * (k == 1))
    _, out = srcad.jvp(f, (x, y), tangents, **OPTIONS)
    return [np.asarray(t) for t in out]


def slopes(f: Any, x: np.ndarray, y: np.ndarray, k: int) -> list[np.ndarray]:
    """The same, NaN next to a kink, where two widths disagree."""
    pairs = zip(differences(f, x, y, k), differences(f, x, y, k, 2e-3), strict=True)
    return [np.where(np.isclose(a, b, 1e-6, 1e-6), a, np.nan) for a, b in pairs]


def assert_slopes(rows: list[Row], found: Any, want: Any, rtol: float) -> None:
    """Equal to differences wherever these say something, which is nearly everywhere."""
    known = [np.isfinite(w) for w in want]
    assert sum(k.sum() for k in known) >= 0.97 * sum(k.size for k in known)
    want = [np.where(k, w, f) for k, w, f in zip(known, want, found, strict=True)]
    assert_close(rows, found, want, rtol)


def assert_close(rows: list[Row], found: Any, want: Any, rtol: float) -> None:
    """Equal up to rounding, function by function."""
    for r, a, b in zip(rows, found, want, strict=True):
        assert np.shape(a) == np.shape(b), r.name
        scale = 1 + np.max(np.abs(b), initial=0.0)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * scale, err_msg=r.name)


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_first_order(left: Layout, right: Layout) -> None:
    """Value, forward and reverse mode of every function in one shape."""
    rows = chosen(left, right)
    f = elementwise.program(rows, left, right)
    x, y = elementwise.operands(rows, left, right)
    plain = evaluate(f, x, y)
    values, pullback = srcad.vjp(f, x, y, **OPTIONS)
    assert_close(rows, values, plain, 1e-13)
    assert [np.asarray(v).dtype for v in values] == [v.dtype for v in plain]
    rng = np.random.default_rng(2)
    weights = tuple(rng.standard_normal(np.shape(v))[()] for v in plain)
    cotangents = pullback(weights)
    for k, layout in enumerate((left, right)):
        partials = directional(f, x, y, k)
        assert_slopes(rows, partials, slopes(f, x, y, k), 2e-7)
        want = [like_row(w * p, layout, x.shape) for w, p in zip(weights, partials, strict=True)]
        assert_close(rows, cotangents[k], want, 1e-13)


@pytest.mark.parametrize(("left", "right"), [*PAIRS[:2], PAIRS[3], PAIRS[12]])
def test_float32(left: Layout, right: Layout) -> None:
    """Operands of float32: values and partials as those of the same numbers in float64, the
    result in float32 unless Numba's is not; cotangents are float32, as the operands are."""
    rows = chosen(left, right)
    f = elementwise.program(rows, left, right)
    x, y = elementwise.operands(rows, left, right, np.float32)
    wide = x.astype(np.float64), y.astype(np.float64)
    numbers = left is right is SCALAR
    values, pullback = srcad.vjp(f, x, y, **OPTIONS)
    kinds = [np.asarray(v).dtype for v in values]
    for r, kind in zip(rows, kinds, strict=True):
        assert (kind == np.float64) == wide_result(r, numbers), r.name
    assert_close(rows, values, evaluate(f, *wide), 2e-6)
    rng = np.random.default_rng(2)
    weights = tuple(
        np.asarray(rng.standard_normal(np.shape(v)), k)[()]
        for v, k in zip(values, kinds, strict=True)
    )
    cotangents = pullback(weights)
    for k, layout in enumerate((left, right)):
        partials = directional(f, x, y, k)
        assert_close(rows, partials, directional(f, *wide, k), 5e-6)
        want = [like_row(w * p, layout, x.shape) for w, p in zip(weights, partials, strict=True)]
        assert cotangents[k].dtype == np.float32
        assert_close(rows, cotangents[k], want, 5e-6)


def wide_result(r: Row, numbers: bool) -> bool:
    """Whether the result for float32 is float64."""
    if r.f is float:  # Numba's float() leaves a float32 as it is
        return False
    p = PRIMITIVES[r.name]
    kinds = [F4] * p.arity
    if r.name == "select":
        kinds[0] = B1
    if r.name in WITH_ORDER:
        kinds[r.name == "ldexp"] = I8
    return (p.result_type(*kinds) if numbers else result_kind(r.name, kinds)) != F4


def second_order(
    f: Any, x: np.ndarray, y: np.ndarray, weights: list[Any], u: np.ndarray, v: np.ndarray
) -> dict[str, list[Any]]:
    """The second derivatives along (u, v), weighted, in the four pairs of modes.

    Forward over forward gives second directional derivatives of every result, the others the
    matrix of second derivatives of the weighted sum, times (u, v).
    """
    transformed = srcad.differentiable(f, verify=True, **OPTIONS)
    fn = transformed.program({"x": spec_of(x), "y": spec_of(y)}).fn
    both = (True, True)
    tangent, pullback = composition.tangent(fn, both), composition.pullback(fn, both)
    over = {
        "ff": (composition.tangent, tangent, [u, v], [u, v]),
        "fr": (composition.tangent, pullback, weights, [u, v]),
        "rf": (composition.pullback, tangent, [u, v], weights),
        "rr": (composition.pullback, pullback, weights, [u, v]),
    }
    found = {}
    for mode, (transform, inner, first, last) in over.items():
        made = transform(inner, composition.also(both, inner))
        found[mode] = list(composition.run(made, [x, y, *first, *last]))
    return found


SHAPES = [PAIRS[0], PAIRS[3]]


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_second_order(left: Layout, right: Layout) -> None:
    """All four pairs of modes agree, and with differences of the gradient."""
    numbers = left is right is SCALAR
    rows = elementwise.rows(arrays=not numbers, aliases=False)
    f = elementwise.program(rows, left, right)
    x, y = elementwise.operands(rows, left, right)
    rng = np.random.default_rng(3)
    u, v = rng.standard_normal(x.shape), rng.standard_normal(y.shape)
    weights = [rng.standard_normal(np.shape(r))[()] for r in evaluate(f, x, y)]
    found = second_order(f, x, y, weights, u, v)
    for k in range(2):
        for mode in ("rf", "rr"):
            assert_close(rows, found[mode][k], found["fr"][k], 1e-12)
        want = moved_gradient(f, x, y, tuple(weights), u, v, k)
        assert_slopes(rows, list(found["fr"][k]), want, 2e-6)
    pairs = zip(u, found["fr"][0], v, found["fr"][1], strict=True)
    products = [np.sum(a * b) + np.sum(c * d) for a, b, c, d in pairs]
    sums = [np.sum(w * second) for w, second in zip(weights, found["ff"], strict=True)]
    assert_close(rows, sums, products, 1e-12)


def moved_gradient(
    f: Any, x: np.ndarray, y: np.ndarray, weights: Any, u: np.ndarray, v: np.ndarray, k: int
) -> list[Any]:
    """Differences, along (u, v), of the gradient of the weighted sum by operand ``k``."""
    pull = srcad.differentiable(f, **OPTIONS)

    def gradient(t: np.ndarray, _: Any) -> np.ndarray:
        return srcad.vjp(pull, x + t * u, y + t * v)[1](weights)[k]

    return slopes(gradient, np.zeros(()), np.zeros(()), 0)
