"""A mutation test of the transforms: ``python -m tests.mutation [word ...]``.

Every mutant of ``tests.mutants`` (of places whose text contains a word, if words are given) is put
in force in a process of its own, which runs what passes through its place, cheapest first, until
something fails: a value, an exit state or a derivative differs from the oracle's, more is recorded
than TBR needs, the IR does not verify, the compiler or the program raises, or does not end.
Report: the share caught by operator, the survivors, and which of these are known to be equivalent.

What is run: the programs of the zoo, those with rules and checkpoints of ``mutation_programs``,
the named programs of ``test_storage``, the tests of ``test_reverse_ir*`` and ``test_transform_*``.
Checked of a program: value, exit state, gradient (of all results, poisoned), tangents of results
and exit arguments, the in-place adjoint with cotangents on exit, Hessian times vector by forward
over reverse and, of small programs, reverse over reverse.  The clean-up passes are left out, so
that nothing repairs a mutant.
"""

from __future__ import annotations

import inspect
import os
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import srcad
from srcad.transforms.reverse import reverse_with_report
from tests import (
    composition,
    oracle,
    test_checkpointing,
    test_reverse_ir,
    test_reverse_ir_calls,
    test_storage,
    test_transform_corners,
    test_transform_cost,
)
from tests.composition import Adjoint, Subject, Tangent, run
from tests.mutants import FILES, Effect, Mutant, applied, mutants
from tests.mutation_programs import REFUSALS, pairs
from tests.mutation_survivors import EQUIVALENT
from tests.programs import PROGRAMS
from tests.zoo.registry import Program
from tests.zoo_checks import Expected, expect, floats_only, quiet, tolerance, writes_arguments

SLOW = 4.0  # seconds (while being traced): what takes longer is left out
ALIVE = test_checkpointing.test_explain_counts_what_is_alive_at_one_time
SMALL = 40  # statements: only of such programs is reverse over reverse made
CAUGHT = ("wrong", "invalid", "crash", "timeout")


class Unit:
    """Something to run that raises if derivatives are wrong."""

    def __init__(self, name: str, action: Callable[[], Any]) -> None:
        self.name, self.action = name, action
        self.lines: set[tuple[str, int]] = set()
        self.seconds = 0.0

    def __call__(self) -> None:
        """Run it."""
        with quiet():
            self.action()


class Checked(Unit):
    """A program with everything the oracle says of it, ready to be checked again and again.

    Where the oracle cannot read the program it is asked about its ``plain`` twin.
    """

    def __init__(self, program: Program, plain: Program | None = None) -> None:
        super().__init__(program.name, self.every)
        with quiet():
            self.subject, self.expected = Subject(program), Expected(plain or program)
            self.tol = tolerance(program)
            self.steps = [self.gradient, self.tangent]
            e = self.expected
            _ = e.gradient, e.tangent
            if writes_arguments(self.subject):
                self.steps.append(self.in_place)
                _ = e.exit_gradient
            if self.subject.scalar:
                self.steps.append(self.second)
                _ = e.hvp

    def every(self) -> None:
        """Run all steps."""
        for step in self.steps:
            step()

    def gradient(self) -> None:
        """Results, exit state and gradient."""
        s, e = self.subject, self.expected
        made, _ = reverse_with_report(s.fn, s.active, None, poison=True)
        made = composition.cleaned(made)
        weights = [1.0] if e.scalar else e.weights
        leaves = s.leaves()
        found = list(run(made, [*leaves, *s.seeds(weights)]))
        n = len(s.fn.body.yields)
        expect("value", found[:n], e.out, self.tol)
        given = [
            x for x in leaves[: len(leaves) - len(s.program.captures)] if isinstance(x, np.ndarray)
        ]
        expect("exit state", given, arrays_in(e.exit), self.tol)
        expect("gradient", s.gathered(found[n:]), floats_only(e.gradient), self.tol)

    def tangent(self) -> None:
        """Tangents of results and exit arguments."""
        e, t = self.expected, Tangent(self.subject)
        seeds, results = t.run(e.tangents)
        expect("tangents on exit", seeds, e.tangent[1], self.tol)
        expect("tangents", results, e.tangent[0], self.tol)
        _, results = Tangent(self.subject, every=False).run(e.tangents)
        expect("tangents", results, e.tangent[0], self.tol)

    def in_place(self) -> None:
        """Cotangents of the arguments on exit."""
        e = self.expected
        found = Adjoint(self.subject).gradient(e.weights, e.exit_weights)
        expect("gradient with exit cotangents", found, floats_only(e.exit_gradient), self.tol)

    def second(self) -> None:
        """Two ways to a Hessian times vector."""
        s, e = self.subject, self.expected
        g = composition.gradient(s.fn, s.active)
        compositions = [composition.tangent(g, s.active)]
        if composition.size(s.fn) <= SMALL:
            compositions.append(composition.pullback(g, s.active))
        for made in compositions:
            found = s.gathered(list(run(made, [*s.leaves(), *s.spread(e.tangents)])))
            expect("hvp", found, floats_only(e.hvp), self.tol)


