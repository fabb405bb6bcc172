"""Several tangents in one run: each lane is what one tangent gives, and a Jacobian takes few runs.

Random IR and programs of the zoo go through ``bundle`` and ``forward`` on the reference
interpreter: results, tangents of results, tangents left in arguments.  How often a Jacobian runs
its function is counted in the generated code, executed as Python.
"""

from __future__ import annotations

import math
import types
from collections import Counter
from typing import Any

import numpy as np
import pytest

import srcad
from srcad.api.jacobian_chunks import NARROW, WIDE
from srcad.errors import NoDerivative
from srcad.ir.nodes import Function
from srcad.ir.types import ArrayT, ListT, Scalar, is_float
from srcad.transforms.bundle import bundle, readers
from srcad.transforms.forward import forward
from srcad.transforms.lanes import Unbundled
from tests.composition import Subject, cleaned, run
from tests.programs import PROGRAMS
from tests.reverse_ir import random_case

WIDTH = 3


def fresh(args: list[Any]) -> list[Any]:
    """Copies of the arrays, of their layouts."""
    return [x.copy(order="K") if isinstance(x, np.ndarray) else x for x in args]


def agree(fn: Function, args: list[Any], active: tuple[bool, ...], seed: int) -> None:
    """Lane by lane the same as one tangent after another."""
    rng = np.random.default_rng(seed)
    together = cleaned(bundle(fn, active, WIDTH))
    alone = cleaned(forward(fn, active))
    on = [(p, x) for p, x, yes in zip(fn.params, args, active, strict=True) if yes]
    given = [rng.standard_normal((*np.shape(x), WIDTH)) for _, x in on]
    lanes: list[Any] = []
    for (p, _), t in zip(on, given, strict=True):
        kind = getattr(p.type, "dtype", "f8")
        lanes += [t.astype(kind).copy()] if isinstance(p.type, ArrayT) else [float(v) for v in t]
    found = run(together, [*fresh(args), *lanes])
    n = len(fn.body.yields)
    floats = [y for y in fn.body.yields if is_float(y.type)]
    for k in range(WIDTH):
        one = [
            np.asarray(t[..., k], p.type.dtype, order=p.type.layout.replace("A", "K")).copy(  # type: ignore[arg-type]
                order="K"
            )
            if isinstance(p.type, ArrayT)
            else float(t[k])
            for (p, _), t in zip(on, given, strict=True)
        ]
        expected = run(alone, [*fresh(args), *one])
        same(found[:n], expected[:n])
        rest = iter(found[n:])
        mine = []
        for y in floats:
            several = [next(rest) for _ in range(WIDTH if isinstance(y.type, Scalar) else 1)]
            mine.append(several[k] if isinstance(y.type, Scalar) else several[0][..., k])
        same(mine, expected[n:])
        places = iter(lanes)
        for (p, _), t in zip(on, one, strict=True):  # what is left in the arguments
            held = [next(places) for _ in range(1 if isinstance(p.type, ArrayT) else WIDTH)]
            if isinstance(p.type, ArrayT):
                same([held[0][..., k]], [t])


def same(a: Any, b: Any) -> None:
    """Equal bit for bit, but for the order in which NumPy multiplies matrices."""
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-13, atol=1e-13, equal_nan=True)


@pytest.mark.parametrize("seed", range(16))
def test_random_programs(seed: int) -> None:
    """Arrays, views, lists, branches, loops and calls at random."""
    fn, args, active = random_case(seed, size=8, depth=3, calls=seed % 3 == 0)
    try:
        agree(fn, list(args), active, seed)
    except (NoDerivative, Unbundled) as reason:
        pytest.skip(str(reason))


def lists(fn: Function) -> bool:
    """Whether a parameter is a list (which the tests here have no tangents for)."""
    return any(isinstance(p.type, ListT) for p in fn.params)


