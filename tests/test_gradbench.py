"""The GradBench tool, by its protocol, against the independent formulas of another module.

Derivatives run in the reference backend, but for some evals that are compiled.
"""

import io
import json
import time

import numpy as np
import pytest
import scipy.special
from numba.core import event

import srcad
from benchmarks.gradbench import EVALS, ba
from benchmarks.gradbench.protocol import Function, Tool, serve
from benchmarks.gradbench.tool import SRCAD
from tests import gradbench_references as reference

R = np.random.default_rng(31337)


@pytest.fixture
def interpreted():
    """Derivatives are not compiled."""
    with srcad.using(backend="reference"):
        yield


def ask(*messages, tool=SRCAD):
    """Responses to messages, through JSON both ways."""
    lines = [json.dumps({"id": k} | m) for k, m in enumerate(messages)]
    answers = [json.loads(line) for line in tool.session(lines)]
    assert [a["id"] for a in answers] == list(range(len(messages)))
    return answers


def output(module, function, given):
    """What a function gives, with one timed run."""
    if isinstance(given, dict):
        given = {"min_runs": 1, "min_seconds": 0} | given
    (answer,) = ask({"kind": "evaluate", "module": module, "function": function, "input": given})
    assert answer["success"], answer.get("error")
    assert [t["name"] for t in answer["timings"]] == ["evaluate"]
    return answer["output"]


def lists(**arrays):
    """An input as JSON has it."""
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in arrays.items()}


# the protocol
class Doubling:
    """A module of which the tests see when it runs."""

    runs = 0

    @classmethod
    def run(cls, x):
        """Prints, which must not end up between the responses."""
        cls.runs += 1
        print("doubling")
        return 2.0 * x


def doubling_tool(clock=time.perf_counter_ns):
    """A tool with one module."""
    module = type("module", (), {})()
    module.FUNCTIONS = {"double": Function(lambda given: (given["x"],), Doubling.run)}
    module.EXAMPLES = ({"x": 1.0},)
    return Tool("test", {"doubling": module}.get, clock)


def test_messages():
    """Every kind of message is answered; what is unknown or fails is said to have failed."""
    call = {"kind": "evaluate", "module": "doubling", "function": "double"}
    answers = ask(
        {"kind": "start", "eval": "doubling"},
        {"kind": "define", "module": "doubling"},
        call | {"input": {"x": 4.0}, "description": "four"},
        {"kind": "analysis", "of": 2, "valid": True},
        call | {"input": {}},
        call | {"function": "triple", "input": {}},
        {"kind": "define", "module": "missing"},
        tool=doubling_tool(),
    )
    assert answers[0] == {"id": 0, "tool": "test", "config": "test"}
    assert answers[1]["success"] and answers[1]["timings"][0]["name"] == "compile double"
    assert answers[2]["success"] and answers[2]["output"] == 8.0
    assert answers[3] == {"id": 3}
    assert not answers[4]["success"] and "KeyError" in answers[4]["error"]
    assert not answers[5]["success"] and "triple" in answers[5]["error"]
    assert not answers[6]["success"] and "missing" in answers[6]["error"]


@pytest.mark.parametrize(
    ("limits", "runs"),
    [
        ({"min_runs": 3, "min_seconds": 0.0}, 3),
        ({"min_runs": 0, "min_seconds": 0.0}, 1),
        ({"min_runs": 1, "min_seconds": 4e-9}, 4),
        ({}, 1),
    ],
)
def test_runs(limits, runs):
    """A function runs often and long enough, and every run is timed."""
    tool = doubling_tool(iter(range(1000)).__next__)  # a nanosecond a run
    before = Doubling.runs
    message = {"kind": "evaluate", "module": "doubling", "function": "double"}
    (answer,) = ask(message | {"input": {"x": 1.0} | limits}, tool=tool)
    assert answer["timings"] == [{"name": "evaluate", "nanoseconds": 1}] * runs
    assert Doubling.runs == before + runs


def test_only_responses_are_printed(capsys):
    """One line a message on the output; what functions print goes to standard error."""
    line = json.dumps({"id": 7, "kind": "define", "module": "doubling"})
    out = io.StringIO()
    serve(doubling_tool(), io.StringIO(line + "\n\n"), out)
    assert json.loads(out.getvalue())["success"]
    assert "doubling" in capsys.readouterr().err


