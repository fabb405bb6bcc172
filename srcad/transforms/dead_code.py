"""Dead code elimination: what no result, effect or visible array depends on is dropped.

In: verified IR.  Out: the same function without
* pure statements whose targets nothing live reads,
* carried values and branch results that only feed each other,
* writes to local storage that nothing live reads afterwards or before (by alias class),
* branches and loops left without any live statement or result.

Invariant: results, contents of the arguments, checks, prints, draws and calls stay as they were.
Method: one mark phase from the roots (yields of the function, checks, prints, draws, calls, writes
that the caller can see) backwards, then one sweep.  Limits: flow-insensitive for storage, so
a write that is overwritten before any read stays; a loop that would never end and has no effect
is dropped.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Block, Function
>>> from srcad.ir.text import text
>>> from srcad.ir.types import F8, ArrayT
>>> b = Builder(Namer())
>>> x = b.var("x", F8)
>>> scratch = b.alloc(ArrayT("f8", 1), (const(3),), hint="scratch")
>>> with b.loop(const(0), const(3)) as i:
...     b.store(scratch, (i,), b.op("sin", x))
>>> y = b.op("mul", x, x, hint="y")
>>> fn = Function("f", (x,), Block(tuple(b.stack[0]), (y,)))
>>> print(text(fn), text(run(fn)), sep="", end="")
def f(x: f8):
    scratch: f8[:]C = zeros(3)
    for i in range(0, 3, 1):
        t: f8 = sin(x)
        scratch[i] = t
    y: f8 = mul(x, x)
    return y
def f(x: f8):
    y: f8 = mul(x, x)
    return y
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from srcad.analyses.aliases import OUTSIDE, Aliases, is_reference
from srcad.ir.nodes import (
    Accumulate,
    ArrayOp,
    Atom,
    Block,
    Call,
    Check,
    Dim,
    Draw,
    For,
    Function,
    If,
    Load,
    Print,
    Reserve,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import ListT
from srcad.ir.walk import binders, blocks, operands, targets
from srcad.transforms.program import each_function


def run(fn: Function, keep_checks: bool = True) -> Function:
    """The program without its dead code (and without its checks, if asked)."""
    return each_function(fn, lambda f: _clean(f, keep_checks))


def _clean(fn: Function, keep_checks: bool) -> Function:
    live = _Live(Aliases(fn))
    live.read_block(fn.body, -1)
    live.mark(fn, keep_checks)
    return replace(fn, body=_Sweep(live).block(fn.body, tuple(range(len(fn.body.yields)))))


@dataclass
class _Live:
    """The mark phase.  Statements are numbered in the order of ``statements``."""

    aliases: Aliases
    stmts: list[Stmt] = field(default_factory=list)
    owner: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)  # first number after the statement's blocks
    definition: dict[str, int] = field(default_factory=dict)
    position: dict[str, int] = field(default_factory=dict)  # which result or carried value
    writers: dict[str, list[int]] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    storage: set[str] = field(default_factory=set)
    kept: set[int] = field(default_factory=set)
    pending_names: list[str] = field(default_factory=list)
    pending_storage: list[str] = field(default_factory=list)

    def read_block(self, block: Block, owner: int) -> None:
        """Number the statements of a block and index what they define and write."""
        for s in block.stmts:
            number = len(self.stmts)
            self.stmts.append(s)
            self.owner.append(owner)
            self.end.append(number + 1)
            for k, v in enumerate(targets(s)):
                self.definition[v.name], self.position[v.name] = number, k
            for v in binders(s):
                self.definition[v.name] = number
            if isinstance(s, (For, While)):
                self.position.update((c.arg.name, k) for k, c in enumerate(s.carried))
            elif isinstance(s, (Store, Accumulate, Reserve)):
                self.writers.setdefault(self.aliases.root(s.array), []).append(number)
            for inner in blocks(s):
                self.read_block(inner, number)
            self.end[number] = len(self.stmts)

    def mark(self, fn: Function, keep_checks: bool) -> None:
        """Everything reachable backwards from the roots."""
        roots = (Check, Print, Draw, Call) if keep_checks else (Print, Draw, Call)
        for number, s in enumerate(self.stmts):
            if isinstance(s, roots) and not (isinstance(s, Draw) and s.given is not None):
                self.effect(number)
        self.touch(OUTSIDE)
        for y in fn.body.yields:
            self.need(y)
            self.expose(y)
        while self.pending_names or self.pending_storage:
            if self.pending_names:
                self.define(self.pending_names.pop())
            else:
                for number in self.writers.get(self.pending_storage.pop(), ()):
                    self.effect(number)

    def need(self, a: Atom) -> None:
        """The value of an operand is used."""
        if isinstance(a, Var) and a.name not in self.names:
            self.names.add(a.name)
            self.pending_names.append(a.name)

    def touch(self, root: str) -> None:
        """The contents of a class of storage are used."""
        if root not in self.storage:
            self.storage.add(root)
            self.pending_storage.append(root)

    def expose(self, a: Atom) -> None:
        """The contents behind a reference are used, those of a list's arrays too."""
        if isinstance(a, Var) and is_reference(a):
            self.touch(self.aliases.root(a))
            if isinstance(a.type, ListT) and is_reference(Var("", a.type.element)):
                self.touch(self.aliases.element_root(a))

    def effect(self, number: int) -> None:
        """A statement is executed for what it does: it needs its operands and its place."""
        s = self.stmts[number]
        self.keep(number)
        for a in operands(s):
            self.need(a)
        match s:
            case Load(array=a) | Dim(array=Var(type=ListT()) as a):
                self.touch(self.aliases.root(a))
            case ArrayOp(args=args) | Call(args=args) | Print(args=args):
                for arg in args:
                    self.expose(arg)

    def keep(self, number: int) -> None:
        """The statement and those around it stay; control needs its operands."""
        while number >= 0 and number not in self.kept:
            self.kept.add(number)
            match self.stmts[number]:
                case If(cond=c):
                    self.need(c)
                case For() as loop:
                    for a in (loop.start, loop.stop, loop.step):
                        self.need(a)
                    if loop.breaks:
                        self.need(loop.carried[0].arg)
                case While(carried=carried):
                    self.need(carried[0].arg)
            if isinstance(s := self.stmts[number], (For, While)) and s.keep is not None:
                self.need(s.keep.limit)
            number = self.owner[number]

    def define(self, name: str) -> None:
        """A live variable keeps what it is made from alive."""
        number = self.definition.get(name)
        if number is None:
            return  # a parameter
        match self.stmts[number]:
            case If() as s:
                self.keep(number)
                self.need(s.then.yields[self.position[name]])
                self.need(s.orelse.yields[self.position[name]])
            case For() | While() as loop:
                self.keep(number)
                k = self.position.get(name)
                if k is not None:  # otherwise the loop's index
                    for a in (
                        loop.carried[k].init,
                        loop.carried[k].result,
                        loop.carried[k].arg,
                        loop.body.yields[k],
                    ):
                        self.need(a)
            case _:
                self.effect(number)


