"""Tangents and seeds as compiled code takes them: the shape, dtype and layout of the primal."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.api.device_arrays import is_device_array, shell
from srcad.errors import TypeMismatch
from srcad.ir.types import ArrayT, Scalar, numpy_dtype
from srcad.specs import Leaf


def fit(t: Any, x: Any, leaf: Leaf, what: str) -> Any:
    """A tangent or seed as the code takes it: same shape, dtype and layout as the primal.

    Raises:
        TypeMismatch: another shape.
    """
    if leaf.part == "pairs":
        return fit_complex(t, x, leaf, what)
    if isinstance(leaf.type, Scalar):
        if np.ndim(t) != 0:
            raise TypeMismatch(
                f"{what} has shape {np.shape(t)}, but it belongs to a number",
                instead="give a float",
            )
        value = real_array(t, float, what)
        return np.float32(value) if leaf.type.kind == "f4" else float(value)
    if is_device_array(t):
        return fit_device(t, tuple(x.shape), leaf.type, what)
    return fit_array(t, np.shape(x), leaf.type, what)


def fit_device(t: Any, shape: tuple[int, ...], kind: Any, what: str) -> Any:
    """An array of the device, if it has the given shape and dtype."""
    seen = shell(t)
    if seen.shape != shape or seen.dtype != numpy_dtype(kind.dtype):
        raise TypeMismatch(
            f"{what} has shape {seen.shape} and dtype {seen.dtype}, expected {shape} and "
            f"{numpy_dtype(kind.dtype)}",
            instead="give an array of the shape and dtype of what it belongs to",
        )
    return t


def fit_complex(t: Any, x: Any, leaf: Leaf, what: str) -> np.ndarray:
    """``fit`` of a complex array: the pairs of its elements (real ones have imaginary part 0)."""
    a = np.asarray(t)
    shape = np.shape(x) if np.iscomplexobj(x) else np.shape(x)[:-1]
    if a.dtype.kind not in "fiubc":
        raise TypeMismatch(f"{what} is {t!r}, which is not made of numbers", instead="give floats")
    if a.shape != shape:
        raise TypeMismatch(
            f"{what} has shape {a.shape}, expected {shape}",
            instead="give an array of the shape of what it belongs to",
        )
    both = np.stack([a.real, a.imag if np.iscomplexobj(a) else np.zeros(shape)], axis=-1)
    return fit_array(both, (*shape, 2), leaf.type, what)


def fit_array(t: Any, shape: tuple[int, ...], kind: Any, what: str) -> np.ndarray:
    """An array of the given shape whose dtype and layout the type states."""
    if np.shape(t) != tuple(shape):
        raise TypeMismatch(
            f"{what} has shape {np.shape(t)}, expected {tuple(shape)}",
            instead="give an array of the shape of what it belongs to",
        )
    order = "F" if isinstance(kind, ArrayT) and kind.layout == "F" else "C"
    out = real_array(t, kind.dtype, what, order)
    if isinstance(kind, ArrayT) and kind.layout == "A":
        wide = np.empty((*shape[:-1], 2 * shape[-1]) if shape else (), out.dtype)
        strided: np.ndarray = wide[..., ::2] if shape else wide
        strided[...] = out
        return strided
    return out


def real_array(t: Any, dtype: Any, what: str, order: Any = "C") -> np.ndarray:
    """A fresh array of real numbers.

    Raises:
        TypeMismatch: it holds something else.
    """
    if np.asarray(t).dtype.kind not in "fiub":
        raise TypeMismatch(
            f"{what} is {t!r}, which is not made of real numbers", instead="give floats"
        )
    return np.array(t, dtype=dtype, order=order)
