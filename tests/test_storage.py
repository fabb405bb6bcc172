"""The tape holds no more bytes than TBR needs, on named programs with bounds derived by hand.

TBR ("to be recorded"): a value of the primal is stored only if a partial derivative uses it and
it is gone when the reverse sweep gets there, that is, overwritten, and not to be had again from
what is still there by a cheap operation.  Each program below states what that leaves, as a formula
of its arguments, with the reasoning; f8 is 8 bytes, a bool 1.  Both factors of a product count
where both are active, one value for other nonlinear operations; a chain of operations on values
that are had anyway (sums, differences, products) costs nothing.

Counted is what the reverse sweep really finds when it starts: the generated function is run with
its tapes as further results, and arrays held by lists of references are counted with their
contents (once each).  Shadows are not tape; a cell of a list of references is 8 bytes.
"""

from dataclasses import replace

import numpy as np
import pytest

import srcad
from srcad.backends.reference import run
from srcad.compiler import finished
from srcad.ir.nodes import Alloc, Block
from srcad.ir.types import ArrayT
from tests import oracle
from tests.composition import float_leaves, joined
from tests.storage_programs import B1, F8, NAMED, REFERENCE
from tests.zoo_checks import close


def wrt(args):
    """Positions of the arguments with floats."""
    return tuple(k for k, a in enumerate(args) if oracle.is_float_leaf(a))


def gradient_of(named, args):
    """The gradient's program and its leaves."""
    g = srcad.grad(named.fn, argnums=wrt(args), backend="reference")
    bound = g.bind(args, {})
    return g.program(g.specs(bound)), list(args)


def recorded(program, leaves):
    """Bytes of every tape when the reverse sweep has them all, by name."""
    names = {r.tape for report in program.reports for r in report.residuals if r.tape}
    done = finished(program)
    tapes = [
        s.target
        for s in done.body.stmts
        if isinstance(s, Alloc) and (s.target.name in names or s.target.hint.endswith("_kept"))
    ]
    fn = replace(done, body=Block(done.body.stmts, tuple(tapes)))
    counted = {id(owner(a)) for a in leaves if isinstance(a, np.ndarray)}
    shadows = {v.name for v in tapes if "_b" in v.name}
    return {
        v.name: weight(v, tape, counted, v.name in shadows)
        for v, tape in zip(tapes, run(fn, tuple(leaves)), strict=True)
    }


def weight(v, tape, counted, is_shadow):
    """Bytes of one tape; contents of the arrays it refers to only if nobody counted them."""
    if isinstance(v.type, ArrayT):
        seen = id(owner(tape)) in counted
        counted.add(id(owner(tape)))
        return 0 if seen else tape.nbytes
    if not isinstance(v.type.element, ArrayT):
        return len(tape) * (B1 if str(v.type.element) == "b1" else F8)
    total = REFERENCE * len(tape)
    for a in map(owner, tape):
        if id(a) not in counted and not is_shadow:
            counted.add(id(a))
            total += a.nbytes
    return total


def owner(a):
    """The array whose storage a view shows."""
    while a.base is not None:
        a = a.base
    return a


def check_bound(named, size):
    """Raise if the tape holds more than the bound says."""
    program, leaves = gradient_of(named, named.args(size))
    found = recorded(program, leaves)
    assert sum(found.values()) <= named.bound(*named.args(size)), found


@pytest.mark.parametrize("size", [5, 9])
@pytest.mark.parametrize("named", NAMED, ids=str)
def test_no_more_than_needed(named, size):
    """Bytes on the tape against the bound, at two sizes."""
    check_bound(named, size)


@pytest.mark.parametrize("named", NAMED, ids=str)
def test_gradient(named):
    """What is not recorded was not needed: poisoned, the gradient is that of the oracle."""
    args = named.args(5)
    g = srcad.grad(named.fn, argnums=wrt(args), backend="reference", poison=True, verify=True)
    want = oracle.gradient(named.fn, args, wrt(args))
    found = joined(list(float_leaves(g(*named.args(5)))))
    assert close(found, joined(list(float_leaves(want))), 1e-10)


def test_enough_programs():
    """How many programs have a bound."""
    assert len(NAMED) >= 10
