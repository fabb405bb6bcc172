"""``tf.errors``: the exceptions of operations."""

from srcad.tape.failures import (
    InvalidArgumentError,
    NotFoundError,
    OpError,
    OutOfRangeError,
    UnimplementedError,
)
from srcad.tf.missing import missing

__all__ = [
    "InvalidArgumentError",
    "NotFoundError",
    "OpError",
    "OutOfRangeError",
    "UnimplementedError",
]
__getattr__ = missing("tf.errors", lambda: globals())
