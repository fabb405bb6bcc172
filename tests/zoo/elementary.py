"""Elementary functions, awkward names, inactive values, scalar results."""

import math
from math import cos, pi
from math import sqrt as root

import numpy as np
from numpy import arctan2

from tests.zoo.registry import add


def powers(x, y, n):
    s = x**2 + x**3 - x**-1 + x**0.5 + x**0
    s += 2**y + 2.5**x + x**y
    s += (x - 3.0) ** 2 + (x - 3.0) ** n
    s += pow(x, 1.5) + math.pow(y, 2.0) + x**n**0.5
    return s


add(powers, lambda: (0.7, 1.3, 3), (0, 1), "power", jit=True)


def power_with_int_base_and_exponents(x, n):
    s = 0.0
    for k in range(n):
        s += x**k * 2**k
        s += (k + 1) ** x
    return s


add(power_with_int_base_and_exponents, lambda: (0.7, 4), (0,), "power int", jit=True)


def builtin_functions(x, y):
    s = abs(x - y) + abs(-x)
    s += max(x, y) * min(x, y) + max(x, y, 1.0) + min(x, 2, y)
    s += float(3) * x + int(2.7) * y + round(x * 10.0) + bool(x)
    return s


add(builtin_functions, lambda: (0.7, 1.3), (0, 1), "builtin", jit=True)


def int_of_active(x, y):
    k = int(10.0 * x)
    r = round(3.3 * y)
    return k * y + r * x + math.floor(5.5 * x) * y + math.ceil(5.5 * x) * y + np.floor(y) * x


add(int_of_active, lambda: (0.73, 1.3), (0, 1), "int nondiff", jit=True)


def math_functions(x):
    s = math.sin(x) + math.cos(x) * math.tan(x)
    s += math.exp(x) + math.log(x) + math.log2(x) + math.log10(x)
    s += math.sqrt(x) * math.sinh(x) + math.cosh(x) - math.tanh(x)
    s += math.asin(x) + math.acos(x) * math.atan(x) + math.atan2(x, 0.3)
    s += math.asinh(x) + math.acosh(x + 1.0) + math.atanh(x)
    s += math.expm1(x) + math.log1p(x) + math.hypot(x, 2.0) + math.fabs(-x)
    s += math.erf(x) + math.erfc(x) + math.lgamma(x + 1.0) + math.degrees(x) * math.radians(x)
    return s


add(math_functions, lambda: (0.6,), (0,), "elementary")


def numpy_scalar_functions(x):
    s = np.sin(x) + np.cos(x) * np.tan(x)
    s += np.exp(x) + np.log(x) + np.log2(x) + np.log10(x) + np.exp2(x)
    s += np.sqrt(x) * np.sinh(x) + np.cosh(x) - np.tanh(x)
    s += np.arcsin(x) + np.arccos(x) * np.arctan(x) + np.arctan2(0.3, x)
    s += np.arcsinh(x) + np.arccosh(x + 1.0) + np.arctanh(x)
    s += np.expm1(x) + np.log1p(x) + np.hypot(x, 2.0) + np.abs(-x) + np.fabs(-x)
    s += np.square(x) + np.reciprocal(x) + np.sign(x) * x + np.maximum(x, 0.1)
    return s + np.minimum(x, 0.1) + np.power(x, 3) + np.logaddexp(x, 0.3) + np.deg2rad(x)


add(numpy_scalar_functions, lambda: (0.6,), (0,), "elementary")


def imported_names(x, y):
    return cos(pi * x) + root(y) * arctan2(x, y) + math.e * x + np.pi


add(imported_names, lambda: (0.7, 1.3), (0, 1), "imports", jit=True)


def tape(tape, x_b, x_t, i, adj, d):
    x = tape * x_b
    tape_b = x + x_t
    for _ in range(i):
        stack = tape_b * adj
        tape_b = tape_b + stack * x_t
        d_x = d * stack
        x = x + d_x
    out, out_b, t0, tmp, v1 = x, tape_b, 0.5, x_t, x * 2.0
    return out * out_b + t0 * tmp * v1


add(tape, lambda: (0.7, 1.3, 0.4, 2, 0.9, 0.3), (0, 1, 2, 4, 5), "names")


def awkward_names(n, _, l, O, self, y_b, y_b_b):
    pushes = n * _
    for i_b in range(2):
        x_b_t = l * O + i_b
        pushes += x_b_t * self
    np_ = y_b * y_b_b
    return pushes * np_


add(awkward_names, lambda: (0.7, 1.3, 0.4, 0.6, 0.9, 0.3, 1.1), tuple(range(7)), "names", jit=True)


def constants_and_inactive(x, c, k):
    scale = c * c + k
    r = scale * x
    c = 2.0 * c
    return r * c + scale


add(constants_and_inactive, lambda: (0.7, 1.3, 2), (0,), "inactive", jit=True)


def active_then_constant(x, n):
    y = x * x
    s = y
    y = 2.0
    for i in range(n):
        s += x * y
        y = 3.0 + i
    return s * y


add(active_then_constant, lambda: (0.7, 3), (0,), "inactive reassign", jit=True)


def cancels(x, y):
    z = x - x
    w = x * y / y
    return z + w + 0.0 * y


add(cancels, lambda: (0.7, 1.3), (0, 1), "trivial", jit=True)


def overwrites_needed_values(x, n):
    y = x
    for i in range(n):
        y = y * y - x
        x = math.sin(y) + x
        y = x * y
    return y


add(overwrites_needed_values, lambda: (0.7, 4), (0,), "tbr reassign", jit=True)


def deep_expression(x, y):
    return ((x + y) * (x - y) / (1.0 + x * x + y * y) - (-x) ** 2) * (x / y) / (2.0 - (y - x) / 3.0)


add(deep_expression, lambda: (0.7, 1.3), (0, 1), "expression")


def guarded_singularity(x, y):
    d = x - 0.7
    r = math.sin(d) / d if d != 0.0 else 1.0
    q = math.log(y) if y > 0.0 else 0.0
    return r * y + q


add(guarded_singularity, lambda: (0.7, 1.3), (1,), "if expression")


def returns_tuple(x, y):
    s = x * y
    return s, (x + s, 2.0), s * s


add(returns_tuple, lambda: (0.7, 1.3), (0, 1), "tuple output")


def returns_same_twice(x):
    return x, x


add(returns_same_twice, lambda: (0.7,), (0,), "tuple output", jit=True)


def returns_with_integers(x, n):
    k = n * 2
    return x * k, k, k > 3


add(returns_with_integers, lambda: (0.7, 2), (0,), "tuple output int", jit=True)


def numpy_scalar_argument(x, y):
    return x * y + np.float64(x) * np.float64(2) + float(y)


add(numpy_scalar_argument, lambda: (np.float64(0.7), np.float64(1.3)), (0, 1), "promotion")


def infinities(x):
    best = np.inf
    worst = -math.inf
    for i in range(3):
        v = (x - i) ** 2 + 0.1
        if v < best:
            best = v
        worst = max(worst, v)
    return best * worst


add(infinities, lambda: (0.7,), (0,), "inf", jit=True)
