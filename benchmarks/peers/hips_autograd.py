"""HIPS autograd."""

from __future__ import annotations

from importlib.metadata import version
from types import SimpleNamespace

import autograd
import autograd.numpy as anp
import numpy as np
from autograd.scipy.special import logsumexp

from benchmarks.peers.tool import Tool, python_loop, python_scan

FUNCTIONS = SimpleNamespace(
    exp=anp.exp,
    log=anp.log,
    sqrt=anp.sqrt,
    sin=anp.sin,
    cos=anp.cos,
    tanh=anp.tanh,
    sigmoid=lambda x: 1.0 / (1.0 + anp.exp(-x)),
    sum=anp.sum,
    sign=np.sign,
    cumprod=np.cumprod,
    broadcast_to=np.broadcast_to,
    logsumexp=lambda x, axis: logsumexp(x, axis=axis),
    stack=anp.stack,
    concatenate=anp.concatenate,
    reshape=anp.reshape,
    einsum=anp.einsum,
    matvec=anp.dot,
    take=lambda x, at, axis: x[at] if axis == 0 else x[:, at],
    constant=lambda x: x,
)


def value_and_grad(f, argnums):
    """In all arguments at once."""
    run = autograd.value_and_grad(lambda chosen: f(*chosen))
    return lambda *chosen: run(tuple(chosen))


def tool(name: str = "autograd") -> Tool:
    """autograd."""
    return Tool(
        name, version("autograd"), FUNCTIONS, value_and_grad, python_scan, python_loop, lambda x: x
    )
