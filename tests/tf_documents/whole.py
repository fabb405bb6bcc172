"""Whole documents: their text runs with its one line ``import tensorflow as tf`` replaced."""

from __future__ import annotations

import contextlib
import io
import runpy
import tempfile
import warnings
from pathlib import Path
from typing import Any

from tests.tf_documents.fixed import without_numbers

FOLDER = Path(__file__).parent / "scripts"
# documents that train on random numbers from random weights
RANDOM = {"doc003", "doc004"}


def run_script(name: str, tf: Any) -> None:
    """Run a document and print what it prints."""
    text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    text = text.replace("import tensorflow as tf\n", f"import {tf.__name__} as tf\n")
    shown = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(shown):
        path = Path(folder, f"{name}.py")
        path.write_text(text, encoding="utf-8")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            runpy.run_path(str(path))
    printed = shown.getvalue()
    print(without_numbers(printed) if name in RANDOM else printed, end="")


def _script(name: str):
    return lambda tf: run_script(name, tf)


CASES = {p.stem: _script(p.stem) for p in sorted(FOLDER.glob("*.txt"))}
