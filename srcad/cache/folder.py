"""The folder of the cache: who may use it, atomic files with checksums, a limit on its size.

In: names and bytes.  Out: the same bytes, or ``None`` where there is no sound file of that name.
A folder that belongs to another user, or that others may write to, is not used: entries are
pickles, and a pickle is a program.  A file is written under another name and moved into place, so
that a reader sees a whole file or none; its checksum tells what a crash or a full disk left, and
such a file is removed.  Nothing here raises because of the file system: where a folder cannot be
made or written, there is no cache.

The most recently used files stay (modification times, renewed at each use) when the folder has
outgrown its limit.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import time
from pathlib import Path

MAGIC = b"srcad cache 1\n"
DIGEST = 32
LIMIT = 1 << 30  # bytes, unless SRCAD_CACHE_SIZE says otherwise
ABANDONED = 3600  # seconds after which a file that was never moved into place is removed


def directory() -> Path | None:
    """The folder in use, made if need be; ``None`` where there is none that is safe.

    ``SRCAD_CACHE_DIR`` names it, else the user's cache folder of the platform holds it.
    ``SRCAD_CACHE=0`` switches the cache off.
    """
    if os.environ.get("SRCAD_CACHE", "").lower() in ("0", "off", "no", "false"):
        return None
    try:
        path = chosen()
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path if private(path.stat(), stat.S_ISDIR) else None
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return None


def chosen() -> Path:
    """Where the cache should be."""
    named = os.environ.get("SRCAD_CACHE_DIR")
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
        return Path(base) / "srcad" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "srcad"
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "srcad"


def private(info: os.stat_result, of_kind: object) -> bool:
    """Whether a file or folder is ours, and nobody else may write to it."""
    if not of_kind(info.st_mode):  # type: ignore[operator]
        return False
    if not hasattr(os, "geteuid"):
        return True
    return info.st_uid == os.geteuid() and not info.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def read(name: str) -> bytes | None:
    """The contents of a file, or ``None``; a damaged file is removed."""
    folder = directory()
    if folder is None:
        return None
    path = folder / name
    try:
        with path.open("rb") as file:
            if not private(os.fstat(file.fileno()), stat.S_ISREG):
                return None
            whole = file.read()
    except OSError:
        return None
    head, data = whole[: len(MAGIC) + DIGEST], whole[len(MAGIC) + DIGEST :]
    if head != MAGIC + hashlib.sha256(data).digest():
        remove(name)
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return data


def write(name: str, data: bytes) -> bool:
    """Put a file into the cache; whether that worked."""
    folder = directory()
    if folder is None:
        return False
    temporary = folder / f".{name}.{os.getpid()}.{time.monotonic_ns()}.tmp"
    try:
        handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + hashlib.sha256(data).digest() + data)
        os.replace(temporary, folder / name)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        return False
    evict(folder, limit())
    return True


def remove(name: str) -> None:
    """Take a file out of the cache."""
    folder = directory()
    if folder is not None:
        with contextlib.suppress(OSError):
            (folder / name).unlink()


def limit() -> int:
    """How many bytes the folder may hold."""
    try:
        return int(os.environ.get("SRCAD_CACHE_SIZE", ""))
    except ValueError:
        return LIMIT


def files(folder: Path) -> list[tuple[float, int, Path]]:
    """Time of last use, size and path of each file of the cache, the oldest first."""
    found = []
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            if path.suffix not in (".entry", ".code", ".tmp"):
                continue
            with contextlib.suppress(OSError):
                info = path.stat()
                found.append((info.st_mtime, info.st_size, path))
    return sorted(found, key=lambda row: row[0])


def evict(folder: Path, most: int) -> None:
    """Remove what was not used for longest until a quarter of the limit is free again."""
    found = files(folder)
    total = sum(size for _, size, path in found)
    goal = total if total <= most else most * 3 // 4
    for used, size, path in found:
        abandoned = path.suffix == ".tmp" and time.time() - used > ABANDONED
        if total > goal and path.suffix != ".tmp" or abandoned:
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size


def clear() -> int:
    """Remove everything from the cache; how many files that were."""
    folder = directory()
    count = 0
    for _, _, path in files(folder) if folder is not None else ():
        with contextlib.suppress(OSError):
            path.unlink()
            count += 1
    return count
