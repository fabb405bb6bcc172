"""Realistic kernels: root finding, polynomials, quadrature, sampling, grids."""

import math

import numpy as np

from tests.zoo.registry import add, mat, vec


def newton(a, b, x):
    for i in range(20):
        f = x**3 + a * x - b
        if abs(f) < 1e-9:
            break
        x -= f / (3.0 * x * x + a)
    else:
        return -1.0
    return x * (1.0 + 0.0 * i)


add(newton, lambda: (0.7, 1.3, 1.0), (0, 1), "root for else break")


def bisection(c, steps):
    """Converges to the root, but the derivative along the executed path is that of the ends."""
    low, high = 0.5 * c, 2.0 * c
    for _ in range(steps):
        mid = 0.5 * (low + high)
        if mid * mid > c:
            high = mid
        else:
            low = mid
    return low * high


add(bisection, lambda: (1.37, 6), (0,), "root", jit=True)


def fixed_point(x, a, tol):
    count = 0
    while True:
        new = math.cos(a * x)
        count += 1
        if abs(new - x) < tol or count >= 30:
            return new * count
        x = new


add(fixed_point, lambda: (0.7, 0.6, 1e-3), (0, 1), "root while return", jit=True)


def horner(c, x):
    s = 0.0
    for k in range(len(c) - 1, -1, -1):
        s = s * x + c[k]
    return s


add(horner, lambda: (vec(5), 0.7), (0, 1), "polynomial")


def clenshaw(c, x):
    b1, b2 = 0.0, 0.0
    for v in c[:0:-1]:
        b1, b2 = v + 2.0 * x * b1 - b2, b1
    return c[0] + x * b1 - b2


add(clenshaw, lambda: (vec(5), 0.7), (0, 1), "polynomial swap reversed", jit=True)


def de_casteljau(points, t):
    """Bezier evaluation in place."""
    n = len(points)
    for k in range(1, n):
        for i in range(n - k):
            points[i] = (1.0 - t) * points[i] + t * points[i + 1]
    return np.sum(points[0] ** 2) + points[n - 1, 0]


add(de_casteljau, lambda: (mat(4, 2), 0.3), (0, 1), "inplace overlap")


def divided_differences(x, y, at):
    n = len(x)
    for k in range(1, n):
        for i in range(n - 1, k - 1, -1):
            y[i] = (y[i] - y[i - 1]) / (x[i] - x[i - k])
    s = y[n - 1]
    for i in range(n - 2, -1, -1):
        s = s * (at - x[i]) + y[i]
    return s


add(
    divided_differences,
    lambda: (np.array([0.1, 0.5, 1.2, 1.9]), vec(4), 0.8),
    (0, 1, 2),
    "polynomial inplace overlap",
)


def bell(x, width):
    return math.exp(-x * x / width)


def simpson(low, high, width, tol, depth):
    """Adaptive recursive quadrature."""
    mid = 0.5 * (low + high)
    h = high - low
    coarse = h / 6.0 * (bell(low, width) + 4.0 * bell(mid, width) + bell(high, width))
    left, right = 0.5 * (low + mid), 0.5 * (mid + high)
    fine = bell(low, width) + 4.0 * bell(left, width) + 2.0 * bell(mid, width)
    fine = h / 12.0 * (fine + 4.0 * bell(right, width) + bell(high, width))
    if depth == 0 or abs(fine - coarse) < tol:
        return fine
    return simpson(low, mid, width, 0.5 * tol, depth - 1) + simpson(
        mid, high, width, 0.5 * tol, depth - 1
    )


add(simpson, lambda: (0.1, 2.3, 0.7, 1e-4, 4), (0, 1, 2), "quadrature recursion", jit=True)


def romberg(a, b, n):
    table = np.zeros((n, n))
    h = b - a
    table[0, 0] = 0.5 * h * (bell(a, 1.0) + bell(b, 1.0))
    for i in range(1, n):
        h *= 0.5
        s = 0.0
        for k in range(1, 2**i, 2):
            s += bell(a + k * h, 1.0)
        table[i, 0] = 0.5 * table[i - 1, 0] + h * s
        for j in range(1, i + 1):
            f = 4.0**j
            table[i, j] = (f * table[i, j - 1] - table[i - 1, j - 1]) / (f - 1.0)
    return table[n - 1, n - 1]


