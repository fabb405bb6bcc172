"""Adjoints of stencils: a loop that adds to ``y[i - 1]``, ``y[i]`` and ``y[i + 1]`` collects.

In: IR after the last transform.  Out: the same function where an innermost loop of adjoint code
that adds to an array at several constant distances from its counter goes over the elements instead,
and adds to each what the iterations around it give: ``y[j] += f(j + 1) + g(j) + h(j - 1)``.  No
iteration then touches an element of another's, so that LLVM makes a vector loop of it.  The
elements at the borders, which do not get all of these, stand before and after the loop; a loop so
short that it has only such runs as it did.  What the loop writes to elements of its own stays in a
loop of that alone, after the other.  (Hückelheim, Kukreja, Narayanan, Luporini, Gorman and
Hovland, "Automatic differentiation for adjoint stencil loops", ICPP 2019.)

Invariant: the order of sums in adjoint code is open, everything else is the same; where the array
was zeros, and all of it is collected, the sums are stored and the zeros are not written.
Limits: those of ``analyses.stencils``; what several elements need is computed for each of them, so
nothing that costs as much as an elementary function, and not more than ``MORE`` times the work.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Loc
>>> from srcad.ir.text import text
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer(), Loc("f.py", 1, role="adjoint"))
>>> y, w = (b.alloc(ArrayT("f8", 1), (const(9),), hint=v) for v in "yw")
>>> with b.loop(const(7), const(0), const(-1)) as i:
...     v = b.load(w, i, hint="v")
...     b.accumulate(y, (b.op("sub", i, const(1)),), v)
...     b.accumulate(y, (i,), b.op("mul", v, v))
>>> print(text(gathered(Function("f", (), Block(tuple(b.stack[0]))))), end="")
def f():
    y: f8[:]C = zeros(9)
    w: f8[:]C = zeros(9)
    v_1: f8 = w[1]
    y[0] += v_1
    for i_1 in range(1, 7, 1):
        t_2: i8 = add(i_1, 1)
        v_2: f8 = w[t_2]
        v_3: f8 = w[i_1]
        t_3: f8 = mul(v_3, v_3)
        t_4: f8 = add(v_2, t_3)
        y[i_1] += t_4
    v_4: f8 = w[7]
    t_5: f8 = mul(v_4, v_4)
    y[7] += t_5
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable
from dataclasses import replace

from srcad.analyses.polynomials import Forms, plus
from srcad.analyses.stencils import Part, Place, Row, Stencil, Stencils
from srcad.ir.build import ONE, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    Atom,
    Block,
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
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import I8, ArrayT
from srcad.ir.walk import blocks, operands, rewrite, statements, targets, variables
from srcad.transforms.arrays import each, zero_of
from srcad.transforms.program import each_function, key

MORE = 4  # times the work
COSTLY = 20  # an operation that is not done twice


def gathered(fn: Function, distinct: bool = False) -> Function:
    """The program with such loops as gathers.

    Args:
        distinct: the array parameters of ``fn`` are known not to overlap where one is written.
    """
    alone = distinct and fn.name not in fn.callees
    return each_function(fn, lambda f: _Gathers(f, alone and f is fn).function())


class _Gathers:
    """One function."""

    def __init__(self, fn: Function, distinct: bool) -> None:
        self.fn, self.stencils = fn, Stencils(fn, distinct)
        self.forms = Forms(fn, self.stencils.bounds)
        self.b = Builder(Namer(v.name for v in variables(fn)))

    def function(self) -> Function:
        """The function rebuilt."""
        return replace(self.fn, body=self.block(self.fn.body))

    def block(self, b: Block) -> Block:
        """A block and its inner blocks, rebuilt."""
        out: list[Stmt] = []
        for s in b.stmts:
            match s:
                case If():
                    s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
                    out.append(s)
                case For() if (found := self.stencils.of(s)) is not None:
                    out += self.gather(found, out) or [s]
                case For() | While():
                    out.append(replace(s, body=self.block(s.body)))
                case _:
                    out.append(s)
        return Block(tuple(out), b.yields)

    def gather(self, found: Stencil, earlier: list[Stmt]) -> list[Stmt] | None:
        """The statements that replace a loop; ``None`` where it is better to keep it."""
        b, s = self.b, found.loop
        b.loc = s.loc
        with b.block() as before:
            start, stop = _upwards(b, s)
            trips = b.op("sub", stop, start, hint="trips")
            enough = b.op("ge", trips, const(found.high - found.low), hint="enough")
        if isinstance(enough, Const) and not enough.value:
            return None
        self.forms.made |= {t.target.name: t for t in before if isinstance(t, Op)}
        new = self.new(found, start, stop, earlier)
        with b.block() as then:
            if not _Elements(b, found, start, stop, new).emit():
                return None
        for made in new.values():
            earlier[earlier.index(made)] = replace(made, zero=False)
        rest = [t for t in s.body.stmts if not any(t is p.stmt for p in found.parts)]
        writes = [t for t in s.body.stmts if any(t is p.stmt for p in found.parts)]
        scatter = self.renamed(replace(s, carried=(), body=Block(_needed(s, writes))))
        out = [*before]
        if isinstance(enough, Const):
            out += then
        else:
            with b.block() as orelse:
                for made in new.values():
                    self.zeros(made)
                if found.high - found.low > 1:  # else it has no trips there
                    b.emit(scatter)
            out.append(If(enough, Block(tuple(then)), Block(tuple(orelse)), (), s.loc))
        return [*out, *self.own(s, rest, start, stop)]

    def zeros(self, made: Alloc) -> None:
        """Zeros in all of an array."""
        assert isinstance(made.target.type, ArrayT)
        zero = zero_of(made.target.type.element)
        each(self.b, made.target, lambda at: self.b.store(made.target, at, zero), made.shape)

    def new(self, found: Stencil, start: Atom, stop: Atom, earlier: list[Stmt]) -> dict[str, Alloc]:
        """Arrays of zeros that are collected as a whole, by name, and what made them."""
        out: dict[str, Alloc] = {}
        for row, parts in rows(found).items():
            made = _made(parts[0].place.array, earlier)
            if made is None or len([r for r in rows(found) if r[0] == row[0]]) > 1:
                continue
            offsets = [p.place.offset for p in parts]
            first = plus(self.forms.of(start), {(): min(offsets)})
            past = plus(self.forms.of(stop), {(): max(offsets)})
            if first == plus(past, self.forms.of(made.shape[0]), -1) == {}:
                out[row[0]] = made
        return out

    def own(self, s: For, rest: list[Stmt], start: Atom, stop: Atom) -> list[Stmt]:
        """The loop with what it writes to elements of its own, and the numbers it carries."""
        wanted: list[Stmt] = [t for t in rest if isinstance(t, (Store, Accumulate))]
        if not wanted and not s.carried:
            return []
        body = Block(_needed(s, wanted, s.body.yields), s.body.yields)
        if s.carried:
            return [replace(s, body=body)]
        return [replace(s, start=start, stop=stop, step=ONE, body=body)]

    def renamed(self, s: For) -> Stmt:
        """A loop with variables of its own."""
        known: dict[str, Atom] = {}

        def define(v: Var) -> Var:
            new = self.b.var(v.hint or v.name, v.type)
            known[v.name] = new
            return new

        return rewrite(s, lambda a: known.get(a.name, a) if isinstance(a, Var) else a, define)


def _upwards(b: Builder, s: For) -> tuple[Atom, Atom]:
    """The range of a loop, counted upwards."""
    if s.step == ONE:
        return s.start, s.stop
    first = b.op("add", s.stop, ONE, hint="first")
    return first, b.op("add", s.start, ONE, hint="end")


def _needed(s: For, wanted: list[Stmt], ends: tuple[Atom, ...] = ()) -> tuple[Stmt, ...]:
    """The statements of a loop that some of them and some values need."""
    names = {y.name for y in ends if isinstance(y, Var)}
    out: list[Stmt] = []
    for t in reversed(s.body.stmts):
        if any(t is w for w in wanted) or any(v.name in names for v in targets(t)):
            names |= {a.name for a in operands(t) if isinstance(a, Var)}
            out.append(t)
    return tuple(out[::-1])


def rows(found: Stencil) -> dict[Row, list[Part]]:
    """The writes of a loop by the row that they go to."""
    out: dict[Row, list[Part]] = defaultdict(list)
    for p in found.parts:
        out[p.place.row].append(p)
    return out


def _made(array: Var, earlier: list[Stmt]) -> Alloc | None:
    """The statement that makes a row of zeros, if nothing has touched it since."""
    for s in reversed(earlier):
        if isinstance(s, Alloc) and s.target == array:
            return s if s.zero and len(s.shape) == 1 else None
        inner = (t for b in blocks(s) for t in statements(b))
        if any(a == array for t in (s, *inner) for a in operands(t)):
            return None
    return None


class _Elements:
    """The sums of one loop, element by element."""

    def __init__(
        self, b: Builder, found: Stencil, start: Atom, stop: Atom, new: Collection[str]
    ) -> None:
        self.b, self.found, self.new = b, found, new
        self.start, self.stop = start, stop
        self.rows = rows(found)

    def emit(self) -> bool:
        """The borders and the loop between them; whether that is worth it."""
        b, low, high = self.b, self.found.low, self.found.high
        for k in range(low, high):
            self.element(self.start, k, lambda c, k=k: c <= k)  # type: ignore[misc]
        first = _plus(b, self.start, high)
        last = _plus(b, self.stop, low)
        s = self.found.loop
        index = b.var(s.index.hint or s.index.name, I8)
        with b.block() as body:
            done = self.element(index, 0, lambda c: True)
        if not done or not self.cheap(body):
            return False
        b.emit(For(index, first, last, ONE, (), Block(tuple(body)), loc=s.loc))
        for k in range(low, high):
            self.element(self.stop, k, lambda c, k=k: c > k)  # type: ignore[misc]
        return True

    def element(self, base: Atom, k: int, there: Callable[[int], bool]) -> bool:
        """What is added to the elements at ``base + k`` by those iterations that are there."""
        values = _Values(self.b, self.found, base)
        for parts in self.rows.values():
            present = [p for p in parts if there(p.place.offset)]
            terms = [values.of(p.stmt.value, k - p.place.offset) for p in present]
            if None in terms:
                return False
            if terms:
                self.write(present, values.at(k), terms)  # type: ignore[arg-type]
        return True

    def write(self, parts: list[Part], at: Atom, terms: list[Atom]) -> None:
        """One sum to one element."""
        b, place = self.b, parts[0].place
        total = terms[0]
        for t in terms[1:]:
            total = b.op("add", total, t)
        b.loc = parts[0].stmt.loc
        if place.array.name in self.new or any(isinstance(p.stmt, Store) for p in parts):
            b.store(place.array, _index(place, at), total)
        else:
            b.accumulate(place.array, _index(place, at), total)

    def cheap(self, body: list[Stmt]) -> bool:
        """Whether the work of an element is not much more than that of an iteration."""
        before, after = _work(self.found.loop.body.stmts), _work(body)
        costly = any(after[op] > before[op] for op in after if PRIMITIVES[op].cost >= COSTLY)
        return not costly and _cost(after) <= MORE * _cost(before)


def _work(stmts: list[Stmt] | tuple[Stmt, ...]) -> Counter[str]:
    return Counter(t.op for t in stmts if isinstance(t, Op))


def _cost(work: Counter[str]) -> int:
    return sum(n * PRIMITIVES[op].cost for op, n in work.items())


def _plus(b: Builder, a: Atom, k: int) -> Atom:
    """``a + k``."""
    if isinstance(a, Const):
        return const(int(a.value) + k)
    if not k:
        return a
    return b.op("add" if k > 0 else "sub", a, const(abs(k)))


def _index(place: Place, at: Atom) -> tuple[Atom, ...]:
    return (*place.rest[: place.axis], at, *place.rest[place.axis :])


class _Values:
    """What iterations around an element compute; nothing twice."""

    def __init__(self, b: Builder, found: Stencil, base: Atom) -> None:
        self.b, self.found, self.base = b, found, base
        self.positions: dict[int, Atom] = {}
        self.known: dict[Hashable, Atom] = {}
        self.carried = {c.arg.name for c in found.loop.carried}

    def at(self, k: int) -> Atom:
        """The position ``base + k``."""
        if k not in self.positions:
            self.positions[k] = _plus(self.b, self.base, k)
        return self.positions[k]

    def of(self, a: Atom, shift: int) -> Atom | None:
        """A value in iteration ``base + shift``; ``None`` if it is not to be had."""
        if not isinstance(a, Var):
            return a
        if a.name in self.found.offsets:
            return self.at(shift + self.found.offsets[a.name])
        if a.name in self.carried:
            return None
        s = self.found.made.get(a.name)
        if s is None:
            return a
        if (a.name, shift) not in self.known:
            self.known[a.name, shift] = self.make(s, shift)  # type: ignore[assignment]
        return self.known[a.name, shift]

    def make(self, s: Stmt, shift: int) -> Atom | None:
        """The same operation on the values of that iteration."""
        assert isinstance(s, (Op, Load))
        args: list[Atom] = []
        for a in s.args if isinstance(s, Op) else s.index:
            value = self.of(a, shift)
            if value is None:
                return None
            args.append(value)
        what = s.op if isinstance(s, Op) else s.array
        same = (what, s.target.type, *map(key, args))
        if same not in self.known:
            target = self.b.var(s.target.hint or s.target.name, s.target.type)
            operands = tuple(args)
            if isinstance(s, Op):
                self.b.emit(Op(target, s.op, operands, s.loc))
            else:
                self.b.emit(Load(target, s.array, operands, s.loc))
            self.known[same] = target
        return self.known[same]
