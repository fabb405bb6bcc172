"""What a function depends on, found without reading its syntax: the key of the cache.

In: functions, arguments' specs, options.  Out: a checksum of everything that the compiler may see
from there, and the objects met on the way in an order that another process finds again.

A function is its code, its source lines, its defaults, and all that its names stand for: globals,
closure cells, and attributes of modules by the names that occur in any function met.  Classes and
instances are taken whole.  That is more than a compilation looks at, so a checksum may change for
nothing; it never stays the same when something has changed.  NumPy, SciPy, Numba, srcad and the
standard library count as their names (``environment`` has their versions).  Arrays count as
their kind: compiled code takes them as arguments.

Raises ``Uncacheable`` for objects whose meaning cannot be told (an open file, a generator).
"""

from __future__ import annotations

import dataclasses
import dis
import functools
import hashlib
import linecache
import os
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

PACKAGES = ("numpy", "scipy", "numba", "llvmlite", "srcad")
FUNCTION = types.FunctionType
MOST = 20_000  # objects; more is a sign of a walk into somebody's whole program
LITERALS = (type(None), bool, int, str, bytes, complex, type(Ellipsis), type(NotImplemented))
NOT_GLOBAL = ("ATTR", "METHOD", "IMPORT_FROM", "LOAD_SUPER")  # operations on names of other things
DESCRIPTORS = (
    types.MemberDescriptorType,
    types.GetSetDescriptorType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.MethodWrapperType,
)
BORING = {  # what a class holds that says nothing of what it does
    *("__doc__", "__module__", "__dict__", "__weakref__", "__annotations__", "__match_args__"),
    *("__abstractmethods__", "_abc_impl", "__firstlineno__", "__static_attributes__"),
    *("__annotate__", "__annotate_func__", "__annotations_cache__", "__dataclass_params__"),
    *("__orig_bases__", "__parameters__", "__classdictcell__", "__conditional_annotations__"),
}


class Uncacheable(Exception):
    """An object whose meaning cannot be told."""


