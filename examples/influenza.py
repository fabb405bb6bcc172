"""An influenza epidemic in a boarding school, 1978: fit an SIR model with exact derivatives.

The data are the pupils in bed on 14 days, of 763 (British Medical Journal, 4 March 1978).  The
model is the classic one of Kermack and McKendrick (1927): S susceptible and I infected pupils with

    dS/dt = -beta S I / N        dI/dt = beta S I / N - gamma I

solved by a Runge-Kutta loop in plain Python, which writes its trajectory into an array in place.
``srcad.value_and_grad`` differentiates through the whole of it; SciPy minimises; ``srcad.hessian``
at the minimum gives the standard errors.

    python examples/influenza.py [--no-source] [--png FILE]
"""

from __future__ import annotations

import argparse
import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize

import srcad

IN_BED = np.array([3, 8, 26, 76, 225, 298, 258, 233, 189, 128, 68, 29, 14, 4], dtype=float)
PUPILS = 763.0
STEPS_PER_DAY = 10
NAMES = ("beta", "gamma", "I(0)")
START = np.log([1.0, 0.3, 1.0])  # a guess that is far off


def rates(s, i, beta, gamma):
    """Infections and recoveries per day."""
    return beta * s * i / PUPILS, gamma * i


def simulate(beta, gamma, i0, trajectory):
    """Fill row k of ``trajectory`` with S and I on day k (classic fourth-order Runge-Kutta)."""
    h = 1.0 / STEPS_PER_DAY
    s = PUPILS - i0
    i = i0
    for day in range(trajectory.shape[0]):
        trajectory[day, 0] = s
        trajectory[day, 1] = i
        for _ in range(STEPS_PER_DAY):
            a1, b1 = rates(s, i, beta, gamma)
            a2, b2 = rates(s - 0.5 * h * a1, i + 0.5 * h * (a1 - b1), beta, gamma)
            a3, b3 = rates(s - 0.5 * h * a2, i + 0.5 * h * (a2 - b2), beta, gamma)
            a4, b4 = rates(s - h * a3, i + h * (a3 - b3), beta, gamma)
            infected = h * (a1 + 2.0 * a2 + 2.0 * a3 + a4) / 6.0
            recovered = h * (b1 + 2.0 * b2 + 2.0 * b3 + b4) / 6.0
            s -= infected
            i += infected - recovered


def misfit(log_parameters, in_bed):
    """Minus the Poisson log-likelihood of the counts, up to a constant.

    The parameters are beta, gamma and I(0); fitting their logarithms keeps them positive.
    """
    beta = math.exp(log_parameters[0])
    gamma = math.exp(log_parameters[1])
    i0 = math.exp(log_parameters[2])
    trajectory = np.empty((in_bed.shape[0], 2))
    simulate(beta, gamma, i0, trajectory)
    total = 0.0
    for day in range(in_bed.shape[0]):
        expected = trajectory[day, 1]
        total += expected - in_bed[day] * math.log(expected)
    return total


class Fit(NamedTuple):
    """The estimate of the logarithms, their covariance, and how well the curve fits."""

    log_parameters: np.ndarray
    covariance: np.ndarray
    curve: np.ndarray  # expected pupils in bed on each day
    dispersion: float  # variance of the counts over what Poisson counts would have
    gradient: float  # largest component of the gradient at the end
    evaluations: int


def fit(in_bed=IN_BED, start=START, **options) -> Fit:
    """Maximum likelihood, with the covariance from the Hessian.

    Counts of sick pupils scatter more than Poisson counts do, because pupils infect each other in
    the same rooms; the covariance is scaled by the measured dispersion (quasi-likelihood).
    """
    value_and_gradient = srcad.value_and_grad(misfit, **options)
    found = minimize(
        value_and_gradient, start, args=(in_bed,), jac=True, method="BFGS", options={"gtol": 1e-6}
    )
    at = found.x
    trajectory = np.empty((len(in_bed), 2))
    simulate(*np.exp(at), trajectory)
    curve = trajectory[:, 1]
    dispersion = float(np.sum((in_bed - curve) ** 2 / curve) / (len(in_bed) - len(at)))
    covariance = dispersion * np.linalg.inv(srcad.hessian(misfit, **options)(at, in_bed))
    return Fit(at, covariance, curve, dispersion, float(np.max(np.abs(found.jac))), found.nfev)


def estimates(result: Fit) -> dict[str, tuple[float, float]]:
    """Each quantity of interest with its standard error (delta method)."""
    rows = {name: np.eye(3)[k] for k, name in enumerate(NAMES)}
    rows["R0 = beta/gamma"] = np.array([1.0, -1.0, 0.0])
    rows["days infectious = 1/gamma"] = np.array([0.0, -1.0, 0.0])
    out = {}
    for name, row in rows.items():  # each is the exponential of a sum of logarithms
        value = float(np.exp(row @ result.log_parameters))
        out[name] = value, value * float(np.sqrt(row @ result.covariance @ row))
    return out


def print_fit(result: Fit, in_bed=IN_BED) -> None:
    """The estimates, and data against curve as bars."""
    print(f"{'':28}estimate  std. error")
    for name, (value, error) in estimates(result).items():
        print(f"{name:28}{value:8.3f}  {error:10.3f}")
    print(
        f"\n{result.evaluations} evaluations of value and gradient; "
        f"largest gradient component at the end {result.gradient:.0e}; "
        f"dispersion {result.dispersion:.1f}\n"
    )
    print("day  in bed   model    (# counted, | model)")
    scale = 60.0 / max(in_bed.max(), result.curve.max())
    for day, (count, model) in enumerate(zip(in_bed, result.curve, strict=True)):
        bar = list(f"{'#' * round(scale * count):<62}")
        bar[round(scale * model)] = "|"
        print(f"{day:3}  {count:6.0f}  {model:6.1f}    {''.join(bar).rstrip()}")


def plot(result: Fit, path: str, in_bed=IN_BED) -> bool:
    """Save data and curve as a picture; False where matplotlib is missing."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    from matplotlib import pyplot

    days = np.arange(len(in_bed))
    noise = 2.0 * np.sqrt(result.dispersion * result.curve)
    figure, axes = pyplot.subplots(figsize=(7.0, 4.5), layout="constrained")
    axes.fill_between(
        days,
        np.maximum(result.curve - noise, 0.0),
        result.curve + noise,
        alpha=0.2,
        label="model ± 2 standard deviations of a count",
    )
    axes.plot(days, result.curve, label="SIR model")
    axes.plot(days, in_bed, "ko", label="pupils in bed")
    axes.set(xlabel="day", ylabel="pupils", title="Influenza in a boarding school, 1978")
    axes.legend()
    figure.savefig(path, dpi=150)
    pyplot.close(figure)
    return True


def main(arguments: list[str] | None = None) -> None:
    """Print the generated adjoint and the fit, save the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--no-source", action="store_true", help="do not print the generated code")
    parser.add_argument("--png", default="influenza.png", help="where the picture goes")
    chosen = parser.parse_args(arguments)
    if not chosen.no_source:
        print("# What srcad generated for value_and_grad(misfit):\n")
        print(srcad.source(srcad.value_and_grad(misfit), START, IN_BED))
    result = fit()
    print_fit(result)
    if plot(result, chosen.png):
        print(f"\nThe picture is in {chosen.png}.")
    else:
        print("\nNo picture: matplotlib is not installed.")


if __name__ == "__main__":
    main()
