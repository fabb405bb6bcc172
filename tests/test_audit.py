"""``audit``: transcribed gradients with known mistakes; the line and the component are named.

The right gradients are formulas; the mistakes are such as people make: a sign, a factor, a term
left out, an expression in the wrong place.
"""

import copy
from dataclasses import dataclass

import numpy as np
import pytest

import srcad
from srcad.api.blame import Lines
from srcad.errors import TypeMismatch


@pytest.fixture(autouse=True)
def _reference():
    with srcad.using(backend="reference", verify=True):
        yield


def number(f, words):
    """The number of the line of ``f`` that contains ``words``."""
    first = f.__code__.co_firstlineno
    with open(f.__code__.co_filename) as file:
        lines = file.read().splitlines()
    return next(k for k in range(first, len(lines)) if words in lines[k - 1])


def deviance(w, x, y):
    """Half the Poisson deviance, but for what does not depend on the weights."""
    total = 0.0
    for i in range(len(y)):
        eta = 0.0
        for j in range(len(w)):
            eta += x[i, j] * w[j]
        total += np.exp(eta) - y[i] * eta
    return total


def deviance_of_arrays(w, x, y):
    """The same in whole arrays."""
    eta = x @ w
    mean = np.exp(eta)
    return np.sum(mean) - y @ eta


def counts(rng):
    """Arguments of both."""
    return 0.5 * rng.normal(size=3), rng.normal(size=(8, 3)), rng.poisson(2.0, 8).astype(float)


@pytest.mark.parametrize(
    ("f", "line"), [(deviance, "total += np.exp"), (deviance_of_arrays, "mean = np.exp")]
)
def test_a_misplaced_parenthesis(f, line):
    """``exp(Xw - y)`` in place of ``exp(Xw) - y``."""
    right = srcad.audit(f, lambda w, x, y: x.T @ (np.exp(x @ w) - y), counts, 20)
    assert right.ok and right and "agrees" in str(right)
    report = srcad.audit(f, lambda w, x, y: x.T @ np.exp(x @ w - y), counts, 20)
    assert not report.ok
    [finding] = report.findings
    assert finding.line == number(f, line) and line in finding.text
    assert finding.component in finding.components
    assert set(finding.components) == {"w[0]", "w[1]", "w[2]"}
    k = int(finding.component[2])
    w, x, y = finding.point
    assert finding.got == pytest.approx((x.T @ np.exp(x @ w - y))[k])
    assert finding.expected == pytest.approx((x.T @ (np.exp(x @ w) - y))[k])
    assert finding.error == pytest.approx(finding.got - finding.expected)
    assert finding.points == 20
    for words in (finding.component, line, f"line {finding.line}", "20 points"):
        assert words in str(report)


def energy(mean, log_scale, x):
    """Minus the log likelihood of independent Gaussians."""
    total = 0.0
    for i in range(x.shape[0]):
        for k in range(x.shape[1]):
            z = (x[i, k] - mean[k]) / np.exp(log_scale[k])
            total += 0.5 * z * z
    for k in range(len(mean)):
        total += x.shape[0] * log_scale[k]
    return total


def energy_of_matrices(mean, factor, x):
    """Minus the log likelihood of one point of a Gaussian with a full covariance."""
    cov = factor @ factor.T + np.eye(len(mean))
    d = x - mean
    quad = 0.5 * (d @ np.linalg.solve(cov, d))
    _sign, logdet = np.linalg.slogdet(cov)
    return quad + 0.5 * logdet


def points(rng):
    """Arguments of ``energy``."""
    return rng.normal(size=3), rng.normal(size=3), rng.normal(size=(5, 3))


