"""Products of matrices on the device where CuPy is not installed: a tiled kernel.

In: two arrays of rank 1 or 2.  Out: their product, as ``np.dot`` has it.  A block computes a tile
of the result from tiles of the operands in shared memory (NVIDIA, CUDA C++ Programming Guide,
"Shared Memory"); each element is a sum in the order of the inner index.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from srcad.backends.cuda import IMPORTS, compile_text
from srcad.backends.device_driver import quietly

TILE = 16
cuda: Any = None  # the text of the kernel is compiled where this is ``numba.cuda``


def srcad_matmul(a: Any, b: Any, c: Any) -> None:
    """``c = a @ b``: a thread computes an element."""
    j, i = cuda.grid(2)
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    left = cuda.shared.array((TILE, TILE), DTYPE)  # type: ignore[name-defined]  # noqa: F821
    right = cuda.shared.array((TILE, TILE), DTYPE)  # type: ignore[name-defined]  # noqa: F821
    n, m, inner = c.shape[0], c.shape[1], a.shape[1]
    total = c.dtype.type(0.0)
    for start in range(0, inner, TILE):
        left[ty, tx] = a[i, start + tx] if i < n and start + tx < inner else 0.0
        right[ty, tx] = b[start + ty, j] if j < m and start + ty < inner else 0.0
        cuda.syncthreads()
        for k in range(TILE):
            total += left[ty, k] * right[k, tx]
        cuda.syncthreads()
    if i < n and j < m:
        c[i, j] = total


def matmul_text(dtype: str, tile: int = TILE) -> str:
    """The kernel for a type of elements."""
    body = inspect.getsource(srcad_matmul).replace(": Any", "").replace(" -> None", "")
    body = body.replace("c.dtype.type(0.0)", f"np.{dtype}(0.0)").replace("DTYPE", f"np.{dtype}")
    body = body.replace("TILE", str(tile))
    return f"{IMPORTS}\n\n@cuda.jit\n{body}"


@functools.cache
def kernel(dtype: str, tile: int) -> Any:
    """The dispatcher for a type of elements."""
    return compile_text(matmul_text(dtype, tile), "srcad_matmul", "matmul")


def product(gpu: Any, a: Any, b: Any) -> Any:
    """``np.dot(a, b)``, on the device."""
    left = a if len(a.shape) == 2 else gpu.view(a, lambda x: x[None])
    right = b if len(b.shape) == 2 else gpu.view(b, lambda x: x[:, None])
    shape = (left.shape[0], right.shape[1])
    out = gpu.empty(shape, a.dtype)
    if shape[0] and shape[1]:
        tile = TILE if not gpu.simulated else 2
        blocks = -(-shape[1] // tile), -(-shape[0] // tile)
        with quietly():
            kernel(str(a.dtype), tile)[blocks, (tile, tile), gpu.stream](left, right, out)
    if len(a.shape) == 2 and len(b.shape) == 2:
        return out
    size = shape[0] * shape[1]
    return gpu.view(out, lambda x: x.reshape(size))
