"""Contexts of tapes: one after another, one in another; what they refuse."""

import gc
import weakref

from tests.tf_recorded.values import raised


def _xy(tf):
    return tf.Variable(2.0), tf.Variable(3.0)


def second_call(tf):
    """A tape that is not persistent answers once."""
    x, _ = _xy(tf)
    with tf.GradientTape() as t:
        y = x * x
    t.gradient(y, x)
    return raised(lambda: t.gradient(y, x))


def second_call_is_runtime_error(tf):
    """... with a RuntimeError."""
    x, _ = _xy(tf)
    with tf.GradientTape() as t:
        y = x * x
    t.gradient(y, x)
    try:
        t.gradient(y, x)
    except RuntimeError as e:
        return type(e).__name__


def persistent(tf):
    """A persistent tape answers again and again."""
    x, y = _xy(tf)
    with tf.GradientTape(persistent=True) as t:
        z = x * y
        w = z * z
    return t.gradient(w, x), t.gradient(w, z), t.gradient(z, y), t.gradient(w, x)


def persistent_second_order(tf):
    """One persistent tape, asked inside itself, gives second derivatives."""
    x, _ = _xy(tf)
    with tf.GradientTape(persistent=True) as t:
        y = x * x * x
        g = t.gradient(y, x)
    return g, t.gradient(g, x)


def inside_context(tf):
    """Asking a plain tape inside its own context ends the recording."""
    x, _ = _xy(tf)
    with tf.GradientTape() as t:
        y = x * x * x
        g = t.gradient(y, x)
    return g


def not_watching_variables(tf):
    """Without automatic watching only what is named is seen."""
    x, y = _xy(tf)
    with tf.GradientTape(watch_accessed_variables=False) as t:
        t.watch(x)
        z = x * y
    return t.gradient(z, [x, y]), len(t.watched_variables())


def not_trainable(tf):
    """A variable that is not trainable is not watched, but can be."""
    x = tf.Variable(2.0, trainable=False)
    with tf.GradientTape(persistent=True) as t:
        y = x * x
        t.watch(x)
        z = x * x
    return t.gradient(y, x), t.gradient(z, x)


def watched_variables(tf):
    """Watched variables, in the order in which they were made."""
    x, y, z = tf.Variable(1.0, name="x"), tf.Variable(2.0, name="y"), tf.Variable(3.0, name="z")
    with tf.GradientTape() as t:
        w = y * x * y
    names = [v.name for v in t.watched_variables()]
    t.gradient(w, z)
    return names, [v.name for v in t.watched_variables()]


def reset_forgets(tf):
    """A reset forgets variables too."""
    x, y = _xy(tf)
    with tf.GradientTape() as t:
        a = x * y
        t.reset()
        b = y * y
    return [v is y for v in t.watched_variables()], t.gradient([a, b], [x, y])


def reset_outside(tf):
    """A tape that does not record cannot be reset."""
    x, _ = _xy(tf)
    with tf.GradientTape() as t:
        y = x * x
    t.gradient(y, x)
    return raised(t.reset)


def stop_and_go_on(tf):
    """Recording goes on after the inner context."""
    x, _ = _xy(tf)
    with tf.GradientTape() as t:
        y = x * x
        with t.stop_recording():
            z = y * y
        w = y + z
    return t.gradient(w, [x, y, z])


def stop_outside(tf):
    """A tape that does not record cannot be stopped."""
    t = tf.GradientTape()

    def stop():
        with t.stop_recording():
            pass

    return raised(stop)


def enter_again(tf):
    """A tape goes on recording when it is entered again."""
    x, _ = _xy(tf)
    t = tf.GradientTape()
    with t:
        y = x * x
    z = y * 3.0
    with t:
        w = y * y
    return t.gradient([z, w], [x])


def enter_active(tf):
    """An active tape cannot be entered."""
    t = tf.GradientTape()

    def enter():
        with t:
            pass

    with t:
        return raised(enter)


def after_exception(tf):
    """An exception in the context leaves the tape usable."""
    x, _ = _xy(tf)
    t = tf.GradientTape()
    try:
        with t:
            y = x * x
            raise KeyError("stop")
    except KeyError:
        pass
    with t:
        y = y * x
    return t.gradient(y, x)


def outside_context(tf):
    """Operations after the context are not seen."""
    x, _ = _xy(tf)
    with tf.GradientTape() as t:
        y = x * x
    z = y * x
    return t.gradient(z, x)


def two_tapes(tf):
    """Two tapes at once, each with its own sources."""
    a, b = tf.constant(2.0), tf.constant(3.0)
    with tf.GradientTape() as s, tf.GradientTape() as t:
        s.watch(a)
        t.watch(b)
        y = a * b * b
    return s.gradient(y, [a, b]), t.gradient(y, [a, b])


def overlapping_tapes(tf):
    """Tapes may end in any order."""
    x, _ = _xy(tf)
    s, t = tf.GradientTape(), tf.GradientTape()
    s.__enter__()
    y = x * x
    t.__enter__()
    z = y * x
    s.__exit__(None, None, None)
    w = z * x
    t.__exit__(None, None, None)
    return s.gradient(z, x), t.gradient(w, x)


