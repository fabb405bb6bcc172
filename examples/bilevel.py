"""Tuning many penalties at once: the gradient of a validation error through a fitted model.

    python examples/bilevel.py

Ridge regression with a penalty of its own for every feature.  SciPy fits the weights; how the best
weights move with the penalties follows from the implicit function theorem
(``srcad.implicit_minimum``), so the penalties can be tuned by gradient descent on data that was
held back.  Features that carry nothing get large penalties.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

import srcad


def training(w, x, y, penalties):
    """Squared error on the training data, with a penalty for every weight."""
    total = 0.0
    for i in range(len(y)):
        r = -y[i]
        for j in range(len(w)):
            r += x[i, j] * w[j]
        total += r * r
    for j in range(len(w)):
        total += np.exp(penalties[j]) * w[j] * w[j]
    return total


SLOPE = srcad.grad(training)


def fit(w, x, y, penalties):
    """The best weights, by SciPy."""
    return minimize(training, w, (x, y, penalties), jac=SLOPE, method="BFGS", tol=1e-10).x


BEST = srcad.implicit_minimum(training, fit)


def validation(penalties, x, y, x_new, y_new):
    """Mean squared error, on data held back, of the model fitted with these penalties."""
    w = BEST(np.zeros(x.shape[1]), x, y, penalties)
    r = x_new @ w - y_new
    return r @ r / len(y_new)


def data(rng: np.random.Generator, n: int, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features and noisy targets."""
    x = rng.normal(size=(n, len(truth)))
    return x, x @ truth + rng.normal(size=n)


def main(steps: int = 40, **options: str) -> np.ndarray:
    """Tune the penalties; print the error and what was learnt."""
    rng = np.random.default_rng(0)
    truth = np.array([2.0, -1.0, 0.0, 0.0, 0.0, 0.0])
    x, y = data(rng, 15, truth)
    x_new, y_new = data(rng, 40, truth)
    slope = srcad.value_and_grad(validation, **options)
    penalties = np.zeros(len(truth))
    for k in range(steps + 1):
        error, by_penalty = slope(penalties, x, y, x_new, y_new)
        if k % 10 == 0:
            print(f"step {k:3}   validation error {error:.4f}")
        penalties -= 3.0 * by_penalty
    print("true weights", truth)
    print("log penalties", penalties.round(2))
    return penalties


if __name__ == "__main__":
    main()
