"""``keras.layers``: dense layers, activations, dropout, shapes, embeddings, merging.

Normalization and convolution have files of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.tape.convert import to_tensor
from srcad.tape.elementwise import VOCABULARY
from srcad.tape.indexing import gather
from srcad.tape.linear import matmul, tensordot
from srcad.tape.mathops import cast
from srcad.tape.shaping import concat, dims, reshape, transpose
from srcad.tape.tensor import Tensor
from srcad.tf import nn
from srcad.tf import random as tf_random
from srcad.tf.keras import activations
from srcad.tf.keras.base import Layer
from srcad.tf.keras.convolution import (
    AveragePooling2D,
    Conv2D,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    MaxPooling2D,
)
from srcad.tf.keras.normalization import BatchNormalization, LayerNormalization
from srcad.tf.missing import missing

_v = VOCABULARY


class Dense(Layer):
    """``activation(x @ kernel + bias)`` along the last axis."""

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = int(units)
        if self.units <= 0:
            raise ValueError(
                "Received an invalid value for `units`, expected a positive integer. "
                f"Received: units={units}"
            )
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer, self.bias_initializer = kernel_initializer, bias_initializer
        self.kernel_regularizer, self.bias_regularizer = kernel_regularizer, bias_regularizer
        self.kernel_constraint, self.bias_constraint = kernel_constraint, bias_constraint
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        last = input_shape[-1]
        self.kernel = self.add_weight(
            "kernel",
            [last, self.units],
            None,
            self.kernel_initializer,
            self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                "bias",
                [self.units],
                None,
                self.bias_initializer,
                self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.built = True

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        x = to_tensor(inputs)
        width = self.kernel._value.shape[0]
        if dims(x)[-1] != width:
            raise ValueError(
                f'Input 0 of layer "{self.name}" is incompatible with the layer: expected axis -1 '
                f"of input shape to have value {width}, but received input with shape {x.shape}"
            )
        y = (
            matmul(x, self.kernel)
            if x.ndim == 2
            else tensordot(x, self.kernel, [[x.ndim - 1], [0]])
        )
        if self.bias is not None:
            y = _v["add"](y, self.bias)
        return y if self.activation is activations.linear else self.activation(y)


class Activation(Layer):
    """An activation function as a layer."""

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        return self.activation(inputs)


class ReLU(Layer):
    """max(x, 0), with options."""

    def __init__(
        self, max_value: Any = None, negative_slope: float = 0.0, threshold: float = 0.0, **kw: Any
    ) -> None:
        super().__init__(**kw)
        self.max_value, self.negative_slope, self.threshold = max_value, negative_slope, threshold

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


class LeakyReLU(Layer):
    """x where it is positive, else alpha x."""

    def __init__(self, alpha: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        return nn.leaky_relu(inputs, self.alpha)


class ELU(LeakyReLU):
    """x where it is positive, else alpha (e^x - 1)."""

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(alpha, **kwargs)

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        return activations.elu(inputs, self.alpha)


class Softmax(Layer):
    """Softmax along an axis."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        return nn.softmax(inputs, self.axis)


class Dropout(Layer):
    """In training, elements set to zero with a probability."""

    def __init__(self, rate: float, noise_shape: Any = None, seed: Any = None, **kw: Any) -> None:
        super().__init__(**kw)
        if not 0 <= rate <= 1:
            raise ValueError(
                f"Invalid value {rate} received for `rate`, expected a value between 0 and 1."
            )
        self.rate, self.noise_shape, self.seed = rate, noise_shape, seed

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Compute the outputs."""
        if not training or self.rate == 0:
            return inputs
        return nn.dropout(inputs, self.rate, self.noise_shape, self.seed)


class GaussianNoise(Layer):
    """In training, normal noise added."""

    def __init__(self, stddev: float, seed: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev, self.seed = stddev, seed

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Compute the outputs."""
        if not training:
            return inputs
        x = to_tensor(inputs)
        return _v["add"](x, tf_random.normal(dims(x), 0.0, self.stddev, x.dtype, self.seed))


class Flatten(Layer):
    """All axes but the first in one."""

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        x = to_tensor(inputs)
        return reshape(x, [dims(x)[0], int(np.prod(dims(x)[1:]))])


class Reshape(Layer):
    """Another shape for every row."""

    def __init__(self, target_shape: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target_shape = tuple(target_shape)

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        return reshape(inputs, [dims(to_tensor(inputs))[0], *self.target_shape])


class Permute(Layer):
    """Axes of every row permuted (counted from 1)."""

    def __init__(self, dims: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dims = tuple(dims)

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        return transpose(inputs, [0, *self.dims])


class InputLayer(Layer):
    """States the shape of inputs."""

    def __init__(self, input_shape: Any = None, **kwargs: Any) -> None:
        kwargs.pop("shape", None)
        super().__init__(**kwargs)
        self.given = input_shape


class Lambda(Layer):
    """A function as a layer."""

    def __init__(self, function: Callable[..., Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function

    def call(self, inputs: Any) -> Any:
        """Compute the outputs."""
        return self.function(inputs)


class Embedding(Layer):
    """A trained vector for every integer."""

    def __init__(
        self, input_dim: int, output_dim: int, embeddings_initializer: Any = "uniform", **kw: Any
    ) -> None:
        super().__init__(**kw)
        self.input_dim, self.output_dim = input_dim, output_dim
        self.initializer = (
            "random_uniform" if embeddings_initializer == "uniform" else embeddings_initializer
        )

    def build(self, input_shape: Any) -> None:
        """Make the table."""
        shape = [self.input_dim, self.output_dim]
        self.embeddings = self.add_weight("embeddings", shape, None, self.initializer)
        self.built = True

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        return gather(self.embeddings, cast(inputs, "int32"))


def _merging(name: str, join: Callable[[list[Any]], Any]) -> type:
    def call(self: Any, inputs: Any) -> Any:
        return join(list(inputs))

    return type(name, (Layer,), {"call": call, "__doc__": f"{name} of several inputs."})


def _folded(primitive: str) -> Callable[[list[Any]], Any]:
    def join(xs: list[Any]) -> Any:
        total = xs[0]
        for x in xs[1:]:
            total = _v[primitive](total, x)
        return total

    return join


Add, Subtract = _merging("Add", _folded("add")), _merging("Subtract", _folded("sub"))
Multiply, Maximum = _merging("Multiply", _folded("mul")), _merging("Maximum", _folded("maximum"))
Minimum = _merging("Minimum", _folded("minimum"))
Average = _merging("Average", lambda xs: _v["truediv"](_folded("add")(xs), float(len(xs))))


class Concatenate(Layer):
    """Inputs joined along an axis."""

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any) -> Tensor:
        """Compute the outputs."""
        return concat(list(inputs), self.axis)


__all__ = [
    "AveragePooling2D",
    "BatchNormalization",
    "Conv2D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "LayerNormalization",
    "MaxPooling2D",
]
__getattr__ = missing("tf.keras.layers", lambda: globals())
