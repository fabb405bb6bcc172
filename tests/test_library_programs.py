"""The library beyond functions: methods, subscripts of ``np.r_``, views, lists of arrays.

Each program against plain Python, and its derivatives against differences.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

import srcad
from srcad.library import LIBRARY_METHODS
from tests.sample_checks import Subject, check_first_order, check_second_order
from tests.samples import Draw
from tests.test_library import check_value, same

PROGRAMS: list[Callable[..., Any]] = []


def program(f):
    """Enter a program of one matrix."""
    PROGRAMS.append(f)
    return f


@program
def joined_with_r(a):
    return np.r_[a[0], 1.0, a[1, 0], 0:3, 0.5:2.0:0.5]


@program
def limits_of_numbers(a):
    eps = np.finfo(a.dtype).eps
    return a * a / (1.0 + 1e6 * eps) + np.iinfo(np.int64).max % 10 * np.finfo(float).max ** 0.01


@program
def joined_with_c(a):
    return np.c_[a[0], a[1]] * 2.0, np.c_[a, a, np.ones(2)]


@program
def kept_keys(a):
    return a[np.s_[:, 1]] * a[np.index_exp[1, 0]]


@program
def grids(a):
    y, x = np.mgrid[0:2, 0:3]
    v, u = np.ogrid[0:2, 0:1.5:0.5]
    return a * y + x, a * v + u


@np.vectorize
def piecewise(x, y):
    return x * x if x > 0.5 else x - y


@program
def vectorized(a):
    cube = np.vectorize(lambda t: t**3)
    typed = np.vectorize(lambda t: t if t > 0.5 else 0, otypes=[float])
    return piecewise(a, a[0]), piecewise(a[0, 0], 2.0), cube(a), typed(a), typed(a[1, 1])


def scaled(row, power, shift=0.0):
    return row / np.sum(row**power) + shift


@program
def along_rows(a):
    sums = np.apply_along_axis(np.sum, 0, a)
    total = np.apply_over_axes(np.sum, a, (0, -1))
    return np.apply_along_axis(scaled, 1, a, 2, shift=1.0) * sums * total


@program
def diagonal_sees_later_writes(a):
    b = a * 1.0
    d, e = np.diagonal(b), b.diagonal(1)
    b[0, 0] = 7.0 * a[0, 1]
    return d * e[0]


@program
def windows(a):
    w = sliding_window_view(a, 2, axis=1)
    s = 0.0
    for i in range(w.shape[0]):
        s += np.sum(w[i, 0] * w[i, 1]) + w[i, 0, 1]
    return s, np.max(w, axis=-1), sliding_window_view(a, (2, 2)).mean(axis=(2, 3))


@program
def part_of_a_broadcast(a):
    b = np.broadcast_to(a[0], (4, 3))
    return b[1:3, ::-1], b[2] * b[:, 1][0], b[None, 0, :2]


@program
def axes_moved(a):
    b = a[None, ..., None]
    return np.moveaxis(b, (0, 1), (-1, 0)) * 1.0, np.expand_dims(a, (0, -1)) * 1.0


@program
def axes_counted(a):
    b = np.sum(a, axis=1, keepdims=True)
    return np.size(a) * a.swapaxes(0, 1), np.size(a, 1) * a[None].squeeze(0), np.squeeze(b) * 2.0


@program
def axes_out_of_order(a):
    b = np.stack((a, a * a, np.sin(a), a + 1.0))
    mean = np.mean(b, axis=(-1, 0))
    return np.sum(b, axis=(2, 0)), mean, np.std(b, (1, 0)), np.max(b, axis=(-1, -3), keepdims=True)


@program
def one_array_as_several_factors(a):
    cube = np.einsum("ij,ij,ij->i", a, a, a)
    return cube, np.einsum("ij,kj,ij->ik", a, a, a), np.einsum("ij,ij,kj,ij", a, a, a, a)


@program
def space_of_the_singular_vectors(a):
    _, s, vt = np.linalg.svd(a)
    return vt[2:].T @ vt[2:], vt @ vt.T, s, np.linalg.svd(a.T)[1]


@program
def less_common_arguments(a):
    joined = np.concatenate((a, a), axis=1, dtype=np.complex128).real
    shaped = np.reshape(a, (3, 2), copy=True) + np.array(a[0, :2], ndmin=3)
    numbers = np.cumsum(a[0, 1]), np.outer(a[0, 0], a[1]), divmod(a, 0.7)
    return joined, shaped, numbers, np.einsum(a, [0, 1], a, [2, 1], [2, 0]), np.einsum(a, [1, 0])


@program
def lists_of_arrays(a):
    rows = []
    for i in range(2):
        rows.append(a[i] * i)
    return (
        np.concatenate(rows),
        np.stack(rows, axis=1),
        np.vstack(rows),
        np.hstack(rows),
        np.column_stack(rows),
    )


@program
def lists_of_matrices(a):
    parts = [a, a * 2.0]
    deep = np.dstack(parts)
    return np.concatenate(parts, axis=1), np.vstack(parts), np.hstack(parts), deep, np.block(parts)


@program
def lists_of_numbers(a):
    xs = [a[0, 0], a[0, 1] ** 2]
    return np.hstack(xs), np.vstack(xs), np.column_stack(xs), np.stack(xs)


@program
def literal_lists(a):
    return (
        np.concatenate([a[0], a[1]]),
        np.hstack([a, a]),
        np.minimum([1.0, 0.2, 0.5], a[0]),
        np.select([a[0] > 0.5, a[0] > 0.1], [a[0], a[1]], default=3.0),
    )


@program
def scattered(a):
    b = np.zeros((2, 3))
    np.add.at(b, ([0, 1, 0], [1, 1, 1]), a[0])
    np.maximum.at(b, (1, 1), a[1, 1] + 5.0)
    return b


@program
def written_through_any_layout(a):
    b, c = a.copy(), np.zeros(6)
    np.put(b.T, [1, -1], a[0, :2] * 2.0)
    np.putmask(b[:, ::2], np.array([[True, False], [False, True]]), [5.0, a[0, 0]])
    np.place(c[::2], np.array([True, True, False]), a[1])
    d = c[1::2].reshape(-1)
    d += a[0]
    return b, c


@program
def in_column_order(a):
    return (
        a.ravel(order="F") * 1.0,
        a.flatten("F"),
        np.reshape(a[0], (3, 1), order="F") * 2.0,
        a.T.reshape(-1, order="F") * 1.0,
    )


@program
def strided_vector_reshaped(a):
    return a[:, 1].reshape(1, 2) * 1.0, np.sum(a[:, ::2].ravel().reshape(2, 2), axis=0)


@program
def masks_of_two_axes(a):
    b = a.copy()
    b[b > 0.6] = 0.0
    b[a < 0.3] = a[a < 0.3] * 2.0
    b[a > 0.5] *= a[a > 0.5]
    return b, a[a > 0.4] ** 2


@program
def matrix_rows_by_mask(a):
    b = np.stack((a, a + 1.0), axis=2)
    b[a > 0.8] = 2.0
    b[a < 0.1] += a[:, 0]
    return b[np.array([True, False])], b[:, a[0] > 0.4], b[a > 0.4]


@program
def constant_ranges(a):
    out = ()
    for k in tuple(range(3)):
        out = (*out, a[slice(None), k] * a[slice(0, 2), slice(k, k + 1)][0, 0])
    return out


@program
def enumerated(a):
    out = np.zeros(a.shape)
    for (i, j), x in np.ndenumerate(a):
        out[i, j] = x * i + a[i, 0] * j
    return out


@program
def transposed_attributes(a):
    return np.stack((a, a)).mT * 1.0, a.imag + a


@program
def filled_with_arrays(a):
    return np.full((2, 2, 3), a), np.full_like(a, a[0]), np.full(2, a[0, 0])


@program
def by_grid_of_indices(a):
    return a[np.ix_([1, 0], [0, 2])] ** 2


@program
def in_pieces(a):
    return np.piecewise(a, [a < 0.3, a > 0.8], [lambda x: x * x, 2.0, np.exp])


ROWS = [1, 0]


@program
def list_from_outside_as_an_index(a):
    b = a.copy()
    b[ROWS] *= 2.0
    b[:, ROWS] += a[ROWS[:1]][0, 0]
    np.add.at(b, [0, 0], a[1])
    return a[ROWS], b


def matrix():
    """Numbers between 0 and 1."""
    return np.random.default_rng(0).random((2, 3))


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_program(f):
    """Value as plain Python's; derivatives of first order, of second in all pairs of modes."""
    subject = Subject(f, (matrix(),))
    check_value(subject, subject.args)
    check_first_order(subject, subject.args)
    check_second_order(subject, subject.args)


