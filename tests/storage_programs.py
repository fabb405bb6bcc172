"""Programs and the bytes that TBR needs for them, formulas derived by hand (``test_storage``)."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

F8, B1, REFERENCE = 8, 1, 8


@dataclass(frozen=True)
class Named:
    """A program, its arguments at two sizes, the bytes that TBR needs for given arguments."""

    fn: Callable
    args: Callable
    bound: Callable

    def __str__(self):
        return self.fn.__name__


NAMED: list[Named] = []


def needs(bound, args):
    """Enter a function: ``args(size)`` are arguments, ``bound(*arguments)`` bytes."""

    def enter(fn):
        NAMED.append(Named(fn, args, bound))
        return fn

    return enter


def vector(n, seed=0):
    """Distinct positive numbers."""
    return np.random.default_rng([n, seed]).uniform(0.3, 1.2, n)


# The argument is never written, every factor can be read again: nothing.
@needs(lambda x: 0, lambda n: (vector(n),))
def rosenbrock(x):
    s = 0.0
    for i in range(len(x) - 1):
        s += 100.0 * (x[i + 1] - x[i] * x[i]) ** 2 + (1.0 - x[i]) ** 2
    return s


# One product of two active factors per inner cell and step, of values overwritten afterwards.
@needs(lambda u, steps: 2 * F8 * (len(u) - 2) * steps, lambda n: (vector(n), 4))
def burgers(u, steps):
    n = len(u)
    new = np.empty(n)
    for _ in range(steps):
        new[0] = u[0]
        new[n - 1] = u[n - 1]
        for i in range(1, n - 1):
            new[i] = u[i] - 0.1 * u[i] * (u[i] - u[i - 1])
            new[i] += 0.05 * (u[i + 1] - 2.0 * u[i] + u[i - 1])
        for i in range(n):
            u[i] = new[i]
    s = 0.0
    for i in range(n):
        s += u[i] * u[i]
    return s


# The old factor of each product is constant in its inner loop: one a column, not one a cell.
@needs(lambda a, x: F8 * 3 * len(x), lambda n: (vector(n), vector(n, 1)))
def triangles(a, x):
    n = len(x)
    shift, y = np.empty(n), np.zeros(n)
    for k in range(3):
        for i in range(n):
            shift[i] = x[i] * (k + 1.0)
        for column in range(n):
            for row in range(column + 1, n):
                y[row] += a[row] * shift[column]
    return np.sum(y)


# What each component overwrites is constant in its two loops over a triangle: a row of it each;
# and the squared sums, and the factors of the product.
@needs(
    lambda a, points: F8 * (2 * a.size + len(a)),
    lambda n: (vector(3 * n).reshape(3, n), vector(2 * n, 1).reshape(2, n)),
)
def distances(a, points):
    (samples, d), k = points.shape, len(a)
    shift, logs = np.empty(d), np.empty(k)
    total = 0.0
    for s in range(samples):
        for j in range(k):
            for i in range(d):
                shift[i] = points[s, i] - a[j, i]
            distance = 0.0
            for row in range(d):
                white = 0.0
                for column in range(row):
                    white += a[j, row] * shift[column]
                distance += white * white
            logs[j] = distance
        product = 1.0
        for j in range(k):
            product *= logs[j]
        total += product
    return total


# The same with two buffers that are swapped: which one is meant is a reference per step for each.
@needs(
    lambda u, steps: 2 * F8 * (len(u) - 2) * steps + 2 * REFERENCE * steps, lambda n: (vector(n), 4)
)
def burgers_with_swapped_buffers(u, steps):
    n = len(u)
    u = u.copy()
    new = np.empty_like(u)
    for _ in range(steps):
        new[0] = u[0]
        new[n - 1] = u[n - 1]
        for i in range(1, n - 1):
            new[i] = u[i] - 0.1 * u[i] * (u[i] - u[i - 1])
        u, new = new, u
    s = 0.0
    for i in range(n):
        s += u[i] * u[i]
    return s


# Which branch was taken hangs on a running maximum that is gone: a bool per trip; the exponential
# is its own derivative, and too dear to compute again: one number per trip.
@needs(lambda x: B1 * (len(x) - 1) + F8 * len(x), lambda n: (vector(n),))
def log_sum_exp(x):
    m = x[0]
    for i in range(1, len(x)):
        if x[i] > m:
            m = x[i]
    s = 0.0
    for i in range(len(x)):
        s += math.exp(x[i] - m)
    return m + math.log(s)


# Each trip overwrites a factor; the other one is in the argument.
@needs(lambda x: F8 * len(x), lambda n: (vector(n),))
def running_product(x):
    p = 1.0
    for i in range(len(x)):
        p *= x[i]
    return p


# Overwrites everything, and is linear: nothing.
@needs(lambda a, sweeps: 0, lambda n: (vector(n), 3))
def linear_stencil(a, sweeps):
    for _ in range(sweeps):
        for i in range(1, len(a) - 1):
            a[i] = 0.25 * a[i - 1] + 0.5 * a[i] + 0.25 * a[i + 1]
    return a[1] + 2.0 * a[2]


# One product of two elements per update, both overwritten by the next sweep.
@needs(lambda a, sweeps: 2 * F8 * (len(a) - 2) * sweeps, lambda n: (vector(n), 3))
def nonlinear_stencil(a, sweeps):
    for _ in range(sweeps):
        for i in range(1, len(a) - 1):
            a[i] = a[i] + 0.1 * a[i - 1] * a[i]
    return np.sum(a)


# The iterate, once per trip; the rest of the step follows from it.
@needs(lambda a: F8 * newton_trips(a), lambda n: (float(n),))
def newton(a):
    x = a
    while abs(x * x - a) > 1e-10:
        x = x - (x * x - a) / (2.0 * x)
    return x


def newton_trips(a):
    """How often the loop of ``newton`` runs."""
    x, trips = a, 0
    while abs(x * x - a) > 1e-10:
        x, trips = x - (x * x - a) / (2.0 * x), trips + 1
    return trips


# A triangular nest: one factor per inner trip, no rectangle around them.
@needs(lambda x: F8 * len(x) * (len(x) - 1) // 2, lambda n: (vector(n),))
def ragged(x):
    s = 1.0
    for i in range(len(x)):
        for j in range(i):
            s = s + 0.1 * s * x[j]
    return s


# The same nest, linear in what is overwritten: nothing.
@needs(lambda x: 0, lambda n: (vector(n),))
def ragged_linear(x):
    s = 1.0
    for i in range(len(x)):
        for j in range(i):
            s = 0.9 * s + x[i] * x[j]
    return s


# Every vector on the way is a factor; all are still there, if something refers to them.
@needs(
    lambda m, x: (F8 * len(x) + REFERENCE) * len(m),
    lambda n: (vector(4 * n * n).reshape(4, n, n), vector(n)),
)
def matrix_chain(m, x):
    for k in range(m.shape[0]):
        x = m[k] @ x
    return np.sum(x)


# The condition is about the argument, which is not written: nothing.
@needs(lambda x: 0, lambda n: (vector(n) - 0.7,))
def branch_on_argument(x):
    s = 0.0
    for i in range(len(x)):
        if x[i] > 0.0:
            s = s + x[i] * x[i]
        else:
            s = s - x[i]
    return s


# The state decides and is a factor: one number tells both.
@needs(lambda x: F8 * len(x), lambda n: (vector(n),))
def branch_on_state(x):
    s = 0.5
    for i in range(len(x)):
        if s > 0.8:
            s = s * x[i]
        else:
            s = s + x[i]
    return s


# Per step q, p, and the sines l1, l2, l3 (too dear to repeat) which say where l2, l3, l4 are
# taken; with the step size active also the weighted sum of sines that it multiplies.
@needs(lambda q, p, h, steps: 6 * F8 * steps, lambda n: (0.3, 0.2, 0.1, n))
def pendulum(q, p, h, steps):
    for _ in range(steps):
        k1 = p
        l1 = -math.sin(q)
        k2 = p + 0.5 * h * l1
        l2 = -math.sin(q + 0.5 * h * k1)
        k3 = p + 0.5 * h * l2
        l3 = -math.sin(q + 0.5 * h * k2)
        k4 = p + h * l3
        l4 = -math.sin(q + h * k3)
        q = q + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
        p = p + h / 6.0 * (l1 + 2.0 * l2 + 2.0 * l3 + l4)
    return q


# Sums of what was summed before: nothing.
@needs(lambda a: 0, lambda n: (vector(n),))
def prefix_sums(a):
    for i in range(1, len(a)):
        a[i] += a[i - 1]
    return a[len(a) - 1]


# Positions are read again, and so is what they point to: nothing.
@needs(lambda x, where: 0, lambda n: (vector(n), np.arange(n) // 2))
def gather(x, where):
    s = 0.0
    for k in range(len(where)):
        s += x[where[k]] * x[where[k]]
    return s


# Where the loop was left is one number outside all loops: nothing.
@needs(lambda x, limit: 0, lambda n: (vector(n), 1.5))
def early_exit(x, limit):
    s = 0.0
    for i in range(len(x)):
        s = s + x[i] * x[i]
        if s > limit:
            break
    return s


# The state multiplies the variable: one number per trip.
@needs(lambda c, x: F8 * len(c), lambda n: (vector(n), 0.3))
def horner(c, x):
    s = 0.0
    for i in range(len(c)):
        s = s * x + c[i]
    return s


# The hidden states: each is what the derivative of its tanh needs (so the sums under it are not),
# and a factor of the next product; it is referred to once for either.
@needs(
    lambda w, x: (F8 * len(x) + 2 * REFERENCE) * len(w),
    lambda n: (vector(4 * n * n).reshape(4, n, n), vector(n)),
)
def network(w, x):
    h = x
    for k in range(w.shape[0]):
        h = np.tanh(w[k] @ h)
    return np.sum(h)


@needs(lambda u, c, steps: steps * (len(u) * F8 + REFERENCE), lambda n: (vector(n), 0.3, 4))
def upwind_rows(u, c, steps):
    """Two values of the old state an iteration, or the whole of it once a step."""
    old = np.empty(len(u))
    for _ in range(steps):
        for i in range(len(u)):
            old[i] = u[i]
        for i in range(1, len(u)):
            u[i] -= c * old[i] * (old[i] - old[i - 1])
    return np.sum(u)


# The outer operand, one number for each trip of the outer loop, though the sums in the inner
# loop are needed.
@needs(lambda x: F8 * len(x), lambda n: (vector(n),))
def sines_of_sums(x):
    s = 0.5
    for i in range(len(x)):
        start = s
        for j in range(i):
            s += 0.1 * np.sin(start + x[j])
    return s


# An array that is carried on is kept, not its elements; also where views of it are read, or its
# transpose.  Behind the states that are needed comes the one at the end, which has no other place.
@needs(lambda u, steps: F8 * u.size * (steps + 1), lambda n: (vector(n * n).reshape(n, n), 3))
def rows_of_carried(u, steps):
    for _ in range(steps):
        new = np.empty_like(u)
        for i in range(u.shape[0]):
            row = u[i]
            for j in range(u.shape[1]):
                t = 0.0
                for k in range(u.shape[1]):
                    t += row[j] * row[k]
                new[i, j] = 0.1 * t
        u = new
    return np.sum(u)


@needs(lambda u, steps: F8 * u.size * (steps + 1), lambda n: (vector(n * n).reshape(n, n), 3))
def transpose_of_carried(u, steps):
    for _ in range(steps):
        new = np.zeros(u.shape)
        v = u.T
        for i in range(u.shape[1]):
            for j in range(u.shape[0]):
                new[j, i] = v[i, j] * v[i, j - 1] * 0.5
        u = new
    return np.sum(u)


@needs(lambda u, steps: (F8 * 6 + REFERENCE) * steps, lambda n: (vector(6), n))
def constant_trips(u, steps):
    for _ in range(steps):
        new = np.zeros(6)
        for i in range(6):
            for j in range(6):
                new[i] += 0.1 * u[i] * u[j]
        u = new
    return np.sum(u)
