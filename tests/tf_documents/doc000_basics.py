"""Document 000: gradients of vectors, a persistent tape, control flow, looking things up."""

import pydoc

from tests.tf_recorded.logs import logged


def _x(tf):
    return tf.reshape(tf.constant(range(4), dtype="float32"), (4, 1))


def version(tf):
    """The version is a text."""
    return isinstance(tf.__version__, str)


def create(tf):
    """A column of numbers from a range, and its printed form."""
    x = tf.reshape(tf.constant(range(4), dtype="float32"), (4, 1))
    print(repr(x))
    return x


def gradient_of_product(tf):
    """The gradient of 2 x'x."""
    x = _x(tf)
    with tf.GradientTape() as t:
        t.watch(x)  # not needed for a Variable
        y = 2 * tf.matmul(tf.transpose(x), x)

    g_dx = t.gradient(y, x)
    print(repr(g_dx))
    return g_dx


def persistent_inside(tf):
    """A persistent tape asked twice inside its own context."""
    x = _x(tf)
    with tf.GradientTape(persistent=True) as g:
        g.watch(x)
        y = x * x
        z = y * y
        dz_dx = g.gradient(z, x)  # 108.0 (4*x^3 at x = 3)
        dy_dx = g.gradient(y, x)

    print((dz_dx, dy_dx))
    return dz_dx, dy_dx


def persistent_inside_warns(tf):
    """... which is logged as a warning each time."""
    return logged(tf, lambda: persistent_inside(tf))


def _func(tf, a):
    b = a * 2
    while tf.norm(b) < 1000:
        b = b * 2
    if tf.reduce_sum(b) > 0:
        c = b
    else:
        c = 100 * b
    return c


def control_flow(tf):
    """The gradient through a loop and a branch, for the document's number."""
    a = tf.constant([[-0.5131821]])
    with tf.GradientTape() as t:
        t.watch(a)
        c = _func(tf, a)

    equal = t.gradient(c, a) == (c / a)
    print(repr(a))
    print(repr(equal))
    return c, equal


def control_flow_positive(tf):
    """The other branch, and fewer doublings."""
    a = tf.constant([[37.0]])
    with tf.GradientTape() as t:
        t.watch(a)
        c = _func(tf, a)
    return c, t.gradient(c, a)


def control_flow_random(tf):
    """The same for a random number."""
    a = tf.random.normal((1, 1), dtype=tf.float32)
    with tf.GradientTape() as t:
        t.watch(a)
        c = _func(tf, a)
    return a.shape, a.dtype, t.gradient(c, a) == (c / a)


def names_of_dtypes(tf):
    """Names that the listing of ``tf.dtypes`` shows."""
    wanted = "DType as_dtype bool cast complex128 complex64 double float16 float32 float64 half"
    wanted += " int16 int32 int64 int8 uint16 uint32 uint64 uint8"
    return [n for n in dir(tf.dtypes) if n in wanted.split()]


def names_of_random(tf):
    """Names that the listing of ``tf.random`` shows."""
    wanted = ["normal", "poisson", "set_seed", "shuffle", "truncated_normal", "uniform"]
    return [n for n in dir(tf.random) if n in wanted]


def help_on_ones(tf):
    """What help says of ``tf.ones``."""
    text = pydoc.render_doc(tf.ones, renderer=pydoc.plaintext)
    signature = "ones(shape, dtype=tf.float32, name=None" in text
    return signature, "Creates a tensor with all elements set to one" in text


def ones(tf):
    """The example in the help text."""
    print(repr(tf.ones([3, 4], tf.int32)))
    return tf.ones([3, 4]), tf.ones(shape=(2,), dtype=tf.float64)
