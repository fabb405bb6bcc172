"""``BatchNormalization`` and ``LayerNormalization``.

In training a batch is normalized with its own mean and variance, and moving averages of both are
updated; elsewhere the averages are used.  Formulas and their order of operations are Keras 2's.
"""

from __future__ import annotations

from typing import Any

from srcad.tape.convert import to_tensor
from srcad.tape.elementwise import VOCABULARY
from srcad.tape.indexing import stop_gradient
from srcad.tape.shaping import dims, reshape
from srcad.tape.tensor import Tensor
from srcad.tf import nn
from srcad.tf.keras.base import Layer

_v = VOCABULARY


class BatchNormalization(Layer):
    """Every feature with mean 0 and variance 1 over the batch, then scaled and shifted."""

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis, self.momentum, self.epsilon = axis, momentum, epsilon
        self.center, self.scale = center, scale
        self.initial = (
            gamma_initializer,
            beta_initializer,
            moving_mean_initializer,
            moving_variance_initializer,
        )
        self.gamma: Any = None
        self.beta: Any = None

    def build(self, input_shape: Any) -> None:
        """Make scale, shift and moving averages."""
        n = [input_shape[self.axis]]
        gamma, beta, mean, variance = self.initial
        if self.scale:
            self.gamma = self.add_weight("gamma", n, None, gamma)
        if self.center:
            self.beta = self.add_weight("beta", n, None, beta)
        self.moving_mean = self.add_weight("moving_mean", n, None, mean, trainable=False)
        self.moving_variance = self.add_weight(
            "moving_variance", n, None, variance, trainable=False
        )
        self.built = True

    def call(self, inputs: Any, training: Any = None) -> Tensor:
        """Compute the outputs."""
        x = to_tensor(inputs)
        axis = self.axis % x.ndim
        wide = [dims(x)[a] if a == axis else 1 for a in range(x.ndim)]
        if training and self.trainable:
            over = [a for a in range(x.ndim) if a != axis]
            mean, variance = nn.moments(x, over)
            self._average(self.moving_mean, mean)
            self._average(self.moving_variance, variance)
        else:
            mean, variance = to_tensor(self.moving_mean), to_tensor(self.moving_variance)
        if axis < x.ndim - 1:
            mean, variance = reshape(mean, wide), reshape(variance, wide)
        beta, gamma = (
            p if p is None or axis == x.ndim - 1 else reshape(p, wide)
            for p in (self.beta, self.gamma)
        )
        return nn.batch_normalization(x, mean, variance, beta, gamma, self.epsilon)

    def _average(self, moving: Any, value: Tensor) -> None:
        step = _v["mul"](_v["sub"](stop_gradient(moving), stop_gradient(value)), 1 - self.momentum)
        moving.assign_sub(step)


class LayerNormalization(Layer):
    """Every row with mean 0 and variance 1 over its features, then scaled and shifted."""

    def __init__(
        self,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.axis, self.epsilon, self.center, self.scale = axis, epsilon, center, scale
        self.gamma: Any = None
        self.beta: Any = None

    def build(self, input_shape: Any) -> None:
        """Make scale and shift."""
        n = [input_shape[self.axis]]
        if self.scale:
            self.gamma = self.add_weight("gamma", n, None, "ones")
        if self.center:
            self.beta = self.add_weight("beta", n, None, "zeros")
        self.built = True

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        mean, variance = nn.moments(inputs, [self.axis], keepdims=True)
        return nn.batch_normalization(inputs, mean, variance, self.beta, self.gamma, self.epsilon)
