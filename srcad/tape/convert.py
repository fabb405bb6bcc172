"""From Python and NumPy values to tensors, with TensorFlow's rules for element types.

Python floats become float32, ints int32, bools bool; NumPy values keep their type.  Next to a
tensor, numbers and arrays take the tensor's type where that loses no kind (an int may become a
float, never the other way round); two tensors must agree.  Objects with ``__tape_tensor__``
(variables) say themselves what they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.tape.dtypes import BY_NUMPY, DType, as_dtype, short_name
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.places import OPEN, RECEIVERS, moved
from srcad.tape.shapes import TensorShape
from srcad.tape.tensor import Tensor, wrap

_RANK = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}


def to_tensor(value: Any, dtype: Any = None, hint: Any = None) -> Tensor:
    """A tensor of any value; ``dtype`` is binding, ``hint`` (a NumPy type) only preferred."""
    if type(value) is not Tensor:
        read = getattr(value, "__tape_tensor__", None)
        if read is None:
            wanted = None if dtype is None else as_dtype(dtype)._np
            return _made(value, wanted, hint)
        value = read()
    if dtype is not None and value.dtype != as_dtype(dtype):
        raise ValueError(
            f"Tensor conversion requested dtype {as_dtype(dtype).name} for Tensor with dtype "
            f"{value.dtype.name}: {value!r}"
        )
    return moved(value) if OPEN else value


def constant(value: Any, dtype: Any = None, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor of a value; one element, or as many as ``shape`` has, fill the shape."""
    if type(value) is Tensor and dtype is not None and value.dtype != as_dtype(dtype):
        raise ValueError(f"cannot convert {value!r} to a constant of {as_dtype(dtype).name}")
    out = to_tensor(value, dtype)
    if shape is None:
        return out
    wanted: Any = tuple(TensorShape(shape))
    array = out._value
    if array.size not in (1, int(np.prod(wanted))):
        raise TypeError(
            f"Eager execution of tf.constant with unsupported shape. Tensor {array} (converted "
            f"from {value!r}) has {array.size} elements, but got `shape` {wanted} with "
            f"{int(np.prod(wanted))} elements)."
        )
    filled = np.broadcast_to(array.reshape(()), wanted) if array.size == 1 else array
    return wrap(np.array(filled).reshape(wanted))


def pair(x: Any, y: Any, op: str) -> tuple[Tensor, Tensor]:
    """Both operands of an operation as tensors of one type."""
    if is_tensor_like(x):
        a = to_tensor(x)
        b = beside(y, a)
        if op != "AddV2":  # TensorFlow's addition says it in its own way
            _refuse_floats(y, b, a)
    elif is_tensor_like(y):
        b = to_tensor(y)
        a = beside(x, b)
        _refuse_floats(x, a, b)
    else:
        a = to_tensor(x)
        b = to_tensor(y, hint=a._value.dtype)
        if op != "AddV2":
            _refuse_floats(y, b, a)
    check_same(a, b, op)
    return a, b


def _refuse_floats(value: Any, made: Tensor, beside: Tensor) -> None:
    """Python floats do not become whole numbers."""
    kind = beside._value.dtype
    if kind.kind in "iu" and made._value.dtype.kind == "f" and not _is_typed(value):
        raise TypeError(f"Cannot convert {value!r} to EagerTensor of dtype {short_name(kind)}")


def _is_typed(value: Any) -> bool:
    """Whether a value has an element type of its own."""
    return (
        hasattr(value, "dtype")
        or _leaf_is_numpy(value)
        or (isinstance(value, list | tuple) and _holds_tensor(value))
    )


def is_tensor_like(value: Any) -> bool:
    """Whether a value is a tensor or variable."""
    return type(value) is Tensor or hasattr(value, "__tape_tensor__")


def beside(value: Any, tensor: Tensor) -> Tensor:
    """A value that stands next to a tensor in an operation."""
    kind = type(value)
    dtype = tensor._value.dtype
    if kind is float or kind is int or kind is bool:
        if kind is float and dtype.kind in "iub":
            return Tensor(np.float32(value))
        if kind is not bool and dtype.kind == "b":
            raise TypeError(f"Cannot convert {value!r} to EagerTensor of dtype bool")
        return Tensor(dtype.type(value))
    return to_tensor(value, hint=dtype)


