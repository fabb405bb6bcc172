"""A zoo of CUDA kernels: what each is launched with stands beside it (``case.Case``)."""

from tests.kernels import (
    exchanges,
    extremes,
    grids,
    maps,
    paths,
    physics,
    reductions,
    shared,
    styles,
)
from tests.kernels.case import Case

CASES: dict[str, Case] = {
    c.name: c
    for m in (maps, grids, reductions, shared, physics, paths, styles, extremes, exchanges)
    for c in m.CASES
}
