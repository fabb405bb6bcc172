"""Where a derivative may be computed with fused and reordered operations.

In: IR after the last transform; which parameters and results are derivatives; whether the whole
program asks for it.  Out: the same program, in whose functions' ``relaxed`` stand the results of
those float sums, differences and products that may carry LLVM's flags ``contract`` (a product and
a sum become one instruction, rounded once) and ``reassoc`` (a sum may be taken in another order),
and the arrays that are accumulated into so.  Derivatives are sums of products throughout, so their
error stays of the size that it had; LLVM gets multiply-add instructions, and vector loops for sums.

Invariant: an operation is relaxed only if it was made by a transform (its role is ``tangent`` or
``adjoint``) and what it computes is not strict (``analyses.strict``).  So branches are those of
the user's code, its values have the same last bit, and compensated arithmetic that a user wrote is
computed as it is written.  With ``whole`` (an option) everything but decisions and jumps is
relaxed, values included, and products may be taken in another order as well.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Block, Loc
>>> from srcad.ir.types import F8
>>> b = Builder(Namer(), Loc("f.py", 1))
>>> x = b.var("x", F8)
>>> y = b.op("mul", x, x, hint="y")
>>> b.loc = Loc("f.py", 1, role="adjoint")
>>> x_b = b.op("add", x, x, hint="x_b")
>>> f = Function("f", (x,), Block(tuple(b.stack[0]), (y, x_b)))
>>> sorted(relaxed(f, (), (False, True)).relaxed)
['x_b']
>>> sorted(relaxed(f, (), (False, False)).relaxed), sorted(relaxed(f, (), (), whole=True).relaxed)
([], ['x_b', 'y'])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from srcad.analyses.strict import made, strict
from srcad.ir.nodes import Accumulate, Function, Op
from srcad.ir.types import is_float
from srcad.ir.walk import statements
from srcad.transforms.program import each_function

SUMS = frozenset({"add", "sub", "mul", "square", "guarded_mul"})


def relaxed(
    fn: Function, given: Sequence[bool], results: Sequence[bool], whole: bool = False
) -> Function:
    """The program with what may be relaxed marked.

    Args:
        given: which parameters are derivatives (those beyond are not).
        results: which results are.
        whole: everything that decides nothing may be relaxed.
    """
    fixed = strict(fn, given, results, whole)
    return each_function(fn, lambda f: _marked(f, fixed[id(f)], whole) if id(f) in fixed else f)


def _marked(fn: Function, fixed: set[str], whole: bool) -> Function:
    found: set[str] = set()
    users: set[str] = set()  # arrays that a statement of the user accumulates into
    for s in statements(fn.body):
        if isinstance(s, Op) and s.op in SUMS and is_float(s.target.type):
            if whole or made(s.loc):
                found.add(s.target.name)
        elif isinstance(s, Accumulate) and is_float(s.array.type):
            (found if whole or made(s.loc) else users).add(s.array.name)
    return replace(fn, relaxed=frozenset(found - users - fixed), reordered=whole)
