"""Checkpointed loops in reverse mode: ``calls`` takes them out of a function."""

from srcad.transforms.checkpoints.calls import LoopCall, with_calls

__all__ = ["LoopCall", "with_calls"]
