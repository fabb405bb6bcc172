"""Lists built in loops: append, index, pop, comprehension, aliases; structures in and out."""

import numpy as np

from tests.zoo.registry import add, vec


def list_append(x, n):
    values = []
    y = x
    for i in range(n):
        y = y * x + i
        values.append(y)
    s = 0.0
    for v in values:
        s = s * 0.5 + v * v
    return s + values[0] * values[-1] + len(values)


add(list_append, lambda: (0.7, 4), (0,), "list loops")


def list_read_back(a):
    stack = [1.0]
    for v in a:
        if v > 0.6:
            stack.append(v * stack[-1])
    s = 0.0
    for k in range(len(stack) - 1, -1, -1):
        s += stack[k] * s + stack[k]
    return s


add(list_read_back, lambda: (vec(5),), (0,), "list if")


def list_pop(x, n):
    stack = [x, 2.0 * x]
    for i in range(n):
        top = stack.pop()
        below = stack.pop()
        stack.append(top * below)
        stack.append(top + i)
    return stack.pop() * stack.pop() + len(stack)


add(list_pop, lambda: (0.7, 3), (0,), "list pop", jit=True)


def list_assignment(x, n):
    values = [0.0] * n
    for i in range(n):
        values[i] = x**i + values[i - 1]
        values[0] *= values[i]
    values[1], values[2] = values[2], values[1]
    values[-1] += x
    return values[0] * values[1] + values[-1]


add(list_assignment, lambda: (0.7, 4), (0,), "list inplace")


def list_comprehension(a, x):
    squares = [v * v + x for v in a]
    products = [a[i] * squares[i] for i in range(len(a)) if a[i] > 0.5]
    return sum(squares) + sum(products) * max(squares) + np.sum(np.array([x, squares[1]]))


add(list_comprehension, lambda: (vec(4), 0.7), (0, 1), "list comprehension", jit=True)


def nested_comprehension(a, b):
    table = np.array([[u * v for v in b] for u in a])
    flat = [u + v * v for u in a for v in b]
    return np.sum(table * table) + flat[1] * flat[-1]


add(nested_comprehension, lambda: (vec(2), vec(3)), (0, 1), "comprehension nested", njit=False)


def list_of_arrays(a, n):
    history = [a]
    for i in range(n):
        history.append(np.sin(history[-1]) * history[0])
    history[1][0] = 0.5
    s = 0.0
    for h in history:
        s += np.sum(h * h)
    return s + history[-1][1] * history[1][0]


add(list_of_arrays, lambda: (vec(3), 3), (0,), "list array loops", jit=True)


def list_of_aliases(a, x):
    parts = [a[:2], a[1:3]]
    parts[0][1] = x
    parts[1][1] *= parts[0][1]
    parts.append(a)
    parts[2][0] += parts[1][1]
    return np.sum(a * a)


add(list_of_aliases, lambda: (vec(3), 0.7), (0, 1), "list alias inplace")


def list_of_tuples(a):
    pairs = [(1.0, 0.5)]
    for v in a:
        u, w = pairs[-1]
        pairs.append((u * v, w + u))
    s = 0.0
    for k, (u, w) in enumerate(pairs):
        s += u * w * k
    return s


add(list_of_tuples, lambda: (vec(3),), (0,), "list tuple")


def list_alias(x):
    u = [x, 2.0]
    v = u
    v[0] = x * x
    u.append(v[0] * u[1])
    w = [t for t in u]
    w[0] = 100.0
    return u[0] * v[2] + len(v) + w[1]


add(list_alias, lambda: (0.7,), (0,), "list alias")


def list_of_integers(a):
    order = [2, 0, 1]
    order.append(order[0])
    s = 1.0
    for k in order:
        s = s * a[k] + k
    return s


add(list_of_integers, lambda: (vec(3),), (0,), "list int")


def list_from_helper(x, n):
    powers = collect_powers(x, n)
    extend_by_sum(powers)
    return powers[-1] * powers[0]


def collect_powers(x, n):
    powers = [x]
    for _ in range(n):
        powers.append(powers[-1] * x)
    return powers


def extend_by_sum(values):
    s = 0.0
    for v in values:
        s += v
    values.append(s)


add(list_from_helper, lambda: (0.7, 3), (0,), "list helper mutate")


def zip_structures(arrays, p):
    s = 0.0
    for a, k in zip(arrays, p):
        s += np.sum(a) * k
        a[0] = s
    for i, a in enumerate(arrays):
        s += a[i] * p[i]
    return s


add(zip_structures, lambda: ((vec(2), vec(2, 1)), (0.7, 1.3)), (0, 1), "tuple zip inplace")


def list_in_a_branch(x):
    s = 0.0
    if x[0] > 0.1:
        cells = []
        for v in x:
            cells.append(v * v)
        for c in cells:
            s += np.sin(c) * cells[0]
    else:
        s = x[1]
    return s


add(list_in_a_branch, lambda: (vec(4),), (0,), "list append branch", jit=True)


def generators_consumed(a, w):
    products = [x * y for x, y in zip(a, w, strict=True) if x > 0]
    top = max(x * x for x in a)
    s = sum(products) + sum(k * v for k, v in enumerate(products)) * top
    if any(a[k] > 0.3 or a[k + 9] > 0 for k in range(9)):  # ends before the index is too large
        s += a[0] * w[1]
    if all(x > -9 and y > -9 for x in a for y in w if y > 0):
        s *= min(v * v for v in w)
    return s + sorted(v for v in a)[1]


add(generators_consumed, lambda: (vec(4), vec(4, 1)), (0, 1), "list if", njit=False, jit=True)
