"""While, break, continue, else, early return, assert, raise and other statements."""

import math

import numpy as np

from tests.zoo.registry import add, mat, vec


def data_dependent_while(x, tol):
    y = x
    steps = 0
    while abs(y * y - x) > tol:
        y = 0.5 * (y + x / y)
        steps += 1
    return y * steps


add(data_dependent_while, lambda: (2.3, 1e-3), (0,), "while")


def while_true_break(x):
    s = x
    while True:
        s = s * 1.5 + 0.1
        if s > 4.0:
            break
        s += math.sin(s)
    return s


add(while_true_break, lambda: (0.7,), (0,), "while break")


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


add(for_else, lambda: (vec(4), 5.0), (0, 1), "for else break")
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


add(nested_for_else, lambda: (mat(3, 3), 1.2), (0,), "for else break continue nested", jit=True)


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


add(return_inside_loops, lambda: (mat(3, 3), 4.0), (0,), "for while return nested")
add(
    return_inside_loops,
    lambda: (mat(2, 2), 50.0),
    (0,),
    "for while return nested",
    name="return_inside_loops_not_taken",
)


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


add(many_returns, lambda: (0.7, 1.3), (0, 1), "return")
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


add(break_and_continue, lambda: (vec(6), vec(5, 3)), (0, 1), "for break continue nested")


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


add(integer_driven, lambda: (0.7, 6), (0,), "while int")


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


add(raises_unless, lambda: (vec(3), 0.7), (0, 1), "raise assert inplace", jit=True)


def prints(x):
    y = x * x
    print("y is", y)
    for i in range(2):
        print(i, y)
        y *= x
    return y


add(prints, lambda: (0.7,), (0,), "print", jit=True)


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


add(branches_write_arrays, lambda: (vec(5), vec(5, 1), 0.9), (0, 1, 2), "for if inplace")


def loop_carried_states(x, n):
    p, q, r = x, 1.0, 0.5 * x
    for i in range(n):
        p, q, r = q + 0.1 * r, r * p, p - 0.2 * q * i
    return p * q + r


add(loop_carried_states, lambda: (0.7, 5), (0,), "for tuple")


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


add(loop_from_float, lambda: (0.9,), (0,), "for int")


def refused(x):
    raise ValueError("too large")


def helper_that_always_raises(a):
    total = 0.0
    for x in a:
        y = x * x if x < 2.0 else 1.0 + refused(x)
        total += y * x
    return total


add(helper_that_always_raises, lambda: (vec(4),), (0,), "if exits")
