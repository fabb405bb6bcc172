"""Reductions, products, shapes and selections: value, gradient, second derivative."""

from tests.tf_documents.fixed import numbers
from tests.tf_recorded.differentiated import differentiated

V = numbers(1, 4)
M = numbers(2, 3, 4)
N = numbers(3, 4, 2)
S = numbers(4, 3, 3)
T = numbers(9, 3, 3)
C = numbers(5, 2, 3, 4)
D = numbers(6, 2, 4, 2)
ROWS = [[0.2, -0.3, 0.9], [1.0, 0.4, -0.7]]
LABELS = [[1.0, 0.0, 0.0], [0.2, 0.5, 0.3]]
INDICES = [2, 0, 2]


def _dominant(tf, x):
    return tf.matmul(x, x, transpose_b=True) + tf.eye(3, dtype=x.dtype)


REDUCTIONS = {
    "reduce_sum": (lambda tf, x: tf.reduce_sum(x * x), M),
    "reduce_sum_axis": (lambda tf, x: tf.reduce_sum(x * x, axis=1, keepdims=True), M),
    "reduce_sum_axes": (lambda tf, x: tf.reduce_sum(x * x, axis=[0, -1]), C),
    "reduce_mean": (lambda tf, x: tf.reduce_mean(x * x, axis=0), M),
    "reduce_prod": (lambda tf, x: tf.reduce_prod(x, axis=1), M),
    "reduce_max": (lambda tf, x: tf.reduce_max(x, axis=1), M),
    "reduce_max_tie": (lambda tf, x: tf.reduce_max(x), [1.0, 2.0, 2.0]),
    "reduce_min": (lambda tf, x: tf.reduce_min(x * x), M),
    "reduce_logsumexp": (lambda tf, x: tf.reduce_logsumexp(x, axis=1), M),
    "reduce_variance": (lambda tf, x: tf.math.reduce_variance(x, axis=0), M),
    "reduce_std": (lambda tf, x: tf.math.reduce_std(x), M),
    "reduce_euclidean_norm": (lambda tf, x: tf.math.reduce_euclidean_norm(x, axis=1), M),
    "norm": (lambda tf, x: tf.norm(x), M),
    "norm_axis": (lambda tf, x: tf.norm(x, axis=1), M),
    "norm_one": (lambda tf, x: tf.norm(x, ord=1, axis=0), M),
    "norm_inf": (lambda tf, x: tf.norm(x, ord=float("inf")), V),
    "cumsum": (lambda tf, x: tf.cumsum(x * x, axis=1), M),
    "cumsum_reverse": (lambda tf, x: tf.cumsum(x * x, exclusive=True, reverse=True), V),
    "cumprod": (lambda tf, x: tf.math.cumprod(x), V),
    "l2_loss": (lambda tf, x: tf.nn.l2_loss(x), M),
    "l2_normalize": (lambda tf, x: tf.math.l2_normalize(x, axis=1), M),
    "softmax": (lambda tf, x: tf.nn.softmax(x), M),
    "softmax_axis": (lambda tf, x: tf.nn.softmax(x, axis=0), M),
    "log_softmax": (lambda tf, x: tf.nn.log_softmax(x), M),
    "clip_by_norm": (lambda tf, x: tf.clip_by_norm(x, 1.5), M),
    "clip_by_norm_inside": (lambda tf, x: tf.clip_by_norm(x, 100.0), M),
    "where_zero": (lambda tf, x: tf.reduce_sum(tf.where(x > 0, x, 0.0) ** 2), M),
}

