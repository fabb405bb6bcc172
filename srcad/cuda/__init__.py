"""Kernels for GPUs: ``kernel(f)`` takes what one writes for ``numba.cuda`` and differentiates it.

Importing this imports nothing of CUDA; the documentation is ``docs/cuda.md``.
"""

from srcad.api.offload import streaming as stream
from srcad.cuda.kernels import KernelFunction, kernel

__all__ = ["KernelFunction", "kernel", "stream"]
