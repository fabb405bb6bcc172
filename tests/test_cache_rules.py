"""The cache on disk and what the API makes: rules, derivatives inside, solvers, options."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import srcad
from srcad.api import inside
from srcad.cache import entries
from srcad.cache.fingerprint import Uncacheable
from srcad.frontend.core import RULED
from tests import cache_programs
from tests.cache_programs import EDITS
from tests.test_cache import cache, flat, forget, key, project  # noqa: F401  (fixtures)


def ruled():
    """The project's module of rules, imported anew."""
    forget()
    return importlib.import_module("ruled")


def slopes(names):
    """Gradients of the project's functions, compiled and by the interpreter."""
    table = ruled().FUNCTIONS
    found = {n: srcad.value_and_grad(table[n], cache=True)(0.7) for n in names}
    right = {n: srcad.value_and_grad(table[n], backend="reference")(0.7) for n in names}
    return found, right


def test_hits_and_edits(cache, project, monkeypatch):  # noqa: F811
    """The same text is found again and nothing is lowered; after edits nothing is stale."""
    names = ("custom_forward", "custom_reverse", "captured_derivative", "fixed")
    first, right = slopes(names)
    table = ruled().FUNCTIONS

    def never(*args):
        raise AssertionError("the compiler ran")

    with monkeypatch.context() as m:
        m.setattr(inside, "lowered", never)
        for n in names:
            assert flat(srcad.value_and_grad(table[n], cache=True)(0.7)) == flat(first[n])
    for e in EDITS:
        if e.file == "ruled.py" and e.old not in ("slope = srcad.grad(inner)", "close=0.5"):
            cache_programs.edit(project, e)
    edited, right_now = slopes(names)
    for n in names:
        assert first[n] == pytest.approx(right[n], rel=1e-13)
        assert edited[n] == pytest.approx(right_now[n], rel=1e-13)
        assert edited[n] != pytest.approx(first[n], rel=1e-3)


def test_solvers_are_not_kept(cache, project):  # noqa: F811
    """Code that calls a solver as it is names what only this process has."""
    f = ruled().UNKNOWN["solved"]
    with pytest.raises(Uncacheable):
        key(srcad.grad(f))
    assert srcad.grad(f, cache=True)(2.0) == pytest.approx(3.0)
    assert not cache.exists() or not list(cache.iterdir())


def outer(x):
    return np.arctan2(x, 2.0) * legacy(x)


def legacy(x):
    return x * x


def rule(primals, tangents):
    return legacy(primals[0]), 7.0 * tangents[0]


def other_rule(primals, tangents):
    return legacy(primals[0]), 8.0 * tangents[0]


@pytest.fixture
def rules():
    """Rules registered by a test are gone after it."""
    before = dict(RULED)
    yield
    RULED.clear()
    RULED.update(before)


def test_registered_rules(cache, rules):  # noqa: F811
    """A rule for a function of another's is part of every key."""
    keys = [key(outer)]
    found = []
    for jvp in (rule, other_rule):
        srcad.register_rule(legacy, jvp=jvp)
        keys.append(key(outer))
        found.append(srcad.grad(outer, cache=True)(0.7))
    assert len(set(keys)) == 3
    wanted = [0.49 * 2.0 / (4.0 + 0.49) + np.arctan2(0.7, 2.0) * k for k in (7.0, 8.0)]
    assert found == pytest.approx(wanted)


def test_rule_given_later(rules):
    """The key changes with the rule that a function gets, be it one of srcad."""
    from srcad.examples import square_sum

    f = srcad.custom_jvp(legacy)
    g = srcad.grad(f)
    with_none = key(g)
    f.defjvp(rule)
    with_one = key(g)
    f.defjvp(other_rule)
    assert len({with_none, with_one, key(g)}) == 3
    before = key(outer)
    srcad.register_rule(square_sum, jvp=rule)
    assert key(outer) != before


def test_options_are_part_of_the_key(cache):  # noqa: F811
    """Code that releases the lock is other code; so is code under other defaults."""
    places = {srcad.grad(outer).slot(("call",), {}).key}
    places.add(srcad.grad(outer, nogil=True).slot(("call",), {}).key)
    with srcad.using(memory_limit=5):
        places.add(srcad.grad(outer, memory_limit=7).slot(("call",), {}).key)
    places.add(srcad.grad(outer, memory_limit=7).slot(("call",), {}).key)
    assert len(places) == 4
    assert entries.Slot(outer).key == entries.Slot(outer).key
