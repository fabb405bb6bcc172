"""Launches: memory for the tapes, then the kernel, on the device or interpreted.

In: a compiled kernel, a launch, its arguments.  Out: nothing; arguments are changed.

The workspace is as large as the launch needs: for every tape the trips of the loops around it in
this launch, found from the integers among the arguments, the shapes of arrays, and the size of
the launch; times the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from math import prod
from typing import Any

import numpy as np

from srcad.analyses.extents import Extents
from srcad.api.device_arrays import device_array, is_device_array
from srcad.backends.cuda import compile_text
from srcad.backends.cuda_kernel import emit_kernel, given_names, settling
from srcad.backends.device_driver import launching, quietly
from srcad.backends.device_driver import ready as device
from srcad.backends.spmd import launch as interpret
from srcad.cuda.arguments import check_apart, check_fits
from srcad.cuda.block_sums import Triple
from srcad.cuda.exact import rows
from srcad.cuda.program import Kernel, Launch, Ready
from srcad.cuda.rounds import DeviceMemory, HostMemory, Memory, rounds
from srcad.errors import TypeMismatch
from srcad.ir.nodes import View
from srcad.ir.threads import AXES, CONTEST, LANE, Hidden, limits
from srcad.ir.types import ArrayT, Scalar, numpy_dtype
from srcad.ir.walk import statements
from srcad.options import defaults
from srcad.runtime.exact import WORDS, srcad_exact_value
from srcad.transforms.barriers import written

MOST = 1024  # threads of a block
SHARED = 48 * 1024  # bytes of shared memory of a block


class Compiled:
    """A kernel for some kinds of arguments."""

    def __init__(self, made: Ready, axes: frozenset[str], name: str) -> None:
        self.ready, self.axes, self.name = made, axes, name
        self.measured: dict[Any, tuple[dict[str, int], dict[str, int]]] = {}
        check_shared(made.kernel, name)

    def valid(self) -> bool:
        """Whether the numbers that the kernel has frozen are what they were."""
        kernel = self.ready.kernel
        kinds = (kind_of(c.path()) == kind_of(c.obj) for c in kernel.constants.values())
        return all(same(path(), value) for path, value in kernel.guards) and all(kinds)

    def check(self, values: list[Any], args: list[Any], signature: Any) -> None:
        """Whether the arguments fit (``values`` are they as seen from the host)."""
        check_fits(self.ready.kernel, values, signature.parameters, self.viewed, self.name)
        check_apart(self.ready.kernel, args, self.changed)

    @cached_property
    def viewed(self) -> set[str]:
        """The arrays of which the kernel makes views."""
        inside = statements(self.ready.kernel.fn.body)
        return {s.base.name for s in inside if isinstance(s, View)}

    @cached_property
    def changed(self) -> set[str]:
        """The arrays that the kernel changes."""
        return {p.name for p in written(self.ready.kernel.fn)}

    @cached_property
    def module(self) -> Any:
        """The text."""
        kernel = self.ready.kernel
        names = tuple(p.name for p in kernel.arguments)
        return emit_kernel(kernel.fn, names, kernel.hidden, self.axes)

    @cached_property
    def dispatcher(self) -> Any:
        """The kernel of ``numba.cuda``."""
        return compile_text(self.module.source, self.module.entry, self.name)

    def rows(self, launch: Launch, values: list[Any]) -> tuple[dict[str, int], dict[str, int]]:
        """First rows of the tapes, by parameter; rows of the workspaces, by kind.

        Raises:
            NoDerivative: a tape has no bound.
        """
        pairs = zip(self.ready.kernel.arguments, values, strict=True)
        sizes = (
            np.shape(x) if isinstance(p.type, ArrayT) else int(x)
            for p, x in pairs
            if not isinstance(p.type, Scalar) or p.type.kind == "i8"
        )
        key = (launch, *sizes)
        if key not in self.measured:
            self.measured[key] = self.measure(launch, values)
        return self.measured[key]

    def measure(self, launch: Launch, values: list[Any]) -> tuple[dict[str, int], dict[str, int]]:
        """See ``rows``."""
        kernel = self.ready.kernel
        numbers: dict[str, tuple[float, float]] = {
            n: within(place, launch) for n, place in kernel.places.items()
        }
        shapes: dict[str, tuple[int, ...]] = {n: h.shape for n, h in kernel.shared.items()}
        shapes |= {n: np.shape(c.now()) for n, c in kernel.constants.items()}
        for p, x in zip(kernel.arguments, values, strict=True):
            if isinstance(p.type, ArrayT):
                shapes[p.name] = tuple(x.shape)
            elif p.type == Scalar("i8"):
                numbers[p.name] = (int(x), int(x))
        extents = Extents(kernel.fn, numbers, shapes)
        first: dict[str, int] = {}
        total: dict[str, int] = {}
        for tape in self.ready.placed.tapes:
            first[tape.row.name] = total.get(tape.kind, 0)
            count = tape.rows(extents)
            total[tape.kind] = first[tape.row.name] + count
            if tape.count is not None:
                first[tape.count.name] = count
        return first, total

    def given(self, launch: Launch, values: list[Any], memory: Memory) -> dict[str, Any]:
        """Workspaces and first rows, by the kernel's parameters."""
        kernel = self.ready.kernel
        names = given_names(kernel.fn, kernel.hidden)
        out: dict[str, Any] = {}
        for n in names:
            h = kernel.hidden[n]
            if h.kind in CONTEST:
                continue
            if h.kind == "constant":
                out[n] = memory.constant(np.asarray(kernel.constants[n].now()))
                continue
            if h.kind == "exact":
                out[n] = self.sums(h, launch, values, memory)
                continue
            first, total = self.rows(launch, values)
            if h.kind == "row":
                out[n] = first[n]
                continue
            threads = prod(launch.blocks) * prod(launch.threads)
            dtype, count = numpy_dtype(h.what), max(total[h.what], 1)
            self.limit(count * threads * dtype.itemsize)
            out[n] = memory.empty((count, threads), dtype)
        return out

    def sums(self, h: Hidden, launch: Launch, values: list[Any], memory: Memory) -> Any:
        """Exact sums, zero, of an array."""
        kernel = self.ready.kernel
        pairs = zip(kernel.arguments, values, strict=True)
        shapes = {p.name: np.shape(x) for p, x in pairs if isinstance(p.type, ArrayT)}
        kinds = {p.name: p.type for p in kernel.fn.params}
        count = rows(h, kernel.shared, shapes, prod(launch.blocks))
        shape = (max(count, 1), WORDS[kinds[h.what].dtype])  # type: ignore[union-attr]
        self.limit(8 * prod(shape))
        return memory.zeros(shape)

    @cached_property
    def settled(self) -> dict[str, int]:
        """The arguments that have exact sums, by the parameter of those: their positions."""
        kernel = self.ready.kernel
        at = {p.name: k for k, p in enumerate(kernel.arguments)}
        sums = {n: h.what for n, h in kernel.hidden.items() if h.kind == "exact"}
        return {n: at[what] for n, what in sums.items() if what in at}

    def limit(self, size: int) -> None:
        """Refuse a workspace beyond the limit of memory.

        Raises:
            TypeMismatch: it is beyond.
        """
        most = defaults().memory_limit
        if most is not None and size > most:
            raise TypeMismatch(
                f"the workspace of {self.name} takes {size} bytes, more than memory_limit={most}",
                instead="launch fewer threads, each of which takes several elements in a loop",
            )


