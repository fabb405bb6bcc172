"""Every derivative rule against numerical differentiation, to second order.

The tests are generated from the registry, so a rule cannot exist untested.  Partials are emitted
as IR and evaluated with the primitives' evaluators.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

from srcad.errors import InternalError, NoDerivative
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Const, Function, Op, Var
from srcad.ir.primitives import PRIMITIVES, WITH_ORDER
from srcad.ir.types import B1, F4, F8, I8, Scalar
from srcad.ir.walk import operands as reads_of
from srcad.ir.walk import statements
from srcad.rules import (
    FUNCTIONS,
    REASONS,
    RULES,
    check_registry,
    guarded,
    has_rule,
    is_zero,
    needs,
    not_implemented,
    partials,
    scalar_rule,
    zero_rule,
)
from srcad.rules.expr import where
from srcad.transforms.reverse import reverse_with_report

SMOOTH = sorted(name for name in RULES if not is_zero(name))
ZEROS = sorted(name for name in RULES if is_zero(name))
ORDERS = tuple(sorted(WITH_ORDER - {"ldexp"}))
KINDS = {"select": (B1, F8, F8), "ldexp": (F8, I8)} | dict.fromkeys(ORDERS, (I8, F8))
# results that are float64 even of float32
WIDE = {name for name, p in PRIMITIVES.items() if p.result_type(*(F4,) * p.arity) == F8}
WIDE |= {"gamma", "lgamma", "ldexp", "logaddexp", "logaddexp2"}  # by their derivatives

Values = dict[str, Any]


class Traced:
    """The partials of one operation, as IR."""

    def __init__(
        self,
        name: str,
        args: tuple[Atom, ...] | None = None,
        active: tuple[bool, ...] | None = None,
    ) -> None:
        self.name = name
        self.args = args or operands(name)
        self.active = active or tuple(isinstance(a, Var) and a.type in (F8, F4) for a in self.args)
        self.out = Var("out", PRIMITIVES[name].result_type(*(a.type for a in self.args)))
        builder = Builder(Namer(["out", *(a.name for a in self.args if isinstance(a, Var))]))
        self.partials = partials(builder, name, self.args, self.out, self.active)
        self.ops = [s for s in builder.stack[0] if isinstance(s, Op)]

    def environment(self, point: tuple[Any, ...]) -> Values:
        """Values of everything the operation and its partials compute at a point."""
        env: Values = {
            a.name: v for a, v in zip(self.args, point, strict=True) if isinstance(a, Var)
        }
        env["out"] = PRIMITIVES[self.name].evaluate(*point)
        for s in self.ops:
            value = PRIMITIVES[s.op].evaluate(*(read(env, a) for a in s.args))
            env[s.target.name] = float(np.float32(value)) if s.target.type == F4 else value
        return env

    def at(self, point: tuple[Any, ...]) -> list[Any]:
        """Values of the partials at a point."""
        env = self.environment(point)
        return [None if p is None else read(env, p) for p in self.partials]


def read(env: Values, a: Atom) -> Any:
    """The value of an operand."""
    return a.value if isinstance(a, Const) else env[a.name]


def operands(name: str, float_kind: Scalar = F8) -> tuple[Var, ...]:
    """Variables to differentiate a primitive with respect to."""
    kinds = KINDS.get(name, (F8,) * PRIMITIVES[name].arity)
    return tuple(Var(f"x{i}", float_kind if k == F8 else k) for i, k in enumerate(kinds))


def points(name: str, count: int = 25) -> Iterator[tuple[Any, ...]]:
    """Random points of the rule's domain."""
    rnd = random.Random(name)
    for _ in range(count):
        yield tuple(
            rnd.random() < 0.5
            if a.type == B1
            else rnd.randint(int(lo), int(hi))
            if a.type == I8
            else rnd.uniform(lo, hi)
            for a, (lo, hi) in zip(operands(name), RULES[name].domain, strict=True)
        )


def slope(f: Callable[[tuple[Any, ...]], float], point: tuple[Any, ...], i: int) -> float | None:
    """Central differences of order six; ``None`` next to a kink, where two widths disagree."""

    def shifted(d: float) -> float:
        return f((*point[:i], point[i] + d, *point[i + 1 :]))

    def estimate(h: float) -> float:
        pairs = [shifted(k * h) - shifted(-k * h) for k in (1, 2, 3)]
        return (45 * pairs[0] - 9 * pairs[1] + pairs[2]) / (60 * h)

    wide, narrow = estimate(2e-3), estimate(1e-3)
    agree = math.isclose(wide, narrow, rel_tol=1e-7, abs_tol=1e-7)
    return narrow if agree else None


