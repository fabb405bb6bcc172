"""The shape of the code base: imports go one way, files stay readable, passes are verified.

Imports are read from the syntax of every file, those inside functions included.
"""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import srcad
from srcad import compiler
from srcad.ir import verify as verifier
from srcad.stages import STAGES

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "srcad"

# What each layer may import.  ``options`` holds only choices, ``examples`` only plain functions.
BASE = {"errors"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "options": BASE,
    "paths": set(),
    "callables": set(),
    "specs": BASE | {"ir"},
    "cache": set(),
    "examples": set(),
    "runtime": BASE,
    "ir": BASE | {"runtime"},
    "rules": BASE | {"ir", "runtime"},
    "library": BASE | {"runtime"},
    "messages": BASE | {"ir"},
    "frontend": BASE | {"ir", "rules", "library", "specs", "paths", "callables"},
    "analyses": BASE | {"ir", "rules"},
    "transforms": BASE | {"ir", "rules", "analyses"},
    "storage": BASE | {"ir", "rules", "analyses", "transforms"},
    "backends": BASE | {"ir", "rules", "runtime", "cache"},
    "stages": BASE | {"ir", "options", "storage"},
    "compiler": BASE
    | {
        "options",
        "ir",
        "rules",
        "library",
        "frontend",
        "analyses",
        "transforms",
        "storage",
        "stages",
        "backends",
        "messages",
        "runtime",
        "specs",
        "paths",
        "callables",
        "cache",
    },
}
ALLOWED["api"] = ALLOWED["compiler"] | {"compiler"}
ALLOWED["adapters"] = ALLOWED["api"] | {"api"}
ALLOWED["tape"] = BASE | {"ir", "rules", "runtime"}
ALLOWED["cuda"] = ALLOWED["api"] | {"api"}
ALLOWED["tf"] = ALLOWED["api"] | {"api", "tape"}

# Known exceptions, file -> layer; each is a debt, none may be added without a reason.
EXCEPTIONS: dict[tuple[str, str], str] = {}

LIMIT = 400  # lines of a file


def layer_of(path: Path) -> str:
    """The layer a file belongs to (``""`` for the package's own ``__init__``)."""
    first = path.relative_to(PACKAGE).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imported(tree: ast.AST, path: Path) -> set[str]:
    """Layers of srcad that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the layer"
            names = (
                [f"srcad.{a.name}" for a in node.names]
                if node.module == "srcad"
                else [node.module or ""]
            )
        else:
            continue
        found |= {n.split(".")[1] for n in names if n.startswith("srcad.")}
        if "srcad" in names:
            found.add("")
    return found


def sources() -> list[Path]:
    """The files of the package."""
    return sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    """A file imports only its own layer and those below it."""
    layer = layer_of(path)
    if layer == "":
        return
    assert layer in ALLOWED, f"srcad/{layer} is no layer; say here what it may import"
    name = str(path.relative_to(PACKAGE))
    used = imported(ast.parse(path.read_text()), path) - {layer}
    wrong = {x for x in used - ALLOWED[layer] if (name, x) not in EXCEPTIONS}
    assert not wrong, f"srcad/{name} is in layer {layer!r} and must not import {sorted(wrong)}"


def test_exceptions_are_still_needed():
    """An exception that nothing uses any more is taken off the list."""
    for (name, layer), reason in EXCEPTIONS.items():
        path = PACKAGE / name
        assert layer in imported(ast.parse(path.read_text()), path), f"{name} -> {layer}: {reason}"


def test_layers_have_no_cycle():
    """The table itself goes one way."""
    seen: set[str] = set()
    rest = dict(ALLOWED)
    while rest:
        free = [k for k, below in rest.items() if below <= seen]
        assert free, f"a cycle among {sorted(rest)}"
        seen |= set(free)
        for k in free:
            del rest[k]


def test_stages_come_after_what_they_need():
    """In the order that runs, for each kind of code; ``after`` names stages that there are."""
    names = [s.name for s in STAGES]
    assert len(set(names)) == len(names)
    for k, stage in enumerate(STAGES):
        assert set(stage.after) <= set(names[:k]), stage.name
        assert stage.why


def test_files_stay_readable():
    """No file beyond 400 lines."""
    folders = (PACKAGE, ROOT / "tests", ROOT / "examples", ROOT / "benchmarks")
    lengths = {
        str(p.relative_to(ROOT)): len(p.read_text().splitlines())
        for f in folders
        for p in f.rglob("*.py")
        if "golden" not in p.parts
    }
    assert not {p: n for p, n in lengths.items() if n > LIMIT}


def test_every_pass_is_verified(monkeypatch):
    """Under ``verify=True`` the IR is verified after lowering, each pass and each transform."""
    checked: list[object] = []
    original = verifier.verify

    def counting(fn, *args, **kwargs):
        checked.append(fn)
        return original(fn, *args, **kwargs)

    made: list[object] = []

    def recorded(run):
        def wrapper(fn):
            out = run(fn)
            made.append(out)
            return out

        return wrapper

    for name in ("srcad.compiler", "srcad.api.programs"):
        monkeypatch.setattr(f"{name}.verify", counting)
    monkeypatch.setattr(compiler, "PASSES", tuple(map(recorded, compiler.PASSES)))
    from srcad.examples import fixed_steps

    options = {"backend": "reference", "verify": True}
    srcad.grad(srcad.grad(fixed_steps, **options))(0.5, 3)
    srcad.jvp(srcad.differentiable(fixed_steps, **options), (0.5, 3), (1.0, None))
    assert len(made) >= 5 * len(compiler.PASSES)
    assert all(any(c is m for c in checked) for m in made)
    checked.clear()
    srcad.grad(fixed_steps, backend="reference")(np.float64(0.5), 3)
    assert not checked


def test_broken_ir_is_noticed():
    """A pass that leaves a variable undefined does not get through."""
    from dataclasses import replace

    from srcad.examples import square_sum
    from srcad.ir.nodes import Block

    def losing(fn):
        return replace(fn, body=Block(fn.body.stmts[1:], fn.body.yields))

    good = compiler.PASSES
    compiler.PASSES = (*good, losing)
    try:
        with pytest.raises(srcad.SrcadError):
            srcad.grad(square_sum, backend="reference", verify=True)(np.ones(3))
    finally:
        compiler.PASSES = good
