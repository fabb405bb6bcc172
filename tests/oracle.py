"""The independent oracle: a dual-number interpreter of the user's plain Python source.

The function under test is rebuilt around its own code object with other globals: ``numpy`` and
``math`` become the stand-ins of ``oracle_modules``, helpers reached through globals, closures,
defaults, partials, bound methods and njit dispatchers are rebuilt likewise.  Running it on
``Dual`` arguments differentiates it, nested levels give second and third derivatives.  Nothing
here is shared with the compiler under test.

Differentiated positional arguments (``wrt``) are floats, float arrays, or tuples, namedtuples,
lists, dicts and dataclasses of them; leaves of other types (ints, bools, int arrays) have the
derivative None.  Derivatives are with respect to the values on entry.  Arguments passed in are
never modified; two arguments that share memory are separate variables.
"""

import numpy as np

from tests.oracle_dual import Dual, primal
from tests.oracle_interpreter import Interpreter
from tests.oracle_numpy import wrap
from tests.oracle_trees import components, is_float_leaf, leaves, map_tree, random_like

__all__ = [
    "components", "gradient", "hessian", "hvp", "is_float_leaf", "jvp", "leaves", "map_tree",
    "random_like", "run", "third",
]  # fmt: skip


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
    """The plain tangent of a result leaf at ``level``; None where there is none by type."""
    if not is_float_leaf(x):
        return None

    def of(v):
        return primal(v.tangent) if isinstance(v, Dual) and v.level == level else 0.0

    if isinstance(x, np.ndarray):
        return np.array([of(v) for v in x.ravel()], float).reshape(x.shape)
    return of(x)


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
    return map_tree(wrap, out), converted


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
    return (*results, map_tree(_plain, exit_args), map_tree(lambda x: _tangent(x, 1), exit_args))


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


def third(fn, args, wrt, v1, v2, v3, weights=None, exit_weights=None, kwargs=None):
    """The third directional derivative of the (weighted) result along v1, v2, v3."""
    seeds = [_directions(args, wrt, v) for v in (v1, v2, v3)]
    out, exit_args = _call(fn, args, kwargs, wrt, seeds)
    total = _contract(out, weights, exit_args, exit_weights)
    return float(_coefficient(total, (3, 2, 1)))


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
