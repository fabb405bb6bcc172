"""Array functions on the device: what a call of a function with ``target="cuda"`` runs.

In: a program (of the function or of any transform).  Out: ``Offload``, a function of the leaves of
the arguments that launches kernels and gives the leaves of the result: arrays of the device
(Numba's) and numbers of Python.

A variant is compiled for every pattern of sizes that are 1 (``storage.offload.ones``).

Invariant: no array goes between host and device but those that the function captured; a number does
where it is an argument, decides something, or is a result.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import numpy as np
from numba.core.compiler_lock import global_compiler_lock

from srcad.api.device_arrays import apart, is_device_array, shell
from srcad.api.specialisation import written_arrays
from srcad.backends.cuda import compile_text
from srcad.backends.cuda_driver import Text, driver_function, emit_driver
from srcad.backends.device_driver import launching, quietly, ready
from srcad.backends.device_memory import Gpu, Interpreted
from srcad.backends.spmd import launch as interpret
from srcad.compiler import Program, clean
from srcad.errors import DeviceError, TypeMismatch, UnsupportedSyntax
from srcad.ir.nodes import Function
from srcad.ir.types import ArrayT
from srcad.ir.verify import verify
from srcad.ir.walk import called
from srcad.storage.device import expanded
from srcad.storage.offload import Kernel, Offloaded, offloaded, with_ones

Ones = tuple[tuple[bool, ...], ...]
in_use: ContextVar[Any] = ContextVar("stream", default=0)
RACES = False  # whether the interpreter looks for races


@contextmanager
def streaming(stream: Any) -> Iterator[None]:
    """Calls inside launch their kernels on a stream of Numba."""
    token = in_use.set(stream)
    try:
        yield
    finally:
        in_use.reset(token)


def parts_of(program: Program, ones: Mapping[str, tuple[bool, ...]]) -> Offloaded:
    """The driver and the kernels of a program.

    Raises:
        UnsupportedSyntax: something has no form on the device.
    """
    options = replace(program.options, debug=False)
    fn = with_ones(one_function(program), ones)
    for _ in range(2):  # sizes become known one after the other
        fn = clean(fn, options)
    made = offloaded(fn, program.options.deterministic)
    if options.verify:
        for f in (fn, made.driver, *(k.fn for k in made.kernels.values())):
            verify(f)
    return made


def one_function(program: Program) -> Function:
    """A program with its calls expanded.

    Raises:
        UnsupportedSyntax: it is recursive.
    """
    for name, f in called(program.fn.body, program.fn.callees).items():
        if name in called(f.body, f.callees):
            raise UnsupportedSyntax(
                f"recursion of {name} with target='cuda'",
                program.source.loc(program.source.node),
                "calls are expanded, so that loops in them become kernels",
                "write it as a loop",
            )
    return expanded(program.fn)


def text_of(program: Program, leaves: Sequence[Any]) -> Text:
    """The generated text for these arguments."""
    made = parts_of(program, ones_of(program, [frame(x) for x in leaves]))
    return emit_driver(made.driver, made.kernels, made.lists, linecache.getlines)


def ones_of(program: Program, leaves: Sequence[Any]) -> dict[str, tuple[bool, ...]]:
    """Which sizes of the array parameters are 1."""
    pairs = zip(program.fn.params, leaves, strict=False)
    return {p.name: tuple(n == 1 for n in x.shape) for p, x in pairs if isinstance(p.type, ArrayT)}


def frame(x: Any) -> Any:
    """An array as NumPy sees its shape."""
    return shell(x) if is_device_array(x) else x


class Offload:
    """A program on the device; variants by pattern of sizes."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.arrays = [k for k, p in enumerate(program.fn.params) if isinstance(p.type, ArrayT)]
        self.written = written_arrays(program.fn)
        self.variants: dict[Ones, Callable[..., tuple[Any, ...]]] = {}

    def __call__(self, *leaves: Any) -> tuple[Any, ...]:
        """Launch; the leaves of the result."""
        reference = self.program.options.backend == "reference"
        gpu: Any = Interpreted() if reference else Gpu(ready(), in_use.get())
        given = (
            list(leaves) if reference else [self.placed(gpu, k, x) for k, x in enumerate(leaves)]
        )
        self.check_apart(gpu, given)
        return self.launch(gpu, given)

    def launch(self, gpu: Any, given: Sequence[Any]) -> tuple[Any, ...]:
        """Launch on arrays of Numba's that are known to be apart where they are written."""
        shapes = [given[k].shape for k in self.arrays]
        key = tuple(tuple(n == 1 for n in shape) for shape in shapes)
        variant = self.variants.get(key)
        if variant is None:
            reference = self.program.options.backend == "reference"
            with global_compiler_lock:
                variant = self.variants[key] = self.variant(given, reference)
        with launching(self.program.fn.name), quietly():
            return variant(gpu, *given)

    def variant(self, given: Sequence[Any], reference: bool) -> Callable[..., tuple[Any, ...]]:
        """The code for a pattern of sizes."""
        made = parts_of(self.program, ones_of(self.program, given))
        text = emit_driver(made.driver, made.kernels, made.lists)
        kernels: dict[str, Any] = {}
        for name, kernel in made.kernels.items():
            if reference:
                kernels[name] = Launcher(kernel)
            else:
                kernels[name] = compile_text(text.kernels[name], name, made.driver.name)
        return driver_function(text, made.driver, kernels)

    def placed(self, gpu: Gpu, k: int, x: Any) -> Any:
        """An argument as kernels take it.

        Raises:
            DeviceError: it is an array of the host.
        """
        if is_device_array(x):
            return received(gpu, x)
        if not isinstance(x, np.ndarray):
            return x
        if k >= len(self.program.fn.params) - len(self.program.captures):
            return gpu.cuda.to_device(np.ascontiguousarray(x), stream=gpu.stream)
        raise DeviceError(
            f"{self.program.fn.params[k].name!r} is an array of the host",
            self.program.source.loc(self.program.source.node),
            "a function with target='cuda' takes arrays of the device, and copies nothing silently",
            "numba.cuda.to_device(x), or an array of CuPy, PyTorch or JAX on the GPU",
        )

    def check_apart(self, gpu: Any, given: Sequence[Any]) -> None:
        """Arguments that are written must not share memory with others.

        Raises:
            TypeMismatch: they do.
        """
        for k in self.written:
            for j in self.arrays:
                if j != k and not gpu.apart(given[k], given[j]):
                    names = [p.name for p in self.program.fn.params]
                    raise TypeMismatch(
                        f"{self.program.source.name} writes to {names[k]!r}, which overlaps "
                        f"{names[j]!r} in memory",
                        self.program.source.loc(self.program.source.node),
                        "a change of one would change the other",
                        "pass a copy",
                    )


class Launcher:
    """A kernel, interpreted: ``kernel[blocks, threads, stream](…)``."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel

    def __getitem__(self, where: tuple[Any, Any, Any]) -> Any:
        blocks, width, _ = where
        fn, hidden = self.kernel.fn, self.kernel.hidden
        names = [p.name for p in self.kernel.arguments]

        def run(*args: Any) -> None:
            values = dict(zip(names, args, strict=True))
            interpret(fn, (int(blocks), 1, 1), (width, 1, 1), values, hidden, {}, RACES)

        return run


def received(gpu: Gpu, x: Any) -> Any:
    """An array of the device as Numba's; what its producer still does is waited for on the device.

    Version 3 of ``__cuda_array_interface__``: ``stream`` is what the array is made on.
    """
    if gpu.simulated:
        return x
    cuda = gpu.cuda
    made = gpu.own(x)
    producer = x.__cuda_array_interface__.get("stream")
    own = gpu.stream or cuda.default_stream()
    if producer is not None and producer != int(own):
        event = cuda.event(timing=False)
        event.record(cuda.external_stream(producer))
        event.wait(own)
    return made


__all__ = ["Offload", "apart", "streaming", "text_of"]
