"""Functions whose source cannot be found, or that have none."""
# ruff: noqa

import math
import operator

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
    srcad.grad(from_text("def f(x):\n    return x * x\n", "f", "<string>"), **R)(1.0)


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


pair = (lambda x: x * x, lambda x: x + x)
same = (lambda x: x, lambda y: y * y) if math.pi > 4 else (lambda x: x * 2.0, lambda x: x * 3.0)


hidden = from_text("def hidden(x):\n    return x * x\n", "hidden", "<string>")


@refused(UnsupportedSyntax, 1.0)
def helper_without_source(x):
    return hidden(x) + x


@failing(UnsupportedSyntax, located=False)
def generated_lambda():
    srcad.grad(eval("lambda x: x * x"), **R)(1.0)


@failing(UnsupportedSyntax)
def coroutine():
    srcad.grad(waits, **R)(1.0)


async def waits(x):
    return x