class Walk:
    """Collects the checksum; see the module docstring."""

    def __init__(self) -> None:
        self.sum = hashlib.sha256()
        self.objects: list[Any] = []
        self.index: dict[int, int] = {}
        self.owners: dict[int, tuple[Any, bool]] = {}  # modules and functions, by identity
        self.names: dict[str, None] = {}  # attributes that some function may ask for
        self.looked: set[tuple[int, str]] = set()

    def digest(self) -> str:
        """The checksum, after the attributes that were asked for are followed."""
        self.attributes()
        return self.sum.hexdigest()

    def emit(self, *parts: Any) -> None:
        """Add literals to the checksum."""
        self.sum.update(repr(parts).encode("utf-8", "surrogatepass") + b"\n")

    def register(self, x: Any) -> bool:
        """Note an object; whether it is new."""
        if id(x) in self.index:
            self.emit("again", self.index[id(x)])
            return False
        if len(self.objects) > MOST:
            raise Uncacheable("the function depends on too many objects")
        self.index[id(x)] = len(self.objects)
        self.objects.append(x)
        return True

    def visit(self, x: Any) -> None:
        """Add an object and what it depends on."""
        kind = type(x)
        if kind in LITERALS:
            self.emit(kind.__name__, x)
        elif kind is float:
            self.emit("float", x.hex())
        elif isinstance(x, np.generic):
            self.emit("number", x.dtype.str, x.tobytes())
        elif isinstance(x, np.dtype):
            self.emit("dtype", x.descr if x.names else x.str)
        elif self.register(x):
            self.compound(x)

    def compound(self, x: Any) -> None:
        """Add an object that may have parts."""
        for kinds, handler in HANDLERS:
            if isinstance(x, kinds):
                return handler(self, x)
        module = type(x).__module__
        if getattr(type(x), "of_this_process", False) is True:
            raise Uncacheable(f"it calls {getattr(x, '__name__', type(x).__name__)} as it is")
        if type(x) in (tuple, list, dict, set, frozenset):
            self.container(x)
        elif standard(x):
            self.emit("named", *name_in(x))
        elif module.startswith("srcad.api") and hasattr(x, "state"):
            self.derivative(x)
        elif module.startswith("numba.") and isinstance(getattr(x, "py_func", None), FUNCTION):
            self.each("njit", (x.py_func, str(x.targetoptions.get("error_model"))))
        elif module.startswith("numba.core.types"):
            self.emit("numba type", str(x))
        elif trusted(module):
            self.reduced(x)
        else:
            self.instance(x)

    def derivative(self, x: Any) -> None:
        """A function object of srcad: what makes it again, and the rules that it was given."""
        self.emit("srcad", type(x).__module__, type(x).__qualname__)
        held = vars(x)
        self.visit(x.state())
        self.each("rules", (held.get("inner"), held.get("rules"), held.get("value_by_rule")))

    def each(self, label: str, parts: Any) -> None:
        """Add parts in order."""
        parts = tuple(parts)
        self.emit(label, len(parts))
        for part in parts:
            self.visit(part)

    def reduced(self, x: Any) -> None:
        """An object of a package: what a pickle of it would hold."""
        name = next((n for n, v in vars(np).items() if v is x), None)
        if name is not None:
            return self.emit("numpy", name)
        try:
            parts = x.__reduce_ex__(4)
        except Exception as e:
            raise Uncacheable(f"it depends on an object of type {type(x).__name__}") from e
        if isinstance(parts, str):
            return self.emit("named", *name_in(type(x)), parts)
        parts = (list(p) if isinstance(p, Iterator) else p for p in parts)
        self.each("reduced", (type(x), *parts))

    def instance(self, x: Any) -> None:
        """An object of a user's class: its class and its attributes."""
        self.emit("instance")
        self.visit(type(x))
        held = dict(getattr(x, "__dict__", {}))
        for cls in type(x).__mro__:
            slots = cls.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if name not in ("__dict__", "__weakref__") and hasattr(x, name):
                    held.setdefault(name, getattr(x, name))
        self.each("attributes", (part for name in sorted(held) for part in (name, held[name])))
        for base in (int, float, str, bytes, tuple, list, dict, frozenset, set):
            if isinstance(x, base):
                self.container(base(x))  # type: ignore[call-overload,arg-type]

    def container(self, x: Any) -> None:
        """A container, of its own class or as the base of a user's."""
        if isinstance(x, dict):
            self.each("dict", (part for pair in x.items() for part in pair))
        elif isinstance(x, (set, frozenset)):
            self.each("set", sorted(x, key=repr))
        elif isinstance(x, (tuple, list)):
            self.each(type(x).__name__, x)
        else:
            self.visit(x)

    # functions
    def function(self, f: types.FunctionType) -> None:
        """A Python function: code, text, defaults, cells, globals."""
        if standard(f):
            return self.emit("named", *name_in(f))
        self.emit("function", f.__module__, f.__qualname__)
        self.code(f.__code__)
        linecache.checkcache(f.__code__.co_filename)
        lines = linecache.getlines(f.__code__.co_filename, f.__globals__)
        if not lines and f.__code__.co_filename.startswith("<"):
            return None  # what dataclass and namedtuple write
        self.emit("text", lines[f.__code__.co_firstlineno - 1 : last_line(f.__code__)])
        self.owners[id(f)] = f, False
        self.each("defaults", f.__defaults__ or ())
        self.visit(f.__kwdefaults__)
        for name, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True):
            self.emit("cell", name)
            self.visit(cell)
        for name in ("__srcad_function__", "py_func"):
            if name in f.__dict__:
                self.visit(f.__dict__[name])
        self.globals(f)

    def globals(self, f: types.FunctionType) -> None:
        """What the free names of a function stand for."""
        table = f.__globals__
        self.register(table)
        inbuilt = table.get("__builtins__", {})
        inbuilt = inbuilt if isinstance(inbuilt, dict) else vars(inbuilt)
        for name in sorted(global_names(f.__code__)):
            self.emit("global", name)
            if name in table:
                self.visit(table[name])
            elif name in inbuilt:
                self.visit(inbuilt[name])

    def code(self, c: types.CodeType) -> None:
        """Bytecode, constants and positions."""
        self.emit(
            *("code", c.co_name, c.co_filename, c.co_firstlineno, c.co_flags, c.co_code),
            *(c.co_argcount, c.co_posonlyargcount, c.co_kwonlyargcount, c.co_names),
            *(c.co_varnames, c.co_freevars, c.co_cellvars, c.co_linetable),
        )
        self.names.update(dict.fromkeys(c.co_names))
        texts = (x for x in c.co_consts if isinstance(x, str) and x.isidentifier())
        self.names.update(dict.fromkeys(texts))  # getattr(x, "name")
        self.each("constants", c.co_consts)

    def module(self, m: types.ModuleType) -> None:
        """A module: its name; attributes follow when all names are known."""
        self.emit("module", m.__name__)
        self.owners[id(m)] = m, trusted(m.__name__)

    def attributes(self) -> None:
        """Follow the attributes of modules and functions, by the names that occur."""
        while True:
            pairs = [
                (owner, known, name)
                for owner, known in list(self.owners.values())
                for name in list(self.names)
                if (id(owner), name) not in self.looked
            ]
            if not pairs:
                return
            for owner, known, name in pairs:
                self.looked.add((id(owner), name))
                if name in vars(owner):
                    self.attribute(owner, known, name, vars(owner)[name])

    def attribute(self, owner: Any, known: bool, name: str, value: Any) -> None:
        """One attribute; of a trusted module only what somebody else put there counts."""
        if known and isinstance(value, types.ModuleType) and trusted(value.__name__):
            self.owners.setdefault(id(value), (value, True))
        elif not known or not (standard(value) or isinstance(value, (*LITERALS, float))):
            if known and trusted(type(value).__module__):
                return
            self.emit("attribute", self.index.get(id(owner)), name)
            self.visit(value)

    # classes
    def cls(self, c: type) -> None:
        """A class: its bases and everything it holds."""
        if standard(c):
            return self.emit("named", *name_in(c))
        self.emit("class", c.__module__, c.__qualname__)
        self.each("bases", c.__mro__[1:])
        held = {k: v for k, v in vars(c).items() if k not in BORING}
        self.each("holds", (part for name in sorted(held) for part in (name, held[name])))


