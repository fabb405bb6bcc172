"""Whether one access to an array can touch the same element as another, later one.

In: the tree of a function, two subscripted accesses.  Out: ``touches_again``: may the second run
after the first and meet the same element (``a[i - 1]`` is never written after it was read in a
loop that stores ``a[i]`` upwards).  An access compared with itself: are its elements distinct?

Invariant: sound, including Python's negative subscripts (``a[-1]`` is ``a[n - 1]``): subscripts
count only where they are known not to be negative.
Limits: subscripts are a loop's index times a positive constant plus a constant; views are resolved
where they fix positions or start at a constant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from srcad.analyses.tree import Node, Tree, may_follow
from srcad.ir.nodes import Atom, Const, For, Op, Var, View
from srcad.ir.types import I8


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """A statement that touches an array: its place, the reference, subscripts (none: the whole).

    ``root`` is the variable at the end of the reference's chain of views.
    """

    node: Node
    position: int
    root: str
    array: Var
    index: tuple[Atom, ...] = ()


@dataclass(frozen=True, slots=True)
class Affine:
    """``factor * index + offset`` (a constant has no index), at least ``least``."""

    index: str
    factor: int
    offset: int
    least: int = 0


Element = tuple[str, tuple[Affine | None, ...]]


def affine(tree: Tree, a: Atom, depth: int = 20) -> Affine | None:
    """An integer as a formula of one loop index, if it is one (its sign not looked at)."""
    if isinstance(a, Const):
        return Affine("", 0, int(a.value)) if a.type == I8 else None
    if a.type != I8 or not depth:
        return None
    s = tree.home[a.name].stmt
    if isinstance(s, For) and s.index.name == a.name:
        return Affine(a.name, 1, 0)
    if not isinstance(s, Op) or s.op not in ("add", "sub", "mul"):
        return None
    x, y = s.args
    if isinstance(x, Const) and s.op != "sub":
        x, y = y, x
    inner = affine(tree, x, depth - 1)
    if inner is None or not isinstance(y, Const) or y.type != I8:
        return None
    k = int(y.value)
    if s.op == "mul":
        return Affine(inner.index, inner.factor * k, inner.offset * k)
    return replace(inner, offset=inner.offset + (k if s.op == "add" else -k))


def subscript(tree: Tree, a: Atom) -> Affine | None:
    """A subscript as a formula that is known not to be negative."""
    found = affine(tree, a)
    if found is None or found.factor < 0:
        return None
    low = 0
    if found.index:
        s = tree.home[found.index].stmt
        assert isinstance(s, For)
        end = s.start if isinstance(s.step, Const) and s.step.value > 0 else s.stop
        if not isinstance(end, Const) or not isinstance(s.step, Const) or not s.step.value:
            return None
        low = int(end.value) + (0 if s.step.value > 0 else 1)
    least = found.factor * low + found.offset
    return replace(found, least=least) if least >= 0 else None


def element(tree: Tree, array: Var, index: tuple[Atom, ...]) -> Element:
    """The reference and subscripts of an access, views resolved as far as they are simple."""
    forms = [subscript(tree, a) for a in index]
    while isinstance(s := tree.home[array.name].stmt, View):
        resolved = _through(tree, s, forms)
        if resolved is None:
            break
        array, forms = s.base, resolved
    return array.name, tuple(forms)


def _through(tree: Tree, s: View, forms: list[Affine | None]) -> list[Affine | None] | None:
    """Subscripts of the base from subscripts of the view."""
    if s.kind == "same":
        return forms
    if s.kind != "index":
        return None
    rest, found = list(forms), []
    for item in s.spec:
        if item[0] == "new":
            return None
        if item[0] == "at":
            found.append(subscript(tree, item[1]))
            continue
        start = Const(0, I8) if item[1] is None else item[1]
        if item[3] is not None or not isinstance(start, Const) or start.value < 0:
            return None
        form = rest.pop(0)
        shift = int(start.value)
        found.append(form and replace(form, offset=form.offset + shift, least=form.least + shift))
    return [*found, *rest]


def touches_again(tree: Tree, first: Access, second: Access, birth: Node | None) -> bool:
    """Whether ``second`` may run after ``first`` and meet an element that it touched.

    ``birth`` is the block whose every execution makes a new array (``None``: one for all).
    """
    if not may_follow((first.node, first.position), (second.node, second.position), birth):
        return False
    if not first.index or not second.index:
        return True
    base, mine = element(tree, first.array, first.index)
    other, theirs = element(tree, second.array, second.index)
    fixed = (birth or tree.root).ancestors()
    if base != other or len(mine) != len(theirs) or tree.home[base].node not in set(fixed):
        return True
    return _again(tree, first, second, birth, list(zip(mine, theirs, strict=True)))


def _again(
    tree: Tree,
    first: Access,
    second: Access,
    birth: Node | None,
    axes: list[tuple[Affine | None, Affine | None]],
) -> bool:
    if any(a and b and _apart(a, b) for a, b in axes):
        return False
    renewing = set() if birth is None else set(birth.ancestors())
    shared = [n for n, m in zip(first.node.path(), second.node.path(), strict=False) if n is m]
    for node in shared:
        if not node.is_loop or node in renewing:
            continue
        later = _later(node.owner, axes)
        if later != 0:
            return later is None or later > 0
    return _textually(first, second, len(shared))


def _apart(a: Affine, b: Affine) -> bool:
    """Whether two subscripts never meet: a number, and what is another or always above it."""
    if a.index and b.index:
        return False
    if not a.index and not b.index:
        return a.offset != b.offset
    return a.offset < b.least if not a.index else b.offset < a.least


def _later(s: object, axes: list[tuple[Affine | None, Affine | None]]) -> int | None:
    """In which iteration, seen from the first access, the second meets its element.

    Positive: a later one; 0: the same; negative: an earlier one, or never; ``None``: unknown.
    """
    if not isinstance(s, For) or not isinstance(s.step, Const):
        return None
    for a, b in axes:
        if a and b and a.index == b.index == s.index.name and a.factor == b.factor > 0:
            span, rest = divmod(a.offset - b.offset, a.factor)
            trips, odd = divmod(span, int(s.step.value))
            return -1 if rest or odd else trips
    return None


def _textually(first: Access, second: Access, depth: int) -> bool:
    """Whether ``second`` comes after ``first`` in one iteration of all loops around both."""
    a, b = first.node.path(), second.node.path()
    here = a[depth].position if depth < len(a) else first.position
    there = b[depth].position if depth < len(b) else second.position
    return there > here
