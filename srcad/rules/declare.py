"""How derivatives are declared: one short function per primitive, or a list of zeros.

::

    @scalar_rule("tanh", np.tanh, math.tanh)
    def tanh(x, out):
        \"\"\"d tanh = 1 - tanh^2.\"\"\"
        return 1 - out * out

The body gives one partial derivative per argument (a tuple if there are several); a last
parameter called ``out`` is the result.  It is traced with the symbolic operands of
``rules.expr``: use their operators and functions, and ``where`` instead of ``if``.  What an
inactive argument's partial computes is never emitted, and the values to be saved for the
reverse sweep follow from what the formulas of the active ones mention.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from srcad.ir.primitives import PRIMITIVES
from srcad.rules.registry import REASONS, Interval, Rule, register

Body = Callable[..., Any]
Domain = Interval | tuple[Interval, ...]


def scalar_rule(
    name: str,
    *functions: Callable[..., Any],
    domain: Domain = (-3.0, 3.0),
    guard: bool | Callable[..., bool] = False,
) -> Callable[[Body], Body]:
    """Declare the partial derivatives of primitive ``name``.

    Args:
        functions: Python callables that mean this primitive.
        domain: where to test the rule, one interval or one per argument.
        guard: whether a partial may be infinite or NaN at a point where the cotangent may be
            zero (``sqrt`` at 0); transforms then multiply so that zero stays zero.  A function
            of the operands decides by their constants.
    """

    def declare(body: Body) -> Body:
        parameters = list(inspect.signature(body).parameters)
        uses_out = parameters[-1:] == ["out"]
        arity = len(parameters) - uses_out
        register(Rule(name, arity, body, uses_out, guard, _per_argument(domain, arity)), functions)
        return body

    return declare


def zero_rule(name: str, *functions: Callable[..., Any]) -> None:
    """Declare that a primitive's derivative is zero wherever it exists, and taken as zero."""
    arity = PRIMITIVES[name].arity if name in PRIMITIVES else 0
    zeros = (0.0,) * arity
    register(Rule(name, arity, lambda *args: zeros, False, False, (), zero=True), functions)


def not_implemented(*names: object, reason: str) -> None:
    """Declare that functions or primitives have no derivative here, and why."""
    for name in names:
        REASONS[name] = reason


def _per_argument(domain: Domain, arity: int) -> tuple[Interval, ...]:
    if isinstance(domain[0], tuple):
        return domain
    return (domain,) * arity
