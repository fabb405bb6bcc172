"""``srcad.vjp(f, *args)`` inside njit code: a value, and a pullback that is a value of Numba too.

In: the Numba types of the arguments.  Out: code that returns the result and a ``PullbackType``
struct of copies of the arguments; a call of that runs the compiled reverse sweep on them.

Limits: functions that draw random numbers are refused, as the second run would have to draw the
same ones.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import numba
from numba.core import cgutils, types
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import TypingError
from numba.extending import intrinsic, models, register_model, typeof_impl

from srcad.api.function import as_function
from srcad.api.njit import PROCESS, DerivativeType, numba_type
from srcad.api.njit_code import Glue, argument_specs, glue, items_of, leaf_texts, on_device
from srcad.api.njit_points import fit_c, fit_f
from srcad.api.programs import vjp_program
from srcad.api.records import active_floats
from srcad.api.safety import compiling
from srcad.api.specialisation import written_arrays
from srcad.backends.printer import emit
from srcad.compiler import Program, finished
from srcad.errors import NoDerivative, SrcadError, TypeMismatch, UnsupportedSyntax
from srcad.frontend.arguments import Leaf, Node, Spec, leaf_specs
from srcad.ir.types import ArrayT, is_float
from srcad.specs import gradient_spec, pack
from srcad.transforms.draws import draws


class VjpAt:
    """``vjp(f, …)`` as an object: called with the arguments of ``f``."""

    def __init__(self, f: Any) -> None:
        self.inner, self.f = f, as_function(f)
        self.__name__ = f"vjp({getattr(f, '__name__', 'f')})"

    def chain(self) -> tuple[Any, ...]:
        """What makes an equal object (``njit_stamps``)."""
        return (self.inner, {})

    @property
    def options(self) -> Any:
        """The options in force."""
        return self.f.options

    def in_njit(self, args: tuple[Any, ...], kws: dict[str, Any]) -> Glue:
        """Code for a call with arguments of the given Numba types."""
        if on_device():
            raise UnsupportedSyntax(
                "srcad.vjp in a CUDA kernel",
                None,
                "a pullback keeps copies of its arguments, and a thread cannot allocate",
                "use srcad.grad, or srcad.adjoint(f)(x, x_b, ..., out_b) with arrays of your own",
            )
        specs = argument_specs(self.f.__name__, self.f.signature, args, kws)
        with compiling(self.f):
            program = self.f.program(specs)
            if draws(program.fn):
                raise NoDerivative(
                    f"srcad.vjp of {program.source.name}, which draws random numbers, in njit code",
                    program.source.loc(program.source.node),
                    "the pullback would have to draw the same numbers again",
                    "use srcad.grad, or pass the random numbers",
                )
            pulled = vjp_program(program, active_floats(program))
        point = Point(program, pulled)
        leaves = [x for k, s in specs.items() for x in leaf_texts(k, s)]
        saved = [f"_keep({e})" if isinstance(t, ArrayT) else e for e, t in leaves]
        results = [leaf.type for leaf in leaf_specs(program.out)]
        at = ["r"] if len(results) == 1 else [f"r[{k}]" for k in range(len(results))]
        shapes = [f"{r}.shape" for r, t in zip(at, results, strict=True) if isinstance(t, ArrayT)]
        before = (f"saved = ({''.join(x + ', ' for x in saved)})",)
        wrap = f"({{}}, _pullback(saved, ({''.join(x + ', ' for x in shapes)})))"
        known = {"_keep": keep, "_pullback": point.maker()}
        arguments = list(specs.items())
        source = emit(finished(pulled, whole=True, threads=False)).source
        return glue(
            program, self.f.signature, arguments, before, known=known, wrap=wrap, extra=source
        )


@typeof_impl.register(VjpAt)
def type_of(obj: VjpAt, c: Any) -> DerivativeType:
    """Its Numba type."""
    return numba_type(obj)


@numba.njit
def keep(x: Any) -> Any:
    """A copy of an array."""
    return x.copy()


class Point:
    """A program and its pullback."""

    def __init__(self, program: Program, pulled: Program) -> None:
        self.program, self.pulled = program, pulled

    def maker(self) -> Any:
        """The function that makes a pullback of saved arguments and shapes of results."""

        @intrinsic
        def make(typingctx: Any, saved: Any, shapes: Any) -> Any:
            made = PullbackType(self, saved, shapes)

            def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
                struct = cgutils.create_struct_proxy(made)(context, builder)
                struct.saved, struct.shapes = args
                context.nrt.incref(builder, saved, args[0])
                return struct._getvalue()

            return made(saved, shapes), codegen

        return make


class PullbackType(types.Callable):
    """A pullback: the arguments are its contents, the code is its type."""

    def __init__(self, point: Point, saved: Any, shapes: Any) -> None:
        self.point, self.saved, self.shapes = point, saved, shapes
        self.made: dict[Any, Glue] = {}
        super().__init__(f"pullback of {point.program.source.name} #{id(point)}")

    @property
    def key(self) -> Any:
        """What makes two types equal."""
        return PROCESS, id(self.point), self.saved, self.shapes

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        """Signature of a call with a cotangent."""
        if len(args) != 1 or kws:
            raise TypingError("a pullback takes one argument, the cotangent of the result")
        seed = types.unliteral(args[0])
        try:
            with global_compiler_lock:
                if seed not in self.made:
                    self.made[seed] = pull(self.point, seed)
        except SrcadError as e:
            raise TypingError(str(e)) from e
        dispatcher = types.Dispatcher(self.made[seed].dispatcher)
        sig = dispatcher.get_call_type(context, (self, seed), {})
        return None if sig is None else sig.as_method()

    def get_call_signatures(self) -> tuple[list[Any], bool]:
        """Signatures known so far."""
        return [], True

    def get_impl_key(self, sig: Any) -> Any:
        """The compiled code for a signature."""
        sig = sig.as_function()
        return types.Dispatcher(self.made[sig.args[1]].dispatcher).get_impl_key(sig)


@register_model(PullbackType)
class PullbackModel(models.StructModel):
    """The saved arguments, and the shapes of the results."""

    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, [("saved", fe_type.saved), ("shapes", fe_type.shapes)])


def contents(name: str) -> Any:
    """A function that takes a member out of a pullback."""

    @intrinsic
    def get(typingctx: Any, pullback: Any) -> Any:
        kind = getattr(pullback, name)

        def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
            struct = cgutils.create_struct_proxy(pullback)(context, builder, value=args[0])
            found = getattr(struct, name)
            context.nrt.incref(builder, kind, found)
            return found

        return kind(pullback), codegen

    return get


saved_of, shapes_of = contents("saved"), contents("shapes")
CALL = inspect.Signature(
    [inspect.Parameter(n, inspect.Parameter.POSITIONAL_OR_KEYWORD) for n in ("pullback", "seed")]
)


def pull(point: Point, seed: Any) -> Glue:
    """Code for a call of a pullback."""
    program, pulled = point.program, point.pulled
    leaves = [leaf.type for s in program.arguments.values() for leaf in leaf_specs(s)]
    fresh = bool(written_arrays(pulled.fn))
    arguments: list[tuple[str, Spec]] = []
    for k, t in enumerate(leaves):
        text = f"_keep(s[{k}])" if fresh and isinstance(t, ArrayT) else f"s[{k}]"
        arguments.append((text, Leaf(t)))
    before = ["s = _saved(pullback)", "n = _shapes(pullback)"]
    known: dict[str, Any] = {"_saved": saved_of, "_shapes": shapes_of, "_keep": keep}
    arrays = 0
    for j, (leaf, given) in enumerate(
        zip(leaf_specs(program.out), seeds(program.out, "seed", seed), strict=True)
    ):
        t = leaf.type
        if isinstance(t, ArrayT):
            shape, arrays = f"n[{arrays}]", arrays + 1
            if is_float(t):
                dtype = "np.float32" if t.dtype == "f4" else "np.float64"
                known |= {"_fit_c": fit_c, "_fit_f": fit_f}
                like = f"np.empty({shape}, {dtype})"
                order = "f" if t.layout == "F" else "c"
                text = f"np.zeros({shape})" if given is None else given
                before.append(f"b{j} = _fit_{order}({text}, {like}, {dtype})")
                arguments.append((f"b{j}", Leaf(t)))
        elif is_float(t):
            arguments.append((given or "0.0", Leaf(t)))
    grads = pack(tuple(map(gradient_spec, program.arguments.values())))
    first = sum(1 for _ in leaf_specs(program.out))
    return glue(pulled, CALL, arguments, tuple(before), (grads, first), known)


def seeds(spec: Spec, text: str, t: Any) -> Iterator[str | None]:
    """The expression of the seed of each leaf of a result, ``None`` where none is given."""
    if isinstance(spec, Leaf):
        yield None if isinstance(t, types.NoneType) else text
    elif isinstance(spec, Node):
        none = isinstance(t, types.NoneType)
        if not none and not (
            isinstance(t, types.BaseTuple) and len(items_of(t)) == len(spec.parts)
        ):
            raise TypeMismatch(
                f"the cotangent is of the Numba type {t}, the result a tuple of {len(spec.parts)}",
                instead="give a cotangent of the structure of the result",
            )
        for k, part in enumerate(spec.parts):
            yield from seeds(part, f"{text}[{k}]", t if none else items_of(t)[k])
