"""Compiled code for one set of argument kinds: what a call needs, and nothing of the compiler.

A ``Face`` is what is left of a program when its code is generated: the text, how results are put
together, what was captured and must keep its value.  It is what the cache on disk holds, so that
a call in another process starts here.  The program itself is made again where somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from itertools import count
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from srcad.backends.base import NAMESPACE
from srcad.errors import TypeMismatch
from srcad.ir.types import ArrayT, Scalar, is_complex
from srcad.paths import Path
from srcad.specs import Leaf, Node, Spec, array_type, pairs, unpaired, whole_type
from srcad.specs import build as container

if TYPE_CHECKING:
    from srcad.compiler import Program
    from srcad.ir.nodes import Function
    from srcad.options import Options


Guards = tuple[tuple[Path, Any], ...]
Captures = tuple[tuple[Path, ArrayT], ...]


@dataclass(frozen=True)
class Face:
    """A program seen from outside.

    ``text`` and ``entry`` are the generated module and its function (for the ``cpu`` backend),
    ``written`` the positions of the array parameters that the code writes, ``messages`` the texts
    of exceptions that show numbers, ``draws`` whether random numbers are drawn.  The types of
    captured arrays are those that the user sees: complex arrays are complex, not pairs.
    """

    name: str
    loc: tuple[Any, ...]
    arguments: dict[str, Spec]
    out: Spec
    params: tuple[str, ...]
    results: int
    written: tuple[int, ...]
    draws: bool
    captures: Captures
    guards: Guards
    messages: dict[str, int]
    hint: str = ""
    text: str = ""
    entry: str = ""
    relaxed: tuple[int, ...] = ()
    pooled: bool = False  # the last parameter is a workspace

    def start(self, cached: bool, options: Options) -> Callable[..., tuple[Any, ...]]:
        """The function that the text defines, compiled at its first call."""
        from srcad.backends.cpu import compile_text, runner

        compiled = compile_text(self.text, self.entry, self.hint, cached, self.relaxed)
        where = options.workspace if self.pooled else None
        run = runner(compiled, self.hint, self.results, where)
        if self.messages:
            from srcad.messages import filling

            return filling(run, self.messages)
        return run


def face_of(program: Program, printed: bool) -> Face:
    """What a call of a program needs; with its text, where it is to be compiled."""
    from srcad.messages import templates
    from srcad.transforms.draws import draws

    fn = program.fn
    face = Face(
        program.source.name,
        astuple(program.source.loc(program.source.node)),
        program.arguments,
        program.out,
        tuple(p.name for p in fn.params),
        len(fn.body.yields),
        written_arrays(fn),
        bool(draws(fn)),
        captured_types(program),
        program.guards,
        templates(fn),
        fn.name,
    )
    if printed:
        from srcad.backends.printer import emit
        from srcad.compiler import finished

        fn = finished(program)
        module = emit(fn)
        text, entry, relaxed = module.source, module.entry, module.relaxed
        return replace(face, text=text, entry=entry, relaxed=relaxed, pooled=bool(fn.workspace))
    return face


def captured_types(program: Program) -> Captures:
    """Where captured arrays stand, and what the user sees there."""
    return tuple((c.path, (c.value or c.var).type) for c in program.captures)  # type: ignore[misc]


def watched(guards: Guards, captures: Captures) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """What ``unchanged`` compares: frozen values; captured arrays as they are now, their types."""
    checks = tuple((path.get, value) for path, value in guards)
    return checks, tuple((path.get, path(), t) for path, t in captures)


def unchanged(checks: tuple[Any, ...], arrays: tuple[Any, ...]) -> bool:
    """Whether frozen values are what they were, and captured arrays of the same type."""
    for get, value in checks:
        try:
            now = get()
        except Exception:
            return False
        if now is not value and (type(now) is not type(value) or now != value):
            if not (now != now and value != value):
                return False
    for get, array, t in arrays:
        now = get()
        if now is not array and not (isinstance(now, np.ndarray) and same_kind(now, t)):
            return False
    return True


def written_arrays(fn: Function) -> tuple[int, ...]:
    """Positions of the array parameters that a function writes."""
    from srcad.analyses.summaries import summary_of

    summary = summary_of(fn)
    return tuple(
        k
        for k, (p, w) in enumerate(zip(fn.params, summary.writes, strict=True))
        if w and isinstance(p.type, ArrayT)
    )


class Specialisation:
    """Compiled code for one set of argument kinds.

    Args:
        face: what a call needs.
        run: the compiled function of the leaves of the arguments.
        remake: makes the program again.
    """

    def __init__(
        self, face: Face, run: Callable[..., tuple[Any, ...]], remake: Callable[[], Program]
    ) -> None:
        self.face, self.run, self.remake = face, run, remake
        self.restore = restorer(face.out, count())
        self.kept = tuple(path() for path, _ in face.captures)  # the arrays captured at first
        self.fetch = tuple(fetching(path, t) for path, t in face.captures)
        self.checks, self.arrays = watched(face.guards, face.captures)

    @cached_property
    def program(self) -> Program:
        """The program, made again where the code came from the cache."""
        return self.remake()

    def valid(self) -> bool:
        """Whether the captured numbers still have the values that were frozen."""
        return unchanged(self.checks, self.arrays)

    def captured(self) -> tuple[Any, ...]:
        """The captured arrays as they are now."""
        return tuple([get() for get in self.fetch])

    @property
    def compiled(self) -> Callable[..., Any] | None:
        """The compiled function, where nothing is to be checked before a call of it."""
        return None if self.face.written else getattr(self.run, "compiled", None)

    @property
    def extra(self) -> tuple[Any, ...]:
        """What the compiled function takes after the captured arrays: the workspace's address."""
        return getattr(self.run, "extra", ())

    @cached_property
    def spread(self) -> Callable[..., tuple[Any, ...]] | None:
        """From arguments that are numbers and arrays to leaves; ``None`` where they are leaves."""
        specs = list(self.face.arguments.values())
        names: dict[str, Any] = {"f8": np.dtype(np.float64), "f4": np.dtype(np.float32)}
        leaves = [leaf_text(f"a{k}", spec) for k, spec in enumerate(specs)]
        if not any(is_complex(t) for t in map(whole_type, specs) if t is not None):
            return None
        given = ", ".join(f"a{k}" for k in range(len(specs)))
        made: Callable[..., Any] = eval(f"lambda {given}: ({', '.join(leaves)},)", names)
        return made

    def simple(self, *args: Any) -> Any:
        """``__call__`` with arguments that are numbers and arrays, one by one."""
        return self(args if self.spread is None else self.spread(*args))

    def __call__(self, leaves: Sequence[Any]) -> Any:
        """Run on the leaves of the arguments; the structured result."""
        if self.fetch:
            leaves = [*leaves, *self.captured()]
        if self.face.written:
            check_overlap(self.face, leaves)
        return self.restore(self.run(*leaves))


