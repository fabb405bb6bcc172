"""Functions of complex arguments that conjugate, and which of the library need no change for them.

In: complex arrays.  Out: what NumPy computes.  The frontend expands a call of a function here in
place of its real definition where an argument is complex (``LIBRARY_COMPLEX``).  ``CAPABLE``
lists functions of the library whose text is right for complex arguments as it stands: they move
data, or are sums, products and quotients without conjugation or comparison.  Whatever is in neither
table is refused.
"""

from __future__ import annotations

import math

import numpy as np

from srcad.library import calculus, factors
from srcad.library.products import named
from srcad.library.registry import LIBRARY_COMPLEX, of_complex, refuse

_MOVES = """append array_split atleast_1d atleast_2d atleast_3d block broadcast_arrays choose
compress copyto delete diag diagflat dsplit dstack extract fill_diagonal hsplit insert
matrix_transpose meshgrid nonzero piecewise place put put_along_axis putmask repeat resize roll
rollaxis rot90 select split take take_along_axis tile trim_zeros vsplit"""
_SUMS = """allclose array_equal array_equiv average convolve cross diff dot ediff1d gradient
inner isclose kron linspace logspace matmul matvec nancumsum nanmean nanprod nansum polyadd
polyder polyint polymul polysub polyval tensordot trace trapezoid vander"""
CAPABLE = {
    *(f for name in (_MOVES + " " + _SUMS).split() for f in named(np, name)),
    *named(np.polynomial.polynomial, "polyadd", "polyder", "polymul", "polysub", "polyval"),
    math.prod,
    *named(np.linalg, "inv", "solve", "multi_dot", "matrix_power", "matmul", "outer"),
    *named(np.linalg, "matrix_transpose", "tensordot", "cross"),
    *(factors.inv, factors.solve),
    *(np.add.outer, np.subtract.outer, np.multiply.outer, np.divide.outer),
    *(np.add.reduce, np.multiply.reduce, np.add.accumulate, np.multiply.accumulate),
}
# by their definition: of modules that are imported late
CAPABLE_CODE = {calculus.trapezoid, calculus.cumulative_trapezoid}
CAPABLE_METHODS = {"take", "put", "compress", "repeat", "trace", "dot", "nonzero"}


@of_complex(np.vdot)
def vdot(a, b):
    """The product of two arrays as vectors, the first conjugated."""
    if np.ndim(a) == 0 and np.ndim(b) == 0:
        return np.conjugate(a) * b
    return np.sum(np.conjugate(np.ravel(a)) * np.ravel(b))


@of_complex(*named(np, "vecdot"), *named(np.linalg, "vecdot"))
def vecdot(x1, x2, /, *, axis=-1):
    """The products of vectors along an axis, the first conjugated."""
    return np.sum(np.conjugate(x1) * x2, axis=axis)


@of_complex(*named(np, "vecmat"))
def vecmat(x1, x2, /):
    """The products of vectors, conjugated, and matrices."""
    return np.matmul(np.conjugate(x1)[..., None, :], x2)[..., 0, :]


@of_complex(np.linalg.norm)
def norm(x, ord=None, axis=None, keepdims=False):
    """The norm of the moduli, where that is the norm of the array."""
    flat = axis is None and np.ndim(x) == 1 or isinstance(axis, int)
    if not flat and (ord == 2 or ord == -2 or ord == "nuc"):
        refuse("the spectral norm of complex matrices", "np.linalg.norm(a), the Frobenius norm")
    return np.linalg.norm(np.abs(x), ord, axis, keepdims)


@of_complex(np.var)
def var(a, axis=None, *, ddof=0, keepdims=False):
    """The mean square of the distances from the mean."""
    a = np.asarray(a)
    of_real = np.var(np.real(a), axis, ddof=ddof, keepdims=keepdims)
    return of_real + np.var(np.imag(a), axis, ddof=ddof, keepdims=keepdims)


@of_complex(np.std)
def std(a, axis=None, *, ddof=0, keepdims=False):
    """The root of the variance."""
    return np.sqrt(np.var(a, axis, ddof=ddof, keepdims=keepdims))


__all__ = ["CAPABLE", "CAPABLE_CODE", "CAPABLE_METHODS", "LIBRARY_COMPLEX"]
