"""The few lines of code between a call in a user's ``@njit`` function and a compiled derivative.

In: a program, and for each of its arguments the expression that the user's call gives.  Out:
``Glue``: a dispatcher that takes tuples apart, calls the compiled program with its leaves and the
captured arrays, and puts the result together.

Invariant: what the interpreter checks at a call is checked here as well (arrays that are written
must not overlap others).
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import types
from numba.core.target_extension import current_target

from srcad.api.specialisation import Specialisation, face_of, written_arrays
from srcad.backends.cpu import compile_module, register
from srcad.backends.printer import emit
from srcad.compiler import Program, finished
from srcad.errors import TypeMismatch
from srcad.frontend.arguments import Leaf, Node, Opaque, Spec, spec_of
from srcad.ir.types import B1, DTYPES, F4, F8, I8, ArrayT, Scalar


@dataclass
class Glue:
    """Compiled code for one kind of call."""

    dispatcher: Any
    special: Specialisation  # says whether what was captured is still the same
    key: str  # of the content: equal keys, equal code
    frozen: tuple[bytes, ...] = ()  # the captured arrays, as they were

    def valid(self) -> bool:
        """Whether everything that was captured still has the value that is in the code."""
        if not self.special.valid():
            return False
        return self.frozen == tuple(a.tobytes() for a in self.special.captured())


def spec_of_type(t: Any, what: str) -> Spec:
    """What a Numba type is to srcad.

    Raises:
        TypeMismatch: it is nothing that srcad knows.
    """
    if isinstance(t, tuple):  # what *args got
        parts = tuple(spec_of_type(x, what) for x in t)
        return Node("tuple", tuple, tuple(range(len(parts))), parts)
    t = types.unliteral(t) if not isinstance(t, types.StringLiteral) else t
    if isinstance(t, types.Boolean):
        return Leaf(B1)
    if isinstance(t, types.Integer):
        return Leaf(I8)
    if isinstance(t, types.Float) and t.bitwidth in (32, 64):
        return Leaf(F4 if t.bitwidth == 32 else F8)
    if isinstance(t, types.Array):
        dtype = t.dtype
        code = "b1" if isinstance(dtype, types.Boolean) else np.dtype(str(dtype)).str[1:]
        if code in DTYPES:
            return Leaf(ArrayT(code, t.ndim, t.layout, t.mutable))
    if isinstance(t, types.BaseNamedTuple):
        parts = tuple(spec_of_type(x, what) for x in items_of(t))
        return Node("namedtuple", items_class(t), tuple(range(len(parts))), parts)
    if isinstance(t, types.BaseTuple):
        parts = tuple(spec_of_type(x, what) for x in items_of(t))
        return Node("tuple", tuple, tuple(range(len(parts))), parts)
    if isinstance(t, types.NoneType):
        return Opaque(None, None)
    obj = t.dispatcher if isinstance(t, types.Dispatcher) else getattr(t, "obj", None)
    if obj is not None:
        return Opaque(("id", id(obj)), obj)
    raise TypeMismatch(
        f"{what} is of the Numba type {t}, which is not supported",
        instead="pass numbers, arrays, tuples or namedtuples of them, or functions; for a string "
        "make a function for each value",
    )


def argument_specs(
    name: str, signature: inspect.Signature, args: tuple[Any, ...], kws: dict[str, Any]
) -> dict[str, Spec]:
    """Kinds of the arguments of a call by name, defaults filled in.

    Raises:
        TypeMismatch: they do not fit the signature, or are of a type that is not supported.
    """
    try:
        bound = signature.bind(*args, **kws)
    except TypeError as e:
        raise TypeMismatch(f"{name}: {e}") from None
    given = set(bound.arguments)
    bound.apply_defaults()
    specs: dict[str, Spec] = {}
    for k, v in bound.arguments.items():
        what = f"argument {k!r}"
        if k not in given:
            specs[k] = spec_of(v)
        elif isinstance(v, tuple):  # those of *args
            parts = tuple(spec_of_type(t, what) for t in v)
            specs[k] = Node("tuple", tuple, tuple(range(len(parts))), parts)
        else:
            specs[k] = spec_of_type(v, what)
    return specs


def items_of(t: Any) -> list[Any]:
    """The types of the items of a tuple type."""
    return list(t)


def items_class(t: Any) -> Any:
    """The class of a namedtuple type."""
    return t.instance_class


def leaf_texts(expr: str, spec: Spec) -> Iterator[tuple[str, Any]]:
    """The expressions of the leaves of an argument, with their types."""
    if isinstance(spec, Leaf):
        yield expr, spec.type
    elif isinstance(spec, Node):
        for k, part in enumerate(spec.parts):
            yield from leaf_texts(f"{expr}[{k}]", part)


def as_type(expr: str, t: Any) -> str:
    """A number as the compiled program takes it."""
    return f"{CASTS[t.kind]}({expr})" if isinstance(t, Scalar) else expr


CASTS = {"f8": "np.float64", "f4": "np.float32", "i8": "np.int64", "b1": "bool"}


def result_text(spec: Spec, leaves: Iterator[str], names: dict[str, Any]) -> str:
    """The expression that puts a result together.

    Raises:
        TypeMismatch: a dict or dataclass, which Numba has no values for.
    """
    if isinstance(spec, Leaf):
        return next(leaves)
    if isinstance(spec, Opaque):
        return "None"
    if spec.kind in ("dict", "dataclass"):
        raise TypeMismatch(
            f"the result is a {spec.cls.__name__}, which compiled code cannot return",
            instead="return a tuple or a namedtuple",
        )
    parts = [result_text(p, leaves, names) for p in spec.parts]
    if spec.kind == "swapped":
        parts = parts[::-1]
    if spec.kind == "namedtuple":
        name = f"_cls{len(names)}"
        names[name] = spec.cls
        return f"{name}({', '.join(parts)})"
    return f"({''.join(p + ', ' for p in parts)})"


def header(signature: inspect.Signature, names: dict[str, Any]) -> str:
    """Parameters as a ``def`` has them; defaults are names."""
    texts = []
    for p in signature.parameters.values():
        text = f"*{p.name}" if p.kind is inspect.Parameter.VAR_POSITIONAL else p.name
        if p.default is not inspect.Parameter.empty:
            names[f"_default_{p.name}"] = p.default
            text += f"=_default_{p.name}"
        texts.append(text)
    return ", ".join(texts)


def glue(
    program: Program,
    signature: inspect.Signature,
    arguments: list[tuple[str, Spec]],
    before: tuple[str, ...] = (),
    picked: tuple[Spec, int] | None = None,
    known: dict[str, Any] | None = None,
    wrap: str = "{}",
    extra: str = "",
) -> Glue:
    """Code for a call.

    Args:
        program: what is called.
        signature: what the user's call looks like.
        arguments: expression and structure of each argument of the program.
        before: lines that stand before the call.
        picked: structure of the result and its first leaf, where it is not the program's result.
        known: objects that these texts name.
        wrap: what is returned, with ``{}`` for the result (``r`` holds the leaves).
        extra: text that decides what the call computes, besides the program's own.
    """
    device = on_device()
    if device:
        from srcad.api.device_code import device_entry

        source, entry = device_entry(program)
    else:
        # on one thread: the caller may be on many already, which not every threading layer bears
        module = emit(finished(program, whole=True, threads=False))
        source, entry = module.source, compile_module(module, program.fn.name)
    names: dict[str, Any] = {"np": np, "_entry": entry} | (known or {})
    leaves = [as_type(e, t) for expr, spec in arguments for e, t in leaf_texts(expr, spec)]
    arrays = [c.now() for c in program.captures]
    for k, a in enumerate(arrays):
        names[f"_captured{k}"] = a
        leaves.append(f"_captured{k}")
    lines = [f"def call({header(signature, names)}):", *(f"    {x}" for x in before)]
    lines += overlap_checks(program, leaves, names)
    if device:
        from srcad.api.device_code import without_exceptions

        lines = without_exceptions(lines, program, leaves, names, picked, wrap)
    count = len(program.fn.body.yields)
    lines.append(f"    r = _entry({', '.join(leaves)})")
    results = ["r"] if count == 1 else [f"r[{k}]" for k in range(count)]
    lines.append("    return " + returned(program, results, picked, wrap, names))
    text = "\n".join(lines) + "\n"
    names["__name__"] = __name__
    exec(compile(text, register(text, f"call of {program.fn.name}"), "exec"), names)
    special = Specialisation(face_of(program, False), lambda *leaves: (), lambda: program)
    content = content_key(source + extra, text, arrays, names)
    frozen = tuple(a.tobytes() for a in arrays)
    if device:
        from srcad.api.device_code import device_function

        return Glue(device_function(names["call"]), special, content, frozen)
    return Glue(numba.njit(error_model="numpy")(names["call"]), special, content, frozen)


def on_device() -> bool:
    """Whether Numba is compiling for CUDA."""
    return bool(current_target() == "cuda")


def returned(
    program: Program,
    leaves: list[str],
    picked: tuple[Spec, int] | None,
    wrap: str,
    names: dict[str, Any],
) -> str:
    """The expression of what a call returns, of the program's results."""
    out, first = picked or (program.out, 0)
    return wrap.format(result_text(out, iter(leaves[first:]), names))


