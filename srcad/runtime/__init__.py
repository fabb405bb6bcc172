"""What generated code calls.

``RUNTIME_HELPERS`` maps the names that primitives' templates use to plain Python functions; the
printer copies the source of those that a module uses, and of the helpers these call, into its
text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any

from srcad.runtime import bessel, entropy, gamma, normal, special, storage

RUNTIME_HELPERS: dict[str, Callable[..., Any]] = {
    name: f
    for module in (special, normal, gamma, bessel, entropy, storage)
    for name, f in vars(module).items()
    if name.startswith("srcad_")
}


def with_callees(
    names: Iterable[str], table: Mapping[str, Callable[..., Any]] = RUNTIME_HELPERS
) -> list[str]:
    """The helpers of a table and those they call, sorted.

    >>> with_callees(["srcad_ndtri"])
    ['srcad_ndtri', 'srcad_normal_quantile']
    """
    found: set[str] = set()
    queue = list(names)
    while queue:
        f = table[name := queue.pop()]
        assert isinstance(f, FunctionType)
        found.add(name)
        queue += [n for n in f.__code__.co_names if n in table and n not in found]
    return sorted(found)
