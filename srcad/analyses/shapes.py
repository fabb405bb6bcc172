"""Sizes of arrays in terms of what is already known: where does ``a.shape[k]`` come from?

In: a function.  Out: for every array variable one ``Size`` an axis: the operand it was allocated
with, or ``DimOf`` another array (a parameter, the base of a view, the array entering a loop).

Invariant: a size's operand or array is in scope wherever the array itself is.  Carried arrays are
taken to keep their shape until an iteration is seen to change it (then the analysis starts over
without that assumption).  Limits: slices with bounds, list elements and results of array
operations and calls are their own root.

>>> from srcad.ir.build import Builder, const
>>> from srcad.ir.names import Namer
>>> from srcad.ir.nodes import Block, Function
>>> b = Builder(Namer())
>>> n = b.var("n", I8)
>>> a = b.alloc(ArrayT("f8", 2), (n, const(3)))
>>> t = b.view(a, "transpose", (1, 0), ArrayT("f8", 2, "F"))
>>> [getattr(s, "name", s) for s in shapes(Function("f", (n,), Block(tuple(b.stack[0]))))["v"]]
[Const(value=3, type=Scalar(kind='i8')), 'n']
"""

from __future__ import annotations

from dataclasses import dataclass

from srcad.ir.nodes import Alloc, Atom, Block, Const, Dim, For, Function, If, Stmt, Var, View, While
from srcad.ir.types import I8, ArrayT
from srcad.ir.walk import targets

_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class DimOf:
    """The size of an array along an axis, known only at run time."""

    array: Var
    axis: int


Size = Const | Var | DimOf


def shapes(fn: Function) -> dict[str, tuple[Size, ...]]:
    """Sizes of every array variable, by name."""
    changing: set[str] = set()
    for attempt in range(_ROUNDS + 1):
        found = _Shapes(changing, trusting=attempt < _ROUNDS)
        for p in fn.params:
            found.own(p)
        found.block(fn.body)
        if found.stable:
            break
    return found.of


class _Shapes:
    """One attempt; ``stable`` is false if a carried array turned out to change its shape."""

    def __init__(self, changing: set[str], trusting: bool) -> None:
        self.of: dict[str, tuple[Size, ...]] = {}
        self.size: dict[str, Size] = {}  # of the targets of Dim
        self.changing = changing
        self.trusting = trusting
        self.stable = True

    def own(self, v: Var) -> None:
        """An array whose sizes are not known in other terms."""
        if isinstance(v.type, ArrayT):
            self.of[v.name] = tuple(DimOf(v, k) for k in range(v.type.ndim))

    def known(self, a: Atom) -> Size:
        """An operand, or the dimension it was read from."""
        return self.size.get(a.name, a) if isinstance(a, Var) else a

    def give(self, v: Var, sizes: tuple[Size, ...]) -> None:
        """Sizes for a new array variable, if they fit its rank."""
        if isinstance(v.type, ArrayT) and len(sizes) == v.type.ndim:
            self.of[v.name] = sizes
        else:
            self.own(v)

    def block(self, b: Block) -> None:
        """The statements of a block, in order."""
        for s in b.stmts:
            self.statement(s)

    def statement(self, s: Stmt) -> None:
        """Sizes of what one statement binds."""
        match s:
            case Alloc(target=Var(type=ArrayT())):
                self.give(s.target, tuple(map(self.known, s.shape)))
            case View(target=Var(type=ArrayT())):
                self.give(s.target, self.view(s))
            case Dim(array=Var(type=ArrayT())):
                self.size[s.target.name] = self.of[s.array.name][s.axis]
            case If():
                self.block(s.then)
                self.block(s.orelse)
                for r, a, b in zip(s.results, s.then.yields, s.orelse.yields, strict=True):
                    if isinstance(a, Var) and isinstance(b, Var) and isinstance(r.type, ArrayT):
                        same = self.of[a.name] == self.of[b.name]
                        self.give(r, self.of[a.name] if same else ())
            case For() | While():
                self.loop(s)
            case _:
                for v in targets(s):
                    self.own(v)

    def loop(self, s: For | While) -> None:
        """Carried arrays have the sizes they enter with, unless an iteration changes them."""
        arrays = [
            (c, y)
            for c, y in zip(s.carried, s.body.yields, strict=True)
            if isinstance(c.arg.type, ArrayT)
        ]
        kept = [(c, y) for c, y in arrays if self.trusting and c.arg.name not in self.changing]
        for c, _ in arrays:
            self.own(c.arg)
        for c, _ in kept:
            assert isinstance(c.init, Var)
            self.give(c.arg, self.of[c.init.name])
        self.block(s.body)
        for c, _ in arrays:
            self.own(c.result)
        for c, y in kept:
            assert isinstance(y, Var)
            if self.of[y.name] == self.of[c.arg.name]:
                self.of[c.result.name] = self.of[c.arg.name]
            else:
                self.changing.add(c.arg.name)
                self.stable = False

    def view(self, v: View) -> tuple[Size, ...]:
        """Sizes of a view from those of its base (of a bounded slice: its own)."""
        base = self.of[v.base.name]
        match v.kind:
            case "same":
                return base
            case "transpose":
                return tuple(base[k] for k in v.spec)
            case "reshape":
                return tuple(map(self.known, v.spec))
        sizes: list[Size] = []
        axis = 0
        for item in v.spec:
            if item[0] == "new":
                sizes.append(Const(1, I8))
                continue
            if item[0] == "slice":
                sizes.append(base[axis] if _whole(*item[1:]) else DimOf(v.target, len(sizes)))
            axis += 1
        return (*sizes, *base[axis:])


def _whole(start: Atom | None, stop: Atom | None, step: Atom | None) -> bool:
    """Whether a slice takes the whole axis, forwards or backwards."""
    stride = 1 if step is None else step.value if isinstance(step, Const) else 0
    from_zero = isinstance(start, Const) and start.value == 0 and stride == 1
    return stop is None and stride in (1, -1) and (start is None or from_zero)
