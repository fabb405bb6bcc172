"""Tensors: how they are made, what they say of themselves, how they are taken apart."""

import numpy as np

from tests.tf_recorded.values import raised


def from_float(tf):
    """Python floats are float32."""
    return tf.constant(1.5), tf.constant([1.0, 2.5]), tf.convert_to_tensor(3.25)


def from_int(tf):
    """Python ints are int32."""
    return tf.constant(1), tf.constant([[1, 2], [3, 4]]), tf.convert_to_tensor(7)


def from_mixed(tf):
    """A float among ints makes floats."""
    return tf.constant([1, 2.5]), tf.constant([True, False])


def from_numpy(tf):
    """NumPy's dtypes are kept."""
    values = [np.arange(3), np.float64(1.5), np.ones(2, np.float32), np.int8(3), np.array([True])]
    return [tf.constant(v) for v in values]


def from_range(tf):
    """Ranges and generators of numbers, with a dtype given by name."""
    return tf.constant(range(4), dtype="float32"), tf.constant((1, 2), dtype=np.float64)


def from_tensors(tf):
    """A list of tensors is stacked."""
    x = tf.constant(1.0)
    return tf.convert_to_tensor([x, x + 1.0, 3.0]), tf.convert_to_tensor([[x], [x]])


def with_dtype(tf):
    """A dtype for Python numbers."""
    return tf.constant(1, dtype=tf.float64), tf.constant(2, tf.int64), tf.constant(True, tf.bool)


def with_shape(tf):
    """A number or a list in a given shape."""
    return tf.constant(2.0, shape=(2, 3)), tf.constant([1, 2, 3, 4], shape=(2, 2))


def float_as_int(tf):
    """A float is no int."""
    return raised(lambda: tf.constant(1.5, dtype=tf.int32), False)


def int_too_large(tf):
    """An int that int32 cannot hold is an int64."""
    return tf.constant(2**40), tf.constant(2**40, tf.int64), tf.constant([1, 2**31])


def ragged(tf):
    """Rows of different lengths."""
    return raised(lambda: tf.constant([[1.0], [1.0, 2.0]]), "non-rectangular")


def tensor_as_other_dtype(tf):
    """A tensor is not converted silently."""
    x = tf.constant(1.0)
    return raised(lambda: tf.convert_to_tensor(x, dtype=tf.float64), "Tensor conversion requested")


def dtype_hint(tf):
    """A wish, not an order."""
    return tf.convert_to_tensor(1, dtype_hint=tf.float32), tf.convert_to_tensor([1, 2], tf.float32)


def str_of_scalar(tf):
    """How scalars print."""
    values = [9.0, -0.5, 1e-8, 1e10, 3, True, float("nan"), float("inf")]
    return [str(tf.constant(v)) for v in values]


def repr_of_scalar(tf):
    """How scalars show."""
    return [repr(tf.constant(v)) for v in (9.0, -0.5, 3, True)]


def str_of_array(tf):
    """How arrays print."""
    values = [[1.0, 2.5], [[1, 2], [3, 4]], [], [True, False], [[1.5]]]
    return [str(tf.constant(v)) for v in values]


def repr_of_array(tf):
    """How arrays show."""
    values = [[1.0, 2.5], [[1, 2], [3, 4]], [True], np.ones((2, 1))]
    return [repr(tf.constant(v)) for v in values]


def str_of_long(tf):
    """Long arrays are shortened."""
    return str(tf.range(2000))


def str_of_list(tf):
    """Tensors in a container."""
    return str([tf.constant(1.0), None]), str({"a": tf.constant([1, 2])})


def format_of_scalar(tf):
    """Formats apply to the number."""
    x = tf.constant(3.14159)
    return f"{x:.2f}", f"{tf.constant(7):04d}", f"{x.numpy():.3f}"


def repr_of_dtype(tf):
    """How dtypes show and print."""
    kinds = [tf.float32, tf.float64, tf.int32, tf.bool, tf.constant(1.0).dtype]
    return [(repr(d), str(d), d.name) for d in kinds]


def dtype_facts(tf):
    """What dtypes know."""
    d = tf.float32
    facts = [d.is_floating, d.is_integer, d.size, d == "float32", d == np.float32, d != tf.int32]
    return facts, d.as_numpy_dtype is np.float32, tf.as_dtype("int64"), tf.int8.max, tf.int8.min


