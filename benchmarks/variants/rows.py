"""The objectives with views of rows, columns and ends instead of subscripts into the whole."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit
def gmm(alphas, means, log_scales, lower, points, gamma, m):
    """A row of each array for a component, one of the points for a sample."""
    n, d = points.shape
    k = len(alphas)
    scales = np.empty((k, d))
    log_dets = np.zeros(k)
    prior = 0.0
    for j in range(k):
        logs_row = log_scales[j]
        row_of_scales = scales[j]
        packed = lower[j]
        squares = 0.0
        for i in range(d):
            row_of_scales[i] = math.exp(logs_row[i])
            log_dets[j] += logs_row[i]
            squares += row_of_scales[i] * row_of_scales[i]
        for p in range(len(packed)):
            squares += packed[p] * packed[p]
        prior += 0.5 * gamma * gamma * squares - m * log_dets[j]
    shift = np.empty(d)
    white = np.empty(d)
    logs = np.empty(k)
    likelihood = 0.0
    for sample in range(n):
        point = points[sample]
        for j in range(k):
            mean = means[j]
            scale = scales[j]
            packed = lower[j]
            for i in range(d):
                shift[i] = point[i] - mean[i]
                white[i] = scale[i] * shift[i]
            p = 0
            for column in range(d):
                for row in range(column + 1, d):
                    white[row] += packed[p] * shift[column]
                    p += 1
            distance = 0.0
            for i in range(d):
                distance += white[i] * white[i]
            logs[j] = alphas[j] + log_dets[j] - 0.5 * distance
        top = logs[0]
        for value in logs[1:]:
            if value > top:
                top = value
        total = 0.0
        for value in logs:
            total += math.exp(value - top)
        likelihood += top + math.log(total)
    top = alphas[0]
    for value in alphas[1:]:
        if value > top:
            top = value
    total = 0.0
    for value in alphas:
        total += math.exp(value - top)
    likelihood -= n * (top + math.log(total))
    freedom = d + m + 1
    constant = freedom * d * (math.log(gamma) - 0.5 * math.log(2.0))
    constant -= 0.25 * d * (d - 1) * math.log(math.pi)
    for i in range(d):
        constant -= math.lgamma(0.5 * (freedom - i))
    return likelihood - 0.5 * n * d * math.log(2.0 * math.pi) + k * constant - prior


@njit
def bundle(cameras, points, weights, seen, measured):
    """Views of a camera's rotation and centre, and of a point."""
    total = 0.0
    for k in range(len(weights)):
        camera = cameras[seen[k, 0]]
        point = points[seen[k, 1]]
        r = camera[:3]
        centre = camera[3:6]
        x0 = point[0] - centre[0]
        x1 = point[1] - centre[1]
        x2 = point[2] - centre[2]
        y0 = r[1] * x2 - r[2] * x1
        y1 = r[2] * x0 - r[0] * x2
        y2 = r[0] * x1 - r[1] * x0
        square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2]
        if square > 0.0:
            angle = math.sqrt(square)
            cosine = math.cos(angle)
            sine = math.sin(angle) / angle
            along = (r[0] * x0 + r[1] * x1 + r[2] * x2) * (1.0 - cosine) / square
            y0 = cosine * x0 + sine * y0 + along * r[0]
            y1 = cosine * x1 + sine * y1 + along * r[1]
            y2 = cosine * x2 + sine * y2 + along * r[2]
        else:
            y0 += x0
            y1 += x1
            y2 += x2
        u = y0 / y2
        v = y1 / y2
        radius = u * u + v * v
        scale = camera[6] * (1.0 + radius * (camera[9] + camera[10] * radius))
        du = weights[k] * (camera[7] + scale * u - measured[k, 0])
        dv = weights[k] * (camera[8] + scale * v - measured[k, 1])
        dw = 1.0 - weights[k] * weights[k]
        total += 0.5 * (du * du + dv * dv + dw * dw)
    return total


