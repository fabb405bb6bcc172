"""The TensorFlow facade: ``import srcad.tf as tf`` runs programs written for TensorFlow 2.

Tensors are eager and NumPy-backed, derivatives come from the rule table through the tape.  What
TensorFlow has and this has not raises an error that names it and says what to use.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from srcad.tape import nest, operators
from srcad.tape.convert import constant
from srcad.tape.custom import custom_gradient, grad_pass_through, recompute_grad
from srcad.tape.dtypes import (
    DType,
    as_dtype,
    bool_,
    complex64,
    complex128,
    double,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from srcad.tape.gradient_tape import GradientTape, UnconnectedGradients
from srcad.tape.shapes import TensorShape, TensorSpec
from srcad.tape.tensor import Tensor
from srcad.tape.variable import Variable
from srcad.tf import config, debugging, dtypes, errors, keras, linalg, math, nn, random, saved_model
from srcad.tf import data as data
from srcad.tf.control import (
    case,
    cond,
    control_dependencies,
    foldl,
    foldr,
    get_static_value,
    group,
    identity_n,
    init_scope,
    map_fn,
    name_scope,
    no_op,
    scan,
    switch_case,
    vectorized_map,
    while_loop,
)
from srcad.tf.creation import (
    argmax,
    argmin,
    convert_to_tensor,
    eye,
    fill,
    is_tensor,
    linspace,
    meshgrid,
    one_hot,
    ones,
    rank,
    searchsorted,
    shape,
    size,
    unique,
    zeros,
)
from srcad.tf.creation import range_ as range
from srcad.tf.debugging import Assert
from srcad.tf.devices import device
from srcad.tf.function import executing_eagerly, function
from srcad.tf.missing import missing as _missing
from srcad.tf.missing import without_annotations as _without_annotations
from srcad.tf.module import Module
from srcad.tf.names import top_operations
from srcad.tf.printing import print_ as print

if TYPE_CHECKING:
    from typing import Any

    def __getattr__(name: str) -> Any: ...


def get_logger() -> logging.Logger:
    """The logger of warnings."""
    return logging.getLogger("srcad")


globals().update(top_operations())
globals()["bool"] = bool_
newaxis = None
__version__ = "2.21.0"  # of the TensorFlow whose behaviour is followed
autodiff = type("autodiff", (), {"GradientTape": GradientTape})

__all__ = [
    "Assert",
    "DType",
    "GradientTape",
    "Module",
    "Tensor",
    "TensorShape",
    "TensorSpec",
    "UnconnectedGradients",
    "Variable",
    "argmax",
    "argmin",
    "as_dtype",
    "autodiff",
    "case",
    "complex64",
    "complex128",
    "cond",
    "config",
    "constant",
    "control_dependencies",
    "convert_to_tensor",
    "custom_gradient",
    "data",
    "debugging",
    "device",
    "double",
    "dtypes",
    "errors",
    "executing_eagerly",
    "eye",
    "fill",
    "float16",
    "float32",
    "float64",
    "foldl",
    "foldr",
    "function",
    "get_logger",
    "get_static_value",
    "grad_pass_through",
    "group",
    "half",
    "identity_n",
    "init_scope",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_tensor",
    "keras",
    "linalg",
    "linspace",
    "map_fn",
    "math",
    "meshgrid",
    "name_scope",
    "nest",
    "newaxis",
    "nn",
    "no_op",
    "one_hot",
    "ones",
    "operators",
    "print",
    "random",
    "range",
    "rank",
    "recompute_grad",
    "saved_model",
    "scan",
    "searchsorted",
    "shape",
    "size",
    "switch_case",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unique",
    "vectorized_map",
    "while_loop",
    "zeros",
]
__all__ += ["bool", *top_operations()]

for _name in __all__:
    _without_annotations(globals()[_name])

if not TYPE_CHECKING:
    __getattr__ = _missing("tf", lambda: globals())
