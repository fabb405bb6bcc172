"""The operations of the tape with sample operands, for the generated tests.

Elementwise operations come from the vocabulary and the domains of their rules; the others are
listed: a name, a function of tensors, and a function that draws float64 operands.  Operands stay
away from kinks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import srcad.tf as tf
from srcad.rules import RULES
from srcad.tape import kernels
from srcad.tape.elementwise import VOCABULARY, operation

ORDERED = {"polygamma", "erfc_integral", "bessel_j", "bessel_i", "bessel_i_scaled"}
UNUSED = {"i8", "b1", "f4", "f8", "ldexp"}  # casts; an integer operand


@dataclass(frozen=True)
class Case:
    """A differentiable function and how to draw operands for it."""

    name: str
    f: Callable[..., Any]
    draw: Callable[[np.random.Generator], list[Any]]


def _uniform(domain: tuple[float, float], shape: tuple[int, ...]) -> Callable[..., Any]:
    low, high = domain
    width = high - low
    return lambda rng: rng.uniform(low + 0.1 * width, high - 0.1 * width, shape)


def _elementwise() -> list[Case]:
    floats = [*kernels.FLOAT_UNARY, *kernels.FLOAT_BINARY, *kernels.ANY_UNARY, *kernels.ANY_BINARY]
    floats += [p for p, rule in RULES.items() if rule.arity < 3 and p not in VOCABULARY]
    floats = [p for p in floats if p not in UNUSED]
    cases = []
    for name in floats:
        rule = RULES[name]
        if rule.zero or name in ORDERED or name == "invert" or name[:3] in ("bit", "lsh", "rsh"):
            continue
        draws = [_uniform(d, (3,)) for d in rule.domain]
        cases.append(Case(name, operation(name), lambda rng, ds=draws: [d(rng) for d in ds]))
        if rule.arity == 2:
            shapes = [(2, 1), (3,)]
            draws = [_uniform(d, s) for d, s in zip(rule.domain, shapes, strict=True)]
            wide = lambda rng, ds=draws: [d(rng) for d in ds]  # noqa: E731
            cases.append(Case(f"{name}-broadcast", operation(name), wide))
    for name in sorted(ORDERED):
        op = operation(name)
        f = lambda x, op=op: op(np.full(3, 1.0), x)  # noqa: E731
        cases.append(Case(name, f, lambda rng: [rng.uniform(0.5, 2, 3)]))
    return cases


def normal(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], list[Any]]:
    """Normally distributed operands."""
    return lambda rng: [rng.normal(size=s) for s in shapes]


def positive(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], list[Any]]:
    """Operands between 0.5 and 2."""
    return lambda rng: [rng.uniform(0.5, 2, size=s) for s in shapes]


def _spd(rng: np.random.Generator) -> list[Any]:
    a = rng.normal(size=(2, 3, 3))
    return [a @ a.swapaxes(1, 2) + 3 * np.eye(3)]


def _system(rng: np.random.Generator) -> list[Any]:
    return [rng.normal(size=(3, 3)) + 3 * np.eye(3), rng.normal(size=(3, 2))]


def _symmetric(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a: f((a + tf.linalg.matrix_transpose(a)) / 2)


SHAPING = [
    Case("reshape", lambda x: tf.reshape(x, [3, -1]), normal((2, 3))),
    Case("transpose", lambda x: tf.transpose(x, [2, 0, 1]), normal((2, 3, 4))),
    Case("broadcast_to", lambda x: tf.broadcast_to(x, [4, 2, 3]), normal((2, 1))),
    Case("expand_dims", lambda x: tf.expand_dims(x, -2), normal((2, 3))),
    Case("squeeze", lambda x: tf.squeeze(x), normal((2, 1, 3))),
    Case("concat", lambda x, y: tf.concat([x, y], 1), normal((2, 3), (2, 1))),
    Case("stack", lambda x, y: tf.stack([x, y], -1), normal((2, 3), (2, 3))),
    Case("unstack", lambda x: tf.unstack(x)[1] * tf.unstack(x, axis=1)[0][0], normal((2, 3))),
    Case("split", lambda x: tf.split(x, [1, 2], 1)[1], normal((2, 3))),
    Case("pad", lambda x: tf.pad(x, [[1, 0], [0, 2]], constant_values=5.0), normal((2, 3))),
    Case("pad-reflect", lambda x: tf.pad(x, [[1, 0], [0, 2]], "REFLECT"), normal((2, 3))),
    Case("tile", lambda x: tf.tile(x, [2, 3]), normal((2, 3))),
    Case("repeat", lambda x: tf.repeat(x, [1, 2], axis=0), normal((2, 3))),
    Case("reverse", lambda x: tf.reverse(x, [1]), normal((2, 3))),
    Case("roll", lambda x: tf.roll(x, 1, axis=0), normal((3, 2))),
    Case("getitem", lambda x: x[1:, ..., None, -1], normal((3, 2, 4))),
    Case("getitem-step", lambda x: x[::-1, ::2], normal((3, 4))),
    Case("gather", lambda x: tf.gather(x, [[0, 2], [2, 2]], axis=1), normal((2, 3))),
    Case("gather-batch", lambda x: tf.gather(x, [[0, 2], [1, 1]], batch_dims=1), normal((2, 3))),
    Case("gather_nd", lambda x: tf.gather_nd(x, [[0, 2], [1, 1], [0, 2]]), normal((2, 3))),
    Case("scatter_nd", lambda x: tf.scatter_nd([[1], [3], [1]], x, [5]), normal((3,))),
    Case(
        "tensor_scatter_nd_update",
        lambda x, y: tf.tensor_scatter_nd_update(x, [[1], [0]], y),
        normal((3,), (2,)),
    ),
    Case("boolean_mask", lambda x: tf.boolean_mask(x, [True, False, True]), normal((3, 2))),
    Case("sort", lambda x: tf.sort(x, direction="DESCENDING"), normal((2, 3))),
    Case("top_k", lambda x: tf.math.top_k(x, 2).values, normal((2, 4))),
    Case("where", lambda x, y: tf.where(x > y, x, y), normal((2, 3), (3,))),
    Case("cast", lambda x: tf.cast(x, tf.float64) * 2.0, normal((3,))),
]
REDUCING = [
    Case("reduce_sum", lambda x: tf.reduce_sum(x, 1), normal((2, 3))),
    Case("reduce_sum-all", lambda x: tf.reduce_sum(x), normal((2, 3))),
    Case("reduce_mean", lambda x: tf.reduce_mean(x, [0, 2], keepdims=True), normal((2, 3, 2))),
    Case("reduce_max", lambda x: tf.reduce_max(x, -1), normal((2, 3))),
    Case("reduce_min", lambda x: tf.reduce_min(x, 0), normal((2, 3))),
    Case("reduce_prod", lambda x: tf.reduce_prod(x, 1), normal((2, 5))),
    Case("reduce_logsumexp", lambda x: tf.reduce_logsumexp(x, 0), normal((2, 3))),
    Case("reduce_variance", lambda x: tf.math.reduce_variance(x, 1), normal((2, 3))),
    Case("reduce_std", lambda x: tf.math.reduce_std(x, 1), normal((2, 3))),
    Case("cumsum", lambda x: tf.cumsum(x, 1, exclusive=True, reverse=True), normal((2, 3))),
    Case("cumprod", lambda x: tf.math.cumprod(x, 1), normal((2, 4))),
    Case("cumprod-ex", lambda x: tf.math.cumprod(x, 0, True, True), normal((3, 2))),
    Case("norm", lambda x: tf.norm(x, axis=1), normal((2, 3))),
    Case("norm-1", lambda x: tf.norm(x, 1), normal((2, 3))),
    Case("norm-inf", lambda x: tf.norm(x, np.inf), normal((2, 3))),
    Case("norm-3", lambda x: tf.norm(x, 3), normal((2, 3))),
    Case("clip_by_value", lambda x: tf.clip_by_value(x, -0.5, 0.5), normal((2, 3))),
    Case("clip_by_norm", lambda x: tf.clip_by_norm(x, 0.7), normal((2, 3))),
    Case(
        "clip_by_global_norm",
        lambda x, y: tf.clip_by_global_norm([x, y], 0.7)[0][1],
        normal((2,), (3,)),
    ),
]
LINEAR = [
    Case("matmul", tf.matmul, normal((2, 3), (3, 2))),
    Case("matmul-ta", lambda a, b: tf.matmul(a, b, True, True), normal((3, 2), (2, 3))),
    Case("matmul-batch", tf.matmul, normal((2, 2, 3), (3, 2))),
    Case("matvec", tf.linalg.matvec, normal((2, 3), (3,))),
    Case("tensordot", lambda a, b: tf.tensordot(a, b, [[0], [1]]), normal((2, 3), (3, 2))),
    Case("einsum", lambda a, b: tf.einsum("bij,bjk->bik", a, b), normal((2, 2, 3), (2, 3, 2))),
    Case("einsum-diag", lambda a: tf.einsum("bxby->bxy", a), normal((2, 3, 2, 2))),
    Case("einsum-sum", lambda a, b: tf.einsum("ij,jk->k", a, b), normal((2, 3), (3, 2))),
    Case("einsum-dots", lambda a, b: tf.einsum("...i,...i", a, b), normal((2, 3), (2, 3))),
    Case("trace", tf.linalg.trace, normal((2, 3, 3))),
    Case("diag", tf.linalg.diag, normal((2, 3))),
    Case("band_part", lambda a: tf.linalg.band_part(a, 1, 0), normal((3, 3))),
    Case("set_diag", tf.linalg.set_diag, normal((3, 3), (3,))),
    Case("solve", tf.linalg.solve, _system),
    Case("triangular_solve", tf.linalg.triangular_solve, _system),
    Case("lstsq", tf.linalg.lstsq, normal((4, 2), (4, 1))),
    Case("inv", tf.linalg.inv, _spd),
    Case("det", tf.linalg.det, _spd),
    Case("slogdet", lambda a: tf.linalg.slogdet(a)[1], _spd),
    Case("logdet", _symmetric(tf.linalg.logdet), _spd),
    Case("cholesky", _symmetric(tf.linalg.cholesky), _spd),
    Case("eigvalsh", _symmetric(tf.linalg.eigvalsh), _spd),
    Case("eigh", _symmetric(lambda a: tf.linalg.eigh(a)[1] ** 2), _spd),
    Case("expm", tf.linalg.expm, normal((2, 2))),
    Case("cross", tf.linalg.cross, normal((2, 3), (2, 3))),
]
NETWORKS = [
    *(
        Case(f"nn.{n}", getattr(tf.nn, n), normal((2, 3)))
        for n in (
            *("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "softplus"),
            *("softsign", "softmax", "log_softmax", "l2_normalize", "l2_loss", "tanh"),
        )
    ),
    Case(
        "softmax_cross_entropy",
        lambda x: tf.nn.softmax_cross_entropy_with_logits([[0.2, 0.5, 0.3]] * 2, x),
        normal((2, 3)),
    ),
    Case(
        "softmax_cross_entropy-labels",
        lambda y: tf.nn.softmax_cross_entropy_with_logits(y, np.array([[0.2, 0.5, -0.3]] * 2)),
        normal((2, 3)),
    ),
    Case(
        "sparse_softmax_cross_entropy",
        lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits([2, 0], x),
        normal((2, 3)),
    ),
    Case(
        "sigmoid_cross_entropy",
        lambda x, z: tf.nn.sigmoid_cross_entropy_with_logits(z, x),
        normal((2, 3), (2, 3)),
    ),
    Case("moments", lambda x: tf.nn.moments(x, [0])[1], normal((3, 2))),
    Case("softplus-sum", lambda x: tf.math.softplus(x) * tf.math.sigmoid(x), normal((3,))),
    Case("log_sigmoid", tf.math.log_sigmoid, normal((3,))),
    Case("conv2d", lambda x, k: tf.nn.conv2d(x, k, 2, "SAME"), normal((1, 3, 4, 2), (2, 2, 2, 1))),
    Case("max_pool2d", lambda x: tf.nn.max_pool2d(x, 2, 1, "VALID"), normal((1, 3, 3, 1))),
    Case("avg_pool2d", lambda x: tf.nn.avg_pool2d(x, 2, 2, "SAME"), normal((1, 3, 3, 1))),
    Case("rsqrt", tf.math.rsqrt, positive((3,))),
    Case("polyval", lambda x: tf.math.polyval([1.0, 2.0, 3.0], x), normal((3,))),
    Case("pow-number", lambda x: x**2 + x**3 + x**-1 + x**0.5 + x**5, positive((3,))),
    Case("linspace", lambda a, b: tf.linspace(a, b, 4), normal((), ())),
    Case("divide_no_nan", tf.math.divide_no_nan, positive((3,), (3,))),
    Case("multiply_no_nan", tf.math.multiply_no_nan, positive((3,), (3,))),
]
COMPOSED = [
    Case("add_n", lambda x, y: tf.add_n([x, y, x]), normal((3,), (3,))),
    Case("accumulate_n", lambda x, y: tf.math.accumulate_n([x, y]) * x, normal((3,), (3,))),
    Case("scalar_mul", lambda x: tf.math.scalar_mul(3.0, x) * x, normal((3,))),
    Case("squared_difference", tf.math.squared_difference, normal((2, 3), (3,))),
    Case("reduce_euclidean_norm", lambda x: tf.math.reduce_euclidean_norm(x, 1), normal((2, 3))),
    Case("reciprocal_no_nan", tf.math.reciprocal_no_nan, positive((3,))),
    Case("segment_sum", lambda x: tf.math.segment_sum(x, [0, 0, 2]) ** 2, normal((3, 2))),
    Case("segment_mean", lambda x: tf.math.segment_mean(x, [0, 0, 1]) ** 2, normal((3, 2))),
    Case(
        "unsorted_segment_sum",
        lambda x: tf.math.unsorted_segment_sum(x, [1, 0, 1], 3) ** 2,
        normal((3,)),
    ),
    *(
        Case(n, getattr(tf.math, n), positive((3,)))
        for n in ("bessel_i0", "bessel_i1", "bessel_i0e", "bessel_i1e", "lbeta")
    ),
    Case("identity", lambda x: tf.identity(x) * x, normal((3,))),
    Case("identity_n", lambda x, y: tf.identity_n([x, y])[0] * y, normal((3,), (3,))),
    Case("convert_to_tensor", lambda x, y: tf.convert_to_tensor([x, y]) ** 2, normal((), ())),
    Case("slice", lambda x: tf.slice(x, [1, 0], [1, -1]) ** 2, normal((2, 3))),
    Case("meshgrid", lambda x, y: tf.multiply(*tf.meshgrid(x, y)), normal((2,), (3,))),
    Case(
        "tensor_scatter_nd_add",
        lambda x, y: tf.tensor_scatter_nd_add(x, [[1], [1]], y) ** 2,
        normal((3,), (2,)),
    ),
    Case("adjoint", lambda a: tf.linalg.adjoint(a) @ a, normal((2, 3))),
    Case(
        "cholesky_solve",
        lambda a, b: tf.linalg.cholesky_solve(tf.linalg.band_part(a, -1, 0), b),
        _system,
    ),
    Case("pinv", tf.linalg.pinv, normal((3, 2))),
    Case("normalize", lambda x: tf.linalg.normalize(x, axis=1)[0], normal((2, 3))),
    Case("map_fn", lambda x: tf.map_fn(lambda r: r * r[0], x), normal((2, 3))),
    Case("vectorized_map", lambda x: tf.vectorized_map(tf.sin, x), normal((2,))),
    Case("foldl", lambda x: tf.foldl(lambda a, r: a * r + r, x), normal((3,))),
    Case("foldr", lambda x: tf.foldr(lambda a, r: a * r + r, x), normal((3,))),
    Case("scan", lambda x: tf.scan(lambda a, r: a * r + r, x), normal((3,))),
    Case(
        "while_loop",
        lambda x: tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * x), [0, x])[1],
        positive((2,)),
    ),
    Case("cond", lambda x: tf.cond(x[0] > 0, lambda: x * x, lambda: x), positive((2,))),
    Case("case", lambda x: tf.case([(x[0] < 0, lambda: x)], lambda: x * x), positive((2,))),
    Case(
        "switch_case",
        lambda x: tf.switch_case(tf.constant(1), [lambda: x, lambda: x**3]),
        positive((2,)),
    ),
    Case("recompute_grad", lambda x: tf.recompute_grad(lambda y: tf.sin(y) * y)(x), normal((3,))),
    Case("custom_gradient", lambda x: _cubed(x) * x, normal((3,))),
]


@tf.custom_gradient
def _cubed(x: Any) -> Any:
    return x**3, lambda upstream: upstream * 3.0 * x**2


def _normalized(x: Any, offset: Any, scale: Any) -> Any:
    mean, variance = tf.nn.moments(x, [0])
    return tf.nn.batch_normalization(x, mean, variance, offset, scale, 1e-3)


NETWORKS += [
    Case("batch_normalization", _normalized, normal((3, 2), (2,), (2,))),
    Case("bias_add", lambda x, b: tf.nn.bias_add(x, b) ** 2, normal((2, 3), (3,))),
    Case("crelu", lambda x: tf.nn.crelu(x) ** 2, normal((2, 3))),
    Case("dropout", lambda x: tf.nn.dropout(x, 0.0) * x, normal((3,))),
    Case(
        "weighted_cross_entropy_with_logits",
        lambda x, z: tf.nn.weighted_cross_entropy_with_logits(z, x, 2.0),
        normal((3,), (3,)),
    ),
]
ELEMENTWISE = _elementwise()
CASES = {c.name: c for c in (*ELEMENTWISE, *SHAPING, *REDUCING, *LINEAR, *NETWORKS, *COMPOSED)}

# what no derivative passes, or what is no operation on numbers; by names in ``tf``, ``tf.math`` ...
WITHOUT_DERIVATIVE = {
    *(
        "constant",
        "function",
        "control_dependencies",
        "device",
        "get_static_value",
        "group",
        "no_op",
    ),
    *("argmax", "argmin", "eye", "fill", "is_tensor", "ones", "zeros", "rank", "searchsorted"),
    *("shape", "size", "unique", "range", "Assert", "executing_eagerly", "print", "get_logger"),
    *("ones_like", "zeros_like", "in_top_k", "zero_fraction", "count_nonzero", "bincount"),
    *("confusion_matrix", "invert_permutation", "matrix_rank", "reduce_all", "reduce_any"),
    *("saturate_cast", "grad_pass_through"),  # grad_pass_through: no derivative of its value
}
