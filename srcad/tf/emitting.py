"""From a traced graph to one Numba function.

In: a ``Graph``.  Out: Python source over numbers and C-ordered arrays, the arrays that it takes as
constants, and the arrays that it fills: ``results`` are made anew for every call, ``spaces`` are
kept from call to call, since memory that is new costs more than what is computed in it.

Elementwise nodes and reductions become loop nests (``scheduling``, ``nests``), everything else
calls (``calls``); every number is converted to its node's type, so arithmetic is that of NumPy.
A node that has no spelling raises ``NotTraceable``.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from srcad.tape import nest
from srcad.tf.calls import CALLS, loops
from srcad.tf.graphs import Branch, Graph, Leaf, Loop, While
from srcad.tf.nests import NestWriter, view_index
from srcad.tf.scheduling import VIEWS, Nest, schedule, shown
from srcad.tf.symbolic import NotTraceable, Sym

HEAD = "def compiled({}):"
RESHAPES = ("reshape", "unit_reshape")
LONGEST = 1500  # statements: Numba's time grows faster than their number
FLAT = 1 << 12  # elements from which on a sum may be taken in another order


class Buffer(NamedTuple):
    """An array that the compiled function is given to fill."""

    name: str
    shape: tuple[int, ...]
    dtype: Any


class Output(NamedTuple):
    """Where a result is: a constant, an argument, an array that was filled, or returned."""

    kind: str
    where: Any
    shape: tuple[int, ...]
    dtype: Any


class Emitter:
    """Writes the statements of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.lines: list[str] = []
        self.names: dict[int, str] = {}
        self.constants: list[Any] = []
        self.known: dict[int, tuple[str, Any]] = {}  # constants by identity; they stay alive
        self.results: list[Buffer] = []
        self.spaces: list[Buffer] = []
        self.outputs: list[list[Output]] = []  # of each leaf
        self.used = _used(graph)
        self.whole: set[int] = set()
        self.parts: dict[int, list[Sym]] = {}
        self.depth = 0
        self.count = 0
        self.given = {id(s): k for k, s in enumerate((*graph.inputs, *graph.variable_inputs))}
        written = [
            k
            for k, v in enumerate(graph.variable_inputs)
            if any(not leaf.raised and leaf.values[k] is not v for leaf in graph.leaves)
        ]
        self.updated = [graph.variables[k] for k in written]
        self.ends = {
            id(leaf): [*nest.flatten(leaf.result), *(leaf.values[k] for k in written)]
            for leaf in graph.leaves
            if not leaf.raised
        }
        every = [v for values in self.ends.values() for v in values]
        self.leaving = {id(_root(v)) for v in every if isinstance(v, Sym)}
        self.slots = self._slots()

    def _slots(self) -> list[Any]:
        """The types of the numbers that the function returns, whatever path it takes."""
        slots: list[Any] = []
        for values in self.ends.values():
            kinds = [v.dtype for v in values if isinstance(v, Sym) and not v.shape]
            for kind in kinds:
                slots += [kind] * (kinds.count(kind) - slots.count(kind))
        return slots

    def source(self) -> str:
        """The whole function."""
        inputs = [self.name(s) for s in (*self.graph.inputs, *self.graph.variable_inputs)]
        for values in self.ends.values():
            self._mark(values)
        self.block(self.graph.nodes, "    ")
        if len(self.lines) > LONGEST:
            raise NotTraceable(
                f"compiling {len(self.lines)} statements would take minutes",
                instead="loop over tf.range instead of range",
            )
        arguments = [*inputs, *(b.name for b in (*self.results, *self.spaces))]
        arguments += [f"k{i}" for i in range(len(self.constants))]
        return "\n".join([HEAD.format(", ".join(arguments)), *self.lines]) + "\n"

    def end(self, leaf: Leaf, pad: str) -> None:
        """Return: the number of the path, -1 where it raises, and numbers in their slots."""
        filler = [_number(kind.type(0)) for kind in self.slots]
        if leaf.raised:
            self.add(pad, f"return ({', '.join(['-1', *filler])},)")
            return
        free = list(range(len(self.slots)))
        outputs = []
        for at, value in enumerate(self.ends[id(leaf)]):
            found = self.leave(at, value, leaf, pad)
            if found.kind == "returned":
                k = next(k for k in free if self.slots[k] == found.dtype)
                free.remove(k)
                filler[k] = self.operand(value)
                found = found._replace(where=k + 1)
            outputs.append(found)
        self.add(pad, f"return ({', '.join([str(len(self.outputs)), *filler])},)")
        self.outputs.append(outputs)

    @property
    def reorders(self) -> bool:
        """Whether sums are long enough to be worth taking in another order (``reassoc``)."""
        sums = (n for n in all_nodes(self.graph.nodes) if n.op == "sum")
        return any(np.prod(np.shape(n.args[0])) >= FLAT for n in sums)

    # results
    def leave(self, k: int, value: Any, leaf: Leaf, pad: str) -> Output:
        """How result ``k`` of a path leaves the function."""
        return self._output(value, pad)

    def _output(self, x: Any, pad: str) -> Output:
        """How a result leaves the function."""
        if x is None or not isinstance(x, Sym):
            return Output("constant", x, (), None)
        root = _root(x)
        if id(root) in self.given:
            return Output("argument", self.given[id(root)], x.shape, x.dtype)
        if not x.shape:
            return Output("returned", 0, (), x.dtype)
        places = {b.name: k for k, b in enumerate(self.results)}
        if root.op not in VIEWS and self.names.get(id(root)) in places:
            return Output("filled", places[self.name(root)], x.shape, x.dtype)
        name = self.fresh()
        self.results.append(Buffer(name, x.shape, x.dtype))
        self.copy(name, x, pad)
        return Output("filled", len(self.results) - 1, x.shape, x.dtype)

    # names and values
    def add(self, pad: str, statement: str) -> None:
        """A statement."""
        self.lines.append(pad + statement)

    def fresh(self) -> str:
        """A name for an array of no node."""
        self.count += 1
        return f"w{self.count}"

    def name(self, sym: Sym) -> str:
        """The variable of a node."""
        return self.names.setdefault(id(sym), f"v{len(self.names)}")

    def cast(self, n: Sym) -> str:
        """The type of a node's elements."""
        if n.dtype.kind not in "fiub" or n.dtype == np.float16:
            raise NotTraceable(f"{n.dtype.name} has no compiled form")
        return _type_name(n.dtype)

    def operand(self, x: Any) -> str:
        """A node, a number or an array as an expression."""
        if isinstance(x, Sym):
            return self.element(x, []) if not x.shape else self.name(x)
        value = np.asarray(x)
        if value.ndim:
            if id(x) not in self.known:
                self.known[id(x)] = (f"k{len(self.constants)}", x)
                self.constants.append(np.require(value, requirements=["C", "W"]))
            return self.known[id(x)][0]
        return _number(value[()])

    def element(self, x: Any, index: list[str]) -> str:
        """An element of a value at an index of a shape that it is broadcast to."""
        shape = np.shape(x)
        own = index[len(index) - len(shape) :]
        own = ["0" if d == 1 else i for i, d in zip(own, shape, strict=True)]
        if isinstance(x, Sym) and x.op in VIEWS:
            return self.element(x.args[0], view_index(x, own))
        if not isinstance(x, Sym) and shape and _is_uniform(x):
            return _number(x.flat[0])
        name = self.name(x) if isinstance(x, Sym) else self.operand(x)
        return f"{name}[{', '.join(own)}]" if own else name

    def array(self, x: Any, pad: str) -> str:
        """A value as a C-ordered array; views are copied."""
        if not isinstance(x, Sym) or x.op not in VIEWS:
            return self.operand(x)
        if x.op == "unit_reshape" and x.shape and np.shape(x.args[0]):
            return f"{self.array(x.args[0], pad)}.reshape({x.shape})"
        name = self.fresh()
        self.buffer(name, x.shape, x.dtype, pad)
        self.copy(name, x, pad)
        return name

    def matrix(self, x: Any, pad: str) -> str:
        """A matrix in an order that BLAS takes."""
        if isinstance(x, Sym) and x.op == "transpose" and x.ndim == 2:
            axes = x.options.get("axes")
            if axes is None or [a % 2 for a in axes] == [1, 0]:
                return f"{self.array(x.args[0], pad)}.T"
        return self.array(x, pad)

    def copy(self, name: str, x: Any, pad: str) -> None:
        """Fill an array with a value's elements."""
        with loops(self, np.shape(x), pad) as (index, inner):
            self.add(inner, f"{name}[{', '.join(index)}] = {self.element(x, index)}")

    # subscripts that are computed
    def checked(self, index: str, size: int) -> str:
        """An index, which must be in range."""
        return f"checked({index}, {size})"

    def looked_up(self, value: str, places: list[tuple[str, int]], n: Sym) -> str:
        """What was read at computed indices of axes of given sizes."""
        return value

    def guard(self, places: list[tuple[str, int]], pad: str) -> str:
        """The indentation of a statement for indices that are in range."""
        return pad

    # arrays to be filled
    def allocate(self, n: Sym, pad: str) -> None:
        """The array of a node."""
        kept = self.results if id(n) in self.leaving else None
        self.buffer(self.name(n), n.shape, n.dtype, pad, kept)

    def buffer(
        self, name: str, shape: tuple[int, ...], dtype: Any, pad: str, kept: Any = None
    ) -> None:
        """An array: given to the function, but in a loop made on the spot."""
        if self.depth:
            kind = _type_name(np.dtype(dtype))
            self.add(pad, f"{name} = np.empty({shape}, {kind})")
            return
        (self.spaces if kept is None else kept).append(Buffer(name, shape, dtype))

    # regions
    def block(self, nodes: list[Any], pad: str) -> None:
        """The statements of a region."""
        for n in nodes:
            if isinstance(n, Sym) and n.op == "part":
                self.parts.setdefault(id(n.args[0]), []).append(n)
            elif isinstance(n, Branch):
                self._mark([n.test])
            elif not isinstance(n, Sym | Leaf):
                self._mark([*getattr(n, "bounds", ()), *(v for _, v in n.params)])
                self._mark([x for entry in n.carried for x in entry])
                self._mark([getattr(n, "test", None)])
        for region in _regions_inside(nodes):
            self._mark([a for n in region if isinstance(n, Sym) for a in n.args])
        items, whole = schedule(nodes, self.used, self.whole)
        self.whole |= whole
        for item in items:
            self.item(item, pad)

    def item(self, item: Any, pad: str) -> None:
        """The statements of a nest, a call, a loop, a branch, or the end."""
        if isinstance(item, Nest):
            NestWriter(self, item).write(pad)
        elif isinstance(item, Loop):
            self.loop(item, pad)
        elif isinstance(item, While):
            self.while_(item, pad)
        elif isinstance(item, Branch):
            self.add(pad, f"if {self.operand(item.test)}:")
            self.block(item.then, pad + "    ")
            self.add(pad, "else:")
            self.block(item.other, pad + "    ")
        elif isinstance(item, Leaf):
            self.end(item, pad)
        elif item.op in CALLS:
            CALLS[item.op](self, item, pad)
        else:
            raise NotTraceable(f"{item.op} has no compiled form")

    def _mark(self, values: Any) -> None:
        """These values are needed as arrays."""
        self.whole |= {id(shown(v)) for v in values if isinstance(v, Sym)}

    def loop(self, n: Loop, pad: str) -> None:
        """A counted loop."""
        self.before(n, pad)
        bounds = ", ".join(self.operand(b) for b in n.bounds)
        self.add(pad, f"for {self.name(n.index)} in range({bounds}):")
        self.depth += 1
        self.block(n.body, pad + "    ")
        self.after(n, pad)

    def while_(self, n: While, pad: str) -> None:
        """A loop with a test."""
        self.before(n, pad)
        self.add(pad, "while True:")
        inner = pad + "    "
        self.depth += 1
        self.block(n.head, inner)
        self.add(inner, f"if not {self.operand(n.test)}:")
        self.add(inner, "    break")
        self.block(n.body, inner)
        self.after(n, pad)

    def before(self, n: Any, pad: str) -> None:
        """What a loop starts from."""
        for param, value in n.params:
            if id(param) in self.used:
                self.add(pad, f"{self.name(param)} = {self.carried(value, pad)}")

    def after(self, n: Any, pad: str) -> None:
        """What a trip hands on, and what the last one leaves."""
        inner = pad + "    "
        used = [entry for entry in n.carried if id(entry[0]) in self.used]
        if not used:
            self.add(inner, "pass")
        else:
            left = ", ".join(self.name(p) for p, _, _, _ in used)
            right = ", ".join(self.carried(a, inner) for _, _, a, _ in used)
            self.add(inner, f"{left} = {right}")
        self.depth -= 1
        for param, _, _, result in used:
            self.add(pad, f"{self.name(result)} = {self.name(param)}")

    def carried(self, x: Any, pad: str) -> str:
        """A value that a loop hands on."""
        return self.array(x, pad) if np.shape(x) else self.operand(x)


