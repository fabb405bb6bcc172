"""Elementwise operations on tensors, one per primitive: kernel here, derivative from the rules.

``VOCABULARY`` maps the primitives' names to functions of tensors, variables and values next to
them; operands broadcast.  Each is recorded with the pullback of its rule; tests and logical
operations are not recorded, since no derivative passes them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.ir.primitives import PRIMITIVES
from srcad.tape import kernels as k
from srcad.tape.convert import beside, check_same, pair, to_tensor
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.partials import pullback
from srcad.tape.places import OPEN, where
from srcad.tape.state import STATE, record
from srcad.tape.tensor import Tensor, wrap

Op = Callable[..., Tensor]
OP_NAMES = {
    "add": "AddV2",
    "truediv": "RealDiv",
    "floordiv": "FloorDiv",
    "mod": "FloorMod",
    "lt": "Less",
    "le": "LessEqual",
    "gt": "Greater",
    "ge": "GreaterEqual",
    "eq": "Equal",
    "ne": "NotEqual",
}
BOOL = np.dtype(bool)
VOCABULARY: dict[str, Op] = {}


def op_name(primitive: str) -> str:
    """The operation's name in messages."""
    return OP_NAMES.get(primitive, primitive.title().replace("_", ""))


def need_number(x: Tensor, name: str, floats: bool) -> None:
    """Refuse bools, and where floats are needed integers, as TensorFlow does."""
    kind = x._value.dtype.kind
    if kind not in ("fc" if floats else "fciu"):
        allowed = "half, float, double" + ("" if floats else ", int8, int16, int32, int64")
        raise InvalidArgumentError(
            f"Value for attr 'T' of {x._value.dtype.name} is not in the list of allowed values: "
            f"{allowed} [Op:{op_name(name)}]",
            instead="convert the operand with tf.cast(x, tf.float32)",
        )


def unary(name: str, kernel: k.Kernel, floats: bool) -> Op:
    """The operation of a primitive with one operand."""
    pull = pullback(name)
    kernel, on_arrays = k.quiet(kernel), k.quiet(k.roomy(kernel))

    def op(x: Any, name: str | None = None) -> Tensor:
        if type(x) is not Tensor or OPEN:
            x = to_tensor(x)
        value = x._value
        if floats or value.dtype is BOOL:
            need_number(x, op.__name__, floats)
        result = on_arrays(value) if value.shape else kernel(value)
        if floats and result.dtype != value.dtype:
            result = result.astype(value.dtype)
        out = Tensor(result)
        if STATE.tapes:
            record(out, (x,), pull)
        return out

    return _named(op, name)


def binary(name: str, kernel: k.Kernel, floats: bool) -> Op:
    """The operation of a primitive with two operands."""
    pull = pullback(name)
    kernel, on_arrays = k.quiet(kernel), k.quiet(k.roomy(kernel))
    shown = op_name(name)

    def op(x: Any, y: Any, name: str | None = None) -> Tensor:
        if type(x) is not Tensor or type(y) is not Tensor or OPEN:
            x, y = pair(x, y, shown)
        a, b = x._value, y._value
        kind = a.dtype
        if kind is not b.dtype:
            check_same(x, y, shown)
        if floats or kind is BOOL:
            need_number(x, op.__name__, floats)
        if a.shape or b.shape:
            result = _broadcast(on_arrays, a, b, shown)
        else:
            result = kernel(a, b)
            if type(result) is np.ndarray:
                result = result[()]
        if result.dtype is not kind and result.dtype != kind:
            result = result.astype(kind)
        out = Tensor(result)
        if STATE.tapes:
            record(out, (x, y), pull)
        return out

    return _named(op, name)


def test(name: str, kernel: k.Kernel) -> Op:
    """A comparison or logical operation: bools, never recorded."""
    kernel = k.quiet(kernel)
    shown = op_name(name)

    def op(x: Any, y: Any = None, name: str | None = None) -> Tensor:
        if y is None:
            return Tensor(kernel(to_tensor(x)._value))
        x, y = pair(x, y, shown)
        return Tensor(_broadcast(kernel, x._value, y._value, shown))

    return _named(op, name)


def listed(shape: tuple[int, ...]) -> str:
    """A shape as it stands in messages: ``[2,3]``."""
    return "[" + ",".join(map(str, shape)) + "]"


def _broadcast(kernel: k.Kernel, a: Any, b: Any, shown: str) -> Any:
    try:
        return kernel(a, b)
    except ValueError:
        if "broadcast" in shown or a.shape == b.shape:
            raise
        raise InvalidArgumentError(
            f"Incompatible shapes: {listed(a.shape)} vs. {listed(b.shape)} [Op:{shown}] name: "
        ) from None


def _named(op: Op, name: str) -> Op:
    op.__name__ = op.__qualname__ = name
    op.__doc__ = f"Elementwise ``{name}``; the derivative is that of the rule table."
    return op