def on_tuples(name: str) -> Callable[[tuple[Any, ...]], float]:
    """A primitive's evaluator as a function of the point."""
    return lambda point: float(PRIMITIVES[name].evaluate(*point))


def close(a: float, b: float) -> bool:
    """Equal up to the error of numerical differentiation."""
    return math.isclose(a, b, rel_tol=1e-7, abs_tol=1e-8)


def test_every_primitive_has_a_rule() -> None:
    """A derivative, a declared zero, or a reason; and partials use nothing that lacks one."""
    check_registry()
    assert not [n for n in PRIMITIVES if not has_rule(n) and n not in REASONS]
    assert not [n for n in SMOOTH if not RULES[n].body.__doc__]
    assert all(PRIMITIVES[n].arity >= 1 for n in FUNCTIONS.values())


@pytest.mark.parametrize("name", SMOOTH)
def test_first_order(name: str) -> None:
    """Partials agree with differences of the primitive."""
    traced, checked = Traced(name), 0
    for point in points(name):
        for i, p in enumerate(traced.at(point)):
            expected = None if p is None else slope(on_tuples(name), point, i)
            if expected is not None:
                assert close(p, expected), (point, i, p, expected)
                checked += 1
    assert checked >= 15


def tangent(traced: Traced, env: Values, which: Atom, i: int) -> float:
    """Derivative of a traced variable by argument ``i``: the rules applied to emitted code."""
    tangents = {a.name: float(j == i) for j, a in enumerate(traced.args) if isinstance(a, Var)}
    tangents["out"] = traced.at(tuple(read(env, a) for a in traced.args))[i]
    for s in traced.ops:
        point = tuple(read(env, a) for a in s.args)
        active = tuple(isinstance(a, Var) and a.type == F8 for a in s.args)
        total = 0.0
        if any(active):
            for a, p in zip(s.args, Traced(s.op, fresh(s.args), active).at(point), strict=True):
                total += tangents[a.name] * p if isinstance(a, Var) and p is not None else 0.0
        tangents[s.target.name] = total
    return tangents[which.name] if isinstance(which, Var) else 0.0


def fresh(args: tuple[Atom, ...]) -> tuple[Atom, ...]:
    """The operands under names of their own (one may occur twice)."""
    return tuple(Var(f"y{i}", a.type) if isinstance(a, Var) else a for i, a in enumerate(args))


def nth_partial(traced: Traced, i: int, point: tuple[Any, ...]) -> float:
    """Value of a partial at a point."""
    return float(traced.at(point)[i])


@pytest.mark.parametrize("name", SMOOTH)
def test_second_order(name: str) -> None:
    """The rules applied to the code of a partial agree with differences of that partial."""
    traced = Traced(name)
    floats = [i for i, on in enumerate(traced.active) if on]
    for point in points(name, 8):
        env = traced.environment(point)
        for i, j in product(floats, floats):
            expected = slope(functools.partial(nth_partial, traced, i), point, j)
            which = traced.partials[i]
            if expected is not None and which is not None:
                found = tangent(traced, env, which, j)
                assert math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-6), (point, i, j)


@pytest.mark.parametrize("name", SMOOTH)
def test_needs(name: str) -> None:
    """``needs`` names exactly what the emitted code reads, for every set of active arguments."""
    full = Traced(name).active
    for active in product(*((False, True) if on else (False,) for on in full)):
        if not any(active):
            continue
        traced = Traced(name, active=active)
        assert [p is not None for p in traced.partials] == list(active)
        used = {a.name for s in traced.ops for a in s.args if isinstance(a, Var)}
        used |= {p.name for p in traced.partials if isinstance(p, Var)}
        names = {a.name: i for i, a in enumerate(operands(name))} | {"out": "out"}
        assert needs(name, active) == {names[u] for u in used if u in names}


