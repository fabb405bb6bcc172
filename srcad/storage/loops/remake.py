"""What is cheap to compute again is not stored for a later loop.

In: a function, its loops merged.  Out: the same function without arrays that one loop fills with a
product or a sum (``k2[i] = rate[i] * at[i - 1]``) and later loops over the same range read: these
compute it themselves, from elements that are still there, or from a number that another array holds
(``k3_b[i] = 2.0 * k1_b[i]``).  An array less to write, and less in the first cache ("store or
recompute", as for residuals).

Invariant: the same operations on the same numbers, so the same bits.  Nothing writes to the
elements that are read again between the loop that filled the array and the end of the one that
reads them.
Limits: vectors made here and touched element by element in one block; loops with equal bounds and
step one; ``OPS`` operations and ``LOADS`` elements, of which a loop has at most one not yet.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> b = Builder(Namer())
>>> x, y = b.var("x", ArrayT("f8", 1)), b.var("y", ArrayT("f8", 1))
>>> n = b.dim(x, 0)
>>> a = b.alloc(ArrayT("f8", 1), (n,), False, "a")
>>> with b.loop(const(0), n) as i:
...     b.store(a, (i,), b.op("mul", b.load(x, i), const(2.0)))
>>> z = b.alloc(ArrayT("f8", 1), (n,), False, "z")
>>> with b.loop(const(0), n) as i:
...     b.store(z, (i,), b.op("add", b.load(a, i), b.load(x, i)))
>>> print(text(remade(Function("f", (x, y), Block(tuple(b.stack[0]), (z,))))), end="")
def f(x: f8[:]C, y: f8[:]C):
    n: i8 = dim(x, 0)
    z: f8[:]C = empty(n)
    for i_1 in range(0, n, 1):
        t_5: f8 = x[i_1]
        t_2: f8 = mul(t_5, 2.0)
        t_4: f8 = add(t_2, t_5)
        z[i_1] = t_4
    return z
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from srcad.analyses.aliases import Aliases, compared
from srcad.analyses.tree import Node, Tree
from srcad.ir.build import ONE, Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Call,
    Const,
    For,
    Function,
    Load,
    Op,
    Reserve,
    Stmt,
    Store,
    Var,
)
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import ArrayT, is_float
from srcad.ir.walk import blocks, rewrite_block, statements, variables
from srcad.transforms import cse, dead_code
from srcad.transforms.program import key
from srcad.transforms.separate import alone

OPS, LOADS, ARRAYS = 2, 2, 12  # operations, elements; arrays that are given up at most


def remade(fn: Function) -> Function:
    """``fn`` without arrays that are cheap to compute again."""
    for _ in range(ARRAYS):
        found = _one(fn)
        if found is None:
            return fn
        fn = dead_code.run(cse.run(found))
    return fn


@dataclass
class _Uses:
    """The accesses to an array: by the position of their statement in one block."""

    made: Alloc
    node: Node | None = None
    store: tuple[int, Store] | None = None  # in a loop
    loads: list[tuple[int, Load]] = field(default_factory=list)  # in loops
    first: dict[int, Atom] = field(default_factory=dict)  # stored outside of loops, by subscript
    alone: list[tuple[int, Load]] = field(default_factory=list)  # loaded outside of loops
    fine: bool = True


def _one(fn: Function) -> Function | None:
    """The function without one more array."""
    if sum(isinstance(s, Alloc) for s in statements(fn.body)) < 1:
        return None
    tree = Tree(fn)
    for uses in _candidates(tree).values():
        if uses.fine and uses.store is not None and uses.loads:
            found = _Remake(fn, uses).block()
            if found is not None:
                return replace(fn, body=found)
    return None


def _candidates(tree: Tree) -> dict[str, _Uses]:
    """The arrays by name, and where they are used."""
    made = {
        name: _Uses(s)
        for name, s in alone(tree).items()
        if isinstance(s.target.type, ArrayT) and s.target.type.ndim == 1 and is_float(s.target.type)
    }
    for node, position, s in tree.walk():
        if isinstance(s, (Load, Store, Accumulate)) and s.array.name in made:
            _add(made[s.array.name], node, position, s)
    return made


def _add(uses: _Uses, node: Node, position: int, s: Load | Store | Accumulate) -> None:
    """One access more."""
    loop = node.owner if isinstance(node.owner, For) else None
    inside = loop is not None and s.index == (loop.index,) and loop.step == ONE
    home = node.parent if inside else node
    at = node.position if inside else position
    uses.fine &= home is not None and uses.node in (None, home) and not isinstance(s, Accumulate)
    uses.node = home
    if inside and isinstance(s, Store):
        uses.fine &= uses.store is None and s.value.type == s.array.type.element  # type: ignore[union-attr]
        uses.store = (at, s)
    elif inside and isinstance(s, Load):
        uses.loads.append((at, s))
    elif isinstance(s.index[0], Const) and isinstance(s, Store):
        uses.fine &= s.index[0].value not in uses.first and not uses.alone
        uses.fine &= s.value.type == s.array.type.element  # type: ignore[union-attr]
        uses.first[s.index[0].value] = s.value
    elif isinstance(s.index[0], Const) and isinstance(s, Load):
        uses.alone.append((at, s))
        uses.fine &= s.index[0].value in uses.first
    else:
        uses.fine = False


class _Refused(Exception):
    """The array stays."""


class _Remake:
    """One array."""

    def __init__(self, fn: Function, uses: _Uses) -> None:
        assert uses.node is not None and uses.store is not None
        self.fn, self.uses = fn, uses
        self.stmts = uses.node.block.stmts
        self.at, self.store = uses.store
        self.loop: For = self.stmts[self.at]  # type: ignore[assignment]
        self.defs = {t.target.name: t for t in self.loop.body.stmts if isinstance(t, (Op, Load))}
        self.aliases = Aliases(fn, compared(fn))
        self.b = Builder(Namer(v.name for v in variables(fn)))

    def block(self) -> Block | None:
        """The function's body without the array."""
        try:
            self.suits()
            new = {id(s): self.again(k, s) for k, s in self.uses.loads}
        except _Refused:
            return None
        stands: dict[str, Atom] = {}
        for _, s in self.uses.alone:
            new[id(s)] = []
            stands[s.target.name] = self.uses.first[s.index[0].value]  # type: ignore[union-attr]

        def use(a: Atom) -> Atom:
            while isinstance(a, Var) and a.name in stands:
                a = stands[a.name]
            return a

        body = self.rebuilt(self.fn.body, new)
        return rewrite_block(body, use, lambda v: v) if stands else body

    def suits(self) -> None:
        """Whether the loops fit, and elements outside of them are others."""
        start = self.loop.start
        for c in self.uses.first:
            self.require(isinstance(start, Const) and 0 <= c < start.value)
        for k, _ in self.uses.loads:
            s = self.stmts[k]
            assert isinstance(s, For)
            bounds = [(key(x.start), key(x.stop)) for x in (s, self.loop)]
            self.require(k > self.at and bounds[0] == bounds[1])

    @staticmethod
    def require(fine: bool) -> None:
        """Stop if something is not as it must be."""
        if not fine:
            raise _Refused

    def again(self, k: int, s: Load) -> list[Stmt]:
        """What computes an element in the loop at ``k``."""
        reader = self.stmts[k]
        assert isinstance(reader, For)
        self.reader, self.ops, self.elements = reader, 0, 0
        self.between = (*self.stmts[self.at + 1 : k], reader)
        self.there = {
            (t.array.name, self.place(t.index, reader))
            for t in reader.body.stmts
            if isinstance(t, Load)
        }
        self.new, self.known = 0, dict[str, Atom]()
        with self.b.block() as made:
            value = self.value(self.store.value)
        self.require(self.ops <= OPS and self.elements <= LOADS and self.new <= 1)
        self.require(bool(made))
        last = made[-1]
        assert isinstance(last, (Op, Load)) and last.target == value
        return [*made[:-1], replace(last, target=s.target)]

    def place(self, index: tuple[Atom, ...], loop: For) -> object:
        """Subscripts, such that those in different loops can be compared."""
        ops = {t.target.name: t for t in loop.body.stmts if isinstance(t, Op)}

        def of(a: Atom) -> object:
            if a == loop.index:
                return "counter"
            if isinstance(a, Var) and a.name in ops:
                return (ops[a.name].op, *map(of, ops[a.name].args))
            return key(a)

        return tuple(map(of, index))

    def value(self, a: Atom) -> Atom:
        """An operand of the filling loop, in the reading one."""
        if not isinstance(a, Var):
            return a
        if a == self.loop.index:
            return self.reader.index
        if a.name in self.known:
            return self.known[a.name]
        held = self.held(a)
        s = self.defs.get(a.name)
        if held is not None:
            found: Atom = self.element(held.array, held.index, a)
        elif isinstance(s, Load):
            self.require(self.unwritten(s.array, (*self.loop.body.stmts, *self.between)))
            found = self.element(s.array, s.index, a)
        elif isinstance(s, Op):
            self.require(PRIMITIVES[s.op].cost == 1)
            self.ops += is_float(s.target.type)
            args = tuple(map(self.value, s.args))
            self.b.loc = s.loc
            found = self.b.var(a.hint or a.name, a.type)
            self.b.emit(Op(found, s.op, args, s.loc))
        else:
            self.require(not any(a in variables_of(t) for t in (self.loop,)))
            found = a
        self.known[a.name] = found
        return found

    def element(self, array: Var, index: tuple[Atom, ...], a: Var) -> Var:
        """An element, loaded again."""
        self.elements += 1
        self.new += (array.name, self.place(index, self.loop)) not in self.there
        at = tuple(map(self.value, index))
        return self.b.load(array, *at, hint=a.hint or a.name)

    def held(self, a: Var) -> Store | None:
        """A store of the same number in another array, which stays as it is until it is read."""
        for t in self.loop.body.stmts:
            if not isinstance(t, Store) or t.value != a or t.array == self.store.array:
                continue
            exact = t.array.type.element == a.type and t.index == (self.loop.index,)  # type: ignore[union-attr]
            others = [x for x in self.loop.body.stmts if x is not t]
            if exact and self.unwritten(t.array, (*others, *self.between)):
                return t
        return None

    def unwritten(self, array: Var, stmts: tuple[Stmt, ...]) -> bool:
        """Whether statements write nothing to the storage of an array."""
        root = self.aliases.root(array)
        for s in (x for t in stmts for x in _all(t)):
            if isinstance(s, (Store, Accumulate)) and self.aliases.root(s.array) == root:
                return False
            if isinstance(s, (Call, Reserve)):
                return False
            if isinstance(s, ArrayOp) and array in s.args:
                return False
        return True

    def rebuilt(self, b: Block, new: dict[int, list[Stmt]]) -> Block:
        """A block with loads replaced, without the array."""
        out: list[Stmt] = []
        name = self.store.array.name
        for s in b.stmts:
            if isinstance(s, (Store, Alloc)) and _array(s) == name:
                continue
            if id(s) in new:
                out += new[id(s)]
                continue
            out.append(s if not blocks(s) else self.inner(s, new))
        return Block(tuple(out), b.yields)

    def inner(self, s: Stmt, new: dict[int, list[Stmt]]) -> Stmt:
        """A statement with its blocks rebuilt."""
        parts = {
            name: self.rebuilt(b, new)
            for name in ("body", "then", "orelse")
            if isinstance(b := getattr(s, name, None), Block)
        }
        return replace(s, **parts)  # type: ignore[arg-type]


def _array(s: Store | Alloc) -> str:
    return s.array.name if isinstance(s, Store) else s.target.name


def _all(s: Stmt) -> Iterator[Stmt]:
    yield s
    for b in blocks(s):
        yield from statements(b)


def variables_of(s: For) -> set[Var]:
    """The variables that a loop makes inside."""
    fn = Function("", (), s.body)
    return {*variables(fn), s.index, *(c.arg for c in s.carried)}
