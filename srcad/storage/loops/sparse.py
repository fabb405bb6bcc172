"""Nothing is added where a branch says that it would be zero.

In: IR after the last transform.  Out: the same function where an adjoint that is added to an
element, and is zero unless a branch was taken, is added in that branch.  The reverse of
``if x[i] > top: top = x[i]`` then touches the adjoint of ``x`` where ``top`` was replaced, a few
times, and not in every iteration.

Invariant: the same sums, up to the sign of zero.  Limits: branches that change what their loop
carries, since in others a select makes a vector loop.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Carried, Loc
>>> from srcad.ir.text import text
>>> from srcad.ir.types import B1, F8, I8, ArrayT
>>> b = Builder(Namer(), Loc("f.py", 1, role="adjoint"))
>>> x_b, taken = b.var("x_b", ArrayT("f8", 1)), b.var("taken", ArrayT("b1", 1))
>>> end, top_b, rest, add = (b.var(n, F8) for n in ("end", "top_b", "rest", "add"))
>>> i = b.var("i", I8)
>>> with b.block() as body:
...     yes, no = Block((), (const(0.0), top_b)), Block((), (top_b, const(0.0)))
...     b.if_(b.load(taken, i), yes, no, (rest, add))
...     b.accumulate(x_b, (i,), add)
>>> carried = (Carried(end, top_b, const(1.0)),)
>>> b.for_(i, const(0), const(9), const(1), carried, Block(tuple(body), (rest,)))
>>> print(text(skipping(Function("f", (x_b, taken), Block(tuple(b.stack[0]), (end,))))), end="")
def f(x_b: f8[:]C, taken: b1[:]C):
    for i in range(0, 9, 1) carrying top_b: f8 = 1.0 -> end:
        t: b1 = taken[i]
        if t -> rest: f8:
            x_b[i] += top_b
            yield 0.0
        else:
            yield top_b
        yield rest
    return end
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from srcad.ir.nodes import Accumulate, Atom, Block, Const, For, Function, If, Op, Stmt, Var, While
from srcad.ir.types import is_float
from srcad.ir.walk import operands, statements, targets
from srcad.transforms.accumulate import every_block
from srcad.transforms.program import each_function


def skipping(fn: Function) -> Function:
    """The program with such additions in their branches."""
    return each_function(fn, _skipping)


def _skipping(fn: Function) -> Function:
    if not any(isinstance(s, If) and len(s.results) > 1 for s in statements(fn.body)):
        return fn
    uses: Counter[str] = Counter()
    for b in every_block(fn.body):
        atoms = [*b.yields, *(a for s in b.stmts for a in operands(s))]
        uses.update(a.name for a in atoms if isinstance(a, Var))
    return replace(fn, body=_block(fn.body, uses, ()))


def _block(b: Block, uses: Counter[str], carried: tuple[Atom, ...]) -> Block:
    """A block; ``carried`` are the values it hands to the next iteration of its loop."""
    out: list[Stmt] = []
    for s in b.stmts:
        if isinstance(s, If):
            then, orelse = (_block(x, uses, ()) for x in (s.then, s.orelse))
            s = replace(s, then=then, orelse=orelse)
        elif isinstance(s, (For, While)):
            s = replace(s, body=_block(s.body, uses, s.body.yields))
        elif isinstance(s, Accumulate) and (k := _branch(out, s, uses, carried)) is not None:
            found = out[k]
            assert isinstance(found, If)
            out[k] = _inside(found, s)
            continue
        out.append(s)
    return Block(tuple(out), b.yields)


def _branch(
    before: list[Stmt], s: Accumulate, uses: Counter[str], carried: tuple[Atom, ...]
) -> int | None:
    """The position of the branch that an addition belongs in."""
    adjoint = s.loc is not None and s.loc.role == "adjoint"
    if not adjoint or s.atomic or not isinstance(s.value, Var) or uses[s.value.name] != 1:
        return None
    made: set[str] = set()
    for k in range(len(before) - 1, -1, -1):
        t = before[k]
        if isinstance(t, If) and s.value in t.results:
            known = not any(isinstance(a, Var) and a.name in made for a in s.index)
            serial = any(r in carried and is_float(r.type) for r in t.results)
            fits = known and serial and not set(s.index) & set(t.results)
            return k if fits and _zero(t, s.value) is not None else None
        if not isinstance(t, Op):
            return None
        made |= {v.name for v in targets(t)}
    return None


def _zero(s: If, value: Var) -> int | None:
    """The side of a branch on which a result is zero: 0 or 1."""
    k = s.results.index(value)
    sides = [b.yields[k] for b in (s.then, s.orelse)]
    zeros = [isinstance(a, Const) and a.value == 0.0 for a in sides]
    return zeros.index(True) if sum(zeros) == 1 else None


def _inside(s: If, t: Accumulate) -> If:
    """A branch that adds on the one side."""
    assert isinstance(t.value, Var)
    k, zero = s.results.index(t.value), _zero(s, t.value)
    sides = []
    for n, b in enumerate((s.then, s.orelse)):
        added = () if n == zero else (replace(t, value=b.yields[k]),)
        sides.append(Block((*b.stmts, *added), (*b.yields[:k], *b.yields[k + 1 :])))
    results = (*s.results[:k], *s.results[k + 1 :])
    return replace(s, then=sides[0], orelse=sides[1], results=results)
