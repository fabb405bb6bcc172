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
    """At least 250 names, 160 different functions with a derivative; few refused, none expected."""
    refused = {r.name for r in rows if r.derivative == "no"}
    assert len(rows) - len(refused) >= 250
    assert len(support.different(rows)) >= 160
    assert len(refused) <= 15
    assert not refused & {name for names in EXPECTED for name in names.split()}


# what a user expects, beside what Numba has: none of it is refused, all of it is there
EXPECTED = (
    """np.power np.hypot np.arctan2 np.logaddexp np.logaddexp2 np.copysign np.fmod np.mod
    np.remainder np.floor_divide np.minimum np.maximum np.fmin np.fmax np.abs np.sign np.sinc
    np.where np.clip np.select np.interp np.nan_to_num scipy.special.erf scipy.special.erfc
    scipy.special.gamma math.lgamma""",
    """np.sum np.prod np.mean np.var np.std np.min np.max np.nansum np.nanprod np.nanmean np.nanvar
    np.nanstd np.nanmin np.nanmax np.median np.percentile np.quantile np.ptp np.average np.cumsum
    np.cumprod np.trace np.trapezoid np.diff np.ediff1d np.cov np.corrcoef""",
    """np.reshape np.take np.take_along_axis np.sort np.argsort np.partition np.unique
    np.concatenate np.stack np.hstack np.vstack np.dstack np.column_stack np.split np.array_split
    np.hsplit np.vsplit np.dsplit np.diag np.tril np.triu np.fill_diagonal np.roll np.rot90 np.flip
    np.repeat np.append np.insert np.delete np.convolve np.correlate np.vander np.polyval
    np.polyadd np.polysub np.polymul np.polydiv np.polyder np.polyint np.polyfit np.poly""",
    """np.dot np.vdot np.matmul np.outer np.kron np.cross np.linalg.norm np.linalg.det
    np.linalg.slogdet np.linalg.inv np.linalg.pinv np.linalg.solve np.linalg.lstsq
    np.linalg.cholesky np.linalg.qr np.linalg.svd np.linalg.eigh np.linalg.eigvalsh np.linalg.eig
    np.linalg.matrix_power np.linalg.cond""",
    """np.einsum np.tensordot np.inner np.squeeze np.tile np.pad np.meshgrid np.gradient
    np.heaviside""",
    """scipy.special.erfinv scipy.special.gammaln scipy.special.psi scipy.special.polygamma
    scipy.special.expit scipy.special.logit scipy.special.log_ndtr scipy.special.ndtr
    scipy.special.xlogy scipy.special.xlog1py scipy.special.logsumexp scipy.special.softmax
    scipy.special.betaln scipy.special.i0 scipy.special.i1 scipy.special.j0 scipy.special.j1
    scipy.linalg.solve_triangular scipy.linalg.cho_factor scipy.linalg.cho_solve
    scipy.linalg.lu_solve""",
    "np.random.normal np.random.uniform np.random.exponential",
    "np.real np.imag np.conj np.angle",
)


def test_what_is_expected_is_there(rows):
    """Every name of the lists is in the table, supported."""
    supported = {r.name for r in rows if r.derivative != "no"}
    wanted = {name for names in EXPECTED for name in names.split()}
    missing = {
        n
        for n in wanted - supported
        if hasattr(support.MODULES[n.rpartition(".")[0]], n.split(".")[-1])
    }
    assert not missing, sorted(missing)


def test_the_counts_are_up_to_date(rows):
    """The page says how many there are, by the versions that it names."""
    text = support.PAGE.read_text()
    if support.VERSIONS in text:
        assert support.counts(rows) in text, "run python -m tests.support"


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
