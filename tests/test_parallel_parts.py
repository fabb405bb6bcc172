"""A part of a loop for several threads gets what an ordinary loop gets: facts, lanes, checks.

Passes are run by themselves, three lanes at once; the reference backend runs the three chunks in
the wrong order.
"""

from __future__ import annotations

import linecache

import numba
import numpy as np
import pytest

import srcad
from srcad.analyses.aliases import OUTSIDE, Aliases
from srcad.backends.reference import run
from srcad.ir.nodes import Alloc, Block, Check, Dim, For, Function, Op, Var
from srcad.ir.text import text
from srcad.ir.types import ArrayT
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.storage.jam import jammed
from srcad.storage.loops import merged
from srcad.storage.parallel import parallelised, stopped
from srcad.storage.parallel.alike import signature
from tests import jam_programs
from tests.test_relaxed import bound, marks

Z = np.random.default_rng(0).uniform(0.5, 1.5, (8, 5))


def program(f, *args, gradient=True) -> Function:
    """The program before its loops are put on threads."""
    wrt = tuple(k for k, a in enumerate(args) if np.asarray(a).dtype.kind == "f")
    g = srcad.value_and_grad(f, argnums=wrt) if gradient else srcad.differentiable(f)
    return g.program(g.specs(g.bind(args, {}))).fn


def on_threads(fn: Function, always: bool = True) -> Function:
    """The program on threads, its parts in lanes and merged."""
    out, regions = parallelised(fn, None)
    assert any(r.function for r in regions)
    for one in (lambda f: jammed(f, lanes=3, always=always), merged, stopped):
        out = one(out)
        verify(out)
    return out


def part(fn: Function) -> Function:
    """The last function that runs a part of a loop."""
    return [f for name, f in fn.callees.items() if "_chunk" in name][-1]


def outcome(fn, args):
    """Results, and what is in the arguments afterwards; or the error."""
    args = tuple(a.copy() if isinstance(a, np.ndarray) else a for a in args)
    try:
        return [*run(fn, args), *args]
    except Exception as error:
        return [type(error).__name__, *map(str, error.args)]


def compare(fn, made, args):
    """The same numbers up to the order of sums, the same error."""
    expected, found = outcome(fn, args), outcome(made, args)
    assert len(expected) == len(found)
    for a, b in zip(found, expected, strict=True):
        if isinstance(b, str):
            assert a == b
        else:
            np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12, equal_nan=True)


def recurrence(z, w):
    """Rows of scratch, a division, copies of ``w_b``, sizes that hang together."""
    m, n = z.shape
    total = 0.0
    for i in numba.prange(n):
        row = np.empty(m)
        s = 0.3
        for j in range(m):
            s = s * z[j, i] + w[j] / z[m - 1 - j, i]
            row[j] = s
        for j in range(m - 1):
            total += row[j] * row[j + 1]
    return total


def arguments(n=8):
    return Z.T[:, :n].copy(), np.linspace(0.2, 1.0, 5)


def powers(x, n):
    """Residuals of a polynomial: all that each point needs is its own recurrence."""
    total = 0.0
    for i in numba.prange(n):
        t = -1.0 + i * 2.0 / n
        r = power = 1.0
        for j in range(x.shape[0]):
            r -= x[j] * power
            power *= t
        total += r * r
    return 0.5 * total


def test_parts_run_in_lanes():
    """Where it is worth it; fewer iterations than threads and lanes, none at all too."""
    x = np.linspace(-0.5, 0.7, 6)
    fn = program(powers, x, 7)
    assert "_lanes" in text(part(on_threads(fn, always=False)))
    for n in range(9):
        compare(fn, on_threads(fn), (x, n))
    fn = program(recurrence, *arguments())
    made = on_threads(fn)
    for n in range(9):
        compare(fn, made, arguments(n))


def nest(seed):
    """A random nest of loops, the outer one for threads."""
    lines = jam_programs.source(seed).replace("for i in range(n):", "for i in prange(n):")
    lines = lines.replace("    top = t", "    tot += t")
    name = f"<parallel nest {seed}>"
    linecache.cache[name] = (len(lines), None, lines.splitlines(True), name)
    space = {"np": np, "prange": numba.prange, "__name__": "nests"}
    exec(compile(lines, name, "exec"), space)
    return space["f"]


