"""``tf.math``: the primitives of the rule table and the reductions, under TensorFlow's names."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.tape.convert import to_tensor
from srcad.tape.dtypes import as_dtype, int32
from srcad.tape.elementwise import VOCABULARY, ones_like
from srcad.tape.reductions import reduce_sum
from srcad.tape.tensor import Tensor, wrap
from srcad.tf.creation import argmax, argmin, searchsorted
from srcad.tf.missing import missing
from srcad.tf.names import math_operations
from srcad.tf.nn import (
    in_top_k,
    l2_normalize,
    log_softmax,
    sigmoid,
    softmax,
    softplus,
    softsign,
    zero_fraction,
)

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


def reciprocal_no_nan(x: Any, name: str | None = None) -> Tensor:
    """``1 / x``, zero where ``x`` is zero."""
    x = to_tensor(x)
    return math_operations()["divide_no_nan"](ones_like(x), x)


def segment_mean(data: Any, segment_ids: Any, name: str | None = None) -> Tensor:
    """Means of the slices with the same number (numbers ascend)."""
    total = math_operations()["segment_sum"](data, segment_ids)
    numbers = np.bincount(np.asarray(to_tensor(segment_ids)._value), minlength=len(total))
    shape = (len(total), *[1] * (total.ndim - 1))
    return _v["truediv"](total, wrap(numbers.reshape(shape).astype(total._value.dtype)))


def confusion_matrix(
    labels: Any, predictions: Any, num_classes: Any = None, dtype: Any = int32, **kw: Any
) -> Tensor:
    """How often each class (row) was taken for each (column)."""
    t, p = (np.asarray(to_tensor(x)._value) for x in (labels, predictions))
    n = int(max(t.max(initial=0), p.max(initial=0))) + 1 if num_classes is None else num_classes
    found = np.zeros((n, n), as_dtype(dtype)._np)
    np.add.at(found, (t, p), 1)
    return wrap(found)


def invert_permutation(x: Any, name: str | None = None) -> Tensor:
    """Where every number stands."""
    v = to_tensor(x)._value
    return wrap(np.argsort(v).astype(v.dtype))


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
    "zero_fraction",
]
__getattr__ = missing("tf.math", lambda: globals())
