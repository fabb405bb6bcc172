"""The zoo under Numba's simulator: ``NUMBA_ENABLE_CUDASIM=1 python -m tests.kernel_simulator``.

Every kernel as the user wrote it, its tangent and its adjoint, of some the second order too, are
run by the simulator and must give what the interpreter of threads gives.  Prints a line
for each failure; the exit status is their number.
"""

from __future__ import annotations

import sys
import traceback

import numpy as np
from numba import cuda

from benchmarks import cuda_kernels
from srcad.callables import unwrap
from srcad.cuda import kernel
from tests.kernel_checks import Derivatives, companion, copied, is_float, run, scalar, woven
from tests.kernels import CASES
from tests.simulator import brisk

SECOND = (
    "saxpy",
    "reduce_while",
    "block_maximum",
    "whole_maximum",
    "tiled_matmul",
    "runge_kutta",
    "strided_fit",
)


TWICE = ("saxpy", "newton", "tiled_matmul")
EXACT = ("dot", "soft_histogram", "tiled_matmul", "nearest_of_bin", "reduce_doubling")


def compare(case, transform, args, deterministic=False) -> None:
    """One transform by the simulator and by the interpreter."""
    ends = []
    for backend in ("reference", "cuda"):
        k = kernel(case.kernel, backend=backend, deterministic=deterministic)
        for step in transform:
            k = getattr(k, step)
        ends.append(run(k, case, args))
    single = any(np.asarray(a).dtype == np.float32 for a in args)
    for x, y in zip(*ends, strict=True):
        if isinstance(x, np.ndarray):
            np.testing.assert_allclose(x, y, rtol=1e-4 if single else 1e-10, atol=1e-12)


def check(case) -> None:
    """One kernel."""
    d = Derivatives(case, races=False)
    if case.simulated:
        mine, theirs = copied(d.args), copied(d.args)
        d.k[case.launch](*mine)
        cuda.jit(unwrap(case.kernel))[case.launch](*theirs)
        for x, y in zip(mine, theirs, strict=True):
            if isinstance(x, np.ndarray):
                single = x.dtype == np.float32
                np.testing.assert_allclose(x, y, rtol=1e-5 if single else 1e-12, atol=1e-13)
    given = woven(d.args, d.shadows)
    compare(case, ("jvp",), woven(d.args, d.t))
    compare(case, ("adjoint",), given)
    if case.name in EXACT:
        compare(case, ("adjoint",), given, True)
    if case.name in TWICE:
        more = [companion(np.random.default_rng(5), a, True) for a in given]
        compare(case, ("adjoint", "adjoint"), woven(given, more))
    if case.name in SECOND:
        rng = np.random.default_rng(5)
        t = [rng.normal(size=np.shape(a)) if is_float(a) else None for a in given]
        t = [scalar(a, x) for a, x in zip(given, t, strict=True)]
        compare(case, ("adjoint", "jvp"), woven(given, t))


def check_benchmark(name) -> None:
    """An adjoint of ``benchmarks.cuda_kernels`` is the one by hand."""
    _, makers = cuda_kernels.runners(name, 100)
    ours, theirs = (makers[tool]().gradients() for tool in ("srcad", "by hand"))
    for x, y in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-13)


def main(names: list[str]) -> int:
    """All kernels, or those named."""
    failed = 0
    for name in names or (*CASES, *cuda_kernels.NAMES):
        try:
            if name in CASES:
                check(CASES[name])
            else:
                check_benchmark(name)
        except Exception:  # every failure is reported, then the next kernel
            failed += 1
            print(f"{name}: {traceback.format_exc()}")
    print(f"{len(names or CASES)} kernels, {failed} failures")
    return failed


if __name__ == "__main__":
    brisk()
    sys.exit(main(sys.argv[1:]))
