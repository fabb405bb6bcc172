"""``export``: a derivative as a module of its own, which needs NumPy and Numba but not srcad.

The generated functions are printed as ``source`` prints them; below stands a function with the
name, the parameters and the result of the exported object.  It checks the kinds of its arguments,
because the code above is right for these kinds only, takes structures apart and puts results
together.  Numbers and arrays that the function captured are written down as they are now.
"""

from __future__ import annotations

import hashlib
import inspect
import linecache
import pprint
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numba
import numpy as np

from srcad.api.function import Transformed, as_function, describe_spec
from srcad.api.safety import compiling, innermost
from srcad.api.specialisation import written_arrays
from srcad.backends.printer import emit
from srcad.compiler import Program, finished
from srcad.errors import UnsupportedSyntax
from srcad.frontend.arguments import Leaf, Node, Opaque, Spec
from srcad.frontend.source import get_source
from srcad.ir.names import Namer
from srcad.ir.types import ArrayT, Scalar, numpy_dtype

LARGEST = 10_000  # elements of a captured array that is written down
CONVERSIONS = {"f8": "float", "f4": "np.float32", "i8": "int", "b1": "bool"}
CHECKS = '''

def _array(x, name, dtype, ndim, layout, written):
    """An array argument of the kind that the code is made for."""
    if not isinstance(x, np.ndarray) or x.dtype != dtype or x.ndim != ndim:
        raise TypeError(f"{name} must be an array of {np.dtype(dtype)} with {ndim} dimensions")
    fits = {"C": x.flags.c_contiguous, "F": x.flags.f_contiguous, "A": True}[layout]
    if not fits and written:
        raise TypeError(f"{name} is written to, and must be contiguous ({layout})")
    return x if fits else np.array(x, order=layout)


def _pairs(x, name, dtype, ndim):
    """A complex array as floats with a last axis of size 2, in the same memory."""
    if not isinstance(x, np.ndarray) or x.dtype != dtype or x.ndim != ndim:
        raise TypeError(f"{name} must be an array of {np.dtype(dtype)} with {ndim} dimensions")
    return x[..., np.newaxis].view(x.real.dtype)


def _complex(x):
    """A complex array from its pairs."""
    return x[..., 0] + 1j * x[..., 1]


def _number(x, name, kinds, convert):
    """A number of the kind that the code is made for."""
    if not isinstance(x, kinds):
        raise TypeError(f"{name} must be a number of type {convert.__name__}")
    return convert(x)


def _apart(written, others):
    """Arrays that are written to must not overlap others."""
    for k, a in written:
        for j, b in others:
            if j != k and np.shares_memory(a, b):
                raise TypeError("an array that is written to overlaps another argument")
'''
KINDS = {
    "f8": "(float, int, np.floating, np.integer)",
    "f4": "np.float32",
    "i8": "(int, np.integer)",
    "b1": "(bool, np.bool_)",
}


def export(g: Any, path: Any, *args: Any, **kwargs: Any) -> str:
    """Write a derivative as a standalone module.

    Args:
        g: what ``grad``, ``jacobian``, ``batch``, … gave, or a plain function.
        path: the file to write.
        *args, **kwargs: arguments it would be called with; only their kinds matter.

    Returns:
        The name of the function in the module.  It takes the parameters of ``g``, for arguments of
        these kinds.

    Raises:
        UnsupportedSyntax: the code needs something that only this process has: a solver, a
            function as an argument, an array too large to be written down.

    >>> import tempfile
    >>> from srcad.api.grad import grad
    >>> from srcad.examples import square_sum
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "derivative.py"
    ...     name = export(grad(square_sum), file, np.ones(2))
    ...     text = file.read_text()
    >>> name, "import srcad" in text
    ('grad_square_sum', False)
    """
    f = as_function(g)
    bound = f.bind(args, kwargs)
    specs = f.specs(bound)
    with compiling(f):
        program = f.program(specs)
        text, name = module_text(f, program)
    Path(path).write_text(text, encoding="utf-8")
    return name


