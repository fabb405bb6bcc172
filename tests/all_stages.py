"""Programs as they are compiled, for backends that do not compile.

Most stages after the last transform are for the processor alone.  Within ``as_compiled`` all
backends get what they make, so that the reference interpreter can judge it without Numba.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

from srcad import stages


@contextmanager
def as_compiled() -> Iterator[None]:
    """Every stage is for every backend."""
    every = tuple(replace(s, kinds=(*s.kinds, "text")) for s in stages.STAGES)
    with mock.patch.object(stages, "STAGES", every):
        yield


__all__ = ["as_compiled"]
