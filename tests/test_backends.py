"""The backends against each other: IR built by hand, then random programs.

``reference`` interprets the IR, ``python`` executes the printed text, ``cpu`` compiles it; each
shares little with the others, so agreement to the last bit is evidence for all three.
"""

import ast
import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numba import types as nb
from numba.core.compiler import run_frontend
from numba.core.registry import cpu_target
from numba.core.typed_passes import type_inference_stage

from srcad.backends.base import backend
from srcad.backends.cpu import compile_module
from srcad.backends.debug import DebugNaN
from srcad.backends.printer import emit, to_source
from srcad.backends.reference import run
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.layout import view_layout
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Call, Carried, Function, Loc, Op, Print, Var
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.text import text
from srcad.ir.types import B1, F4, F8, I8, ArrayT, ListT
from srcad.ir.verify import verify
from tests.random_ir import arguments, random_function

VEC, MAT, STRIDED = ArrayT("f8", 1), ArrayT("f8", 2), ArrayT("f8", 1, "A")
X, Y, N = Var("x", F8, "x"), Var("y", F8, "y"), Var("n", I8, "n")
A, M = Var("a", VEC, "a"), Var("m", MAT, "m")


class Maker(Builder):
    """A builder of one function of the given parameters."""

    def __init__(self, *params, loc=None):
        super().__init__(Namer([p.name for p in params]), loc)
        self.params = params

    def done(self, *yields, name="f", callees=None):
        """The verified function."""
        fn = Function(name, self.params, Block(tuple(self.stack[0]), yields), callees or {})
        verify(fn)
        return fn

    def carry(self, *inits, hints="suvw"):
        """Carried values: arguments, and what makes ``Carried`` of them."""
        args = [self.var(h, i.type) for h, i in zip(hints, inits, strict=False)]
        results = [self.var(a.hint, a.type) for a in args]
        return args, results, tuple(map(Carried, results, args, inits))


def copied(args):
    """Arguments that may be written to."""
    return [a.copy() if isinstance(a, (np.ndarray, list)) else a for a in args]


def same(a, b):
    """Equal to the last bit (NaN equals NaN)."""
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=np.asarray(a).dtype.kind == "f")


def agree(fn, *args, names=("python", "cpu")):
    """The reference's results, after all backends gave them, and left the same arguments."""
    verify(fn)
    module = emit(fn)
    assert ast.dump(ast.parse(module.source)) == ast.dump(module.tree)
    ours = copied(args)
    expected = backend("reference").build(fn)(*ours)
    for name in names:
        theirs = copied(args)
        got = backend(name).build(fn)(*theirs)
        assert all(map(same, expected, got)), (name, expected, got, module.source)
        assert all(map(same, ours, theirs)), (name, ours, theirs, module.source)
    return expected


def body_of(fn):
    """The printed statements of the entry function."""
    return emit(fn).source.split("):\n", 1)[1].rstrip()


# carried values
def fibonacci():
    b = Maker(N)
    (s, u), (rs, _), carried = b.carry(const(0.0), const(1.0))
    with b.block() as stmts:
        t = b.op("add", s, u)
    b.for_(b.var("i", I8), ZERO, N, ONE, carried, Block(tuple(stmts), (u, t)))
    return b.done(rs)


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
    assert body_of(fn) == """\
    s = 0.0
    for i in range(a.shape[0]):
        v = a[i]
        if v > 2.0:
            break
        s += v
    return s"""


def test_while():
    b = Maker(X)
    (_, s), (_, r), carried = b.carry(b.op("gt", X, const(1.0)), X, hints=("go", "s"))
    with b.block() as stmts:
        t = b.op("mul", s, const(0.5))
        again = b.op("gt", t, const(1.0))
    b.while_(carried, Block(tuple(stmts), (again, t)))
    fn = b.done(r)
    assert agree(fn, 9.0) == (0.5625,)
    assert body_of(fn) == """\
    while x > 1.0:
        x *= 0.5
    return x"""


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
    fn = b.done(b.load(numbers, const(2)), b.load(last, ONE), b.load(flags, ONE),
                b.dim(numbers, 0))
    assert agree(fn, 4) == (2.0, 3.0, False, 4)