def module_text(f: Transformed, program: Program) -> tuple[str, str]:
    """The text of the module, and the name of its function; it uses nothing of srcad."""
    program = replace(program, options=replace(program.options, atomics=False))
    module = emit(finished(program, whole=True), linecache.getlines)
    if "srcad_outside_" in module.source:
        raise refusal(f, "it calls a solver that is not looked into")
    taken = re.findall(r"\b[A-Za-z_]\w*", module.source)  # functions called, too
    namer = Namer([module.entry, *taken, *(v.name for v in program.fn.params)])
    label = "".join(c if c.isalnum() else "_" for c in f.__name__).strip("_")
    name = namer.fresh(label)
    writer = Wrapper(f, program, module.entry, name)
    body = writer.text()
    imports, _, code = module.source.partition("\n\n")
    parts = [header(f, program), imports + "\n" + writer.imports(), code.strip("\n")]
    top = "\n\n".join(p.strip("\n") for p in parts[:2]) + "\n\n\n" + parts[2] + "\n"
    text = top + CHECKS + writer.constants() + body
    return text, name


def refusal(f: Transformed, why: str) -> UnsupportedSyntax:
    """The error for what cannot stand alone."""
    source = get_source(innermost(f))
    return UnsupportedSyntax(
        f"{f.__name__} cannot be exported",
        source.loc(source.node),
        why,
        "pass it as an argument, or call srcad where you need the derivative",
    )


def written_dtype(dtype: np.dtype[Any]) -> str:
    """A dtype as Python."""
    return "np.bool_" if dtype == np.bool_ else f"np.{dtype.name}"


def header(f: Transformed, program: Program) -> str:
    """Where the module comes from."""
    version = sys.modules["srcad"].__version__
    source = program.source
    place = source.loc(source.node)
    text = "".join(linecache.getlines(place.file))
    mark = hashlib.sha256(text.encode()).hexdigest()[:16]
    kinds = ", ".join(f"{k}: {describe_spec(s)}" for k, s in program.arguments.items())
    return (
        f'"""{f.__name__} of {source.name} ({Path(place.file).name}, line '
        f"{place.line}), made by srcad {version}.\n\n"
        f"For arguments ({kinds}).\n"
        f"Made from source with the SHA-256 {mark}…; tested with Numba {numba.__version__} and "
        f'NumPy {np.__version__}.\nThis file needs neither srcad nor the source.\n"""'
    )


