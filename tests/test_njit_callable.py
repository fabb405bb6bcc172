"""Derivatives inside njit code, against the same derivatives outside, interpreted."""

import threading
from typing import NamedTuple

import numba
import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

import srcad

X = np.array([0.5, 1.5])


@srcad.differentiable
def energy(x):
    total = 0.0
    for i in range(len(x)):
        total += x[i] ** 3 * (i + 1)
    return total


@numba.njit
def power(x, n, scale=2.0):
    return scale * x**n


def interpreted(make, *args, **options):
    """A derivative of ``energy`` or ``power`` by the reference backend."""
    return make(*args, backend="reference", **options)


slope = srcad.grad(energy)
both = srcad.value_and_grad(power, argnums=("x", "scale"))
pair = (slope, srcad.hessian(energy))


def closure(d):
    @numba.njit
    def run(x):
        return d(x)

    return run


@numba.njit
def applied(d, x):
    return d(x)


@numba.njit
def objects(x):
    first, (second, third) = both(x[0], 3)
    return slope(x), first, second, third, both(x[0], n=2, scale=x[1]), pair[1](x), energy(x)


def test_objects_in_every_place():
    """Global, closure, argument, element of a tuple; keywords and defaults."""
    got = objects(X)
    outer = interpreted(srcad.value_and_grad, power, argnums=("x", "scale"))
    gradient = interpreted(srcad.grad, energy)(X)
    assert np.allclose(got[0], gradient)
    assert got[1:4] == pytest.approx((outer(0.5, 3)[0], *outer(0.5, 3)[1]))
    assert got[4][0] == pytest.approx(outer(0.5, 2, 1.5)[0])
    assert got[4][1] == pytest.approx(outer(0.5, 2, 1.5)[1])
    assert np.allclose(got[5], np.diag([6 * 0.5, 12 * 1.5]))
    assert got[6] == pytest.approx(0.5**3 + 2 * 1.5**3)
    assert np.allclose(closure(slope)(X), gradient)
    assert np.allclose(applied(slope, X), gradient)


@numba.njit
def written_inside(x):
    a = srcad.grad(energy)(x)
    b = srcad.value_and_grad(power, 0)(x[0], 3)
    c = energy.grad(x) + energy.value_and_grad(x)[1]
    v, t = srcad.jvp(energy, (x,), (x * x,))
    n, m = srcad.jvp(power, (x[0], 3, x[1]), (1.0, None, 2.0))
    h = srcad.hvp(energy, (x,), (x,))
    j = srcad.jacfwd(srcad.grad(energy))(x) + srcad.jacobian(energy, argnums=0)(x)
    return a, b, c, v, t, n, m, h[0], j


def test_transforms_written_inside():
    """``srcad.grad(f)(x)``, ``jvp``, ``hvp`` and the others in njit code."""
    a, b, c, v, t, n, m, h, j = written_inside(X)
    g = np.array([3 * 0.25, 6 * 2.25])
    assert np.allclose(a, g)
    assert np.allclose(c, 2 * g)
    assert b == pytest.approx((2 * 0.125, 6 * 0.25))
    assert v == pytest.approx(energy(X))
    assert t == pytest.approx(np.sum(g * X * X))
    assert n == pytest.approx(1.5 * 0.125)
    assert m == pytest.approx(3 * 1.5 * 0.25 + 2 * 0.125)
    assert np.allclose(h, [6 * 0.25, 12 * 2.25])
    assert np.allclose(j, np.diag([3.0, 18.0]) + g)


def scaled(x, k, n):
    x[0] = x[0] * k
    return np.sum(x**n), x * k


scaled_njit = numba.njit(scaled)
in_place = srcad.adjoint(scaled)


@numba.njit
def pulled(x):
    (v, y), pullback = srcad.vjp(scaled_njit, x, 2.0, 3)
    x[:] = 0.0  # the pullback holds copies
    return v, y, pullback((1.0, None)), pullback((v, y * 0 + 1))


@numba.njit
def adjoint_inside(x, x_b, k_b, y_b):
    return in_place(x, x_b, 2.0, k_b, 3, np.ones(1), y_b)


def test_pullbacks_and_the_adjoint():
    """``vjp`` gives a pullback that may be called again; ``adjoint`` writes into shadows."""
    out, pullback = interpreted(lambda *a, **o: srcad.vjp(*a, **o), scaled, X.copy(), 2.0, 3)
    v, _, first, second = pulled(X.copy())
    assert v == pytest.approx(out[0])
    for got, want in ((first, pullback((1.0, None))), (second, pullback((v, np.ones(2))))):
        assert np.allclose(got[0], want[0])
        assert got[1] == pytest.approx(want[1])
        assert got[2] is None
    _nrt_python.memsys_enable_stats()
    before = rtsys.get_allocation_stats()
    results = [pulled(X.copy()) for _ in range(20)]
    del results
    after = rtsys.get_allocation_stats()
    _nrt_python.memsys_disable_stats()
    assert after.alloc - before.alloc == after.free - before.free > 0
    x, x_b, k_b = X.copy(), np.zeros(2), np.zeros(1)
    adjoint_inside(x, x_b, k_b, np.zeros(2))
    assert np.allclose(x_b, first[0])
    assert k_b[0] == pytest.approx(first[1])
    with pytest.raises(ValueError, match="another shape"):
        adjoint_inside(x, np.zeros(3), k_b, np.zeros(2))
    with pytest.raises(ValueError, match="overlaps"):
        adjoint_inside(x, x, k_b, np.zeros(2))