def test_elements_of_all_dtypes():
    """Odd integer widths are widened, stores are cut to width."""
    arrays = [Var("p", ArrayT("i4", 1)), Var("q", ArrayT("u1", 1)), Var("r", ArrayT("b1", 1)),
              Var("h", ArrayT("f4", 1)), Var("z", ArrayT("f8", 0))]
    b = Maker(*arrays)
    p, q, r, h, z = arrays
    t = b.op("sub", b.load(q, ZERO), b.load(q, ONE))
    b.store(q, (ZERO,), b.op("mul", t, const(1000)))
    b.store(p, (ONE,), b.op("add", b.load(p, ZERO), const(2**40)))
    b.store(r, (ZERO,), b.op("not", b.load(r, ZERO)))
    b.store(h, (ZERO,), b.op("mul", b.load(h, ONE), b.load(h, ONE)))
    b.accumulate(z, (), b.op("f8", b.load(h, ZERO)))
    fn = b.done(t, b.load(p, ONE), b.load(q, ZERO), b.load(z))
    args = (np.array([1, 2], np.int32), np.array([3, 250], np.uint8), np.array([True, False]),
            np.array([0.1, 0.7], np.float32), np.array(2.0))
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
        specs += [(at,), (every, at), (at, some), (some, every), (every, every), (new, every),
                  (every, new), (at, new, flipped), (every, at, new)]
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
    types = [ArrayT(d, k, lay) for d in ("f8", "f4", "i8", "b1") for k, lay in
             ((0, "C"), (1, "C"), (1, "A"), (2, "C"), (2, "F"), (2, "A"))]
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


# scalars
def test_casts_and_constants():
    h = Var("h", F4, "h")
    b = Maker(X, N, h)
    t = b.op("mul", h, const(0.1, F4))
    parts = [
        b.op("truediv", X, const(0.0)), b.op("i8", X), b.op("f4", X), t,
        b.op("add", t, b.op("f8", N)), b.op("b1", N), b.op("neg", const(-1.5)),
        b.op("mul", X, const(-math.inf)), b.op("add", X, const(math.nan)),
        b.op("sub", N, const(-(2**63))), b.op("floordiv", N, const(-3)),
        b.op("mod", N, const(-3)), b.op("sqrt", const(-1.0)), b.op("log", const(0.0)),
        b.op("max", X, N), b.op("min", b.op("lt", X, const(0.0)), N),
        b.op("select", b.op("lt", X, const(1.0)), N, X),
        b.op("add", b.op("lt", X, const(9.0)), b.op("gt", X, const(9.0))),
        b.op("mul", X, const(-0.0)), b.op("square", b.op("add", X, const(1.0))),
    ]
    agree(b.done(*parts), 3.75, 7, np.float32(1.25))


def test_powers():
    b = Maker(X, N, loc=Loc("user.py", 1, role="adjoint"))
    parts = [b.op("pow", X, const(2)), b.op("pow", X, const(-1)), b.op("pow", X, N),
             b.op("pow", const(-2.0), X), b.op("neg", b.op("pow", X, const(2.0))),
             b.op("pow", b.op("neg", X), const(2.0)), b.op("pow", N, const(3)),
             b.op("pow", X, b.op("pow", X, const(0.5)))]
    fn = b.done(*parts)
    agree(fn, 4.0, 3)
    assert agree(fn, 0.0, -1)[1:3] == (math.inf, math.inf)  # derivatives never raise
    assert "(-2.0) ** x" in emit(fn).source and "(-x) ** 2.0" in emit(fn).source


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_primitives_print_and_evaluate(name):
    """Every primitive: the reference agrees with the printed text executed by Python."""
    kinds = {"bitand": I8, "bitor": I8, "bitxor": I8, "lshift": I8, "rshift": I8, "invert": I8,
             "gcd": I8, "lcm": I8, "and": B1, "or": B1}
    primitive = PRIMITIVES[name]
    kind = kinds.get(name, F8)
    params = tuple(Var(v, kind) for v in ("x", "y", "z")[:primitive.arity])
    if name == "select":
        params = (Var("c", B1), *params[1:])
    if name in ("ldexp", "polygamma"):
        params = (params[0], Var("n", I8)) if name == "ldexp" else (Var("n", I8), params[1])
    target = Var("t", primitive.result_type(*(p.type for p in params)))
    fn = Function("f", params, Block((Op(target, name, params),), (target,)))
    values = {F8: (0.75, 0.4, 2.5), I8: (3, 2, 1), B1: (True, False, True)}
    args = [values[p.type][k] for k, p in enumerate(params)]
    (one,), (two,) = run(fn, tuple(args)), backend("python").build(fn)(*args)
    assert type(one) is type(two)
    assert one == pytest.approx(two, rel=1e-12, nan_ok=True)
    verify(fn)


# calls
def power_function():
    """``power(x, n) = x * power(x, n - 1)``, with the table of callees shared."""
    callees = {}
    b = Maker(X, N)
    r, q = b.var("r", F8), b.var("q", F8)
    with b.block() as orelse:
        b.emit(Call((q,), "power", (X, b.op("sub", N, ONE))))
        t = b.op("mul", X, q)
    b.if_(b.op("le", N, ZERO), Block((), (const(1.0),)), Block(tuple(orelse), (t,)), (r,))
    fn = Function("power", (X, N), Block(tuple(b.stack[0]), (r,)), callees)
    callees["power"] = fn
    verify(fn)
    return fn


def test_recursion():
    assert agree(power_function(), 2.0, 5) == (32.0,)


