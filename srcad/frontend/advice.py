"""What to do about a function that is not known: reasons and remedies by where it comes from.

In: the object and the name that messages give it.  Out: why it is refused, and what to write.
"""

from __future__ import annotations

from typing import Any


def advice(obj: Any, name: str) -> tuple[str, str]:
    """Why a function is not known, and what to do about it."""
    words = name.split(".")
    if {"random", "Random"} & set(words[:-1]):
        return (
            "of random numbers, srcad knows the distributions of np.random that docs/random.md "
            "lists; generators that are objects of their own have no place in compiled code",
            "use np.random.normal and the like, or draw outside and pass the numbers",
        )
    if obj in (str, repr, format, chr, ord):
        return (
            "compiled code has no strings beyond constants",
            "format outside the differentiated function",
        )
    if obj in (set, frozenset):
        return "sets have no order to reverse", "use a tuple or an array"
    if obj in (map, filter):
        return "iterators of functions are outside the subset", "use a list comprehension"
    if words[0] == "scipy":
        return (
            "it is compiled code without Python source, and has no derivative rule",
            "write it with NumPy or math functions, or as a Python function",
        )
    return (
        "it has no Python source to look into, and no derivative rule",
        "write it out in Python, or use a NumPy or math function that srcad supports",
    )
