"""Arrays of the device as arguments: Numba's, and all that have ``__cuda_array_interface__``.

In: structures with arrays of the device in them.  Out: the same structures with arrays of NumPy in
their place that have the same type, shape and strides, and no contents (``stand_in``), so that
everything that looks at kinds of arguments works as it does for the processor.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from srcad.errors import DeviceError


def is_device_array(x: Any) -> bool:
    """Whether something is an array of the device (the simulator's too)."""
    return getattr(x, "__cuda_ndarray__", False) is True or hasattr(x, "__cuda_array_interface__")


def device_array(cuda: Any, x: Any) -> Any:
    """An array of the device as Numba's; its memory is the same."""
    return x if hasattr(x, "__cuda_ndarray__") else cuda.as_cuda_array(x)


def stand_in(x: Any, what: str, host: bool) -> Any:
    """A structure with NumPy's arrays for those of the device.

    Args:
        x: an argument.
        what: how it is called in messages.
        host: whether arrays of the host may be among it.

    Raises:
        DeviceError: it has an array of the host.
    """
    if is_device_array(x):
        return shell(x)
    if isinstance(x, np.ndarray):
        if host:
            return x
        raise DeviceError(
            f"{what} is an array of the host",
            None,
            "what runs on the device takes arrays of the device, and nothing is copied silently",
            "numba.cuda.to_device(x), or an array of CuPy, PyTorch or JAX on the GPU",
        )
    if isinstance(x, (tuple, list)):
        parts = [stand_in(v, f"{what}[{k}]", host) for k, v in enumerate(x)]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    if isinstance(x, dict):
        return {k: stand_in(v, f"{what}[{k!r}]", host) for k, v in x.items()}
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        names = [f.name for f in dataclasses.fields(x) if f.init]
        fields = {n: stand_in(getattr(x, n), f"{what}.{n}", host) for n in names}
        return dataclasses.replace(x, **fields)
    return x


def shell(x: Any) -> np.ndarray:
    """An array of NumPy like one of the device, without contents."""
    if not hasattr(x, "__cuda_array_interface__"):  # the simulator's
        shape, strides, dtype, fixed = tuple(x.shape), x.strides, x.dtype, False
    else:
        known = x.__cuda_array_interface__
        shape, strides = tuple(known["shape"]), known.get("strides")
        dtype, fixed = np.dtype(known["typestr"]), bool(known["data"][1])
    if strides is None:
        strides = packed(shape, dtype)
    return np.lib.stride_tricks.as_strided(np.empty(1, dtype), shape, strides, writeable=not fixed)


def packed(shape: tuple[int, ...], dtype: np.dtype) -> tuple[int, ...]:
    """The strides of a contiguous array."""
    sizes = [dtype.itemsize]
    for n in shape[:0:-1]:
        sizes.append(sizes[-1] * n)
    return tuple(sizes[::-1])[: len(shape)] if shape else ()


def apart(a: Any, b: Any) -> bool:
    """Whether the memory that two arrays span is apart."""
    (low, high), (first, last) = extent(a), extent(b)
    return high <= first or last <= low


def extent(x: Any) -> tuple[int, int]:
    """The addresses that an array spans."""
    if hasattr(x, "__cuda_array_interface__"):
        known = x.__cuda_array_interface__
        start = known["data"][0]
        frame = shell(x)
    else:
        frame = x._ary
        start = frame.ctypes.data
    if frame.size == 0:
        return start, start
    steps = [(n - 1) * s for n, s in zip(frame.shape, frame.strides, strict=True)]
    low = start + sum(s for s in steps if s < 0)
    return low, start + sum(s for s in steps if s > 0) + frame.itemsize
