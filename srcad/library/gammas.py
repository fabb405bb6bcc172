"""Random numbers made of gamma distributed ones, and the Wald distribution.

How a gamma distributed number moves with its shape follows from its distribution function
(``transforms.implicit``): with the seed held fixed, differences would see jumps where another
trial is accepted.  So samples here compare values only, ``tests/test_random_numbers.py`` has the
derivatives.
"""

from __future__ import annotations

import math

import numpy as np

from srcad.library.counts import _float
from srcad.library.random import rows_of, sample
from srcad.library.registry import draw, implements


@implements(np.random.standard_gamma, samples=lambda d: _float(d, 1.7))
def standard_gamma(shape, size=None):
    """The gamma distribution: the derivative is that of its quantile."""
    return sample(_one_gamma, size, shape)


def _one_gamma(shape):
    if shape <= 0:
        raise ValueError("shape <= 0")
    return draw("standard_gamma", shape)


@implements(
    np.random.gamma,
    samples=lambda d: [*_float(d, 0.7, 2.0), d.seeded(2, d.num()), d.seeded(2, d.pos(3))],
)
def gamma(shape, scale=1.0, size=None):
    """``scale * g``."""
    return sample(_scaled_gamma, size, shape, scale)


def _scaled_gamma(shape, scale):
    if scale <= 0:
        raise ValueError("scale <= 0")
    return _one_gamma(shape) * scale


@implements(np.random.chisquare, samples=lambda d: _float(d, 3.0))
def chisquare(df, size=None):
    """``2 g``."""
    return sample(_one_chisquare, size, df)


def _one_chisquare(df):
    return 2.0 * _one_gamma(df / 2.0)


@implements(np.random.f, samples=lambda d: _float(d, 3.0, 4.0))
def f(dfnum, dfden, size=None):
    """Fisher's distribution."""
    return sample(_one_f, size, dfnum, dfden)


def _one_f(dfnum, dfden):
    above = _one_chisquare(dfnum) * dfden
    return above / (_one_chisquare(dfden) * dfnum)


@implements(np.random.standard_t, samples=lambda d: _float(d, 3.0))
def standard_t(df, size=None):
    """Student's distribution."""
    return sample(_one_t, size, df)


def _one_t(df):
    z = draw("standard_normal")
    return math.sqrt(df / 2.0) * z / math.sqrt(_one_gamma(df / 2.0))


@implements(np.random.beta, samples=lambda d: _float(d, 1.5, 2.5))
def beta(a, b, size=None):
    """``g / (g + h)``."""
    return sample(_one_beta, size, a, b)


def _one_beta(a, b):
    g = _one_gamma(a)
    return 0.0 if g == 0.0 else g / (g + _one_gamma(b))


@implements(
    np.random.dirichlet,
    samples=lambda d: [
        d.value_of(d.seeded(d.pos(3))),
        d.value_of(d.seeded(d.pos(2), 3)),
        d.value_of(d.seeded(d.pos(2), (2, 2))),
        d.value_of(d.seeded([1.5, 2.5, 0.5])),
    ],
)
def dirichlet(alpha, size=None):
    """Gamma distributed numbers, divided by their sum."""
    shapes = np.asarray(alpha)
    out, rows = rows_of(size, len(shapes))
    for i in range(len(rows)):
        total = 0.0
        for j in range(len(shapes)):
            rows[i, j] = _one_gamma(shapes[j])
            total += rows[i, j]
        for j in range(len(shapes)):
            rows[i, j] /= total
    return out


@implements(np.random.wald, samples=lambda d: _float(d, 1.5, 2.5))
def wald(mean, scale, size=None):
    """The inverse Gaussian distribution; its parameters have no derivative."""
    return sample(_one_wald, size, mean, scale)


def _one_wald(mean, scale):
    return draw("wald", mean, scale)
