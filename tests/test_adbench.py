"""GMM, BA and LSTM as plain loops agree with a second AD tool, on ADBench's files."""

import numpy as np
import pytest

import srcad
from benchmarks import peers
from examples import adbench
from tests.adbench_data import real_folder, write_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The real files where they are, else generated ones of the same shape."""
    return real_folder() or write_folder(tmp_path_factory.mktemp("adbench") / "data")


def agree(paths, **options) -> None:
    """Value and every gradient entry within 1e-10 of the largest of its argument."""
    pytest.importorskip("autograd")
    problems = [adbench.load(p) for p in paths]
    assert problems
    objective, argnums = problems[0].objective, problems[0].argnums
    derivative = srcad.value_and_grad(objective, argnums=argnums, **options)
    for problem in problems:
        value, gradient = derivative(*problem.arguments)
        peer = peers.make("autograd").gradient(objective.__name__, problem.arguments, argnums)
        value_2, gradient_2 = peer()
        assert value == pytest.approx(float(value_2), rel=1e-10)
        for ours, theirs in zip(gradient, gradient_2, strict=True):
            assert ours.shape == theirs.shape
            np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10 * np.abs(theirs).max())


@pytest.mark.parametrize("kind", adbench.LOADERS)
def test_compiled_on_the_files(kind, folder):
    """The files of each kind, but for the largest, compiled."""
    agree([p for p in adbench.files(folder) if p.name.startswith(kind)], backend="cpu")


@pytest.mark.parametrize("kind", adbench.LOADERS)
def test_interpreted_on_small_files(kind, tmp_path):
    """Generated files, with every pass verified and unsaved storage poisoned."""
    paths = [p for p in adbench.files(write_folder(tmp_path / "data")) if p.name.startswith(kind)]
    agree(paths, backend="reference", verify=True, poison=True)


def test_rotation_by_zero_has_a_derivative():
    """At a zero rotation vector the first-order branch of ``rotate`` is differentiated."""

    def turned(r):
        out = np.empty(3)
        adbench.rotate(r, np.array([1.0, 2.0, 3.0]), out)
        return out[0]

    gradient = srcad.grad(turned, backend="reference")(np.zeros(3))
    np.testing.assert_allclose(gradient, [0.0, 3.0, -2.0], atol=1e-14)
