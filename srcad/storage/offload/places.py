"""Where statements are executed: on the host, by a kernel, by one thread of the device.

In: a function after ``sink``.  Out: ``Places``: for each statement that stands in no kernel what
becomes of it, and which numbers are on the device (``numbers``).

Numbers computed from elements of arrays stay on the device; sizes, arguments and what is computed
from these are the host's.  A condition or a size that depends on elements has to be fetched.

Invariant: a number on the device is computed there; what the host computes, it computes from
numbers of its own.
"""

from __future__ import annotations

from srcad.errors import UnsupportedSyntax
from srcad.ir.nodes import (
    Accumulate,
    ArrayOp,
    Atom,
    Block,
    Check,
    Draw,
    For,
    Function,
    If,
    Load,
    Loc,
    Op,
    Print,
    Stmt,
    Store,
    Var,
    While,
)
from srcad.ir.types import ArrayT, Scalar
from srcad.ir.walk import blocks, operands, statements, targets
from srcad.storage.offload.nests import Nest, Nests, few, inner_blocks, kernelable

LIGHT = (Op, Load, Store, Accumulate, If)
HOST, KERNEL, THREAD = "host", "kernel", "thread"
NUMBERS = "numbers"  # a loop without elements: the host's, unless it needs numbers of the device


class Places:
    """The places of the statements of one function, by identity."""

    def __init__(self, fn: Function, deterministic: bool = False) -> None:
        self.fn = fn
        self.nests = Nests(fn, deterministic)
        self.nest: dict[int, Nest] = {}
        self.chosen: dict[int, str] = {}
        self.numbers: set[str] = set()
        self.loops(fn.body)
        before = -1
        while before != len(self.numbers):
            before = len(self.numbers)
            self.mark(fn.body)

    def of(self, s: Stmt) -> str:
        """Where a statement is executed."""
        if id(s) in self.chosen:
            found = self.chosen[id(s)]
            return THREAD if found == NUMBERS and self.uses_numbers(s) else found
        match s:
            case Op():
                return THREAD if any(map(self.on_device, s.args)) else HOST
            case Load() | Store() | Accumulate() if isinstance(s.array.type, ArrayT):
                return THREAD
            case If() if light(s):
                return THREAD if self.touches(s) else HOST
        return HOST

    def on_device(self, a: Atom) -> bool:
        """Whether an operand is a number on the device."""
        return isinstance(a, Var) and a.name in self.numbers

    def touches(self, s: If) -> bool:
        """Whether a light branch has to do with numbers of the device or elements."""
        atoms = [s.cond, *(y for b in (s.then, s.orelse) for y in b.yields)]
        if any(map(self.on_device, atoms)):
            return True
        return any(self.of(t) == THREAD for b in (s.then, s.orelse) for t in b.stmts)

    def uses_numbers(self, s: Stmt) -> bool:
        """Whether a statement needs numbers of the device, somewhere in it."""
        inner = (t for b in blocks(s) for t in statements(b))
        atoms = [a for t in (s, *inner) for a in operands(t)]
        return any(map(self.on_device, atoms))

    # loops, by their structure alone
    def loops(self, b: Block) -> bool:
        """Decide the loops of a block; whether there is something for kernels in it."""
        worth = False
        for s in b.stmts:
            if isinstance(s, If):
                worth |= any([self.loops(s.then), self.loops(s.orelse)])
            elif isinstance(s, (For, While)):
                worth |= self.loop(s)
            elif isinstance(s, ArrayOp):
                worth = True
            refuse(s)
        return worth

    def loop(self, s: For | While) -> bool:
        """Decide a loop; whether it is one for the device."""
        nest = self.nests.of(s) if isinstance(s, For) else None
        if nest is not None:
            self.chosen[id(s)], self.nest[id(s)] = KERNEL, nest
            return True
        if isinstance(s, For) and few(s) and kernelable(s) and elements(s):
            self.chosen[id(s)] = THREAD
            return False
        worth = self.loops(s.body)
        if not worth and elements(s):
            refuse_effects(s)
        if worth or not kernelable(s):
            self.chosen[id(s)] = HOST
            return worth
        self.chosen[id(s)] = THREAD if elements(s) else NUMBERS
        return False

    # numbers
    def mark(self, b: Block) -> None:
        """Note the numbers on the device, as far as they are known."""
        for s in b.stmts:
            place = self.of(s)
            if place in (THREAD, KERNEL):
                self.add(*targets(s))
            elif isinstance(s, ArrayOp):
                self.add(*s.targets)
            elif isinstance(s, Load):  # of a list
                self.add(s.target)
            elif isinstance(s, If):
                self.mark(s.then)
                self.mark(s.orelse)
                pairs = zip(s.results, s.then.yields, s.orelse.yields, strict=True)
                self.add(*(r for r, x, y in pairs if self.on_device(x) or self.on_device(y)))
            elif isinstance(s, (For, While)):
                self.carried(s)

    def carried(self, s: For | While) -> None:
        """The carried numbers of a loop of the host; its flag stays there."""
        self.mark(s.body)
        flag = isinstance(s, While) or s.breaks
        pairs = list(zip(s.carried, s.body.yields, strict=True))
        for c, y in pairs[int(flag) :]:
            if any(map(self.on_device, (c.init, y, c.arg))):
                self.add(c.arg, c.result)

    def add(self, *found: Var) -> None:
        """Note numbers."""
        self.numbers |= {v.name for v in found if isinstance(v.type, Scalar)}


def light(s: If) -> bool:
    """Whether a branch is nothing but operations on numbers and elements."""
    stmts = [t for b in inner_blocks(s) for t in b.stmts]
    numbers = all(isinstance(r.type, Scalar) for r in s.results)
    plain = all(isinstance(t, LIGHT) and kernelable(t) for t in stmts)
    return numbers and plain and all(light(t) for t in stmts if isinstance(t, If))


def elements(s: For | While) -> bool:
    """Whether a loop touches elements of arrays."""
    return any(isinstance(t, (Load, Store, Accumulate)) for t in statements(s.body))


def refuse(s: Stmt) -> None:
    """Refuse what has no form on the device.

    Raises:
        UnsupportedSyntax: naming the place.
    """
    if isinstance(s, Draw) and s.given is None:
        raise unsupported("a random number", s.loc, "draw it outside, and pass it as an argument")
    if isinstance(s, ArrayOp) and s.op == "eig":
        instead = "np.linalg.eigh, if the matrix is symmetric"
        raise unsupported(
            "np.linalg.eig", s.loc, instead, "CuPy, whose factorisations are used, has none"
        )


def refuse_effects(s: For | While) -> None:
    """Refuse a loop over elements in which something happens that no thread can do.

    Raises:
        UnsupportedSyntax: naming the place.
    """
    for t in statements(s.body):
        if isinstance(t, (Check, Print)):
            what = "a raise" if isinstance(t, Check) else "a print"
            instead = "look at the whole array first: if np.min(x) < 0.0: raise ValueError(...)"
            raise unsupported(f"{what} in a loop over elements", t.loc, instead)


KERNELS = "array functions on the device are kernels over elements, launched by the host"


def unsupported(what: str, loc: Loc | None, instead: str, why: str = KERNELS) -> UnsupportedSyntax:
    """The error for what the device cannot do."""
    return UnsupportedSyntax(f"{what} with target='cuda'", loc, why, instead)
