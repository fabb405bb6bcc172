"""A rule for a function of one's own: a line that defines it, four that differentiate it.

Everything else follows: it can be called in differentiated functions, on numbers and on arrays, and
the tests that are generated from the registry apply to it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import srcad
from srcad.ir.primitives_base import PRIMITIVES, define, true_float
from srcad.rules import FUNCTIONS, RULES, scalar_rule
from srcad.rules.expr import absolute
from tests import test_accuracy, test_elementwise, test_rules
from tests.elementwise import MATRIX, SCALAR, VECTOR

OPTIONS = {"backend": "reference"}


def softsign(x: float) -> float:
    """A sigmoid."""
    return x / (1.0 + abs(x))


def loss(x: np.ndarray) -> float:
    return np.sum(softsign(x) ** 2) + softsign(x[0])  # type: ignore[no-any-return]


@pytest.fixture
def registered() -> Iterator[str]:
    """The change that a newcomer makes."""
    define("softsign", 1, true_float, softsign, "({0} / (1.0 + abs({0})))", 5)

    @scalar_rule("softsign", softsign)
    def rule(x):  # type: ignore[no-untyped-def]
        """d softsign(x) = 1 / (1 + |x|)^2."""
        return 1 / ((1 + absolute(x)) * (1 + absolute(x)))

    yield "softsign"
    del PRIMITIVES["softsign"], RULES["softsign"], FUNCTIONS[softsign]


def test_a_rule_is_all_it_takes(registered: str) -> None:
    """The generated tests pass, and the function works, in every mode and backend."""
    for check in (
        test_rules.test_first_order,
        test_rules.test_second_order,
        test_rules.test_needs,
        test_rules.test_the_adjoint_reads_what_is_needed,
        test_rules.test_float32_stays,
        test_accuracy.test_accuracy,
    ):
        check(registered)
    for left, right in ((SCALAR, SCALAR), (MATRIX, VECTOR)):
        assert any(r.name == registered for r in test_elementwise.chosen(SCALAR, SCALAR))
        test_elementwise.test_first_order(left, right)
    x = np.array([0.3, -1.2, 2.0])
    srcad.check_grads(loss, (x,), order=2, **OPTIONS)
    np.testing.assert_allclose(srcad.grad(loss)(x), srcad.grad(loss, **OPTIONS)(x), rtol=1e-13)


def test_a_wrong_rule_is_found(registered: str) -> None:
    """The generated tests notice a wrong sign."""
    del RULES["softsign"], FUNCTIONS[softsign]
    scalar_rule("softsign", softsign)(lambda x: -1 / ((1 + absolute(x)) * (1 + absolute(x))))
    with pytest.raises(AssertionError):
        test_rules.test_first_order(registered)
    test_accuracy.emitted.cache_clear()
    with pytest.raises(AssertionError, match="the worst"):
        test_accuracy.test_accuracy(registered)
    test_accuracy.emitted.cache_clear()
