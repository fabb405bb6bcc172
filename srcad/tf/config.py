"""``tf.config``: which devices there are, and how they are used.

Asking for GPUs (or for all devices) looks for one: it needs CUDA's driver, and the toolkit.
"""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from srcad.tf import devices
from srcad.tf.devices import Choice
from srcad.tf.function import functions_run_eagerly, run_functions_eagerly
from srcad.tf.missing import missing

PhysicalDevice = namedtuple("PhysicalDevice", ["name", "device_type"])
LogicalDevice = namedtuple("LogicalDevice", ["name", "device_type"])
_CPU = PhysicalDevice("/physical_device:CPU:0", "CPU")
_GPU = PhysicalDevice("/physical_device:GPU:0", "GPU")


def list_physical_devices(device_type: str | None = None) -> list[Any]:
    """The CPU and, if it can be used, the first GPU."""
    found = [_CPU] if device_type in (None, "CPU") else []
    if device_type in (None, "GPU") and devices.missing_gpu(hidden=False) is None:
        found.append(_GPU)
    return found


def list_logical_devices(device_type: str | None = None) -> list[Any]:
    """The devices in use, as operations name them."""
    visible = get_visible_devices(device_type)
    return [LogicalDevice(f"/device:{d.device_type}:0", d.device_type) for d in visible]


def get_visible_devices(device_type: str | None = None) -> list[Any]:
    """The devices in use."""
    return [d for d in list_physical_devices(device_type) if d is _CPU or not Choice.hidden]


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Which devices to use; the CPU cannot be hidden."""
    given = devices if isinstance(devices, list | tuple) else [devices]
    given = [d for d in given if d is not None]
    known = list_physical_devices()
    for d in given:
        if d not in known:
            raise ValueError(f"Unrecognized device: {d!r}")
        if device_type not in (None, d.device_type):
            raise ValueError(f"Device {d!r} is not of type {device_type}")
    if device_type in (None, "CPU") and _CPU not in given:
        raise ValueError("the CPU cannot be hidden")
    if device_type in (None, "GPU"):
        Choice.hidden = _GPU not in given


def set_soft_device_placement(enabled: bool) -> None:
    """Whether the CPU does what a device cannot do, or is asked of a device that is not there."""
    Choice.soft = bool(enabled)


def get_soft_device_placement() -> bool:
    """Whether the CPU does what a device cannot do."""
    return Choice.soft


class experimental:
    """``tf.config.experimental``."""

    list_physical_devices = staticmethod(list_physical_devices)
    list_logical_devices = staticmethod(list_logical_devices)
    get_visible_devices = staticmethod(get_visible_devices)
    set_visible_devices = staticmethod(set_visible_devices)

    @staticmethod
    def set_memory_growth(device: Any, enable: bool) -> None:
        """Memory is asked for as it is needed, always."""
        if device != _GPU:
            raise ValueError(f"Cannot set memory growth on non-GPU device: {device}")
        if not enable:
            raise ValueError("the memory of the GPU is not reserved: it grows as it is needed")

    @staticmethod
    def get_memory_growth(device: Any) -> bool:
        """Whether memory is asked for as it is needed: of a GPU, always."""
        if device != _GPU:
            raise ValueError(f"Cannot get memory growth of non-GPU device: {device}")
        return True

    @staticmethod
    def enable_op_determinism() -> None:
        """Operations of the CPU are deterministic; on a GPU, sums by atomic additions are not."""


class threading:
    """``tf.config.threading``: NumPy's own settings hold."""

    @staticmethod
    def set_intra_op_parallelism_threads(num_threads: int) -> None:
        """No effect: set the environment variable OMP_NUM_THREADS instead."""

    @staticmethod
    def set_inter_op_parallelism_threads(num_threads: int) -> None:
        """No effect: operations run one after the other."""


__all__ = ["functions_run_eagerly", "run_functions_eagerly"]
__getattr__ = missing("tf.config", lambda: globals())
