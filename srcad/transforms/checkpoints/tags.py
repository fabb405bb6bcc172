"""Arrays that change places in a loop (``u, v = v, u``): numbers instead of references.

In: a loop, its carried references that are not copies.  Out: ``Tags``: the arrays that they can
refer to (``candidates``: what the loop begins with, and arrays around it), a carried number for
each reference that says which of them it is, and the body with these numbers computed.

Invariant: a reference is one of the candidates at the start of every iteration; where that
cannot be seen (a new array in each iteration, that somebody writes to later) the loop is refused.
"""

from __future__ import annotations

from dataclasses import replace

from srcad.analyses.tree import Tree
from srcad.errors import NoDerivative
from srcad.ir.build import Builder, const
from srcad.ir.nodes import Atom, Block, Carried, For, If, Stmt, Var, View, While
from srcad.ir.types import I8, ArrayT, Type
from srcad.transforms.arrays import fit
from srcad.transforms.checkpoints.emit import choose


class Tags:
    """The references of one loop as positions in ``candidates``."""

    def __init__(self, b: Builder, loop: For | While, moved: list[Carried], tree: Tree) -> None:
        self.b, self.loop, self.tree = b, loop, tree
        self.moved = {c.arg.name: c for c in moved}
        self.candidates: list[Var] = []
        self.can: dict[str, set[int]] = {c.arg.name: set() for c in moved}
        self.needed: set[str] = set()  # results of branches that need a tag
        self.tag: dict[str, Atom] = {}
        self.position = {c.arg.name: k for k, c in enumerate(loop.carried)}
        self._inside = set()
        for node in tree.nodes:
            if node.owner is loop:
                self._inside = set(node.subtree())
        self.carried = [self._carried(c) for c in moved]
        self._settle()

    def _carried(self, c: Carried) -> Carried:
        if not isinstance(c.arg.type, ArrayT):
            raise self.refusal(c.arg)
        assert isinstance(c.init, Var)
        hint = f"{c.arg.hint or c.arg.name}_is"
        arg = self.b.var(hint, I8)
        self.tag[c.arg.name] = arg
        here = self._number(c.init)
        self.can[c.arg.name].add(here)
        return Carried(self.b.var(hint, I8), arg, const(here))

    def _number(self, v: Var) -> int:
        while isinstance(s := self.tree.home[v.name].stmt, View) and s.kind == "same":
            v = s.base
        names = [c.name for c in self.candidates]
        if v.name not in names:
            self.candidates.append(v)
            return len(names)
        return names.index(v.name)

    def refusal(self, v: Var) -> NoDerivative:
        """What cannot be followed."""
        name = v.hint or v.name
        return NoDerivative(
            f"{name!r} is bound to another {'array' if isinstance(v.type, ArrayT) else 'list'} in "
            "a checkpointed loop, and written to",
            self.loop.loc,
            "the state of the loop is what its arrays hold; which array it is has to be one of "
            "those it began with",
            f"copy it before the loop ({name} = {name}.copy()), write into it ({name}[:] = ...), or "
            "let two arrays change places",
        )

    # which array a reference is
    def _settle(self) -> None:
        """What each reference can be, to a fixed point."""
        size = -1
        while size != sum(map(len, self.can.values())):
            size = sum(map(len, self.can.values()))
            for name, c in self.moved.items():
                y = self.loop.body.yields[self.position[name]]
                self.can[name] |= self._sources(y, c.arg)

    def _sources(self, y: Atom, v: Var) -> set[int]:
        """The candidates that a reference can be; notes the branches on the way."""
        assert isinstance(y, Var)
        if y.name in self.moved:
            return self.can[y.name]
        home = self.tree.home[y.name]
        if home.node not in self._inside:
            return {self._number(y)}
        if isinstance(home.stmt, View) and home.stmt.kind == "same":
            return self._sources(home.stmt.base, v)
        if isinstance(home.stmt, If):
            k = [r.name for r in home.stmt.results].index(y.name)
            self.needed.add(y.name)
            sides = (home.stmt.then.yields[k], home.stmt.orelse.yields[k])
            return self._sources(sides[0], v) | self._sources(sides[1], v)
        raise self.refusal(v)

    def _tag(self, y: Atom) -> Atom:
        assert isinstance(y, Var)
        if y.name in self.tag:
            return self.tag[y.name]
        home = self.tree.home[y.name]
        if home.node not in self._inside:
            return const(self._number(y))
        assert isinstance(home.stmt, View)
        return self._tag(home.stmt.base)

    # the body
    def open(self, body: Block) -> Block:
        """Emit which array each reference is; the body with the tags of its branches."""
        for c in self.moved.values():
            self.pick(c.arg, self.tag[c.arg.name], self.can[c.arg.name])
        return self._block(body)

    def close(self, results: dict[str, Var]) -> None:
        """Emit which array each reference is after the loop, by its tag."""
        for c, tag in zip(self.moved.values(), self.carried, strict=True):
            self.pick(c.result, results[tag.result.name], self.can[c.arg.name])

    def yields(self, body: Block) -> dict[str, Atom]:
        """The tags that the loop carries on, by the names of their arguments."""
        return {
            tag.arg.name: self._tag(body.yields[self.position[name]])
            for name, tag in zip(self.moved, self.carried, strict=True)
        }

    def pick(self, target: Var, tag: Atom, can: set[int]) -> None:
        """``target`` = the candidate with the number ``tag``."""
        found = self._pick(sorted(can), tag, target.type, target.hint)
        self.b.emit(View(target, found, "same", (), self.b.loc))

    def _pick(self, can: list[int], tag: Atom, kind: Type, hint: str) -> Var:
        first, *others = can
        if not others:
            return fit(self.b, self.candidates[first], kind, hint)
        (made,) = choose(
            self.b,
            self.b.op("eq", tag, const(first)),
            ((hint, kind),),
            lambda: (fit(self.b, self.candidates[first], kind, hint),),
            lambda: (self._pick(others, tag, kind, hint),),
        )
        return made

    def _block(self, block: Block) -> Block:
        return replace(block, stmts=tuple(map(self._statement, block.stmts)))

    def _statement(self, s: Stmt) -> Stmt:
        if not isinstance(s, If) or not self.needed:
            return s
        then, orelse = self._block(s.then), self._block(s.orelse)
        wanted = [k for k, r in enumerate(s.results) if r.name in self.needed]
        made = [self.b.var(f"{s.results[k].hint}_is", I8) for k in wanted]
        for k, v in zip(wanted, made, strict=True):
            self.tag[s.results[k].name] = v
        then, orelse = (
            replace(x, yields=(*x.yields, *(self._tag(x.yields[k]) for k in wanted)))
            for x in (then, orelse)
        )
        return replace(s, then=then, orelse=orelse, results=(*s.results, *made))
