"""The intermediate representation: structured, typed, single assignment, seventeen node classes.

What goes in: the frontend's lowering of a user function for given argument types; what comes
out of every transform is again a ``Function`` of these nodes.

Shape of a program
------------------
* Every ``Var`` is assigned exactly once (names are unique in a function).  A value that changes
  in a loop is *carried*: ``init`` enters, ``arg`` is its name inside an iteration, the body
  block's ``yields`` give the next one, ``result`` is its name after the loop.  A value that
  depends on a branch is a result of ``If``.  Nothing assigned inside a block is visible outside.
* Operands are atoms: ``Var`` or ``Const``.
* Arrays are references to mutable storage.  ``Load``, ``Store`` and ``Accumulate`` touch one
  element, negative indices count from the end as in Numba; everything the user writes on whole
  arrays has become loops over elements, except ``ArrayOp`` (products, factorisations).
* ``View`` makes a reference to the storage of its base, ``Alloc`` a new one.

The laws: every pass maps verified IR to verified IR; every transform's output is legal input to
every transform; transforms assign the types of what they make, nothing is inferred again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from srcad.ir.types import Type


@dataclass(frozen=True, slots=True)
class Loc:
    """Where in the user's source a statement comes from, and what role it plays there."""

    file: str
    line: int
    col: int = 0
    end_col: int = 0
    function: str = ""
    role: str = "primal"  # primal | tangent | adjoint | tape | recompute


@dataclass(frozen=True, slots=True)
class Var:
    """A variable: a name unique in its function, a type, the user's name it stands for."""

    name: str
    type: Type
    hint: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Const:
    """A number known at compile time (of the Python type that goes with its scalar type)."""

    value: Any
    type: Type


Atom = Var | Const


@dataclass(frozen=True, slots=True)
class Block:
    """Statements, then the values the block hands to the statement that owns it."""

    stmts: tuple[Stmt, ...]
    yields: tuple[Atom, ...] = ()


@dataclass(frozen=True, slots=True)
class Op:
    """``target = op(args)``: a pure scalar primitive of ``ir.primitives``."""

    target: Var
    op: str
    args: tuple[Atom, ...]
    loc: Loc | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """``target = array[index]``; of a list, ``index`` is one position (elements may be arrays)."""

    target: Var
    array: Var
    index: tuple[Atom, ...]
    loc: Loc | None = None


@dataclass(frozen=True, slots=True)
class Store:
    """``array[index] = value``, the value cast to the element type."""

    array: Var
    index: tuple[Atom, ...]
    value: Atom
    loc: Loc | None = None


@dataclass(frozen=True, slots=True)
class Accumulate:
    """``array[index] += value``; ``atomic`` if other threads of a kernel may do so at once."""

    array: Var
    index: tuple[Atom, ...]
    value: Atom
    loc: Loc | None = None
    atomic: bool = False


@dataclass(frozen=True, slots=True)
class Alloc:
    """``target = `` fresh storage; ``zero`` asks for zeros, otherwise contents are undefined.

    An array takes one size per axis in ``shape``; a list takes ``()`` and starts empty.
    """

    target: Var
    shape: tuple[Atom, ...]
    zero: bool = True
    loc: Loc | None = None


@dataclass(frozen=True, slots=True)
class View:
    """``target`` = reference to the storage of ``base``.

    ``kind`` and ``spec``:
    * ``"index"``: a tuple of items, ``("at", i)`` drops an axis, ``("slice", start, stop, step)``
      (atoms or ``None``), ``("new",)`` adds one;
    * ``"transpose"``: a tuple of axis numbers;
    * ``"reshape"``: a tuple of atoms (base is C-contiguous; sizes are exact, no ``-1``);
    * ``"same"``: the same reference (used to rename, or to forget layout when the target's
      layout is ``A``);
    * of complex arrays, until they are pairs of reals: ``"pairs"``, the array of pairs that it is
      (one axis more); ``"complex"``, back; ``"real"`` and ``"imag"``, the parts.
    """

    target: Var
    base: Var
    kind: str
    spec: tuple[Any, ...] = ()
    loc: Loc | None = None


@dataclass(frozen=True, slots=True)
class Dim:
    """``target = array.shape[axis]``; of a list, its number of cells (axis 0)."""

    target: Var
    array: Var
    axis: int
    loc: Loc | None = None


@dataclass(frozen=True, slots=True)
class Reserve:
    """Make positions below ``size`` of a list exist (new cells zero; no-op where they do)."""

    array: Var
    size: Atom
    loc: Loc | None = None


@dataclass(frozen=True, slots=True)
class ArrayOp:
    """``targets = op(args)``: an array primitive with a rule of its own (pure, fresh results).

    Scalars and arrays as operands and results; operands' contents are only read.
    """

    targets: tuple[Var, ...]
    op: str
    args: tuple[Atom, ...]
    loc: Loc | None = None


@dataclass(frozen=True, slots=True)
class If:
    """``results = then.yields if cond else orelse.yields`` after executing that block."""

    cond: Atom
    then: Block
    orelse: Block
    results: tuple[Var, ...] = ()
    loc: Loc | None = None


@dataclass(frozen=True, slots=True)
class Carried:
    """One value carried through a loop."""

    result: Var
    arg: Var
    init: Atom


