"""Derivatives as device functions: where a user's ``@cuda.jit`` kernel holds one and calls it.

In: a program and the few lines around its call (``njit_code``).  Out: CUDA dispatchers, for which
neither a GPU nor the toolkit is needed until the kernel is compiled.

Invariant: nothing raises on the device.  Where compiled code of the processor would raise (shadows
of another shape, arrays in each other's memory), every float result is NaN and so is every float
array that the call writes.

Limits: a device function returns no array.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from srcad.api.device_matrices import as_loops
from srcad.api.njit_code import returned
from srcad.api.specialisation import written_arrays
from srcad.backends.cuda import FAILED, compile_text, emit_device
from srcad.compiler import Program, finished
from srcad.errors import TypeMismatch
from srcad.ir.nodes import Function
from srcad.ir.types import ArrayT, is_float
from srcad.runtime.device import DEVICE_HELPERS
from srcad.specs import Spec
from srcad.storage.device import device, expanded, operations


def whole(program: Program) -> Program:
    """A program in one piece: calls and array operations expanded.

    Raises:
        UnsupportedSyntax: it is recursive, or has operations that the device does not have.
    """
    fn = expanded(program.fn)
    fn = expanded(as_loops(fn, program.options))
    operations(fn)
    return program.with_fn(fn)


def device_fn(program: Program) -> Function:
    """The IR of a program (in one piece) as device code has it.

    Raises:
        UnsupportedSyntax: it has what a device function cannot have.
    """
    return device(finished(program, whole=True, threads=False))


def device_entry(program: Program) -> tuple[str, Any]:
    """The text of a device function, and its dispatcher.

    Raises:
        TypeMismatch: it returns an array.
    """
    if any(isinstance(y.type, ArrayT) for y in program.fn.body.yields):
        raise TypeMismatch(
            f"a device function of {program.source.name} would return an array",
            program.source.loc(program.source.node),
            "the memory of a device function ends with its call",
            "pass the numbers as a tuple, or use srcad.adjoint(f)(x, x_b, ...) with arrays of "
            "the caller",
        )
    module = emit_device(device_fn(whole(program)))
    return module.source, compile_text(module.source, module.entry, program.fn.name)


def device_function(f: Any) -> Any:
    """A Python function as a device function."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from numba import cuda

        return cuda.jit(device=True)(f)  # type: ignore[no-untyped-call]


def without_exceptions(
    lines: list[str],
    program: Program,
    leaves: list[str],
    names: dict[str, Any],
    picked: tuple[Spec, int] | None,
    wrap: str,
) -> list[str]:
    """The lines before a call, NaN in place of exceptions."""
    kinds = [str(y.type) for y in program.fn.body.yields]
    failed = returned(program, [FAILED.get(k, "False") for k in kinds], picked, wrap, names)
    marks: list[str] = []
    for k in written_arrays(program.fn):
        t = program.fn.params[k].type
        if isinstance(t, ArrayT) and is_float(t):
            names[f"_mark_{t.ndim}"] = device_function(DEVICE_HELPERS[f"srcad_mark_{t.ndim}"])
            marks.append(f"_mark_{t.ndim}({leaves[k]})")
    out: list[str] = []
    for line in lines:
        if line.lstrip().startswith("raise "):
            indent = line[: len(line) - len(line.lstrip())]
            out += [indent + x for x in (*marks, f"return {failed}")]
        else:
            out.append(line)
    names["math"] = math
    return out
