"""What must be there, family by family: every function, operator and form, spelled out.

Each family is one program that evaluates all its expressions: value against plain Python, forward
mode against differences, reverse mode against forward mode.  (Second order, float32, strided
arguments and broadcasting are tested function by function, from the registries.)
"""

from __future__ import annotations

import inspect
import linecache
import math
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.special

import srcad
from srcad.library import LIBRARY
from tests.samples import Draw
from tests.test_library import same

OPTIONS = {"backend": "reference"}
D = Draw(11)
# numbers s and r; vectors v and w, u increasing; matrices x, m (square), p (positive definite);
# stacks t, b (of square matrices), q (of positive definite ones)
ARGUMENTS = {
    "s": 0.7,
    "r": 1.3,
    "v": D.pos(4),
    "w": D.pos(4),
    "u": D.increasing(4),
    "x": D.pos(2, 3),
    "m": D.regular(3),
    "p": D.spd(3),
    "t": D.pos(2, 2, 2),
    "b": np.stack([D.regular(3), D.regular(3)]),
    "q": np.stack([D.spd(3), D.spd(3)]),
}


def words(text: str) -> list[str]:
    """The words of a text."""
    return text.split()


UNARY = words(
    """sqrt cbrt square reciprocal exp exp2 expm1 log log2 log10 log1p sin cos tan sinh cosh tanh
    arctan arcsinh fabs abs negative positive deg2rad rad2deg degrees radians sinc nan_to_num sign
    floor ceil trunc rint round fix isnan isinf isfinite signbit logical_not"""
)
BINARY = words(
    """add subtract multiply divide power float_power hypot arctan2 logaddexp logaddexp2 copysign
    fmod mod remainder floor_divide minimum maximum fmin fmax heaviside equal not_equal less
    less_equal greater greater_equal logical_and logical_or logical_xor"""
)
MATH = words(
    """sqrt exp expm1 log log2 log10 log1p sin cos tan sinh cosh tanh asin acos atan asinh atanh
    erf erfc gamma lgamma degrees radians fabs floor ceil trunc isnan isinf isfinite"""
)
SPECIAL = words(
    """erf erfc erfinv erfcx gamma gammaln psi expit logit log_ndtr ndtr ndtri i0 i1 j0 j1 i0e i1e
    entr log_expit"""
)
REDUCTIONS = words("sum prod mean var std max min nanmax nanmin")
REDUCED = "({0}(x), {0}(t, axis=(0, -1)), {0}(x, axis=1, keepdims=True))"
# those of the library: tested there call by call, in these forms
FORMS = {
    **{
        name: {"axis", "axes", "keepdims"}
        for name in words(
            """ptp median percentile quantile nanpercentile nanquantile nanmedian nansum nanprod
            nanmean average"""
        )
    },
    "nanvar": {"axis", "axes", "keepdims", "ddof"},
    "nanstd": {"axis", "axes", "keepdims", "ddof"},
    "nancumsum": {"axis"},
    "nancumprod": {"axis"},
    "trapezoid": {"axis"},
    "diff": {"axis"},
}
ORDERS = ("None", "1", "-1", "2", "-2", "np.inf", "-np.inf")
DRAWS = """normal(s, r) uniform(s, r) exponential(s) gumbel(s, r) laplace(s, r) logistic(s, r)
lognormal(s, r) rayleigh(s) weibull(r) pareto(r) power(r) triangular(s,r,3.0) normal(s,r,3)
uniform(s,r,size=(2,3)) exponential(s,3) gamma(2.5,s) standard_normal(3)*s random()*s""".replace(
    ", ", ","
).split()

