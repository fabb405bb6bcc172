"""Random numbers: ``np.random``'s distributions, with derivatives along the numbers drawn.

Every sample is a formula of its parameters and of numbers that do not depend on them (``draw``),
the formula that Numba uses: with the same seed the generator is used alike, call for call and
element for element.  Derivatives are those of the formula with the numbers drawn held fixed,
which is unbiased for the derivative of an expectation: each formula is continuous in its
parameters.  ``gammas`` has the numbers for which there is no formula, ``counts`` the integers.

Beyond Numba, parameters may be arrays, which broadcast as in NumPy.  ``docs/random.md`` has the
conventions.
"""

from __future__ import annotations

import math

import numpy as np

from srcad.library.registry import draw, implements


def sample(one, size, *params, dtype=np.float64):
    """``one`` of the parameters of each element, in order; a number without size and arrays."""
    if size is None and len(_shape(*params)) == 0:
        return one(*params)
    out = np.empty(_shape(*params) if size is None else size, dtype)
    flat = out.reshape(-1)
    if len(params) == 0:
        for i in range(len(flat)):
            flat[i] = one()
        return out
    a = _column(params[0], out)
    b = _column(params[1], out) if len(params) > 1 else 0
    c = _column(params[2], out) if len(params) > 2 else 0
    for i in range(len(flat)):
        if len(params) == 1:
            flat[i] = one(_item(a, i))
        elif len(params) == 2:
            flat[i] = one(_item(a, i), _item(b, i))
        else:
            flat[i] = one(_item(a, i), _item(b, i), _item(c, i))
    return out


def _shape(a=0, b=0, c=0):
    """The shape that parameters broadcast to."""
    return np.shape(np.zeros(np.shape(a)) + np.zeros(np.shape(b)) + np.zeros(np.shape(c)))


def _column(p, out):
    """A parameter; if it is an array, one for each element of the result."""
    return p if np.ndim(p) == 0 else np.ravel(np.broadcast_to(np.asarray(p), out.shape))


def _item(p, i):
    """A parameter of one element."""
    return p if np.ndim(p) == 0 else p[i]


def _random():
    return draw("random")


def _normal():
    return draw("standard_normal")


def rows_of(size, k, dtype=np.float64):
    """A result whose elements are vectors of ``k``, and the same as a matrix with them as rows."""
    if size is None:
        out = np.empty((k,), dtype)
    elif np.ndim(size) == 0:
        out = np.empty((size, k), dtype)
    else:
        out = np.empty((*size, k), dtype)
    return out, out.reshape((-1, k))


@implements(
    np.random.random,
    np.random.random_sample,
    np.random.ranf,
    np.random.sample,
    samples=lambda d: [d.seeded(), d.seeded(3), d.seeded((2, 3)), d.seeded(0)],
)
def random(size=None):
    """Uniform in [0, 1)."""
    return sample(_random, size)


@implements(np.random.rand, samples=lambda d: [d.seeded(), d.seeded(3), d.seeded(2, 3)])
def rand(*size):
    """Uniform in [0, 1), of the given sizes."""
    return sample(_random, size if len(size) else None)


@implements(np.random.standard_normal, samples=lambda d: [d.seeded(), d.seeded((3, 2))])
def standard_normal(size=None):
    """Normal of mean 0 and deviation 1."""
    return sample(_normal, size)


@implements(np.random.randn, samples=lambda d: [d.seeded(), d.seeded(3), d.seeded(2, 2)])
def randn(*size):
    """Normal of mean 0 and deviation 1, of the given sizes."""
    return sample(_normal, size if len(size) else None)


def _two(d):
    """Sample calls of a distribution with a location and a scale."""
    return [
        d.seeded(d.num(), d.num()),
        d.seeded(d.num(), d.num(), 3),
        d.seeded(d.num(), d.num(), size=(2, 3)),
        d.seeded(d.vec(3), d.pos(2, 1)),
        d.seeded(d.num(), d.pos(3), (2, 3)),
    ]


@implements(np.random.normal, samples=lambda d: [*_two(d), d.seeded(), d.seeded(1, 2)])
def normal(loc=0.0, scale=1.0, size=None):
    """``loc + scale * z``."""
    return sample(_one_normal, size, loc, scale)


def _one_normal(loc, scale):
    _at_least_zero(scale, "scale < 0")
    return loc + scale * draw("standard_normal")


def _at_least_zero(x, message):
    if x < 0:
        raise ValueError(message)


@implements(np.random.uniform, samples=lambda d: [*_two(d), d.seeded()])
def uniform(low=0.0, high=1.0, size=None):
    """``low + (high - low) * u``."""
    return sample(_one_uniform, size, low, high)


def _one_uniform(low, high):
    return low + (high - low) * draw("random")


def _one(d):
    """Sample calls of a distribution with one parameter."""
    return [d.seeded(d.num()), d.seeded(d.num(), 3), d.seeded(d.pos(2, 3)), d.seeded(2.0, (2, 2))]


