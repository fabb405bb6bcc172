"""What each scalar primitive computes on NumPy values: the eager meaning of the rule table's names.

Kernels take and give arrays or NumPy scalars.  Python's operators are used where there are any:
on scalars they are ten times faster than ufuncs.  ``quiet`` makes a kernel silent about overflow,
division by zero and domains: IEEE arithmetic decides.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as sp

from srcad.runtime import RUNTIME_HELPERS
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.memory import empty

Kernel = Callable[..., Any]


try:  # what np.errstate does in NumPy 2, prepared once: it costs more than a scalar operation
    from numpy._core import umath as _umath

    _STATE: Any = _umath._extobj_contextvar  # type: ignore[attr-defined]
    _SILENT: Any = _umath._make_extobj(all="ignore")  # type: ignore[attr-defined]
except (ImportError, AttributeError):  # NumPy 1, or another arrangement
    _STATE = None


def quiet(f: Kernel) -> Kernel:
    """``f`` without warnings about overflow, division by zero and domains."""
    if _STATE is None:

        def kernel(*values: Any) -> Any:
            with np.errstate(all="ignore"):
                return f(*values)

        return kernel
    enter, leave = _STATE.set, _STATE.reset

    def silent(*values: Any) -> Any:
        token = enter(_SILENT)
        try:
            return f(*values)
        finally:
            leave(token)

    return silent


def traceable(f: Kernel) -> Kernel:
    """``f``, left to an argument that is symbolic, or of a device."""

    def call(*args: Any) -> Any:
        for a in args:
            for part in a if type(a) is tuple else (a,):
                if hasattr(part, "elsewhere"):
                    return part.__array_function__(call, (), args, {})
        return f(*args)

    call.__name__, call.__signature__ = f.__name__, inspect.signature(f)  # type: ignore[attr-defined]
    return call


def named(name: str, f: Kernel) -> Kernel:
    """A function that no ufunc is, by the name of its primitive."""
    f.__name__ = f"primitive_{name}"
    return traceable(f)


def _integers_checked(f: Kernel) -> Kernel:
    """``f``, a division, refused for integers if a divisor is zero."""

    def kernel(a: Any, b: Any) -> Any:
        if a.dtype.kind in "iu" and not np.all(b):
            raise InvalidArgumentError("Integer division by zero [Op:FloorDiv]")
        return f(a, b)

    return kernel


def _guarded_mul(a: Any, b: Any) -> Any:
    return np.where(a == 0, a, a * b)


def _guarded_div(a: Any, b: Any) -> Any:
    return np.where(a == 0, a, a / b)


def _order(name: str) -> Kernel:
    """A run-time helper, a function of an integer order and a number, elementwise."""
    vectorized = np.vectorize(RUNTIME_HELPERS[f"srcad_{name}"], otypes=[np.float64])
    return named(name, lambda n, x: vectorized(np.asarray(n).astype(np.int64), x))


FLOAT_UNARY: dict[str, Kernel] = {
    "sqrt": np.sqrt,
    "cbrt": np.cbrt,
    "exp": np.exp,
    "exp2": np.exp2,
    "expm1": np.expm1,
    "log": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "log1p": np.log1p,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": sp.erf,
    "erfc": sp.erfc,
    "erfcx": sp.erfcx,
    "erfinv": sp.erfinv,
    "erfcinv": sp.erfcinv,
    "ndtr": sp.ndtr,
    "log_ndtr": sp.log_ndtr,
    "ndtri": sp.ndtri,
    "gamma": sp.gamma,
    "gammaln": sp.gammaln,
    "digamma": sp.digamma,
    "expit": sp.expit,
    "log_expit": sp.log_expit,
    "logit": sp.logit,
    "sinc": np.sinc,
    "entr": sp.entr,
    "reciprocal": lambda a: 1 / a,
}
FLOAT_BINARY: dict[str, Kernel] = {
    "truediv": operator.truediv,
    "steep_div": operator.truediv,
    "guarded_div": _guarded_div,
    "atan2": np.arctan2,
    "hypot": np.hypot,
    "copysign": np.copysign,
    "logaddexp": np.logaddexp,
    "xlogy": sp.xlogy,
    "xlog1py": sp.xlog1py,
    "rel_entr": sp.rel_entr,
    "beta": sp.beta,
    "betaln": sp.betaln,
    "polygamma": named("polygamma", lambda n, x: sp.polygamma(np.asarray(n), x)),
    "erfc_integral": _order("erfc_integral"),
    "bessel_j": _order("bessel_j"),
    "bessel_i": _order("bessel_i"),
    "bessel_i_scaled": _order("bessel_i_scaled"),
}
ANY_UNARY: dict[str, Kernel] = {
    "neg": operator.neg,
    "abs": operator.abs,
    "square": lambda a: a * a,
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "rint": np.rint,
    "invert": np.invert,
}
ANY_BINARY: dict[str, Kernel] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "guarded_mul": _guarded_mul,
    "pow": operator.pow,
    "floordiv": _integers_checked(operator.floordiv),
    "mod": _integers_checked(operator.mod),
    "fmod": np.fmod,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "bitand": operator.and_,
    "bitor": operator.or_,
    "bitxor": operator.xor,
    "lshift": operator.lshift,
    "rshift": operator.rshift,
}
TESTS: dict[str, Kernel] = {
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "eq": operator.eq,
    "ne": operator.ne,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
    "logical_not": np.logical_not,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
}


# large arrays: results in memory that is used again
LARGE = 1 << 16  # elements
_UFUNCS: dict[Kernel, Any] = {
    operator.add: np.add,
    operator.sub: np.subtract,
    operator.mul: np.multiply,
    operator.truediv: np.true_divide,
    operator.neg: np.negative,
    operator.abs: np.absolute,
}


def roomy(f: Kernel) -> Kernel:
    """``f``, for large arrays of floats of one shape (or numbers beside them) by its ufunc."""
    ufunc: Any = f if isinstance(f, np.ufunc) else _UFUNCS.get(f)
    if ufunc is None:
        return f

    def kernel(a: Any, *b: Any) -> Any:
        x = a if a.shape or not b else b[0]
        if type(x) is not np.ndarray or x.size < LARGE or x.dtype.kind != "f":
            return f(a, *b)
        if is_elsewhere(a) or (b and is_elsewhere(b[0])):
            return f(a, *b)
        if b and not (a.shape == b[0].shape or not a.shape or not b[0].shape):
            return f(a, *b)
        return ufunc(a, *b, out=empty(x.shape, x.dtype))

    return kernel


def chosen(condition: Any, a: Any, b: Any) -> Any:
    """``np.where`` of operands of one type."""
    size = getattr(condition, "size", 0)
    if type(condition) is not np.ndarray or size < LARGE or is_elsewhere(a) or is_elsewhere(b):
        return np.where(condition, a, b)
    shape = np.broadcast_shapes(condition.shape, a.shape, b.shape)
    if shape != condition.shape:
        return np.where(condition, a, b)
    out = empty(shape, b.dtype)
    np.copyto(out, b)
    np.copyto(out, a, where=condition)
    return out


# array functions
@traceable
def put(g: Any, index: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """Zeros of a shape, with ``g`` at a basic subscript."""
    value = np.zeros(shape, g.dtype)
    value[index] = g
    return value


@traceable
def scatter_add(g: Any, where: tuple[Any, ...], front: int, shape: tuple[int, ...]) -> Any:
    """Zeros of a shape, to which ``g`` is added at index arrays behind ``front`` full axes."""
    value = np.zeros(shape, g.dtype)
    np.add.at(value, (*[slice(None)] * front, *where), g)
    return value


def is_symbolic(value: Any) -> bool:
    """Whether a value is known only when a traced function runs."""
    return hasattr(value, "iterate")


def is_elsewhere(value: Any) -> bool:
    """Whether NumPy has no array of a value: it is symbolic, or in the memory of a device."""
    return hasattr(value, "elsewhere")
