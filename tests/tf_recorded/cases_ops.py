"""Operations of one or two numbers, element by element: value, gradient, second derivative."""

from tests.tf_recorded.differentiated import differentiated

ANY = [-1.3, -0.4, 0.3, 1.7]
POSITIVE = [0.2, 0.9, 1.6, 3.1]
UNIT = [-0.8, -0.2, 0.3, 0.7]
OTHER = [0.7, 1.9, -0.6, 2.3]

UNARY = {
    "abs": (lambda tf, x: tf.abs(x), ANY),
    "acos": (lambda tf, x: tf.acos(x), UNIT),
    "acosh": (lambda tf, x: tf.acosh(x + 1.0), POSITIVE),
    "asin": (lambda tf, x: tf.asin(x), UNIT),
    "asinh": (lambda tf, x: tf.asinh(x), ANY),
    "atan": (lambda tf, x: tf.atan(x), ANY),
    "atanh": (lambda tf, x: tf.atanh(x), UNIT),
    "ceil": (lambda tf, x: tf.math.ceil(x), ANY),
    "cos": (lambda tf, x: tf.cos(x), ANY),
    "cosh": (lambda tf, x: tf.cosh(x), ANY),
    "digamma": (lambda tf, x: tf.math.digamma(x), POSITIVE),
    "erf": (lambda tf, x: tf.math.erf(x), ANY),
    "erfc": (lambda tf, x: tf.math.erfc(x), ANY),
    "exp": (lambda tf, x: tf.exp(x), ANY),
    "expm1": (lambda tf, x: tf.math.expm1(x), ANY),
    "floor": (lambda tf, x: tf.floor(x), ANY),
    "lgamma": (lambda tf, x: tf.math.lgamma(x), POSITIVE),
    "log": (lambda tf, x: tf.math.log(x), POSITIVE),
    "log1p": (lambda tf, x: tf.math.log1p(x), POSITIVE),
    "log_sigmoid": (lambda tf, x: tf.math.log_sigmoid(x), ANY),
    "negative": (lambda tf, x: tf.negative(x), ANY),
    "reciprocal": (lambda tf, x: tf.math.reciprocal(x), ANY),
    "round": (lambda tf, x: tf.round(x), ANY),
    "rsqrt": (lambda tf, x: tf.math.rsqrt(x), POSITIVE),
    "sigmoid": (lambda tf, x: tf.sigmoid(x), ANY),
    "sign": (lambda tf, x: tf.sign(x), ANY),
    "sin": (lambda tf, x: tf.sin(x), ANY),
    "sinh": (lambda tf, x: tf.sinh(x), ANY),
    "softplus": (lambda tf, x: tf.math.softplus(x), ANY),
    "sqrt": (lambda tf, x: tf.sqrt(x), POSITIVE),
    "square": (lambda tf, x: tf.square(x), ANY),
    "tan": (lambda tf, x: tf.tan(x), ANY),
    "tanh": (lambda tf, x: tf.tanh(x), ANY),
    "elu": (lambda tf, x: tf.nn.elu(x), ANY),
    "gelu": (lambda tf, x: tf.nn.gelu(x), ANY),
    "gelu_approximate": (lambda tf, x: tf.nn.gelu(x, approximate=True), ANY),
    "leaky_relu": (lambda tf, x: tf.nn.leaky_relu(x, alpha=0.1), ANY),
    "relu": (lambda tf, x: tf.nn.relu(x), ANY),
    "relu6": (lambda tf, x: tf.nn.relu6(x * 5.0), ANY),
    "selu": (lambda tf, x: tf.nn.selu(x), ANY),
    "silu": (lambda tf, x: tf.nn.silu(x), ANY),
    "clip_by_value": (lambda tf, x: tf.clip_by_value(x, -1.0, 0.5), ANY),
    "identity": (lambda tf, x: tf.identity(x), ANY),
    "pow_number": (lambda tf, x: tf.pow(x, 3), ANY),
    "relu_at_zero": (lambda tf, x: tf.nn.relu(x), [0.0, -0.0, 1.0]),
    "abs_at_zero": (lambda tf, x: tf.abs(x), [0.0, 1.0]),
}

BINARY = {
    "add": (lambda tf, x, y: tf.add(x, y), ANY),
    "atan2": (lambda tf, x, y: tf.math.atan2(x, y), ANY),
    "divide": (lambda tf, x, y: tf.divide(x, y), ANY),
    "divide_no_nan": (lambda tf, x, y: tf.math.divide_no_nan(x, y), ANY),
    "floormod": (lambda tf, x, y: tf.math.floormod(x, y), ANY),
    "maximum": (lambda tf, x, y: tf.maximum(x, y), ANY),
    "minimum": (lambda tf, x, y: tf.minimum(x, y), ANY),
    "multiply": (lambda tf, x, y: tf.multiply(x, y), ANY),
    "multiply_no_nan": (lambda tf, x, y: tf.math.multiply_no_nan(x, y), ANY),
    "pow": (lambda tf, x, y: tf.pow(x, y), POSITIVE),
    "squared_difference": (lambda tf, x, y: tf.math.squared_difference(x, y), ANY),
    "subtract": (lambda tf, x, y: tf.subtract(x, y), ANY),
    "xlogy": (lambda tf, x, y: tf.math.xlogy(x, abs(y)), POSITIVE),
    "where": (lambda tf, x, y: tf.where(x > 0, x * y, y * y), ANY),
    "add_n": (lambda tf, x, y: tf.add_n([x, y, x]), ANY),
}

TABLE = {name: (f, [at]) for name, (f, at) in UNARY.items() if not name.endswith("at_zero")}
TABLE |= {name: (f, [at, OTHER]) for name, (f, at) in BINARY.items()}
CASES = {name: differentiated(f, at) for name, (f, at) in UNARY.items()}
CASES |= {name: differentiated(f, at, OTHER) for name, (f, at) in BINARY.items()}
CASES["maximum_of_equals"] = differentiated(
    lambda tf, x, y: tf.maximum(x, y), [1.0, 2.0], [1.0, 3.0]
)
CASES["double_precision"] = differentiated(
    lambda tf, x, y: tf.exp(x) * tf.sin(y) / x, POSITIVE, OTHER, kind="float64"
)
