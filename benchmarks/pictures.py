"""Pictures of the kept results (needs Matplotlib)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import targets
from benchmarks.report import NAMES, tools


def draw(results: dict[str, Any], folder: Path) -> None:
    """``speed.png`` and ``growth.png``, of what there is."""
    folder.mkdir(parents=True, exist_ok=True)
    if results.get("rows"):
        speed(results, folder / "speed.png")
    if results.get("growth"):
        growth(results["growth"], folder / "growth.png")


def speed(results: dict[str, Any], path: Path) -> None:
    """Every case: times of all tools over srcad's, the limit among them."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    rows = results["rows"]
    figure, axes = plt.subplots(figsize=(9, 0.4 * len(rows) + 2.0))
    places = range(len(rows))[::-1]
    for name in ["limit", "primal", *tools(rows)]:
        x, y = [], []
        for place, row in zip(places, rows.values(), strict=True):
            seconds = row["seconds"]
            value = targets.limit(seconds) if name == "limit" else seconds.get(name)
            if value is not None:
                x.append(value / seconds["srcad"])
                y.append(place)
        axes.plot(x, y, "k|" if name == "limit" else "o", label=NAMES.get(name, name), ms=8)
    axes.axvline(1.0, color="black", lw=0.8)
    axes.set_yticks(list(places), list(rows))
    axes.set_xscale("log")
    axes.set_xlabel("time / srcad's time of value and gradient")
    axes.legend(fontsize="small", loc="upper right")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def growth(found: dict[str, Any], path: Path) -> None:
    """Time above, memory below, a column a problem."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(found), figsize=(4 * len(found), 7), squeeze=False)
    for k, (title, sizes) in enumerate(found.items()):
        names = [*dict.fromkeys(n for points in sizes.values() for n in points)]
        for row, key, scale in ((0, "seconds", 1e3), (1, "bytes", 1e-6)):
            for name in names:
                at = [int(n) for n, p in sizes.items() if name in p and p[name][key]]
                y = [scale * p[name][key] for p in sizes.values() if name in p and p[name][key]]
                axes[row, k].plot(at, y, "o-", label=NAMES.get(name, name))
            axes[row, k].set_xscale("log")
            axes[row, k].set_yscale("log")
        axes[0, k].set_title(title)
    axes[0, 0].set_ylabel("ms")
    axes[1, 0].set_ylabel("MB at the peak")
    axes[0, 0].legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
