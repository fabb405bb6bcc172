"""Questions of truth as loops: ``any``, ``all``, ``count_nonzero``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.frontend.arrays import apply_elementwise
from srcad.frontend.core import CALLS, Lowering
from srcad.frontend.creation import argument, as_array
from srcad.frontend.reductions import fold_axes, given, method_and_function, reduce, selected
from srcad.frontend.values import is_scalar
from srcad.ir.build import ZERO, const
from srcad.ir.types import I8


def truths(lo: Lowering, v: Any, node: Any) -> Any:
    """The truth of each element."""
    if is_scalar(v):
        return lo.truth(v, node)
    return apply_elementwise(lo, lambda x: lo.truth(x, node), [v], "b1", node)


def quantifier(op: str) -> Callable:
    """``np.any`` and ``np.all``."""

    def handler(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
        v = as_array(lo, args[0], node)
        if given(keywords, "where") is not None:
            other = const(op == "and")
            v = selected(lo, truths(lo, v, node), keywords["where"], other, node)
        return reduce(
            lo,
            v,
            argument(args, keywords, 1, "axis"),
            keywords.get("keepdims"),
            node,
            "b1",
            lambda x, axes, outer: fold_axes(
                lo,
                x,
                axes,
                const(op == "and"),
                lambda a, b: lo.b.op(op, a, lo.truth(b, node)),
                outer,
            ),
        )

    return handler


method_and_function("any", np.any, quantifier("or"))
method_and_function("all", np.all, quantifier("and"))


def count_nonzero(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``np.count_nonzero``."""
    return reduce(
        lo,
        args[0],
        argument(args, keywords, 1, "axis"),
        keywords.get("keepdims"),
        node,
        "i8",
        lambda x, axes, outer: fold_axes(
            lo,
            x,
            axes,
            ZERO,
            lambda a, b: lo.b.op("add", a, lo.b.cast(lo.truth(b, node), I8)),
            outer,
        ),
    )


CALLS[np.count_nonzero] = count_nonzero
