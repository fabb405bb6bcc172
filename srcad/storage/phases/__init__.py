"""Loops in phases: elements are gathered, computed with in vector loops, and scattered."""

from srcad.storage.phases.emit import phased

__all__ = ["phased"]
