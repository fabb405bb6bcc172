"""Loops that change places before derivatives are made: ``interchanged``."""

from srcad.ir.nodes import Function
from srcad.storage.interchange.strides import along_rows
from srcad.storage.interchange.swap import swapped

__all__ = ["along_rows", "interchanged", "swapped"]


def interchanged(fn: Function) -> Function:
    """The program with loops swapped for states that become numbers, else for memory's order."""
    return along_rows(swapped(fn))
