"""A kernel on its way through the compiler: lowered, differentiated, made ready to print or run.

In: a kernel as one writes it for ``numba.cuda``, the kinds of its arguments, the launch.  Out: a
``Kernel``, the function that one thread executes: an ordinary IR function whose parameters are the
arguments of the launch and hidden ones (``ir.threads``); ``adjoint_of`` and ``tangent_of`` map
kernels to kernels, so either applies to the result of the other; ``ready`` decides what comes last.

* Shared arrays are hidden parameters.  Their shadows are so too, filled with zeros at the start.
* The adjoint of a barrier is a barrier: what one thread writes before it and another reads after
  it, is read and written the other way round in reverse.
* Every contribution to a shadow is an atomic addition until ``ready`` has shown that no other
  thread touches that array's elements (``analyses.owned``).
* Numbers are shared by all threads: their shadows have one element, to which each thread adds.

Invariant: the adjoint of a kernel without races has none.  Between two barriers, an element is
either written (or updated) by one thread, which alone reads or clears its shadow then, or by none,
or only by atomic additions, whose adjoints read the shadow; all other accesses to the shadow are
atomic additions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from srcad.analyses.activity import Activity
from srcad.analyses.owned import owned
from srcad.analyses.regions import Regions, is_reference
from srcad.analyses.summaries import summarise
from srcad.analyses.uniform import check_barriers
from srcad.cuda.block_sums import Triple, with_block_sums
from srcad.cuda.exact import exactly
from srcad.cuda.gathers import gathered
from srcad.cuda.private import privately
from srcad.cuda.strides import stridewise
from srcad.cuda.sweeps import in_earnest, vacated
from srcad.errors import TypeMismatch, UnsupportedSyntax
from srcad.frontend.core import Capture
from srcad.frontend.lower import Lowered, lower
from srcad.frontend.source import SourceFunction
from srcad.frontend.values import Static
from srcad.ir.build import ZERO
from srcad.ir.names import Namer
from srcad.ir.nodes import Accumulate, Block, For, Function, If, Stmt, Var, While
from srcad.ir.threads import Hidden
from srcad.ir.types import ArrayT, Scalar, is_float
from srcad.ir.verify import verify
from srcad.ir.walk import blocks, operands, rewrite_block, statements, variables
from srcad.options import Options
from srcad.specs import Spec
from srcad.storage.reuse import reused
from srcad.storage.workspace import Placed, cleared, placed, unfilled
from srcad.transforms import (
    accumulate,
    branches,
    complex_pairs,
    counted,
    cse,
    dead_code,
    hoist,
    induction,
    simplify,
)
from srcad.transforms.barriers import completed
from srcad.transforms.custom import settled
from srcad.transforms.family import Family
from srcad.transforms.forward import forward
from srcad.transforms.reverse.driver import Request, generate

CHEAP = 64  # what recomputing a value may cost: a thread computes faster than memory answers


@dataclass(frozen=True)
class Launch:
    """How many blocks of how many threads, and bytes of dynamic shared memory."""

    blocks: Triple
    threads: Triple
    shared: int = 0

    @property
    def axes(self) -> frozenset[str]:
        """The axes along which there is more than one thread."""
        sizes = zip("xyz", self.blocks, self.threads, strict=True)
        return frozenset(axis for axis, b, t in sizes if b * t > 1)


@dataclass(frozen=True)
class KernelOptions(Options):
    """The options of a kernel, with the launch that it is compiled for."""

    launch: Launch | None = None


@dataclass(frozen=True)
class Kernel:
    """What a thread executes: ``arguments`` are given by the launch, ``hidden`` by the target."""

    fn: Function
    arguments: tuple[Var, ...]
    hidden: Mapping[str, Hidden]
    source: SourceFunction
    guards: tuple[tuple[Any, Any], ...] = ()
    constants: Mapping[str, Capture] = field(default_factory=dict)  # arrays that are no arguments
    numbers: frozenset[str] = frozenset()  # shadows of numbers, to which all threads add

    @property
    def places(self) -> dict[str, str]:
        """The hidden parameters that say where a thread stands."""
        return {n: h.what for n, h in self.hidden.items() if h.kind == "place"}

    @property
    def shared(self) -> dict[str, Hidden]:
        """The arrays of a block."""
        return {n: h for n, h in self.hidden.items() if h.kind == "shared"}

    def with_fn(self, fn: Function, **changes: Any) -> Kernel:
        """The kernel with new IR, barriers completed and cleaned up."""
        return replace(self, fn=clean(completed(fn)), **changes)


def clean(fn: Function) -> Function:
    """The passes that hold for a thread among others (a failed check has no meaning for it)."""
    fn = dead_code.run(fn, keep_checks=False)
    for run in (simplify.run, _shared, branches.run, induction.run, hoist.run, simplify.run):
        fn = run(fn)
    return dead_code.run(accumulate.run(_shared(fn)), keep_checks=False)


def _shared(fn: Function) -> Function:
    """Common subexpressions; the arrays of a launch do not overlap (the launch checks that)."""
    return cse.run(fn, distinct=True)


def lowered(f: Any, specs: dict[str, Spec], options: KernelOptions) -> Kernel:
    """A kernel of the user's for given arguments.

    Raises:
        UnsupportedSyntax: it returns something, or not all threads may reach a barrier.
    """
    from srcad.api import inside  # noqa: F401  (what derivatives mean in the kernel)

    low = lower(f, specs, options)
    refuse(low)
    fn = privately(renamed(complex_pairs.run(low.fn), low))
    count = sum(low.param_counts)
    hidden = {
        v.name: h
        for v, (_, h) in zip(fn.params[count + len(low.captures) :], low.hidden, strict=True)
    }
    verify(fn)
    captured = fn.params[count : count + len(low.captures)]
    hidden |= {p.name: Hidden("constant", p.hint) for p in captured}
    constants = dict(zip((p.name for p in captured), low.captures, strict=True))
    kernel = Kernel(fn, fn.params[:count], hidden, low.source, low.guards, constants)
    kernel = kernel.with_fn(fn)
    sizes = ("width", "blocks", "gridsize")
    positive = [n for n, p in kernel.places.items() if p.partition("_")[0] in sizes]
    kernel = kernel.with_fn(counted.run(kernel.fn, positive))
    check_barriers(kernel.fn, [n for n, p in kernel.places.items() if p[:4] in ("thre", "grid")])
    return kernel


def refuse(low: Lowered) -> None:
    """What a function may do and a kernel may not."""
    loc = low.source.loc(low.source.node)
    if not (isinstance(low.result, Static) and low.result.obj is None):
        raise UnsupportedSyntax(
            f"the kernel {low.source.name} returns a value",
            loc,
            "nobody receives what a thread returns",
            "store it in an array",
        )


def renamed(fn: Function, low: Lowered) -> Function:
    """Shared arrays under the name that the user has given them."""
    namer = Namer(v.name for v in variables(fn))
    wishes = {v.name: low.names.get(v.name) for v, h in low.hidden if h.kind == "shared"}
    table = {
        p.name: Var(namer.fresh(wish), p.type, wish)
        for p in fn.params
        if (wish := wishes.get(p.name))
    }

    def use(a: Any) -> Any:
        return table.get(a.name, a) if isinstance(a, Var) else a

    params = tuple(table.get(p.name, p) for p in fn.params)
    return replace(fn, params=params, body=rewrite_block(fn.body, use, lambda v: v))


# transforms
def active_pattern(kernel: Kernel, chosen: frozenset[str] | None) -> tuple[bool, ...]:
    """Which parameters carry derivatives: chosen arguments, shared arrays that vary with them."""
    names = {p.name for p in kernel.arguments if chosen is None or p.name in chosen}
    fn = kernel.fn
    given = tuple(p.name in names and is_float(p.type) for p in fn.params)
    summaries = summarise(fn)
    varied = Activity(fn, Regions(fn, summaries), summaries, given).varied.storage
    shared = kernel.shared
    for p, on in zip(fn.params, given, strict=True):
        if p in kernel.arguments and not on and p.name in varied and is_float(p.type):
            raise TypeMismatch(
                f"{p.name!r} is written with values that depend on what is differentiated",
                kernel.source.loc(kernel.source.node),
                "without a shadow their derivatives would be lost",
                f"take {p.name!r} into argnums",
            )
    return tuple(
        on or (p.name in shared and p.name in varied and is_float(p.type))
        for p, on in zip(fn.params, given, strict=True)
    )


def tangent_of(kernel: Kernel, chosen: frozenset[str] | None = None) -> Kernel:
    """The kernel that also computes tangents: every chosen argument is followed by its own."""
    active = active_pattern(kernel, chosen)
    fn = forward(kernel.fn, active)
    old = kernel.fn.params
    primal = [p for p, on in zip(old, active, strict=True) if on]
    companion = dict(zip((p.name for p in primal), fn.params[len(old) :], strict=True))
    return _woven(kernel, fn, companion)


def adjoint_of(kernel: Kernel, chosen: frozenset[str] | None = None) -> Kernel:
    """The adjoint kernel: every chosen argument is followed by its shadow.

    It first does what the kernel does, the contents of arrays included.
    """
    active = active_pattern(kernel, chosen)
    fn = kernel.fn
    made = stridewise(fn, active, kernel.places, reversed_function, vacated)
    if made is None:
        made = reversed_function(fn, active)
    wanted = {f"{p.name}_b" for p in kernel.arguments if isinstance(p.type, Scalar)}
    made = vacated(made, wanted - {p.name for p in kernel.fn.params})
    last = next((n for n, h in kernel.hidden.items() if h.kind == "last"), None)
    made = made if last is None else in_earnest(made, last, kernel_loc(kernel))
    shadows = iter(made.params[len(fn.params) :])
    cotangents = iter(made.body.yields)
    namer = Namer(v.name for v in variables(made))
    companion: dict[str, Var] = {}
    closing: list[Stmt] = []
    numbers: set[str] = set()
    for p, on in zip(fn.params, active, strict=True):
        if on and is_reference(p):
            companion[p.name] = next(shadows)
        elif on:
            assert isinstance(p.type, Scalar)
            one = Var(namer.fresh(f"{p.name}_b"), ArrayT(p.type.kind, 1), f"{p.name}_b")
            companion[p.name] = one
            numbers.add(one.name)
            closing.append(Accumulate(one, (ZERO,), next(cotangents), kernel_loc(kernel)))
    body = Block((*made.body.stmts, *closing))
    extra = tuple(v for v in companion.values() if v not in made.params)
    made = replace(made, params=(*made.params, *extra), body=body)
    made = with_atomics(made, {v.name for v in companion.values()}, True)
    return replace(_woven(kernel, made, companion), numbers=kernel.numbers | numbers)


def reversed_function(fn: Function, active: tuple[bool, ...]) -> Function:
    """The adjoint of a thread's function: its parameters and the shadows of the active arrays.

    Its results are the cotangents of the active numbers.
    """
    family = Family(fn)
    name = family.namer.fresh(f"{fn.name}_b")
    request = Request(
        *(fn, active, (), False, False, True, name, family), rows=False, fuse=False, cheap=CHEAP
    )
    made, _ = generate(request)
    settled(family)
    return made


def kernel_loc(kernel: Kernel) -> Any:
    """The kernel's first line, in the role of the adjoint."""
    return replace(kernel.source.loc(kernel.source.node), role="adjoint")


