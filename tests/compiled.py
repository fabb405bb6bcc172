"""Sample programs for the functions that the compiler itself lowers to loops or array operations.

``COMPILED`` has an entry for each of them, with the programs that ``tests/test_compiled.py`` runs;
the table of supported functions says "zero" of those whose programs have no float result that
depends on a float.
"""
# ruff: noqa: B905, C408, C409, C410, RUF015  (the calls to be tested)

from __future__ import annotations

import cmath
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tests.samples import Draw


@dataclass(frozen=True)
class Case:
    """A program and its arguments; of one that is not ``smooth`` only the value is compared.

    A program that rounds to float32 has no differences to compare with: ``wide`` is the same one
    without the rounding, whose derivatives are.
    """

    f: Callable[..., Any]
    args: tuple[Any, ...]
    smooth: bool = True
    wide: Callable[..., Any] | None = None


def smooth(f: Callable[..., Any], *args: Any) -> Case:
    """A program whose derivatives are checked."""
    return Case(f, args)


def value(f: Callable[..., Any], *args: Any) -> Case:
    """A program whose derivative is zero."""
    return Case(f, args, False)


D = Draw(5)
V, W, M, S, T = D.vec(4), D.vec(4), D.mat(2, 3), D.mat(3, 3), D.arr(2, 3, 2)
HOLES = np.array([[1.0, np.nan, 0.5], [np.nan, 2.5, 3.0]])


def summed(r: Any) -> list[Case]:
    """The forms of a reduction: axis (one, several, counted from the end), keepdims, a method."""
    name = r.__name__.replace("amax", "max").replace("amin", "min")
    method = {
        "sum": lambda x: (x.sum(), x.sum(0), x.sum(axis=1, keepdims=True)),
        "prod": lambda x: (x.prod(), x.prod(0), x.prod(axis=1, keepdims=True)),
        "mean": lambda x: (x.mean(), x.mean(0), x.mean(axis=1, keepdims=True)),
        "max": lambda x: (x.max(), x.max(0), x.max(axis=1, keepdims=True)),
        "min": lambda x: (x.min(), x.min(0), x.min(axis=1, keepdims=True)),
        "std": lambda x: (x.std(), x.std(0), x.std(axis=1, keepdims=True)),
        "var": lambda x: (x.var(), x.var(0), x.var(axis=1, keepdims=True)),
    }
    found = [
        smooth(lambda x: (r(x), r(x, axis=0), r(x, axis=-1), r(x, keepdims=True)), M),
        smooth(lambda x: (r(x, axis=(0, 2)), r(x, (1, 2), keepdims=True)), T),
        smooth(lambda x: r(x.T, axis=0) + r(x[::-1, ::-1].T, axis=0), M),
    ]
    return [*found, smooth(method[name], M)] if name in method else found


def deviations(r: Any) -> list[Case]:
    """The same with degrees of freedom."""
    if np.lib.NumpyVersion(np.__version__) < "2.0.0":
        other = []
    else:
        other = [smooth(lambda x: (r(x, correction=1), r(x, axis=0, correction=1)), M)]
    free = smooth(lambda x: (r(x, ddof=1), r(x, axis=(0, 1), ddof=1), r(x, 0)), M)
    return [*summed(r), free, *other]