def content_key(source: str, text: str, arrays: list[Any], names: dict[str, Any]) -> str:
    """A key that changes when what a call computes may change."""
    h = hashlib.sha256()
    defaults = [(k, repr(v)) for k, v in names.items() if k.startswith("_default_")]
    for part in (source, text, repr(defaults), numba.__version__, llvmlite.__version__):
        h.update(part.encode())
    for a in arrays:
        h.update(f"{a.dtype} {a.shape}".encode())
        h.update(np.ascontiguousarray(a).tobytes())
    return h.hexdigest()


def overlap_checks(program: Program, leaves: list[str], names: dict[str, Any]) -> list[str]:
    """Lines that refuse arrays in each other's memory where one of them is written."""
    written = written_arrays(program.fn)
    arrays = [k for k, p in enumerate(program.fn.params) if isinstance(p.type, ArrayT)]
    lines = []
    for k in written:
        for j in arrays:
            if j != k and not (j in written and j < k):
                names["_apart"] = apart
                message = f"{program.source.name} writes to an array that overlaps another one"
                lines += [
                    f"    if not _apart({leaves[k]}, {leaves[j]}):",
                    f"        raise ValueError({message!r})",
                ]
    return lines


@numba.njit(error_model="numpy")
def apart(a: Any, b: Any) -> bool:
    """Whether the memory that two arrays span is apart (interleaved arrays are not)."""
    if a.size == 0 or b.size == 0:
        return True
    low_a, high_a, low_b, high_b = a.ctypes.data, a.ctypes.data, b.ctypes.data, b.ctypes.data
    for n, step in zip(a.shape, a.strides):  # noqa: B905  (Numba has no strict zip)
        low_a, high_a = low_a + min((n - 1) * step, 0), high_a + max((n - 1) * step, 0)
    for n, step in zip(b.shape, b.strides):  # noqa: B905
        low_b, high_b = low_b + min((n - 1) * step, 0), high_b + max((n - 1) * step, 0)
    return bool(high_a + a.itemsize <= low_b or high_b + b.itemsize <= low_a)
