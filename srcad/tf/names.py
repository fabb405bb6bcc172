"""TensorFlow's names for the primitives of the rule table, and for operations of the tape.

One line per operation; no derivative is written here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srcad.tape import indexing, linear, mathops, reductions, shaping
from srcad.tape.elementwise import VOCABULARY, ones_like, zeros_like

# tf name -> primitive
PRIMITIVES = {
    "abs": "abs",
    "acos": "acos",
    "acosh": "acosh",
    "add": "add",
    "asin": "asin",
    "asinh": "asinh",
    "atan": "atan",
    "atan2": "atan2",
    "atanh": "atanh",
    "ceil": "ceil",
    "cos": "cos",
    "cosh": "cosh",
    "digamma": "digamma",
    "equal": "eq",
    "erf": "erf",
    "erfc": "erfc",
    "erfcinv": "erfcinv",
    "erfinv": "erfinv",
    "exp": "exp",
    "expm1": "expm1",
    "floor": "floor",
    "floordiv": "floordiv",
    "floormod": "mod",
    "greater": "gt",
    "greater_equal": "ge",
    "is_finite": "isfinite",
    "is_inf": "isinf",
    "is_nan": "isnan",
    "less": "lt",
    "less_equal": "le",
    "lgamma": "gammaln",
    "log": "log",
    "log1p": "log1p",
    "log_sigmoid": "log_expit",
    "logical_and": "logical_and",
    "logical_not": "logical_not",
    "logical_or": "logical_or",
    "logical_xor": "logical_xor",
    "maximum": "maximum",
    "minimum": "minimum",
    "mod": "mod",
    "multiply": "mul",
    "ndtri": "ndtri",
    "negative": "neg",
    "not_equal": "ne",
    "polygamma": "polygamma",
    "pow": "pow",
    "reciprocal": "reciprocal",
    "rint": "rint",
    "round": "rint",
    "sigmoid": "expit",
    "sign": "sign",
    "sin": "sin",
    "sinh": "sinh",
    "sqrt": "sqrt",
    "square": "square",
    "subtract": "sub",
    "tan": "tan",
    "tanh": "tanh",
    "truncatemod": "fmod",
    "xdivy": "guarded_div",
    "xlog1py": "xlog1py",
    "xlogy": "xlogy",
}
# tf.math name -> operation of the tape
OPERATIONS: dict[str, Callable[..., Any]] = {
    "add_n": mathops.add_n,
    "count_nonzero": reductions.count_nonzero,
    "cumprod": reductions.cumprod,
    "cumsum": reductions.cumsum,
    "divide": mathops.truediv,
    "divide_no_nan": mathops.divide_no_nan,
    "multiply_no_nan": mathops.multiply_no_nan,
    "polyval": mathops.polyval,
    "reduce_all": reductions.reduce_all,
    "reduce_any": reductions.reduce_any,
    "reduce_euclidean_norm": reductions.reduce_euclidean_norm,
    "reduce_logsumexp": reductions.reduce_logsumexp,
    "reduce_max": reductions.reduce_max,
    "reduce_mean": reductions.reduce_mean,
    "reduce_min": reductions.reduce_min,
    "reduce_prod": reductions.reduce_prod,
    "reduce_std": reductions.reduce_std,
    "reduce_sum": reductions.reduce_sum,
    "reduce_variance": reductions.reduce_variance,
    "rsqrt": mathops.rsqrt,
    "segment_sum": indexing.segment_sum,
    "squared_difference": mathops.squared_difference,
    "top_k": indexing.top_k,
    "truediv": mathops.truediv,
    "unsorted_segment_sum": indexing.unsorted_segment_sum,
}
# names of tf itself that are not in tf.math
TOP: dict[str, Callable[..., Any]] = {
    "argsort": indexing.argsort,
    "boolean_mask": indexing.boolean_mask,
    "broadcast_to": shaping.broadcast_to,
    "cast": mathops.cast,
    "clip_by_global_norm": mathops.clip_by_global_norm,
    "clip_by_norm": mathops.clip_by_norm,
    "clip_by_value": mathops.clip_by_value,
    "concat": shaping.concat,
    "einsum": linear.einsum,
    "expand_dims": shaping.expand_dims,
    "gather": indexing.gather,
    "gather_nd": indexing.gather_nd,
    "identity": indexing.identity,
    "matmul": linear.matmul,
    "norm": reductions.norm,
    "ones_like": ones_like,
    "pad": shaping.pad,
    "repeat": shaping.repeat,
    "reshape": shaping.reshape,
    "reverse": shaping.reverse,
    "roll": shaping.roll,
    "saturate_cast": mathops.saturate_cast,
    "scatter_nd": indexing.scatter_nd,
    "slice": indexing.slice_,
    "sort": indexing.sort,
    "split": shaping.split,
    "squeeze": shaping.squeeze,
    "stack": shaping.stack,
    "stop_gradient": indexing.stop_gradient,
    "tensor_scatter_nd_add": indexing.tensor_scatter_nd_add,
    "tensor_scatter_nd_update": indexing.tensor_scatter_nd_update,
    "tensordot": linear.tensordot,
    "tile": shaping.tile,
    "transpose": shaping.transpose,
    "unstack": shaping.unstack,
    "where": mathops.where,
    "zeros_like": zeros_like,
}
# of tf.math, what tf itself offers under the same name
SHARED = (
    *("abs", "acos", "acosh", "add", "add_n", "asin", "asinh", "atan", "atan2", "atanh"),
    *("cos", "cosh", "cumsum", "divide", "equal", "exp", "floor", "greater", "greater_equal"),
    *("less", "less_equal", "logical_and", "logical_not", "logical_or", "maximum", "minimum"),
    *("multiply", "negative", "not_equal", "pow", "reduce_all", "reduce_any", "reduce_logsumexp"),
    *("reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_sum", "round", "sigmoid"),
    *("sign", "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "truediv"),
)


def math_operations() -> dict[str, Callable[..., Any]]:
    """Every operation of ``tf.math`` that is a primitive or an operation of the tape."""
    return {tf: VOCABULARY[name] for tf, name in PRIMITIVES.items()} | OPERATIONS


def top_operations() -> dict[str, Callable[..., Any]]:
    """Every operation of ``tf`` itself that is a primitive or an operation of the tape."""
    found = math_operations()
    return {name: found[name] for name in SHARED} | TOP
