"""The examples run, and what they print is true."""

import re

import numpy as np
import pytest

import srcad
from examples import (
    adbench,
    checkpointed_burgers,
    hmc_njit,
    influenza,
    inside_srcad,
    newton_njit,
    tape_jacobians,
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


def test_tape_jacobians_draws_three_pictures(capsys, tmp_path):
    """The numbers agree with each other; the pictures are PNG files that are not blank."""
    tape_jacobians.main(["--folder", str(tmp_path)])
    printed = capsys.readouterr().out
    errors = [float(e) for e in re.findall(r"(?:derivative|asymmetry|differs by) (\S+)", printed)]
    assert len(errors) == 3 and max(errors) < 1e-6
    assert "outside of the diagonals: 0\n" in printed
    image = pytest.importorskip("matplotlib.image")
    names = ["jacobian_curve.png", "hessian_image.png", "batch_jacobian_patches.png"]
    for path in (tmp_path / name for name in names):
        assert path.read_bytes().startswith(b"\x89PNG")
        assert image.imread(path)[..., :3].std() > 0.02


def test_newton_solves_every_orbit(capsys):
    """Residuals vanish; the derivative of the solution is that of Kepler's equation by hand."""
    newton_njit.main(1000)
    printed = capsys.readouterr().out
    assert float(re.search(r"largest residual (\S+)", printed)[1]) < 1e-12
    E = newton_njit.solve(0.5, 1.0)
    expected = np.sin(E) / (1 - 0.5 * np.cos(E))
    assert f"M = 1: {expected:.6f}" in printed


def test_hmc_samples_the_posterior(capsys):
    """Moments against a quadrature of the posterior with the schools integrated out."""
    samples, accepted = hmc_njit.chain(np.zeros(10), 20_000, 0.2, 15, 1)
    mean, log_spread = np.meshgrid(np.linspace(-25, 30, 400), np.linspace(-9, 5, 400))
    spread = np.exp(log_spread)
    log_p = -0.5 * (mean / 5) ** 2 - np.log1p((spread / 5) ** 2) + log_spread
    for y, s in zip(hmc_njit.EFFECT, hmc_njit.ERROR, strict=True):
        v = spread**2 + s**2
        log_p += -0.5 * np.log(v) - 0.5 * (y - mean) ** 2 / v
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    assert accepted > 0.9
    assert samples[:, 0].mean() == pytest.approx((p * mean).sum(), abs=0.3)
    assert np.exp(samples[:, 1]).mean() == pytest.approx((p * spread).sum(), abs=0.3)
    hmc_njit.main(200)
    assert "accepted" in capsys.readouterr().out


def test_burgers_with_few_states(capsys, monkeypatch):
    """The gradient through 100,000 steps, from 30 states: that of the recorded loop."""
    few, recorded = checkpointed_burgers.compare(snapshots=(30,))
    assert few.megabytes < 200
    assert checkpointed_burgers.error(few, recorded) < 1e-12
    monkeypatch.setattr(checkpointed_burgers, "compare", lambda steps: [few, recorded])
    checkpointed_burgers.main([])
    printed = capsys.readouterr().out
    assert "40 steps, 5 states of 2,064 B kept (12,384 B), 53 steps repeated" in printed
    assert "each step 5.5 times" in printed
    state = 8 * 2 * checkpointed_burgers.POINTS + 16
    (loop,) = srcad.explain(
        checkpointed_burgers.energy, checkpointed_burgers.start(16), 1e-2, 1e-5, 100, 30
    ).loops
    assert (loop.state_bytes, loop.states) == (8 * 2 * 16 + 16, 30)
    assert 31 * state < 200e6
