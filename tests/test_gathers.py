"""Loops that add to neighbours become gathers: which do, that it is right, which must not.

Random loops are compared before and after on small integers, whose sums are exact in any order;
gradients of stencils with forward mode, which knows nothing of this.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

import srcad
from srcad.backends.reference import run
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Function, Loc
from srcad.ir.types import F8, I8, ArrayT
from srcad.ir.verify import verify
from srcad.storage.gathers import gathered

VECTOR, MATRIX = ArrayT("f8", 1), ArrayT("f8", 2)
SIZE = 18


def built(rng: random.Random) -> Function:
    """A loop of adjoint code: adds to neighbours, clears, scales and reads its own elements."""
    b = Builder(Namer(), Loc("f.py", 1, role="adjoint"))
    first, end = b.var("first", I8), b.var("end", I8)
    arrays = {v: b.var(v, MATRIX if v == "m" else VECTOR) for v in "pqwm"}
    copies = {}
    for name, a in arrays.items():  # parameters may be one and the same; these are not
        shape = tuple(b.dim(a, k) for k in range(a.type.ndim))
        copies[name] = b.alloc(a.type, shape, hint=name)
        with b.loop(const(0), shape[0]) as i:
            if name == "m":
                with b.loop(const(0), shape[1]) as j:
                    b.store(copies[name], (i, j), b.load(a, i, j))
            else:
                b.store(copies[name], (i,), b.load(a, i))
    p, q, w, m = (copies[v] for v in "pqwm")
    if rng.random() < 0.3:  # seen through slices
        p = b.view(p, "index", (("slice", const(1), None, None),), ArrayT("f8", 1), "inner")
    up = rng.random() < 0.4
    start, stop, step = first, end, const(1)
    if not up:
        start, stop, step = b.op("sub", end, const(1)), b.op("sub", first, const(1)), const(-1)
    with b.loop(start, stop, step) as i:
        at = {c: b.op("add", i, const(c)) if c else i for c in range(-3, 4)}
        values = [b.load(w, at[rng.randint(-3, 3)]), b.load(q, i)]
        row = b.op("sub", const(3), const(1))
        for _ in range(rng.randint(1, 4)):
            values.append(b.op(rng.choice(["add", "sub", "mul"]), *rng.sample(values, 2)))
        if rng.random() < 0.3:
            b.store(p, (at[-3 if step.value < 0 else 3],), rng.choice(values))
        for _ in range(rng.randint(1, 4)):
            b.accumulate(p, (at[rng.randint(-3, 3)],), rng.choice(values))
        for _ in range(rng.randint(0, 3)):
            other = rng.choice([row, const(1)])
            b.accumulate(m, (other, at[rng.randint(-1, 1)]), rng.choice(values))
        if rng.random() < 0.6:
            b.store(q, (i,), rng.choice([const(0.0), *values]))
        if rng.random() < 0.1:
            b.accumulate(w, (at[rng.randint(-1, 1)],), values[0])  # which is read as well
    known = {"first": 3, "end": 3} if rng.random() < 0.8 else {}
    body = Block(tuple(b.stack[0]), tuple(copies.values()))
    fn = Function("f", (first, end, *arrays.values()), body, least=known)
    verify(fn)
    return fn


def test_random_loops_give_the_same():
    """Before and after, for ranges from none at all to long ones."""
    rng, numbers, changed = random.Random(1), np.random.default_rng(1), 0
    for _ in range(100):
        fn = built(rng)
        after = gathered(fn)
        verify(after)
        changed += after.body != fn.body
        for first, end in ((5, 4), (3, 3), (5, 6), (5, 7), (4, 9), (3, 13)):
            arrays = [numbers.integers(-3, 4, (4, SIZE) if k == 3 else SIZE) for k in range(4)]
            given = [a.astype(float) for a in arrays]
            for x, y in zip(*(run(f, (first, end, *given)) for f in (fn, after)), strict=True):
                np.testing.assert_array_equal(x, y)
    assert changed > 60
