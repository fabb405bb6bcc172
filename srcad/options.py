"""What a user can choose, and the defaults.

Options travel with a function object; a transform of it inherits them.  ``using`` changes the
defaults for a while (the tests run most programs through the reference backend that way).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from typing import Any

from srcad.errors import TypeMismatch

BACKENDS = ("cpu", "python", "reference")
FASTMATH = {False: False, True: "all", "adjoint": "adjoint", "all": "all"}
TARGETS = ("cpu", "cuda")


@dataclass(frozen=True)
class Options:
    """Choices for one function.

    Args:
        backend: ``"cpu"`` (Numba), ``"python"`` (the generated source, not compiled) or
            ``"reference"`` (an interpreter).
        debug: interpret with bounds checks, and name the first line at which a NaN appears.
        verbose: say what is compiled, and how long it took.
        memory_limit: bytes that one recorded array may take; more is refused before allocation.
        verify: check the intermediate representation after every pass.
        cache: keep compiled code on disk for other processes (``docs/caching.md``).
        nogil: release the interpreter's lock while compiled code runs, so that threads run at once.
        parallel: run loops on threads that are not ``prange`` as well, where that is proved to be
            right and seems worth it; ``False``: not even ``prange`` (``docs/parallel.md``).
        atomics: what iterations on different threads add to the same arrays is added atomically, in
            place of a copy of the array for each thread: less memory, in no fixed order
            (``docs/parallel.md``).
        vector_math: elementary functions in loops may be computed on whole vectors, within 4 units
            in the last place (``docs/accuracy.md``); else every one is libm's.
        fastmath: ``"adjoint"``: sums and products that only derivatives are made of may be fused
            and reordered; ``False``: nothing is; ``"all"``: values may be as well, so that their
            last digits can differ from the user's code (``docs/accuracy.md``).
        target: ``"cuda"``: arrays are those of the device, and loops over them kernels
            (``docs/cuda_arrays.md``).
        deterministic: on the device: no atomic additions, so results are the same from run to run.
        workspace: keep the memory of large arrays for the next call; ``True``, or a ``Workspace``
            that several functions share (``docs/memory.md``).
        poison: fill storage that the reverse sweep must not read with NaN (a test of srcad).
    """

    backend: str = "cpu"
    debug: bool = False
    verbose: bool = False
    memory_limit: int | None = None
    verify: bool = False
    cache: bool = True
    nogil: bool = False
    parallel: bool | None = None
    atomics: bool = False
    vector_math: bool = True
    fastmath: str | bool = "adjoint"
    target: str = "cpu"
    deterministic: bool = False
    workspace: Any = False
    poison: bool = False

    def lasting(self) -> tuple[Any, ...]:
        """What decides the generated code, in this process and in others."""
        return astuple(replace(self, verbose=False, workspace=bool(self.workspace)))

    def merged(self, changes: dict[str, Any]) -> Options:
        """A copy with some choices changed.

        Raises:
            TypeMismatch: for a name that is no option, or a backend that does not exist.
        """
        known = {k: v for k, v in changes.items() if v is not None}
        unknown = set(known) - set(self.__dataclass_fields__)
        if unknown:
            raise TypeMismatch(
                f"no option {sorted(unknown)[0]!r}",
                instead=f"options are {', '.join(self.__dataclass_fields__)}",
            )
        if known.get("backend", "cpu") not in BACKENDS:
            raise TypeMismatch(
                f"no backend {known['backend']!r}", instead=f"backends are {', '.join(BACKENDS)}"
            )
        if known.get("fastmath", False) not in FASTMATH:
            raise TypeMismatch(
                f"fastmath={known['fastmath']!r}", instead='fastmath is "adjoint", "all" or False'
            )
        if known.get("atomics", self.atomics) and known.get("deterministic", self.deterministic):
            raise TypeMismatch(
                "atomics=True with deterministic=True",
                why="atomic additions come in no fixed order",
                instead="choose one of the two",
            )
        if "fastmath" in known:
            known["fastmath"] = FASTMATH[known["fastmath"]]
        if known.get("target", "cpu") not in TARGETS:
            raise TypeMismatch(
                f"no target {known['target']!r}", instead='targets are "cpu" and "cuda"'
            )
        held = known.get("workspace", False)
        if type(held) is not bool and not hasattr(held, "release"):
            raise TypeMismatch(
                f"workspace={held!r}", instead="workspace is True, False or a srcad.Workspace"
            )
        return replace(self, **known)


in_force = Options()  # where nothing else is said; ``defaults()`` is how to ask


def defaults() -> Options:
    """The options in force where nothing else is said."""
    return in_force


@contextmanager
def using(**changes: Any) -> Iterator[Options]:
    """Change the default options inside a ``with`` block.

    >>> with using(backend="reference") as options:
    ...     options.backend
    'reference'
    """
    global in_force
    before = in_force
    in_force = before.merged(changes)
    try:
        yield in_force
    finally:
        in_force = before