def same(now: Any, before: Any) -> bool:
    """Whether a captured object is what it was."""
    if now is before:
        return True
    try:
        return type(now) is type(before) and bool(now == before)
    except Exception:  # objects that cannot be compared have changed
        return False


def check_shared(kernel: Kernel, name: str) -> None:
    """Refuse a kernel whose shared arrays no block can have.

    Raises:
        TypeMismatch: they are too large.
    """
    kinds = {p.name: p.type for p in kernel.fn.params}
    sizes = [
        prod(h.shape) * numpy_dtype(kinds[n].dtype).itemsize  # type: ignore[union-attr]
        for n, h in kernel.shared.items()
    ]
    if sum(sizes) > SHARED:
        raise TypeMismatch(
            f"{name} takes {sum(sizes)} bytes of shared memory, a block has {SHARED}",
            kernel.source.loc(kernel.source.node),
            "a shared array that varies has a shadow (a tangent), which is shared as well",
            "use smaller tiles, or float32",
        )


def kind_of(a: Any) -> tuple[Any, ...]:
    """What of a captured array is compiled in: all but its contents."""
    return (a.dtype, a.shape, a.strides) if isinstance(a, np.ndarray) else (type(a),)


def within(place: str, launch: Launch) -> tuple[float, float]:
    """Between what a place of the launch is."""
    threads = prod(launch.blocks) * prod(launch.threads)
    if place == LANE:
        return 0, threads - 1
    kind, _, axis = place.partition("_")
    k = AXES.index(axis)
    blocks, width = launch.blocks[k], launch.threads[k]
    whole = blocks * width
    known = {
        "thread": (0, width - 1),
        "block": (0, blocks - 1),
        "width": (width, width),
        "blocks": (blocks, blocks),
        "grid": (0, whole - 1),
        "gridsize": (whole, whole),
    }
    return known.get(kind, limits(place))


