"""The passes that make a program smaller, in the order in which they help each other.

In: verified IR.  Out: the same function after ``simplify``, ``cse``, ``induction`` (which hoists
invariants), and, on what these have found, ``simplify``, ``cse`` and ``dead_code`` again.

Invariant: results, contents of the arguments and effects stay as they were, bit for bit.
Running it twice changes next to nothing.
"""

from __future__ import annotations

from srcad.ir.nodes import Function
from srcad.transforms import cse, dead_code, induction, simplify


def run(fn: Function, distinct: bool = False) -> Function:
    """The program, cleaned up.

    With ``distinct`` the array parameters of ``fn`` are known not to overlap.
    """
    fn = simplify.run(fn)
    fn = cse.run(fn, distinct)
    fn = induction.run(fn)
    fn = simplify.run(fn)
    fn = cse.run(fn, distinct)
    return dead_code.run(fn)
