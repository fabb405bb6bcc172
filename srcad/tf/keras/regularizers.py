"""``keras.regularizers``: penalties on weights."""

from __future__ import annotations

from typing import Any

from srcad.tape.elementwise import VOCABULARY
from srcad.tape.reductions import reduce_sum
from srcad.tape.tensor import Tensor
from srcad.tf.keras.named import found

_v = VOCABULARY


class L1L2:
    """l1 sum|w| + l2 sum(w^2)."""

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1, self.l2 = l1, l2

    def __call__(self, x: Any) -> Tensor:
        parts = []
        if self.l1:
            parts.append(_v["mul"](self.l1, reduce_sum(_v["abs"](x))))
        if self.l2:
            parts.append(_v["mul"](self.l2, reduce_sum(_v["square"](x))))
        total = parts[0] if parts else _v["mul"](0.0, reduce_sum(x))
        return total if len(parts) < 2 else _v["add"](*parts)


class L1(L1L2):
    """l1 sum|w|."""

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)


class L2(L1L2):
    """l2 sum(w^2)."""

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)


def l1_l2(l1: float = 0.01, l2: float = 0.01) -> L1L2:
    """Both penalties."""
    return L1L2(l1, l2)


l1, l2 = L1, L2


def get(identifier: Any) -> Any:
    """The penalty meant by a name, class or object."""
    return found("regularizer", identifier, {"l1": L1, "l2": L2, "l1_l2": L1L2})
