"""``tf.device`` and what it needs to know: names of devices, the GPU, its memory.

``with tf.device("/GPU:0")``: tensors and variables that are made inside live on the GPU, and
operations inside run there.  Outside of such a block an operation runs where its operands are (on
the GPU if one of them is), so a program whose data and variables were placed there stays there.
Unlike TensorFlow nothing is placed on a GPU that was not asked for.

*Soft placement* (``tf.config.set_soft_device_placement``, on at first, as in TensorFlow): where
there is no GPU, or an operation has no kernel, the processor does it, and the log says so once,
with the reason.  With it switched off both raise.

CUDA is imported when a program asks for a GPU, not before.  ``BACKEND = "reference"`` interprets
the kernels on arrays of NumPy, for tests.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from srcad.backends.device_driver import INSTALL
from srcad.errors import DeviceError
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.places import HOST, RECEIVERS, USED, transferred, within
from srcad.tape.tensor import Tensor

LOG = logging.getLogger("srcad")
BACKEND = "cuda"
FIELD = re.compile(r"(?:(?:device:)?(cpu|gpu|tpu|xla_cpu|xla_gpu)(?::(\d+|\*))?)", re.IGNORECASE)
OTHERS = re.compile(r"(job:[^/]+|replica:\d+|task:\d+)", re.IGNORECASE)
HELD = "fiub"  # kinds of elements that the device holds, but for half precision


_SAID: set[str] = set()


class Choice:
    """What the user has chosen."""

    soft = True
    hidden = False  # the GPU


class UnknownDevice(DeviceError, RuntimeError):
    """A device that is not there."""


class Gpu:
    """The GPU as a place for tensors."""

    name = "/job:localhost/replica:0/task:0/device:GPU:0"

    def put(self, value: Any) -> Any:
        """A value on the device; what it cannot hold stays where it is."""
        from srcad.tf.device_array import DeviceArray

        if hasattr(value, "elsewhere") or value.dtype.kind not in HELD or value.dtype == np.float16:
            return value
        return DeviceArray(upload(value), value.shape, value.dtype)


GPU = Gpu()


def received(value: Any) -> Any:
    """An array of the device of another library, copied there; ``None`` if it is no such array."""
    from srcad.api.device_arrays import is_device_array

    if isinstance(value, np.ndarray | np.generic) or not is_device_array(value):
        return None
    from srcad.api.offload import frame
    from srcad.api.offload import received as awaited
    from srcad.tf.device_array import DeviceArray
    from srcad.tf.device_code import copied

    seen, shape = frame(value), tuple(value.shape)
    memory = view(awaited(machine(), value), lambda x: x.reshape(shape or (1,)))
    return DeviceArray(copied(memory, empty(shape or (1,), seen.dtype)), shape, seen.dtype)


RECEIVERS.append(received)


# names
def parsed(name: str) -> tuple[str, str]:
    """The kind of a device that a name means, in capitals, and its number; ``""`` for any.

    >>> parsed("/job:localhost/replica:0/task:0/device:GPU:0"), parsed("cpu")
    (('GPU', '0'), ('CPU', ''))
    """
    kind = number = ""
    for part in filter(None, name.split("/")):
        found = FIELD.fullmatch(part)
        if found is not None:
            kind, number = found[1].upper(), found[2] or ""
        elif OTHERS.fullmatch(part) is None:
            raise ValueError(
                f"Unknown attribute '{part}' is encountered while parsing the device spec: "
                f"'{name}'."
            )
    return kind, "" if number == "*" else number


def device(device_name: Any) -> Any:
    """A block whose tensors and operations are placed on a device.

    Args:
        device_name: ``"/GPU:0"``, ``"GPU:0"``, ``"/device:GPU:0"``, ``"/CPU:0"``, ...; ``None``
            takes back what a block around it asks for.

    Raises:
        InvalidArgumentError: there is no such device, and soft placement is switched off.

    >>> import srcad.tf as tf
    >>> with tf.device("/CPU:0"):
    ...     tf.constant(1.0).device
    '/job:localhost/replica:0/task:0/device:CPU:0'
    """
    if callable(device_name):
        raise RuntimeError("tf.device does not support functions.")
    if device_name is not None and not isinstance(device_name, str):
        raise ValueError(
            f"Expecting a string device name. Got {type(device_name)}({device_name!r})"
        )
    return within(chosen(device_name or ""))


def chosen(name: str) -> Any:
    """The place that a name asks for; ``None`` for no wish."""
    kind, number = parsed(name)
    if not kind:
        return None
    if kind == "CPU" and number in ("", "0"):
        return HOST
    reason = "there is one CPU and at most one GPU" if kind != "GPU" else missing_gpu()
    if kind == "GPU" and reason is None and number in ("", "0"):
        return GPU
    reason = reason or "only the first GPU is used"
    if not Choice.soft:
        raise InvalidArgumentError(
            f"Could not satisfy device specification '/device:{kind}:{number or 0}'. "
            f"enable_soft_placement=0. All available devices {available()}. ({reason})"
        )
    say(f"{name}: {reason}; the CPU does it")
    return HOST


def available() -> list[str]:
    """The names of the devices there are."""
    return [HOST.name] if missing_gpu() else [HOST.name, GPU.name]


def missing_gpu(hidden: bool = True) -> str | None:
    """Why there is no GPU; ``None`` if there is one.

    Args:
        hidden: whether one that the program has hidden is none.
    """
    if hidden and Choice.hidden:
        return "the GPU is not among the visible devices"
    try:
        machine()
    except DeviceError as error:
        return f"{error.what}: {error.why}" if error.why else error.what
    return None


def say(text: str, level: int = logging.WARNING) -> None:
    """Tell the log once."""
    if text not in _SAID:
        _SAID.add(text)
        LOG.log(level, text)


def _on_gpu(tensor: Tensor) -> Tensor:
    """The tensor on the GPU.

    Raises:
        RuntimeError: there is none, and why.
    """
    reason = missing_gpu()
    if reason is not None:
        raise UnknownDevice("GPU:0 unknown device.", None, reason, INSTALL)
    return transferred(tensor, GPU)


Tensor.gpu = _on_gpu  # type: ignore[attr-defined]


# the device's memory
def machine() -> Any:
    """The device, on the stream of ``srcad.cuda.stream``.

    Raises:
        DeviceError: no driver, no GPU, or no toolkit.
    """
    from srcad.api.offload import in_use
    from srcad.backends.device_driver import ready
    from srcad.backends.device_memory import Gpu as Device
    from srcad.backends.device_memory import Interpreted

    if not USED:
        USED.append(GPU)
    return Interpreted() if BACKEND == "reference" else Device(ready(), in_use.get())


def upload(value: Any) -> Any:
    """A copy of an array or a number of NumPy on the device."""
    gpu, array = machine(), np.array(value, order="C", ndmin=1)
    return array if BACKEND == "reference" else gpu.cuda.to_device(array, stream=gpu.stream)


def download(memory: Any) -> Any:
    """A copy of an array of the device."""
    if BACKEND == "reference":
        return memory.copy()
    gpu = machine()
    host = memory.copy_to_host(stream=gpu.stream)
    if gpu.stream:
        gpu.stream.synchronize()
    return host


def view(memory: Any, f: Callable[[Any], Any]) -> Any:
    """A view, as NumPy has it."""
    return machine().view(memory, f)


def empty(shape: Any, dtype: Any) -> Any:
    """New memory."""
    return machine().empty(shape, dtype)


def zeros(shape: Any, dtype: Any) -> Any:
    """New memory, zeros."""
    return machine().zeros(shape, dtype)


# policy
class _Mode(threading.local):
    kernels = True


_MODE = _Mode()


def by_kernels() -> bool:
    """Whether operations on arrays of the device are compiled for it."""
    return _MODE.kernels


@contextmanager
def on_host() -> Iterator[None]:
    """Operations on arrays of the device are computed by NumPy, their results put back.

    For code that runs once: compiling kernels for it would take longer.
    """
    before, _MODE.kernels = _MODE.kernels, False
    try:
        yield
    finally:
        _MODE.kernels = before


def leaves(what: str, reason: str = "it has no form there") -> None:
    """An operation on the device is about to be done by the processor.

    Raises:
        InvalidArgumentError: soft placement is switched off.
    """
    if not Choice.soft and by_kernels():
        raise InvalidArgumentError(
            f"Could not satisfy device specification '{GPU.name}' for {what}: {reason}. "
            "enable_soft_placement=0.",
            instead="fetch the tensor with .cpu(), or tf.config.set_soft_device_placement(True)",
        )
    say(f"{what} of tensors on the GPU is computed by the CPU: {reason}", logging.INFO)
