"""Runs the programs of ``cuda_programs`` in Numba's simulator; prints what is wrong, as JSON.

It is a process of its own, started with ``NUMBA_ENABLE_CUDASIM=1``: the simulator is chosen before
Numba is imported.  Device functions that the objects make are run here too: asked as if for CUDA.
"""

from __future__ import annotations

import ast
import json
import math
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import cuda, float64, types
from numba.cuda.simulator.kernelapi import FakeCUDALocal

import srcad
from srcad.api import njit, njit_code, njit_points
from srcad.backends.python import _ieee_math
from srcad.errors import SrcadError
from tests import cuda_programs as programs
from tests.simulator import brisk


def on_device(x: Any) -> Any:
    """Arguments with their arrays on the device."""
    if isinstance(x, np.ndarray):
        if x.flags.c_contiguous:
            return cuda.to_device(x)
        return cuda.to_device(np.repeat(x, 2, axis=1))[:, ::2]
    return type(x)(*map(on_device, x)) if hasattr(x, "_fields") else x


def flat(x: Any) -> Iterator[np.ndarray]:
    """The arrays of a result."""
    if isinstance(x, tuple):
        for y in x:
            yield from flat(y)
    else:
        yield x if isinstance(x, np.ndarray) else x.copy_to_host()


def differences(found: Any, expected: Any) -> str:
    """What differs between two structures of arrays."""
    for a, b in zip(flat(found), flat(expected), strict=True):
        single = b.dtype == np.float32
        if a.shape != b.shape or a.dtype != b.dtype:
            return f"{a.shape} {a.dtype}, not {b.shape} {b.dtype}"
        if not np.allclose(a, b, rtol=1e-5 if single else 1e-12, atol=1e-300, equal_nan=True):
            return f"{a.tolist()}, not {b.tolist()}"
    return ""


def batch_case(case: programs.Case) -> str:
    """What is wrong with a batch."""
    found = case.batch(target="cuda")(*map(on_device, case.args))
    return differences(found, case.expected())


def failed_check() -> str:
    """A sample whose check fails gives NaN, the others are as they were."""
    f = srcad.batch(srcad.value_and_grad(programs.guarded), target="cuda")
    v, g = f(cuda.to_device(np.array([4.0, -1.0])))
    return differences((v, g), (np.array([2.0, math.nan]), np.array([0.25, math.nan])))


def failed_array() -> str:
    """NaN in all elements of an array that is a result."""
    f = srcad.batch(srcad.grad(lambda x: programs.guarded(x[0]) * x[1]), target="cuda")
    found = f(cuda.to_device(np.array([[4.0, 3.0], [-1.0, 1.0]])))
    return differences(found, np.array([[0.75, 2.0], [math.nan, math.nan]]))


def failed_input() -> str:
    """What a sample only reads is as it was, also where its check fails."""
    x = cuda.to_device(np.array([[40.0, 1.0], [1.0, 2.0]]))
    found = srcad.batch(srcad.value_and_grad(programs.rebound), target="cuda")(x)
    nan = math.nan
    expected = (np.array([nan, 3.375]), np.array([[nan, nan], [3.375, 0.0]]))
    return differences((x, *found), (np.array([[40.0, 1.0], [1.0, 2.0]]), *expected))


def streamed() -> str:
    """A stream as an argument; samples that no thread of the grid has for its own."""
    stream = cuda.stream()
    f = srcad.batch(programs.scalars, target="cuda")
    out = f(cuda.to_device(np.ones(3)), cuda.to_device(np.zeros(3)), stream=stream)
    stream.synchronize()
    return differences(out, np.ones(3))


def refused(case: programs.Case, words: str) -> str:
    """An error of srcad with these words."""
    try:
        case.batch(target="cuda")(*map(on_device, case.args))
    except SrcadError as e:
        return "" if words in str(e) and "instead:" in str(e) else str(e)
    return "nothing was raised"


def uneven() -> str:
    """Numbers of samples that differ."""
    f = srcad.batch(programs.scalars, target="cuda")
    try:
        f(cuda.to_device(np.ones(3)), cuda.to_device(np.ones(4)))
    except ValueError as e:
        return "" if "different sizes" in str(e) else str(e)
    return "nothing was raised"


def host() -> str:
    """Arrays of the host."""
    return refused_host(lambda: srcad.batch(programs.scalars, target="cuda")(np.ones(3), 1.0))


def refused_host(call: Any) -> str:
    try:
        call()
    except srcad.DeviceError as e:
        return "" if "array of the host" in str(e) and "to_device" in str(e) else str(e)
    return "nothing was raised"


def recaptured() -> str:
    """A captured array that has become another, which is not contiguous."""
    f = srcad.batch(programs.captured, target="cuda")
    x = cuda.to_device(programs.X3)
    first, before = f(x), programs.WEIGHTS
    try:
        programs.WEIGHTS = np.repeat(2.0 * before, 2)[::2]
        return differences(f(x), 2.0 * first.copy_to_host())
    finally:
        programs.WEIGHTS = before


