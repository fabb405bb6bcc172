"""The arguments of a launch: which are shadows of which, what fits, what overlaps.

In: what a launch is given.  Out: ``Group``: each argument of the user's kernel with the kinds that
decide what is compiled; arrays of the device stand as arrays of NumPy of the same kind
(``api.device_arrays``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcad.api.device_arrays import apart, is_device_array, stand_in
from srcad.cuda.program import Kernel
from srcad.errors import TypeMismatch
from srcad.ir.types import ArrayT, Scalar, is_float
from srcad.specs import Leaf, Spec, spec_of


@dataclass(frozen=True)
class Group:
    """One argument of the user's kernel: its name, its kind, whether companions follow it."""

    name: str
    spec: Spec
    carries: bool

    @property
    def is_number(self) -> bool:
        """Whether it is a number with companions."""
        return self.carries and isinstance(self.spec, Leaf) and isinstance(self.spec.type, Scalar)


def host_view(backend: str) -> Callable[[Any], Any]:
    """What turns an argument into one of the host that looks like it.

    Raises:
        DeviceError: when called with an array of the host, for a kernel of the device.
    """
    if backend == "cuda":
        return lambda x: stand_in(x, "an argument", simulated())
    return lambda x: stand_in(x, "an argument", True)


def memory_of(args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """All that the checks of a launch look at: where arrays lie, types of numbers.

    ``None`` where it would take long to say, as of arrays of NumPy.
    """
    key: list[Any] = []
    for x in args:
        known = getattr(x, "__cuda_array_interface__", None)
        if known is not None:
            key.append((known["data"], known["shape"], known.get("strides"), known["typestr"]))
        elif isinstance(x, (int, float, np.generic)):
            key.append(type(x))
        else:
            return None
    return tuple(key)


def simulated() -> bool:
    """Whether ``numba.cuda`` is the simulator, which takes arrays of NumPy as well."""
    from srcad.backends.device_driver import numba_cuda

    return "simulator" in getattr(numba_cuda().to_device, "__module__", "")


def arrange(
    signature: inspect.Signature, argnums: Any, levels: int, values: list[Any], name: str
) -> list[Group]:
    """Arguments by name; each that is differentiated is followed by its companions.

    Raises:
        TypeMismatch: there are too few or too many, or one is no number and no array.
    """
    names = list(signature.parameters)
    for p in signature.parameters.values():
        if p.kind not in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD):
            raise TypeMismatch(
                f"{name} has the parameter {p}",
                why="a launch gives each argument by its position",
                instead="give each argument a parameter of its own",
            )
    groups: list[Group] = []
    rest = list(values)
    for k, n in enumerate(names):
        if not rest:
            raise TypeMismatch(f"{name}: the argument {n!r} is missing", instead=order(levels))
        spec = spec_of(rest[0], f"argument {n!r}")
        if not isinstance(spec, Leaf) or spec.part:
            raise TypeMismatch(
                f"{name}: the argument {n!r} is of type {type(rest[0]).__name__}",
                instead="kernels take real numbers and arrays of them",
            )
        carries = is_float(spec.type) and chosen(argnums, k, n, len(names))
        count = 2**levels if carries else 1
        if len(rest) < count:
            raise TypeMismatch(f"{name}: the shadow of {n!r} is missing", instead=order(levels))
        del rest[:count]
        groups.append(Group(n, spec, carries))
    if rest:
        raise TypeMismatch(
            f"{name}: {len(values)} arguments, {len(values) - len(rest)} are expected",
            instead=order(levels),
        )
    return groups


def order(levels: int) -> str:
    """How arguments follow each other."""
    if not levels:
        return "give the arguments of the kernel, by position"
    return "follow every float argument by its shadow (adjoint) or its tangent (jvp)"


def chosen(argnums: Any, k: int, name: str, count: int) -> bool:
    """Whether an argument is differentiated."""
    if argnums is None:
        return True
    items = argnums if isinstance(argnums, (tuple, list)) else (argnums,)
    return any(a == name or isinstance(a, int) and a % count == k for a in items)


def check_fits(
    kernel: Kernel, values: list[Any], names: Collection[str], viewed: Collection[str], title: str
) -> None:
    """Companions have the kind and the shape of what they belong to.

    Args:
        kernel: what takes the arguments.
        values: the arguments.
        names: those of the user's kernel; each is followed by its companions.
        viewed: the arrays of which the kernel makes views, for which the layout counts.
        title: what the kernel is called.

    Raises:
        TypeMismatch: one does not.
    """
    wanted: tuple[int, ...] = ()
    for p, x in zip(kernel.arguments, values, strict=True):
        spec = spec_of(x, f"argument {p.name!r}")
        assert isinstance(spec, Leaf)
        fits = spec.type == p.type
        if isinstance(p.type, ArrayT) and isinstance(spec.type, ArrayT):
            kinds = spec.type.dtype == p.type.dtype and spec.type.ndim == p.type.ndim
            ordered = p.type.layout in (spec.type.layout, "A") or p.type.ndim == 1
            fits = kinds and (ordered or p.name not in viewed)  # elements are where they are
            fits = fits and (spec.type.mutable or not p.type.mutable)
            fits = fits and (p.name in names or np.shape(x) == wanted)
        if p.name in names:
            wanted = np.shape(x) if isinstance(p.type, ArrayT) else (1,)
        if not fits:
            have = f"shape {np.shape(x)} {x.dtype}" if hasattr(x, "dtype") else type(x).__name__
            kind = p.type if isinstance(p.type, ArrayT) else Scalar(str(p.type))
            raise TypeMismatch(
                f"{title}: {p.name!r} must be {kind}, writeable and of the shape and layout of "
                f"what it belongs to; got {have}",
                instead="np.zeros_like of the argument; an array of one element for the shadow "
                "of a number",
            )


def check_apart(kernel: Kernel, values: list[Any], changed: Collection[str]) -> None:
    """Arrays that the kernel changes overlap with no other.

    Raises:
        TypeMismatch: two do.
    """
    arrays = [
        (p, x) for p, x in zip(kernel.arguments, values, strict=True) if isinstance(p.type, ArrayT)
    ]
    for k, (p, x) in enumerate(arrays):
        for q, y in arrays[:k]:
            if (p.name in changed or q.name in changed) and not separate(x, y):
                raise TypeMismatch(
                    f"the arguments {q.name!r} and {p.name!r} overlap in memory",
                    why="the derivative is made for arrays that do not",
                    instead="pass a copy of one of them",
                )


def separate(x: Any, y: Any) -> bool:
    """Whether two arrays have no memory in common."""
    if is_device_array(x) and is_device_array(y):
        return apart(x, y)
    if isinstance(x, np.ndarray) and isinstance(y, np.ndarray):
        return not np.may_share_memory(x, y)
    return True
