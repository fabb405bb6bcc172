"""States that are made anew in each step, before differentiation: ``renewed``."""

from srcad.ir.nodes import Function
from srcad.transforms.program import each_function
from srcad.transforms.renew.copied import without_copy
from srcad.transforms.renew.swapped import without_swap

__all__ = ["renewed"]


def renewed(fn: Function) -> Function:
    """The program with states of both kinds made anew."""
    return each_function(fn, lambda f: without_swap(without_copy(f)))
