"""What stands behind a callable: dispatchers, methods, partials, callable objects."""

from __future__ import annotations

import inspect
import types
from functools import partial
from typing import Any


def unwrap(f: Any) -> Any:
    """The plain Python function under njit dispatchers and srcad objects."""
    seen = 0
    while seen < 10:
        seen += 1
        inner = getattr(f, "__srcad_function__", None) or getattr(f, "py_func", None)
        if type(f).__name__ == "FakeCUDAKernel":  # what the simulator of CUDA makes of a function
            inner = f.fn
        if inner is None:
            return f
        f = inner
    return f


def call_parts(f: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """A callable as (function, leading arguments, keyword arguments): methods and partials."""
    args: tuple[Any, ...] = ()
    keywords: dict[str, Any] = {}
    while True:
        if isinstance(f, partial):
            args, keywords = (*f.args, *args), {**f.keywords, **keywords}
            f = f.func
        elif inspect.ismethod(f):
            args, f = (f.__self__, *args), f.__func__
        elif unwrap(f) is not f:
            f = unwrap(f)
        elif not isinstance(
            f, (types.FunctionType, type, types.BuiltinFunctionType)
        ) and isinstance(inspect.getattr_static(type(f), "__call__", None), types.FunctionType):
            args, f = (f, *args), type(f).__call__
        else:
            return f, args, keywords