FAMILIES: dict[str, list[str]] = {
    "elementwise": [
        *(f"np.{n}(s)" for n in UNARY),
        *(f"np.{n}(s, r)" for n in BINARY),
        *(f"math.{n}(s)" for n in MATH),
        "(np.arcsin(s), np.arccos(s), np.arctanh(s), np.arccosh(r), np.arcsin(v / 2))",
        "(math.acosh(r), math.atan2(s, r), math.hypot(s, r), math.copysign(s, r), math.fmod(r, s))",
        "(math.pow(s, r), math.log(s, r), math.remainder(r, s), math.ldexp(s, 2), math.dist(v, w))",
        "(s**2, s**3, s**0, s**-1, s**-2, s**0.5, s**1.5, s**-0.5, s**2.5)",
        "(2**s, s**r, v**r, 2.0**v, v**w, s**v)",
        "(-x, +x, x + s, x - s, s * x, s / x, x // s, x % s, x**2, x**-1, x**0.5, abs(x))",
        "(np.where(x > 1, x * x, s), np.where(s > 0.5, s, r), np.clip(x, s, r), x.clip(None, 1.0))",
        "np.select([x < 0.5, x > 1.0], [x * x, np.sin(x)], s)",
        "(np.interp(2.0, u, v), np.interp(w, u, v), np.interp(w, u, v, left=s, right=r))",
        "(np.divmod(x, s)[1], np.modf(v)[0], np.frexp(s)[0], np.ldexp(v, 2))",
        "np.array([0.0, s])**2 + np.array([s, 0.0])**3",
    ],
    "reductions": [
        *(REDUCED.format(f"np.{n}") for n in REDUCTIONS),
        *(f"(np.{n}(v, ddof=1), np.{n}(t, axis=(0, 1), ddof=1))" for n in ("var", "std")),
        "(x.sum(0), x.prod(1), x.mean(axis=0), x.var(ddof=1), x.std(0), x.max(1), x.min(axis=0))",
        "(np.median(v), np.percentile(v, 30.0), np.quantile(v, [0.2, 0.7]), np.ptp(v))",
        "(np.average(v), np.average(v, weights=w), np.nanmean(x), np.nanvar(v), np.nansum(x))",
        "(np.cumsum(v), np.cumsum(x, axis=0), np.cumprod(v), np.cumprod(x, axis=1))",
        "(np.prod(v - v[0]), np.prod(x * (x > x[0, 0]), axis=0))",
        "(np.trace(m), np.trace(m, 1), np.trace(b, axis1=1, axis2=2), m.trace())",
        "(np.trapezoid(v), np.trapezoid(v, u), np.trapezoid(x, dx=s, axis=0))",
        "(np.diff(v), np.diff(v, n=2), np.diff(x, axis=0), np.ediff1d(v), np.diff(v, prepend=s))",
        "(np.cov(x), np.cov(v, w), np.cov(x, rowvar=False, ddof=0), np.corrcoef(v, w))",
        "(np.argmax(v), np.argmin(x, axis=0), np.any(x > 1), np.all(x > 0, axis=1))",
        "np.count_nonzero(x)",
    ],
    "shapes": [
        "(x.reshape(6), np.reshape(x, (3, -1)), x.ravel(), np.ravel(x), x.flatten(), x.T)",
        "(np.transpose(t), t.transpose(2, 0, 1), np.swapaxes(t, 0, 2), np.moveaxis(t, 0, -1))",
        "(np.rollaxis(t, 2), np.expand_dims(x, 0), x[None], x[:, None], np.atleast_3d(v))",
        "(np.atleast_1d(s), np.atleast_2d(v), np.broadcast_to(v, (2, 4)), np.squeeze(x[None]))",
        "(np.concatenate((x, x), axis=1), np.stack((v, w)), np.hstack((v, w)), np.vstack((v, w)))",
        "(np.dstack((x, x)), np.column_stack((v, w)), np.block([[x, x], [x, x]]))",
        "(np.split(v, 2), np.array_split(v, 3), np.hsplit(x, 3), np.vsplit(x, 2), np.dsplit(t, 2))",
        "(np.diag(m), np.diag(v), np.diagflat(v), np.diagonal(m, 1), np.tril(m), np.triu(m, 1))",
        "(np.roll(v, 1), np.roll(x, 1, axis=0), np.rot90(x))",
        "(np.flip(x), np.flip(x, axis=0), np.fliplr(x), np.flipud(x))",
        "(np.repeat(v, 2), np.repeat(x, 2, axis=0), np.tile(x, (2, 1)))",
        "np.repeat(x, [1, 2], axis=0)",
        "(np.append(v, s), np.insert(v, 1, s), np.delete(v, 1), np.delete(x, 1, axis=1))",
        "(np.take(v, [0, 2]), np.take(x, [0, 1], axis=1), x.take([1, 2]))",
        "np.take_along_axis(x, np.argsort(x, axis=1), axis=1)",
        "(np.sort(v), np.sort(x, axis=0), v[np.argsort(v)], np.partition(v, 2)[2], np.unique(v))",
        "np.searchsorted(np.sort(v), w)",
        "np.lib.stride_tricks.sliding_window_view(v, 2)",
        "(np.convolve(v, w), np.convolve(v, w, mode='same'), np.correlate(v, w, mode='full'))",
        "(np.vander(v), np.vander(v, N=2, increasing=True), np.polyval(v, w), np.polyadd(v, w))",
        "(np.polysub(v, w), np.polymul(v, w), np.polyder(v), np.polyint(v), np.poly(v))",
        "(np.polydiv(v, w[:2]), np.polyfit(u, v, 1))",
        "(v[1:], v[::-1], x[0], x[..., 1], x[:, 1:], v[-1], t[0, :, 1])",
        "(v[[0, 2]], x[[0, 1], [1, 2]], x[np.array([0, 1]), 1], v[v > 1], x[x[:, 0] > 0])",
        "(np.pad(x, 1), np.pad(v, (1, 2), mode='edge'), np.pad(v, 1, mode='reflect'))",
        "(np.meshgrid(v, w), np.meshgrid(v, w, indexing='ij'))",
        "(np.gradient(v), np.gradient(x, axis=0), np.gradient(v, s), np.gradient(v, u))",
        "(x[x > 1], x[x > 1].sum(), np.where(x > 1, x, 0.0), np.extract(x > 1, x))",
        "np.compress([True, False], x, axis=0)",
    ],
    "linear algebra": [
        "(np.dot(x, m), np.dot(v, w), np.dot(x, m[0]), np.vdot(v, w), x @ m, m[0] @ m, v @ w)",
        "(np.outer(v, w), np.kron(x, m), np.cross(m[0], m[1]), np.inner(x, m), np.inner(v, w))",
        "(np.matmul(x, m), b @ q, b @ m, m @ b, np.matmul(b, m[0]), m[0] @ b, t @ x)",
        "(np.einsum('ij,jk->ik', x, m), np.einsum('bij,bjk->bik', b, q), np.einsum('ii', m))",
        "(np.tensordot(x, m, axes=1), np.tensordot(t, t, axes=([0, 1], [0, 1])))",
        *(f"np.linalg.norm(m, {o})" for o in (*ORDERS, "'fro'", "'nuc'")),
        *(f"np.linalg.norm(v, {o})" for o in (*ORDERS, "0", "3", "-3", "0.5", "2.5")),
        "(np.linalg.norm(x, axis=0), np.linalg.norm(t, axis=(0, 2)), np.linalg.norm(t))",
        "(np.linalg.norm(x, 1, axis=1, keepdims=True), np.linalg.norm(b, 'nuc', axis=(1, 2)))",
        "(np.linalg.det(m), np.linalg.slogdet(m)[1], np.linalg.inv(m), np.linalg.pinv(x))",
        "(np.linalg.solve(m, p), np.linalg.solve(m, m[0]), np.linalg.lstsq(m, m[0])[0])",
        "(np.linalg.lstsq(x.T, u[:3])[0], np.linalg.cholesky(p), np.linalg.qr(m)[1])",
        "(np.linalg.svd(m)[1], np.linalg.svd(x, full_matrices=False)[1], np.linalg.qr(x.T)[1])",
        "(np.linalg.eigh(p)[0], np.linalg.eigvalsh(p), np.linalg.eig(p)[0], np.linalg.eigvals(p))",
        "(np.linalg.matrix_power(m, 3), np.linalg.matrix_power(m, -2))",
        "np.linalg.matrix_power(m, 0)",
        *(f"np.linalg.cond(m, {o})" for o in (*ORDERS, "'fro'")),
        "(np.linalg.det(b), np.linalg.inv(b), np.linalg.slogdet(b)[1], np.linalg.solve(b, q))",
        "(np.linalg.cholesky(q), np.linalg.eigh(q)[0], np.linalg.svd(b)[1], np.linalg.qr(b)[1])",
        "(np.linalg.pinv(b), np.linalg.matrix_power(b, 2), np.linalg.eigvalsh(q))",
        "(np.linalg.eig(q)[0], np.linalg.eigvals(q), np.linalg.cond(b))",
    ],
    "scipy": [
        *(f"(scipy.special.{n}(s), scipy.special.{n}(x / 2))" for n in SPECIAL),
        "(scipy.special.polygamma(1, s), scipy.special.polygamma(2, v))",
        "(scipy.special.xlogy(s, r), scipy.special.xlogy(x, r), scipy.special.xlog1py(v, w))",
        "(scipy.special.betaln(s, r), scipy.special.betaln(v, w), scipy.special.beta(v, r))",
        "(scipy.special.logsumexp(x), scipy.special.logsumexp(x, axis=0))",
        "scipy.special.logsumexp(t, axis=(0, 1), keepdims=True, b=t)",
        "(scipy.special.softmax(x, axis=1), scipy.special.log_softmax(x, axis=0))",
        "scipy.linalg.solve_triangular(m, m[0])",
        "scipy.linalg.solve_triangular(m, p, lower=True, trans=1)",
        "scipy.linalg.cho_solve(scipy.linalg.cho_factor(p), m[0])",
        "scipy.linalg.lu_solve(scipy.linalg.lu_factor(m), m[0])",
    ],
    "random numbers": [f"np.random.{d}" for d in DRAWS],
}


