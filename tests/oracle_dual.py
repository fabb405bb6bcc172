"""Dual numbers: the arithmetic of the test oracle.

A ``Dual`` is ``value + tangent * eps_level`` with ``eps_level ** 2 == 0``.  Levels keep
perturbations apart: value and tangent of a level-3 number are numbers of level at most 2, and so
on, so that nesting gives second and third derivatives.  A level-1 tangent may also be a NumPy
vector: one component per direction, all carried in one run.

``float`` leaves are evaluated by NumPy's scalar functions, so domain errors give NaN and inf as
compiled code does.  Division by zero of *scalars* raises as in Python (``divide`` is the array
form that does not).  Comparisons, ``bool()``, ``int()`` and rounding look at the primal only.

Conventions at kinks: ``abs'(0) == 0``; a zero tangent times an infinite partial is zero.
"""

import math

import numpy as np


class Dual:
    """``value + tangent * eps_level``."""

    __slots__ = ("level", "tangent", "value")

    def __init__(self, value, tangent, level):
        self.value = value
        self.tangent = tangent
        self.level = level

    def __repr__(self):
        return f"Dual({self.value!r}, {self.tangent!r}, level={self.level})"

    def __float__(self):
        raise TypeError("a Dual was silently converted to float: the oracle misses a case")

    def __int__(self):
        return int(primal(self))

    __trunc__ = __int__

    def __floor__(self):
        return math.floor(primal(self))

    def __ceil__(self):
        return math.ceil(primal(self))

    def __round__(self, digits=None):
        value = round(primal(self), digits) if digits is not None else round(primal(self))
        return value

    def __bool__(self):
        return primal(self) != 0.0

    def __neg__(self):
        return Dual(-self.value, -self.tangent, self.level)

    def __pos__(self):
        return self

    def __abs__(self):
        return absolute(self)

    __hash__ = None


def primal(x):
    """The plain number underneath all levels."""
    while isinstance(x, Dual):
        x = x.value
    return x


def level_of(*operands):
    """The highest level among the operands (0: plain numbers)."""
    return max((x.level for x in operands if isinstance(x, Dual)), default=0)


def split(x, level):
    """Value and tangent of ``x`` seen at ``level``; the tangent of a constant is None."""
    if isinstance(x, Dual) and x.level == level:
        return x.value, x.tangent
    return x, None


def scale(partial, tangent):
    """``partial * tangent``, with a zero tangent winning over an infinite partial."""
    if not isinstance(partial, Dual) and not math.isfinite(partial):
        if isinstance(tangent, np.ndarray):
            return np.where(tangent == 0.0, 0.0, partial * tangent)
        if not isinstance(tangent, Dual) and tangent == 0.0:
            return 0.0
    return multiply(partial, tangent) if isinstance(partial, Dual) else partial * tangent


class Rounding:
    """Within it, results are off by a last bit at random: what moves with it is ill-conditioned."""

    now = None

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def __enter__(self):
        Rounding.now = self

    def __exit__(self, *_):
        Rounding.now = None

    def __call__(self, value):
        return value * (1.0 + self.rng.choice((-1, 1)) * 2.0**-52)


def chain(value, level, *terms):
    """The Dual with tangent ``sum(partial() * tangent)`` over the active terms."""
    if Rounding.now is not None and not isinstance(value, Dual):
        value = Rounding.now(value)
    total = None
    for partial, tangent in terms:
        if tangent is not None:
            term = scale(partial(), tangent)
            total = term if total is None else total + term
    return Dual(value, total, level)


# --- two operands -------------------------------------------------------------------------------


def add(a, b):
    level = level_of(a, b)
    if level == 0:
        return a + b
    (x, dx), (y, dy) = split(a, level), split(b, level)
    return chain(add(x, y), level, (lambda: 1.0, dx), (lambda: 1.0, dy))


def subtract(a, b):
    level = level_of(a, b)
    if level == 0:
        return a - b
    (x, dx), (y, dy) = split(a, level), split(b, level)
    return chain(subtract(x, y), level, (lambda: 1.0, dx), (lambda: -1.0, dy))


def multiply(a, b):
    level = level_of(a, b)
    if level == 0:
        return a * b
    (x, dx), (y, dy) = split(a, level), split(b, level)
    return chain(multiply(x, y), level, (lambda: y, dx), (lambda: x, dy))


