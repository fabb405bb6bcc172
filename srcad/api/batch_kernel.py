"""The kernel of a batch: the text of one thread's work, and the launch.

In: the program of one sample, how its parameters are stacked, the shapes of a sample.  Out: a
``Kernel``: a device function of one sample, and around it a loop over the samples with the stride
of the grid.

Invariant: all shapes are constants of the text, so that temporaries and tapes are arrays of the
thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from srcad.api.device_code import device_fn, whole
from srcad.api.specialisation import written_arrays
from srcad.backends.cuda import compile_text, emit_device
from srcad.backends.device_driver import quietly
from srcad.backends.naming import identifier
from srcad.compiler import Program, clean
from srcad.errors import TypeMismatch, UnsupportedSyntax
from srcad.ir.build import Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Atom, Block, Const, Function, Var
from srcad.ir.types import ArrayT, Scalar, numpy_dtype
from srcad.ir.walk import rewrite_block, variables
from srcad.storage.device import outputs, sized


@dataclass
class Kernel:
    """A kernel and what its arguments are: ``kinds`` and ``shapes`` of the results of a sample."""

    source: str
    name: str
    params: list[Any]  # types, arrays that were captured included
    written: tuple[int, ...]
    kinds: list[Any]
    shapes: list[tuple[int, ...]]
    placed: list[int]
    dispatcher: Any = None
    seen: set[Any] = field(default_factory=set)

    def results(self, n: int) -> list[tuple[tuple[int, ...], np.dtype]]:
        """Shapes and types of the stacked results of ``n`` samples."""
        out = []
        for t, shape, axis in zip(self.kinds, self.shapes, self.placed, strict=True):
            kind = t.dtype if isinstance(t, ArrayT) else t.kind
            out.append(((*shape[:axis], n, *shape[axis:]), numpy_dtype(kind)))
        return out

    def number(self, k: int, x: Any) -> Any:
        """A number as the kernel takes it."""
        return numpy_dtype(self.params[k].kind).type(x)

    def launcher(self, blocks: int, threads: int, stream: Any) -> Any:
        """The kernel with a launch configuration."""
        if self.dispatcher is None:
            self.dispatcher = compile_text(self.source, self.name)
        key = (blocks, threads, id(stream))
        if key in self.seen:
            return self.dispatcher[blocks, threads, stream]
        self.seen.add(key)
        with quietly():  # Numba warns of grids that do not fill the device
            return self.dispatcher[blocks, threads, stream]


def kernel_of(
    program: Program,
    types: Sequence[Any],
    axes: Sequence[int | None],
    shapes: Sequence[tuple[int, ...]],
    placed: list[int],
    fixed: Mapping[int, int],
) -> Kernel:
    """The kernel for a batch.

    Args:
        program: one sample.
        types: of the stacked parameters.
        axes: along which they are stacked.
        shapes: of one sample's parameters, captured arrays included.
        placed: the axes along which results are stacked.
        fixed: values of shared integers, by position, that become constants of the code.

    Raises:
        UnsupportedSyntax: a sample needs what a thread cannot have.
    """
    axes = [*axes, *([None] * (len(program.fn.params) - len(axes)))]
    given = [*types, *(p.type for p in program.fn.params[len(types) :])]
    values = {program.fn.params[k].name: const(n) for k, n in fixed.items()}
    fn, sizes = constant(with_constants(whole(program), values), shapes)
    written = written_arrays(fn)
    for k in written:
        if axes[k] is None:
            raise TypeMismatch(
                f"batch of {program.source.name} on the device: it writes to "
                f"{fn.params[k].name!r}, which all samples share",
                program.source.loc(program.source.node),
                "the samples run at the same time",
                "give in_axes with an axis for it, or write to an array of the sample",
            )
    kinds = [y.type for y in program.fn.body.yields]
    fn = device_fn(replace(program, fn=fn))
    fn = outputs(fn, sizes, ["A" if axis else "C" for axis in placed])
    module = emit_device(fn)
    name, text = around(module.entry, fn, given, axes, kinds, placed)
    return Kernel(module.source + text, name, given, written, kinds, sizes, placed)


def with_constants(program: Program, values: Mapping[str, Const]) -> Program:
    """The program with the values of some parameters, which stay parameters."""
    use = lambda a: values.get(getattr(a, "name", ""), a)  # noqa: E731
    fn = program.fn
    return replace(program, fn=replace(fn, body=rewrite_block(fn.body, use, lambda v: v)))


def constant(
    program: Program, shapes: Sequence[tuple[int, ...]]
) -> tuple[Function, list[tuple[int, ...]]]:
    """The program for samples of these shapes, and the shapes of its results.

    Raises:
        UnsupportedSyntax: the shape of a result depends on values.
    """
    fn = program.fn
    known = {
        p.name: s for p, s in zip(fn.params, shapes, strict=True) if isinstance(p.type, ArrayT)
    }
    b = Builder(Namer(v.name for v in variables(fn)))
    dims: list[Atom] = []
    values: list[Atom] = []
    for y in fn.body.yields:
        if isinstance(y, Var) and isinstance(y.type, ArrayT):
            dims += [b.dim(y, k) for k in range(y.type.ndim)]
            y = y if y.type.ndim else b.load(y)  # a number has its place in the stacked result
        values.append(y)
    count = len(values)
    body = Block((*fn.body.stmts, *b.stack[0]), (*values, *dims))
    fn = replace(fn, body=body)
    for _ in range(3):  # sizes of views of views become known one after the other
        fn = clean(sized(fn, known), program.options)
    rest = iter(fn.body.yields[count:])
    sizes: list[tuple[int, ...]] = []
    for y in fn.body.yields[:count]:
        shape = [next(rest) for _ in range(getattr(y.type, "ndim", 0))]
        if not all(isinstance(d, Const) for d in shape):
            raise UnsupportedSyntax(
                f"batch of {program.source.name} on the device: the shape of a result depends on "
                "values",
                program.source.loc(program.source.node),
                "every sample's results have their place before the samples run",
                "return an array of constant size, and the length that is used as a number",
            )
        sizes.append(tuple(int(d.value) for d in shape))  # type: ignore[union-attr]
    fn = replace(fn, body=Block(fn.body.stmts, fn.body.yields[:count]))
    return clean(fn, program.options), sizes


def around(
    entry: str,
    fn: Function,
    given: Sequence[Any],
    axes: Sequence[int | None],
    kinds: Sequence[Any],
    placed: Sequence[int],
) -> tuple[str, str]:
    """Name and text of the kernel around a device function."""
    namer = Namer({entry, "math", "np", "cuda", "range"})
    n, i, name = namer.fresh("n"), namer.fresh("i"), namer.fresh(f"{entry}_batch")
    stacked = [namer.fresh(identifier(p.name)) for p in fn.params[: len(given)]]
    outs = [namer.fresh("out") for _ in kinds]
    args = [sample(text, i, axis, t) for text, axis, t in zip(stacked, axes, given, strict=True)]
    numbers = []
    for out, kind, axis in zip(outs, kinds, placed, strict=True):
        if getattr(kind, "ndim", 0):
            args.append(place(out, i, axis))
        else:
            numbers.append(place(out, i, axis))
    call = f"{entry}({', '.join(args)})"
    target = f"{', '.join(numbers)} = " if numbers else ""
    text = (
        f"\n\n@cuda.jit\ndef {name}({', '.join([n, *stacked, *outs])}):\n"
        f"    for {i} in range(cuda.grid(1), {n}, cuda.gridsize(1)):\n"
        f"        {target}{call}\n"
    )
    return name, text


def sample(text: str, i: str, axis: int | None, t: Any) -> str:
    """A sample of a stacked argument; integers of any width are those of 64 bits."""
    if axis is None:
        return text
    at = place(text, i, axis)
    wide = isinstance(t, ArrayT) and t.ndim == 1 and t.element == Scalar("i8") and t.dtype != "i8"
    return f"np.int64({at})" if wide else at


def place(text: str, i: str, axis: int) -> str:
    """One position along an axis."""
    return f"{text}[{':, ' * axis}{i}]"
