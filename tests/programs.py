"""The zoo of test programs: every item of the language, in combinations, and every known trap.

The programs stand in ``tests/zoo``, one file per family; importing a file enters its programs.
``PROGRAMS`` is the list, ``BY_NAME`` the index, ``select`` picks by tag (a program's file name is
one of its tags)::

    for program in select("overlap"):
        value = program.fn(*program.args(), **program.kwargs)
"""

import importlib
import pkgutil

from tests import zoo
from tests.zoo.registry import PROGRAMS, Program

for _module in sorted(m.name for m in pkgutil.iter_modules(zoo.__path__)):
    importlib.import_module(f"tests.zoo.{_module}")

BY_NAME = {program.name: program for program in PROGRAMS}


def select(*tags: str) -> list[Program]:
    """The programs that carry all these tags."""
    return [p for p in PROGRAMS if p.tags.issuperset(tags)]
