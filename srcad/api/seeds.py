"""Shadows of array results, checked before the reverse sweep reads them.

In: the in-place adjoint of a function, its array results and their shadows, which are arguments.
Out: the same statements, with a check of every size right behind the statement that makes a result.
"""

from __future__ import annotations

from srcad.errors import TypeMismatch
from srcad.ir.build import Builder
from srcad.ir.nodes import Atom, Loc, Stmt, Var
from srcad.ir.types import ArrayT, Type
from srcad.ir.walk import targets

MESSAGE = "the shadow of a result has another shape than the result"


def check_kind(given: Type | None, result: ArrayT, k: int, loc: Loc | None) -> None:
    """A shadow must have the rank and the dtype of the result.

    Raises:
        TypeMismatch: it does not.
    """
    if isinstance(given, ArrayT) and (given.ndim, given.dtype) == (result.ndim, result.dtype):
        return
    raise TypeMismatch(
        f"the shadow of result {k} must be an array like {result}, got {given or 'no array'}",
        loc,
        instead="np.zeros_like of the result",
    )


def with_checks(
    stmts: tuple[Stmt, ...], pairs: list[tuple[Atom, Var]], b: Builder
) -> tuple[Stmt, ...]:
    """``stmts`` with checks of the sizes of results against their shadows.

    ``pairs`` are results, visible at the end of ``stmts``, and shadows, visible from the start.
    """
    after: dict[str, list[Var]] = {}
    for result, shadow in pairs:
        if isinstance(result, Var):
            after.setdefault(result.name, []).append(shadow)
    made = {t.name for s in stmts for t in targets(s)}
    out: list[Stmt] = []

    def check(result: Var) -> None:
        assert isinstance(result.type, ArrayT)
        with b.block() as checks:
            for shadow in after[result.name]:
                for axis in range(result.type.ndim):
                    same = b.op("eq", b.dim(result, axis), b.dim(shadow, axis))
                    b.check(same, "ValueError", MESSAGE)
        out.extend(checks)

    for result, _ in pairs:
        if isinstance(result, Var) and result.name not in made:  # an argument that is returned
            check(result)
    for s in stmts:
        out.append(s)
        for t in targets(s):
            if t.name in after:
                check(t)
    return tuple(out)
