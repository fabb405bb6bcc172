"""Which primitives Numba's CUDA target compiles, asked without a GPU or a toolkit.

In: a primitive.  Out: whether a device function that evaluates it, as ``backends.cuda`` prints it,
passes type inference and lowering for compute capability 8.0.  With the toolkit installed
(``.ci/cuda``) the same set is assembled to PTX for 8.0 and 9.0, and that for operands of all types;
see ``test_cuda_ptx``.
"""

from __future__ import annotations

import functools
import itertools
import warnings
from typing import Any

from numba import types

from srcad.backends.cuda import compile_text, emit_device
from srcad.errors import TypeMismatch
from srcad.ir.build import Builder
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Function
from srcad.ir.primitives import PRIMITIVES, WITH_ORDER
from srcad.ir.types import Scalar

INTEGERS = {"bitand", "bitor", "bitxor", "lshift", "rshift", "invert", "gcd", "lcm"}
KINDS = {"f8": types.float64, "f4": types.float32, "i8": types.int64, "b1": types.boolean}


class Device:
    """What compiling a called function asks the device for."""

    compute_capability = (8, 0)


def kinds(name: str) -> tuple[str, ...]:
    """The operands to compile a primitive for."""
    n = PRIMITIVES[name].arity
    if name in INTEGERS or name in ("and", "or"):
        return ("i8" if name in INTEGERS else "b1",) * n
    special = {"select": ("b1", "f8", "f8"), "ldexp": ("f8", "i8")}
    return special.get(name, ("i8", "f8") if name in WITH_ORDER else ("f8",) * n)


def combinations(name: str) -> list[tuple[str, ...]]:
    """All kinds of operands that a primitive takes."""
    first = kinds(name)
    fixed = name in INTEGERS or name in ("and", "or", "select", "ldexp") or name in WITH_ORDER
    return [first] if fixed else list(itertools.product(KINDS, repeat=len(first)))


def as_function(name: str, operands: tuple[str, ...]) -> Function | None:
    """A function of the operands that evaluates a primitive (``None``: it takes no such)."""
    b = Builder(Namer())
    params = tuple(b.var(f"a{k}", Scalar(kind)) for k, kind in enumerate(operands))
    try:
        result = b.op(name, *params)
    except (TypeMismatch, KeyError, AssertionError):
        return None
    return Function(f"p_{name}", params, Block(tuple(b.stack[0]), (result,)))


def patched() -> None:
    """Let functions that call others compile without a device."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from numba.cuda import compiler, dispatcher

    for module in (compiler, dispatcher):
        if hasattr(module, "get_current_device"):
            module.get_current_device = lambda: Device


def device_function(fn: Function) -> Any:
    """The dispatcher of a function."""
    patched()
    module = emit_device(fn)
    return compile_text(module.source, module.entry)


@functools.cache
def compiles(name: str) -> bool:
    """Whether the CUDA target compiles a primitive of numbers."""
    from numba.core.errors import NumbaError
    from numba.cuda.compiler import compile_cuda

    fn = as_function(name, kinds(name))
    assert fn is not None
    signature = tuple(KINDS[k] for k in kinds(name))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile_cuda(device_function(fn).py_func, None, signature, cc=(8, 0))
    except (NumbaError, KeyError):  # typing; no implementation
        return False
    return True


def assembled(name: str, operands: tuple[str, ...]) -> str:
    """What is wrong with a primitive of given operands when it is assembled to PTX."""
    from numba import cuda

    fn = as_function(name, operands)
    if fn is None:
        return ""
    signature = tuple(KINDS[k] for k in operands)
    try:
        for cc in ((8, 0), (9, 0)):
            _, kind = cuda.compile(device_function(fn).py_func, signature, device=True, cc=cc)
    except Exception as e:  # several kinds, none public
        return f"{name} {operands}: {type(e).__name__}: {str(e)[:200]}"
    want = KINDS[str(fn.body.yields[0].type)]
    return "" if kind == want else f"{name} {operands}: {kind}, not {want}"