@pytest.mark.parametrize("f", PROGRAMS[::4], ids=lambda f: f.__name__)
def test_compiled(f):
    """The same with Numba."""
    same(srcad.differentiable(f)(matrix()), f(matrix()), 1e-12)
    srcad.check_grads(f, (matrix(),), order=1)


METHODS = [
    pytest.param(name, k, id=f"{name}-{k}")
    for name, entry in LIBRARY_METHODS.items()
    for k, call in enumerate(entry.samples(Draw(3)))
    if isinstance(call.args[0], np.ndarray) and hasattr(np.ndarray, name)
]
CODE = "lambda a, *args, **keywords: a.{}(*args, **keywords)"


@pytest.mark.parametrize(("name", "k"), METHODS)
def test_method(name, k, tmp_path, monkeypatch):
    """Methods are what NumPy's are."""
    path = tmp_path / f"methods_of_{name}_{k}.py"
    path.write_text(f"call = {CODE.format(name)}\n")
    namespace: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    call = LIBRARY_METHODS[name].samples(Draw(3))[k]
    f, keywords = namespace["call"], call.keywords
    ours, plain = (call.args[0].copy() for _ in range(2))
    got = srcad.differentiable(lambda a, *rest: f(a, *rest, **keywords), backend="reference")(
        ours, *call.args[1:]
    )
    want = f(plain, *call.args[1:], **keywords)
    if want is not None:
        same(got, want, 1e-12)
    same(ours, plain, 1e-12)


def test_list_argument_as_an_index():
    """A list that is an argument selects rows, where a tuple selects an element."""

    def pick(a, rows):
        return np.sum(a[rows] ** 2)

    f = srcad.differentiable(pick, backend="reference")
    a = matrix()
    assert f(a, [0, 1]) == pytest.approx(pick(a, [0, 1]))
    assert f(a, (0, 1)) == pytest.approx(pick(a, (0, 1)))
