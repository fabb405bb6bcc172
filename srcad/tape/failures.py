"""Errors that TensorFlow's programs expect to catch, under TensorFlow's names.

Each is also the Python error that it resembles, so ``except ValueError`` works for both worlds.
"""

from __future__ import annotations

from srcad.errors import SrcadError


class OpError(SrcadError):
    """Base class of errors of operations."""

    @property
    def message(self) -> str:
        """The message."""
        return str(self)


class InvalidArgumentError(OpError, ValueError):
    """Operands whose types or shapes do not go together."""


class NotFoundError(OpError, LookupError):
    """Something named that does not exist."""


class OutOfRangeError(OpError, IndexError):
    """An index or iteration beyond the end."""


class UnimplementedError(OpError, NotImplementedError):
    """An option that is not there."""


class MissingFeature(SrcadError, AttributeError):
    """A name of TensorFlow's that is not there; the message says what to use."""