def test_all_evals_are_there():
    """Every eval has a module with functions and examples; unknown names have none."""
    assert len(EVALS) == 12
    for name in EVALS:
        module = SRCAD.find(name)
        assert module.FUNCTIONS and module.EXAMPLES
    assert SRCAD.find("protocol") is None and SRCAD.find("nothing") is None


@pytest.mark.parametrize(
    ("name", "real"),
    [
        ("hello", [("square", 3.0), ("double", 3.0)]),
        ("lse", [("primal", {"x": [0.5] * 50}), ("gradient", {"x": [0.5] * 50})]),
        (
            "kmeans",
            [
                (f, {"points": [[0.5] * 3, [1.5] * 3, [2.5] * 3], "centroids": [[0.0] * 3]})
                for f in ("cost", "dir")
            ],
        ),
    ],
)
def test_define_compiles(name, real):
    """After ``define``, other sizes do not compile anything."""
    assert ask({"kind": "define", "module": name})[0]["success"]
    with event.install_recorder("numba:compile") as compiled:
        for function, given in real:
            output(name, function, given)
    assert not compiled.buffer


# the evals
def test_hello():
    """A square and its derivative."""
    assert output("hello", "square", 3.0) == 9.0
    assert output("hello", "double", 3.0) == 6.0


def test_lse():
    """SciPy's function; also where exp would overflow."""
    x = np.concatenate([R.normal(size=6), [800.0, 800.5]])
    assert output("lse", "primal", lists(x=x)) == pytest.approx(scipy.special.logsumexp(x))
    np.testing.assert_allclose(output("lse", "gradient", lists(x=x)), scipy.special.softmax(x))


def test_llsq(interpreted):
    """Linear algebra; an odd number of points has one at zero."""
    x = R.random(4)
    value, gradient = reference.llsq(x, 7)
    assert output("llsq", "primal", lists(x=x, n=7)) == pytest.approx(value)
    np.testing.assert_allclose(output("llsq", "gradient", lists(x=x, n=7)), gradient)


def test_ode(interpreted):
    """The polynomial that the method is exact for."""
    x = R.random(4)
    y, gradient = reference.ode(x)
    np.testing.assert_allclose(output("ode", "primal", lists(x=x, s=3)), y)
    np.testing.assert_allclose(output("ode", "gradient", lists(x=x, s=3)), gradient)


def test_kmeans():
    """Means of the points nearest to each centroid."""
    points = R.random((20, 3))
    value, direction = reference.kmeans(points, points[-2:])
    given = lists(points=points, centroids=points[-2:])
    assert output("kmeans", "cost", given) == pytest.approx(value)
    np.testing.assert_allclose(output("kmeans", "dir", given), direction)


def test_det(interpreted):
    """The adjugate."""
    a = R.random((4, 4))
    value = np.linalg.det(a)
    given = lists(A=a.ravel(), ell=4)
    assert output("det", "primal", given) == pytest.approx(value)
    adjugate = value * np.linalg.inv(a)
    np.testing.assert_allclose(output("det", "gradient", given), adjugate.T.ravel())


