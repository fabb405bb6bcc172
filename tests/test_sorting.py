"""Programs that sort, take statistics and reduce with masks; errors; sorting against NumPy."""

import copy

import numpy as np
import pytest

import srcad
from tests.zoo.registry import mat, vec

PROGRAMS = []  # function, arguments, positions to differentiate


def medians_over_time(a, steps):
    b = a
    for k in range(steps):
        b = b + 0.1 * (np.median(b) - b) * a[k]
        b[k] += np.percentile(b, 30.0) * 0.2
    return np.sum(b * b)


PROGRAMS.append((medians_over_time, (vec(5), 3), (0,)))


def ties_keep_their_order(a, w):
    b = np.array([a[0], a[1], a[0], a[1]])
    return np.sum(np.sort(b) * w) + np.unique(b)[0] * np.median(b)


PROGRAMS.append((ties_keep_their_order, (vec(2), vec(4)), (1,)))


def trimmed(a):
    b = np.trim_zeros(np.where(a > 0.0, a, 0.0))
    return np.sum(b * b)


PROGRAMS.append((trimmed, (np.array([-0.5, 0.7, -0.2, 1.1, -0.3]),), (0,)))


def weighted(a, w, v):
    m = np.average(a, axis=0, weights=w)
    n, total = np.average(a, axis=1, weights=v, returned=True)
    c = np.cov(a, aweights=v)
    return np.sum(m * m) + np.sum(n * total) + c[0, 1]


PROGRAMS.append((weighted, (mat(2, 3), np.array([0.5, 1.5]), np.array([0.3, 1.0, 0.7])), (0, 1, 2)))


def masked_reductions(a, x):
    mask = a > 0.0
    row = np.array([True, False, True])
    s = np.sum(a * x, axis=0, where=mask, initial=x)
    p = np.prod(a, where=row, keepdims=True)
    m = np.max(a, axis=1, initial=x, where=mask)
    total = np.mean(a, where=mask) + np.var(a, axis=0, where=np.array([[True], [True]]))[1]
    total += np.std(a, where=row, ddof=1) + np.min(a, initial=-3.0 * x)
    if np.any(a, where=~mask) and np.all(mask, where=row[None, :]):
        total *= 2.0
    return total + np.sum(s * s) + p[0, 0] + m[0] * m[1]


PROGRAMS.append((masked_reductions, (mat(2, 3, low=-1.0), 0.3), (0, 1)))


def kinds_of_sums(a):
    n = np.sum(a * 10.0, dtype=np.int64) + np.cumsum(a * 7.0, dtype=int)[-1]
    b = np.cumsum(np.arange(3), dtype=np.float64) * np.mean(np.arange(4), dtype=float)
    k = np.argmax(a, keepdims=True)[0] + np.argmin(a.reshape(2, 2), axis=1, keepdims=True)[0, 0]
    k += np.count_nonzero(a.reshape(2, 2), axis=0, keepdims=True)[0, 1]
    return a[0] * n + np.sum(b) * a[k % 4] + np.var(a, ddof=0.5)


PROGRAMS.append((kinds_of_sums, (vec(4),), (0,)))


def past_nan(a, x):
    b = np.where(a < 0.0, np.nan, a * x)
    total = np.nanmax(b) - np.nanmin(b) + np.nanmean(b) * np.nanstd(b)
    c = np.array([[np.nan, x], [a[0], np.nan]])
    total += np.nansum(np.nanmax(c, axis=0) * np.nanmin(c, axis=1, keepdims=True)[:, 0])
    return total + np.nanmedian(b) * np.nanpercentile(c, 40.0) + np.sum(np.nancumsum(c))


PROGRAMS.append((past_nan, (np.array([0.4, -0.5, 1.2, 0.8]), 0.7), (0, 1)))


def histogram_of_weights(a, w):
    h, edges = np.histogram(a, bins=3, weights=w, density=True)
    return np.sum(h * h) * edges[1] + np.interp(a[0], edges, np.arange(4.0))


PROGRAMS.append((histogram_of_weights, (vec(6), np.arange(1.0, 7.0)), (0, 1)))


@pytest.mark.parametrize(("f", "args", "wrt"), PROGRAMS, ids=[p[0].__name__ for p in PROGRAMS])
def test_programs(f, args, wrt):
    """Value against plain Python, derivatives against differences, compiled against interpreted."""
    reference = srcad.differentiable(f, backend="reference")
    np.testing.assert_allclose(reference(*copy.deepcopy(args)), f(*copy.deepcopy(args)), 1e-12)
    if len(wrt) == len(args):
        srcad.check_grads(f, args, order=2, backend="reference")
    else:
        rest = args[len(wrt) :]
        srcad.check_grads(lambda *x: f(*x, *rest), args[: len(wrt)], backend="reference")
    got = srcad.grad(f, argnums=wrt)(*copy.deepcopy(args))
    want = srcad.grad(f, argnums=wrt, backend="reference")(*copy.deepcopy(args))
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-12, atol=1e-12)


