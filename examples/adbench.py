"""The ADBench problems as plain loops, on ADBench's own files: values, gradients, times, checks.

Three objectives of the benchmark suite ADBench (Šrajer, Kukelova, Fitzgibbon 2018), written the
way a Numba user writes them: a Gaussian mixture (GMM), bundle adjustment (BA) and a long short-term
memory network (LSTM).  Give the path of a file, or of a folder that holds ``gmm``, ``ba`` and
``lstm``:

    python examples/adbench.py PATH [--largest]

For each file this prints the objective, the norm of its gradient, the times of both, and the
largest relative difference between directional derivatives and central differences.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba import njit

import srcad

# --- Gaussian mixture ----------------------------------------------------------------------------


@njit
def log_sum_exp(x):
    """log(sum(exp(x))), without overflow."""
    top = x[0]
    for i in range(1, len(x)):
        if x[i] > top:
            top = x[i]
    total = 0.0
    for i in range(len(x)):
        total += math.exp(x[i] - top)
    return top + math.log(total)


@njit
def whiten(point, mean, scales, lower, out):
    """out = L (point - mean), L lower triangular: diagonal ``scales``, below packed by columns."""
    d = len(point)
    for i in range(d):
        out[i] = scales[i] * (point[i] - mean[i])
    p = 0
    for column in range(d):
        shift = point[column] - mean[column]
        for row in range(column + 1, d):
            out[row] += lower[p] * shift
            p += 1


@njit
def log_wishart(scales, log_det, lower, gamma, m):
    """Log density of the Wishart prior of one component, without the constant."""
    squares = 0.0
    for i in range(len(scales)):
        squares += scales[i] * scales[i]
    for p in range(len(lower)):
        squares += lower[p] * lower[p]
    return 0.5 * gamma * gamma * squares - m * log_det


@njit
def gmm(alphas, means, log_scales, lower, points, gamma, m):
    """Log posterior of a Gaussian mixture with a Wishart prior on the inverse covariances."""
    n, d = points.shape
    k = len(alphas)
    scales = np.exp(log_scales)
    log_dets = np.zeros(k)
    prior = 0.0
    for j in range(k):
        for i in range(d):
            log_dets[j] += log_scales[j, i]
        prior += log_wishart(scales[j], log_dets[j], lower[j], gamma, m)
    white = np.empty(d)
    logs = np.empty(k)
    likelihood = 0.0
    for sample in range(n):
        for j in range(k):
            whiten(points[sample], means[j], scales[j], lower[j], white)
            distance = 0.0
            for i in range(d):
                distance += white[i] * white[i]
            logs[j] = alphas[j] + log_dets[j] - 0.5 * distance
        likelihood += log_sum_exp(logs)
    freedom = d + m + 1
    constant = freedom * d * (math.log(gamma) - 0.5 * math.log(2.0))
    constant -= 0.25 * d * (d - 1) * math.log(math.pi)
    for i in range(d):
        constant -= math.lgamma(0.5 * (freedom - i))
    likelihood -= 0.5 * n * d * math.log(2.0 * math.pi) + n * log_sum_exp(alphas)
    return likelihood + k * constant - prior


# --- bundle adjustment ---------------------------------------------------------------------------


@njit
def rotate(r, x, y):
    """y = x turned by the rotation vector r (Rodrigues' formula)."""
    square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2]
    y[0] = r[1] * x[2] - r[2] * x[1]
    y[1] = r[2] * x[0] - r[0] * x[2]
    y[2] = r[0] * x[1] - r[1] * x[0]
    if square == 0.0:
        for i in range(3):
            y[i] += x[i]
        return
    angle = math.sqrt(square)
    cosine = math.cos(angle)
    sine = math.sin(angle) / angle
    along = (r[0] * x[0] + r[1] * x[1] + r[2] * x[2]) * (1.0 - cosine) / square
    for i in range(3):
        y[i] = cosine * x[i] + sine * y[i] + along * r[i]


@njit
def project(camera, point, turned, shifted):
    """Where a camera sees a point: rotation, perspective, radial distortion, focal length."""
    for i in range(3):
        shifted[i] = point[i] - camera[3 + i]
    rotate(camera[:3], shifted, turned)
    u = turned[0] / turned[2]
    v = turned[1] / turned[2]
    radius = u * u + v * v
    scale = camera[6] * (1.0 + radius * (camera[9] + camera[10] * radius))
    return camera[7] + scale * u, camera[8] + scale * v


