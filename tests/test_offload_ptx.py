"""The kernels of array functions assembled to PTX for capability 8.0 and 9.0, without a GPU.

Runs where the toolkit is installed (``.ci/cuda``), is skipped elsewhere.
"""

from __future__ import annotations

import importlib.util

import pytest

if importlib.util.find_spec("numba_cuda") is None:
    pytest.skip("the CUDA toolkit is not installed (.ci/cuda installs it)", allow_module_level=True)

from numba import cuda, types

from srcad.api import offload
from srcad.backends.cuda import compile_text
from srcad.backends.device_products import TILE, matmul_text
from srcad.tf import device_code, devices
from tests.cuda_target import patched
from tests.device_tensors import PROGRAMS, run
from tests.offload_programs import CASES
from tests.test_kernel_ptx import numba_type


def assemble(f, kinds):
    """PTX for both compute capabilities."""
    for cc in ((8, 0), (9, 0)):
        text, _ = cuda.compile_ptx(f, types.void(*map(numba_type, kinds)), cc=cc)
        assert f".target sm_{cc[0]}{cc[1]}" in text
        assert ".entry" in text


@pytest.mark.parametrize("name", CASES)
def test_kernels(name, monkeypatch):
    """Every kernel of every transform."""
    patched()
    found = {}
    parts, emit = offload.parts_of, offload.emit_driver

    def kept(made, *args):
        text = emit(made, *args)
        found.update({text.kernels[n]: args[0][n] for n in text.kernels})
        return text

    monkeypatch.setattr(offload, "emit_driver", kept)
    assert parts is offload.parts_of
    checks = dict(CASES[name].checks(backend="reference", target="cuda"))
    for what in ("value_and_grad", "hvp") if "hvp" in checks else ("value", "jvp"):
        checks[what](lambda x: x)
    assert found
    for text, kernel in found.items():
        f = compile_text(text, kernel.fn.name).py_func
        assemble(f, [p.type for p in kernel.arguments])


@pytest.mark.parametrize("name", PROGRAMS)
def test_tensors(name, monkeypatch):
    """Every kernel of programs of tensors: of single operations and of compiled functions."""
    patched()
    monkeypatch.setattr(devices, "BACKEND", "reference")
    device_code.code_of.cache_clear()
    device_code.CALLS.clear()
    emit, found = offload.emit_driver, {}

    def kept(made, kernels, *args):
        text = emit(made, kernels, *args)
        found.update({text.kernels[n]: kernels[n] for n in text.kernels})
        return text

    monkeypatch.setattr(offload, "emit_driver", kept)
    run(name, "/GPU:0")
    assert found
    for text, kernel in found.items():
        f = compile_text(text, kernel.fn.name).py_func
        assemble(f, [p.type for p in kernel.arguments])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_product(dtype):
    """The product of matrices without CuPy."""
    patched()
    array = types.Array(getattr(types, dtype), 2, "A")
    f = compile_text(matmul_text(dtype, TILE), "srcad_matmul").py_func
    for cc in ((8, 0), (9, 0)):
        text, _ = cuda.compile_ptx(f, types.void(array, array, array), cc=cc)
        assert f".target sm_{cc[0]}{cc[1]}" in text
