"""The text of an array function on the device: a driver, which is Python, and its kernels.

In: an ``Offloaded``: a driver whose calls are launches, and kernels.  Out: a ``Text``: one readable
module.  Kernels come first, then the driver::

    def f(gpu, x):
        y = gpu.empty(x.shape[0], np.float64)
        f_loop[blocks, 128, gpu.stream](x.shape[0], x, y)
        return y

``gpu`` makes arrays, looks at them, multiplies matrices (``backends.device_memory``).  The driver
is executed by Python, with constants of the types of the IR (as ``backends.python`` does it).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

from srcad.backends import expressions as ex
from srcad.backends import storage
from srcad.backends.base import NAMESPACE, as_tuple
from srcad.backends.comments import Comments, SourceLines
from srcad.backends.control import FunctionPrinter
from srcad.backends.cpu import register
from srcad.backends.cuda import DTYPES, IMPORTS
from srcad.backends.cuda_kernel import emit_kernel
from srcad.backends.expressions import Expr, name
from srcad.backends.naming import identifier
from srcad.backends.printer import Dialect, helper_definitions, to_source
from srcad.backends.python import _constant, _ieee_math, _NumPyConstants
from srcad.ir.nodes import Alloc, ArrayOp, Call, Function, Load, Reserve, Var, View
from srcad.ir.threads import Hidden
from srcad.ir.types import ArrayT, ListT, Scalar, numpy_dtype
from srcad.runtime import RUNTIME_HELPERS

GPU, WHOLE = "gpu", "whole"  # the device; an array of which a view is made


class Kernel(Protocol):
    """What a thread executes (``storage.offload.kernels``)."""

    @property
    def fn(self) -> Function: ...
    @property
    def arguments(self) -> tuple[Var, ...]: ...
    @property
    def hidden(self) -> Mapping[str, Hidden]: ...
    @property
    def width(self) -> int: ...


@dataclass(frozen=True)
class Text:
    """The module: the driver, and each kernel with what it needs."""

    driver: str
    entry: str
    kernels: Mapping[str, str]  # the text of a module, by name of its kernel

    @property
    def source(self) -> str:
        """One text: kernels, then the driver."""
        parts: dict[str, str] = {}
        for text in self.kernels.values():
            for node in ast.parse(text).body:
                if isinstance(node, ast.FunctionDef):
                    parts[node.name] = piece(text, node)
        body = [piece(self.driver, n) for n in functions(self.driver)]
        return IMPORTS + "\n\n" + "\n\n".join([*parts.values(), *body]) + "\n"


def functions(text: str) -> list[ast.FunctionDef]:
    """The function definitions of a module."""
    return [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]


def piece(text: str, node: ast.FunctionDef) -> str:
    """The lines of a definition, decorators included."""
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno]) + "\n"


class DriverPrinter(FunctionPrinter):
    """Prints a driver; ``kernels`` by name."""

    def __init__(
        self, kernels: Mapping[str, Kernel], lists: Collection[str], fn: Function, taken: set[str]
    ) -> None:
        super().__init__(fn, taken | {GPU, WHOLE, *kernels}, {n: n for n in kernels})
        self.kernels, self.lists = kernels, lists

    def function(self, name: str) -> ast.FunctionDef:
        """The function, whose first parameter is the device."""
        node = super().function(name)
        node.args.args.insert(0, ast.arg(GPU))
        return node

    def _alloc(self, s: Alloc) -> None:
        t = s.target.type
        if isinstance(t, ListT):
            return super()._alloc(s)
        assert isinstance(t, ArrayT)
        sizes = [e.node for e in self.gather(s.shape)]
        turned = t.layout == "F" and t.ndim > 1
        shape = ex.sequence(sizes[::-1] if turned else sizes)
        node: ast.expr = ex.call(
            f"{GPU}.{'zeros' if s.zero else 'empty'}", shape, name(f"np.{DTYPES[t.dtype]}")
        )
        if turned:
            node = viewed(node, ast.Attribute(name(WHOLE), "T", ast.Load()))
        return self.define(s.target, Expr(node, 30), s.loc, movable=False)

    def _view(self, s: View) -> None:
        base = self.gather((s.base,))[0]
        if s.kind == "same":
            return self.define(s.target, base, s.loc, movable=False)

        def part(x: object) -> Expr | None:
            return self.get(x) if isinstance(x, Var) or hasattr(x, "value") else None  # type: ignore[arg-type]

        spelled = storage.view(s, Expr(name(WHOLE), 1), part)
        node = viewed(base.node, spelled.node)
        return self.define(s.target, ex.combine(node, [base, spelled], 20), s.loc, movable=False)

    def _reserve(self, s: Reserve) -> None:
        if s.array.name not in self.lists:
            return super()._reserve(s)
        array, size = self.gather((s.array, s.size))
        self.disturb(self.effects.of(s))
        size = self.keep(size, s.loc)
        missing = ast.Compare(ex.call("len", array.node), [ast.Lt()], [size.node])
        assert isinstance(s.array.type, ListT)
        assert isinstance(s.array.type.element, ArrayT)
        kind = name(f"np.{DTYPES[s.array.type.element.dtype]}")
        cell = ex.call(f"{GPU}.zeros", ex.sequence([ast.Constant(1)]), kind)
        grow = ex.method(array.node, "append", cell)
        return self.emit(ast.While(missing, [ast.Expr(grow)], []), s.loc)

    def _load(self, s: Load) -> None:
        if isinstance(s.array.type, ListT):
            return super()._load(s)
        self.disturb(self.effects.of(s))
        array = self.gather((s.array,))[0]
        node = ex.call(f"{GPU}.number", array.node)
        return self.define(s.target, Expr(node, 20), s.loc, movable=False)

    def _arrayop(self, s: ArrayOp) -> None:
        args = [e.node for e in self.gather(s.args)]
        self.disturb(self.effects.of(s))
        node = ex.call(f"{GPU}.{s.op}", *args)
        kinds = [t.type for t in s.targets]
        if s.op != "apart":
            layouts = "".join(t.layout for t in kinds if isinstance(t, ArrayT))
            node.keywords.append(ast.keyword("layouts", ast.Constant(layouts)))
        names = [self.names.name(t) for t in s.targets]
        target: ast.expr = ast.Name(names[0], ast.Store())
        if len(names) > 1:
            target = ast.Tuple([ast.Name(n, ast.Store()) for n in names], ast.Store())
        self.emit(ast.Assign([target], node), s.loc)

    def _call(self, s: Call) -> None:
        blocks, *args = [e.node for e in self.gather(s.args)]
        self.disturb(self.effects.of(s))
        width = ast.Constant(self.kernels[s.fn].width)
        stream = ast.Attribute(name(GPU), "stream", ast.Load())
        where = ex.sequence([blocks, width, stream])
        launch = ast.Subscript(name(s.fn), where, ast.Load())
        self.emit(ast.Expr(ast.Call(launch, args, [])), s.loc)


def viewed(base: ast.expr, view: ast.expr) -> ast.expr:
    """``gpu.view(base, lambda whole: view)``."""
    arguments = ast.arguments([], [ast.arg(WHOLE)], None, [], [], None, [])
    return ex.call(f"{GPU}.view", base, ast.Lambda(arguments, view))


def emit_driver(
    driver: Function,
    kernels: Mapping[str, Kernel],
    lists: Collection[str] = (),
    source_lines: SourceLines | None = None,
) -> Text:
    """Print a driver and its kernels."""
    printed: dict[str, str] = {}
    for n, k in kernels.items():
        names = tuple(p.name for p in k.arguments)
        module = emit_kernel(k.fn, names, k.hidden, frozenset("x"), source_lines)
        printed[n] = module.source
    entry = identifier(driver.name)
    printer = DriverPrinter(kernels, lists, driver, {entry, *RUNTIME_HELPERS})
    definition = printer.function(entry)
    comments = Comments(source_lines)
    comments.add(definition.body)
    dialect = Dialect(IMPORTS, DriverPrinter, lambda *_: name("staticmethod"), RUNTIME_HELPERS)
    known = helper_definitions(printer.helpers, dialect)
    tree = ast.Module([*ast.parse(IMPORTS).body, *known, definition], [])
    return Text(comments.replace(to_source(tree)), entry, printed)


def driver_function(text: Text, fn: Function, kernels: Mapping[str, Any]) -> Callable[..., tuple]:
    """The driver as a function of the device and the arguments; ``kernels`` are launched by it."""
    tree = _NumPyConstants().visit(ast.parse(text.driver))
    filename = register(text.driver, "driver " + text.entry)
    namespace: dict[str, Any] = {**NAMESPACE, "_const": _constant, "_cut": lambda a, v: v}
    exec(compile(ast.fix_missing_locations(tree), filename, "exec"), namespace)
    namespace |= {**kernels, "math": _ieee_math()}
    namespace["range"] = lambda *bounds: map(np.int64, range(*bounds))
    namespace["len"] = lambda cells: np.int64(len(cells))
    namespace["numba"] = SimpleNamespace()
    entry = namespace[text.entry]
    kinds = [p.type for p in fn.params]

    def call(gpu: Any, *args: Any) -> tuple:
        typed = [
            numpy_dtype(t.kind).type(a) if isinstance(t, Scalar) else a
            for a, t in zip(args, kinds, strict=True)
        ]
        with np.errstate(all="ignore"):
            return as_tuple(len(fn.body.yields), entry(gpu, *typed))

    return call
