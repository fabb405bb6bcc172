"""Other libraries on the GPU, as ``Runner``s.

In: a function of arrays in the library's own terms, arguments of NumPy.  Raises where the library
is not installed or has no GPU; with Numba's simulator its processor is taken, to see that it runs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.cuda_timing import SIMULATED, Runner

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # the others need memory as well


def jax_runner(gradients: Callable[..., Any], args: list[np.ndarray]) -> Runner:
    """A function that gives gradients, compiled."""
    import jax

    jax.config.update("jax_enable_x64", True)
    if jax.default_backend() != "gpu" and not SIMULATED:
        raise RuntimeError(f"JAX runs on {jax.default_backend()}")
    run = jax.jit(gradients)
    given = [jax.device_put(a) for a in args]
    return Runner(
        lambda: run(*given),
        lambda: [np.asarray(g) for g in run(*given)],
        lambda last: jax.block_until_ready(last),
    )


def torch_runner(total: Callable[..., Any], args: list[np.ndarray]) -> Runner:
    """A function that gives a number; the tape differentiates it."""
    import torch

    device = "cpu" if SIMULATED else "cuda"
    given = [torch.tensor(a, device=device, requires_grad=True) for a in args]

    def run() -> Any:
        return torch.autograd.grad(total(*given), given)

    def wait(last: Any) -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    return Runner(run, lambda: [g.cpu().numpy() for g in run()], wait)


def warp_runner(
    kernel: Callable[[Any], Any], dim: Any, args: list[np.ndarray], out: tuple[int, ...]
) -> Runner:
    """A kernel of Warp: its adjoint, launched alone (it computes what it needs of the primal).

    ``kernel(wp)`` makes it; it takes the arguments, then the array it writes.
    """
    import warp as wp

    wp.config.quiet = True
    wp.init()
    device = "cpu" if SIMULATED else "cuda"
    made = kernel(wp)
    given = [wp.array(a, dtype=wp.float64, device=device, requires_grad=True) for a in args]
    result = wp.zeros(out, dtype=wp.float64, device=device, requires_grad=True)

    def run() -> None:
        wp.launch(
            made,
            dim=dim,
            inputs=given,
            outputs=[result],
            adj_inputs=[a.grad for a in given],
            adj_outputs=[result.grad],
            adjoint=True,
            device=device,
        )

    def gradients() -> list[np.ndarray]:
        result.grad.fill_(1.0)
        for a in given:
            a.grad.zero_()
        run()
        return [a.grad.numpy() for a in given]

    return Runner(run, gradients, lambda last: wp.synchronize())