for _name, _kernel in k.FLOAT_UNARY.items():
    VOCABULARY[_name] = unary(_name, _kernel, True)
for _name, _kernel in k.ANY_UNARY.items():
    VOCABULARY[_name] = unary(_name, _kernel, False)
for _name, _kernel in k.FLOAT_BINARY.items():
    VOCABULARY[_name] = binary(_name, _kernel, True)
for _name, _kernel in k.ANY_BINARY.items():
    VOCABULARY[_name] = binary(_name, _kernel, False)
for _name, _kernel in k.TESTS.items():
    VOCABULARY[_name] = test(_name, _kernel)


def operation(name: str) -> Op:
    """The operation of a primitive; one without a kernel is evaluated element by element."""
    if name not in VOCABULARY:
        primitive = PRIMITIVES[name]
        kernel = np.vectorize(lambda *xs: primitive.evaluate(*map(float, xs)), otypes=[float])
        make = unary if primitive.arity == 1 else binary
        VOCABULARY[name] = make(name, k.named(name, lambda *xs: kernel(*xs)[()]), True)
    return VOCABULARY[name]


def _integer_power(a: Any, b: Any) -> Any:
    if a.dtype.kind in "iu" and not k.is_elsewhere(b) and np.any(b < 0):
        raise InvalidArgumentError(
            "Integers to negative integer powers are not allowed [Op:Pow]",
            instead="convert the base with tf.cast(x, tf.float32)",
        )
    return operator.pow(a, b)


VOCABULARY["pow"] = _general_power = binary("pow", _integer_power, False)
_quiet_power, _quiet_product = k.quiet(operator.pow), k.quiet(operator.mul)
_array_product = k.quiet(k.roomy(operator.mul))
_NUMBER_PULLS: dict[float, Any] = {}


def power(x: Any, y: Any, name: str | None = None) -> Tensor:
    """``x ** y``; an exponent that is a Python number gets its short derivative (``2 x``)."""
    if type(y) not in (int, float) or type(x) in (int, float):
        return _general_power(x, y)
    x = to_tensor(x)
    value = x._value
    if value.dtype.kind in "iub":
        return _general_power(x, y)
    exponent = beside(y, x)
    if y == 2:
        out = Tensor((_array_product if value.shape else _quiet_product)(value, value))
    else:
        out = Tensor(_quiet_power(value, exponent._value))
    if STATE.tapes:
        if y not in _NUMBER_PULLS:
            _NUMBER_PULLS[y] = pullback("pow", {1: y})
        record(out, (x, exponent), _NUMBER_PULLS[y])
    return out


_select_pull = pullback("select")


def select(condition: Any, x: Any, y: Any, name: str | None = None) -> Tensor:
    """The elements of ``x`` where the condition holds, else those of ``y``."""
    c = to_tensor(condition)
    if c._value.dtype.kind != "b":
        raise InvalidArgumentError(
            f"the condition of tf.where must be bool, not {c._value.dtype.name}"
        )
    x, y = pair(x, y, "SelectV2")
    cv, a, b = c._value, x._value, y._value
    try:
        simple = type(cv) is np.bool_ and a.shape == b.shape
        out = wrap((a if cv else b) if simple else k.chosen(cv, a, b))
    except ValueError:
        raise InvalidArgumentError(
            f"condition {listed(cv.shape)}, then {listed(a.shape)}, and else {listed(b.shape)} "
            "must be broadcastable [Op:SelectV2]"
        ) from None
    if STATE.tapes:
        record(out, (c, x, y), _select_pull)
    return out


def choose(condition: Tensor, x: Any, y: Any, like: Tensor) -> Tensor:
    """``select`` of which both operands may be numbers: then of the type of ``like``."""
    if type(x) is not Tensor and type(y) is not Tensor:
        x = beside(x, like)
    return select(condition, x, y)


def zeros_like(x: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Zeros of the shape and type of ``x``."""
    return _filled(x, dtype, 0)


def ones_like(x: Any, dtype: Any = None, name: str | None = None) -> Tensor:
    """Ones of the shape and type of ``x``."""
    return _filled(x, dtype, 1)


def _filled(x: Any, dtype: Any, number: int) -> Tensor:
    from srcad.tape.dtypes import as_dtype

    value = to_tensor(x)._value
    kind = value.dtype if dtype is None else as_dtype(dtype)._np
    made = np.full(value.shape, number, kind) if value.shape else kind.type(number)
    return Tensor(where(value, made))


def logical(name: str) -> Op:
    """``and`` and ``or`` of rules, on bool tensors."""
    return VOCABULARY[f"logical_{name}"]


VOCABULARY.update(
    {
        "pow": power,
        "select": select,
        "choose": choose,
        "zeros_like": zeros_like,
        "and_": logical("and"),
        "or_": logical("or"),
    }
)
