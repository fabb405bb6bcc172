"""Arrays of the device as arguments: Numba's, and all that have ``__cuda_array_interface__``.

In: structures with arrays of the device in them.  Out: the same structures with arrays of NumPy in
their place that have the same type, shape and strides, and no contents (``stand_in``), so that
everything that looks at kinds of arguments works as it does for the processor.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from srcad.backends.device_driver import ready
from srcad.backends.device_memory import Gpu, apart, packed, shell
from srcad.errors import DeviceError, TypeMismatch

__all__ = [
    "apart",
    "device_array",
    "device_copy",
    "is_device_array",
    "of_device",
    "packed",
    "shell",
    "stand_in",
    "zeros_like",
]


def is_device_array(x: Any) -> bool:
    """Whether something is an array of the device (the simulator's too)."""
    return getattr(x, "__cuda_ndarray__", False) is True or hasattr(x, "__cuda_array_interface__")


def of_device(bound: dict[str, Any], expected: bool) -> dict[str, Any]:
    """Arguments by name, with arrays of NumPy for those of the device.

    Raises:
        TypeMismatch: there is one where none is expected.
    """
    if not any(map(on_device, bound.values())):
        return bound
    if not expected:
        name = next(k for k, v in bound.items() if on_device(v))
        raise TypeMismatch(
            f"argument {name!r} is an array of the device",
            why="the function runs on the processor",
            instead='srcad.differentiable(f, target="cuda"), or x.copy_to_host()',
        )
    return {k: stand_in(v, f"argument {k!r}", True) for k, v in bound.items()}


def on_device(x: Any) -> bool:
    """Whether something is an array of the device, or has one in it."""
    if isinstance(x, (float, int, np.ndarray)):
        return False
    if is_device_array(x):
        return True
    if isinstance(x, dict):
        return any(map(on_device, x.values()))
    if isinstance(x, (tuple, list)):
        return any(map(on_device, x))
    fields = getattr(x, "__dataclass_fields__", ()) if not isinstance(x, type) else ()
    return any(on_device(getattr(x, n, None)) for n in fields)


def device_array(cuda: Any, x: Any) -> Any:
    """An array of the device as Numba's; its memory is the same."""
    return x if hasattr(x, "__cuda_ndarray__") else cuda.as_cuda_array(x)


def device_copy(x: Any) -> Any:
    """A copy of an array of the device."""
    gpu = Gpu(ready())
    made = gpu.empty(x.shape, shell(x).dtype)
    made.copy_to_device(device_array(gpu.cuda, x))
    return made


def zeros_like(x: Any) -> Any:
    """Zeros of the shape of a result, where it is."""
    if is_device_array(x):
        return Gpu(ready()).zeros(x.shape, shell(x).dtype)
    return np.zeros(np.shape(x))


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
