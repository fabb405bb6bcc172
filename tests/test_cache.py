"""The cache on disk: keys that follow every dependence, hits without compiler, damaged files."""

from __future__ import annotations

import functools
import importlib
import json
import os
import random
import sys
import threading

import numpy as np
import pytest

import srcad
from srcad.api import inside
from srcad.cache import entries, folder
from srcad.cache.fingerprint import Uncacheable
from tests import cache_programs
from tests.cache_programs import EDITS, Edit

MODULES = ("deep", "helper", "model", "ruled")
IN_PROCESSES = "two_levels,two_names,method,field_default,closure,written_inside"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own."""
    monkeypatch.setenv("SRCAD_CACHE", "1")
    monkeypatch.setenv("SRCAD_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The project of ``cache_programs``, importable."""
    cache_programs.write(tmp_path / "project")
    monkeypatch.syspath_prepend(str(tmp_path / "project"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path / "project"
    forget()


def forget():
    """As if the project had never been imported."""
    for name in MODULES:
        sys.modules.pop(name, None)
    importlib.invalidate_caches()


def keys():
    """The keys of the project's functions, imported anew."""
    forget()
    model, ruled = map(importlib.import_module, ("model", "ruled"))
    found = {**model.FUNCTIONS, **ruled.FUNCTIONS}
    return {name: entries.Slot(srcad.grad(f), {"x": "float"}).key for name, f in found.items()}


# keys
def test_keys_stay_and_change(project):
    """The same text gives the same keys; an edit changes the keys of all that depends on it."""
    before = keys()
    assert keys() == before
    for e in EDITS:
        cache_programs.write(project)
        cache_programs.edit(project, e)
        after = keys()
        changed = {n for n in before if after[n] != before[n]}
        assert changed == set() if e.contents else changed >= set(e.changes), e


def test_key_of_moved_lines(project):
    """Errors and comments name lines, so a function that moves is another one."""
    before = keys()
    cache_programs.edit(project, Edit("deep.py", "RATE = 0.25", "\nRATE = 0.25", ()))
    after = keys()
    assert after["two_levels"] != before["two_levels"]
    assert after["plain"] == before["plain"]


def key(*depends):
    """A key."""
    return entries.Slot(*depends).key


SCALE = 2.0


def scaled(x):
    return SCALE * np.sin(x)


def made(k):
    """A closure."""

    def f(x):
        return k * x

    return f


class Bag:
    """An object with attributes."""

    def __init__(self, **held):
        self.__dict__.update(held)

    def run(self, x):
        return self.k * x


def test_keys_of_values():
    """Numbers by value and type, arrays by kind, shared objects by being the same."""
    assert key(1.0) != key(1) != key(True)
    assert key(0.0) != key(-0.0)
    assert key(np.float32(1)) != key(np.float64(1))
    assert key(np.ones(2)) == key(np.zeros(5)) != key(np.ones(2, np.float32))
    assert key(np.ones((2, 2))) != key(np.ones((2, 2)).T.copy().T)
    a, b = np.ones(2), np.ones(2)
    assert key([a, a]) != key([a, b])
    assert key(made(2.0)) == key(made(2.0)) != key(made(3.0))
    assert key(functools.partial(scaled, 1.0)) != key(functools.partial(scaled, 2.0))
    assert key(Bag(k=1.0).run) == key(Bag(k=1.0).run) != key(Bag(k=2.0).run)
    assert key(srcad.grad(scaled)) != key(srcad.value_and_grad(scaled)) != key(scaled)
    assert key(srcad.jacobian(scaled, 0)) != key(srcad.jacobian(scaled, "x"))
    assert key(np.sin) != key(np.cos)


def test_key_of_a_global(monkeypatch):
    """A global that changes, and one that hides a builtin."""
    before = key(scaled)
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    assert key(scaled) != before
    monkeypatch.setitem(globals(), "SCALE", 2.0)
    assert key(scaled) == before


def test_key_of_a_borrowed_name():
    """A function is not trusted because it wears the name of one of NumPy."""

    def wearing(k):
        @functools.wraps(np.linalg.norm)
        def norm(x):
            return k * x

        return norm

    assert key(wearing(1.0)) != key(wearing(2.0))
    assert key(wearing(1.0)) != key(np.linalg.norm)


def test_key_of_declared_functions(monkeypatch):
    """What a program declares for the compiler is part of the keys."""
    from srcad.library import LIBRARY
    from srcad.library.registry import Entry

    before = key(scaled)
    keys_then = []
    for meaning in (made(1.0), made(2.0)):
        monkeypatch.setitem(LIBRARY, abs, Entry(meaning, list))
        keys_then.append(key(scaled))
    assert len({before, *keys_then}) == 3
    monkeypatch.undo()
    assert key(scaled) == before


def test_what_cannot_be_told():
    """Objects without a meaning of their own make a function uncacheable, not wrong."""
    for x in (threading.Lock(), (k for k in "ab"), sys.__stdout__):
        with pytest.raises(Uncacheable):
            key(Bag(x=x).run)


def test_store_needs_the_key_to_hold(cache):
    """What changed between key and entry is not stored."""
    numbers = [1.0, 2.0]
    slot = entries.Slot(numbers)
    numbers.append(3.0)
    assert not slot.store("anything")
    assert entries.Slot(numbers).load() is None
    assert entries.Slot(numbers).store("anything")
    assert entries.Slot(numbers).load() == "anything"


def test_entries_name_objects(cache):
    """The user's objects come back as the ones of this moment; unknown ones are not stored."""
    assert entries.Slot(scaled, Bag(k=1)).store({"f": scaled, "n": 1})
    assert entries.Slot(scaled, Bag(k=1)).load() == {"f": scaled, "n": 1}
    assert not entries.Slot(scaled).store(made(1.0))
    assert not entries.Slot(scaled).store(np.ones(2))
    assert not entries.Slot(scaled).store(Bag())


# the folder
def test_damaged_files(cache):
    """A file cut off, lengthened or changed anywhere is a miss, and is gone."""
    rng = random.Random(1)
    data = bytes(rng.randrange(256) for _ in range(300))
    for k in range(60):
        assert folder.write("a.entry", data)
        assert folder.read("a.entry") == data
        path = cache / "a.entry"
        whole = path.read_bytes()
        at = rng.randrange(len(whole))
        changed = whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1 :]
        path.write_bytes([whole[:at], whole + b"x", changed][k % 3])
        assert folder.read("a.entry") is None
        assert not path.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions are those of POSIX")
def test_unsafe_folders(cache, tmp_path, monkeypatch):
    """Made for the user alone; not used where others can write, or where it cannot be made."""
    assert folder.write("a.entry", b"x")
    assert cache.stat().st_mode & 0o777 == 0o700
    (cache / "a.entry").chmod(0o666)
    assert folder.read("a.entry") is None
    cache.chmod(0o777)
    assert srcad.cache.directory() is None
    cache.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert srcad.cache.directory() is None
    monkeypatch.undo()
    (tmp_path / "file").write_text("")
    for place in (str(tmp_path / "file" / "below"), "/proc/nowhere/cache", "~nobody_at_all/x"):
        monkeypatch.setenv("SRCAD_CACHE_DIR", place)
        assert srcad.cache.directory() is None
        assert folder.read("a.entry") is None and not folder.write("a.entry", b"x")
    monkeypatch.setenv("SRCAD_CACHE", "0")
    monkeypatch.setenv("SRCAD_CACHE_DIR", str(cache))
    assert srcad.cache.directory() is None


def test_full_disk(cache, monkeypatch):
    """What cannot be written leaves nothing behind."""

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert not folder.write("a.entry", b"x")
    assert list(cache.iterdir()) == []


def test_limit(cache, monkeypatch):
    """What was not used for longest goes first; ``clear`` empties the folder."""
    monkeypatch.setenv("SRCAD_CACHE_SIZE", "6000")
    for k in range(5):
        assert folder.write(f"{k}.code", bytes(1000))
        os.utime(cache / f"{k}.code", (k, k))
    assert folder.read("0.code") is not None  # used: the youngest now
    assert folder.write("5.code", bytes(1000))
    left = sorted(p.name for p in cache.iterdir())
    assert left == ["0.code", "3.code", "4.code", "5.code"]
    (cache / "other.txt").write_text("not ours")
    assert srcad.cache.clear() == 4
    assert [p.name for p in cache.iterdir()] == ["other.txt"]


# compiled code
def row(x, w):
    """Written into, summed up."""
    total = 0.0
    for i in range(len(x)):
        x[i] *= w
        if x[i] > 9.0:
            raise ValueError(f"too large: {x[i]}")
        total += np.sin(x[i]) * x[i]
    return total


def everything():
    """Results of all transforms of ``row``, of new objects."""
    a, o = np.array([0.3, 0.7, 1.1]), {"cache": True}
    value, pullback = srcad.vjp(row, a.copy(), 1.3, cache=True)
    x_b, w_b = np.zeros(3), np.zeros(1)
    srcad.adjoint(row, **o)(a.copy(), x_b, 1.3, w_b, np.ones(1))
    with pytest.raises(ValueError, match=r"too large: 9\.1"):
        srcad.grad(row, **o)(np.array([7.0]), 1.3)
    return [
        srcad.grad(row, (0, 1), **o)(a.copy(), 1.3),
        value,
        pullback(1.0),
        srcad.jvp(row, (a.copy(), 1.3), (np.ones(3), None), **o),
        srcad.hvp(row, (a.copy(), 1.3), (np.ones(3), 0.5), **o),
        (x_b, w_b),
    ]


def flat(x):
    """All numbers in one list of bytes."""
    return (
        [b for v in x for b in flat(v)]
        if isinstance(x, (list, tuple))
        else [np.asarray(x).tobytes()]
    )


def test_hits_do_not_compile(cache, monkeypatch):
    """Every transform is found again, with the same bits, and nothing is lowered."""
    from srcad.api import higher

    first = flat(everything())
    count = len(list(cache.iterdir()))

    def never(*args):
        raise AssertionError("the compiler ran")

    monkeypatch.setattr(inside, "lowered", never)
    higher._memo.clear()
    assert flat(everything()) == first
    for path in cache.iterdir():  # damage everything: compiled anew, and written anew
        path.write_bytes(path.read_bytes()[:-7])
    monkeypatch.undo()
    monkeypatch.setenv("SRCAD_CACHE", "1")
    monkeypatch.setenv("SRCAD_CACHE_DIR", str(cache))
    higher._memo.clear()
    assert flat(everything()) == first
    assert len(list(cache.iterdir())) == count


def test_program_of_a_hit(cache):
    """What needs the program still has it: the source, the explanation."""
    a = np.array([0.3, 0.7])
    srcad.grad(row)(a.copy(), 1.0)
    g = srcad.grad(row)
    g(a.copy(), 1.0)
    special = next(iter(g.cache.values()))
    assert "program" not in vars(special)
    assert special.program.fn.params
    assert "adjoint of line" in srcad.source(g, a, 1.0)


def test_other_processes(tmp_path):
    """Cold, warm without the compiler and with the same bits, and after edits never stale."""
    project = tmp_path / "project"
    cache_programs.write(project)
    environment = dict(
        os.environ,
        SRCAD_CACHE="1",
        SRCAD_CACHE_DIR=str(tmp_path / "cache"),
        PYTHONPATH=os.pathsep.join(sys.path),
    )

    def run():
        process = cache_programs.start(project, environment, IN_PROCESSES)
        out, err = process.communicate()
        assert process.returncode == 0, err
        return json.loads(out)

    cold, warm = run(), run()
    assert cold["loaded"] and warm["loaded"] == []
    assert warm["found"] == cold["found"]
    for e in EDITS:
        if set(e.changes) & set(IN_PROCESSES.split(",")):
            cache_programs.edit(project, e)
    edited = run()
    for table in (cold, edited):
        for name, right in table["right"].items():
            found = [float.fromhex(v) for v in table["found"][name]]
            assert found == pytest.approx([float.fromhex(v) for v in right], rel=1e-13), name
    assert all(edited["found"][n] != cold["found"][n] for n in cold["found"])
