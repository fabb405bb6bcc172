"""The net under the compiler: a bug of srcad is an ``InternalError``, the program's errors pass."""

from __future__ import annotations

import ast
import linecache

import pytest

import srcad
from srcad import compiler
from srcad.api import safety
from srcad.backends import printer
from srcad.backends.printer import Module
from srcad.errors import InternalError, UnsupportedSyntax

R = {"backend": "reference"}


def inverse(x):
    if x < 0.0:
        raise ValueError("negative")
    return 1.0 / x


def broken_pass(fn):
    return {}["no such key"]


@pytest.mark.parametrize(
    "call",
    [
        lambda: srcad.grad(inverse, **R)(2.0),
        lambda: srcad.jvp(inverse, (2.0,), (1.0,), **R),
        lambda: srcad.vjp(inverse, 2.0, **R),
        lambda: srcad.hessian(inverse, **R)(2.0),
        lambda: srcad.source(srcad.grad(inverse, **R), 2.0),
        lambda: srcad.explain(srcad.grad(inverse, **R), 2.0),
    ],
    ids=["grad", "jvp", "vjp", "hessian", "source", "explain"],
)
def test_a_bug_of_the_compiler(monkeypatch, call):
    """It names the user's function and asks for a report; the cause is chained."""
    monkeypatch.setattr(compiler, "PASSES", (broken_pass,))
    with pytest.raises(InternalError) as caught:
        call()
    message = str(caught.value)
    assert "srcad failed to compile inverse: KeyError: 'no such key'" in message
    assert "test_safety.py" in message and "def inverse(x):" in message
    assert "please report this" in message
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_bug_in_the_frontend_names_the_statement(monkeypatch):
    """The line is that of the statement that was being lowered."""
    from srcad.frontend import core

    def broken(lo, node):
        raise AttributeError("nothing")

    monkeypatch.setitem(core.STMT, ast.Raise, broken)
    with pytest.raises(InternalError, match=r'raise ValueError\("negative"\)'):
        srcad.grad(inverse, **R)(2.0)


def load(name, text):
    """A function of a text that has no file."""
    file = f"<{name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    space: dict = {}
    exec(compile(text, file, "exec"), space)
    return space[name]


def test_long_expressions_compile():
    """Hundreds of terms in one expression are no problem."""
    many = load("many", "def many(x):\n    return " + "x * x + " * 400 + "x\n")
    assert srcad.grad(many, **R)(1.5) == pytest.approx(1201.0)


def test_nesting_deeper_than_the_stack(monkeypatch):
    """It is refused, not crashed on."""
    monkeypatch.setattr(safety, "DEPTH", 0)
    deep = load("deep", "def deep(x):\n    return " + "x + " * 600 + "x\n")
    with pytest.raises(UnsupportedSyntax, match="nests too deeply"):
        srcad.grad(deep, **R)(1.0)


BAD = """\
import numba


@numba.njit
def inverse_b(x):
    y = x.no_such_attribute
    return y
"""


def test_code_that_numba_refuses(monkeypatch):
    """The generated line is named; nothing of Numba's traceback comes through."""
    monkeypatch.setattr(printer, "emit", lambda fn: Module(BAD, "inverse_b", ast.parse(BAD)))
    with pytest.raises(InternalError, match="Numba cannot compile") as caught:
        srcad.grad(inverse, backend="cpu")(2.0)
    message = str(caught.value)
    assert "y = x.no_such_attribute" in message and "please report this" in message
    assert caught.value.__cause__ is not None


def test_errors_of_the_program_pass_through_the_compiled_code():
    """They are what they are, not wrapped, at the first call and later."""
    g = srcad.grad(inverse, backend="cpu")
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^negative$"):
            g(-1.0)
        with pytest.raises(ZeroDivisionError):
            g(0.0)
    assert g(2.0) == -0.25
