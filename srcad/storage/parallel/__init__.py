"""Loops on several threads: ``parallelised``, the last thing done to a program but splitting it."""

from srcad.storage.parallel.passes import Region, parallelised

__all__ = ["Region", "parallelised"]
