"""Adjoints by hand of the three ADBench problems; see ``benchmarks/by_hand.py``."""

from __future__ import annotations

import math

import numpy as np


def gmm(alphas, means, log_scales, lower, points, gamma, m):
    """Forward and reverse of each sample in turn: nothing is kept longer than a sample."""
    n, d = points.shape
    k, packed = lower.shape
    scales = np.empty_like(means)
    base = np.empty_like(alphas)
    log_dets = np.zeros_like(alphas)
    for j in range(k):
        for i in range(d):
            scales[j, i] = math.exp(log_scales[j, i])
            log_dets[j] += log_scales[j, i]
        base[j] = alphas[j] + log_dets[j]
    alphas_b, means_b = np.zeros_like(alphas), np.zeros_like(means)
    scales_b, lower_b = np.zeros_like(means), np.zeros_like(lower)
    shift, white = np.empty_like(means), np.empty_like(means)
    share = np.empty_like(alphas)
    likelihood = 0.0
    for sample in range(n):
        for j in range(k):
            for i in range(d):
                shift[j, i] = points[sample, i] - means[j, i]
                white[j, i] = scales[j, i] * shift[j, i]
            p = 0
            for column in range(d):
                s = shift[j, column]
                for row in range(column + 1, d):
                    white[j, row] += lower[j, p + row - column - 1] * s
                p += d - column - 1
            distance = 0.0
            for i in range(d):
                distance += white[j, i] * white[j, i]
            share[j] = base[j] - 0.5 * distance
        top = share[0]
        for j in range(1, k):
            top = max(top, share[j])
        total = 0.0
        for j in range(k):
            share[j] = math.exp(share[j] - top)
            total += share[j]
        likelihood += top + math.log(total)
        scale = 1.0 / total
        for j in range(k):
            weight = share[j] * scale
            alphas_b[j] += weight
            for i in range(d):
                white[j, i] *= -weight
            p = 0
            for column in range(d):
                s = shift[j, column]
                w = white[j, column]
                scales_b[j, column] += w * s
                s_b = scales[j, column] * w
                for row in range(column + 1, d):
                    w = white[j, row]
                    s_b += lower[j, p + row - column - 1] * w
                    lower_b[j, p + row - column - 1] += w * s
                p += d - column - 1
                means_b[j, column] -= s_b
    top = alphas[0]
    for j in range(1, k):
        top = max(top, alphas[j])
    total = 0.0
    for j in range(k):
        total += math.exp(alphas[j] - top)
    likelihood -= n * (top + math.log(total))
    prior = 0.0
    log_scales_b = np.empty_like(log_scales)
    for j in range(k):
        squares = 0.0
        for i in range(d):
            s = scales[j, i]
            squares += s * s
            log_scales_b[j, i] = (scales_b[j, i] - gamma * gamma * s) * s + alphas_b[j] + m
        for p in range(packed):
            squares += lower[j, p] * lower[j, p]
            lower_b[j, p] -= gamma * gamma * lower[j, p]
        prior += 0.5 * gamma * gamma * squares - m * log_dets[j]
        alphas_b[j] -= n * math.exp(alphas[j] - top) / total
    freedom = d + m + 1
    constant = freedom * d * (math.log(gamma) - 0.5 * math.log(2.0))
    constant -= 0.25 * d * (d - 1) * math.log(math.pi)
    for i in range(d):
        constant -= math.lgamma(0.5 * (freedom - i))
    value = likelihood - 0.5 * n * d * math.log(2.0 * math.pi) + k * constant - prior
    return value, (alphas_b, means_b, log_scales_b, lower_b)


