"""Functions whose source cannot be found, or that have none."""
# ruff: noqa

import importlib.util
import linecache
import math
import operator
import tempfile
from pathlib import Path

import numpy as np

import srcad
from srcad import SrcadError, UnknownFunction, UnsupportedSyntax
from tests.error_cases.registry import failing, refused

R = {"backend": "reference"}


def from_text(text, name, file):
    space = {"math": math}
    exec(compile(text, file, "exec"), space)
    return space[name]


@failing(UnsupportedSyntax, located=False)
def made_by_exec():
    srcad.grad(from_text("def f(x):\n    return x * x\n", "f", "<nowhere>"), **R)(1.0)


@failing(UnsupportedSyntax, located=False)
def typed_at_a_prompt():
    srcad.grad(from_text("def f(x):\n    return x * x\n", "f", "<stdin>"), **R)(1.0)


@failing(UnsupportedSyntax, located=False)
def file_that_is_gone():
    srcad.grad(from_text("def f(x):\n    return x * x\n", "f", "/nowhere/model.py"), **R)(1.0)


@failing(UnknownFunction, located=False)
def builtin():
    srcad.grad(math.sin, **R)(1.0)


@failing(UnknownFunction, located=False)
def numpy_function():
    srcad.grad(np.sum, **R)(np.ones(2))


@failing(UnknownFunction, located=False)
def operator_object():
    srcad.grad(operator.itemgetter(0), **R)((1.0, 2.0))


@failing(UnknownFunction, located=False)
def class_of_the_user():
    srcad.grad(Plain, **R)(1.0)


class Plain:
    """Not a function."""

    def __init__(self, x):
        self.x = x


@failing(UnsupportedSyntax, located=False)
def file_that_was_edited():
    edited()


def edited():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "edited_model.py"
        path.write_text("def f(x):\n    return x * x\n")
        spec = importlib.util.spec_from_file_location("edited_model", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        path.write_text("def f(x):\n    return x + x\n")
        try:
            return srcad.grad(module.f, **R)(1.0)
        finally:
            linecache.checkcache(str(path))


hidden = from_text("def hidden(x):\n    return x * x\n", "hidden", "<nowhere>")


@refused(UnsupportedSyntax, 1.0)
def helper_without_source(x):
    return hidden(x) + x


@failing(UnsupportedSyntax, located=False)
def generated_lambda():
    srcad.grad(eval(compile("lambda x: x * x", "<nowhere>", "eval")), **R)(1.0)


@failing(UnsupportedSyntax)
def coroutine():
    srcad.grad(waits, **R)(1.0)


async def waits(x):
    return x
