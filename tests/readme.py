"""The parts of README.md that are generated: outputs of its examples, tables of what is supported.

``python -m tests.readme`` rewrites them; ``tests/test_readme.py`` fails where they have drifted.
A comment in front of a block says what the block is: ``<!-- example -->`` is run, ``<!-- output
-->`` is what the examples since the last output printed, ``<!-- supported -->`` … ``<!-- end -->``
encloses the tables, ``<!-- tape -->``, ``<!-- measured -->`` and ``<!-- gradbench -->`` what was
measured last.
"""

from __future__ import annotations

import ast
import builtins
import cmath
import contextlib
import inspect
import io
import json
import linecache
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import scipy.integrate
import scipy.linalg
import scipy.special

import srcad.compiler  # noqa: F401  (fills the tables)
from benchmarks import report, tape
from benchmarks.gradbench import compare
from srcad.frontend.core import ATTRIBUTES, CALLS, EXPR, METHODS, STMT
from srcad.frontend.fence import REFUSED
from srcad.library import LIBRARY, LIBRARY_ITEMS, LIBRARY_METHODS, complete
from srcad.rules import FUNCTIONS, RULES

README = Path(__file__).resolve().parents[1] / "README.md"
MEASURED = README.parent / "benchmarks" / "results" / "tape.json"
BLOCK = re.compile(r"<!-- (example|output) -->\n```\w+\n(.*?)```", re.DOTALL)
TAPE = re.compile(r"(<!-- tape -->\n).*?(<!-- end tape -->)", re.DOTALL)
TABLES = re.compile(r"(<!-- supported -->\n).*?(<!-- end -->)", re.DOTALL)
SPEED = re.compile(r"(<!-- measured -->\n).*?(<!-- end measured -->)", re.DOTALL)
GRADBENCH = re.compile(r"(<!-- gradbench -->\n).*?(<!-- end gradbench -->)", re.DOTALL)
NAMESPACES: dict[str, Any] = {
    "Python": builtins,
    "math": math,
    "cmath": cmath,
    "numpy": np,
    "numpy.linalg": np.linalg,
    "numpy.random": np.random,
    "numpy.lib.stride_tricks": np.lib.stride_tricks,
    "numpy.polynomial.polynomial": np.polynomial.polynomial,
    "numpy.polynomial.chebyshev": np.polynomial.chebyshev,
    "numpy.polynomial.legendre": np.polynomial.legendre,
    "numpy.polynomial.hermite": np.polynomial.hermite,
    "numpy.polynomial.hermite_e": np.polynomial.hermite_e,
    "numpy.polynomial.laguerre": np.polynomial.laguerre,
    "scipy.integrate": scipy.integrate,
    "scipy.linalg": scipy.linalg,
    "scipy.special": scipy.special,
    "numba": numba,
}
STATEMENTS = {
    "If": "if/elif/else",
    "Return": "return (early, several, inside loops)",
    "Break": "break",
    "Continue": "continue",
    "Pass": "pass",
    "Import": "import",
    "ImportFrom": "from … import",
    "Expr": "calls for their effect",
    "Assign": "assignment (unpacking, swaps, elements, slices, masks, index arrays)",
    "AnnAssign": "annotated assignment",
    "Delete": "del",
    "AugAssign": "augmented assignment",
    "Assert": "assert",
    "Raise": "raise",
    "FunctionDef": "nested def",
    "For": "for (else; over range, prange, arrays, tuples, lists, enumerate, zip, reversed)",
    "While": "while (else)",
}
EXPRESSIONS = {
    "List": "lists",
    "ListComp": "list comprehensions",
    "Call": "calls (positional, keyword, *args)",
    "Constant": "constants",
    "Name": "names",
    "Attribute": "attributes",
    "BinOp": "binary operators",
    "UnaryOp": "unary operators",
    "Compare": "comparisons (chained)",
    "BoolOp": "and/or (short circuit)",
    "IfExp": "conditional expressions",
    "NamedExpr": "walrus",
    "Tuple": "tuples",
    "Dict": "dicts with constant keys",
    "Lambda": "lambda",
    "Slice": "slices",
    "JoinedStr": "f-strings in messages",
    "Subscript": "subscripts",
}


def words(handlers: dict[type, Any], names: dict[str, str]) -> str:
    """What a table of the frontend handles, in words; a new entry without words is an error."""
    handled = {t.__name__ for t in handlers} - set(REFUSED)
    assert handled == set(names), f"say in tests/readme.py what these are: {handled ^ set(names)}"
    return ", ".join(names.values())


def functions() -> dict[str, list[str]]:
    """Names of the functions that may be called, by namespace."""
    found: dict[str, set[str]] = {name: set() for name in NAMESPACES}
    for f in {*CALLS, *FUNCTIONS, *complete(everything=True)}:
        name = (
            "bool_" if f is np.bool_ else {"amax": "max", "amin": "min"}.get(f.__name__, f.__name__)
        )
        for where, module in NAMESPACES.items():
            if vars(module).get(name) is f or (where == "numpy" and f.__name__ == f"a{name}"):
                found[where].add(name)
    return {where: sorted(names) for where, names in found.items()}


