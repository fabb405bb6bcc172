"""Every function of the library against the function it stands for; generated from the registry.

Each sample call: value, shape and kind of the result; forward mode against differences, reverse
against forward, second order in all four pairs of modes; the same with strided, float32, empty and
0-d operands; no argument written to.  What is checked is in ``tests/sample_checks.py``.
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import scipy.special
from scipy.special import boxcox

import srcad
from srcad.frontend.calls import full_name
from srcad.library import LIBRARY, complete, implements
from srcad.specs import spec_of
from tests.sample_checks import (
    Subject,
    check_first_order,
    check_second_order,
    close,
    joined,
    quietly,
)
from tests.samples import Call, Draw

OPTIONS = {"backend": "reference"}


def name_of(f: Callable[..., Any]) -> str:
    """A test id."""
    return full_name(f)


def calls(f: Callable[..., Any], **kind: Any) -> list[Call]:
    """The sample calls of a function."""
    return list(LIBRARY[f].samples(Draw(3, **kind)))


complete(everything=True)
CASES = [pytest.param(f, k, id=f"{name_of(f)}-{k}") for f in LIBRARY for k in range(len(calls(f)))]


def program(f: Callable[..., Any], call: Call) -> Callable[..., Any]:
    """The function with its keyword arguments fixed; what it writes to is a copy."""
    keywords, seed = call.keywords, call.seed
    if LIBRARY[f].in_place:

        def on_a_copy(a: Any, *args: Any) -> Any:
            b = a.copy()
            if seed is not None:
                np.random.seed(seed)
            f(b, *args, **keywords)
            return b

        return on_a_copy
    if seed is not None:

        def seeded(*args: Any) -> Any:
            np.random.seed(seed)
            return f(*args, **keywords)

        return seeded
    return lambda *args: f(*args, **keywords)


def same(got: Any, want: Any, rtol: float, exact_kind: bool = True) -> None:
    """Equal structure, shape, kind of numbers and values."""
    if want is None or isinstance(want, str):
        assert got == want
        return
    if isinstance(want, (tuple, list)):
        assert len(got) == len(want)
        for g, w in zip(got, want, strict=True):
            same(g, w, rtol, exact_kind)
        return
    assert np.shape(got) == np.shape(want)
    if exact_kind:
        assert np.asarray(got).dtype.kind == np.asarray(want).dtype.kind
    scale = np.max(np.abs(want), initial=0.0) if np.size(want) else 0.0
    scale = scale if np.isfinite(scale) else 0.0
    np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * scale)


def check_value(s: Subject, args: tuple[Any, ...], rtol: float = 1e-12, exact: bool = True) -> None:
    """What the original gives; arguments stay as they are."""
    before = copy.deepcopy(args)
    got = s.result(s.value(s.leaves(args)))
    same(got, s.plain(args), rtol, exact)
    same(args, before, 0.0)


@pytest.mark.parametrize(("f", "k"), CASES)
def test_sample(f, k):
    """Value; first and second derivatives; empty operands."""
    call = calls(f)[k]
    s = Subject(program(f, call), call.args)
    check_value(s, call.args)
    if call.smooth:
        check_first_order(s, call.args)
        check_second_order(s, call.args)
    check_empty(f, k, s)


@pytest.mark.parametrize(("f", "k"), CASES)
def test_other_operands(f, k):
    """Strided views, arrays of float32, arrays without axes."""
    plain = calls(f)[k]
    for check, kind in (
        (check_strided, {"strided": True}),
        (check_single, {"dtype": np.float32}),
        (check_zero_d, {"zero_d": True}),
    ):
        call = drawn(f, k, **kind)
        if call is not None and kinds(call) != kinds(plain):
            check(f, k, call)


def drawn(f: Callable[..., Any], k: int, **kind: Any) -> Call | None:
    """A sample call; ``None`` where the sample takes apart what it draws, and cannot."""
    try:
        return calls(f, **kind)[k]
    except (TypeError, ValueError, IndexError):
        return None


def check_strided(f: Callable[..., Any], k: int, call: Call) -> None:
    """Value and first derivatives."""
    s = Subject(program(f, call), call.args)
    check_value(s, call.args)
    if call.smooth:
        check_first_order(s, call.args)


def check_single(f: Callable[..., Any], k: int, call: Call) -> None:
    """Value and gradient as in float64, to the accuracy of float32."""
    s = Subject(program(f, call), call.args)
    check_value(s, call.args, 2e-4, exact=False)
    if call.smooth:
        t = Subject(program(f, call), widened(call.args))
        x, y = s.leaves(s.args), t.leaves(t.args)
        w = s.outputs(np.random.default_rng(0), s.value(x))
        found, want = (joined(q.pullback([*z, *w])) for q, z in ((s, x), (t, y)))
        close("float32 against float64", found, want, 2e-3)


def check_zero_d(f: Callable[..., Any], k: int, call: Call) -> None:
    """As the original has it, or refused with a reason."""
    s = None
    with contextlib.suppress(srcad.SrcadError):
        s = Subject(program(f, call), call.args)
    if like_the_original(f, k, call, s) and s is not None and call.smooth and any(s.active):
        if np.all(np.isfinite(joined(s.value(s.leaves(call.args))))):
            check_first_order(s, call.args)


def check_empty(f: Callable[..., Any], k: int, s: Subject) -> None:
    """The same program where an axis (of any of its sizes) is empty."""
    for n in sorted({n for a in arrays((s.args, calls(f)[k].keywords)) for n in a.shape}):
        call = drawn(f, k, none=n)
        if call is None:
            continue
        if any(True for _ in arrays(call.keywords)) or not s.fits(call.args):
            s = Subject(program(f, call), call.args)
        if like_the_original(f, k, call, s) and call.smooth:
            rng = np.random.default_rng(0)
            leaves = s.leaves(call.args)
            results = s.value(leaves)
            u, w = s.inputs(rng, call.args), s.outputs(rng, results)
            tangents = joined(s.tangent([*leaves, *u]))
            cotangents = joined(s.pullback([*leaves, *w]))
            if all(np.all(np.isfinite(r)) for r in results):
                left, right = tangents @ joined(w), cotangents @ joined(u)
                close(f"{n} is 0", np.array([right]), np.array([left]), 1e-9)


def like_the_original(f: Callable[..., Any], k: int, call: Call, s: Subject | None) -> bool:
    """Check the value; what the original refuses must be refused.  Whether there is a value.

    (An index out of range that only the interpreter notices is no refusal.)
    """
    if f in UNLIKE and k in UNLIKE[f][1]:
        return False
    refused: Exception | None = None
    try:
        want = quietly(program(f, call), *copy.deepcopy(call.args))
    except Exception as e:
        refused = e
    if refused is not None and s is not None:
        with pytest.raises(Exception) as raised:  # noqa: PT011  (of whatever kind)
            s.value(s.leaves(call.args))
        assert isinstance(refused, IndexError) or not isinstance(raised.value, IndexError)
    elif s is not None:
        same(s.result(s.value(s.leaves(call.args))), want, 1e-12)
    return refused is None


# samples whose results of nothing, or of arrays without axes, are not the original's, and why
UNLIKE: dict[Any, tuple[str, tuple[int, ...]]] = {
    math.prod: ("the type depends on the length", (0,)),
    np.bincount: ("the type depends on the length", (2, 3)),
    np.poly: ("the type depends on the length", (0, 1, 2)),
    np.cov: ("refused where the number of axes depends on a size", (4, 7)),
    np.corrcoef: ("refused where the number of axes depends on a size", (3,)),
    np.average: ("NaN where NumPy divides Python's zeros", (1, 6, 8)),
    np.median: ("NumPy reshapes to a size of -1", (3,)),
    **dict.fromkeys((np.quantile, np.percentile), ("NumPy reshapes to a size of -1", (2,))),
    **dict.fromkeys(
        (np.nanquantile, np.nanpercentile),
        ("NumPy loses the axis of q", (1, 3, 6, 7, *range(14, 19))),
    ),
    scipy.special.logsumexp: ("SciPy indexes what it made 1-D", (2, 3, 5, 11, 13)),
    **dict.fromkeys(
        (scipy.special.softmax, scipy.special.log_softmax), ("SciPy indexes what it made 1-D", (4,))
    ),
    np.diff: ("nothing is to be done for order 0", (5,)),
    np.polyder: ("nothing is to be done for order 0", (3,)),
    np.take_along_axis: ("NumPy wants an axis", (3,)),
    np.pad: ("NumPy wants an axis", (2, 11)),
    np.random.permutation: ("an array without axes is permuted as it is", (1, 2)),
}


def arrays(x: Any) -> Iterator[np.ndarray]:
    """The arrays in a structure."""
    if isinstance(x, np.ndarray):
        yield x
    elif isinstance(x, (tuple, list)):
        for v in x:
            yield from arrays(v)
    elif isinstance(x, dict):
        yield from arrays(tuple(x.values()))


def kinds(call: Call) -> list[Any]:
    """What decides the program of a call."""
    return [spec_of(a) for a in (*call.args, *arrays(call.keywords))]


def widened(x: Any) -> Any:
    """Arguments with float64 in place of float32."""
    if isinstance(x, np.ndarray):
        return x.astype(np.float64) if x.dtype == np.float32 else x
    return type(x)(map(widened, x)) if isinstance(x, (tuple, list)) else x


def test_entries_explain_themselves():
    """Every entry has samples and a docstring."""
    for f, entry in LIBRARY.items():
        assert entry.code.__doc__, name_of(f)
        assert calls(f), name_of(f)


def loss(x):
    return np.sum(boxcox(x, 0.3) ** 2)


def test_a_new_entry_is_all_it_takes():
    """A compiled function is refused; with an entry of four lines the tests above apply to it."""
    x = np.linspace(0.2, 2.0, 5)
    with pytest.raises(srcad.UnknownFunction, match="boxcox"):
        srcad.grad(loss, **OPTIONS)(x)

    @implements(boxcox, samples=lambda d: [d.call(d.pos(4), 0.3), d.call(d.num(), d.num())])
    def code(x, exponent):
        """(x^p - 1) / p."""
        return (x**exponent - 1.0) / exponent

    try:
        for k in range(2):
            test_sample(boxcox, k)
            test_other_operands(boxcox, k)
        srcad.check_grads(loss, (x,), **OPTIONS)
    finally:
        del LIBRARY[boxcox]
