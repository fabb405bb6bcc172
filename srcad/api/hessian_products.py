"""``hvp``: the Hessian times a vector, the tangent of the gradient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from srcad.api.device_arrays import stand_in
from srcad.api.function import FEW
from srcad.api.grad import Grad
from srcad.api.higher import Jvp, expect_tuple, memo
from srcad.api.safety import located
from srcad.api.specialisation import kind_of
from srcad.errors import TypeMismatch
from srcad.ir.types import is_float
from srcad.options import defaults
from srcad.specs import Node, Spec, leaf_specs, spec_of

if TYPE_CHECKING:
    from srcad.api.outs import Route
    from srcad.backends.gate import Plan
    from srcad.compiler import Program


class Product(Jvp):
    """The tangent of a function, without its value."""

    label = "hvp"

    @located
    def run_into(self, primals: tuple[Any, ...], tangents: tuple[Any, ...], out: Any) -> Any:
        """``run`` with the arrays of the result in ``out``."""
        from srcad.api.outs import written

        specs, active, leaves = self.setting(primals, tangents)
        spec, kind = self.special(specs, active).face.out, ("hvp into", *active)
        made = lambda: self.tangent(specs, active)  # noqa: E731
        return written(self, kind, specs, made, spec, leaves, out)

    def tangent(self, specs: dict[str, Spec], active: tuple[bool, ...]) -> Program:
        """See ``Jvp.tangent``."""
        from srcad.transforms import dead_code

        program = super().tangent(specs, active)
        assert isinstance(program.out, Node)
        value, tangent = program.out.parts
        fn, values = program.fn, sum(1 for _ in leaf_specs(value))
        fn = replace(fn, body=replace(fn.body, yields=fn.body.yields[values:]))
        return program.with_fn(dead_code.run(fn), out=tangent)


def hvp(f: Any, primals: Any, tangents: Any, out: Any = None, **options: Any) -> tuple[Any, ...]:
    """Hessian times a vector, without the Hessian (forward over reverse).

    Args:
        f: a function that returns one float.
        primals: tuple of its arguments.
        tangents: tuple of the same structure, ``None`` for what is constant.
        out: arrays for the result, in its structure, ``None`` in the place of numbers.

    Returns:
        A tuple of the structure of ``primals``, ``None`` for what is not a float (or was given no
        tangent and is not differentiable).

    Raises:
        TypeMismatch: structures or shapes differ, or there is no float.

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> hvp(square_sum, (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),), backend="reference")
    (array([2., 0.]),)
    """
    way = None if options else memo(f, "way of hvp", lambda f: Way(), {})
    if way is not None and (found := way(primals, tangents, out)) is not MISSED:
        return found  # type: ignore[no-any-return]
    for name, x in (("primals", primals), ("tangents", tangents)):
        expect_tuple("hvp", name, x)
    primals, tangents = tuple(primals), tuple(tangents)
    seen = [stand_in(x, "an argument", True) for x in primals]
    positions = tuple(k for k, x in enumerate(seen) if has_float(spec_of(x)))
    if not positions:
        raise TypeMismatch(
            "hvp needs an argument that is a float or an array of floats",
            why="the derivative of an integer is zero by definition",
            instead="pass a float (1.0 instead of 1)",
        )
    g = memo(f, f"hvp {positions}", _product_at(positions), options)
    route = None
    if out is None:
        rows = g.run(primals, tangents)
    else:
        route, rows = g.run_into(primals, tangents, chosen(out, len(primals), positions))
    if way is not None and len(positions) == len(primals) and all(t is not None for t in tangents):
        way.learn(g, primals, tangents, out, route)
    table = dict(zip(positions, rows, strict=True))
    return tuple(table.get(k) for k in range(len(primals)))


# the short way, for arguments that are floats and arrays of floats, each with a tangent
MISSED = object()


class Way:
    """Calls of ``hvp`` of one function that are like calls before: compared and made by gates.

    A gate (``backends.gate``) knows nothing of shapes; they are compared here.
    """

    def __init__(self) -> None:
        self.seen: dict[Any, int] = {}  # how often which kinds of arguments came the long way
        self.plans: tuple[Plan, ...] = ()
        self.gates: Callable[..., Any] = missed

    def __call__(self, primals: Any, tangents: Any, out: Any) -> Any:
        """The result, or ``MISSED``."""
        if type(primals) is not tuple or type(tangents) is not tuple:
            return MISSED
        if len(primals) != len(tangents):
            return MISSED
        for x, t in zip(primals, tangents, strict=True):
            if type(x) is np.ndarray and (type(t) is not np.ndarray or t.shape != x.shape):
                return MISSED
        if out is None:
            return self.gates(*primals, *tangents)
        return self.gates(*primals, *tangents, out=out)

    def learn(self, g: Product, primals: Any, tangents: Any, out: Any, route: Route | None) -> None:
        """Make a gate for what comes the second time; ``route`` is that of a call with ``out``."""
        from srcad.api.outs import out_plan
        from srcad.api.ready import Ready, plan_of
        from srcad.backends.gate import gate

        args = (*primals, *tangents)
        kinds = (out is None, *map(kind_of, args))
        if None in kinds:
            return
        self.seen[kinds] = times = self.seen.get(kinds, 0) + 1
        if times != 2:
            return
        if route is None:
            special = g.special(*g.setting(primals, tangents)[:2])
            plan = plan_of(Ready(defaults(), special, args), args)
        else:
            plan = out_plan(g, route, (*args, *(x for x in out if x is not None)))
        if plan is not None:
            self.plans = (plan, *self.plans)[:FEW]
            gates: Callable[..., Any] = missed
            for known in reversed(self.plans):
                gates = gate(known, gates)
            self.gates = gates


def missed(*args: Any, **names: Any) -> Any:
    """What comes after the last gate."""
    return MISSED


def has_float(spec: Spec) -> bool:
    """Whether a spec has a float leaf."""
    return any(is_float(leaf.type) for leaf in leaf_specs(spec))


def chosen(out: Any, count: int, positions: tuple[int, ...]) -> tuple[Any, ...]:
    """The parts of ``out`` that get a result.

    Raises:
        TypeMismatch: it is no tuple of so many, or has something where there is no result.
    """
    expect_tuple("hvp", "out", out)
    if len(out) != count or any(x is not None for k, x in enumerate(out) if k not in positions):
        raise TypeMismatch(
            f"out is {out!r}, but hvp has results for {len(positions)} of {count} arguments",
            instead="give a tuple of one item an argument, None where there is no result",
        )
    return tuple(out[k] for k in positions)


def _product_at(positions: tuple[int, ...]) -> Callable[..., Product]:
    return lambda f, **options: Product(Grad(f, positions, **options))
