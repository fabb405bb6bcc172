"""Objects built in a differentiated function: namedtuples, plain dataclasses, exceptions."""

from __future__ import annotations

import dataclasses
from typing import Any

from srcad.frontend.calls import unknown
from srcad.frontend.core import PLAIN, Lowering
from srcad.frontend.expansion import static_argument
from srcad.frontend.statements import settle
from srcad.frontend.values import Record, Static, Tuple


def construct(lo: Lowering, cls: type, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """Build a namedtuple or a dataclass."""
    args = [settle(lo, a) for a in args]
    keywords = {k: settle(lo, v) for k, v in keywords.items()}
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        fields = dict(zip(cls._fields, args, strict=False)) | keywords
        for name, default in cls._field_defaults.items():  # type: ignore[attr-defined]
            fields.setdefault(name, static_argument(lo, default, node))
        if set(fields) != set(cls._fields) or len(args) > len(cls._fields):
            lo.mismatch(node, f"{cls.__name__} takes the fields {', '.join(cls._fields)}", PLAIN)
        return Tuple(tuple(fields[n] for n in cls._fields), cls)
    if dataclasses.is_dataclass(cls) and "__post_init__" not in vars(cls):
        names = [f.name for f in dataclasses.fields(cls) if f.init]
        fields = dict(zip(names, args, strict=False)) | keywords
        for f in dataclasses.fields(cls):
            if f.name not in fields and f.default is not dataclasses.MISSING:
                fields[f.name] = static_argument(lo, f.default, node)
        if set(fields) != set(names) or len(args) > len(names):
            lo.mismatch(node, f"{cls.__name__} takes the fields {', '.join(names)}", PLAIN)
        return Record(cls, {n: fields[n] for n in names})
    if issubclass(cls, BaseException):
        return Static(cls)
    if cls.__module__ == "builtins":
        unknown(lo, cls, node)
    lo.fail(
        node,
        f"cannot build a {cls.__name__} here",
        "only namedtuples and plain dataclasses can be built in a differentiated function",
        "use a tuple or a namedtuple",
    )
