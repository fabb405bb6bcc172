"""Scalar expressions and conditions."""

from __future__ import annotations

import math
from collections.abc import Callable

from tests.randprog import arrays
from tests.randprog.access import element, index, reading
from tests.randprog.frame import Frame
from tests.randprog.model import (
    ADD,
    ATOM,
    LOOSE,
    LOW,
    MUL,
    POWER,
    UNIT,
    Expr,
    Shape,
    add,
    call,
    constant,
    guarded_quotient,
    multiply,
    negative,
    number,
    scaled,
    subtract,
)

LONG = 32  # expressions longer than this are not repeated in the text
FACTORS = (0.5, 0.3, 0.7, 0.2, 0.9, 0.4, 0.15, 0.85)


def literal(f: Frame) -> float:
    """A number in (0, 1) that computed values will not meet."""
    return round(f.chooser.integer(1, 97) / 100 + 0.003, 3)


def fit(f: Frame, e: Expr, limit: float) -> Expr:
    """`e` if its bound is within the limit; otherwise scaled or squashed."""
    if e.bound <= limit:
        return e
    factor = math.floor(100 * limit / e.bound) / 100
    if factor >= 0.2:
        return scaled(factor, e)
    return squash(f, e)


def squash(f: Frame, e: Expr) -> Expr:
    """A smooth function of `e` bounded by 1."""
    return call(function_name(f, f.chooser.pick(("sin", "tanh", "cos")), e.shape), e, 1.0)


def function_name(f: Frame, name: str, shape: Shape = ()) -> str:
    """The function under the module that has it for this shape."""
    if shape or f.chooser.chance(15):
        return f"np.{'arctan' if name == 'atan' else name}"
    return f"math.{name}"


def unary(f: Frame, e: Expr) -> Expr:
    """An elementary function of e, its argument guarded."""
    name = f.chooser.pick(("sin", "tanh", "cos", "exp", "sqrt", "atan", "log"))
    function = function_name(f, name, e.shape)
    if name == "atan":
        return call(function, e, 1.6)
    if name == "exp":
        return call(function, scaled(0.6, fit(f, e, UNIT)), 2.0)
    if name in ("sqrt", "log"):
        if len(e.text) > LONG:
            e = fit(f, e, UNIT)
            return call(f"{function}({e.at(ADD)} + 2.2)", e, 2.0)
        square = f"{e.at(ATOM)} * {e.at(ATOM)}"
        inner = Expr(f"1.3 + {square}", ADD, 0, e.shape, e.reads, e.needs)
        value = 1.3 + e.bound * e.bound
        return call(function, inner, math.sqrt(value) if name == "sqrt" else math.log(value))
    return call(function, e, 1.0)


def leaf(f: Frame) -> Expr:
    """A variable, an element, a literal."""
    kind = f.chooser.weighted(
        ((8, "element"), (8, "float"), (1, "literal"), (1, "int"), (1, "list"))
    )
    if kind == "int" and (ints := f.vars("int")):
        var = f.chooser.pick(ints[:4])
        size = max(var.high.most(), -var.low)
        return Expr(f"0.1 * {var.name}", MUL, 0.1 * size)
    if kind == "list" and (lists := f.vars("list")):
        var = f.chooser.pick(lists)
        at = f.chooser.pick(("0", "-1"))
        if (ints := f.vars("int")) and f.chooser.chance(60):
            at = f"{ints[0].name} % len({var.name})"
        return reading(f"{var.name}[{at}]", var)
    floats, found = f.vars("float"), f.arrays()
    if floats and (kind == "float" or (kind != "literal" and not found)):
        var = f.chooser.pick(floats[:6])
        return reading(var.name, var)
    if found and kind != "literal":
        var = f.chooser.pick(found[:6])
        return reading(element(f, var), var)
    if f.build.constants and f.chooser.chance(50):
        return Expr(f.chooser.pick(f.build.constants))
    return constant(literal(f))


def _sum(f: Frame, depth: int) -> Expr:
    a, b = scalar(f, depth), scalar(f, depth)
    return subtract(a, b) if f.chooser.chance(40) else add(a, b)


