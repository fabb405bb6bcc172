"""Loops on threads compiled by Numba: the regions are parallel, results equal, bits the same."""

import math
import os
import runpy
import subprocess
import sys

import numba
import numpy as np
import pytest
from numba import njit
from numba.core.dispatcher import Dispatcher

import srcad
from examples import parallel_options


@njit
def squashed(t):
    return t / (1.0 + abs(t))


def everything(x, u, w, bins, y):
    """Owned rows, a window, copies, partial results, scratch arrays, a helper, a division."""
    n, m = u.shape
    hits = np.zeros(n)
    now = u.copy()
    total = 0.0
    for i in numba.prange(1, n - 1):
        row = np.empty(m)
        for j in range(m):
            row[j] = squashed(u[i - 1, j] - x[i] * u[i + 1, j]) / y[i]
        for j in range(m):
            now[i, j] = row[j] * row[m - 1 - j] + w[bins[i], j]
        hits[bins[i]] += now[i, 0] * math.exp(-x[i])
        total += row[0] * x[i]
    return total + np.sum(hits * hits) + np.sum(now)


def arguments(n=64):
    rng = np.random.default_rng(3)
    u, w = rng.random((n, 5)), rng.random((n, 5))
    return rng.random(n), np.asfortranarray(u), w, rng.integers(0, n // 4, n), 1.0 + rng.random(n)


def functions(f, args):
    """The compiled functions of the module that was generated for a call."""
    special = f.specialise(f.bind(args, {}))
    return special.run.compiled.py_func.__globals__


def test_compiled_loops():
    """The reference's numbers, the same bits again; what Numba says runs in parallel, and where."""
    args, wrt = arguments(), (0, 1, 2, 4)
    f = srcad.value_and_grad(everything, argnums=wrt, cache=False)
    value, found = f(*args)
    with srcad.using(backend="reference", parallel=False, cache=False):
        expected_value, expected = srcad.value_and_grad(everything, argnums=wrt)(*args)
    assert value == pytest.approx(expected_value, rel=1e-12)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    again = f(*args)
    assert again[0] == value
    assert all(np.array_equal(a, b) for a, b in zip(again[1], found, strict=True))
    counts = {}
    for name, d in functions(f, args).items():
        if isinstance(d, Dispatcher) and d.signatures and name.startswith("everything"):
            assert len(d.signatures) == 1  # nothing is compiled twice
            counts[name] = sum(regions(d.get_metadata(s)) for s in d.signatures)
    assert {n for n, k in counts.items() if k} == {n for n in counts if "_threads" in n}
    assert sum(counts.values()) == 3 and all(k < 2 for k in counts.values())  # one is the copy
    errors(f, args, value)


def regions(metadata):
    """How many parallel regions Numba reports for a compiled function."""
    report = metadata["parfor_diagnostics"]
    return report.count_parfors() if hasattr(report, "func_ir") else 0


def errors(f, args, value):
    """An error on a thread arrives, and nothing is left of it."""
    broken = (*args[:4], args[4].copy())
    broken[4][[20, 50]] = 0.0
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        f(*broken)
    assert f(*args)[0] == value


PROCESS = """
import numpy, srcad
from examples.parallel_options import asian_call
normals = numpy.random.default_rng(0).standard_normal((50, 3))
print(srcad.grad(asian_call)(100.0, 0.2, 0.05, 100.0, 1.0, normals).hex())
"""


def test_code_from_the_disk_starts_threads(tmp_path):
    """A process that only loads code gives the bits of the one that has compiled it."""
    where = {**os.environ, "SRCAD_CACHE_DIR": str(tmp_path), "NUMBA_NUM_THREADS": "2"}
    runs = [
        subprocess.run([sys.executable, "-c", PROCESS], env=where, capture_output=True, text=True)
        for _ in range(2)
    ]
    assert [r.stderr for r in runs] == ["", ""]
    assert runs[0].stdout == runs[1].stdout != ""


def test_the_example(capsys):
    """The price is that of plain Python; two runs agree."""
    with srcad.using(backend="reference", cache=False):
        price, greeks = parallel_options.main(60, 4)
    printed = capsys.readouterr().out
    assert "the same bits" in printed and "partial results" in printed
    normals = np.random.default_rng(1).standard_normal((60, 4))
    args = [100.0, 0.2, 0.05, 100.0, 1.0, normals]
    assert price == pytest.approx(parallel_options.asian_call(*args), rel=1e-12)
    for k, greek in enumerate(greeks):
        h = 1e-5 * args[k]
        up, down = ([*args[:k], args[k] + s, *args[k + 1 :]] for s in (h, -h))
        difference = parallel_options.asian_call(*up) - parallel_options.asian_call(*down)
        assert greek == pytest.approx(difference / (2 * h), rel=1e-6)


def waves(x, w):
    """A sum over threads, whose adjoint adds to ``w_b`` from every iteration."""
    s = 0.0
    for i in numba.prange(x.shape[0]):
        for j in range(3):
            s += math.sin(x[i, j] * w[j] * w[(j + 1) % 3])
    return s


def test_called_from_njit_code_and_exported(tmp_path):
    """Not the marked loops as they are, but what was proved of them: in njit code one thread."""
    x, w = np.linspace(-1.0, 2.0, 24).reshape(8, 3), np.array([0.5, 0.7, 0.9])
    g = srcad.grad(waves, argnums=1)
    expected = srcad.grad(waves, argnums=1, backend="reference")(x, w)

    @numba.njit
    def caller(x, w):
        return g(x, w)

    np.testing.assert_allclose(caller(x, w), expected, rtol=1e-12)
    name = srcad.export(g, tmp_path / "slope.py", x, w)
    text = (tmp_path / "slope.py").read_text()
    marked = [x for x in text.splitlines() if x.lstrip().startswith("for") and "prange" in x]
    assert marked and all("for c in numba.prange(chunks)" in x for x in marked)
    exported = runpy.run_path(str(tmp_path / "slope.py"))[name]
    np.testing.assert_allclose(exported(x, w), expected, rtol=1e-12)
