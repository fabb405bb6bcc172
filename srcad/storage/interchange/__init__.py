"""Loops that change places, so that a state of each element becomes a number: ``interchanged``."""

from srcad.storage.interchange.swap import interchanged

__all__ = ["interchanged"]
