"""How Numba compiles generated code: its own passes, without what this code has no use for.

* Allocations are made in place (``backends.allocating``).
* Closures are looked for only where there is one.
* No wrapper is made for callers in C.

Invariant: the same results and exceptions as with Numba's own pipeline, which stays in use for
functions that run on threads (``backends.cpu`` chooses).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba.core import ir
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.ir_utils import mk_unique_var
from numba.core.typed_passes import NativeLowering, NopythonTypeInference
from numba.core.untyped_passes import InlineClosureLikes

from srcad.backends.allocating import IN_POOL, INSTEAD, begin
from srcad.backends.base import rarely_collected

LISTS = ("make_function", "build_list")  # what there is to inline


class Pipeline(CompilerBase):  # type: ignore[misc]
    """Numba's passes for generated code."""

    def compile_extra(self, func: Any) -> Any:
        """See ``numba.core.compiler``."""
        with rarely_collected():
            return super().compile_extra(func)

    def define_pipelines(self) -> list[Any]:
        """The one pipeline."""
        self.state.flags.no_cfunc_wrapper = True
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state, "srcad")
        passes: list[tuple[type, str]] = []
        for kind, text in manager.passes:
            if kind is NopythonTypeInference:
                passes.append((AllocateInPlace, "allocate in place"))
            passes.append((InlineClosures if kind is InlineClosureLikes else kind, text))
        manager.passes[:] = passes
        manager.finalize()
        return [manager]


def expressions(func_ir: Any) -> Iterator[Any]:
    """The expressions that are assigned."""
    for block in func_ir.blocks.values():
        for s in block.body:
            if isinstance(s, ir.Assign) and isinstance(s.value, ir.Expr):
                yield s.value


class RelaxedPipeline(Pipeline):
    """The same, with a lowering that knows of relaxed operations (``backends.relaxing``)."""

    def define_pipelines(self) -> list[Any]:
        """The one pipeline."""
        from srcad.backends.lowering import RelaxedLowering

        (manager,) = super().define_pipelines()
        own = {NativeLowering: RelaxedLowering}
        manager.passes[:] = [(own.get(p, p), why) for p, why in manager.passes]
        return [manager]


@register_pass(mutates_CFG=True, analysis_only=False)
class InlineClosures(InlineClosureLikes):  # type: ignore[misc]
    """Numba's pass, where there are closures or lists made in loops."""

    _name = "srcad_inline_closures"

    def run_pass(self, state: Any) -> bool:
        """See ``numba.core.compiler_machinery``."""
        if any(e.op in LISTS for e in expressions(state.func_ir)):
            return bool(super().run_pass(state))
        return False


@register_pass(mutates_CFG=False, analysis_only=False)
class AllocateInPlace(FunctionPass):  # type: ignore[misc]
    """``np.empty(shape, dtype=dtype)`` and ``np.zeros`` become intrinsics."""

    _name = "srcad_allocate_in_place"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        """See ``numba.core.compiler_machinery``."""
        func_ir = state.func_ir
        changed = False
        pool = pool_of(func_ir)
        for block in func_ir.blocks.values():
            body: list[Any] = []
            for s in block.body:
                call = getattr(s, "value", None)
                if isinstance(s, ir.Assign) and isinstance(call, ir.Expr) and call.op == "call":
                    made = instead(func_ir, call, pool)
                    if made is not None:
                        function, args = made
                        new = named(func_ir, block, function, s.loc, body)
                        call.func, call.args, call.kws, changed = new, args, (), True
                body.append(s)
            block.body = body
        f = func_ir.func_id.func
        if pool is not None and f.__globals__["ENTRY"] == f.__name__:
            self.begin(func_ir, pool)
        return changed

    def begin(self, func_ir: Any, pool: Any) -> None:
        """Say that a call begins, after the arguments are there."""
        block = first(func_ir)
        values = [getattr(s, "value", None) for s in block.body]
        args = [k for k, value in enumerate(values) if isinstance(value, ir.Arg)]
        body: list[Any] = block.body[: args[-1] + 1]
        function = named(func_ir, block, begin, block.loc, body)
        done = ir.Var(block.scope, mk_unique_var("$begin"), block.loc)
        call = ir.Expr.call(function, [pool], (), block.loc)
        body.append(ir.Assign(call, done, block.loc))
        func_ir._definitions[done.name] = [call]
        block.body = [*body, *block.body[args[-1] + 1 :]]


def pool_of(func_ir: Any) -> Any:
    """The variable of the pool that this function takes large arrays from."""
    name = func_ir.func_id.func.__globals__.get("WORKSPACE")
    return first(func_ir).scope.get_exact(name) if name in func_ir.arg_names else None


def first(func_ir: Any) -> Any:
    """The block that a function begins with."""
    return func_ir.blocks[min(func_ir.blocks)]


def named(func_ir: Any, block: Any, function: Any, loc: Any, body: list[Any]) -> Any:
    """A new variable that holds an intrinsic; ``body`` gets the statement."""
    name = mk_unique_var("$allocate")
    new = ir.Var(block.scope, name, loc)
    there = ir.Global(function.__name__, function, loc)
    body.append(ir.Assign(there, new, loc))
    func_ir._definitions[name] = [there]
    return new


def instead(func_ir: Any, call: Any, pool: Any) -> tuple[Any, list[Any]] | None:
    """The intrinsic and its arguments for a call of one of the functions."""
    found = definition(func_ir, call.func)
    if not isinstance(found, ir.Expr) or found.op != "getattr" or found.attr not in INSTEAD:
        return None
    module = definition(func_ir, found.value)
    if not isinstance(module, ir.Global) or module.value is not np or call.vararg is not None:
        return None
    names = dict(call.kws)
    if len(call.args) != 1 or set(names) - {"dtype"}:
        return None
    plain, typed = (INSTEAD if pool is None else IN_POOL)[found.attr]
    args = [call.args[0], *names.values(), *([] if pool is None else [pool])]
    return (typed if names else plain), args


def definition(func_ir: Any, var: Any) -> Any:
    """What a variable is, where it is assigned once."""
    known = func_ir._definitions.get(var.name, [])
    return known[0] if len(known) == 1 else None
