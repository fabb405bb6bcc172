"""Numbers that stand in for random data and random initial weights."""

from __future__ import annotations

import re

import numpy as np


def numbers(seed: int, *shape: int, scale: float = 1.0) -> np.ndarray:
    """Normal numbers, the same on every machine."""
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32) * scale


def uniform(seed: int, *shape: int) -> np.ndarray:
    """Uniform numbers in float64, as ``numpy.random.random`` gives them."""
    return np.random.RandomState(seed).random_sample(shape)


def set_weights(variables, seed: int, scale: float = 0.3) -> None:
    """Give variables fixed values."""
    for i, v in enumerate(variables):
        v.assign(numbers(seed + i, *v.shape, scale=scale))


def dense(tf, inputs: int, units: int, seed: int, activation=None):
    """A dense layer with fixed weights."""
    layer = tf.keras.layers.Dense(units, activation=activation)
    layer.build((None, inputs))
    set_weights(layer.trainable_variables, seed)
    return layer


def without_numbers(text: str) -> str:
    """A printed form with ``#`` for each number that has a decimal point."""
    return re.sub(r"-?\d+\.\d+(e-?\d+)?", "#", text)
