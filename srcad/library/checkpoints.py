"""What a user writes to keep few states of a loop, or nothing of a call, for the reverse sweep.

``checkpointed`` marks the header of a loop and ``checkpoint`` a function.  Both mean nothing to the
values a program computes: in plain Python, and in compiled code that is not differentiated, the
loop iterates as it would and the function is called.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar

from numba.extending import register_jitable

T = TypeVar("T")

MEMORY = 1 << 28  # bytes, where ``snapshots="auto"`` says no number


@register_jitable  # type: ignore[misc]
def checkpointed(steps: Any, snapshots: Any = "auto", memory: Any = MEMORY) -> Any:
    """Mark a loop whose reverse sweep is to keep few states and to run the loop again from them.

    ``for t in srcad.checkpointed(range(n), snapshots=k):`` or
    ``while srcad.checkpointed(condition, snapshots=k):``.  The state is found by the compiler: what
    the loop carries from one iteration to the next.  The schedule is binomial (Griewank and
    Walther 2000, Algorithm 799: Revolve), so for a known number of steps as few of them are
    repeated as is possible with ``k`` states.

    Args:
        steps: what a ``for`` loop runs over, or the condition of a ``while`` loop.
        snapshots: how many states are kept at most, or ``"auto"``: as many as fit.
        memory: with ``snapshots="auto"``, the bytes they may take (256 MiB if not given).

    Returns:
        ``steps``, unchanged.

    >>> [t for t in checkpointed(range(3), snapshots=2)]
    [0, 1, 2]
    """
    return steps


class Checkpoint:
    """A function whose calls leave nothing behind for the reverse sweep but their arguments."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.marked = f
        # derivatives and rules have no source: a function that calls them has
        self.__srcad_function__ = calling(f) if type(f).__module__.startswith("srcad.") else f
        update_wrapper(self, f, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self.__srcad_function__(*args, **kwargs)

    def __reduce__(self) -> Any:
        """Pickled as the function it marks."""
        return checkpoint, (self.marked,)

    def __get__(self, owner: Any, cls: type) -> Any:
        """As a method."""
        return self if owner is None else Checkpoint(self.__srcad_function__.__get__(owner, cls))


def calling(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function that calls ``f`` (in the differentiable language)."""

    def call(*args: Any) -> Any:
        return f(*args)

    return call


def checkpoint(f: Callable[..., Any]) -> Checkpoint:
    """``f``, of whose calls nothing is saved: the reverse sweep calls it again from its arguments.

    Args:
        f: a function that a differentiated function calls.

    Returns:
        A function of the same arguments and results; a decorator.

    >>> @checkpoint
    ... def cube(x):
    ...     return x * x * x
    >>> cube(2.0)
    8.0
    """
    return Checkpoint(f)


def is_checkpoint(f: Any) -> bool:
    """Whether a callable is marked by ``checkpoint`` (methods and partials of it, too)."""
    while f is not None:
        if isinstance(f, Checkpoint):
            return True
        f = getattr(f, "func", None)
    return False