@pytest.mark.parametrize("block", range(2))
def test_random_nests(block):
    """Those that can be put on threads, with whatever else lanes must notice."""
    lanes = 0
    for seed in range(10 * block, 10 * block + 10):
        args = jam_programs.arguments(seed, 7)
        fn = program(nest(seed), *args)
        out, regions = parallelised(fn, None)
        if not any(r.function for r in regions):
            continue
        lanes += text(part(jammed(out, lanes=3, always=True))) != text(part(out))
        made = on_threads(fn)
        for n in (7, 2, 0):
            compare(fn, made, (*args[:3], n))
    assert lanes >= 2


def failing(z, rate):
    total = 0.0
    for i in numba.prange(z.shape[0]):
        s = 1.0
        for j in range(z.shape[1]):
            s = rate * s + 1.0 / z[i, j]
        total += s
    return total


def test_checks_in_lanes():
    """The error arrives, whichever iteration it is in; no check is left in a part."""
    fn = program(failing, Z, 0.3)
    made = on_threads(fn)
    chunk = part(made)
    assert "_lanes" in text(chunk)
    assert not any(isinstance(s, Check) and s.exception for s in statements(chunk.body))
    for gap in (None, (0, 0), (7, 4), (3, 2)):
        again = Z.copy()
        if gap:
            again[gap] = 0.0
        compare(fn, made, (again, 0.3))


def writing(z, out):
    """An argument shows which iterations have run."""
    for i in numba.prange(z.shape[0]):
        s = 0.0
        for j in range(z.shape[1]):
            s = 0.9 * s + 1.0 / z[i, j]
        out[i] = s


def test_what_the_caller_sees_is_written_in_order():
    """As in an ordinary loop: no lanes where an error may come between what one can see."""
    fn = program(writing, Z, np.zeros(8), gradient=False)
    out, _ = parallelised(fn, None)
    assert "_lanes" not in text(part(jammed(out, always=True)))


def test_classes_of_storage():
    """The caller's arrays may be one another; what the function makes is none of them."""
    chunk = part(parallelised(program(recurrence, *arguments()), None)[0])
    aliases = Aliases(chunk)
    classes = {p.hint or p.name: aliases.root(p) for p in chunk.params if hasattr(p.type, "ndim")}
    assert classes["z"] == classes["w"] == OUTSIDE
    made = [v for k, v in classes.items() if k in ("w_b", "z_b", "partial")]
    assert len(made) == len(set(made)) == 3 and OUTSIDE not in made


def two_names(x, same):
    """``b`` is ``a`` or not: one class."""
    a = x.copy()
    b = a if same else x.copy()
    for i in numba.prange(1, len(a)):
        s = 0.0
        for j in range(3):
            s = 0.5 * s + b[i - 1] * j
        a[i] += s
    return np.sum(a * a)


@pytest.mark.parametrize("same", [True, False])
def test_one_array_by_two_names(same):
    """Lanes must not read before another one of them has written."""
    fn = program(two_names, np.ones(9), same)
    compare(fn, on_threads(fn), (np.linspace(0.5, 1.5, 9), same))


def test_sizes_are_made_again():
    """A part sees that its ranges hang together; what it makes again it is not given."""
    chunk = part(parallelised(program(recurrence, *arguments()), None)[0])
    made = {s.target.name: s for s in chunk.body.stmts if isinstance(s, (Op, Dim))}
    assert any(isinstance(s, Dim) for s in made.values())
    assert not made.keys() & {p.name for p in chunk.params}
    ends = {s.stop.name for s in statements(chunk.body) if isinstance(s, For) and s.step.value == 1}
    assert ends & made.keys()


# flags
PAIR = tuple(np.random.default_rng(7).uniform(-1, 1, (2, 33)))


def mixed_on_threads(x, y):
    """``mixed`` as it is written for threads, then something that is not linear."""
    s = 0.0
    for i in numba.prange(x.shape[0]):
        s += x[i] * y[i] + x[i] * x[i] * y[i]
    return s * s


