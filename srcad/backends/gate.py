"""What stands before compiled code at a call from Python: a comparison in machine code.

In: a ``Plan``, which says what arguments compiled code was made for and which values must not have
changed.  Out (``gate``): a built-in function that compares each call with the plan.  Where all is
as planned, it calls Numba's entry point; else ``slow`` with the same arguments.  Written in Python,
the comparisons take longer than a short gradient; here they take about as long as Numba's own
dispatcher needs to find the code, and that one is not asked.

Invariant: compiled code gets only arguments of the exact Python types of the plan, arrays of its
rank, layout, dtype and byte order, integers of 64 bits.  What the plan refers to lives as long as
the function.
Method: code for LLVM that calls public functions of the interpreter; it is made once and serves all
plans.  It relies on where an object has its type and on the fields of an array (NumPy's ABI); both
are compared with what Python says before the first use.  Where they differ, on 32 bits and in
interpreters other than CPython with its global lock, ``gate`` gives ``slow`` back.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from numba import typeof

from srcad.backends.gate_code import API, text
from srcad.backends.gate_parts import (
    ARRAY,
    DTYPE,
    FLAGS,
    GROUP,
    HEAD,
    INTEGER,
    ITEM,
    NO_OUT,
    NUMBER,
    ORDER,
    OUT_OTHER,
    OUT_TUPLES,
    PLACE,
    PLAIN,
    RANK,
    SINGLE,
    TYPE,
    VALUE,
    WHOLE,
)

__all__ = ["GROUP", "ITEM", "PLACE", "SINGLE", "WHOLE", "Into", "Plan", "entry_point", "gate"]
OUT = "out"
TYPELESS = 16  # the first version of LLVM whose pointers have no types
TWINS = (
    (float, np.float64),
    (int, np.int64),
    (bool, np.bool_),
    (complex, np.complex128),
)  # one type for compiled code
PLACED = 0x2 | 0x100 | 0x400  # flags of an array: Fortran order, aligned, writable
IN_ORDER = 0x1  # C order
VARARGS_KEYWORDS = 0x1 | 0x2


@dataclass(frozen=True)
class Into:
    """How a call with ``out`` goes.

    ``arrays`` says how many of the arguments come from ``out``.  Where the plan has no ``shape``,
    ``leaves`` makes a tuple of them, and ``finish`` of the plan gets what the code returns and
    ``out``.  ``explain`` gets an exception of the code and raises a better one, or returns.
    """

    arrays: int
    leaves: Callable[[Any], tuple[Any, ...]]
    explain: Callable[[BaseException], None]


@dataclass(frozen=True)
class Plan:
    """What a call is compared with, and what is called.

    ``entry`` is Numba's entry point; ``args`` are the arguments of a call that it serves; ``names``
    dicts, keys and the objects that must be there; ``watched`` functions and what they must return;
    ``extra`` further arguments.  The result is what the code returns, put together as ``shape``
    says (parts of a tree of tuples, each before its own, two numbers a part: ``GROUP`` of so many,
    ``WHOLE``, ``ITEM`` k of what the code returns, ``PLACE`` k: an array of ``out``; ``SINGLE`` 0
    makes a float32 of the part after it), or else by ``finish``.  ``spread`` makes what compiled
    code takes of the arguments, where they are something else.  With ``into`` it serves calls with
    the one keyword ``out``, of which come the last of ``args``.
    """

    entry: Any
    args: tuple[Any, ...]
    names: tuple[tuple[Any, ...], ...] = ()
    watched: tuple[tuple[Callable[[], Any], Any], ...] = ()
    extra: tuple[Any, ...] = ()
    shape: tuple[int, ...] = ()
    finish: Callable[..., Any] | None = None
    into: Into | None = None
    spread: Callable[..., tuple[Any, ...]] | None = None


def gate(plan: Plan, slow: Callable[..., Any]) -> Callable[..., Any]:
    """A function that calls ``plan.entry`` with arguments like those of the plan, else ``slow``.

    >>> from numba import njit
    >>> twice = njit("f8(f8)")(lambda x: 2 * x)
    >>> f = gate(Plan(entry_point(twice, (1.0,)), (1.0,)), lambda *args, **names: "slow")
    >>> f(3.0), f("a"), f(), f(x=1.0)
    (6.0, 'slow', 'slow', 'slow')
    """
    method = machine_code()
    if method is None:
        return slow
    new = ctypes.pythonapi.PyCFunction_NewEx
    new.restype, new.argtypes = (
        ctypes.py_object,
        [ctypes.c_void_p, ctypes.py_object, ctypes.c_void_p],
    )
    made: Callable[..., Any] = new(ctypes.addressof(method), (layout(plan), slow, plan), None)
    return made


def entry_point(compiled: Any, args: tuple[Any, ...]) -> Any:
    """What a dispatcher calls for these arguments; ``None`` where it was not compiled for them."""
    found = compiled.overloads.get(tuple(map(typeof, args)))
    return None if found is None else found.entry_point


def layout(plan: Plan) -> bytes:
    """The plan as machine code reads it: numbers and addresses of eight bytes."""
    rows = [word for x in plan.args for word in row(x)]
    names = [id(x) for entry in plan.names for x in entry]
    watched = [id(x) for entry in plan.watched for x in entry]
    into, address = plan.into, ctypes.pythonapi.PyCFunction_GetFunction
    address.restype, address.argtypes = ctypes.c_void_p, [ctypes.py_object]
    words = [
        address(plan.entry),
        id(plan.entry.__self__),
        id(plan.extra) if plan.extra else 0,
        0 if plan.finish is None else id(plan.finish),
        *map(len, (plan.args, plan.names, plan.watched)),
        NO_OUT if into is None else OUT_TUPLES if plan.shape else OUT_OTHER,
        *map(id, (OUT, tuple, None)),
        *((0, 0, 0) if into is None else (into.arrays, id(into.leaves), id(into.explain))),
        HEAD + 8 * len(rows + names + watched) if plan.shape else 0,
        0 if plan.spread is None else id(plan.spread),
    ]
    words += [*rows, *names, *watched]
    for kind, x in zip(plan.shape[::2], plan.shape[1::2], strict=True):
        words += [kind, id(np.float32) if kind == SINGLE else x]
    return struct.pack(f"{len(words)}q", *words)


def row(x: Any) -> tuple[int, ...]:
    """An argument in words: kind, types, and what an array is compared in."""
    kind = type(x)
    if kind is np.ndarray:
        flags = x.flags.num
        mask = PLACED & ~0x2 | IN_ORDER if flags & IN_ORDER else PLACED | IN_ORDER
        order = ord(x.dtype.byteorder)
        return ARRAY, id(kind), id(kind), x.ndim, mask, flags & mask, x.dtype.num, order
    twins = next((pair for pair in TWINS if kind in pair), (kind, kind))
    return INTEGER if int in twins else PLAIN, *map(id, twins), 0, 0, 0, 0, 0


@cache
def machine_code() -> Method | None:
    """The function before all compiled code, as the interpreter wants methods described."""
    if not as_expected():
        return None
    for name in API:
        address = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
        llvm.add_symbol(name, address)
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(opt=2, jit=True, codemodel="jitdefault")
    code = llvm.parse_assembly(text(typed=llvm.llvm_version_info[0] < TYPELESS))
    engine = llvm.create_mcjit_compiler(code, machine)
    engine.finalize_object()
    method = Method(b"gate", engine.get_function_address("gate"), VARARGS_KEYWORDS, None)
    for lasting in (engine, method):  # functions look at both when the interpreter takes them down
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(lasting))
    return method


class Method(ctypes.Structure):
    """``PyMethodDef``."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def as_expected() -> bool:
    """Whether objects, arrays and dtypes are laid out as the code assumes."""
    if platform.python_implementation() != "CPython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return False
    if struct.calcsize("P") != 8 or object.__basicsize__ != TYPE + 8:
        return False
    one = np.float32(0.1)
    if np.float32.__basicsize__ != VALUE + 8 or np.float32.__itemsize__:
        return False
    if ctypes.c_float.from_address(id(one) + VALUE).value != float(one):
        return False
    return all(map(array_as_expected, (np.zeros((2, 3), "f4").T, np.zeros((1, 2, 3), ">i2"))))


def array_as_expected(x: np.ndarray) -> bool:
    """Whether the fields of an array are where the code reads them."""

    def read(kind: Any, base: int, offset: int) -> int:
        found: int = kind.from_address(base + offset).value
        return found

    dtype = x.dtype
    return (
        read(ctypes.c_int64, id(x), TYPE) == id(np.ndarray)
        and read(ctypes.c_int32, id(x), RANK) == x.ndim
        and read(ctypes.c_int32, id(x), FLAGS) & 0xFFFF == x.flags.num & 0xFFFF
        and read(ctypes.c_int64, id(x), DTYPE) == id(dtype)
        and read(ctypes.c_int32, id(dtype), NUMBER) == dtype.num
        and read(ctypes.c_uint8, id(dtype), ORDER) == ord(dtype.byteorder)
    )
