"""The frontend with everything that the API means inside a differentiated function.

Importing it makes the handlers known.  Whoever lowers a user's function takes ``lowered`` from
here, and only then: a call of code from the cache needs none of it.
"""

from __future__ import annotations

from srcad.api import custom_calls, nested_later  # noqa: F401  (each adds its handlers)
from srcad.compiler import lowered

__all__ = ["lowered"]
