"""Derivatives with as many digits as it takes, by mpmath, of what a primitive's template says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath as mp  # type: ignore[import-untyped]

from srcad.ir.primitives import PRIMITIVES


def from_template(name: str) -> Callable[..., Any]:
    """The partial derivatives, with mpmath in the place of ``math``, by differences."""
    arity = PRIMITIVES[name].arity
    names = [f"x{i}" for i in range(arity)]
    template = PRIMITIVES[name].template
    text = template.format(*names) if "{" in template else f"x0 {template} x1"
    f = eval(f"lambda {', '.join(names)}: {text}", {"math": mp, "np": mp})
    orders = [tuple(int(i == k) for i in range(arity)) for k in range(arity)]
    return lambda *point: tuple(mp.diff(f, point, n) for n in orders)