def test_a_log_determinant_that_was_never_differentiated():
    """Of diagonal and full covariances: the term that is missing is named."""

    def hand(mean, log_scale, x):
        z = (x - mean) / np.exp(log_scale)
        return -np.sum(z / np.exp(log_scale), 0), -np.sum(z * z, 0)

    report = srcad.audit(energy, hand, points, 15, argnums=(0, 1))
    [finding] = report.findings
    assert finding.component.startswith("log_scale")
    assert finding.line == number(energy, "total += x.shape[0] * log_scale[k]")
    assert "lacks the contribution" in str(report)

    def by_matrices(mean, factor, x):
        cov = factor @ factor.T + np.eye(len(mean))
        r = np.linalg.solve(cov, x - mean)
        return -r, -np.outer(r, r) @ factor

    def sample(rng):
        return rng.normal(size=3), rng.normal(size=(3, 3)), rng.normal(size=3)

    report = srcad.audit(energy_of_matrices, by_matrices, sample, 15, argnums=[0, 1])
    [finding] = report.findings
    assert finding.component.startswith("factor[") and len(finding.components) == 9
    assert "slogdet" in finding.text and "lacks the contribution" in str(finding)

    def whole(mean, factor, x):
        cov = factor @ factor.T + np.eye(len(mean))
        r = np.linalg.solve(cov, x - mean)
        return -r, (np.linalg.inv(cov) - np.outer(r, r)) @ factor

    assert srcad.audit(energy_of_matrices, whole, sample, 15, argnums=(0, 1))


def test_signs_and_factors():
    """Two mistakes in one argument are two findings, each with its line and its kind."""

    def f(p):
        a = np.sin(p[0])
        b = p[1] ** 2
        c = p[2] * p[0]
        return a * 3.0 + b + c

    def hand(p):
        return np.array([3.0 * np.cos(p[0]) + p[2], p[1], -p[0]])

    report = srcad.audit(f, hand, lambda rng: rng.normal(size=3), 10)
    found = {x.component: x for x in report.findings}
    assert set(found) == {"p[1]", "p[2]"}
    assert found["p[1]"].line == number(f, "b = p[1]") and "0.5 times" in str(found["p[1]"])
    assert found["p[2]"].line == number(f, "c = p[2]") and "wrong sign" in str(found["p[2]"])


def test_a_mistake_on_one_branch_only():
    """Points on both sides; ways and untaken branches are told."""

    def f(x):
        if x > 2.0:
            return x**3
        if x > 50.0:
            return 7.0 * x
        return x**2

    def hand(x):
        return 2.0 * x**2 if x > 2.0 else 2.0 * x

    report = srcad.audit(f, hand, lambda rng: float(rng.uniform(0.0, 4.0)), 30)
    [finding] = report.findings
    assert finding.component == "x" and finding.line == number(f, "return x**3")
    assert 0 < finding.points < 30 and finding.point[0] > 2.0
    assert report.ways == 2
    [(place, taken)] = report.untaken
    assert taken and place.line == number(f, "if x > 50.0")
    assert "if x > 50.0" in str(report)


@dataclass
class Model:
    """Parameters as a structure."""

    w: np.ndarray
    b: float


def test_structures_helpers_and_samplers():
    """Names are paths; lines of helpers are found; a sampler may take no generator."""
    rng = np.random.default_rng(0)

    def squash(z):
        return 1.0 / (1.0 + np.exp(-z))

    def f(m, x):
        return np.sum(squash(x @ m.w + m.b) * x[:, 0])

    def hand(m, x):
        s = squash(x @ m.w + m.b)
        return Model(((s * (1 - s)) * x[:, 0]) @ x, float(np.sum(s * x[:, 0])))

    def sample():
        return Model(rng.normal(size=2), 0.3), rng.normal(size=(4, 2))

    report = srcad.audit(f, hand, sample, 8)
    [finding] = report.findings
    assert finding.component == "m.b" and finding.line == number(squash, "return 1.0 /")


