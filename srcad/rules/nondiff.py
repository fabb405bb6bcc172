"""Declared zeros: rounding, tests, logic, integer operations, casts to int and bool.

Their derivative is zero wherever it exists; at the jumps it is taken as zero as well.
"""

from __future__ import annotations

import math
import operator

import numpy as np

from srcad.rules.declare import not_implemented, zero_rule
from srcad.runtime.special import srcad_exponent

# rounding
zero_rule("floor", np.floor)
zero_rule("ceil", np.ceil)
zero_rule("trunc", np.trunc, np.fix)
zero_rule("rint", np.rint)
zero_rule("ifloor", math.floor)
zero_rule("iceil", math.ceil)
zero_rule("iround", round)
zero_rule("floordiv", operator.floordiv, np.floor_divide)
zero_rule("sign", np.sign)
zero_rule("i8", int, np.int64, math.trunc)
zero_rule("b1", bool, np.bool_)

# what the user takes as constant
zero_rule("stop_gradient")

# positions that LLVM does not look through
zero_rule("opaque")

# comparisons and tests
zero_rule("lt", operator.lt, np.less)
zero_rule("le", operator.le, np.less_equal)
zero_rule("gt", operator.gt, np.greater)
zero_rule("ge", operator.ge, np.greater_equal)
zero_rule("eq", operator.eq, np.equal)
zero_rule("ne", operator.ne, np.not_equal)
zero_rule("isnan", math.isnan, np.isnan)
zero_rule("isinf", math.isinf, np.isinf)
zero_rule("isfinite", math.isfinite, np.isfinite)
zero_rule("signbit", np.signbit)

# logic and integers
zero_rule("and")
zero_rule("or")
zero_rule("not", operator.not_)
zero_rule("logical_and", np.logical_and)
zero_rule("logical_or", np.logical_or)
zero_rule("logical_xor", np.logical_xor)
zero_rule("logical_not", np.logical_not)
zero_rule("bitand", operator.and_, np.bitwise_and)
zero_rule("bitor", operator.or_, np.bitwise_or)
zero_rule("bitxor", operator.xor, np.bitwise_xor)
zero_rule("lshift", operator.lshift, np.left_shift)
zero_rule("rshift", operator.rshift, np.right_shift)
zero_rule("invert", operator.invert, np.invert)
zero_rule("gcd", math.gcd, np.gcd)
zero_rule("lcm", math.lcm, np.lcm)
zero_rule("exponent", srcad_exponent)

# no derivative, and why
not_implemented(
    np.frombuffer,
    np.lib.stride_tricks.as_strided,
    reason="it looks at memory in another way than the arrays it was made for",
)
if hasattr(np, "unstack"):
    not_implemented(
        np.unstack, reason="the number of arrays is known at run time only; write x[0], x[1]"
    )
not_implemented(np.isnat, reason="dates are no numbers of the subset")
not_implemented(
    np.polynomial.polynomial.Polynomial,
    reason="objects of classes are outside the subset; use polyval and the like",
)
