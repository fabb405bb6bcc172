"""What the driver of an array function asks of the device: memory, views, products, numbers.

``Gpu`` is the device: arrays are Numba's, on one stream; products and factorisations are CuPy's
where it is installed, products else a kernel of our own.  ``Interpreted`` is NumPy's arrays and the
interpreter of kernels (``backends.spmd``) behind the same interface, for tests without a GPU.

Invariant: nothing here copies elements between host and device but ``number``, which the driver
calls where the host needs one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.backends.array_ops import EVALUATORS
from srcad.errors import DeviceError
from srcad.runtime.storage import srcad_apart

CUPY = "pip install cupy-cuda13x (or the one for your toolkit)"


def packed(shape: tuple[int, ...], dtype: np.dtype) -> tuple[int, ...]:
    """The strides of a contiguous array.

    >>> packed((2, 3), np.dtype("f8"))
    (24, 8)
    """
    sizes = [dtype.itemsize]
    for n in shape[:0:-1]:
        sizes.append(sizes[-1] * n)
    return tuple(sizes[::-1])[: len(shape)] if shape else ()


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


def extent(x: Any) -> tuple[int, int]:
    """The addresses that an array of the device spans."""
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


def apart(a: Any, b: Any) -> bool:
    """Whether the memory that two arrays of the device span is apart."""
    (low, high), (first, last) = extent(a), extent(b)
    return high <= first or last <= low


class Interpreted:
    """The device, interpreted: arrays are NumPy's."""

    stream = 0

    def empty(self, shape: Any, dtype: Any) -> np.ndarray:
        """Storage whose contents nobody should rely on."""
        made: np.ndarray = np.empty(tuple(map(int, shape)), dtype)
        made.fill(np.nan if made.dtype.kind == "f" else 99)
        return made

    def zeros(self, shape: Any, dtype: Any) -> np.ndarray:
        """Zeros."""
        return np.zeros(tuple(map(int, shape)), dtype)

    def view(self, array: Any, f: Callable[[Any], Any]) -> Any:
        """A view."""
        return f(array)

    def number(self, cell: Any) -> Any:
        """The number in a cell."""
        return cell[0]

    def apart(self, a: Any, b: Any) -> bool:
        """Whether two arrays are apart."""
        return bool(srcad_apart(a, b))

    def __getattr__(self, op: str) -> Callable[..., Any]:
        """A whole-array operation."""

        def run(*args: Any, layouts: str) -> Any:
            found = EVALUATORS[op](*args)
            parts = found if isinstance(found, tuple) else (found,)
            made = tuple(laid(x, k) for x, k in zip(parts, layouts, strict=True))
            return made if len(made) > 1 else made[0]

        return run


def laid(x: Any, layout: str) -> np.ndarray:
    """A fresh array with the layout that is expected of it; a number is in its cell."""
    return np.asarray(x, order="F" if layout == "F" else "C") if np.ndim(x) else np.array([x])