def test_calls():
    fill = Maker(A, X)
    fill.store(A, (ZERO,), X)
    callees = {"power": power_function(), "fill": fill.done(name="power")}
    b = Maker(A, X, Var("power", F8, "power"))
    r = b.var("r", F8)
    old = b.load(A, ZERO, hint="old")
    b.emit(Call((), "fill", (A, X)))
    b.emit(Call((r,), "power", (b.load(A, ZERO), const(2))))
    fn = b.done(r, old, callees=callees, name="f")
    assert agree(fn, np.array([5.0]), 3.0, 1.0) == (9.0, 5.0)


def test_print(capsys):
    b = Maker(X)
    b.emit(Print(("x is", X, ONE)))
    fn = b.done()
    for name in ("reference", "python"):
        assert backend(name).build(fn)(1.5) == ()
        assert capsys.readouterr().out == "x is 1.5 1\n"


def test_names_of_parameters():
    """Parameters called like modules or builtins that printed code uses are renamed."""
    params = (Var("np", ArrayT("f8", 1), "np"), Var("range", I8, "range"), Var("f", F8, "f"))
    b = Maker(*params)
    with b.loop(ZERO, params[1]) as i:
        b.accumulate(params[0], (i,), b.op("exp", params[2]))
    agree(b.done(), np.ones(3), 3, 0.0)


# what the text looks like
def test_comments():
    b = Maker(A, X, loc=Loc("user.py", 2, role="adjoint"))
    with b.loop(ZERO, const(2)) as i:
        b.accumulate(A, (i,), X)
        b.loc = Loc("user.py", 3, role="adjoint")
        b.store(A, (i,), const(0.0))
    b.loc = Loc("user.py", 1)
    fn = b.done(X)
    source = emit(fn, lambda file: ["a", "  s += x[i]  ", "a[i] = 0 " + "+ 0" * 30]).source
    assert source.endswith(f"""\
    # adjoint of line 2: s += x[i]
    for i in range(2):
        a[i] += x
        # adjoint of line 3: {("a[i] = 0 " + "+ 0" * 30)[:69]}…
        a[i] = 0.0
    return x
""")


def test_text():
    assert text(fibonacci()) == """\
def f(n: i8):
    for i in range(0, n, 1) carrying s: f8 = 0.0 -> s_1, u: f8 = 1.0 -> u_1:
        t: f8 = add(s, u)
        yield u, t
    return s_1
"""


@given(st.recursive(
    st.sampled_from(["x", "y", "1.5", "2", "(-1.0)", "math.inf", "a[0]"]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(
            ["+", "-", "*", "/", "//", "%", "**", "<", "==", "and", "or", "&", "<<"]), inner),
        st.builds("(-{})".format, inner), st.builds("(not {})".format, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("f({}, {})".format, inner, inner), st.builds("a[{}, {}:]".format, inner, inner),
        st.builds("{}.T".format, inner.filter(lambda s: not s[0].isdigit()))), max_leaves=8))
@settings(max_examples=60, deadline=None)
def test_expressions_round_trip(expression):
    """What astor prints is the tree it was given (the printer's only assumption about it)."""
    tree = ast.parse(f"x = {expression}\nx += {expression}")
    assert ast.dump(ast.parse(to_source(tree))) == ast.dump(tree)


# random programs
@given(st.randoms(use_true_random=False), st.integers(1, 12))
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_random_programs(rnd, statements):
    fn = random_function(rnd, statements)
    for seed in range(2):
        agree(fn, *arguments(seed), names=("python",))


@pytest.mark.parametrize("seed", range(100))
def test_random_seeds(seed):
    agree(random_function(random.Random(seed), 14), *arguments(seed), names=("python",))


@pytest.mark.parametrize("seed", [3, 17])
def test_random_programs_compiled(seed):
    agree(random_function(random.Random(seed), 16), *arguments(seed))


# debug mode
def test_debug_names_the_first_nan():
    b = Maker(X, loc=Loc("user.py", 7))
    t = b.op("log", b.op("neg", X))
    fn = b.done(b.op("mul", t, X))
    assert math.isnan(run(fn, (1.0,))[0])
    with pytest.raises(DebugNaN, match=r"user\.py:7: t_1: f8 = log"):
        run(fn, (1.0,), debug=True)
    assert math.isnan(run(fn, (math.nan,), debug=True)[0])


def test_debug_finds_unwritten_storage():
    b = Maker(N, loc=Loc("user.py", 9))
    a = b.alloc(VEC, (const(3),), zero=False)
    b.store(a, (ZERO,), const(1.0))
    fn = b.done(b.load(a, N))
    assert run(fn, (0,), debug=True) == (1.0,)
    with pytest.raises(DebugNaN, match=r"before it was written at user\.py:9"):
        run(fn, (1,), debug=True)
    with pytest.raises(IndexError) as caught:
        run(fn, (5,), debug=True)
    assert caught.value.loc.line == 9
