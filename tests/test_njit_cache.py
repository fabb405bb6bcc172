"""Users' ``cache=True`` functions that hold derivatives: found again, and never stale."""

import subprocess
import sys
from pathlib import Path

import numba
import pytest

import srcad
from srcad.api.njit_stamps import Stale, reference, verified

ROOT = Path(__file__).resolve().parents[1]


@numba.njit
def cube(x):
    return x**3


slope = srcad.grad(cube)

LIBRARY = """
import numba
import srcad
from deep import scale

K = 2.0


def make(k):
    def h(x):
        return k * x * x

    return srcad.grad(h)


@srcad.differentiable
def through(x):
    return scale(x) * x


@srcad.custom_jvp
def ruled(x):
    return x * x


ruled.defjvp(lambda p, t: (p[0] * p[0], 5.0 * t[0]))


def constant(x):
    return K * x


@numba.njit
def plain(x):
    return x**3


d_through, d_closure, d_constant = srcad.grad(through), make(3.0), srcad.grad(constant)
d_plain, d_ruled = srcad.grad(plain), srcad.grad(ruled)
"""

CALLERS = """
import numba
import srcad
import lib
from lib import d_closure, d_constant, d_plain, d_ruled, d_through, through


@numba.njit(cache=True)
def callee(x):
    return d_through(x) + through.grad(x)


@numba.njit(cache=True)
def closure(x):
    return d_closure(x)


@numba.njit(cache=True)
def constant(x):
    return d_constant(x)


@numba.njit(cache=True)
def rule(x):
    return d_ruled(x)


@numba.njit(cache=True)
def unchanged(x):
    return d_plain(x) + srcad.jvp(lib.plain, (x,), (1.0,))[1]


for f in (callee, closure, constant, rule, unchanged):
    value = f(1.5)
    print(f.__name__, round(value, 9), sum(f.stats.cache_hits.values()))
"""


def test_cached_callers_do_not_go_stale(tmp_path):
    """Three processes: compiled, found, and after edits of files the caller does not name."""
    (tmp_path / "lib.py").write_text(LIBRARY)
    (tmp_path / "deep.py").write_text("def scale(x):\n    return x * 5.0\n")
    (tmp_path / "main.py").write_text(CALLERS)

    def run():
        environment = {"PYTHONPATH": f"{ROOT}", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        command = [sys.executable, "main.py"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return {n: (float(v), int(h)) for n, v, h in map(str.split, done.stdout.splitlines())}

    values = {"callee": 30.0, "closure": 9.0, "constant": 2.0, "rule": 5.0, "unchanged": 13.5}
    assert run() == {k: (v, 0) for k, v in values.items()}
    assert run() == {k: (v, 1) for k, v in values.items()}
    (tmp_path / "deep.py").write_text("def scale(x):\n    return x * 7.0\n")
    edited = LIBRARY.replace("make(3.0)", "make(4.0)").replace("K = 2.0", "K = 3.0")
    (tmp_path / "lib.py").write_text(edited.replace("5.0 * t", "6.0 * t"))
    changed = {"callee": 42.0, "closure": 12.0, "constant": 3.0, "rule": 6.0}
    assert run() == {k: (v, 0) for k, v in changed.items()} | {"unchanged": (13.5, 1)}


def test_stamps():
    """What has no name is never taken from a cache; what has one is looked up again."""
    assert reference(slope) == ("names", [(__name__, "slope")])
    assert reference(srcad.grad(lambda x: x)) is None
    with pytest.raises(Stale):
        verified(None, [])
    with pytest.raises(Stale):
        verified(("names", [(__name__, "gone")]), [])
    where = reference(srcad.grad(cube, 0))
    assert where[0] == "made"
    call = ((numba.float64,), ())
    with pytest.raises(Stale, match="changed"):
        verified(where, [(*call, "another key")])
