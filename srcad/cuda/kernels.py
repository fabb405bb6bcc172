"""``srcad.cuda.kernel``: a kernel of ``numba.cuda``, its adjoint, its tangent.

``k = srcad.cuda.kernel(f)`` is launched as the kernel is: ``k[blocks, threads](x, out)``.  Of it,
``k.adjoint`` and ``k.jvp`` are kernels as well, which take every float argument followed by its
shadow or its tangent; they can be transformed again (``k.adjoint.jvp`` is the second order).

What is generated depends on the types of the arguments, on the axes along which the launch has more
than one thread, and on the dynamic shared memory; it is compiled by ``numba.cuda`` at the first
launch.  With ``backend="reference"`` threads are interpreted on the host, on arrays of NumPy.
"""

from __future__ import annotations

import inspect
from typing import Any

from srcad.api.safety import compiling, located
from srcad.callables import unwrap
from srcad.cuda.arguments import Group, arrange, host_view, memory_of
from srcad.cuda.extremes import routed
from srcad.cuda.launching import Compiled, config, launch_of
from srcad.cuda.program import Kernel, KernelOptions, Launch, adjoint_of, lowered, ready, tangent_of
from srcad.errors import TypeMismatch
from srcad.ir.threads import SIZED
from srcad.options import defaults

TARGETS = ("cuda", "reference")
KEPT = 64  # launches whose arguments are known to fit


class KernelFunction:
    """A kernel that can be launched and differentiated; made by ``kernel``."""

    def __init__(
        self,
        f: Any,
        argnums: Any = None,
        backend: str = "cuda",
        races: bool = False,
        deterministic: bool = False,
        transforms: tuple[str, ...] = (),
    ) -> None:
        self.inner, self.argnums, self.backend, self.races = f, argnums, backend, races
        self.deterministic = deterministic
        self.function = unwrap(f)
        self.transforms = transforms
        self.__name__ = "".join((self.function.__name__, *(f".{t}" for t in transforms)))
        self.__doc__ = self.function.__doc__
        self.signature = inspect.signature(self.function)
        self.made: dict[Any, Compiled] = {}
        self.sized = False  # whether the size of a block makes another kernel
        self.configured: dict[Any, Configured] = {}
        self.derived: dict[str, KernelFunction] = {}

    # transforms
    def transformed(self, transform: str) -> KernelFunction:
        """The kernel with one more transform: always the same object, which keeps what it made."""
        if transform not in self.derived:
            steps = (*self.transforms, transform)
            given = (self.argnums, self.backend, self.races, self.deterministic)
            self.derived[transform] = KernelFunction(self.inner, *given, steps)
        return self.derived[transform]

    @property
    def adjoint(self) -> KernelFunction:
        """The adjoint kernel: ``k.adjoint[blocks, threads](x, x_b, out, out_b, n)``.

        Every float argument is followed by its shadow (that of a number is an array of one
        element), as in ``srcad.adjoint``.  The arguments are afterwards as after one launch of
        the kernel; shadows of what is only read are accumulated into, those of what is only
        written are zero, those of what is updated hold the cotangents of the values on entry.
        """
        return self.transformed("adjoint")

    @property
    def jvp(self) -> KernelFunction:
        """The tangent kernel: ``k.jvp[blocks, threads](x, x_t, out, out_t, n)``.

        Every float argument is followed by its tangent (that of a number is a number).
        """
        return self.transformed("jvp")

    # launches
    def __getitem__(self, configuration: Any) -> Configured:
        """The kernel with a launch configuration: ``[blocks, threads, stream, shared bytes]``."""
        key = configuration if isinstance(configuration, tuple) else (configuration,)
        try:
            return self.configured[key]
        except (KeyError, TypeError):
            pass
        launch, stream = config(key, self.__name__)
        made = Configured(self, launch, stream)
        try:
            self.configured[key] = made
        except TypeError:  # a stream without hash
            pass
        return made

    def __call__(self, *args: Any) -> None:
        """A kernel has to be told how many threads there are.

        Raises:
            TypeMismatch: always.
        """
        raise TypeMismatch(
            f"{self.__name__} is called without a launch configuration",
            instead=f"{self.__name__}[blocks, threads](...)",
        )

    def source(self, *args: Any) -> str:
        """The text of the kernel for arguments like these, launched along one axis."""
        return self[2, 32].source(*args)

    def __repr__(self) -> str:
        return f"<kernel {self.__name__}>"

    @located
    def compiled(self, launch: Launch, groups: list[Group]) -> Compiled:
        """The kernel for arguments and a launch, made on first use."""
        found = self.made.get(self.key(launch, groups))
        if found is None or not found.valid():
            with compiling(self):
                found = self.compile(launch, groups)
            self.made[self.key(launch, groups)] = found
        return found

    def key(self, launch: Launch, groups: list[Group]) -> tuple[Any, ...]:
        """What is compiled depends on the kinds of the arguments, and on this of the launch."""
        sums = "adjoint" in self.transforms and any(g.is_number for g in groups)
        block = launch.threads if sums or self.sized else None  # numbers are added up by blocks
        return (tuple(g.spec for g in groups), launch.axes, launch.shared, block)

    def compile(self, launch: Launch, groups: list[Group]) -> Compiled:
        """Generate the kernel."""
        options = KernelOptions(**vars_of(defaults()), launch=launch)
        kernel = lowered(self.function, {g.name: g.spec for g in groups}, options)
        self.sized = self.sized or any(h.what == SIZED for h in kernel.shared.values())
        chosen = frozenset(
            p.name for p, g in zip(kernel.arguments, groups, strict=True) if g.carries
        )
        if self.transforms:
            kernel = routed(kernel, launch)
        for transform in self.transforms:
            kernel, chosen = self.apply(transform, kernel, chosen)
        made = ready(kernel, launch, self.deterministic)
        return Compiled(made, launch.axes, self.__name__)

    @staticmethod
    def apply(
        transform: str, kernel: Kernel, chosen: frozenset[str]
    ) -> tuple[Kernel, frozenset[str]]:
        """One transform; what it adds is differentiated by the next."""
        made = (adjoint_of if transform == "adjoint" else tangent_of)(kernel, chosen)
        added = {p.name for p in made.arguments} - {p.name for p in kernel.arguments}
        return made, chosen | added


