"""A program as a driver on the host and kernels on the device.

In: a function after the last transform, calls expanded (``storage.device.expanded``) and
broadcasting decided (``ones``).  Out: an ``Offloaded``: the driver, an IR function whose calls are
launches, and the kernels by name.

* A loop whose iterations are independent is a kernel (``nests``); one that reduces is two.
* What lies between is executed by one thread: statements that follow each other make one launch,
  and those that follow a reduction are executed by its last kernel.
* Other loops are the host's, and launch kernels in each trip; a loop over elements in which there
  is nothing for many threads is executed by one.
* A number on the device is an array of one element, its cell.  The driver loads from a cell where
  the host needs the number: for a condition, a size, a number among the results.

Invariant: launches are in the order of the statements, all on one stream.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import (
    Accumulate,
    Alloc,
    ArrayOp,
    Atom,
    Block,
    Call,
    Carried,
    Check,
    For,
    Function,
    If,
    Load,
    Op,
    Print,
    Stmt,
    Store,
    Var,
    View,
    While,
)
from srcad.ir.threads import changing
from srcad.ir.types import B1, I8, ListT, Scalar
from srcad.ir.walk import blocks, operands, rewrite, statements, targets, variables
from srcad.storage.offload.kernels import BLOCKS, WIDTH, Kernel, KernelBuilder, cell_type
from srcad.storage.offload.nests import Nest
from srcad.storage.offload.places import KERNEL, THREAD, Places
from srcad.storage.offload.sink import sunk
from srcad.storage.rows import matrices
from srcad.transforms import accumulate, cse, dead_code, simplify
from srcad.transforms.barriers import written
from srcad.transforms.trips import trip_count


@dataclass(frozen=True)
class Offloaded:
    """The driver, and the kernels that it launches."""

    driver: Function
    kernels: dict[str, Kernel]
    lists: frozenset[str] = frozenset()  # those that hold cells


def offloaded(fn: Function, deterministic: bool = False) -> Offloaded:
    """The program as a driver and kernels.

    Args:
        fn: the program.
        deterministic: whether there are to be no atomic additions.

    Raises:
        UnsupportedSyntax: it has a part that can run on neither.
    """
    fn = matrices(replace(fn, body=undivided(fn.body)))
    fn = sunk(accumulate.run(fn, integers=True))
    return _Cut(fn, deterministic).run()


@dataclass
class Group:
    """Statements for one thread; ``nest`` is what it reduces before."""

    stmts: list[Stmt] = field(default_factory=list)
    given: dict[str, Atom] = field(default_factory=dict)  # cells that get numbers of the host
    nest: Nest | None = None


class _Cut:
    """One function."""

    def __init__(self, fn: Function, deterministic: bool) -> None:
        self.fn = fn
        self.places = Places(fn, deterministic)
        self.b = Builder(Namer([*(v.name for v in variables(fn)), "gpu", "cuda"]))
        self.uses = counted(fn)
        self.views = {s.target.name: s for s in statements(fn.body) if isinstance(s, View)}
        self.cells: dict[str, Var] = {}  # by the name of the number, and by their own
        self.lists: set[str] = set()
        self.fetched: list[dict[str, Var]] = [{}]
        self.group = Group()
        self.kernels: dict[str, Kernel] = {}

    def run(self) -> Offloaded:
        """The driver and its kernels."""
        body = self.block(self.fn.body)
        faces = {n: face(n, k) for n, k in self.kernels.items()}
        driver = replace(self.fn, body=body, callees=faces)
        for run in (simplify.run, cse.run, simplify.run, dead_code.run):
            driver = run(driver)
        return Offloaded(driver, self.kernels, frozenset(self.lists))

    # blocks and statements
    def block(self, b: Block, wanted: tuple[bool, ...] = ()) -> Block:
        """A block of the host; ``wanted``: which yields are to be cells."""
        wanted = wanted or (False,) * len(b.yields)
        self.fetched.append({})
        with self.b.block() as out:
            for s in b.stmts:
                self.statement(s)
            pairs = list(zip(b.yields, wanted, strict=True))
            cells = [self.cell(y) if w else y for y, w in pairs]
            self.flush()
            ends = tuple(y if w else self.host(y) for y, (_, w) in zip(cells, pairs, strict=True))
        self.fetched.pop()
        return Block(tuple(out), ends)

    def statement(self, s: Stmt) -> None:
        """One statement."""
        place = self.places.of(s)
        self.b.loc = s.loc
        if place == THREAD:
            self.group.stmts.append(s)
        elif place == KERNEL:
            self.kernel(s, self.places.nest[id(s)])
        elif isinstance(s, (If, For, While)):
            self.flush()
            self.control(s)
        else:
            self.plain(s)

    def plain(self, s: Stmt) -> None:
        """A statement of the host that has no blocks."""
        if isinstance(s, ArrayOp):
            self.flush()
            found = tuple(self.named(t) if isinstance(t.type, Scalar) else t for t in s.targets)
            s = replace(s, targets=found)
        elif isinstance(s, (Load, Store)):
            return self.listed(s)
        elif isinstance(s, Accumulate):
            return self.added(s)
        elif isinstance(s, (Check, Print)):
            self.flush()
        self.b.emit(rewrite(s, self.host, self.reference))

    def listed(self, s: Load | Store) -> None:
        """An element of a list; numbers are there as their cells."""
        if isinstance(s, Load):
            self.flush()
            index = tuple(map(self.host, s.index))
            array = self.reference(s.array)
            self.b.emit(replace(s, target=self.named(s.target), array=array, index=index))
            return
        number = isinstance(s.value.type, Scalar)
        value = self.cell(s.value) if number else s.value
        self.flush()
        index = tuple(map(self.host, s.index))
        self.b.emit(replace(s, array=self.reference(s.array), index=index, value=value))

    def added(self, s: Accumulate) -> None:
        """An addition to a number in a list: the list gets another cell."""
        self.flush()
        assert isinstance(s.array.type, ListT)
        old, new = (self.b.var("t", s.array.type.element) for _ in range(2))
        self.places.numbers |= {old.name, new.name}
        self.uses[new.name] = 1
        self.listed(Load(old, s.array, s.index, s.loc))
        self.group.stmts.append(Op(new, "add", (old, s.value), s.loc))
        self.listed(Store(s.array, s.index, new, s.loc))

    def reference(self, v: Var) -> Var:
        """A variable of the driver: a list of numbers is one of cells."""
        if not isinstance(v.type, ListT) or not isinstance(v.type.element, Scalar):
            return v
        self.lists.add(v.name)
        return replace(v, type=ListT(cell_type(v.type.element)))

    def control(self, s: If | For | While) -> None:
        """A branch or loop of the host."""
        on = self.places.numbers
        if isinstance(s, If):
            wanted = tuple(r.name in on for r in s.results)
            cond = self.host(s.cond)
            results = tuple(map(self.named, s.results))
            then, orelse = (self.block(b, wanted) for b in (s.then, s.orelse))
            self.b.emit(replace(s, cond=cond, then=then, orelse=orelse, results=results))
            return
        wanted = tuple(c.arg.name in on for c in s.carried)
        cells = [self.cell(c.init) if w else c.init for c, w in zip(s.carried, wanted, strict=True)]
        self.flush()
        inits = [x if w else self.host(x) for x, w in zip(cells, wanted, strict=True)]
        carried = tuple(
            Carried(self.named(c.result), self.named(c.arg), x)
            for c, x in zip(s.carried, inits, strict=True)
        )
        if isinstance(s, For):
            s = self.bounded(s)
        body = self.block(s.body, wanted)
        self.b.emit(replace(s, carried=carried, body=body, keep=None))

    # numbers
    def named(self, v: Var) -> Var:
        """What stands for a variable in the driver: a number on the device is its cell."""
        if v.name not in self.places.numbers:
            return self.reference(v)
        if v.name not in self.cells:
            self.cells[v.name] = cell = self.b.var(v.name, cell_type(v.type))
            self.cells[cell.name] = cell
        return self.cells[v.name]

    def cell(self, a: Atom) -> Var:
        """The cell of a number, which is put there if it is the host's."""
        if isinstance(a, Var) and a.name in self.places.numbers:
            return self.named(a)
        assert isinstance(a.type, Scalar)
        made = self.b.var(a.name if isinstance(a, Var) else "number", cell_type(a.type))
        self.cells[made.name] = made
        self.group.given[made.name] = a
        return made

    def host(self, a: Atom) -> Atom:
        """An operand as the host has it: numbers of the device are fetched."""
        if not isinstance(a, Var):
            return a
        if a.name not in self.places.numbers:
            return self.reference(a)
        for known in self.fetched:
            if a.name in known:
                return known[a.name]
        self.flush()
        found = self.b.load(self.named(a), ZERO, hint=a.hint or a.name)
        self.fetched[-1][a.name] = found
        return found

    # kernels
    def kernel(self, s: Stmt, nest: Nest) -> None:
        """A nest of loops."""
        self.flush()
        nest.loops = [self.bounded(x) for x in nest.loops]
        if nest.reductions and not nest.apart:
            self.group.nest = nest
        elif nest.reductions:
            self.group.stmts.append(s)
        elif nest.apart:
            self.branching(s, nest)
        else:
            self.elements(nest)

    def bounded(self, s: For) -> For:
        """A loop whose bounds are the host's."""
        start, stop, step = map(self.host, (s.start, s.stop, s.step))
        return replace(s, start=start, stop=stop, step=step, parallel=False)

    def branching(self, s: Stmt, nest: Nest) -> None:
        """A nest that is one for many threads if its arrays are found to be apart."""
        fine: Atom = const(True)
        for x, y in nest.apart:
            (apart,) = self.b.array_op("apart", (B1,), x, y, hint="apart")
            fine = self.b.op("and", fine, apart) if fine != const(True) else apart
        with self.b.block() as then:
            self.elements(nest)
        with self.b.block() as orelse:
            self.group.stmts.append(s)
            self.flush()
        self.b.if_(fine, Block(tuple(then)), Block(tuple(orelse)))

    def elements(self, nest: Nest) -> None:
        """A kernel over elements."""
        trips, count = self.trips(nest)
        params = [self.b.var(f"n_{k}", I8) for k in range(len(trips))]
        kernel = self.builder("loop").elements(nest, params)
        self.launch(kernel, self.blocks(count), dict(zip(params, trips, strict=True)))

    def flush(self) -> None:
        """Launch what waits for one thread."""
        group, self.group = self.group, Group()
        if not (group.stmts or group.given or group.nest):
            return
        ends = dict(group.given)
        made: list[Stmt] = [*group.stmts]
        results = [t for s in made for t in targets(s)]
        if group.nest is not None:
            results += [c.result for c in group.nest.loops[0].carried]
        inside = Counter(names_in(made))
        for t in results:
            if self.uses[t.name] > inside[t.name]:
                ends[self.named(t).name] = t
        loc = self.b.loc
        for name in ends:
            self.b.emit(Alloc(self.cells[name], (ONE,), False, loc))
        if group.nest is None:
            self.launch(self.builder("numbers").alone(made, ends), ONE, {})
        else:
            self.reduce(group.nest, made, ends)

    def reduce(self, nest: Nest, stmts: list[Stmt], ends: dict[str, Atom]) -> None:
        """The two kernels of a reduction."""
        b, outer = self.b, nest.loops[0]
        trips, count = self.trips(nest)
        size = self.blocks(count)
        tables = [
            b.alloc(cell_type(c.arg.type), (size,), False, f"{c.arg.hint or c.arg.name}_parts")
            for c in outer.carried
        ]
        params = [b.var(f"n_{k}", I8) for k in range(len(trips))]
        parts = self.builder("parts").parts(nest, params, tables)
        self.launch(parts, size, dict(zip(params, trips, strict=True)))
        self.launch(self.builder("total").total(nest, tables, stmts, ends), ONE, {})

    def trips(self, nest: Nest) -> tuple[list[Atom], Atom]:
        """The trips of the loops of a nest, and the number of elements."""
        b = self.b
        trips = [trip_count(b, s.start, s.stop, s.step) for s in nest.loops]
        count = trips[0]
        for n in trips[1:]:
            count = b.op("mul", count, n, hint="n")
        return trips, count

    def blocks(self, count: Atom) -> Atom:
        """How many blocks of threads there are for so many elements."""
        b = self.b
        full = b.op("floordiv", b.op("add", count, const(WIDTH - 1)), const(WIDTH))
        return b.op("max", b.op("min", full, const(BLOCKS)), ONE, hint="blocks")

    def builder(self, role: str) -> KernelBuilder:
        """What builds the next kernel."""
        name = self.b.namer.fresh(f"{self.fn.name}_{role}")
        return KernelBuilder(self.fn, name, self.cells, self.views)

    def launch(self, kernel: Kernel, blocks: Atom, given: dict[Var, Atom]) -> None:
        """Emit a launch: a call on the number of blocks, then the arguments of the kernel."""
        self.kernels[kernel.fn.name] = kernel
        args = [given.get(p, p) for p in kernel.arguments]
        self.b.emit(Call((), kernel.fn.name, (blocks, *map(self.host, args)), self.b.loc))


