"""Which functions take complex numbers, and which refuse them; from the registries.

What is declared capable is called with complex arguments: value against NumPy, derivatives against
differences.  What is not declared must refuse by name, whatever it is.
"""

from __future__ import annotations

import cmath
import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import srcad
import srcad.compiler  # fills the tables
from srcad.errors import SrcadError, TypeMismatch
from srcad.frontend.calls import full_name
from srcad.frontend.complexes import CAPABLE, CAPABLE_METHODS, HANDLERS, capable
from srcad.frontend.core import CALLS, METHODS
from srcad.ir.primitives_base import COMPLEX, PRIMITIVES
from srcad.ir.types import C8, C16
from srcad.library import LIBRARY, LIBRARY_COMPLEX, LIBRARY_METHODS
from tests.complex_moves import rest
from tests.sample_checks import Subject, check_first_order, check_second_order
from tests.samples import Call, Draw
from tests.test_complex import R, W, Z
from tests.test_library import check_value, program


# the library, from its own samples
class ComplexDraw(Draw):
    """Arguments with an imaginary part."""

    def array(self, values: Any) -> np.ndarray:
        """Given numbers, each with another imaginary part."""
        a = np.array(values, dtype=np.complex128)
        return a + 1j * self.rng.uniform(0.2, 1.0, a.shape)

    def num(self, low: float = 0.3, high: float = 1.8) -> Any:
        """A number."""
        return complex(super().num(low, high), float(self.rng.uniform(0.2, 1.0)))


def holds(x: Any) -> bool:
    """Whether a complex number is in an argument."""
    if isinstance(x, (tuple, list)):
        return any(map(holds, x))
    return isinstance(x, complex) or isinstance(x, np.ndarray) and x.dtype.kind == "c"


def complex_calls(f: Callable[..., Any]) -> list[Call]:
    """The samples of a function, drawn complex, where that makes sense."""
    try:
        found = list(LIBRARY[f].samples(ComplexDraw(3)))
    except (TypeError, ValueError):  # the sample itself orders or casts what it draws
        return []
    return [c for c in found if any(map(holds, c.args))]


CAPABLE_LIBRARY = [f for f in LIBRARY if capable(f) or f in LIBRARY_COMPLEX]
CASES = [
    pytest.param(f, k, id=f"{full_name(f)}-{k}")
    for f in CAPABLE_LIBRARY
    for k in range(len(complex_calls(f)))
]


def spectral(call: Call) -> bool:
    """Whether a call asks for a norm made of singular values."""
    of_vectors = np.ndim(call.args[0]) == 1 or isinstance(call.keywords.get("axis"), int)
    return not of_vectors and call.keywords.get("ord") in (2, -2, "nuc")


def first_smooth(f: Callable[..., Any]) -> int:
    """The first sample with derivatives (second ones of the others are as those of reals)."""
    return next((k for k, c in enumerate(complex_calls(f)) if c.smooth), -1)


@pytest.mark.parametrize(("f", "k"), CASES)
def test_library(f, k):
    """NumPy's values; derivatives of first order, of second in all pairs of modes."""
    call = complex_calls(f)[k]
    run = program(f, call)
    try:
        run(*copy.deepcopy(call.args))
    except (TypeError, ValueError) as e:
        pytest.fail(f"NumPy refuses the sample: {e}")
    if f is np.linalg.norm and spectral(call):
        with pytest.raises(TypeMismatch, match="spectral norm of complex"):
            srcad.differentiable(run, **R)(*call.args)
        return
    subject = Subject(run, call.args)
    check_value(subject, call.args)
    if call.smooth:
        check_first_order(subject, call.args)
    if k == first_smooth(f):
        check_second_order(subject, call.args)


def test_what_is_declared_is_tested():
    """Every function that takes complex arguments is called with them somewhere here."""
    import inspect

    from tests import complex_moves, complex_programs, test_complex

    text = inspect.getsource(complex_programs) + inspect.getsource(test_complex)
    text += inspect.getsource(complex_moves) + inspect.getsource(
        inspect.getmodule(test_what_is_declared_is_tested)  # type: ignore[arg-type]
    )
    sampled = {f for f in CAPABLE_LIBRARY if complex_calls(f)}
    untested = []
    for f in {*CAPABLE, *HANDLERS, *LIBRARY_COMPLEX} - sampled:
        name = full_name(f).removeprefix("srcad.library.factors.").split(".")[-1]
        if f"{name}(" not in text:
            untested.append(full_name(f))
    for name in CAPABLE_METHODS:
        if f".{name}(" not in text:
            untested.append(name)
    assert not untested, sorted(untested)


def test_rest():
    """Data movement that the programs leave out, and functions with samples of reals only."""
    want = rest(Z, W)
    got = srcad.differentiable(rest, **R)(Z, W)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-12, atol=1e-13)
    srcad.check_grads(rest, (Z, W), order=1, **R)


