"""Mutants that change nothing that could be observed, each with the reason.

Keys: operator, function, beginning of the text of the mutated place (see ``tests.mutants``).
"""

DRY = "dry run: the need is noted all the same, and what is emitted is thrown away"
SHAPE = "only the shape is asked for, and zeros have the same"

EQUIVALENT: dict[tuple[str, str, str], str] = {
    ("delete", "Adjoint.branch", "self.env = before"): (
        "overwritten below; where not, no adjoint has changed, so either side ends with the same"
    ),
    ("neutral", "Positions._again", "self.hoist(b, array, at)"): SHAPE,
    ("neutral", "Positions._again", "self.hoist(b, base, at)"): SHAPE,
    ("neutral", "LoopAdjoint._buffers", "adjoint.scopes.value(w)"): SHAPE,
    ("neutral", "Scopes._shadow", "self.value(made)"): DRY,
    ("neutral", "Scopes._shade", "self.value(x)"): DRY,
    ("delete", "Storage.decide", "self._trial = {}"): (
        "all that it still holds is committed, and committing again changes nothing"
    ),
    ("delete", "Storage._further_out", "self._trial = {}"): (
        "replaced below or by the caller; what it holds can be had anyway"
    ),
    ("delete", "Storage._further_out", "self._failed = failed | {v.name}"): (
        "a memory of what failed, which would be found out again"
    ),
    ("neutral", "Sweep._placeholder", "fit(self.b, fresh("): "no elements, and nobody reads it",
    ("dirty", "Sweep._placeholder", "fresh("): "no elements, and nobody reads it",
    ("neutral", "Forward.result", "fit(self.b, like("): "zeros of that shape are what it makes",
}
