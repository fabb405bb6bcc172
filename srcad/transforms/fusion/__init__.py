"""Loops whose reverse sweep is better made iteration by iteration: ``fused``."""

from srcad.transforms.fusion.eligible import Candidate
from srcad.transforms.fusion.fuse import fused
from srcad.transforms.fusion.outline import without_writes

__all__ = ["Candidate", "fused", "without_writes"]
