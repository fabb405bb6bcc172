"""Array primitives: how generated code spells them, and what they compute (reference).

``SPELLINGS[name]`` is Python with ``{0}``, ``{1}`` for the operands, or a function of the
operands' types that gives such a text.  ``EVALUATORS[name]`` computes on NumPy arrays.
``LAYOUTS[name]`` tells the layouts Numba infers for the array results of the spelling (all
``C`` where nothing is said); the printer converts where the IR says otherwise.

To add one: one line in each of the first two tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.ir.types import ArrayT, Type
from srcad.runtime.storage import srcad_apart

Spelling = str | Callable[[tuple[Type, ...]], str]


def contiguous(types: tuple[Type, ...]) -> list[str]:
    """Placeholders of array operands, copied where not contiguous (BLAS and LAPACK want that)."""
    return [
        f"np.ascontiguousarray({{{i}}})"
        if isinstance(t, ArrayT) and t.layout == "A"
        else f"{{{i}}}"
        for i, t in enumerate(types)
    ]


def on_contiguous(function: str) -> Callable[[tuple[Type, ...]], str]:
    """Spelling: ``function`` of operands made contiguous."""
    return lambda types: f"{function}({', '.join(contiguous(types))})"


def on_first(template: str) -> Callable[[tuple[Type, ...]], str]:
    """Spelling: a template, its first operand made contiguous."""
    return lambda types: template.replace("{0}", contiguous(types)[0])


def _quietly(f: Callable[..., Any]) -> Callable[..., Any]:
    """Scalars come out as Python numbers."""

    def g(*args: Any) -> Any:
        result = f(*args)
        return result.item() if isinstance(result, np.generic) else result

    return g


SPELLINGS: dict[str, Spelling] = {
    "matmul": on_contiguous("np.dot"),
    "solve": on_contiguous("np.linalg.solve"),
    "inv": on_contiguous("np.linalg.inv"),
    "det": on_contiguous("np.linalg.det"),
    "cholesky": on_contiguous("np.linalg.cholesky"),
    "eigh": on_contiguous("np.linalg.eigh"),
    "eig": on_contiguous("np.linalg.eig"),
    "svd": on_first("np.linalg.svd({0}, False)"),
    "qr": on_contiguous("np.linalg.qr"),
    "slogdet": on_contiguous("np.linalg.slogdet"),
    "pinv": on_first("np.linalg.pinv({0}, {1})"),
    "threads": "numba.get_num_threads()",
    "apart": "srcad_apart({0}, {1})",
}
HELPERS = {"apart": "srcad_apart"}  # the functions of ``runtime.RUNTIME_HELPERS`` that these call
THREADS = 3  # of the backends that do not compile, so that there are chunks to be put together


def _eig(a: Any) -> Any:
    """Eigenvalues and vectors, which have to be real (as Numba has it)."""
    w, v = np.linalg.eig(a)
    if np.iscomplexobj(w):
        raise ValueError("eig() argument must not cause a domain change.")
    return np.ascontiguousarray(w), np.asfortranarray(v)  # NumPy gives parts of complex arrays


EVALUATORS: dict[str, Callable[..., Any]] = {
    "matmul": _quietly(np.dot),
    "solve": np.linalg.solve,
    "inv": np.linalg.inv,
    "det": _quietly(np.linalg.det),
    "cholesky": np.linalg.cholesky,
    "eigh": np.linalg.eigh,
    "eig": _eig,
    "svd": lambda a: np.linalg.svd(a, False),
    "qr": np.linalg.qr,
    "slogdet": lambda a: tuple(x.item() for x in np.linalg.slogdet(a)),
    "pinv": np.linalg.pinv,
    "threads": lambda: THREADS,
    "apart": srcad_apart,
}

LAYOUTS: dict[str, Callable[[tuple[Type, ...]], tuple[str, ...]]] = {
    "inv": lambda types: ("F",),
    "pinv": lambda types: ("F",),
    "eigh": lambda types: ("C", "F"),
    "eig": lambda types: ("C", "F"),
    "svd": lambda types: ("F", "C", "F"),
    "qr": lambda types: ("A", "F"),
    "solve": lambda types: ("C" if isinstance(types[1], ArrayT) and types[1].ndim == 1 else "F",),
}


def spelling(name: str, types: tuple[Type, ...]) -> str:
    """The template of an array primitive for operands of the given types."""
    known = SPELLINGS[name]
    return known if isinstance(known, str) else known(types)


def result_layouts(name: str, types: tuple[Type, ...], count: int) -> tuple[str, ...]:
    """Layouts of the results as Numba infers them."""
    return LAYOUTS[name](types) if name in LAYOUTS else ("C",) * count
