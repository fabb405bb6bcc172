"""The function being written: its scopes, its loops, its text, and what happened to its storage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.randprog.chooser import Decisions
from tests.randprog.model import LOOSE, UNIT, Dim, Expr, Function, Region, Shape, Var

TRIPS = 250  # iterations of an innermost body, over all enclosing loops
DEPTH = 4  # nesting of blocks

NAMES = {
    "float": ["s", "t", "p", "q", "r", "w", "z", "acc", "tmp", "e", "g", "h"],
    "array": ["a", "b", "c", "d", "u", "v", "work", "buf", "out", "col"],
    "int": ["i", "j", "l", "n", "cnt", "pos", "o", "i2", "j2", "l2"],
    "bool": ["flag", "ok"],
    "index": ["order", "sel"],
    "list": ["vals", "items"],
    "tuple": ["pair", "both"],
    "function": ["fn", "fun", "inner"],
}
AWKWARD = {  # names a compiler might want for itself
    "float": ["x_b", "y_t", "tape", "t0", "s_b", "_x", "stack_0", "np_0", "y_b_t"],
    "array": ["a_b", "m_t", "stack", "x_0", "_tmp", "x_t_b"],
    "int": ["trip", "i_0", "_i", "tape_i"],
}


@dataclass
class Event:
    """A storage was read where the derivative needs its value (write=False), or written."""

    write: bool
    region: Region
    loop: int  # identifies the outermost enclosing loop; 0: none
    order: int
    array: bool


@dataclass
class Build:
    """What all functions of one program share."""

    chooser: Decisions
    without: frozenset[str]
    budget: int  # statements left
    bound: float  # of most arrays
    headroom: float  # how much may still be accumulated before a bound could break
    constants: list[str] = field(default_factory=list)
    helpers: list[Function] = field(default_factory=list)
    stats: Counter[str] = field(default_factory=Counter)
    finished: list[list[Event]] = field(default_factory=list)  # events of written functions
    order: int = 0
    loops: int = 0

    def count(self, flag: str) -> None:
        """The program has this feature (once more)."""
        self.stats[flag] += 1

    def array_bound(self) -> float:
        """The bound of a new array: mostly the same, so that helpers find arguments."""
        if self.chooser.chance(85):
            return self.bound
        return LOOSE if self.bound < LOOSE else UNIT

    def allows(self, feature: str) -> bool:
        """May the program use this?"""
        return feature not in self.without


@dataclass
class Loop:
    """An enclosing loop."""

    trips: int
    broken: bool = False  # holds a break
    is_while: bool = False


class Frame:
    """Writes one function body."""

    def __init__(self, build: Build, indent: int, returns: str, shape: Shape = ()):
        self.build, self.chooser = build, build.chooser
        self.indent, self.returns, self.return_shape = indent, returns, shape
        self.lines: list[str] = []
        self.scopes: list[list[Var]] = [[]]
        self.loops: list[Loop] = []
        self.outer_loop = 0
        self.trips = self.most_trips = 1
        self.used_names: set[str] = set()
        self.symbols: dict[str, str] = {}  # text of each unknown length
        self.events: list[Event] = []
        self.inner = False  # a local function
        self.entry = False  # the function that is differentiated

    # --- text ---------------------------------------------------------------------------------

    def emit(self, line: str) -> None:
        """One line at the present indentation."""
        self.lines.append("    " * self.indent + line)

    @contextmanager
    def block(self) -> Iterator[None]:
        """An indented block; what it declares is gone after it."""
        self.indent += 1
        self.scopes.append([])
        length = len(self.lines)
        yield
        if len(self.lines) == length:
            self.emit("pass")
        self.scopes.pop()
        self.indent -= 1

    @contextmanager
    def loop(self, trips: int, is_while: bool = False) -> Iterator[Loop]:
        """A block that runs up to `trips` times."""
        entered = Loop(max(trips, 1), is_while=is_while)
        self.loops.append(entered)
        if len(self.loops) == 1 and not self.inner:
            self.build.loops += 1
            self.outer_loop = self.build.loops
        before, self.trips = self.trips, self.trips * entered.trips
        self.most_trips = max(self.most_trips, self.trips)
        with self.block():
            yield entered
        self.trips = before
        self.loops.pop()
        if not self.loops and not self.inner:
            self.outer_loop = 0

    # --- names --------------------------------------------------------------------------------

    def fresh(self, kind: str) -> str:
        """An unused name that suits the kind."""
        names = NAMES[kind]
        if kind in AWKWARD and self.chooser.chance(8):
            names = AWKWARD[kind]
        for suffix in range(100):
            for name in names:
                full = name + str(suffix) if suffix else name
                if full not in self.used_names:
                    self.used_names.add(full)
                    return full
        raise AssertionError("out of names")

    def declare(self, var: Var) -> Var:
        """The variable is in scope from here to the end of the block."""
        self.scopes[-1].append(var)
        return var

    def vars(self, kind: str, test: Callable[[Var], bool] | None = None) -> list[Var]:
        """Visible variables of a kind, the latest first."""
        return [
            var
            for scope in reversed(self.scopes)
            for var in reversed(scope)
            if var.kind == kind and (test is None or test(var))
        ]

    def arrays(self, ndim: int = 0, bound: float = 0.0) -> list[Var]:
        """Visible float arrays, of a rank and a bound if given."""
        return self.vars(
            "array",
            lambda v: (not ndim or len(v.shape) == ndim) and (not bound or v.bound == bound),
        )

    def length(self, dim: Dim) -> str:
        """Text of a length, an atom."""
        if dim.symbol is not None:
            base = self.symbols[dim.symbol]
            if not dim.offset:
                return base
            return f"({base} {'-' if dim.offset < 0 else '+'} {abs(dim.offset)})"
        if self.chooser.chance(35):
            for var in self.arrays():
                if "[" not in var.name and dim in var.shape:
                    axis = var.shape.index(dim)
                    whole = len(var.shape) == 1 and self.chooser.chance(60)
                    return f"len({var.name})" if whole else f"{var.name}.shape[{axis}]"
        return str(dim.offset)

    # --- what happens to storage --------------------------------------------------------------

    def use(self, *expressions: Expr) -> None:
        """The statement being written evaluates these."""
        for e in expressions:
            for region in e.needs:
                self._note(False, region, False)

    def write(self, var: Var) -> None:
        """The statement being written overwrites (part of) this variable's storage."""
        self._note(True, var.region, var.kind in ("array", "list"))
        self.build.order += 1
        if var.kind == "array":
            root = var.region.root()
            if sum(v.region.root() is root for v in self.arrays()) > 1:
                self.count("alias")

    def count(self, flag: str) -> None:
        """The program has this feature (once more)."""
        self.build.count(flag)

    def _note(self, write: bool, region: Region, array: bool) -> None:
        self.build.order += 1
        event = Event(write, region, self.outer_loop, self.build.order, array)
        self.events.append(event)

    def accumulates(self, amount: float) -> bool:
        """Take `amount` an execution from the headroom, if there is as much."""
        cost = amount * self.trips
        if cost > self.build.headroom / 3:
            return False
        self.build.headroom -= cost
        return True


def overwrites(events: list[Event]) -> tuple[bool, bool]:
    """Is a needed value overwritten later (any storage, array storage)?

    Later means further down, or anywhere in the same outermost loop.
    """
    needed: dict[Region, tuple[int, set[int]]] = {}
    for event in events:
        if not event.write:
            _, loops = needed.setdefault(event.region.root(), (event.order, set()))
            loops.add(event.loop)
    found = [
        event.array
        for event in events
        if event.write
        and (entry := needed.get(event.region.root()))
        and (event.order > entry[0] or (event.loop and event.loop in entry[1]))
    ]
    return bool(found), any(found)
