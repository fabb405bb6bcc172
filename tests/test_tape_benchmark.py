"""The comparison with TensorFlow: its programs run, its table says what was measured."""

from __future__ import annotations

import json
import math
import sys

import numpy as np
import pytest

import srcad.tf as tf
from benchmarks import tape
from benchmarks.tape_rows import ROWS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_programs_run(row, monkeypatch):
    """Each gives finite numbers (functions are traced, but not compiled)."""
    monkeypatch.setattr(sys.modules["srcad.tf.function"], "PATIENCE", math.inf)
    result = np.asarray(row.build(tf)())
    assert np.isfinite(result).all() and np.abs(result).sum() > 0


def test_without_tensorflow(capsys, tmp_path):
    """Its columns stay empty."""
    path = tmp_path / "rows.json"
    options = ["--tensorflow", "/nowhere/python", "--rounds", "2", "--least", "0.001"]
    tape.main([*options, "--rows", "201 by", "--json", str(path)])
    printed = capsys.readouterr().out
    assert "not installed" in printed
    cells = [c.strip() for c in printed.splitlines()[-1].split("|")[1:-1]]
    assert cells[0] == "jacobian 201 by a scalar" and cells[2] == cells[3] == "-"
    kept = json.loads(path.read_text())
    assert len(kept["rows"][cells[0]]["srcad"]["wall"]) == 2
    assert kept["versions"] == {"srcad": tf.__version__}


def test_table():
    """Medians in milliseconds, and how many times longer TensorFlow takes."""
    samples = {
        "srcad": {"wall": [0.001, 0.002, 0.009], "cpu": [0.001] * 3, "total": [1.0] * 3},
        "TensorFlow": {"wall": [0.02] * 3, "cpu": [0.03] * 3, "total": [1.0001] * 3},
    }
    assert tape.line("a", samples) == "| a | 2 | 20 | 10 | 1 | 30 | 30 |"
    tape.check("a", samples)
    with pytest.raises(AssertionError):
        tape.check("a", samples | {"TensorFlow": {"total": [1.1]}})


def test_picture(tmp_path):
    """Bars of the ratios."""
    pytest.importorskip("matplotlib")
    rows = {"a": {"srcad": {"wall": [1.0]}, "TensorFlow": {"wall": [3.0]}}}
    tape.plot(rows, tmp_path / "rows.png")
    assert (tmp_path / "rows.png").read_bytes().startswith(b"\x89PNG")


def test_worker_is_a_process_of_its_own():
    """An interpreter without the library is told apart from one that has it."""
    with pytest.raises(ImportError):
        tape.Process(sys.executable, "no_such_library", {})
