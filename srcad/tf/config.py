"""``tf.config``: answers about devices.  There is one, the CPU; no GPU is ever claimed."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

from srcad.tf.function import functions_run_eagerly, run_functions_eagerly
from srcad.tf.missing import missing

PhysicalDevice = namedtuple("PhysicalDevice", ["name", "device_type"])
LogicalDevice = namedtuple("LogicalDevice", ["name", "device_type"])
_CPU = PhysicalDevice("/physical_device:CPU:0", "CPU")
_VISIBLE = [_CPU]


def list_physical_devices(device_type: str | None = None) -> list[Any]:
    """The CPU, unless another kind is asked for."""
    return [_CPU] if device_type in (None, "CPU") else []


def list_logical_devices(device_type: str | None = None) -> list[Any]:
    """The CPU, unless another kind is asked for."""
    return [LogicalDevice("/device:CPU:0", "CPU")] if device_type in (None, "CPU") else []


def get_visible_devices(device_type: str | None = None) -> list[Any]:
    """The devices in use."""
    return list_physical_devices(device_type)


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """The CPU cannot be hidden, and there is nothing else."""
    given = devices if isinstance(devices, list | tuple) else [devices]
    if any(d not in _VISIBLE for d in given if d is not None):
        raise ValueError(f"Unrecognized device: {devices}")
    if device_type == "CPU" and not given:
        raise ValueError("the CPU is the only device and cannot be hidden")


def set_soft_device_placement(enabled: bool) -> None:
    """Nothing to place."""


class experimental:
    """``tf.config.experimental``."""

    list_physical_devices = staticmethod(list_physical_devices)
    list_logical_devices = staticmethod(list_logical_devices)
    get_visible_devices = staticmethod(get_visible_devices)
    set_visible_devices = staticmethod(set_visible_devices)

    @staticmethod
    def set_memory_growth(device: Any, enable: bool) -> None:
        """Only GPUs have this; there is none."""
        raise ValueError(f"Cannot set memory growth on non-GPU device: {device}")

    @staticmethod
    def get_memory_growth(device: Any) -> bool:
        """Only GPUs have this; there is none."""
        raise ValueError(f"Cannot get memory growth of non-GPU device: {device}")

    @staticmethod
    def enable_op_determinism() -> None:
        """Operations are deterministic."""


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
