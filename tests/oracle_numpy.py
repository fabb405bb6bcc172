"""Arrays of dual numbers: the array half of the test oracle.

Every array the interpreted program sees is an ``Array``: float arrays have dtype object and hold
Python floats and Duals, integer and boolean arrays keep their dtype.  Views, strides, aliasing and
overlapping updates are therefore NumPy's own.  float32 is treated as float64.
"""

import numpy as np

from tests import oracle_dual as dual
from tests.oracle_dual import Dual, primal

OBJECT = np.dtype(object)  # the dtype of float arrays


def wrap(result):
    """A NumPy result as the program may see it: Array, Python scalar or Dual."""
    if isinstance(result, np.ndarray):
        if result.dtype.kind == "f":
            result = result.astype(object)
        return result.view(Array)
    if isinstance(result, np.generic):
        return result.item()
    if isinstance(result, tuple):
        return tuple(wrap(item) for item in result)
    return result


def plain(x):
    """An Array as an ordinary ndarray sharing its memory; anything else as it is."""
    return x.view(np.ndarray) if isinstance(x, Array) else x


def _float_entry(x):
    """What an assignment into a float array stores."""
    if isinstance(x, Dual | float):
        return x
    if isinstance(x, np.ndarray):
        return x if x.dtype == OBJECT else x.astype(float).astype(object)
    if isinstance(x, list | tuple):
        return _float_entry(plain(array(x)))
    return float(x)


class Array(np.ndarray):
    """The ndarray of the interpreted program."""

    __hash__ = None

    def __getitem__(self, key):
        return wrap(super().__getitem__(key))

    def __setitem__(self, key, value):
        super().__setitem__(key, _float_entry(plain(value)) if self.dtype == OBJECT else value)

    def __iter__(self):
        return (self[k] for k in range(len(self)))

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        operands = [plain(x) for x in inputs]
        if ufunc is np.matmul and out is None:
            return matmul(*inputs)
        holds_floats = any(
            isinstance(x, Dual) or getattr(x, "dtype", None) == OBJECT for x in operands
        )
        if holds_floats:
            ufunc = _OBJECT_UFUNCS.get(ufunc, ufunc)
        if out is not None:
            kwargs["out"] = tuple(plain(x) for x in out)
        result = getattr(ufunc, method)(*operands, **kwargs)
        if out is not None:
            return out[0]
        if isinstance(result, int) and holds_floats and not isinstance(result, bool):
            result = float(result)  # a reduction of an empty float array
        return wrap(result)

    def astype(self, dtype, *args, **kwargs):
        return array(self, dtype)

    def fill(self, value):
        self[...] = value

    def sum(self, axis=None):
        return _reduce(np.add, self, axis)

    def prod(self, axis=None):
        return _reduce(np.multiply, self, axis)

    def max(self, axis=None):
        return _reduce(np.maximum, self, axis)

    def min(self, axis=None):
        return _reduce(np.minimum, self, axis)

    def mean(self, axis=None):
        return mean(self, axis)

    def var(self, axis=None):
        return mean(square(self - mean(self)))

    def std(self, axis=None):
        return dual.sqrt(self.var())

    def argmax(self, axis=None):
        return wrap(np.argmax(primals(self), axis))

    def argmin(self, axis=None):
        return wrap(np.argmin(primals(self), axis))

    def cumsum(self, axis=None):
        return wrap(np.cumsum(plain(self), axis))

    def dot(self, other):
        return matmul(self, other)

    def item(self, *key):
        return self.reshape(-1)[key[0]] if key else self.reshape(-1)[0]


def primals(x):
    """An array of the primal numbers only (an ordinary ndarray)."""
    x = plain(x)
    if isinstance(x, np.ndarray) and x.dtype == OBJECT:
        return np.array([primal(v) for v in x.ravel()], dtype=float).reshape(x.shape)
    return np.asarray(primal(x))


# --- elementwise functions ----------------------------------------------------------------------

words = str.split

_UNARY = words("""
sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh exp exp2 expm1
log log2 log10 log1p sqrt cbrt absolute square floor ceil trunc rint sign degrees radians""")
_BINARY = words("""
divide power remainder fmod arctan2 hypot copysign maximum minimum logaddexp
floor_divide""")
_OBJECT_UFUNCS = {}


def _elementwise(name, arity):
    """The named function on scalars and arrays."""
    scalar = getattr(dual, name)
    real = getattr(np, name)
    _OBJECT_UFUNCS[real] = lifted = np.frompyfunc(scalar, arity, 1)

    def function(*operands):
        operands = [array(x) if isinstance(x, list | tuple) else x for x in operands]
        if any(isinstance(x, Array) for x in operands):
            return real(*operands)
        if not any(isinstance(x, Dual) for x in operands):
            return wrap(real(*operands))
        return lifted(*operands)

    return function


ELEMENTWISE = {name: _elementwise(name, 1) for name in _UNARY}
ELEMENTWISE |= {name: _elementwise(name, 2) for name in _BINARY}
divide, maximum, minimum = (ELEMENTWISE[name] for name in ("divide", "maximum", "minimum"))
absolute, square = ELEMENTWISE["absolute"], ELEMENTWISE["square"]


