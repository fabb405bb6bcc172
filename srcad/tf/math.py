"""``tf.math``: the primitives of the rule table and the reductions, under TensorFlow's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.tape.convert import to_tensor
from srcad.tape.elementwise import VOCABULARY
from srcad.tape.reductions import reduce_sum
from srcad.tape.tensor import Tensor, wrap
from srcad.tf.creation import argmax, argmin, searchsorted
from srcad.tf.missing import missing
from srcad.tf.names import math_operations
from srcad.tf.nn import in_top_k, l2_normalize, log_softmax, sigmoid, softmax, softplus, softsign

globals().update(math_operations())
_v = VOCABULARY


def _bessel(primitive: str, order: int) -> Any:
    def op(x: Any, name: str | None = None) -> Tensor:
        x = to_tensor(x)
        return _v[primitive](wrap(np.full(x._value.shape, order, x._value.dtype)), x)

    return op


bessel_i0, bessel_i1 = _bessel("bessel_i", 0), _bessel("bessel_i", 1)
bessel_i0e, bessel_i1e = _bessel("bessel_i_scaled", 0), _bessel("bessel_i_scaled", 1)


def lbeta(x: Any, name: str | None = None) -> Tensor:
    """log of the multivariate beta function along the last axis."""
    logs = reduce_sum(_v["gammaln"](x), -1)
    return _v["sub"](logs, _v["gammaln"](reduce_sum(x, -1)))


def bincount(
    arr: Any, weights: Any = None, minlength: Any = None, maxlength: Any = None, **kw: Any
) -> Tensor:
    """How often every integer occurs."""
    numbers = np.asarray(to_tensor(arr)._value).reshape(-1)
    factors = None if weights is None else to_tensor(weights)._value
    found = np.bincount(numbers, factors, minlength or 0)[:maxlength]
    return wrap(found.astype(np.int32 if factors is None else factors.dtype))


def scalar_mul(scalar: Any, x: Any, name: str | None = None) -> Tensor:
    """``scalar * x``."""
    return _v["mul"](scalar, x)


def accumulate_n(
    inputs: Any, shape: Any = None, tensor_dtype: Any = None, name: str = ""
) -> Tensor:
    """The sum of tensors."""
    return math_operations()["add_n"](inputs)


__all__ = [
    "argmax",
    "argmin",
    "in_top_k",
    "l2_normalize",
    "log_softmax",
    "searchsorted",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
]
__getattr__ = missing("tf.math", lambda: globals())