SHAPES = {
    "reshape": (lambda tf, x: tf.reshape(x * x, [2, -1]), M),
    "transpose": (lambda tf, x: tf.transpose(x * x), M),
    "transpose_axes": (lambda tf, x: tf.transpose(x * x, [2, 0, 1]), C),
    "expand_dims": (lambda tf, x: tf.expand_dims(x * x, 1), V),
    "squeeze": (lambda tf, x: tf.squeeze(x[:1] * x[:1]), M),
    "concat": (lambda tf, x: tf.concat([x, x * x], axis=1), M),
    "stack": (lambda tf, x: tf.stack([x, x * x, x], axis=1), M),
    "unstack": (lambda tf, x: tf.unstack(x)[1] * tf.unstack(x, axis=0)[2], M),
    "split": (lambda tf, x: tf.split(x, 2, axis=1)[0] * tf.split(x, [1, 2, 1], 1)[1], M),
    "tile": (lambda tf, x: tf.tile(x * x, [2, 1]), M),
    "repeat": (lambda tf, x: tf.repeat(x * x, 2, axis=0), M),
    "reverse": (lambda tf, x: tf.reverse(x * x, axis=[0]), M),
    "roll": (lambda tf, x: tf.roll(x * x, shift=1, axis=1), M),
    "pad": (lambda tf, x: tf.pad(x * x, [[1, 0], [0, 2]], constant_values=3.0), M),
    "pad_reflect": (lambda tf, x: tf.pad(x * x, [[1, 1], [2, 1]], mode="REFLECT"), M),
    "broadcast_to": (lambda tf, x: tf.broadcast_to(x * x, [2, 4]), V),
    "slice": (lambda tf, x: tf.slice(x * x, [1, 0], [2, 3]), M),
    "strided": (lambda tf, x: x[::-2, 1::2] * x[:2, :2], M),
    "gather": (lambda tf, x: tf.gather(x * x, INDICES), M),
    "gather_axis": (lambda tf, x: tf.gather(x * x, [1, 1], axis=1), M),
    "gather_nd": (lambda tf, x: tf.gather_nd(x * x, [[0, 1], [2, 3]]), M),
    "scatter_nd": (lambda tf, x: tf.scatter_nd([[1], [3], [1], [0]], x * x, [5]), V),
    "tensor_scatter_nd_update": (
        lambda tf, x: tf.tensor_scatter_nd_update(x * x, [[1]], [x[0] ** 3]),
        V,
    ),
    "segment_sum": (lambda tf, x: tf.math.segment_sum(x * x, [0, 0, 1]), M),
    "linalg_diag": (lambda tf, x: tf.linalg.diag(x * x), V),
    "diag_part": (lambda tf, x: tf.linalg.diag_part(x * x), S),
    "boolean_mask": (lambda tf, x: tf.boolean_mask(x * x, [True, False, True]), M),
    "sort": (lambda tf, x: tf.sort(x, axis=1, direction="DESCENDING") ** 2, M),
    "top_k": (lambda tf, x: tf.math.top_k(x, k=2).values ** 2, M),
    "meshgrid": (lambda tf, x: tf.meshgrid(x, x[:2])[0] * tf.meshgrid(x, x[:2])[1], V),
    "band_part": (lambda tf, x: tf.linalg.band_part(x * x, -1, 0), S),
}

LINEAR = {
    "trace": (lambda tf, x: tf.linalg.trace(tf.matmul(x, x)), S),
    "det": (lambda tf, x: tf.linalg.det(x), S),
    "inv": (lambda tf, x: tf.linalg.inv(_dominant(tf, x)), S),
    "cholesky": (lambda tf, x: tf.linalg.cholesky(_dominant(tf, x)), S),
    "logdet": (lambda tf, x: tf.linalg.logdet(_dominant(tf, x)), S),
    "matrix_transpose": (lambda tf, x: tf.linalg.matrix_transpose(x * x), C),
    "einsum_trace": (lambda tf, x: tf.einsum("ii->i", x * x), S),
}

PRODUCTS = {
    "matmul": (lambda tf, x, y: tf.matmul(x, y), M, N),
    "matmul_transposed": (lambda tf, x, y: tf.matmul(x, y, transpose_a=True), M, S),
    "matmul_both": (lambda tf, x, y: tf.matmul(x, y, True, True), M, numbers(7, 2, 3)),
    "matmul_batched": (lambda tf, x, y: tf.matmul(x, y), C, D),
    "matmul_broadcast": (lambda tf, x, y: tf.matmul(x, y), C, N),
    "matvec": (lambda tf, x, y: tf.linalg.matvec(x, y), M, V),
    "tensordot": (lambda tf, x, y: tf.tensordot(x, y, axes=1), M, N),
    "tensordot_axes": (lambda tf, x, y: tf.tensordot(x, y, axes=[[0, 1], [0, 1]]), M, M),
    "einsum": (lambda tf, x, y: tf.einsum("ij,jk->ki", x, y), M, N),
    "einsum_batched": (lambda tf, x, y: tf.einsum("bij,bjk->bk", x, y), C, D),
    "einsum_ellipsis": (lambda tf, x, y: tf.einsum("...ij,jk->...ik", x, y), C, N),
    "solve": (lambda tf, x, y: tf.linalg.solve(_dominant(tf, x), y), S, M),
    "linear_layer": (lambda tf, x, y: tf.nn.bias_add(tf.matmul(x, y), y[0]), M, N),
    "sigmoid_cross_entropy": (
        lambda tf, x, y: tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=x),
        ROWS,
        LABELS,
    ),
    "cross": (lambda tf, x, y: tf.linalg.cross(x, y), S, T),
}