def _array(w: Walk, x: np.ndarray) -> None:
    flags = x.flags
    kind = x.dtype.str, x.ndim, flags.c_contiguous, flags.f_contiguous, flags.writeable
    w.emit("array", type(x).__qualname__, *kind)


def _cell(w: Walk, x: types.CellType) -> None:
    try:
        w.visit(x.cell_contents)
    except ValueError:
        w.emit("empty")


def _builtin(w: Walk, x: types.BuiltinFunctionType) -> None:
    w.emit("builtin", x.__module__, x.__qualname__)
    owner = x.__self__
    drawing = type(owner).__module__.startswith("numpy.random")
    if drawing and getattr(np.random, x.__name__, None) is not x:
        raise Uncacheable("it depends on a generator of random numbers")
    if not drawing and not isinstance(owner, (types.ModuleType, type, type(None))):
        w.visit(owner)


def _field(w: Walk, x: dataclasses.Field) -> None:
    w.emit("field", x.name, x.init, x.kw_only, x._field_type.name)  # type: ignore[attr-defined]
    w.each("defaults", (x.default, x.default_factory))


def _ufunc(w: Walk, x: np.ufunc) -> None:
    known = (sys.modules[m] for m in ("numpy", "scipy.special") if m in sys.modules)
    if not any(vars(m).get(x.__name__) is x for m in known):
        raise Uncacheable(f"it depends on the ufunc {x.__name__}")
    w.emit("ufunc", x.__name__)


