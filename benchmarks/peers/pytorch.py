"""PyTorch on the CPU, eager."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from benchmarks.peers.tool import Tool, python_loop, python_scan

torch.set_num_threads(1)


def take(x: Any, at: np.ndarray, axis: int) -> Any:
    """Rows or columns."""
    return torch.index_select(x, axis, torch.as_tensor(at))


def tensor(x: Any) -> Any:
    """Double precision, whatever the default is."""
    return torch.as_tensor(np.asarray(x))


FUNCTIONS = SimpleNamespace(
    exp=torch.exp,
    log=torch.log,
    sqrt=torch.sqrt,
    sin=torch.sin,
    cos=torch.cos,
    tanh=torch.tanh,
    sigmoid=torch.sigmoid,
    sum=lambda x, axis=None: torch.sum(x) if axis is None else torch.sum(x, dim=axis),
    sign=torch.sign,
    cumprod=torch.cumprod,
    broadcast_to=torch.broadcast_to,
    logsumexp=lambda x, axis: torch.logsumexp(x, 0 if axis is None else axis),
    stack=torch.stack,
    concatenate=torch.cat,
    reshape=torch.reshape,
    einsum=torch.einsum,
    matvec=torch.mv,
    take=take,
    constant=tensor,
)


def value_and_grad(f, argnums):
    """By ``torch.autograd.grad``."""

    def run(*chosen):
        leaves = [x.detach().requires_grad_() for x in chosen]
        value = f(*leaves)
        return value.detach(), torch.autograd.grad(value, leaves)

    return run


def tool(name: str = "torch") -> Tool:
    """PyTorch."""
    return Tool(
        name, torch.__version__, FUNCTIONS, value_and_grad, python_scan, python_loop, tensor
    )
