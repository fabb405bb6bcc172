"""Operators: results, promotion, errors."""
# ruff: noqa: RUF005, SIM300

import numpy as np

from tests.tf_recorded.values import raised


def _ab(tf):
    return tf.constant([7.0, -7.0, 0.5]), tf.constant([2.0, 3.0, -0.25])


def arithmetic(tf):
    """Two float tensors."""
    a, b = _ab(tf)
    return a + b, a - b, a * b, a / b, a // b, a % b, abs(a) ** b, -a, abs(a)


def with_numbers(tf):
    """A number on either side takes the tensor's dtype."""
    a, _ = _ab(tf)
    return a + 1, 1 + a, a - 2.5, 2 - a, 3 * a, a / 2, 1 / a, a**2, 2**a, a // 2, 7 % a, a % 3


def with_integers(tf):
    """Integers stay integers, but for true division."""
    i, j = tf.constant([7, -7, 3]), tf.constant([2, 2, -2])
    return i + j, i - 1, 2 * i, i // j, i % j, i / j, tf.constant([2, 3]) ** 2, -i, abs(i)


def bits(tf):
    """Logic on booleans and on integers."""
    p, q = tf.constant([True, True, False]), tf.constant([True, False, False])
    return p & q, p | q, p ^ q, ~p, p & True, tf.logical_not(q)


def comparisons(tf):
    """Comparisons give booleans."""
    a, b = _ab(tf)
    return a < b, a <= 0.5, 0.0 > a, a >= b, a == b, a != 0.5, tf.constant(3) > 2


def matrix_product(tf):
    """The operator for matrices."""
    m, v = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([[1.0], [10.0]])
    return m @ v, m @ np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32) @ m


def broadcasting(tf):
    """Shapes are stretched."""
    a, b = tf.constant([[1.0], [2.0]]), tf.constant([10.0, 20.0, 30.0])
    return a + b, a * tf.constant(2.0), (a + b).shape


def broadcast_gradient(tf):
    """... and summed again."""
    a, b = tf.Variable([[1.0], [2.0]]), tf.Variable([10.0, 20.0, 30.0])
    with tf.GradientTape() as t:
        y = a * b + a
    return t.gradient(y, [a, b])


def lists_as_operands(tf):
    """Lists and arrays as the other operand."""
    a = tf.constant([1.0, 2.0])
    return a + [1.0, 2.0], [1, 2] * a, a * np.array([2.0, 3.0], np.float32), a - (1, 2)


def float_and_int_tensor(tf):
    """Tensors of different dtypes do not mix."""
    x, i = tf.constant(1.0), tf.constant(1)
    return raised(lambda: x + i), raised(lambda: i + x)


def float_and_double(tf):
    """... not even float32 and float64."""
    x, d = tf.constant(1.0), tf.constant(1.0, tf.float64)
    a, b = tf.ones((1, 1)), tf.ones((1, 1), tf.float64)
    text = "was expected to be a float tensor but is a double tensor"
    return raised(lambda: x * d), raised(lambda: d - x), raised(lambda: tf.matmul(a, b), text)


def names_in_promotion_errors(tf):
    """The message names the operation."""
    x, i = tf.constant([2.0]), tf.constant([1])
    calls = [
        lambda: x - i,
        lambda: x * i,
        lambda: x / i,
        lambda: x**i,
        lambda: x < i,
        lambda: i + x,
    ]
    return [raised(c) for c in calls]


def functions_in_promotion_errors(tf):
    """Functions refuse as well."""
    x, i = tf.constant([2.0]), tf.constant([1])
    text = "was expected to be a float tensor but is a int32 tensor"
    calls = [lambda: tf.maximum(x, i), lambda: tf.add(x, i), lambda: tf.math.atan2(x, i)]
    return [raised(c, text) for c in calls]


def int_tensor_and_float(tf):
    """A float cannot become an int."""
    i = tf.constant(1)
    return raised(lambda: i + 1.5, False), raised(lambda: 1.5 * i, None)


def double_tensor_and_numbers(tf):
    """A double tensor keeps its dtype with Python's numbers."""
    d = tf.constant([1.0, 2.0], tf.float64)
    return d * 2, 0.1 + d, d**0.5, d > 1


