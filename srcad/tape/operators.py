"""Attaches Python's operators to ``Tensor`` and ``Variable``.

Importing this module is what makes ``x * y`` work; everything else of the package works without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srcad.tape.convert import to_tensor
from srcad.tape.elementwise import VOCABULARY
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.indexing import getitem
from srcad.tape.linear import matmul
from srcad.tape.mathops import truediv
from srcad.tape.tensor import Tensor
from srcad.tape.variable import Variable

_v = VOCABULARY


def _equal(x: Any, y: Any) -> Any:
    return _compared("eq", x, y, False)


def _unequal(x: Any, y: Any) -> Any:
    return _compared("ne", x, y, True)


def _compared(name: str, x: Any, y: Any, otherwise: bool) -> Any:
    """Elementwise; a plain bool where the operands cannot be compared at all."""
    if y is None:
        return otherwise
    try:
        return _v[name](x, y)
    except InvalidArgumentError as error:
        if "Incompatible shapes" in str(error):
            return Tensor(to_tensor(otherwise)._value)
        raise


def _swapped(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, other: f(other, self)


def _bits(name: str) -> Callable[..., Any]:
    """Logical on bools, bitwise on integers."""

    def operator(x: Any, y: Any) -> Any:
        is_bool = to_tensor(x)._value.dtype.kind == "b"
        if is_bool:
            return _v[f"logical_{name}"](x, y)
        return _v[f"bit{name}"](x, y)

    return operator


def _inverted(x: Any) -> Any:
    is_bool = to_tensor(x)._value.dtype.kind == "b"
    return _v["logical_not" if is_bool else "invert"](x)


_BINARY: dict[str, Callable[..., Any]] = {
    "add": _v["add"],
    "sub": _v["sub"],
    "mul": _v["mul"],
    "truediv": truediv,
    "floordiv": _v["floordiv"],
    "mod": _v["mod"],
    "pow": _v["pow"],
    "matmul": matmul,
    "and": _bits("and"),
    "or": _bits("or"),
    "xor": _bits("xor"),
}


def _attach(cls: Any) -> None:
    for name, f in _BINARY.items():
        setattr(cls, f"__{name}__", f)
        setattr(cls, f"__r{name}__", _swapped(f))
    for name in ("lt", "le", "gt", "ge"):
        setattr(cls, f"__{name}__", _v[name])
    for name, f in (("neg", _v["neg"]), ("abs", _v["abs"]), ("invert", _inverted)):
        setattr(cls, f"__{name}__", f)
    cls.__eq__, cls.__ne__, cls.__pos__ = _equal, _unequal, to_tensor


def _part_of(variable: Any, key: Any) -> Any:
    """A part of a variable, which can be assigned."""
    found = getitem(to_tensor(variable), key)
    found._part = variable, key
    return found


_attach(Tensor)
_attach(Variable)
setattr(Tensor, "__getitem__", getitem)  # noqa: B010
setattr(Variable, "__getitem__", _part_of)  # noqa: B010


def _refuse(sign: str, method: str) -> Callable[..., Any]:
    def operator(self: Any, other: Any) -> Any:
        raise RuntimeError(
            f"`variable {sign}= value` with `tf.Variable`s is not supported. Use `{method}` to "
            f"modify the variable, or `out = variable {sign} value` if you need to get a new "
            "output Tensor."
        )

    return operator


for _name, _sign, _use in (
    ("add", "+", "variable.assign_add(value)"),
    ("sub", "-", "variable.assign_sub(value)"),
    ("mul", "*", "variable.assign(variable * value)"),
    ("truediv", "/", "variable.assign(variable / value)"),
    ("pow", "**", "variable.assign(variable ** value)"),
):
    setattr(Variable, f"__i{_name}__", _refuse(_sign, _use))
