"""Second derivatives of functions of the library and of the compiler in all four pairs of modes.

Forward over reverse, reverse over forward and reverse over reverse give the same products with the
matrix of second derivatives; forward over forward the same second directional derivative.  (The
first of them is held against differences, function by function, in ``tests/test_library.py``; the
four of elementwise functions in ``tests/test_elementwise.py``.)  One call in so many is taken.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import srcad
from srcad.api.higher import fit_array
from srcad.frontend.arguments import leaves_of, spec_of
from srcad.frontend.calls import full_name
from srcad.ir.types import Scalar, is_float
from tests import composition
from tests.compiled import COMPILED, Case
from tests.test_library import SMOOTH, calls, program

EVERY = 48
CHOSEN: dict[str, Case] = {}
for _param in SMOOTH[::EVERY]:
    _f, _k = _param.values
    _call = calls(_f)[_k]
    CHOSEN[f"{full_name(_f)}-{_k}"] = Case(program(_f, _call), _call.args)
_COMPILED = [(f, c) for f, cases in COMPILED.items() for c in cases if c.smooth]
CHOSEN |= {f"{full_name(f)}": c for f, c in _COMPILED[:: EVERY // 6]}


@pytest.mark.parametrize("case", CHOSEN.values(), ids=CHOSEN)
def test_mode_pairs(case: Case) -> None:
    """All four agree."""
    transformed = srcad.differentiable(case.f, backend="reference", verify=True)
    bound = transformed.bind(case.args, {})
    specs = {k: spec_of(v) for k, v in bound.items()}
    whole = transformed.program(specs)
    fn, captured = whole.fn, [c.path() for c in whole.captures]
    leaves = [x for k, v in bound.items() for x in leaves_of(v, specs[k])] + captured
    count = len(leaves) - len(captured)
    active = tuple(is_float(p.type) and k < count for k, p in enumerate(fn.params))
    rng = np.random.default_rng(1)

    def randoms(kinds: list[Any], values: list[Any]) -> list[Any]:
        return [
            float(rng.standard_normal())
            if isinstance(t, Scalar)
            else fit_array(rng.standard_normal(np.shape(v)), np.shape(v), t, "a tangent")
            for t, v in zip(kinds, values, strict=True)
        ]

    results = composition.run(fn, leaves)
    floats = [(y.type, r) for y, r in zip(fn.body.yields, results, strict=True) if is_float(y.type)]
    weights = randoms(*map(list, zip(*floats, strict=True)))
    inputs = [(p.type, x) for p, x, on in zip(fn.params, leaves, active, strict=True) if on]
    u = randoms(*map(list, zip(*inputs, strict=True)))
    tangent, pullback = composition.tangent(fn, active), composition.pullback(fn, active)
    found = {}
    for mode, outer, inner, first, last in (
        ("ff", composition.tangent, tangent, u, u),
        ("fr", composition.tangent, pullback, weights, u),
        ("rf", composition.pullback, tangent, u, weights),
        ("rr", composition.pullback, pullback, weights, u),
    ):
        made = outer(inner, composition.also(active, inner))
        found[mode] = composition.joined(list(composition.run(made, [*leaves, *first, *last])))
    scale = 1 + np.max(np.abs(found["fr"]), initial=0.0)
    for mode in ("rf", "rr"):
        np.testing.assert_allclose(found[mode], found["fr"], rtol=1e-9, atol=1e-9 * scale)
    along, twice = found["fr"] @ composition.joined(u), found["ff"] @ composition.joined(weights)
    np.testing.assert_allclose(twice, along, rtol=1e-9, atol=1e-8 * scale)
