"""Which primitives Numba's CUDA target compiles, asked without a GPU or a toolkit.

In: a primitive.  Out: whether a device function that evaluates it, as the printer spells it, passes
type inference and lowering for compute capability 8.0.  (With the toolkit installed the same set is
assembled to PTX for 8.0 and 9.0; see ``main``.)

``min`` and ``max`` are given as device functions: the overloads of the target that comes with Numba
0.68 fail before its own implementation is tried, those of ``numba-cuda`` do not.
"""

from __future__ import annotations

import functools
import inspect
import math
import warnings
from typing import Any

import numpy as np
from numba import types

from srcad.ir.primitives import PRIMITIVES, WITH_ORDER
from srcad.runtime import RUNTIME_HELPERS

INTEGERS = {"bitand", "bitor", "bitxor", "lshift", "rshift", "invert", "gcd", "lcm"}
KINDS = {"f8": types.float64, "i8": types.int64, "b1": types.boolean}


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


def smaller(a: float, b: float) -> float:
    """``min``."""
    return b if b < a else a


def larger(a: float, b: float) -> float:
    """``max``."""
    return b if b > a else a


@functools.cache
def scope() -> dict[str, Any]:
    """The names that templates use, run-time helpers as device functions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from numba import cuda
        from numba.cuda import dispatcher

    dispatcher.get_current_device = lambda: Device  # type: ignore[attr-defined]
    device = cuda.jit(device=True)
    found: dict[str, Any] = {"math": math, "np": np, "min": device(smaller), "max": device(larger)}
    for name, f in RUNTIME_HELPERS.items():
        exec(f"from __future__ import annotations\n{inspect.getsource(f)}", found)
        found[name] = device(found[name])
    return found


def device_function(name: str) -> Any:
    """A function of the operands that evaluates a primitive."""
    template = PRIMITIVES[name].template
    names = [f"a{i}" for i in range(PRIMITIVES[name].arity)]
    text = template.format(*names) if "{" in template else f"a0 {template} a1"
    known = scope()
    exec(f"def f({', '.join(names)}): return {text}", known)
    return known["f"]


@functools.cache
def compiles(name: str) -> bool:
    """Whether the CUDA target compiles a primitive of numbers."""
    from numba.core.errors import NumbaError
    from numba.cuda.compiler import compile_cuda

    signature = tuple(KINDS[k] for k in kinds(name))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile_cuda(device_function(name), None, signature, cc=(8, 0))
    except (NumbaError, KeyError):  # typing; no implementation
        return False
    return True


def assembles(name: str) -> bool:
    """The same by the toolkit, to PTX for compute capabilities 8.0 and 9.0."""
    from numba import cuda

    signature = tuple(KINDS[k] for k in kinds(name))
    try:
        for cc in ((8, 0), (9, 0)):
            cuda.compile(device_function(name), signature, device=True, cc=cc)
    except Exception:  # several kinds, none public
        return False
    return True


def main() -> None:
    """Print what the toolkit and the derivation disagree about (with ``numba-cuda[cu13]``)."""
    wrong = [n for n in PRIMITIVES if assembles(n) != compiles(n)]
    print(f"{sum(map(compiles, PRIMITIVES))} of {len(PRIMITIVES)} primitives; differences: {wrong}")


if __name__ == "__main__":
    main()
