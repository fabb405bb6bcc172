"""Control flow: branches, loops over everything, while, break, continue, else, returns."""

import math

import numba
import numpy as np

from tests.zoo.registry import add, mat, vec


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


add(if_elif_else, lambda: (0.7, 1.3), (0, 1), "if", jit=True)
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


add(chained_comparison, lambda: (vec(6), 0.6, 1.0), (0, 1, 2), "for if", jit=True)


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


add(short_circuit_guards_index, lambda: (np.array([0.3, 0.5, 0.8, 0.9]), 2.0), (0, 1),
    "while short_circuit", jit=True)  # fmt: skip


def or_gives_a_value(x, y):
    z = 0.0
    first = z or x * y
    second = x and math.sin(y)
    third = first and z
    return first * second + third + (z or y)


add(or_gives_a_value, lambda: (0.7, 1.3), (0, 1), "short_circuit expression")


def float_truth(x, n):
    r = 1.0
    if x:
        r *= x
    while n:
        r += x * n
        n -= 1
    return r if not (x - x) else 2.0 * r


add(float_truth, lambda: (0.7, 3), (0,), "while bool")


def range_steps(a):
    s = 0.0
    for i in range(1, len(a), 2):
        s += a[i] * i
    for i in range(len(a) - 1, -1, -1):
        s = s * 0.5 + a[i]
    for i in range(5, 0, -2):
        s += math.sin(a[i] * s)
    for i in range(-3, 3, 3):
        s += a[i] * s
    return s


add(range_steps, lambda: (vec(6),), (0,), "for", jit=True)


def computed_step(a, k):
    s = 1.0
    for i in range(0, len(a), k):
        s += a[i] * s
    for i in range(len(a) - 1, 0, -k):
        s *= a[i]
    step = 1 if k > 5 else -1
    for i in range(3 if step < 0 else 0, 0 if step < 0 else 3, step):
        s += a[i] ** 2 * s
    return s


add(computed_step, lambda: (vec(5), 2), (0,), "for")


def triangular_loops(a):
    n = len(a)
    s = 0.0
    for i in range(n):
        for j in range(i):
            for k in range(j, i + 1):
                s += a[i] * a[j] * math.cos(a[k] + s)
    return s


add(triangular_loops, lambda: (vec(4),), (0,), "for nested", jit=True)


def empty_ranges(x, n):
    s = x
    for i in range(n):
        s *= 2.0 + i
    for i in range(5, 2):
        s = 0.0 * i
    for i in range(2, 5, -1):
        s = 0.0 * i
    for i in range(3):
        for j in range(i, 1):
            s += x * (j + 1)
    return s * x


add(empty_ranges, lambda: (0.7, 0), (0,), "for empty", jit=True)


def loop_variable_after_loop(a):
    s = 0.0
    i = 0
    for i in range(len(a)):
        if a[i] > 1.0:
            break
        s += a[i]
    for j in range(3):
        s += a[j] * i
    return s * a[i] + a[j] * i


add(loop_variable_after_loop, lambda: (np.array([0.3, 0.9, 1.3, 0.5]),), (0,), "for break",
    jit=True)  # fmt: skip


def loop_variable_reassigned(a):
    s = 0.0
    n = len(a)
    for i in range(n):
        i = (i + 2) % n
        n = 1
        s += a[i] * (i + 1) * s + a[i]
    return s + i + n


add(loop_variable_reassigned, lambda: (vec(4),), (0,), "for shadowing")


def prange_sum(a, w):
    s = 0.0
    out = np.zeros(len(a))
    for i in numba.prange(len(a)):
        s += a[i] * w
        out[i] = math.exp(-a[i]) * w
    return s + np.sum(out)


add(prange_sum, lambda: (vec(4), 0.6), (0, 1), "for prange")


def for_over_array(a, x):
    s = x
    for v in a:
        s = s * v + math.sin(v)
    return s


add(for_over_array, lambda: (vec(5), 0.8), (0, 1), "for iterate", jit=True)


def for_over_rows(m):
    s = 0.0
    for row in m:
        row[0] *= row[1]
        for v in row:
            s += v * v
    return s + m[0, 0]


add(for_over_rows, lambda: (mat(3, 2),), (0,), "for iterate views inplace", jit=True)


def for_over_tuple(x, y):
    s = 0.0
    for v in (x, y, x * y, 2.0):
        s = s * v + v
    return s


