"""Subscripts of ``np.r_``, ``np.mgrid`` and their kin, which are functions of the library."""

from __future__ import annotations

import ast
from typing import Any

from srcad.frontend.core import Lowering
from srcad.frontend.source import get_source
from srcad.frontend.statements import settle
from srcad.frontend.values import FunctionV, SliceV, Tuple
from srcad.library import LIBRARY_ITEMS


def library_item(obj: Any) -> FunctionV | None:
    """What a subscript of ``np.r_``, ``np.mgrid`` and their kin means."""
    code = next((f for known, f in LIBRARY_ITEMS.items() if known is obj), None)
    return None if code is None else FunctionV(get_source(code))


def grid_key(lo: Lowering, node: ast.expr) -> Any:
    """A subscript in which slices stand for numbers: their bounds may be floats."""
    if isinstance(node, ast.Tuple) and not any(isinstance(e, ast.Starred) for e in node.elts):
        return Tuple(tuple(grid_key(lo, e) for e in node.elts))
    if isinstance(node, ast.Slice):
        bounds = [
            None if e is None else lo.scalar(lo.read(lo.expr(e), e), e)
            for e in (node.lower, node.upper, node.step)
        ]
        return SliceV(*bounds)
    return settle(lo, lo.read(lo.expr(node), node))