@njit
def bundle(cameras, points, weights, seen, measured):
    """Half the sum of the squared residuals of bundle adjustment, weights' own included."""
    shifted = np.empty(3)
    turned = np.empty(3)
    total = 0.0
    for k in range(len(weights)):
        u, v = project(cameras[seen[k, 0]], points[seen[k, 1]], turned, shifted)
        du = weights[k] * (u - measured[k, 0])
        dv = weights[k] * (v - measured[k, 1])
        dw = 1.0 - weights[k] * weights[k]
        total += 0.5 * (du * du + dv * dv + dw * dw)
    return total


# --- long short-term memory ----------------------------------------------------------------------


@njit
def sigmoid(x):
    """The logistic function."""
    return 1.0 / (1.0 + math.exp(-x))


@njit
def lstm_step(weights, biases, hidden, cell, x):
    """One layer, one character: updates ``hidden`` and ``cell``, leaves the output in ``x``."""
    bits = len(x)
    for i in range(bits):
        forget = sigmoid(x[i] * weights[i] + biases[i])
        ingate = sigmoid(hidden[i] * weights[bits + i] + biases[bits + i])
        outgate = sigmoid(x[i] * weights[2 * bits + i] + biases[2 * bits + i])
        change = math.tanh(hidden[i] * weights[3 * bits + i] + biases[3 * bits + i])
        cell[i] = cell[i] * forget + ingate * change
        hidden[i] = outgate * math.tanh(cell[i])
        x[i] = hidden[i]


@njit
def lstm(main, extra, state, sequence):
    """Mean negative log-likelihood of each character's successor."""
    characters, bits = sequence.shape
    layers = len(main) // 2
    state = state.copy()
    x = np.empty(bits)
    total = 0.0
    for t in range(characters - 1):
        for i in range(bits):
            x[i] = sequence[t, i] * extra[0, i]
        for a in range(layers):
            lstm_step(main[2 * a], main[2 * a + 1], state[2 * a], state[2 * a + 1], x)
        exps = 2.0
        for i in range(bits):
            x[i] = x[i] * extra[1, i] + extra[2, i]
            exps += math.exp(x[i])
        norm = math.log(exps)
        for i in range(bits):
            total += sequence[t + 1, i] * (x[i] - norm)
    return -total / ((characters - 1) * bits)


# --- ADBench's files -----------------------------------------------------------------------------


class Problem(NamedTuple):
    """An objective, its arguments, and which of them are differentiated."""

    name: str
    objective: Callable[..., float]
    arguments: tuple[Any, ...]
    argnums: tuple[int, ...]


class Numbers:
    """The numbers of a text file, taken from the front."""

    def __init__(self, path: Path) -> None:
        self.left = np.array(path.read_text().split(), dtype=float)

    def take(self, *shape: int) -> np.ndarray:
        """The next numbers as an array."""
        count = math.prod(shape)
        if count > len(self.left):
            raise ValueError(f"the file ends {count - len(self.left)} numbers early")
        head, self.left = self.left[:count], self.left[count:]
        return head.reshape(shape).copy()

    def integers(self, count: int) -> list[int]:
        """The next numbers as integers."""
        return [int(x) for x in self.take(count)]


