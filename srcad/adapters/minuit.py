"""Gradients for iminuit."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.api.function import as_function
from srcad.api.grad import grad


def minuit(f: Any, *start: Any, name: Any = None, **options: Any) -> Any:
    """A ``Minuit`` that minimises ``f`` with its gradient.

    Args:
        f: a function of floats, or of one vector, that returns one float.
        *start: where to start: as many floats, or one vector.
        name: names of the parameters, as ``Minuit`` takes them.
        **options: see ``srcad.Options``.

    Returns:
        The ``iminuit.Minuit`` object.
    """
    from iminuit import Minuit
    from iminuit.util import describe

    g = as_function(f, options)
    if len(start) == 1 and np.ndim(start[0]) == 1:
        slope = grad(g)

        def value(x: Any) -> Any:
            return g(np.asarray(x, float))

        def gradient(x: Any) -> Any:
            return slope(np.asarray(x, float))

        return Minuit(value, np.asarray(start[0], float), grad=gradient, name=name)
    slopes = grad(g, tuple(range(len(start))))

    def values(*x: Any) -> Any:
        return g(*map(float, x))

    def gradients(*x: Any) -> Any:
        return np.array(slopes(*map(float, x)))

    names = name if name is not None else describe(f)
    return Minuit(values, *map(float, start), grad=gradients, name=names)
