"""``batch`` and ``batch_jacobian``: a function of one sample, over many samples in one call.

How the loop over the samples is built as a program stands in ``api.batches``.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from srcad.api.batches import Batch, sample_type, stacked_type
from srcad.api.function import Transformed
from srcad.api.jacobian import Jacobian
from srcad.api.selection import in_words
from srcad.compiler import Program
from srcad.errors import TypeMismatch
from srcad.frontend.arguments import Leaf, Node, Opaque, Spec, leaf_specs
from srcad.ir.types import ArrayT

PREFIX = "an axis may stand for a whole argument; else its structure is the argument's"


class Batched(Transformed):
    """A function over many samples."""

    label = "batch"

    def __init__(self, f: Any, in_axes: Any = 0, out_axes: Any = 0, **options: Any) -> None:
        super().__init__(f, **options)
        self.in_axes, self.out_axes = in_axes, out_axes
        if not (is_axis(in_axes) or isinstance(in_axes, (tuple, list, dict))):
            raise TypeMismatch(
                f"in_axes must be an int, None, or a tuple of these, not {in_axes!r}",
                instead="in_axes=(0, None): the first argument is stacked, the second is shared",
            )
        if not any(isinstance(a, int) for a in flat(in_axes)):
            raise TypeMismatch(
                "in_axes maps nothing", instead="give the axis of at least one argument"
            )

    def program(self, specs: dict[str, Spec]) -> Program:
        """The loop over the samples around the inner program."""
        inner, found = self.sample_program(specs)
        types = [leaf.type for spec in specs.values() for leaf in leaf_specs(spec)]
        captured = [p.type for p in inner.fn.params[len(types) :]]
        placed: list[int] = []
        out = stacked_spec(inner.out, self.out_axes, placed)
        loop = Batch(inner, [*types, *captured], [*found, *([None] * len(captured))], placed)
        return inner.with_fn(loop.function(), arguments=specs, out=out)

    def sample_program(self, specs: dict[str, Spec]) -> tuple[Program, list[int | None]]:
        """The program of one sample, and the axis of every leaf of the stacked arguments."""
        sample, found = self.sample_specs(specs)
        inner = super().program(sample)
        if all(a is None for a in found):
            raise TypeMismatch(
                f"batch of {inner.source.name}: no argument is mapped",
                inner.source.loc(inner.source.node),
                instead="pass at least one stacked array, or give in_axes",
            )
        return inner, found

    def sample_specs(self, specs: dict[str, Spec]) -> tuple[dict[str, Spec], list[int | None]]:
        """The kinds of one sample, and the axis of every leaf of the stacked arguments."""
        axes = self.axes(specs)
        found: list[int | None] = []
        sample = {
            name: sample_spec(spec, axes[name], f"argument {name!r}", found)
            for name, spec in specs.items()
        }
        return sample, found

    def axes(self, specs: dict[str, Spec], optional: set[str] | None = None) -> dict[str, Any]:
        """The axes of each argument, by name; ``optional`` may be left out."""

        def may_miss(name: str) -> bool:
            return name in optional if optional is not None else self.has_default(name)

        if is_axis(self.in_axes):
            return {n: self.default(n, spec, may_miss(n)) for n, spec in specs.items()}
        given = self.in_axes
        names = list(specs)
        if isinstance(given, (tuple, list)):
            given = gathered(given, self.signature, specs)
            if len(given) > len(names):
                raise TypeMismatch(
                    f"in_axes has {len(given)} entries, {self.inner.__name__} takes "
                    f"{len(names)} argument{'s' * (len(names) != 1)}",
                    instead=f"arguments are {', '.join(names)}",
                )
            given = dict(zip(names, given, strict=False))
        if unknown := [k for k in given if k not in specs]:
            raise TypeMismatch(
                f"in_axes names {unknown[0]!r}, which is no argument",
                instead=f"arguments are {', '.join(names)}",
            )
        missing = [n for n in names if n not in given and not may_miss(n)]
        if missing:
            raise TypeMismatch(
                f"in_axes says nothing about argument {missing[0]!r}",
                instead="give one entry an argument, None for what all samples share",
            )
        return {n: given.get(n) for n in names}

    def has_default(self, name: str) -> bool:
        """Whether an argument has a default."""
        p = self.signature.parameters.get(name)
        return p is not None and p.default is not inspect.Parameter.empty

    def default(self, name: str, spec: Spec, optional: bool) -> Any:
        """The axis of an argument where one axis is said for all.

        A parameter with a default that got a number is not mapped: it was left out, or might
        have been.
        """
        if not optional:
            return self.in_axes
        if not any(isinstance(leaf.type, ArrayT) for leaf in leaf_specs(spec)):
            return None
        known = self.signature.parameters.get(name)
        if known is not None and any(isinstance(x, np.ndarray) for x in flat(known.default)):
            raise TypeMismatch(
                f"the default of argument {name!r} is an array: it is not clear whether it is "
                "mapped",
                instead="give in_axes for every argument",
            )
        return self.in_axes

    def state(self) -> tuple[Any, ...]:
        """See ``Transformed.state``."""
        return (self.inner, self.in_axes, self.out_axes, self._own)


def gathered(axes: Any, signature: inspect.Signature, specs: dict[str, Spec]) -> tuple[Any, ...]:
    """Axes by position, those of ``*args`` as one entry."""
    kinds = [p.kind for p in signature.parameters.values() if p.name in specs]
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        return tuple(axes)
    k = kinds.index(inspect.Parameter.VAR_POSITIONAL)
    return (*axes[:k], tuple(axes[k:]))


def is_axis(a: Any) -> bool:
    """Whether this is an axis, or ``None``: not mapped."""
    return a is None or isinstance(a, int) and not isinstance(a, bool)


def flat(a: Any) -> Iterator[Any]:
    """The entries of a structure of axes."""
    if isinstance(a, (tuple, list)):
        for x in a:
            yield from flat(x)
    elif isinstance(a, dict):
        for x in a.values():
            yield from flat(x)
    else:
        yield a


def sample_spec(spec: Spec, axes: Any, what: str, found: list[int | None]) -> Spec:
    """The kind of one sample of an argument; the axis of every leaf goes into ``found``."""
    if isinstance(spec, Leaf):
        if not is_axis(axes):
            raise TypeMismatch(f"in_axes of {what} is {axes!r}", why=PREFIX, instead="give an int")
        if axes is None:
            found.append(None)
            return spec
        if not isinstance(spec.type, ArrayT) or not -spec.type.ndim <= axes < spec.type.ndim:
            raise TypeMismatch(
                f"{what} is {in_words(spec)}, so it cannot be mapped along axis {axes}",
                instead="give in_axes with None for what all samples share",
            )
        found.append(axes % spec.type.ndim)
        return Leaf(sample_type(spec.type, axes % spec.type.ndim), derived=spec.derived)
    if isinstance(spec, Opaque):
        return spec
    parts = [
        sample_spec(part, a, f"{what[:-1]}[{key!r}]'", found)
        for key, part, a in zip(spec.keys, spec.parts, children(spec, axes, what), strict=True)
    ]
    return replace(spec, parts=tuple(parts))


def children(spec: Node, axes: Any, what: str) -> list[Any]:
    """The axes of the parts of a structure."""
    if is_axis(axes):
        return [axes] * len(spec.parts)
    if spec.kind == "dataclass" and type(axes) is spec.cls:
        return [getattr(axes, k) for k in spec.keys]
    if isinstance(axes, dict) and set(axes) == set(spec.keys):
        return [axes[k] for k in spec.keys]
    if isinstance(axes, (tuple, list)) and spec.kind != "dict" and len(axes) == len(spec.parts):
        return list(axes)
    raise TypeMismatch(
        f"the axes {axes!r} do not fit {what}, which is {in_words(spec)}",
        why=PREFIX,
        instead="give one entry a part",
    )


def stacked_spec(spec: Spec, axes: Any, placed: list[int]) -> Spec:
    """The kind of a stacked result; the axis of every leaf goes into ``placed``."""
    if isinstance(spec, Leaf):
        made = stacked_type(spec.type)
        if axes is None or not is_axis(axes) or not -made.ndim <= axes < made.ndim:
            raise TypeMismatch(
                f"out_axes has {axes!r} for a result that is {in_words(spec)} a sample",
                why="every result is stacked along a new axis",
                instead=f"give an axis from {-made.ndim} to {made.ndim - 1}",
            )
        placed.append(axes % made.ndim)
        return Leaf(made, derived=spec.derived)
    if isinstance(spec, Opaque):
        return spec
    given = children(spec, axes, "the result")
    if spec.kind == "swapped" and not is_axis(axes):  # its leaves come in the other order
        given.reverse()
    parts = tuple(stacked_spec(p, a, placed) for p, a in zip(spec.parts, given, strict=True))
    return replace(spec, parts=parts)


def batch(
    f: Any, in_axes: Any = 0, out_axes: Any = 0, target: str = "cpu", **options: Any
) -> Batched:
    """A function of one sample as a function of many: one compiled loop, differentiable.

    The conventions are those of JAX's ``vmap``; the meaning is that of a loop over the samples, in
    order.

    Args:
        f: a function, or a transform: ``batch(grad(f))`` gives the gradient of every sample.
        in_axes: the axis of the arguments along which the samples are stacked; ``None`` for what
            all share.  An int for all arguments, or a tuple with one entry an argument (a dict by
            name), nested like the arguments where these are structures.  Numbers in parameters
            that have a default are shared.
        out_axes: where the new axis stands in the results.
        target: ``"cuda"`` gives each sample to a thread of the GPU; arrays are then those of the
            device, as are the results, and the call takes ``stream=`` (``docs/cuda.md``).
        **options: see ``srcad.Options``.

    Returns:
        A function of the stacked arguments that returns stacked results.

    Raises:
        TypeMismatch: axes that do not fit the arguments.
        ValueError: at the call, where numbers of samples differ, results of samples differ in
            shape, or there is no sample and a result is an array.
        DeviceError: at the call, where the target is ``"cuda"`` and there is none.

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> from srcad.api.grad import grad
    >>> per_sample = batch(grad(square_sum), backend="reference")
    >>> per_sample(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[2., 4.],
           [6., 8.]])
    """
    return kind_for(target)(f, in_axes, out_axes, **options)


def kind_for(target: str) -> type[Batched]:
    """The class for a target.

    Raises:
        TypeMismatch: there is no such target.
    """
    if target == "cpu":
        return Batched
    if target == "cuda":
        from srcad.api.batch_cuda import CudaBatched

        return CudaBatched
    raise TypeMismatch(f"no target {target!r}", instead='targets are "cpu" and "cuda"')


def batch_jacobian(
    f: Any,
    argnums: Any = 0,
    in_axes: Any = 0,
    mode: str = "auto",
    target: str = "cpu",
    **options: Any,
) -> Batched:
    """The Jacobian of every sample: shape (samples, output, input).

    Args:
        f: a function of one sample.
        argnums, mode: as for ``jacobian``.
        in_axes, target: as for ``batch``.

    >>> from srcad.examples import squares
    >>> import numpy as np
    >>> batch_jacobian(squares, backend="reference")(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([[[2., 0.],
            [0., 4.]],
           [[6., 0.],
            [0., 8.]]])
    """
    return kind_for(target)(Jacobian(f, argnums, mode), in_axes, **options)