def divide(a, b):
    """Division with IEEE meaning: nothing raises."""
    level = level_of(a, b)
    if level == 0:
        return float(np.divide(float(a), float(b)))
    (x, dx), (y, dy) = split(a, level), split(b, level)
    quotient = divide(x, y)
    return chain(quotient, level, (lambda: divide(1.0, y), dx), (lambda: -divide(quotient, y), dy))


def strict_divide(a, b):
    """Division of scalars: ZeroDivisionError as in Python."""
    if primal(b) == 0:
        raise ZeroDivisionError("division by zero")
    return divide(a, b)


def power(a, b):
    level = level_of(a, b)
    if level == 0:
        if isinstance(a, int) and isinstance(b, int):
            return a**b
        return float(np.power(float(a), float(b)))
    (x, dx), (y, dy) = split(a, level), split(b, level)
    value = power(x, y)

    def by_base():
        if not isinstance(y, Dual) and y == 0:
            return 0.0
        return multiply(y, power(x, subtract(y, 1)))

    def by_exponent():
        return 0.0 if primal(x) == 0.0 else multiply(value, log(x))

    return chain(value, level, (by_base, dx), (by_exponent, dy))


def floor_divide(a, b):
    """``a // b``: piecewise constant."""
    return primal(a) // primal(b)


