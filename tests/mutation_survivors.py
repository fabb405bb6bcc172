"""Mutants that change nothing that could be observed, each with the reason.

Keys: operator, function, beginning of the text of the mutated place (see ``tests.mutants``).
"""

EQUIVALENT: dict[tuple[str, str, str], str] = {}
