"""How compiled code spells what is computed element by element: NumPy's names to expressions.

The expressions are the primitives' own (``ir.primitives``), by the NumPy function that the eager
kernels call for them; functions that libmvec has are called so that loops over them vectorize
(``runtime.vector_math``).  Casts to the node's type are added by the caller.
"""

from __future__ import annotations

import inspect
import math
import re
from typing import Any

import numba
import numpy as np

from srcad.ir.primitives import PRIMITIVES, WITH_ORDER
from srcad.runtime import RUNTIME_HELPERS, with_callees
from srcad.runtime.vector_math import NAMES, vector_math
from srcad.tape import kernels

_NAN_MAX = "({0} if {0} >= {1} or {0} != {0} else {1})"
_NAN_MIN = "({0} if {0} <= {1} or {0} != {0} else {1})"
ELEMENTS = {
    "add": "({0} + {1})",
    "subtract": "({0} - {1})",
    "multiply": "({0} * {1})",
    "divide": "({0} / {1})",
    "power": "({0} ** {1})",
    "floor_divide": "({0} // {1})",
    "remainder": "({0} % {1})",
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
    "logical_xor": "({0} != {1})",
    "logical_not": "(not {0})",
    "bitwise_and": "({0} & {1})",
    "bitwise_or": "({0} | {1})",
    "bitwise_xor": "({0} ^ {1})",
    "left_shift": "({0} << {1})",
    "right_shift": "({0} >> {1})",
    "invert": "(~{0})",
    "isfinite": "math.isfinite({0})",
    "isinf": "math.isinf({0})",
    "isnan": "math.isnan({0})",
    "sign": "np.sign({0})",
    "square": "({0} * {0})",
    "expit": "sigmoid({0})",
    "astype": "{0}",
}
ZERO_ONE = {"logical_and", "logical_or", "logical_not"}  # operands of which are bools


def _template(name: str) -> str:
    """A primitive's expression; helpers take float64, orders are integers."""
    template = PRIMITIVES[name].template
    if name in WITH_ORDER:
        template = template.replace("{0}", "np.int64({0})")
    if "srcad_" in template:
        template = re.sub(r"(?<!int64\()\{(\d)\}", r"np.float64({\1})", template)
    return template


def _from_primitives() -> dict[str, str]:
    """Expressions of the primitives whose kernel is a NumPy or SciPy function."""
    found = {}
    tables = (kernels.FLOAT_UNARY, kernels.ANY_UNARY, kernels.FLOAT_BINARY, kernels.ANY_BINARY)
    for name, kernel in {k: v for table in tables for k, v in table.items()}.items():
        template = _template(name)
        if (isinstance(kernel, np.ufunc) or kernel is np.sinc) and "{0}" in template:
            found[kernel.__name__] = re.sub(r"math\.(\w+)\(", _vectorized, template)
    return found


def _vectorized(call: re.Match[str]) -> str:
    name = call[1]
    return f"vector_{name}(" if name in NAMES and hasattr(math, name) else call[0]


OF_PRIMITIVES = {f"primitive_{n}": _template(n) for n in PRIMITIVES}
ELEMENTS = OF_PRIMITIVES | _from_primitives() | ELEMENTS
MAPPED = [n for n in NAMES if hasattr(math, n)]


def power(exponent: Any) -> str | None:
    """A short form of a power whose exponent is known."""
    return {2.0: "({0} * {0})", 1.0: "{0}", 0.5: "math.sqrt({0})", 3.0: "({0} * {0} * {0})"}.get(
        float(exponent)
    )


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) without overflow, in a form that vectorizes."""
    t = vector_exp(-abs(x))  # type: ignore[name-defined]  # noqa: F821
    return (t**0 if x >= 0 else t) / (t**0 + t)


def checked(index: int, size: int) -> int:
    """An index that is there."""
    if index < 0 or index >= size:
        raise IndexError("index out of range")
    return index


def namespace(source: str, compiled: bool = True) -> dict[str, Any]:
    """What generated source may call; with ``compiled`` off, plain Python functions."""
    space: dict[str, Any] = {"np": np, "math": math}
    space |= {f"vector_{n}": vector_math(n) if compiled else getattr(math, n) for n in MAPPED}
    used = sorted(set(re.findall(r"\bsrcad_\w+", source)) & set(RUNTIME_HELPERS))
    helpers = {n: RUNTIME_HELPERS[n] for n in with_callees(used)}
    helpers |= {"sigmoid": sigmoid, "checked": checked}
    for f in helpers.values():
        exec(
            compile(
                "from __future__ import annotations\n" + inspect.getsource(f), "<helper>", "exec"
            ),
            space,
        )
    if compiled:
        for name in helpers:
            space[name] = numba.njit(space[name], error_model="numpy")
    return space


def device_helpers(source: str) -> dict[str, Any]:
    """What source for the device may call besides ``math`` and NumPy."""
    used = sorted(set(re.findall(r"\bsrcad_\w+", source)) & set(RUNTIME_HELPERS))
    return {n: RUNTIME_HELPERS[n] for n in with_callees(used)} | {"sigmoid": device_sigmoid}


def device_sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)) without overflow."""
    t = math.exp(-abs(x))
    return (t**0 if x >= 0 else t) / (t**0 + t)
