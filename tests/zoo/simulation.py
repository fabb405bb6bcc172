"""Realistic kernels, second part: time stepping, root finding, quadrature, sampling."""

import math

import numpy as np

from tests.zoo.registry import add, mat, vec


def burgers(u, viscosity, steps):
    """Upwind differences, ping-pong buffers."""
    n = len(u)
    new = np.zeros(n)
    for _ in range(steps):
        for i in range(n):
            left, right = u[i - 1], u[(i + 1) % n]
            advect = u[i] * (u[i] - left) if u[i] > 0.0 else u[i] * (right - u[i])
            new[i] = u[i] - 0.1 * advect + viscosity * (left - 2.0 * u[i] + right)
        u, new = new, u
    return np.sum(u * u)


add(burgers, lambda: (vec(5), 0.1, 3), (0, 1), "pde pingpong inplace", jit=True)


def heat_2d(t, k, steps):
    """Five-point stencil written with slices into a second buffer."""
    new = t.copy()
    for s in range(steps):
        new[1:-1, 1:-1] = t[1:-1, 1:-1] + k * (
            t[:-2, 1:-1] + t[2:, 1:-1] + t[1:-1, :-2] + t[1:-1, 2:] - 4.0 * t[1:-1, 1:-1]
        )
        t, new = new, t
        t[0] = t[1] * 0.5
    return np.sum(t * t)


add(heat_2d, lambda: (mat(4, 4), 0.1, 3), (0, 1), "pde pingpong slice inplace")


def heat_in_place(t, k, steps):
    """Gauss-Seidel: new values are used as soon as they are written."""
    for _ in range(steps):
        for i in range(1, len(t) - 1):
            t[i] += k * (t[i - 1] - 2.0 * t[i] + t[i + 1])
        t[0] = t[1]
        t[-1] = t[-2]
    return np.sum(t**2)


add(heat_in_place, lambda: (vec(5), 0.2, 3), (0, 1), "pde inplace overlap")


def wave_equation(u, c, steps):
    """Three time levels rotate through three buffers."""
    old = u.copy()
    new = np.zeros_like(u)
    for _ in range(steps):
        new[1:-1] = 2.0 * u[1:-1] - old[1:-1] + c * c * (u[:-2] - 2.0 * u[1:-1] + u[2:])
        old, u, new = u, new, old
    return np.sum(u * u) + old[1]


add(wave_equation, lambda: (vec(5), 0.5, 4), (0, 1), "pde pingpong inplace", jit=True)


def lotka(state, params, out):
    out[0] = params[0] * state[0] - params[1] * state[0] * state[1]
    out[1] = params[2] * state[0] * state[1] - params[3] * state[1]


def rk4(state, params, h, steps):
    """Trajectory written row by row; stages share one scratch array each."""
    trajectory = np.zeros((steps + 1, 2))
    trajectory[0] = state
    k1, k2, k3, k4 = np.zeros(2), np.zeros(2), np.zeros(2), np.zeros(2)
    for t in range(steps):
        y = trajectory[t]
        lotka(y, params, k1)
        lotka(y + 0.5 * h * k1, params, k2)
        lotka(y + 0.5 * h * k2, params, k3)
        lotka(y + h * k3, params, k4)
        trajectory[t + 1] = y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return trajectory


add(rk4, lambda: (vec(2), vec(4), 0.1, 3), (0, 1, 2), "ode helper array_output")


def lorenz(x, y, z, sigma, rho, beta, n):
    for _ in range(n):
        dx = sigma * (y - x)
        dy = x * (rho - z) - y
        dz = x * y - beta * z
        x, y, z = x + 0.01 * dx, y + 0.01 * dy, z + 0.01 * dz
    return x, y, z


add(
    lorenz,
    lambda: (0.7, 1.3, 0.4, 10.0, 28.0, 2.7, 5),
    (0, 1, 2, 3, 4, 5),
    "ode tuple_output",
    jit=True,
)


def adaptive_step(x, rate, tol):
    """Step size chosen by an error estimate: rejected steps leave no trace but the step size."""
    t, h = 0.0, 0.5
    while t < 1.0:
        h = min(h, 1.0 - t)
        full = x + h * rate * math.cos(x)
        half = x + 0.5 * h * rate * math.cos(x)
        half = half + 0.5 * h * rate * math.cos(half)
        if abs(full - half) > tol:
            h *= 0.5
            continue
        x = 2.0 * half - full
        t += h
        h *= 1.2
    return x


add(adaptive_step, lambda: (0.7, 1.3, 0.01), (0, 1), "ode while continue", jit=True)


def nbody(positions, velocities, masses, h, steps):
    n = len(masses)
    for _ in range(steps):
        for i in range(n):
            for j in range(n):
                if i == j:
                    continue
                d = positions[j] - positions[i]
                r2 = d[0] ** 2 + d[1] ** 2 + 0.01
                velocities[i] += h * masses[j] / (r2 * math.sqrt(r2)) * d
        for i in range(n):
            positions[i] += h * velocities[i]
    return np.sum(positions**2)


add(
    nbody, lambda: (mat(3, 2), mat(3, 2, 1), vec(3), 0.05, 2), (0, 1, 2, 3), "ode inplace augmented"
)


