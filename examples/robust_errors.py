"""Standard errors that survive a wrong model, from the gradient of every observation.

    python examples/robust_errors.py

A Poisson regression is fitted to counts that vary more than a Poisson distribution allows.  The
usual standard errors, from the Hessian alone, are then too small; the sandwich estimator (Huber
1967, White 1982) corrects them with the outer product of the gradients of single observations,
which ``srcad.batch(srcad.grad(f))`` gives in one compiled loop.  A simulation tells which of the
two is right.
"""

from __future__ import annotations

import numpy as np

import srcad


def deviance(w, x, y):
    """What one observation adds to minus the log likelihood (but for a constant)."""
    eta = 0.0
    for k in range(len(w)):
        eta += w[k] * x[k]
    return np.exp(eta) - y * eta


def total(w, x, y):
    """Minus the log likelihood of all observations."""
    s = 0.0
    for i in range(len(y)):
        s += deviance(w, x[i], y[i])
    return s


GRADIENTS = srcad.batch(srcad.grad(deviance), (None, 0, 0))
GRADIENT, HESSIAN = srcad.grad(total), srcad.hessian(total)


def fit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Newton's method."""
    w = np.zeros(x.shape[1])
    for _ in range(30):
        step = np.linalg.solve(HESSIAN(w, x, y), GRADIENT(w, x, y))
        w = w - step
        if np.max(np.abs(step)) < 1e-10:
            break
    return w


def errors(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard errors from the Hessian, and from the sandwich."""
    bread = np.linalg.inv(HESSIAN(w, x, y))
    single = GRADIENTS(w, x, y)
    meat = single.T @ single
    return np.sqrt(np.diag(bread)), np.sqrt(np.diag(bread @ meat @ bread))


def counts(x: np.ndarray, w: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Counts with a rate that itself varies (negative binomial)."""
    return rng.poisson(np.exp(x @ w) * rng.gamma(1.0, 1.0, len(x))).astype(float)


def main(repetitions: int = 300) -> np.ndarray:
    """Fit, print both standard errors and the truth by simulation; the table."""
    rng = np.random.default_rng(1)
    w = np.array([0.5, 0.8, -0.4])
    x = np.column_stack([np.ones(500), rng.normal(size=(500, 2))])
    fits = [fit(x, counts(x, w, rng)) for _ in range(repetitions)]
    y = counts(x, w, rng)
    found = fit(x, y)
    table = np.array([found, *errors(found, x, y), np.std(fits, axis=0)]).T
    print(f"{'':12}{'estimate':>10}{'Hessian':>10}{'sandwich':>10}{'simulated':>10}")
    for name, row in zip(("constant", "first", "second"), table, strict=True):
        print(f"{name:12}" + "".join(f"{v:10.4f}" for v in row))
    return table


if __name__ == "__main__":
    main()
