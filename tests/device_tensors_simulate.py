"""Runs programs of ``device_tensors`` in Numba's simulator; prints what is wrong, as JSON.

It is a process of its own, started with ``NUMBA_ENABLE_CUDASIM=1``.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable

import numpy as np
from numba import cuda

import srcad.tf as tf
from srcad.storage.offload import cut, kernels
from tests.device_tensors import differences
from tests.simulator import brisk


def received() -> str:
    """An array of the device becomes a tensor there, which does not share its memory."""
    x = cuda.to_device(np.arange(6.0).reshape(2, 3))
    t = tf.constant(x)
    x[:] = 0.0
    s = tf.reduce_sum(t * t)
    return "" if "GPU" in s.device and float(s) == 55.0 else f"{s.device} {s}"


def main() -> None:
    """Print what is wrong."""
    kernels.WIDTH = cut.WIDTH = 4
    checks: dict[str, Callable[[], str]] = {"received": received}
    for name in ("perceptron", "control_flow"):
        checks[name] = lambda name=name: differences(name)  # type: ignore[misc]
    wrong = {}
    for name, check in checks.items():
        try:
            text = check()
        except Exception:
            text = traceback.format_exc()
        if text:
            wrong[name] = text
    print(json.dumps({"checked": len(checks), "wrong": wrong}))


if __name__ == "__main__":
    brisk()
    main()
