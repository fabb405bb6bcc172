"""Control flow: branches, loops over everything, while, break, continue, else, returns."""

import math

import numpy as np

from tests.zoo.registry import add, vec


def if_elif_else(x, y):
    if x > 2.0:
        r = x * y
    elif x > 1.0:
        r = x + y * y
    elif x > 0.2:
        r = math.sin(x) * y
    else:
        r = y
    return r * x


add(if_elif_else, lambda: (0.7, 1.3), (0, 1), "if")
add(if_elif_else, lambda: (1.7, 1.3), (0, 1), "if", name="if_elif_else_second")
add(if_elif_else, lambda: (0.1, 1.3), (0, 1), "if", name="if_elif_else_last")


def nested_conditional_expression(x, y):
    a = x * x if x > 0.5 else (y if y > 3.0 else x + y)
    b = (math.exp(y) if y < a else math.cos(y)) * (2.0 if x > y else 3.0)
    return a * b


add(nested_conditional_expression, lambda: (0.7, 1.3), (0, 1), "if expression", jit=True)


def chained_comparison(a, low, high):
    total = 0.0
    for i in range(len(a)):
        if low < a[i] <= high < 2.0:
            total += a[i] ** 2
        elif not (low < a[i]):
            total -= a[i] * low
        else:
            total += high * a[i]
    return total


add(chained_comparison, lambda: (vec(6), 0.6, 1.0), (0, 1, 2), "for if")


def and_or_not(x, y, flag):
    r = 0.0
    if (x > 0.5 and y > 0.5) or not flag:
        r += x * y
    if not (x > 0.5 or y < 0.1) or (flag and x < y):
        r += x**3
    if not not flag:
        r *= y
    return r


add(and_or_not, lambda: (0.7, 1.3, True), (0, 1), "if bool")
add(and_or_not, lambda: (0.2, 1.3, False), (0, 1), "if bool", name="and_or_not_other")


def short_circuit_guards_index(a, limit):
    i = 0
    total = 0.0
    while i < len(a) and a[i] < limit:
        total += a[i] * limit
        i += 1
    j = 3 * len(a)
    if j < len(a) and a[j] > 0.0 or i >= 0 and a[i - 1] > 0.0:
        total *= a[i - 1]
    return total


add(
    short_circuit_guards_index,
    lambda: (np.array([0.3, 0.5, 0.8, 0.9]), 2.0),
    (0, 1),
    "while short_circuit",
    jit=True,
)


def or_gives_a_value(x, y):
    z = 0.0
    first = z or x * y
    second = x and math.sin(y)
    third = first and z
    return first * second + third + (z or y)


add(or_gives_a_value, lambda: (0.7, 1.3), (0, 1), "short_circuit expression", jit=True)


def float_truth(x, n):
    r = 1.0
    if x:
        r *= x
    while n:
        r += x * n
        n -= 1
    return r if not (x - x) else 2.0 * r


add(float_truth, lambda: (0.7, 3), (0,), "while bool")
