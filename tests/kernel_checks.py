"""Checks of a kernel's derivatives without a GPU: differences, inner products, races."""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.cuda import kernel


def copied(args: Any) -> list[Any]:
    """The arguments of a launch, arrays copied."""
    return [np.array(a) if isinstance(a, np.ndarray) else a for a in args]


def is_float(a: Any) -> bool:
    """Whether an argument carries a derivative."""
    return np.asarray(a).dtype.kind == "f"


def like(rng: np.random.Generator, a: Any) -> Any:
    """A direction for an argument."""
    v = rng.normal(size=np.shape(a))
    return v.astype(a.dtype) if isinstance(a, np.ndarray) else type(a)(v)


def scalar(a: Any, x: Any) -> Any:
    """``x`` as a number where ``a`` is one."""
    return x if x is None or isinstance(a, np.ndarray) else float(x)


def moved(a: Any, t: Any, h: float) -> Any:
    """``a + h * t`` in the type of ``a``."""
    v = a + h * t
    return v.astype(a.dtype) if isinstance(a, np.ndarray) else type(a)(v)


def run(k: Any, case: Any, args: list[Any]) -> list[Any]:
    """The arguments after a launch."""
    given = copied(args)
    k[case.launch](*given)
    return given


def woven(args: list[Any], companions: list[Any]) -> list[Any]:
    """Each argument followed by its companion, if it has one."""
    out: list[Any] = []
    for a, c in zip(args, companions, strict=True):
        out += [a] if c is None else [a, c]
    return out


def apart(given: list[Any], args: list[Any]) -> tuple[list[Any], list[Any]]:
    """The arguments and their companions, of a woven list."""
    rest = iter(given)
    pairs = [(next(rest), next(rest) if is_float(a) else None) for a in args]
    return [p for p, _ in pairs], [c for _, c in pairs]


def directions(rng: np.random.Generator, args: list[Any]) -> list[Any]:
    """A direction for each float argument."""
    return [like(rng, a) if is_float(a) else None for a in args]


def inner(xs: list[Any], ys: list[Any]) -> float:
    """The inner product of two lists of arrays and numbers."""
    pairs = zip(xs, ys, strict=True)
    return float(sum(np.vdot(x, y) for x, y in pairs if x is not None and y is not None))


class Derivatives:
    """What the reference backend makes of a case: primal, tangents, shadows."""

    def __init__(self, case: Any, races: bool = True) -> None:
        self.case, self.args = case, copied(case.make())
        rng = np.random.default_rng(7)
        self.k = kernel(case.kernel, backend="reference", races=races)
        self.t = directions(rng, self.args)
        self.seeds = [
            like(rng, a) if is_float(a) and isinstance(a, np.ndarray) else None for a in self.args
        ]
        self.shadows = [
            np.zeros(1, np.asarray(a).dtype) if is_float(a) and s is None else s
            for a, s in zip(self.args, self.seeds, strict=True)
        ]

    def differences(self) -> list[Any]:
        """Central differences of the arrays that the kernel changes."""
        h = self.case.step
        up, down = (
            run(
                self.k,
                self.case,
                [
                    a if t is None else moved(a, t, s)
                    for a, t in zip(self.args, self.t, strict=True)
                ],
            )
            for s in (h, -h)
        )
        return [
            (u.astype("f8") - d) / (2 * h) if isinstance(u, np.ndarray) and is_float(u) else None
            for u, d in zip(up, down, strict=True)
        ]

    def tangents(self) -> tuple[list[Any], list[Any]]:
        """Arguments and tangents after the tangent kernel."""
        given = copied(woven(self.args, self.t))
        self.k.jvp[self.case.launch](*given)
        return apart(given, self.args)

    def adjoints(self) -> tuple[list[Any], list[Any]]:
        """Arguments and shadows after the adjoint kernel."""
        given = copied(woven(self.args, self.shadows))
        self.k.adjoint[self.case.launch](*given)
        return apart(given, self.args)


def check_first(case: Any) -> None:
    """Tangents against differences; shadows by the inner product; exit states; no races."""
    d = Derivatives(case)
    after = run(d.k, case, d.args)
    state, tangents = d.tangents()
    for name, x, y in zip(d.k.signature.parameters, tangents, d.differences(), strict=True):
        if y is not None:
            scale = max(1.0, float(np.abs(y).max(initial=0.0)))
            np.testing.assert_allclose(x, y, rtol=case.rtol, atol=case.rtol * scale, err_msg=name)
    left, shadows = d.adjoints()
    single = any(np.asarray(a).dtype == np.float32 for a in d.args)
    one, two = inner(d.seeds, tangents), inner(shadows, d.t)
    np.testing.assert_allclose(one, two, rtol=1e-4 if single else 1e-9, atol=1e-12)
    for a, b, c in zip(after, state, left, strict=True):
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
            np.testing.assert_array_equal(a, c)


def check_second(case: Any) -> None:
    """The tangent of the adjoint against differences of the adjoint."""
    d = Derivatives(case, races=False)
    rng = np.random.default_rng(11)
    given = woven(d.args, d.shadows)
    t = [like(rng, a) if is_float(a) else None for a in given]
    fixed = {id(a) for a, s in zip(d.shadows, d.seeds, strict=True) if s is None}
    t = [np.zeros_like(a) if id(a) in fixed else x for a, x in zip(given, t, strict=True)]
    values = copied(woven(given, t))
    d.k.adjoint.jvp[case.launch](*values)
    _, tangents = apart(values, given)
    ends = []
    for h in (case.step, -case.step):
        args = copied(a if x is None else moved(a, x, h) for a, x in zip(given, t, strict=True))
        d.k.adjoint[case.launch](*args)
        ends.append(args)
    for x, up, down in zip(tangents, *ends, strict=True):
        if x is not None and isinstance(up, np.ndarray):
            y = (up - down) / (2 * case.step)
            scale = max(1.0, float(np.abs(y).max(initial=0.0)))
            np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5 * scale)


def check_reversed(case: Any, transforms: tuple[str, ...] = ("adjoint",)) -> None:
    """The adjoint of what ``transforms`` make is the transpose of its tangent, without races."""
    k = kernel(case.kernel, backend="reference", races=True)
    rng = np.random.default_rng(3)
    given = copied(case.make())
    for name in transforms:
        k = getattr(k, name)
        shadow = name == "adjoint"
        given = woven(given, [companion(rng, a, shadow) for a in given])
    t = directions(rng, given)
    after = copied(woven(given, t))
    k.jvp[case.launch](*after)
    state, tangents = apart(after, given)
    seeds = [like(rng, a) if isinstance(a, np.ndarray) and is_float(a) else None for a in given]
    shadows = [
        np.zeros(1) if s is None and is_float(a) else s for a, s in zip(given, seeds, strict=True)
    ]
    after = copied(woven(given, shadows))
    k.adjoint[case.launch](*after)
    left, shadows = apart(after, given)
    np.testing.assert_allclose(inner(shadows, t), inner(seeds, tangents), rtol=1e-8, atol=1e-10)
    for a, b in zip(state, left, strict=True):
        if isinstance(a, np.ndarray):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)


def companion(rng: np.random.Generator, a: Any, shadow: bool) -> Any:
    """What follows an argument: a tangent, or a shadow (that of a number is an array)."""
    if not is_float(a):
        return None
    return np.zeros(1) if shadow and not isinstance(a, np.ndarray) else like(rng, a)
