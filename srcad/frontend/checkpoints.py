"""``srcad.checkpointed`` in the header of a loop, ``srcad.checkpoint`` around a function.

In: the expression a loop runs over, or its condition.  Out: the expression inside the mark, and a
``Keep`` for the loop's node.  The mark stands for nothing else, so anywhere but in a header it is
refused rather than ignored.
"""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import Any

from srcad.frontend.core import CALLS, PLAIN, Lowering, handles
from srcad.frontend.values import FunctionV, Static, describe
from srcad.ir.build import ONE, const
from srcad.ir.nodes import Const, Keep
from srcad.ir.types import F8, I8
from srcad.library.checkpoints import MEMORY, checkpoint, checkpointed

NAMES = ("steps", "snapshots", "memory")


def header(lo: Lowering, node: ast.expr) -> tuple[ast.expr, Keep | None]:
    """What a loop runs over (or its condition) without the mark, and what the mark says."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, (ast.Name, ast.Attribute)):
        return node, None
    f = lo.read(lo.expr(node.func), node.func)
    if not (isinstance(f, Static) and f.obj is checkpointed):
        return node, None
    given = arguments(lo, node)
    values = {k: lo.read(lo.expr(e), e) for k, e in given.items() if k != "steps"}
    return given["steps"], keep(lo, values.get("snapshots"), values.get("memory"), node)


def arguments(lo: Lowering, node: ast.Call) -> dict[str, ast.expr]:
    """The arguments of the mark by name, not yet evaluated."""
    given: dict[str, ast.expr] = dict(zip(NAMES, node.args, strict=False))
    given |= {str(k.arg): k.value for k in node.keywords}
    starred = any(isinstance(a, ast.Starred) for a in node.args)
    if starred or len(given) != len(node.args) + len(node.keywords) or not set(given) <= {*NAMES}:
        lo.mismatch(node, "srcad.checkpointed takes steps, snapshots and memory", PLAIN)
    if "steps" not in given:
        lo.mismatch(node, "srcad.checkpointed needs what the loop runs over", PLAIN)
    return given


def keep(lo: Lowering, snapshots: Any, memory: Any, node: ast.Call) -> Keep:
    """How many states a loop may keep."""
    if snapshots is None or isinstance(snapshots, Static) and snapshots.obj == "auto":
        limit = const(MEMORY) if memory is None else lo.scalar(memory, node, "a number of bytes")
        return Keep(lo.b.cast(limit, I8) if limit.type == F8 else limit, bytes=True)
    if memory is not None:
        lo.mismatch(
            node,
            "srcad.checkpointed got a number of snapshots and a size of memory",
            "one follows from the other",
            'give one of them; memory= goes with snapshots="auto"',
        )
    if isinstance(snapshots, Static):
        lo.mismatch(
            node,
            f"snapshots={describe(snapshots)}",
            instead='give the number of states to keep, or "auto"',
        )
    limit = lo.integer(snapshots, node, "the number of snapshots")
    if isinstance(limit, Const) and limit.value < 1:
        lo.mismatch(
            node,
            f"snapshots={limit.value}",
            "the loop cannot be run again without the state it began with",
            "keep at least one",
        )
    lo.b.check(lo.b.op("ge", limit, ONE), "ValueError", "snapshots must be at least 1")
    return Keep(limit)


@handles(CALLS, checkpointed)
def elsewhere(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """The mark where no loop would see it."""
    lo.fail(
        node,
        "srcad.checkpointed is not in the header of a loop",
        "it marks a loop, and changes nothing else",
        "write for t in srcad.checkpointed(range(n)): or while srcad.checkpointed(condition):",
    )


@handles(CALLS, checkpoint)
def mark(lo: Lowering, args: list, keywords: dict, node: Any) -> Any:
    """``srcad.checkpoint(f)`` inside a differentiated function."""
    (f,) = args
    if isinstance(f, FunctionV):
        return replace(f, separate=True)
    if not isinstance(f, Static) or not callable(f.obj):
        lo.mismatch(node, f"srcad.checkpoint of {describe(f)}", instead="pass a function")
    return Static(checkpoint(f.obj))
