"""The reverse sweep: blocks from their last statement to the first, branches, loops.

In: the prepared function, its activity, a way to fetch primal values (``Scopes``).  Out: the
statements of the reverse sweep.

Invariant: branches hand out, and loops carry, exactly the adjoints that change in them; arrays
handed out by joins that count as copies (``analyses.joins``) have shadows that are carried the
same way.  Cursors of ragged loops are entries of ``env`` like any other.  A branch or loop
without any adjoint statement is left out (``idle``, found by the dry run).
"""

from __future__ import annotations

from srcad.analyses.regions import is_reference
from srcad.analyses.tree import Node, loop_key
from srcad.ir.build import ONE, const
from srcad.ir.nodes import Atom, Block, Carried, Const, For, If, Stmt, Var, While
from srcad.ir.types import I8, Scalar
from srcad.transforms.arrays import zero_of
from srcad.transforms.reverse.positions import cursor_key
from srcad.transforms.reverse.statements import Statements
from srcad.transforms.trips import counted, trip_count


class Adjoint(Statements):
    """Emits the reverse sweep."""

    def block(self, node: Node) -> None:
        """The adjoints of a block's statements, last first."""
        for position in reversed(range(len(node.block.stmts))):
            s = node.block.stmts[position]
            loc = getattr(s, "loc", None)
            self.locate(loc)
            children = node.children.get(position, ())
            if isinstance(s, If):
                self.branch(s, *children)
            elif isinstance(s, (For, While)):
                self.loop(s, children[0])
            else:
                self.place = (node, position)
                self.statement(s)

    def branch(self, s: If, then: Node, orelse: Node) -> None:
        """The reverse branch hands out the adjoints that either side changed."""
        seeds = [(k, self.env.pop(r.name)) for k, r in enumerate(s.results) if r.name in self.env]
        arrays = [
            (k, self.scopes.shadow(r))
            for k, r in enumerate(s.results)
            if self.copied(r) and self.scopes.has_shadow(r)
        ]
        if then in self.idle:
            return
        before, mark = self.env, self.scopes.mark()
        stmts, ends, idle = [], [], True
        for child in (then, orelse):
            self.env = dict(before)
            fetched, adjoint = self.side(
                child, [(child.block.yields[k], x) for k, x in (*seeds, *arrays)]
            )
            idle &= not adjoint
            stmts.append((*fetched, *adjoint))
            ends.append(self.env)
        changed = sorted({k for end in ends for k in end if end[k] is not before.get(k)})
        self.env = before
        self.locate(s.loc)
        if self.dry and not changed and idle:
            self.idle.add(then)
            self.scopes.rollback(mark)
            return
        cond = self.scopes.value(s.cond)
        results = tuple(self.b.var(self.name(k), self.kind(k)) for k in changed)
        zeros = {k: zero_of(self.kind(k)) for k in changed}
        yields = [tuple(end.get(k, zeros[k]) for k in changed) for end in ends]
        self.b.if_(cond, Block(stmts[0], yields[0]), Block(stmts[1], yields[1]), results)
        self.env = {**before, **dict(zip(changed, results, strict=True))}

    def side(self, child: Node, seeds: list[tuple[Atom, Atom]]) -> tuple[list[Stmt], list[Stmt]]:
        """The reverse of one block: what it fetches first, its adjoint statements."""
        with self.scopes.enter(child) as scope, self.b.block() as stmts:
            for a, seed in seeds:
                self.hand(a, seed)
            self.block(child)
        return scope.prologue, stmts

    def kind(self, key: str) -> Scalar:
        """Type of an entry of the environment."""
        return I8 if ":" in key else self.types[key]

    def name(self, key: str) -> str:
        """Name for a variable that holds an entry of the environment."""
        return "cursor" if ":" in key else self.names[key]

    def remember(self, variables: list[Var]) -> None:
        """Types and names of everything that can be an entry of the environment."""
        self.types = {v.name: v.type for v in variables if isinstance(v.type, Scalar)}
        self.names = {v.name: self.wish(v) for v in variables}

    def loop(self, s: For | While, body: Node) -> None:
        """The reverse loop carries adjoints of carried values, of outer numbers, and cursors."""
        picked = [
            k for k, c in enumerate(s.carried) if self.activity.active(c.arg) or self.copied(c.arg)
        ]
        carried = [s.carried[k] for k in picked]
        seeds = [self.taken(c.result) for c in carried]
        results = seeds if body in self.idle else self.reverse_loop(s, body, picked, seeds)
        for c, seed in zip(carried, results, strict=False):
            self.hand(c.init, seed, own=False)

    def reverse_loop(
        self, s: For | While, body: Node, picked: list[int], seeds: list[Atom]
    ) -> list[Atom]:
        """Emit the reverse loop; the adjoints of the carried values ``picked`` before it."""
        carried, mark = [s.carried[k] for k in picked], self.scopes.mark()
        own = self.cursor(s, body)
        outer = [k for k, v in self.tree.free_floats(body).items() if self.activity.active(v)]
        outer += self.cursors_in(body)
        args = [
            self.b.var(self.wish(c.arg), seed.type) for c, seed in zip(carried, seeds, strict=True)
        ]
        held = {k: self.b.var(self.name(k), self.kind(k)) for k in outer}
        before, self.env = self.env, dict(held)
        with self.scopes.enter(body) as scope, self.b.block() as stmts:
            counter = self.b.var(self.counter_name(s), I8)
            self.iteration(s, counter, own)
            for k, arg in zip(picked, args, strict=True):
                self.hand(body.block.yields[k], arg)
            self.block(body)
            following = [self.taken(c.arg) for c in carried]
        ends, self.env = self.env, before
        self.locate(s.loc)
        changed = [k for k in outer if ends[k] is not held[k]]
        if self.dry and not stmts and not changed and following == args:
            self.idle.add(body)
            self.scopes.rollback(mark)
            return seeds
        results = self.emit_loop(
            s,
            counter,
            [*scope.prologue, *stmts],
            [
                *zip(args, seeds, following, strict=True),
                *((held[k], before.get(k, zero_of(self.kind(k))), ends[k]) for k in changed),
            ],
        )
        self.env |= dict(zip(changed, results[len(args) :], strict=True))
        return results

    def taken(self, v: Var) -> Atom:
        """The adjoint of a carried value, complete: a number or an array."""
        if is_reference(v):
            return self.scopes.shadow(v)
        return self.env.pop(v.name, zero_of(v.type))

    def cursor(self, s: For | While, body: Node) -> Atom | None:
        """Move the loop's own cursor, if it has one, back to where the loop began."""
        number = self.scopes.positions.numbering(body)
        key = cursor_key(number)
        if key not in self.env:
            return None
        base = self.b.op("sub", self.env[key], self.trips(s), hint="cursor")
        self.env[key] = base
        return base

    def trips(self, s: For | While) -> Atom:
        """How many iterations the loop executed."""
        if not counted(s):
            return self.scopes.value(self.prepared.counter[loop_key(s)][1])
        assert isinstance(s, For)
        return trip_count(self.b, self.scopes.value(s.start), self.scopes.value(s.stop), s.step)

    @staticmethod
    def counter_name(s: For | While) -> str:
        """Name of the reverse loop's counter."""
        return s.index.hint or s.index.name if isinstance(s, For) and counted(s) else "trip"

    def iteration(self, s: For | While, counter: Var, own: Atom | None) -> None:
        """What is known at the start of a reverse iteration."""
        scope = self.scopes.scope
        scope.base = own
        if counted(s):
            assert isinstance(s, For)
            scope.known[s.index.name] = counter
        else:
            scope.trip = counter

    def emit_loop(
        self, s: For | While, counter: Var, stmts: list[Stmt], values: list[tuple[Var, Atom, Atom]]
    ) -> list[Atom]:
        """The loop itself; the values after it."""
        start, stop, step = self.bounds(s)
        results = [self.b.var(arg.hint, arg.type) for arg, _, _ in values]
        carried = tuple(
            Carried(r, arg, init) for r, (arg, init, _) in zip(results, values, strict=True)
        )
        body = Block(tuple(stmts), tuple(end for _, _, end in values))
        parallel = isinstance(s, For) and s.parallel
        self.b.for_(counter, start, stop, step, carried, body, parallel=parallel)
        return list(results)

    def bounds(self, s: For | While) -> tuple[Atom, Atom, Atom]:
        """The range of the reverse loop."""
        if not counted(s):
            return self.b.op("sub", self.trips(s), ONE, hint="last"), const(-1), const(-1)
        assert isinstance(s, For) and isinstance(s.step, Const)
        step = int(s.step.value)
        start, stop = self.scopes.value(s.start), self.scopes.value(s.stop)
        end = self.b.op("sub", start, const(step), hint="end")
        if abs(step) == 1:
            return self.b.op("sub", stop, const(step), hint="last"), end, const(-step)
        n = trip_count(self.b, start, stop, s.step)
        far = self.b.op("mul", self.b.op("sub", n, ONE, hint="n"), const(step), hint="last")
        return self.b.op("add", start, far, hint="last"), end, const(-step)
