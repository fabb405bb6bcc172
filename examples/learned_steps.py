"""Gradients of gradients, as code: learning the step sizes of gradient descent.

    python examples/learned_steps.py

The inner program fits a curve by a few steps of gradient descent and calls ``srcad.grad`` in its
loop; the outer one asks how the fit depends on the step sizes and the starting weights, and
improves them with SciPy (``srcad.adapters.scipy``, gradient and Hessian products included), over
many small tasks at once.  Afterwards five steps fit a new task better than fifty plain ones.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

import srcad
from srcad.adapters import scipy as for_scipy

STEPS, TERMS = 5, 4


def loss(w, x, y):
    """Mean squared error of a polynomial."""
    total = 0.0
    for i in range(len(x)):
        p = 0.0
        for k in range(len(w) - 1, -1, -1):
            p = p * x[i] + w[k]
        total += (p - y[i]) ** 2
    return total / len(x)


def fitted(start, rates, x, y):
    """Weights after one step of descent for each rate."""
    w = start.copy()
    for t in range(len(rates)):
        w -= np.exp(rates[t]) * srcad.grad(loss)(w, x, y)
    return w


def mean_loss(learned, xs, ys):
    """What is left after the steps, over all tasks; ``learned`` is the start, then the rates."""
    total = 0.0
    for k in range(len(xs)):
        w = fitted(learned[:TERMS], learned[TERMS:], xs[k], ys[k])
        total += loss(w, xs[k], ys[k])
    return total / len(xs)


def tasks(rng: np.random.Generator, count: int, points: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Noisy samples of similar cubics."""
    xs = rng.uniform(-1.0, 1.0, size=(count, points))
    weights = np.array([1.0, -2.0, 0.5, 3.0]) + 0.3 * rng.normal(size=(count, 4))
    ys = np.stack([np.polyval(w[::-1], x) for w, x in zip(weights, xs, strict=True)])
    return xs, ys + 0.05 * rng.normal(size=ys.shape)


def main(count: int = 20, iterations: int = 60, **options: str) -> tuple[float, float]:
    """Learn on some tasks; print how well new ones are fitted before and after."""
    rng = np.random.default_rng(0)
    known, new = tasks(rng, count), tasks(rng, count)
    plain = np.concatenate([np.zeros(TERMS), np.full(STEPS, np.log(0.3))])
    objective = for_scipy.objective(mean_loss, **options)
    found = minimize(
        *(objective, plain, known),
        jac=True,
        hessp=objective.hessp,
        method="trust-ncg",
        options={"maxiter": iterations},
    )
    many = np.concatenate([np.zeros(TERMS), np.full(10 * STEPS, np.log(0.3))])
    before, long, after = (objective(x, *new)[0] for x in (plain, many, found.x))
    print(f"{STEPS} plain steps on new tasks:   loss {before:.4f}")
    print(f"{10 * STEPS} plain steps on new tasks:  loss {long:.4f}")
    print(f"{STEPS} learned steps on new tasks: loss {after:.4f}")
    print("learned rates", np.exp(found.x[TERMS:]).round(3))
    return long, after


if __name__ == "__main__":
    main()
