"""Which array a reference is, as a number: what lets arrays change places in a loop.

In: a function, and references in it that may be one of several arrays (``u, v = v, u``).  Out: the
same function, in which a companion number of each branch result and each carried value on the way
says which of the ``bases`` it is; and ``Identities``: what each reference can be.

Invariant: a reference is, always, one of its candidates in ``bases``, and they can be seen where it
is made.  A join of arrays made inside its own branch or loop is a base itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from srcad.analyses.tree import Tree
from srcad.ir.build import Builder, const
from srcad.ir.nodes import Atom, Block, Carried, For, Function, If, Stmt, Var, View, While
from srcad.ir.types import I8, Type
from srcad.ir.walk import binders, targets
from srcad.transforms.arrays import fit
from srcad.transforms.checkpoints.emit import choose


@dataclass
class Identities:
    """References by name: the positions in ``bases`` that each can have, and its number."""

    bases: list[Var] = field(default_factory=list)
    can: dict[str, set[int]] = field(default_factory=dict)
    number: dict[str, Atom] = field(default_factory=dict)

    def candidates(self, v: Var) -> list[Var]:
        """What a reference can be."""
        return [self.bases[k] for k in sorted(self.can[v.name])]

    def pick(self, b: Builder, v: Var) -> None:
        """Emit ``v`` = the array that its number says."""
        found = self._pick(b, sorted(self.can[v.name]), self.number[v.name], v.type, v.hint)
        b.emit(View(v, found, "same", (), b.loc))

    def _pick(self, b: Builder, can: list[int], number: Atom, kind: Type, hint: str) -> Var:
        first, *others = can
        if not others:
            return fit(b, self.bases[first], kind, hint)
        (made,) = choose(
            b,
            b.op("eq", number, const(first)),
            ((hint, kind),),
            lambda: (fit(b, self.bases[first], kind, hint),),
            lambda: (self._pick(b, others, number, kind, hint),),
        )
        return made


def identify(b: Builder, fn: Function, wanted: Iterable[Var]) -> tuple[Function, Identities]:
    """The function with numbers for the references ``wanted``."""
    made = _Identify(b, Tree(fn))
    made.collect([v.name for v in wanted])
    body = made.block(fn.body) if made.members else fn.body
    for v in wanted:
        made.ids.number[v.name] = made.of(v)
    return replace(fn, body=body), made.ids


class _Identify:
    def __init__(self, b: Builder, tree: Tree) -> None:
        self.b, self.tree = b, tree
        self.ids = Identities()
        self.sources: dict[str, list[Atom]] = {}
        self.members: set[str] = set()  # branch results, carried arguments and loop results

    # what references can be
    def collect(self, wanted: list[str]) -> None:
        """Follow references back to the arrays they can be."""
        todo = list(wanted)
        while todo:
            name = todo.pop()
            if name not in self.sources:
                self.sources[name] = self._sources(name)
                todo += [a.name for a in self.sources[name] if isinstance(a, Var)]
                todo += self._partner(name)
        while hidden := {n for n, found in self._reach().items() if self._hidden(n, found)}:
            for name in hidden:  # a join of arrays that cannot be seen from outside is one itself
                self.sources[name] = []
        self.members = {n for n, from_ in self.sources.items() if len(from_) > 1}

    def _partner(self, name: str) -> list[str]:
        """The argument and the result of what a loop carries: both need a number, or neither."""
        s = self.tree.home[name].stmt
        pairs = [(c.arg.name, c.result.name) for c in getattr(s, "carried", ())]
        return [other for pair in pairs if name in pair for other in pair]

    def _reach(self) -> dict[str, set[int]]:
        """The positions in ``bases`` of what each reference can be, to a fixed point."""
        can: dict[str, set[int]] = {name: set() for name in self.sources}
        self.ids.bases, self.ids.can = [], can
        for name, from_ in self.sources.items():
            if not from_:
                can[name].add(len(self.ids.bases))
                self.ids.bases.append(self._variable(name))
        size = -1
        while size != sum(map(len, can.values())):
            size = sum(map(len, can.values()))
            for name, from_ in self.sources.items():
                for a in from_:
                    can[name] |= can[a.name]  # type: ignore[union-attr]
        return can

    def _hidden(self, name: str, can: set[int]) -> bool:
        """Whether a join hands out an array that is made inside its branch or loop."""
        home = self.tree.home[name]
        if len(self.sources[name]) < 2:
            return False
        place = home.node if home.position >= 0 else home.node.parent
        assert place is not None
        around = set(place.ancestors())
        return any(self.tree.home[self.ids.bases[k].name].node not in around for k in can)

    def _variable(self, name: str) -> Var:
        home = self.tree.home[name]
        made = () if home.stmt is None else (*targets(home.stmt), *binders(home.stmt))
        known = self.tree.fn.params if home.stmt is None else made
        return next(v for v in known if v.name == name)

    def _sources(self, name: str) -> list[Atom]:
        """Where a reference comes from; nothing if it is an array of its own."""
        s = self.tree.home[name].stmt
        if isinstance(s, View) and s.kind == "same":
            return [s.base]
        if isinstance(s, If):
            k = [r.name for r in s.results].index(name)
            return [s.then.yields[k], s.orelse.yields[k]]
        if isinstance(s, (For, While)):
            for c, y in zip(s.carried, s.body.yields, strict=True):
                if name in (c.arg.name, c.result.name):
                    return [c.init, y]
        return []

    # the numbers
    def of(self, a: Atom) -> Atom:
        """The number of a reference."""
        assert isinstance(a, Var)
        if a.name in self.ids.number:
            return self.ids.number[a.name]
        if a.name not in self.members and self.sources[a.name]:
            (base,) = self.sources[a.name]
            return self.of(base)
        (k,) = self.ids.can[a.name]
        return const(k)

    def block(self, block: Block) -> Block:
        """A block with the numbers of its references."""
        return replace(block, stmts=tuple(map(self._statement, block.stmts)))

    def _statement(self, s: Stmt) -> Stmt:
        match s:
            case If():
                return self._branch(s)
            case For() | While():
                return self._loop(s)
        return s

    def _new(self, v: Var) -> Var:
        made = self.b.var(f"{v.hint or v.name}_is", I8)
        self.ids.number[v.name] = made
        return made

    def _branch(self, s: If) -> If:
        picked = [k for k, r in enumerate(s.results) if r.name in self.members]
        sides = [self.block(s.then), self.block(s.orelse)]
        sides = [
            replace(x, yields=(*x.yields, *(self.of(x.yields[k]) for k in picked))) for x in sides
        ]
        made = tuple(self._new(s.results[k]) for k in picked)
        return replace(s, then=sides[0], orelse=sides[1], results=(*s.results, *made))

    def _loop(self, s: For | While) -> For | While:
        picked = [k for k, c in enumerate(s.carried) if c.arg.name in self.members]
        inits = [self.of(s.carried[k].init) for k in picked]
        args = [self._new(s.carried[k].arg) for k in picked]
        body = self.block(s.body)
        body = replace(body, yields=(*body.yields, *(self.of(body.yields[k]) for k in picked)))
        results = [self._new(s.carried[k].result) for k in picked]
        extra = tuple(Carried(*c) for c in zip(results, args, inits, strict=True))
        return replace(s, body=body, carried=(*s.carried, *extra))