def _woven(kernel: Kernel, fn: Function, companion: dict[str, Var]) -> Kernel:
    """Arguments followed by their companions; those of shared arrays are shared."""
    arguments: list[Var] = []
    for p in kernel.arguments:
        arguments += [p, companion[p.name]] if p.name in companion else [p]
    hidden = dict(kernel.hidden)
    for name, h in kernel.shared.items():
        if name in companion:
            hidden[companion[name].name] = replace(h, zero=True)
    numbers = kernel.numbers | {companion[n].name for n in kernel.numbers if n in companion}
    return kernel.with_fn(fn, arguments=tuple(arguments), hidden=hidden, numbers=numbers)


def with_atomics(fn: Function, names: set[str], atomic: bool) -> Function:
    """Accumulation into the arrays of these parameters made atomic, or plain.

    Plain where all the arrays that a reference may mean are among them or the thread's own.
    """
    regions = Regions(fn, summarise(fn))
    params = {p.name for p in fn.params}

    def block(b: Block) -> Block:
        return replace(b, stmts=tuple(map(one, b.stmts)))

    def one(s: Stmt) -> Stmt:
        match s:
            case If():
                return replace(s, then=block(s.then), orelse=block(s.orelse))
            case For() | While():
                return replace(s, body=block(s.body))
            case Accumulate():
                found = regions.of(s.array) & params
                if atomic and found & names or not atomic and found <= names:
                    return replace(s, atomic=atomic)
        return s

    return replace(fn, body=block(fn.body))


