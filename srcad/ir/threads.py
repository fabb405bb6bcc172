"""What a kernel's thread sees of the others: positions in the launch, shared memory, barriers.

A kernel is an ordinary ``Function`` that every thread of a launch executes.  Where a thread stands
in the launch, and the storage that it shares with others, are *hidden parameters*: integers and
arrays like any other to all transforms, which the last step (a backend) gives their values.

A barrier is a ``Call`` of ``BARRIER`` on every array that threads share and somebody writes.  Its
body says that it reads and writes them: to every pass, also to one that has never heard of
threads, their contents after it are not what they were before.  ``OLD`` and the other atomics
that hand something back are calls for the same reason.

>>> names("grid")
('grid_x', 'grid_y', 'grid_z')
>>> is_barrier(Call((), BARRIER, ()))
True
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from srcad.ir.nodes import Accumulate, Block, Call, Const, Function, Load, Loc, Stmt, Store, Var
from srcad.ir.types import B1, I8, ArrayT

BARRIER = "cuda.syncthreads"
OLD = "cuda.atomic.add"  # the atomic addition that gives the element as it was before

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
    """

    kind: str
    what: str = ""
    shape: tuple[int, ...] = ()
    zero: bool = False


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


def is_old(s: Stmt) -> bool:
    """Whether a statement is an atomic addition that gives the element as it was."""
    return isinstance(s, Call) and s.fn.startswith(OLD)


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


def old_name(kind: ArrayT) -> str:
    """The name of ``OLD`` for arrays of a type."""
    return f"{OLD}.{kind.dtype}.{kind.ndim}{kind.layout}"


def old_function(kind: ArrayT) -> Function:
    """``old = a[index]; a[index] += v``, in one go."""
    a, v, old = Var("a", kind), Var("v", kind.element), Var("old", kind.element)
    index = tuple(Var(f"i{k}", I8) for k in range(kind.ndim))
    stmts = (Load(old, a, index), Accumulate(a, index, v, atomic=True))
    return Function(old_name(kind), (a, *index, v), Block(stmts, (old,)))
