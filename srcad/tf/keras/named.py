"""Looking things up by name: ``"relu"``, ``{"class_name": ..., "config": ...}``, classes, objects.

Also the automatic names of layers and models (``dense``, ``dense_1``, ...).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from srcad.tf.module import snake_case

_USED: Counter[str] = Counter()


def unique_name(base: str) -> str:
    """``dense``, then ``dense_1``, ``dense_2`` ..."""
    key = snake_case(base)
    _USED[key] += 1
    return key if _USED[key] == 1 else f"{key}_{_USED[key] - 1}"


def clear_names() -> None:
    """Start counting anew."""
    _USED.clear()


def found(kind: str, identifier: Any, table: Mapping[str, Any]) -> Any:
    """The object meant: strings are looked up (classes made), objects stay."""
    if isinstance(identifier, Mapping):
        return table[identifier["class_name"]](**identifier["config"])
    if isinstance(identifier, type):
        return identifier()
    if not isinstance(identifier, str):
        return identifier
    lower = identifier.lower()
    by_lower = {k.lower(): v for k, v in table.items()}
    if lower not in by_lower:
        raise ValueError(f"Unknown {kind}: {identifier!r}. There are: {', '.join(sorted(table))}.")
    value = by_lower[lower]
    return value() if isinstance(value, type) else value
