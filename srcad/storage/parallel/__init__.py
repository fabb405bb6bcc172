"""Loops on several threads: ``parallelised``; ``stopped`` when all other passes have run."""

from srcad.storage.parallel.passes import Region, parallelised
from srcad.storage.parallel.stops import stopped

__all__ = ["Region", "parallelised", "stopped"]
