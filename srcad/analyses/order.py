"""Whether the iterations of a loop may come in another order.

In: a function, a loop in it.  Out: ``Iterations``: for each class of storage that the loop touches,
whether every element sees the same accesses in the same order whatever the order of iterations.

Invariant: that is so where nothing is written, or where every access is at one and the same
subscript, on one axis of one array, that differs from iteration to iteration (seen through views
that fix positions), or where elements are only accumulated into by adjoint code, whose sums may
come in any order; or where the bounds of the loops say so for every pair of accesses
(``analyses.meetings``).  Limits: subscripts known not to be negative; whole-array operations on
what is written.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Block
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> a = b.var("a", ArrayT("f8", 1))
>>> with b.loop(const(0), const(9)) as i:
...     b.store(a, (i,), b.load(a, i))
>>> with b.loop(const(0), const(9)) as i:
...     b.store(a, (i,), b.load(a, const(0)))
>>> first, second = b.stack[0]
>>> order = Order(Function("f", (a,), Block((first, second))))
>>> [[o.independent(root) for root in o.accesses] for o in map(order.of, (first, second))]
[[True], [False]]
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from srcad.analyses.aliases import Aliases, is_reference
from srcad.analyses.elements import Access
from srcad.analyses.meetings import Meetings
from srcad.analyses.tree import Node, Tree
from srcad.ir.bounds import Bounds
from srcad.ir.nodes import (
    Accumulate,
    ArrayOp,
    Atom,
    Block,
    For,
    Function,
    If,
    Load,
    Op,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.types import ArrayT, is_float
from srcad.ir.walk import binders, operands, statements, targets

Touch = Load | Store | Accumulate
Element = tuple[str, tuple[Atom | None, ...]]  # an array, subscripts (None: not known)


class Order:
    """What the questions about a function have in common."""

    def __init__(self, fn: Function, distinct: bool | Collection[str] = False) -> None:
        self.fn, self.aliases, self.bounds = fn, Aliases(fn, distinct), Bounds(fn)
        self._bodies: dict[str, Node] = {}
        self._meetings: Meetings | None = None

    def of(self, s: For) -> Iterations:
        """The iterations of a loop."""
        return Iterations(self, s)

    def meetings(self) -> Meetings:
        """Which accesses can meet, in the function as it was given."""
        if self._meetings is None:
            self._meetings = Meetings(Tree(self.fn))
            bodies = (n for n in self._meetings.tree.nodes if isinstance(n.owner, For))
            self._bodies = {n.owner.index.name: n for n in bodies}  # type: ignore[union-attr]
        return self._meetings

    def meet(self, s: For, root: str, added: bool) -> bool:
        """Whether iterations of a loop may touch the same element of a class of storage.

        Sums do not count: those of adjoint code, with ``added`` all.
        """
        meetings = self.meetings()
        loop = self._bodies.get(s.index.name)
        if loop is None:
            return True
        found = [
            (t, Access(n, k, self.aliases.root(t.array), t.array, t.index))
            for n in loop.subtree()
            for k, t in enumerate(n.block.stmts)
            if isinstance(t, (Load, Store, Accumulate)) and self.aliases.root(t.array) == root
        ]
        return any(
            not _harmless(a, b, added) and meetings.ever(x, y, loop)
            for k, (a, x) in enumerate(found)
            for b, y in found[k:]
        )


class Iterations:
    """One loop: ``accesses`` by class of storage."""

    def __init__(self, order: Order, s: For) -> None:
        self.order, self.loop = order, s
        self.inside = list(statements(s.body))
        self.made = {v.name for t in self.inside for v in targets(t)}
        self.bound = {v.name for t in (s, *self.inside) for v in binders(t)}
        self.views = {t.target.name: t for t in self.inside if isinstance(t, View)}
        self.accesses: dict[str, list[Touch]] = defaultdict(list)
        self.whole: set[str] = set()  # what operations read as a whole
        for t in self.inside:
            if isinstance(t, (Load, Store, Accumulate)):
                self.accesses[order.aliases.root(t.array)].append(t)
            elif isinstance(t, ArrayOp):
                self.whole |= {order.aliases.root(a) for a in t.args if is_reference(a)}  # type: ignore[arg-type]
        self.varying = _varying(s, self.inside)

    def independent(self, root: str, added: bool = False) -> bool:
        """Whether the accesses to one class of storage may come in any order of iterations.

        ``added``: also those that only accumulate, adjoint code or not.
        """
        group = self.accesses[root]
        if all(isinstance(t, Load) for t in group):
            return True
        if root in self.whole or not all(isinstance(t.array.type, ArrayT) for t in group):
            return False
        adjoint = added or all(t.loc is not None and t.loc.role == "adjoint" for t in group)
        if adjoint and all(isinstance(t, Accumulate) for t in group):
            return True
        elements = [self.element(t) for t in group]
        (base, *others) = {base for base, _ in elements}
        if not others and base not in self.made and base not in self.bound:  # one array
            columns = zip(*(index for _, index in elements), strict=True)
            if any(map(self.distinct, columns)):
                return True
        return not self.order.meet(self.loop, root, added)

    def element(self, t: Touch) -> Element:
        """The array made outside the loop that an access goes to, and its subscripts there."""
        array = t.array
        index: tuple[Atom | None, ...] = t.index
        while array.name in self.views:
            view = self.views[array.name]
            array, index = view.base, _through(view, index)
        return array.name, index

    def distinct(self, column: tuple[Atom | None, ...]) -> bool:
        """Whether a subscript is one number, another in each iteration, never from the end."""
        a = column[0]
        if not isinstance(a, Var) or a.name not in self.varying:
            return False
        low = self.order.bounds.lower(a)
        return low is not None and low >= 0 and all(x == a for x in column)


def _through(view: View, index: tuple[Atom | None, ...]) -> tuple[Atom | None, ...]:
    """Subscripts of a view's base from those of the view, as far as they are simple."""
    assert isinstance(view.base.type, ArrayT)
    unknown: tuple[Atom | None, ...] = (None,) * view.base.type.ndim
    if view.kind == "same":
        return index
    if view.kind == "transpose":
        found = list(unknown)
        for axis, a in zip(view.spec, index, strict=True):
            found[axis] = a
        return tuple(found)
    if view.kind != "index":
        return unknown
    rest, found = list(index), []
    for item in view.spec:
        if item[0] == "new":
            rest.pop(0)
        elif item[0] == "at":
            found.append(item[1])
        else:
            a = rest.pop(0)
            found.append(a if item[1] is None and item[3] is None else None)
    return (*found, *rest)


