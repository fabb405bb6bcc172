"""States that a step overwrites from a copy of themselves are made anew in each step instead.

In: a program before differentiation.  Out: the same program where in loops like::

    for _ in range(steps):
        old[:] = u                             new = np.empty(n)
        for i in range(1, n - 1):              new[0], new[n - 1] = u[0], u[n - 1]
            u[i] = old[i] + f(old, i)          for i in range(1, n - 1): new[i] = u[i] + f(u, i)
                                               u = new

the step on the left became the one on the right.  Nothing is copied then but what a step leaves
alone; and where reverse mode needs the states, each is the row of the tape that it is kept in.
(The array becomes one for each step: Feautrier, "Array Expansion", ICS 1988.)

Invariant: every load sees what it saw, to the bit.  The copy is of a whole array, made before the
step writes; each step writes an element at most once, in one loop nest with constant lower bounds;
nothing else in the loop writes the state or its copy, nothing outside reads the copy.
Limits: arrays made here, touched element by element under their own names; the state in the block
of the loop; no parallel loops, no checkpoints.

>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> n = b.dim(b.var("x", ArrayT("f8", 1)), 0)
>>> u, old = (b.alloc(ArrayT("f8", 1), (n,), hint=h) for h in ("u", "old"))
>>> with b.loop(ZERO, n, hint="t"):
...     with b.loop(ZERO, n) as i:
...         b.store(old, (i,), b.load(u, i))
...     with b.loop(ZERO, n) as i:
...         b.store(u, (i,), b.op("sin", b.load(old, i)))
>>> fn = without_copy(Function("f", (), Block(tuple(b.stack[0]), (u,))))
>>> print("".join(text(fn).splitlines(True)[4:]), end="")
    for t in range(0, n, 1) carrying u_1: f8[:]C = u -> u_2:
        u_3: f8[:]C = empty(n)
        for i_1 in range(0, n, 1):
            t_2: f8 = u_1[i_1]
            t_3: f8 = sin(t_2)
            u_3[i_1] = t_3
        yield u_3
    return u_2
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from srcad.analyses.tree import Node, Tree
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
    Carried,
    Const,
    For,
    Function,
    If,
    Load,
    Op,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.walk import rewrite, variables
from srcad.transforms.program import key
from srcad.transforms.separate import alone

MOST = 8  # states of one function


@dataclass(frozen=True)
class Part:
    """What of an axis a nest writes: from ``low`` up to ``stop + shift``."""

    low: int
    stop: Atom
    shift: int

    def whole(self, n: Atom) -> bool:
        """Whether it is all of it."""
        return not self.low and not self.shift and key(self.stop) == key(n)


@dataclass(frozen=True)
class State:
    """A state ``made`` before a loop that copies it at ``copied``, and overwrites it at ``write``.

    ``write`` is in the statement at ``at`` of the loop's body, ``parts`` what it writes by axis.
    """

    loop: For | While
    made: Alloc
    old: str
    copied: int
    at: int
    write: Store | Accumulate
    parts: tuple[Part, ...]


def without_copy(fn: Function) -> Function:
    """The function with such states."""
    for _ in range(MOST):
        state = next(_Search(fn).states(), None)
        if state is None:
            break
        fn = _Renew(fn, state).function()
    return fn


class _Search:
    """The states of one function."""

    def __init__(self, fn: Function) -> None:
        self.tree = Tree(fn)
        self.made = alone(self.tree, results=True)
        self.inside = alone(self.tree)
        self.touched: dict[str, list[tuple[Node, int]]] = {}
        for node, position, s in self.tree.walk():
            if isinstance(s, (Load, Store, Accumulate)) and s.array.name in self.made:
                self.touched.setdefault(s.array.name, []).append((node, position))

    def states(self) -> Iterator[State]:
        """Those that can be made anew."""
        for node, s in steps(self.tree):
            for k, t in enumerate(node.block.stmts):
                pair = self.copied(t)
                found = None if pair is None else self.state(node, s, k, *pair)
                if found is not None:
                    yield found

    def copied(self, s: Stmt) -> tuple[str, Alloc] | None:
        """The copy and the original, of a loop nest that copies a whole array."""
        counters: list[str] = []
        stops: list[Atom] = []
        while isinstance(s, For) and not s.carried and s.start == ZERO and s.step == ONE:
            counters.append(s.index.name)
            stops.append(s.stop)
            if len(s.body.stmts) == 2 and not s.breaks and not s.parallel:
                break
            if len(s.body.stmts) != 1 or s.breaks or s.parallel:
                return None
            (s,) = s.body.stmts
        if not isinstance(s, For) or len(s.body.stmts) != 2:
            return None
        load, store = s.body.stmts
        if not isinstance(load, Load) or not isinstance(store, Store) or store.value != load.target:
            return None
        old, u = self.inside.get(store.array.name), self.made.get(load.array.name)
        if old is None or u is None or old is u or old.target.type != u.target.type:
            return None
        every = [list(map(key, x)) for x in (load.index, store.index)]
        shapes = [list(map(key, x)) for x in (old.shape, u.shape)]
        fine = every == [counters, counters] and shapes == [list(map(key, stops))] * 2
        return (old.target.name, u) if fine else None

    def state(
        self, body: Node, loop: For | While, copied: int, old: str, made: Alloc
    ) -> State | None:
        """A state that is copied in a loop, if nothing speaks against it."""
        u = made.target.name
        home = self.tree.home[u]
        if home.node is not body.parent or home.position >= body.position:
            return None
        for node, position in self.touched[old]:
            at = place(body, node, position)
            if at is None and self.before(old, node, position, body):
                continue
            if at is None or at < copied:
                return None
            if at > copied and not isinstance(node.block.stmts[position], Load):
                return None
        inside = [(n, k, at) for n, k in self.touched[u] if (at := place(body, n, k)) is not None]
        writes = [x for x in inside if not isinstance(x[0].block.stmts[x[1]], Load)]
        if len(writes) != 1 or writes[0][2] <= copied:
            return None
        ((node, position, at),) = writes
        write = node.block.stmts[position]
        assert isinstance(write, (Store, Accumulate))
        index = list(map(key, write.index))
        for n, k, where in inside:
            t = n.block.stmts[k]
            if where == at and t is not write:  # what an element was before
                assert isinstance(t, Load)
                if n is not node or k > position or list(map(key, t.index)) != index:
                    return None
        parts = self.parts(body, at, node, write)
        return None if parts is None else State(loop, made, old, copied, at, write, parts)

    def before(self, array: str, node: Node, position: int, body: Node) -> bool:
        """Whether a place is before a loop, in the block of the loop and of an array."""
        around = body.parent
        if around is None or self.tree.home[array].node is not around:
            return False
        at = place(around, node, position)
        return at is not None and at < body.position

    def parts(
        self, body: Node, at: int, node: Node, write: Store | Accumulate
    ) -> tuple[Part, ...] | None:
        """What a nest writes; ``None`` if it may write an element twice, or leave some out."""
        around = node.path()[len(body.path()) :]
        loops = [n.owner for n in around]
        counters: dict[str, For] = {}
        for s in loops:
            if not isinstance(s, For) or s.breaks or s.parallel or s.step != ONE:
                return None
            if not isinstance(s.start, Const) or not self.outside(s.stop, around[0]):
                return None
            counters[s.index.name] = s
        found = []
        for a in write.index:
            counter, shift = self.shifted(a)
            loop = counters.pop(counter, None)
            if loop is None:
                return None
            assert isinstance(loop.start, Const)
            low = int(loop.start.value) + shift
            if low < 0:
                return None
            found.append(Part(low, loop.stop, shift))
        return None if counters else tuple(found)

    def outside(self, a: Atom, nest: Node) -> bool:
        """Whether an operand is there before a nest."""
        return isinstance(a, Const) or nest not in self.tree.home[a.name].node.path()

    def shifted(self, a: Atom) -> tuple[str, int]:
        """A subscript as a variable and what is added to it."""
        if not isinstance(a, Var):
            return "", 0
        s = self.tree.home[a.name].stmt
        if isinstance(s, Op) and s.op in ("add", "sub") and isinstance(s.args[0], Var):
            by = s.args[1]
            if isinstance(by, Const):
                return s.args[0].name, int(by.value) * (1 if s.op == "add" else -1)
        return a.name, 0


def steps(tree: Tree) -> Iterator[tuple[Node, For | While]]:
    """The loops that may carry a state, with their bodies: neither parallel nor checkpointed."""
    for node in tree.nodes:
        s = node.owner
        if isinstance(s, (For, While)) and s.keep is None:
            if not (isinstance(s, For) and s.parallel):
                yield node, s


def place(body: Node, node: Node, position: int) -> int | None:
    """The position in a block of the statement that a place is in, or is."""
    while node is not body:
        if node.parent is None:
            return None
        node, position = node.parent, node.position
    return position


class _Renew:
    """Rebuilds a function with one state made anew."""

    def __init__(self, fn: Function, state: State) -> None:
        self.fn, self.state = fn, state
        self.b = Builder(Namer(v.name for v in variables(fn)))
        v = state.made.target
        self.arg, self.result, self.new = (replace(v, name=self.name(v)) for _ in range(3))

    def name(self, v: Var) -> str:
        return self.b.var(v.hint or v.name, v.type).name

    def function(self) -> Function:
        return replace(self.fn, body=self.block(self.fn.body))

    def block(self, b: Block) -> Block:
        """A block: the one with the loop has another name for the state behind it."""
        made = self.state.made.target.name
        now: dict[str, Var] = {}
        out: list[Stmt] = []
        for s in b.stmts:
            if s is self.state.loop:
                out.append(self.loop())
                now = {made: self.result}
            elif now:
                out.append(_named(s, now))
            elif isinstance(s, If):
                out.append(replace(s, then=self.block(s.then), orelse=self.block(s.orelse)))
            elif isinstance(s, (For, While)):
                out.append(replace(s, body=self.block(s.body)))
            else:
                out.append(s)
        use = (now.get(y.name, y) if isinstance(y, Var) else y for y in b.yields)
        return Block(tuple(out), tuple(use))

    def loop(self) -> For | While:
        """The loop, with the state carried."""
        state, u = self.state, self.state.made.target.name
        before = {u: self.arg, state.old: self.arg}
        after = {u: self.new, state.old: self.arg}
        stmts: list[Stmt] = []
        for k, s in enumerate(state.loop.body.stmts):
            if k == state.at:
                with self.b.block() as made:
                    self.b.loc = state.loop.body.stmts[state.copied].loc
                    self.b.emit(Alloc(self.new, state.made.shape, False, self.b.loc))
                    self.rest(())
                stmts += [*made, *self.written(s, before)]
            elif k != state.copied:
                stmts.append(_named(s, before if k < state.at else after))
        yields = (*state.loop.body.yields, self.new)
        carried = (*state.loop.carried, Carried(self.result, self.arg, state.made.target))
        return replace(state.loop, body=Block(tuple(stmts), yields), carried=carried)

    def written(self, s: Stmt, before: dict[str, Var]) -> list[Stmt]:
        """A statement that is, or in which is, what writes the state."""
        write = self.state.write
        if s is write:
            value = write.value
            with self.b.block() as made:
                self.b.loc = s.loc
                if isinstance(write, Accumulate):
                    value = self.b.op("add", self.b.load(self.arg, *write.index), value)
                self.b.store(self.new, write.index, value)
            return made
        if isinstance(s, For):
            inner = [t for x in s.body.stmts for t in self.written(x, before)]
            return [replace(s, body=Block(tuple(inner), s.body.yields))]
        return [_named(s, before)]

    def rest(self, index: tuple[Var, ...]) -> None:
        """Copy what the step does not write, from this axis on."""
        b, shape, axis = self.b, self.state.made.shape, len(index)
        parts = self.state.parts[axis:]
        if all(p.whole(n) for p, n in zip(parts, shape[axis:], strict=True)):
            return
        p, n = parts[0], shape[axis]
        low: Atom = b.op("min", const(p.low), n) if p.low else ZERO
        stop: Atom = b.op("add", p.stop, const(p.shift)) if p.shift else p.stop
        if p.low:
            self.copied(index, ZERO, low)
        if p.shift or key(p.stop) != key(n):
            self.copied(index, b.op("max", stop, low), n)
        if len(parts) > 1:
            with b.loop(low, stop) as i:
                self.rest((*index, i))

    def copied(self, index: tuple[Var, ...], start: Atom, stop: Atom) -> None:
        """Copy a range of an axis, all of those behind it."""
        b, shape = self.b, self.state.made.shape
        with b.loop(start, stop) as i:
            every = (*index, i)
            if len(every) == len(shape):
                b.store(self.new, every, b.load(self.arg, *every))
            else:
                self.copied(every, ZERO, shape[len(every)])


def _named(s: Stmt, now: dict[str, Var]) -> Stmt:
    """A statement with other names for arrays."""
    return rewrite(s, lambda a: now.get(a.name, a) if isinstance(a, Var) else a, lambda v: v)


__all__ = ["place", "steps", "without_copy"]
