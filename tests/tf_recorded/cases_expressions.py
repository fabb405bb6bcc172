"""Single expressions: their values, what is refused, and gradients at special points."""

import numpy as np

from tests.tf_recorded.values import raised

VALUES = [
    "tf.constant([1, 2, 3]) ** 2",
    "tf.constant(2) ** tf.constant(3)",
    "tf.reduce_mean(tf.constant([1, 2]))",
    "tf.reduce_mean([1.0, 2.0])",
    "tf.math.sqrt(tf.constant(4.0, tf.float64))",
    "tf.cast([1.9, -1.9], tf.uint8)",
    "tf.constant([[1, 2], [3, 4]]) @ tf.constant([[1], [1]])",
    "tf.constant(1 + 2j)",
    "tf.where([True, False], [1.0, 2.0], [3.0, 4.0])",
    "tf.where(tf.constant([True, False]), 1.0, 2.0)",
    "tf.maximum(tf.constant([1.0, 5.0]), 3)",
    "tf.concat([[1, 2], [3]], 0)",
    "tf.stack([1, 2.5])",
    "tf.argmax([[1, 5], [7, 2]], axis=-1)",
    "tf.argmax([1, 5, 2]).numpy()",
    "tf.reduce_max([[1, 2], [3, 4]], axis=[0, 1])",
    "tf.norm([[3.0, 4.0], [0.0, 0.0]], axis=1)",
    "tf.linspace(0.0, 1.0, 3)[::-1]",
    "tf.range(10)[tf.constant(2):tf.constant(8):2]",
    "tf.reshape(tf.range(6), [3, -1])",
    "tf.reshape(tf.range(6), (-1,))",
    "tf.squeeze(tf.ones((1, 2, 1))).shape",
    "tf.transpose(tf.ones((1, 2, 3))).shape",
    "tf.split(tf.range(6), 3)",
    "tf.split(tf.range(7), [3, 4])",
    "tf.unstack(tf.ones((2, 3)), axis=1)",
    "tf.math.round([0.5, 1.5, 2.5, -0.5])",
    "tf.math.floordiv(7, -2)",
    "tf.math.mod(-7, 3)",
    "tf.math.sign([-2, 0, 3])",
    "tf.tensordot([1.0, 2.0], [3.0, 4.0], 1)",
    "tf.nn.softmax([1.0, 2.0, 3.0])",
    "tf.nn.sigmoid(100.0)",
    "tf.nn.log_softmax([1000.0, 0.0])",
    "tf.math.softplus([-100.0, 0.0, 100.0])",
    "tf.sigmoid([-1000.0, 1000.0])",
    "tf.exp(1000.0)",
    "tf.nn.relu([-1, 2])",
    "tf.nn.softmax_cross_entropy_with_logits([[0.0, 1.0]], [[1000.0, -1000.0]])",
    "tf.ones_like([1, 2])",
    "tf.zeros_like(tf.Variable([1.0, 2.0]))",
    "tf.fill((2,), tf.constant(3))",
    "tf.eye(2, dtype=tf.float64)",
    "tf.linalg.inv([[2.0, 0.0], [0.0, 4.0]])",
    "tf.linalg.det([[2.0, 1.0], [1.0, 4.0]])",
    "tf.constant([1.0, 2.0]).numpy().dtype.name",
    "str(tf.constant(0.1))",
    "str(tf.constant(1 / 3, tf.float64))",
    "repr(tf.constant(100))",
    "str(tf.constant([[0.1, 0.25], [1e-05, 100000.0]]))",
    "str(tf.TensorShape([2, None]))",
    "repr(tf.TensorSpec([None, 2], tf.float32))",
    "repr(tf.TensorSpec(None))",
    "tf.constant(3.0).__array__().shape",
    "np.mean(tf.constant([1.0, 2.0]))",
    "np.stack([tf.constant(1.0), tf.constant(2.0)])",
    "[1, 2, 3][tf.constant(1)]",
    "sum([tf.constant(1.0), tf.constant(2.0)])",
    "max(tf.constant(1.0), tf.constant(2.0))",
    "sorted([tf.constant(3.0), tf.constant(1.0)])",
    "abs(tf.constant(-3))",
    "tf.constant(5) in [1, 5]",
    "{'a': tf.constant(1)} == {'a': 1}",
    "all(tf.constant([True, True]))",
    "any(tf.constant([False, True]))",
    "zip(*[tf.constant([1, 2]), tf.constant([3, 4])]).__next__()",
    "np.array(tf.constant([1, 2])).tolist()",
    "tf.constant([1.0, 2.0]).numpy().tolist()",
    "tf.constant(1.0) < 2 and tf.constant(3.0) > 2",
    "not tf.constant(0.0)",
    "tf.Variable([1.0, 2.0])[0].shape",
    "tf.size([[1, 2], [3, 4]], out_type=tf.int64)",
    "tf.shape([[1, 2]])[0] * 3",
    "tf.reduce_prod(tf.TensorShape([2, 3]))",
    "tf.reduce_prod([2, 3])",
    "tf.zeros(tf.TensorShape([2, 1]))",
    "tf.zeros(tf.shape(tf.ones((2, 1))))",
    "tf.random.normal(tf.constant([2, 3])).shape",
    "tf.random.uniform([], maxval=5, dtype=tf.int32).dtype",
    "tf.random.shuffle(tf.range(5)).shape",
    "tf.tile([1, 2], [2])",
    "tf.one_hot([0, 1], 2, dtype=tf.int32)",
    "tf.clip_by_value([1, 5, 9], 2, 6)",
    "tf.cumsum([1, 2, 3])",
    "tf.math.reduce_std([1.0, 2.0, 3.0])",
    "tf.sort([3, 1, 2])",
    "tf.math.top_k([1.0, 5.0, 3.0], 2).indices",
    "tf.unique([1, 2, 1, 3]).idx",
    "tf.reverse([1, 2, 3], [0])",
    "tf.roll([1, 2, 3], 1, 0)",
    "tf.math.logical_and([True, False], True)",
    "tf.not_equal([1, 2], [1, 3])",
    "tf.greater_equal(2, 1)",
    "tf.math.is_finite([1.0, float('inf')])",
    "tf.add(1.0, tf.Variable(2.0))",
    "tf.subtract([3, 4], 1)",
    "tf.math.pow(2, 3)",
    "tf.math.pow(2.0, 3)",
    "tf.divide(1, 2)",
    "tf.math.divide([1, 2], [2, 4])",
    "tf.truediv(1, 2)",
    "tf.multiply(2, tf.constant(3.0))",
    "tf.negative(3)",
    "tf.nest.map_structure(lambda v: v * 2, {'a': [tf.constant(1), 2]})",
    "tf.nest.flatten({'b': 1, 'a': [2, 3]})",
]

