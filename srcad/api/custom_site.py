"""One call of a function with a rule: its arguments sorted into what is static and what is not.

In: a ``Custom`` object and the abstract values of a call.  Out: ``Site``: the arguments by name,
the leaves that become operands, which of them have a derivative.
"""

from __future__ import annotations

from typing import Any

from srcad.api.custom import Custom
from srcad.api.nested import Held
from srcad.compiler import out_spec
from srcad.errors import SrcadError
from srcad.frontend.arguments import leaf_specs
from srcad.frontend.core import Lowering
from srcad.frontend.expansion import bind, positional
from srcad.frontend.source import get_source
from srcad.frontend.statements import keep
from srcad.frontend.values import FunctionV, describe, flatten, unflatten
from srcad.ir.nodes import Atom, Const
from srcad.ir.types import is_float


class Site:
    """One call: the arguments by name, which of them are static, the leaves of the others."""

    def __init__(
        self, lo: Lowering, obj: Custom, args: list[Any], keywords: dict[str, Any], node: Any
    ) -> None:
        self.lo, self.obj, self.node = lo, obj, node
        args = [keep(lo, a, node) for a in args]
        keywords = {k: keep(lo, v, node) for k, v in keywords.items()}
        self.f = self.function(node)
        self.bound = self.bind(args, keywords)
        order = list(self.bound)
        for k in obj.nondiff:
            if not isinstance(k, int) or not -len(order) <= k < len(order):
                lo.mismatch(node, f"nondiff_argnums={k!r}, but {obj.__name__} takes {len(order)}")
        self.first = [order[k] for k in obj.nondiff]
        self.names = [name for name in order if name not in self.first]
        self.static: dict[str, Any] = {}
        self.shapes: dict[str, Any] = {}
        self.operands: list[Atom] = []
        self.given: list[bool] = []
        for name, v in self.bound.items():
            self.take(name, v)

    def take(self, name: str, v: Any) -> None:
        """Sort an argument: what is static decides the code, the leaves of others are operands."""
        leaves, shape = flatten(v)
        if count_leaves(v) != len(leaves):
            self.lo.mismatch(
                self.node,
                f"{describe(v)} is passed to {self.obj.__name__}, which has a rule",
                instead="pass numbers, arrays, and tuples or dicts of them",
            )
        if name in self.first and all(isinstance(a, Const) for a in leaves):
            self.static[name] = v
            return
        self.shapes[name] = shape
        self.operands += leaves
        self.given += [name in self.names and is_float(a.type) for a in leaves]

    def function(self, node: Any) -> FunctionV | None:
        """The function, ``None`` if it has no source."""
        inner = self.obj.inner
        if isinstance(inner, Held):
            return inner.value  # type: ignore[no-any-return]
        if self.obj.value_by_rule:
            return None
        try:
            return FunctionV(get_source(inner))
        except SrcadError as e:
            self.lo.fail(node, e.what, e.why, e.instead, type(e))

    def bind(self, args: list[Any], keywords: dict[str, Any]) -> dict[str, Any]:
        """Arguments by name."""
        if self.f is not None:
            return bind(self.lo, self.f, args, keywords, self.node)
        if keywords:
            self.lo.mismatch(self.node, f"{self.obj.__name__} takes its arguments by position")
        return {f"x{k}": a for k, a in enumerate(args)}

    def key(self) -> Any:
        """What the IR functions depend on."""
        static = [
            (k, flatten(v)[1], tuple((str(c.value), c.type) for c in flatten(v)[0]))  # type: ignore[union-attr]
            for k, v in self.static.items()
        ]
        kinds = tuple(a.type for a in self.operands)
        return id(self.obj), tuple(static), tuple(self.shapes.items()), kinds

    def values(self, params: list[Atom]) -> dict[str, Any]:
        """The arguments, made of other leaves."""
        rest, out = list(params), {}
        for name, v in self.bound.items():
            if name in self.static:
                out[name] = v
                continue
            count = count_leaves(v)
            out[name] = unflatten(self.shapes[name], rest[:count])
            del rest[:count]
        return out

    def chosen(self, values: dict[str, Any]) -> tuple[list[Any], list[Any]]:
        """Arguments without and with a derivative; those of ``*args`` one by one."""
        star = None
        if self.f is not None and self.f.source.node.args.vararg is not None:
            star = self.f.source.node.args.vararg.arg
        with_ = [
            x
            for name in self.names
            for x in (values[name].items if name == star else (values[name],))
        ]
        return [values[name] for name in self.first], with_


def count_leaves(v: Any) -> int:
    """Number of numbers and arrays in a value of a supported structure."""
    return sum(1 for _ in leaf_specs(out_spec(v)))


def in_order(site: Site, values: dict[str, Any]) -> list[Any]:
    """All arguments by position."""
    return list(values.values()) if site.f is None else positional(site.f, values)
