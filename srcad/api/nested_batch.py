"""``srcad.batch(f)(x)`` inside a differentiated function.

In: the call of a chain of transforms with ``batch`` among them, abstract arguments.  Out: arguments
of one sample, which the inner function is lowered with, and what puts the stacked arguments back
when the program of all samples is spliced in.

Sample 0 stands for every sample: only the kinds of its values matter, so what is seen of it other
than through parameters is refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from srcad.api.batch import Batched, sample_spec
from srcad.api.batches import at, sample_type
from srcad.api.function import Transformed
from srcad.compiler import out_spec
from srcad.errors import InternalError, TypeMismatch
from srcad.frontend.arguments import Spec
from srcad.frontend.core import Lowering
from srcad.frontend.nested import Isolated
from srcad.frontend.statements import keep
from srcad.frontend.values import FunctionV, describe, flatten, unflatten
from srcad.ir.build import ZERO
from srcad.ir.nodes import Atom, Var
from srcad.ir.types import ArrayT, Scalar


@dataclass
class Samples:
    """The arguments of one sample, and what they are samples of."""

    args: list[Any]
    keywords: dict[str, Any]
    chain: list[Transformed]  # with axes by name
    specs: dict[str, Spec] = field(default_factory=dict)  # of the stacked arguments
    origin: dict[str, Atom] = field(default_factory=dict)  # of the variables of sample 0

    def stacked(self, lo: Lowering, inner: Isolated, node: Any) -> Isolated:
        """The isolated function with the stacked operands instead of sample 0."""
        seen = [v.name for v in inner.extras if v.name in self.origin]
        if seen:
            lo.fail(
                node,
                f"batch of {inner.source.name} over integers",
                "inside a differentiated function integers are known by their own value, not as "
                "one of many",
                "write the loop over the samples",
            )
        operands = tuple(
            self.origin.get(a.name, a) if isinstance(a, Var) else a for a in inner.operands
        )
        missing = set(self.origin) - {a.name for a in inner.operands if isinstance(a, Var)}
        if missing:
            raise InternalError(f"samples {sorted(missing)} do not reach {inner.source.name}")
        return replace(inner, operands=operands)


def samples(
    lo: Lowering,
    chain: list[Transformed],
    f: FunctionV,
    hidden: int,
    args: list[Any],
    keywords: dict[str, Any],
    node: Any,
) -> Samples:
    """The arguments of one sample of every ``batch`` in a chain (as they are if there is none)."""
    if not any(isinstance(link, Batched) for link in chain):
        return Samples(args, keywords, chain)
    given = f.source.node.args
    if given.vararg is not None:
        lo.fail(node, f"batch of {f.source.name}, which takes *{given.vararg.arg}, inside another")
    positional = [p.arg for p in (*given.posonlyargs, *given.args)]
    names = positional[len(f.bound) + hidden :]
    values = {n: keep(lo, v, node) for n, v in zip(names, args, strict=False)}
    values |= {n: keep(lo, v, node) for n, v in keywords.items()}
    defaults = set(positional[len(positional) - len(given.defaults) :])
    defaults |= {p.arg for p in given.kwonlyargs}
    out = Samples([], {}, [], {n: out_spec(v) for n, v in values.items()})
    specs = dict(out.specs)
    for link in chain:
        if isinstance(link, Batched):
            axes = link.axes(specs, defaults)
            specs, values = one(lo, out, specs, values, axes)
            link = Batched(link.inner, {**dict.fromkeys(names), **axes}, link.out_axes)
        out.chain.append(link)
    out.args = [values[n] for n in names[: len(args)]]
    out.keywords = {n: values[n] for n in keywords}
    return out


def one(
    lo: Lowering, out: Samples, specs: dict[str, Spec], values: dict[str, Any], axes: dict[str, Any]
) -> tuple[dict[str, Spec], dict[str, Any]]:
    """Sample 0 of the arguments: kinds and values."""
    kinds: dict[str, Spec] = {}
    for name, v in values.items():
        found: list[int | None] = []
        kinds[name] = sample_spec(specs[name], axes[name], f"argument {name!r}", found)
        leaves, shape = flatten(v)
        if len(leaves) != len(found):
            raise TypeMismatch(
                f"argument {name!r} of a batch is {describe(v)}",
                instead="pass numbers, arrays, and structures of them",
            )
        made = [sample(lo, out, a, k) for a, k in zip(leaves, found, strict=True)]
        values = {**values, name: unflatten(shape, made)}
    return kinds, values


def sample(lo: Lowering, out: Samples, a: Atom, axis: int | None) -> Atom:
    """Sample 0 of one leaf."""
    if axis is None:
        return a
    assert isinstance(a, Var) and isinstance(a.type, ArrayT)
    kind = sample_type(a.type, axis)
    if isinstance(kind, Scalar):
        made = lo.b.load(a, ZERO, hint=a.hint or a.name)
    else:
        made = lo.note_shape(lo.b.view(a, "index", at(axis, ZERO), kind, a.hint or a.name))
        lo.roots[made.name] = lo.root(a)
    out.origin[made.name] = out.origin.pop(a.name, a)
    return made
