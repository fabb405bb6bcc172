"""Gradients of a function of one sample, over many: rows of ``benchmarks.cuda``.

srcad by ``batch(value_and_grad(f), target="cuda")``, JAX by ``jit(vmap(value_and_grad(f)))``,
PyTorch by its tape on whole arrays.  Bytes: the arguments are read; values and gradients, which are
as large as the arguments, are written.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import cuda

import srcad
from benchmarks.cuda_peers import jax_runner, torch_runner
from benchmarks.cuda_timing import Runner


def option(spot, sigma):
    """A European call; many transcendental functions."""
    d = (math.log(spot / 100.0) + 0.5 * sigma * sigma) / sigma
    tail = 0.5 * math.erfc(-(d - sigma) / math.sqrt(2.0))
    return spot * 0.5 * math.erfc(-d / math.sqrt(2.0)) - 100.0 * tail


def rosenbrock(x):
    """Arithmetic on a small vector."""
    s = 0.0
    for i in range(len(x) - 1):
        s += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return s


def pendulum(angle, speed):
    """Runge-Kutta steps, recorded in the thread's memory."""
    h = 0.05
    for _ in range(20):
        a = angle + 0.5 * h * speed
        b = speed - 0.5 * h * math.sin(angle)
        angle, speed = angle + h * b, speed - h * math.sin(a)
    return angle * angle + speed * speed


def in_modules(m: Any, erfc: Any) -> dict[str, Callable[..., Any]]:
    """The functions written for another library."""

    def call(spot, sigma):
        d = (m.log(spot / 100.0) + 0.5 * sigma * sigma) / sigma
        tail = 0.5 * erfc(-(d - sigma) / math.sqrt(2.0))
        return spot * 0.5 * erfc(-d / math.sqrt(2.0)) - 100.0 * tail

    def valley(x):
        return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum(0)

    def swing(angle, speed):
        h = 0.05
        for _ in range(20):
            a = angle + 0.5 * h * speed
            b = speed - 0.5 * h * m.sin(angle)
            angle, speed = angle + h * b, speed - h * m.sin(a)
        return angle * angle + speed * speed

    return {"option": call, "rosenbrock": valley, "pendulum": swing}


def rows(n: int) -> dict[str, tuple[Callable[..., Any], list[np.ndarray], int]]:
    """Function, arguments, and the axis of the samples, by name."""
    g = np.random.default_rng(0)
    spot, sigma = g.uniform(80, 120, n), g.uniform(0.1, 0.5, n)
    return {
        "option": (option, [spot, sigma], 0),
        "rosenbrock": (rosenbrock, [g.normal(size=(8, n))], 1),
        "pendulum": (pendulum, [g.normal(size=n), g.normal(size=n)], 0),
    }


def by_srcad(f: Callable[..., Any], args: list[np.ndarray], axis: int) -> Runner:
    """The batch."""
    wanted = tuple(range(len(args)))
    whole = srcad.value_and_grad(f, wanted)
    batched = srcad.batch(whole, axis, (0, (axis,) * len(args)), target="cuda")
    given = [cuda.to_device(a) for a in args]
    return Runner(lambda: batched(*given), lambda: [a.copy_to_host() for a in batched(*given)[1]])


def by_jax(name: str, args: list[np.ndarray], axis: int) -> Runner:
    """``jit(vmap(value_and_grad(f)))``, gradients laid out as the arguments are."""
    import jax
    from jax.scipy.special import erfc

    wanted = tuple(range(len(args)))
    f = in_modules(jax.numpy, erfc)[name]
    out = (0, (axis,) * len(args))
    run = jax.vmap(jax.value_and_grad(f, wanted), in_axes=axis, out_axes=out)
    return jax_runner(lambda *given: run(*given)[1], args)


def by_torch(name: str, args: list[np.ndarray], axis: int) -> Runner:
    """The tape, on whole arrays."""
    import torch

    f = in_modules(torch, torch.special.erfc)[name]
    return torch_runner(lambda *given: f(*given).sum(), args)


def runners(name: str, n: int) -> tuple[int, dict[str, Callable[[], Runner]]]:
    """Numbers that have to be moved, and what makes the runners of a row."""
    f, args, axis = rows(n)[name]
    moved = 2 * sum(a.size for a in args) + n
    return moved, {
        "srcad": lambda: by_srcad(f, args, axis),
        "jax": lambda: by_jax(name, args, axis),
        "torch": lambda: by_torch(name, args, axis),
    }


NAMES = ("option", "rosenbrock", "pendulum")
