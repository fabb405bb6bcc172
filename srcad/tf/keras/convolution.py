"""Layers of convolution and pooling, on ``(batch, height, width, channels)``."""

from __future__ import annotations

from typing import Any

from srcad.tape.elementwise import VOCABULARY
from srcad.tape.reductions import reduce_max, reduce_mean
from srcad.tape.tensor import Tensor
from srcad.tf.images import avg_pool2d, both, conv2d, max_pool2d
from srcad.tf.keras import activations
from srcad.tf.keras.base import Layer


class Conv2D(Layer):
    """Convolution, bias, activation."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.strides = filters, both(kernel_size), both(strides)
        self.padding, self.activation = padding, activations.get(activation)
        self.use_bias = use_bias
        self.initial = kernel_initializer, bias_initializer
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        shape = [*self.kernel_size, input_shape[-1], self.filters]
        self.kernel = self.add_weight("kernel", shape, None, self.initial[0])
        if self.use_bias:
            self.bias = self.add_weight("bias", [self.filters], None, self.initial[1])
        self.built = True

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        y = conv2d(inputs, self.kernel, self.strides, self.padding)
        return self.activation(y if self.bias is None else VOCABULARY["add"](y, self.bias))


class _Pooling(Layer):
    """Windows reduced to one value."""

    def __init__(
        self, pool_size: Any = (2, 2), strides: Any = None, padding: str = "valid", **kw: Any
    ) -> None:
        super().__init__(**kw)
        self.pool_size = both(pool_size)
        self.strides = self.pool_size if strides is None else both(strides)
        self.padding = padding


class MaxPooling2D(_Pooling):
    """The largest value of every window."""

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        return max_pool2d(inputs, self.pool_size, self.strides, self.padding)


class AveragePooling2D(_Pooling):
    """The mean of every window (of its part inside of the image)."""

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        return avg_pool2d(inputs, self.pool_size, self.strides, self.padding)


class GlobalAveragePooling2D(Layer):
    """The mean over the image."""

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        return reduce_mean(inputs, [1, 2])


class GlobalMaxPooling2D(Layer):
    """The largest value of the image."""

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        return reduce_max(inputs, [1, 2])
