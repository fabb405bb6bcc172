"""Whether a loop may run on several threads, and how: every effect of its body is classified.

In: a function after the last transform, a loop in it.  Out: a ``Plan``, or a ``Serial`` that says
why not.  What an iteration may do to
* storage that it makes itself: anything;
* arrays that are only read: read;
* arrays of which each element belongs to one iteration (``owned``): read and write;
* arrays that are only accumulated into: that.  If near iterations only meet near (a stencil), the
  ends of the chunks wait (``window``), else every chunk has a copy (``private``) or, if asked, all
  add to the one array (``atomic``);
* carried numbers: a sum, a product, a minimum or a maximum.

Invariant: whatever the order of the iterations, every element and number sees the same operations
(sums in another order).  This is proved from the code alone: that the user wrote ``prange`` is the
wish to have threads, not part of the proof.  Where the proof needs two arrays to be different
storage and that is not known, they are compared when the loop is reached (``apart``).
Limits: no prints, draws, breaks, growing lists, nor calls and array operations that may raise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from srcad.analyses.aliases import is_reference
from srcad.analyses.effects import Summary
from srcad.analyses.order import only_added
from srcad.analyses.ownership import Touches
from srcad.analyses.polynomials import Forms
from srcad.analyses.regions import Regions
from srcad.analyses.summaries import reachable, summarise
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Call,
    Carried,
    Check,
    Const,
    Dim,
    Draw,
    For,
    Function,
    Load,
    Loc,
    Print,
    Reserve,
    Stmt,
    Store,
    Var,
    View,
)
from srcad.ir.types import ArrayT, ListT
from srcad.ir.walk import blocks, free_variables, operands, statements

MEETING = 64  # iterations that wait at the end of a chunk, at most
CALM = {"matmul"}  # array operations that do not raise

REDUCTIONS = {  # operations that may be mixed: the one that puts partial results together
    ("add", "sub"): "add",
    ("mul",): "mul",
    ("max",): "max",
    ("min",): "min",
    ("maximum",): "maximum",
    ("minimum",): "minimum",
}


@dataclass(frozen=True)
class Serial:
    """Why a loop does not run on several threads."""

    reason: str
    loc: Loc | None = None

    def __str__(self) -> str:
        return self.reason + (f" (line {self.loc.line})" if self.loc is not None else "")


@dataclass
class Plan:
    """How a loop runs on several threads."""

    loop: For
    free: list[Var]  # what its body uses from outside
    reductions: list[str]  # by carried number
    private: list[Var] = field(default_factory=list)  # arrays of which each chunk has a copy
    atomic: list[Var] = field(default_factory=list)  # arrays that all chunks add to
    window: int = 0  # iterations that wait at the start of each chunk
    apart: list[tuple[Var, Var]] = field(default_factory=list)  # to be compared at run time
    meeting: list[Var] = field(default_factory=list)  # arrays in which near iterations meet


class _Refused(Exception):
    """Carries a ``Serial``."""

    def __init__(self, reason: str, s: Stmt | None = None) -> None:
        self.serial = Serial(reason, getattr(s, "loc", None))


class Planner:
    """The questions about the loops of one function."""

    def __init__(self, fn: Function) -> None:
        self.fn = fn
        self.summaries: dict[str, Summary] = summarise(fn)
        self.regions = Regions(fn, self.summaries)
        self.forms = Forms(fn)
        self.params = {p.name for p in fn.params}

    def plan(self, s: For) -> Plan | Serial:
        """How a loop runs on several threads, or why it does not."""
        try:
            return _Loop(self, s).plan()
        except _Refused as refused:
            return refused.serial

    def apart(self, a: Var, b: Var) -> bool:
        """Whether two references are known to be different storage."""
        x, y = self.regions.of(a), self.regions.of(b)
        outside = any(self.origin(r) for r in x) and any(self.origin(r) for r in y)
        return bool(x and y) and not x & y and not outside

    def origin(self, region: str) -> bool:
        """Whether a region comes from the caller."""
        return region.removesuffix("[]") in self.params


class _Loop:
    """One loop."""

    def __init__(self, planner: Planner, s: For) -> None:
        self.planner, self.loop = planner, s
        self.inside = list(statements(s.body))
        self.touches = Touches(planner.fn, s, planner.forms)
        self.private = self._private()
        self.outside = {v.name for v in self._free() if isinstance(v.type, ListT)}
        self.fetched = self._fetched()

    def _free(self) -> list[Var]:
        """What the body uses from outside."""
        s = self.loop
        return free_variables(s.body, (s.index, *(c.arg for c in s.carried)))

    def _private(self) -> set[str]:
        """Regions that are made in an iteration."""
        made = {
            t.name
            for s in self.inside
            if isinstance(s, (Alloc, ArrayOp, Call))
            for t in ((s.target,) if isinstance(s, Alloc) else s.targets)
            if is_reference(t)
        }
        return made | {f"{name}[]" for name in made}

    def plan(self) -> Plan:
        """The plan; raises ``_Refused``."""
        s = self.loop
        if s.breaks:
            raise _Refused("the loop may end early", s)
        if not isinstance(s.step, Const) or not s.step.value:
            raise _Refused("its step is not a constant", s)
        free = self._free()
        for v in free:
            if isinstance(v.type, ListT) and any(map(self.planner.origin, self.regions(v))):
                raise _Refused(f"it uses the list {shown(v)!r} of the caller", s)
            if isinstance(v.type, ArrayT) and not v.type.ndim:
                raise _Refused(f"it uses an array without axes, {shown(v)!r}", s)
        plan = Plan(s, free, [self._reduction(c, y) for c, y in self._carried()])
        for t in self.inside:
            self._harmless(t)
        self._arrays(plan)
        return plan

    # carried numbers
    def _carried(self) -> Iterator[tuple[Carried, Atom]]:
        return zip(self.loop.carried, self.loop.body.yields, strict=True)

    def _reduction(self, c: Carried, end: Atom) -> str:
        if is_reference(c.arg):
            raise _Refused(f"the array {shown(c.arg)!r} is handed from iteration to iteration")
        for ops, name in REDUCTIONS.items():
            if only_added(self.loop.body, c.arg, end, ops):
                return name
        raise _Refused(f"an iteration needs {shown(c.arg)!r} of the one before it", self.loop)

    # statements
    def _harmless(self, t: Stmt) -> None:
        """Refuse what must happen in order, or may raise where nobody hears it."""
        match t:
            case Print():
                raise _Refused("it prints", t)
            case Draw(given=None):
                raise _Refused("it draws random numbers", t)
            case Reserve() if not self._own(t.array):
                raise _Refused(f"the list {shown(t.array)!r} grows", t)
            case ArrayOp(op=op) if op not in CALM:
                raise _Refused(f"{op!r} may raise", t)
            case Call():
                self._call(t)

    def _call(self, t: Call) -> None:
        callee = self.planner.fn.callees[t.fn]
        known = self.planner.summaries[t.fn]
        for f in (callee, *reachable(callee).values()):
            for s in statements(f.body):
                if isinstance(s, (Check, Print, Draw)):
                    raise _Refused(f"it calls {t.fn!r}, which may raise, print or draw", t)
                if isinstance(s, ArrayOp) and s.op not in CALM:
                    raise _Refused(f"it calls {t.fn!r}, where {s.op!r} may raise", t)
        for a, writes in zip(t.args, known.writes, strict=True):
            if writes and not self._own(a):
                raise _Refused(f"it calls {t.fn!r}, which writes {shown(a)!r}", t)
        for r, source in zip(t.targets, known.results, strict=True):
            if is_reference(r) and not source.fresh:
                raise _Refused(f"it calls {t.fn!r}, which returns what it is given", t)

    def _own(self, a: Atom) -> bool:
        """Whether a reference is to storage that the iteration makes."""
        found = self.regions(a)
        return bool(found) and found <= self.private and a not in self.fetched

    def regions(self, a: Atom) -> frozenset[str]:
        """The regions of a reference."""
        return self.planner.regions.of(a)

    def _fetched(self) -> set[Var]:
        """What is fetched from lists of arrays from outside, with views of it."""
        found: set[Var] = set()
        for t in self.inside:
            match t:
                case Load(target=target, array=a) if is_reference(target):
                    found |= {target} if self.touches.base(a).name in self.outside else set()
                case View(target=target, base=base) if base in found:
                    found.add(target)
        return found

    # arrays
    def _arrays(self, plan: Plan) -> None:
        used: dict[str, Var] = {}
        whole: set[str] = set()
        for t in self.inside:
            for a in operands(t):
                if not is_reference(a) or self._own(a) or isinstance(t, Dim):
                    continue
                if a in self.fetched:
                    self._only_read(a, t)
                    continue
                base = self.touches.base(a)  # type: ignore[arg-type]
                if base.name in self.touches.made:
                    raise _Refused(f"which array {shown(a)!r} is depends on the iteration", t)
                used[base.name] = base
                if isinstance(t, (ArrayOp, Call)):
                    whole.add(base.name)
                elif not isinstance(t, (Load, Store, Accumulate, View)) or (
                    isinstance(t, (Store, Load)) and a is not t.array
                ):
                    raise _Refused(f"{shown(a)!r} is handed on", t)
        self._handed()
        written = {}
        for name, base in used.items():
            how = self._writing(base, name in whole, plan)
            if how:
                written[name] = how
        plan.apart = list(self._compared(used, written))
        for v in self.fetched:
            for name in written:
                if not self.planner.apart(used[name], v):
                    raise _Refused(f"{shown(v)!r} may be {shown(used[name])!r}", self.loop)

    def _only_read(self, a: Atom, t: Stmt) -> None:
        """Arrays from a list: two places may hold the same one, so none is written here."""
        reads = isinstance(t, (Load, View, ArrayOp, Call))
        if not reads or self.regions(a) & self.private:
            raise _Refused(f"{shown(a)!r}, which comes from a list, is written or handed on", t)

    def _handed(self) -> None:
        """Arrays from outside must not get other names in inner blocks."""
        for t in self.inside:
            for b in blocks(t):
                for y in b.yields:
                    if is_reference(y) and not self._own(y):
                        raise _Refused(f"which array {shown(y)!r} is depends on the iteration", t)

    def _writing(self, base: Var, whole: bool, plan: Plan) -> str:
        """How an array is written: not, each element by one iteration, or by sums."""
        stmts = [t.stmt for t in self.touches.found[base.name]]
        writes = [t for t in stmts if not isinstance(t, Load)]
        if not writes:
            return ""
        if not whole and self.touches.owned(base):
            return "owned"
        others = [t for t in stmts if not isinstance(t, Accumulate)]
        if whole or others:
            where = next((t for t in writes if not isinstance(t, Accumulate)), writes[0])
            raise _Refused(f"iterations may meet in the same elements of {shown(base)!r}", where)
        if isinstance(base.type, ListT):
            raise _Refused(f"iterations may meet in the list {shown(base)!r}", writes[0])
        near = self.touches.window(base)
        if near is not None and near <= MEETING:
            plan.window = max(plan.window, near)
            plan.meeting.append(base)
            return "near"
        plan.private.append(base)
        return "summed"

    def _compared(self, used: dict[str, Var], written: dict[str, str]) -> Iterator[tuple[Var, Var]]:
        """Pairs of arrays that must not be the same storage, where that is not known."""
        seen: set[str] = set()
        for name, how in written.items():
            seen.add(name)
            for other, base in used.items():
                if other in seen or how == "summed" == written.get(other):
                    continue
                kinds = {type(v.type) for v in (used[name], base)}
                if len(kinds) > 1 or self.planner.apart(used[name], base):
                    continue
                if ListT in kinds:
                    raise _Refused(f"{shown(base)!r} may be {shown(used[name])!r}", self.loop)
                yield used[name], base


def shown(a: Atom) -> str:
    """What the user calls a variable."""
    return (a.hint or a.name) if isinstance(a, Var) else str(a.value)
