"""``source`` and ``explain``: what srcad generated, and what it saves."""

from __future__ import annotations

import linecache
from typing import Any

from srcad.api.function import Transformed, as_function
from srcad.backends.printer import emit


def source(g: Any, *args: Any, **kwargs: Any) -> str:
    """The generated Python of a function object for given arguments.

    The text runs by itself with numpy and numba; a comment names the user's line above each group
    of adjoint statements.

    Args:
        g: what ``grad``, ``jacobian``, ``differentiable``, … gave, or a plain function.
        *args: arguments it would be called with (only their kinds matter).

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> "def " in source(square_sum, np.ones(2))
    True
    """
    f: Transformed = as_function(g)
    from srcad.frontend.arguments import spec_of

    bound = f.bind(args, kwargs)
    specs = {k: spec_of(v, f"argument {k!r}") for k, v in bound.items()}
    program = f.program(specs)
    return emit(program.fn, linecache.getlines).source
