"""The objectives with other names of variables: those that generated code likes to use."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit
def gmm(tape, t, x_b, n, at, i_1, size):
    """``objectives.gmm``."""
    row_tape, s = at.shape
    a_1 = len(tape)
    t_b = np.empty((a_1, s))
    t_tape = np.zeros(a_1)
    u_b = 0.0
    for n_1 in range(a_1):
        count = 0.0
        for x_t in range(s):
            t_b[n_1, x_t] = math.exp(x_b[n_1, x_t])
            t_tape[n_1] += x_b[n_1, x_t]
            count += t_b[n_1, x_t] * t_b[n_1, x_t]
        for t_3 in range(n.shape[1]):
            count += n[n_1, t_3] * n[n_1, t_3]
        u_b += 0.5 * i_1 * i_1 * count - size * t_tape[n_1]
    t_1 = np.empty(s)
    cell = np.empty(s)
    a = np.empty(a_1)
    x = 0.0
    for b in range(row_tape):
        for n_1 in range(a_1):
            for x_t in range(s):
                t_1[x_t] = at[b, x_t] - t[n_1, x_t]
                cell[x_t] = t_b[n_1, x_t] * t_1[x_t]
            t_3 = 0
            for k in range(s):
                for u in range(k + 1, s):
                    cell[u] += n[n_1, t_3] * t_1[k]
                    t_3 += 1
            stack = 0.0
            for x_t in range(s):
                stack += cell[x_t] * cell[x_t]
            a[n_1] = tape[n_1] + t_tape[n_1] - 0.5 * stack
        i = a[0]
        for n_1 in range(1, a_1):
            if a[n_1] > i:
                i = a[n_1]
        t_2 = 0.0
        for n_1 in range(a_1):
            t_2 += math.exp(a[n_1] - i)
        x += i + math.log(t_2)
    i = tape[0]
    for n_1 in range(1, a_1):
        if tape[n_1] > i:
            i = tape[n_1]
    t_2 = 0.0
    for n_1 in range(a_1):
        t_2 += math.exp(tape[n_1] - i)
    x -= row_tape * (i + math.log(t_2))
    out = s + size + 1
    result = out * s * (math.log(i_1) - 0.5 * math.log(2.0))
    result -= 0.25 * s * (s - 1) * math.log(math.pi)
    for x_t in range(s):
        result -= math.lgamma(0.5 * (out - x_t))
    return x - 0.5 * row_tape * s * math.log(2.0 * math.pi) + a_1 * result - u_b


@njit
def bundle(tape, t, x_b, n, at):
    """``objectives.bundle``."""
    i_1 = 0.0
    for size in range(len(x_b)):
        a_1 = n[size, 0]
        t_b = n[size, 1]
        t_tape = tape[a_1, 0]
        u_b = tape[a_1, 1]
        n_1 = tape[a_1, 2]
        t_1 = t[t_b, 0] - tape[a_1, 3]
        cell = t[t_b, 1] - tape[a_1, 4]
        a = t[t_b, 2] - tape[a_1, 5]
        x = u_b * a - n_1 * cell
        b = n_1 * t_1 - t_tape * a
        i = t_tape * cell - u_b * t_1
        t_2 = t_tape * t_tape + u_b * u_b + n_1 * n_1
        if t_2 > 0.0:
            k = math.sqrt(t_2)
            stack = math.cos(k)
            u = math.sin(k) / k
            at_1 = (t_tape * t_1 + u_b * cell + n_1 * a) * (1.0 - stack) / t_2
            x = stack * t_1 + u * x + at_1 * t_tape
            b = stack * cell + u * b + at_1 * u_b
            i = stack * a + u * i + at_1 * n_1
        else:
            x += t_1
            b += cell
            i += a
        out = x / i
        result = b / i
        x_t = out * out + result * result
        row_tape = tape[a_1, 6] * (1.0 + x_t * (tape[a_1, 9] + tape[a_1, 10] * x_t))
        s = x_b[size] * (tape[a_1, 7] + row_tape * out - at[size, 0])
        count = x_b[size] * (tape[a_1, 8] + row_tape * result - at[size, 1])
        t_3 = 1.0 - x_b[size] * x_b[size]
        i_1 += 0.5 * (s * s + count * count + t_3 * t_3)
    return i_1


@njit
def lstm(tape, t, x_b, n):
    """``objectives.lstm``."""
    t_tape, u_b = n.shape
    at = len(tape) // 2
    i_1 = x_b.copy()
    size = np.empty(u_b)
    a_1 = 0.0
    for t_b in range(t_tape - 1):
        for n_1 in range(u_b):
            size[n_1] = n[t_b, n_1] * t[0, n_1]
        for t_1 in range(at):
            x = 2 * t_1
            b = 2 * t_1 + 1
            for n_1 in range(u_b):
                i = i_1[x, n_1]
                t_2 = 1.0 / (1.0 + math.exp(-(size[n_1] * tape[x, n_1] + tape[b, n_1])))
                out = 1.0 / (1.0 + math.exp(-(i * tape[x, u_b + n_1] + tape[b, u_b + n_1])))
                result = size[n_1] * tape[x, 2 * u_b + n_1] + tape[b, 2 * u_b + n_1]
                x_t = 1.0 / (1.0 + math.exp(-result))
                row_tape = math.tanh(i * tape[x, 3 * u_b + n_1] + tape[b, 3 * u_b + n_1])
                i_1[b, n_1] = i_1[b, n_1] * t_2 + out * row_tape
                i_1[x, n_1] = x_t * math.tanh(i_1[b, n_1])
                size[n_1] = i_1[x, n_1]
        cell = 2.0
        for n_1 in range(u_b):
            size[n_1] = size[n_1] * t[1, n_1] + t[2, n_1]
            cell += math.exp(size[n_1])
        a = math.log(cell)
        for n_1 in range(u_b):
            a_1 += n[t_b + 1, n_1] * (size[n_1] - a)
    return -a_1 / ((t_tape - 1) * u_b)


@njit
def log_sum_exp(tape):
    """``objectives.log_sum_exp``."""
    t = tape[0]
    for x_b in range(1, len(tape)):
        if tape[x_b] > t:
            t = tape[x_b]
    n = 0.0
    for x_b in range(len(tape)):
        n += math.exp(tape[x_b] - t)
    return t + math.log(n)


@njit
def misfit(tape, t):
    """``objectives.misfit``."""
    x_b = 0.0
    for n in range(t):
        at = -1.0 + 2.0 * n / (t - 1)
        i_1 = 0.0
        if at > 0.0:
            i_1 = 1.0
        elif at < 0.0:
            i_1 = -1.0
        size = 1.0
        for a_1 in range(len(tape)):
            i_1 -= tape[a_1] * size
            size *= at
        x_b += i_1 * i_1
    return 0.5 * x_b


@njit
def chain(tape, t):
    """``objectives.chain``."""
    x_b = len(tape)
    n = 2.0 / t
    size, a_1 = (np.zeros(x_b), np.empty(x_b))
    t_b, t_tape, u_b, n_1 = (np.empty(x_b), np.empty(x_b), np.empty(x_b), np.empty(x_b))
    for _ in range(t):
        t_b[0] = tape[0]
        for i_1 in range(1, x_b):
            t_b[i_1] = tape[i_1] * size[i_1 - 1]
        for i_1 in range(x_b):
            a_1[i_1] = size[i_1] + 0.5 * n * t_b[i_1]
        t_tape[0] = tape[0]
        for i_1 in range(1, x_b):
            t_tape[i_1] = tape[i_1] * a_1[i_1 - 1]
        for i_1 in range(x_b):
            a_1[i_1] = size[i_1] + 0.5 * n * t_tape[i_1]
        u_b[0] = tape[0]
        for i_1 in range(1, x_b):
            u_b[i_1] = tape[i_1] * a_1[i_1 - 1]
        for i_1 in range(x_b):
            a_1[i_1] = size[i_1] + n * u_b[i_1]
        n_1[0] = tape[0]
        for i_1 in range(1, x_b):
            n_1[i_1] = tape[i_1] * a_1[i_1 - 1]
        for i_1 in range(x_b):
            size[i_1] += n * (t_b[i_1] + 2.0 * t_tape[i_1] + 2.0 * u_b[i_1] + n_1[i_1]) / 6.0
    at = 0.0
    for i_1 in range(x_b):
        at += size[i_1]
    return at


@njit
def burgers(tape, t, x_b, n):
    """``objectives.burgers``."""
    at = len(tape)
    i_1 = tape.copy()
    size = np.empty(at)
    for _ in range(t):
        for t_b in range(at):
            size[t_b] = i_1[t_b]
        for t_b in range(1, at - 1):
            i_1[t_b] = (
                size[t_b]
                - x_b * size[t_b] * (size[t_b] - size[t_b - 1])
                + n * (size[t_b + 1] - 2.0 * size[t_b] + size[t_b - 1])
            )
    a_1 = 0.0
    for t_b in range(at):
        a_1 += i_1[t_b] * i_1[t_b]
    return 0.5 * a_1


@njit
def rosenbrock(tape):
    """``objectives.rosenbrock``."""
    t = 0.0
    for x_b in range(len(tape) - 1):
        n = tape[x_b + 1] - tape[x_b] * tape[x_b]
        at = 1.0 - tape[x_b]
        t += 100.0 * n * n + at * at
    return t


@njit
def wave(tape):
    """``objectives.wave``."""
    return math.sin(tape) * tape
