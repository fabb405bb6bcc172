"""The examples of composition run, and what they print is true."""

import numpy as np
import pytest

import srcad
from examples import (
    audit_gradient,
    bilevel,
    brusselator,
    learned_steps,
    robust_errors,
    ship_derivative,
    tabulated_gas,
)


def test_robust_errors_are_right(capsys):
    """The sandwich of an independent formula, and closer to the simulation than the Hessian."""
    with srcad.using(backend="reference"):
        rng = np.random.default_rng(2)
        x, w = np.column_stack([np.ones(8), rng.normal(size=8)]), np.array([0.3, -0.2])
        y = rng.poisson(2.0, 8).astype(float)
        plain, robust = robust_errors.errors(w, x, y)
    mean = np.exp(x @ w)
    bread = np.linalg.inv(x.T @ (mean[:, None] * x))
    meat = x.T @ (((mean - y) ** 2)[:, None] * x)
    np.testing.assert_allclose(plain, np.sqrt(np.diag(bread)), rtol=1e-10)
    np.testing.assert_allclose(robust, np.sqrt(np.diag(bread @ meat @ bread)), rtol=1e-10)
    table = robust_errors.main(40)
    assert "sandwich" in capsys.readouterr().out
    assert np.all(np.abs(table[:, 2] - table[:, 3]) < np.abs(table[:, 1] - table[:, 3]))


def test_brusselator_is_integrated(capsys):
    """The same solution as with a Jacobian by differences; few tangents."""
    solution = brusselator.main(5, 6)
    assert solution.success and "360 nonzeros" in capsys.readouterr().out
    plain = brusselator.solve_ivp(
        lambda t, y: brusselator.reaction(y, 5, 6, 0.1),
        (0.0, 3.0),
        brusselator.start(5, 6),
        method="LSODA",
        rtol=1e-8,
        atol=1e-8,
    )
    np.testing.assert_allclose(solution.y[:, -1], plain.y[:, -1], rtol=2e-3)


def test_the_audit_finds_the_slip(capsys):
    """The component of the noise, and the line of the determinant; nothing in the right one."""
    report = audit_gradient.main(6, backend="reference")
    [finding] = report.findings
    assert finding.component == "p[2]" and "slogdet" in finding.text
    assert capsys.readouterr().out.rstrip().endswith("agrees")


def test_penalties_are_tuned():
    """The gradient through the fit is that of differences."""
    with srcad.using(backend="reference"):
        rng = np.random.default_rng(3)
        truth = np.array([1.0, 0.0])
        x, y = bilevel.data(rng, 5, truth)
        new = bilevel.data(rng, 4, truth)
        got = srcad.grad(bilevel.validation)(np.zeros(2), x, y, *new)

        def error(p):
            return srcad.differentiable(bilevel.validation)(p, x, y, *new)

        want = [(error(h) - error(-h)) / 2e-4 for h in 1e-4 * np.eye(2)]
        np.testing.assert_allclose(got, want, rtol=1e-4)


def test_the_aim_is_corrected_elsewhere(capsys):
    """Newton's method with the exported Jacobian converges; the first lines say what it is."""
    lines = ship_derivative.main().split()
    assert float(lines[-1]) < 1e-10
    assert "jacobian(flight) of flight (ship_derivative.py" in capsys.readouterr().out


def test_gas_is_heated_as_the_table_says(capsys):
    """One joule more warms by the heat capacity; the careless rule is found."""
    t, by_heat = tabulated_gas.main(backend="reference")
    assert by_heat == pytest.approx(1.0 / tabulated_gas.heat_capacity(t), rel=1e-4)
    h = 1e-2
    up, down = (tabulated_gas.heated(15_000.0 + s, 300.0) for s in (h, -h))
    assert by_heat == pytest.approx((up - down) / (2 * h), rel=1e-6)
    assert "forward mode against central differences disagree" in capsys.readouterr().out


def test_learned_steps_are_better():
    """The outer gradient is that of differences; few learned steps beat many plain ones."""
    with srcad.using(backend="reference"):
        xs, ys = learned_steps.tasks(np.random.default_rng(1), 2, 5)
        x = np.concatenate([np.full(learned_steps.TERMS, 0.1), np.log([0.3, 0.2])])
        slope = srcad.grad(learned_steps.mean_loss)(x, xs, ys)
        for k in (0, 3, 5):
            h = 1e-6 * np.eye(len(x))[k]
            up, down = (
                srcad.differentiable(learned_steps.mean_loss)(x + s, xs, ys) for s in (h, -h)
            )
            assert slope[k] == pytest.approx((up - down) / 2e-6, rel=1e-6)
    long, after = learned_steps.main(count=8, iterations=40)
    assert after < long
