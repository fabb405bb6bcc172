"""Kernels of the doctests (nothing else imports this: it imports ``numba.cuda``)."""

from numba import cuda


def scaled_squares(a, x, out):
    """``out = a * x * x``."""
    i = cuda.grid(1)  # type: ignore[attr-defined]
    if i < x.shape[0]:
        out[i] = a * x[i] * x[i]
