"""The printed text executed by Python itself: a check on the printer without a compiler.

In: a function.  Out: a callable.  Constants become NumPy scalars and ``math`` is replaced by
functions that give IEEE results, so that arithmetic follows Numba: integers wrap, divisions by
zero give infinities, float32 stays float32.

Limits: operators between float32 and integers follow NumPy where they differ from Numba.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from srcad.backends.array_ops import THREADS
from srcad.backends.base import NAMESPACE, as_tuple
from srcad.backends.cpu import register
from srcad.backends.printer import Module, emit
from srcad.ir.nodes import Function
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import Scalar, numpy_dtype

_PLAIN = {"f8": float, "f4": float, "i8": int, "b1": bool}


class PythonBackend:
    """``python`` behind the protocol of ``backends.base``."""

    def build(self, fn: Function) -> Callable[..., tuple]:
        return executable(emit(fn), fn)


def executable(module: Module, fn: Function) -> Callable[..., tuple]:
    """The entry function of a module, executed by Python."""
    tree = _NumPyConstants().visit(ast.parse(module.source))
    filename = register(module.source, "python " + module.entry)
    namespace: dict[str, Any] = {**NAMESPACE, "_const": _constant, "_cut": _cut}
    exec(compile(ast.fix_missing_locations(tree), filename, "exec"), namespace)
    namespace["math"] = _ieee_math()
    namespace["range"] = lambda *bounds: map(np.int64, range(*bounds))
    threads = np.int64(THREADS)
    namespace["numba"] = SimpleNamespace(prange=namespace["range"], get_num_threads=lambda: threads)
    namespace["len"] = lambda cells: np.int64(len(cells))
    kinds = [p.type for p in fn.params]
    entry = namespace[module.entry]

    def call(*args: Any) -> tuple:
        typed = [
            numpy_dtype(t.kind).type(a) if isinstance(t, Scalar) else a
            for a, t in zip(args, kinds, strict=True)
        ]
        with np.errstate(all="ignore"):
            results = as_tuple(len(fn.body.yields), entry(*typed))
        return tuple(
            _PLAIN[str(y.type)](r) if isinstance(y.type, Scalar) else r
            for r, y in zip(results, fn.body.yields, strict=True)
        )

    return call


def _constant(value: float | int) -> Any:
    return np.float64(value) if isinstance(value, float) else np.int64(value)


def _cut(array: Any, value: Any) -> Any:
    """A value as the elements of ``array`` are (integers are cut to their width)."""
    if isinstance(array, np.ndarray):
        return np.asarray(value).astype(array.dtype)
    return value


class _NumPyConstants(ast.NodeTransformer):
    """Wraps numbers as ``_const(…)``, stored values as ``_cut(…)``; takes Numba away."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list = []
        return self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        return None if node.names[0].name in ("numba", "math") else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return node if isinstance(node.value, ast.Name) else self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        node.left = self.visit(node.left)
        exponent = isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant)
        node.right = node.right if exponent else self.visit(node.right)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if isinstance(node.operand, ast.Constant) and isinstance(node.op, ast.USub):
            return _wrapped(node)
        return self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            return _wrapped(node)
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        target = node.targets[0]
        self.generic_visit(node)
        if isinstance(target, ast.Subscript):
            node.value = ast.Call(ast.Name("_cut", ast.Load()), [target.value, node.value], [])
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        if not isinstance(node.target, ast.Subscript):
            return self.generic_visit(node)
        read = ast.Subscript(node.target.value, node.target.slice, ast.Load())
        return self.visit(ast.Assign([node.target], ast.BinOp(read, node.op, node.value)))

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            return node
        return _wrapped(node) if abs(node.value) < 1 << 63 or node.value != node.value else node


def _wrapped(node: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("_const", ast.Load()), [node], [])


def _ieee_math() -> SimpleNamespace:
    """``math`` with IEEE results and float32 results for float32."""
    functions: dict[str, Any] = {k: f for k, f in vars(math).items() if k[0] != "_"}
    functions |= {"inf": np.float64(math.inf), "nan": np.float64(math.nan)}
    for primitive in PRIMITIVES.values():
        spelled = re.fullmatch(r"math\.(\w+)\([^()]*\)", primitive.template)
        if spelled is not None:
            functions[spelled[1]] = _keeping_f4(primitive.evaluate)
    return SimpleNamespace(**functions)


def _keeping_f4(f: Callable[..., Any]) -> Callable[..., Any]:
    def g(*args: Any) -> Any:
        result = f(*(a.item() if isinstance(a, np.generic) else a for a in args))
        if isinstance(result, float):
            small = all(isinstance(a, (np.float32, np.bool_, bool)) for a in args)
            return np.float32(result) if small else np.float64(result)
        return result if isinstance(result, bool) else np.int64(result)

    return g
