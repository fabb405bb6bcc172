"""Names and scalars: reassignment, types, augmented assignment, promotion, functions."""

import math

import numpy as np

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


add(reassignment, lambda: (0.7,), (0,), "reassign")


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


add(int_then_float_in_loop, lambda: (vec(4),), (0,), "types promotion")


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


add(swaps, lambda: (0.7, 1.3, 0.4), (0, 1, 2), "tuple swap")


def multiple_targets(x):
    a = b = c = x * x
    b += 1.0
    c = d = a * b
    return a + b * c * d


add(multiple_targets, lambda: (0.7,), (0,), "assign", jit=True)


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


add(augmented_floats, lambda: (0.7, 1.3), (0, 1), "augmented")


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


add(augmented_ints, lambda: (0.7, 4), (0,), "augmented int")


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


add(int_float_bool_mixing, lambda: (0.7, 7, True), (0,), "promotion bool int", jit=True)


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


add(
    walrus_in_conditions,
    lambda: (np.array([0.3, 0.9, 0.7, 1.3]),),
    (0,),
    "walrus while",
    njit=False,
)
