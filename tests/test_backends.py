"""The backends agree on control flow and storage: reference, printed Python, Numba."""

import math

import numpy as np
import pytest
from numba import types as nb
from numba.core.compiler import run_frontend
from numba.core.registry import cpu_target
from numba.core.typed_passes import type_inference_stage

from srcad.backends.base import backend
from srcad.backends.cpu import compile_module
from srcad.backends.printer import emit
from srcad.backends.reference import run
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.layout import view_layout
from srcad.ir.nodes import Block, Var
from srcad.ir.types import B1, F8, I8, ArrayT, ListT
from tests.backend_checks import Maker, agree, body_of, fibonacci

VEC, MAT, STRIDED = ArrayT("f8", 1), ArrayT("f8", 2), ArrayT("f8", 1, "A")
X, Y, N = Var("x", F8, "x"), Var("y", F8, "y"), Var("n", I8, "n")
A, M = Var("a", VEC, "a"), Var("m", MAT, "m")


# carried values
def test_fibonacci():
    assert agree(fibonacci(), 10) == (55.0,)
    assert "s, u = u, s + u" in body_of(fibonacci())


def test_rotation_of_arrays():
    """Three buffers change places; all must be seen by all."""
    b = Maker(A, N)
    first = b.alloc(VEC, (const(2),))
    second = b.alloc(VEC, (const(2),))
    (s, u, v), results, carried = b.carry(A, first, second)
    i = b.var("i", I8)
    with b.block() as stmts:
        b.accumulate(u, (ZERO,), b.load(s, ZERO))
        b.accumulate(v, (ONE,), b.op("f8", i))
    b.for_(i, ZERO, N, ONE, carried, Block(tuple(stmts), (u, v, s)))
    fn = b.done(*(b.load(r, k) for r in results for k in (ZERO, ONE)))
    for n in range(5):
        agree(fn, np.array([1.0, 2.0]), n, names=("python", "cpu") if n == 4 else ("python",))


def test_argument_used_after_its_successor_is_computed():
    b = Maker(X, N)
    (s,), (r,), carried = b.carry(X)
    with b.block() as stmts:
        t = b.op("mul", s, const(2.0))
        w = b.op("add", t, s)
        u = b.op("sub", b.op("mul", t, w), s)
    b.for_(b.var("i", I8), ZERO, N, ONE, carried, Block(tuple(stmts), (t,)))
    fn = b.done(r)
    assert agree(fn, 1.5, 3) == (12.0,)
    b = Maker(X, N)
    (s, u), (r, q), carried = b.carry(X, const(0.0))
    with b.block() as stmts:
        t = b.op("mul", s, const(2.0))
        w = b.op("add", u, b.op("sub", t, s))
    b.for_(b.var("i", I8), ZERO, N, ONE, carried, Block(tuple(stmts), (t, w)))
    assert agree(b.done(r, q), 1.5, 3) == (12.0, 10.5)


def test_initial_value_stays_visible():
    """``x`` starts a loop and is needed inside and after it."""
    b = Maker(X, N)
    (s,), (r,), carried = b.carry(X)
    with b.block() as stmts:
        t = b.op("mul", s, X)
    b.for_(b.var("i", I8), ZERO, N, ONE, carried, Block(tuple(stmts), (t,)))
    fn = b.done(r, X, b.op("add", r, X))
    assert agree(fn, 2.0, 3) == (16.0, 2.0, 18.0)


def test_nested_loops():
    b = Maker(M)
    n, m = b.dim(M, 0), b.dim(M, 1)
    (s,), (r,), outer = b.carry(const(0.0))
    i, j = b.var("i", I8), b.var("j", I8)
    with b.block() as stmts:
        (u,), (w,), inner = b.carry(s)
        with b.block() as deep:
            t = b.op("add", u, b.op("mul", b.load(M, i, j), b.op("f8", j)))
        b.for_(j, ZERO, m, ONE, inner, Block(tuple(deep), (t,)))
    b.for_(i, ZERO, n, ONE, outer, Block(tuple(stmts), (w,)))
    fn = b.done(r)
    assert agree(fn, np.arange(6.0).reshape(2, 3)) == (19.0,)
    assert "    s += m[i, j] * np.float64(j)" in body_of(fn)


