"""Subscripts of an array from those of a view of it, whatever subscripts are made of.

In: a view, what is known of each subscript (``None``: nothing), how an operand of the view is read
as a subscript, how a start is added to one.  Out: what is known of the subscripts of the base.

Invariant: sound where ``subscript`` says something only of operands that count from the front.
Limits: reshapes and the parts of complex arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from srcad.ir.nodes import Atom, Const, View

T = TypeVar("T")


def through(
    view: View,
    known: list[T | None],
    subscript: Callable[[Atom], T | None],
    moved: Callable[[T | None, T, int], T | None],
) -> list[T | None] | None:
    """What is known of the base's subscripts, ``None`` of a view of another kind.

    ``moved(start, form, step)`` is ``start + step * form`` (without a start: from the first).
    """
    if view.kind == "same":
        return known
    if view.kind == "transpose":
        turned = list(known)
        for axis, form in zip(view.spec, known, strict=True):
            turned[axis] = form
        return turned
    if view.kind != "index":
        return None
    rest, found = list(known), list[T | None]()
    for item in view.spec:
        if item[0] == "at":
            found.append(subscript(item[1]))
            continue
        form = rest.pop(0)
        if item[0] != "new":
            found.append(None if form is None else _sliced(item, form, subscript, moved))
    return [*found, *rest]


def _sliced(
    item: tuple[str, Atom | None, Atom | None, Atom | None],
    form: T,
    subscript: Callable[[Atom], T | None],
    moved: Callable[[T | None, T, int], T | None],
) -> T | None:
    """A subscript of what a slice is taken of."""
    _, start, _, step = item
    if step is not None and not (isinstance(step, Const) and step.value > 0):
        return None
    first = None if start is None else subscript(start)
    if start is not None and first is None:
        return None
    return moved(first, form, 1 if step is None else int(step.value))
