"""``keras.utils`` and ``keras.backend``: small helpers."""

from __future__ import annotations

import random as python_random
from typing import Any

import numpy as np

from srcad.tf.keras.named import clear_names
from srcad.tf.missing import missing
from srcad.tf.random import set_seed


def to_categorical(y: Any, num_classes: int | None = None, dtype: str = "float32") -> Any:
    """One-hot rows of class numbers, as an array."""
    numbers = np.asarray(y, dtype=np.int64)
    numbers = numbers[..., 0] if numbers.ndim > 1 and numbers.shape[-1] == 1 else numbers
    return np.eye(num_classes or int(numbers.max()) + 1, dtype=dtype)[numbers]


def set_random_seed(seed: int) -> None:
    """Seed Python's, NumPy's and ``tf.random``'s generators."""
    python_random.seed(seed)
    np.random.seed(seed)
    set_seed(seed)


class backend:
    """``keras.backend``."""

    @staticmethod
    def clear_session() -> None:
        """Start counting names of layers anew."""
        clear_names()

    @staticmethod
    def epsilon() -> float:
        """The small number of losses."""
        return 1e-7

    @staticmethod
    def floatx() -> str:
        """The default type."""
        return "float32"


__getattr__ = missing("tf.keras.utils", lambda: globals())
