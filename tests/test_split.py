"""Long functions in parts: the same program to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

import srcad
from srcad.api.higher import snapshot
from srcad.backends.reference import run
from srcad.ir.verify import verify
from srcad.specs import leaves_of
from srcad.storage.split import split
from tests.programs import PROGRAMS

EVERY = 7  # one program of so many


def gradient(program):
    """The IR of a program's gradient and its leaves; ``None`` where the result is no float."""
    g = srcad.value_and_grad(program.fn, argnums=program.wrt, backend="reference")
    bound = g.bind(program.args(), program.kwargs)
    specs = g.specs(bound)
    try:
        made = g.program(specs)
    except srcad.TypeMismatch:
        return None
    leaves = [x for k, v in bound.items() for x in leaves_of(v, specs[k])]
    return made.fn, [*leaves, *(c.path() for c in made.captures)]


def bits(values):
    """Numbers and arrays as bytes."""
    return [np.asarray(v).tobytes() for v in values]


@pytest.mark.parametrize("program", PROGRAMS[::EVERY], ids=lambda p: p.name)
def test_parts_compute_the_same(program):
    """Cut into the smallest parts, a gradient has the same results and exit state."""
    found = gradient(program)
    if found is None or "random" in program.tags:
        return
    fn, leaves = found
    cut = split(fn, 0, 3)
    verify(cut)
    for part in cut.callees.values():
        verify(part)
    left, right = ([snapshot(x) for x in leaves] for _ in range(2))
    assert bits(run(fn, tuple(left))) == bits(run(cut, tuple(right)))
    assert bits(left) == bits(right)


def chain(x, n):
    """Statements in a row, a loop between them."""
    a = np.zeros(3)
    y = x * x
    a[0] = np.sin(y)
    a[1] = a[0] * x
    z = a[1] / (y + 1.0)
    for i in range(n):
        z += np.sin(z) * a[i % 2]
    a[2] = z * y
    u = a[2] + a[0] * z
    v = np.exp(-u * u) if u > 0.0 else u
    w = v * z + y
    return w * u + a[1]


def test_compiled_parts(monkeypatch):
    """Numba compiles the parts; the text names them; the results are those of the whole."""
    whole = srcad.value_and_grad(chain)(0.7, 3)
    monkeypatch.setattr("srcad.compiler.split", lambda fn: split(fn, 5, 6))
    g = srcad.value_and_grad(chain)
    assert "_part1(" in g.source(0.7, 3)
    assert g(0.7, 3) == pytest.approx(whole, rel=1e-14)
