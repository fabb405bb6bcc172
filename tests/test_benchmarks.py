"""The benchmarks: what is measured agrees, tables and targets say what was measured."""

from __future__ import annotations

import json

import numpy as np
import pytest

import srcad
from benchmarks import by_hand, by_hand_adbench, compare, growth, measure, objectives, report
from benchmarks import cases as c
from benchmarks import targets as t
from benchmarks.timing import Timed
from benchmarks.variants import variants

SMALL = {
    "gmm": (c.mixture(3, 2, 4), (0, 1, 2, 3)),
    "bundle": (c.views(3, 4, 6), (0, 1, 2)),
    "lstm": (c.text(2, 4, 3), (0, 1)),
    "log_sum_exp": ((c.numbers(5),), (0,)),
    "misfit": ((c.numbers(4), 6), (0,)),
    "chain": ((c.numbers(5), 3), (0,)),
    "burgers": ((c.start_of_wave(6), 3, 0.2, 0.2), (0,)),
    "rosenbrock": ((c.numbers(4),), (0,)),
    "wave": ((0.7,), (0,)),
    "roots": ((1.0 + c.numbers(3),), (0,)),
}
SAME = {"reactions": "chain", "burgers_in_place": "burgers"}


def gradient(f, name, how="reference"):
    """Value and gradients as one vector."""
    arguments, argnums = SMALL[name]
    return measure.flat(srcad.value_and_grad(f, argnums=argnums, backend=how)(*arguments))


@pytest.mark.parametrize("name", SMALL)
def test_adjoints_by_hand(name):
    """They are the compiler's, run as plain Python."""
    adjoint = vars(by_hand).get(name) or vars(by_hand_adbench)[name]
    value, parts = adjoint(*SMALL[name][0])
    ours = gradient(vars(objectives)[name], name)
    assert measure.apart(ours, measure.flat((value, parts))) < 1e-12


@pytest.mark.parametrize("name", [n for n in SMALL if variants(n)])
def test_variants(name):
    """Every style has the original's value and gradient."""
    found = variants(name)
    assert {"helper", "renamed"} <= set(found)
    ours = gradient(vars(objectives)[name], name)
    for kind, f in found.items():
        assert measure.apart(ours, gradient(f, name)) < 1e-12, kind


def test_same_problems_share_an_adjoint():
    """``reactions`` and ``burgers_in_place`` compute what ``chain`` and ``burgers`` do."""
    for name, other in SAME.items():
        apart = measure.apart(
            gradient(vars(objectives)[other], other), gradient(vars(objectives)[name], other)
        )
        assert apart < 1e-12


@pytest.mark.parametrize("case", c.cases(), ids=lambda case: case.name)
def test_cases_are_complete(case):
    """Each has an adjoint by hand; those with styles have variants; floats are differentiated."""
    assert case.by_hand is not None
    assert not case.styled or variants(case.objective.__name__)
    assert all(np.asarray(case.arguments[k]).dtype == np.float64 for k in case.argnums)


def row(**seconds):
    """A row of results."""
    return {"seconds": {"primal": 1.0, "srcad": 2.0, **seconds}, "first": {"srcad": 0.5}}


def test_limit_is_the_faster_adjoint():
    """Ratios are taken over it; what was not measured is not there."""
    assert t.ratios(row(**{"by hand": 2.5, "by hand, fast": 1.6})) == {"primal": 2.0, "limit": 1.25}
    assert t.ratios({**row(jax=6.0), "tape": 80}) == {"primal": 2.0, "jax": 3.0, "tape": 80}


def test_misses_say_by_how_much():
    """Over the limit, over the primal, not fast enough beside JAX."""
    slow = row(jax=3.0, **{"by hand": 1.0})
    assert t.misses("lstm l2 c1024", slow) == {
        "limit": 2.0,
        "primal": pytest.approx(2.0 / 1.3),
        "jax": pytest.approx(4.0 / 1.5),
    }
    assert t.verdict("ba", slow) == "limit missed 1.82x, jax missed 3.33x"
    assert t.verdict("ba", row(jax=10.0, **{"by hand": 2.0})) == "met"
    assert t.verdict("roots n10000", slow) == ""


def test_targets_name_cases():
    """Every target is of a row; a longer name is another row."""
    names = [case.name for case in c.cases()]
    for target in t.TARGETS:
        assert any(f"{name} ".startswith(target) for name in names), target
    assert not t.has_target("log_sum_exp n100000") and not t.has_target("burgers in place n1000")


