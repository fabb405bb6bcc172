"""The CPU backend: a printed module compiled by Numba.

In: a ``Module``, or its text from the cache.  Out: the entry function's dispatcher (it compiles
itself for the types of the first call, or takes the code from the cache).  The text is registered
with ``linecache``, so that tracebacks show it.
"""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from numba.core import config, types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.dispatcher import Dispatcher
from numba.core.errors import NumbaError

from srcad.backends.base import NAMESPACE, as_tuple
from srcad.backends.relaxing import flagged, line_of
from srcad.errors import InternalError
from srcad.runtime.heap import settle

if TYPE_CHECKING:
    from srcad.backends.printer import Module
    from srcad.ir.nodes import Function
    from srcad.runtime.workspace import Workspace


def compile_module(module: Module, filename_hint: str = "srcad", cached: bool = False) -> Any:
    """Execute the module's text; the njit dispatcher of its entry function."""
    return compile_text(module.source, module.entry, filename_hint, cached, module.relaxed)


def compile_text(
    source: str, entry: str, hint: str, cached: bool, relaxed: tuple[int, ...] = ()
) -> Any:
    """Execute a module's text; the njit dispatcher of its entry function.

    Args:
        source: the text.
        entry: name of the entry function.
        hint: what the text is called in tracebacks.
        cached: whether compiled code is kept on disk.
        relaxed: which operations may be fused and reordered (``backends.relaxing``).
    """
    settle()
    filename = register(source, hint)
    # Numba resolves recursion only in functions of a module that can be found
    namespace: dict[str, Any] = {**NAMESPACE, "__name__": __name__}
    code = flagged(source, filename, relaxed) if relaxed else compile(source, filename, "exec")
    exec(code, namespace)
    meaning = source + repr(relaxed) if relaxed else source
    mark = hashlib.sha256(meaning.encode()).hexdigest()[:16]
    functions = {
        name: f
        for name, f in namespace.items()
        if isinstance(f, Dispatcher) and name not in NAMESPACE
    }
    for name, f in functions.items():
        f.py_func.__qualname__ = f"{f.py_func.__name__}_{mark}"  # else symbols of texts meet
        if not f.targetoptions.get("parallel"):
            made = partial(pipeline, functions, name, entry, bool(relaxed))
            f._compiler.pipeline_class = made  # type: ignore[attr-defined]
            f.get_call_template = partial(by_type, f.get_call_template)  # type: ignore[method-assign]
    namespace["ENTRY"] = entry  # where a call that uses a workspace begins
    if namespace.get("PACKED"):
        pack(namespace[entry])
    if cached:
        from srcad.backends.machine import Overloads

        namespace[entry]._cache = Overloads(meaning)
    return namespace[entry]


def pipeline(functions: dict[str, Any], name: str, entry: str, relaxed: bool, *args: Any) -> Any:
    """A compiler for one function of a text, loaded where there is something to compile.

    Args:
        functions: the dispatchers of the text.
        name: the function.
        entry: the one that is called from outside.
        relaxed: whether the text has relaxed operations.
        args: what Numba gives to a compiler.
    """
    from srcad.backends.inner import alone
    from srcad.backends.pipeline import Pipeline, RelaxedPipeline

    made = RelaxedPipeline(*args) if relaxed else Pipeline(*args)
    made.inner = name in alone(functions, entry)
    return made


def by_type(template: Any, args: Any, kws: Any) -> Any:
    """What a call inside the text calls: one function for constants and other numbers of a type."""
    return template(tuple(map(types.unliteral, args)), kws)


def pack(dispatcher: Any) -> None:
    """Let LLVM make vector instructions of equal operations next to each other (Numba does not,
    where it is not told to for all functions)."""
    plain = dispatcher._compiler.compile

    def compile(*args: Any) -> Any:
        with global_compiler_lock:
            before = vars(config)["SLP_VECTORIZE"]
            vars(config)["SLP_VECTORIZE"] = 1
            try:
                return plain(*args)
            finally:
                vars(config)["SLP_VECTORIZE"] = before

    dispatcher._compiler.compile = compile


def register(source: str, hint: str) -> str:
    """Make a text known to tracebacks; the file name it goes by."""
    key = hashlib.sha256(source.encode()).hexdigest()[:12]
    filename = f"<{hint} {key}>"
    lines = source.splitlines(keepends=True)
    linecache.cache[filename] = (len(source), None, lines, filename)
    return filename


class CpuBackend:
    """``cpu`` behind the protocol of ``backends.base``."""

    def build(self, fn: Function) -> Callable[..., tuple]:
        from srcad.backends.printer import emit

        return runner(compile_module(emit(fn), fn.name), fn.name, len(fn.body.yields))


def runner(
    compiled: Any, name: str, count: int, workspace: Workspace | None = None
) -> Callable[..., tuple]:
    """A dispatcher as a function that returns the tuple of its ``count`` results.

    Code that takes a workspace is called with its address, ``call.extra``.
    """
    extra = () if workspace is None else (workspace.address,)

    def call(*args: Any) -> tuple:
        try:
            return as_tuple(count, compiled(*args, *extra))
        except Exception as error:
            if not while_compiling(error):
                raise
            raise refusal(name, error) from error

    call.compiled, call.extra = compiled, extra  # type: ignore[attr-defined]
    call.workspace = workspace  # type: ignore[attr-defined]  # lives as long as what uses it
    return call


def while_compiling(error: Exception) -> bool:
    """Whether Numba raised this while it compiled, not the program while it ran."""
    if isinstance(error, NumbaError):
        return True
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_name == "_compile_for_args":
            return True
        trace = trace.tb_next
    return False


def refusal(name: str, error: Exception) -> InternalError:
    """The error for generated code that Numba does not compile: a bug of srcad."""
    at = getattr(error, "loc", None)
    place = Place(at.filename, line_of(at.line), name) if at is not None and at.line else None
    what = next((s.strip() for s in str(error).splitlines() if s.strip()), type(error).__name__)
    return InternalError(
        f"Numba cannot compile the code generated for {name}: {what}",
        place,
        "this is a bug in srcad, not in your program",
        "please report this, with the function and the types of its arguments",
    )


@dataclass(frozen=True)
class Place:
    """A line of generated code."""

    file: str
    line: int
    function: str
    col: int = 0
    end_col: int = 0
