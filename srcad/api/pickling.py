"""How function objects travel: by name where they have one, else by what makes them again.

A decorated function of a module (``@srcad.differentiable``, ``@srcad.custom_jvp``) is pickled as
its name, because its name leads to the object, not to the function under it.  Everything else is
pickled as its class and what its constructor takes; compiled code is made again on the other side.

A function that has no importable name travels by value with cloudpickle; the text of its file goes
along, since srcad reads source.
"""

from __future__ import annotations

import linecache
import os
import sys
from typing import Any

from srcad.api.function import _remake
from srcad.api.safety import innermost

BY_VALUE = ("cloudpickle",)  # packages that send what is in __main__ by value
FRAMES = 60  # how far down the stack such a package is looked for


def reduced(obj: Any) -> Any:
    """What ``__reduce__`` of a function object returns."""
    name = importable(obj)
    if name is not None and not (obj.__module__ == "__main__" and by_value()):
        return name
    rules = getattr(obj, "rules", ()) if getattr(obj, "rules_travel", True) else ()
    return remake, (type(obj), obj.state(), rules, texts(obj))


def importable(obj: Any) -> str | None:
    """The name under which a module holds the object itself."""
    module = sys.modules.get(getattr(obj, "__module__", None) or "")
    name = getattr(obj, "__qualname__", "")
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part, None)
    return name if found is obj and name else None


def by_value() -> bool:
    """Whether the pickler at work sends functions of ``__main__`` by value."""
    frame = sys._getframe(1)
    for _ in range(FRAMES):
        if frame is None:
            return False
        if frame.f_globals.get("__name__", "").partition(".")[0] in BY_VALUE:
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


def texts(obj: Any) -> dict[str, list[str]]:
    """The file of a function that the other side cannot import, by name."""
    f = innermost(obj)
    code = getattr(f, "__code__", None)
    if code is None or getattr(f, "__module__", "__main__") != "__main__":
        return {}
    return {code.co_filename: linecache.getlines(code.co_filename)}


def remake(cls: Any, state: tuple[Any, ...], rules: Any, sources: dict[str, list[str]]) -> Any:
    """The object again."""
    for name, lines in sources.items():
        if lines and not os.path.exists(name):
            linecache.cache.setdefault(name, (sum(map(len, lines)), None, lines, name))
    made = _remake(cls, state)
    if rules and not made.rules:
        made.rules = rules
    return made