@pytest.mark.parametrize("program", PROGRAMS[5::30], ids=str)
def test_zoo(program: Any) -> None:
    """Programs as users write them."""
    subject = Subject(program)
    if lists(subject.fn):
        pytest.skip("lists as parameters")
    try:
        agree(subject.fn, subject.leaves(), subject.active, 1)
    except (NoDerivative, Unbundled) as reason:
        pytest.skip(str(reason))


def test_few_are_left_to_one_tangent() -> None:
    """Nearly all programs have bundles."""
    chosen, refused = PROGRAMS[::25], []
    for program in chosen:
        subject = Subject(program)
        try:
            bundle(subject.fn, subject.active, 2)
        except (Unbundled, NoDerivative):
            refused.append(str(program))
    assert len(refused) <= len(chosen) // 8, refused


# Jacobians
def entries(x: np.ndarray) -> np.ndarray:
    out = np.empty(2)
    out[0] = math.exp(x[0]) * x[-1]
    s = 0.0
    for i in range(len(x)):
        s += x[i] * x[i] * (i + 1)
    out[1] = s
    return out


def numbers(a: float, b: float, c: float, x: np.ndarray) -> tuple[float, np.ndarray]:
    return math.exp(a * b) + c * x[0], x * a


def rows(m: np.ndarray) -> np.ndarray:
    out = np.zeros((m.shape[1], 2))
    for i in range(m.shape[0]):
        row = m[i]
        for j in range(m.shape[1]):
            out[j, 0] += row[j] * math.exp(row[0])
            out[j, 1] += m.T[j, i]
    return out


def in_place(x: np.ndarray) -> float:
    x[0] = math.exp(x[1])
    x[2] *= x[0]
    return x[2] + x[0]


def columns(f: Any, args: tuple[Any, ...], argnum: int) -> np.ndarray:
    """The Jacobian of the first result, one ``jvp`` a column."""
    x, found = np.asarray(args[argnum], float), []
    for k in range(x.size):
        unit = np.zeros(x.size)
        unit[k] = 1.0
        t = unit.reshape(x.shape) if x.ndim else float(unit[0])
        tangents = tuple(t if j == argnum else None for j in range(len(args)))
        out = srcad.jvp(f, tuple(fresh(list(args))), tangents, backend="reference")[1]
        found.append(out[0] if isinstance(out, tuple) else out)
    return np.stack(found, axis=-1).reshape((*np.shape(found[0]), *x.shape))


@pytest.mark.parametrize("n", [0, 1, 4, 5, 8, 9, 12, 17])
def test_vector(n: int) -> None:
    """All remainders."""
    x = np.linspace(0.3, 1.2, n)
    jac = srcad.jacfwd(entries, backend="reference", verify=True)
    if n == 0:
        with pytest.raises(IndexError):
            srcad.jacfwd(entries, backend="reference", debug=True)(x)
        return
    np.testing.assert_allclose(jac(x), columns(entries, (x,), 0), rtol=1e-14)


def test_several_inputs() -> None:
    """Numbers share a run; arrays follow; the structure is that of one tangent after another."""
    args = (0.3, 0.7, 1.1, np.linspace(0.2, 0.9, 5))
    jac = srcad.jacfwd(numbers, (0, 1, 2, 3), backend="reference", verify=True)(*args)
    for k in range(4):
        np.testing.assert_allclose(jac[0][k], columns(numbers, args, k), rtol=1e-14)
    np.testing.assert_allclose(jac[1][3], 0.3 * np.eye(5))
    np.testing.assert_allclose(jac[1][0], args[3])


@pytest.mark.parametrize("order", ["C", "F"])
def test_matrix_rows_and_transposes(order: Any) -> None:
    """Inputs of two axes; views of them, so that tangents stand in memory."""
    m = np.asarray(np.linspace(0.1, 1.3, 15).reshape(5, 3), order=order)
    jac = srcad.jacfwd(rows, backend="reference", verify=True)(m)
    assert jac.shape == (3, 2, 5, 3)
    np.testing.assert_allclose(jac, columns(rows, (m,), 0), rtol=1e-14)


