"""Function objects: binding arguments, choosing the specialisation, calling, rebuilding results.

A ``Transformed`` stands for a transform of a user function (or of another ``Transformed``).  At a
call it binds the arguments to names, describes them by specs, looks up (or makes) the
``Specialisation`` for these specs, and runs it.  A specialisation is thrown away when a captured
number or the type of a captured array has changed.
"""

from __future__ import annotations

import inspect
import sys
import time
from collections.abc import Callable
from functools import cached_property, update_wrapper
from typing import TYPE_CHECKING, Any

import numpy as np
from numba._dispatcher import compute_fingerprint as fingerprint
from numba.core.compiler_lock import global_compiler_lock
from numba.extending import typeof_impl

from srcad import options as settings
from srcad.api.ready import Entry, Ready, plan_of
from srcad.api.safety import compiling, located, name_of
from srcad.api.specialisation import (
    Specialisation,
    captured_types,
    make,
    unchanged,
    watched,
    whole_kind,
)
from srcad.backends.base import rarely_collected
from srcad.callables import unwrap
from srcad.errors import PLAIN, TypeMismatch, UnknownFunction
from srcad.options import Options, defaults
from srcad.specs import Node, Opaque, Spec, leaves_of, parts_of, spec_of, whole_type

if TYPE_CHECKING:
    from srcad.api.outs import Route
    from srcad.backends.gate import Plan
    from srcad.cache.entries import Slot
    from srcad.compiler import Program
    from srcad.runtime.workspace import Workspace


# A program and what must not have changed for it to be the function's.  The few last ones of a
# function are kept, since one that is differentiated in one mode soon is in the other; gates, too.
Lowered = tuple["Program", tuple[Any, ...], tuple[Any, ...]]
FEW = 4


