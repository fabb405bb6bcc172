"""kmeans: cost of a clustering, and the Newton direction of its centroids.

Each point belongs to the nearest centroid only, so the Hessian of the cost is diagonal; its product
with a vector of ones is its diagonal, and the tangent of the gradient in that direction gives both
at once.
"""

from __future__ import annotations

import numpy as np
from numba import njit

import srcad
from benchmarks.gradbench.protocol import Function


@njit
def squared_distance(p, q):
    """Squared distance of two points."""
    total = 0.0
    for i in range(len(p)):
        total += (p[i] - q[i]) * (p[i] - q[i])
    return total


@njit
def nearest(p, centroids):
    """Which centroid is nearest."""
    best = 0
    least = np.inf
    for j in range(len(centroids)):
        d = squared_distance(p, centroids[j])
        if d < least:
            least = d
            best = j
    return best


@njit
def cost(centroids, points):
    """Sum over the points of the squared distance to the nearest centroid."""
    total = 0.0
    for i in range(len(points)):
        total += squared_distance(points[i], centroids[nearest(points[i], centroids)])
    return total


gradient = srcad.grad(cost)


def direction(centroids, points):
    """Gradient over diagonal of the Hessian, entry by entry."""
    ones = np.ones_like(centroids)
    slope, curvature = srcad.jvp(gradient, (centroids, points), (ones, None))
    return slope / curvature


def read(given):
    """Centroids and points."""
    return tuple(np.array(given[name], dtype=np.float64) for name in ("centroids", "points"))


FUNCTIONS = {"cost": Function(read, cost), "dir": Function(read, direction)}
EXAMPLES = ({"centroids": [[0.0, 0.0], [1.0, 1.0]], "points": [[0.1, 0.2], [1.1, 0.8]]},)