def reciprocal(x):
    return divide(1.0, x)


def clip(a, low, high):
    a = a if low is None else maximum(a, low)
    return a if high is None else minimum(a, high)


# --- construction -------------------------------------------------------------------------------


class Cast:
    """``np.float64``, ``np.int32``, ``float`` ...: a dtype that can also be called."""

    def __init__(self, real):
        self.real = real
        self.is_float = np.dtype(real).kind == "f"

    def __call__(self, x=0):
        if isinstance(x, np.ndarray):
            return array(x, self)
        if self.is_float:
            return x if isinstance(x, Dual) else float(x)
        return self.real(primal(x)).item()


def storage(dtype):
    """The dtype of the stand-in array for a dtype the program asked for (None: float)."""
    if dtype is None or dtype is float or dtype is OBJECT:
        return np.dtype(object)
    real = np.dtype(dtype.real if isinstance(dtype, Cast) else dtype)
    return np.dtype(object) if real.kind == "f" else real


def full(shape, value, dtype=None):
    if dtype is None:
        dtype = float if isinstance(primal(value), float) else type(value)
    result = np.empty(shape, storage(dtype)).view(Array)
    result[...] = value
    return result


def full_like(a, value, dtype=None):
    order = "F" if a.flags.f_contiguous and not a.flags.c_contiguous else "C"
    result = np.empty(a.shape, storage(dtype or a.dtype), order=order).view(Array)
    result[...] = value
    return result


def array(x, dtype=None, order=None):
    """A fresh array; a nested sequence holding any float or Dual is a float array."""
    x = plain(x)
    if isinstance(x, np.ndarray):
        target = x.dtype if dtype is None else storage(dtype)
        if x.dtype == OBJECT and target != OBJECT:
            return primals(x).astype(target).view(Array)
        if target == OBJECT and x.dtype != OBJECT:
            x = x.astype(float)
        order = order or ("F" if x.flags.f_contiguous and not x.flags.c_contiguous else "C")
        return wrap(np.array(x, dtype=target, order=order))
    if isinstance(x, list | tuple):
        rows = [plain(array(item)) if isinstance(item, list | tuple) else plain(item) for item in x]
        floats = any(
            isinstance(r, float | Dual) or getattr(r, "dtype", None) == OBJECT for r in rows
        )
        made = np.array(rows, dtype=object if floats or not rows else None)
        return array(made if made.dtype.kind != "O" else _all_floats(made), dtype, order)
    return array(full((), x), dtype)


def _all_floats(a):
    """Replace the integers of an object array by floats."""
    return np.frompyfunc(_float_entry, 1, 1)(a) if a.ndim else a


def asarray(x, dtype=None):
    if isinstance(x, Array) and (dtype is None or storage(dtype) == x.dtype):
        return x
    return array(x, dtype)


def ascontiguousarray(x):
    return x if x.flags.c_contiguous else wrap(np.array(plain(x), order="C"))


def asfortranarray(x):
    return x if x.flags.f_contiguous else wrap(np.array(plain(x), order="F"))


def copy(x):
    return wrap(np.array(plain(array(x)), order="C"))


def linspace(start, stop, num=50):
    steps = np.arange(num).view(Array)
    return start + steps * ((stop - start) / (num - 1)) if num > 1 else full(num, start, float)


def eye(n, m=None):
    return wrap(np.eye(n, m))


def arange(*bounds, dtype=None):
    if any(isinstance(b, Dual) for b in bounds):
        raise NotImplementedError("arange over active bounds")
    return array(np.arange(*bounds), dtype)


# --- reductions and products --------------------------------------------------------------------


def _reduce(ufunc, a, axis=None):
    a = asarray(a)
    if axis is None:
        a, axis = a.reshape(-1), 0
    return ufunc.reduce(a, axis=axis)


def reduction(ufunc):
    return lambda a, axis=None: _reduce(ufunc, a, axis)


def mean(a, axis=None):
    a = asarray(a)
    count = a.size if axis is None else a.shape[axis]
    return divide(_reduce(np.add, a, axis), float(count))


def matmul(a, b):
    """Also ``dot``: sums that start from 0.0, so that an empty product is a float."""
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray):
        return a * b
    if a.shape[-1] == 0:
        return full(a.shape[:-1] + b.shape[1:], 0.0) if a.ndim + b.ndim > 2 else 0.0
    return wrap(np.dot(plain(array(a, float)), plain(array(b, float))))


def outer(a, b):
    return asarray(a).reshape(-1, 1) * asarray(b).reshape(1, -1)


def where(condition, *choices):
    if not choices:
        return wrap(np.where(condition))
    choices = [plain(array(c)) if isinstance(c, list | tuple) else plain(c) for c in choices]
    if any(isinstance(c, float | Dual) or getattr(c, "dtype", None) == OBJECT for c in choices):
        choices = [_float_entry(c) for c in choices]
    return wrap(np.where(plain(condition), *choices))


def diff(a):
    return a[1:] - a[:-1]


def trace(a):
    return _reduce(np.add, a.diagonal())


def sort(a):
    return a[np.argsort(primals(a), kind="stable")]