add(for_over_tuple, lambda: (0.7, 1.3), (0, 1), "for tuple", jit=True)


def for_over_mixed_tuple(x, a):
    s = x
    for v in (2, x, 3.5, True):
        s = s * x + v
    for item in (a, a[1:]):
        s += np.sum(item) * s
    return s


add(for_over_mixed_tuple, lambda: (0.7, vec(3)), (0, 1), "for tuple mixed", njit=False)


def enumerate_array(a):
    s = 0.0
    for k, v in enumerate(a):
        s += v ** (k + 1)
    for k, v in enumerate(a, 2):
        s += v * k * s
    return s


add(enumerate_array, lambda: (vec(4),), (0,), "for enumerate", jit=True)


def zip_arrays(a, b, c):
    s = 0.0
    for u, v in zip(a, b):
        s = s * u + v
    for u, v, w in zip(a, b, c):
        s += u * v * w
    return s


add(zip_arrays, lambda: (vec(4), vec(3), vec(4, 2)), (0, 1, 2), "for zip", jit=True)


def enumerate_zip(a, b):
    s = 0.0
    for i, (u, v) in enumerate(zip(a, b)):
        if i % 2 == 0:
            continue
        s += u * v + i * u
    return s


add(enumerate_zip, lambda: (vec(5), vec(5, 1)), (0, 1), "for zip enumerate continue")


def reversed_things(a, x):
    s = x
    for i in reversed(range(len(a))):
        s = s * x + a[i] * i
    for v in a[::-1]:
        s = math.sin(s) + v
    return s


add(reversed_things, lambda: (vec(4), 0.8), (0, 1), "for reversed", njit=False)


def reversed_array(a):
    s = 1.0
    for v in reversed(a):
        s = s * v + 0.5
    for v in reversed((a[0], s)):
        s += v * s
    return s


add(reversed_array, lambda: (vec(4),), (0,), "for reversed", njit=False)


def data_dependent_while(x, tol):
    y = x
    steps = 0
    while abs(y * y - x) > tol:
        y = 0.5 * (y + x / y)
        steps += 1
    return y * steps


add(data_dependent_while, lambda: (2.3, 1e-3), (0,), "while", jit=True)


def while_true_break(x):
    s = x
    while True:
        s = s * 1.5 + 0.1
        if s > 4.0:
            break
        s += math.sin(s)
    return s


add(while_true_break, lambda: (0.7,), (0,), "while break", jit=True)


def while_continue_else(x, n):
    s = 0.0
    k = 0
    while k < n:
        k += 1
        if k == 2:
            continue
        s += x**k
    else:
        s *= x
    while k > 0:
        k -= 2
        if s > 1e9:
            break
    else:
        s += x * k
    return s


add(while_continue_else, lambda: (0.7, 5), (0,), "while continue else")


def for_else(a, limit):
    s = 0.0
    for v in a:
        if v > limit:
            s += v * v
            break
        s += v
    else:
        s *= limit
    return s * limit


add(for_else, lambda: (vec(4), 5.0), (0, 1), "for else break", jit=True)
add(for_else, lambda: (vec(4), 0.7), (0, 1), "for else break", name="for_else_broken")


def nested_for_else(m, limit):
    s = 1.0
    for i in range(m.shape[0]):
        for j in range(m.shape[1]):
            if m[i, j] > limit:
                break
            s *= m[i, j] + 0.5
        else:
            s += m[i, 0]
            continue
        if s > 100.0:
            break
        s -= m[i, j] * 0.1
    else:
        s = s * s
    return s


add(nested_for_else, lambda: (mat(3, 3), 1.2), (0,), "for else break continue nested")


def return_inside_loops(m, limit):
    s = 0.0
    for i in range(m.shape[0]):
        for j in range(m.shape[1]):
            s += m[i, j]
            k = j
            while k >= 0:
                s += m[i, k] * s * 0.1
                if s > limit:
                    return s * m[i, j]
                k -= 1
    return s


add(return_inside_loops, lambda: (mat(3, 3), 4.0), (0,), "for while return nested", jit=True)
add(return_inside_loops, lambda: (mat(2, 2), 50.0), (0,), "for while return nested",
    name="return_inside_loops_not_taken")  # fmt: skip


def many_returns(x, y):
    if x < 0.0:
        return y
    z = x * y
    if z > 5.0:
        return z - x
    for i in range(4):
        z += x
        if z > 2.0:
            return z * i
    if y > 0.0:
        return z / y
    return x


