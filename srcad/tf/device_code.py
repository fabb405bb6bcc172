"""Functions of NumPy and traced graphs as kernels: what computes with ``DeviceArray``s.

In: a call of a function of NumPy on arrays of the device (``call``), or a ``Graph``
(``DeviceEmitter``).  The call is recorded as a graph of its own by the symbols of ``symbolic``, the
emitter writes it as a Python function over arrays, as for the processor, and srcad's path for
array functions on the device (``api.offload``) makes kernels and a driver of that text.  So every
operation that a compiled ``tf.function`` knows runs on the device, and none is written twice.

Numbers stay on the device in arrays of one element.  In the text of a single call, sizes are those
of the arguments (``v0.shape[1]``) wherever an argument has that size, so the text, and with it the
compiled code, serves for other sizes as well; texts are the keys of the cache.

An index out of range, which raises on the processor, reads NaN (zero of integers) and adds nothing.
"""

from __future__ import annotations

import functools
import itertools
import linecache
import math
import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from srcad.errors import DeviceError, InternalError, SrcadError
from srcad.tape.state import STATE
from srcad.tf import devices
from srcad.tf.emitting import Buffer, Emitter, Output, all_nodes
from srcad.tf.graphs import Graph, Leaf
from srcad.tf.spelling import MAPPED, device_helpers
from srcad.tf.symbolic import NotTraceable, Sym
from srcad.tf.tracing import Trace

FACTORISATIONS = {"solve", "inv", "cholesky", "det", "several"}
_SERIAL = itertools.count()


class DeviceEmitter(Emitter):
    """Writes a graph as a function for the device.

    Args:
        graph: what to write.
        cells: the inputs, by identity, that are numbers on the device.
        kept: whether the new value of each updated variable is a number of the processor.
    """

    def __init__(self, graph: Graph, cells: set[int], kept: set[int]) -> None:
        self.cells, self.kept = cells, kept
        super().__init__(graph)

    def stays(self, k: int, leaf: Leaf) -> bool:
        """Whether result ``k`` of a path is a number of the processor."""
        at = k - (len(self.ends[id(leaf)]) - len(self.updated))
        return at >= 0 and id(self.updated[at]) in self.kept

    def _slots(self) -> list[Any]:
        slots: list[Any] = []
        for leaf in self.graph.leaves:
            if not leaf.raised:
                values = self.ends[id(leaf)]
                kinds = [
                    v.dtype
                    for k, v in enumerate(values)
                    if isinstance(v, Sym) and not v.shape and self.stays(k, leaf)
                ]
                for kind in kinds:
                    slots += [kind] * (kinds.count(kind) - slots.count(kind))
        return slots

    def leave(self, k: int, value: Any, leaf: Leaf, pad: str) -> Output:
        found = super().leave(k, value, leaf, pad)
        if found.kind != "returned" or self.stays(k, leaf):
            return found
        name = self.fresh()
        self.results.append(Buffer(name, (1,), value.dtype))
        self.add(pad, f"{name}[0] = {self.operand(value)}")
        return Output("filled", len(self.results) - 1, (), value.dtype)

    def element(self, x: Any, index: list[str]) -> str:
        if _is_here(x):  # captured
            own = index[len(index) - len(x.shape) :]
            own = ["0" if d == 1 else i for i, d in zip(own, x.shape, strict=True)]
            return f"{self.captured(x)}[{', '.join(own) or '0'}]"
        found = super().element(x, index)
        return f"{found}[0]" if id(x) in self.cells else found

    def operand(self, x: Any) -> str:
        if _is_here(x):
            return self.captured(x) if x.shape else self.element(x, [])
        return super().operand(x)

    def captured(self, x: Any) -> str:
        """The name of an array of the device that the function refers to."""
        if id(x) not in self.known:
            self.known[id(x)] = (f"k{len(self.constants)}", x)
            self.constants.append(x)
        return self.known[id(x)][0]

    def checked(self, index: str, size: int) -> str:
        return f"max(0, min({index}, {size} - 1))"

    def looked_up(self, value: str, places: list[tuple[str, int]], n: Sym) -> str:
        missing = "np.nan" if n.dtype.kind == "f" else "0"
        inside = " and ".join(f"0 <= {i} and {i} < {d}" for i, d in places)
        return f"({value} if {inside} else {self.cast(n)}({missing}))"

    def guard(self, places: list[tuple[str, int]], pad: str) -> str:
        inside = " and ".join(f"0 <= {i} and {i} < {d}" for i, d in places)
        self.add(pad, f"if {inside}:")
        return pad + "    "

    def source(self) -> str:
        ops = {n.op for n in all_nodes(self.graph.nodes)}
        if ops & FACTORISATIONS and find_spec("cupy") is None:
            raise NotTraceable("factorisations on the device need CuPy")
        names = "|".join(MAPPED)
        return re.sub(rf"\bvector_({names})\(", r"math.\1(", super().source())


