"""What the table is to show, and whether it does.

A target bounds ratios of times taken in one interleaved run: the gradient over the limit (the
faster of the adjoints by hand, strict and with flags), over the primal, and how many times longer
JAX takes; and the tape, in histories of the state.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """Bounds of a row; ``None`` where there is none."""

    limit: float | None = None
    primal: float | None = None
    jax: float | None = None
    tape: int | None = None


TARGETS = {
    "gmm d10 K25": Target(1.1, 2.4, 1.0),
    "gmm d32 K50": Target(1.1, 2.4, 1.0),
    "lstm": Target(1.0, 1.3, 4.0),
    "ba": Target(1.1, 3.0, 5.0),
    "log_sum_exp n10000 ": Target(1.0, 1.2, 1.0),
    "log_sum_exp n1000000": Target(1.0, 1.2),
    "llsq": Target(1.0, 2.0, 2.5),
    "ode": Target(1.1, 3.0, 1.0),
    "burgers n1000 t1000": Target(1.1, 6.0, 3.0, tape=8 * 1000 * 1001),
    "rosenbrock": Target(1.3, None, 10.0),
    "sin(x) x": Target(1.3, None, 10.0),
}
WORSE = 1.3  # of a variant's ratio over the original's


def target(case: str) -> Target:
    """That of a row, by how its name begins (a blank at the end ends a word)."""
    return next((t for name, t in TARGETS.items() if f"{case} ".startswith(name)), Target())


def limit(seconds: dict[str, float]) -> float | None:
    """The faster of the adjoints by hand."""
    found = [seconds[n] for n in ("by hand", "by hand, fast") if n in seconds]
    return min(found) if found else None


def ratios(row: dict[str, Any]) -> dict[str, float]:
    """What targets bound, of a row of results; what was not measured is left out."""
    seconds = row["seconds"]
    ours, by_hand = seconds["srcad"], limit(seconds)
    found = {"primal": ours / seconds["primal"]}
    if by_hand is not None:
        found["limit"] = ours / by_hand
    if "jax" in seconds:
        found["jax"] = seconds["jax"] / ours
    if row.get("tape") is not None:
        found["tape"] = row["tape"]
    return found


def misses(case: str, row: dict[str, Any]) -> dict[str, float]:
    """Which bounds a row misses, and by what factor; bounds on what was not measured count not."""
    wanted, found = target(case), ratios(row)
    factors = {
        "limit": over(found.get("limit"), wanted.limit),
        "primal": over(found.get("primal"), wanted.primal),
        "jax": over(wanted.jax, found.get("jax")),
        "tape": over(found.get("tape"), wanted.tape),
    }
    return {name: factor for name, factor in factors.items() if factor is not None and factor > 1.0}


def over(value: float | None, bound: float | None) -> float | None:
    """How many times larger than the bound."""
    return None if value is None or bound is None else value / bound


def has_target(case: str) -> bool:
    """Whether a row is one of the targets'."""
    return target(case) != Target()


def verdict(case: str, row: dict[str, Any]) -> str:
    """Of a row: ``met``, or what is missed by how much; empty without a target."""
    if not has_target(case):
        return ""
    missed = misses(case, row)
    return ", ".join(f"{name} missed {by:.2f}x" for name, by in missed.items()) or "met"


@dataclass(frozen=True)
class Variant:
    """A variant's ratios over the original's."""

    limit: float | None
    primal: float

    @property
    def factor(self) -> float:
        """How many times slower: by the limit's measure, where there is a limit."""
        return self.primal if self.limit is None else self.limit

    @property
    def missed(self) -> bool:
        """Whether that is too much."""
        return self.factor > WORSE

    @property
    def verdict(self) -> str:
        """In words; whether the primal of this style is slower as well is seen beside it."""
        if not self.missed:
            return "met"
        same = " (so is its primal)" if self.primal <= WORSE else ""
        return f"missed {self.factor:.2f}x{same}"


def variant(row: dict[str, Any], original: dict[str, Any]) -> Variant:
    """A variant beside its original."""
    new, old = ratios(row), ratios(original)
    by_limit = new["limit"] / old["limit"] if "limit" in new and "limit" in old else None
    return Variant(by_limit, new["primal"] / old["primal"])
