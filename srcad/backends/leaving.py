"""Leaving a loop where the decision falls, instead of asking a flag at the end of the body.

In: the statements of a loop body, the last of which decide a flag.  Out: the same with
``break`` in the branches that set the flag, and what follows a branch that always breaks moved
out of its ``else``.  Only for flags that nobody else reads.

>>> body = ast.parse("if x > 1:\\n    go = True\\nelse:\\n    s += x\\n    go = False").body
>>> leave(body, "go")
>>> print(ast.unparse(ast.Module(body, [])))
if x > 1:
    break
s += x
"""

from __future__ import annotations

import ast


def leave(stmts: list[ast.stmt], flag: str) -> None:
    """Break out of the loop at the end of ``stmts`` if ``flag`` is true there."""
    last = stmts[-1] if stmts else None
    if isinstance(last, ast.Assign) and _assigns(last, flag):
        stmts.pop()
        stmts += _break_if(last.value, last)
    elif isinstance(last, ast.If) and _asks(last.test, flag) is not None:
        stmts.pop()
        stmts += _split(last, flag)
        _inline(stmts, flag, stmts.index(last))
    elif isinstance(last, ast.If) and _decides(last, flag):
        leave(last.body, flag)
        leave(last.orelse, flag)
        stmts.pop()
        stmts += _flattened(last)
    else:
        stmts += _break_if(ast.Name(flag, ast.Load()), last)


def _asks(test: ast.expr, flag: str) -> bool | None:
    """Whether a test is the flag (true) or its negation (false)."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _asks(test.operand, flag)
        return None if inner is None else not inner
    return True if isinstance(test, ast.Name) and test.id == flag else None


def _split(node: ast.If, flag: str) -> list[ast.stmt]:
    """``if not flag: a``, then a break if the flag is set: break first, then ``a``."""
    if _mentions([*node.body, *node.orelse], flag):
        return [node, *_break_if(ast.Name(flag, ast.Load()), node)]
    one, other = node.body, node.orelse
    if not _asks(node.test, flag):
        one, other = other, one
    leaving = ast.Break()
    leaving.loc = getattr(node, "loc", None)  # type: ignore[attr-defined]
    node.test, node.body, node.orelse = ast.Name(flag, ast.Load()), [*one, leaving], []
    return [node, *other]


def _inline(stmts: list[ast.stmt], flag: str, at: int) -> None:
    """``flag = test`` right before ``if flag:`` becomes ``if test:`` if nothing else reads it."""
    node, before = stmts[at], stmts[at - 1] if at else None
    if isinstance(before, ast.Assign) and _assigns(before, flag) and isinstance(node, ast.If):
        if not _mentions([*node.body, *node.orelse, *stmts[at + 1 :]], flag):
            node.test = before.value
            del stmts[at - 1]


def _mentions(stmts: list[ast.stmt], name: str) -> bool:
    nodes = (n for s in stmts for n in ast.walk(s))
    return any(isinstance(n, ast.Name) and n.id == name for n in nodes)


def _assigns(node: ast.stmt, flag: str) -> bool:
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == flag
    )


def _decides(node: ast.stmt, flag: str) -> bool:
    """Whether a branch ends with an assignment to the flag."""
    if isinstance(node, ast.If):
        return any(arm and _decides(arm[-1], flag) for arm in (node.body, node.orelse))
    return _assigns(node, flag)


def _break_if(test: ast.expr, like: ast.stmt | None) -> list[ast.stmt]:
    if isinstance(test, ast.Constant) and not test.value:
        return []
    certain = isinstance(test, ast.Constant)
    out: ast.stmt = ast.Break() if certain else ast.If(test, [ast.Break()], [])
    out.loc = getattr(like, "loc", None)  # type: ignore[attr-defined]
    return [out]


def _flattened(node: ast.If) -> list[ast.stmt]:
    """The branch, with the other one behind it where one always breaks."""
    if not node.body and not node.orelse:
        return []
    if not node.body or (_breaks(node.orelse) and not _breaks(node.body)):
        opposite: ast.expr = getattr(node, "opposite", ast.UnaryOp(ast.Not(), node.test))
        node.test, node.body, node.orelse = opposite, node.orelse, node.body
    if _breaks(node.body):
        rest, node.orelse = node.orelse, []
        return [node, *rest]
    return [node]


def _breaks(stmts: list[ast.stmt]) -> bool:
    return bool(stmts) and isinstance(stmts[-1], ast.Break)