def shape_of_tensor(tf):
    """Shapes show, print and compare."""
    s = tf.ones((2, 3)).shape
    facts = [repr(s), str(s), s.rank, s.ndims, len(s), s.num_elements(), s.as_list()]
    return s, facts, s == (2, 3), s == [2, 3], s != (3, 2), tuple(s), s[0], s[-1], s[1:]


def shape_of_scalar(tf):
    """The empty shape."""
    s = tf.constant(1.0).shape
    return repr(s), str(s), s.as_list(), s.rank, s == (), s.num_elements()


def shape_made(tf):
    """Shapes of unknown length."""
    s = tf.TensorShape([None, 3])
    facts = [repr(s), str(s), s.is_fully_defined(), s.rank, s.as_list()]
    return facts, s.is_compatible_with((5, 3)), s.concatenate([2]).as_list()


def shape_functions(tf):
    """Shapes as tensors."""
    x = tf.ones((2, 3, 4))
    return tf.shape(x), tf.size(x), tf.rank(x), x.ndim, tf.shape(x)[1], x.get_shape()


def numpy_method(tf):
    """Out to NumPy."""
    x, y = tf.constant([1.0, 2.0]), tf.constant(3.0)
    kinds = [type(x.numpy()).__name__, type(y.numpy()).__name__, type(tf.constant(1).numpy())]
    return x.numpy(), y.numpy(), kinds[:2], kinds[2] is np.int32


def numpy_takes(tf):
    """NumPy's functions take tensors and give arrays."""
    x = tf.constant([1.0, 2.0])
    return np.asarray(x), np.sin(x), np.sum(x), np.add(x, 1), np.array([x, x])


def numpy_on_the_left(tf):
    """An array and a tensor make a tensor."""
    a, x = np.array([1.0, 2.0], np.float32), tf.constant([10.0, 20.0])
    return a + x, a * x, x - a, a > x, np.float32(2.0) * x


def python_numbers(tf):
    """Scalars become Python's numbers."""
    x, i = tf.constant(2.5), tf.constant(3)
    return float(x), int(x), float(i), int(i), bool(i), list(range(i)), [5, 6, 7, 8][i]


def truth(tf):
    """Scalars have a truth value."""
    return [bool(tf.constant(v)) for v in (0.0, 0.1, 0, 1, True, [1], [[0.0]])]


def truth_of_array(tf):
    """Arrays have none."""
    x = tf.constant([1, 2])
    return raised(lambda: bool(x)), raised(lambda: x and 1)


def hashing(tf):
    """Tensors are not hashable, their references are."""
    x = tf.constant(1.0)
    table = {x.ref(): 1}
    return raised(lambda: hash(x)), table[x.ref()], x.ref() == x.ref(), x.ref().deref() is x


def membership(tf):
    """``in`` goes by value, ``is`` by identity."""
    x = tf.constant(1.0)
    return any(x is y for y in [tf.constant(1.0), x]), x in [tf.constant(1.0)]


def equality(tf):
    """Equality is by element."""
    x = tf.constant([1.0, 2.0])
    return x == x, x == 1.0, x != [1.0, 3.0], x == tf.constant([2.0])


def equality_with_none(tf):
    """Nothing equals None."""
    return tf.constant(1.0) == None, tf.constant([1.0]) != None  # noqa: E711


def equality_of_shapes(tf):
    """Shapes that do not fit are unequal."""
    return tf.constant([1.0, 2.0]) == tf.constant([1.0, 2.0, 3.0])


def iteration(tf):
    """Rows, one after the other."""
    x = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    a, b = x
    return list(x), a, b, len(x)


def iteration_of_scalar(tf):
    """A scalar has none."""
    x = tf.constant(1.0)
    return raised(lambda: list(x)), raised(lambda: len(x))


def indexing(tf):
    """Integers and slices."""
    x = tf.reshape(tf.range(24), (2, 3, 4))
    return x[1], x[0, 2], x[-1, -1, -1], x[:, 1:, ::2], x[..., 0], x[1, ::-1], x[:, 0, 1:3]


