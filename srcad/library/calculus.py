"""Differences and integrals of samples: trapezoid, ediff1d, gradient."""

from __future__ import annotations

import numpy as np

from srcad.library.registry import implements, refuse


@implements(
    getattr(np, "trapezoid", None) or np.trapz,  # type: ignore[attr-defined]
    samples=lambda d: [
        d.call(d.vec(5)),
        d.call(d.vec(5), d.increasing(5)),
        d.call(d.vec(4), dx=0.3),
        d.call(d.vec(1)),
    ],
)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """Integral by the trapezoidal rule."""
    if np.ndim(y) != 1:
        refuse("np.trapezoid of an array that is not 1-D", "call it row by row")
    s = 0.0
    for i in range(len(y) - 1):
        if x is None:
            s += dx * (y[i] + y[i + 1]) / 2.0
        else:
            s += (x[i + 1] - x[i]) * (y[i] + y[i + 1]) / 2.0
    return s
