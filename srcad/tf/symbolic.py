"""Symbolic values: what stands in for arrays while a ``tf.function`` is traced.

A ``Sym`` knows shape and element type and answers NumPy's protocols (``__array_ufunc__``,
``__array_function__``) by recording a node.  The eager engine runs on it unchanged: tapes,
pullbacks and optimizers record what they would compute, so a traced tape is compiled away.
Whatever needs a value (``bool``, ``float``, ``np.asarray``) raises ``NotTraceable``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator
from typing import Any

import numpy as np

from srcad.errors import SrcadError
from srcad.tape.state import STATE
from srcad.tape.tensor import Tensor

RESHAPES = (np.reshape, np.expand_dims, np.squeeze, np.ravel)
TRANSPOSES = (np.transpose, np.moveaxis, np.swapaxes)
CONCRETE = (np.zeros_like, np.ones_like, np.full_like, np.shape, np.ndim, np.size)


class NotTraceable(SrcadError):
    """The function needs values while it is traced, so it runs eagerly."""


class Sym(np.lib.mixins.NDArrayOperatorsMixin):
    """A value known when the compiled function runs.

    ``op`` is the name of a NumPy function, or ``input``, ``index``, ``param``, ``result``;
    ``args`` its operands (``Sym``, arrays, numbers), ``options`` its other arguments.
    """

    __array_priority__ = 1000
    elsewhere = True

    def __new__(cls, op: str, args: tuple[Any, ...] = (), *rest: Any, **options: Any) -> Sym:
        """A new symbol, or that of the same step of a trace that is repeated."""
        again = None if STATE.trace is None else STATE.trace.again(op, args)
        return super().__new__(cls) if again is None else again

    def __init__(
        self,
        op: str,
        args: tuple[Any, ...],
        shape: tuple[int, ...],
        dtype: Any,
        options: dict[str, Any] | None = None,
    ) -> None:
        self.op, self.args, self.shape = op, args, tuple(shape)
        self.dtype = np.dtype(dtype)
        self.options = options or {}
        if STATE.trace is None:
            raise NotTraceable(
                "a tensor from the tracing of a tf.function is used outside of it",
                instead="return it from the function",
            )
        self.serial = STATE.trace.add(self)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))

    # NumPy's protocols
    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if options.get("out", (None,))[0] is inputs[0]:  # x += y gives a new value
            options.pop("out")
        if method != "__call__" or options:
            raise NotTraceable(f"np.{ufunc.__name__}.{method} cannot be traced")
        with np.errstate(all="ignore"):
            sample = ufunc(*map(_sample, inputs))
        if isinstance(sample, tuple):
            raise NotTraceable(f"np.{ufunc.__name__} has several results")
        return Sym(ufunc.__name__, inputs, np.shape(sample), sample.dtype)

    def __array_function__(self, f: Any, types: Any, args: Any, options: Any) -> Any:
        if f is np.shape:
            return args[0].shape
        with np.errstate(all="ignore"):
            found = f(*_samples(args), **{k: _samples(v) for k, v in options.items()})
        if f in CONCRETE:
            return found
        if f in RESHAPES:
            return args[0].reshape(found.shape)
        if f in TRANSPOSES:  # sizes that differ tell the axes
            sizes = f(np.empty(range(self.ndim), np.bool_), *args[1:], **options).shape
            return Sym("transpose", (self,), found.shape, self.dtype, {"axes": sizes})
        if f is np.mean:
            return _mean(*args, **options)
        operands, rest = _bound(f, args, options)
        if isinstance(found, tuple):
            base = Sym("several", operands, (), bool, {**rest, "function": f.__name__})
            return tuple(
                Sym("part", (base,), np.shape(x), x.dtype, {"k": k}) for k, x in enumerate(found)
            )
        if isinstance(found, list):
            raise NotTraceable(f"np.{f.__name__} has several results")
        return Sym(f.__name__, operands, found.shape, found.dtype, rest)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Sym:
        """Converted."""
        return self if self.dtype == dtype else Sym("astype", (self,), self.shape, dtype)

    def reshape(self, *shape: Any, **options: Any) -> Sym:
        """In another shape."""
        wanted = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
        found = np.empty(self.shape, np.bool_).reshape(wanted or options.get("shape", ()))
        if found.shape == self.shape:
            return self
        same = [d for d in found.shape if d != 1] == [d for d in self.shape if d != 1]
        op = "unit_reshape" if same and found.shape and self.shape else "reshape"
        return Sym(op, (self,), found.shape, self.dtype)

    def __getitem__(self, key: Any) -> Sym:
        if key == () and not self.shape:
            return self
        parts = key if isinstance(key, tuple) else (key,)
        if any(isinstance(p, Sym | np.ndarray) for p in parts):
            return self._taken(parts)
        found = np.empty(self.shape, np.bool_)[key]
        return Sym("getitem", (self,), np.shape(found), self.dtype, {"key": key})

    def _taken(self, parts: tuple[Any, ...]) -> Sym:
        """A subscript of arrays side by side, behind full slices at most."""
        front = next(k for k, p in enumerate(parts) if not isinstance(p, slice))
        where = parts[front:]
        if not all(isinstance(p, Sym | np.ndarray | np.generic | int) for p in where):
            raise NotTraceable("this mixture of subscripts cannot be traced")
        if any(p != slice(None) for p in parts[:front]):
            raise NotTraceable("this mixture of subscripts cannot be traced")
        found = np.empty(self.shape, np.bool_)[_samples(parts, zero=True)]
        return Sym("take_at", (self, *where), found.shape, self.dtype, {"front": front})

    def __len__(self) -> int:
        return self.shape[0]

    def iterate(self) -> Iterator[Tensor]:
        """What ``for`` over a tensor gives: a loop for a range, else the elements."""
        if not isinstance(self, Span) and not self.shape:
            raise TypeError("Cannot iterate over a scalar tensor.")
        if isinstance(self, Span):
            return STATE.trace.loop(self)
        return iter([Tensor(self[i]) for i in range(self.shape[0])])

    # what needs a value
    def _refuse(self, *args: Any, **kwargs: Any) -> Any:
        raise NotTraceable("a value is needed while the function is traced")

    def __bool__(self) -> bool:
        """One of both outcomes; the other one is traced afterwards."""
        if self.size != 1:
            raise ValueError("The truth value of an array with several elements is ambiguous")
        if STATE.trace is None:
            self._refuse()
        return STATE.trace.decide(self if not self.shape else self.reshape(()))

    __float__ = __int__ = __index__ = __complex__ = __iter__ = __array__ = _refuse
    __setitem__ = __round__ = __format__ = copy = tolist = item = _refuse

    def __repr__(self) -> str:
        return f"<symbolic {self.op} {self.shape} {self.dtype}>"

    __str__ = _refuse
    __hash__ = object.__hash__


class Span(Sym):
    """The integers of a ``tf.range``: to be iterated over; its length may be unknown."""

    def __new__(cls, bounds: tuple[Any, ...], dtype: Any) -> Span:
        """A new symbol, or that of the same step of a trace that is repeated."""
        return super().__new__(cls, "range", bounds)  # type: ignore[return-value]

    def __init__(self, bounds: tuple[Any, ...], dtype: Any) -> None:
        self.known = not any(isinstance(b, Sym) for b in bounds)
        super().__init__("range", bounds, (), dtype)

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        """The number of integers, if it is known."""
        if not self.known:
            raise NotTraceable("the length of a tf.range is not known while tracing")
        return (len(range(*map(int, self.args))),)

    @shape.setter
    def shape(self, value: Any) -> None:
        pass


def _sample(x: Any) -> Any:
    """A value of the same type, to find out types and shapes."""
    if not isinstance(x, Sym):
        return np.ones(x.shape, x.dtype)[()] if hasattr(x, "elsewhere") else x
    if 0 < x.ndim < 4 and x.shape[-2:] == (x.shape[-1],) * 2 and x.dtype.kind == "f":
        return np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)  # can be factorized
    return np.ones(x.shape, x.dtype)[()]


def _samples(x: Any, zero: bool = False) -> Any:
    if isinstance(x, list | tuple):
        return type(x)(_samples(v, zero) for v in x)
    if isinstance(x, dict):
        return {k: _samples(v, zero) for k, v in x.items()}
    if hasattr(x, "elsewhere"):
        return (
            np.zeros(x.shape, x.dtype) if zero or x.dtype.kind in "iu" else np.asarray(_sample(x))
        )
    return x


def _mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """A sum over a number."""
    total = np.sum(x, axis=axis, keepdims=keepdims)
    return total / x.dtype.type(x.size // max(1, int(np.prod(total.shape))))


@functools.cache
def _signature(f: Any) -> inspect.Signature:
    return inspect.signature(f)


def _bound(f: Any, args: Any, options: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments as operands (arrays and symbols) and the others by name."""
    if f is np.einsum:
        return tuple(args[1:]), {"equation": args[0]}
    bound = _signature(f).bind(*args, **options)
    operands: list[Any] = []
    rest: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        if isinstance(value, np.ndarray | np.generic) or hasattr(value, "elsewhere"):
            operands.append(value)
        elif isinstance(value, list | tuple) and any(
            isinstance(v, np.ndarray) or hasattr(v, "elsewhere") for v in value
        ):
            operands += value
        elif isinstance(value, dict):
            rest |= value
        else:
            rest[name] = value
    return tuple(operands), rest
