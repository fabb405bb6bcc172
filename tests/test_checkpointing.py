"""Checkpointed loops and calls: derivatives, work, memory, effects, refusals.

Derivatives are compared with the oracle's (``tests.oracle``) of the same program without the mark,
the work with the minimum over all schedules, found by dynamic programming.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import numba
import numpy as np
import pytest

import srcad
from srcad.transforms.checkpoints.schedule import advances, split
from tests import checkpoint_programs, oracle
from tests.marking import load_marked, marked
from tests.random_programs import RandomChooser, generate, load, unload
from tests.randprog import adapter, checking
from tests.randprog.program import new_name

REFERENCE = {"backend": "reference", "verify": True}
TEXT = Path(checkpoint_programs.__file__).read_text()
MARKED = [load_marked(f"marked_{seed}", TEXT, seed) for seed in range(2)]
NAMES = [fn.__name__ for fn, _, _ in checkpoint_programs.PROGRAMS]


def flat(x):
    """All numbers of a result."""
    return checking.flat(x)


def close(found, expected, tol=1e-11):
    """Equal relative to the largest number."""
    a, b = flat(found), flat(expected)
    np.testing.assert_allclose(a, b, rtol=tol, atol=tol * max(1.0, np.max(np.abs(b), initial=0)))


# derivatives
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("k", range(len(NAMES)), ids=NAMES)
def test_gradient_is_the_oracles(k, seed):
    """Of the program without the mark; every loop has its own small number of states."""
    fn, args, wrt = checkpoint_programs.PROGRAMS[k]
    f, _, _ = MARKED[seed].PROGRAMS[k]
    given = args()
    found = srcad.value_and_grad(f, argnums=wrt, poison=bool(seed), **REFERENCE)(*given)
    value, exit_state = oracle.run(fn, args())
    close(found[0], value)
    close(found[1], oracle.gradient(fn, args(), wrt))
    close(given, exit_state)


HIGHER = ["scalars", "rebound", "ping_pong", "history", "while_arrays", "nested", "left_early"]


@pytest.mark.parametrize("name", HIGHER)
def test_higher_orders(name):
    """Forward over reverse, reverse over reverse, reverse over forward: the oracle's Hessian."""
    k = NAMES.index(name)
    fn, args, wrt = checkpoint_programs.PROGRAMS[k]
    f, _, _ = MARKED[0].PROGRAMS[k]
    expected = oracle.hessian(fn, args(), wrt)
    close(srcad.hessian(f, **REFERENCE)(*args()), expected, 1e-10)
    close(srcad.jacrev(srcad.grad(f, **REFERENCE))(*args()), expected, 1e-10)
    close(srcad.jacrev(srcad.jacfwd(f, **REFERENCE))(*args()), expected, 1e-10)
    tangents = [1.0 if isinstance(a, float) else np.ones_like(a) for a in args()[:1]]
    tangents += [None] * (len(args()) - 1)
    close(srcad.jvp(f, args(), tuple(tangents), **REFERENCE)[1], flat(expected_jvp(fn, args())))


def expected_jvp(fn, args):
    """The derivative along ones."""
    return np.sum(flat(oracle.gradient(fn, args, (0,))))


@pytest.mark.parametrize("seed", [2, 11, 20, 24, 33, 40, 52, 60, 61, 80])
def test_random_programs_with_all_loops_marked(seed):
    """Gradient against the oracle's of the program as it was generated."""
    program = generate(RandomChooser(seed))
    source, count = marked(program.source, seed)
    twin = replace(program, source=source, name=new_name())
    f, g = load(program), load(twin)
    try:
        expected = adapter.oracle_pullback(program, f, program.args(seed), 1.0)
        subject = adapter.Subject(twin, g, {**REFERENCE, "poison": bool(seed % 2)})
        close(subject.pullback(program.args(seed), 1.0)[1], expected, 1e-9)
        assert count
    finally:
        unload(program)
        unload(twin)


# work and memory
@cache
def least(steps: int, states: int) -> int:
    """Plain steps that reversing takes at least (Griewank and Walther 2000, section 2)."""
    if steps <= 1:
        return 0
    if states == 1:
        return steps * (steps - 1) // 2
    return min(m + least(steps - m, states - 1) + least(m, states) for m in range(1, steps))


def test_schedule_is_optimal():
    """The closed form, and the choice of the next state, attain the minimum."""
    for steps in range(1, 60):
        for states in range(1, 8):
            assert advances(steps, states) == least(steps, states)
            if steps > 1 and states > 1:
                m = split(steps, states)
                work = m + least(steps - m, states - 1) + least(m, states)
                assert work == least(steps, states)


def counted(x, n, states):
    s = 0.0
    for _ in srcad.checkpointed(range(n), snapshots=states):
        x = np.sin(x)
        s += x * x
    return s


def counted_while(x, n, states):
    t = 0
    while srcad.checkpointed(t < n, snapshots=states):
        x = np.sin(x)
        t += 1
    return x


