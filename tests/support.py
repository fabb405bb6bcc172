"""The table of supported functions, made from the registries: ``docs/functions.md``.

``python -m tests.support`` rewrites it; ``tests/test_support.py`` fails where it has drifted, or
where Numba knows a function of NumPy that is neither supported nor given a reason.
"""

from __future__ import annotations

import builtins
import cmath
import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numba
import numpy as np
import scipy
import scipy.linalg
import scipy.special

import srcad
import srcad.compiler  # fills the tables
from srcad.frontend.arguments import spec_of
from srcad.frontend.complexes import takes_complex
from srcad.frontend.core import CALLS
from srcad.frontend.kinds import result_kind
from srcad.ir.nodes import Draw as RandomDraw
from srcad.ir.nodes import Function, Op, Print
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import F4, I8, Scalar, is_float
from srcad.ir.walk import statements, variables
from srcad.library import LIBRARY, complete
from srcad.rules import FUNCTIONS, REASONS, RULES
from tests.compiled import COMPILED, Case
from tests.cuda_target import compiles, kinds
from tests.elementwise import module_of
from tests.samples import Draw
from tests.test_library import program

PAGE = Path(__file__).resolve().parents[1] / "docs" / "functions.md"
MODULES: dict[str, Any] = {
    "": builtins,
    "math": math,
    "cmath": cmath,
    "np": np,
    "np.linalg": np.linalg,
    "np.random": np.random,
    "np.polynomial.polynomial": np.polynomial.polynomial,
    "scipy.special": scipy.special,
    "scipy.linalg": scipy.linalg,
}
HEAD = """\
# Supported functions

Made from the registries by `python -m tests.support`; do not edit. *primitive*: a rule gives its
partial derivatives; *library*: written in the language itself, so its derivatives follow from its
code; *compiler*: lowered to loops or array operations. Forward and reverse mode, and derivatives of
every order, exist for all that is not marked: **zero** is a derivative that is zero wherever it
exists, **no** one that is refused, with the reason.

Dtypes: what the result is for operands of float32 (f4) and, of primitives, int64 (i8), as Numba's
typing has it; float64 gives float64, or the integers and bools (b1) shown. Integers and bools take
part with derivative zero. *complex* says whether complex128 and complex64 arguments are taken, with
derivatives of every order; where it is empty they are refused by name. Sums of float32 arrays are
accumulated in float32, as Numba does it (in `var` and `std` in float64); so are cotangents of
float32 arrays.

CUDA: **scalar** says that the code generated for it on numbers compiles for Numba's CUDA target
(compute capability 8.0; with the toolkit 9.0 as well). Functions of small arrays are loops there
(`docs/cuda.md`); `eig`, `eigh`, `svd`, `qr` and `pinv` have no device code.

VERSIONS.

COUNTS

| function | kind | forward | reverse | second order | complex | CUDA | dtypes | notes |
|---|---|---|---|---|---|---|---|---|
"""

VERSIONS = "Made with Numba {}, NumPy {} and SciPy {}".format(
    *(".".join(m.__version__.split(".")[:2]) for m in (numba, np, scipy))
)


COUNTS = """\
{supported} public names are supported; {different} of the functions behind them, each counted once
whatever its aliases, have a derivative that is not zero everywhere: {primitives} primitives with a
formula, {library} functions of the library, {compiler} that the compiler lowers. {zero} more
functions have the derivative zero by declaration, and {refused} names are refused.
"""


@dataclass(frozen=True)
class Row:
    """One public function."""

    name: str
    kind: str
    derivative: str  # "yes", "zero" or "no"
    meaning: Any = None  # equal for two names of one thing
    notes: str = ""
    cuda: str = "no"
    dtypes: str = ""
    of_complex: bool = False

    def __str__(self) -> str:
        cells = [f"`{self.name}`", self.kind, *[self.derivative] * 3, "yes" * self.of_complex]
        cells += [self.cuda, self.dtypes, self.notes]
        return f"| {' | '.join(cells)} |"


def public_names(module: Any) -> Iterator[tuple[str, Any]]:
    """What a module offers."""
    for name in sorted(n for n in dir(module) if not n.startswith("_")):
        if callable(found := getattr(module, name, None)):
            yield name, found


def cases(f: Callable[..., Any], dtype: Any = np.float64) -> list[Case]:
    """Programs that call a function of the library or of the compiler."""
    if f in COMPILED:
        return COMPILED[f]
    calls = LIBRARY[f].samples(Draw(3, dtype=dtype))
    return [Case(program(f, call), call.args, call.smooth) for call in calls]


