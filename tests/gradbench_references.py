"""GradBench's objectives a second time, as NumPy and SciPy formulas, and derivatives of them.

Nothing here is shared with ``benchmarks.gradbench``: rotations are quaternions or products of
matrices, densities are SciPy's, the Runge-Kutta solution is the polynomial that it is exact for.
All but the densities also take complex arguments, so that derivatives are exact:
``f(x + ih).imag / h``.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import scipy.optimize
import scipy.stats

H = 1e-30


def complex_step(f, x):
    """Jacobian of an analytic function of a vector, one row an output (Squire and Trapp 1998)."""
    x = np.asarray(x, dtype=float)
    columns = [np.ravel(f(x + 1j * H * e)).imag / H for e in np.eye(len(x))]
    return np.stack(columns, axis=-1)


def central(f, x, h=1e-5):
    """Gradient by central differences."""
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(len(x))])


def rotate(r, x):
    """Points turned by rotation vectors, by quaternions."""
    angle = np.sqrt(np.sum(r * r, axis=-1, keepdims=True))
    scalar, vector = np.cos(0.5 * angle), np.sin(0.5 * angle) / angle * r
    side = np.cross(vector, x)
    return x + 2.0 * scalar * side + 2.0 * np.cross(vector, side)


def llsq(x, n):
    """Value and gradient."""
    t = np.linspace(-1.0, 1.0, n)
    powers = np.vander(t, len(x), increasing=True)
    residual = np.sign(t) - powers @ x
    return 0.5 * residual @ residual, -powers.T @ residual


def ode(x):
    """Solution and gradient of its last entry, for at most 4 unknowns (Runge-Kutta is exact)."""
    assert len(x) <= 4
    orders = np.arange(1, len(x) + 1)
    y = np.cumprod(x) * 2.0**orders / np.array([math.factorial(k) for k in orders])
    return y, y[-1] / x


def kmeans(points, centroids):
    """Cost and Newton direction: away from the mean of the points that are nearest."""
    squares = np.sum((points[:, None] - centroids[None]) ** 2, axis=2)
    owner = np.argmin(squares, axis=1)
    means = [np.mean(points[owner == j], axis=0) for j in range(len(centroids))]
    return np.sum(np.min(squares, axis=1)), centroids - np.array(means)


def gmm(alpha, mu, q, lower, x, gamma, m):
    """Log posterior by the definition: a mixture of normals, Wishart priors on the precisions."""
    d = x.shape[1]
    shares = np.exp(alpha) / np.sum(np.exp(alpha))
    density, prior = np.zeros(len(x)), 0.0
    for k in range(len(alpha)):
        factor = np.diag(np.exp(q[k]))
        factor.T[np.triu_indices(d, 1)] = lower[k]
        precision = factor.T @ factor
        density += shares[k] * scipy.stats.multivariate_normal(mu[k], np.linalg.inv(precision)).pdf(
            x
        )
        prior += scipy.stats.wishart(d + m + 1, np.eye(d) / gamma**2).logpdf(precision)
    return np.sum(np.log(density)) + prior


def lstm(main, extra, state, sequence):
    """Loss of the network, a layer at a time."""
    bits = sequence.shape[1]
    hidden, cell = list(state[0::2]), list(state[1::2])
    total = 0.0
    for now, then in itertools.pairwise(sequence):
        x = now * extra[0]
        for a in range(len(hidden)):
            weight, bias = main[2 * a].reshape(4, bits), main[2 * a + 1].reshape(4, bits)
            signals = weight * np.stack([x, hidden[a], x, hidden[a]]) + bias
            forget, ingate, outgate = 1.0 / (1.0 + np.exp(-signals[:3]))
            cell[a] = cell[a] * forget + ingate * np.tanh(signals[3])
            x = hidden[a] = outgate * np.tanh(cell[a])
        logits = x * extra[1] + extra[2]
        total += np.sum(then * (logits - np.log(2.0 + np.sum(np.exp(logits)))))
    return -total / ((len(sequence) - 1) * bits)


def ba(cameras, points, weights, seen, features):
    """All residuals: two an observation, then one a weight."""
    c = cameras[seen[:, 0]]
    turned = rotate(c[:, :3], points[seen[:, 1]] - c[:, 3:6])
    flat = turned[:, :2] / turned[:, 2:]
    r = np.sum(flat**2, axis=1, keepdims=True)
    pixel = c[:, 6:7] * flat * (1.0 + c[:, 9:10] * r + c[:, 10:] * r**2) + c[:, 7:9]
    errors = weights[:, None] * (pixel - features)
    return np.concatenate([np.ravel(errors), 1.0 - weights**2])


def ht(theta, us, hand, correspondences, points):
    """Residuals of hand tracking, by matrices of homogeneous coordinates."""

    def turn(axis, angle):
        out = np.eye(4, dtype=complex)
        i, j = (axis + 1) % 3, (axis + 2) % 3
        out[i, i] = out[j, j] = np.cos(angle)
        out[j, i], out[i, j] = np.sin(angle), -np.sin(angle)
        return out

    angles = np.zeros((len(hand["parents"]), 3), dtype=complex)
    fingers = np.reshape(theta[6:], (5, 4))
    for f in range(5):
        angles[2 + 4 * f, 0], angles[2 + 4 * f, 2] = fingers[f, :2]
        angles[3 + 4 * f, 0], angles[4 + 4 * f, 0] = fingers[f, 2:]
    absolute, skin = [], 0.0
    base = np.array(hand["base_positions"])
    for b, parent in enumerate(hand["parents"]):
        own = np.array(hand["base_relatives"][b]) @ turn(2, angles[b, 2]) @ turn(0, angles[b, 0])
        absolute.append(own if parent < 0 else absolute[parent] @ own)
        moved = base @ (absolute[b] @ np.array(hand["inverse_base_absolutes"][b])).T
        skin = skin + np.array(hand["weights"])[:, b, None] * moved[:, :3]
    if hand["is_mirrored"]:
        skin = skin * [-1.0, 1.0, 1.0]
    vertices = rotate(theta[:3], skin) + theta[3:6]
    if len(us) == 0:
        return points - vertices[correspondences]
    corners = vertices[np.array(hand["triangles"])[correspondences]]
    shares = np.stack([us[:, 0], us[:, 1], 1.0 - us[:, 0] - us[:, 1]], axis=1)
    return points - np.einsum("pk,pki->pi", shares, corners)


def particle():
    """The position of the charge at which the particle lands at the origin."""

    def landing(w):
        charges = np.array([[10.0, 10.0 - w], [10.0, 0.0]])
        x, v = np.array([0.0, 8.0]), np.array([0.75, 0.0])
        while x[1] + 0.1 * v[1] > 0.0:
            away = x - charges
            force = np.sum(away / np.sum(away**2, axis=1, keepdims=True) ** 1.5, axis=0)
            x, v = x + 0.1 * v, v + 0.1 * force
        return x[0] - x[1] * v[0] / v[1]

    return scipy.optimize.brentq(landing, 0.0, 1.0)
