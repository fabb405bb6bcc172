"""``keras.activations``: functions between layers, by name or as functions."""

from __future__ import annotations

from typing import Any

from srcad.tape.convert import to_tensor
from srcad.tape.elementwise import VOCABULARY
from srcad.tape.mathops import clip_by_value
from srcad.tape.tensor import Tensor
from srcad.tf import nn
from srcad.tf.keras.named import found
from srcad.tf.missing import missing

_v = VOCABULARY


def linear(x: Any) -> Tensor:
    """x."""
    return to_tensor(x)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """x where it is positive, else alpha (e^x - 1)."""
    x = to_tensor(x)
    if alpha == 1.0:
        return nn.elu(x)
    return _v["select"](_v["gt"](x, 0), x, _v["mul"](alpha, nn.elu(x)))


def relu(x: Any, alpha: float = 0.0, max_value: Any = None, threshold: float = 0.0) -> Tensor:
    """max(x, 0), with a slope on the left, an upper limit, a threshold."""
    x = to_tensor(x)
    if threshold:
        y = _v["select"](_v["gt"](x, threshold), x, _v["mul"](alpha, _v["sub"](x, threshold)))
    else:
        y = nn.relu(x) if alpha == 0.0 else nn.leaky_relu(x, alpha)
    return y if max_value is None else _v["minimum"](y, max_value)


def hard_sigmoid(x: Any) -> Tensor:
    """0.2 x + 0.5, limited to 0 ... 1."""
    return clip_by_value(_v["add"](_v["mul"](to_tensor(x), 0.2), 0.5), 0.0, 1.0)


def exponential(x: Any) -> Tensor:
    """e^x."""
    return _v["exp"](x)


def mish(x: Any) -> Tensor:
    """x tanh(softplus(x))."""
    return _v["mul"](x, _v["tanh"](nn.softplus(x)))


sigmoid, tanh, softmax, softplus = nn.sigmoid, nn.tanh, nn.softmax, nn.softplus
softsign, selu, gelu, swish, silu = nn.softsign, nn.selu, nn.gelu, nn.swish, nn.silu
relu6, log_softmax = nn.relu6, nn.log_softmax

TABLE: dict[str, Any] = {
    "elu": elu,
    "exponential": exponential,
    "gelu": gelu,
    "hard_sigmoid": hard_sigmoid,
    "linear": linear,
    "log_softmax": log_softmax,
    "mish": mish,
    "relu": relu,
    "relu6": relu6,
    "selu": selu,
    "sigmoid": sigmoid,
    "silu": silu,
    "softmax": softmax,
    "softplus": softplus,
    "softsign": softsign,
    "swish": swish,
    "tanh": tanh,
}


def get(identifier: Any) -> Any:
    """The activation meant by a name or function; ``None`` is linear."""
    return linear if identifier is None else found("activation function", identifier, TABLE)


__getattr__ = missing("tf.keras.activations", lambda: globals())