class Wrapper:
    """The function that users of the module call."""

    def __init__(self, f: Transformed, program: Program, entry: str, name: str) -> None:
        self.f, self.program, self.entry, self.name = f, program, entry, name
        self.lines: list[str] = []
        self.classes: dict[str, str] = {}
        self.written = set(written_arrays(program.fn))
        self.position = count()
        self.operands: list[str] = []
        self.arrays: list[tuple[int, str]] = []

    def text(self) -> str:
        """Its definition."""
        for argument, spec in self.program.arguments.items():
            self.take(argument, spec)
        for k, _ in enumerate(self.program.captures):
            self.operands.append(f"_captured_{k}")
        if self.written:
            written = ", ".join(f"({k}, {a})" for k, a in self.arrays if k in self.written)
            every = ", ".join(f"({k}, {a})" for k, a in self.arrays)
            self.lines.append(f"_apart([{written}], [{every}])")
        call = f"{self.entry}({', '.join(self.operands)})"
        results = len(self.program.fn.body.yields)
        self.lines.append(f"out = {call}" if results != 1 else f"out = ({call},)")
        self.lines.append(f"return {self.result(self.program.out, count())}")
        parameters = ", ".join(self.parameters())
        body = "\n".join(f"    {line}" for line in self.lines)
        doc = f'    """{self.f.__name__}; see the module docstring."""'
        return f"\n\ndef {self.name}({parameters}):\n{doc}\n{body}\n"

    def parameters(self) -> Iterator[str]:
        """The parameters, with the defaults that can be written down."""
        for name, p in self.f.signature.parameters.items():
            star = "*" if p.kind is inspect.Parameter.VAR_POSITIONAL else ""
            if name not in self.program.arguments:
                continue
            plain = isinstance(p.default, (int, float, str, bool, type(None)))
            has = p.default is not inspect.Parameter.empty and plain
            yield f"{star}{name}" + (f"={p.default!r}" if has else "")
        yield from (n for n in self.program.arguments if n not in self.f.signature.parameters)

    def take(self, value: str, spec: Spec) -> None:
        """Check an argument and take it apart."""
        if isinstance(spec, Leaf):
            k = next(self.position)
            local = f"_{k}"
            if isinstance(spec.type, ArrayT):
                t = spec.type
                dtype = written_dtype(numpy_dtype(t.dtype))
                written = k in self.written
                kind = f"{dtype}, {t.ndim}, {t.layout!r}, {written}"
                whole = value
                if spec.part == "pairs":
                    pairs = "np.complex64" if t.dtype == "f4" else "np.complex128"
                    whole = f"_pairs({value}, {value!r}, {pairs}, {t.ndim - 1})"
                self.lines.append(f"{local} = _array({whole}, {value!r}, {kind})")
                self.arrays.append((k, local))
            else:
                assert isinstance(spec.type, Scalar)
                kind = spec.type.kind
                self.lines.append(
                    f"{local} = _number({value}, {value!r}, {KINDS[kind]}, {CONVERSIONS[kind]})"
                )
            self.operands.append(local)
        elif isinstance(spec, Node):
            if spec.kind in ("tuple", "list", "namedtuple"):
                self.lines.append(
                    f"if len({value}) != {len(spec.parts)}:\n"
                    f'        raise TypeError("{value} must have {len(spec.parts)} items")'
                )
            for key, part in zip(spec.keys, spec.parts, strict=True):
                named = spec.kind in ("dataclass", "complex")
                step = f".{key}" if named else f"[{key!r}]"
                self.take(value + step, part)
        else:
            self.fixed(value, spec.obj)

    def fixed(self, value: str, obj: Any) -> None:
        """An argument that the code is made for."""
        if not isinstance(obj, (str, bytes, type(None))):
            raise refusal(self.f, f"{value} is {obj!r}, which cannot be written down")
        message = f"made for {value} = {obj!r} only"
        self.lines.append(f"if {value} != {obj!r}:\n        raise ValueError({message!r})")

    def result(self, spec: Spec, leaf: Iterator[int]) -> str:
        """The result as an expression."""
        if isinstance(spec, Leaf):
            out = f"out[{next(leaf)}]"
            if spec.part == "pairs":
                return f"_complex({out})"
            return f"{CONVERSIONS[spec.type.kind]}({out})" if isinstance(spec.type, Scalar) else out
        if isinstance(spec, Opaque):
            return "None"
        parts = [self.result(p, leaf) for p in spec.parts]
        if spec.kind == "complex":
            return (
                f"{'complex' if spec.cls is complex else 'np.complex64'}({' + 1j * '.join(parts)})"
            )
        if spec.kind == "swapped":
            return f"({parts[1]}, {parts[0]})"
        if spec.kind == "dict":
            return (
                "{" + ", ".join(f"{k!r}: {v}" for k, v in zip(spec.keys, parts, strict=True)) + "}"
            )
        if spec.kind == "list":
            return f"[{', '.join(parts)}]"
        if spec.kind == "tuple":
            return f"({', '.join(parts)}{',' * (len(parts) == 1)})"
        fields = spec.cls._fields if spec.kind == "namedtuple" else spec.keys
        self.classes[spec.cls.__name__] = f"{list(fields)!r}"
        return f"{spec.cls.__name__}({', '.join(parts)})"

    def imports(self) -> str:
        """What the wrapper needs besides."""
        return "from collections import namedtuple\n" if self.classes else ""

    def constants(self) -> str:
        """Captured arrays, and the classes of results."""
        out = ""
        for name, fields in self.classes.items():
            out += f"\n\n{name} = namedtuple({name!r}, {fields})\n"
        for k, c in enumerate(self.program.captures):
            a = np.asarray(c.now())
            if a.size > LARGEST:
                raise refusal(self.f, f"{c.var.hint!r} has {a.size} elements")
            order = "F" if a.flags.f_contiguous and not a.flags.c_contiguous else "C"
            values = pprint.pformat(a.tolist(), width=96, compact=True)
            values = values.replace("nan", "np.nan").replace("inf", "np.inf")
            dtype = written_dtype(a.dtype)
            out += f"\n\n_captured_{k} = np.array({values}, dtype={dtype}, order={order!r})\n"
        return out
