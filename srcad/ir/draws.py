"""The random numbers a program can draw: from NumPy's global generator, as Numba has it.

``DRAWS`` names the functions of ``np.random`` that a ``Draw`` may call, each with the types of
its parameters and results.  Numba and NumPy spell them alike; everything else is made of these
in ``library.random``, such that a derivative flows through the parameters (``loc + scale * z``).

The parameter of a draw with a ``slope`` has a derivative along the number drawn
(``transforms.implicit``); of all others ``transforms.draws`` refuses those that need one.
"""

from __future__ import annotations

from dataclasses import dataclass

from srcad.ir.types import F8, I8, Scalar


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a draw takes and gives."""

    params: tuple[Scalar, ...] = ()
    results: tuple[Scalar, ...] = (F8,)
    slope: bool = False


DRAWS: dict[str, Distribution] = {
    "seed": Distribution((I8,), ()),
    "random": Distribution(),
    "standard_normal": Distribution(),
    "standard_gamma": Distribution((F8,), slope=True),
    "randint": Distribution((I8, I8), (I8,)),
    "poisson": Distribution((F8,), (I8,)),
    "geometric": Distribution((F8,), (I8,)),
    "binomial": Distribution((I8, F8), (I8,)),
    "negative_binomial": Distribution((F8, F8), (I8,)),
    "hypergeometric": Distribution((I8, I8, I8), (I8,)),
    "logseries": Distribution((F8,), (I8,)),
    "wald": Distribution((F8, F8)),
    "zipf": Distribution((F8,), (I8,)),
}
