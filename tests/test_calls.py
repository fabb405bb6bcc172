"""The short way of a call: the same answers and refusals as the first call gives.

After one call the compiled function itself is called (``api.ready``), and Numba's dispatcher tells
whether the arguments are of the kinds it was made for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import srcad
from srcad.errors import SrcadError

FACTOR = 2.0
WEIGHTS = np.array([1.0, 2.0])


def scaled(x: Any) -> Any:
    return FACTOR * x * x


def weighed(x: Any) -> Any:
    total = 0.0
    for i in range(len(x)):
        total += WEIGHTS[i] * x[i]
    return total


def answer(f: Any, *args: Any) -> Any:
    """The result, or the error."""
    try:
        return f(*args)
    except SrcadError as error:
        return type(error), str(error)


UNLIKE = (2**63, 2**70, True, 3, np.int32(3), np.float64(3.0), "s", None, [1.0], np.array(3.0))


@pytest.mark.parametrize("x", UNLIKE, ids=repr)
def test_other_kinds(x: Any) -> None:
    """What was compiled for a float does not take anything else."""
    known = GRADS.setdefault("scaled", srcad.grad(scaled))
    known(3.0)
    assert answer(known, x) == answer(srcad.grad(scaled), x)
    assert known(3.0) == 12.0


GRADS: dict[str, Any] = {}


def test_captured_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed global is seen; keywords and wrong counts go the long way."""
    g = srcad.grad(scaled)
    assert g(3.0) == 12.0
    monkeypatch.setattr(f"{__name__}.FACTOR", 3.0)
    assert g(3.0) == 18.0 and g(x=3.0) == 18.0
    for wrong in ((), (1.0, 2.0)):
        with pytest.raises(SrcadError):
            g(*wrong)


def test_captured_array_and_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changed in place, replaced, of another kind; arguments that only look like the first."""
    x, g = np.ones(2), srcad.grad(weighed)
    assert g(x).tolist() == [1.0, 2.0]
    own = WEIGHTS.copy()
    monkeypatch.setattr(f"{__name__}.WEIGHTS", own)
    own[0] = 5.0
    assert [g(x).tolist() for _ in range(2)] == [[5.0, 2.0]] * 2
    own[1] = 7.0
    assert g(x).tolist() == [5.0, 7.0]
    for look_alike in (x.astype(">f8"), np.ma.array(x)):
        assert answer(g, look_alike)[0] is srcad.TypeMismatch
    assert g(np.ones(4)[::2]).tolist() == [5.0, 7.0]
    monkeypatch.setattr(f"{__name__}.WEIGHTS", np.ones((2, 2))[:, 0])
    assert g(x).tolist() == [1.0, 1.0]


def test_results_and_errors() -> None:
    """Structures are put together; exceptions of the program come out as they are."""

    def ratio(x: float, y: float) -> float:
        if x < 0:
            raise ValueError("negative", x)
        return x / y

    g = srcad.value_and_grad(ratio, (0, 1))
    for _ in range(2):
        assert g(1.0, 2.0) == (0.5, (0.5, -0.25))
    assert g.plans[0].shape
    with pytest.raises(ValueError, match="negative") as caught:
        g(-1.0, 2.0)
    assert caught.value.args == ("negative", -1.0)
    with pytest.raises(ZeroDivisionError):
        g(1.0, 0.0)
    with srcad.using(backend="reference"):
        assert g(1.0, 2.0) == (0.5, (0.5, -0.25))