def _varying(s: For, inside: list[Stmt]) -> set[str]:
    """The counter, and it plus or minus what does not change: different in every iteration."""
    made = {v.name for t in inside for v in targets(t)}
    bound = {v.name for t in inside for v in binders(t)}

    def fixed(a: Atom) -> bool:
        return not isinstance(a, Var) or a.name not in made and a.name not in bound

    found = {s.index.name}
    for t in inside:
        if isinstance(t, Op) and t.op in ("add", "sub"):
            x, y = t.args
            own = isinstance(x, Var) and x.name in found and fixed(y)
            other = t.op == "add" and isinstance(y, Var) and y.name in found and fixed(x)
            if own or other:
                found.add(t.target.name)
    return found


def _harmless(a: Touch, b: Touch, added: bool) -> bool:
    """Whether two accesses may come in any order."""
    if isinstance(a, Accumulate) and isinstance(b, Accumulate):
        return added or all(t.loc is not None and t.loc.role == "adjoint" for t in (a, b))
    return isinstance(a, Load) and isinstance(b, Load)


SUM = ("add", "sub")
COMMUTATIVE = ("add", "mul", "maximum", "minimum")


def only_added(body: Block, arg: Var, end: Atom, ops: tuple[str, ...] = SUM) -> bool:
    """Whether a carried number is only added to, through branches and inner loops.

    ``ops`` are the operations that count, others than those of a sum for other reductions.

    >>> from srcad.ir.build import Builder
    >>> from srcad.ir.names import Namer
    >>> from srcad.ir.types import F8
    >>> b = Builder(Namer())
    >>> total, x = b.var("total", F8), b.var("x", F8)
    >>> more = b.op("add", total, x)
    >>> twice = b.op("mul", more, x)
    >>> only_added(Block(tuple(b.stack[0][:1])), total, more)
    True
    >>> only_added(Block(tuple(b.stack[0])), total, twice)
    False
    """
    return Sums(ops).through(body, arg) == end


