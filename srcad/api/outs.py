"""``out=``: results written into arrays of the caller.

In: a program, the types of the arrays given.  Out (``out_program``): a program that takes them as
further arguments and returns only the numbers of its result.  Where the program allocates a result
the caller's array takes its place; what comes from elsewhere (a view, the result of a branch) is
copied at the end.  ``into`` is the call: structures taken apart, errors in the caller's terms.

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

if TYPE_CHECKING:
    from srcad.api.function import Transformed
    from srcad.backends.gate import Plan
    from srcad.compiler import Program
    from srcad.ir.nodes import Alloc, Stmt, Var
    from srcad.ir.types import ArrayT

SIZES, SHARED = "out has another shape than the result", "out shares memory with an argument"


# the program
def out_program(program: Program, given: tuple[ArrayT, ...]) -> Program:
    """``program`` with its array results written into further arguments."""
    from srcad.ir.nodes import Var
    from srcad.ir.types import ArrayT
    from srcad.specs import leaf_specs, pack

    fn, whole = program.fn, tuple(leaf_specs(program.out))
    derived = [x.derived for x in whole if isinstance(x.type, ArrayT)]
    arrays = [y for y in fn.body.yields if isinstance(y.type, ArrayT)]
    writer = Writer(program, given)
    first: dict[str, Var] = {}
    for y, out in zip(arrays, writer.outs, strict=True):
        assert isinstance(y, Var) and isinstance(y.type, ArrayT) and isinstance(out.type, ArrayT)
        if y.type == replace(out.type, mutable=y.type.mutable):
            first.setdefault(y.name, out)
    stmts = writer.opening() + writer.body(first)
    stmts += writer.closing([(y, o) for y, o in zip(arrays, writer.outs, strict=True)])
    numbers = tuple(y for y in fn.body.yields if not isinstance(y.type, ArrayT))
    here = len(fn.params) - len(program.captures)
    params = (*fn.params[:here], *writer.outs, *fn.params[here:])
    parts = tuple(Leaf(t, derived=d) for t, d in zip(given, derived, strict=True))
    return program.with_fn(
        replace(fn, params=params, body=replace(fn.body, stmts=tuple(stmts), yields=numbers)),
        arguments={**program.arguments, ".out": pack(parts)},
        out=pack(tuple(x for x in whole if not isinstance(x.type, ArrayT))),
    )


class Writer:
    """Puts the caller's arrays in the place of results."""

    def __init__(self, program: Program, given: tuple[ArrayT, ...]) -> None:
        from srcad.ir.build import Builder
        from srcad.ir.names import Namer
        from srcad.ir.walk import variables

        self.fn = program.fn
        self.b = Builder(Namer(v.name for v in variables(self.fn)))
        self.outs = [self.b.var("out", t) for t in given]
        self.taken: set[str] = set()  # names of the outs that stand for a result already

    def opening(self) -> list[Stmt]:
        """Nothing overlaps."""
        from srcad.ir.types import B1, ArrayT

        with self.b.block() as stmts:
            for k, out in enumerate(self.outs):
                for other in (*self.fn.params, *self.outs[:k]):
                    if isinstance(other.type, ArrayT):
                        (apart,) = self.b.array_op("apart", (B1,), out, other, hint="apart")
                        self.b.check(apart, "ValueError", SHARED)
        return stmts

    def body(self, first: dict[str, Var]) -> list[Stmt]:
        """The statements, with allocations of results replaced."""
        from srcad.ir.nodes import Alloc, Var
        from srcad.ir.walk import rewrite

        stands: dict[str, Var] = {}
        stmts: list[Stmt] = []
        for s in self.fn.body.stmts:
            if isinstance(s, Alloc) and s.target.name in first:
                stands[s.target.name] = first[s.target.name]
                self.taken.add(first[s.target.name].name)
                stmts += self.instead(s, first[s.target.name])
            else:
                stmts.append(
                    rewrite(
                        s, lambda a: stands.get(a.name, a) if isinstance(a, Var) else a, lambda v: v
                    )
                )
        self.stands = stands
        return stmts

    def instead(self, s: Alloc, out: Var) -> list[Stmt]:
        """What an allocation leaves: comparison of sizes, zeros."""
        from srcad.transforms.arrays import fill

        self.b.loc = s.loc
        with self.b.block() as stmts:
            for axis, n in enumerate(s.shape):
                same = self.b.op("eq", self.b.dim(out, axis), n)
                self.b.check(same, "ValueError", SIZES)
            if s.zero:
                fill(self.b, out, 0.0)
        return stmts

    def closing(self, pairs: list[tuple[Any, Var]]) -> list[Stmt]:
        """Copies of the results that are not made in place."""
        from srcad.transforms.arrays import copy

        with self.b.block() as stmts:
            todo = [(self.stands.get(y.name, y), o) for y, o in pairs if o.name not in self.taken]
            for y, out in todo:
                for axis in range(out.type.ndim):  # type: ignore[union-attr]
                    same = self.b.op("eq", self.b.dim(out, axis), self.b.dim(y, axis))
                    self.b.check(same, "ValueError", SIZES)
            for y, out in todo:
                copy(self.b, y, "out", into=out)
        return stmts


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