def _softmax_cross_entropy(tf, x):
    return tf.nn.softmax_cross_entropy_with_logits(labels=tf.constant(LABELS, x.dtype), logits=x)


def _sparse(tf, x):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[2, 0], logits=x)


TABLE = {
    name: (f, at)
    for table in (REDUCTIONS, SHAPES, LINEAR, PRODUCTS)
    for name, (f, *at) in table.items()
}
CASES = {name: differentiated(f, *at) for name, (f, at) in TABLE.items()}
CASES["cross_entropy"] = differentiated(_softmax_cross_entropy, ROWS)
CASES["sparse_cross_entropy"] = differentiated(_sparse, ROWS)


def labels_of_cross_entropy(tf):
    """The gradient by labels."""
    x, y = tf.constant(ROWS), tf.Variable(LABELS)
    with tf.GradientTape() as t:
        z = tf.nn.softmax_cross_entropy_with_logits(y, x)
    return t.gradient(z, y)


def moments(tf):
    """Mean and variance in one, and their gradient."""
    x = tf.Variable(M)
    with tf.GradientTape() as t:
        mean, variance = tf.nn.moments(x, axes=[0])
        y = tf.reduce_sum(mean * V + variance * variance)
    return mean, variance, t.gradient(y, x)


def without_gradient(tf):
    """Operations that give integers or booleans."""
    x = tf.constant([[1.0, 3.0, 2.0], [4.0, 0.0, 5.0]])
    return [
        tf.argmax(x, axis=1),
        tf.argmin(x),
        tf.argsort(x, axis=1),
        tf.reduce_any(x > 4.0, axis=1),
        tf.reduce_all(x > 0.0),
        tf.where(x > 2.0),
        tf.math.is_nan(x / x),
        tf.math.count_nonzero(x),
        tf.shape(tf.unique([1, 2, 1]).y),
        tf.math.equal(x, 3.0),
        tf.math.in_top_k([1, 0], x, 1),
        tf.math.bincount([1, 1, 3]),
        tf.searchsorted([1.0, 2.0, 3.0], [2.5, 0.0]),
    ]


def global_norm(tf):
    """The norm of a list, and clipping by it."""
    xs = [tf.constant([3.0, 4.0]), tf.constant([[12.0]])]
    clipped, norm = tf.clip_by_global_norm(xs, 6.5)
    return tf.linalg.global_norm(xs), clipped, norm


def debugging(tf):
    """Checks pass or raise."""
    tf.debugging.assert_equal(tf.constant(1), 1)
    tf.debugging.assert_near(tf.constant(1.0), 1.0 + 1e-8)
    tf.debugging.assert_greater(2, 1)
    x = tf.debugging.check_numerics(tf.constant(1.0), "bad")
    return x


def seeds(tf):
    """Random numbers are repeated by a seed, and of the asked shape."""
    tf.random.set_seed(5)
    a = tf.random.normal((3, 2))
    tf.random.set_seed(5)
    b = tf.random.normal((3, 2))
    c = tf.random.normal((3, 2))
    same = [bool(tf.reduce_all(a == b)), bool(tf.reduce_all(b == c))]
    u = tf.random.uniform((1000,), 2.0, 3.0)
    i = tf.random.uniform((4,), 0, 10, dtype=tf.int32)
    within = [bool(tf.reduce_min(u) >= 2.0), bool(tf.reduce_max(u) < 3.0)]
    t = tf.random.truncated_normal((1000,))
    within += [bool(tf.reduce_max(abs(t)) <= 2.0), bool(tf.reduce_max(i) < 10)]
    return same, within, a.dtype, i.dtype, tf.random.normal([2], 5.0, 0.0)
