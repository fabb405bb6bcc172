"""What the clean-up passes share: running over a whole program, comparing operands exactly.

In: a function with the functions it calls.  Out: the same program, each function rebuilt once.
Invariant: the functions of the result share one new ``callees`` dictionary, as those of the
input shared theirs; recursion goes through it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace

from srcad.ir.nodes import Atom, Const, Function


def each_function(fn: Function, one: Callable[[Function], Function]) -> Function:
    """``one`` applied to ``fn`` and to every function it may call, each exactly once."""
    if not fn.callees:
        return one(fn)
    shared: dict[str, Function] = {}
    for name, callee in fn.callees.items():
        shared[name] = replace(one(callee), callees=shared)
    if fn.callees.get(fn.name) is fn:
        return shared[fn.name]
    return replace(one(fn), callees=shared)


def key(a: Atom) -> Hashable:
    """Equal for operands that are the same bits: ``0.0`` is not ``-0.0``, a NaN is itself.

    >>> from srcad.ir.build import const
    >>> key(const(0.0)) == key(const(-0.0)), key(const(1)) == key(const(True))
    (False, False)
    """
    if isinstance(a, Const):
        value = a.value
        return (value.hex() if isinstance(value, float) else int(value), a.type)
    return a.name
