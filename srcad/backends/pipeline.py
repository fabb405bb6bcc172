"""How Numba compiles generated code: its own passes, without what this code has no use for.

* Allocations are made in place (``backends.allocating``), bounds too (``backends.bounding``).
* Elements of arrays and loops are lowered in fewer words (``backends.lean``).
* Functions that only others of the text call get no library (``backends.inner``).
* Variables keep their names (Numba's SSA is left out) where each is of one type.
* Closures are looked for only where there is one.
* No wrapper is made for callers in C.

Invariant: the same results and exceptions as with Numba's own pipeline, which stays in use for
functions that run on threads (``backends.cpu`` chooses).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numba.core import ir, types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import AnalysisPass, FunctionPass, register_pass
from numba.core.errors import NumbaError
from numba.core.ir_utils import mk_unique_var
from numba.core.typed_passes import (
    NativeLowering,
    NopythonRewrites,
    NopythonTypeInference,
    PreLowerStripPhis,
)
from numba.core.untyped_passes import InlineClosureLikes, ReconstructSSA

from srcad.backends.allocating import IN_POOL, INSTEAD, begin
from srcad.backends.base import rarely_collected
from srcad.backends.bounding import BOUNDS

LISTS = ("make_function", "build_list")  # what there is to inline


class Pipeline(CompilerBase):  # type: ignore[misc]
    """Numba's passes for generated code; ``inner``: for a function that only its text calls."""

    inner = False

    def compile_extra(self, func: Any) -> Any:
        """See ``numba.core.compiler``."""
        with rarely_collected():
            return super().compile_extra(func)

    def define_pipelines(self) -> list[Any]:
        """The short way; Numba's passes for what it refuses."""
        return [self.passes(True), self.passes(False)]

    def passes(self, short: bool) -> Any:
        """The passes; where they are few, variables keep their names."""
        from srcad.backends.lean import LeanLowering

        self.state.flags.no_cfunc_wrapper = True
        manager = DefaultPassBuilder.define_nopython_pipeline(self.state, "srcad")
        own = {InlineClosureLikes: InlineClosures, NativeLowering: LeanLowering}
        own |= {NopythonRewrites: RewriteArrays} if short else {}
        left_out = (ReconstructSSA, PreLowerStripPhis) if short else ()
        passes: list[tuple[type, str]] = [] if short else [(Afresh, "forget the short way")]
        for kind, text in manager.passes:
            if kind in left_out:
                continue
            if kind is NopythonTypeInference:
                passes.append((AllocateInPlace, "allocate in place"))
            passes.append((own.get(kind, kind), text))
            if kind is NopythonTypeInference and short:
                passes.append((OneTypeEach, "one type for each variable"))
        manager.passes[:] = passes
        manager.finalize()
        return manager


def expressions(func_ir: Any) -> Iterator[Any]:
    """The expressions that are assigned."""
    for block in func_ir.blocks.values():
        for s in block.body:
            if isinstance(s, ir.Assign) and isinstance(s.value, ir.Expr):
                yield s.value


class RelaxedPipeline(Pipeline):
    """The same, with a lowering that knows of relaxed operations (``backends.relaxing``)."""

    def define_pipelines(self) -> list[Any]:
        """See ``Pipeline``."""
        from srcad.backends.lean import LeanLowering
        from srcad.backends.lowering import RelaxedLowering

        managers = super().define_pipelines()
        own = {LeanLowering: RelaxedLowering}
        for manager in managers:
            manager.passes[:] = [(own.get(p, p), why) for p, why in manager.passes]
        return managers


@register_pass(mutates_CFG=True, analysis_only=False)
class InlineClosures(InlineClosureLikes):  # type: ignore[misc]
    """Numba's pass, where there are closures or lists made in loops."""

    _name = "srcad_inline_closures"

    def run_pass(self, state: Any) -> bool:
        """See ``numba.core.compiler_machinery``."""
        if any(e.op in LISTS for e in expressions(state.func_ir)):
            return bool(super().run_pass(state))
        return False


@register_pass(mutates_CFG=False, analysis_only=True)
class Afresh(AnalysisPass):  # type: ignore[misc]
    """Forgets why the passes before this list of passes have failed."""

    _name = "srcad_afresh"

    def __init__(self) -> None:
        AnalysisPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        """See ``numba.core.compiler_machinery``."""
        state.status.fail_reason = None
        return False


class SeveralTypes(NumbaError):  # type: ignore[misc]
    """A variable is assigned values of several types."""


@register_pass(mutates_CFG=False, analysis_only=True)
class OneTypeEach(AnalysisPass):  # type: ignore[misc]
    """Whether each variable has the type of all that is assigned to it.

    Numba gives every assignment a variable of its own (SSA) and so a type of its own.  Without
    that, it joins the types: an integer may become a float.  What srcad prints has variables of one
    type each; where that is not so, this raises an exception, and Numba does it in its way.
    """

    _name = "srcad_one_type_each"

    def __init__(self) -> None:
        AnalysisPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        """See ``numba.core.compiler_machinery``."""
        assigned: dict[str, list[Any]] = {}
        for block in state.func_ir.blocks.values():
            for s in block.body:
                if isinstance(s, ir.Assign):
                    assigned.setdefault(s.target.name, []).append(s.value)
        for name, values in assigned.items():
            if len(values) > 1:
                kind = types.unliteral(state.typemap[name])
                if any(types.unliteral(given(state, x)) != kind for x in values):
                    raise SeveralTypes(f"{name} has values of several types")
        return False


def given(state: Any, value: Any) -> Any:
    """The type of what is assigned, as far as it is easily seen."""
    if isinstance(value, ir.Var):
        return state.typemap[value.name]
    if isinstance(value, ir.Expr) and value.op == "getattr":
        return state.typingctx.resolve_getattr(state.typemap[value.value.name], value.attr)
    if isinstance(value, ir.Expr):
        signature = state.calltypes.get(value)
        return getattr(signature, "return_type", None)
    if isinstance(value, ir.Arg):
        return state.args[value.index]
    return state.typingctx.resolve_value_type(value.value)


@register_pass(mutates_CFG=True, analysis_only=False)
class RewriteArrays(NopythonRewrites):  # type: ignore[misc]
    """Numba's pass, where there are operations on whole arrays or lists."""

    _name = "srcad_rewrite_arrays"

    def run_pass(self, state: Any) -> bool:
        """See ``numba.core.compiler_machinery``."""
        if any(self.whole(state, e) for e in expressions(state.func_ir)):
            return bool(super().run_pass(state))
        return False

    def whole(self, state: Any, e: Any) -> bool:
        """Whether an expression may be one that the pass knows."""
        if e.op == "build_list":
            return True
        if e.op not in ("binop", "inplace_binop", "unary", "call"):
            return False
        names = [v.name for v in e.list_vars()]
        return any(isinstance(state.typemap[n], types.Array) for n in names)


@register_pass(mutates_CFG=False, analysis_only=False)
class AllocateInPlace(FunctionPass):  # type: ignore[misc]
    """``np.empty(shape, dtype=dtype)``, ``np.zeros``, ``max`` and ``min`` become intrinsics."""

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
    if isinstance(found, ir.Global) and (found.value is max or found.value is min):
        pair = len(call.args) == 2 and not call.kws and call.vararg is None
        return (BOUNDS[found.value], list(call.args)) if pair else None
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
