"""The source text that a saved module declares, and the fence around running it.

``declared_source`` collects the classes and functions that a module needs, as their author wrote
them.  ``run_source`` runs such a text where only ``tf``, ``np`` (its ufuncs), ``math`` and
harmless builtins exist; imports, files, underscored attributes and the like are refused before
anything runs.  The fence is for accidents and simple malice; it is no reason to load files from
strangers.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import math
import textwrap
import types
from typing import Any

import numpy as np

from srcad.errors import UnsupportedSyntax
from srcad.tape.dtypes import DType
from srcad.tf.function import Function

BUILTINS = (
    *("abs", "all", "any", "bool", "dict", "enumerate", "float", "int", "isinstance", "len"),
    *("list", "map", "max", "min", "range", "reversed", "round", "set", "sorted", "str", "sum"),
    *("super", "tuple", "zip", "property", "staticmethod", "classmethod", "__build_class__"),
    *("ValueError", "TypeError", "RuntimeError", "NotImplementedError"),
)
FORBIDDEN = {"save", "load", "save_weights", "load_weights", "saved_model", "format", "format_map"}
DUNDERS = {"__init__", "__call__"}
NUMPY: dict[str, Any] = {
    name: value
    for name, value in vars(np).items()
    if isinstance(value, np.ufunc | float) or name in ("float32", "float64", "int32", "int64")
}


# collecting
def declared_source(cls: type) -> str:
    """The text that defines a class and everything its methods mention."""
    parts: dict[str, str] = {}
    _collect(cls.__name__, cls, parts)
    return "\n\n".join(parts.values()) + "\n"


def _collect(name: str, value: Any, parts: dict[str, str]) -> None:
    """Add the definition of ``name``, after those that it needs."""
    if name in parts or name in ("tf", "np", "math"):
        return
    if value is None or isinstance(value, bool | int | float | str):
        parts[name] = f"{name} = {value!r}"
        return
    plain = _plain(value)
    if plain is None:
        raise UnsupportedSyntax(
            f"{name!r} ({type(value).__name__}) cannot be saved with the module",
            why="saved functions may use tf, np, math, numbers, and functions written in Python",
            instead="make it an attribute of the module",
        )
    parts[name] = ""  # a place, should it mention itself
    for other, meant in _mentioned(plain).items():
        _collect(other, meant, parts)
    text = textwrap.dedent(inspect.getsource(plain)).rstrip()
    del parts[name]
    alias = "" if plain.__name__ == name else f"\n{name} = {plain.__name__}"
    parts[name] = text + alias


def _plain(value: Any) -> Any:
    """The class or function behind decorators."""
    if isinstance(value, type):
        return value
    value = value.python_function if isinstance(value, Function) else value
    value = inspect.unwrap(value) if callable(value) else value
    return value if inspect.isfunction(value) else None


def _mentioned(value: Any) -> dict[str, Any]:
    """What a function or the methods of a class take from outside."""
    functions = [value]
    found: dict[str, Any] = {}
    if isinstance(value, type):
        functions = [_plain(f) for f in vars(value).values() if callable(f) or hasattr(f, "fget")]
        for base in value.__bases__:
            if base is not object and not base.__module__.startswith("srcad."):
                found[base.__name__] = base
    for f in functions:
        if inspect.isfunction(f):
            outside = inspect.getclosurevars(f)
            found |= {**outside.nonlocals, **outside.globals}
    found.pop("__class__", None)
    return {k: v for k, v in found.items() if not _is_known(v) and v is not value}


def _is_known(value: Any) -> bool:
    if not isinstance(value, types.ModuleType):
        return False
    if value.__name__ not in ("srcad.tf", "numpy", "math"):
        raise UnsupportedSyntax(
            f"a saved function uses the module {value.__name__!r}",
            instead="use tf, np and math only",
        )
    return True


# running
class Proxy:
    """A module of the facade with its public names only; other modules are out of reach."""

    def __init__(self, module: types.ModuleType) -> None:
        self.__getattr = functools.partial(getattr, module)
        self.__names = set(module.__all__) if module.__name__ == "srcad.tf" else None

    def __getattr__(self, name: str) -> Any:
        hidden = self.__names is not None and name not in self.__names
        if hidden or name.startswith("_") or name in FORBIDDEN:
            raise AttributeError(f"{name!r} is not available in saved functions")
        value = self.__getattr(name)
        if isinstance(value, types.ModuleType) and value.__name__.startswith("srcad.tf."):
            return Proxy(value)
        ours = getattr(value, "__module__", "").startswith("srcad.t") and callable(value)
        if ours or value is None or isinstance(value, DType):
            return value
        raise AttributeError(f"{name!r} is not available in saved functions")


def run_source(text: str, tf: types.ModuleType) -> dict[str, Any]:
    """The names that a declared source defines."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        _check(node)
    space: dict[str, Any] = {
        "__builtins__": {name: getattr(builtins, name) for name in BUILTINS},
        "__name__": "saved_model",
        "tf": Proxy(tf),
        "np": types.SimpleNamespace(**NUMPY),
        "math": types.SimpleNamespace(**{k: v for k, v in vars(math).items() if k[0] != "_"}),
    }
    exec(compile(tree, "<saved model>", "exec"), space)
    return space


def _check(node: ast.AST) -> None:
    """Refuse what saved functions may not contain."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.AsyncFunctionDef):
        _refuse(type(node).__name__.lower())
    if isinstance(node, ast.Attribute):
        own = isinstance(node.value, ast.Name) and node.value.id == "self"
        hidden = node.attr.startswith("__" if own else "_") and node.attr not in DUNDERS
        if hidden or node.attr in FORBIDDEN:
            _refuse(f"the attribute {node.attr!r}")
    if isinstance(node, ast.Name) and node.id.startswith("__"):
        _refuse(f"the name {node.id!r}")
    if isinstance(node, ast.keyword) and node.arg == "output_stream":
        _refuse("tf.print to a file")


def _refuse(what: str) -> None:
    raise UnsupportedSyntax(f"a saved function contains {what}", why="saved models may not use it")
