"""Every function of the library against the function it stands for; generated from the registry.

Value, shape and dtype of the result; first and second derivatives in all pairs of modes against
differences; strided and float32 arguments; no argument written to.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.special import boxcox

import srcad
from srcad.frontend.calls import full_name
from srcad.library import LIBRARY, complete, implements
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


@pytest.mark.parametrize(("f", "k"), CASES)
def test_value(f, k):
    """What the original gives; arguments stay as they are."""
    call = calls(f)[k]
    before = copy.deepcopy(call.args)
    got = srcad.differentiable(program(f, call), **OPTIONS)(*call.args)
    same(got, program(f, call)(*call.args), 1e-12)
    same(call.args, before, 0.0)


def some(cases: list[Any]) -> list[Any]:
    """The first case of each function; all of them where SRCAD_ALL_SAMPLES is set."""
    if os.environ.get("SRCAD_ALL_SAMPLES"):
        return cases
    return list({id(c.values[0]): c for c in reversed(cases)}.values())


@pytest.mark.parametrize(("f", "k"), some(CASES))
def test_value_of_strided_and_single(f, k):
    """Strided views give the same; float32 the same to its accuracy."""
    for kind, rtol in (({"strided": True}, 1e-12), ({"dtype": np.float32}, 2e-4)):
        call = calls(f, **kind)[k]
        got = srcad.differentiable(program(f, call), **OPTIONS)(*call.args)
        same(got, program(f, call)(*call.args), rtol, exact_kind=False)


SMOOTH = [c for c in CASES if calls(c.values[0])[c.values[1]].smooth]


TWICE = {tuple(c.values) for c in some(SMOOTH)}


@pytest.mark.parametrize(("f", "k"), SMOOTH)
def test_derivatives(f, k):
    """Forward against differences, reverse against forward; of one sample the same twice."""
    call = calls(f)[k]
    order = 2 if (f, k) in TWICE else 1
    srcad.check_grads(program(f, call), call.args, order=order, **OPTIONS)


@pytest.mark.parametrize(("f", "k"), some(SMOOTH))
def test_derivatives_of_strided(f, k):
    """First order, with arrays that are strided views."""
    call = calls(f, strided=True)[k]
    srcad.check_grads(program(f, call), call.args, order=1, **OPTIONS)


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
            test_value(boxcox, k)
            test_value_of_strided_and_single(boxcox, k)
            test_derivatives(boxcox, k)
        srcad.check_grads(loss, (x,), **OPTIONS)
    finally:
        del LIBRARY[boxcox]