def test_loop_variable_after_the_loop():
    b = Maker(N)
    _, (r,), carried = b.carry(const(-1))
    i = b.var("i", I8)
    b.for_(i, ZERO, N, ONE, carried, Block((), (i,)))
    fn = b.done(r)
    assert agree(fn, 4) == (3,)
    assert agree(fn, 0) == (-1,)


def test_break():
    b = Maker(A)
    (_, s), (_, r), carried = b.carry(const(False), const(0.0), hints=("done", "s"))
    i = b.var("i", I8)
    with b.block() as stmts:
        v = b.load(A, i, hint="v")
        big = b.op("gt", v, const(2.0), hint="big")
        result = b.var("s", F8)
        with b.block() as rest:
            t = b.op("add", s, v)
        b.if_(big, Block((), (s,)), Block(tuple(rest), (t,)), (result,))
    b.for_(i, ZERO, b.dim(A, 0), ONE, carried, Block(tuple(stmts), (big, result)), breaks=True)
    fn = b.done(r)
    assert agree(fn, np.array([1.0, 2.0, 3.0, 4.0])) == (3.0,)
    assert agree(fn, np.array([1.0, 2.0]), names=()) == (3.0,)
    assert (
        body_of(fn)
        == """\
    s = 0.0
    for i in range(a.shape[0]):
        v = a[i]
        if v > 2.0:
            break
        s += v
    return s"""
    )


def test_while():
    b = Maker(X)
    (_, s), (_, r), carried = b.carry(b.op("gt", X, const(1.0)), X, hints=("go", "s"))
    with b.block() as stmts:
        t = b.op("mul", s, const(0.5))
        again = b.op("gt", t, const(1.0))
    b.while_(carried, Block(tuple(stmts), (again, t)))
    fn = b.done(r)
    assert agree(fn, 9.0) == (0.5625,)
    assert (
        body_of(fn)
        == """\
    while x > 1.0:
        x *= 0.5
    return x"""
    )


def test_while_whose_flag_is_used():
    b = Maker(N)
    (go, s), (end, r), carried = b.carry(const(True), N, hints=("go", "s"))
    with b.block() as stmts:
        t = b.op("sub", s, b.op("i8", go))
        again = b.op("gt", t, const(3))
    b.while_(carried, Block(tuple(stmts), (again, t)))
    assert agree(b.done(r, end), 7) == (3, False)


# branches
def test_if_results():
    b = Maker(X, Y)
    r, q = b.var("r", F8), b.var("q", F8)
    with b.block() as then:
        t = b.op("mul", X, Y)
    b.if_(b.op("lt", X, Y), Block(tuple(then), (t, X)), Block((), (Y, const(2.0))), (r, q))
    fn = b.done(r, q, X)
    assert agree(fn, 1.0, 3.0) == (3.0, 1.0, 1.0)
    assert agree(fn, 4.0, 3.0, names=("python",)) == (3.0, 2.0, 4.0)


def test_swap_in_branch():
    b = Maker(X, Y)
    r, q = b.var("r", F8), b.var("q", F8)
    b.if_(b.op("lt", X, Y), Block((), (Y, X)), Block((), (X, Y)), (r, q))
    fn = b.done(r, q)
    assert agree(fn, 1.0, 3.0, names=("python",)) == (3.0, 1.0)
    assert agree(fn, 5.0, 3.0) == (5.0, 3.0)


