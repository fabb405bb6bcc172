"""``out=``: results written into arrays of the caller.

In: a program, the types of the arrays given.  Out (``out_program``): a program that takes them as
further arguments and returns only the numbers of its result (``storage.outs``).  ``into`` is the
call: structures taken apart, errors in the caller's terms.

Invariant: what is given overlaps neither an argument nor a captured array nor another result; the
size of an array is compared before it is written.  An exception of the program may leave results
half written.
Limits: real arrays of the dtypes of the results; ``None`` stands for a number, which is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from srcad import options as settings
from srcad.api.ready import Ready, plan_of, shape_of
from srcad.api.specialisation import Specialisation, kind_of
from srcad.backends.base import as_tuple
from srcad.errors import TypeMismatch
from srcad.ir.types import Scalar
from srcad.specs import Leaf, Opaque, Spec, array_type, leaf_specs, leaves_of, rebuild
from srcad.storage.outs import SHARED, SIZES

if TYPE_CHECKING:
    from srcad.api.function import Transformed
    from srcad.backends.gate import Plan
    from srcad.compiler import Program
    from srcad.ir.types import ArrayT


# the program
def out_program(program: Program, given: tuple[ArrayT, ...]) -> Program:
    """``program`` with its array results written into further arguments."""
    from srcad.ir.types import ArrayT
    from srcad.specs import leaf_specs, pack
    from srcad.storage.outs import written

    whole = tuple(leaf_specs(program.out))
    derived = [x.derived for x in whole if isinstance(x.type, ArrayT)]
    parts = tuple(Leaf(t, derived=d) for t, d in zip(given, derived, strict=True))
    return replace(
        program,
        fn=written(program.fn, given, len(program.captures)),
        arguments={**program.arguments, ".out": pack(parts)},
        out=pack(tuple(x for x in whole if not isinstance(x.type, ArrayT))),
        outs=(program, given),
    )


# the call
@dataclass
class Route:
    """A specialisation with results of the caller, and how results are put together."""

    special: Specialisation
    spec: Spec
    finish: Callable[[Any, Any], Any]
    calls: int = 0


def into(f: Transformed, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call ``f`` with ``out`` among the keywords; the result, made of the arrays in ``out``."""
    out, kwargs = kwargs["out"], {k: v for k, v in kwargs.items() if k != "out"}
    bound = f.bind(args, kwargs)
    specs = f.specs(bound)
    plain = f.specialise(bound)
    leaves = [x for k, v in bound.items() for x in leaves_of(v, specs[k])]
    made = lambda: f.program(specs)  # noqa: E731
    route, result = written(f, ("out",), specs, made, plain.face.out, leaves, out)
    if route.calls == 2 and not kwargs and f.plain(args):
        if all(kind_of(x) is not None for x in args):
            f.open(out_plan(f, route, (*args, *given_leaves(route.spec, out, "out"))))
    return result


def written(
    f: Transformed,
    kind: tuple[Any, ...],
    specs: dict[str, Spec],
    program: Callable[[], Program],
    spec: Spec,
    leaves: list[Any],
    out: Any,
) -> tuple[Route, Any]:
    """The result of a program, its arrays in ``out``.

    ``kind`` and ``specs`` say which program it is, ``spec`` what it returns, ``leaves`` are the
    leaves of its arguments.
    """
    given = tuple(given_leaves(spec, out, "out"))
    kinds = tuple(array_type(x, "out") for x in given)
    key = (f.options, kind, tuple(specs.items()), kinds)
    route = f.routes.get(key)
    if route is None or not route.special.valid():
        name = (*kind, *map(repr, kinds))
        made = f.obtain(name, specs, lambda: out_program(program(), kinds))
        special = without(made, range(len(leaves), len(leaves) + len(given)))
        route = f.routes[key] = Route(special, spec, joint(spec, special))
    try:
        results = as_tuple_of(route.special, [*leaves, *given])
    except ValueError as error:
        raise explained(f, error) from None
    route.calls += 1
    numbers = results if route.special.face.results != 1 else results[0]
    return route, route.finish(numbers, out)


def out_plan(f: Transformed, route: Route, args: tuple[Any, ...]) -> Plan | None:
    """The plan for calls with ``out`` like this one; ``args`` are the arguments and results."""
    from srcad.backends.gate import Into

    def explain(error: BaseException) -> None:
        if isinstance(error, ValueError) and (better := explained(f, error)) is not error:
            raise better

    spec = route.spec
    arrays = sum(1 for leaf in leaf_specs(spec) if not isinstance(leaf.type, Scalar))
    into = Into(arrays, lambda out: tuple(given_leaves(spec, out, "out")), explain)
    ready = Ready(settings.in_force, route.special, args)
    shape = shape_of(spec, route.special.face.results, True)
    return plan_of(ready, args, shape=shape, finish=None if shape else route.finish, into=into)


