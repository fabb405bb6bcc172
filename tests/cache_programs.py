"""A small project whose functions depend on things in every way there is, and edits of each.

``write`` puts it into a folder; every entry of ``EDITS`` changes what exactly one function depends
on.  ``tests/test_cache.py`` and ``tests/stress_cache.py`` run it in processes of their own.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests import cache_rules

FILES = {
    "deep.py": """
RATE = 0.25

def bottom(x):
    return x * 1.5 + RATE * 0.0

def rated(x):
    return RATE * x * x

def swapped_first(x):
    return x * x

def swapped_second(x):
    return x * x * x

swapped = swapped_first
""",
    "helper.py": """
import numpy as np
import deep

SCALE = 2.0
TABLE = {"a": 1.5, "b": [1.0, 2.0]}

def middle(x):
    return deep.bottom(x) * np.sin(x)

def scaled(x):
    return SCALE * x * x

def above(x):
    return deep.rated(x) + x
""",
    "model.py": """
import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
import srcad

import deep
import helper
from helper import scaled

WEIGHTS = np.array([0.5, 1.5])
OTHER = WEIGHTS
POWER = 3
LAYERS = (1.0, 2.0)
MODE = "sin"


def plain(x):
    return x * x * 2.0


def through_helper(x):
    return scaled(x)


def two_levels(x):
    return helper.middle(x)


def global_below(x):
    return helper.above(x)


def through_dict(x):
    return helper.TABLE["a"] * x * x + helper.TABLE["b"][1] * x


def through_name(x):
    return deep.swapped(x)


def captured_number(x):
    return x ** POWER


def captured_tuple(x):
    return LAYERS[0] * x * x + LAYERS[1] * x


def captured_array(x):
    return np.sum(WEIGHTS * x * x)


def two_names(x):
    return np.sum(WEIGHTS * x * x) + np.sum(OTHER * x)


def text_constant(x):
    return math.sin(x) if MODE == "sin" else math.cos(x)


def default_value(x, k=2.0):
    return k * x * x


class Model:
    factor = 1.5

    def __init__(self):
        self.shift = 0.5

    def method(self, x):
        return self.factor * x * x + self.inner(x)

    def inner(self, x):
        return self.shift * x

    def __call__(self, x):
        return 4.0 * x * x


MODEL = Model()


@dataclass
class Params:
    a: float
    b: float = 2.0

    def value(self, x):
        return self.a * x * x + self.b * x


def field_default(x):
    return Params(x).value(x)


class Pair(NamedTuple):
    a: float
    b: float = 3.0


def named_default(x):
    return Pair(x * x).a * Pair(x).b


def make(k):
    def inner(x):
        def innermost(y):
            return k * y
        return innermost(x) * x
    return inner


closure = make(2.0)
double = lambda x: 2.0 * x * x


def powered(p, x):
    return x ** p


partial = functools.partial(powered, 3)


@numba.njit
def compiled(x):
    return 5.0 * x * x


def through_compiled(x):
    return compiled(x) + x


def higher(f, x):
    return f(x) * x


def branchy(x):
    s = 0.0
    for k in range(POWER):
        s += x ** k if x > 0.0 else -x
    return s


def cubed(x):
    return x * x * x


def written_inside(x):
    return srcad.grad(cubed)(x) * x


