"""``sorted`` and ``list.sort``, which are functions of the library on lists."""

from __future__ import annotations

from typing import Any

from srcad.frontend.core import CALLS, METHODS, Lowering, handles
from srcad.frontend.expansion import expand
from srcad.frontend.source import get_source
from srcad.frontend.values import FunctionV, ListV
from srcad.library.sorting import sort_list, sorted_list


@handles(CALLS, sorted)
def sorted_(lo: Lowering, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """``sorted(xs)``: a list."""
    return expand(lo, FunctionV(get_source(sorted_list)), args, keywords, node)


@handles(METHODS, "ListV.sort")
def sort_method(lo: Lowering, xs: ListV, args: list, keywords: dict[str, Any], node: Any) -> Any:
    """``xs.sort()`` of a list."""
    return expand(lo, FunctionV(get_source(sort_list)), [xs], keywords, node)
