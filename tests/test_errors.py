"""Every error a user can meet: its class, and its whole message against the golden files.

``python -m tests.test_errors`` writes the golden files anew; read what changed before it is kept.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import srcad
from srcad.errors import InternalError, SrcadError
from srcad.frontend.signatures import check_tables
from tests.error_cases import CASES, Case

GOLDEN = Path(__file__).parent / "golden" / "errors"


def message_of(case: Case) -> tuple[BaseException, str]:
    """The exception of a case, and its message with file names without folders."""
    try:
        case.call()
    except Exception as error:
        notes = "".join(f"\n{n}" for n in getattr(error, "__notes__", ()))
        text = re.sub(r"(/[^\s\"':]+)+/([^/\s\"':]+\.py)", r"\2", f"{error}{notes}")
        text = re.sub(r"(depth exceeded).*", r"\1", text)  # where exactly differs from run to run
        return error, re.sub(r"0x[0-9a-f]+", "0x…", text)
    raise AssertionError(f"{case} did not fail")


def written(case: Case) -> str:
    """How a case stands in its golden file."""
    error, message = message_of(case)
    return f"=== {case.name}\n{type(error).__name__}: {message}\n"


def golden(group: str) -> dict[str, str]:
    """The entries of a golden file by the name of the case."""
    path = GOLDEN / f"{group}.txt"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return {part.split("\n", 1)[0]: f"=== {part}" for part in text.split("=== ")[1:]}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_message(case):
    """The right class, and word for word the message that was agreed on."""
    error, _ = message_of(case)
    assert isinstance(error, case.error), repr(error)
    assert not isinstance(error, InternalError)
    assert written(case) == golden(case.group).get(case.name)


@pytest.mark.parametrize("case", [c for c in CASES if issubclass(c.error, SrcadError)], ids=str)
def test_message_says_everything(case):
    """What, where (with the line and a caret), and why or what instead."""
    error, message = message_of(case)
    assert isinstance(error, SrcadError)
    lines = message.splitlines()
    assert lines[0].strip()
    assert error.why or error.instead
    if case.located:
        assert re.match(r'  File "[\w.]+", line \d+', lines[1]), message
        assert lines[3].strip() and set(lines[3].strip()) == {"^"}, message


def test_enough_cases():
    """At least sixty different messages, and no golden entry without its case."""
    assert len({written(c).split("\n", 1)[1] for c in CASES}) >= 60
    for group in {c.group for c in CASES}:
        assert set(golden(group)) == {c.name for c in CASES if c.group == group}


def test_every_known_function_has_a_signature():
    """No argument of a NumPy function is ever ignored."""
    assert check_tables() == []


def spoil(a, x):
    a[0] = x
    if x < 0.0:
        raise ValueError("x must be positive")
    a[1] = x
    return a[0] * a[1]


R = {"backend": "reference"}
CALLS = {
    "grad": lambda a: srcad.grad(spoil, argnums=1, **R)(a, -1.0),
    "value_and_grad": lambda a: srcad.value_and_grad(spoil, argnums=1, **R)(a, -1.0),
    "jvp": lambda a: srcad.jvp(spoil, (a, -1.0), (np.ones(3), 1.0), **R),
    "vjp": lambda a: srcad.vjp(spoil, a, -1.0, **R),
    "hessian": lambda a: srcad.hessian(spoil, argnums=1, **R)(a, -1.0),
}


@pytest.mark.parametrize("transform", CALLS)
def test_arguments_are_left_as_the_plain_call_leaves_them(transform):
    """The program raises in the middle: what it had written by then is there, and no more."""
    plain, ours = np.ones(3), np.ones(3)
    with pytest.raises(ValueError, match="x must be positive"):
        spoil(plain, -1.0)
    with pytest.raises(ValueError, match="x must be positive"):
        CALLS[transform](ours)
    np.testing.assert_array_equal(ours, plain)


def refuses_late(a):
    a[0] = 2.0
    return a.tolist()


def test_a_refused_call_leaves_no_trace():
    """Arguments and caches are as before."""
    a = np.ones(3)
    g = srcad.grad(refuses_late, backend="reference")
    for _ in range(2):
        with pytest.raises(SrcadError):
            g(a)
    np.testing.assert_array_equal(a, np.ones(3))
    assert not g.cache


def write() -> None:
    """Write the golden files from what srcad says now."""
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for group in sorted({c.group for c in CASES}):
        text = "".join(written(c) for c in CASES if c.group == group)
        (GOLDEN / f"{group}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(write())
