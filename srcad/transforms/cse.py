"""Common subexpressions: a pure operation is computed once in the scope that dominates its uses.

In: verified IR.  Out: the same function where an ``Op``, ``Dim``, ``View`` or ``Load`` equal to
one already executed in an enclosing scope is replaced by its result, an element just stored is
not loaded again, and what has been checked is not checked again.

Invariant: a load is shared only while no write to storage that may be the same lies between
(``analyses.aliases``, and element types: storage has one).  A loop's own writes count before its
body and after it; a value from outside may be used inside a loop, never the reverse.  Results
keep the place and ``loc`` of the first.  Limits: nothing is moved (see ``hoist``), and equal
values of different branches stay apart.

>>> from srcad.ir.build import Builder
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import F8, I8
>>> b = Builder(Namer())
>>> x, a = b.var("x", F8), b.var("a", ArrayT("f8", 1))
>>> zero = Const(0, I8)
>>> for _ in range(2):
...     b.store(a, (zero,), b.op("mul", b.load(a, zero), b.op("sin", x)))
>>> fn = Function("f", (x, a), Block(tuple(b.stack[0])))
>>> print(text(fn), text(run(fn)), sep="", end="")
def f(x: f8, a: f8[:]C):
    t: f8 = a[0]
    t_1: f8 = sin(x)
    t_2: f8 = mul(t, t_1)
    a[0] = t_2
    t_3: f8 = a[0]
    t_4: f8 = sin(x)
    t_5: f8 = mul(t_3, t_4)
    a[0] = t_5
def f(x: f8, a: f8[:]C):
    t: f8 = a[0]
    t_1: f8 = sin(x)
    t_2: f8 = mul(t, t_1)
    a[0] = t_2
    t_5: f8 = mul(t_2, t_1)
    a[0] = t_5
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from srcad.analyses.aliases import OUTSIDE, Aliases
from srcad.ir.nodes import (
    Accumulate,
    Atom,
    Block,
    Call,
    Check,
    Const,
    Dim,
    For,
    Function,
    If,
    Load,
    Op,
    Reserve,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.types import ArrayT, ListT
from srcad.ir.walk import blocks, keeping, rewrite, statements
from srcad.transforms.program import each_function, key

_COMMUTATIVE = {"add", "mul", "eq", "ne", "and", "or", "bitand", "bitor", "bitxor"}
_EXACT_STORE = {"f8", "f4", "i8", "b1"}
Cell = tuple[str, str]  # class of storage, element type


def run(fn: Function, distinct: bool = False) -> Function:
    """The program with its common subexpressions shared.

    With ``distinct`` the array parameters of ``fn`` are known not to overlap.
    """

    def one(f: Function) -> Function:
        return replace(f, body=_Sharing(Aliases(f, distinct and f is fn)).function(f))

    return each_function(fn, one)


class _Sharing:
    """One walk in order of execution.

    ``values`` maps what was computed to its result, for the scope in hand; ``log`` undoes it on
    leaving a scope.  Every class of storage has a version, part of a load's key, that a write
    renews.
    """

    def __init__(self, aliases: Aliases) -> None:
        self.aliases = aliases
        self.values: dict[Hashable, Atom] = {}
        self.log: list[Hashable] = []
        self.same: dict[str, Atom] = {}
        self.version: dict[Cell, int] = {}
        self.writes = 0
        self.outside: set[Cell] = set()
        self.written: dict[int, set[Cell]] = {}

    def function(self, fn: Function) -> Block:
        """The body of a function, rebuilt."""
        cells = map(self.read_or_written, statements(fn.body))
        self.outside = {c for c in cells if c and c[0] == OUTSIDE}
        self.count_writes(fn.body)
        return self.block(fn.body)

    # storage
    def cell(self, array: Var) -> Cell:
        """What a reference points into."""
        t = array.type
        return self.aliases.root(array), t.dtype if isinstance(t, ArrayT) else str(t)

    def read_or_written(self, s: Stmt) -> Cell | None:
        """The storage that a statement addresses."""
        if isinstance(s, (Load, Store, Accumulate, Reserve, Dim)):
            return self.cell(s.array)
        return None

    def count_writes(self, block: Block) -> set[Cell]:
        """What a block may write; remembered for the statements with inner blocks."""
        cells: set[Cell] = set()
        for s in block.stmts:
            if isinstance(s, (Store, Accumulate, Reserve)):
                cells.add(self.cell(s.array))
            elif isinstance(s, Call):
                cells |= self.outside
            elif inner := blocks(s):
                self.written[id(s)] = set().union(*map(self.count_writes, inner))
                cells |= self.written[id(s)]
        return cells

    def write(self, cells: set[Cell]) -> None:
        """Loads from here on see other contents."""
        self.writes += 1
        for c in cells:
            self.version[c] = self.writes

    # values
    def use(self, a: Atom) -> Atom:
        """An operand, or the earlier variable that equals it."""
        return self.same.get(a.name, a) if isinstance(a, Var) else a

    def remember(self, what: Hashable, a: Atom) -> None:
        """A value available until the end of the scope."""
        if what not in self.values:
            self.values[what] = a
            self.log.append(what)

    def load_key(self, array: Var, index: tuple[Atom, ...]) -> Hashable:
        """What a load reads: the element, at the present version of the storage."""
        return ("load", array, self.version.get(self.cell(array), 0), tuple(map(key, index)))

    def computed(self, s: Stmt) -> Hashable | None:
        """The key of a statement that may be shared."""
        match s:
            case Op(op=op, args=args):
                keys = [key(a) for a in args]
                if op in _COMMUTATIVE:
                    keys.sort(key=repr)
                return (op, s.target.type, *keys)
            case Load():
                return self.load_key(s.array, s.index)
            case Dim(array=Var(type=ListT()) as a):
                return ("dim", self.load_key(a, ()))
            case Dim():
                return ("dim", s.array, s.axis)
            case View():
                spec = tuple(_spec_key(x) for x in s.spec)
                return ("view", s.base, s.kind, spec, s.target.type)
        return None

    # statements
    @contextmanager
    def scope(self) -> Iterator[None]:
        """Values found inside are forgotten at the end."""
        mark = len(self.log)
        yield
        while len(self.log) > mark:
            del self.values[self.log.pop()]

    def block(self, b: Block) -> Block:
        """A block in a scope of its own."""
        out: list[Stmt] = []
        with self.scope():
            for s in b.stmts:
                self.statement(s, out)
            return Block(tuple(out), tuple(map(self.use, b.yields)))

    def statement(self, s: Stmt, out: list[Stmt]) -> None:
        """One statement: shared, or appended with its operands."""
        if isinstance(s, (If, For, While)):
            out.append(self.compound(s))
            return
        s = rewrite(s, self.use, lambda v: v)
        match s:
            case Op(target=t) | Load(target=t) | Dim(target=t) | View(target=t):
                what = self.computed(s)
                known = self.values.get(what)
                if known is not None and known.type == t.type:
                    self.same[t.name] = known
                    return
                self.remember(what, t)
            case Store() | Accumulate() | Reserve():
                self.write({self.cell(s.array)})
                if isinstance(s, Store) and self.exact(s):
                    self.remember(self.load_key(s.array, s.index), s.value)
            case Check(cond=Var(name=name) as cond):
                if ("checked", name) in self.values:
                    return  # it has held before, or nobody would come here
                self.remember(("checked", name), cond)
            case Call():
                self.write(self.outside)
        out.append(s)

    def exact(self, s: Store) -> bool:
        """Whether loading the element again gives the very value stored."""
        t = s.array.type
        return isinstance(t, ArrayT) and t.dtype in _EXACT_STORE and t.element == s.value.type

    def compound(self, s: If | For | While) -> Stmt:
        """A statement with inner blocks, and what its writes mean for those after it."""
        cells = self.written[id(s)]
        if isinstance(s, If):
            cond, before = self.use(s.cond), {c: self.version.get(c, 0) for c in cells}
            then = self.block(s.then)
            self.version.update(before)
            done: Stmt = replace(s, cond=cond, then=then, orelse=self.block(s.orelse))
        else:
            carried = tuple(replace(c, init=self.use(c.init)) for c in s.carried)
            if isinstance(s, For):
                s = replace(
                    s, start=self.use(s.start), stop=self.use(s.stop), step=self.use(s.step)
                )
            self.write(cells)
            body = self.block(s.body)
            done = replace(s, carried=carried, body=body, keep=keeping(s, self.use))
        self.write(cells)
        return done


def _spec_key(item: object) -> Hashable:
    if isinstance(item, tuple):
        return tuple(_spec_key(x) for x in item)
    return key(item) if isinstance(item, (Var, Const)) else (item,)
