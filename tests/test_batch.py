"""``batch``: values and derivatives are those of a Python loop over the samples, and JAX's vmap's.

The loop over the samples is one compiled call, which is counted.
"""

from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import srcad
from srcad.api import function
from srcad.errors import TypeMismatch
from srcad.ir.nodes import For
from srcad.ir.walk import statements

RNG = np.random.default_rng(5)
X, W, V = RNG.normal(size=(4, 3)), RNG.normal(size=3), RNG.normal(size=4)
Params = namedtuple("Params", "w b")


@dataclass
class Layer:
    """A structure of arguments."""

    w: np.ndarray
    b: float


def loss(x, w, power=2):
    """One sample's loss, as a loop."""
    s = 0.0
    for i in range(len(x)):
        s += w[i] * np.sin(x[i]) ** power
    return s * s


def curve(x, rate):
    """An array and a number, with in-place writes and a branch that depends on the sample."""
    u = np.zeros((2, len(x)))
    for i in range(len(x)):
        u[0, i] = x[i] * rate
        u[1, i] = np.exp(x[i]) if x[i] > 0.0 else x[i]
    u[:, 0] += u[:, 1]
    return u, u[0, 0] + rate


@pytest.fixture(autouse=True)
def _reference():
    with srcad.using(backend="reference", verify=True):
        yield


def leaves(x):
    """The numbers and arrays of a structure, and its shape without them."""
    if isinstance(x, dict):
        parts = {k: leaves(v) for k, v in x.items()}
        return [a for p in parts.values() for a in p[0]], {k: p[1] for k, p in parts.items()}
    if isinstance(x, (tuple, list)):
        parts = [leaves(v) for v in x]
        return [a for p in parts for a in p[0]], tuple(p[1] for p in parts)
    return ([], None) if x is None else ([x], "*")


def same(got, want, rtol=1e-12):
    """Equal structures of equal numbers."""
    (a, shape), (b, other) = leaves(got), leaves(want)
    assert shape == other
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, np.asarray(y), rtol=rtol, atol=1e-13)
        assert np.shape(x) == np.shape(y)


def test_one_result_is_stacked():
    """Numbers become a vector; a shared argument is handed to all samples."""
    same(srcad.batch(loss, (0, None))(X, W), np.array([loss(x, W) for x in X]))
    same(srcad.batch(loss, (0, None))(X, W, 3), np.array([loss(x, W, 3) for x in X]))


def test_per_sample_gradients():
    """``batch(grad(f))`` agrees with JAX's ``vmap(grad(f))``, also in a shared argument."""
    jax = pytest.importorskip("jax")
    import jax.numpy as jnp

    def objective(x, w):
        return jnp.sum(w * jnp.sin(x) ** 2) ** 2

    for k in (0, 1):
        want = jax.vmap(jax.grad(objective, k), (0, None))(jnp.array(X), jnp.array(W))
        same(srcad.batch(srcad.grad(loss, k), (0, None))(X, W), np.asarray(want), 2e-5)


def test_per_sample_gradients_one_by_one():
    """The same as a loop of calls."""
    for k in (0, 1):
        want = np.array([srcad.grad(loss, k)(x, W) for x in X])
        same(srcad.batch(srcad.grad(loss, k), (0, None))(X, W), want)


def test_gradient_of_a_batch():
    """``grad`` of a function of a batch is the sum of the samples' gradients."""
    value, pullback = srcad.vjp(srcad.batch(loss, (0, None)), X, W)
    x_b, w_b, none = pullback(np.ones(4))
    same(value, np.array([loss(x, W) for x in X]))
    same(x_b, np.array([srcad.grad(loss)(x, W) for x in X]))
    same(w_b, sum(srcad.grad(loss, 1)(x, W) for x in X))
    assert none is None


AXES = [
    ((0, 0), 0),
    ((1, 0), 0),
    ((-1, 0), (2, 0)),
    ((0, None), (1, 0)),
    ((None, 0), (-1, 0)),
    ((0, 0), (-2, -1)),
]


@pytest.mark.parametrize(("in_axes", "out_axes"), AXES)
def test_axes_are_those_of_vmap(in_axes, out_axes):
    """Every combination gives what JAX's ``vmap`` gives, values, tangents and cotangents."""
    jax = pytest.importorskip("jax")
    import jax.numpy as jnp

    def objective(x, rate):
        u = jnp.stack([x * rate, jnp.where(x > 0.0, jnp.exp(x), x)])
        u = u.at[:, 0].add(u[:, 1])
        return u, u[0, 0] + rate

    a, rate = X, V
    if in_axes[0] in (1, -1):
        a = X.T
    if in_axes[0] is None:
        a = X[0]
    if in_axes[1] is None:
        rate = 0.7
    with jax.enable_x64(True):
        mapped = jax.vmap(objective, in_axes, out_axes)
        ours = srcad.batch(curve, in_axes, out_axes)
        same(ours(a, rate), mapped(a, rate))
        tangents = (RNG.normal(size=a.shape), RNG.normal(size=np.shape(rate)))
        value, want = jax.jvp(mapped, (a, rate), tangents)
        got = srcad.jvp(ours, (a, rate), tangents)
        same(got, (value, want))
        weights = jax.tree.map(lambda x: RNG.normal(size=x.shape), value)
        want = jax.vjp(mapped, a, rate)[1](weights)
        same(srcad.vjp(ours, a, rate)[1](weights), want)


