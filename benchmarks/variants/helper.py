"""The objectives with a part in a function of its own; arrays and subscripts are handed over."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit
def whitened(j, sample, means, scales, lower, points, shift, white):
    """The squared distance of a sample from a component."""
    d = len(shift)
    for i in range(d):
        shift[i] = points[sample, i] - means[j, i]
        white[i] = scales[j, i] * shift[i]
    p = 0
    for column in range(d):
        for row in range(column + 1, d):
            white[row] += lower[j, p] * shift[column]
            p += 1
    distance = 0.0
    for i in range(d):
        distance += white[i] * white[i]
    return distance


@njit
def softmax_norm(x):
    """log(sum(exp(x)))."""
    top = x[0]
    for i in range(1, len(x)):
        if x[i] > top:
            top = x[i]
    total = 0.0
    for i in range(len(x)):
        total += math.exp(x[i] - top)
    return top + math.log(total)


@njit
def gmm(alphas, means, log_scales, lower, points, gamma, m):
    """Distance and log-sum-exp in functions."""
    n, d = points.shape
    k = len(alphas)
    scales = np.empty((k, d))
    log_dets = np.zeros(k)
    prior = 0.0
    for j in range(k):
        squares = 0.0
        for i in range(d):
            scales[j, i] = math.exp(log_scales[j, i])
            log_dets[j] += log_scales[j, i]
            squares += scales[j, i] * scales[j, i]
        for p in range(lower.shape[1]):
            squares += lower[j, p] * lower[j, p]
        prior += 0.5 * gamma * gamma * squares - m * log_dets[j]
    shift = np.empty(d)
    white = np.empty(d)
    logs = np.empty(k)
    likelihood = 0.0
    for sample in range(n):
        for j in range(k):
            distance = whitened(j, sample, means, scales, lower, points, shift, white)
            logs[j] = alphas[j] + log_dets[j] - 0.5 * distance
        likelihood += softmax_norm(logs)
    likelihood -= n * softmax_norm(alphas)
    freedom = d + m + 1
    constant = freedom * d * (math.log(gamma) - 0.5 * math.log(2.0))
    constant -= 0.25 * d * (d - 1) * math.log(math.pi)
    for i in range(d):
        constant -= math.lgamma(0.5 * (freedom - i))
    return likelihood - 0.5 * n * d * math.log(2.0 * math.pi) + k * constant - prior


@njit
def turned(r0, r1, r2, x0, x1, x2):
    """A point turned by a rotation vector."""
    y0 = r1 * x2 - r2 * x1
    y1 = r2 * x0 - r0 * x2
    y2 = r0 * x1 - r1 * x0
    square = r0 * r0 + r1 * r1 + r2 * r2
    if square > 0.0:
        angle = math.sqrt(square)
        cosine = math.cos(angle)
        sine = math.sin(angle) / angle
        along = (r0 * x0 + r1 * x1 + r2 * x2) * (1.0 - cosine) / square
        y0 = cosine * x0 + sine * y0 + along * r0
        y1 = cosine * x1 + sine * y1 + along * r1
        y2 = cosine * x2 + sine * y2 + along * r2
    else:
        y0 += x0
        y1 += x1
        y2 += x2
    return y0, y1, y2


@njit
def bundle(cameras, points, weights, seen, measured):
    """The rotation in a function."""
    total = 0.0
    for k in range(len(weights)):
        c = seen[k, 0]
        p = seen[k, 1]
        y0, y1, y2 = turned(
            cameras[c, 0],
            cameras[c, 1],
            cameras[c, 2],
            points[p, 0] - cameras[c, 3],
            points[p, 1] - cameras[c, 4],
            points[p, 2] - cameras[c, 5],
        )
        u = y0 / y2
        v = y1 / y2
        radius = u * u + v * v
        scale = cameras[c, 6] * (1.0 + radius * (cameras[c, 9] + cameras[c, 10] * radius))
        du = weights[k] * (cameras[c, 7] + scale * u - measured[k, 0])
        dv = weights[k] * (cameras[c, 8] + scale * v - measured[k, 1])
        dw = 1.0 - weights[k] * weights[k]
        total += 0.5 * (du * du + dv * dv + dw * dw)
    return total


@njit
def gate(x, weight, bias):
    """The logistic function of a weighted input."""
    return 1.0 / (1.0 + math.exp(-(x * weight + bias)))


@njit
def layer(a, main, now, x):
    """A layer for one character: updates its state, leaves the output in ``x``."""
    bits = len(x)
    w = 2 * a
    b = 2 * a + 1
    for i in range(bits):
        forget = gate(x[i], main[w, i], main[b, i])
        ingate = gate(now[w, i], main[w, bits + i], main[b, bits + i])
        outgate = gate(x[i], main[w, 2 * bits + i], main[b, 2 * bits + i])
        change = math.tanh(now[w, i] * main[w, 3 * bits + i] + main[b, 3 * bits + i])
        now[b, i] = now[b, i] * forget + ingate * change
        now[w, i] = outgate * math.tanh(now[b, i])
        x[i] = now[w, i]


@njit
def lstm(main, extra, state, sequence):
    """Gates and layers in functions."""
    characters, bits = sequence.shape
    layers = len(main) // 2
    now = state.copy()
    x = np.empty(bits)
    total = 0.0
    for t in range(characters - 1):
        for i in range(bits):
            x[i] = sequence[t, i] * extra[0, i]
        for a in range(layers):
            layer(a, main, now, x)
        exps = 2.0
        for i in range(bits):
            x[i] = x[i] * extra[1, i] + extra[2, i]
            exps += math.exp(x[i])
        norm = math.log(exps)
        for i in range(bits):
            total += sequence[t + 1, i] * (x[i] - norm)
    return -total / ((characters - 1) * bits)


@njit
def largest(x):
    """The largest entry."""
    top = x[0]
    for i in range(1, len(x)):
        if x[i] > top:
            top = x[i]
    return top


@njit
def log_sum_exp(x):
    """The largest entry is found in a function."""
    top = largest(x)
    total = 0.0
    for i in range(len(x)):
        total += math.exp(x[i] - top)
    return top + math.log(total)


@njit
def sign(t):
    """-1, 0 or 1."""
    if t > 0.0:
        return 1.0
    if t < 0.0:
        return -1.0
    return 0.0


@njit
def polynomial(x, t):
    """The polynomial at a point."""
    total = 0.0
    power = 1.0
    for j in range(len(x)):
        total += x[j] * power
        power *= t
    return total


@njit
def misfit(x, n):
    """Sign and polynomial in functions."""
    total = 0.0
    for i in range(n):
        t = -1.0 + 2.0 * i / (n - 1)
        residual = sign(t) - polynomial(x, t)
        total += residual * residual
    return 0.5 * total


@njit
def moved(u, old, advection, viscosity):
    """A step of Burgers' equation from ``old`` to ``u``."""
    for i in range(1, len(u) - 1):
        u[i] = (
            old[i]
            - advection * old[i] * (old[i] - old[i - 1])
            + viscosity * (old[i + 1] - 2.0 * old[i] + old[i - 1])
        )


