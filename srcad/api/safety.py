"""The net under the compiler: whatever breaks inside srcad comes out as one kind of error.

``compiling(f)`` surrounds code generation; ``located`` adds the place of the user's function to
errors that name no line.  An exception that is no ``SrcadError`` is a bug of
srcad, never of the user's program; it becomes an ``InternalError`` at the user's line, with the
original chained.  Exceptions of the running program do not pass here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from numba.core.compiler_lock import global_compiler_lock

from srcad.callables import unwrap
from srcad.errors import InternalError, SrcadError, UnsupportedSyntax

DEPTH = 10_000  # of Python's stack while a program is compiled
LOCK: Any = global_compiler_lock
REPORT = "please report this, with the function and the types of its arguments"


@contextmanager
def compiling(f: Any) -> Iterator[None]:
    """Surrounds the compilation of ``f``, one at a time.

    Raises:
        InternalError: in place of an exception that srcad did not mean to raise.
        UnsupportedSyntax: the program nests deeper than Python's stack.
    """
    LOCK.acquire()  # Numba's own: a second lock beside it would deadlock
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEPTH))
    try:
        yield
    except SrcadError:
        raise
    except RecursionError as e:
        raise UnsupportedSyntax(
            f"{name_of(f)} nests too deeply to be compiled",
            place_of(f, e),
            "the compiler walks the program by recursion, and Python's stack is limited",
            "split long expressions, or raise the limit with sys.setrecursionlimit",
        ) from e
    except Exception as e:
        raise InternalError(
            f"srcad failed to compile {name_of(f)}: {type(e).__name__}: {e}",
            place_of(f, e),
            "this is a bug in srcad, not in your program",
            REPORT,
        ) from e
    finally:
        sys.setrecursionlimit(before)
        LOCK.release()


def located(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method whose errors name the user's function where they name no line."""

    @wraps(method)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(self, *args, **kwargs)
        except SrcadError as e:
            loc = place_of(self, e) if e.loc is None else None
            if loc is None:
                raise
            raise type(e)(e.what, loc, e.why, e.instead) from e.__cause__

    return wrapper


def name_of(f: Any) -> str:
    """What the user calls a function."""
    return getattr(innermost(f), "__name__", None) or repr(f)


def innermost(f: Any) -> Any:
    """The user's function under transforms, dispatchers and partials."""
    while hasattr(f, "inner"):
        f = f.inner
    return unwrap(f)


def place_of(f: Any, error: Exception) -> Any:
    """The statement that was being lowered, else the function."""
    loc = getattr(error, "srcad_loc", None)
    if loc is not None:
        return loc
    from srcad.frontend.source import get_source

    try:
        source = get_source(innermost(f))
    except SrcadError:
        return None
    return source.loc(source.node)