def spring_mass(x, v, k, damping, steps):
    """A chain with contact: the branch depends on the state."""
    energy = 0.0
    for _ in range(steps):
        for i in range(len(x) - 1):
            stretch = x[i + 1] - x[i] - 1.0
            force = k * stretch if stretch > 0.0 else 3.0 * k * stretch
            v[i] += 0.05 * force
            v[i + 1] -= 0.05 * force
        for i in range(len(x)):
            v[i] *= damping
            x[i] += 0.05 * v[i]
            if x[i] < 0.0:
                x[i] = -x[i]
                v[i] = -0.8 * v[i]
        energy += 0.5 * np.sum(v * v)
    return energy


add(
    spring_mass,
    lambda: (np.array([0.1, 1.3, 2.1]), np.array([-3.0, 0.5, 0.2]), 1.7, 0.98, 4),
    (0, 1, 2, 3),
    "ode if inplace",
)


def bouncing_ball(height, speed, restitution):
    """Event times in closed form; stops after enough bounces or when slow."""
    t = 0.0
    bounces = 0
    while bounces < 5:
        flight = (speed + math.sqrt(speed * speed + 19.62 * height)) / 9.81
        t += flight
        speed = restitution * (9.81 * flight - speed)
        height = 0.0
        bounces += 1
        if speed < 2.0:
            return t * speed
    return t


add(bouncing_ball, lambda: (1.3, 0.7, 0.8), (0, 1, 2), "while return")


def sir_epidemic(beta, gamma, susceptible, infected, days):
    history = np.zeros(days)
    for day in range(days):
        for _ in range(2):
            new = 0.5 * beta * susceptible * infected
            healed = 0.5 * gamma * infected
            susceptible -= new
            infected += new - healed
        history[day] = infected
    return history


add(sir_epidemic, lambda: (1.7, 0.4, 0.95, 0.05, 4), (0, 1, 2, 3), "ode array_output")


def kalman_filter(f, q, r, z):
    """A scalar filter with gating of outliers."""
    x, p, loglik = 0.0, 1.0, 0.0
    for v in z:
        x, p = f * x, f * f * p + q
        residual, s = v - x, p + r
        if residual * residual > 9.0 * s:
            continue
        gain = p / s
        x += gain * residual
        p *= 1.0 - gain
        loglik -= 0.5 * (math.log(s) + residual * residual / s)
    return loglik


add(
    kalman_filter,
    lambda: (0.9, 0.2, 0.3, np.array([0.3, 0.8, 9.0, 0.5, 0.9])),
    (0, 1, 2, 3),
    "statistics continue",
    jit=True,
)


def particles_on_grid(positions, charges, size):
    """Scatter by linear weights, smooth, gather back."""
    grid = np.zeros(size)
    for i in range(len(positions)):
        cell = int(positions[i])
        w = positions[i] - cell
        grid[cell] += charges[i] * (1.0 - w)
        grid[(cell + 1) % size] += charges[i] * w
    grid[1:-1] = 0.25 * grid[:-2] + 0.5 * grid[1:-1] + 0.25 * grid[2:]
    energy = 0.0
    for i in range(len(positions)):
        cell = int(positions[i])
        w = positions[i] - cell
        energy += charges[i] * (grid[cell] * (1.0 - w) + grid[(cell + 1) % size] * w)
    return energy


add(
    particles_on_grid,
    lambda: (np.array([0.3, 1.7, 1.2, 3.6]), vec(4), 4),
    (0, 1),
    "scatter data inplace",
    jit=True,
)


def tridiagonal_solve(a, b, c, d):
    """Thomas algorithm in place on its arguments."""
    n = len(d)
    for i in range(1, n):
        w = a[i] / b[i - 1]
        b[i] -= w * c[i - 1]
        d[i] -= w * d[i - 1]
    d[-1] /= b[-1]
    for i in range(n - 2, -1, -1):
        d[i] = (d[i] - c[i] * d[i + 1]) / b[i]
    return np.sum(d * d)


add(
    tridiagonal_solve,
    lambda: (vec(4), vec(4, 1) + 2.0, vec(4, 2), vec(4, 3)),
    (0, 1, 2, 3),
    "linalg inplace overlap",
)


def upwind_overlap(u, c, steps):
    """Whole-slice update whose target overlaps its source."""
    for _ in range(steps):
        u[1:] = u[1:] - c * (u[1:] - u[:-1])
        u[0] = u[-1]
    return np.sum(u * u)


add(upwind_overlap, lambda: (vec(5), 0.4, 3), (0, 1), "pde slice overlap inplace")


def cellular_table(x, rule, steps):
    """Integers decide, floats are carried."""
    cells = np.array([1, 0, 1, 1, 0])
    weight = 1.0
    for _ in range(steps):
        new = np.zeros(len(cells), dtype=np.int64)
        for i in range(len(cells)):
            k = (cells[i - 1] << 2) | (cells[i] << 1) | cells[(i + 1) % len(cells)]
            new[i] = (rule >> k) & 1
            weight *= 1.0 + 0.1 * x * new[i]
        cells = new
    return weight * np.sum(cells)


add(cellular_table, lambda: (0.7, 110, 3), (0,), "int rebind")
