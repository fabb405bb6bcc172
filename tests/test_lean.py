"""Lowering in fewer words: the same bits and exceptions as Numba's own, for what it does itself and
for what it must leave alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

from srcad.backends import lean, pipeline
from srcad.backends.cpu import compile_text
from srcad.backends.lean_loops import plain_loops

HEAD = "import math\nimport numba\nimport numpy as np\n\n@numba.njit(error_model='numpy')\n"

BODIES = {
    "elements": """def f(a, b, i, j):
        k = np.uint64(1)
        s = a[i, j] + a[-1, k] - a[np.uint64(i), -j - 1] * b[i]
        b[j] = s
        b[-1] += 0.5
        b[k] -= a[0, 0]
        a[i, j] = b[i] + b[j]
        a[i, j] *= 2
        return s, b[i], a[i, j]
    """,
    "assigned again": """def f(a, b, i, j):
        c = b
        s = c[i]
        for k in range(3):
            c[i] += 1.0
            c = np.zeros(4) if k == 1 else c
            c[j] = s + k
            s += c[i]
        return s, c[j], b[i], b[j]
    """,
    "loops": """def f(a, b, i, j):
        s = 0.0
        last = -1
        for p in range(a.shape[0] - 1, -1, -1):
            for q in range(p, a.shape[1], j + 1):
                if a[p, q] > 2.0:
                    continue
                if q == 2:
                    break
                s += a[p, q] * (p - q)
                last = q
            b[p] = s
        for p in range(0):
            s = 1e9
        for p in range(i, 0):
            s += p
        for p in range(5, i, -2):
            s = s * 0.5 + p
        r = range(3)
        for p in r:
            for q in r:
                s += p * q
        return s, last, p, len(r)
    """,
    "while": """def f(a, b, i, j):
        n, s = 0, 0.0
        while n < 7:
            n += 1
            if n % 2 == 0:
                continue
            s += a[n % 2, n % 3] if s < 3.0 else -b[n % 4]
        return s, n
    """,
    "comparisons": """def f(a, b, i, j):
        x, y, n = a[i, j], b[j] * np.nan, 0
        for z in (x, y, -x, 0.0):
            n = 2 * n + (z < x)
            n = 2 * n + (z <= y)
            n = 2 * n + (z == z)
            n = 2 * n + (z != z)
            n = 2 * n + (z > 1)
        return n, i < j, i == j, i != j, i * j - 3 > i, x > j
    """,
    "types": """def f(a, b, i, j):
        x = i
        t = (i, a[0, 0])
        if j > 0:
            x = x + a[0, 0]
        m = np.float32(a[0, 1])
        c = np.zeros(2, np.complex128)
        c[0] += a[0, 0] + 1j
        o = np.zeros(3, np.bool_)
        o[i] = a[0, 0] > 0
        h = np.zeros(2, np.int32)
        h[1] = j + 7
        w = np.zeros(2, np.float32)
        w[0] = a[0, 0] / 3
        return x, t[1] + t[0], m * m, c[0], o[i], h[1], w[0] + m
    """,
    "unset": """def f(a, b, i, j):
        if i > 5:
            y = 2.0
        s = 0.0
        for k in range(j):
            if k == 0:
                z = a[0, k] + s
            s += z
        return s, y if i > 5 else s
    """,
    "views": """def f(a, b, i, j):
        r = a[i]
        s = r[j] + a[:, 0][1] + b[::2][1] + b[::-1][0]
        r[j] = 4.0
        q = a.T
        q[j, i] += s
        return s, a[i, j], q.shape[0], a.shape[1], q[-1, -1]
    """,
}


def both(text: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The function by srcad's passes, and by Numba's."""
    lines = (HEAD + text).splitlines()
    whole = "\n".join(lines[:5] + [line.removeprefix("    ") for line in lines[5:]]) + "\n"
    names: dict[str, Any] = {}
    exec(whole, names)
    return compile_text(whole, "f", "lean", False), names["f"]


def arguments(layout: str) -> tuple[Any, ...]:
    """Arrays of a layout, and two small integers."""
    a = np.asarray(np.arange(12.0).reshape(3, 4) / 7 - 0.3, order="F" if layout == "F" else "C")
    b = np.linspace(-1, 2, 4)
    if layout == "A":
        a = np.repeat(np.repeat(a, 2, 0), 3, 1)[::2, ::3]
        b = np.repeat(b, 2)[::-2]
    return a, b, 1, 2


@pytest.mark.parametrize("name", BODIES)
def test_same_as_numba(name: str) -> None:
    """Values to the last bit, and what is written."""
    ours, numbas = both(BODIES[name])
    for layout in "CFA" if name in ("elements", "views") else "A":
        first, second = arguments(layout), arguments(layout)
        np.testing.assert_equal(ours(*first), numbas(*second))
        for x, y in zip(first[:2], second[:2], strict=True):
            assert x.tobytes() == y.tobytes()


