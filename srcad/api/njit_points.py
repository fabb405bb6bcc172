"""``srcad.jvp(f, primals, tangents)`` and ``srcad.hvp`` inside njit code: objects that are called.

In: the Numba types of the tuples of primals and tangents.  Out: code (``njit_code.Glue``) that
makes tangents of the right kind, and calls the compiled program.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.extending import typeof_impl

from srcad.api.function import Transformed, as_function
from srcad.api.grad import Grad
from srcad.api.njit import DerivativeType, numba_type
from srcad.api.njit_code import Glue, glue, leaf_texts, on_device, spec_of_type
from srcad.api.programs import jvp_program
from srcad.api.safety import compiling
from srcad.errors import TypeMismatch
from srcad.frontend.arguments import Leaf, Node, Opaque, Spec, leaf_specs, spec_of
from srcad.ir.types import ArrayT, is_float
from srcad.specs import pack


class AtPoint:
    """``jvp(f, …)`` or ``hvp(f, …)`` as an object: called with primals and tangents."""

    def __init__(self, f: Any, kind: str) -> None:
        self.inner, self.kind = f, kind
        self.f = as_function(f)
        self.__name__ = f"{kind}({getattr(f, '__name__', 'f')})"

    def chain(self) -> tuple[Any, ...]:
        """What makes an equal object (``njit_stamps``)."""
        return (self.inner, self.kind, {})

    @property
    def options(self) -> Any:
        """The options in force."""
        return self.f.options

    def in_njit(self, args: tuple[Any, ...], kws: dict[str, Any]) -> Glue:
        """Code for a call with arguments of the given Numba types."""
        primals, tangents = args
        for name, t in (("primals", primals), ("tangents", tangents)):
            if not isinstance(t, types.BaseTuple):
                raise TypeMismatch(
                    f"{name} of {self.kind} must be a tuple, got the Numba type {t}",
                    instead=f"srcad.{self.kind}(f, (x,), (x_t,))",
                )
        given = [spec_of_type(t, f"primal {k}") for k, t in enumerate(primals)]
        f = self.f
        chosen: tuple[int, ...] = ()
        if self.kind == "hvp":
            chosen = tuple(k for k, s in enumerate(given) if has_float(s))
            f = Grad(self.f, chosen)
        specs, texts, known = bound_to(self.f, given)
        with compiling(f):
            program = f.program(specs)
        moving = list(moved(specs, texts, tangents))
        active = (*(m is not None for m in moving), *(False for _ in program.captures))
        with compiling(f):
            made = jvp_program(program, active)
        before, seeds = seeds_for(specs, texts, moving, known)
        arguments = [*((texts[k], s) for k, s in specs.items()), *seeds]
        picked = None
        if self.kind == "hvp":
            found = made.out.parts[1].parts  # type: ignore[union-attr]
            rows: dict[int, Spec] = dict(zip(chosen, found, strict=True))
            out = pack(tuple(rows.get(k, Opaque(None, None)) for k in range(len(given))))
            picked = (out, len(list(leaf_specs(made.out.parts[0]))))  # type: ignore[union-attr]
        return glue(made, CALL, arguments, tuple(before), picked, known)


CALL = inspect.Signature(
    [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in ("primals", "tangents")]
)


@typeof_impl.register(AtPoint)
def type_of(obj: AtPoint, c: Any) -> DerivativeType:
    """Its Numba type."""
    return numba_type(obj)


def has_float(spec: Spec) -> bool:
    """Whether a spec has a float leaf."""
    return any(is_float(leaf.type) for leaf in leaf_specs(spec))


def bound_to(
    f: Transformed, given: list[Spec]
) -> tuple[dict[str, Spec], dict[str, str], dict[str, Any]]:
    """Specs and expressions of the parameters of ``f``, for a tuple of primals."""
    texts = [f"primals[{k}]" for k in range(len(given))]
    try:
        bound = f.signature.bind(*zip(given, texts, strict=True))
    except TypeError as e:
        raise TypeMismatch(f"{f.__name__}: {e}") from None
    passed = set(bound.arguments)
    bound.apply_defaults()
    specs: dict[str, Spec] = {}
    exprs: dict[str, str] = {}
    known: dict[str, Any] = {}
    for name, v in bound.arguments.items():
        if name not in passed and v != ():
            specs[name], exprs[name], known[f"_default_{name}"] = spec_of(v), f"_default_{name}", v
        elif f.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL:
            parts = tuple(s for s, _ in v)
            specs[name] = Node("tuple", tuple, tuple(range(len(parts))), parts)
            exprs[name] = f"primals[{len(given) - len(parts)}:]"
        else:
            specs[name], exprs[name] = v
    return specs, exprs, known


def moved(
    specs: dict[str, Spec], texts: dict[str, str], tangents: Any
) -> Iterator[tuple[str, Any] | None]:
    """For each leaf of the primals the expression of its tangent, ``None`` where it has none."""
    for name, spec in specs.items():
        text = texts[name].replace("primals", "tangents")
        if text.startswith("_default_"):
            yield from (None for _ in leaf_specs(spec))
        elif text.endswith(":]"):
            first = int(text.split("[")[1][:-2])
            for k, part in enumerate(spec.parts):  # type: ignore[union-attr]
                yield from moved_leaves(part, f"tangents[{first + k}]", tangents[first + k])
        else:
            k = int(text.split("[")[1][:-1])
            if k >= len(tangents):
                raise TypeMismatch("jvp needs one tangent per primal")
            yield from moved_leaves(spec, text, tangents[k])


def moved_leaves(spec: Spec, text: str, t: Any) -> Iterator[tuple[str, Any] | None]:
    """``moved`` of one argument."""
    if isinstance(spec, Leaf):
        none = isinstance(t, types.NoneType) or not is_float(spec.type)
        yield None if none else (text, t)
    elif isinstance(spec, Node):
        for k, part in enumerate(spec.parts):
            inner = t if isinstance(t, types.NoneType) else t[k]
            yield from moved_leaves(part, f"{text}[{k}]", inner)


def seeds_for(
    specs: dict[str, Spec],
    texts: dict[str, str],
    moving: list[tuple[str, Any] | None],
    known: dict[str, Any],
) -> tuple[list[str], list[tuple[str, Spec]]]:
    """Lines that make tangents of the right kind, and their names."""
    leaves = [x for k, s in specs.items() for x in leaf_texts(texts[k], s)]
    before: list[str] = []
    seeds: list[tuple[str, Spec]] = []
    for k, ((text, kind), m) in enumerate(zip(leaves, moving, strict=True)):
        if m is None:
            continue
        if isinstance(kind, ArrayT) and on_device():
            before.append(f"if {m[0]}.shape != {text}.shape:")
            before.append("    raise ValueError('a tangent has another shape than its primal')")
            seeds.append((m[0], Leaf(kind)))
        elif isinstance(kind, ArrayT):
            name = f"_fit{kind.layout}"
            known[name] = fit_f if kind.layout == "F" else fit_c
            single = ", np.float32" if kind.dtype == "f4" else ", np.float64"
            before.append(f"t{k} = {name}({m[0]}, {text}{single})")
            seeds.append((f"t{k}", Leaf(kind)))
        else:
            seeds.append((m[0], Leaf(kind)))
    return before, seeds


@numba.njit
def fit_c(t: Any, x: Any, dtype: Any) -> Any:
    """A tangent as its own contiguous array."""
    if t.shape != x.shape:
        raise ValueError("a tangent has another shape than its primal")
    return np.ascontiguousarray(t).astype(dtype)


@numba.njit
def fit_f(t: Any, x: Any, dtype: Any) -> Any:
    """A tangent as its own Fortran-ordered array."""
    if t.shape != x.shape:
        raise ValueError("a tangent has another shape than its primal")
    return np.asfortranarray(t).astype(dtype)
