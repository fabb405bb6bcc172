"""``argnums``: which arguments, or parts of them, a derivative is taken with respect to.

In: ints, names, paths such as ``"params.w"`` or ``"p['k']"``, or a tuple of these.  Out:
``Selection``s: the argument, the position of its leaves among the parameters, its structure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from srcad.compiler import Program
from srcad.errors import TypeMismatch
from srcad.frontend.values import describe, describe_object
from srcad.ir.nodes import Var
from srcad.ir.types import is_float
from srcad.specs import Node, Opaque, Spec, leaf_specs, whole_type

_STEP = re.compile(r"\.(\w+)|\[(?:'([^']*)'|\"([^\"]*)\"|(-?\d+))\]")


@dataclass(frozen=True)
class Selection:
    """One selected argument (or part of one)."""

    label: str
    spec: Spec
    positions: range  # of all its leaves among the parameters of the function

    @property
    def active(self) -> list[int]:
        """Positions of its float leaves."""
        pairs = zip(self.positions, leaf_specs(self.spec), strict=True)
        return [k for k, leaf in pairs if is_float(leaf.type)]


def select(program: Program, argnums: Any) -> list[Selection]:
    """The selected arguments, each checked to have something to differentiate.

    Raises:
        TypeMismatch: no such argument; an argument of ints only.
    """
    items = argnums if isinstance(argnums, (tuple, list)) else (argnums,)
    if not items:
        raise TypeMismatch(
            "argnums is empty",
            program.source.loc(program.source.node),
            instead=f"choose among {', '.join(program.arguments) or 'nothing'}",
        )
    chosen = [_one(program, a) for a in items]
    for s in chosen:
        if not s.active:
            raise inactive(s.label, s.spec, program.source.loc(program.source.node))
    return chosen


def inactive(label: str, spec: Spec, loc: Any = None) -> TypeMismatch:
    """The error for an argument that has no derivative."""
    integers = any(True for _ in leaf_specs(spec))
    return TypeMismatch(
        f"cannot differentiate with respect to {label}, which is {in_words(spec)}",
        loc,
        "the derivative of an integer is zero by definition"
        if integers
        else "only floats, arrays of floats and structures of them have derivatives",
        "pass a float (1.0 instead of 1), or choose another argument with argnums",
    )


def refuse_inactive(specs: dict[str, Spec], argnums: Any) -> None:
    """Refuse whole arguments without floats before the function is looked at.

    Raises:
        TypeMismatch: an argument of ints only, a string.
    """
    names = list(specs)
    for a in argnums if isinstance(argnums, (tuple, list)) else (argnums,):
        if isinstance(a, str) and a in specs:
            label, spec = f"argument {a!r}", specs[a]
        elif isinstance(a, int) and not isinstance(a, bool) and -len(names) <= a < len(names):
            label, spec = f"argument {a} ({names[a]})", specs[names[a]]
        else:
            continue
        if not any(is_float(leaf.type) for leaf in leaf_specs(spec)):
            raise inactive(label, spec)


def in_words(spec: Spec) -> str:
    """An argument or a result, as a message says it."""
    whole = whole_type(spec)
    if whole is not None:
        return describe(Var("", whole))
    if isinstance(spec, Opaque):
        return describe_object(spec.obj)
    assert isinstance(spec, Node)
    if spec.kind in ("dict", "dataclass", "namedtuple"):
        return f"a {spec.cls.__name__}"
    return f"a {spec.kind} of {len(spec.parts)}"


def _one(program: Program, a: Any) -> Selection:
    names = list(program.arguments)
    if isinstance(a, bool) or not isinstance(a, (int, str)):
        raise TypeMismatch(
            f"argnums must be ints, names or paths, not {a!r}",
            program.source.loc(program.source.node),
            instead="argnums=0, argnums=('x', 'p.w')",
        )
    if isinstance(a, int):
        return _by_position(program, a, names)
    m = re.match(r"\w+", a)
    name = m.group() if m else a
    if name not in program.arguments:
        raise TypeMismatch(
            f"{program.source.name} has no argument {name!r}",
            program.source.loc(program.source.node),
            instead=f"arguments are {', '.join(names)}",
        )
    spec, positions = program.arguments[name], program.leaf_range(name)
    rest = a[len(name) :]
    while rest:
        step = _STEP.match(rest)
        if step is None:
            raise TypeMismatch(
                f"cannot read the path {a!r}",
                program.source.loc(program.source.node),
                instead="write it as p.w[0]['k']",
            )
        key: Any = next(g for g in step.groups() if g is not None)
        if step.group(4) is not None:
            key = int(key)
        spec, positions = _child(spec, positions, key, a)
        rest = rest[step.end() :]
    return Selection(f"argument {a!r}", spec, positions)


def _by_position(program: Program, k: int, names: list[str]) -> Selection:
    node = program.source.node.args
    vararg = node.vararg.arg if node.vararg is not None else None
    plain = [n for n in names if n != vararg]
    n_positional = len([p for p in (*node.posonlyargs, *node.args) if p.arg in names])
    if vararg in names and k >= n_positional:
        assert vararg is not None
        spec, positions = _child(
            program.arguments[vararg], program.leaf_range(vararg), k - n_positional, f"argnums={k}"
        )
        return Selection(f"argument {k}", spec, positions)
    if not -len(plain) <= k < len(plain):
        raise TypeMismatch(
            f"argnums={k}, but {program.source.name} takes "
            f"{len(plain)} argument{'s' * (len(plain) != 1)}",
            program.source.loc(program.source.node),
            instead=f"arguments are {', '.join(plain)}",
        )
    name = plain[k]
    return Selection(f"argument {k} ({name})", program.arguments[name], program.leaf_range(name))


def _child(spec: Spec, positions: range, key: Any, path: str) -> tuple[Spec, range]:
    if isinstance(spec, Node):
        keys: list[Any] = list(spec.keys)
        if spec.kind == "namedtuple" and isinstance(key, str) and key in spec.cls._fields:
            key = spec.cls._fields.index(key)
        if isinstance(key, int) and key < 0 and spec.kind in ("tuple", "list", "namedtuple"):
            key += len(keys)
        start = positions.start
        for k, part in zip(keys, spec.parts, strict=True):
            count = sum(1 for _ in leaf_specs(part))
            if k == key:
                return part, range(start, start + count)
            start += count
    raise TypeMismatch(
        f"the path {path!r} does not lead to anything: there is no {key!r} in {in_words(spec)}",
        instead=f"there are {', '.join(map(repr, spec.keys))}"
        if isinstance(spec, Node) and spec.keys
        else "shorten the path",
    )
