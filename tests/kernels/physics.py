"""Particles, cameras, integrators: one thread a particle, an observation, a trajectory."""

import math

import numpy as np
from numba import cuda, float64

from tests.kernels.case import Case


def forces_with_cutoff(x, force, cutoff):
    i = cuda.grid(1)
    if i >= x.shape[0]:
        return
    fx = 0.0
    fy = 0.0
    for j in range(x.shape[0]):
        if j == i:
            continue
        dx = x[i, 0] - x[j, 0]
        dy = x[i, 1] - x[j, 1]
        r2 = dx * dx + dy * dy
        if r2 > cutoff * cutoff:
            continue
        w = 1.0 / (r2 + 0.05)
        fx += dx * w * w
        fy += dy * w * w
    force[i, 0] = fx
    force[i, 1] = fy


def forces_of_pairs(x, energy, force):
    """Newton's third law by atomics: each pair once."""
    i = cuda.grid(1)
    n = x.shape[0]
    if i < n:
        for j in range(i + 1, n):
            d = x[i] - x[j]
            w = math.exp(-d * d)
            cuda.atomic.add(energy, 0, w)
            cuda.atomic.add(force, i, 2.0 * d * w)
            cuda.atomic.sub(force, j, 2.0 * d * w)


@cuda.jit(device=True)
def rate(x, v, stiffness):
    return v, -stiffness * math.sin(x)


def runge_kutta(x, v, stiffness, h, steps):
    i = cuda.grid(1)
    if i < x.shape[0]:
        p, q = x[i], v[i]
        for _ in range(steps):
            a1, b1 = rate(p, q, stiffness)
            a2, b2 = rate(p + 0.5 * h * a1, q + 0.5 * h * b1, stiffness)
            a3, b3 = rate(p + 0.5 * h * a2, q + 0.5 * h * b2, stiffness)
            a4, b4 = rate(p + h * a3, q + h * b3, stiffness)
            p = p + h / 6.0 * (a1 + 2.0 * a2 + 2.0 * a3 + a4)
            q = q + h / 6.0 * (b1 + 2.0 * b2 + 2.0 * b3 + b4)
        x[i] = p
        v[i] = q


def lorenz(state, sigma, rho, beta):
    i = cuda.grid(1)
    if i < state.shape[0]:
        s = cuda.local.array(3, float64)
        d = cuda.local.array(3, float64)
        for k in range(3):
            s[k] = state[i, k]
        for _ in range(4):
            d[0] = sigma * (s[1] - s[0])
            d[1] = s[0] * (rho - s[2]) - s[1]
            d[2] = s[0] * s[1] - beta * s[2]
            for k in range(3):
                s[k] += 0.01 * d[k]
        for k in range(3):
            state[i, k] = s[k]


@cuda.jit(device=True)
def rotated(r0, r1, r2, x, y, z):
    angle2 = r0 * r0 + r1 * r1 + r2 * r2
    if angle2 > 1e-12:
        angle = math.sqrt(angle2)
        c, s = math.cos(angle), math.sin(angle)
        k0, k1, k2 = r0 / angle, r1 / angle, r2 / angle
        along = (k0 * x + k1 * y + k2 * z) * (1.0 - c)
        return (
            x * c + (k1 * z - k2 * y) * s + k0 * along,
            y * c + (k2 * x - k0 * z) * s + k1 * along,
            z * c + (k0 * y - k1 * x) * s + k2 * along,
        )
    return x + r1 * z - r2 * y, y + r2 * x - r0 * z, z + r0 * y - r1 * x


def bundle_adjustment(cameras, points, which, seen, errors):
    i = cuda.grid(1)
    if i >= seen.shape[0]:
        return
    cam = cameras[which[i, 0]]
    point = points[which[i, 1]]
    x, y, z = rotated(cam[0], cam[1], cam[2], point[0], point[1], point[2])
    x += cam[3]
    y += cam[4]
    z += cam[5]
    u, v = x / z, y / z
    r2 = u * u + v * v
    distorted = 1.0 + r2 * (cam[7] + r2 * cam[8])
    errors[i, 0] = cam[6] * distorted * u - seen[i, 0]
    errors[i, 1] = cam[6] * distorted * v - seen[i, 1]


def quaternions(q, v, out):
    i = cuda.grid(1)
    if i < q.shape[0]:
        a, b, c, d = q[i, 0], q[i, 1], q[i, 2], q[i, 3]
        x, y, z = v[i, 0], v[i, 1], v[i, 2]
        tx = 2.0 * (c * z - d * y)
        ty = 2.0 * (d * x - b * z)
        tz = 2.0 * (b * y - c * x)
        out[i, 0] = x + a * tx + c * tz - d * ty
        out[i, 1] = y + a * ty + d * tx - b * tz
        out[i, 2] = z + a * tz + b * ty - c * tx


def springs(x, left, right, rest, force):
    i = cuda.grid(1)
    if i < left.shape[0]:
        a, b = left[i], right[i]
        dx = x[b, 0] - x[a, 0]
        dy = x[b, 1] - x[a, 1]
        length = math.sqrt(dx * dx + dy * dy)
        pull = (length - rest) / length
        cuda.atomic.add(force, (a, 0), pull * dx)
        cuda.atomic.add(force, (a, 1), pull * dy)
        cuda.atomic.add(force, (b, 0), -pull * dx)
        cuda.atomic.add(force, (b, 1), -pull * dy)


def normals(n, *sizes):
    return tuple(n.normal(size=s) for s in sizes)


CASES = [
    Case(forces_with_cutoff, (2, 4), lambda g: (g.normal(size=(6, 2)), np.zeros((6, 2)), 1.5)),
    Case(forces_of_pairs, (2, 4), lambda g: (g.normal(size=6), np.zeros(1), np.zeros(6))),
    Case(runge_kutta, (1, 4), lambda g: (*normals(g, 3, 3), 1.1, 0.1, 3), second=True),
    Case(lorenz, (1, 4), lambda g: (g.normal(size=(3, 3)), 10.0, 28.0, 8 / 3)),
    Case(
        bundle_adjustment,
        (1, 6),
        lambda g: (
            g.normal(size=(2, 9)) * 0.1 + np.array([0, 0, 0, 0, 0, 4, 2, 0, 0.0]),
            g.normal(size=(3, 3)),
            np.array([[0, 0], [0, 1], [1, 1], [1, 2], [0, 2]]),
            g.normal(size=(5, 2)),
            np.zeros((5, 2)),
        ),
    ),
    Case(
        quaternions,
        (1, 4),
        lambda g: (*normals(g, (3, 4), (3, 3)), np.zeros((3, 3))),
        plain=("q_b",),
    ),
    Case(
        springs,
        (1, 4),
        lambda g: (
            g.normal(size=(4, 2)),
            np.array([0, 1, 2]),
            np.array([1, 2, 3]),
            0.5,
            np.zeros((4, 2)),
        ),
    ),
]
