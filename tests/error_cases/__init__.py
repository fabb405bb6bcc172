"""Programs and calls that fail, each with the message a user must see.

One file per family; importing a file enters its cases.  ``CASES`` is the list.  Messages are
compared with ``tests/golden/errors``; ``python -m tests.test_errors`` writes them anew.
"""

from tests.error_cases import (  # noqa: F401
    arguments,
    calls,
    checkpoints,
    exceptions,
    kinds,
    names,
    numpy_calls,
    origins,
    syntax,
    transforms,
)
from tests.error_cases.registry import CASES, Case

__all__ = ["CASES", "Case"]