def load_gmm(path: Path) -> Problem:
    """``d k n``, alphas, means, factors (log diagonal, strict lower triangle), points, prior."""
    numbers = Numbers(path)
    d, k, n = numbers.integers(3)
    alphas, means = numbers.take(k), numbers.take(k, d)
    factors = numbers.take(k, d * (d + 1) // 2)
    points = numbers.take(n, d)
    gamma, m = numbers.take(2)
    log_scales, lower = factors[:, :d].copy(), factors[:, d:].copy()
    arguments = (alphas, means, log_scales, lower, points, float(gamma), int(m))
    return Problem(path.stem, gmm, arguments, (0, 1, 2, 3))


def load_ba(path: Path) -> Problem:
    """``n m p``, then one camera, point, weight and measurement, each to be repeated."""
    numbers = Numbers(path)
    n, m, p = numbers.integers(3)
    cameras = np.tile(numbers.take(1, 11), (n, 1))
    points = np.tile(numbers.take(1, 3), (m, 1))
    weights = np.tile(numbers.take(1), p)
    measured = np.tile(numbers.take(1, 2), (p, 1))
    observation = np.arange(p)
    seen = np.stack([observation % n, observation % m], axis=1)
    return Problem(path.stem, bundle, (cameras, points, weights, seen, measured), (0, 1, 2))


def load_lstm(path: Path) -> Problem:
    """``layers characters bits``, main and extra parameters, initial state, the sequence."""
    numbers = Numbers(path)
    layers, characters, bits = numbers.integers(3)
    main, extra = numbers.take(2 * layers, 4 * bits), numbers.take(3, bits)
    state, sequence = numbers.take(2 * layers, bits), numbers.take(characters, bits)
    return Problem(path.stem, lstm, (main, extra, state, sequence), (0, 1))


LOADERS = {"gmm": load_gmm, "ba": load_ba, "lstm": load_lstm}


def load(path: Path) -> Problem:
    """The problem in a file; its kind is how the name begins (``gmm_d2_K5.txt``)."""
    for kind, loader in LOADERS.items():
        if path.name.startswith(kind):
            return loader(path)
    raise ValueError(f"{path}: the name of the file should begin with one of {list(LOADERS)}")


def files(path: Path, largest: bool = False) -> list[Path]:
    """The problem files at a path, smallest first; the largest of each kind only when asked."""
    if path.is_file():
        return [path]
    found = []
    for kind in LOADERS:
        of_kind = sorted((path / kind).glob(f"{kind}*.txt"), key=lambda p: size(p, kind))
        found += of_kind if largest or len(of_kind) < 2 else of_kind[:-1]
    return found


def size(path: Path, kind: str) -> int:
    """A measure of the work in a file, from its first line."""
    with path.open() as file:
        first = [int(x) for x in file.readline().split()]
    return first[2] if kind == "ba" else math.prod(first)


# --- measuring -----------------------------------------------------------------------------------


def differences(problem: Problem, gradient: tuple[Any, ...], directions: int = 3) -> float:
    """Largest relative error of directional derivatives against fourth-order differences."""
    random = np.random.default_rng(0)
    worst = 0.0
    for _ in range(directions):
        along = [random.normal(size=np.shape(g)) for g in gradient]

        def at(step: float, along: list[np.ndarray] = along) -> float:
            moved = list(problem.arguments)
            for k, v in zip(problem.argnums, along, strict=True):
                moved[k] = moved[k] + step * v
            return problem.objective(*moved)

        h = 1e-5
        numeric = (8.0 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12.0 * h)
        exact = sum(float(np.sum(g * v)) for g, v in zip(gradient, along, strict=True))
        worst = max(worst, abs(numeric - exact) / abs(exact))
    return worst


def seconds(call: Callable[[], Any], least: float = 0.3) -> float:
    """The smallest time of a call, over at least ``least`` seconds of calls."""
    times: list[float] = []
    while len(times) < 3 or sum(times) < least:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


class Row(NamedTuple):
    """What was measured on one file."""

    value: float
    norm: float
    primal: float
    gradient: float
    error: float
    first: float


def measure(problem: Problem, **options: Any) -> Row:
    """Value, gradient, their times, and the check of the gradient."""
    derivative = srcad.value_and_grad(problem.objective, argnums=problem.argnums, **options)
    start = time.perf_counter()
    value, gradient = derivative(*problem.arguments)
    first = time.perf_counter() - start
    norm = math.sqrt(sum(float(np.sum(g * g)) for g in gradient))
    return Row(
        value,
        norm,
        seconds(lambda: problem.objective(*problem.arguments)),
        seconds(lambda: derivative(*problem.arguments)),
        differences(problem, gradient),
        first,
    )


def main(arguments: list[str] | None = None, **options: Any) -> None:
    """Measure the files at the given path."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=Path, help="a file, or the folder with gmm, ba and lstm")
    parser.add_argument("--largest", action="store_true", help="the largest file of a kind as well")
    chosen = parser.parse_args(arguments)
    found = files(chosen.path, chosen.largest)
    if not found:
        parser.error(f"no ADBench files under {chosen.path}")
    print(
        f"{'file':24} {'objective':>17} {'|gradient|':>13} {'primal ms':>10} {'gradient ms':>12} "
        f"{'ratio':>7} {'check':>7} {'compile s':>10}"
    )
    for path in found:
        problem = load(path)
        row = measure(problem, **options)
        print(
            f"{problem.name:24} {row.value:17.8e} {row.norm:13.6e} {row.primal * 1e3:10.3f} "
            f"{row.gradient * 1e3:12.3f} {row.gradient / row.primal:7.2f} {row.error:7.0e} "
            f"{row.first:10.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
