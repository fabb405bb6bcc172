"""Generated code compiled with fewer passes: the same arrays and errors as with Numba's own."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import njit

from srcad.backends import pipeline
from srcad.backends.base import rarely_collected
from srcad.backends.cpu import compile_text

TEXT = """
import numba
import numpy as np

@numba.njit(error_model="numpy")
def made(n, m, small):
    a = np.zeros((n, m))
    b = np.empty(n, dtype=np.int32)
    c = np.zeros(small, dtype=np.bool_)
    d = np.empty((small, n, m), dtype=np.float32)
    e = np.empty(m)
    f = np.zeros((n, small), dtype=np.complex128)
    b[:] = 1
    e[:] = 1
    for k in range(small):
        d[k] = k
    a[0, 0] += 1.0
    return a, b, c, d, e, f, np.zeros(())
"""

SIZE = """
import numba
import numpy as np

@numba.njit(error_model="numpy")
def made(n, m):
    return np.zeros((n, m)){more}
"""


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the pass finds at each call."""
    found: list[Any] = []
    plain: Callable[..., Any] = pipeline.instead

    def instead(*args: Any) -> Any:
        found.append(plain(*args))
        return found[-1]

    monkeypatch.setattr(pipeline, "instead", instead)
    return found


def test_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shapes and dtypes of all kinds, allocated in place."""
    found = counted(monkeypatch)
    compiled = compile_text(TEXT, "made", "test", False)
    plain = njit(error_model="numpy")(compiled.py_func)
    args = (3, 2, np.int8(2))
    ours = compiled(*args)
    assert sum(x is not None for x in found) == 7
    for got, want in zip(ours, plain(*args), strict=True):
        np.testing.assert_array_equal(got, want)
        assert got.dtype == want.dtype and got.flags.num == want.flags.num
        assert got.ctypes.data % 32 == want.ctypes.data % 32 == 0


@pytest.mark.parametrize(("n", "m"), [(-1, 2), (2, -1), (2**62, 2**62), (2**60, 1)])
def test_errors(n: int, m: int) -> None:
    """Sizes that are negative, that overflow, that no machine has."""
    compiled = COMPILED.setdefault("size", compile_text(SIZE.format(more=""), "made", "t", False))
    plain = COMPILED.setdefault("plain", njit(compiled.py_func))
    with pytest.raises((ValueError, MemoryError)) as want:
        plain(n, m)
    with pytest.raises(type(want.value)) as got:
        compiled(n, m)
    assert got.value.args == want.value.args


COMPILED: dict[str, Any] = {}


def test_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other forms of the calls, other modules; closures and lists are inlined as ever."""
    found = counted(monkeypatch)
    text = SIZE.format(more="[:, 0] + np.empty(shape=n) * 0 + np.zeros(n, np.float32)")
    np.testing.assert_array_equal(compile_text(text, "made", "t", False)(2, 3), np.zeros(2))
    assert sum(x is not None for x in found) == 1
    text = SIZE.format(more=".sum() + np.array([k * 2.0 for k in range(n)]).sum()")
    assert compile_text(text, "made", "t", False)(3, 3) == 6.0


def test_other_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function of another name is none of NumPy's."""
    found = counted(monkeypatch)
    text = SIZE.format(more=".size")
    text = text.replace("np.zeros((n, m))", "(other(n) + np.empty(m))")
    text = text.replace("@numba", "other = numba.njit(lambda n: n)\n\n\n@numba", 1)
    assert compile_text(text, "made", "t", False)(2, 3) == 3
    assert sum(x is not None for x in found) == 1


def test_rarely_collected() -> None:
    """The interpreter's settings are as before, also after an error and where they are changed."""
    before = gc.get_threshold()
    try:
        with rarely_collected(), rarely_collected():
            assert gc.get_threshold()[0] > before[0]
            raise KeyError
    except KeyError:
        pass
    assert gc.get_threshold() == before
    try:
        with rarely_collected():
            gc.set_threshold(5, 6, 7)
        assert gc.get_threshold() == (5, 6, 7)
        gc.set_threshold(0, *before[1:])
        with rarely_collected():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)


def test_bounds() -> None:
    """``max`` and ``min`` of what they are given, as Numba computes them."""
    text = """
import numba

@numba.njit(error_model="numpy")
def bounds(i, j, x, y, b):
    return max(i, j), min(i, j), max(x, y), min(x, y), max(i, x), min(y, j), max(b, i), max(i, 3, j)
"""
    names: dict[str, Any] = {}
    exec(text, names)
    ours = compile_text(text, "bounds", "bounds", False)
    for i, j in ((3, -7), (-7, 3), (2, 2), (-(2**63), 2**63 - 1)):
        for x, y in ((0.5, -1.0), (np.nan, 1.0), (1.0, np.nan), (0.0, -0.0)):
            got, want = ours(i, j, x, y, True), names["bounds"](i, j, x, y, True)
            assert list(map(type, got)) == list(map(type, want))
            assert np.array(got).tobytes() == np.array(want).tobytes()
