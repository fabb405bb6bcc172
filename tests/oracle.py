"""The independent oracle: a dual-number interpreter of the user's plain Python source.

The function under test is rebuilt around its own code object with other globals: ``numpy`` and
``math`` become the stand-ins of ``oracle_numpy``, helpers reached through globals, closures,
defaults, partials, bound methods and njit dispatchers are rebuilt likewise.  Running it on
``Dual`` arguments differentiates it, nested levels give second and third derivatives.  Nothing
here is shared with the compiler under test.

Differentiated positional arguments (``wrt``) are floats, float arrays, or tuples, namedtuples,
lists, dicts and dataclasses of them; leaves of other types (ints, bools, int arrays) have the
derivative None.  Derivatives are with respect to the values on entry.  Arguments passed in are
never modified; two arguments that share memory are separate variables.
"""

import builtins
import dataclasses
import functools
import math
import types

import numpy as np

from tests.oracle_dual import Dual, primal
from tests.oracle_numpy import STAND_INS, Array, Cast, fake_math, fake_numpy, wrap

# --- trees: tuples, namedtuples, lists, dicts, dataclasses --------------------------------------


def map_tree(function, tree, *others):
    """``tree`` with ``function`` applied to its leaves (and to those of equally built trees).

    Another tree may be None anywhere: None is then passed for each leaf below.
    """

    def below(get):
        return [None if o is None else get(o) for o in others]

    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = [f.name for f in dataclasses.fields(tree)]
        return rebuild(
            type(tree),
            {
                n: map_tree(function, getattr(tree, n), *below(lambda o, n=n: getattr(o, n)))
                for n in names
            },
        )
    if isinstance(tree, dict):
        return {
            k: map_tree(function, v, *below(lambda o, k=k: o.get(k))) for k, v in tree.items()
        }
    if isinstance(tree, tuple | list):
        items = [
            map_tree(function, v, *below(lambda o, k=k: o[k])) for k, v in enumerate(tree)
        ]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return function(tree, *others)


def rebuild(cls, attributes):
    """An instance with these attributes, bypassing ``__init__``."""
    instance = object.__new__(cls)
    for name, value in attributes.items():
        object.__setattr__(instance, name, value)
    return instance


def leaves(tree):
    """The leaves in order."""
    found = []
    map_tree(found.append, tree)
    return found


def is_float_leaf(x):
    """May a derivative be taken with respect to this leaf?"""
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "fO"
    return isinstance(x, float | np.floating | Dual)


def components(leaf):
    """The float entries of a leaf, in C order."""
    if not is_float_leaf(leaf):
        return []
    return list(np.asarray(leaf).ravel()) if isinstance(leaf, np.ndarray) else [leaf]


# --- arguments in and results out ---------------------------------------------------------------


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


def _with_seeds(x, tangents, level):
    """Converted leaf ``x`` with tangents at ``level`` drawn from an iterator."""
    if not is_float_leaf(x):
        return x
    seeded = [Dual(v, next(tangents), level) for v in components(x)]
    if not isinstance(x, np.ndarray):
        return seeded[0]
    for key, entry in zip(np.ndindex(x.shape), seeded, strict=True):
        x[key] = entry
    return x


def _lock(x, original):
    """Make the counterpart of a read-only array read-only."""
    if isinstance(original, np.ndarray) and not original.flags.writeable:
        x.flags.writeable = False


def _plain(x):
    """A result leaf without tangents, as ordinary NumPy or Python."""
    if isinstance(x, np.ndarray):
        values = np.array([primal(v) for v in x.ravel()], float if x.dtype == object else x.dtype)
        return values.reshape(x.shape)
    return x.item() if isinstance(x, np.generic) else primal(x)


def _tangent(x, level):
    """The plain tangent of a result leaf at ``level``."""

    def of(v):
        return primal(v.tangent) if isinstance(v, Dual) and v.level == level else 0.0

    if isinstance(x, np.ndarray):
        return np.array([of(v) for v in x.ravel()], float).reshape(x.shape)
    return of(x)


# --- rebuilding functions -----------------------------------------------------------------------

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
            attributes = vars(x) if hasattr(x, "__dict__") else {
                f.name: getattr(x, f.name) for f in dataclasses.fields(x)
            }
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


def _call(fn, args, kwargs, wrt=(), seeds=()):
    """Run ``fn`` on seeded arguments; the raw result and the raw exit arguments.

    ``seeds`` holds, per level from the innermost, the list of tangents of all components of the
    arguments ``wrt``, in order.
    """
    interpreter = Interpreter()
    converted = []
    for arg in args:
        interpreter.data = {}  # arguments are separate variables
        converted.append(interpreter.convert(arg))
    for level, tangents in enumerate(seeds, start=1):
        remaining = iter(tangents)
        for k in wrt:
            converted[k] = map_tree(
                lambda x, level=level, remaining=remaining: _with_seeds(x, remaining, level),
                converted[k],
            )
    map_tree(_lock, converted, list(args))
    kwargs = {name: interpreter.convert(value) for name, value in (kwargs or {}).items()}
    with np.errstate(all="ignore"):
        out = interpreter.convert(fn)(*converted, **kwargs)
    return wrap(out), converted


# --- the public functions -----------------------------------------------------------------------


