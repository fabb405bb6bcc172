"""Derivatives as values of Numba: where a user's ``@njit`` code holds one and calls it.

In: a function object of srcad met by Numba's type inference, and the Numba types of a call's
arguments.  Out: a dispatcher, so that the call is one of compiled code, with no return to the
interpreter.  ``srcad.grad(f)(x)`` written inside works through overloads (``njit_overloads``).

Captured numbers and arrays are frozen when the caller is compiled, as Numba freezes globals.
A caller with ``cache=True`` carries a stamp of each derivative that it holds (``njit_stamps``).

Limits: arguments are numbers, arrays, tuples and namedtuples of them, and functions; results the
same.  Results that are dicts or dataclasses are refused.
"""

from __future__ import annotations

import inspect
import itertools
import uuid
from typing import Any

from numba.core import types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import TypingError
from numba.core.imputils import lower_constant
from numba.extending import NativeValue, models, register_model, unbox

from srcad.api.adjoint import Adjoint, has_shadow
from srcad.api.function import Transformed
from srcad.api.njit_code import Glue, argument_specs, glue, leaf_texts, on_device, spec_of_type
from srcad.api.njit_stamps import Stamp
from srcad.api.safety import compiling
from srcad.errors import SrcadError, TypeMismatch
from srcad.frontend.arguments import Leaf, Node, Spec
from srcad.ir.types import ArrayT, is_float
from srcad.specs import shadow_spec

PROCESS = uuid.uuid4().hex  # types of two processes are never equal: no false hit in a cache
_count = itertools.count()


class DerivativeType(types.Callable):
    """The Numba type of one function object: every object has a type of its own."""

    def __init__(self, obj: Any) -> None:
        self.obj = obj
        self.calls: dict[Any, Glue] = {}
        self.number = next(_count)
        super().__init__(f"srcad {getattr(obj, '__name__', '')} #{self.number}")

    @property
    def key(self) -> Any:
        """What makes two types equal."""
        return PROCESS, self.number

    def __reduce__(self) -> Any:
        return Foreign, (self.name, self.key)

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        """Signature of a call; compiles the derivative for these types."""
        try:
            made = self.compiled(args, dict(kws))
        except SrcadError as e:
            raise TypingError(str(e)) from e
        sig = types.Dispatcher(made.dispatcher).get_call_type(context, args, kws)
        if sig is not None:
            self.calls[sig.args] = made
        return sig

    def get_call_signatures(self) -> tuple[list[Any], bool]:
        """Signatures known so far."""
        return [], True

    def get_impl_key(self, sig: Any) -> Any:
        """The compiled code for a signature."""
        return types.Dispatcher(self.calls[sig.args].dispatcher).get_impl_key(sig)

    def compiled(self, args: tuple[Any, ...], kws: dict[str, Any]) -> Glue:
        """The dispatcher for a call with these types."""
        with global_compiler_lock:
            return compiled(self.obj, args, kws)


class Foreign(types.Opaque):
    """The type of an object of another process, in an index on disk: equal to none of here."""

    def __init__(self, name: str, key: Any) -> None:
        self.foreign = key
        super().__init__(name)

    @property
    def key(self) -> Any:
        """What makes two types equal."""
        return self.foreign


register_model(DerivativeType)(models.OpaqueModel)


def numba_type(obj: Any) -> DerivativeType:
    """The type of a function object, always the same one."""
    found = obj.__dict__.get("_numba_type")
    if found is None:
        found = obj.__dict__["_numba_type"] = DerivativeType(obj)
    return found  # type: ignore[no-any-return]


@lower_constant(DerivativeType)
def constant(context: Any, builder: Any, ty: DerivativeType, pyval: Any) -> Any:
    """A global or closure variable: nothing at run time, but a stamp for the caller's cache."""
    if not on_device():
        context.get_env_manager(builder).add_const(Stamp(ty.obj))
    return context.get_dummy_value()


@unbox(DerivativeType)
def unboxed(typ: DerivativeType, obj: Any, c: Any) -> NativeValue:
    """As an argument: the type says all."""
    return NativeValue(c.context.get_dummy_value())


