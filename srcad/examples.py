"""Small functions for the doctests (a doctest's own functions have no source file)."""

import math

import numpy as np


def square_sum(x):
    """Sum of squares, as a loop."""
    s = 0.0
    for i in range(len(x)):
        s += x[i] * x[i]
    return s


def squares(x):
    """Squares, as an array expression."""
    return x * x


def fixed_steps(x, n):
    """``n`` steps of an in-place iteration."""
    u = np.ones(3)
    for _ in range(n):
        u[1:] += x * u[:-1]
    return u[2]


def clipped(x):
    """Its argument; the rule below limits the cotangent to one."""
    return x


def clipped_fwd(x):
    """Nothing needs to be kept."""
    return x, None


def clipped_bwd(residuals, out_b):
    """The cotangent, between -1 and 1."""
    return (min(max(5.0 * out_b, -1.0), 1.0),)


def softplus(x):
    """``log(1 + exp(x))``, which overflows for large ``x``."""
    return math.log1p(math.exp(x)) if x < 700.0 else x


def softplus_rule(primals, tangents):
    """Its derivative, which does not."""
    (x,) = primals
    (x_t,) = tangents
    return softplus(x), x_t / (1.0 + math.exp(-x))


def length(x):
    """Absolute value, the way that has no derivative at zero."""
    return math.sqrt(x * x)


def length_rule(primals, tangents):
    """Zero there."""
    (x,) = primals
    return length(x), np.sign(x) * tangents[0]


def uses_length(x):
    """Calls it."""
    return length(x) * 3.0


def square_root_residual(x, a):
    """Zero where x is the square root of a."""
    return x * x - a


def square_root_solver(x, a):
    """Heron's method."""
    for _ in range(40):
        x = 0.5 * (x + a / x)
    return x


def cosine_step(x, scale):
    """One step of an iteration."""
    return math.cos(scale * x)


def bowl(x, centre):
    """A function with its minimum in the centre."""
    return (x - centre) ** 2


def bowl_solver(x, centre):
    """Where that is."""
    return centre


def decay(t, y):
    """Rates of a decay."""
    return -y


def decayed(x, rate):
    """What is left of it."""
    return math.exp(-rate * x)