class Transformed(Entry):
    """A function made from another one; see the module docstring.

    Args:
        f: the user's function or another ``Transformed``.
        options: ``Options`` fields as keywords; others are inherited from ``f``.
    """

    label = "f"

    def __init__(self, f: Any, **options: Any) -> None:
        defaults().merged(options)  # refuses what is no option
        self.inner = f
        self._own = options
        if not callable(f):
            from srcad.frontend.values import describe_object

            raise TypeMismatch(
                f"expected a function, got {describe_object(f)}",
                instead="pass the function itself: grad(f)(x), not grad(f(x))",
            )
        self.cache: dict[Any, Specialisation] = {}
        self.quick: dict[tuple[Any, ...], tuple[Options, Specialisation]] = {}
        self.routes: dict[Any, Route] = {}  # calls with ``out``
        self.plans: tuple[Plan, ...] = ()  # of the gates before ``called``
        self.enter(self.called)
        self.ready: dict[bytes, Ready] = {}  # by the fingerprint of the arguments
        self.lowered: dict[Any, Lowered] = {}
        if not isinstance(f, Transformed):
            f = unwrap(f)
        try:
            update_wrapper(self, f, updated=())
        except (AttributeError, TypeError):
            pass
        self.__name__ = f"{self.label}({getattr(f, '__name__', 'f')})"

    @property
    def options(self) -> Options:
        """The options in force."""
        inner = self.inner.options if isinstance(self.inner, Transformed) else defaults()
        found = inner.merged(self._own)
        return found.merged({"workspace": self.memory}) if found.workspace is True else found

    @cached_property
    def memory(self) -> Workspace:
        """A workspace of its own."""
        from srcad.runtime.workspace import Workspace

        return Workspace()

    @property
    def workspace(self) -> Workspace | None:
        """The memory that is kept for the next call, with the option ``workspace``."""
        return self.options.workspace or None

    @cached_property
    def signature(self) -> inspect.Signature:
        """The user's signature."""
        if isinstance(self.inner, Transformed):
            return self.inner.signature
        try:
            return inspect.signature(unwrap(self.inner))
        except (TypeError, ValueError):
            name = getattr(self.inner, "__name__", repr(self.inner))
            raise UnknownFunction(
                f"{name} has no Python source",
                why="srcad differentiates the source code of Python functions",
                instead="call it in a Python function, and pass that",
            ) from None

    @cached_property
    def into(self) -> Callable[..., Any] | None:
        """What a call with ``out=`` does, unless the user's function has a parameter ``out``."""
        from srcad.api.outs import into

        return None if "out" in self.signature.parameters else into

    @cached_property
    def positional(self) -> tuple[str, ...] | None:
        """Names of the parameters where plain positional calls need no binding."""
        kinds = {p.kind for p in self.signature.parameters.values()}
        if kinds <= {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}:
            return tuple(self.signature.parameters)
        return None

    @located
    def bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Arguments by name, defaults filled in.

        Raises:
            TypeMismatch: they do not fit the signature.
        """
        if not kwargs and self.positional is not None and self.plain(args):
            return dict(zip(self.positional, args, strict=True))
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as e:
            raise TypeMismatch(
                f"{name_of(self)}: {e}",
                why=PLAIN,
                instead=f"call it as {name_of(self)}{self.signature}",
            ) from None
        bound.apply_defaults()
        return dict(bound.arguments)

    # compilation
    def program(self, specs: dict[str, Spec]) -> Program:
        """The program for given argument kinds (subclasses transform that of ``inner``)."""
        if isinstance(self.inner, Transformed):
            return self.inner.program(specs)
        options = self.options
        key = (options, defaults(), tuple(specs.items()))
        found = self.lowered.get(key)
        if found is None or not unchanged(*found[1:]):
            from srcad.api.inside import lowered

            made = lowered(self.inner, specs, options)
            found = made, *watched(made.guards, captured_types(made))
            if len(self.lowered) >= FEW:
                self.lowered.clear()
            self.lowered[key] = found
        return found[0]

    @located
    def specs(self, bound: dict[str, Any]) -> dict[str, Spec]:
        """The kinds of arguments bound by name."""
        bound = self.seen(bound)
        return {k: spec_of(v, f"argument {k!r}") for k, v in bound.items()}

    def seen(self, bound: dict[str, Any]) -> dict[str, Any]:
        """Arguments, with arrays of NumPy for those of the device, of the same kinds.

        Raises:
            TypeMismatch: an array of the device for a function of the processor.
        """
        from srcad.api.device_arrays import of_device

        return of_device(bound, self.options.target == "cuda")

    def specialise(self, bound: dict[str, Any]) -> Specialisation:
        """Compiled code for these arguments."""
        specs = self.specs(bound)
        key = (self.options, tuple(specs.items()))
        found = self.cache.get(key)
        if found is None or not found.valid():
            with global_compiler_lock:  # of several threads, one compiles
                found = self.cache.get(key)
                if found is None or not found.valid():
                    found = self.cache[key] = self.compile(specs)
        return found

    @located
    def compile(self, specs: dict[str, Spec]) -> Specialisation:
        """Generate and build the code for given argument kinds."""
        options, start = self.options, time.perf_counter()
        if options.verbose:
            kinds = ", ".join(f"{k}: {describe_spec(s)}" for k, s in specs.items())
            print(f"srcad: compiling {self.__name__} for ({kinds})", file=sys.stderr)
        made = self.obtain(("call",), specs, lambda: self.program(specs))
        if options.verbose:
            print(
                f"srcad: {self.__name__} generated in {time.perf_counter() - start:.2f} s",
                file=sys.stderr,
            )
        return made

    def obtain(
        self, kind: tuple[Any, ...], specs: dict[str, Spec], program: Callable[[], Program]
    ) -> Specialisation:
        """The code of ``program()``, which ``kind`` and ``specs`` decide, or from the cache."""
        slot = self.slot(kind, specs)
        face = slot.load() if slot is not None else None
        if face is not None:
            run = face.start(True, self.options)
            found = Specialisation(face, run, self.guarded(program))
            if found.valid():
                return found
        with compiling(self), rarely_collected():
            return make(program(), slot)

    def guarded(self, program: Callable[[], Program]) -> Callable[[], Program]:
        """``program`` whose failures are errors of srcad."""

        def made() -> Program:
            with compiling(self):
                return program()

        return made

    def slot(self, kind: tuple[Any, ...], specs: dict[str, Spec]) -> Slot | None:
        """The place in the cache on disk; ``None`` where the code is not kept there."""
        options = self.options
        printed = options.backend == "cpu" == options.target
        if not options.cache or options.debug or not printed:
            return None
        from srcad.cache import directory
        from srcad.cache.entries import Slot
        from srcad.cache.fingerprint import Uncacheable

        if directory() is None:
            return None
        try:
            kinds = [(name, parts_of(spec)) for name, spec in specs.items()]
            return Slot(kind, self, [options.lasting(), defaults().lasting()], kinds)
        except (Uncacheable, RecursionError) as reason:
            if options.verbose:
                print(f"srcad: {self.__name__} is not cached: {reason}", file=sys.stderr)
            return None

    @property
    def launches(self) -> bool:
        """Whether a call launches kernels, and takes a stream."""
        return self.options.target == "cuda" and "stream" not in self.signature.parameters

    def on_stream(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call on a stream of the device."""
        from srcad.api.offload import streaming

        rest = dict(kwargs)
        with streaming(rest.pop("stream")):
            return self(*args, **rest)

    def called(self, *args: Any, **kwargs: Any) -> Any:
        """A call with the arguments of the user's function that no gate has taken."""
        if kwargs:
            if "out" in kwargs and (into := self.into) is not None:
                return into(self, args, kwargs)
            if "stream" in kwargs and self.launches:
                return self.on_stream(args, kwargs)
            return self.call_bound(self.bind(args, kwargs))
        try:
            ready = self.ready.get(fingerprint(args))
        except Exception:  # arguments that Numba does not know: structures, objects
            ready = None
        if ready is None or ready.options is not settings.in_force:
            return self.prepare_call(args)
        for k, dtype in ready.arrays:
            x = args[k]
            if type(x) is not np.ndarray or x.dtype is not dtype:
                return self.prepare_call(args)
        for table, name, value in ready.names:
            if table.get(name) is not value:
                return self.prepare_call(args)
        for get, value in ready.watched:
            if get() is not value:
                return self.prepare_call(args)
        if ready.integers and not ready.fit(args):
            return self.prepare_call(args)
        if not ready.planned:
            ready.planned = True
            self.open(plan_of(ready, args))
        return ready.run(*args)

    def open(self, plan: Plan | None) -> None:
        """Put a gate for calls of one kind before all others."""
        if plan is not None:
            from srcad.backends.gate import gate

            self.plans = (plan, *self.plans)[:FEW]
            way = self.called
            for known in reversed(self.plans):
                way = gate(known, way)
            self.enter(way)

    def prepare_call(self, args: tuple[Any, ...]) -> Any:
        """Call with positional arguments; numbers and arrays are known the next time."""
        kinds = tuple(map(whole_kind, args))
        if None in kinds or not self.plain(args):
            return self.call_bound(self.bind(args, {}))
        known = self.quick.get(kinds)
        if known is None or known[0] is not defaults() or not known[1].valid():
            known = self.quick[kinds] = defaults(), self.specialise(self.bind(args, {}))
        result = known[1].simple(*args)
        self.ready[fingerprint(args)] = Ready(*known, args)
        return result

    def forget(self) -> None:
        """The next call looks for its code again."""
        self.ready.clear()
        self.routes.clear()
        self.plans = ()
        self.enter(self.called)

    def plain(self, args: tuple[Any, ...]) -> bool:
        """Whether arguments are in the order of the parameters, none left out."""
        return self.positional is not None and len(args) == len(self.positional)

    def call_bound(self, bound: dict[str, Any]) -> Any:
        """Call with arguments bound by name."""
        special = self.specialise(bound)
        leaves = [x for (k, v) in bound.items() for x in leaves_of(v, special.face.arguments[k])]
        return special(leaves)

    def source(self, *args: Any, **kwargs: Any) -> str:
        """The generated Python for these arguments (see ``srcad.source``)."""
        from srcad.api.inspect import source

        return source(self, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<srcad {self.__name__}>"

    def __reduce__(self) -> Any:
        from srcad.api.pickling import reduced

        return reduced(self)

    def state(self) -> tuple[Any, ...]:
        """What ``__init__`` needs to make an equal object."""
        return (self.inner, self._own)


@typeof_impl.register(Transformed)
def type_of(obj: Transformed, c: Any) -> Any:
    """The Numba type of a function object that njit code holds or gets."""
    from srcad.api.njit_attributes import numba_type

    return numba_type(obj)


def _remake(cls: Any, state: tuple[Any, ...]) -> Any:
    *args, options = state
    return cls(*args, **options)


def describe_spec(spec: Spec) -> str:
    """An argument kind in words, for ``verbose``."""
    whole = whole_type(spec)
    if whole is not None:
        return str(whole)
    if isinstance(spec, Node):
        return f"{spec.kind}({', '.join(map(describe_spec, spec.parts))})"
    return repr(spec.obj) if isinstance(spec, Opaque) else "?"


def as_function(f: Any, options: dict[str, Any] | None = None) -> Transformed:
    """``f`` as a function object (a plain function is wrapped)."""
    if isinstance(f, Transformed) and not options:
        return f
    return Transformed(f, **(options or {}))