class _Sweep:
    """Rebuilds the blocks from the statements that were kept, in the order of the numbering."""

    def __init__(self, live: _Live) -> None:
        self.live = live
        self.number = 0

    def block(self, block: Block, wanted: tuple[int, ...]) -> Block:
        """The live statements of a block, and the yields that are still wanted."""
        out: list[Stmt] = []
        for s in block.stmts:
            number = self.number
            if number in self.live.kept:
                self.number += 1
                out.append(self.statement(s))
            else:
                self.number = self.live.end[number]
        return Block(tuple(out), tuple(block.yields[k] for k in wanted))

    def statement(self, s: Stmt) -> Stmt:
        """A kept statement with its dead results, carried values and inner statements gone."""
        names = self.live.names
        if isinstance(s, If):
            wanted = tuple(k for k, r in enumerate(s.results) if r.name in names)
            results = tuple(s.results[k] for k in wanted)
            then = self.block(s.then, wanted)
            return replace(s, then=then, orelse=self.block(s.orelse, wanted), results=results)
        if isinstance(s, (For, While)):
            wanted = tuple(k for k, c in enumerate(s.carried) if c.arg.name in names)
            carried = tuple(s.carried[k] for k in wanted)
            return replace(s, carried=carried, body=self.block(s.body, wanted))
        return s