def remainder(a, b):
    """``a % b`` with Python's sign: ``a - b * floor(a / b)``."""
    level = level_of(a, b)
    if level == 0:
        return a % b
    (x, dx), (y, dy) = split(a, level), split(b, level)
    whole = float(primal(a) // primal(b))
    return chain(remainder(x, y), level, (lambda: 1.0, dx), (lambda: -whole, dy))


def fmod(a, b):
    """C's remainder: the sign of ``a``."""
    level = level_of(a, b)
    if level == 0:
        return float(np.fmod(float(a), float(b)))
    (x, dx), (y, dy) = split(a, level), split(b, level)
    whole = float(np.trunc(primal(a) / primal(b)))
    return chain(fmod(x, y), level, (lambda: 1.0, dx), (lambda: -whole, dy))


def arctan2(a, b):
    level = level_of(a, b)
    if level == 0:
        return float(np.arctan2(float(a), float(b)))
    (y, dy), (x, dx) = split(a, level), split(b, level)

    def over_radius(z):
        return divide(z, add(multiply(x, x), multiply(y, y)))

    return chain(arctan2(y, x), level, (lambda: over_radius(x), dy), (lambda: -over_radius(y), dx))


def hypot(a, b):
    return sqrt(add(multiply(a, a), multiply(b, b)))


def copysign(a, b):
    flipped = math.copysign(1.0, primal(a)) != math.copysign(1.0, primal(b))
    return -a if flipped else +a


def maximum(a, b):
    """NumPy's: NaN wins."""
    if primal(a) != primal(a):
        return a
    return b if primal(b) > primal(a) or primal(b) != primal(b) else a


def minimum(a, b):
    if primal(a) != primal(a):
        return a
    return b if primal(b) < primal(a) or primal(b) != primal(b) else a


def logaddexp(a, b):
    high, low = (a, b) if primal(a) >= primal(b) else (b, a)
    return add(high, log1p(exp(subtract(low, high))))


# --- one operand --------------------------------------------------------------------------------


def _unary(leaf, derivative):
    """A lifted function from its value on floats and its derivative ``(x, out)`` on anything."""

    def function(x):
        if not isinstance(x, Dual):
            return float(leaf(float(x)))
        out = function(x.value)
        return chain(out, x.level, (lambda: derivative(x.value, out), x.tangent))

    return function


def _inverse(x):
    return divide(1.0, x)


def _digamma(x):
    """Recurrence up to x > 12, then the asymptotic series; built of lifted arithmetic."""
    shift = 0.0
    while primal(x) < 12.0:
        shift, x = shift - _inverse(x), x + 1.0
    series = log(x) - 0.5 * _inverse(x)
    coefficients = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
    for k, c in enumerate(coefficients, start=1):
        series = series - c * power(x, -2 * k)
    return series + shift


def _or_inf(function):
    """``math`` functions with poles: inf instead of an exception."""

    def leaf(x):
        try:
            return function(x)
        except (ValueError, OverflowError):
            return math.nan if math.isnan(x) else math.inf

    return leaf


sin = _unary(np.sin, lambda x, out: cos(x))
cos = _unary(np.cos, lambda x, out: -sin(x))
tan = _unary(np.tan, lambda x, out: 1.0 + out * out)
arcsin = _unary(np.arcsin, lambda x, out: _inverse(sqrt(1.0 - x * x)))
arccos = _unary(np.arccos, lambda x, out: -_inverse(sqrt(1.0 - x * x)))
arctan = _unary(np.arctan, lambda x, out: _inverse(1.0 + x * x))
sinh = _unary(np.sinh, lambda x, out: cosh(x))
cosh = _unary(np.cosh, lambda x, out: sinh(x))
tanh = _unary(np.tanh, lambda x, out: 1.0 - out * out)
arcsinh = _unary(np.arcsinh, lambda x, out: _inverse(sqrt(x * x + 1.0)))
arccosh = _unary(np.arccosh, lambda x, out: _inverse(sqrt(x * x - 1.0)))
arctanh = _unary(np.arctanh, lambda x, out: _inverse(1.0 - x * x))
exp = _unary(np.exp, lambda x, out: out)
exp2 = _unary(np.exp2, lambda x, out: out * math.log(2.0))
expm1 = _unary(np.expm1, lambda x, out: out + 1.0)
log = _unary(np.log, lambda x, out: _inverse(x))
log2 = _unary(np.log2, lambda x, out: _inverse(x * math.log(2.0)))
log10 = _unary(np.log10, lambda x, out: _inverse(x * math.log(10.0)))
log1p = _unary(np.log1p, lambda x, out: _inverse(1.0 + x))
sqrt = _unary(np.sqrt, lambda x, out: divide(0.5, out))
cbrt = _unary(np.cbrt, lambda x, out: divide(1.0, 3.0 * out * out))
absolute = _unary(abs, lambda x, out: float(np.sign(primal(x))))
erf = _unary(math.erf, lambda x, out: exp(-x * x) * (2.0 / math.sqrt(math.pi)))
erfc = _unary(math.erfc, lambda x, out: exp(-x * x) * (-2.0 / math.sqrt(math.pi)))
lgamma = _unary(_or_inf(math.lgamma), lambda x, out: _digamma(x))
gamma = _unary(_or_inf(math.gamma), lambda x, out: out * _digamma(x))
degrees = _unary(np.degrees, lambda x, out: 180.0 / math.pi)
radians = _unary(np.radians, lambda x, out: math.pi / 180.0)


def square(x):
    return multiply(x, x)


def _piecewise_constant(leaf):
    return lambda x: float(leaf(float(primal(x))))


floor = _piecewise_constant(np.floor)
ceil = _piecewise_constant(np.ceil)
trunc = _piecewise_constant(np.trunc)
rint = _piecewise_constant(np.rint)
sign = _piecewise_constant(np.sign)


# --- operators ----------------------------------------------------------------------------------


def _install_operators():
    """Give Dual its operators; an array operand is left to NumPy, which comes back elementwise."""

    def operator(function, swapped):
        def method(self, other):
            if isinstance(other, np.ndarray):
                return NotImplemented
            return function(other, self) if swapped else function(self, other)

        return method

    def comparison(function):
        def method(self, other):
            if isinstance(other, np.ndarray):
                return NotImplemented
            return bool(function(primal(self), primal(other)))

        return method

    arithmetic = {
        "add": add, "sub": subtract, "mul": multiply, "truediv": strict_divide,
        "floordiv": floor_divide, "mod": remainder, "pow": power,
    }  # fmt: skip
    for name, function in arithmetic.items():
        setattr(Dual, f"__{name}__", operator(function, swapped=False))
        setattr(Dual, f"__r{name}__", operator(function, swapped=True))
    comparisons = {
        "lt": lambda a, b: a < b, "le": lambda a, b: a <= b, "gt": lambda a, b: a > b,
        "ge": lambda a, b: a >= b, "eq": lambda a, b: a == b, "ne": lambda a, b: a != b,
    }  # fmt: skip
    for name, function in comparisons.items():
        setattr(Dual, f"__{name}__", comparison(function))


_install_operators()
