"""Numba's lowering, which relaxes the operations on lines beyond the text.

In: functions whose code ``relaxing.flagged`` has made.  Out: what Numba makes of them, except that
the float additions, subtractions and multiplications of such lines have the flags.
"""

from __future__ import annotations

from typing import Any

from numba.core.compiler_machinery import register_pass

from srcad.backends.lean import LeanLower, LeanLowering
from srcad.backends.relaxing import BEYOND, EXPRESSIONS, FLAGS


class RelaxedLower(LeanLower):
    """Adds the flags to the instructions of an expression."""

    def lower_expr(self, resty: Any, expr: Any) -> Any:
        """See ``numba.core.lowering``."""
        if expr.op not in EXPRESSIONS or expr.loc.line < BEYOND:
            return super().lower_expr(resty, expr)
        block = self.builder.block
        before = len(block.instructions)
        value = super().lower_expr(resty, expr)
        flags = FLAGS[expr.loc.line // BEYOND]
        for instruction in block.instructions[before:]:
            instruction.flags += flags.get(instruction.opname, ())
        return value


@register_pass(mutates_CFG=True, analysis_only=False)
class RelaxedLowering(LeanLowering):
    """``NativeLowering``, relaxed."""

    _name = "srcad_relaxed_lowering"

    @property
    def lowering_class(self) -> Any:
        """See ``numba.core.typed_passes``."""
        return RelaxedLower
