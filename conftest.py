"""Tests compile everything anew: no cache on disk, but for those that are about it."""

import os

os.environ["SRCAD_CACHE"] = "0"