add(romberg, lambda: (0.1, 1.3, 3), (0, 1), "quadrature inplace", jit=True)


def continued_fraction(x, n):
    s = float(n)
    for k in range(n, 0, -1):
        s = k + x * k / s
    return s


add(continued_fraction, lambda: (0.7, 5), (0,), "polynomial", jit=True)


def series_until_small(x, tol):
    term, total, k = x, x, 1
    while abs(term) > tol:
        term *= -x * x / ((2 * k) * (2 * k + 1))
        total += term
        k += 1
    return total * k


add(series_until_small, lambda: (0.7, 1e-6), (0,), "while")


def monte_carlo_option(spot, sigma, strike, draws):
    """Fixed draws; a knock-out barrier ends paths early."""
    total = 0.0
    for i in range(draws.shape[0]):
        s = spot
        for j in range(draws.shape[1]):
            s *= math.exp(sigma * draws[i, j] * 0.5 - 0.125 * sigma * sigma)
            if s > 3.0:
                s = 0.0
                break
        if s > strike:
            total += s - strike
    return total / draws.shape[0]


add(
    monte_carlo_option,
    lambda: (1.1, 0.3, 1.0, mat(5, 3, 0, -2.0, 2.0)),
    (0, 1, 2),
    "sampling break if",
    jit=True,
)


def metropolis(x, scale, proposals, uniforms):
    """Accept or reject with fixed draws, chain kept in place."""
    chain = np.empty(len(proposals))
    energy = 0.5 * x * x / scale
    accepted = 0
    for k in range(len(proposals)):
        candidate = x + proposals[k] * scale
        new = 0.5 * candidate * candidate / scale
        if new < energy or uniforms[k] < math.exp(energy - new):
            x, energy = candidate, new
            accepted += 1
        chain[k] = x
    return np.sum(chain * chain) + accepted * energy


add(
    metropolis,
    lambda: (0.7, 0.9, vec(5, 0, -1.0, 1.0), vec(5, 1, 0.0, 1.0)),
    (0, 1, 2),
    "sampling if",
    jit=True,
)


def binomial_tree(spot, strike, up, n):
    """American put: backward induction in place with early exercise."""
    values = np.empty(n + 1)
    for i in range(n + 1):
        values[i] = max(strike - spot * up ** (2 * i - n), 0.0)
    for step in range(n - 1, -1, -1):
        for i in range(step + 1):
            held = 0.99 * (0.52 * values[i + 1] + 0.48 * values[i])
            values[i] = max(held, strike - spot * up ** (2 * i - step))
    return values[0]


add(binomial_tree, lambda: (1.0, 1.07, 1.1, 4), (0, 1, 2), "finance inplace max", jit=True)


def ray_march(origin, direction, radius):
    """Sphere tracing until close enough or too far."""
    t = 0.0
    for step in range(50):
        p = origin + t * direction
        d = np.sqrt(p @ p) - radius
        if d < 1e-3:
            shade = (p / radius) @ direction
            return t * shade
        t += d
        if t > 10.0:
            return -1.0 * t
    return t


add(
    ray_march,
    lambda: (np.array([-2.0, 0.3, 0.1]), np.array([1.0, 0.05, 0.02]), 0.8),
    (0, 1, 2),
    "graphics return",
    jit=True,
)


def barycentric_raster(v, size):
    """Soft triangle coverage with skipped pixels."""
    total = 0.0
    for i in range(size):
        for j in range(size):
            x, y = (i + 0.5) / size, (j + 0.5) / size
            inside = 1.0
            for k in range(3):
                ax, ay = v[k]
                bx, by = v[(k + 1) % 3]
                edge = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
                if edge < -0.5:
                    break
                inside *= 1.0 / (1.0 + math.exp(-8.0 * edge))
            else:
                total += inside * x
    return total


add(
    barycentric_raster,
    lambda: (np.array([[0.1, 0.2], [0.9, 0.1], [0.4, 0.8]]), 3),
    (0,),
    "graphics for else break",
    jit=True,
)
