"""ADBench's files where they are, and small generated ones of the same formats where not."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np


def real_folder() -> Path | None:
    """The folder named by SRCAD_ADBENCH, or shared/data/adbench beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "adbench"
    folder = Path(os.environ.get("SRCAD_ADBENCH") or beside)
    return folder if folder.is_dir() else None


def numbers(array) -> str:
    """One line of numbers, every digit kept."""
    return " ".join(repr(float(x)) for x in np.ravel(array))


def write_gmm(path: Path, d: int = 3, k: int = 4, n: int = 12, seed: int = 0) -> None:
    """A mixture file."""
    r = np.random.default_rng(seed)
    lines = [f"{d} {k} {n}"]
    lines += [numbers(a) for a in r.normal(size=k)]
    lines += [numbers(row) for row in r.uniform(size=(k, d))]
    lines += [numbers(row) for row in 0.3 * r.normal(size=(k, d * (d + 1) // 2))]
    lines += [numbers(row) for row in r.normal(size=(n, d))]
    path.write_text("\n".join([*lines, "1 0"]) + "\n")


def write_ba(path: Path, n: int = 3, m: int = 5, p: int = 11, seed: int = 0) -> None:
    """A bundle adjustment file: one camera, one point, one weight, one measurement."""
    r = np.random.default_rng(seed)
    camera = [
        *(0.3 * r.normal(size=3)),
        *r.normal(size=3),
        500.0,
        *(10.0 * r.normal(size=2)),
        0.01,
        0.001,
    ]
    point = r.normal(size=3) + np.array([0.0, 0.0, 8.0])
    lines = [
        f"{n} {m} {p}",
        numbers(camera),
        numbers(point),
        numbers(0.7),
        numbers(50.0 * r.normal(size=2)),
    ]
    path.write_text("\n".join(lines) + "\n")


def write_lstm(
    path: Path, layers: int = 2, characters: int = 6, bits: int = 4, seed: int = 0
) -> None:
    """A network file."""
    r = np.random.default_rng(seed)
    lines = [f"{layers} {characters} {bits}"]
    lines += [numbers(row) for row in r.uniform(size=(2 * layers, 4 * bits))]
    lines += [numbers(row) for row in r.uniform(size=(3, bits))]
    lines += [numbers(row) for row in r.uniform(size=(2 * layers, bits))]
    lines += [numbers(row) for row in r.integers(0, 2, size=(characters, bits))]
    path.write_text("\n".join(lines) + "\n")


def write_folder(folder: Path) -> Path:
    """A folder laid out like ADBench's, one small file of each kind."""
    for kind, write in (("gmm", write_gmm), ("ba", write_ba), ("lstm", write_lstm)):
        (folder / kind).mkdir(parents=True)
        write(folder / kind / f"{kind}_small.txt")
    return folder