def kernel(name: str) -> str:
    """A kernel whose derivative objects are called as the simulator calls them."""
    f, expected = programs.kernels()[name]
    out = cuda.to_device(np.zeros(3))
    cuda.jit(f)[1, 4](cuda.to_device(programs.X1), out)
    return differences(out, np.array([expected(x) for x in programs.X1]))


def device_function(obj: Any, types_: tuple[Any, ...], args: tuple[Any, ...], want: Any) -> str:
    """The device function that an object makes for a kernel."""
    before = njit_code.on_device, njit.on_device
    njit_code.on_device = njit.on_device = lambda: True
    try:
        call = njit.compiled(obj, types_, {}).dispatcher
    finally:
        njit_code.on_device, njit.on_device = before
    found = np.zeros(len(want))

    def run(out):  # type: ignore[no-untyped-def]
        r = call(*args)
        for k, x in enumerate(r if isinstance(r, tuple) else (r,)):
            out[k] = x

    out = cuda.to_device(found)
    cuda.jit(run)[1, 1](out)
    return differences(out, np.array(want))


def device_functions() -> dict[str, Any]:
    """Calls of device functions."""
    x, x_b, seed = np.array([0.5, 1.0, 1.5]), np.zeros(3), np.ones(1)
    vector = float64[::1]
    twice = (float64, float64)
    nan = math.nan
    points = njit_points.AtPoint(programs.soft, "jvp")
    e = math.exp(0.3) + math.e
    return {
        "grad": lambda: device_function(
            programs.slope, twice, (0.3, 2.0), (2 * math.cos(0.3) + 0.27, math.sin(0.3))
        ),
        "nan": lambda: device_function(programs.both_of, (float64,), (-1.0,), (nan, nan)),
        "tuple": lambda: device_function(
            programs.of_norm, (types.UniTuple(float64, 2),), ((3.0, 4.0),), (0.6, 0.8)
        ),
        "shape of a shadow": lambda: device_function(
            programs.in_place, (vector,) * 3, (x, np.zeros(2), seed), (nan,)
        ),
        "overlap": lambda: device_function(
            programs.in_place, (vector,) * 3, (x, x, seed), (nan,)
        ),
        "shadow": lambda: device_function(
            programs.in_place, (vector,) * 3, (x, x_b, seed), (programs.energy(x),)
        ),
        "jvp": lambda: device_function(
            points, (types.UniTuple(float64, 2),) * 2, ((0.3, 1.0), (1.0, 0.0)),
            (math.log(e), math.exp(0.3) / e),
        ),
    }  # fmt: skip


def checks() -> dict[str, Any]:
    """All checks by name."""
    out: dict[str, Any] = {}
    for name, case in programs.CASES.items():
        out[f"batch: {name}"] = lambda case=case: batch_case(case)
    for name, (case, words) in programs.REFUSED.items():
        out[f"refused: {name}"] = lambda case=case, words=words: refused(case, words)
    for name in programs.kernels():
        out[f"kernel: {name}"] = lambda name=name: kernel(name)
    for name, check in device_functions().items():
        out[f"device function: {name}"] = check
    for f in (failed_check, failed_array, failed_input, streamed, uneven, host, recaptured):
        out[f.__name__] = f
    return out


def main() -> None:
    """Run all, print what is wrong."""
    from srcad.backends import cuda as backend

    compile_text = backend.compile_text

    def ieee(source: str, entry: str, hint: str = "") -> Any:
        """Modules whose ``math`` gives what the device's gives: infinities, no exceptions."""
        made = compile_text(source, entry, hint)
        for loop in ast.walk(ast.parse(source)):
            if isinstance(loop, (ast.For, ast.While)):
                inside = "cuda.local.array" in ast.unparse(loop)
                assert not inside, "on a GPU all turns of the loop would share one array"
        scope = getattr(made, "py_func", getattr(made, "fn", None)).__globals__
        scope["math"] = _ieee_math()
        return made

    for module in ("srcad.api.batch_kernel", "srcad.api.device_code"):
        __import__(module)
        sys.modules[module].compile_text = ieee  # type: ignore[attr-defined]

    def poisoned(self: Any, shape: Any, dtype: Any) -> np.ndarray:
        """Memory of a thread, with what should not be read."""
        made = np.empty(shape, dtype if isinstance(dtype, type) else dtype.name)
        made.fill(math.nan if made.dtype.kind == "f" else 99)
        return made

    FakeCUDALocal.array = poisoned
    wrong = {}
    for name, check in checks().items():
        try:
            with np.errstate(all="ignore"), srcad.using(backend="reference"):
                problem = check()
        except Exception:
            problem = traceback.format_exc(limit=-4)
        if problem:
            wrong[name] = problem
    print(json.dumps({"checked": len(checks()), "wrong": wrong}))


if __name__ == "__main__":
    brisk()
    main()
