"""The ways that points take through a function, and the sides of branches that none takes."""

from __future__ import annotations

import linecache
import re
from dataclasses import replace
from typing import Any

import numpy as np

from srcad.api.function import Transformed
from srcad.api.higher import snapshot
from srcad.api.jacobians import silent
from srcad.api.safety import compiling
from srcad.api.specialisation import Specialisation, make
from srcad.frontend.arguments import Leaf, Spec, leaves_of
from srcad.ir.nodes import Block, Loc
from srcad.ir.types import I8
from srcad.specs import pack
from srcad.transforms.coverage import COUNTS, branches, covered
from srcad.transforms.fingerprint import fingerprinted


class Walks:
    """The ways that points take through a function, and the sides of its branches."""

    def __init__(self, f: Transformed) -> None:
        self.f = f
        self.ways: set[Any] = set()
        self.taken: dict[tuple[Loc, int], int] = {}
        self.made: dict[Any, tuple[Specialisation, list[Loc | None]]] = {}

    def note(self, bound: dict[str, Any]) -> None:
        """Count one point."""
        specs = self.f.specs(bound)
        key = tuple(specs.items())
        if key not in self.made:
            with compiling(self.f):
                self.made[key] = self.compiled(specs)
        special, places = self.made[key]
        leaves = [snapshot(x) for k, v in bound.items() for x in leaves_of(v, specs[k])]
        way, counts = special(leaves)
        discrete = [np.asarray(x).tobytes() for x in leaves if np.asarray(x).dtype.kind in "iub"]
        sides = (counts > 0).tobytes()  # branches that only compute numbers are not in ``way``
        self.ways.add((key, way, sides, tuple(map(np.shape, leaves)), *discrete))
        for k, place in enumerate(places):
            if place is not None:
                for side in (0, 1):
                    here = (place, side)
                    self.taken[here] = self.taken.get(here, 0) + int(counts[2 * k + side])

    def compiled(self, specs: dict[str, Spec]) -> tuple[Specialisation, list[Loc | None]]:
        """The function that tells the way, and the places of its branches."""
        program = self.f.program(specs)
        fn = fingerprinted(replace(program.fn, body=silent(program.fn).body))
        places = branches(fn)
        fn = covered(fn)
        fn = replace(fn, body=Block(fn.body.stmts, fn.body.yields[-2:]))
        return make(program.with_fn(fn, out=pack((Leaf(I8), Leaf(COUNTS))))), places

    def untaken(self) -> tuple[tuple[Loc, bool], ...]:
        """The sides of the user's branches that no point took."""
        out = []
        for (place, side), total in self.taken.items():
            text = linecache.getline(place.file, place.line)
            if not total and re.search(r"\b(if|elif)\b", text):
                out.append((place, side == 0))
        return tuple(out)
