"""The eager tensor: an immutable value, a NumPy array or, if it has no axes, a NumPy scalar.

The value may also be elsewhere (``places``): then it answers NumPy's protocols.

In: values made by ``convert`` and by operations.  Invariant: nobody else holds a writable
reference to the array; ``numpy()`` copies, the array protocol gives a read-only view.  Scalars
are NumPy scalars because their arithmetic is ten times faster than that of 0-d arrays.
Operators are attached by ``operators``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from srcad.tape.dtypes import BY_NUMPY, DType
from srcad.tape.places import HOST, OPEN, fetched, place_of, placed, transferred
from srcad.tape.shapes import TensorShape


class Tensor:
    """A value of NumPy elements that tapes can follow."""

    __slots__ = ("__weakref__", "_part", "_value")
    __array_priority__ = 100
    _value: Any

    if TYPE_CHECKING:  # attached by ``operators``
        _part: tuple[Any, Any]

        def __getitem__(self, key: Any) -> Tensor: ...
        def __add__(self, other: Any) -> Tensor: ...

    def __init__(self, value: Any) -> None:
        self._value = placed(value) if OPEN else value

    @property
    def dtype(self) -> DType:
        """The element type."""
        return BY_NUMPY[self._value.dtype]

    @property
    def shape(self) -> TensorShape:
        """The shape."""
        return TensorShape(self._value.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return int(self._value.ndim)

    @property
    def device(self) -> str:
        """Where it lives."""
        return str(place_of(self._value).name)

    backing_device = device

    @property
    def __cuda_array_interface__(self) -> Any:
        return self._value.__cuda_array_interface__  # which only arrays of the device have

    def cpu(self) -> Tensor:
        """The tensor on the processor."""
        return transferred(self, HOST)

    def numpy(self) -> Any:
        """The value: a NumPy scalar, or an array that is the caller's own."""
        value = fetched(self._value)
        return value.copy() if value.shape else value

    def get_shape(self) -> TensorShape:
        """The shape."""
        return self.shape

    def set_shape(self, shape: Any) -> None:
        """Check that the shape is as said."""
        if not self.shape.is_compatible_with(shape):
            raise ValueError(f"Tensor's shape {self.shape} is not compatible with {shape}")

    def ref(self) -> Reference:
        """A hashable stand-in for dictionaries and sets."""
        return Reference(self)

    def assign(self, value: Any) -> Any:
        """Assign to the part of the variable that this is: ``v[0].assign(x)``."""
        part = getattr(self, "_part", None)
        if part is None:
            raise AttributeError("a tensor cannot be assigned: only a part of a variable can")
        variable, key = part
        return variable.assign_part(key, value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = np.asarray(fetched(self._value))
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        if copy:
            return array.copy()
        view = array.view()
        view.flags.writeable = False
        return view

    def __hash__(self) -> int:
        raise TypeError("Tensor is unhashable. Instead, use tensor.ref() as the key.")

    def __bool__(self) -> bool:
        return bool(self._value) if self._value.size else False

    def __float__(self) -> float:
        return float(self._only())

    def __int__(self) -> int:
        return int(self._only())

    def __complex__(self) -> complex:
        return complex(self._only())

    def __index__(self) -> int:
        return int(self._value.__index__())

    def __round__(self, digits: int | None = None) -> Any:
        return round(fetched(self._value), digits)

    def __len__(self) -> int:
        if not self._value.shape:
            raise TypeError("Scalar tensor has no `len()`")
        return len(self._value)

    def __iter__(self) -> Iterator[Any]:
        if hasattr(self._value, "iterate"):  # symbolic
            return self._value.iterate()
        if not self._value.shape:
            raise TypeError("Cannot iterate over a scalar tensor.")
        return (self[i] for i in range(len(self._value)))

    def __format__(self, spec: str) -> str:
        return format(fetched(self._value), spec)

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: Any) -> Tensor:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Tensor, (fetched(self._value),)

    def __repr__(self) -> str:
        v = fetched(self._value)
        text = value_text(v)
        return f"<tf.Tensor: shape={v.shape}, dtype={v.dtype.name}, numpy={text}>"

    def __str__(self) -> str:
        v = fetched(self._value)
        text = str(v)
        return f"tf.Tensor({on_own_lines(text)}, shape={v.shape}, dtype={v.dtype.name})"

    def _only(self) -> Any:
        if self._value.shape:
            raise TypeError("only 0-dimensional arrays can be converted to Python scalars")
        return self._value


class Reference:
    """Identity of a tensor or variable, hashable: equal if it is the same object."""

    __slots__ = ("__weakref__", "_target")

    def __init__(self, target: Any) -> None:
        self._target = target

    def deref(self) -> Any:
        """The tensor or variable."""
        return self._target

    def __hash__(self) -> int:
        return id(self._target)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self._target is other._target

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._target!r}>"


def value_text(value: Any) -> str:
    """How a value stands in a ``repr``."""
    return on_own_lines(repr(value) if value.shape else str(value))


def on_own_lines(text: str) -> str:
    """The text of an array, started on a line of its own if it has several."""
    return "\n" + text if "\n" in text else text


def wrap(value: Any) -> Tensor:
    """A tensor of a NumPy result; 0-d arrays become scalars."""
    if type(value) is np.ndarray and value.ndim == 0:
        value = value[()]
    return Tensor(value)
