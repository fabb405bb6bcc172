"""``tf.nn``: activations, softmax and cross entropies, dropout, normalization.

Everything is composed of recorded operations.  One derivative is TensorFlow's own choice:
``softmax_cross_entropy_with_logits`` gives ``softmax - labels`` for the logits, which is the
derivative if the labels of a row sum to one, and what TensorFlow gives if they do not.
"""

from __future__ import annotations

import math as _math
from typing import Any

import numpy as np

from srcad.tape.convert import beside, pair, to_tensor
from srcad.tape.elementwise import VOCABULARY, select, zeros_like
from srcad.tape.emit import axis_from_end, emit, plain, raw
from srcad.tape.indexing import gather, stop_gradient, top_k  # noqa: F401  (tf.nn.top_k)
from srcad.tape.mathops import cast, rsqrt
from srcad.tape.reductions import reduce_logsumexp, reduce_max, reduce_mean, reduce_sum
from srcad.tape.shaping import concat, dims, expand_dims, reshape
from srcad.tape.tensor import Tensor, wrap
from srcad.tf.creation import one_hot
from srcad.tf.images import avg_pool2d, conv2d, max_pool2d
from srcad.tf.missing import missing
from srcad.tf.random import GENERATOR

_v = VOCABULARY
sigmoid, tanh, log_sigmoid = _v["expit"], _v["tanh"], _v["log_expit"]
embedding_lookup = gather
avg_pool, max_pool = avg_pool2d, max_pool2d
convolution = conv2d


def relu(features: Any, name: str | None = None) -> Tensor:
    """max(x, 0); slope 0 at 0."""
    x = to_tensor(features)
    return _v["maximum"](beside(0, x), x)


def relu6(features: Any, name: str | None = None) -> Tensor:
    """min(max(x, 0), 6)."""
    x = relu(features)
    return _v["minimum"](beside(6, x), x)


def leaky_relu(features: Any, alpha: Any = 0.2, name: str | None = None) -> Tensor:
    """x where it is positive, else alpha x."""
    x = to_tensor(features)
    return select(_v["gt"](x, 0), x, _v["mul"](x, alpha))


def elu(features: Any, name: str | None = None) -> Tensor:
    """x where it is positive, else e^x - 1."""
    x = to_tensor(features)
    return select(_v["gt"](x, 0), x, _v["expm1"](_v["minimum"](x, 0)))


def selu(features: Any, name: str | None = None) -> Tensor:
    """The scaled ``elu`` of self-normalizing networks."""
    x = to_tensor(features)
    negative = _v["mul"](1.6732632423543772, _v["expm1"](_v["minimum"](x, 0)))
    return _v["mul"](1.0507009873554805, select(_v["ge"](x, 0), x, negative))


def gelu(features: Any, approximate: bool = False, name: str | None = None) -> Tensor:
    """x times the normal distribution function of x (or its approximation by tanh)."""
    x = to_tensor(features)
    if approximate:
        cubic = _v["add"](x, _v["mul"](0.044715, _v["pow"](x, 3)))
        inner = _v["tanh"](_v["mul"](_math.sqrt(2 / _math.pi), cubic))
    else:
        inner = _v["erf"](_v["truediv"](x, _math.sqrt(2)))
    return _v["mul"](_v["mul"](0.5, x), _v["add"](1.0, inner))


def silu(features: Any, beta: Any = 1.0) -> Tensor:
    """x sigmoid(beta x)."""
    x = to_tensor(features)
    return _v["mul"](x, sigmoid(x if beta == 1.0 else _v["mul"](x, beta)))


swish = silu


def softplus(features: Any, name: str | None = None) -> Tensor:
    """log(1 + e^x)."""
    x = to_tensor(features)
    return _v["logaddexp"](x, zeros_like(x))


def softsign(features: Any, name: str | None = None) -> Tensor:
    """x / (1 + |x|)."""
    x = to_tensor(features)
    return _v["truediv"](x, _v["add"](1.0, _v["abs"](x)))


def softmax(logits: Any, axis: Any = -1, name: str | None = None) -> Tensor:
    """e^x over its sum along an axis."""
    x = to_tensor(logits)
    e = _v["exp"](_v["sub"](x, reduce_max(stop_gradient(x), axis, keepdims=True)))
    return _v["truediv"](e, reduce_sum(e, axis, keepdims=True))


def log_softmax(logits: Any, axis: Any = -1, name: str | None = None) -> Tensor:
    """log(softmax(x)), without overflow."""
    x = to_tensor(logits)
    return _v["sub"](x, reduce_logsumexp(x, axis, keepdims=True))


# losses
def softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, axis: Any = -1, name: str | None = None
) -> Tensor:
    """-sum(labels log_softmax(logits)) along an axis; see the module's header on its derivative."""
    x = to_tensor(logits)
    y = cast(to_tensor(labels, hint=x._value.dtype), x.dtype)
    y, x = _broadcast_pair(y, x)
    a = axis_from_end(axis, x.ndim)
    value = -np.sum(y._value * log_softmax(stop_gradient(x), a)._value, axis=a)

    def pull(g: Tensor, i: int, inputs: Any, out: Any, lead: int) -> Tensor:
        wide = expand_dims(g, a)
        if i == 0:
            return _v["neg"](_v["mul"](wide, log_softmax(x, a)))
        return _v["mul"](wide, _v["sub"](softmax(x, a), y))

    return emit(value, (y, x), pull)


