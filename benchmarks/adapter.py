"""srcad as a candidate of an interleaved runner: ``build(case) -> (primal, gradient)``.

``case.fn`` is a plain Python function, ``case.args`` its arguments, ``case.wrt`` the positions to
differentiate; ``gradient()`` gives ``(value, tuple of gradients)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

import srcad


def build(case: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The plain njit call, and srcad's value and gradient, as calls without arguments."""
    primal = numba.njit(case.fn)
    derivative = srcad.value_and_grad(case.fn, argnums=tuple(case.wrt), backend="cpu")
    return lambda: primal(*case.args), lambda: derivative(*case.args)