def vars_of(options: Any) -> dict[str, Any]:
    """The choices of options, by name."""
    return {n: getattr(options, n) for n in type(options).__dataclass_fields__}


class Configured:
    """A kernel with its launch configuration."""

    def __init__(self, kernel: KernelFunction, launch: Launch, stream: Any) -> None:
        self.kernel, self.launch, self.stream = kernel, launch, stream
        self.checked: dict[tuple[Any, ...], Compiled] = {}

    def __call__(self, *args: Any) -> None:
        """Launch the kernel; arguments that were there before are not checked again."""
        k = self.kernel
        key = memory_of(args)
        made = self.checked.get(key) if key is not None else None
        if made is None or not made.valid():
            made = self.check(args)
            if key is not None:
                if len(self.checked) >= KEPT:
                    self.checked.clear()
                self.checked[key] = made
        launch_of(k.backend)(made, self.launch, self.stream, list(args), k.races)

    def check(self, args: tuple[Any, ...]) -> Compiled:
        """The kernel for these arguments, if they fit."""
        k = self.kernel
        values = list(map(host_view(k.backend), args))
        groups = arrange(k.signature, k.argnums, len(k.transforms), values, k.__name__)
        made = k.compiled(self.launch, groups)
        made.check(values, list(args), k.signature)
        return made

    def source(self, *args: Any) -> str:
        """The text of the kernel for arguments like these."""
        k = self.kernel
        values = list(map(host_view("any"), args))
        groups = arrange(k.signature, k.argnums, len(k.transforms), values, k.__name__)
        return k.compiled(self.launch, groups).module.source


def kernel(
    f: Any,
    argnums: Any = None,
    *,
    backend: str = "cuda",
    races: bool = False,
    deterministic: bool = False,
) -> KernelFunction:
    """A kernel of ``numba.cuda`` with its derivatives.

    Args:
        f: the kernel: a plain function, or what ``@cuda.jit`` has made of it.
        argnums: positions or names of what is differentiated (default: every float argument).
        backend: ``"cuda"``, or ``"reference"``, which interprets threads one after the other.
        races: look for races between threads (with ``backend="reference"``).
        deterministic: sums over threads are exact, so the same in every order and every launch.

    Returns:
        An object ``k`` with ``k[blocks, threads](...)``, ``k.adjoint``, ``k.jvp``, ``k.source``.

    Raises:
        TypeMismatch: for a backend that does not exist.
        UnsupportedSyntax: at the first launch: for what has no adjoint on a GPU.

    >>> from srcad.cuda.examples import scaled_squares
    >>> import numpy as np
    >>> k = kernel(scaled_squares, backend="reference")
    >>> x, out = np.array([1.0, 2.0, 3.0]), np.zeros(3)
    >>> k[1, 4](2.0, x, out)
    >>> out
    array([ 2.,  8., 18.])
    >>> a_b, x_b = np.zeros(1), np.zeros(3)
    >>> k.adjoint[1, 4](2.0, a_b, x, x_b, out, np.ones(3))
    >>> a_b, x_b
    (array([14.]), array([ 4.,  8., 12.]))
    """
    if backend not in TARGETS:
        raise TypeMismatch(f"no backend {backend!r}", instead=f"backends are {', '.join(TARGETS)}")
    return KernelFunction(f, argnums, backend, races, deterministic)
