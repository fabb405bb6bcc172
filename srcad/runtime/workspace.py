"""``Workspace``: memory for the arrays of generated code, kept between calls.

What a call allocates that is large (``LARGE``) comes from the system page by page: the pages are
cleared and mapped at the first touch, and given back at the end.  With ``workspace`` memory that no
array uses any more waits for the next call.  Code that is compiled for it has the address of the
pool as an argument; the array allocations in it (``backends.allocating``) ask the pool.

Invariant: memory belongs to one array at a time, from its allocation until the last reference to it
is gone, in whatever thread; results are therefore the caller's for as long as he likes.  A pool
outlives its arrays.  An array of a call that ends in an exception is lost, as Numba loses it.
"""

from __future__ import annotations

import ctypes
import weakref
from functools import cache
from typing import Any, NamedTuple

import llvmlite.binding as llvm

from srcad.errors import TypeMismatch
from srcad.runtime.pool_code import API, FIELDS, text

LARGE = 1 << 16  # bytes of an array, from which on its memory is kept
TYPELESS = 16  # the first version of LLVM whose pointers have no types
SYMBOLS = ("srcad_begin", "srcad_take", "srcad_give")  # what compiled code calls


class Workspace:
    """Memory that derivatives use again at their next call, instead of asking the system for it.

    ``grad(f, workspace=True)`` has one of its own (``.workspace``); a ``Workspace`` given as the
    option is shared by all functions that it is given to, also from several threads.

    Args:
        limit: bytes that are kept at most while no array uses them; else as much as a call of the
            last ones asked for.

    Raises:
        TypeMismatch: the limit is no number of bytes.

    >>> import numpy as np
    >>> import srcad
    >>> from srcad.examples import square_sum
    >>> g = srcad.grad(square_sum, workspace=True)
    >>> x = g(np.ones(100_000))  # a result is the caller's,
    >>> g.workspace.kept, g.workspace.lent
    (0, 802816)
    >>> del x  # and its memory the next call's
    >>> g.workspace.kept, g.workspace.lent
    (802816, 0)
    >>> g.workspace.release()
    >>> g.workspace.bytes
    0
    """

    def __init__(self, limit: int | None = None) -> None:
        if limit is not None and (type(limit) is not int or limit < 0):
            raise TypeMismatch(
                f"limit={limit!r} of a workspace", instead="give a number of bytes, or None"
            )
        self.limit = limit
        functions = code()
        self.address = functions.new(limit)
        self._end = weakref.finalize(self, functions.close, self.address)
        self._end.atexit = False

    @property
    def kept(self) -> int:
        """Bytes that wait for the next call."""
        return self._read("kept")

    @property
    def lent(self) -> int:
        """Bytes that arrays use now: those of calls in progress, and results that are alive."""
        return self._read("lent")

    @property
    def bytes(self) -> int:
        """Bytes that it has from the system."""
        return self.kept + self.lent

    @property
    def peak(self) -> int:
        """The most bytes that it has had from the system."""
        return self._read("peak")

    @property
    def allocations(self) -> int:
        """How often it has asked the system for memory."""
        return self._read("misses")

    def release(self) -> None:
        """Give what is kept back to the system; arrays stay as they are."""
        code().release(self.address)

    def _read(self, field: str) -> int:
        return ctypes.c_int64.from_address(self.address + 8 * FIELDS.index(field)).value

    def __repr__(self) -> str:
        return f"<srcad workspace: {self.kept:,} bytes kept, {self.lent:,} in use>"

    def __reduce__(self) -> Any:
        return Workspace, (self.limit,)


class Code(NamedTuple):
    """What Python calls."""

    release: Any
    close: Any

    def new(self, limit: int | None) -> int:
        """The address of a new pool."""
        made = int(foreign("PyMem_RawCalloc", ctypes.c_void_p, len(FIELDS), 8))
        words = (ctypes.c_int64 * len(FIELDS)).from_address(made)
        words[FIELDS.index("lock")] = foreign("PyThread_allocate_lock", ctypes.c_void_p)
        words[FIELDS.index("limit")] = -1 if limit is None else limit  # as unsigned: none
        return made


def foreign(name: str, result: Any, *args: int) -> Any:
    """Call a function of the interpreter."""
    function = getattr(ctypes.pythonapi, name)
    function.restype, function.argtypes = result, [ctypes.c_size_t] * len(args)
    return function(*args)


@cache
def code() -> Code:
    """The functions, made once in a process; those that compiled code calls have symbols."""
    for name in API:
        address = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
        llvm.add_symbol(name, address)
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(opt=2, jit=True, codemodel="jitdefault")
    module = llvm.parse_assembly(text(typed=llvm.llvm_version_info[0] < TYPELESS))
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(engine))  # arrays may outlive the interpreter
    for name in SYMBOLS:
        llvm.add_symbol(name, engine.get_function_address(name))
    kind = ctypes.CFUNCTYPE(None, ctypes.c_int64)
    return Code(*(kind(engine.get_function_address(f"srcad_{n}")) for n in Code._fields))