def lowered(case: Case) -> Function:
    """A program as IR."""
    transformed = srcad.differentiable(case.f, backend="reference")
    bound = transformed.bind(case.args, {})
    return transformed.program({k: spec_of(v) for k, v in bound.items()}).fn


def for_kernels(fn: Function) -> bool:
    """Whether IR consists of numbers and of primitives that the CUDA target compiles."""
    bodies = [fn.body, *(c.body for c in fn.callees.values())]
    everything = [s for body in bodies for s in statements(body)]
    return all(isinstance(v.type, Scalar) for v in variables(fn)) and all(
        compiles(s.op) if isinstance(s, Op) else not isinstance(s, (Print, RandomDraw))
        for s in everything
    )


def on_numbers(found: list[Case]) -> str:
    """The CUDA column of a function that is written in the language."""
    numbers = [c for c in found if all(isinstance(a, (int, float)) for a in c.args)]
    return "scalar" if any(for_kernels(lowered(c)) for c in numbers) else "no"


def of_single(found: list[Case]) -> str:
    """The dtype column: the float results of float32 arrays."""
    for case in found:
        arrays = [a for a in case.args if isinstance(a, np.ndarray) and a.dtype == np.float32]
        if arrays and case.smooth:
            results = {str(y.type)[:2] for y in lowered(case).body.yields if is_float(y.type)}
            return f"f4→{'f4' if results == {'f4'} else 'f8'}" if results else ""
    return ""


def of_primitive(name: str, f: Any) -> str:
    """The dtype column of a primitive (of arrays, where the function takes them)."""
    arrays = module_of(f) in ("numpy", "scipy")
    result = result_kind if arrays else lambda op, given: PRIMITIVES[op].result_type(*given)
    found = []
    for kind in (F4, I8):
        operands = [Scalar(k) if k != "f8" else kind for k in kinds(name)]
        if kind == I8 or F4 in operands:
            found.append(f"{kind}→{result(name, operands)}")
    return " ".join(dict.fromkeys(found))


@functools.cache
def row_of(name: str, f: Any) -> Row | None:
    """What is known of a function."""
    complete(everything=True)
    if f in LIBRARY or f in CALLS and f not in FUNCTIONS:
        found = cases(f)
        entry = LIBRARY.get(f)
        smooth = any(c.smooth for c in found) or entry and "as the function" in entry.notes
        derivative = "yes" if smooth else "zero"
        kind, meaning, notes = "compiler", CALLS.get(f), ""
        if entry is not None:
            kind, meaning, notes = "library", entry.code, entry.notes
        single = cases(f, np.float32) if entry is not None else [as_single(c) for c in found]
        return Row(name, kind, derivative, meaning, notes, on_numbers(found), of_single(single))
    if f in FUNCTIONS:
        op = FUNCTIONS[f]
        cuda = "scalar" if compiles(op) else "no"
        derivative = "zero" if RULES[op].zero else "yes"
        return Row(name, "primitive", derivative, op, "", cuda, of_primitive(op, f))
    reason = REASONS.get(f)
    return Row(name, "-", "no", None, reason) if reason else None


def as_single(case: Case) -> Case:
    """The same program on arrays of float32."""
    args = tuple(
        a.astype(np.float32) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a
        for a in case.args
    )
    return replace(case, args=args)


def rows() -> list[Row]:
    """All rows, by module and name."""
    found = []
    for prefix, module in MODULES.items():
        for name, f in public_names(module):
            try:
                row = row_of(f"{prefix}.{name}" if prefix else name, f)
            except TypeError:  # not hashable
                continue
            if row is not None:
                found.append(replace(row, of_complex=row.kind != "-" and takes_complex(f)))
    return found


def different(found: list[Row], derivative: str = "yes", kind: str = "") -> set[Any]:
    """The functions behind the names: aliases count once, ``np.sum`` and ``a.sum`` as well."""
    return {r.meaning for r in found if r.derivative == derivative and r.kind.startswith(kind)}


def counts(found: list[Row]) -> str:
    """How many there are, in words."""
    refused = sum(r.derivative == "no" for r in found)
    return COUNTS.format(
        supported=len(found) - refused,
        different=len(different(found)),
        **{k: len(different(found, kind=k)) for k in ("library", "compiler")},
        primitives=len(different(found, kind="primitive")),
        zero=len(different(found, "zero")),
        refused=refused,
    )


def page() -> str:
    """The page."""
    found = rows()
    head = HEAD.replace("VERSIONS", VERSIONS).replace("COUNTS\n", counts(found))
    return head + "\n".join(map(str, found)) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
