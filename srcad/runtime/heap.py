"""The C library is told once that large arrays come and go.

A tape is allocated by each call and freed at its end.  glibc gives the top of its heap back to the
system when more than twice the largest block ever freed lies free there, and asks for blocks larger
than that one page by page (``mallopt(3)``, "dynamic mmap threshold"): several tapes of a megabyte
each then cost more page faults than arithmetic, in every call.  One block of ``LARGEST`` bytes that
is freed untouched moves both limits to their upper end, as any program does that frees an array of
that size.  It costs nothing, and nowhere else it means anything.
"""

from __future__ import annotations

from functools import cache

import numpy as np

LARGEST = (32 << 20) - (1 << 16)  # a little less than the largest that glibc learns from


@cache
def settle() -> None:
    """Allocate a large block, and free it; once is enough."""
    np.empty(LARGEST, np.uint8)