class Code:
    """A text as a function of arrays of the device; compiled for each kind of arguments."""

    def __init__(self, text: str) -> None:
        from srcad.api.grad import differentiable

        file = f"<tf on the device {next(_SERIAL)}>"
        linecache.cache[file] = (len(text), None, text.splitlines(True), file)
        space = {"np": np, "math": math} | device_helpers(text)
        exec(compile(text, file, "exec"), space)
        options = {"backend": "reference"} if devices.BACKEND == "reference" else {}
        self.made = differentiable(space["compiled"], target="cuda", **options)
        self.names = tuple(self.made.signature.parameters)
        self.offloads: dict[Any, Any] = {}

    def __call__(self, *given: Any) -> Any:
        """Launch on memory of the device and numbers."""
        key = tuple(map(_kind, given))
        offload = self.offloads.get(key)
        if offload is None:
            offload = self.offloads[key] = self.offload(given)
        return offload.launch(devices.machine(), given)

    def offload(self, given: Sequence[Any]) -> Any:
        """The driver and the kernels."""
        from srcad.api.offload import Offload, frame
        from srcad.specs import spec_of

        specs = {n: spec_of(frame(x), n) for n, x in zip(self.names, given, strict=True)}
        return Offload(self.made.program(specs))


def _kind(x: Any) -> Any:
    """What the compiled code depends on."""
    if not hasattr(x, "shape") or not x.shape:
        return type(x)
    strides = None if is_packed(x) else True
    return x.dtype, len(x.shape), strides


def is_packed(memory: Any) -> bool:
    """Whether memory is in C order."""
    from srcad.api.offload import frame

    return bool(frame(memory).flags.c_contiguous)


@functools.cache
def code_of(text: str, backend: str) -> Code:
    """The code of a text."""
    return Code(text)


# copies
def copied(memory: Any, out: Any = None) -> Any:
    """A strided array in new memory, itself if it is in C order; or its elements put in ``out``."""
    if out is None:
        if is_packed(memory):
            return memory
        out = devices.empty(memory.shape, memory.dtype)
    index = ", ".join(f"j{k}" for k in range(len(memory.shape)))
    lines = ["def compiled(x, out):"]
    for k in range(len(memory.shape)):
        lines.append(f"{'    ' * (k + 1)}for j{k} in range(out.shape[{k}]):")
    lines.append(f"{'    ' * (len(memory.shape) + 1)}out[{index}] = x[{index}]")
    code_of("\n".join(lines) + "\n", devices.BACKEND)(memory, out)
    return out


# calls
class Size(int):
    """A size that is written as that of an argument."""

    text: str

    def __format__(self, spec: str) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text

    __str__ = __repr__


def size(d: int, text: str) -> Size:
    """A size and its text."""
    made = Size(d)
    made.text = text
    return made


