"""Derivatives that you give: a table from a laboratory inside a differentiated model.

    python examples/tabulated_gas.py

The heat capacity of a gas comes as a table.  Linear interpolation would do for values, but its
derivative jumps at every row, and an optimizer stumbles.  ``srcad.custom_jvp`` gives the lookup the
slope of a smooth curve through the table; everything around it (an integral, Newton's method for
the temperature after heating) is differentiated as it stands, to any order.  ``srcad.check_grads``
tells a rule that contradicts its function, here one with a factor forgotten.
"""

from __future__ import annotations

import numpy as np

import srcad

STEP = 50.0  # kelvin between rows
TABLE = 29.0 + 3.0 * np.tanh((np.arange(250.0, 1501.0, STEP) - 700.0) / 300.0)  # J / (mol K)


def curve(table, t):
    """Value and slope of the cubic through the rows around ``t`` (Catmull and Rom, 1974)."""
    x = min(max((t - 250.0) / STEP, 1.0), len(table) - 2.001)
    k = int(x)
    s = x - k
    a, b, c, d = table[k - 1], table[k], table[k + 1], table[k + 2]
    p, q, r = 0.5 * (c - a), a - 2.5 * b + 2.0 * c - 0.5 * d, 1.5 * (b - c) + 0.5 * (d - a)
    return b + s * (p + s * (q + s * r)), (p + s * (2.0 * q + 3.0 * s * r)) / STEP


@srcad.custom_jvp
def heat_capacity(t):
    """From the table."""
    return curve(TABLE, t)[0]


@heat_capacity.defjvp
def heat_capacity_rule(primals, tangents):
    """The slope of the same curve, without differentiating the search for the row."""
    value, slope = curve(TABLE, primals[0])
    return value, slope * tangents[0]


def enthalpy(t, start):
    """Integral of the heat capacity by Simpson's rule."""
    n = 64
    h = (t - start) / n
    total = heat_capacity(start) + heat_capacity(t)
    for k in range(1, n):
        total += (4.0 if k % 2 else 2.0) * heat_capacity(start + k * h)
    return total * h / 3.0


def heated(heat, start):
    """The temperature after so much heat, by Newton's method."""
    t = start
    for _ in range(30):
        t -= (enthalpy(t, start) - heat) / heat_capacity(t)
    return t


@srcad.custom_jvp
def careless(t):
    """The same lookup with a rule that forgets the distance between rows."""
    return curve(TABLE, t)[0]


careless.defjvp(lambda p, d: (careless(p[0]), curve(TABLE, p[0])[1] * STEP * d[0]))


def main(**options: str) -> tuple[float, float]:
    """The temperature and its sensitivities; then the careless rule is found out."""
    heat, start = 15_000.0, 300.0
    t = srcad.differentiable(heated, **options)(heat, start)
    by_heat, by_start = srcad.grad(heated, argnums=(0, 1), **options)(heat, start)
    print(f"after {heat:.0f} J/mol from {start:.0f} K: {t:.2f} K")
    print(
        f"one joule more: {by_heat * 1e3:.4f} mK (1 / heat capacity: {1e3 / heat_capacity(t):.4f})"
    )
    print(f"one kelvin warmer at the start: {by_start:.4f} K more")
    try:
        srcad.check_grads(careless, (611.0,), **options)
    except srcad.SrcadError as error:
        print("the careless rule:", str(error).splitlines()[0])
    return t, by_heat


if __name__ == "__main__":
    main()
