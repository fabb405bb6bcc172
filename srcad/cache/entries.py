"""One entry of the cache: what is stored for a key, and how it refers to the user's objects.

In: what a function depends on (visited by a ``Walk``) and something to store.  Out: a file whose
name is the checksum of the former.  Functions, classes, arrays and modules of the user are not
stored: an entry names them by their position in the walk, which another process with the same
checksum repeats.  What is neither a literal, nor met on the walk, nor of srcad itself cannot be
stored; the entry is then not written.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import types
from typing import Any

import numpy as np

from srcad.cache import folder
from srcad.cache.environment import declared, environment
from srcad.cache.fingerprint import Uncacheable, Walk, trusted


class Slot:
    """The place of one entry.

    Args:
        depends: what the entry depends on, objects of the user included.
        compiled: whether the processor and the settings of Numba matter.

    Raises:
        Uncacheable: for an object whose meaning cannot be told.
    """

    def __init__(self, *depends: Any, compiled: bool = True) -> None:
        self.depends, self.compiled = depends, compiled
        self.walk, self.key = self.follow()

    def follow(self) -> tuple[Walk, str]:
        """The walk and its checksum, as things are now."""
        walk = Walk()
        walk.emit(environment(self.compiled))
        for x in (*self.depends, *declared()):
            walk.visit(x)
        return walk, walk.digest()

    @property
    def name(self) -> str:
        """Name of the file."""
        return f"{self.key}.entry"

    def load(self) -> Any:
        """What was stored; ``None`` if there is nothing, or nothing sound."""
        data = folder.read(self.name)
        if data is None:
            return None
        try:
            return Reader(io.BytesIO(data), self.walk.objects).load()
        except Exception:  # written by something else: a miss, and written anew
            folder.remove(self.name)
            return None

    def store(self, x: Any) -> bool:
        """Store something; whether that worked.

        It does not where it refers to unknown objects, or the program has changed meanwhile.
        """
        try:
            if self.follow()[1] != self.key:
                return False
            file = io.BytesIO()
            Writer(file, self.walk.index).dump(x)
        except (Uncacheable, pickle.PicklingError, TypeError, AttributeError, RecursionError):
            return False
        return folder.write(self.name, file.getvalue())


class Writer(pickle.Pickler):
    """Writes the user's objects as positions."""

    def __init__(self, file: Any, index: dict[int, int]) -> None:
        super().__init__(file, protocol=5)
        self.positions = index

    def persistent_id(self, x: Any) -> Any:
        """The position of an object that was met on the walk."""
        return self.positions.get(id(x))

    def reducer_override(self, x: Any) -> Any:
        """Refuses what another process would not find again."""
        owner = x if isinstance(x, (type, types.FunctionType)) else type(x)
        if isinstance(x, (np.ndarray, types.CellType, types.ModuleType)):
            raise Uncacheable(f"an unknown {type(x).__name__}")
        if not trusted(owner.__module__):
            raise Uncacheable(f"an unknown {type(x).__name__}")
        return NotImplemented


class Reader(pickle.Unpickler):
    """Reads positions as the objects of this process."""

    def __init__(self, file: Any, objects: list[Any]) -> None:
        super().__init__(file)
        self.objects = objects

    def persistent_load(self, position: Any) -> Any:
        """The object at a position of the walk."""
        return self.objects[position]


def text_key(*parts: str) -> str:
    """Checksum of texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