def forms(f: Any) -> set[str]:
    """What the calls that a function of the library is tested with have."""
    found = set()
    for call in LIBRARY[f].samples(Draw()):
        given = inspect.signature(f).bind(*call.args, **call.keywords).arguments
        axis = given.get("axis")
        found |= {"axes"} if isinstance(axis, tuple) else {"axis"} if axis is not None else set()
        found |= {k for k in ("keepdims", "ddof") if given.get(k)}
    return found


@pytest.mark.parametrize("name", FORMS)
def test_forms(name: str) -> None:
    """The library's functions are tested along an axis, along several, and so on."""
    assert forms(getattr(np, name)) >= FORMS[name]


def program(name: str) -> Any:
    """The function that evaluates a family's expressions."""
    lines = [f"def family({', '.join(ARGUMENTS)}):"]
    lines += ["    np.random.seed(3)"] * (name == "random numbers")
    lines += [f"    r{i} = {e}" for i, e in enumerate(FAMILIES[name])]
    lines += [f"    return {', '.join(f'r{i}' for i in range(len(FAMILIES[name])))},"]
    text = "\n".join(lines) + "\n"
    file = f"<family {name}>"
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    scope: dict[str, Any] = {"np": np, "math": math, "scipy": scipy}
    exec(compile(text, file, "exec"), scope)
    return scope["family"]


@pytest.mark.parametrize("name", FAMILIES)
def test_family(name: str) -> None:
    """Values and first derivatives of everything in it."""
    f, args = program(name), tuple(ARGUMENTS.values())
    same(srcad.differentiable(f, **OPTIONS)(*args), f(*args), 1e-11)
    srcad.check_grads(f, args, order=1, **OPTIONS)


def update(x: Any, s: Any) -> Any:
    """In-place functions and masks."""
    a = x * 1.0
    np.fill_diagonal(a, s)
    a[a > 1.0] = s * s
    a[a < 0.5] *= 2.0
    a[0] += a[1]
    c = x * s
    c.sort()
    c.partition(1)
    np.put(c, [0, 2], x[0, :2])
    e = np.zeros((2, 3))
    np.add.at(e, (np.array([0, 0]), np.array([1, 1])), x[0, :2])
    return a, c, e, a[x > 1.0]


def test_in_place() -> None:
    """The same of what is written to."""
    args = (ARGUMENTS["x"], ARGUMENTS["s"])
    same(srcad.differentiable(update, **OPTIONS)(*args), update(*args), 1e-12)
    srcad.check_grads(update, args, order=1, **OPTIONS)
