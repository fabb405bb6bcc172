"""``sparse_jacobian`` and ``sparse_hessian``: compressed evaluation, CSR matrices.

The first call finds the pattern (``api.patterns``), colours it (``api.colouring``) and makes a
``Plan``; every call evaluates the function once and its tangent once a colour, in one compiled
call (``api.compressed``), and reads the entries off.

A plan belongs to the integers and shapes of the arguments and to the way that the run takes through
the program: every evaluation computes the fingerprint of its way, and where that is another one the
pattern is found anew.  So a pattern is never used for a run that it was not made for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse as sp

from srcad.api import colouring
from srcad.api.compressed import compressed_program
from srcad.api.function import Transformed
from srcad.api.higher import snapshot
from srcad.api.jacobian_chunks import WIDE
from srcad.api.patterns import Patterns, Situation
from srcad.api.programs import grad_program
from srcad.api.safety import compiling, located
from srcad.api.selection import Selection, refuse_inactive, select
from srcad.api.specialisation import Specialisation, make
from srcad.compiler import Program
from srcad.errors import InternalError, NoDerivative, TypeMismatch
from srcad.frontend.arguments import Spec, leaves_of
from srcad.ir.types import is_float
from srcad.transforms.draws import draws

KEPT = 16  # plans of one specialisation


@dataclass
class Plan:
    """How one sparsity pattern is evaluated.

    ``pattern`` has the nonzeros; ``colours`` says how many tangents (``by_rows``: cotangents) one
    evaluation takes besides the function itself.
    """

    pattern: sp.csr_array
    colours: int
    by_rows: bool
    colour: list[np.ndarray]  # of every column (row), an array an input (result)
    stack: np.ndarray  # where the nonzeros are found: which tangent, ...
    place: np.ndarray  # ... and which of its elements
    situation: Situation
    way: int | None = None

    @property
    def width(self) -> int:
        """How many colours one run takes: as few runs as possible, of equal size."""
        runs = max(1, -(-self.colours // WIDE))
        return 1 if self.by_rows else -(-self.colours // runs)

    def __repr__(self) -> str:
        m, n = self.pattern.shape
        kind = "cotangents" if self.by_rows else "tangents"
        return f"<plan: {m} x {n}, {self.pattern.nnz} nonzeros, {self.colours} {kind}>"


@dataclass
class Evaluator:
    """What is compiled for one set of argument kinds, and the plans made so far."""

    program: Program
    chosen: list[Selection]
    patterns: Patterns
    runs: dict[tuple[bool, int], Specialisation] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)

    def run(self, plan: Plan) -> Specialisation:
        """The compressed evaluation by columns or rows."""
        key = plan.by_rows, plan.width
        if key not in self.runs:
            self.runs[key] = make(compressed_program(self.program, self.chosen, *key))
        return self.runs[key]


class SparseJacobian(Transformed):
    """A Jacobian as a sparse matrix."""

    label = "sparse_jacobian"

    def __init__(self, f: Any, argnums: Any = 0, mode: str = "auto", **options: Any) -> None:
        if mode not in ("auto", "fwd", "rev"):
            raise TypeMismatch(
                f"mode must be 'auto', 'fwd' or 'rev', not {mode!r}",
                instead="leave it out: 'auto' takes the one with fewer colours",
            )
        self.argnums = tuple(argnums) if isinstance(argnums, list) else argnums
        self.mode = mode
        super().__init__(f, **options)
        self.evaluators: dict[Any, Evaluator] = {}

    def state(self) -> tuple[Any, ...]:
        """See ``Transformed.state``."""
        return (self.inner, self.argnums, self.mode, self._own)

    def program(self, specs: dict[str, Spec]) -> Program:
        """A sparse matrix is no value of the language.

        Raises:
            NoDerivative: always.
        """
        raise NoDerivative(
            f"{self.__name__} gives a sparse matrix, which cannot be differentiated or compiled "
            "into another function",
            instead="differentiate jacobian or hessian, or take sparse_jacobian of the gradient",
        )

    def __call__(self, *args: Any, **kwargs: Any) -> sp.csr_array:
        """The matrix at these arguments."""
        evaluator, leaves = self.prepare(args, kwargs)
        saved = [*map(snapshot, leaves)]
        plan: Plan = self.known(evaluator, leaves) or self.make_plan(evaluator, leaves)
        values, way = self.evaluate(evaluator, plan, leaves)
        if plan.way is None:
            plan.way = way
        elif plan.way != way:  # the run went another way: another pattern
            plan = self.known(evaluator, saved, way) or self.make_plan(evaluator, saved)
            plan.way = way
            values, _ = self.evaluate(evaluator, plan, saved)
        return self.matrix(plan, values)

    def plan(self, *args: Any, **kwargs: Any) -> Plan:
        """The pattern and the colours for these arguments."""
        evaluator, leaves = self.prepare(args, kwargs)
        plan: Plan = self.make_plan(evaluator, leaves)
        return plan

    # preparation
    @located
    def prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Evaluator, list[Any]]:
        """What is compiled for these arguments, and their leaves."""
        bound = self.bind(args, kwargs)
        specs = self.specs(bound)
        leaves = [x for k, v in bound.items() for x in leaves_of(v, specs[k])]
        key = (self.options, tuple(specs.items()))
        found = self.evaluators.get(key)
        if found is None or not found.patterns.special.valid():
            with compiling(self):
                found = self.evaluators[key] = self.evaluator(specs)
        return found, leaves

    def evaluator(self, specs: dict[str, Spec]) -> Evaluator:
        """Everything that depends on the kinds of the arguments only."""
        program = self.inner_program(specs)
        name = program.source.name
        place = program.source.loc(program.source.node)
        if draws(program.fn):
            raise NoDerivative(
                f"{self.label} of {name}, which draws random numbers",
                place,
                "the pattern would be that of other numbers",
                "pass the numbers as an argument",
            )
        if not any(is_float(y.type) for y in program.fn.body.yields):
            raise TypeMismatch(
                f"{self.label} of {name}, which returns no float",
                place,
                "the derivative of an integer is zero by definition",
                "return a float or an array of floats",
            )
        chosen = select(program, self.argnums)
        positions = [k for s in chosen for k in s.active]
        if len(set(positions)) != len(positions):
            raise TypeMismatch("argnums selects an argument twice", place, instead="name it once")
        return Evaluator(program, chosen, Patterns(program, chosen))

    def inner_program(self, specs: dict[str, Spec]) -> Program:
        """The program whose Jacobian is wanted."""
        refuse_inactive(specs, self.argnums)
        return Transformed.program(self, specs)

    # plans
    def known(self, evaluator: Evaluator, leaves: list[Any], way: int | None = None) -> Plan | None:
        """A plan for the same integers and shapes (and way, if it is known), the latest first."""
        everything = [*leaves, *evaluator.patterns.special.captured()]
        for plan in evaluator.plans:
            if way in (None, plan.way) and plan.situation.fits(evaluator.program, everything):
                return plan
        return None

    @located
    def make_plan(self, evaluator: Evaluator, leaves: list[Any]) -> Plan:
        """Find the pattern and colour it."""
        everything = [*leaves, *evaluator.patterns.special.captured()]
        situation = Situation(evaluator.program, everything)
        with compiling(self):
            pattern, *sizes = evaluator.patterns.find(leaves)
            plan = self.coloured(pattern, sizes, situation)
            evaluator.run(plan)
        evaluator.plans.insert(0, plan)
        del evaluator.plans[KEPT:]
        return plan

    def coloured(self, pattern: sp.csr_array, sizes: list[list[int]], situation: Situation) -> Plan:
        """The cheaper of both directions (row colours are asked for where they may be fewer)."""
        row, col = entries(pattern)
        turned = sp.csr_array(pattern.T)
        in_row, in_column = (int(np.diff(p.indptr).max(initial=0)) for p in (pattern, turned))
        colour = rows = None
        if self.mode != "rev":
            colour = colouring.columns(pattern)
        if self.mode == "rev" or (self.mode == "auto" and in_column < in_row):
            rows = colouring.columns(turned)
        if colour is None or (rows is not None and count(rows) < count(colour)):
            assert rows is not None
            split = parts(rows, sizes[0])
            return Plan(pattern, count(rows), True, split, rows[row], col, situation)
        split = parts(colour, sizes[1])
        return Plan(pattern, count(colour), False, split, colour[col], row, situation)

    # evaluation
    def evaluate(self, evaluator: Evaluator, plan: Plan, leaves: list[Any]) -> tuple[Any, int]:
        """The nonzeros, and the fingerprint of the run."""
        *stacks, way = evaluator.run(plan)([*leaves, *plan.colour, plan.colours])
        flat = [s.reshape(len(s), -1) for s in stacks]
        values = flat[0] if len(flat) == 1 else np.concatenate(flat, axis=1)
        return values[plan.stack, plan.place], way

    def matrix(self, plan: Plan, values: np.ndarray) -> sp.csr_array:
        """The values in their places."""
        p = plan.pattern
        return sp.csr_array((values, p.indices.copy(), p.indptr.copy()), shape=p.shape)


def count(colour: np.ndarray) -> int:
    """Number of colours."""
    return int(colour.max(initial=-1)) + 1


def entries(pattern: sp.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of every nonzero, in the order of storage."""
    return np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr)), pattern.indices