class Layer(NamedTuple):
    """A structure."""

    w: np.ndarray
    b: float


def loss(layer, x, scale=1.0, *more):
    total = 0.0
    for m in more:
        total += m
    return np.sum((layer.w * x + layer.b) ** 2) * scale + total * layer.b


d_loss = srcad.grad(loss)
d_aux = srcad.grad(lambda x: (np.sum(x**2), x * 2), has_aux=True)


@numba.njit
def structures(w, x):
    layer = Layer(w, 2.0)
    return d_loss(layer, x), d_loss(layer, x, 3.0, 1.0, 2.0).b, d_aux(x)


def test_structures():
    """Namedtuples, defaults, ``*args``, ``has_aux``, strided and single precision arrays."""
    x = np.arange(6.0, dtype=np.float32)[::2]
    layer, d = Layer(np.ones(3), 2.0), interpreted(srcad.grad, loss)
    first, second, (gradient, aux) = structures(layer.w, x)
    assert np.allclose(first.w, d(layer, x).w)
    assert first.b == pytest.approx(d(layer, x).b)
    assert second == pytest.approx(d(layer, x, 3.0, 1.0, 2.0).b)
    assert gradient.dtype == np.float32
    assert np.allclose(gradient, 2 * x)
    assert np.allclose(aux, 2 * x)


@numba.njit(parallel=True)
def parallel(points):
    out = np.empty_like(points)
    for i in numba.prange(len(points)):
        out[i] = slope(points[i])
    return out


def test_prange():
    """Every iteration calls the derivative."""
    points = np.random.default_rng(0).normal(size=(50, 3))
    assert np.allclose(parallel(points), 3 * points**2 * [1, 2, 3])


WEIGHTS = np.array([1.0, 2.0])


def weighted(x):
    return np.sum(WEIGHTS * x * x)


def test_captured_values_are_frozen(monkeypatch):
    """A caller keeps what it was compiled with; one that is compiled later sees the new values."""
    d = srcad.grad(weighted)
    early, late = closure(d), closure(d)
    assert np.allclose(early(X), 2 * WEIGHTS * X)
    monkeypatch.setitem(globals(), "WEIGHTS", np.array([10.0, 20.0]))
    assert np.allclose(early(X), [1.0, 6.0])
    assert np.allclose(late(X), [10.0, 60.0])
    assert np.allclose(d(X), [10.0, 60.0])


gives_a_list = srcad.grad(lambda x: [x])
gives_an_array = srcad.grad(lambda x: x * 2.0)


@numba.njit
def refused(x):
    return gives_a_list(x)


@numba.njit
def of_an_array(x):
    y = x + 1.0
    return gives_an_array(y)


@numba.njit
def moving_argnums(x, n):
    return srcad.grad(power, n)(x, 2)


@pytest.mark.parametrize(
    ("f", "args", "said"),
    [
        (refused, (1.0,), ("returns a list", "return gives_a_list(x)")),
        (of_an_array, (X,), ("needs a function that returns one float", "return gives_an_array")),
        (moving_argnums, (1.0, 0), ("must be constants", "return srcad.grad(power, n)")),
    ],
    ids=["list", "array", "argnums"],
)
def test_messages_name_the_users_line(f, args, said):
    """What srcad says, and the line of the njit function."""
    with pytest.raises(numba.core.errors.TypingError) as caught:
        f(*args)
    for text in said:
        assert text in str(caught.value)


def test_threads():
    """Eight threads call, compile and let Numba compile, all at once: no deadlock, no mix-up."""
    f = srcad.differentiable(lambda x: np.sum(x * x * x))
    g, wrong = srcad.grad(f), []
    arguments = [X, X.astype(np.float32), X.reshape(1, 2), np.asfortranarray(np.ones((2, 2)))]
    start = threading.Barrier(8)

    def work(k):
        try:
            start.wait()
            own = numba.njit(lambda x: x + k)  # another user of Numba's lock
            for i in range(12):
                x = arguments[(i + k) % 4]
                if not np.allclose(g(x), 3 * x * x):
                    wrong.append((k, i))
            if own(1.0) != 1.0 + k or k % 4 == 0 and not np.allclose(closure(g)(X), 3 * X * X):
                wrong.append(k)
        except BaseException as e:
            wrong.append(e)

    threads = [threading.Thread(target=work, args=(k,), daemon=True) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    assert not any(t.is_alive() for t in threads)
    assert not wrong
    assert len(f.cache) == 0
    assert len(g.cache) == 4
