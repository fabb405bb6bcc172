"""The table of supported functions: up to date, large enough, and no function of Numba missing."""

from __future__ import annotations

import re
import types
import warnings
from typing import Any

import numpy as np
import pytest

from tests import support

NAMED = re.compile(r"^\| `([\w.]+)` \|", re.MULTILINE)
KINDS = (types.FunctionType, types.BuiltinFunctionType, np.ufunc, type)


@pytest.fixture(scope="module")
def rows():
    """The rows of the table."""
    return support.rows()


def numba_names() -> set[str]:
    """Names, in NumPy and ``math``, of what Numba compiles."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from numba.core.registry import cpu_target

        cpu_target.target_context.refresh()
        context: Any = cpu_target.typing_context
        context.refresh()
    templates = (*context._functions, *context._globals)
    known = {f for f in templates if isinstance(f, KINDS) and hasattr(f, "__module__")}
    names = {((f.__module__ or "").replace("numpy", "np"), f.__name__) for f in known}
    found = set()
    for prefix in ("math", "np", "np.linalg", "np.random", "np.polynomial.polynomial"):
        module = support.MODULES[prefix]
        for name, f in support.public_names(module):
            same = getattr(f, "__name__", name)
            if f in known or (prefix, same) in names:
                found.add(f"{prefix}.{name}")
    return found


def test_nothing_that_numba_compiles_is_missing(rows):
    """Supported, zero, or refused with a reason; a new Numba shows up here."""
    missing = numba_names() - {r.name for r in rows} - ABSTRACT
    assert not missing, sorted(missing)


# types that stand for kinds of numbers: as functions they convert, which only some of them may
ABSTRACT = {
    f"np.{name}"
    for name, f in support.public_names(np)
    if isinstance(f, type) and issubclass(f, (np.generic, Warning, Exception))
}


def test_enough_is_supported(rows):
    """At least 250 names, 160 different functions with a derivative; few refused."""
    supported = [r for r in rows if r.derivative != "no"]
    different = {r.meaning for r in supported if r.derivative == "yes"}
    assert len(supported) >= 250
    assert len(different) >= 160
    assert len(rows) - len(supported) <= 15, [r.name for r in rows if r.derivative == "no"]


def test_the_page_is_up_to_date(rows):
    """Names are compared, so that another version of NumPy does not matter."""
    text = support.PAGE.read_text()
    shown = set(NAMED.findall(text))
    now = {r.name for r in rows}
    here = {n for n in shown if n.rpartition(".")[2] in dir(support.MODULES[n.rpartition(".")[0]])}
    assert here == now, "run python -m tests.support"


def test_the_columns_are_up_to_date(rows):
    """What the page says of each function is what is derived here, by the versions it names."""
    text = support.PAGE.read_text()
    if support.VERSIONS in text:
        stale = [str(r) for r in rows if str(r) not in text]
        assert not stale, "run python -m tests.support"
    head = next(line for line in text.splitlines() if line.startswith("| function"))
    columns = {c.strip() for c in head.split("|")}
    assert columns >= {"forward", "reverse", "second order", "CUDA", "dtypes", "notes"}


def test_cuda_column(rows):
    """Functions of numbers are there for kernels, those of ``math`` and others; functions that make
    arrays have no form on numbers."""
    said = {r.name: r.cuda for r in rows}
    scalar = ("math.exp", "math.atan2", "np.tanh", "scipy.special.log_ndtr", "scipy.special.j0")
    assert {said[n] for n in (*scalar, "max", "math.dist")} <= {"scalar", "no"}
    assert all(said[n] == "scalar" for n in scalar) and said["max"] == "scalar"
    assert {said[n] for n in ("np.cbrt", "np.floor", "np.sign", "math.gcd")} == {"scalar"}
    assert all(said[n] == "no" for n in ("np.sum", "np.linalg.solve", "np.zeros"))