def arrays_in(tree: Any) -> list[np.ndarray]:
    """The arrays of a structure."""
    return [x for x in oracle.leaves(list(tree)) if isinstance(x, np.ndarray)]


def refused(call: Callable[[], Any]) -> None:
    """Raise unless a call is refused."""
    with pytest.raises(srcad.NoDerivative):
        call()


def further(names: Iterable[str] = ()) -> Iterable[Callable[[], Unit]]:
    """What is run besides the zoo, or only what has one of these names."""
    actions: dict[str, Callable[[], Any]] = {
        f"storage of {n}": lambda n=n: test_storage.check_bound(n, 5)  # type: ignore[misc]
        for n in test_storage.NAMED
    }
    actions |= {f"refused {n}": lambda f=f: refused(f) for n, f in REFUSALS.items()}  # type: ignore[misc]
    actions[ALIVE.__name__] = ALIVE
    for module in (
        test_reverse_ir,
        test_reverse_ir_calls,
        test_transform_corners,
        test_transform_cost,
    ):
        for name, function in vars(module).items():
            if name.startswith("test_") and not inspect.signature(function).parameters:
                actions[name] = function
    makers = {name: lambda name=name: Unit(name, actions[name]) for name in actions}  # type: ignore[misc]
    makers |= {p.name: lambda p=p, q=q: Checked(p, q) for p, q in pairs()}  # type: ignore[misc]
    yield from (makers[name] for name in names or makers)


def everything() -> Iterable[Callable[[], Unit]]:
    """All there is to run, to be made one after the other."""
    for program in PROGRAMS:
        yield lambda p=program: Checked(p)
    yield from further()


def prepared(makers: Iterable[Callable[[], Unit]], slow: float = SLOW) -> list[Unit]:
    """What passes unmutated, with the lines it reaches and the time it takes."""
    found: list[Unit] = []
    files = set(map(str, FILES))
    for make in makers:
        name, start = "", time.perf_counter()
        try:
            unit = make()
            name, start = unit.name, time.perf_counter()
            unit.lines = lines_of(unit, files)
        except Exception as error:
            print(f"left out: {name}: {type(error).__name__}: {str(error)[:150]}")
            continue
        unit.seconds = time.perf_counter() - start
        if unit.seconds < slow:
            found.append(unit)
    return sorted(found, key=lambda u: u.seconds)


def lines_of(action: Callable[[], None], files: set[str]) -> set[tuple[str, int]]:
    """Lines of some files that an action executes."""
    seen: set[tuple[str, int]] = set()

    def local(frame: Any, event: str, _: Any) -> Any:
        seen.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    def trace(frame: Any, event: str, _: Any) -> Any:
        return local(frame, event, _) if frame.f_code.co_filename in files else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return seen


