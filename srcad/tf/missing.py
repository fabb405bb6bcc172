"""What happens when a program asks for something of TensorFlow's that is not there.

Every module of the facade has a ``__getattr__`` made here: it raises ``MissingFeature``, an
``AttributeError`` that names the thing and says what to use.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NoReturn

from srcad.tape.failures import MissingFeature

ADVICE = {
    "compat": "TensorFlow 1 programs are not supported: write them with eager tensors",
    "TensorArray": "keep a Python list of tensors and use tf.stack",
    "signal": "use np.fft on arrays: it has no derivative here",
    "qr": "solve with tf.linalg.lstsq or tf.linalg.cholesky, or use np.linalg.qr (no derivative)",
    "svd": "use tf.linalg.eigh of the product with the transpose, or np.linalg.svd (no derivative)",
    "Input": "subclass tf.keras.Model, or use tf.keras.Sequential",
    "complex": "keep real and imaginary parts in two tensors: derivatives are of real numbers",
    "real": "keep real and imaginary parts in two tensors",
    "imag": "keep real and imaginary parts in two tensors",
    "raw_ops": "use the operation of tf, tf.math or tf.nn that calls it",
    "test": "use unittest or pytest",
    "timestamp": "use time.time()",
    "LSTM": "write the cell as a tf.keras.layers.Layer of Dense layers and loop over time",
    "GRU": "write the cell as a tf.keras.layers.Layer of Dense layers and loop over time",
    "Nadam": "use tf.keras.optimizers.Adam",
    "Adamax": "use tf.keras.optimizers.Adam",
    "AUC": "collect the predictions and rank them with NumPy",
    "Session": "call the operations directly, they run at once",
    "placeholder": "pass the values as arguments",
    "distribute": "there is one device, the CPU; leave the strategy out",
    "strings": "use Python's strings",
    "io": "use Python's files, NumPy's np.load, or PIL for images",
    "image": "use NumPy or PIL on arrays and convert the result with tf.constant",
    "RaggedTensor": "pad the rows with tf.pad, or keep a list of tensors",
    "ragged": "pad the rows with tf.pad, or keep a list of tensors",
    "sparse": "use dense tensors",
    "SparseTensor": "use dense tensors",
    "IndexedSlices": "gradients are dense tensors here",
    "lite": "only training and evaluation in Python are supported",
    "summary": "print the values, or write them with the csv module",
    "bfloat16": "use tf.float32, or tf.float16 to save memory",
    "string": "use Python's strings",
    "py_function": "call the Python function directly",
    "numpy_function": "call the NumPy function directly",
    "RegisterGradient": "use tf.custom_gradient",
    "gradients": "use tf.GradientTape",
    "hessians": "use tf.GradientTape().jacobian of a gradient",
}


def missing(module: str, names: Callable[[], Any], advice: dict[str, str] | None = None) -> Any:
    """The ``__getattr__`` of a module of the facade; ``names`` gives what it has."""

    def lookup(name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise MissingFeature(
            f"{module}.{name} is not in srcad.tf",
            instead={**ADVICE, **(advice or {})}.get(name, _similar(name, names())),
        )

    return lookup


def _similar(name: str, names: Any) -> str:
    import difflib

    known = [n for n in names if not n.startswith("_")]
    close = difflib.get_close_matches(name, known, 3, 0.6)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "compose it from the operations that are there (dir() lists them)"


def without_annotations(f: Any) -> None:
    """Let ``help`` show a function's arguments as TensorFlow does."""
    if inspect.isfunction(f):
        signature = inspect.signature(f)
        bare = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
        f.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=bare, return_annotation=signature.empty
        )
