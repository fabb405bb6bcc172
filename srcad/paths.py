"""Paths: how a compiled function finds what it captured again.

The frontend freezes captured numbers and functions into the code, and hands captured arrays over
as hidden arguments.  A path says where such a value stands: a global, a closure cell or an object,
then items and attributes from there.  Calling it gives the value of this moment.  Paths are data
and not lambdas, so that a cache on disk can describe them and another process can follow them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Path:
    """Where a value stands.

    Args:
        root: the object to start from.
        steps: what to do from there, each a pair: ``("item", key)``, ``("attr", name)``,
            ``("cell", None)`` (contents of a closure cell), ``("len", None)``, ``("keys", None)``
            or ``("same", other path)`` (whether both lead to one object).

    >>> Path({"a": [1, 2]}).item("a").item(1)()
    2
    """

    __slots__ = ("get", "root", "steps")

    def __init__(self, root: Any, steps: tuple[tuple[str, Any], ...] = ()) -> None:
        self.root, self.steps = root, steps
        self.get = getter(root, steps)

    def __call__(self) -> Any:
        """The value there now."""
        return self.get()

    def __reduce__(self) -> tuple[Any, ...]:
        return Path, (self.root, self.steps)

    def _step(self, kind: str, key: Any = None) -> Path:
        return Path(self.root, (*self.steps, (kind, key)))

    def item(self, key: Any) -> Path:
        """Path of an item."""
        return self._step("item", key)

    def attr(self, name: str) -> Path:
        """Path of an attribute."""
        return self._step("attr", name)

    def cell(self) -> Path:
        """Path of the contents of a closure cell."""
        return self._step("cell")

    def length(self) -> Path:
        """Path of the length of a container."""
        return self._step("len")

    def keys(self) -> Path:
        """Path of the keys of a dict."""
        return self._step("keys")

    def same(self, other: Path) -> Path:
        """Path of the truth that two paths lead to one object."""
        return self._step("same", other)

    def entry(self) -> tuple[Any, ...]:
        """The dict and the key, where the value is an entry of a dict; else nothing."""
        plain = len(self.steps) == 1 and self.steps[0][0] == "item" and type(self.root) is dict
        return (self.root, self.steps[0][1]) if plain else ()

    def identity(self) -> tuple[Any, ...]:
        """Equal for paths that take the same steps from the same object."""
        steps = ((k, x.identity() if isinstance(x, Path) else x) for k, x in self.steps)
        return id(self.root), tuple(steps)


def getter(root: Any, steps: tuple[tuple[str, Any], ...]) -> Callable[[], Any]:
    """A function that follows the steps."""
    if not steps:
        return lambda: root
    kind, key = steps[-1]
    if len(steps) == 1 and kind == "item":
        return lambda: root[key]
    if len(steps) == 1 and kind == "cell":
        return lambda: root.cell_contents
    before = getter(root, steps[:-1])
    if kind == "item":
        return lambda: before()[key]
    if kind == "attr":
        return lambda: getattr(before(), key)
    if kind == "cell":
        return lambda: before().cell_contents
    if kind == "len":
        return lambda: len(before())
    if kind == "keys":
        return lambda: tuple(before())
    assert kind == "same", kind
    return lambda: before() is key.get()
