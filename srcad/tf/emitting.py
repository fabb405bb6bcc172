"""From a traced graph to one Numba function.

In: a ``Graph``.  Out: Python source over numbers and C-ordered arrays, and the arrays it takes as
constants.  Elementwise nodes and reductions become loop nests (sums in float64), matrix products
calls of BLAS; every scalar is converted to its node's type, so arithmetic is that of NumPy.  A
node that has no spelling here raises ``NotTraceable``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.tape import nest
from srcad.tf.symbolic import NotTraceable, Sym
from srcad.tf.tracing import Graph, Loop

_NAN_MAX = "({0} if {0} >= {1} or {0} != {0} else {1})"
_NAN_MIN = "({0} if {0} <= {1} or {0} != {0} else {1})"
ELEMENTS = {
    "add": "({0} + {1})",
    "subtract": "({0} - {1})",
    "multiply": "({0} * {1})",
    "divide": "({0} / {1})",
    "power": "({0} ** {1})",
    "negative": "(-{0})",
    "absolute": "abs({0})",
    "maximum": _NAN_MAX,
    "minimum": _NAN_MIN,
    "where": "({1} if {0} else {2})",
    "greater": "({0} > {1})",
    "greater_equal": "({0} >= {1})",
    "less": "({0} < {1})",
    "less_equal": "({0} <= {1})",
    "equal": "({0} == {1})",
    "not_equal": "({0} != {1})",
    "logical_and": "({0} and {1})",
    "logical_or": "({0} or {1})",
    "logical_not": "(not {0})",
    "isfinite": "math.isfinite({0})",
    "isnan": "math.isnan({0})",
    "sign": "np.sign({0})",
    "square": "({0} * {0})",
    "expit": "(1.0 / (1.0 + math.exp(-{0})) if {0} >= 0 else "
    "math.exp({0}) / (1.0 + math.exp({0})))",
    "arctan": "math.atan({0})",
    "broadcast_to": "{0}",
    "astype": "{0}",
    **{
        n: f"math.{n}({{0}})"
        for n in ("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh")
    },
    **{n: f"math.{n}({{0}})" for n in ("sinh", "cosh", "floor", "ceil", "erf")},
}
REDUCTIONS = {
    "sum": ("0.0", "{0} + {1}"),
    "max": ("-np.inf", "({1} if {1} > {0} or {1} != {1} else {0})"),
    "min": ("np.inf", "({1} if {1} < {0} or {1} != {1} else {0})"),
}
HEAD = "def compiled({}):"


class Emitter:
    """Writes the statements of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.lines: list[str] = []
        self.names: dict[int, str] = {}
        self.constants: list[Any] = []
        self.used = _used(graph)
        self.fused = _fused(graph, self.used)

    def source(self) -> str:
        """The whole function."""
        for s in (*self.graph.inputs, *self.graph.variable_inputs):
            self.name(s)
        arguments = list(self.names.values())
        self.block(self.graph.nodes, "    ")
        results = [v for v in nest.flatten(self.graph.result) if v is not None]
        values = [self.operand(v) for v in (*results, *(u for _, u in self.graph.updates))]
        arguments += [f"k{i}" for i in range(len(self.constants))]
        tail = f"    return ({', '.join(values)}{',' if values else ''})"
        return "\n".join([HEAD.format(", ".join(arguments)), *self.lines, tail]) + "\n"

    def name(self, sym: Sym) -> str:
        """The variable of a node."""
        return self.names.setdefault(id(sym), f"v{len(self.names)}")

    def operand(self, x: Any) -> str:
        """A node, a number or an array as an expression."""
        if isinstance(x, Sym):
            return self.name(x)
        value = np.asarray(x)
        if value.ndim:
            self.constants.append(np.require(value, requirements=["C", "W"]))
            return f"k{len(self.constants) - 1}"
        return _number(value[()])

    def block(self, nodes: list[Any], pad: str) -> None:
        """The statements of a region."""
        for n in nodes:
            if isinstance(n, Loop):
                self.loop(n, pad)
            elif id(n) in self.used and id(n) not in self.fused:
                self.node(n, pad)

    def loop(self, n: Loop, pad: str) -> None:
        """A counted loop."""
        for param, before in n.params:
            if id(param) in self.used:
                self.lines.append(f"{pad}{self.name(param)} = {self.operand(before)}")
        bounds = ", ".join(self.operand(b) for b in n.bounds)
        self.lines.append(f"{pad}for {self.name(n.index)} in range({bounds}):")
        self.block(n.body, pad + "    ")
        if not n.carried:
            self.lines.append(f"{pad}    pass")
            return
        left = ", ".join(self.name(p) for p, _, _, _ in n.carried)
        right = ", ".join(self.operand(a) for _, _, a, _ in n.carried)
        self.lines.append(f"{pad}    {left} = {right}")
        for param, _, _, result in n.carried:
            self.lines.append(f"{pad}{self.name(result)} = {self.name(param)}")

    def node(self, n: Sym, pad: str) -> None:
        """One operation."""
        if n.op == "range":
            value = np.arange(*map(int, n.args))[: n.shape[0]].astype(n.dtype)
            self.lines.append(f"{pad}{self.name(n)} = {self.operand(value)}")
            return
        if n.op in ELEMENTS:
            self.elementwise(n, pad)
        elif n.op in REDUCTIONS:
            self.reduction(n, n.args[0], pad)
        elif n.op in ("matmul", "transpose", "reshape"):
            args = [(self.operand(a), np.shape(a)) for a in n.args]
            self.lines.append(f"{pad}{self.name(n)} = {_array_call(n, args)}")
        else:
            raise NotTraceable(f"{n.op} has no compiled form")

    def elementwise(self, n: Sym, pad: str) -> None:
        """A number, or a loop nest."""
        index = [f"i{k}" for k in range(n.ndim)]
        if not n.shape:
            self.lines.append(f"{pad}{self.name(n)} = {_cast(n)}({self.formula(n, index, pad)})")
            return
        self.lines.append(f"{pad}{self.name(n)} = np.empty({n.shape}, {_cast(n)})")
        pad = self.nest(n.shape, index, pad)
        value = self.formula(n, index, pad)
        self.lines.append(f"{pad}{self.name(n)}[{', '.join(index)}] = {value}")

    def formula(self, n: Sym, index: list[str], pad: str) -> str:
        """An element of a node, not yet of its type."""
        if n.op == "where" and len(n.args) != 3:
            raise NotTraceable("this form of where has no compiled form")
        return ELEMENTS[n.op].format(*(self.element(a, index, pad) for a in n.args))

    def element(self, x: Any, index: list[str], pad: str) -> str:
        """An element of an operand; that of a fused node is computed on the spot."""
        if id(x) not in self.fused:
            return _at(self.operand(x), np.shape(x), index)
        value = self.formula(x, index, pad)
        self.lines.append(f"{pad}{self.name(x)} = {_cast(x)}({value})")
        return self.name(x)

    def nest(self, shape: tuple[int, ...], index: list[str], pad: str) -> str:
        """The heads of loops over a shape."""
        for i, d in zip(index, shape, strict=True):
            self.lines.append(f"{pad}for {i} in range({d}):")
            pad += "    "
        return pad

    def reduction(self, n: Sym, arg: Any, pad: str) -> None:
        """A loop nest over what stays, and one over what is reduced inside."""
        shape = np.shape(arg)
        if n.options.get("rest") or set(n.options) - {"rest", "axis", "keepdims", "dtype"}:
            raise NotTraceable(f"{n.op} with these options has no compiled form")
        axes = n.options.get("axis")
        every = range(len(shape))
        over = (
            set(every) if axes is None else {a % len(shape) for a in np.atleast_1d(axes).tolist()}
        )
        kept = [a for a in every if a not in over]
        keepdims = bool(n.options.get("keepdims"))
        index = [f"i{k}" for k in every]
        place = [index[a] if a in kept else "0" for a in every if keepdims or a in kept]
        if n.shape:
            self.lines.append(f"{pad}{self.name(n)} = np.empty({n.shape}, {_cast(n)})")
        outer = self.nest(tuple(shape[a] for a in kept), [index[a] for a in kept], pad)
        start, step = REDUCTIONS[n.op]
        if n.dtype.kind != "f":
            if n.op != "sum":
                raise NotTraceable(f"{n.op} of integers has no compiled form")
            start = "0"
        self.lines.append(f"{outer}acc = {start}")
        order = sorted(over)
        inner = self.nest(tuple(shape[a] for a in order), [index[a] for a in order], outer)
        item = self.element(arg, index, inner)
        self.lines.append(f"{inner}item = {item}")
        self.lines.append(f"{inner}acc = {step.format('acc', 'item')}")
        target = f"{self.name(n)}[{', '.join(place)}]" if n.shape else self.name(n)
        self.lines.append(f"{outer}{target} = {_cast(n)}(acc)")


