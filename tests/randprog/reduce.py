"""Make a failing program smaller: drop statements as long as it fails in the same way.

Hypothesis shrinks what it drew; this does the same for a program that came from a seed, on the
text alone.  Statements are dropped, blocks replaced by their bodies, expressions by their parts.
"""

from __future__ import annotations

import ast
import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.randprog import checking
from tests.randprog.loading import load, unload
from tests.randprog.program import RandomProgram, new_name

Check = Callable[[RandomProgram], str]


def reduce(program: RandomProgram, check: Check, seconds: float = 60.0) -> RandomProgram:
    """The smallest program found in that time that runs in plain Python and fails like this one."""
    failure = _failure(program, check)
    deadline = time.monotonic() + seconds
    found = True
    while found and failure and time.monotonic() < deadline:
        found = False
        for source in _smaller(program.source):
            if time.monotonic() > deadline:
                break
            candidate = replace(program, source=source, name=new_name())
            if _runs(candidate) and _failure(candidate, check) == failure:
                program, found = candidate, True
                break
    return program


def _failure(program: RandomProgram, check: Check) -> str:
    """What kind of failure; empty if it passes.  Numbers in the message do not matter."""
    try:
        check(program)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).split(':')[0][:40]}"
    return ""


def _runs(program: RandomProgram) -> bool:
    try:
        checking.run_plainly(load(program), program.args(0))
    except Exception:
        return False
    finally:
        unload(program)
    return True


def _smaller(source: str) -> Iterator[str]:
    """Sources with one thing less, the largest things first."""
    tree = ast.parse(source)
    bodies = [body for node in ast.walk(tree) for body in _bodies(node)]
    sizes = [(len(ast.dump(s)), b, k) for b, body in enumerate(bodies) for k, s in enumerate(body)]
    for _, which, position in sorted(sizes, reverse=True):
        if isinstance(bodies[which][position], ast.Import | ast.Pass):
            continue
        for replacement in _replacements(bodies[which][position]):
            yield _with(tree, which, position, replacement)
    yield from _simpler_expressions(tree)


def _bodies(node: ast.AST) -> list[list[ast.stmt]]:
    found = (getattr(node, name, None) for name in ("body", "orelse"))
    return [body for body in found if isinstance(body, list) and body]


def _replacements(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    yield []
    if not isinstance(statement, ast.FunctionDef):
        yield from _bodies(statement)


def _with(tree: ast.Module, which: int, position: int, replacement: list[ast.stmt]) -> str:
    """The source with one statement replaced."""
    new = copy.deepcopy(tree)
    body = [body for node in ast.walk(new) for body in _bodies(node)][which]
    body[position : position + 1] = copy.deepcopy(replacement)
    if not body:
        body.append(ast.Pass())
    return ast.unparse(ast.fix_missing_locations(new)) + "\n"


def _simpler_expressions(tree: ast.Module) -> Iterator[str]:
    """Sources with an operation or call replaced by one of its operands."""
    for number, node in enumerate(ast.walk(tree)):
        for part in range(len(_parts(node))):
            new = copy.deepcopy(tree)
            target = next(n for k, n in enumerate(ast.walk(new)) if k == number)
            replacement = _parts(target)[part]
            target.__class__ = replacement.__class__
            target.__dict__ = replacement.__dict__
            yield ast.unparse(new) + "\n"


def _parts(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.IfExp):
        return [node.body, node.orelse]
    if isinstance(node, ast.Call):
        return [argument for argument in node.args if not isinstance(argument, ast.Starred)]
    if isinstance(node, ast.BoolOp):
        return node.values
    return [node.operand] if isinstance(node, ast.UnaryOp) else []
