"""Whole random programs: the Hypothesis strategy, and long runs from the command line.

    python -m tests.random_programs --count 5000 --seed 1 --save failures

generates programs from the seeds 1, 2, ... and checks each against the oracle.  A failing program
is reduced and saved under its seed; `generate(RandomChooser(seed))` makes the original again.
`--check validate` checks only that the programs are fit to be tests, `--check njit` that plain
numba compiles them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.randprog import checking
from tests.randprog.chooser import DrawChooser, RandomChooser
from tests.randprog.loading import load, unload
from tests.randprog.program import SIZE, RandomProgram, generate
from tests.randprog.reduce import reduce

__all__ = ["RandomChooser", "RandomProgram", "check", "generate", "load", "programs", "unload"]

SHARES = {  # what a run must contain to mean something, in percent of the programs
    "needed_overwrite": 60,
    "alias": 30,
    "ragged": 25,
    "mutating_helper": 25,
    "early_exit": 25,
}


@st.composite
def programs(draw: Any, size: int = SIZE, without: Iterable[str] = frozenset()) -> RandomProgram:
    """Random programs that shrink: every decision of the grammar is drawn."""
    return generate(DrawChooser(draw), size, frozenset(without))


def check(program: RandomProgram, **options: Any) -> str:
    """Compare with the oracle."""
    return checking.compare(program, **options)


def shares(generated: Iterable[RandomProgram]) -> dict[str, float]:
    """Percent of the programs that have each feature, the commonest first."""
    found: Counter[str] = Counter()
    total = 0
    for program in generated:
        total += 1
        found.update(feature for feature, number in program.stats.items() if number)
    return {feature: 100 * number / total for feature, number in found.most_common()}


def _njit(program: RandomProgram) -> str:
    checking.compile_plain(program)
    return "compiled"


def _validate(program: RandomProgram) -> str:
    return "steep" if checking.validate(program) > checking.STEEP else "fit"


CHECKS: dict[str, Callable[[RandomProgram], str]] = {
    "compare": check,
    "validate": _validate,
    "njit": _njit,
}


def run(
    seeds: Iterable[int],
    checker: Callable[[RandomProgram], str],
    make: Callable[[int], RandomProgram],
    save: Path | None = None,
    every: int = 100,
) -> tuple[Counter[str], list[RandomProgram]]:
    """Check one program per seed: how many had which outcome, and the programs."""
    outcomes: Counter[str] = Counter()
    checked: list[RandomProgram] = []
    start = time.perf_counter()
    for seed in seeds:
        program = make(seed)
        checked.append(program)
        try:
            outcomes[checker(program)] += 1
        except Exception as error:
            outcomes["FAILED"] += 1
            message = f"{type(error).__name__}: {error}"
            print(f"seed {seed}: {message[:300]}", flush=True)
            if save is not None:
                save.mkdir(parents=True, exist_ok=True)
                small = reduce(program, checker)
                (save / f"seed_{seed}.py").write_text(_report(seed, program, message, small))
        if len(checked) % every == 0:
            pace = (time.perf_counter() - start) / len(checked)
            print(
                f"{len(checked)} programs, {1000 * pace:.1f} ms each: {dict(outcomes)}", flush=True
            )
    return outcomes, checked


def _report(seed: int, program: RandomProgram, message: str, small: RandomProgram) -> str:
    commented = "\n".join(f"# {line}" for line in message.splitlines())
    whole = "\n".join(f"# {line}" for line in program.source.splitlines())
    header = f"# seed {seed}, {program.parameters}\n{commented}\n\n"
    return f"{header}{small.source}\n\n# --- before it was reduced ---\n{whole}\n"


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit status says whether all programs passed."""
    parser = argparse.ArgumentParser(description="Check random programs.")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="of the first program")
    parser.add_argument("--size", type=int, default=SIZE, help="statements of the main function")
    parser.add_argument("--check", choices=CHECKS, default="compare")
    parser.add_argument("--backend", default="reference", help="cpu compiles with Numba (slow)")
    parser.add_argument("--verify", action="store_true", help="check the IR after every pass")
    parser.add_argument("--poison", action="store_true", help="fill what must not be read with NaN")
    parser.add_argument("--without", default="", help="features to leave out: list,while,...")
    parser.add_argument("--save", type=Path, help="directory for failing programs")
    parser.add_argument("--show", action="store_true", help="print the programs")
    options = parser.parse_args(arguments)
    without = frozenset(filter(None, options.without.split(",")))

    def make(seed: int) -> RandomProgram:
        program = generate(RandomChooser(seed), options.size, without)
        if options.show:
            print(program)
        return program

    checker = CHECKS[options.check]
    if checker is check:
        flags = {name: True for name in ("verify", "poison") if getattr(options, name)}
        checker = partial(check, backend=options.backend, **flags)
    seeds = range(options.seed, options.seed + options.count)
    outcomes, checked = run(seeds, checker, make, options.save)
    print(f"{len(checked)} programs: {dict(outcomes)}")
    for feature, percent in shares(checked).items():
        print(f"  {feature:20s} {percent:5.1f} %")
    return 1 if outcomes["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
