"""What is measured: objectives, their data and adjoints by hand, and how they grow.

The ADBench problems are on its files where a folder is given and on random data of the same shape
otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import by_hand, by_hand_adbench, objectives
from examples import adbench

Arguments = tuple[Any, ...]


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Args:
        name: how the table calls it.
        objective: compiled by Numba.
        arguments: what it is called with.
        argnums: positions of the arguments that are differentiated.
        by_hand: the adjoint by hand as a plain function, giving value and gradients.
        styled: whether it is measured in other styles too (``benchmarks/variants``).
    """

    name: str
    objective: Callable[..., float]
    arguments: Arguments
    argnums: tuple[int, ...] = (0,)
    by_hand: Callable[..., Any] | None = None
    styled: bool = False


def mixture(d: int, k: int, n: int) -> Arguments:
    """Random data of a Gaussian mixture."""
    r = np.random.default_rng(0)
    return (
        r.normal(size=k),
        r.uniform(size=(k, d)),
        0.3 * r.normal(size=(k, d)),
        0.3 * r.normal(size=(k, d * (d - 1) // 2)),
        r.normal(size=(n, d)),
        1.0,
        0,
    )


def views(n: int, m: int, p: int) -> Arguments:
    """Random cameras, points and observations."""
    r = np.random.default_rng(1)
    cameras = np.tile([0.1, 0.2, -0.1, 0.5, 0.2, 0.1, 500.0, 1.0, 2.0, 0.01, 0.001], (n, 1))
    cameras[:, :6] += 0.1 * r.normal(size=(n, 6))
    points = r.normal(size=(m, 3)) + np.array([0.0, 0.0, 8.0])
    i = np.arange(p)
    seen = np.stack([i % n, i % m], axis=1)
    return cameras, points, np.full(p, 0.7), seen, 50.0 * r.normal(size=(p, 2))


def text(layers: int, characters: int, bits: int = 14) -> Arguments:
    """Random parameters and characters."""
    r = np.random.default_rng(2)
    return (
        r.random((2 * layers, 4 * bits)),
        r.random((3, bits)),
        r.random((2 * layers, bits)),
        r.integers(0, 2, size=(characters, bits)).astype(float),
    )


def start_of_wave(n: int) -> np.ndarray:
    """A sine above one."""
    return 1.0 + 0.5 * np.sin(2.0 * np.pi * np.arange(n) / n)


def numbers(n: int) -> np.ndarray:
    """Random numbers between 0 and 1."""
    return np.random.default_rng(3).random(n)


SHAPES = {  # of ADBench's files
    "gmm d2 K5 n1000": ("gmm_d2_K5", mixture, (2, 5, 1000)),
    "gmm d10 K25 n1000": ("gmm_d10_K25", mixture, (10, 25, 1000)),
    "gmm d32 K50 n1000": ("gmm_d32_K50", mixture, (32, 50, 1000)),
    "lstm l2 c1024": ("lstm_l2_c1024", text, (2, 1024)),
    "lstm l4 c1024": ("lstm_l4_c1024", text, (4, 1024)),
    "ba n49 m7776 p31843": ("ba1_n49_m7776_p31843", views, (49, 7776, 31843)),
    "ba n257 m65132 p225911": ("ba5_n257_m65132_p225911", views, (257, 65132, 225911)),
}
ADBENCH = {
    "gmm": (objectives.gmm, (0, 1, 2, 3), by_hand_adbench.gmm),
    "ba": (objectives.bundle, (0, 1, 2), by_hand_adbench.bundle),
    "lstm": (objectives.lstm, (0, 1), by_hand_adbench.lstm),
}
STYLED = ("gmm d10 K25 n1000", "lstm l2 c1024", "ba n49 m7776 p31843")


def adbench_cases(data: Path | None) -> list[Case]:
    """ADBench's problems, from its files if there is a folder that has them."""
    found = {p.stem: p for p in adbench.files(data, largest=True)} if data else {}
    rows = []
    for name, (stem, make, shape) in SHAPES.items():
        arguments = adbench.load(found[stem]).arguments if stem in found else make(*shape)
        objective, argnums, adjoint = ADBENCH[name.split()[0]]
        rows.append(Case(name, objective, arguments, argnums, adjoint, name in STYLED))
    return rows


def cases(data: Path | None = None) -> list[Case]:
    """All cases; the ADBench ones on the files of a folder, if given."""
    o, h = objectives, by_hand
    wave = start_of_wave(1000)
    sizes = (10_000, 100_000, 1_000_000)
    r = np.random.default_rng(4)
    return [
        *adbench_cases(data),
        *(
            Case(
                f"log_sum_exp n{n}", o.log_sum_exp, (numbers(n),), (0,), h.log_sum_exp, n == 10_000
            )
            for n in sizes
        ),
        Case("llsq n4096 m128", o.misfit, (numbers(128), 4096), (0,), h.misfit, True),
        Case("ode n1000 s100", o.chain, (numbers(1000), 100), (0,), h.chain, True),
        Case("reactions n1000 s100", o.reactions, (numbers(1000), 100), (0,), h.chain),
        Case("burgers n1000 t1000", o.burgers, (wave, 1000, 0.2, 0.2), (0,), h.burgers, True),
        Case(
            "burgers in place n1000 t1000",
            o.burgers_in_place,
            (wave, 1000, 0.2, 0.2),
            by_hand=h.burgers,
        ),
        Case("rosenbrock n10", o.rosenbrock, (numbers(10),), (0,), h.rosenbrock, True),
        Case("sin(x) x", o.wave, (0.7,), (0,), h.wave, True),
        Case("roots n10000", o.roots, (r.uniform(0.5, 2.0, 10_000),), (0,), h.roots),
    ]


def growing() -> dict[str, list[Case]]:
    """Title -> a case in three sizes, each ten times the one before."""
    o, h, a = objectives, by_hand, by_hand_adbench
    return {
        "log_sum_exp, numbers": [
            Case(str(n), o.log_sum_exp, (numbers(n),), (0,), h.log_sum_exp)
            for n in (10_000, 100_000, 1_000_000)
        ],
        "gmm d10 K25, points": [
            Case(str(n), o.gmm, mixture(10, 25, n), (0, 1, 2, 3), a.gmm)
            for n in (100, 1000, 10_000)
        ],
        "lstm l2, characters": [
            Case(str(n), o.lstm, text(2, n), (0, 1), a.lstm) for n in (100, 1000, 10_000)
        ],
        "burgers n1000, steps": [
            Case(str(t), o.burgers, (start_of_wave(1000), t, 0.2, 0.2), (0,), h.burgers)
            for t in (100, 1000, 10_000)
        ],
    }
