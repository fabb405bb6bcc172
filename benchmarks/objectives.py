"""The objectives that are measured, as a Numba user writes them: plain loops and subscripts.

The three ADBench problems are those of ``examples/adbench.py`` without helpers and row views, so
that ``benchmarks/variants`` can measure what such a change of style costs.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit
def gmm(alphas, means, log_scales, lower, points, gamma, m):
    """Log posterior of a Gaussian mixture with a Wishart prior on the inverse covariances."""
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
    """Half the sum of the squared residuals of bundle adjustment, weights' own included."""
    total = 0.0
    for k in range(len(weights)):
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
    """Mean negative log-likelihood of each character's successor."""
    characters, bits = sequence.shape
    layers = len(main) // 2
    now = state.copy()
    x = np.empty(bits)
    total = 0.0
    for t in range(characters - 1):
        for i in range(bits):
            x[i] = sequence[t, i] * extra[0, i]
        for a in range(layers):
            w = 2 * a
            b = 2 * a + 1
            for i in range(bits):
                h = now[w, i]
                forget = 1.0 / (1.0 + math.exp(-(x[i] * main[w, i] + main[b, i])))
                ingate = 1.0 / (1.0 + math.exp(-(h * main[w, bits + i] + main[b, bits + i])))
                out = x[i] * main[w, 2 * bits + i] + main[b, 2 * bits + i]
                outgate = 1.0 / (1.0 + math.exp(-out))
                change = math.tanh(h * main[w, 3 * bits + i] + main[b, 3 * bits + i])
                now[b, i] = now[b, i] * forget + ingate * change
                now[w, i] = outgate * math.tanh(now[b, i])
                x[i] = now[w, i]
        exps = 2.0
        for i in range(bits):
            x[i] = x[i] * extra[1, i] + extra[2, i]
            exps += math.exp(x[i])
        norm = math.log(exps)
        for i in range(bits):
            total += sequence[t + 1, i] * (x[i] - norm)
    return -total / ((characters - 1) * bits)


@njit
def log_sum_exp(x):
    """log(sum(exp(x))), without overflow."""
    top = x[0]
    for i in range(1, len(x)):
        if x[i] > top:
            top = x[i]
    total = 0.0
    for i in range(len(x)):
        total += math.exp(x[i] - top)
    return top + math.log(total)


@njit
def misfit(x, n):
    """Least squares: a polynomial with coefficients ``x`` against the sign on ``n`` points."""
    total = 0.0
    for i in range(n):
        t = -1.0 + 2.0 * i / (n - 1)
        residual = 0.0
        if t > 0.0:
            residual = 1.0
        elif t < 0.0:
            residual = -1.0
        power = 1.0
        for j in range(len(x)):
            residual -= x[j] * power
            power *= t
        total += residual * residual
    return 0.5 * total


@njit
def chain(rate, steps):
    """The sum at time 2 of a chain of reactions, by classic Runge-Kutta; no helpers."""
    n = len(rate)
    h = 2.0 / steps
    y, at = np.zeros(n), np.empty(n)
    k1, k2, k3, k4 = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for _ in range(steps):
        k1[0] = rate[0]
        for i in range(1, n):
            k1[i] = rate[i] * y[i - 1]
        for i in range(n):
            at[i] = y[i] + 0.5 * h * k1[i]
        k2[0] = rate[0]
        for i in range(1, n):
            k2[i] = rate[i] * at[i - 1]
        for i in range(n):
            at[i] = y[i] + 0.5 * h * k2[i]
        k3[0] = rate[0]
        for i in range(1, n):
            k3[i] = rate[i] * at[i - 1]
        for i in range(n):
            at[i] = y[i] + h * k3[i]
        k4[0] = rate[0]
        for i in range(1, n):
            k4[i] = rate[i] * at[i - 1]
        for i in range(n):
            y[i] += h * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]) / 6.0
    total = 0.0
    for i in range(n):
        total += y[i]
    return total


@njit
def slopes(y, rate, out):
    """A chain of reactions."""
    out[0] = rate[0]
    for i in range(1, len(y)):
        out[i] = rate[i] * y[i - 1]


@njit
def reactions(rate, steps):
    """``chain`` with its right side in a function."""
    n = len(rate)
    h = 2.0 / steps
    y, at = np.zeros(n), np.empty(n)
    k1, k2, k3, k4 = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    for _ in range(steps):
        slopes(y, rate, k1)
        for i in range(n):
            at[i] = y[i] + 0.5 * h * k1[i]
        slopes(at, rate, k2)
        for i in range(n):
            at[i] = y[i] + 0.5 * h * k2[i]
        slopes(at, rate, k3)
        for i in range(n):
            at[i] = y[i] + h * k3[i]
        slopes(at, rate, k4)
        for i in range(n):
            y[i] += h * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]) / 6.0
    total = 0.0
    for i in range(n):
        total += y[i]
    return total


@njit
def burgers(start, steps, advection, viscosity):
    """Viscous Burgers equation, explicit; each step reads a copy of the state."""
    n = len(start)
    u = start.copy()
    old = np.empty(n)
    for _ in range(steps):
        for i in range(n):
            old[i] = u[i]
        for i in range(1, n - 1):
            u[i] = (
                old[i]
                - advection * old[i] * (old[i] - old[i - 1])
                + viscosity * (old[i + 1] - 2.0 * old[i] + old[i - 1])
            )
    total = 0.0
    for i in range(n):
        total += u[i] * u[i]
    return 0.5 * total


@njit
def burgers_in_place(start, steps, advection, viscosity):
    """The same without the copy: the old left neighbour is carried along."""
    u = start.copy()
    n = len(u)
    for _ in range(steps):
        left = u[0]
        for i in range(1, n - 1):
            here = u[i]
            u[i] += viscosity * (u[i + 1] - 2.0 * here + left) - advection * here * (here - left)
            left = here
    total = 0.0
    for i in range(n):
        total += u[i] * u[i]
    return 0.5 * total


@njit
def rosenbrock(x):
    """Rosenbrock's function of several variables."""
    total = 0.0
    for i in range(len(x) - 1):
        a = x[i + 1] - x[i] * x[i]
        b = 1.0 - x[i]
        total += 100.0 * a * a + b * b
    return total


@njit
def wave(x):
    """A function of one number."""
    return math.sin(x) * x


@njit
def roots(x):
    """Sum of the cube roots by Newton's method: a loop whose length depends on the data."""
    total = 0.0
    for i in range(len(x)):
        r = 1.0
        while abs(r * r * r - x[i]) > 1e-12 * x[i]:
            r -= (r * r * r - x[i]) / (3.0 * r * r)
        total += r
    return total
