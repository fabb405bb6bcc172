"""Checkpointed loops in reverse mode: ``calls`` takes them out of a function, the rest serves it."""

from srcad.transforms.checkpoints.calls import with_calls

__all__ = ["with_calls"]
