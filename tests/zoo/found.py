"""Programs that were once compiled wrongly or refused: found by reading and by fuzzing."""

import numpy as np

from tests.zoo.registry import add, mat, vec


def first_of_two(x, n):
    """Calls a function that calls itself and this one."""
    if n <= 0:
        return x
    return second_of_two(x, n - 1) * 1.1


def second_of_two(x, n):
    if n <= 0:
        return 2.0 * x
    return second_of_two(x * 1.2, n - 1) + first_of_two(x, n - 1) * 0.5


add(first_of_two, lambda: (1.3, 6), (0,), "recursion mutual", njit=False)
add(second_of_two, lambda: (1.3, 6), (0,), "recursion mutual", njit=False)


def own_base_case(x, n):
    if n <= 0:
        return x * x
    return borrowed_base_case(x * 0.9, n - 1)


def borrowed_base_case(x, n):
    """Ends only by calling the other, whose kind of result is not known yet."""
    if n <= 0:
        return own_base_case(x, n)
    return borrowed_base_case(x * 1.1, n - 1) + x


add(own_base_case, lambda: (1.3, 4), (0,), "recursion mutual", njit=False)
add(borrowed_base_case, lambda: (1.3, 3), (0,), "recursion mutual", njit=False)


def recursion_with_bool_and_float(x, depth):
    """Two specialisations of one function that call each other."""
    if x > 2.0 or depth > 6:
        return x * x * 1.0
    return recursion_with_bool_and_float(x < 1.0, depth + 1) + recursion_with_bool_and_float(
        x + 0.6, depth + 2
    )


add(recursion_with_bool_and_float, lambda: (0.7, 0), (0,), "recursion mutual", njit=False)


def index_array_written_through_itself(a, x):
    """The positions are read before the first of them is overwritten."""
    order = np.array([2, 0, 1])
    order[order[::-1]] = order * 2 % 3
    order[order] += 1
    s = 0.0
    for k in range(3):
        s += a[order[k] % 3] * x**k
    return s


add(index_array_written_through_itself, lambda: (vec(3), 0.7), (0, 1), "gather overlap", njit=False)


def broadcast_of_a_row_into_its_matrix(m, x):
    m[...] = np.broadcast_to(m[1], (3, 3)) * x
    m[:, 0] += np.broadcast_to(m[0, 1], (3,))
    return np.sum(m * m)


add(broadcast_of_a_row_into_its_matrix, lambda: (mat(3, 3), 0.7), (0, 1), "overlap broadcast")


def halve(a):
    a *= 0.5
    return 1


def double(a):
    a *= 2.0
    return a[0]


def update_through_indices_reads_first(a):
    """``a[idx] += f(a)`` reads the old elements before the call changes them."""
    idx = np.array([2, 0, 2])
    a[idx] += double(a)
    a[a > 1.0] *= halve(a)
    return np.sum(a * a)


add(update_through_indices_reads_first, lambda: (vec(4),), (0,), "gather order mutate")


def expression_before_a_call(a, b):
    """An array expression keeps the values it had before a later call overwrites its operands."""
    c = (a * 2.0)[halve(a)]
    d = np.sum(a * 3.0 - b) * double(b) + np.dot(a * b, np.ones(3) * double(a))
    e = np.where(a > 0.5, a * 2.0, b)[halve(b) :]
    return c + d + np.sum(e) + np.sum((a * 2.0 < b * double(b)) * a)


add(expression_before_a_call, lambda: (vec(3), vec(3, 1)), (0, 1), "order mutate")


def value_before_its_target(a, b):
    """The right side is computed before the subscript on the left."""
    a[halve(b) :] = b[1:] * 2.0
    a[halve(b)] = b[0] * 3.0
    return np.sum(a * b)


add(value_before_its_target, lambda: (vec(3), vec(3, 1)), (0, 1), "order mutate")


def chained_targets(a, x):
    """Targets are assigned from left to right, each subscript evaluated in its turn."""
    i = 0
    a[i] = i = x * 2.0
    k = 0
    k, a[k + 1] = 1, i * a[0]
    a[k], k = k * 0.5, 2
    return np.sum(a) * i + a[k]


add(chained_targets, lambda: (vec(3), 0.7), (0, 1), "tuple order", njit=False)


def keyword_before_positional_effects(a, x):
    def f(v, scale=1.0):
        return np.sum(v) * scale

    return f(a * 2.0, scale=double(a)) + f(scale=double(a), v=a) * x


add(
    keyword_before_positional_effects,
    lambda: (vec(3), 0.7),
    (0, 1),
    "order mutate keyword",
    njit=False,
)


def message_is_not_computed(x, n):
    """The message of an assertion that holds is not evaluated."""
    assert n == 0, 10 // n
    return x * x


add(message_is_not_computed, lambda: (0.7, 0), (0,), "assert", njit=False)
