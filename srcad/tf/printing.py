"""``tf.print``: values as TensorFlow prints them, to standard error.

Numbers have six significant digits, or as many as tell them apart (nine, seventeen for float64);
large tensors show three elements at each end.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from srcad.tape.convert import is_tensor_like, to_tensor
from srcad.tape.state import STATE
from srcad.tf.symbolic import NotTraceable

_DIGITS = {"float16": (3, 6), "float32": (6, 9), "float64": (15, 17)}


def print_(
    *inputs: Any,
    output_stream: Any = None,
    summarize: int | None = 3,
    sep: str = " ",
    end: str = "\n",
    name: str | None = None,
) -> None:
    """Print values, separated by ``sep``, to ``output_stream`` (standard error)."""
    if STATE.trace is not None:
        raise NotTraceable("tf.print prints in every call")
    text = sep.join(_text(x, 3 if summarize is None else summarize) for x in inputs) + end
    if isinstance(output_stream, str):
        with open(output_stream.removeprefix("file://"), "a", encoding="utf-8") as file:
            file.write(text)
    else:
        (output_stream or sys.stderr).write(text)


def _text(value: Any, edge: int) -> str:
    if isinstance(value, str):
        return value
    if is_tensor_like(value):
        return _array(to_tensor(value)._value, edge, 1)
    if isinstance(value, np.ndarray):
        return repr(value)
    if isinstance(value, tuple):
        inner = ", ".join(_quoted(v, edge) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, list):
        return "[" + ", ".join(_quoted(v, edge) for v in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k!r}: {_quoted(v, edge)}" for k, v in value.items()) + "}"
    return str(value)


def _quoted(value: Any, edge: int) -> str:
    return repr(value) if isinstance(value, str) else _text(value, edge)


def _array(value: Any, edge: int, indent: int) -> str:
    if not value.shape:
        return _number(value)
    n = len(value)
    cut = edge >= 0 and n > 2 * edge
    shown = [*range(edge), None, *range(n - edge, n)] if cut else range(n)
    parts = ["..." if i is None else _array(value[i], edge, indent + 1) for i in shown]
    gap = " " if value.ndim == 1 else "\n" * (value.ndim - 1) + " " * indent
    return "[" + gap.join(parts) + "]"


def _number(value: Any) -> str:
    kind = np.asarray(value).dtype
    if kind.kind == "b":
        return str(int(value))
    if kind.kind != "f":
        return str(value)
    short, long = _DIGITS[kind.name]
    text = f"{float(value):.{short}g}"
    return text if kind.type(text) == value or value != value else f"{float(value):.{long}g}"
