"""What has to be computed as it is written: all but what reaches nothing else than derivatives.

In: a function with the functions it calls; which of its parameters and results are derivatives.
Out: by function, the names of the variables (of arrays: contents) whose value may reach

* a decision (``analyses.deciding``: conditions, subscripts, trip counts, sizes, conversions, random
  numbers, messages) or a function that jumps (``floor``, ``sign``);
* a statement of the user (its role is ``primal`` or ``recompute``): their arithmetic may be
  compensated (Kahan, 1965), and is that of the user's code to the last bit;
* a result, or the contents of a parameter, that is no derivative.

Invariant: flow-insensitive in arrays, through calls to a fixed point: a parameter of a function
that is called is strict if it reaches one of these in there, a result if it does in a caller.
Distinct array parameters are distinct storage (checked when called).  A comparison that a transform
made (``x_b == 0``) decides only if what it chooses does.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Block, Loc
>>> from srcad.ir.types import F8
>>> b = Builder(Namer(), Loc("f.py", 1, role="adjoint"))
>>> x = b.var("x", F8)
>>> y = b.op("mul", x, x, hint="y")
>>> x_b = b.op("add", x, x, hint="x_b")
>>> f = Function("f", (x,), Block(tuple(b.stack[0]), (y, x_b)))
>>> sorted(strict(f, (), (False, True))[id(f)]), sorted(strict(f, (), (True, True))[id(f)])
(['x', 'y'], [])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from srcad.analyses.aliases import Aliases, is_reference
from srcad.analyses.deciding import Flow
from srcad.analyses.effects import Summary
from srcad.analyses.regions import Regions
from srcad.analyses.summaries import reachable, summarise
from srcad.ir.nodes import Accumulate, Call, Function, Loc, Op, Stmt, Var
from srcad.ir.types import B1
from srcad.ir.walk import variables

JUMPS = frozenset(
    {"floor", "ceil", "trunc", "rint", "floordiv", "mod", "fmod", "sign", "copysign", "heaviside"}
)
MADE = frozenset({"tangent", "adjoint"})
USERS = frozenset({"primal", "recompute"})


def made(loc: Loc | None) -> bool:
    """Whether a transform has made a statement, not the user."""
    return loc is not None and loc.role in MADE


def strict(
    fn: Function, given: Sequence[bool], results: Sequence[bool], whole: bool = False
) -> dict[int, set[str]]:
    """The strict variables of ``fn`` and of what it calls, by the functions' ``id``.

    Args:
        given: which parameters are derivatives (those beyond are not).
        results: which results are.
        whole: values and the user's statements need not be strict.
    """
    callees = reachable(fn)
    known = summarise(fn) if callees else {}
    flows = {name: Strict(f, known, whole) for name, f in callees.items()}
    first = flows[fn.name] if callees.get(fn.name) is fn else Strict(fn, known, whole)
    if not whole:
        first.keep(given, results)
    every = list({id(f): f for f in (first, *flows.values())}.values())
    found = {id(f.fn): f.reaching() for f in every}
    size = -1
    while callees and size != (size := sum(len(f.roots) for f in every)):
        for caller in every:
            for s in caller.calls:
                _meet(caller, flows[s.fn], s, found)
        found = {id(f.fn): f.reaching() for f in every}
    return found


def _meet(caller: Strict, callee: Strict, s: Call, found: dict[int, set[str]]) -> None:
    """What a call tells the function that is called, and that one its caller."""
    outside, inside = found[id(caller.fn)], found[id(callee.fn)]
    for t, y in zip(s.targets, callee.fn.body.yields, strict=True):
        if t.name in outside:
            callee.decides((y,))
    for a, p in zip(s.args, callee.fn.params, strict=True):
        if p.name in inside:
            caller.decides((a,))
        if isinstance(a, Var) and is_reference(a) and a.name in outside:
            callee.decides((p,))


class Strict(Flow):
    """One function: what has to be computed as it is written reaches the roots."""

    def __init__(self, fn: Function, known: dict[str, Summary], whole: bool) -> None:
        self.whole, self.known_calls = whole, known
        self.calls: list[Call] = []
        super().__init__(fn, Storage(fn, known) if known else Aliases(fn, distinct=True))

    def keep(self, given: Sequence[bool], results: Sequence[bool]) -> None:
        """Results and array parameters that are no derivatives keep their last bit."""
        for k, p in enumerate(self.fn.params):
            if is_reference(p) and not (k < len(given) and given[k]):
                self.decides((p,))
        for k, y in enumerate(self.fn.body.yields):
            if not (k < len(results) and results[k]):
                self.decides((y,))

    def statement(self, s: Stmt) -> None:
        loc = getattr(s, "loc", None)
        if isinstance(s, Op) and s.target.type == B1 and made(loc) and not self.whole:
            self.comes(s.target, s.args)
            return
        super().statement(s)
        if isinstance(s, Op) and s.op in JUMPS:
            self.decides(s.args)
        if not self.whole and (loc is None or loc.role in USERS):
            if isinstance(s, Op):
                self.decides(s.args)
            elif isinstance(s, Accumulate):
                self.decides((s.value,))

    def call(self, s: Call) -> None:
        """A function that is known moves values (``_meet``); any other decides by them."""
        if s.fn not in self.known_calls:
            self.decides(s.args)
            return
        self.calls.append(s)


class Storage:
    """Classes of references: those that may be to the same region are in one."""

    def __init__(self, fn: Function, known: dict[str, Summary]) -> None:
        self.regions = Regions(fn, known)
        self.parent: dict[str, str] = {}
        for v in _references(fn):
            first, *others = [self.find(r) for r in self.reached(v)]
            for r in others:
                self.parent[self.find(r)] = self.find(first)

    def reached(self, v: Var) -> list[str]:
        """The regions of a reference, never none."""
        return sorted(self.regions.reached(v)) or [v.name]

    def find(self, region: str) -> str:
        """The representative of a region's class."""
        while (up := self.parent.get(region, region)) != region:
            region = up
        return region

    def root(self, v: Var) -> str:
        """The class of a reference."""
        return self.find(self.reached(v)[0])


def _references(fn: Function) -> Iterator[Var]:
    return (v for v in variables(fn) if is_reference(v))