# code for a call
def compiled(obj: Any, args: tuple[Any, ...], kws: dict[str, Any]) -> Glue:
    """Code for one call; what was captured is looked at again."""
    table: dict[Any, Glue] = obj.__dict__.setdefault("_njit", {})
    args = tuple(types.unliteral(a) for a in args)
    kws = {k: types.unliteral(v) for k, v in kws.items()}
    key = (obj_options(obj), on_device(), args, tuple(kws.items()))
    found = table.get(key)
    if found is None or not found.valid():
        found = table[key] = obj.in_njit(args, kws)
    return found


def obj_options(obj: Any) -> Any:
    """The options in force."""
    return getattr(obj, "options", None)


def call_glue(self: Transformed, args: tuple[Any, ...], kws: dict[str, Any]) -> Glue:
    """Code for a call of a function object with arguments of the given Numba types."""
    specs = argument_specs(self.__name__, self.signature, args, kws)
    with compiling(self):
        program = self.program(specs)
    return glue(program, self.signature, list(specs.items()))


def adjoint_glue(self: Adjoint, args: tuple[Any, ...], kws: dict[str, Any]) -> Glue:
    """Code for a call of ``adjoint(f)``: every float argument is followed by its shadow."""
    if kws:
        raise TypeMismatch("adjoint takes its arguments by position")
    specs: dict[str, Spec] = {}
    texts: dict[str, str] = {}
    before: list[str] = []
    rest = [(f"a{k}", t) for k, t in enumerate(args)]

    def take(name: str) -> str:
        if not rest:
            raise TypeMismatch(
                f"{self.__name__}: argument {name!r} is missing",
                instead="give each argument, and after each float its shadow",
            )
        text, t = rest.pop(0)
        texts[name], specs[name] = text, spec_of_type(t, f"argument {name!r}")
        return text

    for name in self.signature.parameters:
        text = take(name)
        if has_shadow(specs[name]) and self.selected(name):
            shadow = take(f"{name}_b")
            wanted = shadow_spec(specs[name])
            before += shadow_checks(name, text, specs[name], shadow, wanted, specs[f"{name}_b"])
            specs[f"{name}_b"] = wanted
    for k in range(len(rest)):
        take(f".out_b{k}")
    with compiling(self):
        program = self.program(specs)
    names = [
        inspect.Parameter(f"a{k}", inspect.Parameter.POSITIONAL_ONLY) for k in range(len(args))
    ]
    arguments = [(texts[name], spec) for name, spec in program.arguments.items()]
    return glue(program, inspect.Signature(names), arguments, tuple(before))


def shadow_checks(
    name: str, text: str, spec: Spec, shadow: str, wanted: Spec, given: Spec
) -> list[str]:
    """Lines that compare shapes of arguments and shadows.

    Raises:
        TypeMismatch: the shadow has another structure or type.
    """
    if not same_structure(wanted, given):
        raise TypeMismatch(
            f"the shadow of {name!r} has another structure or type than {name!r}",
            instead="writable arrays of the same dtype; np.zeros(1) for a number",
        )
    floats = [(e, t) for e, t in leaf_texts(text, spec) if is_float(t)]
    lines = []
    for (e, t), (b, _) in zip(floats, leaf_texts(shadow, wanted), strict=True):
        shape = f"{e}.shape" if isinstance(t, ArrayT) else "(1,)"
        message = f"the shadow of {name} has another shape than {name}"
        lines += [f"if {b}.shape != {shape}:", f"    raise ValueError({message!r})"]
    return lines


def same_structure(wanted: Spec, given: Spec) -> bool:
    """Whether a given shadow is one that was wanted, leaf by leaf."""
    if isinstance(wanted, Leaf):
        return (
            isinstance(given, Leaf)
            and isinstance(given.type, ArrayT)
            and given.type.mutable
            and (given.type.dtype, given.type.ndim) == (wanted.type.dtype, wanted.type.ndim)  # type: ignore[union-attr]
        )
    if isinstance(wanted, Node):
        return (
            isinstance(given, Node)
            and len(given.parts) == len(wanted.parts)
            and all(map(same_structure, wanted.parts, given.parts))
        )
    return True


Transformed.in_njit = call_glue  # type: ignore[attr-defined]
Adjoint.in_njit = adjoint_glue  # type: ignore[attr-defined]
