"""Programs that once came out wrong, found by transforms of transforms and by mutants."""

import numpy as np

from tests.zoo.registry import add


def returns_zero_dimensional(x):
    z = np.zeros(())
    z[()] = x * x
    return z


add(returns_zero_dimensional, lambda: (0.7,), (0,), "zerod array_output")
