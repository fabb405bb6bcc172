"""What threads of a block tell each other in one step: shuffles of warps, votes at barriers.

In: ``cuda.shfl_sync`` and its relatives with all lanes, ``cuda.syncthreads_count`` and its, of a
kernel.  Out: shared memory and barriers, which have adjoints; a shuffle's adjoint adds through the
shadow of that memory.

Invariant: between two barriers an element is written by one thread or read by any.

Limits: a shuffle is a barrier of the block here, so all threads of the block must come to it, not
only those of a warp; it is slower than the instruction.  A kernel with these is compiled for the
size of a block.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srcad.frontend.core import Lowering
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Accumulate, Atom, Block, Const, Var
from srcad.ir.threads import SIZED, Hidden, barrier, barrier_function
from srcad.ir.types import I8, ArrayT, Scalar

WARP = 32
SHUFFLES = ("shfl_sync", "shfl_up_sync", "shfl_down_sync", "shfl_xor_sync")
VOTES = ("syncthreads_count", "syncthreads_and", "syncthreads_or")
Make = Callable[..., Var]


def synchronise(lo: Lowering) -> None:
    """A barrier."""
    lo.program.callees.setdefault(barrier().fn, barrier_function(()))
    lo.b.emit(barrier(lo.b.loc))


def number(lo: Lowering, launch: Any, place: Make) -> Atom:
    """The number of the thread in its block."""
    total: Atom = ZERO
    for axis in sorted(launch.axes)[::-1]:
        wide = lo.b.op("mul", total, place(lo, f"width_{axis}"), hint="number")
        total = lo.b.op("add", wide, place(lo, f"thread_{axis}"), hint="number")
    return total


def size(launch: Any) -> int:
    """The threads of a block."""
    x, y, z = launch.threads
    return int(x * y * z)


def lane(lo: Lowering, launch: Any, place: Make) -> Atom:
    """``cuda.laneid``."""
    return lo.b.op("mod", number(lo, launch, place), const(WARP), hint="lane")


def vote(
    lo: Lowering, path: str, args: list[Any], node: Any, launch: Any, tools: tuple[Make, Make]
) -> Atom:
    """``cuda.syncthreads_count(predicate)`` and the two like it."""
    hidden, place = tools
    if len(args) != 1:
        lo.mismatch(node, f"cuda.{path} takes a predicate")
    true = lo.b.op("ne", lo.scalar(args[0], node), ZERO)
    what = Hidden("shared", SIZED, (1,))  # the outcome of a vote depends on the size
    count = hidden(lo, "count", lo.key(node, "votes"), ArrayT("i8", 1), what)
    lo.note_shape(count, (ONE,))
    first = lo.b.op("eq", number(lo, launch, place), ZERO)
    with lo.b.block() as then:
        lo.b.store(count, (ZERO,), ZERO)
    lo.b.if_(first, Block(tuple(then)), Block(()))
    synchronise(lo)
    lo.b.emit(Accumulate(count, (ZERO,), lo.b.cast(true, I8), lo.b.loc, atomic=True))
    synchronise(lo)
    votes = lo.b.load(count, ZERO, hint="votes")
    synchronise(lo)
    if path == "syncthreads_count":
        return votes
    least = size(launch) if path == "syncthreads_and" else 1
    return lo.b.cast(lo.b.op("ge", votes, const(least)), I8)


def shuffle(
    lo: Lowering, path: str, args: list[Any], node: Any, launch: Any, tools: tuple[Make, Make]
) -> Any:
    """``cuda.shfl_down_sync(mask, value, delta)`` and its relatives."""
    hidden, place = tools
    if len(args) != 3:
        lo.mismatch(node, f"cuda.{path} takes a mask, a value and a lane")
    mask = args[0]
    if not (isinstance(mask, Const) and mask.value in (-1, 0xFFFFFFFF)):
        lo.fail(
            node,
            f"cuda.{path} of some lanes of a warp",
            "which lanes take part is known only at run time",
            "give the mask 0xffffffff, let all threads come to it, and select afterwards",
        )
    value, shift = lo.scalar(args[1], node), lo.integer(args[2], node)
    kind = value.type
    if kind not in (Scalar("f8"), Scalar("f4"), I8):
        lo.mismatch(node, f"cuda.{path} of {kind}", instead="exchange floats or ints")
    count = size(launch)
    what = Hidden("shared", SIZED, (count,))
    wish = "exchanged"
    s = hidden(lo, wish, lo.key(node, "shuffle"), ArrayT(str(kind), 1), what)
    lo.note_shape(s, (const(count),))
    own = number(lo, launch, place)
    lo.b.store(s, (own,), value)
    synchronise(lo)
    got = lo.b.load(s, source(lo, path, own, shift, count), hint="got")
    synchronise(lo)
    return got


def source(lo: Lowering, path: str, own: Atom, shift: Atom, count: int) -> Atom:
    """The thread whose value comes; the thread's own where that lane is outside of the warp."""
    b = lo.b
    mine = b.op("mod", own, const(WARP), hint="lane")
    shift = b.op("bitand", shift, const(WARP - 1), hint="shift")
    ways = {
        "shfl_sync": lambda: shift,
        "shfl_xor_sync": lambda: b.op("bitxor", mine, shift, hint="from"),
        "shfl_up_sync": lambda: b.op("sub", mine, shift, hint="from"),
        "shfl_down_sync": lambda: b.op("add", mine, shift, hint="from"),
    }
    lane_of = ways[path]()
    far = b.op("add", b.op("sub", own, mine), lane_of, hint="from")
    inside = b.op("and", b.op("ge", lane_of, ZERO), b.op("lt", lane_of, const(WARP)))
    inside = b.op("and", inside, b.op("lt", far, const(count)))
    return b.op("select", inside, far, own, hint="from")


def arithmetic(lo: Lowering, path: str, args: list[Any], node: Any) -> Any:
    """``cuda.fma``, ``cuda.selp``, ``cuda.cbrt``."""
    wanted = {"cbrt": 1}.get(path, 3)
    if len(args) != wanted:
        lo.mismatch(node, f"cuda.{path} takes {wanted} arguments")
    given = [lo.scalar(a, node) for a in args]
    if path == "cbrt":
        return lo.b.op("cbrt", *given)
    if path == "fma":
        return lo.b.op("add", lo.b.op("mul", *given[:2]), given[2])
    cond, a, b = given
    kind = lo.b.kind("add", (a, b))
    sides = lo.b.cast(a, kind), lo.b.cast(b, kind)
    return lo.b.op("select", lo.b.op("ne", cond, ZERO), *sides)


def constant(lo: Lowering, args: list[Any], node: Any) -> Any:
    """``cuda.const.array_like(a)``: the captured array itself."""
    known = {c.var.name for c in lo.program.captures.values()}
    if len(args) != 1 or not (isinstance(args[0], Var) and args[0].name in known):
        lo.mismatch(
            node,
            "cuda.const.array_like of something else than an array of the module",
            instead="give an array of NumPy that the kernel captures",
        )
    return args[0]
