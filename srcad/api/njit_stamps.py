"""What a cached caller knows of the derivatives compiled into it.

Numba's cache on disk looks at the file of the cached function only.  So a function with
``cache=True`` that holds a derivative carries a ``Stamp`` among its constants: where the object is
found, and a key of what each call of it computes.  When Numba loads the function in another process
it rebuilds the stamp, which finds the object there, generates its code again (without compiling it)
and compares keys; if anything has changed, ``Stale`` tells Numba that the cache has nothing.

Invariant: what cannot be found by name under a module is never taken from a cache.
Limits: a cached function that calls another cached function which holds a derivative does not know;
that is so for every callee in Numba.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from srcad.api.function import Transformed


class Stale(OSError):
    """Numba takes an ``OSError`` while it reads its cache as "not there"."""


class Stamp:
    """A constant of a caller: equal content, equal stamp."""

    def __init__(self, obj: Any) -> None:
        self.obj = obj

    def __reduce__(self) -> Any:
        found = self.obj.__dict__.get("_njit", {})
        where = reference(self.obj)
        calls = [
            (args, kws, glue.key) for (_, device, args, kws), glue in found.items() if not device
        ]
        return verified, (where, calls)


def reference(obj: Any) -> Any:
    """How to find an object in another process, ``None`` if there is no way."""
    names = [
        (module.__name__, name)
        for module in list(sys.modules.values())
        if isinstance(module, types.ModuleType) and not module.__name__.startswith("srcad.")
        for name, value in list(vars(module).items())
        if value is obj
    ]
    if names:
        return "names", sorted(set(names))
    parts = obj.chain() if hasattr(obj, "chain") else None
    if parts is None and isinstance(obj, Transformed):
        parts = obj.state()
    if parts is None:
        return None
    inner = reference(parts[0])
    return None if inner is None else ("made", type(obj), inner, parts[1:])


def resolved(where: Any) -> list[Any]:
    """The objects that a reference may mean now.

    Raises:
        Stale: one of the names is gone.
    """
    if where is None:
        raise Stale("a derivative that has no name")
    if where[0] == "names":
        try:
            return [getattr(sys.modules[m], n) for m, n in where[1]]
        except (KeyError, AttributeError) as e:
            raise Stale(str(e)) from None
    from srcad.api.function import _remake

    _, cls, inner, rest = where
    return [_remake(cls, (x, *rest)) for x in resolved(inner)]


def verified(where: Any, calls: list[Any]) -> Any:
    """Rebuild a stamp: whatever it may mean now computes what it computed.

    Raises:
        Stale: it does not, or cannot be found.
    """
    from srcad.api.njit import compiled

    for obj in resolved(where):
        for args, kws, key in calls:
            try:
                now = compiled(obj, args, dict(kws)).key
            except Exception as e:
                raise Stale(str(e)) from None
            if now != key:
                raise Stale(f"{obj!r} has changed")
    return Stamp(obj)
