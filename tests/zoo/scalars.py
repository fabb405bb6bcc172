"""Names and scalars: reassignment, types, augmented assignment, promotion, functions."""

import math
from math import cos, pi
from math import sqrt as root

import numpy as np
from numpy import arctan2

from tests.zoo.registry import add, vec


def identity(x):
    return x


add(identity, lambda: (0.7,), (0,), "trivial", jit=True)


def constant_result(x, n):
    return 3.0 * n


add(constant_result, lambda: (0.7, 2), (0,), "trivial")


def unused_argument(x, y):
    return x * x


add(unused_argument, lambda: (0.7, 1.3), (0, 1), "trivial")


def reassignment(x):
    x = x * x
    y = x
    x = math.sin(x) + y
    y = x * y
    x = y
    x = x * x * y
    return x


add(reassignment, lambda: (0.7,), (0,), "reassign", jit=True)


def type_changing(x, k):
    y = k
    y = y * x
    z = 1
    for i in range(3):
        z = z * 2
    z = z * y
    k = k + 0.5
    w = x
    w = int(w * 10.0)
    w = w * x
    return y + z * k + w


add(type_changing, lambda: (0.73, 2), (0,), "reassign types", jit=True)


def int_then_float_in_loop(a):
    s = 0
    for v in a:
        s = s + v * v
    p = 1
    for v in a:
        p *= v
    return s * p


add(int_then_float_in_loop, lambda: (vec(4),), (0,), "types promotion", jit=True)


def one_branch_variable(x, y):
    if x > 0.5:
        extra = x * y
        found = True
    else:
        found = False
    r = x
    if found:
        r += extra * extra
    for i in range(3):
        if i == 1:
            late = x + i
        if i > 1:
            r *= late
    return r


add(one_branch_variable, lambda: (0.7, 1.3), (0, 1), "branch_variable", jit=True)


def swaps(x, y, z):
    x, y = y, x
    for i in range(3):
        x, y, z = y, z * x, x + 0.1 * i
    a, (b, c) = x, (y, z)
    (a, b), c = (b, a), c * a
    return a * b + c


add(swaps, lambda: (0.7, 1.3, 0.4), (0, 1, 2), "tuple swap", jit=True)


def multiple_targets(x):
    a = b = c = x * x
    b += 1.0
    c = d = a * b
    return a + b * c * d


add(multiple_targets, lambda: (0.7,), (0,), "assign")


def augmented_floats(x, y):
    r = x
    r += y
    r -= 0.5 * x
    r *= y + 1.0
    r /= x + 0.2
    r **= 2
    r **= y
    r %= 3.0
    r += (5.0 * x) // 1.0
    return r


add(augmented_floats, lambda: (0.7, 1.3), (0, 1), "augmented", jit=True)


def augmented_ints(x, n):
    k = n
    k += 3
    k -= 1
    k *= 5
    k //= 2
    k %= 11
    k <<= 2
    k >>= 1
    k |= 9
    k &= 29
    k ^= 3
    k **= 2
    flag = k > 3
    flag &= x > 0.0
    flag |= k == 0
    return x**2 * k if flag else x


add(augmented_ints, lambda: (0.7, 4), (0,), "augmented int", jit=True)


def bit_operations(x, n):
    mask = (n << 3) | 5
    k = (mask & ~2) ^ (n >> 1)
    return x * k + x ** (k % 3) - (+x) * (-k)


add(bit_operations, lambda: (0.7, 5), (0,), "int")


def int_float_bool_mixing(x, k, flag):
    r = k * x + flag
    r = r + (x > 0.5) * x
    r += k / 3 + k // 3 * x + k % 3
    r *= True
    r -= flag * k
    return r * (1 if flag else 2.5)


add(int_float_bool_mixing, lambda: (0.7, 7, True), (0,), "promotion bool int")


def integer_division_signs(x, k):
    a = -k // 3
    b = -k % 3
    c = k // -3
    d = (-k) ** 3
    return x * (a + 10 * b + 100 * c + 0.001 * d)


add(integer_division_signs, lambda: (0.7, 7), (0,), "int")


def float_modulo_and_floor(x, y):
    a = (7.3 * x) % y
    b = (-7.3 * x) % y
    c = (7.3 * x) // y
    d = np.fmod(-7.3 * x, y)
    return a * x + b * b + c * x + d


