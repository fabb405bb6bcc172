"""The table of supported functions, made from the registries: ``docs/functions.md``.

``python -m tests.support`` rewrites it; ``tests/test_support.py`` fails where it has drifted, or
where Numba knows a function of NumPy that is neither supported nor given a reason.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg
import scipy.special

from srcad.frontend.core import CALLS
from srcad.library import LIBRARY, complete
from srcad.rules import FUNCTIONS, REASONS, RULES
from tests.samples import Draw

PAGE = Path(__file__).resolve().parents[1] / "docs" / "functions.md"
MODULES: dict[str, Any] = {
    "": builtins,
    "math": math,
    "np": np,
    "np.linalg": np.linalg,
    "np.random": np.random,
    "np.polynomial.polynomial": np.polynomial.polynomial,
    "scipy.special": scipy.special,
    "scipy.linalg": scipy.linalg,
}
HEAD = """\
# Supported functions

Made from the registries by `python -m tests.support`; do not edit. *primitive*: a rule gives its
partial derivatives; *library*: written in the language itself, so its derivatives follow from its
code; *compiler*: lowered to loops or array operations. Forward and reverse mode, and derivatives of
every order, exist for all that is not marked: **zero** is a derivative that is zero wherever it
exists, **no** one that is refused, with the reason. Floats are float64 and float32 (the result's
type is the one that Numba gives it); integers and bools take part with derivative zero. In CUDA
kernels nothing is supported yet.

| function | kind | forward | reverse | second order | notes |
|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Row:
    """One public function."""

    name: str
    kind: str
    derivative: str  # "yes", "zero" or "no"
    meaning: Any = None  # equal for two names of one thing
    notes: str = ""

    def __str__(self) -> str:
        cells = [f"`{self.name}`", self.kind, *[self.derivative] * 3, self.notes]
        return f"| {' | '.join(cells)} |"


def public_names(module: Any) -> Iterator[tuple[str, Any]]:
    """What a module offers."""
    for name in sorted(n for n in dir(module) if not n.startswith("_")):
        if callable(found := getattr(module, name, None)):
            yield name, found


def constant(f: Callable[..., Any]) -> bool:
    """Whether the samples of a function of the library only ask for values."""
    return not any(call.smooth for call in LIBRARY[f].samples(Draw()))


def row_of(name: str, f: Any) -> Row | None:
    """What is known of a function."""
    if f in complete(everything=True):
        entry = LIBRARY[f]
        return Row(name, "library", "zero" if constant(f) else "yes", entry.code, entry.notes)
    if f in FUNCTIONS:
        op = FUNCTIONS[f]
        return Row(name, "primitive", "zero" if RULES[op].zero else "yes", op)
    if f in CALLS:
        return Row(name, "compiler", "yes", CALLS[f])
    reason = REASONS.get(f)
    return Row(name, "-", "no", None, reason) if reason else None


def rows() -> list[Row]:
    """All rows, by module and name."""
    found = []
    for prefix, module in MODULES.items():
        for name, f in public_names(module):
            try:
                row = row_of(f"{prefix}.{name}" if prefix else name, f)
            except TypeError:  # not hashable
                continue
            if row is not None:
                found.append(row)
    return found


def page() -> str:
    """The page."""
    return HEAD + "\n".join(map(str, rows())) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
