"""The body of a checkpointed loop as a function: one step, all of whose state is in its operands.

In: a loop of a function, the regions of that function.  Out: ``Outline``: a function ``step``
of the loop's index, the numbers it carries, the numbers and arrays it sees, which gives the next
numbers and writes into the arrays; and what each operand is to the loop:

* an array that the loop writes and reads is part of its state, one that it only reads is not, and
  neither is one that it only writes (a trajectory): its values are never needed again;
* an array that is rebound by copies (``u = step(u)``, ``analyses.joins``) becomes a *buffer*, into
  which the end of the step copies what the loop would carry;
* arrays that change places (``u, v = v, u``) are found by numbers that say which is which
  (``identities``).

Invariant: ``step`` touches storage through its own operands only; two that may overlap are made
views of one operand, or refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from srcad.analyses.effects import Summary
from srcad.analyses.joins import by_value
from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.reload import Place, Reload
from srcad.analyses.summaries import summarise
from srcad.analyses.tree import Tree, may_follow
from srcad.errors import NoDerivative
from srcad.ir.build import Builder
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Call,
    Carried,
    For,
    Function,
    Load,
    Reserve,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.types import I8, ArrayT, ListT, Scalar
from srcad.ir.walk import free_variables, statements, variables, view_atoms
from srcad.transforms.arrays import contiguous, copy, fit, sizes
from srcad.transforms.checkpoints.identities import Identities


@dataclass
class Outline:
    """A loop whose body is a function."""

    loop: For | While
    step: Function
    scalars: list[Carried] = field(default_factory=list)  # numbers carried, tags last
    free: list[Var] = field(default_factory=list)  # numbers seen
    arrays: list[tuple[Var, str]] = field(default_factory=list)  # arrays seen, with their role
    buffers: list[Carried] = field(default_factory=list)  # arrays rebound by copies
    moved: list[Carried] = field(default_factory=list)  # arrays that change places


@dataclass
class Facts:
    """What is known about a function with checkpointed loops."""

    fn: Function
    summaries: dict[str, Summary]
    regions: Regions
    reload: Reload
    copies: set[str]
    identities: Identities

    @staticmethod
    def of(fn: Function, identities: Identities | None = None) -> Facts:
        """Analyse a function."""
        summaries = summarise(fn)
        regions = Regions(fn, summaries)
        reload = Reload(Tree(fn), regions, summaries)
        copies = by_value(reload, summaries)
        return Facts(fn, summaries, regions, reload, copies, identities or Identities())


def exchanged(b: Builder, facts: Facts, loop: For | While) -> list[Var]:
    """References of which the step has to know which array they are."""
    return _Outliner(b, facts, loop).exchanged()


def outline(b: Builder, facts: Facts, loop: For | While, name: str) -> Outline:
    """The loop with its body as a function ``name``; new names are from ``b``."""
    return _Outliner(b, facts, loop).run(name)


class _Outliner:
    def __init__(self, b: Builder, facts: Facts, loop: For | While) -> None:
        self.b, self.facts, self.loop = b, facts, loop
        self.binders = [c.arg for c in loop.carried]
        self.index = loop.index if isinstance(loop, For) else self.b.var("trip", I8)
        self.read: set[str] = set()
        self.written: set[str] = set()
        self.nested = False
        for s in statements(loop.body):
            self._effects(s)
            self.nested |= isinstance(s, (For, While)) and s.keep is not None
        self.buffers = [c for c in loop.carried if c.arg.name in facts.copies or self._alone(c)]
        self.moved = [c for c in loop.carried if is_reference(c.arg) and c not in self.buffers]

    def exchanged(self) -> list[Var]:
        """What is to be resolved: arrays that change places, arrays that may be the same one."""
        captured = [v for v in self._seen() if is_reference(v)]
        clashing = [v for v in captured if any(self._clash(v, w) for w in captured)]
        roots = {self.facts.reload.root(v) for v in clashing}
        known = [v for v in variables(self.facts.fn) if v.name in roots]
        return [*(c.arg for c in self.moved), *(c.result for c in self.moved), *known]

    def run(self, name: str) -> Outline:
        """The outline."""
        seen = self._seen()
        for c in self.moved:
            candidates = self.facts.identities.candidates(c.arg)
            if not isinstance(c.arg.type, ArrayT) or c.arg in candidates:
                raise self._unresolved(c.arg)
            seen += candidates
        free, refs = self._split(list({v.name: v for v in seen}.values()))
        arrays = [(v, self._role(v)) for v in refs]
        scalars = [c for c in self.loop.carried if isinstance(c.arg.type, Scalar)]
        step = self._step(name, free, arrays, scalars)
        return Outline(self.loop, step, scalars, free, arrays, self.buffers, self.moved)

    def _seen(self) -> list[Var]:
        return free_variables(self.loop.body, (self.index, *self.binders))

    # what the loop does to arrays
    def _effects(self, s: Stmt) -> None:
        of, reached = self.facts.regions.of, self.facts.regions.reached
        match s:
            case Load():
                self.read |= of(s.array)
            case Store() | Accumulate() | Reserve():
                self.written |= of(s.array)
            case ArrayOp():
                for a in filter(is_reference, s.args):
                    self.read |= reached(a)
            case Call():
                summary = self.facts.summaries[s.fn]
                for a, r, w in zip(s.args, summary.reads, summary.writes, strict=True):
                    self.read |= reached(a) if r else set()
                    self.written |= reached(a) if w else set()

    def _role(self, v: Var) -> str:
        of = self.facts.regions.reached(v)
        if not of & self.written:
            return "read"
        if isinstance(v.type, ListT):
            raise self._refusal(
                "a list is changed",
                "the states of a loop are kept in arrays, and a list has no size for good",
                "write into an array",
            )
        handed = {r for y in self.loop.body.yields for r in self.facts.regions.of(y)}
        return "state" if of & (self.read | handed) else "scratch"

    def _refusal(self, what: str, why: str, instead: str) -> NoDerivative:
        return NoDerivative(f"{what} in a checkpointed loop", self.loop.loc, why, instead)

    def _alone(self, c: Carried) -> bool:
        """Whether the loop may carry a copy: nobody could tell.

        Either nobody writes to the arrays that ``c`` may refer to, once it does, or nobody else
        sees them: they are accessed, in the loop, through ``c`` and the variable that an iteration
        makes them with, and after it through the result of ``c``.
        """
        if not isinstance(c.arg.type, ArrayT):
            return False
        tree, of = self.facts.reload.tree, self.facts.regions.reached
        others = [x for x in self.loop.carried if x is not c and of(x.arg) & of(c.arg)]
        (home,) = [(n, k) for n, k, s in tree.walk() if s is self.loop]
        hidden = not others and all(self._hidden(c, r, home) for r in of(c.arg))
        return hidden or all(self._final(r, home) for r in of(c.arg))

    def _final(self, region: str, loop: Place) -> bool:
        """Whether nobody writes to an array once the loop carries it."""
        reload = self.facts.reload
        made, body = reload.tree.home.get(region), loop[0].children[loop[1]][0]
        if made is None:
            return False
        writes = reload.writes.get(region, ())
        if body in made.node.ancestors():
            return all(w.root == region for w in writes)
        return not any(
            body in w.node.ancestors() or may_follow(loop, (w.node, w.position), made.node)
            for w in writes
        )

    def _hidden(self, c: Carried, region: str, loop: Place) -> bool:
        reload, reached = self.facts.reload, self.facts.regions.reached
        made = reload.tree.home.get(region)
        if made is None or made.stmt is None:
            return False
        body = loop[0].children[loop[1]][0]
        own = {c.arg.name, region} if body in made.node.ancestors() else {c.arg.name}
        for x in reload.accesses()[region]:
            if body in x.node.ancestors():
                if x.root not in own:
                    return False
            elif x.root != c.result.name and may_follow(loop, (x.node, x.position), made.node):
                return False
        handed = [y for y in self.facts.fn.body.yields if region in reached(y)]
        stores = (s for _, _, s in reload.tree.walk() if isinstance(s, Store))
        handed += [s.value for s in stores if region in reached(s.value)]
        return all(reload.root(y) == c.result.name for y in handed)  # type: ignore[arg-type]

    def _unresolved(self, v: Var) -> NoDerivative:
        name = v.hint or v.name
        return NoDerivative(
            f"{name!r} is bound to another {'array' if isinstance(v.type, ArrayT) else 'list'} in "
            "a checkpointed loop, and written to",
            self.loop.loc,
            "the state of the loop is what its arrays hold; which array it is has to be one of "
            "those it began with",
            f"copy it before the loop ({name} = {name}.copy()), or write into it "
            f"({name}[:] = ...), or let two arrays change places",
        )

    # what the loop sees
    def _split(self, seen: list[Var]) -> tuple[list[Var], list[Var]]:
        """Numbers and arrays to hand over; in ``opening``, how the step finds the other arrays."""
        self.opening: list[View | Var] = []
        self.refs: dict[str, Var] = {}
        self.numbers = {v.name: v for v in seen if not is_reference(v)}
        self.handed: set[str] = set()
        captured = [v for v in seen if is_reference(v)]
        for v in captured:
            if any(self._clash(v, w) for w in captured):
                self._hand(v)
            else:
                self.refs[v.name] = v
        for v in self.refs.values():
            for w in self.refs.values():
                if self._clash(v, w):
                    raise self._overlap(v, w)
        return [*self.numbers.values()], [*self.refs.values()]

    def _overlap(self, v: Var, w: Var) -> NoDerivative:
        return self._refusal(
            f"{v.hint or v.name!r} and {w.hint or w.name!r} may share memory, which is written",
            "its derivative is made for arrays that do not overlap",
            "use the array itself, with the positions of the parts",
        )

    def _clash(self, v: Var, w: Var) -> bool:
        reached = self.facts.regions.reached
        return v.name != w.name and bool(reached(v) & reached(w) & self.written)

    def _hand(self, v: Var) -> None:
        """Hand over what ``v`` is a view of, or what it can be."""
        if v.name in self.handed:
            return
        self.handed.add(v.name)
        s, ids = self.facts.reload.tree.home[v.name].stmt, self.facts.identities
        if isinstance(s, View):
            self._hand(s.base)
            self.opening.append(s)
            self._number(*view_atoms(s))
        elif v.name in ids.can and ids.candidates(v) != [v]:
            for base in ids.candidates(v):
                self._hand(base)
            self.opening.append(v)
            self._number(ids.number[v.name])
        else:
            self.refs[v.name] = v

    def _number(self, *atoms: Atom) -> None:
        self.numbers |= {a.name: a for a in atoms if isinstance(a, Var)}

    # the step
    def _step(
        self, name: str, free: list[Var], arrays: list[tuple[Var, str]], scalars: list[Carried]
    ) -> Function:
        b, body, buffers = self.b, self.loop.body, self.buffers
        owned = [b.var(c.arg.hint or c.arg.name, contiguous(c.arg.type)) for c in buffers]
        with b.block() as stmts:
            for s in self.opening:
                if isinstance(s, View):
                    b.emit(s)
                else:
                    self.facts.identities.pick(b, s)
            for c in self.moved:
                self.facts.identities.pick(b, c.arg)
            for c, own in zip(buffers, owned, strict=True):
                # a marked loop inside may rebind it as well: it must not see the buffer written
                mine = copy(b, own, own.hint) if self.nested else own
                b.emit(View(c.arg, fit(b, mine, c.arg.type), "same", (), b.loc))
            stmts += body.stmts
            yields = dict(zip((c.arg.name for c in self.loop.carried), body.yields, strict=True))
            self._hand_over(buffers, owned, yields)
        params = (self.index, *(c.arg for c in scalars), *free, *(v for v, _ in arrays), *owned)
        out = tuple(yields[c.arg.name] for c in scalars)
        return Function(name, params, Block(tuple(stmts), out), self.facts.fn.callees)

    def _hand_over(self, buffers: list[Carried], owned: list[Var], yields: dict[str, Atom]) -> None:
        """Copy what the loop would carry into the buffers."""
        made = {t.name for s in self.loop.body.stmts for t in _made(s)}
        moves = []
        for c, own in zip(buffers, owned, strict=True):
            y = yields[c.arg.name]
            if not isinstance(y, Var) or y == c.arg:
                continue
            for axis, (n, m) in enumerate(zip(sizes(self.b, y), sizes(self.b, own), strict=True)):
                self.b.check(
                    self.b.op("eq", n, m),
                    "ValueError",
                    f"{c.arg.hint or c.arg.name} changes its size along axis {axis} in a loop that "
                    "srcad.checkpointed marks: states of the loop are of one size",
                )
            moves.append((own, y if y.name in made else copy(self.b, y, y.hint or y.name)))
        for own, y in moves:
            copy(self.b, y, "", into=own)


def _made(s: Stmt) -> tuple[Var, ...]:
    """Arrays that a statement makes."""
    if isinstance(s, Alloc):
        return (s.target,)
    return s.targets if isinstance(s, ArrayOp) else ()
