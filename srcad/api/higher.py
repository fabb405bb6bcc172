"""``jvp``, ``vjp``, ``linearize`` and ``hvp``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from srcad.api.device_arrays import device_copy, is_device_array, stand_in, zeros_like
from srcad.api.fitting import fit, fit_array
from srcad.api.function import Transformed, as_function
from srcad.api.grad import Grad
from srcad.api.linear_maps import Linearized, Pullback
from srcad.api.safety import compiling, located
from srcad.api.specialisation import Specialisation, make, restorer
from srcad.errors import TypeMismatch
from srcad.ir.types import is_float
from srcad.specs import (
    Leaf,
    Node,
    Spec,
    gradient_spec,
    item_of,
    leaf_specs,
    leaves_of,
    rebuild,
    spec_of,
)

if TYPE_CHECKING:
    from srcad.compiler import Program


DREW = "the function draws random numbers, which a transform would draw again"
CHANGED = "an array that the function captures has changed since"


class Jvp(Transformed):
    """Value and tangent; called with primals and the tangents of the active leaves."""

    label = "jvp"

    def __init__(self, f: Any, **options: Any) -> None:
        super().__init__(f, **options)
        self.made: dict[Any, Any] = {}

    @located
    def run(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> tuple[Any, Any]:
        """``(out, out_t)``."""
        bound = self.bind(primals, {})
        specs = self.specs(bound)
        given = tangents_by_name(self, bound, primals, tangents)
        leaves = [x for k, v in bound.items() for x in leaves_of(v, specs[k])]
        active, seeds = [], []
        for k, spec in specs.items():
            for leaf, x, t in zip(
                leaf_specs(spec),
                leaves_of(bound[k], spec),
                tangent_leaves(spec, given.get(k), k),
                strict=True,
            ):
                on = t is not None and is_float(leaf.type)
                active.append(on)
                if on:
                    seeds.append(fit(t, x, leaf, f"the tangent of {k!r}"))
        key = (self.options, tuple(specs.items()), tuple(active))
        special = self.made.get(key)
        if special is None or not special.valid():

            def tangent() -> Program:
                from srcad.api.programs import jvp_program

                program = self.program(specs)
                return jvp_program(program, (*active, *(False for _ in program.captures)))

            special = self.made[key] = self.obtain(("jvp", *active), specs, tangent)
        return special([*leaves, *seeds])  # type: ignore[no-any-return]


def tangents_by_name(
    f: Transformed, bound: dict[str, Any], primals: tuple[Any, ...], tangents: tuple[Any, ...]
) -> dict[str, Any]:
    """Tangents bound like the primals they belong to."""
    if len(tangents) != len(primals):
        raise TypeMismatch(
            f"jvp needs one tangent per primal: {len(primals)} primals, {len(tangents)} tangents",
            instead="give None for what is constant",
        )
    names = list(bound)
    return (
        {k: v for k, v in f.bind(tuple(tangents), {}).items() if k in names[: len(primals)]}
        if len(tangents)
        else {}
    )


def tangent_leaves(spec: Spec, t: Any, name: str) -> Iterator[Any]:
    """Leaves of a tangent, ``None`` where nothing is given."""
    if isinstance(spec, Leaf):
        yield t
    elif isinstance(spec, Node):
        for key, part in zip(spec.keys, spec.parts, strict=True):
            yield from tangent_leaves(part, None if t is None else _child(t, spec, key, name), name)


def _child(t: Any, spec: Node, key: Any, name: str) -> Any:
    if spec.kind == "complex":
        if np.ndim(t) != 0 or np.asarray(t).dtype.kind not in "fiubc":
            raise TypeMismatch(
                f"the tangent or cotangent of {name!r} is {t!r}, but it belongs to a complex "
                "number",
                instead="give a complex number",
            )
        return getattr(complex(t), key)
    try:
        return getattr(t, key) if spec.kind == "dataclass" else t[key]
    except (AttributeError, KeyError, IndexError, TypeError):
        raise TypeMismatch(
            f"the tangent of {name!r} has no {key!r}",
            instead="give a tangent of the structure of the primal",
        ) from None


def jvp(f: Any, primals: Any, tangents: Any, **options: Any) -> tuple[Any, Any]:
    """Value and directional derivative (forward mode).

    Args:
        f: the function.
        primals: tuple of its arguments.
        tangents: tuple of the same structure; ``None`` for what is constant (ints always are).

    Returns:
        ``(out, out_t)``; integer results have the tangent ``None``.

    Raises:
        TypeMismatch: structures or shapes differ.

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> jvp(square_sum, (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),), backend="reference")
    (5.0, 2.0)
    """
    for name, x in (("primals", primals), ("tangents", tangents)):
        expect_tuple("jvp", name, x)
    g = memo(f, "jvp", Jvp, options)
    return g.run(tuple(primals), tuple(tangents))  # type: ignore[no-any-return]


def expect_tuple(transform: str, name: str, x: Any) -> None:
    """Primals and tangents are tuples, one item an argument.

    Raises:
        TypeMismatch: they are something else.
    """
    if not isinstance(x, (tuple, list)):
        raise TypeMismatch(
            f"{name} must be a tuple of arguments, got {type(x).__name__}",
            instead=f"{transform}(f, (x,), (x_t,))",
        )


_memo: dict[Any, Any] = {}


def memo(f: Any, name: str, cls: Any, options: dict[str, Any]) -> Any:
    """One object per function and transform, so that compiled code is found again."""
    try:
        key = (name, f, tuple(sorted(options.items())))
        made = _memo.get(key)
        if made is None:
            if len(_memo) > 512:
                _memo.clear()
            made = _memo.setdefault(key, cls(f, **options))
        return made
    except TypeError:  # unhashable callable
        return cls(f, **options)


class Vjp(Transformed):
    """Value and pullback."""

    label = "vjp"

    def __init__(self, f: Any, **options: Any) -> None:
        super().__init__(f, **options)
        self.made: dict[Any, tuple[Specialisation, Specialisation]] = {}
        self.recordings: Any = None

    @located
    def prepare(self, args: tuple[Any, ...]) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
        """``(out, pullback)``."""
        bound = self.bind(args, {})
        specs = self.specs(bound)
        saved = [snapshot(x) for k, v in bound.items() for x in leaves_of(v, specs[k])]
        primal = self.specialise(bound)
        captured = tuple(map(snapshot, primal.captured()))
        leaves = [x for k, v in bound.items() for x in leaves_of(v, specs[k])]
        key = (self.options, tuple(specs.items()))
        outer = None
        if primal.face.draws:
            out, numbers, outer = self.recorded(primal, leaves)
            captured = (*captured, numbers)
        else:
            out = primal(leaves)
        frozen = snapshot_tree(out)

        def pullback(seed: Any) -> tuple[Any, ...]:
            known = self.made.get(key)
            if known is None or known[0] is not primal:
                known = self.made[key] = primal, self.reverse(primal, specs, outer)
            seeds = self.seeds(primal.face.out, frozen, seed)
            results = known[1].run(*map(snapshot, saved), *seeds, *map(snapshot, captured))
            return self.by_position(specs, cotangents(primal.face.results, specs, results))

        def point() -> tuple[Any, ...]:
            found = iter(saved)
            items = {k: rebuild(s, found, lambda obj: obj) for k, s in specs.items()}
            return inspect.BoundArguments(self.signature, items).args

        def obstacle() -> str:
            unchanged = primal.face.draws or same(primal.captured(), captured)
            return DREW * primal.face.draws or CHANGED * (not unchanged)

        return out, Pullback(self.inner, point, pullback, obstacle, **self._own)

    def by_position(self, specs: dict[str, Spec], found: tuple[Any, ...]) -> tuple[Any, ...]:
        """Cotangents of parameters as those of arguments: one for each of ``*args``."""
        out: list[Any] = []
        for name, x in zip(specs, found, strict=True):
            starred = self.signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
            out += x if starred else [x]
        return tuple(out)

    def recorded(self, primal: Specialisation, leaves: list[Any]) -> tuple[Any, Any, Program]:
        """The result of a function that draws, its numbers, the program that takes them."""
        from srcad.api.records import Recordings, replayed_program

        if self.recordings is None:
            self.recordings = Recordings()
        out, numbers = self.recordings.run(self, primal.program, leaves)
        return out, numbers, replayed_program(primal.program, numbers)

    def reverse(
        self, primal: Specialisation, specs: dict[str, Spec], outer: Program | None
    ) -> Specialisation:
        """The compiled pullback (``outer``: of a program that takes recorded numbers)."""

        def program() -> Program:
            from srcad.api.programs import vjp_program
            from srcad.api.records import active_floats

            forward = primal.program if outer is None else outer
            return vjp_program(forward, active_floats(forward))

        if outer is None:
            return self.obtain(("vjp",), specs, program)
        with compiling(self):
            return make(program())

    @located
    def seeds(self, spec: Spec, out: Any, seed: Any) -> list[Any]:
        """The leaves of a cotangent of the result."""
        return list(seed_leaves(spec, out, seed))


def snapshot(x: Any) -> Any:
    """A copy of an array that keeps its layout and its read-only flag; anything else as it is."""
    if not isinstance(x, np.ndarray):
        return device_copy(x) if is_device_array(x) else x
    spec = spec_of(x)
    assert isinstance(spec, Leaf)
    out = fit_array(x, x.shape, spec.type, "a saved argument")
    out.flags.writeable = x.flags.writeable
    return out


def same(xs: Iterable[Any], ys: Iterable[Any]) -> bool:
    """Whether arrays hold the same numbers as their copies."""
    return all(np.array_equal(x, y, equal_nan=True) for x, y in zip(xs, ys, strict=False))


def snapshot_tree(x: Any) -> Any:
    """``snapshot`` through tuples, lists, dicts and dataclasses."""
    spec = spec_of(stand_in(x, "an argument", True))
    return rebuild(spec, map(snapshot, leaves_of(x, spec)), lambda obj: obj)


def seed_leaves(spec: Spec, out: Any, seed: Any) -> Iterator[Any]:
    """Seeds of the float results, zero where ``None`` is given."""
    if isinstance(spec, Leaf):
        if is_float(spec.type):
            t = zeros_like(out) if seed is None else seed
            yield fit(t, out, spec, "the cotangent of a result")
    elif isinstance(spec, Node):
        n = len(spec.parts)
        given = len(seed) if isinstance(seed, (tuple, list, dict)) else 1
        if seed is not None and spec.kind not in ("dataclass", "complex") and given != n:
            raise TypeMismatch(
                f"the cotangent has {given} part{'s' * (given != 1)}, the result {n}",
                instead="give a cotangent of the structure of the result",
            )
        for key, part in zip(spec.keys, spec.parts, strict=True):
            child = item_of(out, spec, key)
            yield from seed_leaves(
                part, child, None if seed is None else _child(seed, spec, key, "the result")
            )


def cotangents(start: int, specs: dict[str, Spec], results: tuple[Any, ...]) -> tuple[Any, ...]:
    """Cotangents of all arguments, in their structure, ``None`` for what is not a float."""
    position = count(start)
    return tuple(restorer(gradient_spec(s), position)(results) for s in specs.values())


def vjp(f: Any, *args: Any, **options: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Value and pullback (reverse mode).

    Args:
        f: the function.
        *args: its arguments; arrays are copied, so the pullback does not see later changes.

    Returns:
        ``(out, pullback)``; ``pullback(out_b)`` takes a cotangent of the structure of ``out`` and
        gives a tuple with one cotangent per argument, ``None`` for ints.  It may be called again.

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> out, pullback = vjp(square_sum, np.array([1.0, 2.0]), backend="reference")
    >>> pullback(2.0)
    (array([4., 8.]),)
    """
    g = memo(f, "vjp", Vjp, options)
    return g.prepare(args)  # type: ignore[no-any-return]


