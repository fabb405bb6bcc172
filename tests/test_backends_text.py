"""The backends agree on scalars, calls, random programs; the text's looks; debug mode."""

import ast
import math
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from srcad.backends.base import backend
from srcad.backends.debug import DebugNaN
from srcad.backends.printer import emit, to_source
from srcad.backends.reference import run
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.nodes import Block, Call, Function, Loc, Op, Print, Var
from srcad.ir.primitives import PRIMITIVES, WITH_ORDER
from srcad.ir.text import text
from srcad.ir.types import B1, F4, F8, I8, ArrayT
from srcad.ir.verify import verify
from tests.backend_checks import Maker, agree, fibonacci
from tests.random_ir import arguments, random_function

VEC, MAT, STRIDED = ArrayT("f8", 1), ArrayT("f8", 2), ArrayT("f8", 1, "A")
X, Y, N = Var("x", F8, "x"), Var("y", F8, "y"), Var("n", I8, "n")
A, M = Var("a", VEC, "a"), Var("m", MAT, "m")


# scalars
def test_casts_and_constants():
    h = Var("h", F4, "h")
    b = Maker(X, N, h)
    t = b.op("mul", h, const(0.1, F4))
    parts = [
        b.op("truediv", X, const(0.0)),
        b.op("i8", X),
        b.op("f4", X),
        t,
        b.op("add", t, b.op("f8", N)),
        b.op("b1", N),
        b.op("neg", const(-1.5)),
        b.op("mul", X, const(-math.inf)),
        b.op("add", X, const(math.nan)),
        b.op("sub", N, const(-(2**63))),
        b.op("floordiv", N, const(-3)),
        b.op("mod", N, const(-3)),
        b.op("sqrt", const(-1.0)),
        b.op("log", const(0.0)),
        b.op("max", X, N),
        b.op("min", b.op("lt", X, const(0.0)), N),
        b.op("select", b.op("lt", X, const(1.0)), N, X),
        b.op("add", b.op("lt", X, const(9.0)), b.op("gt", X, const(9.0))),
        b.op("mul", X, const(-0.0)),
        b.op("square", b.op("add", X, const(1.0))),
    ]
    agree(b.done(*parts), 3.75, 7, np.float32(1.25))


def test_powers():
    b = Maker(X, N, loc=Loc("user.py", 1, role="adjoint"))
    parts = [
        b.op("pow", X, const(2)),
        b.op("pow", X, const(-1)),
        b.op("pow", X, N),
        b.op("pow", const(-2.0), X),
        b.op("neg", b.op("pow", X, const(2.0))),
        b.op("pow", b.op("neg", X), const(2.0)),
        b.op("pow", N, const(3)),
        b.op("pow", X, b.op("pow", X, const(0.5))),
    ]
    fn = b.done(*parts)
    agree(fn, 4.0, 3)
    assert agree(fn, 0.0, -1)[1:3] == (math.inf, math.inf)  # derivatives never raise
    assert "(-2.0) ** x" in emit(fn).source and "(-x) ** 2.0" in emit(fn).source


@pytest.mark.parametrize("name", sorted(PRIMITIVES))
def test_primitives_print_and_evaluate(name):
    """Every primitive: the reference agrees with the printed text executed by Python."""
    kinds = {
        "bitand": I8,
        "bitor": I8,
        "bitxor": I8,
        "lshift": I8,
        "rshift": I8,
        "invert": I8,
        "gcd": I8,
        "lcm": I8,
        "and": B1,
        "or": B1,
    }
    primitive = PRIMITIVES[name]
    kind = kinds.get(name, F8)
    params = tuple(Var(v, kind) for v in ("x", "y", "z")[: primitive.arity])
    if name == "select":
        params = (Var("c", B1), *params[1:])
    if name in WITH_ORDER:
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
    assert (
        text(fibonacci())
        == """\
def f(n: i8):
    for i in range(0, n, 1) carrying s: f8 = 0.0 -> s_1, u: f8 = 1.0 -> u_1:
        t: f8 = add(s, u)
        yield u, t
    return s_1
"""
    )


@given(
    st.recursive(
        st.sampled_from(["x", "y", "1.5", "2", "(-1.0)", "math.inf", "a[0]"]),
        lambda inner: st.one_of(
            st.builds(
                "({} {} {})".format,
                inner,
                st.sampled_from(
                    ["+", "-", "*", "/", "//", "%", "**", "<", "==", "and", "or", "&", "<<"]
                ),
                inner,
            ),
            st.builds("(-{})".format, inner),
            st.builds("(not {})".format, inner),
            st.builds("({} if {} else {})".format, inner, inner, inner),
            st.builds("f({}, {})".format, inner, inner),
            st.builds("a[{}, {}:]".format, inner, inner),
            st.builds("{}.T".format, inner.filter(lambda s: not s[0].isdigit())),
        ),
        max_leaves=8,
    )
)
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
    with pytest.raises(DebugNaN, match=r"(?s)user\.py\", line 7.*t_1: f8 = log"):
        run(fn, (1.0,), debug=True)
    assert math.isnan(run(fn, (math.nan,), debug=True)[0])


def test_debug_finds_unwritten_storage():
    b = Maker(N, loc=Loc("user.py", 9))
    a = b.alloc(VEC, (const(3),), zero=False)
    b.store(a, (ZERO,), const(1.0))
    fn = b.done(b.load(a, N))
    assert run(fn, (0,), debug=True) == (1.0,)
    with pytest.raises(DebugNaN, match=r"(?s)before it was written.*user\.py\", line 9"):
        run(fn, (1,), debug=True)
    with pytest.raises(IndexError) as caught:
        run(fn, (5,), debug=True)
    assert caught.value.loc.line == 9