HANDLERS: tuple[tuple[Any, Any], ...] = (
    (np.ndarray, _array),
    (types.FunctionType, Walk.function),
    (types.MethodType, lambda w, x: w.each("method", (x.__func__, x.__self__))),
    (types.ModuleType, Walk.module),
    (types.CodeType, Walk.code),
    (types.CellType, _cell),
    (type, Walk.cls),
    (np.ufunc, _ufunc),
    (types.BuiltinFunctionType, _builtin),
    (DESCRIPTORS, lambda w, x: w.emit("descriptor", x.__objclass__.__qualname__, x.__name__)),
    (functools.partial, lambda w, x: w.each("partial", (x.func, x.args, x.keywords))),
    ((staticmethod, classmethod), lambda w, x: w.each(type(x).__name__, (x.__func__,))),
    (property, lambda w, x: w.each("property", (x.fget, x.fset, x.fdel))),
    (functools.cached_property, lambda w, x: w.each("cached", (x.func,))),
    (functools._lru_cache_wrapper, lambda w, x: w.each("lru", (x.__wrapped__,))),
    (dataclasses.Field, _field),
    (np.vectorize, lambda w, x: w.visit({k: v for k, v in vars(x).items() if k != "__doc__"})),
    (types.SimpleNamespace, lambda w, x: w.visit(vars(x))),
    (types.MappingProxyType, lambda w, x: w.visit(dict(x))),
    (slice, lambda w, x: w.each("slice", (x.start, x.stop, x.step))),
    (range, lambda w, x: w.emit("range", x)),
    ((types.GenericAlias, types.UnionType), lambda w, x: w.emit("generic", repr(x))),
)


def global_names(code: types.CodeType) -> set[str]:
    """Names that a function and the functions in it look up in the module.

    >>> sorted(global_names((lambda x: abs(x.real) + (lambda: y)()).__code__))
    ['abs', 'y']
    """
    found = {
        i.argval
        for i in dis.get_instructions(code)
        if i.opcode in dis.hasname and not any(word in i.opname for word in NOT_GLOBAL)
    }
    for c in code.co_consts:
        if isinstance(c, types.CodeType):
            found |= global_names(c)
    return found


def last_line(code: types.CodeType) -> int:
    """The last line that a function has code on."""
    return max(_lines(code), default=code.co_firstlineno)


def _lines(code: types.CodeType) -> Iterator[int]:
    yield from (line for _, _, line in code.co_lines() if line is not None)
    for c in code.co_consts:
        if isinstance(c, types.CodeType):
            yield from _lines(c)


def name_in(x: Any) -> tuple[Any, Any]:
    """Module and name of a function or class."""
    return getattr(x, "__module__", None), getattr(x, "__qualname__", getattr(x, "__name__", None))


def standard(x: Any) -> bool:
    """Whether an object is found by its name in a package whose version is known.

    >>> standard(np.linalg.norm), standard(lambda: 0)
    (True, False)
    """
    module, name = name_in(x)
    if not (isinstance(module, str) and isinstance(name, str) and trusted(module)):
        return False
    found = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is x


@functools.lru_cache(maxsize=4096)
def trusted(module: str) -> bool:
    """Whether a module belongs to a package whose version is part of every key."""
    root = module.partition(".")[0]
    if root == "srcad":
        return not module.startswith(("srcad.tf", "srcad.tape"))
    if root in PACKAGES:
        return True
    if root not in sys.stdlib_module_names or root == "__main__":
        return False
    found = sys.modules.get(module)
    file = getattr(found, "__file__", None)
    if file is None:
        return found is not None
    folder = os.path.dirname(os.path.abspath(os.__file__))
    inside = os.path.abspath(file).startswith(folder + os.sep)
    return inside and "site-packages" not in file and "dist-packages" not in file