def adjoint_sum(body: Block, arg: Var, end: Atom) -> bool:
    """Whether a carried number is a sum that only adjoint code adds to."""
    walk = Sums()
    if not is_float(arg.type) or walk.through(body, arg) != end:
        return False
    adding = (
        t
        for t in statements(body)
        if isinstance(t, Op) and any(isinstance(a, Var) and a.name in walk.spent for a in t.args)
    )
    return all(t.loc is not None and t.loc.role == "adjoint" for t in adding)


class Sums:
    """Follows a number through a reduction; ``spent`` are its earlier values, not used again."""

    def __init__(self, ops: tuple[str, ...] = SUM) -> None:
        self.ops = ops
        self.spent: set[str] = set()

    def through(self, b: Block, head: Atom) -> Atom | None:
        """What the number is at the end of a block, ``None`` if it is used for anything else."""
        now: Atom | None = head
        for s in b.stmts:
            now = None if now is None else self.after(s, now)
        uses = [y for y in b.yields if isinstance(y, Var) and y.name in self.spent]
        return None if uses or b.yields.count(now) > 1 else now

    def after(self, s: Stmt, head: Atom) -> Atom | None:
        """What the number is after a statement."""
        used = [a for a in operands(s) if isinstance(a, Var) and a.name in self.spent]
        count = operands(s).count(head)
        if used or count > 1:
            return None
        match s:
            case Op(op=op, args=args, target=target) if count and op in self.ops:
                first = args[0] == head
                return self.become(head, target) if first or op in COMMUTATIVE else None
            case If() if not count:
                return self.branches(s, head)
            case For() | While():
                return self.loop(s, head) if count else self.untouched(s.body, head)
        return None if count else head

    def become(self, head: Atom, new: Var) -> Var:
        """The number has a new name."""
        assert isinstance(head, Var)
        self.spent.add(head.name)
        return new

    def untouched(self, b: Block, head: Atom) -> Atom | None:
        """Whether an inner block leaves the number alone."""
        return head if self.through(b, head) == head and head not in b.yields else None

    def branches(self, s: If, head: Atom) -> Atom | None:
        """Both sides leave it alone, or both hand it out at one place."""
        before = set(self.spent)
        then = self.through(s.then, head)
        after, self.spent = self.spent, before
        orelse = self.through(s.orelse, head)
        self.spent |= after
        if then is None or orelse is None:
            return None
        places = [k for k, y in enumerate(s.then.yields) if y == then]
        if places != [k for k, y in enumerate(s.orelse.yields) if y == orelse]:
            return None
        if not places:
            return head if then == orelse == head else None
        return self.become(head, s.results[places[0]])

    def loop(self, s: For | While, head: Atom) -> Atom | None:
        """It enters as one carried value and is that value at the end of an iteration."""
        places = [k for k, c in enumerate(s.carried) if c.init == head]
        if len(places) != 1:
            return None
        (k,) = places
        if self.through(s.body, s.carried[k].arg) != s.body.yields[k]:
            return None
        return self.become(head, s.carried[k].result)