def array_of_other_dtype(tf):
    """A float64 array takes the dtype of the float32 tensor."""
    x = tf.constant([1.0, 2.0])
    return x + np.array([1.0, 2.0]), np.ones(2) * x, tf.add(x, np.ones(2))


def double_scalar_of_numpy(tf):
    """NumPy's scalars do too, on either side."""
    x = tf.constant([1.0, 2.0])
    return x * np.float64(2.0), np.float64(2.0) * x, np.float32(0.5) - x, x / np.int64(2)


def boolean_arithmetic(tf):
    """Booleans are no numbers."""
    p = tf.constant(True)
    return raised(lambda: p + p, False), raised(lambda: -p, False)


def shapes_that_do_not_fit(tf):
    """Shapes are named in the message."""
    a, b = tf.ones((2, 3)), tf.ones((2, 4))
    texts = ["Incompatible shapes: [2,3] vs. [2,4]", "Incompatible shapes: [3] vs. [4]"]
    return raised(lambda: a * b, texts[0]), raised(lambda: tf.ones(3) + tf.ones(4), texts[1])


def matrices_that_do_not_fit(tf):
    """Matrices too."""
    a = tf.ones((2, 3))
    text = "Matrix size-incompatible: In[0]: [2,3], In[1]: [2,3]"
    return raised(lambda: tf.matmul(a, a), text), raised(lambda: a @ a, text)


def bad_reshape(tf):
    """A shape with another number of elements."""
    text = "Input to reshape is a tensor with 6 values, but the requested shape has 4"
    return raised(lambda: tf.reshape(tf.ones(6), (2, 2)), text)


def invalid_argument_is(tf):
    """The exception's place among others."""
    error = raised(lambda: tf.ones(3) + tf.ones(4), False).error
    kinds = [tf.errors.InvalidArgumentError, tf.errors.OpError, Exception]
    return [isinstance(error, k) for k in kinds]


def bad_operand(tf):
    """A text is no number."""
    x = tf.constant(1.0)
    return raised(lambda: x + "a", None), raised(lambda: x * None, None)


def functions_take_numbers(tf):
    """Functions of plain numbers and lists."""
    return tf.add(1, 2), tf.multiply([1.0, 2.0], 3.0), tf.sin(1.0), tf.reduce_sum([1, 2, 3])


def function_of_integers(tf):
    """A sine of integers is refused."""
    return raised(lambda: tf.sin(1), False), raised(lambda: tf.exp(tf.constant([1, 2])), False)


def division_by_zero(tf):
    """Floats give infinities."""
    x = tf.constant([1.0, -1.0, 0.0])
    return x / 0.0, tf.math.divide_no_nan(x, 0.0), tf.math.log(x)


def integer_division_by_zero(tf):
    """Integers raise."""
    i = tf.constant(1)
    return raised(lambda: i // 0, None)


def powers(tf):
    """Powers of negative numbers and of zero."""
    x = tf.Variable([-2.0, 0.0, 2.0])
    with tf.GradientTape(persistent=True) as t:
        y, z = x**3, x**2.0
    return y, t.gradient(y, x), z, t.gradient(z, x)


def power_of_both(tf):
    """The gradient by base and exponent, at zero too."""
    x, p = tf.Variable([2.0, 0.0, 3.0]), tf.Variable([3.0, 2.0, 0.0])
    with tf.GradientTape() as t:
        y = x**p
    return y, t.gradient(y, [x, p])


def reflected_gradient(tf):
    """Gradients where the number stands on the left."""
    x = tf.Variable([1.5, 2.0])
    with tf.GradientTape() as t:
        y = 3.0 / x + (5.0 - x) * (2.0**x) - 7.0 % x
    return y, t.gradient(y, x)


def modulus_gradient(tf):
    """Gradients of floor division and of remainders."""
    x, y = tf.Variable([7.5, -7.5]), tf.Variable([2.0, 2.0])
    with tf.GradientTape(persistent=True) as t:
        a, b = x % y, x // y
    return t.gradient(a, [x, y]), t.gradient(b, [x, y])
