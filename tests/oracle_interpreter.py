"""Rebuilding a user's function around its own code object in the world of dual numbers."""

import builtins
import dataclasses
import functools
import math
import types

import numpy as np

from tests.oracle_dual import Dual
from tests.oracle_modules import STAND_INS, fake_math, fake_numpy
from tests.oracle_numpy import Array, Cast
from tests.oracle_trees import rebuild


def _object_array(a, entries):
    """An Array with the shape and memory layout of ``a``, holding ``entries`` (C order)."""
    if a.dtype.kind != "f":
        return a.copy(order="K").view(Array)
    if a.flags.c_contiguous or a.flags.f_contiguous or 0 in a.strides:
        result = np.empty(a.shape, object, order="C" if a.flags.c_contiguous else "F")
    else:
        steps = [s // a.itemsize for s in a.strides]
        reach = [(n - 1) * s for n, s in zip(a.shape, steps, strict=True)]
        start = -sum(r for r in reach if r < 0)
        memory = np.full(start + sum(r for r in reach if r > 0) + 1, 0.0, dtype=object)
        strides = [s * memory.itemsize for s in steps]
        result = np.lib.stride_tricks.as_strided(memory[start:], a.shape, strides)
    for key, entry in zip(np.ndindex(a.shape), entries, strict=True):
        result[key] = entry
    return result.view(Array)


#: what ``@dataclass`` writes into a class, which does no arithmetic
_GENERATED = {"__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__"}

_BUILTINS = {"float": Cast(float), "print": lambda *args, **kwargs: None}


class Interpreter:
    """Rebuilds the functions and data that one call reaches, keeping identities."""

    def __init__(self):
        self.data = {}  # id -> (counterpart, original kept alive)
        self.functions = {}  # the same, for functions
        self.classes = {}
        self.globals = {}  # id of a module's globals -> stand-in globals

    def convert(self, x):
        """Anything the program can reach, as the stand-in world's counterpart."""
        memo = self.functions if isinstance(x, types.FunctionType) else self.data
        if id(x) not in memo:
            memo[id(x)] = (self._convert(x), x)
        return memo[id(x)][0]

    def _convert(self, x):
        if isinstance(x, bool | int | str | None | Dual | Array):
            return x
        if isinstance(x, float | np.floating):
            return float(x)
        if isinstance(x, np.generic):
            return x.item()
        if isinstance(x, np.ndarray):
            return _object_array(x, (float(v) for v in x.ravel()) if x.dtype.kind == "f" else ())
        if id(x) in STAND_INS:
            return STAND_INS[id(x)]
        if isinstance(x, np.ufunc):
            raise NotImplementedError(f"the oracle has no stand-in for {x!r}")
        if isinstance(x, types.ModuleType):
            return self._module(x)
        if isinstance(x, types.FunctionType):
            return self._function(x)
        if isinstance(x, types.MethodType):
            return types.MethodType(self.convert(x.__func__), self.convert(x.__self__))
        if isinstance(x, functools.partial):
            arguments = [self.convert(v) for v in x.args]
            keywords = {k: self.convert(v) for k, v in x.keywords.items()}
            return functools.partial(self.convert(x.func), *arguments, **keywords)
        for attribute in ("py_func", "__wrapped__"):
            if hasattr(x, attribute):
                return self.convert(getattr(x, attribute))
        if isinstance(x, tuple | list):
            items = [self.convert(v) for v in x]
            return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
        if isinstance(x, dict):
            return {k: self.convert(v) for k, v in x.items()}
        if isinstance(x, type) or callable(x) and not hasattr(x, "__dict__"):
            return self._class(x) if isinstance(x, type) else x
        if dataclasses.is_dataclass(x) or hasattr(x, "__dict__"):
            attributes = (
                vars(x)
                if hasattr(x, "__dict__")
                else {f.name: getattr(x, f.name) for f in dataclasses.fields(x)}
            )
            converted = {k: self.convert(v) for k, v in attributes.items()}
            return rebuild(self._class(type(x)), converted)
        raise NotImplementedError(f"the oracle cannot rebuild {x!r}")

    def _module(self, module):
        if module is np:
            return fake_numpy
        if module is math:
            return fake_math
        if module is np.linalg:
            return fake_numpy.linalg
        if module.__name__.split(".")[0] == "numba":
            return types.SimpleNamespace(prange=range)
        return _LazyModule(self, module)

    def _class(self, cls):
        """The class with its methods rebuilt (a subclass, so ``isinstance`` still holds)."""
        if cls.__module__ == "builtins" or issubclass(cls, tuple | np.generic | BaseException):
            return cls
        if cls not in self.classes:
            methods = {}
            for base in reversed(cls.__mro__[:-1]):
                for name, member in vars(base).items():
                    if name in _GENERATED:
                        continue
                    if isinstance(member, types.FunctionType):
                        methods[name] = self.convert(member)
                    elif isinstance(member, staticmethod):
                        methods[name] = staticmethod(self.convert(member.__func__))
                    elif isinstance(member, property):
                        methods[name] = property(self.convert(member.fget))
            self.classes[cls] = type(cls.__name__, (cls,), methods) if methods else cls
        return self.classes[cls]

    def _function(self, fn):
        """The function around the same code object, with converted surroundings."""
        cells = tuple(types.CellType() for _ in fn.__closure__ or ())
        new = types.FunctionType(fn.__code__, self._globals(fn), fn.__name__, None, cells)
        self.functions[id(fn)] = (new, fn)
        new.__defaults__ = self.convert(fn.__defaults__) if fn.__defaults__ else None
        new.__kwdefaults__ = self.convert(fn.__kwdefaults__) if fn.__kwdefaults__ else None
        for cell, old in zip(cells, fn.__closure__ or (), strict=True):
            try:
                cell.cell_contents = self.convert(old.cell_contents)
            except ValueError:
                pass  # a cell that is still empty
        return new

    def _globals(self, fn):
        """Stand-in globals, shared by all functions of a module, filled with the names used."""
        known = self.globals.setdefault(id(fn.__globals__), {"__name__": "oracle"})
        for name in _names(fn.__code__):
            if name not in known:
                if name in fn.__globals__:
                    known[name] = None  # guards against recursion; overwritten below
                    known[name] = self.convert(fn.__globals__[name])
                elif name in _BUILTINS:
                    known[name] = _BUILTINS[name]
                elif hasattr(builtins, name):
                    known[name] = getattr(builtins, name)
        return known


class _LazyModule:
    """A user's module: members are rebuilt when they are used."""

    def __init__(self, interpreter, module):
        self._interpreter, self._module = interpreter, module

    def __getattr__(self, name):
        return self._interpreter.convert(getattr(self._module, name))


def _names(code):
    """Global names used by a code object and by those nested in it."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _names(constant)
    return names