COMPILED: dict[Any, list[Case]] = {
    # language
    len: [value(lambda x: len(x) * 1.0, V)],
    range: [smooth(lambda x: sum([x * k for k in range(3)]), 1.5)],
    slice: [smooth(lambda x: x[slice(1, 3)] * 2.0, V)],
    sum: [smooth(lambda x, y: (sum([y, y * y]), sum(x), sum((y, 2.0))), V, 0.7)],
    enumerate: [smooth(lambda x: sum([k * v for k, v in enumerate(x)]), V)],
    zip: [smooth(lambda x, y: sum([a * b for a, b in zip(x, y)]), V, W)],
    reversed: [smooth(lambda x: [v * v for v in reversed([x, 2 * x])][0], 1.5)],
    divmod: [smooth(lambda x, y: divmod(x, y)[1], 5.5, 1.7)],
    print: [],
    tuple: [smooth(lambda x: tuple((x, x * x))[1], 1.5)],
    list: [smooth(lambda x: list((x, x * x))[1], 1.5)],
    dict: [smooth(lambda x: dict(a=x, b=x * x)["b"], 1.5)],
    sorted: [smooth(lambda x, y: sorted([x * y, y, x])[0], 1.5, 0.3)],
    any: [value(lambda x: any([x > 0.0, x > 1.0]), 0.5)],
    all: [value(lambda x: all([x > 0.0, x > 1.0]), 0.5)],
    isinstance: [value(lambda x: 1.0 if isinstance(x, float) else 2.0, 1.5)],
    getattr: [smooth(lambda x: getattr(x, "T") * 2.0, M)],  # noqa: B009  (what is tested)
    # kinds, sizes, new arrays
    np.dtype: [value(lambda x: x.astype(np.dtype("int64")), V)],
    np.finfo: [value(lambda x: np.finfo(np.float64).eps, 1.5)],
    np.iinfo: [value(lambda x: np.iinfo(np.int64).max, 1.5)],
    np.result_type: [value(lambda x: np.zeros(2, np.result_type(x, 1)), V)],
    np.int32: [value(lambda x: np.array([1, 2], np.int32), V)],
    np.ndim: [value(lambda x: np.ndim(x) * 1.0, M)],
    np.shape: [value(lambda x: np.shape(x)[1] * 1.0, M)],
    np.size: [value(lambda x: (np.size(x), np.size(x, 1)), M)],
    np.zeros: [value(lambda x: (np.zeros(2), np.zeros((2, 3), np.float32)), V)],
    np.ones: [value(lambda x: (np.ones(2), np.ones((2, 3), np.float32)), V)],
    np.empty: [value(lambda x: np.empty((2, 3)).shape[0], V)],
    np.zeros_like: [value(lambda x: np.zeros_like(x), M)],
    np.ones_like: [value(lambda x: np.ones_like(x), M)],
    np.empty_like: [value(lambda x: np.empty_like(x).shape[1], M)],
    np.full: [smooth(lambda x: np.full((2, 2), x) * x, 1.5)],
    np.full_like: [smooth(lambda x, y: np.full_like(x, y) * x, V, 1.5)],
    np.arange: [value(lambda n: np.arange(n) * 2, 4), value(lambda n: np.arange(0.0, n, 0.5), 2)],
    np.array: [smooth(lambda x, y: np.array([x, y]) * np.array([[x], [2.0]]), 1.5, 0.5)],
    np.copy: [smooth(lambda x: np.copy(x) * x, M)],
    np.asarray: [smooth(lambda x: (np.asarray(x) * 2.0, np.asarray([x[0], x[1]])), V)],
    np.ascontiguousarray: [smooth(lambda x: np.ascontiguousarray(x.T) * 2.0, M)],
    np.asfortranarray: [smooth(lambda x: np.asfortranarray(x) * 2.0, M)],
    np.ndindex: [smooth(lambda x: sum([x[i, j] * i for i, j in np.ndindex(2, 3)]), M)],
    np.ndenumerate: [smooth(lambda x: sum([v * i[0] for i, v in np.ndenumerate(x)]), M)],
    np.random.seed: [],
    np.vectorize: [smooth(lambda x: np.vectorize(lambda v: v * v)(x), V)],
    # reductions and scans
    np.sum: [*summed(np.sum), smooth(lambda x: np.sum(x, where=x > 0.0, initial=2.0), M)],
    np.prod: [*summed(np.prod), smooth(lambda x: np.prod(x), np.array([0.0, 2.0, 0.0, 3.0]))],
    np.mean: summed(np.mean),
    np.max: summed(np.max),
    np.amax: summed(np.amax),
    np.min: summed(np.min),
    np.amin: summed(np.amin),
    np.nanmax: [*summed(np.nanmax), smooth(lambda x: np.nanmax(x, axis=1), HOLES)],
    np.nanmin: [*summed(np.nanmin), smooth(lambda x: np.nanmin(x, axis=1), HOLES)],
    np.var: deviations(np.var),
    np.std: deviations(np.std),
    np.any: [value(lambda x: (np.any(x > 1.0), np.any(x > 1.0, axis=0), (x > 1.0).any(1)), M)],
    np.all: [value(lambda x: (np.all(x > 1.0), np.all(x > 1.0, axis=0), (x > 1.0).all(1)), M)],
    np.count_nonzero: [value(lambda x: (np.count_nonzero(x > 0), np.count_nonzero(x, 0)), M)],
    np.argmax: [value(lambda x: (np.argmax(x), np.argmax(x, axis=0), x.argmax(1)), M)],
    np.argmin: [value(lambda x: (np.argmin(x), np.argmin(x, axis=0), x.argmin(1)), M)],
    np.cumsum: [smooth(lambda x: (np.cumsum(x), np.cumsum(x, axis=0), x.cumsum(-1)), M)],
    np.cumprod: [
        smooth(lambda x: (np.cumprod(x), np.cumprod(x, axis=0), x.cumprod(-1)), M),
        smooth(lambda x: np.cumprod(x), np.array([2.0, 0.0, 3.0, 0.0])),
    ],
    # shapes
    np.reshape: [
        smooth(lambda x: (np.reshape(x, (3, -1)) * 2.0, x.reshape(6), x.T.reshape(-1)), M),
        smooth(lambda x: (np.reshape(x, (3, -1), order="F") * 2.0, x.reshape(3, 2, order="F")), M),
        smooth(
            lambda x: (x.reshape((4, 3), order="F"), x.T.reshape(3, 4, order="F") * x[0, 0, 0]), T
        ),
    ],
    np.ravel: [smooth(lambda x: (np.ravel(x) * 2.0, x.T.ravel(), x[:, ::2].ravel()), M)],
    np.transpose: [smooth(lambda x: (np.transpose(x), x.transpose(2, 0, 1) * 2.0, x.T), T)],
    np.swapaxes: [smooth(lambda x: (np.swapaxes(x, 0, 2), x.swapaxes(-1, 1) * 2.0), T)],
    np.moveaxis: [smooth(lambda x: (np.moveaxis(x, 0, -1), np.moveaxis(x, (0, 1), (1, 2))), T)],
    np.expand_dims: [smooth(lambda x: (np.expand_dims(x, 0), np.expand_dims(x, (0, -1))), M)],
    np.squeeze: [smooth(lambda x: (np.squeeze(x[None]), np.squeeze(x[:, None], axis=1)), M)],
    np.flip: [smooth(lambda x: (np.flip(x), np.flip(x, axis=0), np.flip(x, (0, 1))), M)],
    np.flipud: [smooth(lambda x: np.flipud(x) * x, M)],
    np.fliplr: [smooth(lambda x: np.fliplr(x) * x, M)],
    np.broadcast_to: [smooth(lambda x: np.broadcast_to(x, (2, 4)) * 2.0, V)],
    np.broadcast_shapes: [value(lambda x: np.broadcast_shapes((2, 1), (3,))[1] * 1.0, V)],
    np.concatenate: [
        smooth(
            lambda x, y: (np.concatenate((x, y)), np.concatenate((x, y, x), axis=1)), M, M + 1.0
        ),
        smooth(lambda x, y: np.concatenate((x, y, x.T), axis=None), M, V),
        smooth(lambda x: np.concatenate([x * k for k in range(len(x))], axis=None), M),
    ],
    np.hstack: [smooth(lambda x: (np.hstack((x, x)), np.hstack((x[0], x[1]))), M)],
    np.vstack: [smooth(lambda x: (np.vstack((x, x)), np.vstack((x[0], x[1]))), M)],
    np.stack: [smooth(lambda x: (np.stack((x, 2.0 * x)), np.stack((x, x), axis=-1)), M)],
    np.column_stack: [smooth(lambda x: np.column_stack((x, x, x[:, 0])), M)],
    np.diagonal: [smooth(lambda x: (np.diagonal(x), np.diagonal(x, 1), x.diagonal(-1)), S)],
    np.triu: [smooth(lambda x: (np.triu(x), np.triu(x, 1), np.triu(x, -1)), S)],
    np.tril: [smooth(lambda x: (np.tril(x), np.tril(x, 1), np.tril(x, -1)), S)],
    sliding_window_view: [
        smooth(lambda x: sliding_window_view(x, 2).sum(0), V),
        smooth(lambda x: sliding_window_view(x, (2, 2)) * 2.0, M),
        smooth(lambda x: sliding_window_view(x, 2, axis=1) * 2.0, M),
    ],
    # the rest
    np.clip: [smooth(lambda x, lo: (np.clip(x, lo, 0.9), x.clip(-0.3, None)), M, -0.4)],
    np.outer: [smooth(lambda x, y: (np.outer(x, y), np.outer(x, x)), V, W)],
    np.einsum: [
        smooth(lambda x, y: (np.einsum("ij,kj->ik", x, y), np.einsum("ij,ij", x, y)), M, M + 1.0),
        smooth(lambda x: (np.einsum("ii->i", x), np.einsum("ij->j", x), np.einsum("ii", x)), S),
    ],
}


