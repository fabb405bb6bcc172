"""Where paths meet: branches, and the values that leave them.

``branch`` lowers two pieces of code under a condition and joins the environments: a name with
different values becomes a result of the ``If``; with different kinds it becomes a ``Conflict``
(an error only if somebody reads it); bound on one side only it becomes a ``Maybe``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from srcad.frontend.core import FALSE, FLAGS, PLAIN, TRUE, Bottom, Lowering, Unreachable
from srcad.frontend.values import (
    UNBOUND,
    Choice,
    Conflict,
    FunctionV,
    Lazy,
    ListV,
    Maybe,
    Record,
    Static,
    Tuple,
    describe,
    flatten,
    is_array,
    is_none,
    unflatten,
)
from srcad.ir.build import const
from srcad.ir.nodes import Atom, Block, Check, Const, Stmt, Var
from srcad.ir.types import B1, ArrayT, ListT, Scalar, Type, join_scalars

Path = tuple[list[Stmt], dict[str, Any], bool]


def truth_of(lo: Lowering, v: Any, node: Any) -> Atom:
    """Truth value of an abstract value (static where it is known)."""
    if isinstance(v, Static):
        return TRUE if v.obj else FALSE
    if isinstance(v, Tuple):
        return TRUE if v.items else FALSE
    if isinstance(v, Record) and v.cls is dict:
        return TRUE if v.fields else FALSE
    if isinstance(v, ListV):
        return lo.b.op(
            "ne", lo.b.load(v.length, Const(0, lo.b.dim(v.length, 0).type)), Const(0, Scalar("i8"))
        )
    if is_array(v) and (len(v.shape) if isinstance(v, Lazy) else v.type.ndim):
        lo.mismatch(
            node,
            f"the truth value of {describe(v)} is ambiguous",
            PLAIN,
            "use np.any(...) or np.all(...)",
        )
    a = lo.scalar(v, node, "a truth value")
    if a.type == B1:
        return a
    return lo.b.op("ne", a, const(0, a.type))  # type: ignore[arg-type]


def run_path(lo: Lowering, action: Callable[[], None]) -> Path:
    """Lower one side of a branch in a block and an environment of its own."""
    frame = lo.frame
    env, dead = frame.env, frame.dead
    frame.env, frame.dead = dict(env), False
    with lo.b.block() as stmts:
        try:
            action()
        except Bottom:
            frame.dead = True
            lo.b.check(FALSE, "RecursionError", "recursion without end")
        except Unreachable as e:
            lo.stop(e, lo.node)
    out = (stmts, frame.env, frame.dead)
    frame.env, frame.dead = env, dead
    return out


def branch(lo: Lowering, cond: Atom, then: Callable[[], None], orelse: Callable[[], None]) -> None:
    """``if cond: then() else: orelse()``, with the environment joined afterwards."""
    if isinstance(cond, Const):
        (then if cond.value else orelse)()
        return
    loc = lo.b.loc
    a = run_path(lo, then)
    if a[2] and len(a[0]) == 1 and isinstance(a[0][0], Check):
        failed = a[0][0]
        lo.b.emit(Check(lo.b.op("not", cond), failed.exception, failed.message, failed.loc))
        orelse()
        return
    b = run_path(lo, orelse)
    outer = lo.frame.env
    yields: list[tuple[Atom, Atom]] = []
    results: list[Var] = []
    env = join_envs(lo, cond, a, b, yields, results)
    lo.frame.dead = a[2] and b[2]
    lo.b.loc = loc
    then_block = Block(tuple(a[0]), tuple(y[0] for y in yields))
    else_block = Block(tuple(b[0]), tuple(y[1] for y in yields))
    lo.b.if_(cond, then_block, else_block, tuple(results))
    for name in list(outer):
        if name not in env:
            del outer[name]
    outer.update(env)
    for v in results:
        if isinstance(v.type, ArrayT) and v.name not in lo.shapes:
            lo.note_shape(v)


def join_envs(lo: Lowering, cond: Atom, a: Path, b: Path, yields: list, results: list) -> dict:
    """The environment after a branch; appends what the branch must yield."""
    joiner = Joiner(lo, cond, a, b, yields, results)
    env: dict[str, Any] = {}
    for name in dict.fromkeys([*a[1], *b[1]]):
        va, vb = a[1].get(name, UNBOUND), b[1].get(name, UNBOUND)
        v = joiner.join(va, vb, name)
        if v is not UNBOUND:
            env[name] = v
    return env


class Joiner:
    """Joins two values of one name; ``cond`` says which path was taken."""

    def __init__(
        self, lo: Lowering, cond: Atom, a: Path, b: Path, yields: list, results: list
    ) -> None:
        self.lo, self.cond, self.a, self.b = lo, cond, a, b
        self.yields, self.results = yields, results
        self.memo: dict[Any, Any] = {}

    def join(self, va: Any, vb: Any, name: str) -> Any:
        """The value of ``name`` after the branch."""
        if va is vb:
            return va
        if self.a[2] or self.b[2]:  # one side never gets here: export the other
            return self.export(vb if self.a[2] else va, name)
        if va is UNBOUND or vb is UNBOUND or isinstance(va, Maybe) or isinstance(vb, Maybe):
            return self.maybe(va, vb, name)
        if is_none(va) != is_none(vb) and optional(vb if is_none(va) else va, name):
            return self.maybe(va, vb, name)
        if isinstance(va, Conflict) or isinstance(vb, Conflict):
            return va if isinstance(va, Conflict) else vb
        va, vb = self.force(va, self.a), self.force(vb, self.b)
        if isinstance(va, Conflict) or isinstance(vb, Conflict):
            return va if isinstance(va, Conflict) else vb
        la, sa = flatten(va)
        lb, sb = flatten(vb)
        if sa != sb and callable_value(va) and callable_value(vb):
            return Choice(self.cond, va, vb)
        if sa != sb:
            return Conflict(f"{describe(va)} on one path and {describe(vb)} on another")
        types = [join_types(x.type, y.type) for x, y in zip(la, lb, strict=True)]
        if any(t is None for t in types):
            return Conflict(f"{describe(va)} on one path and {describe(vb)} on another")
        out = [self.leaf(x, y, t, name) for x, y, t in zip(la, lb, types, strict=True)]
        return unflatten(sa, out)

    def force(self, v: Any, path: Path) -> Any:
        """Unevaluated array expressions are computed on their path."""
        if not isinstance(v, Lazy):
            return v
        if v.view:
            return Conflict("a stretched view on one path only")
        from srcad.frontend.arrays import materialize

        return self.on(path, lambda: materialize(self.lo, v))

    def on(self, path: Path, action: Callable[[], Any]) -> Any:
        """Emit code at the end of a path."""
        self.lo.b.stack.append(path[0])
        try:
            return action()
        finally:
            self.lo.b.stack.pop()

    def maybe(self, va: Any, vb: Any, name: str) -> Any:
        """A value bound on some paths only, with the flag that tells."""
        loc = self.lo.loc()
        if isinstance(va, Conflict) and isinstance(vb, Conflict):
            return va
        none = {absence(v, name) for v in (va, vb)} - {None}
        if len(none) > 1:
            return Conflict("None on one path and unbound on another")
        va, vb = (UNBOUND if none == {"none"} and is_none(v) else v for v in (va, vb))
        fa = va.flag if isinstance(va, Maybe) else FALSE if va is UNBOUND else TRUE
        fb = vb.flag if isinstance(vb, Maybe) else FALSE if vb is UNBOUND else TRUE
        xa = va.value if isinstance(va, Maybe) else va
        xb = vb.value if isinstance(vb, Maybe) else vb
        flag = self.leaf(fa, fb, B1, f"{name.strip('.')}_bound")
        if xa is UNBOUND or xb is UNBOUND:
            known, path = (xb, self.b) if xa is UNBOUND else (xa, self.a)
            if isinstance(known, Conflict):
                return known
            value = self.one_sided(self.force(known, path), known is xa, name)
        else:
            value = self.join(xa, xb, name)
        if isinstance(value, Conflict):
            return value
        return Maybe(value, flag, loc, none == {"none"})

    def one_sided(self, v: Any, from_then: bool, name: str) -> Any:
        leaves, shape = flatten(v)
        other = self.b if from_then else self.a
        out = []
        for x in leaves:
            hole = self.on(other, lambda x=x: self.lo.undefined(x.type))  # type: ignore[misc]
            pair = (x, hole) if from_then else (hole, x)
            out.append(self.leaf(*pair, x.type, name))
        return unflatten(shape, out)

    def export(self, v: Any, name: str) -> Any:
        """A value from the only path that comes out of the branch."""
        if isinstance(v, Maybe):
            inner = self.export(v.value, name)
            flag = self.export(v.flag, name)
            return Maybe(inner, flag, v.loc, v.none)
        if isinstance(v, Conflict):
            return v
        from_then = self.b[2]
        v = self.force(v, self.a if from_then else self.b)
        if name in FLAGS and isinstance(v, Const):
            return v
        return self.one_sided(v, from_then, name)

    def leaf(self, x: Atom, y: Atom, t: Type, name: str) -> Atom:
        """One result of the ``If``, or nothing where both sides agree or it is the condition."""
        lo = self.lo
        if x == y:
            return x
        key = (x, y, t)
        if key in self.memo:
            return self.memo[key]
        if t == B1 and isinstance(x, Const) and isinstance(y, Const):
            out: Atom = self.cond if x.value else self._negated()
            self.memo[key] = out
            return out
        xs = self.on(self.a, lambda: adapt(lo, x, t))
        ys = self.on(self.b, lambda: adapt(lo, y, t))
        hint = name.strip(".") or "t"
        result = lo.b.var(hint, t)
        self.yields.append((xs, ys))
        self.results.append(result)
        self.memo[key] = result
        note_reference(lo, result, x, y)
        return result

    def _negated(self) -> Atom:
        """``not cond``, computed before the branch."""
        if "not" not in self.memo:
            self.memo["not"] = self.lo.b.op("not", self.cond)
        return self.memo["not"]


def absence(v: Any, name: str) -> str | None:
    """What a name is where it holds nothing: ``unbound`` or ``none`` (``None``: it always does)."""
    if isinstance(v, Maybe):
        return "none" if v.none else "unbound"
    return "unbound" if v is UNBOUND else "none" if is_none(v) and of_user(name) else None


def optional(v: Any, name: str) -> bool:
    """Whether a name of the user may hold ``None`` or this value, by a condition."""
    return of_user(name) and not isinstance(v, (Conflict, Static)) and not callable_value(v)


def of_user(name: str) -> bool:
    """Whether a name stands in the program (results and values of expressions have dots)."""
    return not name.startswith(".")


def callable_value(v: Any) -> bool:
    """Whether a value is a function."""
    return isinstance(v, (FunctionV, Choice)) or isinstance(v, Static) and callable(v.obj)


def join_types(a: Type, b: Type) -> Type | None:
    """Type of a variable that may hold either, or ``None``."""
    if a == b:
        return a
    if isinstance(a, Scalar) and isinstance(b, Scalar):
        return join_scalars(a, b)
    if isinstance(a, ArrayT) and isinstance(b, ArrayT):
        if (a.dtype, a.ndim) == (b.dtype, b.ndim):
            layout = a.layout if a.layout == b.layout else "A"
            return ArrayT(a.dtype, a.ndim, layout, a.mutable and b.mutable)
    return None


def adapt(lo: Lowering, a: Atom, t: Type) -> Atom:
    """``a`` as a value of type ``t``, which ``join_types`` gave."""
    if a.type == t:
        return a
    if isinstance(t, Scalar):
        return lo.b.cast(a, t)
    assert isinstance(a, Var) and not isinstance(t, ListT)
    v = lo.b.view(a, "same", (), t, a.hint or "v")
    lo.shapes[v.name] = lo.shape(a)
    lo.roots[v.name] = lo.root(a)
    return v


def note_reference(lo: Lowering, result: Var, *sources: Atom) -> None:
    """Record what a joined reference may point to, and its shape where all sources agree."""
    if isinstance(result.type, Scalar):
        if all(isinstance(s, (Var, Const)) for s in sources):
            keys = {str(lo.size_key(s)) for s in sources}
            if len(keys) == 1:
                lo.sizes[result.name] = lo.size_key(sources[0])
        return
    roots: frozenset[str] | None = frozenset()
    for s in sources:
        r = lo.root(s)  # type: ignore[arg-type]
        roots = None if roots is None or r is None else roots | r
    lo.roots[result.name] = roots
    shapes = [lo.shapes.get(s.name) for s in sources]  # type: ignore[union-attr]
    if None not in shapes and isinstance(result.type, ArrayT):
        if all(sh == shapes[0] for sh in shapes):
            lo.shapes[result.name] = shapes[0]  # type: ignore[assignment]
        elif len({tuple(map(str, map(lo.size_key, sh))) for sh in shapes}) == 1:  # type: ignore[arg-type]
            lo.shape_keys[result.name] = tuple(map(lo.size_key, shapes[0]))  # type: ignore[arg-type]
