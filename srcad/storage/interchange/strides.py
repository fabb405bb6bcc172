"""Loops in the order in which memory is: the innermost one goes from neighbour to neighbour.

In: a function as the user wrote it, before derivatives are made.  Out: the same function where in
a nest of loops, each with nothing but the next one inside, the loop that walks through the fewest
arrays with strides has become the innermost one, if that is fewer than before: ``c[i, j] +=
a[i, k] * b[k, j]`` goes along ``j`` (McKinley, Carr & Tseng, "Improving Data Locality with Loop
Transformations", TOPLAS 1996, section 3).  What the reverse sweep records is then written and read
in that order too.

Invariant: the same values bit for bit, every exchange of two loops being legal (``nests``).
Limits: loops known to be short do not go inside; ``MOST`` nests a function.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Var
>>> from srcad.ir.text import text
>>> from srcad.ir.types import ArrayT
>>> a = Var("a", ArrayT("f8", 2))
>>> b = Builder(Namer("a"))
>>> n, m = b.dim(a, 0), b.dim(a, 1)
>>> c = b.alloc(a.type, (n, m), hint="c")
>>> with b.loop(const(0), m, hint="j") as j:
...     with b.loop(const(0), n) as i:
...         b.store(c, (i, j), b.load(a, i, j))
>>> fn = along_rows(Function("f", (a,), Block(tuple(b.stack[0]), (c,))))
>>> print("".join(text(fn).splitlines(True)[4:]), end="")
    for i in range(0, n, 1):
        for j in range(0, n_1, 1):
            t: f8 = a[i, j]
            c[i, j] = t
    return c
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srcad.ir.nodes import Accumulate, Block, Const, For, Function, Store
from srcad.ir.walk import statements
from srcad.storage.interchange.nests import Nests, counted
from srcad.storage.interchange.swap import with_instead
from srcad.transforms.program import each_function

SHORT = 8  # trips
MOST = 8


def along_rows(fn: Function) -> Function:
    """The program with its loops in the order of memory."""
    return each_function(fn, _one)


def _one(fn: Function) -> Function:
    names = [chain[0].index.name for chain in _chains(fn.body)]
    for name in names[:MOST]:
        fn = _turned(fn, name)
    return fn


def _chains(b: Block) -> Iterator[list[For]]:
    """The nests of a block, the outermost loops first."""
    inside: set[int] = set()
    for s in statements(b):
        if isinstance(s, For) and id(s) not in inside:
            chain = _chain(s)
            inside |= set(map(id, chain))
            writes = (isinstance(t, (Store, Accumulate)) for t in chain[-1].body.stmts)
            if len(chain) > 1 and any(writes):
                yield chain


def _chain(s: For) -> list[For]:
    """A loop and those that are alone in each other, from the outside in."""
    chain = [s]
    while counted(chain[-1]):
        inner = [t for t in chain[-1].body.stmts if isinstance(t, For)]
        if len(inner) != 1 or not counted(inner[0]):
            break
        chain += inner
    return chain if counted(s) else [s]


def _turned(fn: Function, name: str) -> Function:
    """The function with the best loop of a nest as the innermost one, if that can be."""
    found = next(s for s in statements(fn.body) if isinstance(s, For) and s.index.name == name)
    chain = _chain(found)
    nests = Nests(fn)
    bodies = {nests.bodies[s.index.name] for s in chain}
    touched = nests.accesses(nests.bodies[chain[0].index.name])
    near = [a for _, a in touched if a.node.loop in bodies]
    costs = [nests.strides(near, s) for s in chain]
    least = min(costs)
    if least == costs[-1]:
        return fn
    best = max(k for k, cost in enumerate(costs) if cost == least)
    if _short(chain[best]):
        return fn
    made = fn
    for _ in range(len(chain) - 1 - best):
        further = _inwards(made, chain[best].index.name)
        if further is None:
            return fn
        made = further
    return made


def _short(s: For) -> bool:
    """Whether a loop is known to have few trips."""
    known = [int(a.value) for a in (s.start, s.stop, s.step) if isinstance(a, Const)]
    return len(known) == 3 and len(range(*known)) <= SHORT


def _inwards(fn: Function, name: str) -> Function | None:
    """The function with a loop exchanged with the one inside."""
    found = next(s for s in statements(fn.body) if isinstance(s, For) and s.index.name == name)
    nest = Nests(fn).of(found)
    if nest is None:
        return None
    return replace(fn, body=with_instead(fn.body, found, nest.swapped()))
