"""Large arrays that come and go in each call keep their pages (glibc)."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from srcad.runtime.heap import settle
if {first}:
    settle()
for k in range(12):
    if k == 4:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.empty(200_000) for _ in range(6)]
    for a in arrays:
        a[::512] = 1.0
    del a, arrays
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's allocator")
def test_pages_stay():
    """Page faults of eight rounds over ten megabytes, with and without."""
    faults = [
        int(
            subprocess.run(
                [sys.executable, "-c", PROGRAM.format(first=k)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for k in (True, False)
    ]
    assert faults[0] < 1000 and faults[0] < faults[1] / 4
