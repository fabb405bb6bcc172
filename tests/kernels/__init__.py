"""A zoo of CUDA kernels: what each is launched with stands beside it (``case.Case``)."""

from tests.kernels import (
    blocks,
    calling,
    exchanges,
    extremes,
    grids,
    maps,
    paths,
    physics,
    reductions,
    shared,
    styles,
    threads,
)
from tests.kernels.case import Case

MODULES = (
    maps,
    grids,
    reductions,
    shared,
    physics,
    paths,
    styles,
    extremes,
    exchanges,
    calling,
    blocks,
    threads,
)
CASES: dict[str, Case] = {c.name: c for m in MODULES for c in m.CASES}
