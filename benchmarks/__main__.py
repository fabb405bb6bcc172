"""``python -m benchmarks``: see ``benchmarks/compare.py``."""

from benchmarks.compare import main

main()
