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


if np.lib.NumpyVersion(np.__version__) >= "2.3.0":  # before, NumPy's own result is garbage
    add(
        index_array_written_through_itself,
        lambda: (vec(3), 0.7),
        (0, 1),
        "gather overlap",
        njit=False,
    )


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


def items_of_ranges(x, n):
    r = range(n, -n, -2)
    return x * r[0] + x**2 * r[-1] + x**3 * r[n - 1] + len(r)


add(items_of_ranges, lambda: (0.7, 3), (0,), "range", njit=False)


def asarray_is_the_array_itself(a, x):
    b = np.asarray(a, dtype=np.float64)
    b[0] = x
    c = np.asarray(a)
    c[1] *= a[0]
    return np.sum(a * a)


add(asarray_is_the_array_itself, lambda: (vec(3), 0.7), (0, 1), "alias", njit=False)


def integer_keys(x):
    d = {1: x, 2: x * x}
    s = 0.0
    for k in d:
        s += k * d[k]
    return s


add(integer_keys, lambda: (0.7,), (0,), "dict", njit=False)


def best_so_far(a, x):
    """A name that is None until the first candidate."""
    best = None
    at = -1
    for i in range(len(a)):
        if best is None or a[i] * x > best:
            best = a[i] * x
            at = i
    if best is None:
        return x
    return best * best + at


add(best_so_far, lambda: (vec(4), 0.7), (0, 1), "none loop", njit=False)
add(
    best_so_far, lambda: (np.zeros(0), 0.7), (0, 1), "none loop", name="best_of_nothing", njit=False
)


def previous_and_current(x, n):
    previous = None
    s = 0.0
    for i in range(n):
        current = x**i
        if previous is not None:
            s += current * previous
        previous = current
    return s


add(previous_and_current, lambda: (0.7, 4), (0,), "none loop", njit=False)


def array_made_when_needed(a, n):
    total = None
    for _ in range(n):
        if total is None:
            total = a * 2.0
        else:
            total += a
        a[0] *= 1.1
    if total is None:
        return a[0]
    return np.sum(total * total)


add(array_made_when_needed, lambda: (vec(3), 3), (0,), "none loop mutate", njit=False)


def none_again(x, n):
    y = None
    k = 0
    while k < n:
        if k == 2:
            y = (x * k, x)
        if y is not None and k == 4:
            y = None
        k += 1
    if y is None:
        return x
    return y[0] * y[1]


add(none_again, lambda: (0.7, 4), (0,), "none while tuple", njit=False)
add(none_again, lambda: (0.7, 6), (0,), "none while tuple", name="none_at_the_end", njit=False)