class Gpu:
    """The device: ``cuda`` is the module ``numba.cuda``."""

    def __init__(self, cuda: Any, stream: Any = 0) -> None:
        self.cuda, self.stream = cuda, stream
        self.simulated = "simulator" in getattr(cuda.to_device, "__module__", "")

    def empty(self, shape: Any, dtype: Any) -> Any:
        """Storage whose contents nobody should rely on."""
        return self.cuda.device_array(tuple(map(int, shape)), dtype, stream=self.stream)

    def zeros(self, shape: Any, dtype: Any) -> Any:
        """Zeros."""
        if self.simulated:
            return self.cuda.to_device(np.zeros(tuple(map(int, shape)), dtype))
        made = self.empty(shape, dtype)
        if made.size:
            from numba.cuda.cudadrv.driver import device_memset

            device_memset(made, 0, made.size * made.dtype.itemsize, stream=self.stream)
        return made

    def view(self, array: Any, f: Callable[[Any], Any]) -> Any:
        """A view: shape and strides as NumPy has them."""
        if self.simulated:
            return type(array)(f(array._ary))
        frame = shell(array)
        seen = f(frame)
        offset = seen.__array_interface__["data"][0] - frame.__array_interface__["data"][0]
        start = array.__cuda_array_interface__["data"][0] + offset
        return self.cuda.as_cuda_array(Piece(start, seen, array), sync=False)

    def number(self, cell: Any) -> Any:
        """The number in a cell; waits for the stream."""
        host = cell.copy_to_host(stream=self.stream)
        if self.stream:
            self.stream.synchronize()
        return host[0]

    def apart(self, a: Any, b: Any) -> bool:
        """Whether two arrays are apart."""
        return apart(a, b)

    def own(self, x: Any) -> Any:
        """An array of the device as Numba's; its memory is the same."""
        return x if hasattr(x, "__cuda_ndarray__") else self.cuda.as_cuda_array(x, sync=False)

    def matmul(self, a: Any, b: Any, layouts: str) -> Any:
        """A product: CuPy's, which is cuBLAS's, or that of a kernel of our own."""
        try:
            return self.whole("matmul", (a, b), layouts)
        except DeviceError:
            from srcad.backends.device_products import product  # loads the printer

            return product(self, a, b)

    def __getattr__(self, op: str) -> Callable[..., Any]:
        """A whole-array operation, CuPy's."""
        if op.startswith("_"):
            raise AttributeError(op)
        return lambda *args, layouts: self.whole(op, args, layouts)

    def whole(self, op: str, args: tuple[Any, ...], layouts: str) -> Any:
        """An operation of CuPy on arrays of the device.

        Raises:
            DeviceError: CuPy is not installed, or has no such operation.
        """
        cupy = installed_cupy(op)
        f = operations(cupy).get(op)
        if f is None:
            raise DeviceError(f"{op} has no form on the device", None, "CuPy has none", "")
        with on_stream(cupy, self.stream):
            given = [cupy.asarray(x) if hasattr(x, "shape") and x.shape else x for x in args]
            found = f(*given)
            parts = tuple(found) if isinstance(found, (tuple, list)) else (found,)
            made = []
            for x, kind in zip(parts, layouts, strict=True):
                order = cupy.asfortranarray if kind == "F" else cupy.ascontiguousarray
                made.append(order(x if x.ndim else x.reshape(1)))  # a number is in its cell
        back = tuple(map(self.own, made))
        return back if len(back) > 1 else back[0]


class Piece:
    """A part of an array of the device, as others see it (``__cuda_array_interface__``)."""

    def __init__(self, start: int, seen: np.ndarray, owner: Any) -> None:
        self.owner = owner
        self.__cuda_array_interface__ = {
            "shape": seen.shape,
            "strides": seen.strides,
            "typestr": seen.dtype.str,
            "data": (start, False),
            "stream": owner.__cuda_array_interface__.get("stream"),
            "version": 3,
        }


def installed_cupy(op: str) -> Any:
    """CuPy.

    Raises:
        DeviceError: it is not installed.
    """
    try:
        import cupy  # type: ignore[import-not-found]
    except ImportError as e:
        why = "factorisations on the device are CuPy's"
        raise DeviceError(f"{op} on the device needs CuPy", None, why, CUPY) from e
    return cupy


def on_stream(cupy: Any, stream: Any) -> Any:
    """A context in which CuPy works on a stream of Numba."""
    handle = getattr(stream, "handle", stream) or 0
    pointer = int(getattr(handle, "value", handle) or 0)
    return cupy.cuda.ExternalStream(pointer)


def operations(cupy: Any) -> dict[str, Callable[..., Any]]:
    """The operations of CuPy by the names of primitives."""
    linalg = cupy.linalg
    return {
        "matmul": cupy.matmul,
        "solve": linalg.solve,
        "inv": linalg.inv,
        "det": linalg.det,
        "cholesky": linalg.cholesky,
        "eigh": linalg.eigh,
        "svd": lambda a: linalg.svd(a, full_matrices=False),
        "qr": linalg.qr,
        "slogdet": linalg.slogdet,
        "pinv": linalg.pinv,
    }
