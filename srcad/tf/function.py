"""``tf.function``: runs eagerly at first, compiled when it has become worth it.

The first call of a signature runs eagerly; then the function is traced (``tracing``), tapes and
optimizer steps included, and from then on ``f.compiled`` is true.  Once eager calls have taken
``PATIENCE`` seconds Numba compiles the trace on another thread (``background``), while calls go
on eagerly; the results are the same but for rounding.  A function that cannot be traced, or whose
compiled calls are slower, runs eagerly for ever and says so once in the log.  Under an active tape
a function always runs eagerly, so
that the tape can record it.

Python values among the arguments, and in what the function refers to, are constants of a
specialization, as in TensorFlow; variables are read and written.
"""

from __future__ import annotations

import functools
import inspect
import logging
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.tape import nest
from srcad.tape.convert import to_tensor
from srcad.tape.places import HOST, asked, place_of
from srcad.tape.shapes import TensorSpec
from srcad.tape.state import STATE
from srcad.tape.tensor import Tensor
from srcad.tf import background
from srcad.tf.devices import GPU, on_host
from srcad.tf.graphs import Graph
from srcad.tf.programs import PathRaises, Program
from srcad.tf.symbolic import NotTraceable
from srcad.tf.tracing import trace

LOG = logging.getLogger("srcad")
PATIENCE = 0.02  # seconds of eager work after which Numba is called
RUNS = 6  # compiled calls after which they are compared with eager ones
LIMIT = 16  # specializations of one function
EAGER = False  # run_functions_eagerly
BACKGROUND = True  # compile on another thread


class Entry:
    """What is known of one signature: the program if there is one, and what calls cost."""

    def __init__(self) -> None:
        self.program: Program | None = None
        self.job: background.Job | None = None  # that compiles the program
        self.given_up = False
        self.spent = 0.0  # seconds of eager calls
        self.eager = math.inf  # the shortest eager call
        self.runs: list[float] = []  # compiled calls, the first with compilation

    def is_ready(self) -> bool:
        """Whether the program is compiled, or may be now; raises what compiling raised."""
        if self.job is None or not self.job.done:
            return self.job is None
        if self.job.error is not None:
            raise self.job.error
        return True

    def is_worth_it(self, program: Program) -> bool:
        """Whether to compile: for the device always, eager operations need kernels there, too."""
        return program.on_device or self.spent >= PATIENCE

    def is_slower(self) -> bool:
        """Whether compiled calls have turned out to take longer than eager ones."""
        return len(self.runs) == RUNS and min(self.runs) > 1.2 * self.eager


class Function:
    """A Python function decorated with ``tf.function``."""

    def __init__(self, python_function: Callable[..., Any], input_signature: Any = None) -> None:
        self.python_function = python_function
        self.input_signature = None if input_signature is None else tuple(input_signature)
        self._entries: dict[Any, Entry] = {}
        self._told = False
        functools.update_wrapper(self, python_function)

    @property
    def compiled(self) -> bool:
        """Whether every signature called so far has a compiled form."""
        entries = self._entries.values()
        return bool(entries) and all(e.program is not None for e in entries)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(None, args, kwargs)

    def _run(self, owner: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.input_signature is not None:
            args, kwargs = self._checked(args, kwargs, owner is not None), {}
        bound = args if owner is None else (owner, *args)
        if STATE.trace is not None or STATE.tapes or EAGER:
            return self._eagerly(bound, kwargs)
        bound, kwargs = nest.map_structure(_array_as_tensor, (list(bound), kwargs))
        entry = self._entry(bound, kwargs)
        if entry is None or entry.given_up:
            return self._eagerly(bound, kwargs)
        program = entry.program
        if program is None or not program.fits() or not entry.is_worth_it(program):
            return self._timed(entry, bound, kwargs)
        try:
            if not entry.is_ready():
                return self._timed(entry, bound, kwargs)
            return self._compiled_call(entry, program, _tensors(bound, kwargs))
        except (IndexError, PathRaises):  # an eager call raises the error, with its message
            return self._eagerly(bound, kwargs)
        except Exception as error:
            self._give_up(entry, error)
            return self._eagerly(bound, kwargs)

    def _compiled_call(self, entry: Entry, program: Program, tensors: list[Tensor]) -> Any:
        """A compiled call; the first ones are timed."""
        if len(entry.runs) >= RUNS or program.on_device:
            return program.run(tensors)
        start = time.thread_time()
        result = program.run(tensors)
        entry.runs.append(time.thread_time() - start)
        if entry.is_slower():
            self._give_up(entry, NotTraceable("compiled code is slower"))
        return result

    def _timed(self, entry: Entry, args: Any, kwargs: Any) -> Any:
        """An eager call, and the tracing after the first one."""
        start = time.thread_time()
        with on_host():  # no kernels for operations that are compiled together soon
            result = self._eagerly(args, kwargs)
        seconds = time.thread_time() - start
        entry.spent, entry.eager = entry.spent + seconds, min(entry.eager, seconds)
        if entry.program is None and not entry.given_up:
            self.prepare_entry(entry, args, kwargs)
        if entry.program is None or entry.program.on_device:
            return result
        if BACKGROUND and entry.spent >= PATIENCE:
            entry.job = entry.job or background.submit(entry.program.compile)
        return result

    def prepare_entry(self, entry: Entry, args: Any, kwargs: Any) -> None:
        """Trace the function for these arguments."""
        try:
            graph = trace(self.python_function, args, kwargs)
            entry.program = program_of(graph, _tensors(args, kwargs))
        except Exception as error:  # whatever the program does when it is given no values
            self._give_up(entry, error)

    def _give_up(self, entry: Entry, error: Exception) -> None:
        entry.program, entry.given_up = None, True
        if not self._told:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            LOG.info("%s runs eagerly: %s", self.__name__, reason)  # type: ignore[attr-defined]
            self._told = True

    def _eagerly(self, args: Any, kwargs: Any) -> Any:
        return nest.map_structure(_as_result, self.python_function(*args, **kwargs))

    def _entry(self, args: Any, kwargs: Any) -> Entry | None:
        key = nest_key((args, kwargs)), asked()
        if key not in self._entries:
            if len(self._entries) >= LIMIT:
                return None
            self._entries[key] = Entry()
        return self._entries[key]

    def _checked(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], method: bool
    ) -> tuple[Any, ...]:
        """The arguments as tensors that fit the signature."""
        names = list(inspect.signature(self.python_function).parameters)[method:]
        given = (*args, *(kwargs[n] for n in names[len(args) :] if n in kwargs))
        assert self.input_signature is not None
        if len(given) != len(self.input_signature):
            raise TypeError(
                f"{self.__name__} takes {len(self.input_signature)} arguments, "  # type: ignore[attr-defined]
                f"got {len(given)}"
            )
        return tuple(map(_fitted, given, self.input_signature))

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> Function:
        """The function itself (it keeps all specializations)."""
        return self

    def __get__(self, instance: Any, owner: Any) -> Any:
        return self if instance is None else Method(self, instance)


