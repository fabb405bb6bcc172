"""Loops that change places, so that a state of each element becomes a number.

In: a function as the user wrote it, before derivatives are made.  Out: the same function where

    for j in range(m):                          for i in range(n):
        for i in range(n):                          for j in range(m):
            r[i] -= x[j] * p[i]       is                r -= x[j] * p
            p[i] *= t[i]                                p *= t

together with the loops over ``i`` before and after it, as far as they become one.  The reverse
sweep would record all of ``p`` in each iteration of ``j``; of a number in an inner loop it records
what one iteration of ``i`` needs, and that stays in the cache (``transforms.fusion``,
``storage.jam``).

Invariant: the same values bit for bit (``nests``, ``cells``; merging: ``storage.loops.merge``).
Where the states do not become numbers that way, the loops stay as they were.  Sums (``z[i] +=``)
count as states where nothing is lost by it (``nests``).

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.text import text
>>> from srcad.ir.types import ArrayT
>>> from srcad.ir.nodes import Var
>>> x = Var("x", ArrayT("f8", 1))
>>> b = Builder(Namer(["x"]))
>>> n = b.dim(x, 0)
>>> p = b.alloc(ArrayT("f8", 1), (n,), hint="p")
>>> with b.loop(const(0), const(9), hint="j"):
...     with b.loop(const(0), n) as i:
...         b.store(p, (i,), b.op("mul", b.load(p, i), b.load(x, i)))
>>> with b.loop(const(0), n) as k:
...     b.store(x, (k,), b.load(p, k))
>>> print(text(swapped(Function("f", (x,), Block(tuple(b.stack[0]))))), end="")
def f(x: f8[:]C):
    n: i8 = dim(x, 0)
    for i in range(0, n, 1):
        x_2: f8 = x[i]
        for j in range(0, 9, 1) carrying p0: f8 = 0.0 -> p0_1:
            t_2: f8 = mul(p0, x_2)
            yield t_2
        x[i] = p0_1
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from srcad.ir.nodes import Block, For, Function, If, Stmt, While
from srcad.ir.walk import statements
from srcad.storage.interchange.cells import celled
from srcad.storage.interchange.nests import Nests, promising
from srcad.storage.loops.merge import joined
from srcad.transforms import cse, dead_code, scalarise, simplify
from srcad.transforms.program import each_function

MOST = 4  # nests of a function that are looked at


def swapped(fn: Function) -> Function:
    """The program with such loops in each other's place."""
    return each_function(fn, _one)


def _one(fn: Function) -> Function:
    names = [s.index.name for s in _loops(fn) if promising(s)]
    for name in names[:MOST]:
        fn = _swapped(fn, name) or fn
    return fn


def _loops(fn: Function) -> Iterator[For]:
    return (s for s in statements(fn.body) if isinstance(s, For))


def _swapped(fn: Function, name: str) -> Function | None:
    """The function with one nest swapped, if it is better so."""
    found = next((s for s in _loops(fn) if s.index.name == name), None)
    if found is None:  # it has become one with another
        return None
    inner = [t.index.name for t in found.body.stmts if isinstance(t, For)]
    if len(inner) > 1:
        fn, _ = joined(fn, inner)
        found = next(s for s in _loops(fn) if s.index.name == name)
    nest = Nests(fn).of(found)
    if nest is None or not nest.worth:
        return None
    fn = replace(fn, body=with_instead(fn.body, found, nest.swapped()))
    for flat in (False, True):
        made, gone = celled(*joined(fn, {nest.inner.index.name}, flat))
        if nest.states <= gone:
            for run in (scalarise.run, simplify.run, cse.run, dead_code.run):
                made = run(made)
            return made
    return None


def with_instead(b: Block, old: Stmt, new: Stmt) -> Block:
    """A block, inner ones too, with another statement in the place of one."""
    out = []
    for s in b.stmts:
        if s is old:
            s = new
        elif isinstance(s, If):
            then, orelse = (with_instead(x, old, new) for x in (s.then, s.orelse))
            s = replace(s, then=then, orelse=orelse)
        elif isinstance(s, (For, While)):
            s = replace(s, body=with_instead(s.body, old, new))
        out.append(s)
    return Block(tuple(out), b.yields)
