"""How often the loops of a kernel may run, at most, in one launch.

In: a function, and what the launch says of its parameters: numbers, shapes of arrays, the least and
greatest of the hidden ones.  Out: ``Extents``: intervals of integers, bounds on trips.

Invariant: sound; ``None`` where no bound follows from the numbers of the launch (bounds that are
read from arrays, ``while`` loops whose condition compares nothing that grows or shrinks in each
trip).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from srcad.analyses.tree import Node, Tree
from srcad.ir.nodes import Atom, Carried, Const, Dim, For, Function, If, Op, Var, View, While
from srcad.ir.types import B1, I8, ArrayT

Interval = tuple[float, float]
ANYTHING: Interval = (-math.inf, math.inf)


class Extents:
    """Intervals of the integers of one function in one launch."""

    def __init__(
        self, fn: Function, numbers: Mapping[str, Interval], shapes: Mapping[str, tuple[int, ...]]
    ) -> None:
        self.tree, self.numbers, self.shapes = Tree(fn), numbers, shapes
        self.known: dict[str, Interval] = {}
        self.open: set[str] = set()

    def trips(self, body: Node) -> int | None:
        """The most trips of the loop whose body this is."""
        assert isinstance(body.owner, (For, While))
        return self.turns(body.owner)

    def turns(self, s: For | While) -> int | None:
        """The most trips of a loop."""
        if isinstance(s, While):
            return self._progress(s)
        (a, _), (_, b) = self.of(s.start), self.of(s.stop)
        lo, hi = self.of(s.step)
        if lo < 0 and hi < 0:  # downwards
            (_, a), (b, _), lo = self.of(s.start), self.of(s.stop), -hi
            a, b = -a, -b
        if lo < 1 or not math.isfinite(b - a):
            return None
        return max(0, math.ceil((b - a) / lo))

    def of(self, a: Atom) -> Interval:
        """The interval of an integer."""
        if isinstance(a, Const):
            return (a.value, a.value) if a.type in (I8, B1) else ANYTHING
        if a.name not in self.known:
            self.known[a.name] = ANYTHING  # while it is being made
            self.known[a.name] = self._make(a)
        return self.known[a.name]

    def _make(self, v: Var) -> Interval:
        if v.name in self.numbers:
            return self.numbers[v.name]
        if v.type == B1:
            return (0, 1)
        if v.type != I8:
            return ANYTHING
        s = self.tree.home[v.name].stmt
        match s:
            case Dim(array=array, axis=axis):
                n = self.size(array, axis)
                return ANYTHING if n is None else (n, n)
            case Op(op=op, args=args) if op in OPERATIONS and all(a.type in (I8, B1) for a in args):
                return OPERATIONS[op](*map(self.of, args))
            case If():
                k = [r.name for r in s.results].index(v.name)
                return union(self.of(s.then.yields[k]), self.of(s.orelse.yields[k]))
            case For() if s.index.name == v.name:
                return self._index(s)
            case While():
                return meet(self._carried(s, v), self._counted(s, v))
            case For():
                return self._counted(s, v)
        return ANYTHING

    # what every trip adds to
    def _counted(self, s: For | While, v: Var) -> Interval:
        """A carried number, in a loop or after it, that grows by a bounded amount in each trip."""
        k = next(k for k, c in enumerate(s.carried) if v.name in (c.arg.name, c.result.name))
        grown = self._grown(s, k)
        if grown is None:
            return ANYTHING
        low, high = self.of(s.carried[k].init)
        return low + grown[0], high + grown[1]

    def _grown(self, s: For | While, k: int) -> Interval | None:
        """By how much a carried number grows in all trips."""
        mark = s.carried[k].arg.name
        if mark in self.open or s.carried[k].arg.type != I8:
            return None
        self.open.add(mark)
        each, turns = self._beyond(s.body.yields[k], s.carried[k].arg), self.turns(s)
        self.open.discard(mark)
        if each is None or turns is None or not all(map(math.isfinite, each)):
            return None
        return min(0, each[0] * turns), max(0, each[1] * turns)

    def _beyond(self, a: Atom, base: Var) -> Interval | None:
        """By how much ``a`` is greater than ``base``, which it was made from."""
        if a == base:
            return 0, 0
        s = self.tree.home[a.name].stmt if isinstance(a, Var) else None
        if isinstance(s, Op) and s.op in ("add", "sub"):
            x, y = s.args
            pairs = [(x, self.of(y))] if s.op == "add" else []
            pairs += [(y, self.of(x))] if s.op == "add" else [(x, negative(self.of(y)))]
            for p, (low, high) in pairs:
                if (far := self._beyond(p, base)) is not None:
                    return far[0] + low, far[1] + high
        if isinstance(s, If):
            k = [r.name for r in s.results].index(a.name)  # type: ignore[union-attr]
            arms = [self._beyond(x.yields[k], base) for x in (s.then, s.orelse)]
            return None if None in arms else union(*arms)  # type: ignore[arg-type]
        if isinstance(s, (For, While)):
            names = [c.result.name for c in s.carried]
            if a.name in names:  # type: ignore[union-attr]
                k = names.index(a.name)  # type: ignore[union-attr]
                far, grown = self._beyond(s.carried[k].init, base), self._grown(s, k)
                if far is not None and grown is not None:
                    return far[0] + grown[0], far[1] + grown[1]
        return None

    # while loops
    def _progress(self, s: While) -> int | None:
        """The most trips of a loop that goes on while a number has not come to its end."""
        found = [
            n
            for op, a, b in self._conditions(s.body.yields[0])
            for k, (c, y) in enumerate(zip(s.carried, s.body.yields, strict=True))
            if k and a == y and (n := self._steps(op, c, y, self.of(b))) is not None
        ]
        return min(found) + 2 if found else None

    def bounded(self, s: While) -> bool:
        """Whether the condition of a loop compares what grows or shrinks in each trip."""
        found = self._conditions(s.body.yields[0])
        return any(
            a == y and isinstance(made := self.tree.home[y.name].stmt, Op) and c.arg in made.args
            for _, a, _ in found
            for c, y in zip(s.carried, s.body.yields, strict=True)
            if isinstance(y, Var)
        )

    def _carried(self, s: While, v: Var) -> Interval:
        """A carried number inside the loop: between its first value and where the loop ends."""
        k = next((k for k, c in enumerate(s.carried) if c.arg.name == v.name), None)
        if k is None:
            return ANYTHING
        c, y = s.carried[k], s.body.yields[k]
        low, high = self.of(c.init)
        for op, a, b in self._conditions(s.body.yields[0]):
            if a != y or self._steps(op, c, y, self.of(b)) is None:
                continue
            first, last = self.of(b)
            if op in ("lt", "le"):
                return low, max(high, last - (op == "lt"))
            if op == "ne":
                return 0, high
            return min(low, first + (op == "gt")), high
        return ANYTHING

    def _conditions(self, a: Atom) -> list[tuple[str, Atom, Atom]]:
        """Comparisons that all have to hold, each also the other way round."""
        s = self.tree.home[a.name].stmt if isinstance(a, Var) else None
        if isinstance(s, If):
            return self._chosen(s, [r.name for r in s.results].index(a.name))  # type: ignore[union-attr]
        if not isinstance(s, Op):
            return []
        if s.op == "and":
            return [c for x in s.args for c in self._conditions(x)]
        if s.op not in MIRRORED:
            return []
        a, b = s.args
        return [(s.op, a, b), (MIRRORED[s.op], b, a)]

    def _chosen(self, s: If, k: int) -> list[tuple[str, Atom, Atom]]:
        """The same of what a branch gives: where one arm says no, the other one was taken."""
        then, orelse = s.then.yields[k], s.orelse.yields[k]
        if isinstance(orelse, Const) and not orelse.value:
            return self._conditions(s.cond) + self._conditions(then)
        if isinstance(then, Const) and not then.value:
            return self._conditions(orelse)
        return []

    def _steps(self, op: str, c: Carried, y: Atom, end: Interval) -> int | None:
        """How many steps take a carried number from its first value to where ``op`` fails."""
        s = self.tree.home[y.name].stmt if isinstance(y, Var) else None
        if not isinstance(s, Op) or s.target.type != I8 or c.arg not in s.args:
            return None
        (low, high), up = self.of(c.init), op in ("lt", "le")
        by = self.of(s.args[1] if s.args[0] == c.arg else s.args[0])
        if s.op == "sub" and s.args[0] == c.arg:
            by = (-by[1], -by[0])
        if s.op in ("add", "sub"):
            if op == "ne":
                return None
            span, step = (end[1] - low, by[0]) if up else (high - end[0], -by[1])
            return math.ceil(max(span, 0) / step) if step >= 1 and math.isfinite(span) else None
        first = s.args[0] == c.arg
        factor = 2 ** by[0] if s.op in ("lshift", "rshift") and 1 <= by[0] < 63 else by[0]
        if factor < 2 or not first and s.op != "mul":
            return None
        if op == "ne":
            shrinks = s.op in ("floordiv", "rshift") and low >= 0 and end == (0, 0)
            return self._doublings(1, high, factor) if shrinks else None
        if s.op in ("floordiv", "rshift") and not up and (end[0] >= 0 or op == "ge" and end[0] > 0):
            return self._doublings(1, high, factor)
        if s.op in ("mul", "lshift") and up and low >= 1:
            return self._doublings(low, end[1], factor)
        return None

    @staticmethod
    def _doublings(low: float, high: float, factor: float) -> int | None:
        if not math.isfinite(high):
            return None
        return max(0, math.ceil(math.log(max(high, 1) / low, factor))) + 1

    def _index(self, s: For) -> Interval:
        """The counter of a loop, in its body."""
        (a, b), (c, d), (low, high) = self.of(s.start), self.of(s.stop), self.of(s.step)
        if low > 0:
            return a, max(a, d - 1)
        return (min(b, c + 1), b) if high < 0 else ANYTHING

    def size(self, array: Var, axis: int) -> int | None:
        """The size of an array, through views that keep whole axes."""
        if array.name in self.shapes:
            return self.shapes[array.name][axis]
        s = self.tree.home[array.name].stmt
        if isinstance(s, View) and s.kind == "same":
            return self.size(s.base, axis)
        if isinstance(s, View) and s.kind == "index":
            axes = [k for k, item in enumerate(s.spec) if item[0] != "at"]
            plain = all(
                item[0] == "at" or item[0] == "slice" and item[1:] == (None,) * 3 for item in s.spec
            )
            assert isinstance(s.base.type, ArrayT)
            return self.size(s.base, axes[axis]) if plain else None
        return None


MIRRORED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le", "ne": "ne"}


def meet(a: Interval, b: Interval) -> Interval:
    """What both allow."""
    return max(a[0], b[0]), min(a[1], b[1])


def negative(a: Interval) -> Interval:
    """The negative."""
    return -a[1], -a[0]


def union(a: Interval, b: Interval) -> Interval:
    """Both."""
    return min(a[0], b[0]), max(a[1], b[1])


def corners(f: Callable[[float, float], float]) -> Callable[[Interval, Interval], Interval]:
    """An operation that is monotone in each operand where the other is fixed."""

    def both(a: Interval, b: Interval) -> Interval:
        values = [f(x, y) for x in a for y in b]
        if any(map(math.isnan, values)):
            return ANYTHING
        return min(values), max(values)

    return both


def _product(x: float, y: float) -> float:
    return 0 if 0 in (x, y) else x * y


def _divided(a: Interval, b: Interval) -> Interval:
    if b[0] < 1:
        return ANYTHING

    def one(x: float, y: float) -> float:
        if math.isinf(x):
            return x
        return (0.0 if x >= 0 else -1.0) if math.isinf(y) else x // y

    return corners(one)(a, b)


def _shifted(sign: int) -> Callable[[Interval, Interval], Interval]:
    """A shift to the left (right if ``sign`` is -1)."""

    def one(x: float, y: float) -> float:
        if math.isinf(x):
            return x
        return int(x) << int(y) if sign > 0 else int(x) >> int(y)

    def both(a: Interval, b: Interval) -> Interval:
        if not 0 <= b[0] <= b[1] < 63:
            return ANYTHING
        low, high = corners(one)(a, b)
        return (low, high) if low >= -(1 << 63) and high < 1 << 63 else ANYTHING

    return both


def _remainder(a: Interval, b: Interval) -> Interval:
    return (0, b[1] - 1) if b[0] >= 1 else ANYTHING


OPERATIONS: dict[str, Callable[..., Interval]] = {
    "add": lambda a, b: (a[0] + b[0], a[1] + b[1]),
    "sub": lambda a, b: (a[0] - b[1], a[1] - b[0]),
    "neg": lambda a: (-a[1], -a[0]),
    "mul": corners(_product),
    "floordiv": _divided,
    "mod": _remainder,
    "lshift": _shifted(1),
    "rshift": _shifted(-1),
    "min": lambda a, b: (min(a[0], b[0]), min(a[1], b[1])),
    "max": lambda a, b: (max(a[0], b[0]), max(a[1], b[1])),
    "select": lambda _, a, b: union(a, b),
    "abs": lambda a: (0 if a[0] <= 0 <= a[1] else min(map(abs, a)), max(map(abs, a))),
    "i8": lambda a: a,
}
