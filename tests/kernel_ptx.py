"""The zoo compiled to PTX, for compute capability 8.0 and 9.0: ``python -m tests.kernel_ptx``.

No GPU is needed, but the toolkit (NVVM) is.  Every kernel as the user wrote it, its tangent, its
adjoint and (where it is tested) its second order are compiled.  Prints a line for each failure; the
exit status is their number.
"""

from __future__ import annotations

import sys
import traceback
import warnings

import numpy as np
from numba import from_dtype, types

from srcad.backends.cuda_kernel import given_names
from srcad.cuda import kernel
from srcad.cuda.arguments import arrange
from srcad.ir.types import ArrayT, numpy_dtype
from tests.kernel_checks import Derivatives, is_float, scalar, woven
from tests.kernels import CASES

CAPABILITIES = ((8, 0), (9, 0))


def numba_type(t):
    """The type of Numba for a type of the IR."""
    if isinstance(t, ArrayT):
        return types.Array(from_dtype(numpy_dtype(t.dtype)), t.ndim, t.layout)
    return from_dtype(numpy_dtype(t.kind))


def compiled(case, transform, args) -> list[str]:
    """The PTX of one transform of a kernel."""
    from numba import cuda

    k = kernel(case.kernel, backend="reference")
    for step in transform:
        k = getattr(k, step)
    configured = k[case.launch]
    groups = arrange(k.signature, None, len(transform), list(args), k.__name__)
    made = k.compiled(configured.launch, groups)
    fn, hidden = made.ready.kernel.fn, made.ready.kernel.hidden
    kinds = {p.name: p.type for p in fn.params}
    names = [p.name for p in made.ready.kernel.arguments] + list(given_names(fn, hidden))
    signature = types.void(*(numba_type(kinds[n]) for n in names))
    texts = []
    for cc in CAPABILITIES:
        text, _ = cuda.compile_ptx(made.dispatcher.py_func, signature, cc=cc)
        texts.append(text)
    return texts


def check(case) -> None:
    """One kernel."""
    d = Derivatives(case, races=False)
    given = woven(d.args, d.shadows)
    compiled(case, (), d.args)
    compiled(case, ("jvp",), woven(d.args, d.t))
    adjoints = compiled(case, ("adjoint",), given)
    assert all(".entry" in text for text in adjoints)
    if case.second:
        t = [np.zeros_like(a) if is_float(a) else None for a in given]
        t = [scalar(a, x) for a, x in zip(given, t, strict=True)]
        compiled(case, ("adjoint", "jvp"), woven(given, t))


class Device:
    """What compiling a kernel that calls functions asks the device for."""

    compute_capability = (8, 0)


def main(names: list[str]) -> int:
    """All kernels, or those named."""
    warnings.simplefilter("ignore")
    from numba.cuda import dispatcher

    dispatcher.get_current_device = lambda: Device  # there is none: only in tests
    failed = 0
    for name in names or CASES:
        try:
            check(CASES[name])
        except Exception:  # every failure is reported, then the next kernel
            failed += 1
            print(f"{name}: {traceback.format_exc()}")
    print(f"{len(names or CASES)} kernels, {failed} failures")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
