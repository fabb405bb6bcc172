"""An array of the device as the value of a tensor: it answers NumPy's protocols with kernels.

In: calls of NumPy's functions on ``DeviceArray``s, next to arrays and numbers of the processor,
which are copied to the device.  Out: ``DeviceArray``s, in C order.  What rearranges elements
(subscripts, transposes, joins) shares memory or is one copying kernel; everything else is compiled
by ``device_code`` from what the symbols of ``symbolic`` record for the call.  What cannot be
compiled is computed by NumPy on the processor, and its result goes back to the device; with soft
placement switched off it raises instead (``devices``).

Invariant: the memory is never changed once the array is made.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.tape import kernels
from srcad.tape.places import fetched
from srcad.tf import devices
from srcad.tf.device_code import call, copied
from srcad.tf.symbolic import RESHAPES, Sym

ABOUT = (np.shape, np.ndim, np.size)
ALIKE = {np.zeros_like: 0, np.ones_like: 1}
VIEWS = (np.transpose, np.swapaxes, np.moveaxis, np.flip)


class DeviceArray(np.lib.mixins.NDArrayOperatorsMixin):
    """An array, or a number, in the memory of the device.

    ``memory`` is an array of Numba's in C order; that of a number has one element.
    """

    __slots__ = ("dtype", "memory", "shape")
    __array_priority__ = 900
    elsewhere = True

    def __init__(self, memory: Any, shape: tuple[int, ...], dtype: Any) -> None:
        self.memory, self.shape, self.dtype = memory, tuple(map(int, shape)), np.dtype(dtype)

    @property
    def place(self) -> Any:
        """The device."""
        return devices.GPU

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=int))

    @property
    def __cuda_array_interface__(self) -> Any:
        return self.memory.__cuda_array_interface__ | {"shape": self.shape, "strides": None}

    def fetch(self) -> Any:
        """A copy on the processor; waits for the device."""
        host = devices.download(self.memory).reshape(self.shape)
        return host if self.shape else host[()]

    # NumPy's protocols
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        devices.leaves("a function that takes arrays of NumPy only")
        return np.asarray(self.fetch(), dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if any(isinstance(x, Sym) for x in inputs):
            return NotImplemented
        if method != "__call__" or options:
            f = getattr(ufunc, method)
            return hosted(f, inputs, {k: v for k, v in options.items() if k != "out"})
        return computed(ufunc, inputs, {})

    def __array_function__(self, f: Any, types: Any, args: Any, options: Any) -> Any:
        if any(issubclass(t, Sym) for t in types):
            return NotImplemented
        if f in ABOUT:
            return f(np.broadcast_to(np.int8(0), args[0].shape), *args[1:], **options)
        if f in ALIKE and len(args) == 1 and not options:
            return devices.GPU.put(np.full(self.shape, ALIKE[f], self.dtype))
        if f in RESHAPES:
            frame = np.broadcast_to(np.int8(0), args[0].shape)
            return args[0].reshape(f(frame, *args[1:], **options).shape)
        if f in VIEWS and type(args[0]) is DeviceArray:
            return args[0].viewed(lambda x: f(x, *args[1:], **options))
        if f in JOINS and options.keys() <= {"axis", "constant_values"} and devices.by_kernels():
            return JOINS[f](*args, **options)
        return computed(f, args, options)

    # methods of arrays
    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> DeviceArray:
        """Converted."""
        return self if self.dtype == dtype else computed(_converted, (self, np.dtype(dtype)), {})

    def reshape(self, *shape: Any) -> DeviceArray:
        """The same memory in another shape."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        found = np.broadcast_to(np.int8(0), (self.size,)).reshape(wanted).shape
        memory = devices.view(self.memory, lambda x: x.reshape(found or (1,)))
        return DeviceArray(memory, found, self.dtype)

    def viewed(self, f: Callable[[Any], Any]) -> DeviceArray:
        """What a function of NumPy's that gives a view gives; copied unless it is in C order."""
        frame = np.broadcast_to(np.int8(0), self.shape)
        shape = f(frame).shape
        memory = devices.view(self.reshape(self.shape).memory, _whole(f, self.shape, shape))
        return DeviceArray(copied(memory), shape, self.dtype)

    def __getitem__(self, key: Any) -> DeviceArray:
        parts = key if isinstance(key, tuple) else (key,)
        if any(isinstance(p, DeviceArray | np.ndarray | list) for p in parts):
            return computed(_taken, (self, *parts), {})
        return self.viewed(lambda x: x[_open(parts)])

    def __len__(self) -> int:
        return self.shape[0]

    # what needs a value
    def __bool__(self) -> bool:
        return bool(self.fetch())

    def __float__(self) -> float:
        return float(self.fetch())

    def __int__(self) -> int:
        return int(self.fetch())

    def __complex__(self) -> complex:
        return complex(self.fetch())

    def __index__(self) -> int:
        return int(self.fetch().__index__())

    def tolist(self) -> Any:
        """Python's numbers."""
        return self.fetch().tolist()

    item = tolist
    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<array of {devices.GPU.name} {self.shape} {self.dtype}>"


