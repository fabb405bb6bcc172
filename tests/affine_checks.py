"""Checks of ``affine_programs``: against the oracle, before and after the passes for loops.

    python -m tests.affine_checks --count 200 --seed 1 [--backend cpu]

In: a seed.  Out: which sizes were compared; ``Mismatch`` where value, exit state, gradient or
tangent differ from those of the oracle.  The passes that only compiled code gets do here all that
they can, worth it or not (``thorough``), and their result is interpreted, which is quicker than to
compile it; ``--backend cpu`` compiles.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import Any
from unittest import mock

import numpy as np

import srcad
from srcad import compiler, stages
from srcad.backends.reference import ReferenceBackend
from srcad.ir.nodes import Function
from srcad.storage.jam import jammed
from tests import affine_programs, oracle
from tests.randprog.checking import Mismatch, flat

LARGE, STEEP = 1e4, 1e5  # values and derivatives of programs that are compared
SIZES = (5, 1, 8, 0, 2)


def thorough(program: compiler.Program, lanes: int = 3) -> Function:
    """``compiler.finished`` of compiled code, all loops jammed that can be."""
    options = replace(program.options, backend="cpu", verify=True)
    jam = partial(jammed, lanes=lanes, always=True)
    with mock.patch.object(stages, "jammed", jam):
        return compiler.finished(replace(program, options=options))


def build(program: compiler.Program) -> Any:
    """``compiler.build`` of what is thorough, interpreted."""
    fn = thorough(program)
    return compiler.with_messages(ReferenceBackend().build(fn), fn)


def check(seed: int, backend: str = "reference", sizes: Sequence[int] = SIZES) -> list[int]:
    """Compare the program of a seed with the oracle; the sizes at which there was a comparison."""
    f = affine_programs.load(seed)
    columns = 4 if seed % 5 else 11
    layout = affine_programs.LAYOUTS[seed % 4] if seed % 3 == 0 else "C"

    def args(n: int) -> tuple[Any, ...]:
        return affine_programs.arguments(seed, n, columns, layout)

    whole = mock.patch.object(compiler, "build", build) if backend == "reference" else nullcontext()
    with whole, warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        subject = srcad.differentiable(f, backend=backend)
        gradient = srcad.value_and_grad(subject, argnums=(0, 1, 2, 3))
        return [n for n in sizes if _compared(f, subject, gradient, args, n)]


def _compared(f: Any, subject: Any, gradient: Any, args: Any, n: int) -> bool:
    """Compare at one size, where the program runs and is not too steep."""
    given = args(n)
    try:
        value = f(*given)
    except (IndexError, ZeroDivisionError, UnboundLocalError):
        return False
    state, slope = flat(value, given), flat(oracle.gradient(f, args(n), (0, 1, 2, 3)))
    if not (np.max(np.abs(state)) < LARGE and np.max(np.abs(slope)) < STEEP):
        return False
    mine = args(n)
    _same(f"value and state, n = {n}", flat(subject(*mine), mine), state, 1e-12)
    mine = args(n)
    value, found = gradient(*mine)
    _same(f"value and state with the gradient, n = {n}", flat(value, mine), state, 1e-12)
    _same(f"gradient, n = {n}", flat(found), slope, 1e-9)
    rng = np.random.default_rng(n)
    tangents = (*(rng.standard_normal(a.shape) for a in mine[:3]), 0.7, None, None)
    _, tangent = srcad.jvp(subject, args(n), tangents)
    _same(f"tangent, n = {n}", flat(tangent), np.array([slope @ flat(tangents[:4])]), 1e-9)
    return True


def _same(what: str, found: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    if not np.all(np.abs(found - expected) <= tolerance * scale):
        raise Mismatch(f"{what}\nfound    {found}\nexpected {expected}")


def main(arguments: list[str] | None = None) -> int:
    """The command line; the exit status says whether all programs passed."""
    parser = argparse.ArgumentParser(description="Check random programs of loops over arrays.")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0, help="of the first program")
    parser.add_argument("--backend", default="reference", help="cpu compiles with Numba (slow)")
    options = parser.parse_args(arguments)
    compared = failed = 0
    sizes = SIZES if options.backend == "reference" else (37, 1, 70, 4)
    for seed in range(options.seed, options.seed + options.count):
        try:
            compared += len(check(seed, options.backend, sizes))
        except Exception as error:
            failed += 1
            print(f"seed {seed}: {type(error).__name__}: {str(error)[:400]}", flush=True)
        if (seed - options.seed) % 50 == 49:
            print(f"{seed - options.seed + 1} programs, {compared} comparisons", flush=True)
    print(f"{options.count} programs, {compared} comparisons, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
