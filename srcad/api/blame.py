"""Which line of a function explains that a derivative of it is wrong.

In: a function, points, directions, and by how much a derivative is wrong there.  Out: a ``Blame``:
the line whose contribution (``transforms.contributions``) is most nearly proportional to the error
over all points, and the factor.  A term that was never differentiated, a wrong sign, a forgotten
factor are exact multiples of what one line contributes.  Any other mistake is not in a line that
only adds and scales: of the others, the one that fits best is named.  Of lines that fit equally
it is the last one that does more than add and scale.
"""

from __future__ import annotations

import linecache
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from srcad.api.fitting import fit
from srcad.api.function import Transformed
from srcad.api.higher import snapshot
from srcad.api.jacobians import silent
from srcad.api.programs import captured_count, move_captures
from srcad.api.safety import compiling
from srcad.api.specialisation import Specialisation, make
from srcad.compiler import Program
from srcad.frontend.arguments import Leaf, leaves_of
from srcad.ir.nodes import Loc
from srcad.ir.types import is_float
from srcad.specs import pack
from srcad.transforms.contributions import contributions, curved, lines

EXACT = 1e-5  # of the error's square: what a fit may leave unexplained to be called exact
TIE = 1e-3


@dataclass(frozen=True)
class Blame:
    """A line, the multiple of its contribution that was missing, how well that fits (0 to 1)."""

    loc: Loc
    factor: float
    fit: float

    @property
    def text(self) -> str:
        """The source of the line."""
        return linecache.getline(self.loc.file, self.loc.line).strip()

    def share(self) -> str:
        """The factor in words."""
        return f"{self.factor:.4g} times" if 1.0 - self.fit <= EXACT else "most like"

    def explanation(self, what: str = "the hand-written derivative") -> str:
        """What is wrong with the line's contribution to ``what``."""
        if 1.0 - self.fit > EXACT:
            return (
                "the error is no multiple of what a line contributes; that of this line fits best"
            )
        if abs(self.factor + 1.0) < 1e-3:
            return f"{what} lacks the contribution of this line"
        if abs(self.factor + 2.0) < 1e-3:
            return f"{what} has the contribution of this line with the wrong sign"
        return f"{what} has {1.0 + self.factor:.4g} times the contribution of this line"


class Lines:
    """The contributions of the lines of a function, for given kinds of arguments."""

    def __init__(
        self, f: Transformed, specs: dict[str, Any], varied: set[int] | None = None
    ) -> None:
        """``varied`` are the positions of the parameters that the derivative is about."""
        options = f.options
        with compiling(f):
            program = self.plain(f, specs)
            count = captured_count(program)
            total = len(program.fn.params)
            self.active = tuple(
                k < total - count and is_float(p.type) for k, p in enumerate(program.fn.params)
            )
            self.arguments = program.arguments
            self.places = list(lines(program.fn).values())
            about = (varied is None or k in varied for k in range(total))
            self.bent = curved(
                program.fn, tuple(a and b for a, b in zip(self.active, about, strict=True))
            )
            fn = contributions(replace(program.fn, body=silent(program.fn).body), self.active)
            fn = move_captures(fn, count, total)
            kinds = [p.type for p in fn.params[total - count : len(fn.params) - count]]
            self.kinds = kinds[:-1]  # of the tangents; the last are the weights
            arguments = {**program.arguments, ".more": pack(tuple(map(Leaf, kinds)))}
            out = pack(tuple(Leaf(y.type) for y in fn.body.yields))
            program = replace(program, options=options)
            made = program.with_fn(fn, arguments=arguments, out=out)
            self.special: Specialisation = make(made)

    @staticmethod
    def plain(f: Transformed, specs: dict[str, Any]) -> Program:
        """The program as it was lowered: no line is merged with another."""
        base: Any = f
        while isinstance(base, Transformed):
            if type(base).program is not Transformed.program:
                return f.program(specs)
            base = base.inner
        from srcad.api.inside import lowered

        return lowered(base, specs, replace(f.options, debug=True))

    def unit(self, bound: dict[str, Any], leaf: int, element: int) -> list[Any]:
        """The direction of one element of one parameter."""
        out: list[Any] = []
        args = [x for k, v in bound.items() for x in leaves_of(v, self.arguments[k])]
        for k, x in enumerate(args):
            if self.active[k]:
                t = np.zeros(np.shape(x))
                if k == leaf:
                    t.flat[element] = 1.0
                out.append(t)
        return out

    def at(self, bound: dict[str, Any], direction: list[Any]) -> np.ndarray:
        """A row of tangents of all results for every line: what the line contributes."""
        args = [x for k, v in bound.items() for x in leaves_of(v, self.arguments[k])]
        given = [x for x, on in zip(args, self.active, strict=False) if on]
        tangents = [
            fit(t, x, Leaf(kind), "a direction")
            for t, x, kind in zip(direction, given, self.kinds, strict=True)
        ]

        def run(weights: np.ndarray) -> np.ndarray:
            weights.flags.writeable = False
            results = self.special([*map(snapshot, args), *map(snapshot, tangents), weights])
            return np.concatenate([np.ravel(r) for r in results])

        whole = run(np.ones(len(self.places)))
        rows = [run(1.0 - np.eye(len(self.places))[k]) for k in range(len(self.places))]
        return np.array([whole - r for r in rows])

    def blame(self, errors: np.ndarray, parts: np.ndarray) -> Blame | None:
        """The line whose contributions ``parts[line]`` explain the errors."""
        good = np.isfinite(errors) & np.all(np.isfinite(parts), axis=0)
        errors, parts = errors[good], parts[:, good]
        size = float(errors @ errors)
        found = []
        for k, part in enumerate(parts):
            own = float(part @ part)
            if own == 0.0 or size == 0.0:
                continue
            factor = float(part @ errors) / own
            rest = errors - factor * part
            found.append((1.0 - float(rest @ rest) / size, k, factor))
        if not found:
            return None
        bent = [x for x in found if (self.places[x[1]].file, self.places[x[1]].line) in self.bent]
        best = max(score for score, _, _ in found)
        if bent and 1.0 - best > EXACT:
            found, best = bent, max(score for score, _, _ in bent)
        equal = [x for x in found if x[0] > best - TIE]
        bent = [x for x in equal if x in bent]
        score, k, factor = max(bent or equal, key=lambda x: x[1])
        return Blame(self.places[k], factor, score)
