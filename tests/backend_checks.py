"""Building IR by hand and running it through every backend (used by the backends' tests)."""

import ast

import numpy as np

from srcad.backends.base import backend
from srcad.backends.printer import emit
from srcad.ir.build import ONE, ZERO, Builder, const
from srcad.ir.names import Namer
from srcad.ir.nodes import Block, Carried, Function, Var
from srcad.ir.types import F8, I8, ArrayT
from srcad.ir.verify import verify

VEC, MAT, STRIDED = ArrayT("f8", 1), ArrayT("f8", 2), ArrayT("f8", 1, "A")
X, Y, N = Var("x", F8, "x"), Var("y", F8, "y"), Var("n", I8, "n")
A, M = Var("a", VEC, "a"), Var("m", MAT, "m")


class Maker(Builder):
    """A builder of one function of the given parameters."""

    def __init__(self, *params, loc=None):
        super().__init__(Namer([p.name for p in params]), loc)
        self.params = params

    def done(self, *yields, name="f", callees=None):
        """The verified function."""
        fn = Function(name, self.params, Block(tuple(self.stack[0]), yields), callees or {})
        verify(fn)
        return fn

    def carry(self, *inits, hints="suvw"):
        """Carried values: arguments, and what makes ``Carried`` of them."""
        args = [self.var(h, i.type) for h, i in zip(hints, inits, strict=False)]
        results = [self.var(a.hint, a.type) for a in args]
        return args, results, tuple(map(Carried, results, args, inits))


def copied(args):
    """Arguments that may be written to."""
    return [a.copy() if isinstance(a, (np.ndarray, list)) else a for a in args]


def same(a, b):
    """Equal to the last bit (NaN equals NaN)."""
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return np.array_equal(np.asarray(a), np.asarray(b), equal_nan=np.asarray(a).dtype.kind == "f")


def agree(fn, *args, names=("python", "cpu")):
    """The reference's results, after all backends gave them, and left the same arguments."""
    verify(fn)
    module = emit(fn)
    assert ast.dump(ast.parse(module.source)) == ast.dump(module.tree)
    ours = copied(args)
    expected = backend("reference").build(fn)(*ours)
    for name in names:
        theirs = copied(args)
        got = backend(name).build(fn)(*theirs)
        assert all(map(same, expected, got)), (name, expected, got, module.source)
        assert all(map(same, ours, theirs)), (name, ours, theirs, module.source)
    return expected


def body_of(fn):
    """The printed statements of the entry function."""
    return emit(fn).source.split("):\n", 1)[1].rstrip()


def fibonacci():
    b = Maker(N)
    (s, u), (rs, _), carried = b.carry(const(0.0), const(1.0))
    with b.block() as stmts:
        t = b.op("add", s, u)
    b.for_(b.var("i", I8), ZERO, N, ONE, carried, Block(tuple(stmts), (u, t)))
    return b.done(rs)