def calls_of(g, *args):
    """How often each function of the generated text is called, and the results of each."""
    text = re.sub(r"@numba.njit.*", "@counting", srcad.source(g, *args))
    calls: Counter[str] = Counter()
    results: dict[str, list] = {}

    def counting(f):
        def call(*args):
            calls[f.__name__] += 1
            out = f(*args)
            results.setdefault(f.__name__, []).append(out)
            return out

        return call

    space = {"counting": counting}
    exec(text, space)
    name = re.findall(r"^def (\w+)\(", text, re.MULTILINE)[-1]
    space[name](*args)
    return calls, results


@pytest.mark.parametrize(("n", "states"), [(1, 1), (2, 3), (10, 1), (10, 3), (37, 4), (64, 64)])
def test_number_of_steps_is_revolves(n, states):
    """Plain steps in both sweeps: the minimum, and the last step for its value."""
    calls, results = calls_of(srcad.grad(counted), 0.7, n, states)
    assert calls["counted_step"] == least(n, states) + 1
    assert calls["counted_step_b"] == n
    (left,) = results["counted_loop"]
    assert all(len(x) <= states for x in left if isinstance(x, np.ndarray))
    calls, _ = calls_of(srcad.grad(counted_while), 0.7, n, states)
    assert calls["counted_while_step"] == n + least(n, states)  # found the number of steps first
    assert calls["counted_while_step_b"] == n


@pytest.mark.parametrize(("n", "states"), [(0, 2), (1, 1), (37, 4), (10, 50)])
def test_explain_predicts(n, states):
    """Repeated steps and states as they are in the run."""
    (loop,) = srcad.explain(counted, 0.7, n, states).loops
    calls, _ = calls_of(srcad.grad(counted), 0.7, n, states)
    assert (loop.steps, loop.state_bytes) == (n, 16)
    assert loop.recomputed == max(calls["counted_step"] - n, 0)
    assert loop.states <= states
    assert loop.bytes == ((loop.states + 1) * 16 if n else 0)
    (loop,) = srcad.explain(counted_while, 0.7, n, states).loops
    calls, _ = calls_of(srcad.grad(counted_while), 0.7, n, states)
    assert loop.recomputed == calls["counted_while_step"] - n
    assert f"{n:,} steps" in str(srcad.explain(counted_while, 0.7, n, states))


def outer(u, n):
    for _ in range(3):
        for _ in srcad.checkpointed(range(n), snapshots=2):
            u = np.sin(u) * u
    return np.sum(u)


def outer_marked(u, n):
    for _ in srcad.checkpointed(range(3), snapshots=3):
        for _ in srcad.checkpointed(range(n), snapshots=2):
            u = np.sin(u) * u
    return np.sum(u)


def test_explain_counts_what_is_alive_at_one_time():
    """States of a loop inside a plain one are all kept until the reverse sweep, those of one
    inside a checkpointed one only while one of its steps is reversed."""
    (loop,) = srcad.explain(outer, np.ones(5), 8).loops
    assert (loop.steps, loop.states, loop.state_bytes) == (24, 2, 40)
    assert loop.bytes == 3 * 3 * 40
    _, loop = srcad.explain(outer_marked, np.ones(5), 8).loops
    assert (loop.states, loop.state_bytes, loop.bytes) == (2, 40, 3 * 40)


def automatic(u, n, memory):
    for _ in srcad.checkpointed(range(n), snapshots="auto", memory=memory):
        u = np.sin(u) * u
    return np.sum(u)


@pytest.mark.parametrize(("memory", "states"), [(1, 1), (120, 2), (239, 4), (10**9, 19)])
def test_as_many_states_as_fit(memory, states):
    """With the one in hand; but never more than there are steps to come back to."""
    u = np.linspace(0.1, 0.9, 5)
    (loop,) = srcad.explain(automatic, u, 20, memory).loops
    assert loop.states == states
    assert loop.bytes <= max(memory, 2 * loop.state_bytes)
    close(srcad.grad(automatic, **REFERENCE)(u, 20, memory), oracle_of_automatic(u))


def oracle_of_automatic(u):
    """The product of the factors, by hand."""
    d, v = np.ones_like(u), u
    for _ in range(20):
        d, v = d * (np.cos(v) * v + np.sin(v)), np.sin(v) * v
    return d


# effects
def noisy(x, n):
    s = 0.0
    for t in srcad.checkpointed(range(n), snapshots=2):
        z = np.random.standard_normal()
        print("step", t)
        x = x + 0.1 * np.sin(x) * z * np.random.randint(1, 4)
        s += x * x
    while srcad.checkpointed(s > 0.1, snapshots=1):
        s *= np.random.random()
    return s + x * np.random.random()


def plainly_noisy(x, n):
    s = 0.0
    for _t in range(n):
        z = np.random.standard_normal()
        x = x + 0.1 * np.sin(x) * z * np.random.randint(1, 4)
        s += x * x
    while s > 0.1:
        s *= np.random.random()
    return s + x * np.random.random()


