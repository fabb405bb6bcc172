"""Fused and reordered sums: where cotangents are computed, and nowhere else."""

from __future__ import annotations

import ast
import math
import re

import numba
import numpy as np
import pytest

import srcad
from srcad.backends.lowering import RelaxedLowering
from srcad.backends.pipeline import RelaxedPipeline
from srcad.backends.printer import Module, emit
from srcad.backends.relaxing import BEYOND, arithmetic, flagged
from srcad.compiler import finished
from srcad.errors import TypeMismatch

FLAGGED = re.compile(r"= f(?:(?:add|sub) reassoc|mul) contract (?:double|<)")
STRICT = re.compile(r"= f(?:add|sub|mul) (?:double|<)")
RNG = np.random.default_rng(7)


def module(g, *args) -> Module:
    """What is generated for a call."""
    return emit(finished(g.program(g.specs(g.bind(args, {})))))


def marks(g, *args) -> dict[str, str]:
    """By line of the generated code, what its operations are: ``R`` relaxed, ``.`` not."""
    made = module(g, *args)
    lines = [x.strip() for x in made.source.splitlines()]
    found: dict[str, str] = {}
    for k, node in arithmetic(ast.parse(made.source)):
        line = lines[node.lineno - 1]
        found[line] = found.get(line, "") + ("R" if k in made.relaxed else ".")
    return found


def llvm(g, *args) -> str:
    """The LLVM IR of the compiled function."""
    g(*args)
    compiled = g.specialise(g.bind(args, {})).run.compiled
    return str(compiled.inspect_llvm(compiled.signatures[0]))


def instructions(g, *args) -> tuple[int, int]:
    """How many float sums and products have flags, and how many have none."""
    text = llvm(g, *args)
    return len(FLAGGED.findall(text)), len(STRICT.findall(text))


def mixed(x, y):
    """Products and sums: the value would change with contraction."""
    s = 0.0
    for i in range(x.shape[0]):
        s += x[i] * y[i] + x[i] * x[i] * 0.1
    return s


def decided(x, y):
    """A decision on a difference that is exactly zero for equal products."""
    s = 0.0
    for i in range(x.shape[0]):
        d = x[i] * y[i] - y[i] * x[i]
        if d == 0.0:
            s += x[i] * x[i] * y[i]
        else:
            s -= 1e6 * x[i]
    return s


def compensated(x):
    """Kahan's sum (1965), then something that is not linear in it."""
    s, c = 0.0, 0.0
    for i in range(x.shape[0]):
        y = x[i] - c
        t = s + y
        c = (t - s) - y
        s = t
    return math.exp(-s * s) + c


def two_sum(a, b):
    """The error of a sum (Knuth), squared: naively zero, and so would its derivative be."""
    s = a + b
    z = s - a
    e = (a - (s - z)) + (b - z)
    return e * e * 1e30


def rounded(x):
    """The derivative of something, rounded."""
    g = srcad.grad(mixed)(x, x)
    return math.floor(g[0]) * x[0] + g[1] * x[1]


X, Y = RNG.uniform(-1, 1, 33), RNG.uniform(-1, 1, 33)


def test_marks():
    """The adjoint's operations, not the primal's, not those on integers."""
    found = marks(srcad.value_and_grad(mixed, argnums=(0, 1)), X, Y)
    primal = [v for k, v in found.items() if k.startswith("s += ")]
    adjoint = [v for k, v in found.items() if "_b" in k]
    assert primal and not any("R" in v for v in primal)
    assert adjoint and not any("." in v for v in adjoint)


def test_one_line_may_have_both():
    """Flags are of operations: ``x - y`` is the user's, the product with a cotangent is not."""

    def f(x, y):
        return y - y * x * (x - y)

    found = marks(srcad.grad(f, argnums=(0, 1)), 1.5, 0.5)
    assert found["t_b = -1.0 * (x - y)"] == "R."  # the outer operation comes first


@pytest.mark.parametrize("f", [mixed, decided])
def test_flags_in_llvm(f):
    """Some instructions have flags, some have none; without the option none has."""
    some, others = instructions(srcad.value_and_grad(f, cache=False), X, Y)
    assert some and others
    assert instructions(srcad.value_and_grad(f, fastmath=False, cache=False), X, Y)[0] == 0
    assert instructions(srcad.differentiable(f, cache=False), X, Y)[0] == 0
    text = llvm(srcad.differentiable(f, fastmath=True, cache=False), X, Y)
    assert "fmul reassoc contract" in text
    assert (not STRICT.search(text)) == (f is mixed)


