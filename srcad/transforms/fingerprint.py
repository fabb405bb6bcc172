"""A fingerprint of the way a run takes: which branches, how many trips, which positions.

In: a function.  Out: the same function whose last result is a 64-bit integer, computed from every
decision that floats took (``analyses.decisions``) in the order of execution.  Two runs with equal
integer arguments, equal shapes and equal decisions have equal fingerprints; other decisions give
another fingerprint (but for the chance of one in 2**64 that two sequences mix to the same number).

Used by ``sparse_jacobian``: a pattern of nonzeros belongs to one way through the program.
"""

from __future__ import annotations

from dataclasses import replace

from srcad.analyses.decisions import Decisions, discrete_targets
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Call, For, Function, If, Stmt, Var, While
from srcad.ir.types import I8, ArrayT
from srcad.ir.walk import variables
from srcad.transforms.family import Family

MIX = const(6364136223846793005)  # Knuth's multiplier (MMIX): odd, so nothing is lost
TURN = const(29)
CELL = ArrayT("i8", 1, "C")


def fingerprinted(fn: Function) -> Function:
    """``fn`` with the fingerprint of its run as its last result."""
    family = Family(fn)
    return _Fingerprint(fn, family).whole()


class _Fingerprint:
    """Writes every decision into a cell; called functions get the cell as their last argument."""

    def __init__(self, fn: Function, family: Family) -> None:
        self.fn, self.family = fn, family
        self.b = Builder(Namer(v.name for v in variables(fn)))
        self.decisions = Decisions(fn)
        self.cell = self.b.var("way", CELL)

    def whole(self) -> Function:
        """The function with a cell of its own."""
        with self.b.block() as opening:
            self.cell = self.b.alloc(CELL, (ONE,), hint="way")
        body = self.block(self.fn.body)
        with self.b.block() as closing:
            self.b.loc = None
            result = self.b.load(self.cell, ZERO, hint="way")
        whole = Block((*opening, *body.stmts, *closing), (*body.yields, result))
        return replace(self.fn, body=whole, callees=self.family.callees)

    def part(self, name: str) -> Function:
        """The version that other versions call."""
        body = self.block(self.fn.body)
        params = (*self.fn.params, self.cell)
        callees = self.family.callees
        return replace(self.fn, name=name, params=params, body=body, callees=callees, rule=None)

    def block(self, block: Block) -> Block:
        """A block that writes its decisions down."""
        with self.b.block() as stmts:
            for s in block.stmts:
                self.b.loc = getattr(s, "loc", None)
                self.statement(s)
        return Block(tuple(stmts), block.yields)

    def statement(self, s: Stmt) -> None:
        """A statement, and what it decided."""
        match s:
            case If():
                s = replace(s, then=self.block(s.then), orelse=self.block(s.orelse))
            case For() | While():
                s = replace(s, body=self.block(s.body))
            case Call():
                fn = self.family.version(
                    ("fingerprint", s.fn),
                    f"{s.fn}_way",
                    s.fn,
                    lambda name, primal: _Fingerprint(primal, self.family).part(name),
                )
                s = replace(s, fn=fn, args=(*s.args, self.cell))
        self.b.emit(s)
        if self.decisions.records(s):
            for t in discrete_targets(s):
                self.note(t)

    def note(self, decision: Var) -> None:
        """Mix a number into the cell."""
        before: Atom = self.b.load(self.cell, ZERO, hint="way")
        mixed = self.b.op("mul", self.b.op("bitxor", before, self.b.cast(decision, I8)), MIX)
        turned = self.b.op("add", self.b.op("bitxor", mixed, self.b.op("rshift", mixed, TURN)), ONE)
        self.b.store(self.cell, (ZERO,), turned)
