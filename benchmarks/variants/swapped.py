"""The objectives with loops in another order: nested ones swapped, single ones run backwards."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit
def gmm(alphas, means, log_scales, lower, points, gamma, m):
    """Row by row of the triangles, which walks through the packed numbers with strides."""
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
    logs = np.empty(k)
    likelihood = 0.0
    for sample in range(n):
        for j in range(k):
            for i in range(d):
                shift[i] = points[sample, i] - means[j, i]
            distance = 0.0
            for row in range(d):
                white = scales[j, row] * shift[row]
                for column in range(row):
                    p = column * (2 * d - column - 1) // 2 + row - column - 1
                    white += lower[j, p] * shift[column]
                distance += white * white
            logs[j] = alphas[j] + log_dets[j] - 0.5 * distance
        top = logs[0]
        for j in range(1, k):
            if logs[j] > top:
                top = logs[j]
        total = 0.0
        for j in range(k):
            total += math.exp(logs[j] - top)
        likelihood += top + math.log(total)
    top = alphas[0]
    for j in range(1, k):
        if alphas[j] > top:
            top = alphas[j]
    total = 0.0
    for j in range(k):
        total += math.exp(alphas[j] - top)
    likelihood -= n * (top + math.log(total))
    freedom = d + m + 1
    constant = freedom * d * (math.log(gamma) - 0.5 * math.log(2.0))
    constant -= 0.25 * d * (d - 1) * math.log(math.pi)
    for i in range(d):
        constant -= math.lgamma(0.5 * (freedom - i))
    return likelihood - 0.5 * n * d * math.log(2.0 * math.pi) + k * constant - prior


@njit
def bundle(cameras, points, weights, seen, measured):
    """From the last observation to the first."""
    total = 0.0
    for k in range(len(weights) - 1, -1, -1):
        c = seen[k, 0]
        p = seen[k, 1]
        r0 = cameras[c, 0]
        r1 = cameras[c, 1]
        r2 = cameras[c, 2]
        x0 = points[p, 0] - cameras[c, 3]
        x1 = points[p, 1] - cameras[c, 4]
        x2 = points[p, 2] - cameras[c, 5]
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
def lstm(main, extra, state, sequence):
    """Bits outside, layers inside."""
    characters, bits = sequence.shape
    layers = len(main) // 2
    now = state.copy()
    x = np.empty(bits)
    total = 0.0
    for t in range(characters - 1):
        exps = 2.0
        for i in range(bits):
            x[i] = sequence[t, i] * extra[0, i]
            for a in range(layers):
                w = 2 * a
                b = 2 * a + 1
                h = now[w, i]
                forget = 1.0 / (1.0 + math.exp(-(x[i] * main[w, i] + main[b, i])))
                ingate = 1.0 / (1.0 + math.exp(-(h * main[w, bits + i] + main[b, bits + i])))
                out = x[i] * main[w, 2 * bits + i] + main[b, 2 * bits + i]
                outgate = 1.0 / (1.0 + math.exp(-out))
                change = math.tanh(h * main[w, 3 * bits + i] + main[b, 3 * bits + i])
                now[b, i] = now[b, i] * forget + ingate * change
                now[w, i] = outgate * math.tanh(now[b, i])
                x[i] = now[w, i]
            x[i] = x[i] * extra[1, i] + extra[2, i]
            exps += math.exp(x[i])
        norm = math.log(exps)
        for i in range(bits):
            total += sequence[t + 1, i] * (x[i] - norm)
    return -total / ((characters - 1) * bits)


@njit
def log_sum_exp(x):
    """Backwards."""
    n = len(x)
    top = x[n - 1]
    for i in range(n - 2, -1, -1):
        if x[i] > top:
            top = x[i]
    total = 0.0
    for i in range(n - 1, -1, -1):
        total += math.exp(x[i] - top)
    return top + math.log(total)


@njit
def misfit(x, n):
    """Coefficients outside, points inside."""
    t = np.empty(n)
    power = np.ones(n)
    residual = np.zeros(n)
    for i in range(n):
        t[i] = -1.0 + 2.0 * i / (n - 1)
        if t[i] > 0.0:
            residual[i] = 1.0
        elif t[i] < 0.0:
            residual[i] = -1.0
    for j in range(len(x)):
        for i in range(n):
            residual[i] -= x[j] * power[i]
            power[i] *= t[i]
    total = 0.0
    for i in range(n):
        total += residual[i] * residual[i]
    return 0.5 * total


@njit
def chain(rate, steps):
    """Backwards through the chain."""
    n = len(rate)
    h = 2.0 / steps
    y, at = np.zeros(n), np.empty(n)
    k1, k2, k3, k4 = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for _ in range(steps):
        for i in range(n - 1, 0, -1):
            k1[i] = rate[i] * y[i - 1]
        k1[0] = rate[0]
        for i in range(n - 1, -1, -1):
            at[i] = y[i] + 0.5 * h * k1[i]
        for i in range(n - 1, 0, -1):
            k2[i] = rate[i] * at[i - 1]
        k2[0] = rate[0]
        for i in range(n - 1, -1, -1):
            at[i] = y[i] + 0.5 * h * k2[i]
        for i in range(n - 1, 0, -1):
            k3[i] = rate[i] * at[i - 1]
        k3[0] = rate[0]
        for i in range(n - 1, -1, -1):
            at[i] = y[i] + h * k3[i]
        for i in range(n - 1, 0, -1):
            k4[i] = rate[i] * at[i - 1]
        k4[0] = rate[0]
        for i in range(n - 1, -1, -1):
            y[i] += h * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]) / 6.0
    total = 0.0
    for i in range(n - 1, -1, -1):
        total += y[i]
    return total


@njit
def burgers(start, steps, advection, viscosity):
    """From right to left."""
    n = len(start)
    u = start.copy()
    old = np.empty(n)
    for _ in range(steps):
        for i in range(n - 1, -1, -1):
            old[i] = u[i]
        for i in range(n - 2, 0, -1):
            u[i] = (
                old[i]
                - advection * old[i] * (old[i] - old[i - 1])
                + viscosity * (old[i + 1] - 2.0 * old[i] + old[i - 1])
            )
    total = 0.0
    for i in range(n - 1, -1, -1):
        total += u[i] * u[i]
    return 0.5 * total


@njit
def rosenbrock(x):
    """Backwards."""
    total = 0.0
    for i in range(len(x) - 2, -1, -1):
        a = x[i + 1] - x[i] * x[i]
        b = 1.0 - x[i]
        total += 100.0 * a * a + b * b
    return total
