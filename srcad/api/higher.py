"""``jvp``, ``vjp`` and ``linearize``."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from srcad.api.device_arrays import device_copy, is_device_array, stand_in, zeros_like
from srcad.api.fitting import fit, fit_array
from srcad.api.function import Transformed, as_function
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
    def run(self, primals: tuple[Any, ...], tangents: tuple[Any, ...]) -> Any:
        """``(out, out_t)``."""
        specs, active, leaves = self.setting(primals, tangents)
        return self.special(specs, active)(leaves)

    def setting(
        self, primals: tuple[Any, ...], tangents: tuple[Any, ...]
    ) -> tuple[dict[str, Spec], tuple[bool, ...], list[Any]]:
        """Kinds of the arguments, which leaves have tangents, all leaves and their tangents."""
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
        return specs, tuple(active), [*leaves, *seeds]

    def special(self, specs: dict[str, Spec], active: tuple[bool, ...]) -> Specialisation:
        """The code for arguments of these kinds with these tangents."""
        key = (self.options, tuple(specs.items()), active)
        special = self.made.get(key)
        if special is None or not special.valid():
            program = lambda: self.tangent(specs, active)  # noqa: E731
            special = self.made[key] = self.obtain((self.label, *active), specs, program)
        return special

    def tangent(self, specs: dict[str, Spec], active: tuple[bool, ...]) -> Program:
        """The program of ``run``."""
        from srcad.api.programs import jvp_program

        program = self.program(specs)
        return jvp_program(program, (*active, *(False for _ in program.captures)))


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
