"""Every transform of every object: right, or refused by name.

The inner object is a function of a vector; what the outer transform gives is compared with
differences of the inner object's own values, or with a loop over samples.  Nothing may come out as
an error that is not srcad's, and nothing may come out wrong.

There are more than a thousand pairs: the test takes one in ``PART``, which one hangs on its name,
``python -m tests.test_products [word ...]`` takes them all.
"""

import itertools
import sys
import zlib

import numpy as np
import pytest
from numba import njit

import srcad
from tests.product_objects import INNER, ROOT, X, total
from tests.product_transforms import OUTER

PART = 4


@pytest.fixture(autouse=True)
def _reference():
    with srcad.using(backend="reference"):
        yield


# what cannot be: these need one float; matrices of scipy are no values; shadows are arguments
FLOATS = (
    *("float", "differentiable", "custom_vjp", "custom_jvp", "implicit_root", "checkpointed"),
    *("checkpoint", "random draws", "stop_gradient", "njit"),
)
NEED_A_FLOAT = (
    *("grad", "value_and_grad", "hvp", "hessian", "sparse_hessian", "adjoint", "audit"),
    *("scipy objective", "minuit"),
)
NO_VALUES = ("sparse_jacobian", "sparse_hessian", "adjoint")
DRAWING = (  # would draw again; a size is known too late; a rule speaks of values
    *("pullback", "sparse_jacobian", "sparse_hessian", "scipy residuals", "scipy objective"),
    *("reverse twice", "batch_jacobian", "implicit_root", "fixed_point", "implicit_minimum"),
    *("custom_vjp", "custom_jvp"),
)
SOLVERS = ("implicit_root", "implicit_minimum", "vector of roots", "grad of a root")  # not exported
# a rule that calls a function which is not expanded: that its tangent is linear is not visible
HIDDEN = ("implicit_root", "fixed_point", "implicit_minimum", "custom_vjp", "custom_jvp")
CALLED = ("checkpoint", "checkpointed", "grad of checkpointed", "grad of a root")


def refused(outer, inner):
    """Whether a pair has no meaning."""
    if inner in NO_VALUES:
        return outer != "pickle" or inner == "adjoint"
    return (
        (outer in NEED_A_FLOAT and inner not in FLOATS)
        or (inner == "random draws" and outer in DRAWING)
        or (outer == "export" and inner in SOLVERS)
    )


def may_be_refused(outer, inner):
    """Whether a pair has a meaning that is not always seen."""
    return outer in HIDDEN and inner in CALLED


def check(outer, inner):
    """Right, or refused by name."""
    f, run = INNER[inner], OUTER[outer]
    if refused(outer, inner):
        with pytest.raises((srcad.SrcadError, ValueError)) as info:  # sizes are known late
            run(f)
        error = info.value
        assert isinstance(error, srcad.SrcadError) or "has another shape" in str(error)
        assert not isinstance(error, srcad.InternalError), (outer, inner)
        return
    try:
        got, want = run(f)
    except srcad.NoDerivative as error:
        if may_be_refused(outer, inner) and "not linear here" in str(error):
            return
        raise
    np.testing.assert_allclose(got, want, rtol=2e-6, atol=1e-6, err_msg=f"{outer} of {inner}")


def chosen(outer, inner):
    """Whether the test takes a pair."""
    return zlib.crc32(f"{outer} of {inner}".encode()) % PART == 0


@pytest.mark.parametrize("inner", list(INNER))
def test_every_transform_of(inner):
    """Transforms of one object."""
    for outer in OUTER:
        if chosen(outer, inner):
            check(outer, inner)


def test_the_product_is_large():
    """Most pairs are computed, not refused."""
    pairs = list(itertools.product(OUTER, INNER))
    done = [p for p in pairs if not refused(*p)]
    assert sum(chosen(*p) for p in pairs) > 200
    assert len(pairs) > 1000 and len(done) > 800


@njit
def inside(samples, a):
    """Batches and roots in the user's own compiled code."""
    return PER(samples).sum() + ROOT(0.5, a)


PER = srcad.batch(srcad.grad(total))


def test_inside_njit():
    """The same numbers from njit code."""
    samples = np.array([X, X + 0.1])
    want = sum(srcad.grad(total)(s).sum() for s in samples) + ROOT(0.5, X)
    assert inside(samples, X) == pytest.approx(want, rel=1e-10)


def main(words):
    """All pairs whose name contains a word, if words are given; exit status 1 if one is wrong."""
    failed = 0
    with srcad.using(backend="reference"):
        for inner, outer in itertools.product(INNER, OUTER):
            pair = f"{outer} of {inner}"
            if not words or any(w in pair for w in words):
                try:
                    check(outer, inner)
                    print("passed", pair, flush=True)
                except (Exception, pytest.fail.Exception) as error:
                    failed += 1
                    print("FAILED", pair, repr(error)[:300], flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