def undivided(b: Block) -> Block:
    """A block whose divisions by zero give what IEEE says, as on the device all do."""
    out: list[Stmt] = []
    for s in b.stmts:
        if isinstance(s, Check) and s.exception == "ZeroDivisionError":
            continue
        if isinstance(s, If):
            s = replace(s, then=undivided(s.then), orelse=undivided(s.orelse))
        elif isinstance(s, (For, While)):
            s = replace(s, body=undivided(s.body))
        out.append(s)
    return Block(tuple(out), b.yields)


def face(name: str, kernel: Kernel) -> Function:
    """What a launch is a call of: it changes what the kernel changes."""
    taken = {p.name for p in kernel.arguments}
    blocks = Var(Namer(taken).fresh("blocks"), I8)
    changed = {p.name for p in written(kernel.fn)}
    stmts = tuple(changing(p) for p in kernel.arguments if p.name in changed)
    return Function(name, (blocks, *kernel.arguments), Block(stmts))


def names_in(stmts: list[Stmt]) -> list[str]:
    """The variables that statements use, inner ones included, once for each use."""
    out: list[str] = []
    for s in stmts:
        for t in (s, *(t for b in blocks(s) for t in statements(b))):
            out += [a.name for a in operands(t) if isinstance(a, Var)]
            out += [y.name for b in blocks(t) for y in b.yields if isinstance(y, Var)]
    return out


def counted(fn: Function) -> Counter[str]:
    """How often each variable is used."""
    ends = [y.name for y in fn.body.yields if isinstance(y, Var)]
    return Counter([*names_in(list(fn.body.stmts)), *ends])
