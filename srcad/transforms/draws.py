"""Random numbers: drawn once, used again.

In: a function that draws.  Out:
* ``recorded``: the same function, whose last result are the numbers it drew, in order;
* ``replayed``: a function of these numbers as a last argument that takes them instead of drawing
  (nor does it print or check: that has been done), parameters of the draws still being known;
* ``lifted``: calls that are not expanded hand out the numbers they drew, so that the reverse
  sweep, which executes a call again, can replay them.

An integer takes two places of the record, its upper and its lower half.

``refuse_parameters`` refuses draws whose own parameters depend on what is differentiated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srcad.analyses.activity import Activity
from srcad.analyses.regions import Regions
from srcad.analyses.summaries import reachable, summarise
from srcad.errors import NoDerivative
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.draws import DRAWS
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Atom,
    Block,
    Call,
    Check,
    Draw,
    For,
    Function,
    If,
    Print,
    Stmt,
    Var,
    While,
)
from srcad.ir.types import F8, I8, ArrayT, ListT
from srcad.ir.walk import statements, variables
from srcad.transforms.family import Family

RECORD = ArrayT("f8", 1, "C")
REASON = (
    "how the number drawn depends on it is decided by comparisons, so a derivative along the "
    "numbers drawn would miss how their distribution changes"
)
INSTEAD = (
    "give it a parameter that is held fixed, or differentiate the logarithm of the probability "
    "(the score function)"
)
HALF, LOW = const(32), const((1 << 32) - 1)


def draws(fn: Function) -> bool:
    """Whether a function, or one it calls, draws random numbers."""
    return any(s.given is None for s in _all_draws(fn))


def _all_draws(fn: Function) -> Iterator[Draw]:
    for f in (fn, *reachable(fn).values()):
        yield from (s for s in statements(f.body) if isinstance(s, Draw))


def recorded(fn: Function, family: Family | None = None, name: str = "") -> Function:
    """``fn`` with the numbers it draws as its last result."""
    made = _Recorder(fn, family or Family(fn), Var("drawn", ListT(F8), "drawn"))
    return made.whole(name)


def replayed(fn: Function, family: Family | None = None, name: str = "") -> Function:
    """``fn`` with the numbers it draws as its last parameter."""
    made = _Replayer(fn, family or Family(fn), Var("drawn", RECORD, "drawn"))
    return made.whole(name)


def lifted(fn: Function, family: Family) -> Function:
    """``fn`` with the numbers that its calls draw as results of the calls."""
    return _Lifter(fn, family).function() if draws(fn) else fn


def recorded_part(fn: Function, family: Family, name: str) -> Function:
    """``fn`` that writes the numbers it draws into its last but one parameter, from the place that
    the last one holds."""
    return _Recorder(fn, family, Var("drawn", ListT(F8), "drawn")).part(name)


def replayed_part(fn: Function, family: Family, name: str) -> Function:
    """``fn`` that takes the numbers from its last but one parameter, likewise."""
    return _Replayer(fn, family, Var("drawn", RECORD, "drawn")).part(name)


def written_record(b: Builder, numbers: Var, at: Var) -> Var:
    """The numbers that were drawn, as an array."""
    size = b.load(at, ZERO, hint="n")
    made = b.alloc(RECORD, (size,), zero=False, hint="drawn")
    with b.loop(ZERO, size) as i:
        b.store(made, (i,), b.load(numbers, i))
    return made


class _Rewriter:
    """Rewrites every statement of a function."""

    def __init__(self, fn: Function, family: Family) -> None:
        self.fn, self.family = fn, family
        self.b = Builder(Namer(v.name for v in variables(fn)))

    def block(self, block: Block) -> Block:
        """A block, rewritten."""
        with self.b.block() as stmts:
            for s in block.stmts:
                self.b.loc = getattr(s, "loc", None)
                self.statement(s)
        return Block(tuple(stmts), block.yields)

    def statement(self, s: Stmt) -> None:
        """Emit what stands for a statement."""
        match s:
            case If():
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            case For() | While():
                s = replace(s, body=self.block(s.body))
            case Draw(given=None):
                return self.draw(s)
            case Call() if draws(self.family.callees[s.fn]):
                return self.call(s)
        self.b.emit(s)
        return None

    def draw(self, s: Draw) -> None:
        """Emit what stands for a draw."""
        self.b.emit(s)

    def call(self, s: Call) -> None:
        """Emit what stands for a call of a function that draws."""
        raise NotImplementedError


class _Taper(_Rewriter):
    """What recording and replaying share: the numbers, and the position of the next one."""

    role = ""

    def __init__(self, fn: Function, family: Family, like: Var) -> None:
        super().__init__(fn, family)
        self.numbers = self.b.var(like.hint, like.type)
        self.at = self.b.var("at", ArrayT("i8", 1, "C"))

    def part(self, name: str) -> Function:
        """The version that other versions call: the numbers and the position are parameters."""
        body = self.block(self.fn.body)
        params = (*self.fn.params, self.numbers, self.at)
        return replace(self.fn, name=name, params=params, body=body, callees=self.family.callees)

    def call(self, s: Call) -> None:
        """The callee goes on in the same record."""

        def make(new: str, primal: Function) -> Function:
            return type(self)(primal, self.family, self.numbers).part(new)

        fn = self.family.version((self.role, s.fn), f"{s.fn}_{self.role}", s.fn, make)
        self.b.emit(replace(s, fn=fn, args=(*s.args, self.numbers, self.at)))

    def next(self, count: int = 1) -> Var:
        """The position of the next number; the one after it is ``count`` further."""
        here = self.b.load(self.at, ZERO, hint="n")
        self.b.store(self.at, (ZERO,), self.b.op("add", here, const(count)))
        return here


class _Recorder(_Taper):
    role = "recorded"

    def whole(self, name: str) -> Function:
        """The function with its own, fresh record."""
        with self.b.block() as opening:
            self.b.loc = None
            self.numbers = self.b.alloc(ListT(F8), (), hint="drawn")
            self.at = self.b.alloc(ArrayT("i8", 1, "C"), (ONE,), hint="at")
        body = self.block(self.fn.body)
        with self.b.block() as closing:
            self.b.loc = None
            made = written_record(self.b, self.numbers, self.at)
        whole = Block((*opening, *body.stmts, *closing), (*body.yields, made))
        name = name or self.fn.name
        return replace(self.fn, name=name, body=whole, callees=self.family.callees)

    def draw(self, s: Draw) -> None:
        """The draw, and its result written down."""
        self.b.emit(s)
        for t in s.targets:
            halves = (
                [t] if t.type == F8 else [self.b.op("rshift", t, HALF), self.b.op("bitand", t, LOW)]
            )
            here = self.next(len(halves))
            self.b.reserve(self.numbers, self.b.op("add", here, const(len(halves))))
            for k, half in enumerate(halves):
                place = self.b.op("add", here, const(k))
                self.b.store(self.numbers, (place,), self.b.cast(half, F8))


class _Replayer(_Taper):
    role = "replayed"

    def whole(self, name: str) -> Function:
        """The function of the numbers of a record."""
        with self.b.block() as opening:
            self.b.loc = None
            self.at = self.b.alloc(ArrayT("i8", 1, "C"), (ONE,), hint="at")
        body = self.block(self.fn.body)
        whole = Block((*opening, *body.stmts), body.yields)
        params = (*self.fn.params, self.numbers)
        name = name or self.fn.name
        return replace(self.fn, name=name, params=params, body=whole, callees=self.family.callees)

    def statement(self, s: Stmt) -> None:
        """Prints and checks have been executed."""
        if not isinstance(s, (Print, Check)):
            super().statement(s)

    def draw(self, s: Draw) -> None:
        """The number from the record."""
        for t in s.targets:
            if t.type == F8:
                value: Atom = self.b.load(self.numbers, self.next())
            else:
                here = self.next(2)
                high = self.b.cast(self.b.load(self.numbers, here), I8)
                low = self.b.cast(self.b.load(self.numbers, self.b.op("add", here, ONE)), I8)
                value = self.b.op("bitor", self.b.op("lshift", high, HALF), low)
            self.b.emit(replace(s, given=value))


class _Lifter(_Rewriter):
    def function(self) -> Function:
        """The function, its calls lifted."""
        return replace(self.fn, body=self.block(self.fn.body), callees=self.family.callees)

    def call(self, s: Call) -> None:
        """A call of the recording version; the replaying one is known to the family."""
        family = self.family
        if s.fn in family.loops:  # it keeps its record itself
            self.b.emit(s)
            return
        fn = family.version(
            ("record", s.fn),
            f"{s.fn}_record",
            s.fn,
            lambda name, primal: recorded(primal, family, name),
        )
        family.version(
            ("replay", fn),
            f"{s.fn}_replay",
            s.fn,
            lambda name, primal: replayed(primal, family, name),
        )
        self.b.emit(replace(s, fn=fn, targets=(*s.targets, self.b.var("drawn", RECORD))))


def replay_of(family: Family, name: str) -> str | None:
    """The version of a lifted call's function that takes its last result as last argument."""
    return family.made.get(("replay", name))


def refuse_parameters(fn: Function, activity: Activity) -> None:
    """Refuse draws whose own parameters vary, in calls that are not expanded as well.

    Raises:
        NoDerivative: there is one.
    """
    if any(_all_draws(fn)):
        _refuse(fn, activity, set())


def _refuse(fn: Function, activity: Activity, seen: set[tuple[str, tuple[bool, ...]]]) -> None:
    for s in statements(fn.body):
        if isinstance(s, Draw) and not DRAWS[s.kind].slope and activity.varied.any(s.args):
            raise NoDerivative(
                f"np.random.{s.kind} of a parameter that depends on what is differentiated",
                s.loc,
                REASON,
                INSTEAD,
            )
        if isinstance(s, Call):
            pattern = tuple(map(activity.varied.has, s.args))
            if any(pattern) and (s.fn, pattern) not in seen:
                seen.add((s.fn, pattern))
                callee = fn.callees[s.fn]
                summaries = summarise(callee)
                inner = Activity(callee, Regions(callee, summaries), summaries, pattern)
                _refuse(callee, inner, seen)
