"""A kernel with shared memory, its adjoint, and a fit by gradient descent.

Signals pass a filter of three taps (a stencil with a halo in shared memory).  From inputs and
outputs the taps are found again: the gradient of the error comes from the kernel's adjoint.

    python examples/cuda_kernels.py            # on a GPU
    NUMBA_ENABLE_CUDASIM=1 python examples/cuda_kernels.py     # in Numba's simulator
    python examples/cuda_kernels.py reference  # threads interpreted on the host
"""

import sys

import numpy as np
from numba import cuda, float64

import srcad

THREADS = 16


def filtered(x, taps, out):
    """``out`` is ``x`` filtered; threads share what they load."""
    tile = cuda.shared.array(THREADS + 2, float64)
    t = cuda.threadIdx.x
    i = cuda.grid(1)
    n = x.shape[0]
    tile[t + 1] = x[i] if i < n else 0.0
    if t == 0:
        tile[0] = x[i - 1] if i > 0 else 0.0
    if t == THREADS - 1:
        tile[THREADS + 1] = x[i + 1] if i + 1 < n else 0.0
    cuda.syncthreads()
    if i < n:
        out[i] = taps[0] * tile[t] + taps[1] * tile[t + 1] + taps[2] * tile[t + 2]


def fit(backend: str, steps: int = 25) -> np.ndarray:
    """Taps from inputs and outputs."""
    place = np.array if backend == "reference" else cuda.to_device
    host = np.array if backend == "reference" else lambda a: a.copy_to_host()
    k = srcad.cuda.kernel(filtered, backend=backend)
    rng = np.random.default_rng(0)
    x, n = rng.normal(size=40), 40
    blocks = (n + THREADS - 1) // THREADS
    true, taps = np.array([0.25, 1.0, -0.5]), np.zeros(3)
    goal = place(np.zeros(n))
    k[blocks, THREADS](place(x), place(true), goal)
    target = host(goal)
    for _ in range(steps):
        out = place(np.zeros(n))
        k[blocks, THREADS](place(x), place(taps), out)
        seed = place(2.0 * (host(out) - target) / n)
        x_b, taps_b = place(np.zeros(n)), place(np.zeros(3))
        k.adjoint[blocks, THREADS](place(x), x_b, place(taps), taps_b, out, seed)
        taps -= 0.45 * host(taps_b)
    return taps


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else "cuda"
    print(fit(chosen).round(4))
