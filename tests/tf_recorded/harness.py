"""Collect programs, run them with what they print caught, keep and load recordings."""

from __future__ import annotations

import contextlib
import inspect
import json
import logging
import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from tests.tf_recorded.values import compare, compare_text, describe

FOLDER = Path(__file__).parent
LOGGED = re.compile(r"^(WARNING|INFO|ERROR|[IWE]\d{4} )[^\n]*\n", re.MULTILINE)


def collect(modules: list[ModuleType]) -> dict[str, Callable]:
    """The programs of some modules, by name: functions of ``tf``, and those in ``CASES``."""
    found: dict[str, Callable] = {}
    for module in modules:
        stem = module.__name__.rsplit(".", 1)[1].removeprefix("cases_")
        for name, value in vars(module).items():
            if name.startswith(("_", "make_")) or not inspect.isfunction(value):
                continue
            here = value.__module__ == module.__name__
            if here and list(inspect.signature(value).parameters) == ["tf"]:
                found[f"{stem}.{name}"] = value
        for name, value in getattr(module, "CASES", {}).items():
            found[f"{stem}.{name}"] = value
    return found


@contextlib.contextmanager
def _redirected(stream: str, number: int, texts: dict[str, str]):
    """Send a standard stream, and the file descriptor below it, to a file; then read it."""
    original = getattr(sys, stream)
    original.flush()
    saved = os.dup(number)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), number)
        setattr(sys, stream, os.fdopen(os.dup(number), "w", buffering=1))
        try:
            yield
        finally:
            getattr(sys, stream).close()
            setattr(sys, stream, original)
            os.dup2(saved, number)
            os.close(saved)
            file.seek(0)
            texts[stream] = file.read().decode()


def run(program: Callable, tf: Any) -> tuple[Any, dict[str, str]]:
    """Run one program: its result, and what it printed on either stream."""
    texts: dict[str, str] = {}
    tf.keras.backend.clear_session()  # names of layers are counted
    tf.random.set_seed(1)
    tf.get_logger().setLevel(logging.ERROR)
    with _redirected("stdout", 1, texts), _redirected("stderr", 2, texts):
        value = program(tf)
    return value, {k: LOGGED.sub("", v) for k, v in texts.items() if LOGGED.sub("", v)}


def described(name: str, program: Callable, tf: Any, arrays: dict) -> dict:
    """The description of a program's result and of what it printed."""
    value, texts = run(program, tf)
    return {"value": describe(value, name, arrays)} | texts


def check(name: str, program: Callable, tf: Any, recording: tuple[dict, Any]) -> None:
    """Run a program and compare with its recording."""
    expected, arrays = recording[0][name], {}
    found = described(name, program, tf, arrays)
    compare(found["value"], expected["value"], name, (arrays, recording[1]))
    for stream in ("stdout", "stderr"):
        compare_text(found.get(stream, ""), expected.get(stream, ""), f"{name}: {stream}")


def save(suite: str, entries: dict, arrays: dict, version: str) -> None:
    """Write a recording."""
    lines = [f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in entries.items()]
    head = f'"tensorflow": {json.dumps(version)}'
    text = "{\n" + ",\n".join([head, *lines]) + "\n}\n"
    (FOLDER / f"{suite}.json").write_text(text, encoding="utf-8")
    path = FOLDER / f"{suite}.npz"
    path.unlink(missing_ok=True)
    if arrays:
        np.savez_compressed(path, **{k.replace("/", "|"): v for k, v in arrays.items()})


def load(suite: str) -> tuple[dict, dict]:
    """Read a recording: descriptions by program, and arrays by key."""
    entries = json.loads((FOLDER / f"{suite}.json").read_text(encoding="utf-8"))
    path = FOLDER / f"{suite}.npz"
    if not path.exists():
        return entries, {}
    with np.load(path) as file:
        return entries, {k.replace("|", "/"): file[k] for k in file.files}