def bound(f, *args) -> np.ndarray:
    """What the gradient may differ by: some roundings of the sum of its absolute terms."""
    g = srcad.grad(f, argnums=tuple(range(len(args))), backend="reference")(*args)
    sizes = [np.max(np.abs(v)) for v in g]
    return 16 * np.finfo(float).eps * max(1.0, *sizes)


@pytest.mark.parametrize("f", [mixed, decided])
def test_value_keeps_its_last_bit(f):
    """The value is that of the plain function; the gradient differs by roundings."""
    value, grads = srcad.value_and_grad(f, argnums=(0, 1))(X, Y)
    assert value == numba.njit(f)(X, Y) == f(X, Y)
    plain = srcad.grad(f, argnums=(0, 1), fastmath=False)(X, Y)
    want = srcad.grad(f, argnums=(0, 1), backend="reference")(X, Y)
    for g, s, w in zip(grads, plain, want, strict=True):
        np.testing.assert_array_equal(s, w)
        np.testing.assert_allclose(g, w, rtol=0, atol=bound(f, X, Y))


def test_compensated_sums():
    """What a user has compensated stays compensated, also where only its derivative is wanted."""
    x = np.array([1.0, 1e100, 1.0, -1e100] * 8 + [0.5])
    assert not any("R" in v for k, v in marks(srcad.grad(compensated), x).items() if "_b" not in k)
    x = RNG.uniform(-1, 1, 200) * 10.0 ** RNG.integers(-3, 3, 200)
    x /= np.abs(x).sum()
    s = math.fsum(x)
    np.testing.assert_allclose(
        srcad.grad(compensated)(x), -2 * s * math.exp(-s * s), rtol=1e-13, atol=1e-16
    )
    a, b = 1.0, 1e-17 * math.pi
    for options in ({"fastmath": False}, {}):
        d = srcad.grad(two_sum, argnums=(0, 1), **options)(a, b)
        # adjoint of e: a_b = b_b = 2e30 e (1 - 1 …), whose terms cancel exactly
        assert d == srcad.grad(two_sum, argnums=(0, 1), backend="reference")(a, b)


def test_nested_derivatives_that_decide():
    """A derivative that is rounded, or part of a value, is computed as it is written."""
    x = np.array([1.3, 0.7])
    g = srcad.value_and_grad(rounded)
    assert g(x)[0] == srcad.differentiable(rounded, backend="reference")(x)
    assert marks(srcad.differentiable(rounded), x)
    assert not any("R" in v for v in marks(srcad.differentiable(rounded), x).values())


def test_results_of_other_transforms():
    """Tangents, Hessians times vectors, pullbacks, in-place adjoints, batches, out=."""
    x, y = X[:5].copy(), Y[:5].copy()
    cases = [
        (srcad.value_and_grad(mixed), (x, y)),
        (srcad.batch(srcad.grad(mixed)), (np.stack([x, y]), np.stack([y, x]))),
    ]
    for g, args in cases:
        assert any("R" in v for v in marks(g, *args).values())
    out = np.empty(5)
    np.testing.assert_array_equal(srcad.grad(mixed)(x, y, out=out), srcad.grad(mixed)(x, y))
    value, tangent = srcad.jvp(mixed, (x, y), (y, x))
    pulled = srcad.vjp(mixed, x, y)[1](1.0)
    assert value == mixed(x, y)
    assert abs(pulled[0] @ y + pulled[1] @ x - tangent) < 1e-14


def power(x, n):
    """Recursion: a call that stays one."""
    if n == 0:
        return x * x
    return power(x * 0.5 + x * x, n - 1) * x


def rising(x):
    """A branch on a derivative."""
    return x * x if srcad.grad(power)(x, 3) > 1.0 else x


def test_called_functions():
    """Flags reach functions that are called, unless what they give decides something."""
    assert any("R" in v for v in marks(srcad.grad(power), 0.7, 3).values())
    assert not any("R" in v for v in marks(srcad.differentiable(rising), 0.7).values())
    found = marks(srcad.jacobian(srcad.grad(mixed)), X, Y)
    assert any(v.count("R") > 3 for v in found.values())


def test_user_arrays_in_place():
    """What a function writes into its argument has the user's last bit."""

    def step(u, c):
        for i in range(1, u.shape[0]):
            u[i] = u[i] * c + u[i - 1] * u[i - 1]
        return u[-1] * u[-1]

    u, want = X.copy(), X.copy()
    u_b, c_b = np.zeros(33), np.zeros(1)
    value = srcad.adjoint(step)(u, u_b, 0.3, c_b, np.ones(1))
    assert value == step(want, 0.3)
    np.testing.assert_array_equal(u, want)


SPECIAL = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e308, 5e-324]


