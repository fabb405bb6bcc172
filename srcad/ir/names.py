"""One ``Namer`` a function makes every generated name, so that no two ever collide.

In: the names already taken (the user's, Python's keywords, the modules generated code uses).
Out: fresh names, close to the wish.  Name collisions were the only bugs of the prototype.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable

MODULES = frozenset({"np", "math", "vmath", "atomic", "numba", "srcad"})
RESERVED = frozenset(keyword.kwlist) | frozenset(dir(builtins)) | MODULES
_SUFFIX = re.compile(r"_\d+$")


class Namer:
    """Hands out names that nobody has yet.

    >>> n = Namer(["x"])
    >>> n.fresh("x"), n.fresh("x"), n.fresh("y_b"), n.fresh("for")
    ('x_1', 'x_2', 'y_b', 'for_1')
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken: set[str] = set(RESERVED)
        self.taken.update(taken)
        self._next: dict[str, int] = {}

    def fresh(self, wish: str) -> str:
        """A new name: ``wish`` itself if free, else with the first free number."""
        if wish not in self.taken:
            self.taken.add(wish)
            return wish
        base = _SUFFIX.sub("", wish) or "v"
        number = self._next.get(base, 1)
        while f"{base}_{number}" in self.taken:
            number += 1
        self._next[base] = number + 1
        name = f"{base}_{number}"
        self.taken.add(name)
        return name