def fetching(path: Path, t: ArrayT) -> Callable[[], Any]:
    """A function that gives the captured array of this moment as compiled code takes it."""
    get = path.get
    return (lambda: pairs(get())) if is_complex(t) else get


def make(program: Program, slot: Any = None) -> Specialisation:
    """Build the code of a program, and keep it in the place of the cache that is given."""
    from srcad.compiler import build

    if program.options.target == "cuda":
        from srcad.api.offload import Offload

        return Specialisation(face_of(program, False), Offload(program), lambda: program)
    compiled = program.options.backend == "cpu" and not program.options.debug
    if slot is None and not (compiled and program.options.workspace):
        return Specialisation(face_of(program, False), build(program), lambda: program)
    face = face_of(program, True)
    known = slot is not None and not any(name in face.text for name in NAMESPACE)
    if known:  # and does not call what only is here
        slot.store(face)
    return Specialisation(face, face.start(known, program.options), lambda: program)


def leaf_text(name: str, spec: Spec) -> str:
    """The leaves of an argument that is a number or an array, as text."""
    if isinstance(spec, Node):
        return f"{name}.real, {name}.imag"
    if isinstance(spec, Leaf) and spec.part:
        assert isinstance(spec.type, ArrayT)
        return f"{name}[..., None].view({spec.type.dtype})"  # ``specs.pairs``, its dtype known
    return name