@implements(np.random.standard_exponential, samples=lambda d: [d.seeded(), d.seeded((2, 3))])
def standard_exponential(size=None):
    """Exponential of mean 1."""
    return sample(_exponential, size)


def _exponential():
    return -math.log(1.0 - draw("random"))


@implements(np.random.exponential, samples=lambda d: [*_one(d), d.seeded()])
def exponential(scale=1.0, size=None):
    """``scale * e``."""
    return sample(_one_exponential, size, scale)


def _one_exponential(scale):
    _at_least_zero(scale, "scale < 0")
    return _exponential() * scale


@implements(np.random.laplace, samples=lambda d: [*_two(d), d.seeded()])
def laplace(loc=0.0, scale=1.0, size=None):
    """``loc + scale * z``, by inversion."""
    return sample(_one_laplace, size, loc, scale)


def _one_laplace(loc, scale):
    _at_least_zero(scale, "scale < 0")
    u = draw("random")
    if u < 0.5:
        return loc + scale * math.log(u + u)
    return loc - scale * math.log(2.0 - u - u)


@implements(np.random.logistic, samples=lambda d: [*_two(d), d.seeded()])
def logistic(loc=0.0, scale=1.0, size=None):
    """``loc + scale * z``, by inversion."""
    return sample(_one_logistic, size, loc, scale)


def _one_logistic(loc, scale):
    _at_least_zero(scale, "scale < 0")
    u = draw("random")
    return loc + scale * math.log(u / (1.0 - u))


@implements(np.random.gumbel, samples=lambda d: [*_two(d), d.seeded()])
def gumbel(loc=0.0, scale=1.0, size=None):
    """``loc - scale * log(e)``."""
    return sample(_one_gumbel, size, loc, scale)


def _one_gumbel(loc, scale):
    _at_least_zero(scale, "scale < 0")
    return loc - scale * math.log(_exponential())


@implements(np.random.lognormal, samples=lambda d: [*_two(d), d.seeded()])
def lognormal(mean=0.0, sigma=1.0, size=None):
    """``exp(mean + sigma * z)``."""
    return sample(_one_lognormal, size, mean, sigma)


def _one_lognormal(mean, sigma):
    _at_least_zero(sigma, "sigma < 0")
    return math.exp(mean + sigma * draw("standard_normal"))


@implements(np.random.rayleigh, samples=lambda d: [*_one(d), d.seeded()])
def rayleigh(scale=1.0, size=None):
    """``scale * sqrt(2 e)``."""
    return sample(_one_rayleigh, size, scale)


def _one_rayleigh(scale):
    _at_least_zero(scale, "scale < 0")
    return scale * math.sqrt(2.0 * _exponential())


@implements(np.random.weibull, samples=_one)
def weibull(a, size=None):
    """``e ** (1 / a)``."""
    return sample(_one_weibull, size, a)


def _one_weibull(a):
    _at_least_zero(a, "a < 0")
    e = _exponential()
    return 0.0 if a == 0.0 else e ** (1.0 / a)


@implements(np.random.pareto, samples=_one)
def pareto(a, size=None):
    """``u ** (-1 / a) - 1``."""
    return sample(_one_pareto, size, a)


def _one_pareto(a):
    _positive(a, "a <= 0")
    return 1.0 / (1.0 - draw("random")) ** (1.0 / a) - 1.0


def _positive(x, message):
    if x <= 0:
        raise ValueError(message)


@implements(np.random.power, samples=_one)
def power(a, size=None):
    """``u ** (1 / a)``."""
    return sample(_one_power, size, a)


def _one_power(a):
    _positive(a, "a <= 0")
    return (1.0 - math.exp(-_exponential())) ** (1.0 / a)


@implements(
    np.random.triangular,
    samples=lambda d: [
        d.seeded(d.num(), d.num(2.0, 3.0), d.num(3.5, 4.0)),
        d.seeded(d.num(), d.num(2.0, 3.0), d.num(3.5, 4.0), (2, 4)),
        d.seeded(d.vec(3), d.num(2.0, 3.0), d.num(3.5, 4.0)),
        d.seeded(0, 1.0, 2.0, 0),
    ],
)
def triangular(left, mode, right, size=None):
    """By inversion."""
    return sample(_one_triangular, size, left, mode, right)


def _one_triangular(left, mode, right):
    if left > mode:
        raise ValueError("left > mode")
    if mode > right:
        raise ValueError("mode > right")
    if left == right:
        raise ValueError("left == right")
    u = draw("random")
    c = (mode - left) / (right - left)
    if u > c:
        return right + (left - right) * math.sqrt((1.0 - u) * (1.0 - c))
    return left + (right - left) * math.sqrt(u * c)


@implements(np.random.standard_cauchy, samples=lambda d: [d.seeded(), d.seeded((2, 3))])
def standard_cauchy(size=None):
    """The ratio of two normal numbers."""
    return sample(_cauchy, size)


def _cauchy():
    z = draw("standard_normal")
    return z / draw("standard_normal")
