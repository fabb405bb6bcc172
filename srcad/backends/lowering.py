"""Numba's compiler with a lowering that relaxes the operations on lines beyond the text.

In: functions whose code ``relaxing.flagged`` has made.  Out: what Numba makes of them, except that
the float additions, subtractions and multiplications of such lines have the flags.
"""

from __future__ import annotations

from typing import Any

from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering, NativeParforLowering
from numba.parfors.parfor_lowering import ParforLower

from srcad.backends.relaxing import BEYOND, EXPRESSIONS, FLAGS


class _Relaxed:
    """Adds the flags to the instructions of an expression."""

    def lower_expr(self, resty: Any, expr: Any) -> Any:
        lower = super().lower_expr  # type: ignore[misc]
        if expr.op not in EXPRESSIONS or expr.loc.line < BEYOND:
            return lower(resty, expr)
        block = self.builder.block  # type: ignore[attr-defined]
        before = len(block.instructions)
        value = lower(resty, expr)
        flags = FLAGS[expr.loc.line // BEYOND]
        for instruction in block.instructions[before:]:
            instruction.flags += flags.get(instruction.opname, ())
        return value


class RelaxedLower(_Relaxed, Lower):
    """Of a function on one thread."""


class RelaxedParforLower(_Relaxed, ParforLower):
    """Of a function with loops on several."""


@register_pass(mutates_CFG=True, analysis_only=False)
class RelaxedLowering(NativeLowering):
    """``NativeLowering``, relaxed."""

    _name = "srcad_relaxed_lowering"

    @property
    def lowering_class(self) -> Any:
        return RelaxedLower


@register_pass(mutates_CFG=True, analysis_only=False)
class RelaxedParforLowering(NativeParforLowering):
    """``NativeParforLowering``, relaxed."""

    _name = "srcad_relaxed_parfor_lowering"

    @property
    def lowering_class(self) -> Any:
        return RelaxedParforLower


STAND_IN = {NativeLowering: RelaxedLowering, NativeParforLowering: RelaxedParforLowering}


class Relaxing(CompilerBase):
    """Numba's compiler with these passes in the place of its own."""

    def define_pipelines(self) -> list[Any]:
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pipeline.passes = [(STAND_IN.get(p, p), why) for p, why in pipeline.passes]
        pipeline.finalize()
        return [pipeline]