def check_same(a: Tensor, b: Tensor, op: str) -> None:
    """Refuse operands of two types, as TensorFlow does."""
    if a._value.dtype != b._value.dtype:
        first, second = short_name(a._value.dtype), short_name(b._value.dtype)
        raise InvalidArgumentError(
            f"cannot compute {op} as input #1(zero-based) was expected to be a {first} tensor "
            f"but is a {second} tensor [Op:{op}] name: ",
            instead="convert one of them with tf.cast",
        )


def _made(value: Any, wanted: np.dtype[Any] | None, hint: np.dtype[Any] | None) -> Tensor:
    """A tensor of a plain Python or NumPy value."""
    if isinstance(value, DType) or value is None:
        raise ValueError(
            f"Attempt to convert a value ({value}) with an unsupported type "
            f"({type(value)}) to a Tensor."
        )
    if hasattr(value, "elsewhere"):  # symbolic, or of a device
        return Tensor(value)
    if RECEIVERS and (received := RECEIVERS[0](value)) is not None:  # another library's
        return Tensor(received if wanted is None else received.astype(wanted))
    if isinstance(value, TensorShape):
        value = value.as_list()
    if isinstance(value, list | tuple) and _holds_tensor(value):
        return _packed(value, wanted)
    numpy_made = isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__")
    array = _array(value)
    if array.dtype == np.uint64 and not numpy_made and not _leaf_is_numpy(value):
        raise ValueError("Can't convert Python sequence with out-of-range integer to Tensor.")
    if wanted is not None:
        _check_kind(value, array, wanted, numpy_made)
        return wrap(array.astype(wanted))
    if not numpy_made and not _leaf_is_numpy(value):
        array = array.astype(_python_kind(array))
    if hint is not None and _may_become(array.dtype, hint, numpy_made):
        array = array.astype(hint)
    return wrap(array)


def _array(value: Any) -> np.ndarray[Any, Any]:
    """A fresh array of the value, of a type that tensors can have."""
    try:
        array = np.array(value)
    except ValueError:
        raise ValueError("Can't convert non-rectangular Python sequence to Tensor.") from None
    if array.dtype not in BY_NUMPY:
        if array.dtype.kind in "US":
            raise TypeError(
                f"srcad.tf has no string tensors ({value!r}): keep strings as Python strings"
            )
        raise ValueError(
            f"Attempt to convert a value ({value}) with an unsupported type "
            f"({type(value)}) to a Tensor."
        )
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _python_kind(array: np.ndarray[Any, Any]) -> Any:
    """The type that Python numbers take: 32 bits, 64 for ints that do not fit."""
    if array.dtype.kind == "f":
        return np.float32
    if array.dtype == np.int64:
        small = array.size == 0 or (array.min() >= -(2**31) and array.max() < 2**31)
        return (np.int32 if small else np.int64) if array.size else np.float32
    return array.dtype


def _check_kind(value: Any, array: Any, wanted: np.dtype[Any], numpy_made: bool) -> None:
    """Python numbers keep their kind: no float becomes an int, no number a bool."""
    have = array.dtype.kind
    if numpy_made or array.size == 0 or have == wanted.kind:
        return
    if _RANK[have] > _RANK[wanted.kind] or "b" in (have, wanted.kind):
        raise TypeError(f"Cannot convert {value!r} to EagerTensor of dtype {short_name(wanted)}")


def _may_become(have: np.dtype[Any], hint: np.dtype[Any], numpy_made: bool) -> bool:
    """Whether a value next to a tensor of type ``hint`` takes that type."""
    if "b" in (have.kind, hint.kind):
        return False
    return _RANK[have.kind] <= _RANK[hint.kind]


def _leaf_is_numpy(value: Any) -> bool:
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return isinstance(value, np.generic | np.ndarray)


def _holds_tensor(value: Any) -> bool:
    return any(
        is_tensor_like(v) or (isinstance(v, list | tuple) and _holds_tensor(v)) for v in value
    )


def _packed(value: Any, wanted: np.dtype[Any] | None) -> Tensor:
    """A list that contains tensors: stacked, so that derivatives flow."""
    from srcad.tape.shaping import stack

    tensors = [v for v in value if is_tensor_like(v)]
    inner = (
        wanted if wanted is not None else (to_tensor(tensors[0])._value.dtype if tensors else None)
    )
    return stack([to_tensor(v, hint=inner) for v in value])
