"""Element types as TensorFlow names them, each a wrapper of a NumPy dtype.

Only types that NumPy has: ``bfloat16``, strings, quantised types and resources are refused by
name.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class DType:
    """An element type: equal to its name, its NumPy type and other spellings of itself."""

    __slots__ = ("_enum", "_np", "name")

    def __init__(self, name: str, enum: int) -> None:
        self.name = name
        self._np = np.dtype(name)
        self._enum = enum

    @property
    def as_numpy_dtype(self) -> type:
        """The NumPy scalar type."""
        return self._np.type

    @property
    def as_datatype_enum(self) -> int:
        """TensorFlow's number of the type."""
        return self._enum

    @property
    def base_dtype(self) -> DType:
        """The type itself (there are no reference types)."""
        return self

    @property
    def is_floating(self) -> bool:
        """Whether it is a real floating-point type."""
        return self._np.kind == "f"

    @property
    def is_integer(self) -> bool:
        """Whether it is a signed or unsigned integer type."""
        return self._np.kind in "iu"

    @property
    def is_unsigned(self) -> bool:
        """Whether it is an unsigned integer type."""
        return self._np.kind == "u"

    @property
    def is_complex(self) -> bool:
        """Whether it is a complex type."""
        return self._np.kind == "c"

    @property
    def is_bool(self) -> bool:
        """Whether it is the type of truth values."""
        return self._np.kind == "b"

    @property
    def size(self) -> int:
        """Bytes per element."""
        return self._np.itemsize

    @property
    def min(self) -> Any:
        """The smallest value."""
        return np.finfo(self._np).min if self._np.kind in "fc" else np.iinfo(self._np).min

    @property
    def max(self) -> Any:
        """The largest value."""
        return np.finfo(self._np).max if self._np.kind in "fc" else np.iinfo(self._np).max

    @property
    def limits(self) -> tuple[Any, Any]:
        """The smallest and the largest value."""
        return self.min, self.max

    def __eq__(self, other: object) -> bool:
        if other is None:
            return False
        try:
            return self is as_dtype(other)
        except TypeError:
            return False

    def __hash__(self) -> int:
        return self._enum

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __str__(self) -> str:
        return f"<dtype: '{self.name}'>"

    def __reduce__(self) -> tuple[Any, ...]:
        return as_dtype, (self.name,)


float16, float32, float64 = DType("float16", 19), DType("float32", 1), DType("float64", 2)
int8, int16, int32, int64 = (
    DType("int8", 6),
    DType("int16", 5),
    DType("int32", 3),
    DType("int64", 9),
)
uint8, uint16 = DType("uint8", 4), DType("uint16", 17)
uint32, uint64 = DType("uint32", 22), DType("uint64", 23)
bool_ = DType("bool", 10)
complex64, complex128 = DType("complex64", 8), DType("complex128", 18)
half, double = float16, float64

ALL = (
    *(float16, float32, float64, int8, int16, int32, int64),
    *(uint8, uint16, uint32, uint64, bool_, complex64, complex128),
)
BY_NUMPY: dict[np.dtype[Any], DType] = {t._np: t for t in ALL}
_BY_NAME = {t.name: t for t in ALL} | {"half": float16, "float": float32, "double": float64}
_BY_PYTHON = {float: float32, int: int32, bool: bool_, complex: complex128}
FLOAT_NAMES = {
    np.dtype(n): short for n, short in (("f2", "half"), ("f4", "float"), ("f8", "double"))
}


def as_dtype(given: Any) -> DType:
    """The type meant by a ``DType``, a name, a NumPy type, or ``float``, ``int``, ``bool``."""
    if isinstance(given, DType):
        return given
    found = _BY_NAME.get(given) if isinstance(given, str) else None
    if found is None and isinstance(given, type):
        found = _BY_PYTHON.get(given)
    if found is None:
        try:
            found = BY_NUMPY.get(np.dtype(given))
        except TypeError:
            found = None
    if found is None:
        raise TypeError(f"Cannot convert value {given!r} to a TensorFlow DType.")
    return found


def short_name(kind: np.dtype[Any]) -> str:
    """How TensorFlow's messages call a type: ``float``, ``double``, ``int32`` ..."""
    return FLOAT_NAMES.get(kind, kind.name)
