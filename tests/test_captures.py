"""Captured values within a process: every call sees what has changed, the short cut as well."""

from __future__ import annotations

import runpy
from types import SimpleNamespace

import numba
import numpy as np
import pytest

import srcad

SCALE = 2.0


def test_number_of_a_nested_function():
    """A closure cell that only a nested function reads is noticed when it changes."""
    k = 2.0

    def f(x):
        def g(y):
            return k * y * y

        return g(x)

    df = srcad.grad(f, backend="reference")
    assert df(3.0) == 12.0
    k = 5.0
    assert df(3.0) == 30.0


def test_two_names_of_an_array(monkeypatch):
    """Two names of one array are two arrays when one of them is bound anew."""
    table = {"a": np.ones(2)}
    table["b"] = table["a"]
    held = SimpleNamespace(**table)

    def f(x):
        return np.sum(held.a * x * x) + np.sum(held.b * x)

    df = srcad.grad(f, backend="reference")
    assert df(1.0) == 6.0
    held.b = 2.0 * np.ones(2)
    assert df(1.0) == 8.0


def total(x, k):
    return np.sum(x * x) * SCALE * k


def test_short_cut_of_a_call(monkeypatch):
    """The second call of a kind goes straight to the code, and still sees what has changed."""
    df = srcad.grad(total, backend="cpu")
    a = np.array([1.0, 2.0])
    for _ in range(2):
        assert df(a, 1).tolist() == [4.0, 8.0]
    (ready,) = df.ready.values()
    assert ready.run is next(iter(df.cache.values())).compiled
    assert df(a.astype(np.float32), 1).dtype == np.float32
    assert df(np.ones((2, 2)), 1).shape == (2, 2)
    assert df(np.ones(4)[::2], 1.0).tolist() == [4.0, 4.0]
    assert df(a, 1).tolist() == [4.0, 8.0]
    with pytest.raises(srcad.TypeMismatch, match="foreign byte order"):
        df(a.astype(">f8"), 1)
    with pytest.raises(srcad.TypeMismatch, match="not supported"):
        df(np.ma.array([1.0, 2.0]), 1)
    with pytest.raises(srcad.TypeMismatch, match="64 bits"):
        df(a, 1 << 70)
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    assert df(a, 1).tolist() == [6.0, 12.0]
    with srcad.using(backend="reference"):
        assert df(a, 1).tolist() == [6.0, 12.0]
    assert df(a, k=1).tolist() == [6.0, 12.0]


PHASES = np.array([1.0 + 2.0j, 3.0 - 1.0j])


def phased(x):
    """Reads a captured complex array."""
    total = 0.0
    for i in range(len(x)):
        total += abs(x[i] * PHASES[i]) ** 2
    return total


def test_captured_complex_array_everywhere(tmp_path):
    """Code takes its pairs: from the interpreter, in njit code, in an exported module."""
    g = srcad.grad(phased)
    x = np.array([1.0, 2.0])

    @numba.njit
    def inside(x):
        return g(x)

    name = srcad.export(g, tmp_path / "exported.py", x)
    exported = runpy.run_path(str(tmp_path / "exported.py"))[name]
    for f in (g, inside, exported, srcad.grad(phased, backend="reference")):
        np.testing.assert_allclose(f(x), 2.0 * x * np.abs(PHASES) ** 2, rtol=1e-14)
    assert "bytes recorded" in str(srcad.explain(phased, x))
