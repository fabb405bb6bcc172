"""The cache on disk: a function compiled in one process is called at once in the next.

``srcad.cache.directory()`` is the folder, ``srcad.cache.clear()`` empties it.  It is keyed by
content: the function and everything it depends on (``fingerprint``), the options, the kinds of
its arguments, srcad's own text, the versions of Python, NumPy and Numba, and the processor
(``environment``).  Nothing that is found can be stale, so nothing is ever updated, and any number
of processes may share the folder.  Where there is no safe folder, there is no cache
(``folder``).  ``docs/caching.md`` is the guide for users.
"""

from srcad.cache.folder import clear, directory

__all__ = ["clear", "directory"]
