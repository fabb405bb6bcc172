"""A derivative for a machine on which srcad is not installed: a module of its own.

    python examples/ship_derivative.py

The gradient of an orbit's end in its start is written to a file that needs NumPy and Numba only;
another Python, in which importing srcad fails, imports it and corrects the aim of a probe by
Newton's method.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import srcad


def flight(velocity, steps):
    """Where a probe is after flying around a sun (leapfrog), from a fixed start."""
    x, y = 1.0, 0.0
    u, v = velocity[0], velocity[1]
    dt = 2.0 / steps
    for _ in range(steps):
        x, y = x + 0.5 * dt * u, y + 0.5 * dt * v
        r3 = (x * x + y * y) ** 1.5
        u, v = u - dt * x / r3, v - dt * y / r3
        x, y = x + 0.5 * dt * u, y + 0.5 * dt * v
    return np.array([x, y])


AIM = """
import sys
sys.modules["srcad"] = None  # not here
import numpy as np
from flight_position import flight as position
from flight_slope import jacobian_flight as slope
velocity, target = np.array([0.0, 1.0]), np.array([-0.5, 0.8])
for _ in range(8):
    miss = position(velocity, 200) - target
    print(f"misses by {np.linalg.norm(miss):.2e}")
    velocity = velocity - np.linalg.solve(slope(velocity, 200), miss)
"""


def main() -> str:
    """Write the modules, run the other Python, print what it says."""
    start = np.array([0.0, 1.0])
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "flight_slope.py"
        srcad.export(flight, Path(folder) / "flight_position.py", start, 200)
        name = srcad.export(srcad.jacobian(flight), target, start, 200)
        print("\n".join(target.read_text().splitlines()[:6]))
        print(f"... defines {name}; elsewhere:")
        done = subprocess.run(
            [sys.executable, "-c", AIM], cwd=folder, capture_output=True, text=True, check=True
        )
    print(done.stdout)
    return done.stdout


if __name__ == "__main__":
    main()