def _product(f: Frame, depth: int) -> Expr:
    a, b = scalar(f, depth), scalar(f, depth)
    if a.bound * b.bound > LOOSE:
        b = fit(f, b, UNIT)
    return multiply(a, b)


def _scaled(f: Frame, depth: int) -> Expr:
    e = scaled(f.chooser.pick(FACTORS), scalar(f, depth))
    return negative(e) if f.chooser.chance(20) else e


def _unary(f: Frame, depth: int) -> Expr:
    return unary(f, scalar(f, depth))


def _quotient(f: Frame, depth: int) -> Expr:
    a, b = scalar(f, depth), scalar(f, depth)
    return guarded_quotient(a, b if len(b.text) < LONG else leaf(f))


def _conditional(f: Frame, depth: int) -> Expr:
    a, b = scalar(f, depth), scalar(f, depth)
    text = f"{a.at(ADD)} if {condition(f)} else {b.at(ADD)}"
    return Expr(text, LOW, max(a.bound, b.bound), (), a.reads | b.reads, a.needs | b.needs)


def _power(f: Frame, depth: int) -> Expr:
    e = fit(f, scalar(f, depth), UNIT)
    if f.chooser.chance(25):
        text = f"(1.4 + {e.at(MUL)}) ** {f.chooser.pick(('1.5', '-0.7', '0.5'))}"
        return Expr(text, POWER, 4.0, (), e.reads, e.needs | e.reads)
    text = f"{e.at(ATOM)} ** {f.chooser.integer(2, 3)}"
    return Expr(text, POWER, 1.0, (), e.reads, e.needs | e.reads)


def _kinked(f: Frame, depth: int) -> Expr:
    """abs, min, max, remainder, away from exact ties."""
    a, b = scalar(f, depth), scalar(f, depth)
    shifted = subtract(a, constant(literal(f)))
    bound = max(a.bound, b.bound) + 1
    kind = f.chooser.integer(0, 3)
    reads, needs = a.reads | b.reads, a.needs | b.needs
    if kind == 0:
        return Expr(f"abs({shifted.text})", ATOM, bound, (), a.reads, a.needs)
    if kind == 3:
        return Expr(f"{shifted.at(ATOM)} % 0.617", MUL, 0.617, (), a.reads, a.needs)
    name = "min" if kind == 1 else "max"
    return Expr(f"{name}({shifted.text}, {b.text})", ATOM, bound, (), reads, needs)


def _reduction(f: Frame, depth: int) -> Expr:
    found = f.arrays()
    if not found:
        return leaf(f)
    shape = f.chooser.pick(found[:4]).shape
    a = arrays.array(f, shape, depth - 1)
    size = math.prod(dim.most() for dim in shape)
    kind = f.chooser.weighted(((4, "sum"), (2, "mean"), (2, "dot"), (1, "max"), (1, "min")))
    if kind == "dot" and len(shape) == 1:
        return _inner_product(f, a, fit(f, arrays.array_leaf(f, shape), UNIT))
    bound = a.bound * size if kind in ("sum", "dot") else a.bound
    kind = "sum" if kind == "dot" else kind
    method = a.level == ATOM and f.chooser.chance(25)
    text = f"{a.text}.{kind}()" if method else f"np.{kind}({a.text})"
    return Expr(text, ATOM, bound, (), a.reads, a.needs)


def _inner_product(f: Frame, a: Expr, b: Expr) -> Expr:
    product = multiply(a, b)
    bound = product.bound * a.shape[0].most()
    form = f.chooser.integer(0, 2)
    if form == 2:
        text = f"{a.at(ATOM)} @ {b.at(ATOM)}"
        return Expr(text, MUL, bound, (), product.reads, product.needs)
    text = f"np.sum({product.text})" if form else f"np.dot({a.text}, {b.text})"
    return Expr(text, ATOM, bound, (), product.reads, product.needs)


def _closure(f: Frame, depth: int) -> Expr:
    """A call of a local function that has no effects."""
    found = f.vars("function", lambda v: bool(v.function and not v.function.changed))
    function = f.chooser.pick(found).function if found else None
    if function is None:
        return _unary(f, depth)
    arguments = [fit(f, scalar(f, depth - 1), p.bound) for p in function.params]
    function.called = True
    reads = function.captured.union(*(a.reads for a in arguments))
    text = f"{function.name}({', '.join(a.text for a in arguments)})"
    return Expr(text, ATOM, function.bound, (), reads, reads)


