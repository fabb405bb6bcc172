"""Transforms of IR.  Importing this package fills the table of rules of array operations."""

from srcad.transforms import array_rules, matrix_rules

__all__ = ["array_rules", "matrix_rules"]
