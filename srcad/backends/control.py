"""Control flow, and whole functions: from a verified IR function to one Python function.

In: a function, names that are taken, the Python names of the functions it calls.  Out: an
``ast.FunctionDef`` whose statements carry the ``Loc`` they come from in the attribute ``loc``.
"""

from __future__ import annotations

import ast
import sys

from srcad.backends import expressions as ex
from srcad.backends.expressions import Expr
from srcad.backends.leaving import leave
from srcad.backends.moves import Move
from srcad.backends.statements import StatementPrinter
from srcad.ir.nodes import Atom, Const, For, If, Var, While


class FunctionPrinter(StatementPrinter):
    """Prints one function."""

    decorator: ast.expr | None = None  # where it is not that of the dialect

    def function(self, name: str) -> ast.FunctionDef:
        """The function definition, without decorators."""
        body = self.fn.body
        with self.block(body) as out:
            if body.yields:
                values = [e.node for e in self.gather(body.yields)]
                value = values[0] if len(values) == 1 else ex.sequence(values)
                self.emit(ast.Return(value), None)
        doc = [ast.Expr(ast.Constant(self.fn.doc))] if self.fn.doc else []
        return definition(name, [*self.names.params.values()], [*doc, *(out or [ast.Pass()])])

    def _if(self, s: If) -> None:
        cond = self.get(s.cond)
        self.disturb(self.effects.of(s))
        arms = []
        for b in (s.then, s.orelse):
            with self.block(b) as out:
                pairs = [
                    (r, y)
                    for r, y in zip(s.results, b.yields, strict=True)
                    if r.name not in self.live.idle
                ]
                self.perform(self.moves(pairs), s.loc)
            arms.append(out)
        node = branch(cond, *arms)
        if node is not None:
            self.emit(node, s.loc)

    def _for(self, s: For) -> None:
        stored = self.stored(s.carried)
        moves = self.moves([(s.carried[k].arg, s.carried[k].init) for k in stored])
        bounds = self.gather((s.start, s.stop, s.step))
        self.disturb(self.effects.of(s))
        assigned = {m.cell for m in moves}
        bounds = [self.aside(e, assigned, s.loc) for e in bounds]
        with self.block(s.body) as body:
            self.finish_for(s, stored)
        self.perform(moves, s.loc)
        if body or not self.names.alone(s.index):
            self.parallel |= s.parallel
            function = "numba.prange" if s.parallel else "range"
            header = ex.call(function, *_range(s, [e.node for e in bounds]))
            index = ast.Name(self.names.name(s.index), ast.Store())
            self.emit(ast.For(index, header, body or [ast.Pass()], []), s.loc)

    def finish_for(self, s: For, stored: list[int]) -> None:
        """The end of a loop body: hand over, and leave where the loop is to end."""
        flag = s.body.yields[0] if s.breaks else None
        moves = self.moves([(s.carried[k].arg, s.body.yields[k]) for k in stored])
        test: Expr | None = None
        if isinstance(flag, Const):
            test = ex.constant(flag) if flag.value else None
        elif flag is not None and 0 in stored:
            test = self.variable(s.carried[0].arg)
        elif flag is not None:
            test = self.aside(self.get(flag), {m.cell for m in moves}, s.loc)
        self.perform(moves, s.loc)
        if test is None:
            return
        if 0 not in stored and not moves and self.only_handed(flag, test):
            leave(self.out, test.node.id)  # type: ignore[attr-defined]
        elif isinstance(flag, Const):
            self.emit(ast.Break(), s.loc)
        else:
            self.emit(ast.If(test.node, [ast.Break()], []), s.loc)

    def only_handed(self, flag: Atom | None, test: Expr) -> bool:
        """Whether ``test`` is the flag's variable, and what goes into it is used nowhere else."""
        if not (isinstance(flag, Var) and isinstance(test.node, ast.Name)):
            return False
        cell = self.names.cell(flag)
        few = all(self.live.uses.get(v.name, 0) <= 1 for v in self.names.members[cell])
        return test.reads == {cell} and (few or self.twice(flag))

    def twice(self, flag: Var) -> bool:
        """Whether a flag is only asked by the last statement of the body and then for leaving."""
        alone = self.names.alone(flag) and self.live.uses.get(flag.name) == 2
        return alone and bool(self.out) and isinstance(self.out[-1], ast.If)

    def _while(self, s: While) -> None:
        first, stored = s.carried[0], self.stored(s.carried)
        moves = self.moves([(s.carried[k].arg, s.carried[k].init) for k in stored])
        test = self.variable(first.arg) if 0 in stored else self.get(first.init)
        self.disturb(self.effects.of(s))
        with self.block(s.body) as body:
            ends = self.moves([(s.carried[k].arg, s.body.yields[k]) for k in stored])
            if 0 not in stored:
                again = self.get(s.body.yields[0])
                if not _same_test(test, moves, again, ends):
                    cell, target = self.names.cell(first.arg), self.names.name(first.arg)
                    moves.append(Move(target, cell, test))
                    ends.append(Move(target, cell, again))
                    test = self.variable(first.arg)
            self.perform(ends, s.loc)
        self.perform(moves, s.loc)
        self.emit(ast.While(test.node, body or [ast.Pass()], []), s.loc)


def definition(name: str, params: list[str], body: list[ast.stmt]) -> ast.FunctionDef:
    """A function definition."""
    arguments = ast.arguments([], [ast.arg(p) for p in params], None, [], [], None, [])
    node = ast.FunctionDef(name, arguments, body, [])
    if sys.version_info >= (3, 12):
        node.type_params = []
    return node


def branch(cond: Expr, then: list[ast.stmt], orelse: list[ast.stmt]) -> ast.stmt | None:
    """An ``if`` statement, as short as its branches allow."""
    if not then and not orelse:
        return None
    if not then:
        return branch(negated(cond), orelse, then)
    node = ast.If(cond.node, then, orelse)
    node.opposite = ex.negation(cond)  # type: ignore[attr-defined]
    return node


def negated(e: Expr) -> Expr:
    """The negation as an expression that can be negated again."""
    return Expr(ex.negation(e), e.width + 4, e.reads, e.memory, e.node)


def _same_test(test: Expr, before: list[Move], again: Expr, ends: list[Move]) -> bool:
    """Whether ``while test`` says what the loop's flag says, at entry and after each turn."""
    if again.reads & {m.cell for m in ends} or test.reads & {m.cell for m in before}:
        return False
    return ast.dump(test.node) == ast.dump(again.node)


def _range(s: For, bounds: list[ast.expr]) -> list[ast.expr]:
    if not (isinstance(s.step, Const) and s.step.value == 1):
        return bounds
    return bounds[1:2] if isinstance(s.start, Const) and s.start.value == 0 else bounds[:2]
