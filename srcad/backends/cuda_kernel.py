"""Kernels in the CUDA dialect: a thread's function as ``@cuda.jit`` code.

In: a function whose hidden parameters stand for the places of a launch, shared memory, tapes.  Out:
a ``Module``: the kernel takes the arguments of the launch, then workspaces and the first rows of
the tapes, and begins with what the other hidden parameters are.

The race policy can be read in the text: ``a[i] += v`` where the element is the thread's own,
``cuda.atomic.add(a, i, v)`` where other threads may add to it at the same time.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from math import prod

from srcad.backends import expressions as ex
from srcad.backends.comments import SourceLines
from srcad.backends.cuda import DTYPES, IMPORTS, RENAMED, DevicePrinter, decorator
from srcad.backends.expressions import name
from srcad.backends.printer import Dialect, Module, emit, helper_definitions, to_source
from srcad.ir.nodes import Accumulate, Call, Function
from srcad.ir.threads import AXES, GIVEN, LANE, Hidden, how_atomic, is_atomic, is_barrier, is_exact
from srcad.ir.types import ArrayT
from srcad.runtime import RUNTIME_HELPERS
from srcad.runtime.device import DEVICE_HELPERS
from srcad.runtime.exact import EXACT_HELPERS, ON_DEVICE

DIALECT = Dialect(
    IMPORTS,
    DevicePrinter,
    decorator,
    {**RUNTIME_HELPERS, **DEVICE_HELPERS, **EXACT_HELPERS},
    {**RENAMED, **ON_DEVICE},
)
SPELLED = {"thread": "threadIdx", "block": "blockIdx", "width": "blockDim", "blocks": "gridDim"}


def emit_kernel(
    fn: Function,
    arguments: tuple[str, ...],
    hidden: Mapping[str, Hidden],
    axes: frozenset[str],
    source_lines: SourceLines | None = None,
) -> Module:
    """Print a kernel.

    Args:
        fn: what a thread executes.
        arguments: names of the parameters that a launch gives, in its order.
        hidden: what the others stand for.
        axes: those along which the launch has more than one thread.
        source_lines: gives the user's lines for comments.
    """
    kernel = partial(KernelPrinter, arguments, hidden, axes)

    def printer(f: Function, taken: set[str], functions: dict[str, str]) -> DevicePrinter:
        return (kernel if f is fn else DevicePrinter)(f, taken, functions)

    return emit(fn, source_lines, replace(DIALECT, printer=printer))  # type: ignore[arg-type]


def settling(ndim: int) -> str:
    """The text of the kernel that adds the exact sums of an array to it."""
    names = [f"i{k}" for k in range(ndim)]
    rest = ["at"] + [f"rest{k}" for k in range(1, ndim)]
    lines = ["@cuda.jit", "def settle(a, acc):"]
    lines += ["    for at in range(cuda.grid(1), a.size, cuda.gridsize(1)):"]
    for k in reversed(range(1, ndim)):
        r = rest[ndim - 1 - k]
        left = rest[ndim - k] if k > 1 else "i0"
        lines += [
            f"        {names[k]} = {r} % a.shape[{k}]",
            f"        {left} = {r} // a.shape[{k}]",
        ]
    index = ", ".join(names) if ndim > 1 else "at" if ndim else "()"
    lines += [f"        a[{index}] += srcad_exact_value(acc, at)"]
    helpers = ast.Module(helper_definitions({"srcad_exact_value"}, DIALECT), [])
    return "\n".join((IMPORTS, to_source(helpers), *lines))


def given_names(fn: Function, hidden: Mapping[str, Hidden]) -> tuple[str, ...]:
    """The hidden parameters that the launch gives, after the arguments."""
    return tuple(p.name for p in fn.params if p.name in hidden and hidden[p.name].kind in GIVEN)


class KernelPrinter(DevicePrinter):
    """Prints the function of a thread as a kernel."""

    decorator = name("cuda.jit")

    def __init__(
        self,
        arguments: tuple[str, ...],
        hidden: Mapping[str, Hidden],
        axes: frozenset[str],
        fn: Function,
        taken: set[str],
        functions: dict[str, str],
    ) -> None:
        super().__init__(fn, taken | {"cuda"}, functions)
        self.arguments, self.hidden, self.axes = arguments, hidden, axes

    def function(self, name: str) -> ast.FunctionDef:
        """The kernel, without decorators."""
        node = super().function(name)
        known = self.names.params
        order = (*self.arguments, *given_names(self.fn, self.hidden))
        node.args.args = [ast.arg(known[n], None) for n in order]
        documented = int(ast.get_docstring(node, clean=False) is not None)
        node.body[documented:documented] = self.prologue()
        return node

    # what hidden parameters are
    def prologue(self) -> list[ast.stmt]:
        """Places, then shared memory, filled where it has to be."""
        known = self.names.params
        places = {h.what: known[n] for n, h in self.hidden.items() if h.kind == "place"}
        out = [line for kind in ("grid", "gridsize") for line in grid(kind, places)]
        for what, variable in places.items():
            kind, _, axis = what.partition("_")
            if kind in SPELLED:
                out.append(f"{variable} = cuda.{SPELLED[kind]}.{axis}")
            elif what == LANE:
                out += lane(variable, self.axes)
        shared = {n: h for n, h in self.hidden.items() if h.kind == "shared"}
        for n, h in shared.items():
            shape = h.shape[0] if len(h.shape) == 1 else h.shape
            out.append(f"{known[n]} = cuda.shared.array({shape}, {self.dtype(n)})")
        if any(h.zero for h in shared.values()):
            out += self.own_number()
            for n, h in shared.items():
                out += self.cleared(known[n], h) if h.zero else []
            out.append("cuda.syncthreads()")
        return ast.parse("\n".join(out)).body

    def dtype(self, parameter: str) -> str:
        """The dtype of an array, as NumPy's."""
        (t,) = (p.type for p in self.fn.params if p.name == parameter)
        assert isinstance(t, ArrayT)
        return f"np.{DTYPES[t.dtype]}"

    def own_number(self) -> list[str]:
        """The number of the thread in its block, and how many there are."""
        self.number, self.count = self.names.fresh("k"), self.names.fresh("count")
        if self.axes <= {"x"}:
            return [f"{self.number}, {self.count} = cuda.threadIdx.x, cuda.blockDim.x"]
        inner = "cuda.threadIdx.y + cuda.blockDim.y * cuda.threadIdx.z"
        return [
            f"{self.number} = cuda.threadIdx.x + cuda.blockDim.x * ({inner})",
            f"{self.count} = cuda.blockDim.x * cuda.blockDim.y * cuda.blockDim.z",
        ]

    def cleared(self, variable: str, h: Hidden) -> list[str]:
        """Zeros, a share of them by each thread."""
        k, rest = self.names.fresh("i"), prod(h.shape)
        index: list[str] = []
        for n in h.shape:
            rest //= max(n, 1)
            term = k if rest == 1 else f"{k} // {rest}"
            index.append(f"{term} % {n}" if index else term)
        return [
            f"for {k} in range({self.number}, {prod(h.shape)}, {self.count}):",
            f"    {variable}[{', '.join(index)}] = 0.0",
        ]

    # statements
    def _accumulate(self, s: Accumulate) -> None:
        if not s.atomic:
            super()._accumulate(s)
            return
        array, *index, value = self.gather((s.array, *s.index, s.value))
        self.disturb(self.effects.of(s))
        self.emit(
            ast.Expr(self.atomic("add", array.node, [i.node for i in index], value.node)), s.loc
        )

    @staticmethod
    def atomic(how: str, array: ast.expr, index: list[ast.expr], value: ast.expr) -> ast.expr:
        """``cuda.atomic.add(array, index, value)``, or another update."""
        at = index[0] if len(index) == 1 else ex.sequence(index)
        return ex.call(f"cuda.atomic.{how}", array, at, value)

    def _call(self, s: Call) -> None:
        if is_barrier(s):
            self.disturb(self.effects.of(s))
            self.emit(ast.Expr(ex.call("cuda.syncthreads")), s.loc)
        elif is_atomic(s):
            array, *index, value = [e.node for e in self.gather(s.args)]
            self.disturb(self.effects.of(s))
            made = self.atomic(how_atomic(s.fn), array, index, value)
            names: list[ast.expr] = [ast.Name(self.names.name(t), ast.Store()) for t in s.targets]
            self.emit(ast.Assign(names, made) if names else ast.Expr(made), s.loc)
        elif is_exact(s):
            made = ex.call(self.helper(s.fn), *(e.node for e in self.gather(s.args)))
            self.disturb(self.effects.of(s))
            names = [ast.Name(self.names.name(t), ast.Store()) for t in s.targets]
            self.emit(ast.Assign(names, made) if names else ast.Expr(made), s.loc)
        else:
            super()._call(s)

    def helper(self, name: str) -> str:
        """What operates on exact sums: ``cuda.exact.add`` is ``srcad_exact_add``."""
        made = f"srcad_exact_{name.rpartition('.')[2]}"
        self.helpers.add(made)
        return made


def grid(kind: str, places: Mapping[str, str]) -> list[str]:
    """``i, j = cuda.grid(2)`` for the axes that are asked for."""
    wanted = [places.get(f"{kind}_{axis}") for axis in AXES]
    while wanted and wanted[-1] is None:
        wanted.pop()
    if not wanted:
        return []
    if len(wanted) == 1:
        return [f"{wanted[0]} = cuda.{kind}(1)"]
    used = [(k, v) for k, v in enumerate(wanted) if v is not None]
    if len(used) == len(wanted):
        return [f"{', '.join(v for _, v in used)} = cuda.{kind}({len(wanted)})"]
    return [f"{v} = cuda.{kind}({len(wanted)})[{k}]" for k, v in used]


def lane(variable: str, axes: frozenset[str]) -> list[str]:
    """The number of the thread in the whole launch."""
    if axes <= {"x"}:
        return [f"{variable} = cuda.grid(1)"]
    x, y, z = (f"cuda.grid(3)[{k}]" for k in range(3))
    w, h = (f"cuda.gridsize(3)[{k}]" for k in range(2))
    return [f"{variable} = {x} + {w} * ({y} + {h} * {z})"]