@pytest.mark.parametrize("name", SMOOTH)
def test_the_adjoint_reads_what_is_needed(name: str) -> None:
    """The reverse sweep of one operation reads the primal values declared, and no other."""
    args = operands(name)
    out = Var("out", PRIMITIVES[name].result_type(*(a.type for a in args)))
    fn = Function("f", args, Block((Op(out, name, args),), (out,)))
    for active in product(*((False, True) if on else (False,) for on in Traced(name).active)):
        if any(active):
            body = reverse_with_report(fn, active)[0].body
            everything = list(statements(body))
            start = next(k for k, s in enumerate(everything) if isinstance(s, Op) and s.op == name)
            result = everything[start].target.name  # type: ignore[union-attr]
            positions: dict[str, int | str] = {a.name: i for i, a in enumerate(args)}
            positions[result] = "out"
            reads = [a for s in everything[start + 1 :] for a in reads_of(s)]
            names = {a.name for a in (*reads, *body.yields[1:]) if isinstance(a, Var)}
            assert needs(name, active) == {positions[n] for n in names if n in positions}


@pytest.mark.parametrize("name", SMOOTH)
def test_float32_stays(name: str) -> None:
    """Partials of float32 operands are float32 (except where the primitive gives float64)."""
    traced = Traced(name, operands(name, F4))
    kinds = {s.target.type for s in traced.ops} | {p.type for p in traced.partials if p}
    if name not in WIDE:
        assert kinds <= {F4, B1, I8}


@pytest.mark.parametrize("name", ZEROS)
def test_declared_zeros(name: str) -> None:
    """A declared zero is the constant 0 and reads nothing."""
    traced = Traced(name)
    assert traced.partials == (const(0.0),) * PRIMITIVES[name].arity
    assert not traced.ops and not needs(name, traced.active) and not guarded(name)


X, N = Var("x", F8), Var("n", I8)
INF = math.inf


@pytest.mark.parametrize(
    ("name", "args", "point", "expected"),
    [
        ("abs", None, (0.0,), [0.0]),
        ("fabs", None, (0.0,), [0.0]),
        ("copysign", None, (0.0, -2.0), [0.0, 0.0]),
        ("copysign", None, (3.0, -2.0), [-1.0, 0.0]),
        ("sqrt", None, (0.0,), [INF]),
        ("cbrt", None, (0.0,), [INF]),
        ("log", None, (0.0,), [INF]),
        ("asin", None, (1.0,), [INF]),
        ("acos", None, (1.0,), [-INF]),
        ("acosh", None, (1.0,), [INF]),
        ("atanh", None, (1.0,), [INF]),
        ("log1p", None, (-1.0,), [INF]),
        ("hypot", None, (0.0, 0.0), [0.0, 0.0]),
        ("atan2", None, (0.0, 0.0), [0.0, 0.0]),
        ("min", None, (1.0, 1.0), [1.0, 0.0]),
        ("max", None, (1.0, 1.0), [1.0, 0.0]),
        ("minimum", None, (1.0, 1.0), [1.0, 0.0]),
        ("maximum", None, (1.0, 1.0), [1.0, 0.0]),
        ("fmin", None, (math.nan, 1.0), [0.0, 1.0]),
        ("fmax", None, (1.0, math.nan), [1.0, 0.0]),
        ("pow", None, (0.0, 0.0), [0.0, 0.0]),
        ("pow", None, (0.0, 2.0), [0.0, 0.0]),
        ("pow", None, (0.0, 0.5), [INF, 0.0]),
        ("pow", None, (2.0, 0.0), [0.0, math.log(2)]),
        ("pow", (X, N), (0.0, 0), [0.0, None]),
        ("pow", (X, N), (0.0, 1), [1.0, None]),
        ("pow", (X, N), (-2.0, 3), [12.0, None]),
        ("pow", (X, N), (2.0, -1), [-0.25, None]),
        ("sinc", None, (0.0,), [0.0]),
        ("heaviside", None, (0.0, 0.5), [0.0, 1.0]),
        ("heaviside", None, (2.0, 0.5), [0.0, 0.0]),
        ("mod", None, (6.0, 2.0), [1.0, -3.0]),
        ("fmod", None, (-7.0, 2.0), [1.0, 3.0]),
        ("logaddexp", None, (-INF, 1.0), [0.0, 1.0]),
        ("truediv", None, (1.0, 0.0), [INF, -INF]),
    ],
)
def test_special_values(
    name: str, args: tuple[Atom, ...] | None, point: tuple[Any, ...], expected: list[Any]
) -> None:
    """The conventions that the docstrings state."""
    assert Traced(name, args).at(point) == expected


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, -1, -2, 7, 2.0, 3.0, 0.5, 1.5, 2.5, -0.5, 80.0])
def test_constant_exponents(n: float) -> None:
    """Short forms of ``x**n`` are right, call no logarithm, and read the least."""
    traced = Traced("pow", (X, const(n)))
    assert not [s for s in traced.ops if s.op == "log"]
    for x in (0.4, 1.7):
        assert math.isclose(traced.at((x, n))[0], n * x ** (n - 1), rel_tol=1e-13)
    assert needs("pow", (True, False), (X, const(n))) <= {0, "out"}
    assert guarded("pow", (X, const(n))) == (n < 1 and n != 0)


