"""What a zoo program is, and the list they are all entered in.

A zoo file defines an ordinary function and enters it with ``add`` right below.  Arguments are made
fresh by a zero-argument callable, because programs may overwrite them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Program:
    """One program: ``fn(*args(), **kwargs)``, differentiated with respect to arguments ``wrt``."""

    name: str
    fn: Callable
    args: Callable[[], tuple]
    wrt: tuple[int, ...] = (0,)
    tags: frozenset[str] = frozenset()
    kwargs: dict = field(default_factory=dict)
    njit: bool = True  # numba.njit compiles it as it stands (helpers njit too), same values
    jit: bool = False  # among the third that is also run under JIT

    def __str__(self):
        return self.name


PROGRAMS: list[Program] = []


def add(fn, args, wrt=(0,), tags="", *, name=None, kwargs=None, njit=True, jit=False):
    """Enter a program; ``tags`` is a string of words."""
    name = name or fn.__name__
    if any(p.name == name for p in PROGRAMS):
        raise ValueError(f"two programs are called {name}")
    module = getattr(fn, "func", fn).__module__  # a partial's own module is functools
    words = frozenset(tags.split()) | {module.rsplit(".", 1)[-1]}
    PROGRAMS.append(Program(name, fn, args, tuple(wrt), words, kwargs or {}, njit, jit))


def vec(n, seed=0, low=0.3, high=1.4):
    """A vector of distinct floats, the same at every call."""
    return np.random.default_rng([n, seed]).uniform(low, high, n)


def mat(n, m, seed=0, low=0.3, high=1.4):
    """A matrix of distinct floats, the same at every call."""
    return np.random.default_rng([n, m, seed]).uniform(low, high, (n, m))
