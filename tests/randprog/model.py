"""What the grammar knows about the program it writes: lengths, storage, variables, expressions.

Every array has a length the grammar knows (a number, or the unknown length of a helper's parameter
plus an offset), so indices and slices are valid by construction.  Every float expression has a
bound on its absolute value, and every storage a bound its values respect, so loops cannot blow up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

UNIT = 1.0  # bound of storage whose values may be squared and multiplied freely
LOOSE = 1e4  # bound of storage that may also be accumulated into
SYMBOL_LEAST, SYMBOL_MOST = 2, 16  # lengths a helper's parameter may have
ATOM, POWER, MUL, ADD, LOW = 4, 3, 2, 1, 0  # how tightly an expression's text binds


class Dim(NamedTuple):
    """A length: `symbol + offset`, or the number `offset` alone."""

    symbol: str | None
    offset: int

    def least(self) -> int:
        """The smallest length this can be."""
        return self.offset + (SYMBOL_LEAST if self.symbol else 0)

    def most(self) -> int:
        """The largest."""
        return self.offset + (SYMBOL_MOST if self.symbol else 0)

    def plus(self, amount: int) -> Dim:
        """A length longer by `amount`."""
        return Dim(self.symbol, self.offset + amount)

    def under(self, other: Dim) -> bool:
        """Certainly smaller than `other`?"""
        if self.symbol == other.symbol:
            return self.offset < other.offset
        return self.most() < other.least()


Shape = tuple[Dim, ...]
ZERO = Dim(None, 0)


def number(value: int) -> Dim:
    """A known length."""
    return Dim(None, value)


class Region:
    """One storage (a scalar variable, or an array through all its views); rebinding merges."""

    __slots__ = ("parent",)

    def __init__(self) -> None:
        self.parent: Region | None = None

    def root(self) -> Region:
        """The representative of the merged regions."""
        region = self
        while region.parent is not None:
            region = region.parent
        return region

    def merge(self, other: Region) -> None:
        """From now on one region with `other`."""
        mine, theirs = self.root(), other.root()
        if mine is not theirs:
            mine.parent = theirs


NOTHING: frozenset[Region] = frozenset()


@dataclass(eq=False, slots=True)
class Var:
    """A name in scope: kind is float, int, bool, array, index (int array), list or function."""

    name: str
    kind: str
    shape: Shape = ()
    bound: float = UNIT
    region: Region = field(default_factory=Region)
    assignable: bool = False  # scalars: may be assigned; arrays: the name may be rebound
    contiguous: bool = False
    low: int = 0  # ints, and the entries of index arrays
    high: Dim = ZERO
    counter: bool = False  # the counter of an enclosing loop
    locked: bool = False  # a list that is being iterated over
    function: Function | None = None


@dataclass(eq=False, slots=True)
class Function:
    """What a caller knows of a helper or local function."""

    name: str
    params: list[Var]
    returns: str  # float, tuple, array, view (of the first parameter), none
    shape: Shape = ()  # of the array or view
    bound: float = LOOSE
    default: bool = False  # the last parameter has a default value
    cost: float = 0.0  # headroom a call takes
    trips: int = 1  # iterations of its innermost body
    written: frozenset[str] = frozenset()  # names of the parameters it writes into
    needed: frozenset[str] = frozenset()  # names of those whose values a derivative needs
    captured: frozenset[Region] = NOTHING
    changed: list[Var] = field(default_factory=list)  # captured arrays it writes into
    local: bool = False
    called: bool = False


class Expr:
    """A float expression: text, how tightly it binds, bound, shape, and the storage it reads.

    `reads` is every active storage read; `needs` those whose values the derivative needs.
    """

    __slots__ = ("bound", "level", "needs", "reads", "shape", "text")

    def __init__(
        self,
        text: str,
        level: int = ATOM,
        bound: float = UNIT,
        shape: Shape = (),
        reads: frozenset[Region] = NOTHING,
        needs: frozenset[Region] = NOTHING,
    ):
        self.text, self.level, self.bound, self.shape = text, level, bound, shape
        self.reads, self.needs = reads, needs

    def at(self, level: int) -> str:
        """The text, in parentheses if it binds less tightly than `level`."""
        return self.text if self.level >= level else f"({self.text})"


def constant(value: float) -> Expr:
    """A non-negative literal."""
    return Expr(repr(float(value)), bound=value)


def add(a: Expr, b: Expr) -> Expr:
    """a + b"""
    return _linear(f"{a.at(ADD)} + {b.at(MUL)}", a, b)


def subtract(a: Expr, b: Expr) -> Expr:
    """a - b"""
    return _linear(f"{a.at(ADD)} - {b.at(MUL)}", a, b)


def multiply(a: Expr, b: Expr) -> Expr:
    """a * b, elementwise"""
    needs = a.needs | b.needs
    if a.reads:
        needs |= b.reads
    if b.reads:
        needs |= a.reads
    text = f"{a.at(MUL)} * {b.at(ATOM)}"
    return Expr(text, MUL, a.bound * b.bound, join(a.shape, b.shape), a.reads | b.reads, needs)


def scaled(factor: float, e: Expr) -> Expr:
    """A literal times e"""
    text = f"{factor!r} * {e.at(ATOM)}"
    return Expr(text, MUL, factor * e.bound, e.shape, e.reads, e.needs)


def negative(e: Expr) -> Expr:
    """-e"""
    return Expr(f"-{e.at(ATOM)}", MUL, e.bound, e.shape, e.reads, e.needs)


def guarded_quotient(a: Expr, b: Expr) -> Expr:
    """a / (1.5 + b * b): the divisor never comes near zero"""
    text = f"{a.at(MUL)} / (1.5 + {b.at(ATOM)} * {b.at(ATOM)})"
    reads = a.reads | b.reads
    needs = a.needs | b.needs | b.reads | (a.reads if b.reads else NOTHING)
    return Expr(text, MUL, a.bound / 1.5, join(a.shape, b.shape), reads, needs)


def call(function: str, e: Expr, bound: float) -> Expr:
    """function(e), nonlinear in e; `function` may be the whole text already"""
    text = function if function.endswith(")") else f"{function}({e.text})"
    return Expr(text, ATOM, bound, e.shape, e.reads, e.needs | e.reads)


def _linear(text: str, a: Expr, b: Expr) -> Expr:
    shape = join(a.shape, b.shape)
    return Expr(text, ADD, a.bound + b.bound, shape, a.reads | b.reads, a.needs | b.needs)


def join(a: Shape, b: Shape) -> Shape:
    """The shape of a broadcast of two shapes that fit."""
    return a if len(a) >= len(b) else b
