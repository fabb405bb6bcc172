"""Where a derivative may be computed with fused and reordered operations.

In: IR after the last transform; which parameters and results are derivatives; whether the whole
program asks for it.  Out: the same function, in whose ``relaxed`` stand the results of those float
sums, differences and products that may carry LLVM's flags ``contract`` (a product and a sum become
one instruction, rounded once) and ``reassoc`` (a sum may be taken in another order), and the arrays
that are accumulated into so.  Derivatives are sums of products throughout, so their error stays of
the size that it had; LLVM gets multiply-add instructions, and vector loops for their sums.

Invariant: an operation is relaxed only if it was made by a transform (its role is ``tangent`` or
``adjoint``) and what it computes reaches nothing else than derivatives: no decision
(``analyses.deciding``: conditions, subscripts, trip counts, sizes, conversions, messages), no
function that jumps (``floor``, ``sign``), no statement of the user, no result or argument of the
user's function.  So branches are those of the user's code, its values have the same last bit, and
compensated arithmetic that a user wrote (Kahan, 1965) is computed as it is written.  A comparison
that a transform made (``x_b == 0``) decides only if what it chooses does.

With ``whole`` (an option) everything but decisions and jumps is relaxed, values included.
Limits: functions that are called (recursion, checkpointed loops) stay as they are, and so do
programs with ``prange`` (the compiler leaves those out: one thread gives the bits of many).

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
from itertools import zip_longest

from srcad.analyses.aliases import is_reference
from srcad.analyses.deciding import Flow
from srcad.ir.nodes import Accumulate, Function, Loc, Op, Stmt
from srcad.ir.types import B1, is_float
from srcad.ir.walk import statements

SUMS = frozenset({"add", "sub", "mul", "square", "guarded_mul"})
JUMPS = frozenset(
    {"floor", "ceil", "trunc", "rint", "floordiv", "mod", "fmod", "sign", "copysign", "heaviside"}
)
MADE = frozenset({"tangent", "adjoint"})
USERS = frozenset({"primal", "recompute"})


def relaxed(
    fn: Function, given: Sequence[bool], results: Sequence[bool], whole: bool = False
) -> Function:
    """The function with what may be relaxed marked.

    Args:
        given: which parameters are derivatives (those beyond are not).
        results: which results are.
        whole: everything that decides nothing may be relaxed.
    """
    flow = _Strict(fn, whole)
    if not whole:
        flow.keep(given, results)
    strict = flow.reaching()
    found: set[str] = set()
    fixed = set[str]()  # arrays that a statement of the user accumulates into
    for s in statements(fn.body):
        if isinstance(s, Op) and s.op in SUMS and is_float(s.target.type):
            if whole or made(s.loc):
                found.add(s.target.name)
        elif isinstance(s, Accumulate) and is_float(s.array.type):
            (found if whole or made(s.loc) else fixed).add(s.array.name)
    return replace(fn, relaxed=frozenset(found - fixed - strict))


def made(loc: Loc | None) -> bool:
    """Whether a transform has made a statement, not the user."""
    return loc is not None and loc.role in MADE


class _Strict(Flow):
    """What has to be computed as it is written reaches the roots."""

    def __init__(self, fn: Function, whole: bool) -> None:
        self.whole = whole
        super().__init__(fn, distinct=True)

    def keep(self, given: Sequence[bool], results: Sequence[bool]) -> None:
        """Results and array parameters that are no derivatives keep their last bit."""
        params, yields = self.fn.params, self.fn.body.yields
        arrays = (p if is_reference(p) else None for p in params)
        for a, derivative in (*zip_longest(arrays, given), *zip_longest(yields, results)):
            if a is not None and not derivative:
                self.decides((a,))

    def statement(self, s: Stmt) -> None:
        loc = getattr(s, "loc", None)
        if self.whole or made(loc):
            self.made(s)
            return
        super().statement(s)
        if loc is None or loc.role in USERS:
            if isinstance(s, Op):
                self.decides(s.args)
            elif isinstance(s, Accumulate):
                self.decides((s.value,))

    def made(self, s: Stmt) -> None:
        """A statement of a transform."""
        if isinstance(s, Op) and s.target.type == B1 and not self.whole:
            self.comes(s.target, s.args)
            return
        super().statement(s)
        if isinstance(s, Op) and s.op in JUMPS:
            self.decides(s.args)