def test_what_is_overwritten_is_as_after_one_call() -> None:
    """Every run starts from the entry values; the caller sees one call."""
    x = np.linspace(0.2, 1.0, 6)
    jac = srcad.jacfwd(in_place, backend="reference", verify=True)(x)
    start, after = np.linspace(0.2, 1.0, 6), np.linspace(0.2, 1.0, 6)
    in_place(after)
    np.testing.assert_array_equal(x, after)
    np.testing.assert_allclose(jac, columns(in_place, (start,), 0), rtol=1e-14)


def test_compiled() -> None:
    """Compiled, with vector instructions or not: the same numbers."""
    x = np.linspace(0.3, 1.2, 11)
    made = srcad.jacfwd(entries)(x)
    np.testing.assert_allclose(made, columns(entries, (x,), 0), rtol=1e-14)


def test_hessian_and_derivatives_of_it() -> None:
    """Bundles of an adjoint; the Jacobian of a Jacobian; a gradient through a Jacobian."""

    def cubes(x: np.ndarray) -> float:
        return x[0] ** 3 * x[1] + x[1] * x[2]

    def entry(x: np.ndarray) -> float:
        return srcad.jacfwd(entries)(x)[0, 1]

    x = np.linspace(0.5, 1.5, 3)
    a, b, _ = x
    h = np.array([[6 * a * b, 3 * a * a, 0], [3 * a * a, 0, 1], [0, 1, 0]])
    hessian = srcad.hessian(cubes, backend="reference")
    np.testing.assert_allclose(hessian(x), h, rtol=1e-13, atol=1e-14)
    third = srcad.jacfwd(hessian)(x)
    assert third[0, 1, 0] == pytest.approx(6 * a) and third[2, 2, 2] == 0
    slope = srcad.grad(entry, backend="reference")(x[:2])
    np.testing.assert_allclose(slope, [math.exp(a), 0], atol=1e-14)


def counted(jac: Any, *args: Any) -> Counter[str]:
    """How often the generated code calls functions of ``math``, executed as Python."""
    counts: Counter[str] = Counter()

    def counting(name: str) -> Any:
        def call(*xs: float) -> float:
            counts[name] += 1
            return getattr(math, name)(*xs)  # type: ignore[no-any-return]

        return call

    watched = types.SimpleNamespace(exp=counting("exp"))
    lines = [s for s in srcad.source(jac, *args).splitlines() if not s.startswith(("import", "@"))]
    names: dict[str, Any] = {"math": watched, "np": np}
    exec("\n".join(lines), names)
    entry = next(name for name in names if name.endswith("_jac"))
    names[entry](*args)
    return counts


def test_how_often_the_function_runs() -> None:
    """Once for eight columns: ``entries`` has one ``exp``, ``numbers`` as well."""
    assert (WIDE, NARROW) == (8, 4)
    for n, runs in ((4, 1), (8, 1), (9, 2), (12, 2), (17, 3)):
        assert counted(srcad.jacfwd(entries), np.linspace(0.3, 1.2, n)) == {"exp": runs}
    args = (0.3, 0.7, 1.1, np.linspace(0.2, 0.9, 5))
    assert counted(srcad.jacfwd(numbers, (0, 1, 2)), *args) == {"exp": 1}


def test_readers() -> None:
    """Parameters of which only elements are read take no tangents in memory."""
    names = {}
    for f, args in ((entries, (np.ones(3),)), (rows, (np.ones((2, 3)),))):
        made = srcad.differentiable(f)
        specs = made.specs(made.bind(args, {}))
        names[f.__name__] = readers(made.program(specs).fn)
    assert names == {"entries": {"x"}, "rows": frozenset()}