def test_nan_is_not_inverted():
    """``if not x < y`` is not ``if x >= y``."""
    b = Maker(X, Y)
    with b.block() as orelse:
        b.check(const(False), "ValueError", "no")
    b.if_(b.op("lt", X, Y), Block(()), Block(tuple(orelse)))
    b.check(b.op("ne", X, const(1.0)), "ZeroDivisionError", "x is one")
    fn = b.done(X)
    source = emit(fn).source
    assert "if not x < y:" in source and "if x == 1.0:" in source
    for name in ("reference", "python", "cpu"):
        call = backend(name).build(fn)
        with pytest.raises(ValueError, match="no"):
            call(math.nan, 1.0)
        with pytest.raises(ZeroDivisionError, match="x is one"):
            call(1.0, 2.0)
        assert call(0.5, 1.0) == (0.5,)


# storage
def test_loads_do_not_move_over_stores():
    b = Maker(A)
    t = b.load(A, ZERO, hint="t")
    b.store(A, (ZERO,), const(5.0))
    u = b.load(A, ZERO)
    b.accumulate(A, (ONE,), b.op("mul", t, u))
    assert agree(b.done(), np.array([2.0, 1.0])) == ()
    assert "t = a[0]" in body_of(b.done())


def test_lists():
    b = Maker(N)
    numbers = b.alloc(ListT(F8), hint="numbers")
    arrays = b.alloc(ListT(STRIDED), hint="arrays")
    flags = b.alloc(ListT(B1), hint="flags")
    i = b.var("i", I8)
    with b.block() as stmts:
        b.reserve(numbers, b.op("add", b.dim(numbers, 0), ONE))
        b.store(numbers, (i,), b.op("mul", b.op("f8", i), const(0.5)))
        b.accumulate(numbers, (const(-1),), const(1.0))
        fresh = b.alloc(MAT, (const(2), const(2)))
        every = ("slice", None, None, None)
        column = b.view(fresh, "index", (every, ("at", ONE)), STRIDED)
        b.reserve(arrays, b.op("add", i, ONE))
        b.store(arrays, (i,), column)
        b.store(b.load(arrays, i), (ONE,), b.op("f8", i))
    b.for_(i, ZERO, N, ONE, (), Block(tuple(stmts)))
    b.reserve(flags, const(3))
    last = b.load(arrays, const(-1))
    fn = b.done(b.load(numbers, const(2)), b.load(last, ONE), b.load(flags, ONE), b.dim(numbers, 0))
    assert agree(fn, 4) == (2.0, 3.0, False, 4)


def test_elements_of_all_dtypes():
    """Odd integer widths are widened, stores are cut to width."""
    arrays = [
        Var("p", ArrayT("i4", 1)),
        Var("q", ArrayT("u1", 1)),
        Var("r", ArrayT("b1", 1)),
        Var("h", ArrayT("f4", 1)),
        Var("z", ArrayT("f8", 0)),
    ]
    b = Maker(*arrays)
    p, q, r, h, z = arrays
    t = b.op("sub", b.load(q, ZERO), b.load(q, ONE))
    b.store(q, (ZERO,), b.op("mul", t, const(1000)))
    b.store(p, (ONE,), b.op("add", b.load(p, ZERO), const(2**40)))
    b.store(r, (ZERO,), b.op("not", b.load(r, ZERO)))
    b.store(h, (ZERO,), b.op("mul", b.load(h, ONE), b.load(h, ONE)))
    b.accumulate(z, (), b.op("f8", b.load(h, ZERO)))
    fn = b.done(t, b.load(p, ONE), b.load(q, ZERO), b.load(z))
    args = (
        np.array([1, 2], np.int32),
        np.array([3, 250], np.uint8),
        np.array([True, False]),
        np.array([0.1, 0.7], np.float32),
        np.array(2.0),
    )
    agree(fn, *args)


def inferred(fn, *types):
    """Types of the results as Numba infers them (nothing is compiled)."""
    typing, target = cpu_target.typing_context, cpu_target.target_context
    typing.refresh()
    target.refresh()
    ir = run_frontend(compile_module(emit(fn)).py_func)
    return type_inference_stage(typing, target, ir, types, None).return_type