def _open(parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """A subscript that gives a view, even of a single element."""
    return parts if any(p is Ellipsis for p in parts) else (*parts, Ellipsis)


def _whole(f: Any, shape: tuple[int, ...], result: tuple[int, ...]) -> Callable[[Any], Any]:
    """``f`` for memory, in which numbers have one element."""
    return lambda x: f(x.reshape(shape)).reshape(result or (1,))


def _converted(x: Any, dtype: Any) -> Any:
    return x.astype(dtype)


def _taken(x: Any, *parts: Any) -> Any:
    return x[parts]


# joins: memory that is filled part by part
def _concatenated(arrays: Any, axis: int = 0) -> DeviceArray:
    parts = [devices.GPU.put(x) for x in arrays]
    frames = [np.broadcast_to(np.empty((), p.dtype), p.shape) for p in parts]
    found = np.concatenate(frames, axis=axis)
    memory, at, a = devices.empty(found.shape, found.dtype), 0, axis % found.ndim
    for p in parts:
        piece = (*[slice(None)] * a, slice(at, at + p.shape[a]))
        copied(p.memory, devices.view(memory, operator.itemgetter(piece)))
        at += p.shape[a]
    return DeviceArray(memory, found.shape, found.dtype)


def _stacked(arrays: Any, axis: int = 0) -> DeviceArray:
    parts = [np.expand_dims(devices.GPU.put(x), axis) for x in arrays]
    return _concatenated(parts, axis)


def _put(g: Any, index: tuple[Any, ...], shape: tuple[int, ...]) -> DeviceArray:
    memory = devices.zeros(shape or (1,), g.dtype)
    place = devices.view(memory, _whole(lambda x: x[_open(index)], shape, g.shape))
    copied(g.memory, place)
    return DeviceArray(memory, shape, g.dtype)


def _padded(x: Any, pad_width: Any, *, constant_values: Any = 0) -> DeviceArray:
    widths = np.broadcast_to(np.asarray(pad_width), (x.ndim, 2)).tolist()
    shape = tuple(b + d + e for (b, e), d in zip(widths, x.shape, strict=True))
    fill = fetched(constant_values)
    if fill:
        memory = devices.upload(np.full(shape or (1,), fill, x.dtype))
    else:
        memory = devices.zeros(shape or (1,), x.dtype)
    middle = tuple(slice(b, b + d) for (b, _), d in zip(widths, x.shape, strict=True))
    copied(x.memory, devices.view(memory, lambda m: m[middle]) if shape else memory)
    return DeviceArray(memory, shape, x.dtype)


JOINS: dict[Any, Callable[..., Any]] = {
    np.concatenate: _concatenated,
    np.stack: _stacked,
    kernels.put: _put,
    np.pad: _padded,
}


# everything else
def computed(f: Any, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A function of NumPy, by kernels where it can be compiled."""
    if not devices.by_kernels():
        return hosted(f, args, options)
    found, reason = call(f, args, options)
    if reason is None:
        return found
    devices.leaves(f.__name__, reason)
    return hosted(f, args, options)


def hosted(f: Any, args: Any, options: Any) -> Any:
    """A function of NumPy, on the processor; its arrays go back to the device."""
    with np.errstate(all="ignore"):
        return _returned(f(*_fetched(args), **_fetched(options)))


def _fetched(x: Any) -> Any:
    if isinstance(x, DeviceArray):
        return x.fetch()
    if isinstance(x, dict):
        return {k: _fetched(v) for k, v in x.items()}
    if isinstance(x, list | tuple) and not hasattr(x, "_fields"):
        return type(x)(_fetched(v) for v in x)
    return x


def _returned(x: Any) -> Any:
    if isinstance(x, list | tuple):
        return tuple(map(_returned, x))
    return devices.GPU.put(x) if isinstance(x, np.ndarray | np.generic) else x
