"""Where elementary functions may be computed on whole vectors.

In: IR after the last transform, the functions that there are vector forms of.  Out: the same
function, in whose ``vector`` stand the variables whose operation may take a vector form: results of
such functions, directly in the body of an innermost counted loop that LLVM may vectorise (it
carries no float, whose sum would have to be taken in order; no break, no check, no call).

Invariant: nothing that decides what the program does (``analyses.deciding``) is computed in vector
form: the last bits may differ there (at most 4 units in the last place; ``docs/accuracy.md``).

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.types import ArrayT
>>> b = Builder(Namer())
>>> x = b.var("x", ArrayT("f8", 1))
>>> with b.loop(const(0), b.dim(x, 0)) as i:
...     b.store(x, (i,), b.op("exp", b.load(x, i), hint="e"))
>>> sorted(vectorised(Function("f", (x,), Block(tuple(b.stack[0]))), {"exp"}).vector)
['e']
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from srcad.analyses.deciding import deciding
from srcad.ir.nodes import Accumulate, Block, Dim, For, Function, If, Load, Op, Stmt, Store, View
from srcad.ir.types import is_float
from srcad.ir.walk import blocks, statements
from srcad.transforms.program import each_function

FINE = (Op, Load, Store, Accumulate, View, Dim, If)  # in a loop that is to be a vector loop


def vectorised(fn: Function, names: Collection[str]) -> Function:
    """The program with what may take vector forms marked."""
    return each_function(fn, lambda f: _marked(f, names)) if names else fn


def _marked(fn: Function, names: Collection[str]) -> Function:
    found = {
        s.target.name: s
        for loop in statements(fn.body)
        if isinstance(loop, For) and is_flat(loop)
        for s in loop.body.stmts
        if isinstance(s, Op) and s.op in names and all(a.type == s.target.type for a in s.args)
    }
    if not found:
        return fn
    return replace(fn, vector=frozenset(found.keys() - deciding(fn)))


def is_flat(s: For) -> bool:
    """Whether a loop may become a vector loop."""
    carries = any(is_float(c.arg.type) for c in s.carried)
    return not s.breaks and not carries and all(map(_fine, s.body.stmts))


def _fine(s: Stmt) -> bool:
    inner: list[Block] = list(blocks(s))
    return isinstance(s, FINE) and all(_fine(t) for b in inner for t in b.stmts)