def _root(x: Any) -> Any:
    """What a value is, but for its shape."""
    while isinstance(x, Sym) and x.op in RESHAPES and np.shape(x.args[0]):
        x = x.args[0]
    return x


def _type_name(dtype: Any) -> str:
    return "np.bool_" if dtype.kind == "b" else f"np.{dtype.name}"


def _is_uniform(x: Any) -> bool:
    """Whether an array has one element again and again (a seed of ones, a mask of zeros)."""
    return bool(x.size) and bool((x == x.flat[0]).all())


def _number(value: Any) -> str:
    """A constant with its type."""
    if value.dtype == bool:
        return str(bool(value))
    text = repr(value.item())
    text = {"inf": "np.inf", "-inf": "-np.inf", "nan": "np.nan"}.get(text, text)
    return f"np.{value.dtype.name}({text})"


def _inner(n: Any) -> list[list[Any]]:
    """The regions of a loop or a branch."""
    if isinstance(n, Branch):
        return [n.then, n.other]
    return [n.head, n.body] if isinstance(n, While) else [n.body] if isinstance(n, Loop) else []


def _regions_inside(nodes: list[Any]) -> list[list[Any]]:
    """All regions inside of a region."""
    found = [region for n in nodes for region in _inner(n)]
    return [*found, *(deep for region in found for deep in _regions_inside(region))]


def all_nodes(nodes: list[Any]) -> list[Sym]:
    """All symbols of a region, and of those inside."""
    regions = [nodes, *_regions_inside(nodes)]
    return [n for region in regions for n in region if isinstance(n, Sym)]


def _used(graph: Graph) -> set[int]:
    """The nodes that results, variables and tests need; everything that loops carry counts."""
    wanted = [v for leaf in graph.leaves for v in (*nest.flatten(leaf.result), *leaf.values)]
    for region in (graph.nodes, *_regions_inside(graph.nodes)):
        for n in region:
            if isinstance(n, Branch | While):
                wanted.append(n.test)
            if isinstance(n, Loop | While):
                wanted += [*getattr(n, "bounds", ()), *(v for _, v in n.params)]
                wanted += [x for entry in n.carried for x in entry]
    found: set[int] = set()
    while wanted:
        x = wanted.pop()
        if isinstance(x, Sym) and id(x) not in found:
            found.add(id(x))
            wanted += list(x.args)
    return found