@njit
def lstm(main, extra, state, sequence):
    """A layer's rows, and the four parts of each."""
    characters, bits = sequence.shape
    layers = len(main) // 2
    now = state.copy()
    x = np.empty(bits)
    total = 0.0
    for t in range(characters - 1):
        letter = sequence[t]
        for i in range(bits):
            x[i] = letter[i] * extra[0][i]
        for a in range(layers):
            weights, biases = main[2 * a], main[2 * a + 1]
            hidden, cell = now[2 * a], now[2 * a + 1]
            w_in, b_in = weights[bits : 2 * bits], biases[bits : 2 * bits]
            w_out, b_out = weights[2 * bits : 3 * bits], biases[2 * bits : 3 * bits]
            w_change, b_change = weights[3 * bits :], biases[3 * bits :]
            for i in range(bits):
                h = hidden[i]
                forget = 1.0 / (1.0 + math.exp(-(x[i] * weights[i] + biases[i])))
                ingate = 1.0 / (1.0 + math.exp(-(h * w_in[i] + b_in[i])))
                outgate = 1.0 / (1.0 + math.exp(-(x[i] * w_out[i] + b_out[i])))
                change = math.tanh(h * w_change[i] + b_change[i])
                cell[i] = cell[i] * forget + ingate * change
                hidden[i] = outgate * math.tanh(cell[i])
                x[i] = hidden[i]
        exps = 2.0
        slope, shift = extra[1], extra[2]
        for i in range(bits):
            x[i] = x[i] * slope[i] + shift[i]
            exps += math.exp(x[i])
        norm = math.log(exps)
        successor = sequence[t + 1]
        for i in range(bits):
            total += successor[i] * (x[i] - norm)
    return -total / ((characters - 1) * bits)


@njit
def log_sum_exp(x):
    """Over elements, not subscripts."""
    top = x[0]
    for value in x[1:]:
        if value > top:
            top = value
    total = 0.0
    for value in x:
        total += math.exp(value - top)
    return top + math.log(total)


@njit
def misfit(x, n):
    """Over the coefficients, not their subscripts."""
    total = 0.0
    for i in range(n):
        t = -1.0 + 2.0 * i / (n - 1)
        residual = 0.0
        if t > 0.0:
            residual = 1.0
        elif t < 0.0:
            residual = -1.0
        power = 1.0
        for coefficient in x:
            residual -= coefficient * power
            power *= t
        total += residual * residual
    return 0.5 * total


@njit
def chain(rate, steps):
    """The four slopes are rows of one array; the chain is a view shifted by one."""
    n = len(rate)
    h = 2.0 / steps
    y, at = np.zeros(n), np.empty(n)
    k = np.empty((4, n))
    later = rate[1:]
    for _ in range(steps):
        for stage in range(4):
            slope = k[stage]
            if stage == 0:
                for i in range(n):
                    at[i] = y[i]
            else:
                length = h if stage == 3 else 0.5 * h
                before = k[stage - 1]
                for i in range(n):
                    at[i] = y[i] + length * before[i]
            slope[0] = rate[0]
            tail = slope[1:]
            for i in range(n - 1):
                tail[i] = later[i] * at[i]
        for i in range(n):
            y[i] += h * (k[0, i] + 2.0 * k[1, i] + 2.0 * k[2, i] + k[3, i]) / 6.0
    total = 0.0
    for value in y:
        total += value
    return total


@njit
def burgers(start, steps, advection, viscosity):
    """Inner points and their neighbours are views."""
    n = len(start)
    u = start.copy()
    old = np.empty(n)
    inner = u[1:-1]
    left, here, right = old[:-2], old[1:-1], old[2:]
    for _ in range(steps):
        old[:] = u
        for i in range(n - 2):
            inner[i] = (
                here[i]
                - advection * here[i] * (here[i] - left[i])
                + viscosity * (right[i] - 2.0 * here[i] + left[i])
            )
    total = 0.0
    for value in u:
        total += value * value
    return 0.5 * total


@njit
def rosenbrock(x):
    """All but the first, all but the last."""
    here, after = x[:-1], x[1:]
    total = 0.0
    for i in range(len(here)):
        a = after[i] - here[i] * here[i]
        b = 1.0 - here[i]
        total += 100.0 * a * a + b * b
    return total
