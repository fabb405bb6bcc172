"""Random numbers: the one thing the library's distributions are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.frontend.core import CALLS, Lowering, handles
from srcad.frontend.values import Static, is_scalar
from srcad.ir.draws import DRAWS
from srcad.ir.types import F8
from srcad.library.registry import draw


@handles(CALLS, np.random.seed)
def seed(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """``np.random.seed(seed)`` of an int: Numba's generator under backend "cpu"."""
    if not args or not is_scalar(args[0]):
        lo.mismatch(node, "np.random.seed of anything but an int", instead="pass an int")
    lo.b.draw("seed", lo.integer(args[0], node, "the seed"))
    return Static(None)


@handles(CALLS, draw)
def next_number(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """``draw(kind, *args)``."""
    kind = args[0].obj
    values = [
        lo.b.cast(lo.scalar(a, node), F8) if t == F8 else lo.integer(a, node, "this argument")
        for a, t in zip(args[1:], DRAWS[kind].params, strict=True)
    ]
    return lo.b.draw(kind, *values)
