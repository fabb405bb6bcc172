"""Pullbacks of elementwise operations, made from the rule registry.

In: the name of a primitive.  Out: a pullback ``(g, i, inputs, out, lead)``, the contribution of
the cotangent ``g`` to operand ``i``.  The rule's body is traced once; each partial derivative is
written as a Python function of tensor operations, so an enclosing tape records what it does and
derivatives of every order follow.  ``lead`` says how many leading axes ``g`` has that ``out``
has not (rows of a Jacobian); elementwise formulas broadcast over them by themselves.

A choice becomes a choice of cotangents and a guarded quotient a guarded product, as in the
compiler's transforms.  A partial that is declared zero gives no contribution, hence ``None``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from srcad.errors import NoDerivative
from srcad.ir.build import const
from srcad.ir.nodes import Const, Var
from srcad.ir.types import F8
from srcad.rules import RULES
from srcad.rules.expr import Expr

Partial = Callable[..., Any]
SPELLED = {"and": "and_", "or": "or_"}
ZEROS = {"sign"}  # zero rules whose gradient is a zero tensor, not None


class Writer:
    """Writes expressions as Python statements over tensor operations ``add``, ``mul`` ..."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.memo: dict[tuple[str, ...], str] = {}

    def call(self, name: str, *args: str) -> str:
        """The variable that holds an operation's result."""
        key = (name, *args)
        if key not in self.memo:
            self.memo[key] = f"t{len(self.memo)}"
            self.lines.append(f"    {self.memo[key]} = {name}({', '.join(args)})")
        return self.memo[key]

    def value(self, e: Expr) -> str:
        """The value of an expression."""
        if isinstance(e.atom, Const):
            return repr(e.atom.value)
        if e.slot is not None:
            return "out" if e.slot == "out" else f"x{e.slot}"
        if e.op == "mul" and _is_inverse(e.args[1]):
            return self.call("truediv", self.value(e.args[0]), self.value(e.args[1].args[1]))
        if e.op == "select":
            return self.call("choose", *map(self.value, e.args), "g")
        return self.call(SPELLED.get(e.op, e.op), *map(self.value, e.args))

    def pull(self, g: str, e: Expr, guard: bool) -> str:
        """The product of a cotangent and a partial derivative."""
        if isinstance(e.atom, Const):
            return self.scaled(g, e.atom.value)
        if e.op == "neg":
            return self.call("neg", self.pull(g, e.args[0], guard))
        if e.op == "select":
            c, a, b = e.args
            return self.call(
                "select", self.value(c), self.pull(g, a, guard), self.pull(g, b, guard)
            )
        if e.op == "steep_div":
            return self.call("guarded_div", self.pull(g, e.args[0], guard), self.value(e.args[1]))
        if _is_inverse(e):
            return self.call("truediv", g, self.value(e.args[1]))
        return self.call("guarded_mul" if guard else "mul", g, self.value(e))

    def scaled(self, g: str, number: float) -> str:
        """A cotangent times a number."""
        if number in (1, -1):
            return g if number == 1 else self.call("neg", g)
        return self.call("zeros_like", g) if number == 0 else self.call("mul", g, repr(number))


def _is_inverse(e: Expr) -> bool:
    return e.op == "truediv" and e.args[0].is_const and e.args[0].value == 1


def partial_functions(name: str, numbers: dict[int, float] | None = None) -> list[Partial | None]:
    """One function ``(g, x0, x1, ..., out)`` per operand; ``None`` where there is no derivative.

    ``numbers`` are operands known to be constants: their rule may take a shorter form.
    """
    rule = RULES.get(name)
    if rule is None:
        raise NoDerivative(f"no derivative rule for {name!r}")
    if rule.zero and name not in ZEROS:
        return [None] * rule.arity
    numbers = numbers or {}
    operands = [
        Expr(F8, F8, atom=const(numbers[i], F8) if i in numbers else Var(f"x{i}", F8), slot=i)
        for i in range(rule.arity)
    ]
    if rule.uses_out:
        operands.append(Expr(F8, F8, atom=Var("out", F8), slot="out"))
    guard = rule.guard(*operands[: rule.arity]) if callable(rule.guard) else rule.guard
    found = rule.body(*operands)
    traced = found if isinstance(found, tuple) else (found,)
    return [None if p is None else _function(p, rule.arity, guard) for p in traced]


def _function(p: Any, arity: int, guard: bool) -> Partial:
    e = p if isinstance(p, Expr) else Expr(F8, F8, atom=const(p, F8))
    writer = Writer()
    result = writer.pull("g", e, guard)
    names = ", ".join(f"x{i}" for i in range(arity))
    source = "\n".join([f"def partial(g, {names}, out):", *writer.lines, f"    return {result}"])
    return _compiled(source, {key[0] for key in writer.memo})


def _compiled(source: str, used: set[str]) -> Partial:
    from srcad.tape.elementwise import operation

    space: dict[str, Any] = {name: operation(name) for name in used}
    exec(compile(source, "<pullback>", "exec"), space)
    return space["partial"]


def pullback(name: str, numbers: dict[int, float] | None = None) -> Callable[..., Any]:
    """The pullback of a primitive; traced when it is first asked for."""
    partials: Sequence[Partial | None] = ()

    def pull(g: Any, i: int, inputs: tuple[Any, ...], out: Any, lead: int) -> Any:
        nonlocal partials
        if not partials:
            partials = partial_functions(name, numbers)
        f = partials[i]
        return None if f is None else f(g, *inputs, out)

    return pull
