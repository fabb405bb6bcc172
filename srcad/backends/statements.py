"""Printing blocks and simple statements; handing values over at the ends of blocks.

In: statements of a verified function.  Out: Python statements, appended to a list, that carry
the ``Loc`` they come from in the attribute ``loc``.  ``control`` has the rest.

Invariant: at every point of the printed code the variable of a class holds the value of that
class's variable that is live there (``naming``), and waiting expressions have the value they
had where the IR computes them (``pending``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from srcad.backends import array_ops, storage
from srcad.backends import expressions as ex
from srcad.backends.effects import EffectsTable
from srcad.backends.expressions import Expr
from srcad.backends.liveness import liveness
from srcad.backends.moves import Move, sequential
from srcad.backends.naming import Names
from srcad.backends.pending import BUDGET, LIMIT, Effects, Pending, Waiting
from srcad.backends.relaxing import level
from srcad.ir.bounds import Bounds
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Call,
    Carried,
    Check,
    Const,
    Dim,
    Draw,
    Function,
    Load,
    Loc,
    Op,
    Print,
    Reserve,
    Store,
    Var,
    View,
)
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import ArrayT, ListT


class StatementPrinter:
    """Blocks and simple statements; ``helpers`` collects the run-time helpers its code calls."""

    def __init__(self, fn: Function, taken: set[str], functions: dict[str, str]) -> None:
        self.fn, self.functions = fn, functions
        self.live, self.bounds = liveness(fn), Bounds(fn)
        self.names = Names(fn, self.live, taken)
        self.effects = EffectsTable(self.names)
        self.pending = Pending()
        self.out: list[ast.stmt] = []
        self.current = fn.body
        self.helpers: set[str] = set()
        self.parallel = self.vector = self.adding = False

    # blocks and statements
    @contextmanager
    def block(self, b: Block) -> Iterator[list[ast.stmt]]:
        """Print a block's statements into a list; inside the ``with``, its end is in hand."""
        outer = self.out, self.pending, self.current
        self.out, self.pending, self.current = [], Pending(), b
        for s in b.stmts:
            if id(s) not in self.live.dead:
                getattr(self, "_" + type(s).__name__.lower())(s)
        yield self.out
        self.out, self.pending, self.current = outer

    def emit(self, node: ast.stmt, loc: Loc | None) -> None:
        """Append a Python statement."""
        node.loc = loc  # type: ignore[attr-defined]
        self.out.append(node)

    # operands
    def get(self, a: Atom) -> Expr:
        """The expression of an operand; a waiting one is written here, and only here."""
        if isinstance(a, Const):
            return ex.constant(a)
        waiting = self.pending.take(a)
        return waiting.expr if waiting else self.variable(a)

    def variable(self, v: Var) -> Expr:
        """The Python variable of an IR variable."""
        return ex.variable(self.names.name(v), self.names.cell(v))

    def gather(self, atoms: tuple[Atom, ...], plain: bool = False) -> list[Expr]:
        """The operands of a statement; if it gets too wide, the widest become variables."""
        waiting: dict[int, Waiting] = {}
        parts: list[Expr] = []
        for k, a in enumerate(atoms):
            w = self.pending.take(a) if isinstance(a, Var) else None
            if w is not None:
                waiting[k] = w
            parts.append(w.expr if w is not None else self.get(a))
        while waiting and (plain or sum(p.width for p in parts) > BUDGET):
            k = max(waiting, key=lambda i: parts[i].width)
            parts[k] = self.settle(waiting.pop(k))
        return parts

    def settle(self, w: Waiting) -> Expr:
        """Print a waiting value into its variable."""
        self.assign(self.names.name(w.var), w.expr, w.loc)
        return self.variable(w.var)

    def disturb(self, effects: Effects) -> None:
        """Print the waiting values that would not survive these effects."""
        for w in self.pending.disturbed(effects):
            self.settle(w)

    def assign(self, target: str, e: Expr, loc: Loc | None) -> None:
        """``target = e``, or ``target += …`` where that says the same."""
        node = e.node
        if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Name):
            if node.left.id == target:
                store = ast.Name(target, ast.Store())
                aug = ast.AugAssign(store, node.op, node.right)
                aug.relaxed = getattr(node, "relaxed", 0)  # type: ignore[attr-defined]
                return self.emit(aug, loc)
        out = ast.Assign([ast.Name(target, ast.Store())], node)
        out.width = e.width  # type: ignore[attr-defined]
        return self.emit(out, loc)

    def define(self, v: Var, e: Expr, loc: Loc | None, movable: bool = True) -> None:
        """The value of a variable: waits if it is used once and here, else is printed."""
        once = self.live.uses.get(v.name) == 1
        here = self.live.use_block.get(v.name) == id(self.current)
        if movable and once and here and self.names.alone(v) and e.width <= LIMIT:
            self.pending.add(v, e, loc)
            return
        self.disturb(Effects({self.names.cell(v)}))
        self.assign(self.names.name(v), e, loc)

    # simple statements
    def _op(self, s: Op) -> None:
        args = self.gather(s.args, plain=ex.repeats(s.op))
        if PRIMITIVES[s.op].helper:
            self.helpers.add(PRIMITIVES[s.op].helper)
        vector = s.target.name in self.fn.vector
        self.vector |= vector
        self.define(s.target, ex.operation(s, args, vector, self.relaxed(s.target)), s.loc)

    def relaxed(self, v: Var) -> int:
        """How an operation may be computed (``relaxing.level``)."""
        return level(v.name in self.fn.relaxed, self.fn.reordered)

    def subscripts(self, s: Load | Store | Accumulate, index: list[Expr]) -> list[Expr]:
        """Subscripts that are never negative as unsigned numbers, where that is not obvious."""
        if not isinstance(s.array.type, ArrayT):
            return index
        return [
            ex.combine(ex.call("np.uint64", e.node), [e]) if self.bounds.hidden(a) else e
            for a, e in zip(s.index, index, strict=True)
        ]

    def _load(self, s: Load) -> None:
        array, *index = self.gather((s.array, *s.index))
        index = self.subscripts(s, index)
        self.define(s.target, storage.load(array, s.array.type, index), s.loc)

    def _store(self, s: Store) -> None:
        array, *index, value = self.gather((s.array, *s.index, s.value))
        index = self.subscripts(s, index)
        self.disturb(self.effects.of(s))
        self.emit(ast.Assign([storage.element(array, index, ast.Store())], value.node), s.loc)

    def _accumulate(self, s: Accumulate) -> None:
        array, *index, value = self.gather((s.array, *s.index, s.value))
        index = self.subscripts(s, index)
        self.disturb(self.effects.of(s))
        if s.atomic:
            self.adding = True
            return self.emit(storage.add_atomically(array, index, value), s.loc)
        target = storage.element(array, index, ast.Store())
        assert isinstance(target, ast.Subscript)
        node = ast.AugAssign(target, ast.Add(), value.node)
        node.relaxed = self.relaxed(s.array)  # type: ignore[attr-defined]
        self.emit(node, s.loc)

    def _alloc(self, s: Alloc) -> None:
        self.define(s.target, storage.alloc(s, self.gather(s.shape)), s.loc, movable=False)

    def _view(self, s: View) -> None:
        base = self.gather((s.base,))[0]

        def part(x: object) -> Expr | None:
            return self.get(x) if isinstance(x, (Var, Const)) else None

        movable = s.kind in ("index", "transpose")
        self.define(s.target, storage.view(s, base, part), s.loc, movable)

    def _dim(self, s: Dim) -> None:
        array = self.gather((s.array,))[0]
        self.define(s.target, storage.dim(array, s.array.type, s.axis), s.loc)

    def _reserve(self, s: Reserve) -> None:
        assert isinstance(s.array.type, ListT)
        array, size = self.gather((s.array, s.size))
        self.disturb(self.effects.of(s))
        size = self.keep(size, s.loc) if size.memory else size
        missing = ast.Compare(ex.call("len", array.node), [ast.Lt()], [size.node])
        grow = ex.method(array.node, "append", storage.zero(s.array.type.element))
        self.emit(ast.While(missing, [ast.Expr(grow)], []), s.loc)

    def _arrayop(self, s: ArrayOp) -> None:
        types = tuple(a.type for a in s.args)
        args = self.gather(s.args)
        self.helpers |= {array_ops.HELPERS[s.op]} if s.op in array_ops.HELPERS else set()
        e = ex.filled(array_ops.spelling(s.op, types), args)
        have = array_ops.result_layouts(s.op, types, len(s.targets))
        if len(s.targets) == 1:
            target = s.targets[0]
            self.define(target, storage.converted(e, target.type, have[0]), s.loc, False)
            return
        self.disturb(self.effects.of(s))
        raw: list[str] = []
        fixes: list[tuple[Var, Expr]] = []
        for t, layout in zip(s.targets, have, strict=True):
            fits = not isinstance(t.type, ArrayT) or t.type.layout == layout
            raw.append(self.names.name(t) if fits else self.names.fresh(t.hint or t.name))
            if not fits:
                known = Expr(ex.name(raw[-1]), len(raw[-1]))
                fixes.append((t, storage.converted(known, t.type, layout)))
        self.emit(ast.Assign([targets(raw)], e.node), s.loc)
        for t, fixed in fixes:
            self.assign(self.names.name(t), fixed, s.loc)

    def _call(self, s: Call) -> None:
        args = [e.node for e in self.gather(s.args)]
        self.disturb(self.effects.of(s))
        value = ex.call(self.functions[s.fn], *args)
        names = [self.names.name(t) for t in s.targets]
        node = ast.Assign([targets(names)], value) if names else ast.Expr(value)
        self.emit(node, s.loc)

    def _check(self, s: Check) -> None:
        cond = self.get(s.cond)
        never = isinstance(s.cond, Const) and not s.cond.value
        message = [
            self.get(m).node if isinstance(m, (Var, Const)) else ast.Constant(m) for m in s.message
        ]
        error = ast.Raise(ex.call(s.exception, *message)) if s.exception else ast.Return()
        self.emit(error if never else ast.If(ex.negation(cond), [error], []), s.loc)

    def _print(self, s: Print) -> None:
        args = [
            self.get(a).node if isinstance(a, (Var, Const)) else ast.Constant(a) for a in s.args
        ]
        self.emit(ast.Expr(ex.call("print", *args)), s.loc)

    def _draw(self, s: Draw) -> None:
        if s.given is not None:
            self.define(s.targets[0], self.get(s.given), s.loc)
            return
        args = [e.node for e in self.gather(s.args)]
        value = ex.call(f"np.random.{s.kind}", *args)
        if not s.targets:
            self.emit(ast.Expr(value), s.loc)
            return
        self.disturb(self.effects.of(s))
        self.emit(ast.Assign([targets([self.names.name(s.targets[0])])], value), s.loc)

    # handing values over
    def moves(self, pairs: list[tuple[Var, Atom]]) -> list[Move]:
        """The assignments that hand values to variables of other classes."""
        out = []
        for target, value in pairs:
            cell = self.names.cell(target)
            if isinstance(value, Var) and self.names.cell(value) == cell:
                continue
            out.append(Move(self.names.name(target), cell, self.get(value)))
        return out

    def perform(self, moves: list[Move], loc: Loc | None) -> None:
        """Print them, as if all happened at once."""
        self.disturb(Effects({m.cell for m in moves}))
        for group in sequential(moves):
            if len(group) == 1:
                self.assign(group[0].target, group[0].expr, loc)
            else:
                values = ex.sequence([m.expr.node for m in group])
                self.emit(ast.Assign([targets([m.target for m in group])], values), loc)

    def stored(self, carried: tuple[Carried, ...]) -> list[int]:
        """Positions of the carried values that somebody reads."""
        return [k for k, c in enumerate(carried) if c.arg.name not in self.live.idle]

    def aside(self, e: Expr, assigned: set[str], loc: Loc | None) -> Expr:
        """``e``, kept in a variable of its own if it reads what is about to be assigned."""
        return self.keep(e, loc) if e.reads & assigned else e

    def keep(self, e: Expr, loc: Loc | None) -> Expr:
        """``e`` in a new variable."""
        target = self.names.fresh("t")
        self.assign(target, e, loc)
        return Expr(ex.name(target), len(target), atom=True)


def targets(names: list[str]) -> ast.expr:
    """What to assign to."""
    nodes: list[ast.expr] = [ast.Name(n, ast.Store()) for n in names]
    return nodes[0] if len(nodes) == 1 else ast.Tuple(nodes, ast.Store())