@dataclass(frozen=True, slots=True)
class Keep:
    """``srcad.checkpointed``: how many states of a loop (or ``bytes`` of them) are kept at most."""

    limit: Atom
    bytes: bool = False


@dataclass(frozen=True, slots=True)
class For:
    """``for index in range(start, stop, step): body`` with carried values.

    ``body.yields`` correspond to ``carried``.  With ``breaks`` the first carried value is a
    bool, and the loop ends after an iteration that yields true for it.  ``keep`` says nothing
    about the values: reverse mode then keeps few states and runs the loop again from them.
    """

    index: Var
    start: Atom
    stop: Atom
    step: Atom
    carried: tuple[Carried, ...]
    body: Block
    breaks: bool = False
    parallel: bool = False
    loc: Loc | None = None
    keep: Keep | None = None


@dataclass(frozen=True, slots=True)
class While:
    """``while carried[0]: body``: the first carried value is the condition (bool)."""

    carried: tuple[Carried, ...]
    body: Block
    loc: Loc | None = None
    keep: Keep | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """``targets = fn(args)``: a call that was not expanded (recursion, very large helpers)."""

    targets: tuple[Var, ...]
    fn: str
    args: tuple[Atom, ...]
    loc: Loc | None = None


class Template(str):
    """Text of a message with places (``"step {:.3f}"``) for the numbers that follow it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Check:
    """Raise ``exception(*message)`` unless ``cond``; ``exception`` names a builtin class.

    Without an exception the function, which has no results, ends there.  In a part of a loop for
    several threads, ``site`` is the number of the check among those of the loop.
    """

    cond: Atom
    exception: str
    message: tuple[Any, ...]
    loc: Loc | None = None
    site: int | None = None


@dataclass(frozen=True, slots=True)
class Print:
    """``print(*args)``: atoms and strings; runs once, in the forward sweep."""

    args: tuple[Any, ...]
    loc: Loc | None = None


@dataclass(frozen=True, slots=True)
class Draw:
    """``targets = `` the next random number of a distribution (``ir.draws``), or a seeding.

    It changes the state of the generator: whether its result is used or not, it is executed where
    it stands, once for each time the user's statement is, in the forward sweep only.  With
    ``given`` nothing is drawn: the result is that number, which an earlier run has drawn.
    """

    targets: tuple[Var, ...]
    kind: str
    args: tuple[Atom, ...] = ()
    loc: Loc | None = None
    given: Atom | None = None


Stmt = (
    Op
    | Load
    | Store
    | Accumulate
    | Alloc
    | View
    | Dim
    | Reserve
    | ArrayOp
    | If
    | For
    | While
    | Call
    | Check
    | Print
    | Draw
)


@dataclass(frozen=True, slots=True)
class Rule:
    """The derivative that the user has given for a function, as names of callees.

    * ``"jvp"``: ``derivative`` takes the parameters, then a tangent for each one in ``given``;
      it gives the results, then a tangent for each float result.
    * ``"vjp"``: ``forward`` takes the parameters and gives the results, then residuals;
      ``derivative`` takes the parameters, the residuals and a seed for each float result, and
      gives a cotangent for each parameter in ``given``.
    * ``"pullback"``: of a version of ``forward`` that stands where a call is being reversed.
    """

    kind: str
    derivative: str
    given: tuple[bool, ...]  # by parameter: whether there is a derivative with respect to it
    results: int
    label: str  # what the user calls the function
    forward: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The callees that the rule refers to."""
        return (self.derivative, self.forward) if self.forward else (self.derivative,)


@dataclass(frozen=True, slots=True)
class Function:
    """Parameters, a body whose yields are the results, and the functions it calls by name.

    ``callees`` is shared by all functions of one program (recursion goes through it); ``least`` are
    lower bounds of integer parameters that all callers keep.  A part of another function, which has
    its names, holds in ``decides`` those that its decisions depend on (``analyses.deciding``), and
    in ``apart`` classes of storage of array parameters: those in different ones never overlap, nor
    do they overlap a parameter that is in none (``analyses.aliases``).  ``stops`` says what its
    checks do instead of raising, once all passes have run (``storage.parallel.stops``).
    """

    name: str
    params: tuple[Var, ...]
    body: Block
    callees: dict[str, Function] = field(default_factory=dict, compare=False)
    doc: str = field(default="", compare=False)
    rule: Rule | None = None
    least: dict[str, int] = field(default_factory=dict, compare=False)
    decides: frozenset[str] | None = field(default=None, compare=False)  # see below
    apart: dict[str, str] = field(default_factory=dict, compare=False)  # see above, too
    stops: Any = field(default=None, compare=False)
    nogil: bool = field(default=False, compare=False)  # compiled code releases Python's lock
    packed: bool = field(default=False, compare=False)  # equal operations stand side by side
    vector: frozenset[str] = field(default=frozenset(), compare=False)  # may take vector forms
    relaxed: frozenset[str] = field(default=frozenset(), compare=False)  # ``storage.relaxed``
    reordered: bool = field(default=False, compare=False)  # products of those, too
    reverses: str = field(default="", compare=False)  # of a reverse version: the function's name
    workspace: str = field(default="", compare=False)  # the parameter: where large arrays come from
