"""Optimizers: three steps of each recurrence, schedules, what they refuse."""

from tests.tf_recorded.values import Close, raised

GRADIENTS = ([0.5, -1.0, 2.0], [1.5, 0.25, -0.5], [-0.75, 0.0, 1.0])

MAKERS = {
    "sgd": lambda k: k.SGD(0.1),
    "sgd_default": lambda k: k.SGD(),
    "sgd_momentum": lambda k: k.SGD(learning_rate=0.1, momentum=0.9),
    "sgd_nesterov": lambda k: k.SGD(learning_rate=0.1, momentum=0.9, nesterov=True),
    "sgd_weight_decay": lambda k: k.SGD(0.1, weight_decay=0.05),
    "adam": lambda k: k.Adam(0.1),
    "adam_default": lambda k: k.Adam(),
    "adam_arguments": lambda k: k.Adam(0.05, beta_1=0.8, beta_2=0.9, epsilon=1e-3),
    "adam_amsgrad": lambda k: k.Adam(0.1, amsgrad=True),
    "adamw": lambda k: k.AdamW(0.1),
    "adamw_decay": lambda k: k.AdamW(learning_rate=0.05, weight_decay=0.1),
    "rmsprop": lambda k: k.RMSprop(0.1),
    "rmsprop_default": lambda k: k.RMSprop(),
    "rmsprop_momentum": lambda k: k.RMSprop(0.1, rho=0.8, momentum=0.5),
    "rmsprop_centered": lambda k: k.RMSprop(0.1, centered=True, epsilon=1e-4),
    "adagrad": lambda k: k.Adagrad(0.1),
    "adagrad_arguments": lambda k: k.Adagrad(0.1, initial_accumulator_value=0.5, epsilon=1e-3),
    "clipvalue": lambda k: k.SGD(0.1, clipvalue=0.6),
    "clipnorm": lambda k: k.SGD(0.1, clipnorm=1.0),
    "global_clipnorm": lambda k: k.Adam(0.1, global_clipnorm=0.5),
    "exponential_decay": lambda k: k.SGD(k.schedules.ExponentialDecay(0.1, 2, 0.5)),
    "exponential_staircase": lambda k: k.SGD(
        k.schedules.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5, staircase=True)
    ),
    "piecewise": lambda k: k.SGD(k.schedules.PiecewiseConstantDecay([0, 1], [0.1, 0.01, 0.001])),
    "cosine_decay": lambda k: k.Adam(k.schedules.CosineDecay(0.1, 4)),
    "polynomial_decay": lambda k: k.SGD(k.schedules.PolynomialDecay(0.1, 4, 0.01, power=2.0)),
    "inverse_time_decay": lambda k: k.SGD(k.schedules.InverseTimeDecay(0.1, 2, 0.5)),
}


def _three_steps(make):
    def program(tf):
        opt = make(tf.keras.optimizers)
        v, w = tf.Variable([1.0, 2.0, 3.0]), tf.Variable(4.0)
        states = []
        for g in GRADIENTS:
            opt.apply_gradients([(tf.constant(g), v), (tf.constant(g[0]), w)])
            states.append((v.numpy().copy(), w.numpy()))
        return Close(states), int(opt.iterations)

    return program


CASES = {name: _three_steps(make) for name, make in MAKERS.items()}


def minimize(tf):
    """``minimize`` of a function without arguments."""
    x, y = tf.Variable(1.0), tf.Variable(2.0)
    opt = tf.keras.optimizers.SGD(0.1)
    for _ in range(3):
        opt.minimize(lambda: (x - 3.0) ** 2 + x * y, [x, y])
    return x, y


def minimize_on_tape(tf):
    """``minimize`` of a loss that a tape has recorded."""
    x = tf.Variable(1.0)
    opt = tf.keras.optimizers.Adam(0.1)
    with tf.GradientTape() as t:
        loss = (x - 3.0) ** 2
    opt.minimize(loss, [x], tape=t)
    return x


def learning_rate_changes(tf):
    """The learning rate can be read and set."""
    x = tf.Variable(1.0)
    opt = tf.keras.optimizers.SGD(learning_rate=0.5)
    opt.apply_gradients([(tf.constant(1.0), x)])
    before = float(opt.learning_rate)
    opt.learning_rate = 0.25
    opt.apply_gradients([(tf.constant(1.0), x)])
    opt.learning_rate.assign(0.125)
    opt.apply_gradients([(tf.constant(1.0), x)])
    return before, float(opt.learning_rate), float(opt.lr), x


def schedules_as_functions(tf):
    """Schedules are functions of the step."""
    k = tf.keras.optimizers.schedules
    made = [
        k.ExponentialDecay(1.0, 10, 0.5),
        k.PiecewiseConstantDecay([5, 10], [1.0, 0.5, 0.1]),
        k.CosineDecay(1.0, 10, alpha=0.1),
        k.PolynomialDecay(1.0, 10),
        k.InverseTimeDecay(1.0, 10, 2.0, staircase=True),
    ]
    return [[float(s(step)) for step in (0, 5, 10, 25)] for s in made]


def own_schedule(tf):
    """A schedule of one's own."""

    class Halving(tf.keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 0.5 ** (tf.cast(step, tf.float32) + 1.0)

    x, opt = tf.Variable(0.0), tf.keras.optimizers.SGD(Halving())
    for _ in range(3):
        opt.apply_gradients([(tf.constant(1.0), x)])
    return x


def no_gradients(tf):
    """Nothing to apply is an error."""
    x, opt = tf.Variable(1.0), tf.keras.optimizers.SGD(0.1)
    return raised(lambda: opt.apply_gradients([(None, x)]), "No gradients provided for any")


def some_gradients_missing(tf):
    """A missing gradient among others is left out."""
    x, y = tf.Variable(1.0), tf.Variable(1.0)
    opt = tf.keras.optimizers.SGD(0.1)
    opt.apply_gradients([(tf.constant(1.0), x), (None, y)])
    return x, y


def from_zip(tf):
    """An iterator of pairs will do."""
    x, y = tf.Variable([1.0, 2.0]), tf.Variable(1.0)
    opt = tf.keras.optimizers.SGD(learning_rate=0.1)
    opt.apply_gradients(zip([tf.ones(2), tf.constant(2.0)], [x, y], strict=True))
    return x, y, opt.iterations


def by_name(tf):
    """Optimizers by name, and their configuration."""
    made = [tf.keras.optimizers.get(n) for n in ("sgd", "adam", "rmsprop", "adagrad")]
    config = tf.keras.optimizers.SGD(0.25, momentum=0.5).get_config()
    kept = {k: float(config[k]) for k in ("learning_rate", "momentum")}
    return [type(o).__name__ for o in made], kept, bool(config["nesterov"])


def rosenbrock(tf):
    """Fifty steps of Adam on a curved valley."""
    x = tf.Variable([-1.0, 1.5])
    opt = tf.keras.optimizers.Adam(0.05)
    for _ in range(50):
        with tf.GradientTape() as t:
            y = (1 - x[0]) ** 2 + 100.0 * (x[1] - x[0] ** 2) ** 2
        opt.apply_gradients([(t.gradient(y, x), x)])
    return Close(x, 1e-3, 1e-4)


def with_embedding(tf):
    """Gathered rows: only these change without momentum."""
    v = tf.Variable([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    opt = tf.keras.optimizers.SGD(0.1)
    with tf.GradientTape() as t:
        y = tf.reduce_sum(tf.gather(v, [0, 2, 0]) ** 2)
    opt.apply_gradients([(t.gradient(y, v), v)])
    return v
