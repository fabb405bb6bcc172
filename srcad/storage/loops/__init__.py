"""Neighbouring loops as one, and what that makes superfluous: ``merged``."""

from srcad.storage.loops.merge import merged

__all__ = ["merged"]
