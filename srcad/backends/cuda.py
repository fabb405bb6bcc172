"""The CUDA dialect of the printer: IR as device functions of ``numba.cuda``.

In: a finished function in device form (``storage.device``): every allocation has a constant size,
stands in no loop, and nothing returns an array.  Out: a ``Module`` of ``@cuda.jit(device=True)``
functions, in readable Python; ``compile_text`` makes the dispatcher of its entry, for which
neither a GPU nor the toolkit is needed.

Differences from the processor:
* storage is ``cuda.local.array``; ``prange`` loops are plain ones (a thread runs them);
* a device function raises nothing.  Where a ``Check`` fails, the function returns at once: its
  float results are NaN, its integers the smallest there is, its booleans false, and the float
  arrays that it writes are filled with NaN.  A division by zero gives what IEEE says, as
  ``numba.cuda`` has it;
* ``print`` prints as CUDA does; random numbers, lists and whole-array operations have no form here.

Limits: one function; calls are expanded before (``storage.device``).
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from srcad.backends import expressions as ex
from srcad.backends import storage
from srcad.backends.comments import SourceLines
from srcad.backends.control import FunctionPrinter
from srcad.backends.cpu import register
from srcad.backends.expressions import Expr, name
from srcad.backends.printer import Dialect, Module, emit
from srcad.errors import UnsupportedSyntax
from srcad.ir.nodes import Alloc, ArrayOp, Check, Const, Draw, For, Function, Op, Reserve, View
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import B1, F8, I8, ArrayT, ListT, Scalar, is_float
from srcad.runtime import RUNTIME_HELPERS
from srcad.runtime.device import DEVICE_HELPERS

DTYPES = {"f8": "float64", **storage.DTYPE}
IMPORTS = "import math\nimport numpy as np\nfrom numba import cuda\n"
RENAMED = {"min": "srcad_min", "max": "srcad_max"}  # Numba 0.68's own fail for this target
FAILED = {"f8": "math.nan", "f4": "np.float32(math.nan)", "i8": "-9223372036854775808"}


@dataclass(frozen=True)
class Form:
    """How a primitive is spelled: of operands converted to ``of`` (as they are: ``None``), giving
    ``gives``."""

    template: str
    of: Scalar | None = F8
    gives: Scalar | None = F8

    @property
    def helper(self) -> str:
        """The helper that the template calls."""
        head = self.template.split("(")[0]
        return head if head in DEVICE_HELPERS else ""


def _helped(*names: str) -> dict[str, Form]:
    pairs = {n: ("{0}, {1}" if PRIMITIVES[n].arity == 2 else "{0}") for n in names}
    return {n: Form(f"srcad_{n}({args})") for n, args in pairs.items()}


# what the target has not, or types otherwise than the processor's
FORMS: dict[str, Form] = {
    **_helped("cbrt", "rint", "sign", "heaviside", "logaddexp", "logaddexp2", "sinc"),
    "min": Form("srcad_min({0}, {1})", None, None),
    "max": Form("srcad_max({0}, {1})", None, None),
    "exp2": Form("2.0 ** {0}"),
    "reciprocal": Form("1.0 / {0}"),
    "float_power": Form("{0} ** {1}"),
    "copysign": Form("math.copysign({0}, {1})"),
    "fmod": Form("math.fmod({0}, {1})"),
    "floor": Form("math.floor({0})"),
    "ceil": Form("math.ceil({0})"),
    "trunc": Form("math.trunc({0})"),
    "ifloor": Form("math.floor({0})"),
    "iceil": Form("math.ceil({0})"),
    "signbit": Form("math.copysign(1.0, {0}) < 0.0", gives=B1),
    "logical_not": Form("not {0}", B1, B1),
    "gcd": Form("srcad_gcd({0}, {1})", I8, I8),
    "lcm": Form("srcad_lcm({0}, {1})", I8, I8),
}
OF_INTEGERS: dict[str, Form] = {
    **dict.fromkeys(("floor", "ceil", "trunc", "ifloor", "iceil"), Form("{0}", None, None)),
    "sign": Form("srcad_isign({0})", I8, I8),
    "reciprocal": Form("srcad_ireciprocal({0})", I8, I8),
}


def form_of(s: Op) -> Form | None:
    """How an operation is spelled, where it is not as for the processor."""
    whole = s.target.type in (I8, B1) and not is_float(s.args[0].type)
    return OF_INTEGERS.get(s.op) if whole and s.op in OF_INTEGERS else FORMS.get(s.op)


class DevicePrinter(FunctionPrinter):
    """Prints one device function."""

    marks: frozenset[str] = frozenset()  # arrays of the caller that the function writes

    def _op(self, s: Op) -> None:
        form = form_of(s)
        if form is None:
            return super()._op(s)
        given = self.gather(s.args)
        want = form.of or s.target.type
        args = [ex.convert(e, a.type, want) for e, a in zip(given, s.args, strict=True)]
        if form.helper:
            self.helpers.add(form.helper)
        e = ex.filled(form.template, args)
        return self.define(s.target, ex.convert(e, form.gives or want, s.target.type), s.loc)

    def _for(self, s: For) -> None:
        super()._for(replace(s, parallel=False) if s.parallel else s)

    def _view(self, s: View) -> None:
        if s.kind == "index" and s.spec == (("new",),):  # a[None] alone has no form there
            assert isinstance(s.base.type, ArrayT)
            every = (("slice", None, None, None),) * s.base.type.ndim
            s = replace(s, spec=(*s.spec, *every))
        super()._view(s)

    # storage
    def _alloc(self, s: Alloc) -> None:
        if isinstance(s.target.type, ListT):
            raise refused("a list that grows", s.loc, LISTS)
        self.define(s.target, Expr(self.storage(s), 30), s.loc, movable=False)
        if s.zero:
            self.clear(s)

    def storage(self, s: Alloc) -> ast.expr:
        """The expression that makes an array of the thread."""
        t = s.target.type
        assert isinstance(t, ArrayT)
        if not all(isinstance(n, Const) for n in s.shape):
            raise refused("an array whose size is known only at run time", s.loc, SIZES)
        sizes: list[ast.expr] = [ast.Constant(max(int(n.value), 1)) for n in s.shape]  # type: ignore[union-attr]
        if t.layout == "F":
            sizes.reverse()
        shape = sizes[0] if len(sizes) == 1 else ex.sequence(sizes)
        node: ast.expr = ex.call("cuda.local.array", shape, name(f"np.{DTYPES[t.dtype]}"))
        if t.layout == "F" and t.ndim > 1:
            return ast.Attribute(node, "T", ast.Load())
        return storage.relaid(node, t.ndim, "C", "A") if t.layout == "A" else node

    def clear(self, s: Alloc) -> None:
        """Zeros, by loops."""
        t = s.target.type
        assert isinstance(t, ArrayT)
        indices = [self.names.fresh("k") for _ in s.shape]
        zero = {"f8": 0.0, "f4": 0.0, "b1": False}.get(t.dtype, 0)
        at = [Expr(name(i), 1) for i in indices] or [Expr(ex.sequence([]), 1)]
        place = storage.element(self.variable(s.target), at, ast.Store())
        node: ast.stmt = ast.Assign([place], ast.Constant(zero))
        node.loc = s.loc  # type: ignore[attr-defined]
        for i, n in zip(indices[::-1], s.shape[::-1], strict=True):
            header = ex.call("range", self.get(n).node)
            node = ast.For(ast.Name(i, ast.Store()), header, [node], [])
            node.loc = s.loc  # type: ignore[attr-defined]
        self.emit(node, s.loc)

    def _reserve(self, s: Reserve) -> None:
        raise refused("a list that grows", s.loc, LISTS)

    def _arrayop(self, s: ArrayOp) -> None:
        raise refused(f"{s.op} of whole arrays", s.loc, "write it as loops over the elements")

    def _draw(self, s: Draw) -> None:
        raise refused("random numbers", s.loc, "draw them outside, and pass them as an argument")

    # checks
    def _check(self, s: Check) -> None:
        cond = self.get(s.cond)
        if s.exception != "ZeroDivisionError":
            self.emit(ast.If(ex.negation(cond), self.failure(), []), s.loc)

    def failure(self) -> list[ast.stmt]:
        """What stands where a check has failed."""
        out: list[ast.stmt] = []
        for p in self.fn.params:
            if p.name not in self.marks or not is_float(p.type):
                continue
            assert isinstance(p.type, ArrayT)
            helper = f"srcad_mark_{p.type.ndim}"
            if helper not in DEVICE_HELPERS:
                raise refused(f"a check in a function that writes to {p.name}", None, RANK)
            self.helpers.add(helper)
            out.append(ast.Expr(ex.call(helper, self.variable(p).node)))
        kinds = [str(y.type) for y in self.fn.body.yields]
        values = [ast.parse(FAILED.get(k, "False"), mode="eval").body for k in kinds]
        value = values[0] if len(values) == 1 else ex.sequence(values) if values else None
        return [*out, ast.Return(value)]


LISTS = "give every loop a constant number of trips: for k in range(100): if done: break"
SIZES = "write sizes and numbers of trips as constants, or as lengths of tuples"
RANK = "write to arrays of rank 4 or less"


def refused(what: str, loc: Any, instead: str) -> UnsupportedSyntax:
    """The error for what a device function cannot do."""
    return UnsupportedSyntax(
        f"{what} in CUDA device code",
        loc,
        "a thread has no memory but its arguments and arrays of constant size",
        instead,
    )


def decorator(parallel: bool, nogil: bool = False) -> ast.expr:
    """How a device function is compiled."""
    return ast.Call(name("cuda.jit"), [], [ast.keyword("device", ast.Constant(True))])


def emit_device(
    fn: Function, written: Iterable[str] = (), source_lines: SourceLines | None = None
) -> Module:
    """Print a function in device form and its helpers as device functions.

    Args:
        fn: the function.
        written: names of the array parameters that it writes.
        source_lines: gives the user's lines for comments.
    """

    def printer(f: Function, taken: set[str], functions: dict[str, str]) -> DevicePrinter:
        made = DevicePrinter(f, taken, functions)
        made.marks = frozenset(written)
        return made

    helpers = {**RUNTIME_HELPERS, **DEVICE_HELPERS}
    return emit(fn, source_lines, Dialect(IMPORTS, printer, decorator, helpers, RENAMED))  # type: ignore[arg-type]


def compile_text(source: str, entry: str, hint: str = "srcad") -> Any:
    """Execute a module's text; the CUDA dispatcher of its entry.

    Neither a GPU nor the toolkit is needed for that; both are when it is called.
    """
    namespace: dict[str, Any] = {"__name__": __name__}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        exec(compile(source, register(source, f"{hint} cuda"), "exec"), namespace)
    return namespace[entry]