def test_gmm(interpreted):
    """SciPy's densities, and differences of them."""
    k, d, n = 2, 3, 4
    shapes = {"alpha": (k,), "mu": (k, d), "q": (k, d), "l": (k, d * (d - 1) // 2)}
    sizes = [int(np.prod(s)) for s in shapes.values()]
    flat, x = 0.5 * R.normal(size=sum(sizes)), R.normal(size=(n, d))

    def parts(v):
        pieces = np.split(v, np.cumsum(sizes)[:-1])
        return {name: p.reshape(s) for (name, s), p in zip(shapes.items(), pieces, strict=True)}

    given = lists(**parts(flat), x=x, d=d, k=k, n=n, gamma=1.5, m=2)

    def value(v):
        return reference.gmm(*parts(v).values(), x, 1.5, 2)

    assert output("gmm", "objective", given) == pytest.approx(value(flat))
    gradient = parts(reference.central(value, flat))
    found = output("gmm", "jacobian", given)
    assert set(found) == set(gradient)
    for name, expected in gradient.items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-6, atol=1e-7)


def test_lstm(interpreted):
    """The network a layer at a time."""
    layers, bits, count = 2, 3, 4
    main, extra = R.random((2 * layers, 4 * bits)), R.random((3, bits))
    state, text = R.random((2 * layers, bits)), R.integers(0, 2, (count, bits)).astype(float)
    given = lists(main_params=main, extra_params=extra, state=state, sequence=text)

    def loss(v):
        return reference.lstm(
            v[: main.size].reshape(main.shape), v[main.size :].reshape(extra.shape), state, text
        )

    flat = np.concatenate([main.ravel(), extra.ravel()])
    assert output("lstm", "objective", given) == pytest.approx(loss(flat))
    gradient = reference.complex_step(loss, flat)[0]
    np.testing.assert_allclose(output("lstm", "jacobian", given), gradient, rtol=1e-10)


BA = {
    "n": 2,
    "m": 3,
    "p": 12,
    "cam": [0.2, -0.3, 0.1, 0.5, 0.2, 0.1, 500.0, 1.0, 2.0, 0.01, 0.001],
    "x": [0.3, -0.2, 8.0],
    "w": 0.7,
    "feat": [3.0, -4.0],
}


def test_ba(interpreted):
    """The whole sparse Jacobian, made dense, and the part of it that is sent."""
    arguments = ba.read(BA)
    cameras, points, weights, seen, features = arguments
    shapes = [cameras.shape, points.shape, weights.shape]
    ends = np.cumsum([cameras.size, points.size, weights.size])

    def residuals(v):
        parts = (p.reshape(s) for p, s in zip(np.split(v, ends[:-1]), shapes, strict=True))
        return reference.ba(*parts, seen, features)

    flat = np.concatenate([cameras.ravel(), points.ravel(), weights])
    expected = reference.complex_step(residuals, flat)
    rows, columns, values = ba.jacobian(*arguments)
    dense = np.zeros(expected.shape)
    for i in range(len(rows) - 1):
        dense[i, columns[rows[i] : rows[i + 1]]] = values[rows[i] : rows[i + 1]]
    np.testing.assert_allclose(dense, expected, rtol=1e-9, atol=1e-9)
    sent = output("ba", "jacobian", BA)
    for name, whole in (("rows", rows), ("cols", columns), ("vals", values)):
        assert sent[name] == [*whole[:30].tolist(), whole[-1]]
    found = output("ba", "objective", BA)
    first = residuals(flat)
    assert found["reproj_error"] == {"elements": pytest.approx(first[:2]), "repeated": 12}
    assert found["w_err"] == {"element": pytest.approx(first[-1]), "repeated": 12}


@pytest.mark.parametrize("us", [np.zeros((0, 2)), R.random((4, 2))], ids=["simple", "complicated"])
def test_ht(interpreted, us):
    """A small hand of random bones."""
    bones, vertices, count = 22, 5, 4
    affine = np.zeros((2, bones, 4, 4))
    affine[:, :, 3, 3] = 1.0
    affine[:, :, :3] = 0.5 * R.normal(size=(2, bones, 3, 4))
    rest = np.concatenate([R.normal(size=(vertices, 3)), np.ones((vertices, 1))], axis=1)
    weights = R.random((vertices, bones)) * (R.random((vertices, bones)) < 0.5)
    hand = lists(
        parents=np.array([-1, *(R.integers(0, b) for b in range(1, bones))]),
        base_relatives=affine[0],
        inverse_base_absolutes=affine[1],
        base_positions=rest,
        weights=weights,
        triangles=np.array([[0, 1, 2], [2, 3, 4]]),
        is_mirrored=True,
    )
    matches, points, theta = R.integers(0, 2, count), R.normal(size=(count, 3)), R.normal(size=26)
    data = lists(model=hand, correspondences=matches, points=points)
    given = lists(theta=theta, data=data, us=us)

    def residuals(v):
        moved = us + v[:2] if len(us) else us
        return reference.ht(v[2:], moved, hand, matches, points)

    at = np.concatenate([np.zeros(2), theta])
    found = output("ht", "objective", given)
    np.testing.assert_allclose(found, residuals(at).real.ravel(), rtol=1e-9)
    expected = reference.complex_step(residuals, at)[:, 0 if len(us) else 2 :]
    np.testing.assert_allclose(output("ht", "jacobian", given), expected, rtol=1e-9, atol=1e-9)


def test_particle():
    """The root that a solver of equations finds."""
    found = output("particle", "fr", {"w": 0.0})
    assert found == pytest.approx(reference.particle(), abs=1e-4)


def test_saddle():
    """Both points of the saddle are the origin."""
    found = output("saddle", "rr", {"start": [1.0, 1.0]})
    np.testing.assert_allclose(found, np.zeros(4), atol=1e-4)