def test_arguments_are_left_alone_and_nan_is_found():
    """Functions that write their arguments; a gradient that is NaN where it should not be."""

    def f(x):
        x *= x
        return np.sum(x)

    seen = []

    def hand(x):
        seen.append(copy.deepcopy(x))
        x[:] = np.nan
        return np.where(np.arange(2) == 1, np.nan, 2.0 * seen[-1])

    report = srcad.audit(f, hand, lambda rng: rng.normal(size=2), 5)
    [finding] = report.findings
    assert finding.component == "x[1]" and np.isnan(finding.got)
    np.testing.assert_array_equal(finding.point[0][0], finding.expected * 0 + finding.point[0][0])
    assert any(np.array_equal(finding.point[0], x) for x in seen)


def test_refused():
    """Another structure, another shape, a function that draws."""
    sample = lambda rng: (rng.normal(size=2), 1.0)  # noqa: E731
    f = lambda x, s: np.sum(x) * s  # noqa: E731
    with pytest.raises(TypeMismatch, match=r"respect to x has shape \(\)"):
        srcad.audit(f, lambda x, s: 1.0, sample, 2)
    with pytest.raises(TypeMismatch, match="expected a tuple of 2"):
        srcad.audit(f, lambda x, s: np.ones(2), sample, 2, argnums=(0, 1))
    with pytest.raises(TypeMismatch, match="draws other random numbers"):
        srcad.audit(lambda x: x * np.random.normal(), lambda x: x, lambda: 1.0, 2)


def test_contributions_of_lines_add_up():
    """Of a sum of terms, line by line: each line's contribution is its term's derivative."""

    def f(x):
        s = 0.0
        s += np.sin(x)
        s -= x**3
        s += 2.0 * x
        return s

    g = srcad.differentiable(f)
    bound = g.bind((0.7,), {})
    lines = Lines(g, g.specs(bound))
    rows = lines.at(bound, [np.ones(())])[:, 0]
    terms = {"s += np.sin": np.cos(0.7), "s -= x**3": -3 * 0.49, "s += 2.0": 2.0}
    for words, want in terms.items():
        places = [k for k, p in enumerate(lines.places) if p.line == number(f, words)]
        assert rows[places].sum() == pytest.approx(want)


def test_check_grads_names_the_line():
    """A kink: the failure points at it."""

    def f(x):
        a = np.sin(x[0])
        b = max(x[1], 1.0)
        return a * x[1] + b

    with pytest.raises(srcad.CheckFailed, match=r"0\.5 times what this line contributes") as info:
        srcad.check_grads(f, (np.array([0.3, 1.0]),))
    assert info.value.loc.line == number(f, "b = max")
    assert "b = max(x[1], 1.0)" in str(info.value)


def test_check_grads_names_no_line_without_reason():
    """Where the derivative is zero and the differences are not, no line's contribution fits."""

    def f(x):
        a = np.sin(x[0])
        b = np.abs(x[1] - 1.0)
        return a * x[1] + b

    with pytest.raises(srcad.CheckFailed) as info:
        srcad.check_grads(f, (np.array([0.3, 1.0]),))
    assert "contributes" not in str(info.value)


def test_compiled():
    """The whole audit by Numba."""
    with srcad.using(backend="cpu"):
        report = srcad.audit(deviance, lambda w, x, y: x.T @ np.exp(x @ w - y), counts, 5)
    assert report.findings[0].line == number(deviance, "total += np.exp")


@srcad.custom_jvp
def cubed(x):
    """A cube."""
    return x**3


@cubed.defjvp
def cubed_rule(primals, tangents):
    """Wrong: the factor of three is missing."""
    return cubed(primals[0]), primals[0] ** 2 * tangents[0]


def test_check_grads_names_the_call_of_a_wrong_rule():
    """The line whose rule contradicts its function, and by which factor."""

    def f(x):
        a = np.exp(x[0])
        b = cubed(x[1])
        return a + b * 2.0

    with pytest.raises(srcad.CheckFailed, match="-2 times what this line contributes") as info:
        srcad.check_grads(f, (np.array([0.3, 0.8]),), modes=("fwd",))
    assert info.value.loc.line == number(f, "b = cubed")