def third_order(tf):
    """Three tapes."""
    x = tf.Variable(2.0)
    with tf.GradientTape() as t3:
        with tf.GradientTape() as t2:
            with tf.GradientTape() as t1:
                y = tf.sin(x) * x**4
            g1 = t1.gradient(y, x)
        g2 = t2.gradient(g1, x)
    return g1, g2, t3.gradient(g2, x)


def tenth_order(tf):
    """Ten tapes."""
    x = tf.constant(0.5)
    tapes = [tf.GradientTape() for _ in range(10)]
    for t in tapes:
        t.__enter__()
        t.watch(x)
    y = x**12
    for t in reversed(tapes):
        t.__exit__(None, None, None)
        y = t.gradient(y, x)
    return y


def inner_outside_outer(tf):
    """A gradient taken outside the outer tape is not seen by it."""
    x, _ = _xy(tf)
    with tf.GradientTape() as t2, tf.GradientTape() as t1:
        y = x * x * x
    g = t1.gradient(y, x)
    return g, t2.gradient(g, x)


def outer_of_expression(tf):
    """A gradient used in a further expression."""
    x, w = tf.Variable([1.0, 2.0]), tf.Variable([3.0, 4.0])
    with tf.GradientTape() as t2:
        with tf.GradientTape() as t1:
            y = tf.reduce_sum(x**2 * w)
        g = t1.gradient(y, x)
        penalty = tf.reduce_sum(g**2) + y
    return t2.gradient(penalty, [x, w])


def assigned_inside(tf):
    """Assigning a variable does not change what was read before."""
    x = tf.Variable(2.0)
    with tf.GradientTape() as t:
        y = x * x
        x.assign(10.0)
        z = x * y
    return y, z, t.gradient(z, x)


def assigned_after(tf):
    """... nor after the context."""
    x = tf.Variable([2.0, 3.0])
    with tf.GradientTape() as t:
        y = x * x
    x.assign([100.0, 100.0])
    return t.gradient(y, x)


def assigned_from_itself(tf):
    """A gradient does not flow through an assignment."""
    x = tf.Variable(2.0)
    with tf.GradientTape() as t:
        x.assign_add(x * x)
        y = x * 3.0
    return y, t.gradient(y, x)


def result_of_assign(tf):
    """What an assignment returns is the variable."""
    x = tf.Variable(2.0)
    with tf.GradientTape() as t:
        y = x.assign(5.0) * x
    return y, t.gradient(y, x)


def integer_source(tf):
    """Integers have no gradient."""
    i, x = tf.constant(2), tf.constant(2.0)
    with tf.GradientTape() as t:
        t.watch(x)
        y = x * tf.cast(i, tf.float32)
    return t.gradient(y, [i, x])


def integer_target(tf):
    """Nor do integer results."""
    x = tf.Variable(2.7)
    with tf.GradientTape() as t:
        y = tf.cast(x, tf.int32)
    return y, t.gradient(y, x)


def through_integers(tf):
    """A detour over integers cuts the gradient."""
    x = tf.Variable(2.7)
    with tf.GradientTape() as t:
        y = tf.cast(tf.cast(x, tf.int32), tf.float32) * 2.0
    return y, t.gradient(y, x)


def dtype_of_source(tf):
    """A gradient has the dtype of its source."""
    x, y = tf.Variable(2.0), tf.Variable(3.0, dtype=tf.float64)
    with tf.GradientTape() as t:
        z = tf.cast(x, tf.float64) * y
    return t.gradient(z, [x, y])


def control_flow(tf):
    """Python decides, the tape follows."""
    x = tf.Variable(1.5)
    with tf.GradientTape() as t:
        y = x
        for k in range(4):
            y = y * x if k % 2 else y + x
            if y > 5.0:
                break
    return y, t.gradient(y, x)


def gradient_inside_function(tf):
    """A function that makes its own tapes, called with tensors."""

    def derivative(f):
        def of(x):
            with tf.GradientTape() as t:
                t.watch(x)
                y = f(x)
            return t.gradient(y, x)

        return of

    return derivative(derivative(derivative(lambda x: x**5)))(tf.constant(2.0))


def zero_size(tf):
    """An empty source."""
    x = tf.zeros((0, 3))
    with tf.GradientTape() as t:
        t.watch(x)
        y = tf.reduce_sum(x * x)
    return y, t.gradient(y, x)


def tape_is_freed(tf):
    """``del tape`` frees it."""
    x = tf.Variable(2.0)
    with tf.GradientTape(persistent=True) as t:
        y = x * x
    t.gradient(y, x)
    ref = weakref.ref(t)
    del t
    gc.collect()
    return ref() is None


def bad_argument(tf):
    """An unknown argument is refused."""
    return raised(lambda: tf.GradientTape(presistent=True), "presistent")


def source_none(tf):
    """None among the sources is an error."""
    x = tf.Variable(2.0)
    with tf.GradientTape() as t:
        y = x * x
    return raised(lambda: t.gradient(y, [x, None]), None)


def source_number(tf):
    """A number is no source."""
    x = tf.Variable(2.0)
    with tf.GradientTape() as t:
        y = x * x
    return raised(lambda: t.gradient(y, 2.0), None)
