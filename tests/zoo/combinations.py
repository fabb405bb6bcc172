"""Several traps in one program: views with helpers, breaks with overwrites, lists with aliases."""

import numpy as np

from tests.zoo.registry import add, mat, vec


def relax(row, target, x):
    """Mutates a view until it is close; returns early."""
    for k in range(6):
        worst = 0.0
        for i in range(len(row)):
            d = target[i] - row[i]
            row[i] += x * d
            worst = max(worst, abs(d))
        if worst < 0.3:
            return k
    return -1


def relaxed_rows(m, x):
    s = 0.0
    for i in range(1, m.shape[0]):
        steps = relax(m[i], m[i - 1], x)
        if steps < 0:
            continue
        s += np.sum(m[i] * m[i - 1]) * (steps + 1)
        m[i - 1, ::2] = m[i, ::2]
    return s


add(relaxed_rows, lambda: (mat(3, 3), 0.6), (0, 1), "helper alias ragged inplace")


def ragged_history(a, x):
    """A list of arrays of growing lengths, the last one overwritten through an alias."""
    history = [a[:1] * x]
    for i in range(1, len(a)):
        last = history[-1]
        new = np.empty(i + 1)
        new[:i] = last
        new[i] = a[i] * last[0]
        last[0] *= 0.5
        history.append(new)
    s = 0.0
    for h in history:
        s = s * 0.7 + np.sum(h * h)
    return s


add(ragged_history, lambda: (vec(4), 0.7), (0, 1), "list alias ragged inplace")


def swap_break_overwrite(a, b, limit):
    s = 0.0
    for i in range(6):
        a, b = b, a
        a[i % 3] *= b[(i + 1) % 3]
        if a[i % 3] > limit:
            break
        v = a[1:]
        v[:] = a[:-1] + b[1:]
        s += v[0] * a[0]
    else:
        s *= 2.0
    return s + a[0] * b[i % 3]


add(swap_break_overwrite, lambda: (vec(3), vec(3, 1), 3.0), (0, 1), "swap break overlap inplace")
add(
    swap_break_overwrite,
    lambda: (vec(3), vec(3, 1), 1e3),
    (0, 1),
    "swap break overlap inplace",
    name="swap_no_break_overwrite",
)


def tuple_of_buffers(a, n):
    buffers = (a.copy(), np.zeros_like(a), a)
    for k in range(n):
        first, second, third = buffers
        second[1:] = first[:-1] * third[1:]
        second[0] = first[-1]
        third[k % len(a)] += second[0]
        buffers = (second, third, first)
    return np.sum(buffers[0] * buffers[1]) + buffers[2][0]


add(tuple_of_buffers, lambda: (vec(3), 4), (0,), "tuple swap rebind inplace")


def closure_over_views(m, x):
    top = m[0]
    low = m[-1]

    def mix(k):
        t = top[k]
        top[k] = low[k - 1] * x
        low[k - 1] = t
        return t * top[k - 2]

    s = 0.0
    for k in range(m.shape[1]):
        s += mix(k) + mix(0)
        if s > 4.0:
            break
    return s + np.sum(m)


add(closure_over_views, lambda: (mat(2, 3), 0.7), (0, 1), "active alias swap inplace")


def walk(a, k, x, depth):
    """Recursion with a write before and after each call, and an early exit."""
    if depth == 0 or x > 3.0:
        return a[k] * x
    a[k] *= x
    left = walk(a, (k + 1) % len(a), x * a[k], depth - 1)
    a[k] += left
    right = walk(a, (k + 2) % len(a), x + 0.1 * left, depth - 1)
    return left * 0.5 + right * a[k]


def recursive_walk(a, x):
    s = walk(a, 0, x, 3)
    return s + np.sum(a * a)


add(recursive_walk, lambda: (vec(4), 0.7), (0, 1), "recursion inplace")


