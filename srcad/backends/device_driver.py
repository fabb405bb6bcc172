"""The device: whether there is one, and what goes wrong with it, as errors of srcad.

Nothing of CUDA is imported before somebody asks.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core.errors import NumbaError

from srcad.backends.cpu import refusal
from srcad.errors import DeviceError

OF_DEVICE = {
    *("CudaDriverError", "CudaAPIError", "CudaSupportError", "CUDAError", "LinkerError"),
    *("NvvmError", "NvvmSupportError", "NvrtcError"),
}
INSTALL = 'pip install "srcad[cuda]", on a machine with an NVIDIA GPU and its driver'


@contextmanager
def quietly() -> Iterator[None]:
    """Without warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def numba_cuda() -> Any:
    """The module ``numba.cuda``.

    Raises:
        DeviceError: this Numba has none.
    """
    try:
        with quietly():
            from numba import cuda
    except ImportError as e:
        raise DeviceError("this Numba has no CUDA target", None, str(e), INSTALL) from e
    return cuda


@functools.cache
def ready() -> Any:
    """``numba.cuda`` on a machine that has all that is needed to launch kernels.

    Raises:
        DeviceError: no driver, no GPU, or no toolkit.
    """
    cuda = numba_cuda()
    if cuda.is_available():
        return cuda
    error = cuda.cuda_error()
    if error is not None:
        reason = " ".join(str(error).split())
        raise DeviceError("there is no CUDA driver or no GPU", None, reason, INSTALL)
    raise DeviceError(
        "the CUDA toolkit is not installed", None, "Numba does not find NVVM", INSTALL
    )


@contextmanager
def launching(name: str) -> Iterator[None]:
    """Surrounds a launch, which compiles the kernel the first time.

    Raises:
        DeviceError: the driver or the toolkit refuses.
        InternalError: Numba does not compile the generated code.
    """
    try:
        yield
    except NumbaError as e:
        raise refusal(name, e) from e
    except Exception as e:
        kinds = {k.__name__ for k in type(e).__mro__}
        if not kinds & OF_DEVICE:
            raise
        reason = " ".join(str(e).split())
        raise DeviceError(f"the device refuses {name}: {type(e).__name__}", None, reason) from e