def all_sorted(a, m):
    """What sorting gives, by value and by position."""
    return np.argsort(a), np.sort(a), np.argsort(m, axis=0), np.unique(a, return_inverse=True)


def test_sorting_against_numpy():
    """Of many sizes, with many ties, NaN among them; the order of NumPy's stable sort."""
    rng = np.random.default_rng(0)
    compiled = srcad.differentiable(all_sorted)
    for n in (0, 1, 2, 3, 5, 8, 17, 64, 100, 1000):
        a = rng.integers(0, max(n // 2, 2), n).astype(float)
        a[rng.random(n) < 0.1] = np.nan
        m = rng.integers(0, 3, (n, 3))
        idx, values, rows, (different, inverse) = compiled(a, m)
        np.testing.assert_array_equal(idx, np.argsort(a, kind="stable"))
        np.testing.assert_array_equal(values, np.sort(a))
        np.testing.assert_array_equal(rows, np.argsort(m, axis=0, kind="stable"))
        np.testing.assert_array_equal(different, np.unique(a))
        np.testing.assert_array_equal(inverse, np.unique(a, return_inverse=True)[1])


def test_derivative_at_ties():
    """Each of equal elements takes the derivative of its own place in the stable order."""
    g = srcad.grad(lambda a, w: np.sum(np.sort(a) * w), backend="reference")
    np.testing.assert_array_equal(g(np.array([1.0, 0.0, 1.0, 0.0]), np.arange(4.0)), [2, 0, 3, 1])
    g = srcad.grad(lambda x, xp, fp: np.interp(x, xp, fp), backend="reference")
    nodes, values = np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 3.0])
    assert [g(x, nodes, values) for x in (0.0, 1.0, 2.0, 3.0)] == [1.0, 2.0, 2.0, 0.0]


BAD = [
    (lambda a: np.quantile(a, 1.5), ValueError, "range"),
    (lambda a: np.percentile(a, [50.0, -1.0]), ValueError, "range"),
    (lambda a: np.quantile(a[:0], 0.5), IndexError, "out of bounds"),
    (lambda a: np.partition(a, 7), ValueError, "out of bounds"),
    (lambda a: np.digitize(a, a), ValueError, "monotonically"),
    (lambda a: np.interp(a, a[:0], a[:0]), ValueError, "empty"),
    (lambda a: np.interp(a, a, a[1:]), ValueError, "same length"),
    (lambda a: np.average(a, weights=a * 0.0), ZeroDivisionError, "sum to zero"),
    (lambda a: np.bincount(np.array([1, -1])), ValueError, "negative"),
    (lambda a: np.histogram(a, 0), ValueError, "positive"),
    (lambda a: np.histogram(a, [1.0, 0.0]), ValueError, "monotonically"),
    (lambda a: np.histogram(a, 3, (1.0, 0.0)), ValueError, "max must be larger"),
    (lambda a: np.nanargmax(a * np.nan), ValueError, "All-NaN"),
    (lambda a: np.max(a, initial=0.0, where=a[1:] > 0), ValueError, "broadcast"),
]


@pytest.mark.parametrize(("f", "error", "text"), BAD)
def test_errors(f, error, text):
    """Bad values raise what NumPy raises."""
    a = np.array([0.3, -0.2, 0.5])
    with pytest.raises(error):
        f(a)
    with pytest.raises(error, match=text):
        srcad.differentiable(f, backend="reference")(a)


REFUSED = [
    (lambda a: np.sort(a, axis=1), "out of bounds"),
    (lambda a: np.quantile(a, 0.5, method="magic"), "method of quantiles"),
    (lambda a: np.histogram(a, "auto"), "number of bins"),
    (lambda a: np.max(a, where=a > 0), "needs initial="),
    (lambda a: np.sum(a, where=a), "needs bools"),
    (lambda a: np.mean(a, dtype=int), "one of floats"),
    (lambda a: np.sort(a, axis=int(a[0])), "constant int"),
]


@pytest.mark.parametrize(("f", "text"), REFUSED)
def test_refusals(f, text):
    """What is not supported says so."""
    with pytest.raises(srcad.SrcadError, match=text):
        srcad.differentiable(f, backend="reference")(np.array([0.3, -0.2, 0.5]))