def test_constant_exponent_forms() -> None:
    """The square costs one multiplication; float powers are avoided where possible."""
    assert [s.op for s in Traced("pow", (X, const(2))).ops] == ["mul"]
    assert Traced("pow", (X, const(0))).partials[0] == const(0.0)
    assert needs("pow", (True, False), (X, const(0.5))) == {"out"}
    cube = Traced("pow", (Var("x", F4), const(5)))
    assert cube.ops[0].args[1] == const(4) and cube.ops[-1].target.type == F4
    base = Traced("pow", (const(2.0), X))
    assert [s.op for s in base.ops] == ["mul"] and needs("pow", (False, True), base.args) == {"out"}


def test_partials_known_at_compile_time_are_constants() -> None:
    """Transforms can leave out multiplications by 1, -1 and 0."""
    assert Traced("add").partials == (const(1.0), const(1.0))
    assert Traced("sub", operands("sub", F4)).partials == (const(1.0, F4), const(-1.0, F4))
    assert Traced("mul", (X, const(3))).partials[0] == const(3)
    assert not Traced("truediv", (X, const(4.0))).ops


def test_only_active_partials_are_emitted() -> None:
    """``x**y`` with a passive exponent computes no logarithm; operations are shared."""
    assert "log" not in [s.op for s in Traced("pow", active=(True, False)).ops]
    both = [s.op for s in Traced("atan2").ops]
    assert both.count("hypot") == 1 and both.count("select") == 3


def test_guards() -> None:
    """Infinite slopes are guarded, division is not."""
    assert all(guarded(n) for n in ("sqrt", "log", "asin", "acosh", "atanh", "pow", "cbrt"))
    assert not any(guarded(n) for n in ("truediv", "mul", "sin", "hypot", "atan2", "tanh"))


def test_missing_derivatives() -> None:
    """No rule, or none with respect to this argument: a clear error with the declared reason."""
    with pytest.raises(NoDerivative, match="with respect to this argument"):
        Traced("ldexp", (X, Var("e", F8)), (True, True))
    with pytest.raises(NoDerivative, match="nothing"):
        partials(Builder(Namer()), "nothing", (X,), X, (True,))
    assert "grid" in REASONS[np.nextafter]


def test_registration_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong arity, unknown primitives, doubles, wrong number of partials, unusable partials."""
    with pytest.raises(InternalError, match="unknown primitive 'nope'"):
        scalar_rule("nope")(lambda x: 1)
    with pytest.raises(InternalError, match="unknown primitive"):
        zero_rule("nope")
    with pytest.raises(InternalError, match="two rules"):
        scalar_rule("tanh")(lambda x: 1)
    monkeypatch.delitem(RULES, "tanh")
    with pytest.raises(InternalError, match="takes 2 operands, the primitive 1"):
        scalar_rule("tanh")(lambda x, y: (1, 1))
    with pytest.raises(InternalError, match="means both"):
        scalar_rule("tanh", math.sin)(lambda x: 1)
    with pytest.raises(TypeError, match="where"):  # noqa: PT012  (either may notice)
        scalar_rule("tanh")(lambda x: 1 if x > 0 else 2)
        check_registry()
    monkeypatch.delitem(RULES, "tanh")
    scalar_rule("tanh")(lambda x: (1, 2))
    with pytest.raises(InternalError, match="2 partials for 1 arguments"):
        check_registry()


def test_partials_need_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """A partial that no rule can differentiate is found by ``check_registry``."""
    monkeypatch.delitem(RULES, "cosh")
    with pytest.raises(InternalError, match="'sinh' uses 'cosh', which has no rule"):
        check_registry()
    monkeypatch.setitem(REASONS, "cosh", "reserved")
    not_implemented("cosh", reason="because")
    with pytest.raises(NoDerivative, match="because"):
        Traced("cosh")


def test_numbers_in_rules_adapt() -> None:
    """Literals take the kind of what they meet."""
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.delitem(RULES, "tanh")
        scalar_rule("tanh")(lambda x, out: where(x > 0, 1, 2) * (x + 1))
        traced = Traced("tanh", operands("tanh", F4))
        assert {a.type for s in traced.ops for a in s.args} == {F4, B1}
