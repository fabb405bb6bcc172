"""Many processes against one cache, damaged files, edits: ``python -m tests.stress_cache``.

In each round a few processes start at once on the same folder, in every other round after an edit
of the project of ``cache_programs`` and damage to some files.  Each compares all its derivatives
with the reference interpreter; all processes of a round must agree to the last bit.  The last
round has a home that cannot be written.  Prints one line a round; the exit status is the number of
faults.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from tests import cache_programs
from tests.cache_programs import EDITS


def faults_in(outputs: list[dict]) -> list[str]:
    """What is wrong with what the processes of one round said."""
    faults = []
    for out in outputs:
        for name, right in out["right"].items():
            pairs = zip(out["found"][name], right, strict=True)
            if not all(
                math.isclose(float.fromhex(a), float.fromhex(b), rel_tol=1e-12) for a, b in pairs
            ):
                faults.append(f"{name} is {out['found'][name]}, right is {right}")
        if out["found"] != outputs[0]["found"]:
            faults.append("two processes differ")
    return faults


def damage(cache: Path, rng: random.Random) -> int:
    """Cut files off, flip bits, empty them; how many."""
    files = sorted(cache.glob("*.*"))
    hit = [p for p in files if rng.random() < 0.3]
    for path in hit:
        data = bytearray(path.read_bytes())
        at = rng.randrange(len(data) + 1)
        if rng.random() < 0.5 or at == len(data):
            path.write_bytes(data[:at])
        else:
            data[at] ^= 1 << rng.randrange(8)
            path.write_bytes(data)
    return len(hit)


def change(project: Path, rng: random.Random) -> str:
    """The project with a random edit, or as it was."""
    cache_programs.write(project)
    chosen = rng.sample(EDITS, rng.randrange(4))
    done = []
    for e in chosen:
        if e.old in (project / e.file).read_text():
            cache_programs.edit(project, e)
            done.append(e.new)
    return ", ".join(done) or "nothing"


def environment(**changes: str) -> dict[str, str]:
    """The environment of a process."""
    path = os.pathsep.join([os.getcwd(), *filter(None, sys.path)])
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SRCAD_")}
    return {**kept, "PYTHONPATH": path, **changes}


def one_round(project: Path, count: int, env: dict[str, str]) -> tuple[list[dict], list[str]]:
    """Start processes at once; what they said, and what went wrong."""
    running = [cache_programs.start(project, env) for _ in range(count)]
    outputs, faults = [], []
    for p in running:
        out, err = p.communicate()
        if p.returncode or err:
            faults.append(f"exit status {p.returncode}: {err[-2000:]}")
        else:
            outputs.append(json.loads(out))
    return outputs, faults + faults_in(outputs)


def main() -> int:
    """Run the rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng, total = random.Random(given.seed), 0
    with tempfile.TemporaryDirectory() as name:
        project, cache = Path(name) / "project", Path(name) / "cache"
        for k in range(given.rounds + 1):
            start, last = time.perf_counter(), k == given.rounds
            edits, hurt = "as before", 0
            if k % 2 == 0 and not last:  # every other round finds everything as it was left
                edits = change(project, rng)
                hurt = damage(cache, rng) if cache.exists() else 0
            where = {"HOME": "/proc/none"} if last else {"SRCAD_CACHE_DIR": str(cache)}
            outputs, faults = one_round(project, given.processes, environment(**where))
            hits = sum(not out["loaded"] for out in outputs)
            label = "home that cannot be written" if last else f"edited: {edits}; damaged: {hurt}"
            print(
                f"round {k}: {len(outputs)} processes, {hits} without the compiler, {label}; "
                f"{time.perf_counter() - start:.1f} s; faults: {len(faults)}",
                *faults,
                sep="\n  ",
                flush=True,
            )
            total += len(faults)
    return total


if __name__ == "__main__":
    sys.exit(main())