TRANSFORMS = {
    "grad": lambda f: srcad.grad(f, **REFERENCE)(0.3, 7),
    "hessian": lambda f: srcad.hessian(f, **REFERENCE)(0.3, 7),
    "jacfwd": lambda f: srcad.jacfwd(f, **REFERENCE)(0.3, 7),
    "vjp": lambda f: srcad.vjp(f, 0.3, 7, **REFERENCE)[1](1.0)[0],
}


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_effects_happen_once(transform, capsys):
    """Numbers are drawn once and replayed, prints appear once, the generator is left as it is."""
    np.random.seed(3)
    expected = TRANSFORMS[transform](plainly_noisy), np.random.random()
    np.random.seed(3)
    found = TRANSFORMS[transform](noisy), np.random.random()
    close(found, expected)
    assert capsys.readouterr().out.splitlines() == [f"step {t}" for t in range(7)]


def checked(x, n):
    for t in srcad.checkpointed(range(n), snapshots=2):
        if x > 5.0:
            raise ValueError(f"too large at step {t}")
        x = x * 1.5
    return x


def test_exceptions_of_a_step():
    """Raised in the forward sweep, as the program says."""
    assert srcad.grad(checked, **REFERENCE)(1.0, 4) == pytest.approx(1.5**4)
    with pytest.raises(ValueError, match="too large at step 4"):
        srcad.grad(checked, **REFERENCE)(1.0, 9)


def growing(u, n):
    for _ in srcad.checkpointed(range(n), snapshots=2):
        u = np.concatenate((u, u[:1] * u[1]))
    return np.sum(u)


def test_a_state_has_one_size():
    """Which shows when the program runs."""
    with pytest.raises(ValueError, match="u changes its size along axis 0 in a loop that"):
        srcad.grad(growing, **REFERENCE)(np.ones(3), 3)


# plain Python, and code that is not differentiated
def test_the_mark_means_nothing_to_the_values():
    """In plain Python, under njit, and in compiled code without a derivative."""
    assert list(srcad.checkpointed(range(2, 9, 3), snapshots=1)) == [2, 5, 8]
    assert counted(0.7, 5, 2) == srcad.differentiable(counted, **REFERENCE)(0.7, 5, 2)
    assert numba.njit(counted_while)(0.7, 5, 2) == pytest.approx(counted_while(0.7, 5, 2))


def both(u, n):
    new = np.empty_like(u)
    s = 0.0
    for t in srcad.checkpointed(range(n), snapshots=3):
        for i in range(len(u)):
            new[i] = u[i] - 0.1 * u[i] * (u[i] - u[i - 1])
        u, new = new, u
        s += u[t % 4]
    while srcad.checkpointed(s > 1.0, snapshots=2):
        s = s * 0.9
        u = u + 0.1 * s
    return np.sum(u * u) + s


def test_compiled():
    """The same numbers with Numba as interpreted."""
    u = np.linspace(0.2, 0.9, 8)
    expected = srcad.value_and_grad(both, backend="reference")(u.copy(), 30)
    found = srcad.value_and_grad(both)(u.copy(), 30)
    close(found, expected, 1e-13)


# calls
@srcad.checkpoint
def helper(u, factor):
    print("helper")
    for _ in range(3):
        u = np.sin(u) * factor
    return u


def calling(u, factor):
    return np.sum(helper(helper(u, factor), factor + np.sum(u)))


def calling_plainly(u, factor):
    for f in (factor, factor + np.sum(u)):
        for _ in range(3):
            u = np.sin(u) * f
    return np.sum(u)


def local_mark(u, factor):
    def inner(v):
        return np.sin(v) * factor

    again = srcad.checkpoint(inner)
    return np.sum(again(again(u)))


def test_calls_save_nothing(capsys):
    """But their arguments; they print once, though they run twice."""
    u = np.linspace(0.2, 0.9, 4)
    found = srcad.grad(calling, argnums=(0, 1), **REFERENCE)(u, 1.3)
    assert capsys.readouterr().out.splitlines() == ["helper"] * 2
    close(found, oracle.gradient(calling_plainly, (u, 1.3), (0, 1)))
    close(
        srcad.hessian(calling, **REFERENCE)(u, 1.3), oracle.hessian(calling_plainly, (u, 1.3), (0,))
    )
    assert srcad.explain(calling, u, 1.3).tape_bytes == 0
    assert srcad.explain(calling_plainly, u, 1.3).tape_bytes > 0
    close(srcad.grad(local_mark, **REFERENCE)(u, 1.3), oracle_local(u, 1.3))
    assert helper.__name__ == "helper"
    assert srcad.checkpoint(np.sin)(0.0) == 0.0


def oracle_local(u, factor):
    """By hand."""
    return np.cos(np.sin(u) * factor) * factor * np.cos(u) * factor
