"""Array functions on the device: ``offloaded``, in the place of the passes for the processor."""

from srcad.storage.offload.cut import Offloaded, offloaded
from srcad.storage.offload.kernels import Kernel
from srcad.storage.offload.ones import with_ones

__all__ = ["Kernel", "Offloaded", "offloaded", "with_ones"]