def bundle(cameras, points, weights, seen, measured):
    """Every residual's gradient is computed with it and added to its camera, point and weight."""
    cameras_b, points_b = np.zeros_like(cameras), np.zeros_like(points)
    weights_b = np.empty_like(weights)
    total = 0.0
    for k in range(len(weights)):
        c, p = seen[k, 0], seen[k, 1]
        weight = weights[k]
        r0, r1, r2 = cameras[c, 0], cameras[c, 1], cameras[c, 2]
        x0 = points[p, 0] - cameras[c, 3]
        x1 = points[p, 1] - cameras[c, 4]
        x2 = points[p, 2] - cameras[c, 5]
        square = r0 * r0 + r1 * r1 + r2 * r2
        cosine, sine, bend, dot = 1.0, 1.0, 0.5, r0 * x0 + r1 * x1 + r2 * x2
        d_sine, d_bend = -1.0 / 3.0, -1.0 / 12.0  # over the angle
        turned = square > 0.0
        if turned:
            angle = math.sqrt(square)
            cosine = math.cos(angle)
            over = 1.0 / square
            sine = math.sin(angle) / angle
            bend = (1.0 - cosine) * over
            d_sine = (cosine - sine) * over
            d_bend = (sine - 2.0 * bend) * over
        else:
            bend = 0.0  # the objective's branch at zero is of first order
        c0, c1, c2 = r1 * x2 - r2 * x1, r2 * x0 - r0 * x2, r0 * x1 - r1 * x0
        along = bend * dot
        y0 = cosine * x0 + sine * c0 + along * r0
        y1 = cosine * x1 + sine * c1 + along * r1
        y2 = cosine * x2 + sine * c2 + along * r2
        over = 1.0 / y2
        u, v = y0 * over, y1 * over
        radius = u * u + v * v
        focal, f1, f2 = cameras[c, 6], cameras[c, 9], cameras[c, 10]
        distort = 1.0 + radius * (f1 + f2 * radius)
        eu = cameras[c, 7] + focal * distort * u - measured[k, 0]
        ev = cameras[c, 8] + focal * distort * v - measured[k, 1]
        ew = 1.0 - weight * weight
        du, dv = weight * eu, weight * ev
        total += 0.5 * (du * du + dv * dv + ew * ew)
        weights_b[k] = du * eu + dv * ev - 2.0 * weight * ew
        du *= weight
        dv *= weight
        both = du * u + dv * v
        scaled = focal * both
        radius_b = 2.0 * scaled * (f1 + 2.0 * f2 * radius)
        u_b = du * focal * distort + radius_b * u
        v_b = dv * focal * distort + radius_b * v
        y0_b, y1_b = u_b * over, v_b * over
        y2_b = -(u * y0_b + v * y1_b)
        along_b = y0_b * r0 + y1_b * r1 + y2_b * r2
        dot_b = along_b * bend
        # the derivative in the angle, divided by the angle
        turn = (
            d_sine * (y0_b * c0 + y1_b * c1 + y2_b * c2)
            - sine * (y0_b * x0 + y1_b * x1 + y2_b * x2)
            + d_bend * dot * along_b
        )
        if not turned:
            turn = 0.0
        c0_b, c1_b, c2_b = sine * y0_b, sine * y1_b, sine * y2_b
        x0_b = cosine * y0_b + c1_b * r2 - c2_b * r1 + dot_b * r0
        x1_b = cosine * y1_b + c2_b * r0 - c0_b * r2 + dot_b * r1
        x2_b = cosine * y2_b + c0_b * r1 - c1_b * r0 + dot_b * r2
        cameras_b[c, 0] += c2_b * x1 - c1_b * x2 + along * y0_b + dot_b * x0 + turn * r0
        cameras_b[c, 1] += c0_b * x2 - c2_b * x0 + along * y1_b + dot_b * x1 + turn * r1
        cameras_b[c, 2] += c1_b * x0 - c0_b * x1 + along * y2_b + dot_b * x2 + turn * r2
        cameras_b[c, 3] -= x0_b
        cameras_b[c, 4] -= x1_b
        cameras_b[c, 5] -= x2_b
        cameras_b[c, 6] += both * distort
        cameras_b[c, 7] += du
        cameras_b[c, 8] += dv
        cameras_b[c, 9] += scaled * radius
        cameras_b[c, 10] += scaled * radius * radius
        points_b[p, 0] += x0_b
        points_b[p, 1] += x1_b
        points_b[p, 2] += x2_b
    return total, (cameras_b, points_b, weights_b)