def as_tuple_of(special: Specialisation, leaves: list[Any]) -> tuple[Any, ...]:
    """The numbers among the results."""
    if special.face.written:
        from srcad.api.specialisation import check_overlap

        check_overlap(special.face, leaves)
    return special.run(*leaves, *special.captured())


def without(special: Specialisation, outs: range) -> Specialisation:
    """The specialisation, whose own checks leave out the arrays in ``out``."""
    written = tuple(k for k in special.face.written if k not in outs)
    face = replace(special.face, written=written)
    return Specialisation(face, special.run, special.remake)


def explained(f: Transformed, error: ValueError) -> BaseException:
    """The error of an array that does not do as ``out``; any other as it is."""
    if not error.args or error.args[0] not in (SIZES, SHARED):
        return error
    if error.args[0] == SIZES:
        return TypeMismatch(f"{f.__name__}: {SIZES}", instead="give an array of the result's shape")
    return TypeMismatch(
        f"{f.__name__}: {SHARED}, or with another result",
        why="results are written while arguments are still read",
        instead="give an array of its own",
    )


def given_leaves(spec: Spec, out: Any, what: str) -> Iterator[Any]:
    """The arrays in ``out``, in the order of the results.

    Raises:
        TypeMismatch: it has not the structure of the result, or an array not its dtype.
    """
    if isinstance(spec, Leaf):
        yield from given_leaf(spec, out, what)
    elif isinstance(spec, Opaque):
        return
    elif spec.kind in ("complex", "swapped"):
        raise TypeMismatch(
            f"{what} for a {'complex' if spec.kind == 'complex' else 'has_aux'} result",
            why="there is no place for it in an array of the caller",
            instead="leave out= away",
        )
    else:
        try:
            parts = [getattr(out, k) if spec.kind == "dataclass" else out[k] for k in spec.keys]
            fits = isinstance(out, spec.cls) and (
                spec.kind == "dataclass" or len(out) == len(spec.keys)
            )
        except (AttributeError, KeyError, IndexError, TypeError):
            fits = False
        if not fits:
            raise TypeMismatch(
                f"{what} is {out!r}, but the result is a {spec.kind} of {len(spec.parts)}",
                instead="give the structure of the result, None in place of numbers",
            )
        for key, part, x in zip(spec.keys, spec.parts, parts, strict=True):
            yield from given_leaves(part, x, f"{what}[{key!r}]")


def given_leaf(spec: Leaf, out: Any, what: str) -> Iterator[Any]:
    """The array for an array; nothing for a number."""
    t = spec.type
    if isinstance(t, Scalar):
        if out is not None:
            raise TypeMismatch(
                f"{what} is {out!r}, but the result is a number",
                instead="give None: it is returned",
            )
        return
    if spec.part:
        raise TypeMismatch(f"{what} for a complex array", instead="leave out= away")
    fits = (
        type(out) is np.ndarray
        and out.ndim == t.ndim  # type: ignore[union-attr]
        and out.dtype == np.dtype(t.dtype)  # type: ignore[union-attr]
        and out.flags.writeable
    )
    if not fits:
        kind = f"{out.ndim}-D {out.dtype}" if isinstance(out, np.ndarray) else type(out).__name__
        raise TypeMismatch(
            f"{what} must be a writable {t.ndim}-D array of {np.dtype(t.dtype)}, got {kind}",  # type: ignore[union-attr]
            instead="np.empty_like of the result of a call without out",
        )
    yield out


def joint(spec: Spec, special: Specialisation) -> Callable[[Any, Any], Any]:
    """A function that makes the result of the numbers returned and ``out``."""
    results = special.face.results

    def finish(numbers: Any, out: Any) -> Any:
        mine, arrays = iter(as_tuple(results, numbers)), given_leaves(spec, out, "out")
        return rebuild(spec, merged(spec, mine, arrays), lambda obj: obj)

    return finish if results else (lambda numbers, out: out)


def merged(spec: Spec, numbers: Iterator[Any], arrays: Iterator[Any]) -> Iterator[Any]:
    """The leaves of a result."""
    for leaf in leaf_specs(spec):
        yield next(numbers) if isinstance(leaf.type, Scalar) else next(arrays)
