"""Forward mode: Jacobians by several tangents a run, Hessian-vector products.

    python -m benchmarks.forward [--repeats N] [--out FILE]

For functions of twelve and more inputs the CPU time of ``jacfwd`` over that of the function, as
compiled by Numba, and for every run of up to eight columns; the time of one ``jvp`` a column beside
it.  For the objectives of ``benchmarks.cases`` the time of ``hvp`` over that of ``grad``.  All
functions are called from compiled code many times, in turn; the smallest time of the rounds counts.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np

import srcad

HERE = Path(__file__).resolve().parent


# functions
def reprojection(x: np.ndarray) -> np.ndarray:
    """A point through a camera: 12 inputs (bundle adjustment)."""
    theta = math.sqrt(x[0] * x[0] + x[1] * x[1] + x[2] * x[2])
    c, s = math.cos(theta), math.sin(theta)
    w0, w1, w2 = x[0] / theta, x[1] / theta, x[2] / theta
    p0, p1, p2 = x[9] - x[3], x[10] - x[4], x[11] - x[5]
    d = (w0 * p0 + w1 * p1 + w2 * p2) * (1.0 - c)
    q0 = p0 * c + (w1 * p2 - w2 * p1) * s + w0 * d
    q1 = p1 * c + (w2 * p0 - w0 * p2) * s + w1 * d
    q2 = p2 * c + (w0 * p1 - w1 * p0) * s + w2 * d
    u, v = q0 / q2, q1 / q2
    r = u * u + v * v
    scale = x[6] * (1.0 + x[7] * r + x[8] * r * r)
    return np.array([u * scale, v * scale])


def oscillators(x: np.ndarray) -> np.ndarray:
    """100 steps of four coupled oscillators: 12 inputs."""
    y, v, k = x[:4].copy(), x[4:8].copy(), x[8:12]
    for _ in range(100):
        for i in range(4):
            force = -k[i] * math.sin(y[i]) + 0.1 * math.exp(-y[i - 1] * y[i - 1])
            v[i] += 0.01 * force
        for i in range(4):
            y[i] += 0.01 * v[i]
    return y


def network(x: np.ndarray) -> np.ndarray:
    """A recurrent network of four units, 50 steps: 20 inputs."""
    h = np.zeros(4)
    for t in range(50):
        for i in range(4):
            s = x[16 + i] + 0.01 * t
            for j in range(4):
                s += x[4 * i + j] * h[j]
            h[i] = math.tanh(s)
    return h


def mixed(x: np.ndarray) -> np.ndarray:
    """Three numbers from 26, for many samples: 26 inputs."""
    out = np.empty(3)
    for k in range(3):
        s = 0.0
        for i in range(26):
            s += x[i] * x[(i + k + 1) % 26]
        out[k] = s * x[k]
    return out


FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "reprojection": (reprojection, 12),
    "oscillators": (oscillators, 12),
    "network": (network, 20),
    "mixed": (mixed, 26),
}


# clock
def interleaved(runs: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Smallest CPU seconds a call of each, taken in turn."""
    counts = {}
    for name, run in runs.items():
        run()
        begin, done = time.process_time(), 0
        while time.process_time() - begin < 0.02:
            run()
            done += 1
        counts[name] = max(1, done)
    best = dict.fromkeys(runs, math.inf)
    for _ in range(repeats):
        for name, run in runs.items():
            begin = time.process_time()
            for _ in range(counts[name]):
                run()
            best[name] = min(best[name], (time.process_time() - begin) / counts[name])
    return best


def jacobian_row(f: Callable[..., Any], n: int, repeats: int) -> dict[str, float]:
    """Seconds a sample of the function, of the Jacobian, of one tangent a column."""
    samples = np.random.default_rng(0).uniform(0.5, 1.5, (1000, n))
    plain = numba.njit(f)
    units = np.eye(n)

    @numba.njit
    def primal(xs: np.ndarray) -> float:
        total = 0.0
        for k in range(len(xs)):
            total += plain(xs[k])[0]
        return total

    tangents = srcad.batch(lambda x, e: srcad.jvp(f, (x,), (e,))[1], in_axes=(None, 0))
    every = srcad.batch_jacobian(f, mode="fwd")
    alone = srcad.batch(tangents, in_axes=(0, None))
    runs = {
        "primal": lambda: primal(samples),
        "jacobian": lambda: every(samples),
        "columns": lambda: alone(samples, units),
    }
    found = interleaved(runs, repeats)
    return {name: seconds / len(samples) for name, seconds in found.items()}


def hvp_row(case: Any, repeats: int) -> dict[str, float]:
    """Seconds of the gradient and of the Hessian times a vector."""
    f = case.objective.py_func
    arguments = case.arguments
    tangents = tuple(
        np.ones_like(a) if k in case.argnums else None for k, a in enumerate(arguments)
    )
    gradient = srcad.grad(f, case.argnums)
    product = srcad.jvp
    runs = {
        "gradient": lambda: gradient(*arguments),
        "hvp": lambda: product(gradient, arguments, tangents),
    }
    return interleaved(runs, repeats)


def measure(repeats: int) -> dict[str, Any]:
    """All rows."""
    from benchmarks.cases import cases

    jacobians = {}
    for name, (f, n) in FUNCTIONS.items():
        row: dict[str, Any] = jacobian_row(f, n, repeats)
        row["inputs"], row["runs"] = n, -(-n // 8)
        jacobians[name] = row
        print(name, row, flush=True)
    products = {}
    for case in cases():
        try:
            products[case.name] = hvp_row(case, repeats)
            print(case.name, products[case.name], flush=True)
        except srcad.SrcadError as reason:
            print(f"{case.name}: {reason}", flush=True)
    return {"jacobian": jacobians, "hvp": products}


def tables(found: dict[str, Any]) -> str:
    """The tables in Markdown."""
    lines = [
        "| function | inputs | function, us | jacobian, us | ratio | ratio a run of 8 "
        "| one column at a time, us |",
        "|---" * 7 + "|",
    ]
    for name, r in found["jacobian"].items():
        p, j, c = (1e6 * r[k] for k in ("primal", "jacobian", "columns"))
        lines.append(
            f"| {name} | {r['inputs']} | {p:.3g} | {j:.3g} | {j / p:.2f} "
            f"| {j / p / r['runs']:.2f} | {c:.3g} |"
        )
    lines += ["", "| objective | gradient, us | hvp, us | ratio |", "|---" * 4 + "|"]
    for name, r in found["hvp"].items():
        g, h = 1e6 * r["gradient"], 1e6 * r["hvp"]
        lines.append(f"| {name} | {g:.4g} | {h:.4g} | {h / g:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "forward.json")
    given = parser.parse_args()
    found = measure(given.repeats)
    given.out.parent.mkdir(exist_ok=True)
    given.out.write_text(json.dumps(found, indent=1) + "\n")
    print(tables(found))


if __name__ == "__main__":
    main()
