"""``math`` for compiled loops: functions that LLVM can call on whole vectors.

Generated code calls ``vmath.exp`` where the loop around it may become a vector loop.  In scalar
code, and where there is no libmvec, these are libm's functions (``runtime.vector_math``).
``vmath.opaque`` is a number about which LLVM is not to reason (``runtime.opaque``).
"""

from __future__ import annotations

import math

from srcad.runtime.opaque import opaque  # noqa: F401  (for generated code)
from srcad.runtime.vector_math import NAMES, vector_math

OF_MATH = tuple(name for name in NAMES if hasattr(math, name) and name not in ("exp2", "cbrt"))
globals().update({name: vector_math(name) for name in OF_MATH})
