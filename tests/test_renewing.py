"""States that are made anew in each step: gradients are gathers, and their arrays are reused.

What is compiled for a gradient is run by the reference interpreter and compared with forward mode.
"""

from __future__ import annotations

import numpy as np
import pytest

import srcad
from srcad.backends.reference import run
from srcad.compiler import finished
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Alloc, Block, Carried, For, Function, Loc, While
from srcad.ir.types import I8, ArrayT
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.storage.spare import spared
from tests.renewing_programs import RENEWING, both, copied, linear, renewed, shrinking, sums, until


@pytest.mark.parametrize("f", RENEWING, ids=lambda f: f.__name__)
def test_gradients_are_right(f):
    """For no step, one, and several, as they are compiled."""
    g = srcad.grad(f, backend="cpu", vector_math=False, argnums=(0, 2))
    example = np.ones(5), 3, 0.3
    fn = finished(g.program(g.specs(g.bind(example, {}))))
    forward = srcad.jacfwd(f, argnums=(0, 2), backend="reference")
    for n, steps in ((3, 2), (4, 0), (5, 1), (5, 2), (6, 3), (7, 4)):
        if f is not shrinking or n > 3:
            args = 0.3 + 0.2 * np.sin(np.arange(float(n))), steps, 0.3
            for found, expected in zip(run(fn, args), forward(*args), strict=True):
                np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("f", [renewed, copied], ids=lambda f: f.__name__)
def test_states_are_rows_of_one_matrix(f):
    """And what each cell gives to its neighbours is collected."""
    source = srcad.source(srcad.grad(f, backend="cpu"), np.ones(9), 3, 0.3)
    assert "u_tape = np.empty((" in source and "append" not in source
    assert "for i in range(2, " in source.split("# adjoint of", 1)[1]


def allocating(f, n=5):
    """The arrays that loops of a compiled gradient make anew in each iteration."""
    g = srcad.grad(f, backend="cpu", vector_math=False)
    fn = finished(g.program(g.specs(g.bind((np.ones(n), 3, 0.3), {}))))
    verify(fn)
    loops = [s for s in statements(fn.body) if isinstance(s, (For, While))]
    return [s.target.hint for loop in loops for s in loop.body.stmts if isinstance(s, Alloc)]


@pytest.mark.parametrize("f", [renewed, copied, linear, sums, both], ids=lambda f: f.__name__)
def test_arrays_take_turns(f):
    """No step makes an array, neither forwards nor backwards."""
    assert not allocating(f)


@pytest.mark.parametrize("f", [shrinking, until], ids=lambda f: f.__name__)
def test_others_are_made_anew(f):
    """Whose sizes change, or which a tape of unknown length holds."""
    assert allocating(f)


def steps(
    *, size=4, zero=False, read_first=False, named=False, viewed=False, clears=(1, 3), late=0
):
    """Steps that replace a state by a new one, and clear a part of the old one."""
    b = Builder(Namer(), Loc("f.py", 1, role="adjoint"))
    vector = ArrayT("f8", 1)
    u = b.alloc(vector, (const(4),), True, "u")
    with b.loop(const(0), const(4)) as i:
        b.store(u, (i,), b.op("f8", b.op("add", i, const(1))))
    now, end = (b.var(h, vector) for h in ("now", "end"))
    with b.block() as body:
        new = b.alloc(vector, (const(size),), zero, "new")
        if read_first:
            b.accumulate(now, (const(1),), b.load(new, const(2)))
        with b.loop(const(0), const(4)) as i:
            b.accumulate(new, (i,), b.load(now, i)) if zero else b.store(new, (i,), b.load(now, i))
        with b.loop(*map(const, clears)) as i:
            b.store(now, (i,), const(0.0))
        b.accumulate(new, (const(0),), b.load(now, const(late)))
        if named:
            b.accumulate(new, (const(1),), b.load(u, const(1)))
        if viewed:
            b.view(now, "index", (("slice", const(1), None, None),), ArrayT("f8", 1, "A"))
    carried = (Carried(end, now, u),)
    b.for_(b.var("t", I8), const(0), const(3), const(1), carried, Block(tuple(body), (new,)))
    fn = Function("f", (), Block(tuple(b.stack[0]), (end,)))
    verify(fn)
    return fn


TURNS = [{}, {"zero": True}, {"zero": True, "read_first": True}, {"late": 2}, {"clears": (3, 2)}]
STAY = [{"size": 5}, {"named": True}, {"viewed": True}]


@pytest.mark.parametrize("how", TURNS, ids=str)
def test_a_spare_array(how):
    """Zeros are written where they are read, and what is cleared stays cleared if it is read."""
    fn = steps(**how)
    after = spared(fn)
    verify(after)
    assert after is not fn
    np.testing.assert_array_equal(run(after, ())[0], run(fn, ())[0])


@pytest.mark.parametrize("how", STAY, ids=str)
def test_no_spare_array(how):
    """Of another size, or where somebody else could see what is in it."""
    fn = steps(**how)
    assert spared(fn).body == fn.body
