"""One workload of each eval for the comparison, in the form of GradBench's inputs."""

from __future__ import annotations

from typing import Any

import numpy as np


def workloads() -> dict[str, Any]:
    """Label -> (eval, functions, input); data are the same on every call."""
    r = np.random.default_rng(31337)
    points = r.random((10_000, 16))
    d, k = 10, 25
    mixture = {
        "d": d,
        "k": k,
        "n": 1000,
        "x": r.normal(size=(1000, d)),
        "m": 0,
        "gamma": 1.0,
        "alpha": r.normal(size=k),
        "mu": r.random((k, d)),
        "q": r.normal(size=(k, d)),
        "l": r.normal(size=(k, d * (d - 1) // 2)),
    }
    network = {
        "main_params": r.random((4, 56)),
        "extra_params": r.random((3, 14)),
        "state": r.random((4, 14)),
        "sequence": r.integers(0, 2, (1024, 14)).astype(float),
    }
    bundle = {
        "n": 49,
        "m": 7776,
        "p": 31843,
        "cam": [0.01, -0.02, 0.03, 0.5, 0.2, 0.1, 500.0, 1.0, 2.0, 0.01, 0.001],
        "x": [0.3, -0.2, 8.0],
        "w": 0.7,
        "feat": [3.0, -4.0],
    }
    return {
        "hello": ("hello", ["double"], 3.0),
        "lse n=80000": ("lse", ["gradient"], {"x": r.random(80_000)}),
        "llsq n=4096 m=128": ("llsq", ["gradient"], {"x": r.random(128), "n": 4096}),
        "ode n=1000 s=100": ("ode", ["gradient"], {"x": 0.5 + r.random(1000), "s": 100}),
        "kmeans k=100 n=10000 d=16": (
            "kmeans",
            ["dir"],
            {"points": points, "centroids": points[-100:]},
        ),
        "det 7": ("det", ["gradient"], {"A": r.random(49), "ell": 7}),
        "gmm d=10 k=25 n=1000": ("gmm", ["jacobian"], mixture),
        "lstm l=2 c=1024": ("lstm", ["jacobian"], network),
        "ba n=49 m=7776 p=31843": ("ba", ["jacobian"], bundle),
        "ht 26 parameters, 100 points": ("ht", ["jacobian"], hand(r)),
        "particle": ("particle", ["ff", "fr", "rf", "rr"], {"w": 0.0}),
        "saddle": ("saddle", ["ff", "fr", "rf", "rr"], {"start": [1.0, 1.0]}),
    }


def hand(r: np.random.Generator, vertices: int = 544, count: int = 100) -> dict[str, Any]:
    """A complicated hand tracking problem: 22 bones, each vertex moved by at most four."""
    bones = 22
    parents = [-1, *(0 if b % 4 == 1 else b - 1 for b in range(1, 21)), 0]
    maps = np.tile(np.eye(4), (2, bones, 1, 1))
    maps[:, :, :3] += 0.1 * r.normal(size=(2, bones, 3, 4))
    weights = np.zeros((vertices, bones))
    rows = np.arange(vertices)[:, None]
    weights[rows, r.integers(0, bones, (vertices, 4))] = 0.25
    model = {
        "parents": parents,
        "base_relatives": maps[0],
        "inverse_base_absolutes": maps[1],
        "base_positions": np.concatenate([r.normal(size=(vertices, 3)), np.ones((vertices, 1))], 1),
        "weights": weights,
        "triangles": r.integers(0, vertices, (2 * vertices, 3)),
        "is_mirrored": False,
    }
    data = {
        "model": model,
        "correspondences": r.integers(0, 2 * vertices, count),
        "points": r.normal(size=(count, 3)),
    }
    return {"theta": 0.3 * r.normal(size=26), "data": data, "us": r.random((count, 2))}