def of_complex(f: Callable[..., Any]) -> Case:
    """A program that takes the real and the imaginary part of a function of a complex number."""
    return smooth(lambda x, y: f(complex(x, y)).real - f(complex(x, y)).imag, 0.3, 0.4)


COMPILED |= {
    f: [of_complex(f)]
    for f in (
        *(cmath.exp, cmath.log, cmath.log10, cmath.sqrt, cmath.sin, cmath.cos, cmath.tan),
        *(cmath.asin, cmath.acos, cmath.atan, cmath.sinh, cmath.cosh, cmath.tanh),
        *(cmath.asinh, cmath.acosh, cmath.atanh, np.complex128),
    )
}
COMPILED |= {
    np.complex64: [
        Case(
            lambda x, y: float(abs(np.complex64(complex(x, y))) * (np.complex64(x) * y).real),
            (0.3, 0.4),
            wide=lambda x, y: abs(complex(x, y)) * (complex(x) * y).real,
        )
    ],
    complex: [smooth(lambda x, y: (complex(x, y) * complex(y, 2.0)).imag, 0.3, 0.4)],
    cmath.rect: [smooth(lambda r, t: cmath.rect(r, t).real, 0.3, 0.4)],
    cmath.polar: [smooth(lambda x, y: cmath.polar(complex(x, y))[0], 0.3, 0.4)],
    cmath.phase: [smooth(lambda x, y: cmath.phase(complex(x, y)), 0.3, 0.4)],
    cmath.isnan: [value(lambda x: float(cmath.isnan(complex(x, 1.0))), 0.3)],
    cmath.isinf: [value(lambda x: float(cmath.isinf(complex(x, 1.0))), 0.3)],
    cmath.isfinite: [value(lambda x: float(cmath.isfinite(complex(x, 1.0))), 0.3)],
}