@njit
def burgers(start, steps, advection, viscosity):
    """The step in a function."""
    n = len(start)
    u = start.copy()
    old = np.empty(n)
    for _ in range(steps):
        for i in range(n):
            old[i] = u[i]
        moved(u, old, advection, viscosity)
    total = 0.0
    for i in range(n):
        total += u[i] * u[i]
    return 0.5 * total


@njit
def term(here, right):
    """One term of Rosenbrock's function."""
    a = right - here * here
    b = 1.0 - here
    return 100.0 * a * a + b * b


@njit
def rosenbrock(x):
    """The term in a function."""
    total = 0.0
    for i in range(len(x) - 1):
        total += term(x[i], x[i + 1])
    return total


@njit
def sine(x):
    """The sine."""
    return math.sin(x)


@njit
def wave(x):
    """The sine in a function."""
    return sine(x) * x


@njit
def slopes(y, rate, out):
    """A chain of reactions."""
    out[0] = rate[0]
    for i in range(1, len(y)):
        out[i] = rate[i] * y[i - 1]


@njit
def moved_by(y, slope, h, out):
    """A step along a slope."""
    for i in range(len(y)):
        out[i] = y[i] + h * slope[i]


@njit
def chain(rate, steps):
    """The right side and the steps between in functions."""
    n = len(rate)
    h = 2.0 / steps
    y, at = np.zeros(n), np.empty(n)
    k1, k2, k3, k4 = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for _ in range(steps):
        slopes(y, rate, k1)
        moved_by(y, k1, 0.5 * h, at)
        slopes(at, rate, k2)
        moved_by(y, k2, 0.5 * h, at)
        slopes(at, rate, k3)
        moved_by(y, k3, h, at)
        slopes(at, rate, k4)
        for i in range(n):
            y[i] += h * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]) / 6.0
    total = 0.0
    for i in range(n):
        total += y[i]
    return total