# the end
@dataclass(frozen=True)
class Ready:
    """A kernel as it is printed and run."""

    kernel: Kernel
    placed: Placed
    owned: frozenset[str]


def ready(kernel: Kernel, launch: Launch, deterministic: bool = False) -> Ready:
    """The last step: which accumulations are plain, where tapes live.

    Of the launch count the axes along which there is more than one thread, and, if numbers have
    shadows, the size of a block.  ``deterministic``: sums over threads are exact.
    """
    own = owned(kernel.fn, kernel.places, kernel.shared, launch.axes)
    plain = with_atomics(kernel.fn, own, False)
    fn, hidden = gathered(plain, kernel.hidden, launch.axes, kernel.numbers)
    kernel = replace(kernel, hidden=hidden)
    fn = cleared(reused(unfilled(fn if fn is plain else clean(fn))))
    fn = replace(fn, doc=policy(fn, kernel, deterministic))
    fn, hidden = with_block_sums(fn, kernel.hidden, kernel.numbers, launch.threads)
    if deterministic:
        fn, hidden = exactly(fn, hidden, launch.axes)
    kernel, fn = replace(kernel, hidden=hidden), completed(fn)
    made = placed(fn, kernel.places)
    kernel = replace(kernel, fn=made.fn, hidden={**kernel.hidden, **made.hidden})
    kernel = _without_unused(kernel)
    verify(kernel.fn)
    return Ready(kernel, replace(made, fn=kernel.fn), frozenset(own))


