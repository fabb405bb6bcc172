"""The table of rules, and what transforms ask of it.

A rule is traced for the operands of one ``Op``; ``partials`` emits the partial derivatives of
the active arguments, ``needs`` says which primal values that code reads, ``guarded`` whether a
zero cotangent must be protected from an infinite partial (``guarded_mul``).

A partial may be of a wider kind than the argument, where operands are mixed; the transform
casts.  A partial known at compile time comes as ``Const``: 1 and -1 need no multiplication.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from srcad.errors import InternalError, NoDerivative
from srcad.ir.build import Builder, const
from srcad.ir.nodes import Atom, Var
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import F4, F8, Scalar, Type, is_float
from srcad.rules.expr import Expr, Value, emit, nodes

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rule:
    """The derivative of one primitive: ``body`` gives one partial per argument."""

    name: str
    arity: int
    body: Callable[..., Any]
    uses_out: bool
    guard: bool | Callable[..., bool]
    domain: tuple[Interval, ...]
    zero: bool = False


RULES: dict[str, Rule] = {}
FUNCTIONS: dict[Callable[..., Any], str] = {}  # what each Python callable means on scalars
REASONS: dict[object, str] = {}  # primitives and callables that have no derivative, and why


def register(rule: Rule, functions: tuple[Callable[..., Any], ...]) -> None:
    """Enter a rule and the callables that mean its primitive."""
    if rule.name not in PRIMITIVES:
        raise InternalError(f"rule for an unknown primitive {rule.name!r}")
    if rule.name in RULES:
        raise InternalError(f"two rules for primitive {rule.name!r}")
    if rule.arity != PRIMITIVES[rule.name].arity:
        raise InternalError(
            f"the rule for {rule.name!r} takes {rule.arity} operands, "
            f"the primitive {PRIMITIVES[rule.name].arity}"
        )
    for f in functions:
        if FUNCTIONS.setdefault(f, rule.name) != rule.name:
            raise InternalError(f"{f} means both {FUNCTIONS[f]!r} and {rule.name!r}")
    RULES[rule.name] = rule


def has_rule(name: str) -> bool:
    """Whether a primitive has a derivative (declared zeros included)."""
    return name in RULES


def find_rule(name: str) -> Rule:
    """The rule of a primitive, or ``NoDerivative`` with the declared reason."""
    if name not in RULES:
        raise NoDerivative(
            f"no derivative rule for {name!r}",
            why=REASONS.get(name, ""),
            instead="write it with functions that have rules",
        )
    return RULES[name]


def is_zero(name: str) -> bool:
    """Whether the derivative is declared to be zero everywhere."""
    return find_rule(name).zero


def partials(
    builder: Builder, op_name: str, args: tuple[Atom, ...], out: Atom, active: tuple[bool, ...]
) -> tuple[Atom | None, ...]:
    """Code for the partial derivatives of the active arguments; ``None`` for the others."""
    traced = _trace(find_rule(op_name), args, out)
    memo: dict[object, Atom] = {}
    return tuple(
        emit(builder, _wanted(e, op_name), memo) if on else None
        for e, on in zip(traced, active, strict=True)
    )


def needs(
    op_name: str, active: tuple[bool, ...], args: tuple[Atom, ...] | None = None
) -> frozenset[int | str]:
    """Positions of the operands, and ``"out"``, that the emitted partials read.

    Constant operands do not count.  With ``args`` the answer is that for these operands (the
    partial of ``x**2`` reads ``x``, that of ``x**0.5`` the result); without, for variables.
    """
    if args is None:
        return _generic_needs(op_name, active)
    rule = find_rule(op_name)
    out = Var("out", PRIMITIVES[op_name].result_type(*(a.type for a in args)))
    return _slots(rule, _trace(rule, args, out), active)


@cache
def _generic_needs(op_name: str, active: tuple[bool, ...]) -> frozenset[int | str]:
    return needs(op_name, active, generic_operands(op_name))


def guarded(op_name: str, args: tuple[Atom, ...] | None = None) -> bool:
    """Whether partials may be infinite or NaN where the cotangent can be zero."""
    rule = find_rule(op_name)
    if callable(rule.guard):
        given = generic_operands(op_name) if args is None else args
        return rule.guard(*_operands(given, F8))
    return rule.guard


def generic_operands(op_name: str) -> tuple[Var, ...]:
    """Variables to stand for any operands."""
    return tuple(Var(f"x{i}", F8) for i in range(PRIMITIVES[op_name].arity))


def check_registry() -> None:
    """Trace every rule: partials must be as many as arguments, of primitives that have rules."""
    for rule in RULES.values():
        args = generic_operands(rule.name)
        for e in _trace(rule, args, Var("out", F8)):
            for node in nodes(e) if e is not None else ():
                if node.op and node.op not in RULES:
                    raise InternalError(
                        f"the rule for {rule.name!r} uses {node.op!r}, which has no rule"
                    )


def _trace(rule: Rule, args: tuple[Atom, ...], out: Atom) -> tuple[Expr | None, ...]:
    """The partials as expressions (``None``: no derivative with respect to that argument)."""
    kind = _float_kind(out.type, *(a.type for a in args))
    operands = _operands(args, kind)
    if rule.uses_out:
        assert isinstance(out.type, Scalar)
        operands = (*operands, Expr(out.type, kind, atom=out, slot="out"))
    result = rule.body(*operands)
    found = result if isinstance(result, tuple) else (result,)
    if len(found) != rule.arity:
        raise InternalError(
            f"the rule for {rule.name!r} gives {len(found)} partials for {rule.arity} arguments"
        )
    return tuple(_as_expr(p, kind) for p in found)


def _operands(args: tuple[Atom, ...], kind: Scalar) -> tuple[Expr, ...]:
    found = []
    for i, a in enumerate(args):
        assert isinstance(a.type, Scalar)
        found.append(Expr(a.type, kind, atom=a, slot=i))
    return tuple(found)


def _float_kind(out: Type, *args: Type) -> Scalar:
    kinds = {t for t in (out, *args) if is_float(t)}
    return F4 if kinds == {F4} or out == F4 else F8


def _as_expr(p: Value | None, kind: Scalar) -> Expr | None:
    if p is None or isinstance(p, Expr):
        return p
    return Expr(kind, kind, atom=const(p, kind))


def _wanted(e: Expr | None, op_name: str) -> Expr:
    if e is None:
        raise NoDerivative(
            f"{op_name!r} has no derivative with respect to this argument",
            why=REASONS.get(op_name, ""),
            instead="pass an int there, or a value that does not depend on the "
            "differentiated arguments",
        )
    return e


def _slots(
    rule: Rule, traced: tuple[Expr | None, ...], active: tuple[bool, ...]
) -> frozenset[int | str]:
    found: set[int | str] = set()
    for e, on in zip(traced, active, strict=True):
        if on:
            found.update(
                n.slot
                for n in nodes(_wanted(e, rule.name))
                if n.slot is not None and not n.is_const
            )
    return frozenset(found)
