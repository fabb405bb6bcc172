"""CasADi: expression graphs of numbers (``SX``) where the loop is short, of vectors else (``MX``).

Only where this is natural: no data sets, no tables of indices.  The graph is built and
differentiated before; what is timed is an evaluation in CasADi's virtual machine through buffers
that are set up once, the fastest way to call it from Python.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import casadi
import numpy as np

from benchmarks.peers.tool import Tool, python_loop


def log_sum_exp(tool, x):
    """Elementwise on the vector."""
    top = casadi.mmax(x)
    return top + casadi.log(casadi.sum1(casadi.exp(x - top)))


def misfit(tool, x, n):
    """A matrix of powers times the coefficients."""
    t = -1.0 + 2.0 * np.arange(n) / (n - 1)
    residual = np.sign(t) - casadi.mtimes(casadi.DM(np.vander(t, x.shape[0], increasing=True)), x)
    return 0.5 * casadi.dot(residual, residual)


def chain(tool, rate, steps):
    """A step is a function, the loop its fold."""
    n, h = rate.shape[0], 2.0 / steps
    y, r = casadi.MX.sym("y", n), casadi.MX.sym("r", n)

    def slopes(y):
        return r * casadi.vertcat(1.0, y[:-1])

    k1 = slopes(y)
    k2 = slopes(y + 0.5 * h * k1)
    k3 = slopes(y + 0.5 * h * k2)
    k4 = slopes(y + h * k3)
    after = y + h * (k1 + 2.0 * k2 + 2.0 * k3 + k4) / 6.0
    step = casadi.Function("step", [y, r], [after]).mapaccum("steps", steps)
    states = step(casadi.DM.zeros(n), casadi.repmat(rate, 1, steps))
    return casadi.sum1(states[:, -1])


def rosenbrock(tool, x):
    """Neighbours are two slices."""
    return casadi.sum1(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def wave(tool, x):
    """A number."""
    return casadi.sin(x) * x


PROGRAMS = {
    "log_sum_exp": log_sum_exp,
    "misfit": misfit,
    "chain": chain,
    "reactions": chain,
    "rosenbrock": rosenbrock,
    "wave": wave,
}


def value_and_grad(f, argnums) -> Any:
    """Of one argument; evaluated through a buffer."""
    built: dict[Any, Any] = {}

    def build(x):
        kind = casadi.SX if np.size(x) < 100 else casadi.MX
        s = kind.sym("x", np.size(x))
        value = f(s)
        g = casadi.Function("g", [s], [value, casadi.gradient(value, s)])
        buffer, trigger = g.buffer()
        given, total, out = np.array(x, float).ravel(), np.zeros(1), np.zeros(np.size(x))
        buffer.set_arg(0, memoryview(given))
        buffer.set_res(0, memoryview(total))
        buffer.set_res(1, memoryview(out))
        return trigger, total, out, (g, buffer, given)

    def run(x):
        if not built:
            built["it"] = build(x)
        trigger, total, out, _ = built["it"]
        trigger()
        return total[0], (out,)

    return run


def tool(name: str = "casadi") -> Tool:
    """CasADi."""
    return Tool(
        name, casadi.__version__, SimpleNamespace(), value_and_grad, None, python_loop,
        lambda x: x, PROGRAMS,
    )  # fmt: skip
