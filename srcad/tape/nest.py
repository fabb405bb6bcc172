"""Nested structures of tensors: lists, tuples, named tuples and dictionaries (by sorted key)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_LEAVES: set[type] = set()  # types known not to be containers: asking takes long


def is_nested(structure: Any) -> bool:
    """Whether a value is a container that is looked into."""
    kind = type(structure)
    if kind in _LEAVES:
        return False
    if issubclass(kind, list | tuple | Mapping):
        return True
    _LEAVES.add(kind)
    return False


def flatten(structure: Any) -> list[Any]:
    """The leaves, in order."""
    if not is_nested(structure):
        return [structure]
    if isinstance(structure, Mapping):
        structure = [structure[k] for k in sorted(structure)]
    return [leaf for part in structure for leaf in flatten(part)]


def pack_sequence_as(structure: Any, flat: Any) -> Any:
    """The same structure with other leaves."""
    return _packed(structure, iter(flat)) if is_nested(structure) else next(iter(flat))


def map_structure(f: Callable[..., Any], *structures: Any) -> Any:
    """``f`` of the corresponding leaves."""
    leaves = zip(*map(flatten, structures), strict=True)
    return pack_sequence_as(structures[0], [f(*xs) for xs in leaves])


def assert_same_structure(a: Any, b: Any) -> None:
    """Refuse two structures that differ."""
    if map_structure(lambda x: 0, a) != map_structure(lambda x: 0, b):
        raise ValueError(f"The two structures don't have the same nested structure: {a}, {b}")


def _packed(structure: Any, leaves: Iterator[Any]) -> Any:
    if isinstance(structure, Mapping):
        found = {k: _packed(structure[k], leaves) for k in sorted(structure)}
        return type(structure)((k, found[k]) for k in structure)  # type: ignore[call-arg]
    if isinstance(structure, tuple) and hasattr(structure, "_fields"):
        return type(structure)(*[_packed(s, leaves) for s in structure])
    if isinstance(structure, list | tuple):
        made = [_packed(s, leaves) for s in structure]
        return tuple(made) if isinstance(structure, tuple) else made
    return next(leaves)