@pytest.mark.parametrize("parallel", [None, False])
def test_threads(parallel):
    """The adjoint's operations, not the primal's, in the parts of a loop too."""
    found = marks(srcad.value_and_grad(mixed_on_threads, argnums=(0, 1), parallel=parallel), *PAIR)
    primal = [v for k, v in found.items() if k.startswith("s += ")]
    adjoint = [v for k, v in found.items() if "_b" in k and "+=" in k and "[c]" not in k]
    assert primal and not any("R" in v for v in primal)
    assert adjoint and all("R" in v for v in adjoint)
    strict = marks(srcad.grad(mixed_on_threads, parallel=parallel, fastmath=False), *PAIR)
    assert strict and not any("R" in v for v in strict.values())


def test_one_thread():
    """It gives the value of an ordinary loop, to the last bit; several give the same bits again."""
    f = srcad.value_and_grad(mixed_on_threads, argnums=(0, 1))
    value, first = f(*PAIR)
    assert f(*PAIR)[0] == value and np.array_equal(f(*PAIR)[1], first)
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        value, grads = f(*PAIR)
    finally:
        numba.set_num_threads(threads)
    assert value == mixed_on_threads(*PAIR)
    want = srcad.grad(mixed_on_threads, argnums=(0, 1), backend="reference")(*PAIR)
    for g, w in zip(grads, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=0, atol=bound(mixed_on_threads, *PAIR))


def stepping(u, target, steps):
    """Two arrays in turn, both recorded: what a step does is there twice."""
    now, new = u.copy(), u.copy()
    for _ in range(steps):
        for i in numba.prange(1, len(u) - 1):
            new[i] = now[i] + 0.1 * np.sin(now[i - 1]) * now[i + 1]
        now, new = new, now
    return np.sum((now - target) ** 2)


def test_equal_parts_are_made_once():
    """Functions of half-steps, of copies: whichever of the two arrays they are given."""
    x = np.linspace(0.1, 0.9, 12)
    fn = program(stepping, x, x, 4)
    made = on_threads(fn)
    for steps in range(4):
        compare(fn, made, (x, x[::-1].copy(), steps))
    _, regions = parallelised(fn, None)
    parts = [r.part for r in regions if r.part]
    assert len(set(parts)) < len(parts) == len([r.function for r in regions if r.function])
    assert {name for name in made.callees if "_chunk" in name} == set(parts)


def test_unequal_parts_are_not_made_once():
    """Another constant, another order of subtraction, another place in the source."""

    def pair(x, y):
        for i in numba.prange(len(x)):
            y[i] = x[i] - 1.0
        for i in numba.prange(len(x)):
            y[i] = y[i] * x[i] - 2.0

    _, regions = parallelised(program(pair, Z[0], Z[1], gradient=False), None)
    assert len({r.part for r in regions}) == 2
    here = signature(Function("f", (), Block(())))
    for other in ({"least": {"n": 0}}, {"apart": {"n": "n"}}, {"decides": frozenset("n")}):
        n = Var("n", ArrayT("f8", 1))
        assert signature(Function("f", (n,), Block(()), **other)) != signature(
            Function("f", (n,), Block(()))
        )
        assert signature(Function("f", (n,), Block(()))) != here


def test_copies_go_on_threads_with_the_rest():
    """Only where the user has marked a loop, and not those of adjoint code."""

    def unmarked(u):
        now = u.copy()
        for i in range(len(u)):
            now[i] = np.sin(now[i])
        return np.sum(now)

    x = np.linspace(0.1, 0.9, 12)
    _, regions = parallelised(program(stepping, x, x, 4), None)
    copied = [r for r in regions if r.loc.line == stepping.__code__.co_firstlineno + 2]
    assert copied and all(r.loc.role == "primal" and not r.reason for r in copied)
    assert not parallelised(program(unmarked, x), None)[1]


def weighed(x, w):
    total = 0.0
    for i in numba.prange(len(w)):
        total += w[i] * w[i] * np.sin(x[0] * w[i])
    return total


def test_the_first_write_of_a_part():
    """An adjoint of which each iteration writes its own element is not cleared beforehand."""
    fn = program(weighed, Z[0], Z[1])
    made = on_threads(fn)
    zeros = [s.target.hint for s in statements(made.body) if isinstance(s, Alloc) and s.zero]
    assert "x_b" in zeros and "w_b" not in zeros
    compare(fn, made, (Z[0], Z[1]))