FUNCTIONS = {
    "plain": plain,
    "written_inside": written_inside,
    "through_helper": through_helper,
    "two_levels": two_levels,
    "global_below": global_below,
    "through_dict": through_dict,
    "through_name": through_name,
    "captured_number": captured_number,
    "captured_tuple": captured_tuple,
    "captured_array": captured_array,
    "two_names": two_names,
    "text_constant": text_constant,
    "default_value": default_value,
    "method": MODEL.method,
    "instance": MODEL,
    "field_default": field_default,
    "named_default": named_default,
    "closure": closure,
    "lambda": double,
    "partial": partial,
    "njit": through_compiled,
    "handed": functools.partial(higher, compiled),
}
""",
    "ruled.py": cache_rules.TEXT,
}


@dataclass(frozen=True)
class Edit:
    """A change of a file, and the functions whose derivatives it changes."""

    file: str
    old: str
    new: str
    changes: tuple[str, ...]
    contents: bool = False  # of an array only: other results from the same code


EDITS = (
    Edit("model.py", "return x * x * 2.0", "return x * x * 3.0", ("plain",)),
    Edit("model.py", "5.0 * x * x", "6.0 * x * x", ("njit", "handed")),
    Edit("model.py", "return 4.0 * x * x", "return 4.5 * x * x", ("instance",)),
    Edit("model.py", "factor = 1.5", "factor = 1.25", ("method",)),
    Edit("model.py", "self.shift = 0.5", "self.shift = 0.75", ("method",)),
    Edit("model.py", "return self.shift * x", "return self.shift * x * x", ("method",)),
    Edit("model.py", "b: float = 2.0", "b: float = 2.5", ("field_default",)),
    Edit("model.py", "self.a * x * x + self.b", "self.a * x + self.b", ("field_default",)),
    Edit("model.py", "b: float = 3.0", "b: float = 3.5", ("named_default",)),
    Edit("model.py", "make(2.0)", "make(2.5)", ("closure",)),
    Edit("model.py", "return k * y", "return k * y * y", ("closure",)),
    Edit("model.py", "lambda x: 2.0 * x", "lambda x: 3.0 * x", ("lambda",)),
    Edit("model.py", "partial(powered, 3)", "partial(powered, 4)", ("partial",)),
    Edit("model.py", "POWER = 3", "POWER = 4", ("captured_number",)),
    Edit("model.py", "LAYERS = (1.0, 2.0)", "LAYERS = (1.0, 2.5)", ("captured_tuple",)),
    Edit(
        "model.py",
        "np.array([0.5, 1.5])",
        "np.array([0.5, 2.5])",
        ("captured_array", "two_names"),
        contents=True,
    ),
    Edit("model.py", "OTHER = WEIGHTS", "OTHER = 2.0 * WEIGHTS", ("two_names",)),
    Edit("model.py", 'MODE = "sin"', 'MODE = "cos"', ("text_constant",)),
    Edit("model.py", "k=2.0", "k=2.5", ("default_value",)),
    Edit("helper.py", "SCALE = 2.0", "SCALE = 2.5", ("through_helper",)),
    Edit("helper.py", "SCALE * x * x", "SCALE * x", ("through_helper",)),
    Edit("helper.py", '"a": 1.5', '"a": 1.75', ("through_dict",)),
    Edit("helper.py", "np.sin(x)", "np.cos(x)", ("two_levels",)),
    Edit("deep.py", "x * 1.5 +", "x * 1.75 +", ("two_levels",)),
    Edit("deep.py", "RATE = 0.25", "RATE = 0.5", ("global_below",)),
    Edit("model.py", "return x * x * x\n", "return 2.0 * x * x * x\n", ("written_inside",)),
    *(Edit("ruled.py", *e) for e in cache_rules.EDITS),
    Edit("deep.py", "swapped = swapped_first", "swapped = swapped_second", ("through_name",)),
)

# Prints the gradient of every function, what was imported for it, and what is right.
RUN = """
import json, sys
import numpy as np, numba
before = {m for m in sys.modules if m.startswith("scipy")}
import srcad, model
names = sys.argv[1].split(",") if len(sys.argv) > 1 else model.FUNCTIONS
found = {n: srcad.value_and_grad(model.FUNCTIONS[n])(0.7) for n in names}
heavy = ("srcad.frontend", "srcad.transforms", "srcad.analyses", "srcad.rules", "astor", "scipy")
loaded = sorted(m for m in sys.modules if m.startswith(heavy) and m not in before)
with srcad.using(backend="reference"):
    right = {n: srcad.value_and_grad(model.FUNCTIONS[n])(0.7) for n in names}
bits = lambda table: {n: [float(v).hex() for v in r] for n, r in table.items()}
print(json.dumps({"found": bits(found), "right": bits(right), "loaded": loaded}))
"""


def write(folder: Path) -> None:
    """Put the project into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "run.py").write_text(RUN)


def edit(folder: Path, e: Edit) -> None:
    """Apply an edit."""
    path = folder / e.file
    text = path.read_text()
    assert e.old in text, e
    path.write_text(text.replace(e.old, e.new))


def start(folder: Path, environment: dict[str, str], *args: str) -> subprocess.Popen[str]:
    """Run the project in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-B", "run.py", *args],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
