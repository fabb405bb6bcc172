"""The examples run, and what they print is true."""

import re

import numpy as np
import pytest

import srcad
from examples import (
    adbench,
    audit_gradient,
    bilevel,
    brusselator,
    influenza,
    inside_srcad,
    robust_errors,
)
from tests.adbench_data import write_folder


def test_influenza_finds_the_minimum_and_its_errors(capsys):
    """The gradient vanishes at the fit, the Hessian is that of differences of the gradient."""
    result = influenza.fit()
    influenza.print_fit(result)
    printed = capsys.readouterr().out
    assert result.gradient < 1e-4
    estimates = influenza.estimates(result)
    assert estimates["beta"][0] == pytest.approx(1.891, abs=2e-3)
    assert estimates["gamma"][0] == pytest.approx(0.481, abs=2e-3)
    assert estimates["R0 = beta/gamma"][0] == pytest.approx(3.932, abs=5e-3)
    gradient = srcad.grad(influenza.misfit)
    step = 1e-5 * np.eye(3)
    hessian = [
        (
            gradient(result.log_parameters + h, influenza.IN_BED)
            - gradient(result.log_parameters - h, influenza.IN_BED)
        )
        / 2e-5
        for h in step
    ]
    np.testing.assert_allclose(
        np.linalg.inv(result.covariance / result.dispersion), hessian, rtol=1e-6
    )
    assert "R0 = beta/gamma" in printed
    assert printed.count("#") > 100


def test_influenza_gradient_against_the_reference_backend():
    """The compiled gradient is the interpreted one."""
    compiled = srcad.value_and_grad(influenza.misfit)(influenza.START, influenza.IN_BED)
    with srcad.using(backend="reference", verify=True, poison=True):
        value, gradient = srcad.value_and_grad(influenza.misfit)(influenza.START, influenza.IN_BED)
    assert compiled[0] == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(compiled[1], gradient, rtol=1e-10)


def test_influenza_shows_the_adjoint_and_a_picture(capsys, monkeypatch, tmp_path):
    """The whole program, with the fit taken from a short data set."""
    monkeypatch.setattr(
        influenza,
        "fit",
        lambda: influenza.Fit(influenza.START, np.eye(3), np.linspace(1.0, 90.0, 14), 1.0, 0.0, 1),
    )
    influenza.main(["--png", str(tmp_path / "curve.png")])
    printed = capsys.readouterr().out
    assert "def misfit_b(log_parameters, in_bed):" in printed
    assert "# adjoint of line" in printed
    assert ("The picture is in" in printed) == (tmp_path / "curve.png").exists()


def test_adbench_on_generated_files(capsys, tmp_path):
    """Each row: a gradient that differences confirm."""
    folder = write_folder(tmp_path / "data")
    adbench.main([str(folder)], backend="reference")
    rows = capsys.readouterr().out.splitlines()[1:]
    assert [row.split()[0] for row in rows] == ["gmm_small", "ba_small", "lstm_small"]
    for row in rows:
        assert float(row.split()[6]) < 1e-5


def test_adbench_refuses_what_it_cannot_read(tmp_path):
    """A folder without files, a truncated file, a name of no kind."""
    with pytest.raises(SystemExit):
        adbench.main([str(tmp_path)])
    (tmp_path / "gmm_cut.txt").write_text("2 2 5\n1.0 2.0\n")
    with pytest.raises(ValueError, match="the file ends 4 numbers early"):
        adbench.load(tmp_path / "gmm_cut.txt")
    with pytest.raises(ValueError, match="should begin with one of"):
        adbench.load(tmp_path / "other.txt")


def test_inside_srcad_walks_through_every_stage(capsys):
    """The stages appear in order and the backends agree."""
    inside_srcad.main()
    printed = capsys.readouterr().out
    assert re.findall(r"==== (\d)\.", printed) == list("123456789")
    values = re.findall(r"value (\S+) +d/drate (\S+)", printed)
    assert len(values) == 4
    assert len(set(values[:3])) == 1
    assert float(values[3][1]) == pytest.approx(float(values[0][1]), rel=1e-6)


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
