"""Array functions on the device, without one: interpreted with races, simulated, the text, errors.

``test_offload_ptx`` assembles the same kernels with the toolkit, ``test_offload_gpu`` runs them.
"""

from __future__ import annotations

import numpy as np
import pytest

import srcad
from srcad.api import offload
from srcad.storage.offload import cut, kernels
from tests.offload_programs import CASES, differences


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Blocks of four threads, so that small arrays have several; races are looked for."""
    monkeypatch.setattr(kernels, "WIDTH", 4)
    monkeypatch.setattr(cut, "WIDTH", 4)
    monkeypatch.setattr(offload, "RACES", True)


@pytest.mark.parametrize("name", CASES)
def test_interpreted(name):
    """Every transform equals the processor's, and no two threads race."""
    case = CASES[name]
    on = dict(case.checks(backend="reference", target="cuda", verify=True))
    for what, expected in case.checks(backend="reference"):
        wrong = differences(on[what](lambda x: x), expected(lambda x: x))
        assert not wrong, f"{what}: {wrong}"


def test_target():
    with pytest.raises(srcad.TypeMismatch, match="no target 'gpu'"):
        srcad.differentiable(lambda x: x, target="gpu")
    assert srcad.differentiable(np.sum, target="cuda").options.target == "cuda"