@pytest.mark.parametrize("layout", ["C", "F", "A"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_layouts(layout, axis):
    """Samples of arrays of three axes, in every layout, along every axis."""
    a = np.asarray(RNG.normal(size=(2, 3, 4)), order="F" if layout == "F" else "C")
    a = np.repeat(a, 2, axis=2)[:, :, ::2] if layout == "A" else a

    def rows(m):
        m[0] *= 2.0
        return np.cumsum(m, axis=0) @ m.T

    got = srcad.batch(rows, axis)(a.copy(order="K"))
    same(got, np.array([rows(np.take(a, k, axis)) for k in range(a.shape[axis])]))
    srcad.check_grads(srcad.batch(rows, axis), (a,), order=1)


def test_structures():
    """Axes follow the structure of the argument; results keep theirs."""

    def model(p, layer, x):
        return {"y": p.w * x + layer.b, "n": layer.w.sum() * p.b}

    p = Params(X, V)
    layer = Layer(X.T.copy(), 2.0)
    got = srcad.batch(model, (Params(0, None), Layer(1, None), None))(Params(X, 3.0), layer, W)
    same(got["y"], np.array([x * W + 2.0 for x in X]))
    same(got["n"], X.sum(1) * 3.0)
    got = srcad.batch(model, ((0, 0), None, None))(p, Layer(W, 1.0), W)
    same(got["n"], W.sum() * V)
    got = srcad.batch(srcad.grad(lambda p, s: (p["a"] * s).sum()), {"p": {"a": 0}, "s": None})(
        {"a": X}, 2.0
    )
    same(got["a"], np.full((4, 3), 2.0))


def test_batch_of_a_batch_and_of_a_jacobian():
    """Nested loops; transforms of a batch of transforms."""
    a, b = RNG.normal(size=(2, 3)), RNG.normal(size=4)

    def plane(x, y):
        return np.sin(x * y) + x**3

    twice = srcad.batch(srcad.batch(plane, (None, 0)), (0, None))
    same(twice(a[0], b), plane(a[0][:, None], b))
    hessians = np.array([srcad.hessian(loss)(x, W) for x in X])
    same(srcad.batch(srcad.hessian(loss), (0, None))(X, W), hessians)
    jac = srcad.batch_jacobian(curve, in_axes=(0, 0))(X, V)
    want = [srcad.jacobian(curve)(x, r) for x, r in zip(X, V, strict=True)]
    same(jac[0], np.array([w[0] for w in want]))
    same(jac[1], np.array([w[1] for w in want]))
    srcad.check_grads(srcad.batch(srcad.grad(loss), (0, None)), (a, W), order=1)
    with_aux = srcad.grad(lambda x, r: (curve(x, r)[1], curve(x, r)[0]), has_aux=True)
    got = srcad.batch(with_aux, (0, 0), (0, 1))(X, V)
    same(got[1], srcad.batch(curve, (0, 0), (1, 0))(X, V)[0])


def test_integers_floats32_and_bools():
    """Mapped integers and bools, float32 samples, results that are integers or single."""

    def pick(x, k, on):
        return x[k] * x[k] if on else x[0], k + 1, on

    x = X.astype(np.float32)
    got = srcad.batch(pick)(x, np.array([0, 1, 2, 0], np.int32), np.array([True, False] * 2))
    assert [a.dtype for a in got] == [np.float32, np.int64, np.bool_]
    same(got[0], np.array([x[0, 0] ** 2, x[1, 0], x[2, 2] ** 2, x[3, 0]], np.float32), 1e-7)
    g = srcad.batch(srcad.grad(lambda x, k: x[k] ** 2), 0)(x, np.arange(4) % 3)
    assert g.dtype == np.float32


def test_effects_are_those_of_the_loop(capsys):
    """Writes, prints and random draws happen once a sample, in order."""

    def noisy(x, total):
        print("sample")
        z = np.random.normal()
        total[0] += x.sum() * z
        x[0] = z
        return x * z

    a, total = X.copy(), np.zeros(1)
    np.random.seed(3)
    got = srcad.batch(noisy, (0, None))(a, total)
    assert capsys.readouterr().out.splitlines() == ["sample"] * 4
    b, plain = X.copy(), np.zeros(1)
    np.random.seed(3)
    want = np.array([noisy(x, plain) for x in b])
    same((got, a, total), (want, b, plain))


def test_captured_values_are_seen():
    """A captured number and array may change between calls."""
    scale, shift = 2.0, np.array([1.0, 2.0, 3.0])

    def f(x):
        return scale * (x - shift).sum()

    g = srcad.batch(srcad.grad(f))
    same(g(X), np.full((4, 3), 2.0))
    scale = 3.0
    same(g(X), np.full((4, 3), 3.0))
    h = srcad.batch(f)
    shift[0] = 5.0
    same(h(X), np.array([f(x) for x in X]))


def test_captured_structure_of_the_shape():
    """A shape that depends on a value is checked at every sample."""

    def ragged(x, k):
        return np.zeros(k) + x

    got = srcad.batch(ragged, (0, None))(V, 2)
    same(got, np.array([[v, v] for v in V]))
    with pytest.raises(ValueError, match="different shapes"):
        srcad.batch(ragged)(V, np.array([2, 2, 3, 2]))


def test_one_compiled_call(monkeypatch):
    """However many samples: one loop in the program, one run of it."""
    runs = []
    plain = function.Specialisation.__call__
    monkeypatch.setattr(
        function.Specialisation, "__call__", lambda s, x: runs.append(s) or plain(s, x)
    )
    g = srcad.batch(srcad.grad(loss), (0, None))
    g(RNG.normal(size=(50, 3)), W)
    g(RNG.normal(size=(7, 3)), W)
    assert len(runs) == 2 and runs[0] is runs[1] and len(g.cache) == 1
    outer = [s for s in runs[0].program.fn.body.stmts if isinstance(s, For)]
    assert len(outer) == 1
    nested = [s for s in statements(outer[0].body) if isinstance(s, For)]
    assert (
        len(nested)
        == len(
            [
                s
                for s in statements(
                    srcad.grad(loss).specialise({"x": X[0], "w": W, "power": 2}).program.fn.body
                )
                if isinstance(s, For)
            ]
        )
        + 1
    )  # the copy of the gradient to its row


def test_compiled():
    """The same by Numba."""
    with srcad.using(backend="cpu"):
        got = srcad.batch(srcad.value_and_grad(loss), (0, None))(X, W)
    same(got[0], np.array([loss(x, W) for x in X]))
    same(got[1], np.array([srcad.grad(loss)(x, W) for x in X]))


def test_no_samples():
    """No sample gives an empty vector; the shape of array results would be unknown."""
    assert srcad.batch(loss, (0, None))(X[:0], W).shape == (0,)
    with pytest.raises(ValueError, match="at least one sample"):
        srcad.batch(curve)(X[:0], V[:0])


REFUSED = [
    (lambda: srcad.batch(loss, None), "maps nothing"),
    (lambda: srcad.batch(loss, 1.5), "in_axes must be"),
    (lambda: srcad.batch(loss, (0,))(X, W), "nothing about argument 'w'"),
    (lambda: srcad.batch(loss, (0, 1))(X, W), "argument 'w'.*axis 1"),
    (lambda: srcad.batch(loss, (0, 0, 0, 0))(X, W), "4 entries"),
    (lambda: srcad.batch(loss, {"x": 0, "w": None, "q": 0})(X, W), "'q'"),
    (lambda: srcad.batch(curve, 0, (0, 1))(X, V), "out_axes"),
    (lambda: srcad.batch(curve, 0, (None, 0))(X, V), "out_axes"),
    (lambda: srcad.batch(curve, 0, (0, 0, 0))(X, V), "do not fit the result"),
    (lambda: srcad.batch(curve)(X, 2.0), "'rate'.*along axis 0"),
    (lambda: srcad.batch(loss, ((0, 0), None))(X, W), "in_axes of argument 'x'"),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=range(len(REFUSED)))
def test_refused(call, message):
    """Axes that do not fit say so."""
    with pytest.raises(TypeMismatch, match=message):
        call()


def test_sizes_must_agree():
    """Stacked arguments of different numbers of samples."""
    with pytest.raises(ValueError, match="different sizes"):
        srcad.batch(curve)(X, V[:3])


def test_default_arrays_must_be_said():
    """An array as a default is neither mapped nor shared silently."""
    shared = np.ones(4)

    def f(x, w=shared):
        return x.sum() * w.sum()

    with pytest.raises(TypeMismatch, match="default of argument 'w'"):
        srcad.batch(f)(X)
    same(srcad.batch(f, (0, None))(X), X.sum(1) * 4.0)
