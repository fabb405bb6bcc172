"""Derivative rules: what transforms and the frontend ask for.

Importing this package fills the registry.  Families: ``arithmetic``, ``elementary``,
``special``, ``probability``, ``nondiff``; ``declare`` is how a rule is written, ``expr`` what its
body uses.
"""

from srcad.rules import arithmetic, elementary, nondiff, probability, special
from srcad.rules.declare import not_implemented, scalar_rule, zero_rule
from srcad.rules.registry import (
    FUNCTIONS,
    REASONS,
    RULES,
    check_registry,
    guarded,
    has_rule,
    is_zero,
    needs,
    partials,
)

__all__ = [
    "FUNCTIONS",
    "REASONS",
    "RULES",
    "arithmetic",
    "check_registry",
    "elementary",
    "guarded",
    "has_rule",
    "is_zero",
    "needs",
    "nondiff",
    "not_implemented",
    "partials",
    "probability",
    "scalar_rule",
    "special",
    "zero_rule",
]