def _broadcast_pair(y: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    from srcad.tape.shaping import broadcast_to

    shape = np.broadcast_shapes(dims(y), dims(x))
    return (
        y if dims(y) == shape else broadcast_to(y, shape),
        x if dims(x) == shape else broadcast_to(x, shape),
    )


def sparse_softmax_cross_entropy_with_logits(
    labels: Any, logits: Any, name: str | None = None
) -> Tensor:
    """The cross entropy of class numbers."""
    x = to_tensor(logits)
    return softmax_cross_entropy_with_logits(one_hot(labels, dims(x)[-1], dtype=x.dtype), x)


def sigmoid_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """max(x, 0) - x z + log(1 + e^-|x|)."""
    x, z = pair(logits, labels, "SigmoidCrossEntropy")
    positive = _v["ge"](x, 0)
    zero = zeros_like(x)
    kept = select(positive, x, zero)
    away = select(positive, _v["neg"](x), x)
    return _v["add"](_v["sub"](kept, _v["mul"](x, z)), _v["log1p"](_v["exp"](away)))


def weighted_cross_entropy_with_logits(
    labels: Any, logits: Any, pos_weight: Any, name: str | None = None
) -> Tensor:
    """As the sigmoid cross entropy, with positive labels weighted."""
    x, z = pair(logits, labels, "SigmoidCrossEntropy")
    more = _v["sub"](beside(pos_weight, x), 1.0)
    weight = _v["add"](1.0, _v["mul"](more, z))
    return _v["add"](_v["mul"](_v["sub"](1.0, z), x), _v["mul"](weight, softplus(_v["neg"](x))))


def l2_loss(t: Any, name: str | None = None) -> Tensor:
    """sum(t^2) / 2."""
    return _v["truediv"](reduce_sum(_v["square"](t)), 2.0)


# layers as functions
def bias_add(value: Any, bias: Any, data_format: Any = None, name: str | None = None) -> Tensor:
    """``value + bias`` along the last axis."""
    return _v["add"](value, bias)


def dropout(
    x: Any, rate: Any, noise_shape: Any = None, seed: Any = None, name: str | None = None
) -> Tensor:
    """Elements set to zero with probability ``rate``, the others scaled up."""
    x = to_tensor(x)
    p = float(rate)
    if not 0 <= p < 1:
        raise ValueError(f"`rate` must be a scalar in [0, 1), got {rate}")
    shape = dims(x) if noise_shape is None else tuple(plain(noise_shape))
    kept = GENERATOR.source(seed).random(shape) >= p
    return _v["mul"](_v["mul"](x, 1 / (1 - p)), wrap(np.asarray(kept, x._value.dtype)))


def moments(
    x: Any, axes: Any, shift: Any = None, keepdims: bool = False, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and variance over axes."""
    x = to_tensor(x)
    mean = reduce_mean(x, axes, keepdims=True)
    square = _v["square"](_v["sub"](x, mean))
    variance = reduce_mean(square, axes, keepdims=True)
    if keepdims:
        return mean, variance
    kept = dims(reduce_sum(stop_gradient(x), axes))
    return reshape(mean, kept), reshape(variance, kept)


def batch_normalization(
    x: Any,
    mean: Any,
    variance: Any,
    offset: Any,
    scale: Any,
    variance_epsilon: Any,
    name: str | None = None,
) -> Tensor:
    """(x - mean) / sqrt(variance + epsilon) scale + offset."""
    inverse = rsqrt(_v["add"](variance, variance_epsilon))
    if scale is not None:
        inverse = _v["mul"](inverse, scale)
    shift = _v["neg"](_v["mul"](mean, inverse))
    return _v["add"](_v["mul"](x, inverse), shift if offset is None else _v["add"](offset, shift))


def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str = "") -> Tensor:
    """x over its norm along axes."""
    x = to_tensor(x)
    squares = reduce_sum(_v["square"](x), axis, keepdims=True)
    return _v["mul"](x, rsqrt(_v["maximum"](squares, epsilon)))


def crelu(features: Any, axis: Any = -1, name: str | None = None) -> Tensor:
    """The positive parts of x and of -x, one behind the other."""
    x = to_tensor(features)
    return relu(concat([x, _v["neg"](x)], axis))


def zero_fraction(value: Any, name: str | None = None) -> Tensor:
    """The share of elements that are zero."""
    return wrap(np.float32(np.mean(to_tensor(value)._value == 0)))


def in_top_k(targets: Any, predictions: Any, k: Any, name: str | None = None) -> Tensor:
    """Whether the target's prediction is among the ``k`` largest."""
    p, t = to_tensor(predictions)._value, raw(targets)
    own = np.take_along_axis(p, t[:, None].astype(np.int64), 1)
    return wrap((p > own).sum(1) < int(plain(k)))


__getattr__ = missing("tf.nn", lambda: globals())
