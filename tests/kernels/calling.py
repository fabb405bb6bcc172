"""Kernels that call derivatives, and functions with rules of the user."""

import math

import numpy as np
from numba import cuda

import srcad
from tests.kernels.case import Case


def potential(r):
    return math.exp(-r) / r


slope = srcad.grad(potential)


@srcad.differentiable
def damped(v):
    return math.sin(v) * math.exp(-0.1 * v)


@srcad.custom_vjp
def clipped(v):
    return min(max(v, -1.0), 1.0)


def clipped_forward(v):
    return clipped(v), v


def clipped_backward(v, seed):
    return (seed if abs(v) < 1.0 else 0.0,)


clipped.defvjp(clipped_forward, clipped_backward)


def forces(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = -slope(x[i]) + srcad.grad(potential)(2.0 * x[i]) * damped(x[i])


def with_rule(x, out):
    i = cuda.grid(1)
    if i < x.shape[0]:
        out[i] = clipped(x[i]) * x[i]


CASES = [
    Case(
        forces,
        (2, 4),
        lambda g: (g.uniform(0.5, 2.0, 7), np.zeros(7)),
        plain=("x_b",),
        second=True,
        simulated=False,
    ),
    Case(with_rule, (2, 4), lambda g: (3 * g.normal(size=7), np.zeros(7)), simulated=False),
]
