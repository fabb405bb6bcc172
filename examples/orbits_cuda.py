"""Ten thousand Kepler orbits fitted at once, one thread of the GPU each.

Run ``python -m examples.orbits_cuda`` (``pip install "srcad[cuda]"``); without a GPU, with a few
orbits in Numba's simulator, ``NUMBA_ENABLE_CUDASIM=1 python -m examples.orbits_cuda``.

Each orbit has been seen at eight times; its mean motion, eccentricity and phase are found by
Gauss-Newton.  The kernel is the user's; the derivatives of the predicted position in it are
srcad's: ``grad(place)`` is a device function that solves Kepler's equation and runs it backwards.
How far the errors of the sightings go into the answer is then asked of all orbits by one call of
``batch(..., target="cuda")``.
"""

import math
import os

import numpy as np
from numba import cuda

import srcad

SIGHTINGS = 8
STEPS = 6


def place(motion, e, phase, t):
    """The cosine of the eccentric anomaly at a time; six steps of Newton's method."""
    mean = motion * t + phase
    E = mean + 0.85 * e * math.sin(mean)
    for _ in range(6):
        E -= (E - e * math.sin(E) - mean) / (1.0 - e * math.cos(E))
    return math.cos(E)


def misfit(motion, e, phase, seen, times):
    """Half the sum of squares of one orbit."""
    s = 0.0
    for k in range(len(times)):
        s += 0.5 * (place(motion, e, phase, times[k]) - seen[k]) ** 2
    return s


predicted = srcad.value_and_grad(place, (0, 1, 2))


@cuda.jit
def fit(seen, times, found):
    """Gauss-Newton on three parameters, the normal equations by Cramer's rule."""
    i = cuda.grid(1)
    if i >= found.shape[0]:
        return
    m, e, p = found[i, 0], found[i, 1], found[i, 2]
    for _ in range(STEPS):
        a = b = c = d = f = g = u = v = w = 0.0
        for k in range(times.shape[0]):
            y, (y_m, y_e, y_p) = predicted(m, e, p, times[k])
            r = seen[i, k] - y
            a, b, c = a + y_m * y_m, b + y_m * y_e, c + y_m * y_p
            d, f, g = d + y_e * y_e, f + y_e * y_p, g + y_p * y_p
            u, v, w = u + y_m * r, v + y_e * r, w + y_p * r
        det = a * (d * g - f * f) - b * (b * g - f * c) + c * (b * f - d * c)
        m += (u * (d * g - f * f) - b * (v * g - f * w) + c * (v * f - d * w)) / det
        e += (a * (v * g - f * w) - u * (b * g - f * c) + c * (b * w - v * c)) / det
        p += (a * (d * w - v * f) - b * (b * w - v * c) + u * (b * f - d * c)) / det
    found[i, 0], found[i, 1], found[i, 2] = m, e, p


def main(count: int) -> np.ndarray:
    """Fit, and say how well; the largest error of each parameter."""
    g = np.random.default_rng(3)
    true = np.stack(
        [g.uniform(0.9, 1.1, count), g.uniform(0.1, 0.5, count), g.uniform(0.2, 0.6, count)], axis=1
    )
    times = np.linspace(0.3, 2.4, SIGHTINGS)
    seen = np.array([[place(*orbit, t) for t in times] for orbit in true])
    found = cuda.to_device(true + g.normal(0.0, 0.01, true.shape))
    on_device = cuda.to_device(seen), cuda.to_device(times)
    fit[-(-count // 64), min(count, 64)](*on_device, found)
    error = np.abs(found.copy_to_host() - true).max(axis=0)
    print(f"{count} orbits, largest errors: " + ", ".join(f"{x:.0e}" for x in error))

    bend = srcad.batch(srcad.hessian(misfit, (0, 1, 2)), (0, 0, 0, 0, None), target="cuda")
    m, e, p = (cuda.to_device(np.ascontiguousarray(true[:, k])) for k in range(3))
    rows = bend(m, e, p, *on_device)
    information = np.array([[x.copy_to_host() for x in row] for row in rows]).T
    spread = np.sqrt(np.diagonal(np.linalg.inv(information), axis1=1, axis2=2)).mean(axis=0)
    print("an error of a sighting becomes errors of " + ", ".join(f"{x:.1f}" for x in spread))
    return error


if __name__ == "__main__":
    main(4 if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1" else 10_000)
