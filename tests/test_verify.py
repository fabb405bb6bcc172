"""The verifier refuses what breaks a law of the IR, and says which."""

import pytest

from srcad.errors import InternalError
from srcad.ir.build import ONE, ZERO
from srcad.ir.nodes import Block, Const, Function, If, Load, Op, Store, Var, View
from srcad.ir.types import B1, F4, F8, I8
from srcad.ir.verify import verify
from tests.test_backends import VEC, A, M, Maker, X, Y

F = Const(False, B1)


@pytest.mark.parametrize(
    ("stmts", "yields", "law"),
    [
        ((Op(X, "neg", (X,)),), (), "bound twice"),
        ((Op(Y, "neg", (Var("z", F8),)),), (), "not defined"),
        ((Op(Y, "neg", (Var("x", I8),)),), (), "was bound as"),
        ((Op(Var("y", I8), "neg", (X,)),), (), "gives f8"),
        ((Op(Y, "add", (X,)),), (), "takes 2"),
        ((Op(Y, "nothing", (X,)),), (), "unknown primitive"),
        ((Load(Y, A, (X,)),), (), "index is f8"),
        ((Load(Y, A, (ZERO, ZERO)),), (), "2 indices"),
        ((Load(Var("y", F4), A, (ZERO,)),), (), "an element of"),
        ((Store(A, (ZERO,), ONE),), (), "stored into"),
        (
            (View(Var("v", VEC), M, "index", (("slice", None, None, None), ("at", ZERO))),),
            (),
            "the view is",
        ),
        ((If(F, Block((Op(Y, "neg", (X,)),)), Block(())),), (Y,), "not defined"),
        ((If(F, Block((), (X,)), Block(()), (Y,)),), (), "yields 0 values"),
        ((If(F, Block((), (X,)), Block((), (ONE,)), (Y,)),), (), "yields i8 for y"),
        ((), (Const(1, F8),), "is not of type"),
    ],
)
def test_verifier_refuses(stmts, yields, law):
    with pytest.raises(InternalError, match=law):
        verify(Function("f", (X, A, M), Block(stmts, yields)))


def test_verifier_knows_loops():
    b = Maker(X)
    _, (r,), carried = b.carry(X)
    b.for_(b.var("i", I8), ZERO, ONE, ONE, carried, Block((), (ONE,)))
    with pytest.raises(InternalError, match="the loop yields i8"):
        b.done(r)
    b = Maker(X)
    _, _, carried = b.carry(X)
    b.while_(carried, Block((), (X,)))
    with pytest.raises(InternalError, match="must be b1"):
        b.done()