def test_steps() -> None:
    """Ranges of every sign and length; a step of zero raises."""
    ours, numbas = both("""def f(start, stop, step):
        s = n = 0
        for k in range(start, stop, step):
            s = 3 * s + k
            n += 1
        return s, n
    """)
    for start in (-3, 0, 4):
        for stop in (-4, 0, 5, 6):
            for step in (-3, -2, -1, 1, 2, 7):
                assert ours(start, stop, step) == numbas(start, stop, step)
    with pytest.raises(ValueError, match="must not be zero"):
        ours(0, 3, 0)


def test_exceptions_in_the_middle() -> None:
    """What was written before an exception stays, and arrays are given back."""
    ours, _ = both("""def f(x, n):
        y = np.zeros(n)
        for k in range(n):
            y[k] = x[k]
            if x[k] > 2.0:
                raise ValueError("large")
            x[k] = y[k] + 1.0
        return y
    """)
    x = np.arange(5.0)
    with pytest.raises(ValueError, match="large"):
        ours(x, 5)
    assert x.tolist() == [1.0, 2.0, 3.0, 3.0, 4.0]


def test_references() -> None:
    """Arrays that are made, assigned again and left behind are given back."""
    ours, _ = both("""def f(x, n):
        y = x
        for k in range(n):
            z = np.zeros(3)
            z[0] = y[0] + 1.0
            if k % 2 == 0:
                y = z
        return y
    """)
    x = np.zeros(3)
    assert ours(x, 5)[0] == 3.0 and ours(x, 0) is x
    _nrt_python.memsys_enable_stats()
    try:
        before, count = rtsys.get_allocation_stats(), sys.getrefcount(x)
        for n in range(8):
            ours(x, n)
        after = rtsys.get_allocation_stats()
    finally:
        _nrt_python.memsys_disable_stats()
    assert after.mi_alloc - before.mi_alloc == after.mi_free - before.mi_free
    assert sys.getrefcount(x) == count


def test_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elements and loops need no description of an array and no range object in LLVM's language;
    ranges that are used for more than a loop are left alone."""
    texts: list[str] = []
    loops: list[Any] = []
    plain = plain_loops
    monkeypatch.setattr(lean, "plain_loops", lambda *a: loops.append(plain(*a)) or loops[-1])
    add = lean.LeanLower.lower

    def lower(self: Any) -> None:
        add(self)
        texts.append(str(self.module))

    monkeypatch.setattr(lean.LeanLower, "lower", lower)
    ours, _ = both(BODIES["loops"])
    ours(*arguments("C"))
    assert len(texts) == 1 and texts[0].count("\n") < 800
    assert len(loops[0].ranges) == 5 and len(loops[0].pairs) == 5


def test_several_types(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable of two types is left to Numba's passes; others are not."""
    ways: list[bool] = []
    passes = pipeline.Pipeline.passes

    def seen(self: Any, short: bool) -> Any:
        manager = passes(self, short)
        run = manager.run
        manager.run = lambda state: (ways.append(short), run(state))[1]
        return manager

    monkeypatch.setattr(pipeline.Pipeline, "passes", seen)
    for name, want in (("types", [True, False]), ("loops", [True]), ("while", [True])):
        ways.clear()
        both(BODIES[name])[0](*arguments("C"))
        assert ways == want


def test_bounds_are_checked_where_asked() -> None:
    """The option of Numba stays in force."""
    names: dict[str, Any] = {}
    exec("def f(x, k):\n    return x[k]\n", names)
    f = numba.njit(boundscheck=True)(names["f"])
    f._compiler.pipeline_class = pipeline.Pipeline  # type: ignore[attr-defined]
    with pytest.raises(IndexError):
        f(np.zeros(3), 3)
    assert f(np.ones(3), -1) == 1.0


def test_integers_do_not_wrap() -> None:
    """LLVM is told what Numba tells it of signed integers; else no ``x[i + k]`` is a vector."""
    names: dict[str, Any] = {}
    exec("def f(i, k):\n    return (i + k) * (i - k)\n", names)
    texts = []
    for passes in (pipeline.Pipeline, None):
        f = numba.njit(names["f"])
        if passes is not None:
            f._compiler.pipeline_class = passes  # type: ignore[attr-defined]
        assert f(5, 3) == 16
        text = f.inspect_llvm(f.signatures[0])
        texts.append([text.count(f"{op} nsw i64") for op in ("add", "sub", "mul")])
    assert texts[0] == texts[1] and all(texts[0])
