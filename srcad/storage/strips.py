"""Loops that compute elementary functions and sum, in strips: first the values, then the sums.

In: IR after the last transform, the functions that there are vector forms of.  Out: the same
function, where such a loop goes over its range in strips of ``STRIP``: an inner loop computes what
is to be added and keeps it (or stores it where the program does so anyway), a second one adds it in
the old order.  A sum in order keeps LLVM from
making a vector loop; apart from it, the functions take their vector forms (an exponential takes a
nanosecond instead of five), and a strip stays in the first cache.

Invariant: every operation is the same, in the same order for each sum, so values are bit for bit
the same.  Limits: counted loops of step one, up or down, without other carried values, whose sums
are added to directly in the body.

>>> from srcad.ir.build import ONE, Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import F8
>>> b = Builder(Namer())
>>> x = b.var("x", ArrayT("f8", 1))
>>> n, s, out, i = b.dim(x, 0), b.var("s", F8), b.var("s", F8), b.var("i", I8)
>>> with b.block() as body:
...     y = b.op("add", s, b.op("exp", b.load(x, i), hint="e"), hint="s")
>>> b.for_(i, const(0), n, ONE, (Carried(out, s, const(0.0)),), Block(tuple(body), (y,)))
>>> print(text(in_strips(Function("f", (x,), Block(tuple(b.stack[0]), (out,))), {"exp"})), end="")
def f(x: f8[:]C):
    n: i8 = dim(x, 0)
    e_strip: f8[:]C = empty(512)
    for start in range(0, n, 512) carrying s_3: f8 = 0.0 -> s_1:
        t_1: i8 = add(start, 512)
        end: i8 = min(t_1, n)
        for i in range(start, end, 1):
            t: f8 = x[i]
            e: f8 = exp(t)
            k: i8 = sub(i, start)
            e_strip[k] = e
        for i_1 in range(start, end, 1) carrying s: f8 = s_3 -> s_4:
            k_1: i8 = sub(i_1, start)
            e_1: f8 = e_strip[k_1]
            s_2: f8 = add(s, e_1)
            yield s_2
        yield s_4
    return s_1
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace

from srcad.analyses.deciding import deciding
from srcad.analyses.order import Order
from srcad.ir.build import ONE, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Atom,
    Block,
    Carried,
    Const,
    For,
    Function,
    If,
    Op,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import I8, ArrayT, Scalar, is_float
from srcad.ir.walk import operands, statements, targets, variables
from srcad.storage.vectors import is_flat
from srcad.transforms.program import each_function

STRIP = 512
SUMS = 4  # values kept for each trip, at most


def in_strips(fn: Function, names: Collection[str]) -> Function:
    """The program with such loops in strips."""
    return each_function(fn, lambda f: _Strips(f, names).function()) if names else fn


@dataclass(frozen=True)
class Sum:
    """One addition to a carried number: the operation, and what is added."""

    op: Op
    value: Var


class _Strips:
    """One function."""

    def __init__(self, fn: Function, names: Collection[str]) -> None:
        self.fn = fn
        self.wanted = {
            s.target.name
            for s in statements(fn.body)
            if isinstance(s, Op) and s.op in names and all(a.type == s.target.type for a in s.args)
        }
        if self.wanted:
            self.wanted -= deciding(fn)
            self.b = Builder(Namer(v.name for v in variables(fn)))
            self.order = Order(fn)

    def function(self) -> Function:
        return replace(self.fn, body=self.block(self.fn.body)) if self.wanted else self.fn

    def block(self, b: Block) -> Block:
        out: list[Stmt] = []
        for s in b.stmts:
            match s:
                case If():
                    out.append(replace(s, then=self.block(s.then), orelse=self.block(s.orelse)))
                case For() if (found := self.sums(s)) is not None:
                    with self.b.block() as made:
                        self.loop(s, found)
                    out += made
                case For() | While():
                    out.append(replace(s, body=self.block(s.body)))
                case _:
                    out.append(s)
        return Block(tuple(out), b.yields)

    def sums(self, s: For) -> list[list[Sum]] | None:
        """The sums of a loop that is worth it, by carried number."""
        if not s.carried or s.parallel or s.step not in (ONE, const(-1)):
            return None
        if not is_flat(replace(s, carried=())) or _short(s):
            return None
        made = (t.target.name for t in s.body.stmts if isinstance(t, Op))
        if self.wanted.isdisjoint(made):
            return None
        found = [sum_of(s, k) for k in range(len(s.carried))]
        if None in found or sum(map(len, found)) > SUMS:  # type: ignore[arg-type]
            return None
        return found  # type: ignore[return-value]

    def loop(self, s: For, sums: list[list[Sum]]) -> None:
        """The loop in strips."""
        b = self.b
        b.loc = s.loc
        kept: dict[str, Var] = {}
        there = self.there(s, {x.value.name for group in sums for x in group})
        for x in (x for group in sums for x in group):
            if x.value.name not in (*kept, *there):
                assert isinstance(x.value.type, Scalar)
                row, hint = ArrayT(x.value.type.kind, 1), f"{x.value.hint or x.value.name}_strip"
                kept[x.value.name] = b.alloc(row, (const(STRIP),), False, hint)
        start = b.var("start", I8)
        up = s.step == ONE
        nearer, stride = ("min", const(STRIP)) if up else ("max", const(-STRIP))
        args = [b.var(c.arg.hint or c.arg.name, c.arg.type) for c in s.carried]
        with b.block() as strip:
            end = b.op(nearer, b.op("add", start, stride), s.stop, hint="end")
            self.values(s, sums, kept, start, end)
            results = self.added(s, sums, (kept, there), start, end, args)
        carried = tuple(Carried(c.result, a, c.init) for c, a in zip(s.carried, args, strict=True))
        body = Block(tuple(strip), tuple(results))
        b.for_(start, s.start, s.stop, stride, carried, body)

    def there(self, s: For, values: set[str]) -> dict[str, Store]:
        """Those of the values that the loop stores anyway, each in an element of its own."""
        found: dict[str, Store] = {}
        iterations = self.order.of(s)
        for t in s.body.stmts:
            if not (isinstance(t, Store) and isinstance(t.value, Var) and t.value.name in values):
                continue
            kind, root = t.array.type, self.order.aliases.root(t.array)
            alone = len(iterations.accesses[root]) == 1 and t.array.name not in iterations.made
            exact = isinstance(kind, ArrayT) and kind.element == t.value.type
            if exact and alone and iterations.independent(root) and self.again(s, t) is not None:
                found[t.value.name] = t
        return found

    def again(self, s: For, t: Store) -> list[Op] | None:
        """The operations in the loop that the subscripts of a store are made by."""
        made = {x.target.name: x for x in s.body.stmts if isinstance(x, Op)}
        inside = {v.name for x in s.body.stmts for v in targets(x)}
        found: dict[str, Op] = {}
        todo = [a for a in t.index if isinstance(a, Var)]
        while todo:
            a = todo.pop()
            if a.name not in inside or a.name in found:
                continue
            if a.name not in made or a.type != I8:
                return None
            found[a.name] = made[a.name]
            todo += [x for x in made[a.name].args if isinstance(x, Var)]
        return [x for x in made.values() if x.target.name in found]

    def loaded(self, s: For, t: Store, index: Var) -> Var:
        """The element of a store, loaded in another loop."""
        known: dict[str, Atom] = {s.index.name: index}
        for x in self.again(s, t) or ():
            args = tuple(known.get(a.name, a) if isinstance(a, Var) else a for a in x.args)
            known[x.target.name] = self.b.op(x.op, *args, hint=x.target.hint or "at")
        at = (known.get(a.name, a) if isinstance(a, Var) else a for a in t.index)
        assert isinstance(t.value, Var)
        return self.b.load(t.array, *at, hint=t.value.hint or t.value.name)

    def values(
        self, s: For, sums: list[list[Sum]], kept: dict[str, Var], start: Var, end: Atom
    ) -> None:
        """The first inner loop: all but the sums."""
        b, gone = self.b, {x.op.target.name for group in sums for x in group}
        values = {x.value.name: x.value for group in sums for x in group}
        stmts = [t for t in s.body.stmts if not (isinstance(t, Op) and t.target.name in gone)]
        with b.block() as keep:
            k = self.place(s, s.index, start) if kept else s.index
            for name, row in kept.items():
                b.store(row, (k,), values[name])
        body = Block((*stmts, *keep), ())
        b.emit(replace(s, start=start, stop=end, carried=(), body=body))

    def place(self, s: For, index: Var, start: Var) -> Atom:
        """Where in its strip a trip is."""
        x, y = (index, start) if s.step == ONE else (start, index)
        return self.b.op("sub", x, y, hint="k")

    def added(
        self,
        s: For,
        sums: list[list[Sum]],
        places: tuple[dict[str, Var], dict[str, Store]],
        start: Var,
        end: Atom,
        inits: list[Var],
    ) -> list[Var]:
        """The second inner loop: the sums; the results."""
        b = self.b
        index = b.var(s.index.hint or s.index.name, I8)
        results = [b.var(c.arg.hint or c.arg.name, c.arg.type) for c in s.carried]
        with b.block() as stmts:
            kept, there = places
            k = self.place(s, index, start) if kept else index
            new = {
                n: b.load(row, k, hint=row.name.partition("_strip")[0]) for n, row in kept.items()
            }
            new |= {n: self.loaded(s, t, index) for n, t in there.items()}
            for x in (x for group in sums for x in group):
                b.emit(_with(x.op, x.value, new[x.value.name]))
        carried = tuple(map(Carried, results, (c.arg for c in s.carried), inits))
        body = Block(tuple(stmts), s.body.yields)
        b.emit(replace(s, index=index, start=start, stop=end, carried=carried, body=body))
        return results


def _with(s: Op, old: Var, new: Var) -> Op:
    """An addition of another variable."""
    return replace(s, args=tuple(new if a == old else a for a in s.args))


def _short(s: For) -> bool:
    """Whether a loop has few trips for certain."""
    known = isinstance(s.start, Const) and isinstance(s.stop, Const)
    return known and abs(s.stop.value - s.start.value) < 8  # type: ignore[union-attr]


def sum_of(s: For, k: int) -> list[Sum] | None:
    """The additions that make a carried number's next value; ``None`` if it is used otherwise."""
    uses = Counter(a.name for t in statements(s.body) for a in operands(t) if isinstance(a, Var))
    head, end, found = s.carried[k].arg, s.body.yields[k], list[Sum]()
    if not is_float(head.type) or s.body.yields.count(end) > 1:
        return None
    for t in s.body.stmts:
        if not isinstance(t, Op) or head not in t.args:
            continue
        if t.op not in ("add", "sub") or uses[head.name] > 1 or t.target.type != head.type:
            return None
        other = t.args[1] if t.args[0] == head else t.args[0]
        if t.op == "sub" and t.args[0] != head or not isinstance(other, Var):
            return None
        if not is_float(other.type) or other == head:
            return None
        found.append(Sum(t, other))
        head = t.target
    return found if head == end and uses[head.name] == 0 else None
