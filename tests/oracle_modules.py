"""The stand-ins for the modules ``numpy``, ``numpy.linalg`` and ``math``.

They list what compiled numeric code uses; a function that is not listed is refused (an
AttributeError that names it) rather than guessed.
"""

import math
from types import SimpleNamespace

import numpy as np

from tests import oracle_dual as dual
from tests.oracle_dual import primal
from tests.oracle_numpy import (
    ELEMENTWISE,
    Cast,
    absolute,
    arange,
    array,
    asarray,
    ascontiguousarray,
    asfortranarray,
    clip,
    copy,
    diff,
    eye,
    full,
    full_like,
    linspace,
    matmul,
    mean,
    outer,
    plain,
    primals,
    reciprocal,
    reduction,
    sort,
    trace,
    where,
    words,
    wrap,
)

_NATIVE = words("""
add subtract multiply negative positive equal not_equal less less_equal greater
greater_equal logical_and logical_or logical_not logical_xor bitwise_and bitwise_or bitwise_xor
invert left_shift right_shift""")
_ALIASES = {
    "abs": "absolute", "true_divide": "divide", "mod": "remainder", "asin": "arcsin",
    "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh",
    "acosh": "arccosh", "atanh": "arctanh", "pow": "power", "deg2rad": "radians",
    "rad2deg": "degrees", "fabs": "absolute",
}  # fmt: skip


def _native(name):
    """A function whose own object loop is right (comparison, logic, + - *)."""
    real = getattr(np, name)

    def function(*operands):
        return wrap(real(*operands))

    return function


def _test(real):
    """isnan and friends: about the primal."""
    return lambda x: wrap(real(primals(x))) if isinstance(x, np.ndarray) else bool(real(primal(x)))


def _structural(real):
    """Functions that only move entries: NumPy does it on the object array."""

    def strip(x):
        return type(x)(map(strip, x)) if isinstance(x, list | tuple) else plain(x)

    return lambda *args, **kwargs: wrap(real(*map(strip, args), **kwargs))


def _about_primals(real):
    return lambda a, *args: wrap(real(primals(a), *args))


# --- linear algebra -----------------------------------------------------------------------------


def _eliminate(a, b):
    """Gauss with partial pivoting: (solution, determinant)."""
    a, b = array(a, float), array(b, float)
    n, determinant = len(a), 1.0
    for k in range(n):
        pivot = k + int(np.argmax(np.abs(primals(a[k:, k]))))
        if pivot != k:
            a[[k, pivot]], b[[k, pivot]] = a[[pivot, k]], b[[pivot, k]]
            determinant = -determinant
        determinant = determinant * a[k, k]
        for i in range(k + 1, n):
            factor = a[i, k] / a[k, k]
            a[i] = a[i] - factor * a[k]
            b[i] = b[i] - factor * b[k]
    for k in reversed(range(n)):
        for j in range(k + 1, n):
            b[k] = b[k] - a[k, j] * b[j]
        b[k] = b[k] / a[k, k]
    return b, determinant


def solve(a, b):
    return _eliminate(a, b)[0]


def inv(a):
    return _eliminate(a, eye(len(a)))[0]


def det(a):
    return _eliminate(a, eye(len(a)))[1]


def slogdet(a):
    value = det(a)
    return dual.sign(value), dual.log(dual.absolute(value))


def cholesky(a):
    n = len(a)
    low = full((n, n), 0.0)
    for i in range(n):
        for j in range(i + 1):
            rest = a[i, j] - sum(low[i, k] * low[j, k] for k in range(j))
            low[i, j] = dual.sqrt(rest) if i == j else rest / low[j, j]
    return low


def norm(x, order=None):
    sizes = absolute(x.reshape(-1))
    if order == np.inf:
        return sizes.max()
    if order == 1:
        return sizes.sum()
    return dual.sqrt((sizes * sizes).sum())


def matrix_power(a, n):
    result = eye(len(a))
    for _ in range(n):
        result = matmul(result, a)
    return result