def indexing_new_axis(tf):
    """New axes."""
    x = tf.constant([1, 2, 3])
    return x[None], x[:, tf.newaxis], x[tf.newaxis, :, None].shape


def indexing_by_tensor(tf):
    """A scalar tensor is an index."""
    x, i = tf.constant([10, 20, 30]), tf.constant(1)
    return x[i], x[i:], x[: i + 1], x[np.int64(2)]


def indexing_by_mask(tf):
    """A mask picks elements."""
    x = tf.constant([1.0, -2.0, 3.0])
    return x[x > 0], tf.boolean_mask(x, [True, False, True])


def indexing_by_list(tf):
    """Lists are no indices."""
    x = tf.constant([1.0, 2.0, 3.0])
    return raised(lambda: x[[0, 2]], None), raised(lambda: x[1.0], False)


def index_out_of_range(tf):
    """Out of range, and too many."""
    x = tf.constant([1.0, 2.0])
    first = raised(lambda: x[5], "slice index 5 of dimension 0 out of bounds")
    return first, raised(lambda: tf.constant(1.0)[0], False), raised(lambda: x[0, 0], False)


def item_assignment(tf):
    """Tensors cannot be changed."""
    x, v = tf.constant([1.0, 2.0]), tf.Variable([1.0, 2.0])

    def set_item(target):
        target[0] = 3.0

    text = "does not support item assignment"
    return raised(lambda: set_item(x), text), raised(lambda: set_item(v), text)


def attributes_that_are_missing(tf):
    """What NumPy has and TensorFlow has not."""
    x = tf.constant([1.0, 2.0])
    return raised(lambda: x.sum(), False), raised(lambda: x.item(), False)


def is_tensor(tf):
    """What counts as a tensor."""
    values = [tf.constant(1), tf.Variable(1.0), 1.0, np.ones(2), [tf.constant(1)]]
    return [tf.is_tensor(v) for v in values], isinstance(values[0], tf.Tensor)


def casts(tf):
    """From one dtype to another."""
    x = tf.constant([1.7, -1.7, 0.0])
    kinds = [tf.int32, tf.float64, tf.bool, "float16", np.int64]
    return [tf.cast(x, k) for k in kinds], tf.cast(True, tf.float32), tf.cast([1, 2], tf.float32)


def cast_is_same(tf):
    """A cast to the same dtype is the tensor itself."""
    x = tf.constant(1.0)
    return tf.cast(x, tf.float32) is x, tf.convert_to_tensor(x) is x, tf.identity(x) is x


def creators(tf):
    """Filled arrays."""
    x = tf.constant([[1, 2]])
    made = [tf.zeros((2, 2)), tf.ones(3, tf.int32), tf.fill([2], 7.0), tf.eye(2), tf.eye(2, 3)]
    return (
        made,
        tf.zeros_like(x),
        tf.ones_like(x, dtype=tf.float32),
        tf.zeros([]),
        tf.eye(2, 2, [2]),
    )


def ranges(tf):
    """Numbers in a row."""
    made = [tf.range(3), tf.range(1, 4), tf.range(0, 1, 0.25), tf.range(5, 0, -2), tf.range(3.0)]
    return made, tf.range(3, dtype=tf.float32), tf.linspace(0.0, 1.0, 5), tf.linspace(1, 2, 3)


def one_hots(tf):
    """Indices as rows."""
    return tf.one_hot([0, 2, 5], 3), tf.one_hot(1, 3, on_value=5, off_value=-1)


def printed(tf):
    """Printing goes to the error stream."""
    tf.print("x =", tf.constant(1.5), [1, 2.0], tf.constant([1.0, 2.0]), True, None)
    tf.print(tf.constant([[1, 2], [3, 4]]), sep="|")
    tf.print({"a": tf.constant(1)}, (tf.constant(2.0), "b"), sep="; ", end="!\n")
    tf.print(tf.constant(0.1), tf.constant(1e-7), tf.constant(1e7), tf.constant(123456.789))


def printed_long(tf):
    """Long arrays are shortened, unless told."""
    tf.print(tf.range(20))
    tf.print(tf.range(10), summarize=-1)
    tf.print(tf.Variable([1.0, 2.0]), tf.Variable(3))