def zeros() -> list[str]:
    """Functions whose derivative is declared to be zero."""
    names = {
        f.__name__
        for f, op in FUNCTIONS.items()
        if RULES[op].zero and getattr(f, "__module__", "") != "_operator"
    }
    return sorted(names - {"bool", "bool_", "float32", "float64", "int", "int64"})


def methods() -> dict[str, list[str]]:
    """Methods by kind of object."""
    kinds = {"array": "arrays", "ListV": "lists", "Record": "dicts"}
    found: dict[str, list[str]] = {}
    for key in METHODS:
        kind, _, name = key.partition(".")
        if kind in kinds:
            found.setdefault(kinds[kind], []).append(name)
    found["arrays"] += LIBRARY_METHODS
    owners = {f: getattr(f, "__self__", None) for f in LIBRARY}
    found["ufuncs (of some)"] = [
        *{f.__name__ for f, u in owners.items() if isinstance(u, np.ufunc)}
    ]
    return {kind: sorted(names) for kind, names in found.items()}


def name_of(obj: Any) -> str:
    """Name of an object of NumPy."""
    return next(name for name, known in vars(np).items() if known is obj)


def ticked(names: list[str]) -> str:
    """Names as code."""
    return " ".join(f"`{n}`" for n in names)


def supported() -> str:
    """The tables, as Markdown."""
    rows = [
        ("statements", words(STMT, STATEMENTS)),
        ("expressions", words(EXPR, EXPRESSIONS)),
        *((f"functions of {where}", ticked(names)) for where, names in functions().items()),
        *((f"methods of {kind}", ticked(sorted(set(names)))) for kind, names in methods().items()),
        ("subscripts of", ticked([f"np.{name_of(obj)}" for obj in LIBRARY_ITEMS])),
        ("attributes of arrays", ticked(sorted(ATTRIBUTES))),
        ("derivative zero by rule", ticked(zeros())),
        ("refused, with the reason", ", ".join(dict.fromkeys(w for w, _, _ in REFUSED.values()))),
    ]
    lines = [f"| {a} | {b} |" for a, b in rows]
    return "\n".join(["| | |", "|---|---|", *lines]) + "\n"


def tape_table() -> str:
    """The comparison with TensorFlow, as it was measured last."""
    kept = json.loads(MEASURED.read_text())
    about, versions = kept["about"], kept["versions"]
    threads = "one thread" if about["threads"] == 1 else f"{about['threads']} threads"
    text = (
        f"Medians in milliseconds, by the wall clock and of processor time, beside TensorFlow\n"
        f"{versions['TensorFlow']} with Keras 2, {threads} each, on {about['processors']} "
        f"{about['machine']} cores that other programs\nused too (load {about['load']:.0f}: "
        "look at processor time). A ratio is TensorFlow's time by srcad's. First\n"
        "calls begin in a new process; a function's are eager ones, since it compiles meanwhile.\n"
    )
    return f"\n{text}\n{tape.table(kept['rows'])}\n"


def names_in(table: str) -> set[tuple[str, str]]:
    """(row, name) of everything the tables list that this Python and NumPy have."""
    found = set()
    for line in table.splitlines()[2:]:
        _, row, cell, _ = (part.strip() for part in line.split("|"))
        module = NAMESPACES.get(row.removeprefix("functions of "))
        for name in re.findall(r"`(\w+)`", cell) or [cell]:
            if module is None or hasattr(module, name):
                found.add((row, name))
    return found


def outputs(text: str, folder: Path) -> Iterator[tuple[re.Match[str], str]]:
    """Each output block with what the examples before it print when they run now."""
    namespace: dict[str, Any] = {"__name__": "readme"}
    printed = io.StringIO()
    for number, block in enumerate(BLOCK.finditer(text)):
        if block[1] == "output":
            yield block, printed.getvalue()
            printed = io.StringIO()
            continue
        path = folder / f"example_{number}.py"
        path.write_text(inspect.cleandoc(block[2]) + "\n")
        linecache.checkcache(str(path))
        with contextlib.redirect_stdout(printed):
            exec(compile(ast.parse(path.read_text()), str(path), "exec"), namespace)


def updated(text: str, folder: Path) -> str:
    """The README with its generated parts as they should be."""
    pieces, at = [], 0
    for block, printed in outputs(text, folder):
        pieces += [text[at : block.start(2)], printed.rstrip("\n") + "\n"]
        at = block.end(2)
    text = "".join(pieces) + text[at:]
    text = TABLES.sub(lambda m: m[1] + supported() + m[2], text)
    text = SPEED.sub(lambda m: m[1] + report.readme() + m[2], text)
    text = GRADBENCH.sub(lambda m: m[1] + compare.readme() + m[2], text)
    return TAPE.sub(lambda m: m[1] + tape_table() + m[2], text)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        README.write_text(updated(README.read_text(), Path(scratch)))