# --- the modules --------------------------------------------------------------------------------


def _numpy_members():
    members = dict(ELEMENTWISE)
    members |= {name: _native(name) for name in _NATIVE}
    members |= {name: _test(getattr(np, name)) for name in ("isnan", "isinf", "isfinite")}
    structural = words("""
    reshape ravel transpose flip fliplr flipud roll repeat tile concatenate stack
    vstack hstack column_stack dstack expand_dims squeeze broadcast_to swapaxes moveaxis atleast_1d
    atleast_2d diag triu tril shape size ndim cumsum cumprod split delete append take rot90
    nonzero flatnonzero ndindex ndenumerate all any count_nonzero copyto kron""")
    members |= {name: _structural(getattr(np, name)) for name in structural}
    members |= {name: _about_primals(getattr(np, name)) for name in ("argsort", "searchsorted")}
    casts = words("float64 float32 int64 int32 int16 int8 uint8 uint32 uint64 intp bool_")
    members |= {name: Cast(getattr(np, name)) for name in casts}
    members |= {name: getattr(np, name) for name in words("pi e inf nan newaxis finfo ndarray")}
    members |= {
        "sum": reduction(np.add), "prod": reduction(np.multiply), "max": reduction(np.maximum),
        "min": reduction(np.minimum), "amax": reduction(np.maximum), "outer": outer,
        "amin": reduction(np.minimum), "mean": mean, "dot": matmul, "matmul": matmul,
        "argmax": lambda a, axis=None: asarray(a).argmax(axis), "vdot": matmul, "where": where,
        "argmin": lambda a, axis=None: asarray(a).argmin(axis), "copy": copy, "array": array,
        "var": lambda a: a.var(), "std": lambda a: a.std(), "clip": clip, "diff": diff,
        "trace": trace, "sort": sort, "reciprocal": reciprocal, "asarray": asarray, "full": full,
        "full_like": full_like, "eye": eye, "identity": eye, "linspace": linspace,
        "arange": arange, "ascontiguousarray": ascontiguousarray, "asfortranarray": asfortranarray,
    }  # fmt: skip
    for name, value in {"zeros": 0.0, "ones": 1.0, "empty": 0.0}.items():
        members[name] = lambda shape, dtype=None, v=value: full(shape, v, dtype or float)
        members[name + "_like"] = lambda a, dtype=None, v=value: full_like(a, v, dtype)
    members |= {alias: members[name] for alias, name in _ALIASES.items()}
    members["linalg"] = SimpleNamespace(
        solve=solve, inv=inv, det=det, slogdet=slogdet, cholesky=cholesky, norm=norm,
        matrix_power=matrix_power,
    )  # fmt: skip
    return members


def _math_members():
    names = words("""
    sin cos tan sinh cosh tanh exp expm1 log2 log10 log1p sqrt hypot copysign fmod erf
    erfc lgamma gamma degrees radians exp2 cbrt""")
    members = {name: getattr(dual, name) for name in names}
    for alias in words("asin acos atan atan2 asinh acosh atanh fabs pow"):
        members[alias] = getattr(dual, _ALIASES[alias])
    for real in (math.floor, math.ceil, math.trunc, math.isnan, math.isinf, math.isfinite):
        members[real.__name__] = lambda x, real=real: real(primal(x))
    members["log"] = lambda x, base=None: dual.log(x) / dual.log(base) if base else dual.log(x)
    for name in words("pi e inf nan tau gcd"):
        members[name] = getattr(math, name)
    return members


fake_numpy = SimpleNamespace(**_numpy_members())
fake_math = SimpleNamespace(**_math_members())

#: real function object -> stand-in, for names imported one by one
STAND_INS = {
    id(getattr(real, name)): member
    for real, fake in ((np, fake_numpy), (math, fake_math), (np.linalg, fake_numpy.linalg))
    for name, member in vars(fake).items()
    if callable(getattr(real, name, None)) and callable(member)
}
