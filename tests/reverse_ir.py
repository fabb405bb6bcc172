"""Programs in the IR by hand and at random, and what is demanded of their derivatives."""

from __future__ import annotations

import numpy as np

from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Carried, Function, Var
from srcad.ir.types import F8, I8, ListT, is_float
from srcad.transforms.forward import forward
from srcad.transforms.reverse import reverse
from tests.ir_check import Case, check
from tests.ir_programs import MATRIX, VECTOR, random_program

ARGS = (0.7, np.array([0.3, -0.4, 1.2, 0.9]), np.linspace(-1, 1, 12).reshape(3, 4), 3)


class Program(Builder):
    """A builder with the parameters ``s a m n`` that makes functions of them."""

    def __init__(self) -> None:
        super().__init__(Namer())
        self.s, self.a = self.var("s", F8), self.var("a", VECTOR)
        self.m, self.n = self.var("m", MATRIX), self.var("n", I8)

    def function(self, *yields: Atom, name: str = "f", **callees: Function) -> Function:
        body = Block(tuple(self.stack[0]), yields)
        fn = Function(name, (self.s, self.a, self.m, self.n), body, dict(callees))
        for key, callee in callees.items():
            fn.callees[key] = Function(callee.name, callee.params, callee.body, fn.callees)
        return fn

    def sum(self, a: Var) -> Atom:
        """A sum of sines of a vector, so that the result is not linear."""
        arg, out, index = self.var("t", F8), self.var("t", F8), self.var("i", I8)
        with self.block() as stmts:
            y = self.op("add", arg, self.op("sin", self.load(a, index)))
        self.for_(
            index,
            const(0),
            self.dim(a, 0),
            const(1),
            (Carried(out, arg, const(0.0)),),
            Block(tuple(stmts), (y,)),
        )
        return out


def demand(
    fn: Function, args: tuple = ARGS, active: tuple[bool, ...] | None = None, order: int = 2
) -> None:
    """First order in every form, poisoned as well, and reverse over reverse and forward."""
    active = active or tuple(is_float(p.type) for p in fn.params)
    case = check(fn, args, active)
    check(fn, args, active, differences=False, poison=True)
    check(fn, args, active, differences=False, lean=False, poison=True)
    if order == 2:
        second(case, reverse(fn, active), tuple(case.seeds()))
        second(case, forward(fn, active), tuple(case.direction))


def second(case: Case, fn: Function, extra: tuple) -> None:
    """Derivatives of a derivative."""
    active = tuple(
        is_float(p.type)
        and not isinstance(p.type, ListT)
        and (k >= len(case.args) or case.active[k])
        for k, p in enumerate(fn.params)
    )
    check(fn, (*case.args, *extra), active, differences=False, tol=1e-8)


def random_case(seed: int, **options: object) -> tuple[Function, tuple, tuple[bool, ...]]:
    """A random program with arguments and a pattern of active parameters."""
    rng = np.random.default_rng(seed)
    args = (
        float(rng.standard_normal()),
        rng.standard_normal(4),
        rng.standard_normal((3, 4)),
        int(rng.integers(0, 6)),
    )
    patterns = [(True, True, True, False), (True, False, True, False), (False, True, False, False)]
    return random_program(seed, **options), args, patterns[seed % 3]  # type: ignore[arg-type]
