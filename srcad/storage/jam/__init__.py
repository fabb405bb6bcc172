"""Unroll and jam: several iterations of an outer loop at once, so that inner recurrences overlap."""

from srcad.storage.jam.emit import jammed

__all__ = ["jammed"]
