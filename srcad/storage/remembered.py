"""Recursions in reverse: what a call has evaluated is not evaluated again level by level.

In: a program after the last transform.  Out: the same program, where reverse versions of recursive
functions share a record (``storage.frames``) of the calls that the function made.

The reverse version ``g`` of a recursive ``f`` runs ``f``'s own statements, calls of ``f`` included,
and then calls itself for each of them, which runs the calls inside again: in a recursion of depth n
the innermost call would be evaluated n times.  Here the outermost calls record what they evaluate
inside, and everything below takes its values from there, so the function is evaluated twice.
Recording costs as much as some evaluations of a small function, so the depth is found out first, by
an evaluation that counts the first few calls: a recursion that is not deep runs as it was.

Invariant: values are those of the calls, bit for bit; a record says only what a call of a pure
function with the same arguments has given before.
Limits: ``f`` returns numbers and writes no array; the arrays it is given are handed on as they are
(no slices); functions that call each other count as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from srcad.analyses.summaries import reachable
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Call, For, Function, If, Op, Stmt, Var, While
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import I8, ArrayT, Scalar
from srcad.ir.walk import blocks, statements, variables
from srcad.storage.frames import INTS, MOST, NONE, ROOM, Frames, Record, entering, leaving
from srcad.storage.unused import quiet

DEEP, SHALLOW = 48, 4  # levels of a small function, from which on it is worth it; of a large one
WORK = 1500  # of an evaluation, times levels, that recording costs
LOOP = 16  # trips of a loop, where they are not known


def worth(fn: Function) -> int:
    """From which depth on the calls of a function had better be recorded."""
    return max(SHALLOW, min(DEEP, WORK // max(1, work(fn.body))))


def work(b: Block) -> int:
    """What an evaluation costs, calls left out."""
    total = 0
    for s in b.stmts:
        total += PRIMITIVES[s.op].cost if isinstance(s, Op) else 1
        inside = sum(map(work, blocks(s)))
        calls = any(isinstance(t, Call) for c in blocks(s) for t in statements(c))
        total += inside * (LOOP if isinstance(s, (For, While)) and not calls else 1)
    return total


def remembered(fn: Function) -> Function:
    """The program with such records."""
    family = reachable(fn) if fn.callees else {}
    if not any(f.reverses for f in family.values()):
        return fn
    reach = {name: set(reachable(f)) for name, f in family.items()}
    callees = dict(fn.callees)
    namer = Namer((*fn.callees, fn.name))
    done: set[str] = set()
    pure = quiet(fn)
    for name, f in family.items():
        if name in done or not f.reverses or name not in reach[name]:
            continue
        group = {n for n in reach[name] if name in reach[n]}
        done |= group
        found = recursion(family, reach, group, pure)
        if found is not None:
            callees |= Rewriting(found, namer).functions()
    if len(callees) == len(fn.callees):
        return fn
    shared: dict[str, Function] = {}
    shared |= {name: replace(f, callees=shared) for name, f in callees.items()}
    return shared[fn.name] if fn.callees.get(fn.name) is fn else replace(fn, callees=shared)


@dataclass
class Recursion:
    """Functions that call each other, their reverse versions, what each of these reverses."""

    primals: dict[str, Function]
    reverses: dict[str, Function]
    of: dict[str, str]


def recursion(
    family: dict[str, Function], reach: dict[str, set[str]], group: set[str], pure: set[str]
) -> Recursion | None:
    """What a group of functions that call each other reverses, if that can be recorded."""
    reverses = {n: family[n] for n in group}
    of = {n: f.reverses for n, f in reverses.items()}
    if not all(p in family for p in of.values()):
        return None
    first = next(iter(of.values()))
    names = {n for n in reach[first] if first in reach[n]}
    primals = {n: family[n] for n in names}
    if not names or not set(of.values()) <= names or not names <= pure:
        return None
    if any(f.rule for f in (*primals.values(), *reverses.values())):
        return None
    if not all(recordable(f) for f in primals.values()):
        return None
    for n, f in reverses.items():
        own = primals[of[n]].params
        if f.params[: len(own)] != own:
            return None
    found = Recursion(primals, reverses, of)
    calls = {s.fn for f in reverses.values() for s in statements(f.body) if isinstance(s, Call)}
    return found if calls & names and handed_on(found) else None


def recordable(fn: Function) -> bool:
    """Whether arguments are numbers and arrays, results numbers."""
    given = all(isinstance(p.type, (Scalar, ArrayT)) for p in fn.params)
    given &= len(fn.params) + len(fn.body.yields) < MOST
    return given and all(isinstance(y.type, Scalar) for y in fn.body.yields)


def handed_on(r: Recursion) -> bool:
    """Whether each array is one and the same in all calls."""
    same: dict[tuple[str, int], tuple[str, int]] = {}

    def root(x: tuple[str, int]) -> tuple[str, int]:
        while x in same:
            x = same[x]
        return x

    everything = {**r.primals, **r.reverses}
    for name, f in everything.items():
        of = r.of.get(name, name)
        count = len(r.primals[of].params)
        places = {p.name: k for k, p in enumerate(f.params[:count])}
        for s in statements(f.body):
            if not isinstance(s, Call) or s.fn not in everything:
                continue
            callee = r.of.get(s.fn, s.fn)
            for k, p in enumerate(r.primals[callee].params):
                if isinstance(p.type, ArrayT):
                    a = s.args[k]
                    if not isinstance(a, Var) or a.name not in places:
                        return False
                    one, other = root((of, places[a.name])), root((callee, k))
                    if one != other:
                        same[one] = other
    for name, f in r.primals.items():
        arrays = [root((name, k)) for k, p in enumerate(f.params) if isinstance(p.type, ArrayT)]
        if len(set(arrays)) < len(arrays):
            return False
    return True


class Rewriting:
    """The new functions for one recursion."""

    def __init__(self, r: Recursion, namer: Namer) -> None:
        self.r = r
        self.frames = {n: Frames(f, k, namer) for k, (n, f) in enumerate(r.primals.items())}
        self.plain = {n: namer.fresh(f"{n}_plain") for n in r.reverses}
        self.shared = {n: namer.fresh(f"{n}_shared") for n in r.reverses}
        self.entering, self.leaving = namer.fresh("entering"), namer.fresh("leaving")

    def functions(self) -> dict[str, Function]:
        """Those that are new or different."""
        found = {self.entering: entering(self.entering), self.leaving: leaving(self.leaving)}
        for name, f in self.r.primals.items():
            frames = self.frames[name]
            found[frames.recorded] = frames.recording(lambda r, f=f: self.recorded(f.body, r))  # type: ignore[misc]
            found[frames.again], found[frames.found] = frames.taking(), frames.finding()
            found[frames.probe] = frames.probing(lambda d, k, f=f: self.counted(f.body, d, k), DEEP)  # type: ignore[misc]
        for name, f in self.r.reverses.items():
            found[name] = self.outermost(name, f)
            found[self.shared[name]] = self.inner(name, f)
            found[self.plain[name]] = self.unrecorded(name, f)
        return found

    def recorded(self, b: Block, r: Record) -> Block:
        """A block of the function with its calls recorded."""

        def call(s: Call) -> Iterator[Stmt]:
            if s.fn in self.frames:
                s = replace(s, fn=self.frames[s.fn].recorded, args=(*s.args, *r.params))
            yield s

        return with_calls(b, call)

    def counted(self, b: Block, noted: Var, depth: Atom) -> Block:
        """A block of the function, its calls one level deeper."""

        def call(s: Call) -> Iterator[Stmt]:
            if s.fn in self.frames:
                s = replace(s, fn=self.frames[s.fn].probe, args=(*s.args, noted, depth))
            yield s

        return with_calls(b, call)

    def unrecorded(self, name: str, fn: Function) -> Function:
        """The reverse version as it was."""

        def call(s: Call) -> Iterator[Stmt]:
            yield replace(s, fn=self.plain.get(s.fn, s.fn))

        return replace(fn, name=self.plain[name], body=with_calls(fn.body, call))

    def outermost(self, name: str, fn: Function) -> Function:
        """The reverse version as others call it: with a record where that is worth it."""
        b = Builder(Namer(v.name for v in variables(fn)))
        of = self.r.of[name]
        noted = b.alloc(INTS, (const(2),), True, "deepest")
        primal = self.r.primals[of]
        given: tuple[Atom, ...] = (*fn.params[: len(primal.params)], noted, ZERO)
        self.frames[of].call(b, self.frames[of].probe, given)  # for what it notes
        deepest = b.load(noted, ZERO, hint="deepest")
        deep = b.op("ge", deepest, const(worth(primal)), hint="deep")

        def called(to: str, extra: tuple[Atom, ...]) -> Sequence[Atom]:
            made = tuple(b.var("result", y.type) for y in fn.body.yields)
            b.emit(Call(made, to, (*fn.params, *extra)))
            return made

        def recorded() -> Sequence[Atom]:
            record = [b.alloc(x.type, (const(ROOM),), False, x.hint) for x in Record(b).params]
            b.store(record[0], (ZERO,), const(2))
            b.store(record[0], (ONE,), ZERO)
            return called(self.shared[name], (*record, NONE))

        made = Record(b).branch(deep, recorded, lambda: called(self.plain[name], ()))
        return replace(fn, body=Block(tuple(b.stack[0]), made))

    def inner(self, name: str, fn: Function) -> Function:
        """The reverse version with the record, and the frame of the call that it reverses."""
        b = Builder(Namer(v.name for v in variables(fn)))
        r = Record(b)
        known, own = b.var("known", I8), b.var("own", I8)
        b.emit(Call((own,), self.entering, (*r.params, known)))
        body = with_calls(fn.body, lambda s: self.reversed_call(b, r, own, s))
        body = replace(body, stmts=(*b.stack[0], *body.stmts))
        return replace(fn, name=self.shared[name], params=(*fn.params, *r.params, known), body=body)

    def reversed_call(self, b: Builder, r: Record, own: Var, s: Call) -> Sequence[Stmt]:
        """A call in a reverse version."""
        extra: tuple[Atom, ...] = (*r.params, own)
        if s.fn in self.frames:
            return [replace(s, fn=self.frames[s.fn].again, args=(*s.args, *extra))]
        if s.fn not in self.shared:
            return [s]
        of = self.r.of[s.fn]
        count = len(self.r.primals[of].params)
        with b.block() as stmts:
            known = b.var("known", I8)
            b.emit(Call((known,), self.frames[of].found, (*s.args[:count], *extra)))
            top, room = r.top()
            b.emit(replace(s, fn=self.shared[s.fn], args=(*s.args, *r.params, known)))
            b.emit(Call((), self.leaving, (*r.params, own, known, top, room)))
        return stmts


def with_calls(b: Block, call: object) -> Block:
    """A block with statements in place of each call."""

    def one(s: Stmt) -> Sequence[Stmt]:
        match s:
            case If():
                return [replace(s, then=block(s.then), orelse=block(s.orelse))]
            case For() | While():
                return [replace(s, body=block(s.body))]
            case Call():
                return list(call(s))  # type: ignore[operator]
        return [s]

    def block(b: Block) -> Block:
        return replace(b, stmts=tuple(new for s in b.stmts for new in one(s)))

    return block(b)