def _cast(n: Sym) -> str:
    """The type of a node's elements."""
    return "np.bool_" if n.dtype == bool else f"np.{n.dtype.name}"


def _fused(graph: Graph, used: set[int]) -> set[int]:
    """Elementwise nodes of which the one consumer, in the same region, is of the same shape."""
    consumers: dict[int, list[tuple[Sym, list[Any]]]] = {}
    outside = [*nest.flatten(graph.result), *(u for _, u in graph.updates)]
    _loops(graph.nodes, outside)
    regions = [graph.nodes]
    for region in regions:
        regions += [n.body for n in region if isinstance(n, Loop)]
        for n in (n for n in region if isinstance(n, Sym) and id(n) in used):
            for a in n.args:
                consumers.setdefault(id(a), []).append((n, region))
    kept = {id(x) for x in outside}

    def fits(n: Any, region: list[Any]) -> bool:
        found = consumers.get(id(n), [])
        if not isinstance(n, Sym) or n.op not in ELEMENTS or id(n) in kept or len(found) != 1:
            return False
        user, place = found[0]
        same = user.op in REDUCTIONS or (user.op in ELEMENTS and user.shape == n.shape)
        return bool(n.shape) and same and place is region

    return {id(n) for region in regions for n in region if fits(n, region)}


