"""What a loop carries: lowering a loop body until types, shapes and aliases settle.

In: the body of a loop and the environment before it.  Out: a ``For`` or ``While`` node, and the
environment after it.  A loop carries the names its body assigns and somebody may read later: in the
next iteration (upward exposed) or outside.  Types widen (an int that becomes a float) by lowering
the body again with the wider type; what was learnt is kept as facts.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from srcad.frontend import scopes
from srcad.frontend.arrays import materialize
from srcad.frontend.core import FALSE, FLAGS, TRUE, Lowering
from srcad.frontend.joins import adapt, branch, note_reference, run_path
from srcad.frontend.statements import body, escaped
from srcad.frontend.values import UNBOUND, Conflict, Lazy, Maybe, flatten, is_none, unflatten
from srcad.frontend.widening import carry_fact, widened
from srcad.ir.nodes import Atom, Block, Carried, Const, For, Keep, Var, While
from srcad.ir.types import B1, I8, ArrayT, Scalar
from srcad.ir.walk import rewrite_block


class Loop:
    """Lowers one loop: decides what is carried, repeats until types and shapes are stable."""

    def __init__(
        self, lo: Lowering, node: Any, stmts: list[ast.stmt], target: Any, keep: Keep | None = None
    ) -> None:
        self.lo, self.node, self.stmts, self.keep = lo, node, stmts, keep
        self.pieces = [*stmts] if target is None else [target, *stmts]
        self.env = lo.frame.env
        self.leaving = scopes.leaves(stmts, loop=False)
        self.names = self._carried_names(target)

    def _carried_names(self, target: Any) -> list[str]:
        lo, node = self.lo, self.node
        extra = [node.test] if isinstance(node, ast.While) else []
        assigned = scopes.assigned([*self.pieces, *extra])
        reads = scopes.loads([*self.stmts, *extra])
        exposed = scopes.exposed([*extra, *self.stmts])
        if target is not None:
            exposed -= set(scopes.assigned([target]))
        if any(isinstance(n, scopes.NESTED) for s in self.stmts for n in ast.walk(s)):
            exposed |= set(assigned)
        names = []
        for name in assigned:
            outside = lo.frame.loads.get(name, 0) > reads.get(name, 0)
            if name in exposed or outside:
                names.append(name)
            else:
                self.env.pop(name, None)
        return names

    # the value of a carried name on entry, widened to what the body is known to yield
    def entry(self, name: str) -> Any:
        lo = self.lo
        v = self.env.get(name, UNBOUND)
        if isinstance(v, Lazy):
            v = self.env[name] = materialize(lo, v)
        fact = lo.program.facts.get(lo.key(self.node, "carried " + name))
        if fact is None:
            return v
        return widened(lo, v, fact)

    def counted(self, start: Atom, stop: Atom, step: Atom, bind: Callable, parallel: bool) -> None:
        """A ``For``."""

        def header(args: dict[str, Any]) -> Var:
            index = self.lo.b.var(index_hint(self.node), I8)
            bind(index)
            return index

        def emit(index: Var, carried: tuple, block: Block, breaks: bool, loc: Any) -> None:
            self.lo.b.emit(
                For(index, start, stop, step, carried, block, breaks, parallel, loc, self.keep)
            )

        self.run(header, emit, None)

    def conditional(self, test: ast.expr) -> None:
        """A ``While``, rotated: the test is computed before the loop and after each body."""
        lo = self.lo
        lo.frame.path, path = (*lo.frame.path, "test"), lo.frame.path
        go = lo.truth(lo.read(lo.expr(test), test), test)
        lo.frame.path = path
        if isinstance(go, Const) and not go.value:
            self.env[".brk"] = FALSE
            return

        def emit(_: Any, carried: tuple, block: Block, breaks: bool, loc: Any) -> None:
            lo.b.emit(While(carried, block, loc, self.keep))

        self.run(lambda args: None, emit, test, go)

    def run(self, header: Callable, emit: Callable, test: Any, go: Atom = TRUE) -> None:
        """Lower the body until what it yields fits what it takes; then emit the loop."""
        lo, loc = self.lo, self.lo.b.loc
        flags_before = {f: self.env.get(f, FALSE) for f in FLAGS}
        self.before = frozenset(lo.shapes) | frozenset(lo.roots)
        for _ in range(60):
            entries = {n: self.entry(n) for n in self.names}
            args = {n: self.as_args(n, v) for n, v in entries.items()}
            stmts, env, stop, index, again = self.iterate(args, header, test)
            if not self.learn(entries, args, env):
                break
        else:
            lo.fail(
                self.node,
                "the types of the variables of this loop do not settle",
                "a variable changes its structure in every iteration",
                "give each variable one type; collect values in a list or an array",
            )
        self.close(entries, args, env, stmts, stop, index, again, emit, go, loc, flags_before)

    def iterate(self, args: dict[str, Any], header: Callable, test: Any) -> tuple:
        """Lower the body once with the given loop variables."""
        lo = self.lo
        out: dict[str, Any] = {}

        def action() -> None:
            env = lo.frame.env
            env.update({n: v for n, v in args.items() if v is not UNBOUND})
            for n, v in args.items():
                if v is UNBOUND:
                    env.pop(n, None)
            env.update(dict.fromkeys(FLAGS, FALSE))
            env.pop(".retval", None)
            for v in args.values():
                for leaf in flatten(v.value if isinstance(v, Maybe) else v)[0]:
                    if isinstance(leaf, Var) and isinstance(leaf.type, ArrayT):
                        lo.note_shape(leaf)
            out["index"] = header(args)
            lo.frame.loop_depth += 1
            body(lo, self.stmts)
            lo.frame.env[".cont"] = FALSE
            lo.frame.loop_depth -= 1
            out["stop"] = escaped(lo)
            if test is not None:
                out["again"] = self.test_again(test, out["stop"])

        stmts, env, dead = run_path(lo, action)
        if dead:
            out.setdefault("stop", TRUE)
        return stmts, env, out.get("stop", TRUE), out.get("index"), out.get("again", FALSE)

    def test_again(self, test: ast.expr, stop: Atom) -> Atom:
        """The test after an iteration (not computed where the loop is being left)."""
        lo = self.lo
        lo.frame.env[".go"] = FALSE

        def compute() -> None:
            lo.frame.env[".go"] = lo.truth(lo.read(lo.expr(test), test), test)

        branch(lo, stop, lambda: None, compute)
        return lo.frame.env.pop(".go")

    def as_args(self, name: str, v: Any) -> Any:
        """Fresh variables for the leaves of a carried value."""
        lo = self.lo
        if isinstance(v, Conflict):
            return v
        if isinstance(v, Maybe):
            return Maybe(self.as_args(name, v.value), lo.b.var(f"{name}_bound", B1), v.loc, v.none)
        leaves, shape = flatten(v)
        args: list[Atom] = []
        for x in leaves:
            a = lo.b.var(name, x.type)
            if isinstance(a.type, ArrayT):
                steady = ("varies", name, id(self.node), lo.frame.path) not in lo.program.facts
                if steady and isinstance(x, Var):
                    lo.shapes[a.name] = lo.shape(x)
            if not isinstance(a.type, Scalar):
                lo.roots[a.name] = lo.program.facts.get(self._root_key(name, len(args)), lo.root(x))  # type: ignore[arg-type]
            args.append(a)
        return unflatten(shape, list(args))

    def _root_key(self, name: str, k: int) -> tuple:
        return self.lo.key(self.node, f"roots {name} {k}")

    def learn(self, entries: dict, args: dict, env: dict) -> bool:
        """Compare what the body yields with what it took; record new facts; whether any."""
        lo, new = self.lo, False
        for n in self.names:
            v, arg = env.get(n, UNBOUND), args[n]
            key = lo.key(self.node, "carried " + n)
            old = lo.program.facts.get(key)
            fact = carry_fact(lo, n, arg, v, old)
            if fact is not None and fact != old:
                lo.program.facts[key] = fact
                new = True
            elif self.learn_references(n, arg, v):
                new = True
        return new

    def learn_references(self, n: str, arg: Any, v: Any) -> bool:
        """Whether a carried reference turned out to change shape or to point elsewhere."""
        lo, new = self.lo, False
        x = v.value if isinstance(v, Maybe) else v
        y = arg.value if isinstance(arg, Maybe) else arg
        if isinstance(x, (Conflict, Lazy)) or isinstance(y, Conflict):
            return False
        if isinstance(arg, Maybe) and is_none(x):
            return False
        for k, (a, b) in enumerate(zip(flatten(y)[0], flatten(x)[0], strict=True)):
            if isinstance(a.type, Scalar) or not isinstance(b, Var) or a == b:
                continue
            ra, rb = lo.root(a), self.settled(lo.root(b))
            if ra is not None and (rb is None or not rb <= ra):
                lo.program.facts[self._root_key(n, k)] = None if rb is None else ra | rb
                new = True
            if isinstance(a.type, ArrayT):
                fact = ("varies", n, id(self.node), lo.frame.path)
                same = all(map(lo.same_size, lo.shape_or_none(a), lo.shape_or_none(b)))
                if not same and fact not in lo.program.facts:
                    lo.program.facts[fact] = True
                    new = True
        return new

    def settled(self, roots: Any) -> Any:
        """Storages by the place of their allocation where this loop's body allocates them."""
        if roots is None:
            return None
        known = self.before
        return frozenset(
            r if r in known or not isinstance(r, str) else self.lo.sites.get(r, "elsewhere")
            for r in roots
        )

    def close(
        self,
        entries: dict,
        args: dict,
        env: dict,
        stmts: list,
        stop: Atom,
        index: Any,
        again: Atom,
        emit: Callable,
        go: Atom,
        loc: Any,
        flags: dict,
    ) -> None:
        """Emit the loop and bind its results."""
        lo = self.lo
        carried: list[Carried] = []
        yields: list[Atom] = []
        after: dict[str, Any] = {}
        self.same: dict[str, Atom] = {}  # loop variables that turned out not to change
        breaks = isinstance(stop, Var) or stop == TRUE
        lo.b.stack.append(stmts)
        if isinstance(self.node, ast.While):
            self._carry(carried, yields, lo.b.var("go", B1), go, again)
        elif breaks:
            self._carry(carried, yields, lo.b.var("stop", B1), FALSE, stop)
        for n in self.names:
            self._carry_value(n, entries[n], args[n], env.get(n, UNBOUND), carried, yields, after)
        for f in FLAGS[:2]:
            v = env.get(f, FALSE)
            if v != FALSE:
                after[f] = self._carry(carried, yields, lo.b.var(f.strip("."), B1), FALSE, v)
        if ".retval" in env:
            self._carry_retval(env[".retval"], carried, yields, after)
        lo.b.stack.pop()
        lo.b.loc = loc
        block = Block(tuple(stmts), tuple(yields))
        if self.same:
            block = rewrite_block(
                block, lambda a: self.same.get(getattr(a, "name", ""), a), lambda v: v
            )
        emit(index, tuple(carried), block, breaks and not isinstance(self.node, ast.While), loc)
        outer = self.env
        outer.update({".brk": FALSE, ".cont": FALSE, ".ret": flags[".ret"]})
        outer.update(after)
        for c in carried:
            if not isinstance(c.result.type, Scalar):
                self._note_result(c)

    def _note_result(self, c: Carried) -> None:
        """What is known of an array that the loop hands on."""
        lo = self.lo
        known = lo.shapes.get(c.arg.name)
        note_reference(lo, c.result, c.arg)
        lo.shapes.pop(c.result.name, None)
        if isinstance(c.result.type, ArrayT):
            steady = known is not None and known == lo.shapes.get(getattr(c.init, "name", ""))
            lo.note_shape(c.result, known if steady else None)

    def _carry(self, carried: list, yields: list, arg: Var, init: Atom, value: Atom) -> Var:
        result = self.lo.b.var(arg.hint, arg.type)
        carried.append(Carried(result, arg, init))
        yields.append(value)
        return result

    def _carry_value(
        self, n: str, entry: Any, arg: Any, v: Any, carried: list, yields: list, after: dict
    ) -> None:
        lo = self.lo
        if isinstance(arg, Conflict):
            if arg is not UNBOUND or v is not UNBOUND:
                after[n] = arg if arg is not UNBOUND else Conflict("bound only inside the loop")
            return
        if isinstance(arg, Maybe):
            if arg.none and is_none(v):
                v = UNBOUND
            flag = v.flag if isinstance(v, Maybe) else FALSE if v is UNBOUND else TRUE
            inner: dict[str, Any] = {}
            value = v.value if isinstance(v, Maybe) else arg.value if v is UNBOUND else v
            self._carry_value(n, entry.value, arg.value, value, carried, yields, inner)
            if n not in inner:
                inner[n] = arg.value
            bound = self._carry(carried, yields, arg.flag, entry.flag, flag)
            after[n] = Maybe(inner[n], bound, lo.loc(), arg.none)
            return
        if isinstance(v, Lazy):
            v = materialize(lo, v)
        mine, shape = flatten(arg)
        if not mine or v is arg:
            for a, e in zip(mine, flatten(entry)[0], strict=True):
                self.same[a.name] = e  # type: ignore[union-attr]
            after[n] = entry if mine else v
            return
        out: list[Atom] = []
        for a, e, x in zip(mine, flatten(entry)[0], flatten(v)[0], strict=True):
            out.append(self._carry(carried, yields, a, e, adapt(lo, x, a.type)))  # type: ignore[arg-type]
        after[n] = unflatten(shape, out)

    def _carry_retval(self, v: Any, carried: list, yields: list, after: dict) -> None:
        lo = self.lo
        value = v.value if isinstance(v, Maybe) else v
        if isinstance(value, Conflict):
            after[".retval"] = value
            return
        if isinstance(value, Lazy):
            value = materialize(lo, value)
        leaves, shape = flatten(value)
        out: list[Atom] = []
        stmts = lo.b.stack.pop()
        holes = [lo.undefined(x.type) for x in leaves]
        lo.b.stack.append(stmts)
        for x, hole in zip(leaves, holes, strict=True):
            out.append(self._carry(carried, yields, lo.b.var("out", x.type), hole, x))
            if isinstance(x, Var) and not isinstance(x.type, Scalar):
                lo.roots[carried[-1].arg.name] = lo.root(x)
        after[".retval"] = unflatten(shape, out)


def index_hint(node: Any) -> str:
    """The user's name for the loop counter where there is one."""
    target = getattr(node, "target", None)
    if isinstance(target, ast.Name):
        return target.id if target.id != "_" else "i"
    if isinstance(target, ast.Tuple) and target.elts and isinstance(target.elts[0], ast.Name):
        return target.elts[0].id
    return "i"