add(many_returns, lambda: (0.7, 1.3), (0, 1), "return", jit=True)
add(many_returns, lambda: (0.1, 1.3), (0, 1), "return", name="many_returns_late")
add(many_returns, lambda: (-0.7, 1.3), (0, 1), "return", name="many_returns_early")


def break_and_continue(a, b):
    s = 0.0
    for i in range(len(a)):
        if a[i] < 0.5:
            continue
        for j in range(len(b)):
            if b[j] > 1.2:
                continue
            if s > 3.0:
                break
            s += a[i] * b[j]
        if s > 4.0:
            break
        s *= 1.0 + 0.1 * a[i]
    return s


add(break_and_continue, lambda: (vec(6), vec(5, 3)), (0, 1), "for break continue nested", jit=True)


def while_inside_for(a):
    s = 0.0
    for i in range(len(a)):
        t = a[i]
        while t < 3.0:
            t = t * 1.7
            s += t * a[i]
        a[i] = t
    return s + a[0]


add(while_inside_for, lambda: (vec(4),), (0,), "for while ragged inplace", jit=True)


def for_inside_while(a, x):
    s = x
    n = 1
    while s < 10.0:
        for i in range(min(n, len(a))):
            s += a[i] * x
        n += 1
        x *= 1.1
    return s * n


add(for_inside_while, lambda: (vec(3), 0.8), (0, 1), "for while ragged", jit=True)


def integer_driven(x, n):
    s = x
    while n != 1:
        if n % 2 == 0:
            n //= 2
            s = s * x + 1.0
        else:
            n = 3 * n + 1
            s = math.sin(s)
    return s


add(integer_driven, lambda: (0.7, 6), (0,), "while int", jit=True)


def quiet_statements(x: float, a):
    """A docstring, annotations, pass, assert and a raise that is not reached."""
    assert x > 0.0
    y: float = x * x
    k: int = 0
    if y < 0.0:
        raise ValueError("never")
    for v in a:
        assert v > 0.0, "positive"
        if v > 100.0:
            raise RuntimeError
        else:
            pass
        k += 1
    z = y + k
    return z * x


add(quiet_statements, lambda: (0.7, vec(3)), (0, 1), "assert raise pass", jit=True)


def deletes(x, a):
    z = x * 2.0
    w = z * z
    del z
    for i in range(2):
        t = a[i] * w
        w = t + x
        del t
    z = w * x
    return z


add(deletes, lambda: (0.7, vec(3)), (0, 1), "del", njit=False)


def raises_unless(a, x):
    """A raise inside nested branches, guarding a loop that overwrites."""
    for i in range(len(a)):
        if a[i] < 0.0:
            if x > 0.0:
                raise ValueError("negative")
            return x
        a[i] = a[i] * x
        assert a[i] < 10.0
    return np.sum(a)


add(raises_unless, lambda: (vec(3), 0.7), (0, 1), "raise assert inplace")


def prints(x):
    y = x * x
    print("y is", y)
    for i in range(2):
        print(i, y)
        y *= x
    return y


add(prints, lambda: (0.7,), (0,), "print")


def branches_write_arrays(a, b, x):
    for i in range(len(a)):
        if a[i] > b[i]:
            a[i] = b[i] * x
        elif a[i] > 0.6:
            b[i] += a[i] * a[i]
            a[i] *= x
        else:
            x = x + a[i]
    return np.sum(a * b) * x


add(branches_write_arrays, lambda: (vec(5), vec(5, 1), 0.9), (0, 1, 2), "for if inplace", jit=True)


def loop_carried_states(x, n):
    p, q, r = x, 1.0, 0.5 * x
    for i in range(n):
        p, q, r = q + 0.1 * r, r * p, p - 0.2 * q * i
    return p * q + r


add(loop_carried_states, lambda: (0.7, 5), (0,), "for tuple", jit=True)


def range_evaluated_once(a, n):
    s = 0.0
    for i in range(n):
        n = n - 1
        s += a[i] * n
        a[i] = s
    return s * n


add(range_evaluated_once, lambda: (vec(5), 4), (0,), "for inplace")


def loop_from_float(x):
    n = int(x * 4.0)
    s = 1.0
    for i in range(n):
        s *= x + i
    return s


add(loop_from_float, lambda: (0.9,), (0,), "for int", jit=True)