def lstm(main, extra, state, sequence):
    """Gates and states of every step are kept, no argument of a function."""
    characters, bits = sequence.shape
    layers = len(main) // 2
    steps = characters - 1
    gates = np.empty((steps, layers, 4, bits), main.dtype)
    before = np.empty((steps, layers, 2, bits), main.dtype)
    bent = np.empty((steps, layers, bits), main.dtype)
    tops, errors = np.empty((steps, bits), main.dtype), np.empty((steps, bits), main.dtype)
    now = state.copy()
    x = np.empty_like(extra[0])
    scale = -1.0 / (steps * bits)
    total = 0.0
    for t in range(steps):
        for i in range(bits):
            x[i] = sequence[t, i] * extra[0, i]
        for a in range(layers):
            w, b = 2 * a, 2 * a + 1
            for i in range(bits):
                h, c = now[w, i], now[b, i]
                before[t, a, 0, i] = h
                before[t, a, 1, i] = c
                f = 1.0 / (1.0 + math.exp(-(x[i] * main[w, i] + main[b, i])))
                g = 1.0 / (1.0 + math.exp(-(h * main[w, bits + i] + main[b, bits + i])))
                o = x[i] * main[w, 2 * bits + i] + main[b, 2 * bits + i]
                o = 1.0 / (1.0 + math.exp(-o))
                z = math.tanh(h * main[w, 3 * bits + i] + main[b, 3 * bits + i])
                gates[t, a, 0, i] = f
                gates[t, a, 1, i] = g
                gates[t, a, 2, i] = o
                gates[t, a, 3, i] = z
                c = c * f + g * z
                s = math.tanh(c)
                bent[t, a, i] = s
                now[b, i] = c
                now[w, i] = o * s
                x[i] = o * s
        exps, marks = 2.0, 0.0
        for i in range(bits):
            tops[t, i] = x[i]
            logit = x[i] * extra[1, i] + extra[2, i]
            errors[t, i] = math.exp(logit)
            exps += errors[t, i]
            total += sequence[t + 1, i] * logit
            marks += sequence[t + 1, i]
        total -= marks * math.log(exps)
        for i in range(bits):
            errors[t, i] = scale * (sequence[t + 1, i] - marks / exps * errors[t, i])
    main_b, extra_b = np.zeros_like(main), np.zeros_like(extra)
    hidden_b = np.zeros((layers, bits), main.dtype)
    cell_b = np.zeros((layers, bits), main.dtype)
    x_b = np.empty_like(x)
    for t in range(steps - 1, -1, -1):
        for i in range(bits):
            e = errors[t, i]
            extra_b[1, i] += e * tops[t, i]
            extra_b[2, i] += e
            x_b[i] = e * extra[1, i]
        for a in range(layers - 1, -1, -1):
            w, b = 2 * a, 2 * a + 1
            for i in range(bits):
                f, g, o, z = (
                    gates[t, a, 0, i],
                    gates[t, a, 1, i],
                    gates[t, a, 2, i],
                    gates[t, a, 3, i],
                )
                s, h = bent[t, a, i], before[t, a, 0, i]
                below = sequence[t, i] * extra[0, i]
                if a > 0:
                    below = gates[t, a - 1, 2, i] * bent[t, a - 1, i]
                h_b = hidden_b[a, i] + x_b[i]
                c_b = cell_b[a, i] + h_b * o * (1.0 - s * s)
                f_b = c_b * before[t, a, 1, i] * f * (1.0 - f)
                g_b = c_b * z * g * (1.0 - g)
                o_b = h_b * s * o * (1.0 - o)
                z_b = c_b * g * (1.0 - z * z)
                cell_b[a, i] = c_b * f
                main_b[w, i] += f_b * below
                main_b[b, i] += f_b
                main_b[w, bits + i] += g_b * h
                main_b[b, bits + i] += g_b
                main_b[w, 2 * bits + i] += o_b * below
                main_b[b, 2 * bits + i] += o_b
                main_b[w, 3 * bits + i] += z_b * h
                main_b[b, 3 * bits + i] += z_b
                hidden_b[a, i] = g_b * main[w, bits + i] + z_b * main[w, 3 * bits + i]
                x_b[i] = f_b * main[w, i] + o_b * main[w, 2 * bits + i]
        for i in range(bits):
            extra_b[0, i] += x_b[i] * sequence[t, i]
    return scale * total, (main_b, extra_b)
