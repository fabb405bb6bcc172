"""Unsupported and odd Python: srcad gives numbers, a ``SrcadError``, or the program's own error.

A longer run from the command line, which prints what is wrong::

    python -m tests.test_fuzz_unsupported mutants 5000 100000
    python -m tests.test_fuzz_unsupported calls 5000 100000
"""

from __future__ import annotations

import sys
from collections import Counter

import pytest

from tests.fuzzing import mutants, random_calls
from tests.fuzzing.judge import Verdict, judge, judge_call

CHUNK = 25


def try_mutant(seed: int) -> tuple[Verdict, str]:
    """The verdict on a mutant of the zoo, and its text."""
    mutant = mutants.mutant(seed)
    if mutant is None:
        return Verdict("no program"), ""
    try:
        return judge(mutant), mutant.text
    finally:
        mutant.unload()


def try_calls(seed: int) -> tuple[Verdict, str]:
    """The verdict on a function of random calls, and its text."""
    function = random_calls.load(seed)
    if function is None:
        return Verdict("no program"), ""
    try:
        return judge_call(function, lambda: tuple(random_calls.arguments().values())), (
            random_calls.source(seed)
        )
    finally:
        random_calls.unload(seed)


KINDS = {"mutants": try_mutant, "calls": try_calls}


def run(kind: str, count: int, first: int) -> tuple[Counter[str], list[str]]:
    """Try seeds one after another: how they ended, and what was wrong."""
    labels: Counter[str] = Counter()
    faults = []
    for seed in range(first, first + count):
        verdict, text = KINDS[kind](seed)
        labels[verdict.label] += 1
        if verdict.fault:
            faults.append(f"{kind} {seed}: {verdict.label}: {verdict.fault}\n{text}")
    return labels, faults


@pytest.mark.parametrize("first", range(0, 16 * CHUNK, CHUNK))
def test_mutants(first):
    """Programs of the zoo with statements and expressions that do not belong there."""
    _, faults = run("mutants", CHUNK, first)
    assert not faults, "\n\n".join(faults)


@pytest.mark.parametrize("first", range(0, 24 * CHUNK, CHUNK))
def test_random_calls(first):
    """NumPy functions, builtins, operators, subscripts with arguments of all kinds."""
    labels, faults = run("calls", CHUNK, first)
    assert not faults, "\n\n".join(faults)
    assert labels["value"] > 0


if __name__ == "__main__":
    total, wrong = run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
    print(*wrong, sep="\n\n")
    print(dict(total), f"{len(wrong)} wrong")
    sys.exit(bool(wrong))