def kind_of(x: Any) -> Any:
    """What decides the compiled code for a real number or array, quick to have; else ``None``."""
    kind = whole_kind(x)
    if kind in _COMPLEX or kind.__class__ is tuple and kind[0].kind == "c":
        return None
    return kind


def whole_kind(x: Any) -> Any:
    """The same for complex ones too, which are no leaves."""
    kind = type(x)
    if kind is np.ndarray:
        return x.dtype, x.ndim, x.flags.num
    if kind is int:
        return kind if -(1 << 63) <= x < 1 << 63 else None
    return kind if kind in _NUMBERS or kind in _COMPLEX else None


_NUMBERS = {float, bool, np.float64, np.float32, np.int64, np.int32, np.bool_}
_COMPLEX = {complex, np.complex128, np.complex64}


def same_kind(a: np.ndarray, t: ArrayT) -> bool:
    """Whether a captured array can stand for the one that was compiled for."""
    try:
        now = array_type(a, "a captured array")
    except TypeMismatch:
        return False
    return (now.dtype, now.ndim, now.layout) == (t.dtype, t.ndim, t.layout)


def check_overlap(face: Face, leaves: Sequence[Any]) -> None:
    """Arguments that are written must not share memory with others.

    Raises:
        TypeMismatch: they do, so the derivative with respect to each is not defined.
    """
    from srcad.ir.nodes import Loc

    arrays = [(k, a) for k, a in enumerate(leaves) if isinstance(a, np.ndarray)]
    for k in face.written:
        if repeats(leaves[k]):
            raise TypeMismatch(
                f"{face.name} writes to {face.params[k]!r}, whose elements share memory",
                Loc(*face.loc),
                "a change of one would change others, so none has a derivative of its own",
                "pass a copy",
            )
        for j, b in arrays:
            if j != k and np.may_share_memory(leaves[k], b) and np.shares_memory(leaves[k], b):
                raise TypeMismatch(
                    f"{face.name} writes to {face.params[k]!r}, which overlaps "
                    f"{face.params[j]!r} in memory",
                    Loc(*face.loc),
                    "a change of one would change the other, so neither has a derivative of its "
                    "own",
                    "pass a copy",
                )


def repeats(a: np.ndarray) -> bool:
    """Whether two elements of an array are one place in memory (``as_strided`` can do that).

    >>> x = np.arange(5.0)
    >>> windows = np.lib.stride_tricks.as_strided(x, (4, 2), (8, 8))
    >>> repeats(x[::-2]), repeats(windows), repeats(windows[::2])
    (False, True, False)
    """
    if a.flags.c_contiguous or a.flags.f_contiguous or a.size < 2:
        return False
    span, nested = a.itemsize, True
    for step, n in sorted((abs(s), n) for s, n in zip(a.strides, a.shape, strict=True) if n > 1):
        nested &= step >= span
        span += (n - 1) * step
    if nested:
        return False
    places = np.zeros(a.shape, np.int64)
    for axis, (step, n) in enumerate(zip(a.strides, a.shape, strict=True)):
        places += step * np.arange(n).reshape(n, *(1,) * (a.ndim - 1 - axis))
    ordered = np.sort(places, axis=None)
    return bool((np.diff(ordered) < a.itemsize).any())


def restorer(spec: Spec, leaf: Iterator[int]) -> Callable[[Sequence[Any]], Any]:
    """A function that makes a result from its leaves (``leaf`` counts their positions)."""
    if isinstance(spec, Leaf):
        k = next(leaf)
        if isinstance(spec.type, Scalar):
            number = _SCALARS[spec.type.kind]
            return lambda leaves: number(leaves[k])
        if spec.part == "pairs":
            return lambda leaves: unpaired(leaves[k])
        return itemgetter(k)
    if isinstance(spec, Node):
        parts = [restorer(p, leaf) for p in spec.parts]
        if spec.kind == "swapped":
            first, second = parts
            return lambda leaves: (second(leaves), first(leaves))
        if spec.cls is tuple:
            return lambda leaves: tuple([part(leaves) for part in parts])
        return lambda leaves: container(spec, [part(leaves) for part in parts])
    obj = spec.obj
    return lambda leaves: obj


_SCALARS: dict[str, Callable[[Any], Any]] = {"f8": float, "f4": np.float32, "i8": int, "b1": bool}