class Method:
    """A decorated function bound to an object."""

    def __init__(self, function: Function, instance: Any) -> None:
        self.__func__, self.__self__ = function, instance
        self.__name__ = function.__name__  # type: ignore[attr-defined]

    @property
    def compiled(self) -> bool:
        """Whether the function is compiled."""
        return self.__func__.compiled

    @property
    def input_signature(self) -> Any:
        """The declared argument types."""
        return self.__func__.input_signature

    @property
    def python_function(self) -> Callable[..., Any]:
        """The function that was decorated."""
        return functools.partial(self.__func__.python_function, self.__self__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__func__._run(self.__self__, args, kwargs)

    def get_concrete_function(self, *args: Any, **kwargs: Any) -> Method:
        """The method itself."""
        return self


def function(
    func: Callable[..., Any] | None = None,
    input_signature: Any = None,
    autograph: bool = True,
    jit_compile: Any = None,
    reduce_retracing: bool = False,
    **experimental: Any,
) -> Any:
    """Decorate a function."""
    if func is None:
        return functools.partial(function, input_signature=input_signature)
    return func if isinstance(func, Function) else Function(func, input_signature)


def program_of(graph: Graph, tensors: list[Tensor]) -> Program:
    """The program of a graph: on the device if anything of it is there, or shall be."""
    values = [t._value for t in (*tensors, *(v._tensor for v in graph.variables))]
    wanted = asked()
    here = GPU in graph.places or any(place_of(v) is GPU for v in values)
    if wanted is GPU or (here and wanted is not HOST):
        from srcad.tf.device_programs import DeviceProgram

        return DeviceProgram(graph, tensors)
    return Program(graph)


def _fitted(value: Any, spec: Any) -> Any:
    if not isinstance(spec, TensorSpec):
        return nest.map_structure(_fitted, value, spec)
    tensor = to_tensor(value, hint=spec.dtype._np)
    if not spec.is_compatible_with(tensor):
        own = TensorSpec(tensor.shape, tensor.dtype)
        raise TypeError(
            f"Binding inputs to tf.function failed due to `Can not cast {own!r} to {spec!r}`."
        )
    return tensor


def nest_key(value: Any) -> Any:
    """What distinguishes signatures: types of tensors, Python values, identity of objects."""
    if nest.is_nested(value):
        parts = sorted(value.items()) if isinstance(value, dict) else enumerate(value)
        return type(value), tuple((k, nest_key(v)) for k, v in parts)
    if type(value) is Tensor:
        return value._value.shape, value._value.dtype, place_of(value._value).name
    if value is None or isinstance(value, bool | int | float | str):
        return type(value), repr(value)
    return _Held(value)


class _Held:
    """An object as part of a key: itself, kept alive."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and self.value is other.value


def _array_as_tensor(value: Any) -> Any:
    return to_tensor(value) if isinstance(value, np.ndarray | np.generic) else value


def _tensors(args: Any, kwargs: Any) -> list[Tensor]:
    return [x for x in nest.flatten((args, kwargs)) if type(x) is Tensor]


def _as_result(value: Any) -> Any:
    """Numbers that a function returns are tensors."""
    return to_tensor(value) if isinstance(value, int | float) else value


def run_functions_eagerly(run_eagerly: bool) -> None:
    """Whether functions shall never be compiled."""
    global EAGER
    EAGER = bool(run_eagerly)


def functions_run_eagerly() -> bool:
    """Whether functions are never compiled."""
    return EAGER


def executing_eagerly() -> bool:
    """Whether operations have values at once: not while a function is traced."""
    return STATE.trace is None
