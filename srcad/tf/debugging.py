"""``tf.debugging``: assertions about tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.tape.convert import to_tensor
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.kernels import is_symbolic
from srcad.tape.tensor import Tensor
from srcad.tf.missing import missing


def shown(value: Any) -> str:
    """A value in a message; unknown while a function is traced."""
    return "?" if is_symbolic(value) else str(value)


def _relation(name: str, test: Callable[..., Any]) -> Callable[..., None]:
    def check(
        x: Any, y: Any, message: str | None = None, summarize: Any = None, name: Any = None
    ) -> None:
        a, b = to_tensor(x)._value, to_tensor(y)._value
        if not np.all(test(a, b)):
            raise InvalidArgumentError(
                f"{message or ''} Condition x {sign} y did not hold: {shown(a)}, {shown(b)}"
            )

    sign = name
    return check


assert_equal = _relation("==", np.equal)
assert_none_equal = _relation("!=", np.not_equal)
assert_greater = _relation(">", np.greater)
assert_greater_equal = _relation(">=", np.greater_equal)
assert_less = _relation("<", np.less)
assert_less_equal = _relation("<=", np.less_equal)


def assert_near(
    x: Any, y: Any, rtol: Any = None, atol: Any = None, message: str | None = None, **kwargs: Any
) -> None:
    """Refuse values further apart than the tolerances (ten epsilons)."""
    a, b = to_tensor(x)._value, to_tensor(y)._value
    eps = 10 * np.finfo(a.dtype).eps
    allowed = (eps if atol is None else atol) + (eps if rtol is None else rtol) * np.abs(b)
    if not np.all(np.abs(a - b) <= allowed):
        raise InvalidArgumentError(
            f"{message or ''} x and y not equal to tolerance: {shown(a)}, {shown(b)}"
        )


def check_numerics(tensor: Any, message: str, name: str | None = None) -> Tensor:
    """The tensor, refused if it holds an infinity or NaN."""
    x = to_tensor(tensor)
    for kind, test in (("Inf", np.isinf), ("NaN", np.isnan)):
        if np.any(test(x._value)):
            raise InvalidArgumentError(f"{message} : Tensor had {kind} values [Op:CheckNumerics]")
    return x


assert_all_finite = check_numerics


def Assert(condition: Any, data: Any, summarize: Any = None, name: str | None = None) -> None:
    """Refuse a false condition."""
    if not bool(to_tensor(condition)):
        summary = [shown(to_tensor(x)._value) for x in data] if data else data
        raise InvalidArgumentError(
            f"Expected 'tf.Tensor(False)' to be true. Summarized data: {summary}"
        )


def assert_shapes(shapes: Any, data: Any = None, message: str | None = None, **kwargs: Any) -> None:
    """Refuse tensors whose shapes are not as said."""
    for x, wanted in shapes.items() if isinstance(shapes, dict) else shapes:
        if not to_tensor(x).shape.is_compatible_with(
            [d if isinstance(d, int) else None for d in wanted]
        ):
            raise ValueError(f"{message or ''} shape {x.shape} is not {wanted}")


__getattr__ = missing("tf.debugging", lambda: globals())