def parts(colour: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    """The colours of each input or result, as read-only arrays."""
    found = np.split(colour, np.cumsum(sizes)[:-1])
    for a in found:
        a.flags.writeable = False
    return found


class SparseHessian(SparseJacobian):
    """A Hessian as a sparse matrix: the Jacobian of the gradient, coloured as what is symmetric."""

    label = "sparse_hessian"

    def inner_program(self, specs: dict[str, Spec]) -> Program:
        """The gradient's program."""
        refuse_inactive(specs, self.argnums)
        program = Transformed.program(self, specs)
        return grad_program(program, self.argnums, False, False, program.source.name)

    def coloured(self, pattern: sp.csr_array, sizes: list[list[int]], situation: Situation) -> Plan:
        """A star colouring; each entry is read in a column in which its colour stands alone."""
        pattern = sp.csr_array(pattern + pattern.T, dtype=bool)
        pattern.sort_indices()
        colour = colouring.star(pattern)
        colours, (row, col) = count(colour), entries(pattern)
        low, high = np.minimum(row, col), np.maximum(row, col)
        met = row * colours + colour[col]  # which colours a row meets, and how often
        often = np.bincount(met, minlength=len(colour) * colours)
        alone = often[high * colours + colour[low]] == 1
        if not np.all(alone | (often[low * colours + colour[high]] == 1)):
            raise InternalError("a star colouring leaves an entry undetermined")
        stack = np.where(alone, colour[low], colour[high])
        place = np.where(alone, high, low)
        return Plan(pattern, colours, False, parts(colour, sizes[1]), stack, place, situation)


def sparse_jacobian(f: Any, argnums: Any = 0, mode: str = "auto", **options: Any) -> SparseJacobian:
    """The Jacobian as a sparse matrix, with as many tangents as its columns have colours.

    Args:
        f: a function, or a transform of one.
        argnums: as for ``grad``; the columns of several arguments stand one after the other.
        mode: ``"fwd"`` (columns are coloured), ``"rev"`` (rows), or ``"auto"``: fewer colours.
        **options: see ``srcad.Options``.

    Returns:
        A function of the arguments of ``f``.  It gives a ``scipy.sparse.csr_array``: a row for
        every element of the float results, a column for every element of the selected arguments,
        each in the order of ``ravel``.  Its method ``plan`` gives pattern and number of colours.

    Raises:
        TypeMismatch: nothing to differentiate.
        NoDerivative: ``f`` draws random numbers; or at another transform of the result.

    The nonzeros are found in the program, not by values: an entry that happens to be zero is
    stored.  They are found again where integers, shapes, or branches that are taken have changed
    (``f`` then runs twice in that call).

    >>> from srcad.examples import squares
    >>> import numpy as np
    >>> jac = sparse_jacobian(squares, backend="reference")
    >>> jac(np.array([1.0, 2.0])).toarray()
    array([[2., 0.],
           [0., 4.]])
    >>> jac.plan(np.ones(100))
    <plan: 100 x 100, 100 nonzeros, 1 tangents>
    """
    return SparseJacobian(f, argnums, mode, **options)


def sparse_hessian(f: Any, argnums: Any = 0, **options: Any) -> SparseHessian:
    """The Hessian of a function that returns one float, as a sparse symmetric matrix.

    Arguments, errors and result are those of ``sparse_jacobian``; there is one tangent of the
    gradient for every colour of a star colouring.

    >>> from srcad.examples import square_sum
    >>> import numpy as np
    >>> hess = sparse_hessian(square_sum, backend="reference")
    >>> hess(np.array([1.0, 2.0])).toarray()
    array([[2., 0.],
           [0., 2.]])
    """
    return SparseHessian(f, argnums, "fwd", **options)