REFUSED = [
    "tf.linalg.inv(tf.zeros((2, 2)))",
    "tf.concat([[1.0], [[2.0]]], 0)",
    "tf.stack([[1.0], [1.0, 2.0]])",
    "tf.gather([1.0, 2.0], 5)",
    "tf.squeeze(tf.ones((2, 2)), 0)",
    "tf.transpose(tf.ones((2, 2)), [0, 0])",
    "tf.broadcast_to(tf.ones(3), (2, 2))",
    "tf.reduce_sum(tf.ones(2), axis=3)",
    "tf.expand_dims(tf.ones(2), 5)",
    "tf.cast('a', tf.float32)",
    "tf.matmul(tf.ones(3), tf.ones(3))",
    "tf.Variable()",
    "float(tf.constant([1.0, 2.0]))",
]

# expressions in x (and y), and where to take the gradient
GRADIENTS = [
    ("tf.reduce_sum(tf.where(x > 0, tf.sqrt(x), 0.0))", [[-1.0, 4.0]]),
    ("tf.norm(x)", [[0.0, 0.0]]),
    ("tf.reduce_max(x)", [[2.0, 2.0, 1.0]]),
    ("tf.reduce_prod(x)", [[0.0, 2.0, 3.0]]),
    ("x ** 0.5", [[0.0]]),
    ("tf.sqrt(x)", [[0.0]]),
    ("tf.math.log(x)", [[0.0]]),
    ("tf.abs(x)", [[0.0]]),
    ("tf.sign(x)", [[0.5]]),
    ("tf.floor(x)", [[0.5]]),
    ("tf.cast(x > 0, tf.float32)", [[0.5]]),
    ("tf.argmax(x)", [[0.5, 1.0]]),
    ("tf.clip_by_value(x, 0.0, 1.0)", [[0.0, 1.0, 0.5, 2.0]]),
    ("tf.nn.relu6(x)", [[0.0, 6.0, 3.0]]),
    ("tf.nn.elu(x)", [[0.0, -1.0]]),
    ("tf.maximum(x, 0.0)", [[0.0, -1.0]]),
    ("tf.minimum(x, y)", [[1.0, 2.0], [1.0, 3.0]]),
    ("tf.math.reduce_std(x)", [[1.0, 1.0]]),
    ("tf.math.atan2(x, x * 2)", [[1.0]]),
    ("tf.stop_gradient(x) + x", [[1.0]]),
    ("tf.identity(x)", [[1.0]]),
    ("x[0] * x[-1]", [[1.0, 2.0, 3.0]]),
    ("tf.sort(x) * [1.0, 2.0, 3.0]", [[3.0, 1.0, 2.0]]),
    ("tf.reduce_sum(x, axis=0)[1]", [[[3.0, 1.0], [2.0, 4.0]]]),
    ("tf.linalg.norm(x - [1.0, 1.0])", [[1.0, 1.0]]),
    ("tf.pow(x, 3) + tf.pow(2.0, x)", [[1.0, 1.5]]),
    ("1 / x + x // 2 + x % 2", [[1.5, 2.5]]),
    ("-x + +1 * x", [[1.5]]),
    ("tf.exp(x) * 0.0", [[1.5]]),
    ("tf.ones(2)", [[1.5]]),
    ("x", [[1.5]]),
    ("tf.reduce_mean(x, axis=[1, 2])", [np.ones((2, 2, 2))]),
    ("tf.nn.softmax(x)[0]", [[1.0, 0.0, 2.0]]),
    ("tf.linalg.det(x)", [[[1.0, 2.0], [3.0, 4.0]]]),
    ("tf.math.divide_no_nan(x, 0.0)", [[1.0, 0.0]]),
    ("tf.math.xlogy(x, x)", [[1.0, 0.5]]),
    ("tf.clip_by_norm(x, 1.0)", [[0.0, 0.0]]),
    ("tf.reduce_logsumexp(x)", [[1000.0, 0.0]]),
]


def value_case(text):
    return lambda tf: eval(text, {"tf": tf, "np": np})


def refused_case(text):
    return lambda tf: raised(lambda: value_case(text)(tf), None)


def _gradient(text, points):
    def program(tf):
        variables = [tf.Variable(np.array(p, np.float32)) for p in points]
        names = dict(zip("xy", variables, strict=False))
        with tf.GradientTape() as t:
            y = eval(text, {"tf": tf, **names})
        return y, t.gradient(y, variables)

    return program


CASES = {f"value: {text}": value_case(text) for text in VALUES}
CASES |= {f"refused: {text}": refused_case(text) for text in REFUSED}
CASES |= {f"gradient: {text}": _gradient(text, points) for text, points in GRADIENTS}