def config(key: tuple[Any, ...], name: str) -> tuple[Launch, Any]:
    """A launch configuration as it is written: ``blocks, threads, stream, shared bytes``.

    Raises:
        TypeMismatch: it is none.
    """
    if not 2 <= len(key) <= 4:
        raise TypeMismatch(
            f"the launch configuration of {name} has {len(key)} items",
            instead="[blocks, threads] or [blocks, threads, stream, shared bytes]",
        )
    blocks, threads = triple(key[0], name), triple(key[1], name)
    if prod(threads) > MOST or threads[2] > 64 or max(blocks[1:]) > 65535:
        raise TypeMismatch(
            f"the launch of {name} with blocks {blocks} of {threads} threads",
            why=f"a block has {MOST} threads at most, 64 along z; a grid 65535 blocks along y, z",
            instead="launch more blocks of fewer threads",
        )
    stream = key[2] if len(key) > 2 else 0
    return Launch(blocks, threads, int(key[3]) if len(key) > 3 else 0), stream


def triple(n: Any, name: str) -> Triple:
    """A size of one to three axes."""
    items = tuple(n) if isinstance(n, (tuple, list)) else (n,)
    whole = all(isinstance(k, (int, np.integer)) and k >= 1 for k in items)
    if not (1 <= len(items) <= 3 and whole):
        raise TypeMismatch(
            f"{n!r} in the launch configuration of {name}",
            instead="a positive int, or a tuple of up to three",
        )
    x, y, z = (*map(int, items), 1, 1)[:3]
    return x, y, z


def launch_of(backend: str) -> Callable[..., None]:
    """What launches kernels."""
    return on_host if backend == "reference" else on_device


def on_host(made: Compiled, launch: Launch, stream: Any, values: list[Any], races: bool) -> None:
    """Interpret every thread."""
    kernel = made.ready.kernel
    memory = HostMemory()
    for args, extra in rounds(kernel, values, made.changed, memory):
        given = made.given(launch, values, memory)
        arguments = {p.name: x for p, x in zip(kernel.arguments, args, strict=True)}
        interpret(
            kernel.fn,
            launch.blocks,
            launch.threads,
            arguments,
            kernel.hidden,
            {**given, **extra},
            races,
        )
    for n, k in made.settled.items():
        for at, index in enumerate(np.ndindex(values[k].shape)):
            values[k][index] += srcad_exact_value(given[n], at)


def on_device(made: Compiled, launch: Launch, stream: Any, values: list[Any], races: bool) -> None:
    """Launch the kernel.

    Raises:
        DeviceError: no driver, no GPU, no toolkit.
    """
    cuda = device()
    kernel = made.ready.kernel
    memory = DeviceMemory(cuda, stream)
    args = [device_array(cuda, x) if is_device_array(x) else x for x in values]
    args = [number(x, p.type) for x, p in zip(args, kernel.arguments, strict=True)]
    names = given_names(kernel.fn, kernel.hidden)
    with launching(made.name), quietly():  # Numba warns of launches that do not fill the device
        one = made.dispatcher[launch.blocks, launch.threads, stream]
        for here, extra in rounds(kernel, args, made.changed, memory):
            given = made.given(launch, values, memory)
            known = {**given, **extra}
            one(*here, *(known[n] for n in names))
        for n, k in made.settled.items():
            settle = settling_kernel(args[k].ndim)
            settle[min(1024, args[k].size // 128 + 1), 128, stream](args[k], given[n])


@cache
def settling_kernel(ndim: int) -> Any:
    """The kernel that adds exact sums to an array."""
    return compile_text(settling(ndim), "settle", "sums")


def number(x: Any, t: Any) -> Any:
    """A number of the type that the kernel was made for."""
    return numpy_dtype(t.kind).type(x) if isinstance(t, Scalar) else x
