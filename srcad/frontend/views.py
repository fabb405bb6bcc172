"""Views by basic indexing: ``a[i]``, ``a[1:, ::2]``, ``a[None]``, with their sizes.

Out: a ``View`` whose shape is known in terms of the base's, with canonical keys, so that slices of
equal length need no check when they meet.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from srcad.frontend.core import Lowering
from srcad.ir.build import ONE, ZERO, const
from srcad.ir.layout import view_layout
from srcad.ir.nodes import Atom, Const, Var


# views
def subview(lo: Lowering, base: Var, spec: tuple) -> Var:
    """``base[spec]`` by basic indexing."""
    if spec and all(s == ("slice", None, None, None) for s in spec):
        return base
    used = sum(s[0] != "new" for s in spec)
    spec = spec + (("slice", None, None, None),) * (base.type.ndim - used)  # type: ignore[union-attr]
    shape: list[Atom] = []
    axis = 0
    for item in spec:
        if item[0] == "new":
            shape.append(ONE)
            continue
        n = lo.shape(base)[axis]
        axis += 1
        if item[0] == "slice":
            shape.append(slice_length(lo, n, item))
    keys = tuple(tuple(str(x) for x in item) for item in spec)
    while len(spec) > 1 and spec[-1] == ("slice", None, None, None):
        spec = spec[:-1]  # ``a[k]`` is as contiguous as ``a``; ``a[k, :]`` is strided to Numba
    t = view_layout(base.type, "index", spec)  # type: ignore[arg-type]
    v = lo.b.view(base, "index", spec, t, base.hint or "v")
    if t.layout == "F" and t.ndim == 1:  # one kind of contiguous vector is enough: C
        v = lo.b.view(v, "same", (), replace(t, layout="A"), base.hint or "v")
    return derived(lo, v, base, tuple(shape), ("index", keys))


def derived(lo: Lowering, v: Var, base: Var, shape: tuple[Atom, ...], key: Any) -> Var:
    """Record shape, storage and identity of a new view."""
    lo.roots[v.name] = lo.root(base)
    lo.views[v.name] = (lo.views.get(base.name, base.name), key)
    return lo.note_shape(v, shape)


def slice_length(lo: Lowering, n: Atom, item: tuple) -> Atom:
    """Length of ``range(n)[start:stop:step]``, with a canonical key for easy cases."""
    _, start, stop, step = item
    if start is None and stop is None and (step is None or step in (ONE, const(-1))):
        return n
    op = lo.b.op
    stride = 1 if step is None else step.value if isinstance(step, Const) else None
    if stride == 0:
        lo.b.check(const(False), "ValueError", "slice step cannot be zero")
        stride = 1
    if stride is None:
        return _dynamic_length(lo, n, start, stop, step)
    low, high = (ZERO, n) if stride > 0 else (const(-1), op("sub", n, ONE))

    def clamp(x: Atom | None, default: Atom) -> Atom:
        if x is None:
            return default
        if isinstance(x, Const):
            x = op("add", n, x) if x.value < 0 else x
            if x == low:
                return low
        else:
            x = op("select", op("lt", x, ZERO), op("add", x, n), x)
        return op("max", op("min", x, high), low)

    if stride > 0:
        a, b = clamp(start, low), clamp(stop, high)
        span = op("sub", b, a)
    else:
        a, b = clamp(start, high), clamp(stop, low)
        span = op("sub", a, b)
    size = abs(int(stride))
    if size != 1:
        span = op("floordiv", op("add", span, const(size - 1)), const(size))
    length = op("max", span, ZERO)
    _note_length(lo, length, n, start, stop, stride)
    return length


def _note_length(lo: Lowering, length: Atom, n: Atom, start: Any, stop: Any, stride: int) -> None:
    """Equal slices of equal sizes get equal keys: ``a[1:]`` and ``b[:-1]`` have one length."""
    if not isinstance(length, Var):
        return
    first = 0 if start is None else start.value if isinstance(start, Const) else None
    last = 0 if stop is None else stop.value if isinstance(stop, Const) else None
    simple = first is not None and last is not None and first >= 0
    if simple and stride == 1 and (stop is None or last < 0):
        lo.sizes[length.name] = ("less", lo.size_key(n), first - last)
    else:

        def key(x: Any) -> Any:
            return x if x is None else str(lo.size_key(x))

        lo.sizes[length.name] = ("slice", lo.size_key(n), key(start), key(stop), stride)


def _dynamic_length(lo: Lowering, n: Atom, start: Any, stop: Any, step: Atom) -> Atom:
    """Length for a step known only at run time (Python's rules for both signs)."""
    op = lo.b.op
    lo.b.check(op("ne", step, ZERO), "ValueError", "slice step cannot be zero")
    up = op("gt", step, ZERO)
    low = op("select", up, ZERO, const(-1))
    high = op("select", up, n, op("sub", n, ONE))

    def clamp(x: Atom | None, default: Atom) -> Atom:
        if x is None:
            return default
        x = op("select", op("lt", x, ZERO), op("add", x, n), x)
        return op("max", op("min", x, high), low)

    a = clamp(start, op("select", up, low, high))
    b = clamp(stop, op("select", up, high, low))
    one = op("select", up, const(-1), ONE)
    span = op("add", op("sub", b, a), op("add", step, one))
    return op("max", op("floordiv", span, step), ZERO)
