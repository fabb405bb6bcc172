"""Tables in Markdown from the kept results.

In: the results as ``benchmarks.compare`` keeps them.  Out: text; ``readme`` gives the part of the
README.  What was not measured shows ``-``; what misses a target says by how much.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import targets

RESULTS = Path(__file__).resolve().parent / "results" / "speed.json"
NAMES = {"torch": "PyTorch", "jax": "JAX", "casadi": "CasADi", "tf eager": "TF eager"}
MISSING = "-"


def number(x: float | None, digits: int = 3) -> str:
    """So many significant digits, no exponent."""
    if x is None:
        return MISSING
    return f"{x:.0f}" if abs(x) >= 10 ** (digits - 1) else f"{x:#.{digits}g}".rstrip(".")


def size(x: float | None) -> str:
    """Bytes in words."""
    if x is None:
        return MISSING
    for unit in ("B", "kB", "MB"):
        if x < 999.5:
            return f"{x:.0f} {unit}" if unit == "B" else f"{x:.3g} {unit}"
        x /= 1000
    return f"{x:.3g} GB"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def tools(rows: dict[str, Any]) -> list[str]:
    """Other tools that were measured, in order."""
    own = {"primal", "srcad", "by hand", "by hand, fast"}
    return [*dict.fromkeys(n for r in rows.values() for n in r["seconds"] if n not in own)]


def main_table(rows: dict[str, Any]) -> str:
    """The cases: times, ratios, memory, what is missed."""
    others = tools(rows)
    head = ["case", "primal, ms", "srcad, ms", "/ limit", "/ primal"]
    head += [f"{NAMES.get(n, n)} / srcad" for n in others]
    head += ["first call, s", "JAX's, s", "warm, s", "tape", "target"]
    lines = []
    for case, row in rows.items():
        seconds, found, first = row["seconds"], targets.ratios(row), row["first"]
        cells = [case, number(1e3 * seconds["primal"]), number(1e3 * seconds["srcad"])]
        cells += [ratio(found.get("limit")), ratio(found["primal"])]
        cells += [ratio(seconds[n] / seconds["srcad"] if n in seconds else None) for n in others]
        cells += [number(first["srcad"], 2), number(first.get("jax"), 2)]
        cells += [number(row.get("warm"), 2), size(row.get("tape"))]
        lines.append([*cells, targets.verdict(case, row)])
    return table(head, lines)


def ratio(x: float | None) -> str:
    """Two digits behind the point, or none of a large one."""
    if x is None:
        return MISSING
    return f"{x:.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.2f}"


def variant_table(rows: dict[str, Any], originals: dict[str, Any]) -> str:
    """The variants beside their originals."""
    head = ["case", "variant", "primal, ms", "srcad, ms", "/ limit", "/ primal"]
    head += ["/ limit, over the original's", "/ primal, over the original's", ""]
    lines = []
    for case, kinds in rows.items():
        for kind, row in kinds.items():
            beside, found = targets.variant(row, originals[case]), targets.ratios(row)
            seconds = row["seconds"]
            lines.append(
                [
                    case,
                    kind,
                    number(1e3 * seconds["primal"]),
                    number(1e3 * seconds["srcad"]),
                    ratio(found.get("limit")),
                    ratio(found["primal"]),
                    ratio(beside.limit),
                    ratio(beside.primal),
                    beside.verdict,
                ]
            )
    return table(head, lines)


def growth_table(found: dict[str, Any]) -> str:
    """Milliseconds and memory by size."""
    names = [*dict.fromkeys(n for s in found.values() for p in s.values() for n in p)]
    head = ["problem", "size", *(f"{NAMES.get(n, n)}" for n in names), "srcad's tape"]
    lines = []
    for title, sizes in found.items():
        for at, points in sizes.items():
            cells = [
                f"{number(1e3 * points[n]['seconds'])} ms, {size(points[n]['bytes'])}"
                if n in points
                else MISSING
                for n in names
            ]
            lines.append([title, at, *cells, size(points["srcad"]["tape"])])
    return table(head, lines)


def overhead_table(found: dict[str, Any]) -> str:
    """What a call costs from Python."""
    head = ["arguments", "srcad, ns", "by hand, ns", "overhead, ns"]
    lines = [
        [name, f"{ours:.0f}", f"{hand:.0f}", f"{ours - hand:.0f}"]
        for name, (ours, hand) in found.items()
    ]
    return table(head, lines)


def counted(rows: dict[str, Any]) -> str:
    """How many rows miss."""
    wanted = {c: targets.misses(c, r) for c, r in rows.items() if targets.has_target(c)}
    missed = {c: max(m.values()) for c, m in wanted.items() if m}
    if not missed:
        return f"All {len(wanted)} rows with a target meet it."
    worst = max(missed, key=lambda c: missed[c])
    return (
        f"{len(missed)} of {len(wanted)} rows with a target miss it, the furthest is {worst} "
        f"({missed[worst]:.2f}x)."
    )


def counted_variants(rows: dict[str, Any], originals: dict[str, Any]) -> str:
    """How many variants miss."""
    missed = [
        (f"{case}, {kind}", by)
        for case, kinds in rows.items()
        for kind, row in kinds.items()
        if (by := targets.variant(row, originals[case])).missed
    ]
    total = sum(map(len, rows.values()))
    return f"{len(missed)} of {total} variants are slower than their original by more than 1.3x."


def tables(results: dict[str, Any]) -> str:
    """Everything that was measured."""
    parts = [results["about"]]
    rows = results.get("rows", {})
    if rows:
        parts += [main_table(rows), counted(rows)]
    if results.get("variants"):
        parts += [
            variant_table(results["variants"], rows),
            counted_variants(results["variants"], rows),
        ]
    if results.get("growth"):
        parts.append(growth_table(results["growth"]))
    if results.get("overhead"):
        parts.append(overhead_table(results["overhead"]))
    return "\n\n".join(parts) + "\n"


def readme() -> str:
    """The README's part, from the kept results."""
    results = json.loads(RESULTS.read_text())
    rows = results["rows"]
    parts = [results["about"], main_table(rows), counted(rows)]
    if results.get("variants"):
        parts[-1] += " " + counted_variants(results["variants"], rows)
    return "\n\n".join(parts) + "\n"
