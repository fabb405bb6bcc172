"""Random numbers that are decided by comparisons: counts, choices, orders.

What is chosen has derivatives (``np.random.choice(a)`` in ``a``); the choice itself has none, so
parameters of these distributions must not depend on what is differentiated
(``transforms.draws``).
"""

from __future__ import annotations

import numpy as np

from srcad.library.random import rows_of, sample
from srcad.library.registry import draw, implements, refuse


@implements(
    np.random.randint,
    samples=lambda d: [
        d.seeded(5),
        d.seeded(-3, 8),
        d.seeded(4, size=(2, 3)),
        d.seeded(d.ints(0, 3, 4), 9),
        d.seeded(0, 1 << 40, 3),
    ],
)
def randint(low, high=None, size=None, dtype=int):
    """Integers from ``low`` to below ``high``."""
    if dtype is not int and dtype is not np.int64:
        refuse("np.random.randint of another dtype", "convert the result with astype")
    if high is None:
        return sample(_one_randint, size, 0, low, dtype=np.int64)
    return sample(_one_randint, size, low, high, dtype=np.int64)


def _one_randint(low, high):
    if low >= high:
        raise ValueError("low >= high")
    return draw("randint", low, high)


@implements(
    np.random.choice,
    samples=lambda d: [
        d.seeded(d.vec(6)),
        d.seeded(d.vec(5), 4),
        d.seeded(d.vec(6), (2, 3), replace=False),
        d.seeded(5, 3),
        d.seeded(7, 3, False),
        d.seeded(5),
    ],
)
def choice(a, size=None, replace=True, p=None):
    """Elements of a vector, or of ``range(a)``."""
    if p is not None:
        refuse("np.random.choice with p", "use np.searchsorted(np.cumsum(p), np.random.random())")
    if np.ndim(a) > 1:
        refuse("np.random.choice from an array that is not 1-D", "choose an index, and index it")
    n = a if np.ndim(a) == 0 else len(a)
    if size is None:
        i = _one_randint(0, n)
        return i if np.ndim(a) == 0 else a[i]
    if replace:
        index = sample(_one_randint, size, 0, n, dtype=np.int64)
    else:
        index = np.empty(size, np.int64)
        if index.size > n:
            raise ValueError("Cannot take a larger sample than population when 'replace=False'")
        order = permutation(n)
        flat = index.reshape(-1)
        for i in range(len(flat)):
            flat[i] = order[i]
    return index if np.ndim(a) == 0 else np.asarray(a)[index]


@implements(
    np.random.shuffle,
    samples=lambda d: [d.seeded(d.vec(6)), d.seeded(d.mat(4, 3)), d.seeded(d.vec(1))],
    in_place=True,
)
def shuffle(x):
    """Puts an array (its rows) into random order; derivatives move with the elements."""
    for i in range(len(x) - 1, 0, -1):
        j = draw("randint", 0, i + 1)
        if np.ndim(x) == 1:
            t = x[i]
        else:
            t = x[i].copy()
        x[i] = x[j]
        x[j] = t


@implements(
    np.random.permutation,
    samples=lambda d: [d.seeded(5), d.seeded(d.vec(6)), d.seeded(d.mat(4, 3))],
)
def permutation(x):
    """The elements (rows) of an array, or ``range(x)``, in random order."""
    if np.ndim(x) == 0:
        y = np.arange(x)
    else:
        y = np.array(x)
    shuffle(y)
    return y


def _float(d, *values):
    """Sample calls of a distribution of numbers that are not differentiated."""
    calls = [d.seeded(*values), d.seeded(*values, 3), d.seeded(*values, (2, 2))]
    return [d.value_of(c) for c in calls]


@implements(np.random.poisson, samples=lambda d: [*_float(d, 2.5), d.value_of(d.seeded(d.pos(3)))])
def poisson(lam=1.0, size=None):
    """Counts of a Poisson process."""
    return sample(_one_poisson, size, lam, dtype=np.int64)


def _one_poisson(lam):
    return draw("poisson", lam)


@implements(np.random.geometric, samples=lambda d: _float(d, 0.3))
def geometric(p, size=None):
    """Numbers of trials until one succeeds."""
    return sample(_one_geometric, size, p, dtype=np.int64)


def _one_geometric(p):
    return draw("geometric", p)


@implements(np.random.binomial, samples=lambda d: _float(d, 9, 0.3))
def binomial(n, p, size=None):
    """Numbers of successes."""
    return sample(_one_binomial, size, n, p, dtype=np.int64)


def _one_binomial(n, p):
    return draw("binomial", n, p)


@implements(np.random.negative_binomial, samples=lambda d: _float(d, 3.0, 0.4))
def negative_binomial(n, p, size=None):
    """Numbers of failures."""
    return sample(_one_negative_binomial, size, n, p, dtype=np.int64)


def _one_negative_binomial(n, p):
    return draw("negative_binomial", n, p)


@implements(np.random.hypergeometric, samples=lambda d: _float(d, 5, 6, 4))
def hypergeometric(ngood, nbad, nsample, size=None):
    """Numbers of good ones in a sample."""
    return sample(_one_hypergeometric, size, ngood, nbad, nsample, dtype=np.int64)


def _one_hypergeometric(ngood, nbad, nsample):
    return draw("hypergeometric", ngood, nbad, nsample)


@implements(np.random.logseries, samples=lambda d: _float(d, 0.6))
def logseries(p, size=None):
    """The logarithmic series distribution."""
    return sample(_one_logseries, size, p, dtype=np.int64)


def _one_logseries(p):
    return draw("logseries", p)


@implements(np.random.zipf, samples=lambda d: _float(d, 2.5))
def zipf(a, size=None):
    """Zipf's distribution."""
    return sample(_one_zipf, size, a, dtype=np.int64)


def _one_zipf(a):
    return draw("zipf", a)


@implements(
    np.random.multinomial,
    samples=lambda d: [
        d.value_of(d.seeded(9, np.array([0.2, 0.3, 0.5]))),
        d.value_of(d.seeded(9, [0.2, 0.3, 0.5], 4)),
        d.value_of(d.seeded(3, np.array([0.2, 0.8]), (2, 2))),
        d.value_of(d.seeded(3, np.array([1.0]))),
    ],
)
def multinomial(n, pvals, size=None):
    """How many of ``n`` fall into each class."""
    p = np.asarray(pvals)
    if np.sum(p[:-1]) > 1.0 + 1e-12:
        raise ValueError("sum(pvals[:-1]) > 1.0")
    out, rows = rows_of(size, len(p), np.int64)
    for i in range(len(rows)):
        left = n
        rest = 1.0
        for j in range(len(p)):
            if left <= 0:
                rows[i, j] = 0
            elif j == len(p) - 1:
                rows[i, j] = left
            else:
                rows[i, j] = draw("binomial", left, p[j] / rest)
                left -= rows[i, j]
                rest -= p[j]
    return out