def test_special_values():
    """Infinities, NaN, overflows and signed zeros are those of strict code."""

    def f(x, y):
        return x * y + math.sqrt(abs(x)) * y

    loose, strict = (srcad.grad(f, argnums=(0, 1), fastmath=m) for m in ("adjoint", False))
    for x in SPECIAL:
        for y in SPECIAL:
            a, b = loose(x, y), strict(x, y)
            np.testing.assert_allclose(a, b, rtol=4 * np.finfo(float).eps, atol=1e-323)
            assert list(map(math.copysign, (1, 1), a)) == list(map(math.copysign, (1, 1), b)) or (
                any(map(math.isnan, b))
            )


def test_nothing_to_do():
    """Zero trips, negative steps, exceptions in the middle."""

    def f(x):
        s = 0.0
        for i in range(x.shape[0] - 1, -1, -1):
            if x[i] > 5.0:
                raise ValueError("too large")
            s += x[i] * x[i]
        return s

    g = srcad.grad(f)
    assert g(np.zeros(0)).shape == (0,)
    np.testing.assert_array_equal(g(np.array([1.0, 2.0])), [2.0, 4.0])
    with pytest.raises(ValueError, match="too large"):
        g(np.array([1.0, 6.0]))


def through_calls(x, n):
    """Calls itself: what goes in by one argument comes out of the other."""
    if n == 0:
        return x * x
    return through_calls(x * 0.5, n - 1) * x


def test_calls():
    """What a function is given reaches its results as it says, not everything everything."""
    g = srcad.value_and_grad(through_calls)
    found = marks(g, 0.7, 3)
    assert any("R" in v for v in found.values())
    value, slope = g(0.7, 3)
    assert value == through_calls(0.7, 3)
    step = through_calls(0.7 + 1e-20j, 3).imag / 1e-20
    assert slope == pytest.approx(step, rel=1e-14)


def test_called_from_njit_code():
    """The flags are there too, and so is the result."""
    g = srcad.grad(mixed)

    @numba.njit
    def outer(x, y):
        return g(x, y)[3] * 2.0

    assert abs(outer(X, Y) - 2.0 * g(X, Y)[3]) < 1e-15
    assert FLAGGED.search(outer.inspect_llvm(outer.signatures[0]))


def test_options():
    """True is "all"; other names are refused."""
    assert srcad.Options().merged({"fastmath": True}).fastmath == "all"
    assert srcad.Options().fastmath == "adjoint"
    with pytest.raises(TypeMismatch, match="fastmath='wild'"):
        srcad.grad(mixed, fastmath="wild")(X, Y)


def test_exported_module_is_strict(tmp_path):
    """The text alone has no flags."""
    path = tmp_path / "made.py"
    srcad.export(srcad.grad(mixed), path, X, Y)
    assert "fastmath" not in path.read_text()


def test_lines():
    """Only the operations that were asked for move; the text compiles to the same operations."""
    source = "def f(a, x):\n    a[0] += x * x + 1.0\n    x -= 2.0 * (a[0] - x)\n    return x\n"
    code = flagged(source, "<t>", {0, 2})
    plain = compile(source, "<t>", "exec")
    inner, same = code.co_consts[0], plain.co_consts[0]
    assert inner.co_code == same.co_code
    beyond = {line - BEYOND for _, _, line in inner.co_lines() if line and line > BEYOND}
    assert beyond and beyond <= {2, 3}


def test_passes_of_numba():
    """Numba has a lowering where ours goes, and it is there once."""
    f = numba.njit(lambda x: x)
    f._compiler.pipeline_class = RelaxedPipeline
    assert f(2.0) == 2.0
    (passes,) = f.get_metadata(f.signatures[0])["pipeline_times"].values()
    assert [RelaxedLowering._name in name for name in passes].count(True) == 1


def test_cache(tmp_path, monkeypatch):
    """From the cache the same bits; code with flags does not meet code without."""
    monkeypatch.setenv("SRCAD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("SRCAD_CACHE", raising=False)
    modes = ("adjoint", False, "adjoint", False)  # each compiled, then found
    made = [srcad.value_and_grad(mixed, argnums=(0, 1), fastmath=m) for m in modes]
    found = [g(X, Y) for g in made]
    for (v, d), (w, e) in zip(found[:2], found[2:], strict=True):
        assert v == w
        np.testing.assert_array_equal(d, e)
    runs = [g.specialise(g.bind((X, Y), {})).run.compiled for g in made]
    assert [sum(r.stats.cache_hits.values()) for r in runs] == [0, 0, 1, 1]
    assert len({r.py_func.__qualname__ for r in runs}) == 2
