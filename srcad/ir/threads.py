"""What a kernel's thread sees of the others: positions in the launch, shared memory, barriers.

A kernel is an ordinary ``Function`` that every thread of a launch executes.  Where a thread stands
in the launch, and the storage that it shares with others, are *hidden parameters*: integers and
arrays like any other to all transforms, which the last step (a backend) gives their values.

A barrier is a ``Call`` of ``BARRIER`` on every array that threads share and somebody writes.  Its
body says that it reads and writes them: to every pass, also to one that has never heard of
threads, their contents after it are not what they were before.  Atomic maxima and minima, and
atomics that hand back the element as it was, are calls for the same reason.

>>> names("grid")
('grid_x', 'grid_y', 'grid_z')
>>> is_barrier(Call((), BARRIER, ()))
True
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from srcad.ir.nodes import (
    Accumulate,
    Atom,
    Block,
    Call,
    Const,
    Function,
    If,
    Load,
    Loc,
    Op,
    Stmt,
    Store,
    Var,
)
from srcad.ir.types import B1, F8, I8, ArrayT, is_float

BARRIER = "cuda.syncthreads"
ATOMIC = "cuda.atomic."  # begins the names of atomics that are calls
EXACT = "cuda.exact."  # begins the names of operations on exact sums (``cuda.exact``)
SIZED = "sized"  # what a shared array stands for whose shape follows from the size of a block
EXTREMES = ("max", "min", "nanmax", "nanmin")

# where a thread stands: index in its block, index of its block, sizes of block and grid, position
# in the whole launch and the number of threads in it
PLACES = ("thread", "block", "width", "blocks", "grid", "gridsize")
AXES = ("x", "y", "z")
LANE = "lane"  # the number of a thread, counted over the whole launch


@dataclass(frozen=True)
class Hidden:
    """What a hidden parameter stands for.

    ``kind``: ``"place"`` (``what`` is its name in the launch), ``"shared"`` (an array of the block,
    of ``shape``; with ``zero`` filled with zeros before the kernel starts), ``"workspace"`` (rows
    for the tapes, one column a thread) or ``"row"`` (the first row of a tape: ``what`` names it).
    ``CONTEST`` are the arrays by which it is found out who has won an atomic maximum of the
    argument ``what`` (``cuda.extremes``); ``"exact"`` the exact sums of the array ``what``;
    ``"constant"`` an array that the kernel captures.
    """

    kind: str
    what: str = ""
    shape: tuple[int, ...] = ()
    zero: bool = False


CONTEST = ("race", "best", "claim", "winner", "last")
GIVEN = (
    "workspace",
    "row",
    "exact",
    "constant",
    *CONTEST,
)  # what the launch gives after the arguments


def limits(place: str) -> tuple[float, float]:
    """Between what a place of the launch is, on any device."""
    kind, _, axis = place.partition("_")
    widest = 64 if axis == "z" else 1024
    known = {"thread": (0, widest - 1), "width": (1, widest), "block": (0, math.inf)}
    return known.get(kind, (0 if kind in ("grid", LANE) else 1, math.inf))


def names(place: str) -> tuple[str, ...]:
    """The names of a place, axis by axis."""
    return tuple(f"{place}_{axis}" for axis in AXES)


def is_barrier(s: Stmt) -> bool:
    """Whether a statement is a barrier."""
    return isinstance(s, Call) and s.fn == BARRIER


def is_atomic(s: Stmt) -> bool:
    """Whether a statement is an atomic that is a call."""
    return isinstance(s, Call) and s.fn.startswith(ATOMIC)


def how_atomic(name: str) -> str:
    """What an atomic does, of the name of its function: ``"add"``, ``"max"``."""
    return name.split(".")[2]


def is_inert(s: Stmt) -> bool:
    """Whether a call has no derivative of its own: a barrier, or an atomic maximum of floats.

    Who has won the maximum stores the value once more (``cuda.extremes``): that has one.
    """
    return is_barrier(s) or is_atomic(s) and is_float(s.args[0].type)  # type: ignore[union-attr]


def barrier(loc: Loc | None = None) -> Call:
    """A barrier; ``transforms.barriers.completed`` says later what it guards."""
    return Call((), BARRIER, (), loc)


def barrier_function(arrays: tuple[Var, ...]) -> Function:
    """What a barrier means to whoever looks at its body: it reads and writes everything."""
    params = tuple(replace(a, name=f"a{k}", hint="") for k, a in enumerate(arrays))
    return Function(BARRIER, params, Block(tuple(map(changing, params))))


def changing(a: Var) -> Stmt:
    """A statement that changes an element."""
    assert isinstance(a.type, ArrayT)
    index, kind = (Const(0, I8),) * a.type.ndim, a.type.element
    if kind == B1:
        return Store(a, index, Const(True, kind))
    return Accumulate(a, index, Const(1 if kind == I8 else 1.0, kind))


def atomic_name(how: str, kind: ArrayT, old: bool) -> str:
    """The name of an atomic on arrays of a type; ``old``: it gives the element as it was."""
    return f"{ATOMIC}{how}.{'old' if old else 'plain'}.{kind.dtype}.{kind.ndim}{kind.layout}"


def atomic_function(how: str, kind: ArrayT, old: bool) -> Function:
    """``old = a[index]; a[index] = how(old, v)``, in one go.

    As ``numba.cuda`` has it: ``max`` and ``min`` keep a NaN that is in the array and ignore one
    that comes, the others replace the one and ignore the other.
    """
    a, v, was = Var("a", kind), Var("v", kind.element), Var("old", kind.element)
    index = tuple(Var(f"i{k}", I8) for k in range(kind.ndim))
    load = Load(was, a, index)
    if how == "add":
        change: tuple[Stmt, ...] = (Accumulate(a, index, v, atomic=True),)
    else:
        beyond = Var("beyond", B1)
        test, stmts = beyond, [Op(beyond, "gt" if how.endswith("max") else "lt", (v, was))]
        if how.startswith("nan"):
            empty, number, new, test = (Var(n, B1) for n in ("empty", "number", "new", "wins"))
            stmts += [Op(empty, "ne", (was, was)), Op(number, "eq", (v, v))]
            stmts += [Op(new, "and", (empty, number)), Op(test, "or", (beyond, new))]
        change = (*stmts, If(test, Block((Store(a, index, v),)), Block(())))
    results: tuple[Atom, ...] = (was,) if old else ()
    body = Block((load, *change), results)
    return Function(atomic_name(how, kind, old), (a, *index, v), body)


def is_exact(s: Stmt) -> bool:
    """Whether a statement is an operation on an exact sum."""
    return isinstance(s, Call) and s.fn.startswith(EXACT)


def exact_function(what: str) -> Function:
    """``add`` a number to a row of sums, its ``value``, or ``clear`` it.

    The body says what is read and written; how it is done is ``runtime.exact``.
    """
    acc, at, v = Var("acc", ArrayT("i8", 2)), Var("at", I8), Var("v", F8)
    if what == "add":
        stmts: tuple[Stmt, ...] = (Accumulate(acc, (at, Const(0, I8)), Const(1, I8)),)
        return Function(f"{EXACT}add", (acc, at, v), Block(stmts))
    if what == "clear":
        stmts = (Store(acc, (at, Const(0, I8)), Const(0, I8)),)
        return Function(f"{EXACT}clear", (acc, at), Block(stmts))
    word = Var("word", I8)
    stmts = (Load(word, acc, (at, Const(0, I8))), Op(v, "f8", (word,)))
    return Function(f"{EXACT}value", (acc, at), Block(stmts, (v,)))