def test_variants_are_compared_with_their_original():
    """A miss is a gradient that is slower, measured by the adjoint by hand of the original."""
    original = row(**{"by hand": 2.0})
    slower = {"seconds": {"primal": 1.0, "srcad": 3.0, "by hand": 2.0}}
    found = t.variant(slower, original)
    assert found.missed and found.verdict == "missed 1.50x"
    slower["seconds"]["primal"] = 2.0
    assert t.variant(slower, original).verdict == "missed 1.50x (so is its primal)"
    assert t.variant(original, original).verdict == "met"


RESULTS = {
    "about": "About.",
    "rows": {
        "lstm l2": {**row(jax=30.0, **{"by hand": 1.9}), "warm": 0.08, "tape": 12345},
        "roots": row(),
    },
    "variants": {"lstm l2": {"helper": row(**{"by hand": 1.9})}},
    "growth": {"lstm": {"10": {"srcad": {"seconds": 0.001, "bytes": 2e6, "tape": 80}}}},
    "overhead": {"one float": [300.4, 200.4]},
}


def test_tables():
    """Units, ratios, dashes for what there is not, misses in words."""
    text = report.tables(RESULTS)
    assert (
        "| lstm l2 | 1000 | 2000 | 1.05 | 2.00 | 15.0 | 0.50 | - | 0.080 | 12.3 kB "
        "| limit missed 1.05x, primal missed 1.54x |"
    ) in text
    assert "| roots | 1000 | 2000 | - | 2.00 | - | 0.50 | - | - | - |  |" in text
    assert "1 of 1 rows with a target miss it, the furthest is lstm l2 (1.54x)." in text
    assert "| lstm l2 | helper | 1000 | 2000 | 1.05 | 2.00 | 1.00 | 1.00 | met |" in text
    assert "| lstm | 10 | 1.00 ms, 2 MB | 80 B |" in text
    assert "| one float | 300 | 200 | 100 |" in text


def test_pictures(tmp_path):
    """PNG files."""
    pytest.importorskip("matplotlib")
    from benchmarks import pictures

    pictures.speed(RESULTS, tmp_path / "speed.png")
    pictures.growth(RESULTS["growth"], tmp_path / "growth.png")
    for name in ("speed.png", "growth.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_old_rows_stay(tmp_path):
    """What is not measured again is kept, what is, is in the file at once."""
    path = tmp_path / "new" / "speed.json"
    compare.Kept(path).put(1, "rows", "a")
    again = compare.Kept(path)
    again.put("now", "about")
    again.put({"x": 2}, "rows", "b")
    assert json.loads(path.read_text()) == {"rows": {"a": 1, "b": {"x": 2}}, "about": "now"}


def test_a_call_is_timed_in_batches():
    """Seconds a call, though the clock is read once for many."""
    reads, calls = [], []

    def clock():
        reads.append(1)
        return len(calls) * 0.001

    timed = Timed(lambda: calls.append(1), clock)
    assert timed(0.1) == pytest.approx(0.001)
    assert len(calls) == 101 and len(reads) == 4


def test_a_wrong_gradient_is_an_error():
    """Before anything is timed."""
    wrong = c.Case("wrong", objectives.wave, (0.7,), (0,), lambda x: (np.sin(x) * x, (1.0,)))
    with pytest.raises(measure.Disagreement, match="by hand"):
        measure.row(measure.Session(rounds=1, least=0.0), wrong)


def test_the_command(tmp_path, monkeypatch, capsys):
    """Two small cases through the whole run, one other tool beside them."""
    pytest.importorskip("autograd")
    small = [
        c.Case("rosenbrock n4", objectives.rosenbrock, SMALL["rosenbrock"][0], (0,), None),
        c.Case("sin(x) x", objectives.wave, (0.7,), (0,), by_hand.wave),
    ]
    monkeypatch.setattr(compare, "cases", lambda data: small)
    monkeypatch.setattr(compare.startup, "in_process", lambda *given: {"first": 0.25})
    monkeypatch.setattr(growth, "growing", lambda: {"numbers": small[:1]})
    monkeypatch.setenv("SRCAD_CACHE_DIR", str(tmp_path))
    path = tmp_path / "speed.json"
    options = ["--rounds", "1", "--seconds", "0", "--tools", "autograd", "--json", str(path)]
    compare.main([*options, "--only", "table,growth", "--cases", ""])
    kept = json.loads(path.read_text())
    assert set(kept["rows"]) == {"rosenbrock n4", "sin(x) x"}
    assert all(r["seconds"]["autograd"] > 0.0 and r["warm"] == 0.25 for r in kept["rows"].values())
    assert kept["growth"]["numbers"]["rosenbrock n4"]["srcad"]["tape"] == 0
    assert "| sin(x) x |" in capsys.readouterr().out


def test_a_tool_that_is_not_installed():
    """Is told apart from one that is."""
    assert compare.started_peers(["no such tool"], {}, "cpu") == []
    assert compare.started_peers(["jax"], {"jax": "/nowhere/python"}, "cpu") == []