def views(base):
    """All kinds of views of an array, with the types Numba infers."""
    b = Maker(base)
    every, some = ("slice", None, None, None), ("slice", ONE, None, None)
    flipped, thin = ("slice", None, None, const(-1)), ("slice", ZERO, const(2), ONE)
    at, new = ("at", ZERO), ("new",)
    specs = [(some,), (every,), (new,), (flipped,), (thin,)]
    if base.type.ndim > 1:
        specs += [
            (at,),
            (every, at),
            (at, some),
            (some, every),
            (every, every),
            (new, every),
            (every, new),
            (at, new, flipped),
            (every, at, new),
        ]
    if base.type.ndim > 2:
        specs += [(at, at), (every, at, every), (at, at, some), (every, every, at), (at, some)]
    kinds = [("index", s) for s in specs]
    kinds += [("transpose", tuple(range(base.type.ndim))[::-1]), ("same", ())]
    kinds += [("transpose", tuple(range(base.type.ndim)))]
    if base.type.layout == "C":
        kinds += [("reshape", (const(-1),))] if base.type.ndim == 9 else []
        kinds += [("reshape", tuple(b.dim(base, k) for k in range(base.type.ndim)))]
    out = []
    for kind, spec in kinds:
        t = view_layout(base.type, kind, spec)
        out += [b.view(base, kind, spec, t)]
        if t.layout != "A":
            out += [b.view(base, kind, spec, ArrayT(t.dtype, t.ndim, "A"))]
    return b.done(*out), out


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("layout", ["C", "F", "A"])
def test_layouts_of_views(ndim, layout):
    if ndim == 1 and layout == "F":
        pytest.skip("Numba never says F of a vector")
    fn, out = views(Var("a", ArrayT("f8", ndim, layout)))
    types = inferred(fn, nb.Array(nb.float64, ndim, layout))
    for v, t in zip(out, types, strict=True):
        assert (t.ndim, t.layout) == (v.type.ndim, v.type.layout), v
    a = np.arange(float(3**ndim)).reshape((3,) * ndim)
    a = {"C": a, "F": np.asfortranarray(a), "A": np.repeat(a, 2, axis=-1)[..., ::2]}[layout]
    for one, two in zip(run(fn, (a,)), backend("python").build(fn)(a), strict=True):
        assert np.array_equal(one, two) and np.shares_memory(one, a) == np.shares_memory(two, a)


def test_layouts_of_fresh_arrays():
    b = Maker(N)
    types = [
        ArrayT(d, k, lay)
        for d in ("f8", "f4", "i8", "b1")
        for k, lay in ((0, "C"), (1, "C"), (1, "A"), (2, "C"), (2, "F"), (2, "A"))
    ]
    fn = b.done(*(b.alloc(t, (N,) * t.ndim) for t in types))
    for want, t in zip(types, inferred(fn, nb.int64), strict=True):
        assert (t.ndim, t.layout) == (want.ndim, want.layout)


def test_array_operations():
    b = Maker(M, A)
    square = ArrayT("f8", 2)
    (p,) = b.array_op("matmul", (square,), M, M)
    (v,) = b.array_op("solve", (VEC,), p, A)
    (w,) = b.array_op("inv", (square,), M)
    (f,) = b.array_op("inv", (ArrayT("f8", 2, "F"),), M)
    (d,) = b.array_op("det", (F8,), M)
    fn = b.done(b.load(v, ONE), d, b.load(w, ZERO, ONE), b.load(f, ZERO, ONE))
    m = np.array([[2.0, 1.0], [1.0, 3.0]])
    got = agree(fn, m, np.array([1.0, 2.0]), names=("python",))  # LAPACK compiles for seconds
    inverse = np.linalg.inv(m)
    corner = inverse[0, 1]
    assert np.allclose(got, [(inverse @ inverse @ [1.0, 2.0])[1], 5.0, corner, corner])
    assert body_of(fn).count("np.ascontiguousarray(np.linalg.inv(m))") == 1
    b = Maker(M, Var("s", STRIDED))
    (v,) = b.array_op("matmul", (VEC,), M, b.params[1])
    agree(b.done(b.load(v, ONE)), m, np.arange(4.0)[::2])
