"""Variables: names, assignment, use as tensors."""

import numpy as np

from tests.tf_recorded.values import raised


def shown(tf):
    """How variables show and print."""
    values = [
        tf.Variable(2.0),
        tf.Variable(-0.5, name="x"),
        tf.Variable([1.0, 2.0]),
        tf.Variable(3),
        tf.Variable([[True]], name="flag"),
        tf.Variable(1, dtype=tf.float64),
    ]
    return [repr(v) for v in values], str(values[1]), str(values[2])


def names(tf):
    """Names end in ``:0``; equal names are allowed."""
    return tf.Variable(1.0).name, tf.Variable(1.0, name="w").name, tf.Variable(2.0, name="w").name


def kinds(tf):
    """Dtypes as for constants."""
    made = [
        tf.Variable(1.0),
        tf.Variable(1),
        tf.Variable(np.ones(2)),
        tf.Variable(1, dtype="int64"),
    ]
    return [v.dtype for v in made], made[2]


def from_function(tf):
    """An initial value may be a function."""
    return tf.Variable(lambda: tf.constant([1.0, 2.0])), tf.Variable(tf.ones((2, 1)))


def facts(tf):
    """What a variable knows."""
    v = tf.Variable([[1.0, 2.0]], trainable=False)
    return v.shape, v.trainable, tf.Variable(1.0).trainable, v.numpy(), v.get_shape(), len(v.shape)


def assignments(tf):
    """Assigning, adding, subtracting."""
    v = tf.Variable([1.0, 2.0])
    v.assign([3.0, 4.0])
    v.assign_add([1.0, 1.0])
    v.assign_sub(tf.constant([0.5, 0.0]))
    return v, v.value(), v.read_value()


def assigned_number(tf):
    """Whole numbers are converted."""
    v = tf.Variable(1.0)
    v.assign(3)
    v.assign_add(2)
    return v


def assign_returns(tf):
    """What assignments return is the variable's new state."""
    v = tf.Variable(1.0)
    w = v.assign(2.0).assign_add(1.0)
    return float(w), v, v.assign(5.0, read_value=False) is None


def assign_is_no_alias(tf):
    """A value read before stays."""
    v = tf.Variable([1.0, 2.0])
    before, array = v.value(), v.numpy()
    v.assign([9.0, 9.0])
    return before, array, v


def source_is_copied(tf):
    """The array that a variable was made of does not follow it."""
    a = np.array([1.0, 2.0], np.float32)
    v = tf.Variable(a)
    v.assign_add([1.0, 1.0])
    a[0] = 100.0
    return a, v


def assign_wrong_shape(tf):
    """Another shape is refused."""
    v = tf.Variable([1.0, 2.0])
    return raised(lambda: v.assign([1.0, 2.0, 3.0]), False), v


def assign_wrong_dtype(tf):
    """Another dtype is refused."""
    v = tf.Variable([1.0, 2.0])
    return raised(lambda: v.assign(tf.constant([1, 2])), False), raised(
        lambda: v.assign_add(tf.constant([1.0, 2.0], tf.float64)), False
    )


def free_shape(tf):
    """A shape may be left open."""
    v = tf.Variable([1.0, 2.0], shape=tf.TensorShape(None))
    v.assign([[1.0]])
    return v.numpy()


def operators(tf):
    """Operators give tensors."""
    v, w = tf.Variable(3.0), tf.Variable(2.0)
    return v + w, v - 1, 2 * v, v / w, v**2, -v, abs(v), v > w, v // 2.0, v % w, 1.0 - v


def in_place(tf):
    """``+=`` on a variable is refused."""
    v = tf.Variable(3.0)

    def add():
        w = v
        w += 1.0

    return raised(add), v


def indexing(tf):
    """Parts of a variable."""
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    return v[0], v[1, 0], v[:, 1], next(iter(v))


def assigned_part(tf):
    """A part can be assigned."""
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    v[0, 1].assign(10.0)
    v[1].assign([7.0, 8.0])
    return v


def scatter(tf):
    """Rows can be changed by index."""
    v = tf.Variable([1.0, 2.0, 3.0])
    v.scatter_nd_add([[0], [2]], [10.0, 20.0])
    v.scatter_nd_update([[1]], [7.0])
    return v


def gradient_by_part(tf):
    """Gradients through indexing."""
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0]])
    with tf.GradientTape() as t:
        y = v[0, 0] * v[1, 1] + tf.reduce_sum(v[:, 0] ** 2)
    return t.gradient(y, v)


def gradient_by_gather(tf):
    """Gradients through gathering, repeated indices summed."""
    v = tf.Variable([1.0, 2.0, 3.0])
    with tf.GradientTape() as t:
        y = tf.gather(v, [0, 2, 2]) * [1.0, 10.0, 100.0]
    return tf.convert_to_tensor(t.gradient(y, v))


def hashing(tf):
    """Variables are not hashable, their references are."""
    v = tf.Variable(1.0)
    return raised(lambda: hash(v), "Variable is unhashable"), v.ref() in {v.ref(): 0}


def equality(tf):
    """Equality is by value."""
    v = tf.Variable([1.0, 2.0])
    return v == v, v == [1.0, 3.0], v != 1.0


def as_numpy(tf):
    """NumPy takes variables."""
    v = tf.Variable([1.0, 4.0])
    return np.asarray(v), np.sqrt(v), np.ones(2, np.float32) * v, float(tf.Variable(2.5))


def as_condition(tf):
    """Truth, ranges, loops."""
    v, steps = tf.Variable(2), []
    while v > 0:
        steps.append(int(v))
        v.assign_sub(1)
    return steps, bool(tf.Variable(0.0)), "yes" if tf.Variable(True) else "no"


def converted(tf):
    """Tensors from variables."""
    v = tf.Variable([1.0, 2.0])
    t, u = tf.convert_to_tensor(v), tf.identity(v)
    v.assign([5.0, 6.0])
    return t, u, tf.cast(v, tf.int32), tf.stack([v, v]), tf.reshape(v, (2, 1))


def from_variable(tf):
    """A variable made of a variable is its own."""
    v = tf.Variable(1.0)
    w = tf.Variable(v)
    v.assign(7.0)
    return w


def constraint(tf):
    """A constraint is kept for optimizers."""
    v = tf.Variable([-1.0, 2.0], constraint=tf.nn.relu)
    opt = tf.keras.optimizers.SGD(1.0)
    opt.apply_gradients([(tf.constant([0.5, 0.5]), v)])
    return v


def module_variables(tf):
    """A module finds its variables."""

    class Line(tf.Module):
        def __init__(self):
            super().__init__(name="line")
            self.w = tf.Variable(2.0, name="w")
            self.b = tf.Variable(1.0, name="b", trainable=False)
            self.parts = [tf.Variable(0.0, name="p")]

        def __call__(self, x):
            return self.w * x + self.b

    m = Line()
    names = [sorted(v.name for v in vs) for vs in (m.variables, m.trainable_variables)]
    return names, m(3.0), m.name
