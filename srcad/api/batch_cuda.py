"""``batch(f, target="cuda")``: a thread of the GPU for every sample.

In: a function of one sample, stacked arrays on the device.  Out: stacked arrays on the device; what
goes between is one kernel, generated for the kinds of the arguments and the shape of a sample.

The conventions are ``api.batch``'s.  What is different: samples run in no order, so an array that
all share is not written; a sample in which a check fails (an exception, on the processor) gives
NaN; sizes that depend on a sample's shape are constants of the generated code.

Invariant: nothing is copied between host and device but the arrays that ``f`` captured (at every
call) and numbers.  The result is ready when the stream has got there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numba.core.compiler_lock import global_compiler_lock

from srcad.api.batch import Batched, stacked_spec
from srcad.api.batch_kernel import Kernel, kernel_of
from srcad.api.batches import DIFFER, EMPTY
from srcad.api.device_arrays import apart, device_array, is_device_array, stand_in
from srcad.api.safety import compiling, located
from srcad.api.specialisation import Specialisation, face_of, restorer
from srcad.backends.device_driver import launching, ready
from srcad.compiler import Program
from srcad.errors import TypeMismatch, UnsupportedSyntax
from srcad.ir.types import ArrayT, is_complex
from srcad.specs import Spec, leaf_specs, leaves_of, wholes

Shapes = list[tuple[int, ...]]
THREADS = 128  # of a block
BLOCKS = 4096  # at most; a thread then takes several samples


@dataclass
class Made:
    """A kernel, and what a call of it needs."""

    kernel: Kernel
    special: Specialisation
    out: Spec
    shapes: Shapes  # of the captured arrays

    def valid(self) -> bool:
        """Whether what was captured is still the same, contents of arrays aside."""
        return self.special.valid() and self.shapes == [a.shape for a in self.special.captured()]


class CudaBatched(Batched):
    """A function over many samples, on the GPU."""

    def __init__(self, f: Any, in_axes: Any = 0, out_axes: Any = 0, **options: Any) -> None:
        super().__init__(f, in_axes, out_axes, **options)
        self.kernels: dict[Any, Made] = {}
        self.found: dict[Any, list[int | None]] = {}
        self.fixing: set[Any] = set()  # kinds of arguments for which shared integers are constants
        if "stream" in self.signature.parameters:
            raise TypeMismatch(
                f"{self.__name__} has a parameter that is called 'stream'",
                why="that is how the call of a batch on the device is told its stream",
                instead="give the parameter another name",
            )

    def program(self, specs: dict[str, Spec]) -> Program:
        """Nothing is made of a batch on the device.

        Raises:
            TypeMismatch: always.
        """
        raise TypeMismatch(
            f"a transform of {self.__name__} with target='cuda'",
            why="it is the launch of a kernel, not a function that a kernel could call",
            instead="transform first, then batch: batch(grad(f), target='cuda')",
        )

    def __call__(self, *args: Any, stream: Any = 0, **kwargs: Any) -> Any:
        """Launch the kernel; the stacked results, on the device."""
        cuda = ready()
        arrays, made, n = self.prepare(cuda, self.bind(args, kwargs))
        captured = [  # (Numba copies contiguous arrays only)
            cuda.to_device(np.ascontiguousarray(a), stream=stream) for a in made.special.captured()
        ]
        with launching(self.__name__):
            outs = [
                cuda.device_array(shape, dtype, stream=stream)
                for shape, dtype in made.kernel.results(n)
            ]
            if n:
                launch = made.kernel.launcher(min(-(-n // THREADS), BLOCKS), THREADS, stream)
                launch(np.int64(n), *arrays, *captured, *outs)
        return restorer(made.out, count())(outs)

    def source(self, *args: Any, **kwargs: Any) -> str:
        """The generated kernel for these arguments (arrays of the host do as well)."""
        return self.found_kernel(self.bind(args, kwargs), host=True)[1].kernel.source

    @located
    def prepare(self, cuda: Any, bound: dict[str, Any]) -> tuple[list[Any], Made, int]:
        """The leaves as the kernel takes them, the kernel, and the number of samples.

        Raises:
            DeviceError: an array is one of the host.
            TypeMismatch: an array that is written overlaps another one.
            ValueError: the arguments have different numbers of samples, or none.
        """
        leaves, made, n = self.found_kernel(bound, host=False)
        kernel = made.kernel
        if n == 0 and any(isinstance(t, ArrayT) for t in kernel.kinds):
            raise ValueError(EMPTY)
        given = [
            device_array(cuda, x) if is_device_array(x) else kernel.number(k, x)
            for k, x in enumerate(leaves)
        ]
        arrays = [(k, x) for k, x in enumerate(given) if is_device_array(x)]
        for k in kernel.written:
            if any(j != k and not apart(given[k], b) for j, b in arrays):
                raise TypeMismatch(
                    f"{self.__name__} writes to an array that overlaps another argument",
                    why="threads would see each other's writes",
                    instead="pass a copy",
                )
        return given, made, n

    def found_kernel(self, bound: dict[str, Any], host: bool) -> tuple[list[Any], Made, int]:
        """The leaves of the arguments, the kernel for them, and the number of samples."""
        seen = {k: stand_in(v, f"argument {k!r}", host) for k, v in bound.items()}
        specs = self.specs(seen)
        refuse_complex(self.__name__, specs)
        key: tuple[Any, ...] = (self.options, tuple(specs.items()))
        if key not in self.found:
            with compiling(self):
                self.found[key] = self.sample_specs(specs)[1]
        whole = [np.shape(x) for k, v in seen.items() for x in leaves_of(v, specs[k])]
        axes = self.found[key]
        n, shapes = samples(whole, axes)
        key = (*key, tuple(shapes))
        leaves = [x for k, v in bound.items() for x in leaves_of(v, specs[k])]
        shared = {
            k: int(x)
            for k, (x, axis) in enumerate(zip(leaves, axes, strict=True))
            if axis is None and isinstance(x, (int, np.integer)) and not isinstance(x, bool)
        }
        full = (*key, tuple(shared.items())) if key in self.fixing else key
        made = self.kernels.get(full)
        if made is None or not made.valid():
            with global_compiler_lock:
                made = self.new_kernel(key, specs, shapes, shared)
        return leaves, made, n

    def new_kernel(
        self, key: Any, specs: dict[str, Spec], shapes: Shapes, shared: dict[int, int]
    ) -> Made:
        """A kernel for these arguments, entered in the table.

        Where sizes depend on integers that all samples share (a number of steps), these are
        constants of the code, and other values have other kernels.
        """
        if key not in self.fixing:
            try:
                made = self.kernels[key] = self.made(specs, shapes, {})
                return made
            except UnsupportedSyntax:
                if not shared:
                    raise
        made = self.made(specs, shapes, shared)
        self.fixing.add(key)
        self.kernels[(*key, tuple(shared.items()))] = made
        return made

    def made(self, specs: dict[str, Spec], shapes: Shapes, fixed: dict[int, int]) -> Made:
        """The kernel for samples of the given shapes."""
        with compiling(self):
            program, axes = self.sample_program(specs)
            refuse_complex(self.__name__, {"result": program.out})
            types = [leaf.type for spec in specs.values() for leaf in leaf_specs(spec)]
            placed: list[int] = []
            out = stacked_spec(program.out, self.out_axes, placed)
            special = Specialisation(face_of(program, False), lambda *x: (), lambda: program)
            captured = [a.shape for a in special.captured()]
            kernel = kernel_of(program, types, axes, [*shapes, *captured], placed, fixed)
        return Made(kernel, special, out, captured)


def refuse_complex(name: str, specs: dict[str, Spec]) -> None:
    """Complex numbers have no form on the device.

    Raises:
        TypeMismatch: there are some.
    """
    for what, spec in specs.items():
        if any(t is not None and is_complex(t) for t, _ in wholes(spec)):
            raise TypeMismatch(
                f"{name} on the device: {what} is complex",
                instead="pass real and imaginary parts, and return them",
            )


def samples(shapes: Shapes, axes: list[int | None]) -> tuple[int, Shapes]:
    """The number of samples, and the shapes of one.

    Raises:
        ValueError: the numbers differ.

    >>> samples([(5, 2), (3,), ()], [0, None, None])
    (5, [(2,), (3,), ()])
    """
    pairs = list(zip(shapes, axes, strict=True))
    counts = {s[a] for s, a in pairs if a is not None}
    if len(counts) > 1:
        raise ValueError(DIFFER)
    n = counts.pop() if counts else 0
    return n, [s if a is None else (*s[:a], *s[a + 1 :]) for s, a in pairs]