def linearize(f: Any, *primals: Any, **options: Any) -> tuple[Any, Callable[..., Any]]:
    """Value, and the derivative there as a linear function of tangents.

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> out, df = linearize(square_sum, np.array([1.0, 2.0]), backend="reference")
    >>> out, df(np.array([0.0, 1.0]))
    (5.0, 4.0)
    """
    from srcad.api.records import Replay, call_and_fix

    saved = snapshot_tree(primals)
    out, g = call_and_fix(as_function(f, options), primals)

    def derivative(*tangents: Any) -> Any:
        return jvp(g, snapshot_tree(saved), tangents)[1]

    drew = DREW * isinstance(g, Replay)
    return out, Linearized(f, lambda: saved, derivative, lambda: drew, **options)


def hvp(f: Any, primals: Any, tangents: Any, **options: Any) -> tuple[Any, ...]:
    """Hessian times a vector, without the Hessian (forward over reverse).

    Args:
        f: a function that returns one float.
        primals: tuple of its arguments.
        tangents: tuple of the same structure, ``None`` for what is constant.

    Returns:
        A tuple of the structure of ``primals``, ``None`` for what is not a float (or was given no
        tangent and is not differentiable).

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> hvp(square_sum, (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),), backend="reference")
    (array([2., 0.]),)
    """
    for name, x in (("primals", primals), ("tangents", tangents)):
        expect_tuple("hvp", name, x)
    primals, tangents = tuple(primals), tuple(tangents)
    seen = [stand_in(x, "an argument", True) for x in primals]
    positions = tuple(k for k, x in enumerate(seen) if has_float(spec_of(x)))
    if not positions:
        raise TypeMismatch(
            "hvp needs an argument that is a float or an array of floats",
            why="the derivative of an integer is zero by definition",
            instead="pass a float (1.0 instead of 1)",
        )
    g = memo(f, f"grad {positions}", _grad_at(positions), options)
    rows = jvp(g, primals, tangents)[1]
    table = dict(zip(positions, rows, strict=True))
    return tuple(table.get(k) for k in range(len(primals)))


def has_float(spec: Spec) -> bool:
    """Whether a spec has a float leaf."""
    return any(is_float(leaf.type) for leaf in leaf_specs(spec))


def _grad_at(positions: tuple[int, ...]) -> Callable[..., Grad]:
    return lambda f, **options: Grad(f, positions, **options)
