"""Functions that call themselves: IR functions of their own.

In: a user function found on its own call chain, with the kinds of its arguments.  Out: an IR
``Function`` in ``program.callees`` and ``Call`` statements.  The kind of the result is found by
iteration: first the paths without a recursive call give it, then the whole body is lowered with
it until it settles.  Variables of enclosing functions that the body sees become further
parameters.
"""

from __future__ import annotations

from typing import Any

from srcad.frontend.core import Bottom, Lowering
from srcad.frontend.values import FunctionV, Static, flatten, unflatten
from srcad.ir.nodes import Atom, Block, Call, Function, Var
from srcad.ir.types import ArrayT, Scalar
from srcad.ir.walk import free_variables


class Instance:
    """One specialisation of a recursive function."""

    def __init__(self, lo: Lowering, f: FunctionV, bound: dict[str, Any], key: Any) -> None:
        self.lo, self.f, self.bound, self.key = lo, f, bound, key
        self.name = lo.b.namer.fresh(f.source.name)
        self.result: Any = None  # (structure, leaf types) once known
        self.extras: list[Var] = []
        self.busy = False  # its body is being lowered

    def compile(self) -> None:
        """Lower the body until the kind of its result and what it sees settle."""
        self.busy = True
        try:
            self.settle()
        finally:
            self.busy = False

    def settle(self) -> None:
        """See ``compile``."""
        known = set(self.lo.program.instances)
        for _ in range(12):
            self.lo.program.forget(known)
            before = (self.result, list(self.extras))
            self.lower()
            if self.result is None and self.waits():
                self.lo.program.forget(known - {self.key})
                raise Bottom
            if (self.result, self.extras) == before and self.result is not None:
                return
        self.lo.fail(
            self.f.source.node,
            f"the result of the recursive function {self.f.source.name} has no definite type",
            "no path returns without calling the function again",
            "end the recursion with an if",
        )

    def waits(self) -> bool:
        """Whether the result may depend on that of a function further up that is not known yet."""
        return any(i.result is None for i in self.lo.program.instances.values() if i is not self)

    def lower(self) -> None:
        """Lower the body once with what is known about the result."""
        from srcad.frontend.expansion import activation

        lo = self.lo
        sub = Lowering(lo.program, lo.b.namer)
        sub.shapes, sub.sizes, sub.shape_keys = dict(lo.shapes), dict(lo.sizes), lo.shape_keys
        sub.roots, sub.views, sub.active = dict(lo.roots), dict(lo.views), list(lo.active)
        sub.node, sub.b.loc, sub.frame = lo.node, lo.b.loc, lo.frame
        params: list[Var] = []
        bound = {}
        for name, v in self.bound.items():
            leaves, shape = flatten(v)
            fresh = [sub.b.var(name, a.type) for a in leaves]
            params += fresh
            bound[name] = unflatten(shape, list(fresh))
            for p in fresh:
                if not isinstance(p.type, Scalar):
                    sub.roots[p.name] = None
                if isinstance(p.type, ArrayT):
                    sub.shape(p)
        dead = lo.frame.dead
        try:
            value = activation(
                sub, self.f, bound, (("instance", id(self.f.source.node), self.name),)
            )
        except Bottom:
            value = None
        ended = lo.frame.dead
        lo.frame.dead = dead
        if value is None or ended and self.result is None:
            return
        leaves, shape = flatten(value)
        self.learn(shape, leaves)
        from srcad.frontend.joins import adapt

        leaves = [adapt(sub, a, t) for a, t in zip(leaves, self.result[1], strict=True)]
        block = Block(tuple(sub.b.stack[0]), tuple(leaves))
        self.extras = free_variables(block, params)
        lo.program.callees[self.name] = Function(
            self.name, (*params, *self.extras), block, lo.program.callees
        )

    def learn(self, shape: Any, leaves: list[Atom]) -> None:
        """Join the kind of this result with what was known."""
        from srcad.frontend.joins import join_types

        types = tuple(a.type for a in leaves)
        if self.result is not None:
            old_shape, old = self.result
            joined = tuple(map(join_types, old, types)) if old_shape == shape else (None,)
            if None in joined:
                self.lo.mismatch(
                    self.f.source.node,
                    f"{self.f.source.name} returns values of different kinds",
                    "a recursive function has one result type",
                    "return the same structure on every path",
                )
            types = joined  # type: ignore[assignment]
        self.result = (shape, types)

    def call(self, lo: Lowering, bound: dict[str, Any], node: Any) -> Any:
        """Emit a call; its abstract result."""
        if self.result is None:
            raise Bottom
        shape, types = self.result
        args = [a for v in bound.values() for a in flatten(v)[0]]
        results = tuple(lo.b.var(self.name, t) for t in types)
        loc = lo.loc(node) or lo.b.loc
        lo.b.emit(Call(results, self.name, (*args, *self.extras), loc))
        for r in results:
            if not isinstance(r.type, Scalar):
                lo.roots[r.name] = None
            if isinstance(r.type, ArrayT):
                lo.note_shape(r)
        if not results:
            return Static(None) if shape == ("static", shape[1]) else unflatten(shape, [])
        return unflatten(shape, list(results))