def run(fn, args, kwargs=None):
    """The plain call: (result, arguments on exit)."""
    out, exit_args = _call(fn, args, kwargs)
    return map_tree(_plain, out), map_tree(_plain, exit_args)


def jvp(fn, args, wrt, tangents, kwargs=None, with_exit=False):
    """Value and tangent; ``tangents`` is one tree per argument in ``wrt`` (None: zeros).

    ``with_exit=True`` appends the arguments on exit and their tangents.
    """
    seeds = [_directions(args, wrt, tangents)]
    out, exit_args = _call(fn, args, kwargs, wrt, seeds)
    results = (map_tree(_plain, out), map_tree(lambda x: _tangent(x, 1), out))
    if not with_exit:
        return results
    return (
        *results,
        map_tree(_plain, exit_args),
        map_tree(lambda x: _tangent(x, 1), exit_args),
    )


def gradient(fn, args, wrt, weights=None, exit_weights=None, kwargs=None):
    """One tree per argument in ``wrt``: the gradient of the scalar result.

    With ``weights`` (a tree like the result) it is the pullback of ``weights`` instead;
    ``exit_weights`` (one tree or None per argument) adds cotangents of the exit arguments.
    """
    basis = _basis(args, wrt)
    out, exit_args = _call(fn, args, kwargs, wrt, [basis])
    total = _contract(out, weights, exit_args, exit_weights)
    return _like_arguments(args, wrt, _coefficient(total, (1,)), len(basis))


def hvp(fn, args, wrt, tangents, weights=None, exit_weights=None, kwargs=None):
    """Hessian of the (weighted) result times ``tangents``: one tree per argument in ``wrt``."""
    basis = _basis(args, wrt)
    seeds = [basis, _directions(args, wrt, tangents)]
    out, exit_args = _call(fn, args, kwargs, wrt, seeds)
    total = _contract(out, weights, exit_args, exit_weights)
    return _like_arguments(args, wrt, _coefficient(total, (2, 1)), len(basis))


def hessian(fn, args, wrt, weights=None, kwargs=None):
    """The full matrix over all components of the arguments in ``wrt``."""
    rows = []
    for k in range(len(_basis(args, wrt))):
        flat = iter([1.0 if j == k else 0.0 for j in range(len(_basis(args, wrt)))])
        tangents = [map_tree(lambda x, flat=flat: _fill(x, flat), args[w]) for w in wrt]
        columns = hvp(fn, args, wrt, tangents, weights, kwargs=kwargs)
        rows.append(np.array([c for leaf in leaves(columns) for c in components(leaf)], float))
    return np.array(rows)


def third(fn, args, wrt, v1, v2, v3, weights=None, kwargs=None):
    """The third directional derivative of the (weighted) result along v1, v2, v3."""
    seeds = [_directions(args, wrt, v) for v in (v1, v2, v3)]
    out, exit_args = _call(fn, args, kwargs, wrt, seeds)
    total = _contract(out, weights, exit_args, None)
    return float(_coefficient(total, (3, 2, 1)))


def random_like(tree, rng):
    """A tree of standard normal floats shaped like ``tree``: a tangent or weights."""

    def draw(x):
        if not is_float_leaf(x):
            return None
        if not isinstance(x, np.ndarray):
            return float(rng.standard_normal())
        return np.asarray(rng.standard_normal(x.shape))

    return map_tree(draw, tree)


def _basis(args, wrt):
    """The unit vectors, one per component."""
    count = sum(len(components(x)) for k in wrt for x in leaves(args[k]))
    return list(np.eye(count))


def _directions(args, wrt, tangents):
    """The tangents as a flat list, one float per component."""
    flat = []
    for k, tree in zip(wrt, tangents, strict=True):

        def collect(x, t):
            if is_float_leaf(x):
                zeros = np.zeros(np.shape(x))
                flat.extend(components(zeros + (0.0 if t is None else t)))

        map_tree(collect, args[k], tree)
    return [float(t) for t in flat]


def _fill(x, flat):
    """A leaf like ``x`` whose components are drawn from ``flat``; None for other leaves."""
    if not is_float_leaf(x):
        return None
    if not isinstance(x, np.ndarray):
        return float(next(flat))
    return np.array([next(flat) for _ in range(x.size)], float).reshape(x.shape)


def _like_arguments(args, wrt, vector, count):
    flat = iter(np.broadcast_to(vector, (count,)))
    return [map_tree(lambda x: _fill(x, flat), args[k]) for k in wrt]


def _contract(out, weights, exit_args, exit_weights):
    """The scalar ``<weights, out> + <exit_weights, exit_args>``."""
    if weights is None and exit_weights is None:
        (entry,) = [c for leaf in leaves(out) for c in components(leaf)]
        return entry
    terms = []

    def collect(x, w):
        if w is not None and is_float_leaf(x):
            w = components(np.zeros(np.shape(x)) + w)
            terms.extend(float(k) * c for k, c in zip(w, components(x), strict=True))

    map_tree(collect, out, weights)
    if exit_weights is not None:
        map_tree(collect, exit_args, list(exit_weights))
    return sum(terms, 0.0)


def _coefficient(x, levels):
    """The coefficient of ``eps_levels`` in ``x``."""
    for level in levels:
        x = x.tangent if isinstance(x, Dual) and x.level == level else 0.0
    return x
