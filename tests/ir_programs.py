"""Random structured IR programs for testing transforms: loops, branches, views, lists, joins.

``random_program(seed)`` gives a verified function of ``(s: f8, a: f8[4], m: f8[3,4], n: i8)`` that
terminates, keeps numbers bounded and never indexes out of range (shapes are known when it is
made); it may write its arguments, return parts of them, carry and swap references.
"""

from __future__ import annotations

from dataclasses import replace

from srcad.ir.build import const
from srcad.ir.nodes import Atom, Block, Carried, Function, Var
from srcad.ir.types import B1, F8, I8, ArrayT, ListT
from tests.ir_drawing import MATRIX, STRIDED, VECTOR, WHOLE, Drawing, Scope


class Generator(Drawing):
    """Random structured programs: control flow and calls on top of ``Drawing``."""

    def dim(self) -> None:
        if self.sc.lists and self.r.random() < 0.4:
            v = self.r.choice(self.sc.lists)[0]
            self.sc.ints.append(self.b.op("mod", self.b.dim(v, 0), const(7)))
        else:
            found = self.array()
            assert found
            self.sc.ints.append(self.b.dim(found[0], 0))

    def sweep(self) -> None:
        """Elements one after the other: subscripts that are the loop's index, shifted, reversed."""
        source, shape = self.array(1) or (None, (0,))
        if source is None:
            return
        n = shape[0]
        same = [x for x in self.sc.arrays if x[1] == shape]
        fresh = self.r.random() < 0.6
        into = (
            self.b.alloc(VECTOR, (const(n),), self.r.random() < 0.5, hint="w")
            if fresh
            else self.r.choice(same)[0]
        )
        if fresh:
            whole = (
                (const(0), const(n), const(1))
                if self.r.random() < 0.6
                else (const(n - 1), const(-1), const(-1))
            )
        else:
            whole = (const(1), const(n - 1), const(1))
        floats = []
        with self.b.loop(*whole) as i:
            x: Atom = self.b.load(source, i)
            if not fresh:
                x = self.b.op(
                    "mul",
                    x,
                    self.b.load(source, self.b.op(self.r.choice(["add", "sub"]), i, const(1))),
                )
            x = self.b.op(self.r.choice(["tanh", "sin"]), self.b.op("add", x, self.float()))
            self.b.store(into, (i,), x)
            if self.r.random() < 0.4:
                y = self.b.load(into, i)
                self.b.store(into, (i,), self.b.op("mul", y, self.b.load(source, i)))
            floats.append(x)
        if fresh:
            self.sc.arrays.append((into, shape))

    def history(self) -> None:
        """Rows computed from earlier (or later, or the same) rows, upwards or downwards."""
        table = self.b.alloc(MATRIX, (const(5), const(4)), hint="h")
        row = self.b.view(table, "index", (("at", const(self.r.randrange(2))),), VECTOR)
        with self.b.loop(const(0), const(4)) as i:
            self.b.store(row, (i,), self.float())
        up = self.r.random() < 0.7
        bounds = (const(1), const(4), const(1)) if up else (const(3), const(0), const(-1))
        shift, back = self.r.choice([(0, -1), (0, -1), (1, 0), (0, 1), (0, 0), (1, -1), (-1, 1)])
        step = self.r.choice([None, None, self.b.op("mod", self.int(), const(3))])
        with self.b.loop(*bounds) as t, self.b.loop(const(0), const(4)) as j:
            at = [self.b.op("add", t, const(k)) for k in (shift, back)]
            if self.r.random() < 0.3:
                old = self.b.view(table, "index", (("at", at[1]),), VECTOR)
                x = self.b.load(old, j)
            else:
                x = self.b.load(table, at[1], j if step is None else step)
            y = self.b.op("sin", self.b.op("mul", x, self.b.op("add", x, self.float())))
            if self.r.random() < 0.3:
                self.b.accumulate(table, (at[0], j), y)
            else:
                self.b.store(table, (at[0], j), y)
        self.sc.arrays.append((table, (5, 4)))
        line = self.b.view(table, "index", (WHOLE, ("at", const(2))), STRIDED)
        self.sc.arrays.append((line, (5,)))

    def stepping(self) -> None:
        """``u = step(u)`` with a fresh array an iteration, maybe chosen by a branch."""
        source, shape = self.array(1) or (None, (0,))
        if source is None:
            return
        start = source if source.type == STRIDED else self.b.view(source, "same", (), STRIDED)
        arg, result, index = (
            self.b.var(x, t) for x, t in (("u", STRIDED), ("u", STRIDED), ("t", I8))
        )
        outer, n = self.sc, const(shape[0])
        self.sc = outer.copy()
        self.sc.ints.append(index)
        with self.b.block() as stmts:
            new = self.b.alloc(VECTOR, (n,), False, hint="w")
            with self.b.loop(const(0), n) as i:
                x = self.b.op("mul", self.b.load(arg, i), self.b.load(arg, const(-1)))
                self.b.store(new, (i,), self.b.op("sin", self.b.op("add", x, self.float())))
            following = self.b.view(new, "same", (), STRIDED)
            if self.r.random() < 0.4:
                chosen = self.b.var("c", STRIDED)
                pair = [following, self.r.choice([arg, start])]
                self.r.shuffle(pair)
                self.b.if_(
                    self.predicate(), Block((), (pair[0],)), Block((), (pair[1],)), (chosen,)
                )
                following = chosen
            if self.r.random() < 0.2:
                self.b.store(following, (const(0),), self.bounded())
        self.sc = outer
        self.b.for_(
            index,
            const(0),
            self.b.op("mod", self.int(), const(4)),
            const(1),
            (Carried(result, arg, start),),
            Block(tuple(stmts), (following,)),
        )
        self.sc.arrays.append((result, shape))

    # nested
    def inner(self, depth: int, extra: Scope | None = None) -> tuple[list, Scope]:
        outer = self.sc
        self.sc = outer.copy()
        if extra is not None:
            self.sc.floats += extra.floats
            self.sc.ints += extra.ints
            self.sc.arrays += extra.arrays
            self.sc.lists += extra.lists
        with self.b.block() as stmts:
            self.statements(self.r.randrange(1, 5), depth - 1)
        inner, self.sc = self.sc, outer
        return stmts, inner

    def pick_ref(self, scope: Scope, kind: ArrayT, shape: tuple[int, ...]) -> Var | None:
        fits = [v for v, s in scope.arrays if s == shape and (v.type == kind or kind.layout == "A")]
        if not fits:
            return None
        v = self.r.choice(fits[-3:])
        return v if v.type == kind else self.b.view(v, "same", (), kind, hint="v")

    def branch(self, depth: int) -> None:
        cond = self.predicate()
        blocks, yields = [], []
        nf = self.r.randrange(3)
        kind, shape = self.r.choice(
            [(VECTOR, (4,)), (STRIDED, (4,)), (STRIDED, (3,)), (MATRIX, (3, 4))]
        )
        want_list = self.r.random() < 0.2 and bool(self.sc.lists)
        refs: list[Var | None] = []
        for _ in range(2):
            stmts, scope = self.inner(depth)
            ys: list[Atom] = [self.r.choice(scope.floats[-3:]) for _ in range(nf)]
            ys.append(self.r.choice(scope.ints))
            with self.b.block() as tail:
                refs.append(self.pick_ref(scope, kind, shape))
            if want_list:
                ys.append(self.r.choice(scope.lists)[0])
            blocks.append([*stmts, *tail])
            yields.append(ys)
        results = [self.b.var("x", F8) for _ in range(nf)]
        whole = [*results, self.b.var("k", I8)]
        self.sc.floats += results
        self.sc.ints.append(whole[-1])
        if want_list:
            whole.append(self.b.var("l", ListT(F8)))
            self.sc.lists.append((whole[-1], 1))
        if refs[0] is not None and refs[1] is not None:
            whole.append(self.b.var("r", kind))
            self.sc.arrays.append((whole[-1], shape))
            for ys, ref in zip(yields, refs, strict=True):
                ys.append(ref)
        made = [Block(tuple(s), tuple(y)) for s, y in zip(blocks, yields, strict=True)]
        self.b.if_(cond, made[0], made[1], tuple(whole))

    def carry(self) -> tuple[Scope, list[tuple[Var, Var, Atom]], tuple]:
        """Carried floats, an integer and maybe references."""
        found: list[tuple[Var, Var, Atom]] = []
        scope = Scope()
        for _ in range(self.r.randrange(3)):
            arg = self.b.var("x", F8)
            found.append((self.b.var("x", F8), arg, self.float()))
            scope.floats.append(arg)
        arg = self.b.var("k", I8)
        found.append((self.b.var("k", I8), arg, self.int()))
        scope.ints.append(arg)
        refs = []
        for _ in range(self.r.choice([0, 0, 1, 2])):
            kind, shape = self.r.choice(
                [(VECTOR, (4,)), (STRIDED, (4,)), (STRIDED, (3,)), (MATRIX, (3, 4))]
            )
            init = self.pick_ref(self.sc, kind, shape)
            if init is not None:
                arg = self.b.var("u", kind)
                found.append((self.b.var("u", kind), arg, init))
                scope.arrays.append((arg, shape))
                refs.append((kind, shape))
        return scope, found, tuple(refs)

    def next_values(self, carried: list, scope: Scope, refs: tuple) -> list[Atom]:
        out: list[Atom] = []
        refs_left = list(refs)
        for _, arg, _init in carried:
            if arg.type == F8:
                x = self.r.choice(scope.floats[-4:])
                out.append(self.b.op("sin", x, hint="x") if self.r.random() < 0.5 else x)
            elif arg.type == I8:
                k = self.b.op("add", self.r.choice(scope.ints), const(1))
                out.append(self.b.op("mod", k, const(5), hint="k"))
            else:
                kind, shape = refs_left.pop(0)
                ref = self.pick_ref(scope, kind, shape)
                assert ref is not None
                out.append(ref)
        return out

    def finish(self, carried: list, refs: tuple) -> None:
        left = list(refs)
        for result, arg, _ in carried:
            if arg.type == F8:
                self.sc.floats.append(result)
            elif arg.type == I8:
                self.sc.ints.append(result)
            else:
                self.sc.arrays.append((result, left.pop(0)[1]))

    def loop(self, depth: int) -> None:
        extra, carried, refs = self.carry()
        index = self.b.var("i", I8)
        extra.ints.append(index)
        start, stop, step = self.r.choice(
            [
                (const(0), const(3), const(1)),
                (const(2), const(-1), const(-1)),
                (const(0), const(6), const(2)),
                (const(0), None, const(1)),
                (None, const(4), const(1)),
                (const(7), None, const(-3)),
                (const(0), None, None),
            ]
        )
        small = [self.b.op("mod", self.int(), const(4), hint="n") for _ in range(2)]
        start, stop = start or small[0], stop or small[1]
        step = step or self.b.op("add", self.b.op("mod", self.int(), const(2)), const(1))
        stmts, scope = self.inner(depth, extra)
        with self.b.block() as tail:
            nexts = self.next_values(carried, scope, refs)
        body = Block((*stmts, *tail), tuple(nexts))
        self.b.for_(index, start, stop, step, tuple(Carried(*c) for c in carried), body)
        self.finish(carried, refs)

    def while_(self, depth: int) -> None:
        extra, carried, refs = self.carry()
        count = self.b.var("c", I8)
        limit = const(self.r.randrange(1, 4))
        flag = (
            self.b.var("go", B1),
            self.b.var("go", B1),
            self.b.op("lt", const(0), self.b.op("mod", self.int(), const(4))),
        )
        counter = (self.b.var("c", I8), count, const(0))
        extra.ints.append(count)
        stmts, scope = self.inner(depth, extra)
        with self.b.block() as tail:
            nexts = self.next_values(carried, scope, refs)
            after = self.b.op("add", count, const(1), hint="c")
            go = self.b.op("lt", after, limit, hint="go")
            if self.r.random() < 0.5:
                again = self.b.op("lt", self.r.choice(scope.floats[-2:]), const(0.5))
                go = self.b.op("and", go, again, hint="go")
        body = Block((*stmts, *tail), (go, after, *nexts))
        self.b.while_(tuple(Carried(*c) for c in (flag, counter, *carried)), body)
        self.finish(carried, refs)

    def breaking(self, depth: int) -> None:
        extra, carried, refs = self.carry()
        index = self.b.var("i", I8)
        extra.ints.append(index)
        flag = (self.b.var("stop", B1), self.b.var("stop", B1), const(False))
        stmts, scope = self.inner(depth, extra)
        with self.b.block() as tail:
            nexts = self.next_values(carried, scope, refs)
            done = self.b.op("lt", self.r.choice(scope.floats[-2:]), const(0.0), hint="stop")
        body = Block((*stmts, *tail), (done, *nexts))
        low = self.b.op("mod", self.int(), const(2))
        step = self.r.choice([const(1), const(2), const(-1)])
        bounds = (low, const(4)) if step.value > 0 else (const(3), low)
        self.b.for_(
            index, *bounds, step, tuple(Carried(*c) for c in (flag, *carried)), body, breaks=True
        )
        self.finish(carried, refs)

    def reflist(self, depth: int) -> None:
        """A list of references: made, filled, read back, overwritten."""
        if self.sc.reflists and self.r.random() < 0.7:
            v, n, shape = self.r.choice(self.sc.reflists)
            at = self.b.op("mod", self.int(), const(n), hint="j")
            if self.r.random() < 0.5:
                self.sc.arrays.append((self.b.load(v, at, hint="e"), shape))
            else:
                ref = self.pick_ref(self.sc, v.type.element, shape)
                if ref is not None:
                    self.b.store(v, (at,), ref)
            return
        kind, shape = self.r.choice([(VECTOR, (4,)), (STRIDED, (3,)), (STRIDED, (4,))])
        n = self.r.randrange(1, 3)
        refs = [self.pick_ref(self.sc, kind, shape) for _ in range(n)]
        if any(x is None for x in refs):
            return
        v = self.b.alloc(ListT(kind), hint="refs")
        self.b.reserve(v, const(n))
        for k, ref in enumerate(refs):
            self.b.store(v, (const(k),), ref)
        self.sc.reflists.append((v, n, shape))


def random_program(seed: int, size: int = 10, depth: int = 3, calls: bool = False) -> Function:
    """A random program; the same one for the same seed."""
    fn = Generator(seed, size, depth, calls).program()
    for name, callee in list(fn.callees.items()):
        fn.callees[name] = replace(callee, callees=fn.callees)
    return fn
