"""Unroll and jam: several iterations of an outer loop at once, around a recurrence."""

from srcad.storage.jam.emit import jammed

__all__ = ["jammed"]
