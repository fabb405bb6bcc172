"""One random change of the tree of a program.

In: a random generator and a module of functions.  Out: the tree, changed in one place.  What comes
out need not be a program; ``tests.fuzzing.mutants`` drops what Python refuses.
"""

from __future__ import annotations

import ast
import copy
import random
from typing import Any

from tests.fuzzing import snippet_calls, snippets

OPERATORS = (
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.FloorDiv,
    ast.Mod,
    ast.Pow,
    ast.MatMult,
    ast.BitAnd,
    ast.BitOr,
    ast.BitXor,
    ast.LShift,
    ast.RShift,
)
COMPARISONS = (
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
    ast.Eq,
    ast.NotEq,
    ast.Is,
    ast.IsNot,
    ast.In,
    ast.NotIn,
)
UNARY = (ast.USub, ast.UAdd, ast.Not, ast.Invert)


class Mutation:
    """One random change of a tree, in place."""

    def __init__(self, rng: random.Random, tree: ast.Module) -> None:
        self.rng, self.tree = rng, tree
        self.where: ast.FunctionDef = rng.choice(tree.body)  # type: ignore[assignment]
        inside = list(ast.walk(self.where))
        self.names = sorted(
            {n.id for n in inside if isinstance(n, ast.Name)}
            | {a.arg for a in self.where.args.args}
            or {"x"}
        )
        self.expressions = [
            n
            for n in inside
            if isinstance(n, ast.expr)
            and not isinstance(getattr(n, "ctx", None), (ast.Store, ast.Del))
            and not isinstance(n, (ast.Slice, ast.Starred, ast.JoinedStr))
        ]

    def apply(self) -> None:
        """Choose a kind of change and make it."""
        change = self.rng.choice(
            (
                self.replace_expression,
                self.replace_expression,
                self.replace_constant,
                self.call,
                self.call,
                self.insert,
                self.insert,
                self.insert,
                self.remove,
                self.duplicate,
                self.swap_operator,
                self.swap_operator,
                self.rename,
                self.rename,
                self.arguments,
                self.parameters,
                self.wrap,
                self.decorate,
                self.shuffle,
                self.shadow,
            )
        )
        change()

    # filling templates
    def name(self) -> str:
        return self.rng.choice(self.names)

    def expression(self) -> str:
        if not self.expressions or self.rng.random() < 0.3:
            return self.name()
        text = ast.unparse(copy.deepcopy(self.rng.choice(self.expressions)))
        return text if len(text) < 60 else self.name()

    def fill(self, template: str, own: str | None = None) -> str:
        """A snippet with its placeholders replaced."""
        while "EXPR" in template:
            template = template.replace("EXPR", f"({own or self.expression()})", 1)
            own = None
        while "NAME" in template:
            template = template.replace("NAME", self.name(), 1)
        return template

    # places
    def slots(self, kind: type) -> list[tuple[Any, str, int | None]]:
        """Fields that hold a node of a kind (targets of assignments left out)."""
        out: list[tuple[Any, str, int | None]] = []
        for parent in ast.walk(self.where):
            for field, value in ast.iter_fields(parent):
                if field in ("targets", "target", "decorator_list", "annotation", "returns"):
                    continue
                if isinstance(value, kind):
                    out.append((parent, field, None))
                elif isinstance(value, list):
                    out += [(parent, field, k) for k, v in enumerate(value) if isinstance(v, kind)]
        return out

    def replace(self, slot: tuple[Any, str, int | None], node: Any) -> None:
        parent, field, k = slot
        if k is None:
            setattr(parent, field, node)
        else:
            getattr(parent, field)[k] = node

    def get(self, slot: tuple[Any, str, int | None]) -> Any:
        parent, field, k = slot
        return getattr(parent, field) if k is None else getattr(parent, field)[k]

    def parse(self, text: str) -> Any:
        """An expression, or ``None`` where the text is none."""
        try:
            return ast.parse(text, mode="eval").body
        except (SyntaxError, ValueError):
            return None

    def some_slot(self, kind: type) -> Any:
        found = self.slots(kind)
        return self.rng.choice(found) if found else None

    # changes
    def replace_expression(self) -> None:
        """An expression becomes an odd one that contains it."""
        slot = self.some_slot(ast.expr)
        if slot is not None:
            own = ast.unparse(copy.deepcopy(self.get(slot)))
            node = self.parse(self.fill(self.rng.choice(snippets.EXPRESSIONS), own))
            if node is not None:
                self.replace(slot, node)

    def replace_constant(self) -> None:
        """A constant or a name becomes a value of another type."""
        slot = self.some_slot((ast.Constant, ast.Name))  # type: ignore[arg-type]
        node = self.parse(self.fill(self.rng.choice(snippets.CONSTANTS)))
        if slot is not None and node is not None:
            self.replace(slot, node)

    def call(self) -> None:
        """An expression becomes a call of a builtin or a NumPy function."""
        slot = self.some_slot(ast.expr)
        if slot is None:
            return
        name = (
            self.rng.choice(snippet_calls.BUILTINS)
            if self.rng.random() < 0.5
            else "np." + self.rng.choice(snippet_calls.NUMPY)
        )
        count = self.rng.choice((0, 1, 1, 1, 2, 2, 3))
        args = [self.fill(self.rng.choice(snippet_calls.ARGUMENTS)) for _ in range(count)]
        if args and self.rng.random() < 0.6:
            args[0] = ast.unparse(copy.deepcopy(self.get(slot)))
        node = self.parse(f"{name}({', '.join(args)})")
        if node is not None:
            self.replace(slot, node)

    def insert(self) -> None:
        """A statement is added somewhere."""
        bodies = self.bodies()
        try:
            stmts = ast.parse(self.fill(self.rng.choice(snippets.STATEMENTS))).body
        except (SyntaxError, ValueError):
            return
        body = self.rng.choice(bodies)
        at = self.rng.randrange(len(body) + 1)
        body[at:at] = stmts

    def bodies(self) -> list[list[ast.stmt]]:
        """Statement lists of the function."""
        return [
            b
            for n in ast.walk(self.where)
            for field in ("body", "orelse")
            if isinstance(b := getattr(n, field, None), list) and b
        ]

    def remove(self) -> None:
        """A statement goes."""
        body = self.rng.choice(self.bodies())
        body[self.rng.randrange(len(body))] = ast.Pass()

    def duplicate(self) -> None:
        """A statement is done again elsewhere."""
        stmt = copy.deepcopy(self.rng.choice(self.rng.choice(self.bodies())))
        body = self.rng.choice(self.bodies())
        body.insert(self.rng.randrange(len(body) + 1), stmt)

    def swap_operator(self) -> None:
        """Another operator."""
        found = [
            n
            for n in ast.walk(self.where)
            if isinstance(n, (ast.BinOp, ast.AugAssign, ast.Compare, ast.UnaryOp, ast.BoolOp))
        ]
        if not found:
            return
        n = self.rng.choice(found)
        if isinstance(n, ast.Compare):
            n.ops[self.rng.randrange(len(n.ops))] = self.rng.choice(COMPARISONS)()
        elif isinstance(n, ast.UnaryOp):
            n.op = self.rng.choice(UNARY)()
        elif isinstance(n, ast.BoolOp):
            n.op = ast.Or() if isinstance(n.op, ast.And) else ast.And()
        else:
            n.op = self.rng.choice(OPERATORS)()

    def rename(self) -> None:
        """One use of a name becomes another name."""
        found = [n for n in ast.walk(self.where) if isinstance(n, ast.Name)]
        if found:
            other = (
                self.name()
                if self.rng.random() < 0.9
                else self.rng.choice((*snippet_calls.BUILTINS, "missing"))
            )
            self.rng.choice(found).id = other

    def arguments(self) -> None:
        """A call gets an argument more, less, or in another way."""
        calls = [n for n in ast.walk(self.where) if isinstance(n, ast.Call)]
        if not calls:
            return
        n = self.rng.choice(calls)
        kind = self.rng.random()
        if kind < 0.3 and n.args:
            n.args.pop(self.rng.randrange(len(n.args)))
        elif kind < 0.5 and n.args:
            n.args[0] = ast.Starred(n.args[0], ast.Load())
        elif kind < 0.6 and n.args:
            n.keywords.append(ast.keyword(self.name(), n.args.pop()))
        elif kind < 0.7:
            n.keywords.append(ast.keyword(None, ast.Name(self.name(), ast.Load())))
        else:
            extra = self.parse(f"f({self.fill(self.rng.choice(snippet_calls.ARGUMENTS))})")
            if extra is not None:
                n.args += extra.args
                n.keywords += extra.keywords

    def parameters(self) -> None:
        """A parameter changes its kind."""
        args = self.where.args.args
        if not args:
            return
        name = self.rng.choice(args).arg
        old = ast.unparse(self.where.args)
        new = self.rng.choice(snippets.PARAMETERS).replace("NAME", name)
        try:
            made = ast.parse(f"def f({old.replace(name, new, 1)}): pass").body[0]
        except (SyntaxError, ValueError):
            return
        self.where.args = made.args  # type: ignore[attr-defined]

    def wrap(self) -> None:
        """Statements move under an ``if``, a loop, a ``try``, a ``with``, a function."""
        frames = (
            "if EXPR:\n    pass",
            "for w in range(2):\n    pass",
            "while True:\n    pass",
            "for w in EXPR:\n    pass",
            "try:\n    pass\nfinally:\n    pass",
            "with EXPR:\n    pass",
            "def g():\n    pass\ng()",
            "if not EXPR:\n    pass",
            "def g():\n    pass\nNAME = g()",
            "class C:\n    pass",
            "while NAME:\n    pass",
        )
        try:
            made = ast.parse(self.fill(self.rng.choice(frames))).body
        except SyntaxError:
            return
        body = self.rng.choice(self.bodies())
        k = self.rng.randrange(len(body))
        made[0].body = body[k : k + self.rng.choice((1, 2))]  # type: ignore[attr-defined]
        if isinstance(made[0], ast.While) and self.rng.random() < 0.8:
            made[0].body = [*made[0].body, ast.Break()]
        body[k : k + len(made[0].body)] = made  # type: ignore[attr-defined]

    def decorate(self) -> None:
        """A decorator, on a helper or on the function itself."""
        node = self.parse(self.rng.choice(snippets.DECORATORS))
        self.where.decorator_list.append(node)

    def shuffle(self) -> None:
        """Two expressions change places."""
        a, b = self.some_slot(ast.expr), self.some_slot(ast.expr)
        if a is not None and b is not None:
            x, y = copy.deepcopy(self.get(a)), copy.deepcopy(self.get(b))
            self.replace(b, x)
            self.replace(a, y)

    def shadow(self) -> None:
        """A builtin, a module or the function itself is hidden by a local name."""
        name = self.rng.choice(
            (
                "np",
                "math",
                "range",
                "len",
                "abs",
                self.where.name,
                self.rng.choice(snippet_calls.BUILTINS),
            )
        )
        value = self.parse(self.fill(self.rng.choice(("NAME", "EXPR", "lambda *q: 1.0", "2.0"))))
        if value is not None:
            self.where.body.insert(0, ast.Assign([ast.Name(name, ast.Store())], value))