def questions(z):
    v = np.ones(2) * z
    return (
        *(np.isclose(z, 1.0), np.allclose(v, 1.0), np.isnan(z), np.isreal(z), z == 1, z != z),
        *(np.iscomplexobj(z), np.isrealobj(z), not z, bool(z), isinstance(z, complex)),
        *(np.isscalar(z), np.array_equal(v, v), np.array_equiv(v, v), np.count_nonzero(v)),
        *(
            cmath.isnan(z),
            cmath.isinf(z),
            all([z, z]),
            any([z]),
            z in (1.0, 2j),
            len(v),
            np.ndim(z),
        ),
        *(v.all(), v.any(), np.all(v), np.any(v), np.size(v), np.shape(v)[0]),
        np.result_type(v).itemsize,
        *(np.iscomplex(v)[0], np.isfinite(v)[0], np.logical_not(v)[0]),
    )


def test_questions():
    """Tests of complex numbers have the answers of NumPy."""
    for z in (1.5 + 0.5j, 1 + 0j, 0j, complex("nan"), complex(1, float("inf"))):
        with np.errstate(invalid="ignore"):
            want = questions(z)
        got = srcad.differentiable(questions, **R)(z)
        assert got == tuple(bool(x) if isinstance(x, np.bool_) else x for x in want)


# what is not declared
UNDECLARED = [
    pytest.param(f, id=full_name(f))
    for f in LIBRARY
    if not capable(f) and f not in LIBRARY_COMPLEX and f not in HANDLERS and complex_calls(f)
]


@pytest.mark.parametrize("f", UNDECLARED)
def test_undeclared_library_refuses(f):
    """Whatever is not declared for complex arguments refuses them, and says its name."""
    for call in complex_calls(f):
        with pytest.raises(SrcadError) as e:
            srcad.differentiable(program(f, call), **R)(*copy.deepcopy(call.args))
        assert "complex" in str(e.value), str(e.value)


@pytest.mark.parametrize("op", sorted(set(PRIMITIVES) - set(COMPLEX)))
def test_undeclared_primitive_refuses(op):
    """By the choke point that all code generation goes through."""
    for kind in (C16, C8):
        with pytest.raises(TypeMismatch, match="complex numbers"):
            PRIMITIVES[op].result_type(*(kind,) * PRIMITIVES[op].arity)


def test_undeclared_calls_refuse():
    """Functions of the compiler that are not declared: called with one complex vector."""
    takes_numbers = [f for f in CALLS if getattr(f, "__module__", "").startswith("numpy")]
    fine = {*CAPABLE, *HANDLERS, np.complex128, np.complex64, np.zeros_like, np.empty_like}
    known = [f for f in takes_numbers if f not in fine and full_name(f).startswith("np.")]
    assert len(known) > 20
    for f in known:
        with pytest.raises(SrcadError):
            srcad.differentiable(lambda z, f=f: f(z), **R)(Z[0])
    for name in (k.removeprefix("array.") for k in METHODS if k.startswith("array.")):
        if name not in CAPABLE_METHODS:
            with pytest.raises(TypeMismatch, match=f"{name} is not supported for complex"):
                srcad.differentiable(lambda z, n=name: getattr(z, n)(), **R)(Z[0])
    assert not CAPABLE_METHODS - {m.partition(".")[2] for m in METHODS} - set(LIBRARY_METHODS)


REFUSED: list[tuple[Callable[..., Any], str]] = [
    (lambda z: z < 1, "have no order"),
    (lambda z: float(z), "float"),
    (lambda z: np.float64(z), "float64"),
    (lambda z: z // 2, "//"),
    (lambda z: z % 2, "% is not"),
    (lambda z: np.sign(z), "sign"),
    (lambda z: (np.ones(3) * z).var(), "var"),
    (lambda z: np.linalg.det(np.eye(2) * z), "det"),
    (lambda z: np.linalg.eigh(np.eye(2) * z)[0], "eigh"),
    (lambda z: np.linalg.norm(np.eye(2) * z, 2), "spectral norm"),
    (lambda z: np.arange(3)[z], "index"),
    (lambda z: (np.ones(3) * z).astype(np.float64), "conversion"),
    (lambda z: cmath.sqrt(z, z), "1 argument"),
]


def stores_in_a_real_array(z):
    a = np.zeros(3)
    a[0] = z
    return a


def prints(z):
    print(z)
    return z


@pytest.mark.parametrize(
    ("f", "word"),
    [*REFUSED, (stores_in_a_real_array, "real array"), (prints, "print")],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_refused(f, word):
    """By name, with the line."""
    with pytest.raises(SrcadError) as e:
        srcad.differentiable(f, **R)(1 + 2j)
    assert word in str(e.value)
    assert "test_complex_functions.py" in str(e.value)