def _at(name: str, shape: tuple[int, ...], index: list[str]) -> str:
    """An operand's element: unit axes at 0, missing axes left out."""
    if not shape:
        return name
    own = index[len(index) - len(shape) :]
    return f"{name}[{', '.join('0' if d == 1 else i for i, d in zip(own, shape, strict=True))}]"


def _array_call(n: Sym, args: list[tuple[str, Any]]) -> str:
    first, shape = args[0]
    if n.op == "matmul" and len(shape) == len(args[1][1]) == 2 and n.dtype.kind == "f":
        return f"np.dot({first}, {args[1][0]})"
    if n.op == "transpose" and len(shape) == 2:
        axes = n.options.get("axes", (n.options.get("rest") or [None])[0])
        return first if axes is not None and tuple(axes) == (0, 1) else f"{first}.T"
    if n.op == "reshape":
        if not shape:
            return f"np.full({n.shape}, {first})" if n.shape else first
        flat = f"np.ascontiguousarray({first})"
        return f"{flat}.reshape({n.shape})" if n.shape else f"{flat}.reshape(1)[0]"
    raise NotTraceable(f"{n.op} of these shapes has no compiled form")


def _number(value: Any) -> str:
    """A constant with its type."""
    if value.dtype == bool:
        return str(bool(value))
    text = repr(value.item())
    text = {"inf": "np.inf", "-inf": "-np.inf", "nan": "np.nan"}.get(text, text)
    return f"np.{value.dtype.name}({text})"


def _used(graph: Graph) -> set[int]:
    """The nodes that results and variables need; everything that loops carry counts."""
    wanted = [*nest.flatten(graph.result), *(u for _, u in graph.updates)]
    _loops(graph.nodes, wanted)
    found: set[int] = set()
    while wanted:
        x = wanted.pop()
        if isinstance(x, Sym) and id(x) not in found:
            found.add(id(x))
            wanted += list(x.args)
    return found


def _loops(nodes: list[Any], wanted: list[Any]) -> None:
    for n in nodes:
        if isinstance(n, Loop):
            wanted += [*n.bounds, *(v for _, v in n.params)]
            wanted += [x for entry in n.carried for x in entry]
            _loops(n.body, wanted)
