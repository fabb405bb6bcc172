"""Whether two accesses to one array can meet an element, by the bounds of the loops around them.

In: the tree of a function, two accesses whose subscripts are sums of integer multiples of
counters, sizes and other integers.  Out: ``Meetings.again``: may the second run after the first
and touch the same element; ``Meetings.ever``: may they do so in different iterations of a loop;
``Meetings.crossed``: in a later iteration of one loop and an earlier one of another.

Example: in ``for k in range(n)`` with ``i`` and ``j`` from ``k + 1`` on and
``a[i, j] -= a[i, k] * a[k, j]`` the elements of column and row ``k`` that are read are never
written again: later rows and columns are all above ``k``.

Method: for each way in which the second can come later (a later iteration of one of the shared
loops, those around it the same; or later in the same iteration of all of them) the equality of
the subscripts and the bounds of all counters are a system of linear inequalities that must have no
solution (Banerjee, "Dependence Analysis for Supercomputing", 1988; Pugh 1992).

Invariant: sound.  A subscript counts only where it is known not to be negative (``a[-1]`` is
``a[n - 1]``); integers are taken not to overflow.  Limits: conditions teach nothing; products of
counters are unknown; systems are looked at until ``BUDGET`` of them have been.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from srcad.analyses.elements import Access
from srcad.analyses.systems import Form, infeasible, plus
from srcad.analyses.tree import Node, Tree
from srcad.analyses.views import through
from srcad.ir.nodes import Atom, Const, Dim, For, Op, View
from srcad.ir.types import I8

BUDGET = 4000
DEPTH = 20

Position = tuple[Form | None, ...]


class Meetings:
    """The questions about one function."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.forms: dict[str, Form] = {}
        self.places: dict[Access, tuple[str, Position]] = {}
        self.signs: dict[object, bool] = {}
        self.answers: dict[object, bool] = {}
        self.left = BUDGET

    # questions
    def again(self, first: Access, second: Access, birth: Node | None) -> bool:
        """Whether ``second`` may run after ``first`` and meet an element that it touched.

        ``birth`` is the block whose every execution makes a new array (``None``: one for all).
        """
        pairs = self.columns(first, second, birth)
        if not pairs:
            return True
        renewing = set() if birth is None else set(birth.ancestors())
        shared = _shared(first.node, second.node)
        loops = [n for n in shared if n.is_loop and n not in renewing]
        if any(self.possible(pairs, n) for n in loops):
            return True
        return _textually(first, second, len(shared)) and self.possible(pairs, None)

    def ever(self, first: Access, second: Access, loop: Node) -> bool:
        """Whether they may meet in different iterations of a loop around both."""
        both = (self.columns(*x, loop.parent) for x in ((first, second), (second, first)))
        return any(not pairs or self.possible(pairs, loop) for pairs in both)

    def anyhow(self, first: Access, second: Access, loop: Node) -> bool:
        """Whether they may meet while a loop runs, ``first`` standing directly in its body."""
        pairs = self.columns(first, second, loop.parent)
        return not pairs or self.possible(pairs, None) or self.ever(first, second, loop)

    def crossed(self, first: Access, second: Access, outer: Node, inner: Node) -> bool:
        """Whether they may meet, ``second`` later by an outer but earlier by an inner loop."""
        pairs = self.columns(first, second, outer.parent)
        return not pairs or self.possible(pairs, outer, inner)

    # the system
    def columns(self, first: Access, second: Access, birth: Node | None) -> list[tuple[Form, Form]]:
        """Subscripts of one axis each that both accesses have, as far as they are known."""
        if not first.index or not second.index:
            return []
        base, mine = self.place(first)
        other, theirs = self.place(second)
        fixed = set((birth or self.tree.root).ancestors())
        if base != other or len(mine) != len(theirs) or self.tree.home[base].node not in fixed:
            return []
        both = zip(mine, theirs, strict=True)
        return [(a, b) for a, b in both if a is not None and b is not None]

    def possible(
        self, pairs: list[tuple[Form, Form]], later: Node | None, earlier: Node | None = None
    ) -> bool:
        """Whether elements can be the same, the second access in a later iteration of a loop.

        (Without one, in the same iterations of all loops that the two share; with ``earlier`` in
        an earlier iteration of that loop, which stands in the other.)
        """
        key = (tuple((_key(a), _key(b)) for a, b in pairs), later, earlier)
        if key not in self.answers:
            self.left -= 1
            if self.left < 0:
                return True
            equal = [plus(self.named(a, 1, later), self.named(b, 2, later), -1) for a, b in pairs]
            order = [*self.rising(later), *self.rising(earlier, ("@2", "@1"))]
            self.answers[key] = not infeasible([*self.facts(equal + order, later), *order], equal)
        return self.answers[key]

    def named(self, form: Form, side: int, later: Node | None) -> Form:
        """A formula whose unknowns that differ between the accesses bear the access's number."""
        return {f"{n}@{side}" if self.own(n, later) else n: k for n, k in form.items()}

    def own(self, name: str, later: Node | None) -> bool:
        """Whether an unknown has a value for each of the two accesses."""
        home = self.tree.home.get(name)
        return home is not None and later in set(home.node.ancestors())

    def rising(self, loop: Node | None, sides: tuple[str, str] = ("@1", "@2")) -> list[Form]:
        """That the second access is in a later iteration (``sides``: of which come first)."""
        s = loop.owner if loop is not None else None
        if not isinstance(s, For) or not isinstance(s.step, Const) or not s.step.value:
            return []
        name, sign = s.index.name, 1 if s.step.value > 0 else -1
        first, second = (name + side for side in sides)
        return [{second: sign, first: -sign, "": -abs(int(s.step.value))}]

    def facts(self, forms: Sequence[Form], later: Node | None) -> list[Form]:
        """What is known of the unknowns of some formulas, and of those in there."""
        found: list[Form] = []
        todo = [n for f in forms for n in f if n]
        seen: set[str] = set()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            plain, _, side = name.partition("@")
            for fact in self.about(plain):
                made = self.named(fact, int(side), later) if side else fact
                found.append(made)
                todo += [n for n in made if n]
        return found

    def about(self, name: str) -> Iterator[Form]:
        """Inequalities that hold for an integer: it is a counter, a size, the larger of two ..."""
        home = self.tree.home.get(name)
        own: Form = {name: 1}
        match home.stmt if home else None:
            case For(index=index) as s if index.name == name:
                yield from self.range_of(s, own)
            case Dim():
                yield own
            case Op(op="max", args=args) if _integers(args):
                yield from (plus(own, self.form(a), -1) for a in args)
            case Op(op="min", args=args) if _integers(args):
                yield from (plus(self.form(a), own, -1) for a in args)
            case Op(op="floordiv", args=(a, Const(value=c))) if _integers((a,)) and c > 0:
                rest = plus(self.form(a), own, -int(c))
                yield rest
                yield plus({"": int(c) - 1}, rest, -1)
            case Op(op="mod", args=(a, Const(value=c))) if _integers((a,)) and c > 0:
                yield own
                yield plus({"": int(c) - 1}, own, -1)

    def range_of(self, s: For, own: Form) -> Iterator[Form]:
        """The bounds of a counter."""
        if not isinstance(s.step, Const) or not s.step.value:
            return
        sign = 1 if s.step.value > 0 else -1
        yield plus({n: sign * k for n, k in own.items()}, self.form(s.start), -sign)
        rest = plus(self.form(s.stop), own, -1)
        yield plus({n: sign * k for n, k in rest.items()}, {"": -1})

    # formulas
    def form(self, a: Atom, depth: int = DEPTH) -> Form:
        """An integer as a sum of multiples of unknowns."""
        if isinstance(a, Const):
            return {"": int(a.value)} if a.value else {}
        if a.name not in self.forms:
            s = self.tree.home[a.name].stmt
            made = self.operation(s, depth) if isinstance(s, Op) and depth else None
            self.forms[a.name] = {a.name: 1} if made is None else made
        return self.forms[a.name]

    def operation(self, s: Op, depth: int) -> Form | None:
        """A sum, a difference, a multiple."""
        if s.target.type != I8 or not _integers(s.args) or s.op not in ("add", "sub", "mul", "neg"):
            return None
        parts = [self.form(a, depth - 1) for a in s.args]
        if s.op == "neg":
            return plus({}, parts[0], -1)
        if s.op != "mul":
            return plus(parts[0], parts[1], 1 if s.op == "add" else -1)
        numbers = [p for p in parts if set(p) <= {""}]
        if not numbers:
            return None
        other = parts[1] if numbers[0] is parts[0] else parts[0]
        return plus({}, other, numbers[0].get("", 0))

    def natural(self, form: Form, around: Node | None = None) -> bool:
        """Whether a formula is known not to be negative (in a block: in all loops around it)."""
        if set(form) <= {""}:
            return form.get("", 0) >= 0
        key = (_key(form), around)
        if key not in self.signs:
            below = plus({"": -1}, form, -1)
            loops = [n.owner for n in around.loops()] if around is not None else []
            running: list[Form] = [{s.index.name: 1} for s in loops if isinstance(s, For)]
            self.signs[key] = infeasible([*self.facts([form, *running], None), below], [])
        return self.signs[key]

    def place(self, access: Access) -> tuple[str, Position]:
        """The array that an access goes to, views resolved, and its subscripts there."""
        if access not in self.places:
            array, forms = access.array, [self.subscript(a) for a in access.index]
            while isinstance(s := self.tree.home[array.name].stmt, View):
                resolved = through(s, forms, self.subscript, _moved)
                if resolved is None:
                    break
                array, forms = s.base, resolved
            self.places[access] = array.name, tuple(forms)
        return self.places[access]

    def subscript(self, a: Atom) -> Form | None:
        """A subscript that counts from the front."""
        form = self.form(a)
        return form if self.natural(form) else None


def _moved(start: Form | None, form: Form, step: int) -> Form:
    return plus(start or {}, form, step)


def _key(form: Form) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(form.items()))


def _integers(args: Sequence[Atom]) -> bool:
    return all(a.type == I8 for a in args)


def _shared(a: Node, b: Node) -> list[Node]:
    return [n for n, m in zip(a.path(), b.path(), strict=False) if n is m]


def _textually(first: Access, second: Access, depth: int) -> bool:
    """Whether ``second`` comes after ``first`` in one iteration of all loops around both."""
    a, b = first.node.path(), second.node.path()
    here = a[depth].position if depth < len(a) else first.position
    there = b[depth].position if depth < len(b) else second.position
    return there > here
