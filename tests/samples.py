"""Arguments to test functions with: ``Draw`` makes them, ``Call`` is one call.

A sample is a function of a ``Draw`` that gives calls, so that the same sample can be drawn again:
as float32, as strided views, with other numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Call:
    """Arguments of one call; where it is not ``smooth``, only the value is compared.

    A call that draws random numbers has a ``seed``.
    """

    args: tuple[Any, ...]
    keywords: dict[str, Any] = field(default_factory=dict)
    smooth: bool = True
    seed: int | None = None


class Draw:
    """A source of arguments: float64 and contiguous unless asked for otherwise.

    Args:
        seed: of the numbers.
        dtype: of the floats in arrays.
        strided: arrays are views of wider ones.
        none: axes of this size are empty (all of them, so that shapes still fit each other).
        zero_d: every array and every number is an array without axes.
    """

    def __init__(
        self,
        seed: int = 0,
        dtype: Any = np.float64,
        strided: bool = False,
        none: int | None = None,
        zero_d: bool = False,
    ) -> None:
        self.rng = np.random.default_rng(seed)
        self.dtype, self.strided, self.none, self.zero_d = dtype, strided, none, zero_d

    def sized(self, *shape: int) -> tuple[int, ...]:
        """A shape as it is asked for."""
        return () if self.zero_d else tuple(0 if n == self.none else n for n in shape)

    def call(self, *args: Any, **keywords: Any) -> Call:
        """A call whose derivatives with respect to all floats in ``args`` are checked."""
        return Call(args, keywords)

    def value(self, *args: Any, **keywords: Any) -> Call:
        """A call of which only the value is checked (an integer result, a kink)."""
        return Call(args, keywords, smooth=False)

    def seeded(self, *args: Any, **keywords: Any) -> Call:
        """A call that draws random numbers, always the same ones."""
        smooth = any(np.asarray(a).dtype.kind == "f" for a in args)
        return Call(args, keywords, smooth, seed=7)

    def value_of(self, call: Call) -> Call:
        """The same call, of which only the value is checked."""
        return replace(call, smooth=False)

    def array(self, values: Any) -> np.ndarray:
        """Given numbers, in the kind of array that is asked for."""
        a = np.array(values, dtype=self.dtype)
        return np.repeat(a, 2, axis=-1)[..., ::2] if self.strided and a.ndim else a

    def num(self, low: float = 0.3, high: float = 1.8) -> Any:
        """A number."""
        x = self.rng.uniform(low, high)
        return self.array(x) if self.zero_d else float(x)

    def vec(self, n: int, low: float = -1.5, high: float = 1.5) -> np.ndarray:
        """A vector of distinct numbers."""
        return self.arr(n, low=low, high=high)

    def mat(self, m: int, n: int, low: float = -1.5, high: float = 1.5) -> np.ndarray:
        """A matrix of distinct numbers."""
        return self.arr(m, n, low=low, high=high)

    def arr(self, *shape: int, low: float = -1.5, high: float = 1.5) -> np.ndarray:
        """An array whose elements are well apart from each other (no ties, no kinks near)."""
        shape = self.sized(*shape)
        size = int(np.prod(shape))
        grid = (np.arange(size) + self.rng.uniform(0.2, 0.8, size)) / max(size, 1)
        return self.array((low + (high - low) * self.rng.permutation(grid)).reshape(shape))

    def pos(self, *shape: int) -> np.ndarray:
        """An array of positive numbers."""
        return self.arr(*shape, low=0.2, high=1.9)

    def increasing(self, n: int) -> np.ndarray:
        """A vector of increasing numbers."""
        return self.array(
            np.cumsum(self.rng.uniform(0.3, 1.0, self.sized(n))).reshape(self.sized(n))
        )

    def symmetric(self, n: int) -> np.ndarray:
        """A symmetric matrix with well-separated eigenvalues."""
        (n, _) = self.sized(n, n) or (1, 1)
        a = self.rng.standard_normal((n, n))
        return self.array(a + a.T + np.diag(3.0 * np.arange(n)))

    def spd(self, n: int) -> np.ndarray:
        """A symmetric positive definite matrix."""
        (n, _) = self.sized(n, n) or (1, 1)
        a = self.rng.standard_normal((n, n))
        return self.array(a @ a.T + n * np.eye(n))

    def regular(self, n: int) -> np.ndarray:
        """A well-conditioned matrix."""
        (n, _) = self.sized(n, n) or (1, 1)
        return self.array(self.rng.standard_normal((n, n)) + n * np.eye(n))

    def ints(self, low: int, high: int, *shape: int) -> np.ndarray:
        """An array of integers from ``low`` to below ``high``."""
        return np.asarray(self.rng.integers(low, high, self.sized(*shape)))