RULES: tuple[tuple[int, Callable[[Frame, int], Expr]], ...] = (
    (5, _sum),
    (6, _product),
    (3, _scaled),
    (7, _unary),
    (2, _quotient),
    (4, _reduction),
    (1, _conditional),
    (1, _power),
    (1, _kinked),
    (4, _closure),
)


def scalar(f: Frame, depth: int = 2) -> Expr:
    """A float expression."""
    if depth <= 0 or not f.chooser.chance(85):
        return leaf(f)
    return f.chooser.weighted(RULES)(f, depth - 1)


def likely(f: Frame) -> str:
    """A condition on data that mostly holds."""
    a = fit(f, scalar(f, 1), UNIT)
    limit = 0.3 + literal(f) / 2
    if f.chooser.chance(30):
        return f"{-limit:.3f} < {a.at(ADD)} < {0.3 + literal(f) / 2:.3f}"
    return f"{a.at(ADD)} < {limit:.3f}" if f.chooser.chance(50) else f"{a.at(ADD)} > {-limit:.3f}"


def unlikely(f: Frame) -> str:
    """A condition on data that seldom holds."""
    a = fit(f, scalar(f, 1), UNIT)
    return f"{a.at(ADD)} > {0.6 + literal(f) / 2:.3f}"


def condition(f: Frame, depth: int = 1) -> str:
    """A condition, usually on data."""
    kind = f.chooser.weighted(
        ((8, "literal"), (3, "two"), (3, "int"), (2, "chain"), (3, "logic"), (1, "name"))
    )
    if kind == "int" and (ints := f.vars("int")):
        return _about_integers(f, [v.name for v in ints[:4]])
    if kind == "name" and (flags := f.vars("bool")):
        name = f.chooser.pick(flags).name
        return f"not {name}" if f.chooser.chance(40) else name
    if kind == "logic" and depth:
        word = f.chooser.pick(("and", "or"))
        left, right = condition(f, depth - 1), condition(f, depth - 1)
        return f"not ({left} {word} {right})" if f.chooser.chance(20) else f"{left} {word} {right}"
    a = scalar(f, 1)
    if kind == "chain":
        return f"{-literal(f)} < {a.at(ADD)} < {literal(f)}"
    sign = f.chooser.pick("><")
    if kind == "two":
        return f"{a.at(ADD)} {sign} {scalar(f, 1).at(ADD)}"
    return f"{a.at(ADD)} {sign} {literal(f) - f.chooser.integer(0, 1):.3f}"


def _about_integers(f: Frame, names: list[str]) -> str:
    a, b = f.chooser.pick(names), f.chooser.pick(names)
    form = f.chooser.integer(0, 3)
    if form == 0 or (form == 1 and a == b):
        return f"{a} % 2 == {f.chooser.integer(0, 1)}"
    if form == 1:
        return f"{a} {f.chooser.pick(('<', '!=', '>=', '=='))} {b}"
    return f"{a} {f.chooser.pick(('>', '<=', '!='))} {f.chooser.integer(0, 2)}"


def integer(f: Frame, modulus: int) -> str:
    """An integer expression with a value in range(modulus)."""
    ints = [v.name for v in f.vars("int", lambda v: v.low >= 0)[:4]]
    kind = f.chooser.weighted(((2, "literal"), (5, "ints"), (2, "order"), (2, "data")))
    if kind == "order" and (orders := f.vars("index", lambda v: v.high.under(number(modulus)))):
        order = f.chooser.pick(orders)
        return f"{order.name}[{index(f, order.shape[0])}]"
    if kind == "data":
        return f"int(2.5 + 2.0 * {squash(f, leaf(f)).text}) % {modulus}"
    if kind == "ints" and ints:
        a, b = f.chooser.pick(ints), f.chooser.pick(ints)
        form = f.chooser.pick((f"{a} + 1", f"{a} + {b}", f"2 * {a} + {b}", f"3 * {a}", f"{a} // 2"))
        return f"({form}) % {modulus}"
    return str(f.chooser.integer(0, modulus - 1))
