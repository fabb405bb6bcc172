"""A function of arrays as a ``torch.autograd.Function``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.api.function import as_function
from srcad.api.higher import vjp


def function(f: Any, **options: Any) -> Callable[..., Any]:
    """``f`` as a function of tensors (on the CPU) that torch can differentiate once.

    Tensors become arrays of the same dtype; everything else is passed as it is.  The result is one
    tensor or a tuple of tensors.

    Args:
        f: a function of numbers and arrays that returns a float, an array, or a tuple of these.
        **options: see ``srcad.Options``.
    """
    import torch
    from torch.autograd.function import once_differentiable

    g = as_function(f, options)

    class Compiled(torch.autograd.Function):
        """One call."""

        @staticmethod
        def forward(ctx: Any, *args: Any) -> Any:
            arrays = [_array(torch, a) for a in args]
            out, ctx.pullback = vjp(g, *arrays)
            ctx.like = args
            many = isinstance(out, tuple)
            made = tuple(torch.as_tensor(np.asarray(x)) for x in (out if many else (out,)))
            ctx.many = many
            return made if many else made[0]

        @staticmethod
        @once_differentiable
        def backward(ctx: Any, *seeds: Any) -> Any:
            given = tuple(s.detach().cpu().numpy() for s in seeds)
            given = tuple(x if x.ndim else float(x) for x in given)
            cotangents = ctx.pullback(given if ctx.many else given[0])
            return tuple(
                torch.as_tensor(np.asarray(c), dtype=a.dtype).reshape(a.shape)
                if isinstance(a, torch.Tensor) and c is not None
                else None
                for a, c in zip(ctx.like, cotangents, strict=True)
            )

    def call(*args: Any) -> Any:
        return Compiled.apply(*args)

    call.__name__ = getattr(f, "__name__", "f")
    return call


def _array(torch: Any, a: Any) -> Any:
    """A tensor as an array (a number, where it has no axes)."""
    if not isinstance(a, torch.Tensor):
        return a
    x = a.detach().cpu().numpy()
    return x if x.ndim else x[()]