def triangular_packed(a, n):
    """Packed storage addressed by computed indices, swept in both directions."""
    s = 0.0
    start = 0
    for i in range(n):
        for j in range(i, -1, -1):
            k = start + j
            a[k] += a[k - j] * 0.5
            if j % 2:
                continue
            s += a[k] * a[start]
        start += i + 1
    for k in range(start - 1, 0, -2):
        a[k - 1] *= a[k]
        s += a[k - 1]
    return s


add(triangular_packed, lambda: (vec(6), 3), (0,), "index loops inplace", jit=True)


def while_over_slices(a, x):
    low, high = 0, len(a)
    s = x
    while high - low > 1:
        part = a[low:high]
        part *= x
        if np.sum(part) > s:
            high -= 1
            s += part[0]
        else:
            low += 1
            s *= 0.9
        part[0], part[-1] = part[-1], part[0]
    return s * a[low]


add(while_over_slices, lambda: (vec(5), 0.7), (0, 1), "while slice swap inplace")


def masks_and_gathers(m, idx, x):
    rows = m[idx]
    mask = rows > 0.8
    rows[mask] = rows[mask] * x
    m[idx] = rows
    total = 0.0
    for i in range(len(idx)):
        if mask[i, 0] or not mask[i, 1]:
            total += rows[i] @ m[idx[i]]
    return total


add(
    masks_and_gathers,
    lambda: (mat(3, 2), np.array([2, 0, 2]), 0.7),
    (0, 2),
    "mask gather scatter duplicates",
    njit=False,
)


def state_machine(a, x):
    """An integer state selects what is read and written."""
    state, s, steps = 0, x, 0
    while state != 3 and steps < 12:
        steps += 1
        if state == 0:
            s += a[steps % len(a)]
            state = 1 if s > 1.5 else 0
        elif state == 1:
            a[state] *= s
            state = 2
        else:
            s *= 0.7
            a[0], s = s, a[1] * 0.3
            state = 3 if steps > 8 else 0
    return s * steps + np.sum(a)


add(state_machine, lambda: (vec(3), 0.7), (0, 1), "while int if inplace")


def type_mixtures(a, n, flag):
    s = 0
    t = flag
    for i in range(n):
        s = s + (a[i] if i % 2 else i)
        t = t * a[i] + flag
        k = i / 2
        k = int(k * 3)
        a[k % len(a)] += s * t
    return s * t + (n if flag else n * 0.5)


add(type_mixtures, lambda: (vec(4), 4, True), (0,), "types promotion bool inplace", jit=True)


def layered_reuse(w, x, n):
    """One buffer serves every layer; inputs of the loop body are its own outputs."""
    h = x
    scratch = np.zeros(len(x))
    s = 0.0
    for k in range(n):
        for i in range(len(x)):
            scratch[i] = 0.0
            for j in range(len(x)):
                scratch[i] += w[i, j] * h[j]
        if k % 2 == 0:
            h = np.tanh(scratch)
        else:
            h[:] = scratch * h
        w[k % 2] *= h
        s += h[k % len(h)]
    return s


add(layered_reuse, lambda: (mat(2, 2), vec(2), 4), (0, 1), "rebind tbr inplace")


def nested_exits(m, x):
    """Break, continue, else and return at three depths, each after a write."""
    s = 0.0
    for i in range(m.shape[0]):
        for j in range(m.shape[1]):
            m[i, j] *= x
            if m[i, j] < 0.3:
                continue
            k = 0
            while True:
                m[i, k] += 0.1 * m[j, i]
                k += 1
                if k > j:
                    break
                if m[i, k] > 1.6:
                    return s * m[i, k]
            s += m[i, j] * m[k - 1, i]
            if s > 5.0:
                break
        else:
            m[i] = m[i - 1] * s
            continue
        s *= m[i, 0]
    else:
        s += 1.0
    return s + np.sum(m)


add(nested_exits, lambda: (mat(3, 3), 0.9), (0, 1), "nested return break else inplace")
add(
    nested_exits,
    lambda: (mat(3, 3) * 0.5, 0.8),
    (0, 1),
    "nested return break else inplace",
    name="nested_exits_other",
)
