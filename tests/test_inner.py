"""Functions that only their text calls: the same results without libraries of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba.core.codegen import JITCodeLibrary

import srcad
from srcad.backends import inner
from srcad.backends.cpu import compile_text

TEXT = """
import numba
import numpy as np

@numba.njit(error_model="numpy")
def low(x, k):
    if k > 3:
        raise ValueError("far")
    return x[k] * 2.0

@numba.njit(error_model="numpy")
def middle(x, k):
    y = np.zeros(2)
    y[0] = low(x, k) + low(x, 1)
    return y

@numba.njit(error_model="numpy")
def top(x, k):
    return middle(x, k)[0] + middle(x, 0)[0]
"""

CIRCLE = """
import numba

@numba.njit(error_model="numpy")
def even(n):
    if n == 0:
        return 1.0
    return 2.0 * even(n - 1)

@numba.njit(error_model="numpy")
def top(n):
    return even(n) + 1.0
"""

NEEDY = """
import numba

@numba.njit(error_model="numpy")
def low(n):
    if n < 0:
        raise ValueError("negative", n)
    return n + 1.0

@numba.njit(error_model="numpy")
def top(n):
    return low(n) * 2.0
"""


def libraries(monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], list[str]]:
    """The libraries that are built, and those that are only copied, as they come."""
    built: list[str] = []
    copied: list[str] = []
    plain, short = JITCodeLibrary._finalize_specific, inner.Unbuilt._finalize_final_module
    for kind, name, run, found in (
        (JITCodeLibrary, "_finalize_specific", plain, built),
        (inner.Unbuilt, "_finalize_final_module", short, copied),
    ):
        monkeypatch.setattr(kind, name, lambda s, run=run, to=found: (to.append(s.name), run(s)))
    return built, copied


def test_one_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the entry is built, each function compiled once for its types; errors come through."""
    built, copied = libraries(monkeypatch)
    top = compile_text(TEXT, "top", "inner", False)
    x = np.arange(4.0)
    assert top(x, 3) == 6.0 + 2.0 + 0.0 + 2.0
    assert [n.split("_")[0] for n in copied] == ["low", "middle"]
    assert [n.split("_")[0] for n in built if "_" in n][-1:] == ["top"]
    with pytest.raises(ValueError, match="far"):
        top(x, 4)


@pytest.mark.parametrize(("text", "n", "value"), [(CIRCLE, 5, 33.0), (NEEDY, 2, 6.0)])
def test_libraries_of_their_own(
    text: str, n: int, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recursion, and exceptions with values, which need objects of Python while they run."""
    _, copied = libraries(monkeypatch)
    top = compile_text(text, "top", "inner", False)
    assert top(n) == value and not copied
    if text is NEEDY:
        with pytest.raises(ValueError, match="negative") as caught:
            top(-4)
        assert caught.value.args == ("negative", -4)


def test_jacobian() -> None:
    """A derivative whose text has several functions, some called with constants."""

    def f(x: Any, y: Any) -> Any:
        return np.array([x[0] * y[1], x[1] * x[0], y[0] * y[0]])

    x, y = np.array([2.0, 3.0]), np.array([5.0, 7.0])
    by_x, by_y = srcad.jacfwd(f, argnums=(0, 1))(x, y)
    assert by_x.tolist() == [[7.0, 0.0], [3.0, 2.0], [0.0, 0.0]]
    assert by_y.tolist() == [[0.0, 2.0], [0.0, 0.0], [10.0, 0.0]]