add(float_modulo_and_floor, lambda: (0.7, 1.3), (0, 1), "promotion modulo", jit=True)


def walrus(a, x):
    s = 0.0
    if (t := a[0] * x) > 0.1:
        s += t * t
    while (v := s * x + a[1]) < 3.0:
        s += v
    return s * (u := t + 1.0) + u * v


add(walrus, lambda: (vec(2), 0.7), (0, 1), "walrus while", njit=False, jit=True)


def walrus_in_conditions(a):
    s = 0.0
    i = 0
    while (v := a[i]) < 1.2 and (i := i + 1) < len(a):
        s += v * v
    if (t := s * 2.0) > 1.0:
        s += t
    return s * (u := t + 1.0) + u


add(walrus_in_conditions, lambda: (np.array([0.3, 0.9, 0.7, 1.3]),), (0,), "walrus while",
    njit=False)  # fmt: skip


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


add(power_with_int_base_and_exponents, lambda: (0.7, 4), (0,), "power int")


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


add(int_of_active, lambda: (0.73, 1.3), (0, 1), "int nondiff")


def math_functions(x):
    s = math.sin(x) + math.cos(x) * math.tan(x)
    s += math.exp(x) + math.log(x) + math.log2(x) + math.log10(x)
    s += math.sqrt(x) * math.sinh(x) + math.cosh(x) - math.tanh(x)
    s += math.asin(x) + math.acos(x) * math.atan(x) + math.atan2(x, 0.3)
    s += math.asinh(x) + math.acosh(x + 1.0) + math.atanh(x)
    s += math.expm1(x) + math.log1p(x) + math.hypot(x, 2.0) + math.fabs(-x)
    s += math.erf(x) + math.erfc(x) + math.lgamma(x + 1.0) + math.degrees(x) * math.radians(x)
    return s


add(math_functions, lambda: (0.6,), (0,), "elementary", jit=True)


def numpy_scalar_functions(x):
    s = np.sin(x) + np.cos(x) * np.tan(x)
    s += np.exp(x) + np.log(x) + np.log2(x) + np.log10(x) + np.exp2(x)
    s += np.sqrt(x) * np.sinh(x) + np.cosh(x) - np.tanh(x)
    s += np.arcsin(x) + np.arccos(x) * np.arctan(x) + np.arctan2(0.3, x)
    s += np.arcsinh(x) + np.arccosh(x + 1.0) + np.arctanh(x)
    s += np.expm1(x) + np.log1p(x) + np.hypot(x, 2.0) + np.abs(-x) + np.fabs(-x)
    s += np.square(x) + np.reciprocal(x) + np.sign(x) * x + np.maximum(x, 0.1)
    return s + np.minimum(x, 0.1) + np.power(x, 3) + np.logaddexp(x, 0.3) + np.deg2rad(x)


add(numpy_scalar_functions, lambda: (0.6,), (0,), "elementary", jit=True)


def imported_names(x, y):
    return cos(pi * x) + root(y) * arctan2(x, y) + math.e * x + np.pi


add(imported_names, lambda: (0.7, 1.3), (0, 1), "imports")


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


add(tape, lambda: (0.7, 1.3, 0.4, 2, 0.9, 0.3), (0, 1, 2, 4, 5), "names", jit=True)


def awkward_names(n, _, l, O, self, y_b, y_b_b):
    pushes = n * _
    for i_b in range(2):
        x_b_t = l * O + i_b
        pushes += x_b_t * self
    np_ = y_b * y_b_b
    return pushes * np_


add(awkward_names, lambda: (0.7, 1.3, 0.4, 0.6, 0.9, 0.3, 1.1), tuple(range(7)), "names")


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


add(cancels, lambda: (0.7, 1.3), (0, 1), "trivial")


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


add(returns_tuple, lambda: (0.7, 1.3), (0, 1), "tuple output", jit=True)


def returns_same_twice(x):
    return x, x


add(returns_same_twice, lambda: (0.7,), (0,), "tuple output")


def returns_with_integers(x, n):
    k = n * 2
    return x * k, k, k > 3


add(returns_with_integers, lambda: (0.7, 2), (0,), "tuple output int")


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


add(infinities, lambda: (0.7,), (0,), "inf")
