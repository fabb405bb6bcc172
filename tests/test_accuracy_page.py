"""What ``docs/accuracy.md`` says beyond what other tests of accuracy check."""

from __future__ import annotations

import random
import re
from pathlib import Path

import mpmath as mp  # type: ignore[import-untyped]
import numpy as np
from scipy.special import logsumexp, ndtr, softmax

import srcad
from tests.test_accuracy import EPS, SMOOTH, TERMS

OPTIONS = {"backend": "reference"}


def test_the_page_names_what_cancels() -> None:
    """``docs/accuracy.md`` lists the rules with terms, and as relatively accurate none of them."""
    text = (Path(__file__).resolve().parents[1] / "docs" / "accuracy.md").read_text()
    cancelling = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert set(cancelling) == set(TERMS)
    listed = re.findall(r"`(\w+)`", text[text.index("matters most") : text.index("whose deriv")])
    assert set(listed) - {"logsumexp", "softmax"} <= set(SMOOTH) - set(cancelling)


def test_tails_of_logsumexp_and_softmax() -> None:
    """Derivatives as small as 1e-250 have an error of 8 eps of what rounding differences does."""
    rnd = random.Random(5)
    both = srcad.jacrev(lambda x: (logsumexp(x), softmax(x)), backend="reference")
    for _ in range(20):
        x = np.array([rnd.uniform(-300, 300), rnd.uniform(-3, 3), rnd.uniform(-1, 1), 0.0])
        weights = [mp.exp(mp.mpf(t)) for t in x]
        share = [w / sum(weights) for w in weights]
        first, second = both(x)
        size = 8 * EPS * (1 + float(np.ptp(x)))
        for i, p in enumerate(share):
            assert abs(first[i] - p) <= size * p
            for j, q in enumerate(share):
                want = p * (1 - p) if i == j else -p * q
                assert abs(second[i, j] - want) <= size * (p * q if i != j else p)


def test_the_left_tail_of_ndtr() -> None:
    """Next to the smallest normal numbers, the error of the value is that of its operand."""
    rnd, f = random.Random(6), srcad.differentiable(lambda x: ndtr(x), **OPTIONS)
    for x in [rnd.uniform(-37, 8) for _ in range(60)]:
        want = mp.erfc(-mp.mpf(x) / mp.sqrt(2)) / 2
        assert abs(f(x) - want) <= (3e-13 if x < -20 else 1e-13) * want