class Call:
    """A call for given shapes: the code, and the kinds of what it fills."""

    def __init__(self, f: Any, args: Any, options: Any) -> None:
        operands: list[Any] = []
        inputs: list[Any] = []
        sizes: dict[int, Size] = {}

        def symbol(x: Any) -> Any:
            name = f"v{len(inputs)}"
            shape = tuple(
                sizes.setdefault(d, size(d, f"{name}.shape[{k}]")) if d != 1 else d
                for k, d in enumerate(x.shape)
            )
            operands.append(x)
            inputs.append(Sym("input", (), shape, x.dtype))
            return inputs[-1]

        saved, STATE.trace = STATE.trace, Trace([])
        try:
            given, rest = replaced((args, options), symbol, f is np.power)
            found = f(*given, **rest)
            for n in STATE.trace.root:
                n.shape = tuple(sizes.get(d, d) for d in n.shape)
        finally:
            nodes, STATE.trace = STATE.trace.root, saved
        self.several = isinstance(found, tuple)
        leaf = Leaf(list(found) if self.several else [found], [])
        graph = Graph(inputs, [], [], [*nodes, leaf], [leaf])
        cells = {
            id(s) for s, x in zip(inputs, operands, strict=True) if not x.shape and _is_here(x)
        }
        emitter = DeviceEmitter(graph, cells, set())
        self.code = code_of(emitter.source(), devices.BACKEND)
        self.constants = [memory_of(c) for c in emitter.constants]
        self.fills = [(tuple(map(int, b.shape)), b.dtype) for b in emitter.results]
        self.spaces = [(tuple(map(int, b.shape)), b.dtype) for b in emitter.spaces]
        self.outputs = [o._replace(shape=tuple(map(int, o.shape))) for o in emitter.outputs[0]]

    def __call__(self, operands: list[Any]) -> Any:
        """Launch."""
        given = [memory_of(x) for x in operands]
        filled = [devices.empty(*b) for b in self.fills]
        spaces = [devices.empty(*b) for b in self.spaces]
        self.code(*given, *filled, *spaces, *self.constants)
        results = [result_of(o, operands, filled) for o in self.outputs]
        return tuple(results) if self.several else results[0]


def result_of(output: Output, operands: Sequence[Any], filled: Sequence[Any]) -> Any:
    """A result as a value of a tensor."""
    from srcad.tf.device_array import DeviceArray

    if output.kind == "constant":
        return devices.GPU.put(np.asarray(output.where))
    if output.kind == "argument":
        value = devices.GPU.put(operands[output.where])
        return value if value.shape == output.shape else value.reshape(output.shape)
    memory = filled[output.where]
    wanted = output.shape or (1,)
    if tuple(memory.shape) != wanted:
        memory = devices.view(memory, lambda x: x.reshape(wanted))
    return DeviceArray(memory, output.shape, output.dtype)


def memory_of(x: Any) -> Any:
    """An operand as kernels take it: memory of the device, or a number."""
    if not _is_here(x):
        return devices.upload(x) if x.shape else x
    return x.memory


def _is_here(x: Any) -> bool:
    return hasattr(x, "memory")


def replaced(x: Any, symbol: Any, keep: bool = False) -> Any:
    """Arguments with symbols for arrays, and for NumPy's numbers unless they are to be kept."""
    if isinstance(x, np.ndarray) or _is_here(x):
        return symbol(x) if x.shape or _is_here(x) else x
    if isinstance(x, np.float32 | np.float64 | np.int64) and not keep:
        return symbol(x)
    if isinstance(x, list | tuple) and not hasattr(x, "_fields"):
        return type(x)(replaced(v, symbol, keep) for v in x)
    if isinstance(x, dict):
        return {k: replaced(v, symbol, keep) for k, v in x.items()}
    return x


CALLS: dict[Any, Any] = {}


def call(f: Any, args: Any, options: Any) -> tuple[Any, str | None]:
    """The result of a function of NumPy; or the reason why there is no kernel for it."""
    operands: list[Any] = []

    def symbol(x: Any) -> Any:
        operands.append(x)
        return x

    replaced((args, options), symbol, f is np.power)
    key = (f, devices.BACKEND, frozen((args, options), f is np.power))
    made = CALLS.get(key)
    try:
        if made is None:
            made = CALLS[key] = Call(f, args, options)
        if isinstance(made, str):
            return None, made
        return made(operands), None
    except (DeviceError, InternalError):
        raise
    except SrcadError as error:
        CALLS[key] = reason = str(error).splitlines()[0]
        return None, reason


def frozen(x: Any, keep: bool) -> Any:
    """What a call depends on, hashable."""
    if isinstance(x, np.ndarray) and not x.shape:
        return x.dtype, x.item()
    if isinstance(x, np.ndarray) or _is_here(x):
        return x.shape, x.dtype, _is_here(x)
    if isinstance(x, np.generic):
        return (x.dtype, x.item()) if keep or replaced(x, lambda v: None) is x else x.dtype
    if isinstance(x, list | tuple):
        return type(x), tuple(frozen(v, keep) for v in x)
    if isinstance(x, dict):
        return tuple((k, frozen(v, keep)) for k, v in sorted(x.items()))
    if isinstance(x, slice):
        return "slice", frozen((x.start, x.stop, x.step), keep)
    return type(x), x if isinstance(x, int | float | str | bool | type(None)) else repr(x)
