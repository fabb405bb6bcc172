"""Reverse mode: ``driver`` shows the steps, every other file is one of them."""

from srcad.transforms.reverse.driver import Report, reverse, reverse_with_report
from srcad.transforms.reverse.storage import Residual

__all__ = ["Report", "Residual", "reverse", "reverse_with_report"]