@dataclass
class Outcome:
    """What became of a mutant."""

    mutant: Mutant
    kind: str  # wrong | invalid | crash | timeout | survived | inert | unreached
    by: str = ""
    tried: int = 0


def judge(mutant: Mutant, units: list[Unit]) -> Outcome:
    """Run the programs that reach a mutant, in a process of its own."""
    span = range(mutant.line, mutant.end + 1)
    reached = [u for u in units if any((mutant.file, k) in u.lines for k in span)]
    if not reached:
        return Outcome(mutant, "unreached")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            os.write(writer, attempt(mutant, reached).encode()[:4000])
        finally:  # whatever happens, this process must not go on with what its parent does
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    kind, _, by = (answer or "timeout;").partition(";")
    return Outcome(mutant, kind, by, len(reached))


def attempt(mutant: Mutant, units: list[Unit]) -> str:
    """The first failure under a mutant, as text."""
    used = 0
    signal.signal(signal.SIGALRM, expired)
    for unit in units:
        signal.alarm(10 + int(10 * unit.seconds))
        try:
            with applied(mutant):
                unit()
        except (Exception, pytest.fail.Exception) as error:
            return f"{verdict(error)};{unit.name}: {type(error).__name__} {str(error)[:120]}"
        used += Effect.applied
    return "survived;" if used else "inert;"


def expired(*_: Any) -> None:
    """A program does not end."""
    raise TimeoutError


def verdict(error: Exception) -> str:
    """What kind of failure an exception is."""
    name = type(error).__name__
    known = {
        "Failure": "wrong",
        "Mismatch": "wrong",
        "Failed": "wrong",
        "InternalError": "invalid",
        "TimeoutError": "timeout",
    }
    return known.get(name, "crash")


def explanation(mutant: Mutant) -> str:
    """Why a mutant is equivalent, if that is known."""
    return next(
        (
            reason
            for (operator, function, text), reason in EQUIVALENT.items()
            if mutant.operator == operator
            and mutant.function == function
            and mutant.text.startswith(text)
        ),
        "",
    )


def report(outcomes: list[Outcome], verbose: bool = True) -> float:
    """Print what was caught; the share of emission mutants that are not equivalent."""
    table: dict[str, Counter[str]] = defaultdict(Counter)
    survivors = []
    for o in outcomes:
        kind = "equivalent" if o.kind == "survived" and explanation(o.mutant) else o.kind
        group = "force" if o.mutant.operator.startswith("force") else o.mutant.operator
        table[group][kind] += 1
        if o.kind in ("survived", "unreached"):
            survivors.append(o)
    for group, counts in table.items():
        print(f"{group:8} {share(counts):6.1%} caught: {dict(counts)}")
    for o in survivors if verbose else ():
        print(f"{o.kind:9} ({o.tried} programs) {o.mutant}\n{'':20} {explanation(o.mutant)}")
    return share(sum((c for g, c in table.items() if g != "force"), Counter()))


def share(counts: Counter[str]) -> float:
    """Caught, of all that are neither inert nor equivalent."""
    caught = sum(counts[k] for k in CAUGHT)
    return caught / max(1, caught + counts["survived"] + counts["unreached"])


def main(words: list[str]) -> int:
    """The whole test; exit status 1 below 95 percent."""
    chosen = [m for m in mutants() if not words or any(w in str(m) for w in words)]
    with composition.uncleaned():
        units = prepared(everything())
        print(f"{len(chosen)} mutants, {len(units)} programs", flush=True)
        outcomes = []
        for mutant in chosen:
            outcomes.append(judge(mutant, units))
            o = outcomes[-1]
            print(f"{o.kind:9} {o.mutant} | {o.by}", flush=True)
    caught = report(outcomes)
    print(f"caught {caught:.1%} of the mutants that remove an emission")
    return int(caught < 0.95)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