def policy(fn: Function, kernel: Kernel, deterministic: bool) -> str:
    """How the threads add to arguments, for the reader of the generated text."""
    regions = Regions(fn, summarise(fn))
    sums: dict[str, bool] = {}
    for s in statements(fn.body):
        if isinstance(s, Accumulate):
            for r in regions.of(s.array):
                sums[r] = sums.get(r, False) or s.atomic
    names = [p.name for p in kernel.arguments if p.name in sums]
    kinds = {
        "by blocks": [n for n in names if n in kernel.numbers],
        "exactly" if deterministic else "atomically": [
            n for n in names if sums[n] and n not in kernel.numbers
        ],
        "plainly (elements of the thread's own)": [n for n in names if not sums[n]],
    }
    parts = [f"{', '.join(ns)} {how}" for how, ns in kinds.items() if ns]
    return f"Adds to {'; '.join(parts)}." if parts else ""


def _without_unused(kernel: Kernel) -> Kernel:
    """Hidden parameters that nothing reads are left out."""
    used: set[str] = set()
    for s in statements(kernel.fn.body):
        atoms = (*operands(s), *(y for b in blocks(s) for y in b.yields))
        used |= {a.name for a in atoms if isinstance(a, Var)}
    params = tuple(p for p in kernel.fn.params if p.name in used or p in kernel.arguments)
    hidden = {n: h for n, h in kernel.hidden.items() if n in used}
    return replace(kernel, fn=replace(kernel.fn, params=params), hidden=hidden)
