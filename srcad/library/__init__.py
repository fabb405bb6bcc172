"""Functions of NumPy and SciPy, written in the language that srcad differentiates."""

from srcad.library import calculus  # noqa: F401
from srcad.library.registry import LIBRARY, Entry, implements, refuse

__all__ = ["LIBRARY", "Entry", "implements", "refuse"]
