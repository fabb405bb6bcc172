"""Small functions for ``benchmarks.startup``, most with a derivative written by hand."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def double(x):
    """The trivial function."""
    return 2.0 * x


def wave(x):
    """One float in, one out."""
    return math.sin(x) * x


@njit
def wave_by_hand(x):
    """Derivative of ``wave``."""
    return math.cos(x) * x + math.sin(x)


def product(x, y, z):
    """Three floats in."""
    return x * y * z


@njit
def product_by_hand(x, y, z):
    """Gradient of ``product``."""
    return y * z, x * z, x * y


def squares(x):
    """One array in."""
    total = 0.0
    for i in range(len(x)):
        total += x[i] * x[i]
    return total


@njit
def squares_by_hand(x):
    """Gradient of ``squares``."""
    out = np.empty_like(x)
    for i in range(len(x)):
        out[i] = 2.0 * x[i]
    return out


@njit
def squares_into(x, out):
    """Gradient of ``squares``, into an array."""
    for i in range(len(x)):
        out[i] = 2.0 * x[i]
    return out


def mixed(a, b, c, k, m):
    """Three arrays and two floats in."""
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i] * c[i] * k * m
    return total


@njit
def mixed_by_hand(a, b, c, k, m):
    """Gradient of ``mixed`` in ``a``."""
    out = np.empty_like(a)
    for i in range(len(a)):
        out[i] = b[i] * c[i] * k * m
    return out
