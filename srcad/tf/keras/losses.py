"""``keras.losses``: functions of targets and predictions, and the objects that average them.

A function reduces the last axis; an object then weighs samples and takes the mean over the batch
(``reduction``: ``"auto"``, ``"sum_over_batch_size"``, ``"sum"``, ``"none"``).  Formulas and
their order of operations are Keras 2's, with its epsilon of 1e-7.
"""

from __future__ import annotations

from typing import Any

from srcad.tape.convert import to_tensor
from srcad.tape.elementwise import VOCABULARY, select
from srcad.tape.mathops import cast, clip_by_value, squared_difference
from srcad.tape.reductions import reduce_mean, reduce_sum
from srcad.tape.shaping import dims, expand_dims, squeeze
from srcad.tape.tensor import Tensor
from srcad.tf import nn
from srcad.tf.creation import one_hot
from srcad.tf.keras.named import found
from srcad.tf.missing import missing

_v = VOCABULARY
EPSILON = 1e-7


class Reduction:
    """How losses of samples become one number."""

    AUTO, NONE = "auto", "none"
    SUM, SUM_OVER_BATCH_SIZE = "sum", "sum_over_batch_size"


def _pair(y_true: Any, y_pred: Any) -> tuple[Tensor, Tensor]:
    """Targets and predictions of the predictions' type and rank."""
    p = to_tensor(y_pred)
    t = cast(to_tensor(y_true), p.dtype)
    if t.ndim == p.ndim - 1 and dims(p)[-1] == 1:
        p = squeeze(p, -1)
    elif t.ndim == p.ndim + 1 and dims(t)[-1] == 1:
        t = squeeze(t, -1)
    return t, p


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean((p - t)^2)."""
    t, p = _pair(y_true, y_pred)
    return reduce_mean(squared_difference(p, t), -1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean(|p - t|)."""
    t, p = _pair(y_true, y_pred)
    return reduce_mean(_v["abs"](_v["sub"](p, t)), -1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Tensor:
    """100 mean(|t - p| / max(|t|, epsilon))."""
    t, p = _pair(y_true, y_pred)
    share = _v["truediv"](_v["sub"](t, p), _v["maximum"](_v["abs"](t), EPSILON))
    return _v["mul"](100.0, reduce_mean(_v["abs"](share), -1))


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Tensor:
    """mean((log(p + 1) - log(t + 1))^2)."""
    t, p = _pair(y_true, y_pred)
    first, second = (_v["log"](_v["add"](_v["maximum"](x, EPSILON), 1.0)) for x in (p, t))
    return reduce_mean(squared_difference(first, second), -1)


def log_cosh(y_true: Any, y_pred: Any) -> Tensor:
    """mean(log(cosh(p - t)))."""
    t, p = _pair(y_true, y_pred)
    x = _v["sub"](p, t)
    inner = _v["add"](x, nn.softplus(_v["mul"](-2.0, x)))
    return reduce_mean(_v["sub"](inner, 0.6931471805599453), -1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """Quadratic up to ``delta``, then linear."""
    t, p = _pair(y_true, y_pred)
    error = _v["sub"](p, t)
    size = _v["abs"](error)
    near = _v["mul"](0.5, _v["square"](error))
    far = _v["sub"](_v["mul"](delta, size), 0.5 * delta * delta)
    return reduce_mean(select(_v["le"](size, delta), near, far), -1)


def hinge(y_true: Any, y_pred: Any) -> Tensor:
    """mean(max(1 - t p, 0)); labels 0 count as -1."""
    t, p = _pair(y_true, y_pred)
    t = select(_v["eq"](t, 0), _v["sub"](t, 1.0), t)
    return reduce_mean(_v["maximum"](_v["sub"](1.0, _v["mul"](t, p)), 0.0), -1)


def poisson(y_true: Any, y_pred: Any) -> Tensor:
    """mean(p - t log p)."""
    t, p = _pair(y_true, y_pred)
    logs = _v["log"](_v["add"](p, EPSILON))
    return reduce_mean(_v["sub"](p, _v["mul"](t, logs)), -1)


def kl_divergence(y_true: Any, y_pred: Any) -> Tensor:
    """sum(t log(t / p))."""
    t, p = _pair(y_true, y_pred)
    t, p = clip_by_value(t, EPSILON, 1.0), clip_by_value(p, EPSILON, 1.0)
    return reduce_sum(_v["mul"](t, _v["log"](_v["truediv"](t, p))), -1)


def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Tensor:
    """Minus the cosine of the angle."""
    t, p = _pair(y_true, y_pred)
    product = _v["mul"](nn.l2_normalize(t, axis), nn.l2_normalize(p, axis))
    return _v["neg"](reduce_sum(product, axis))


def categorical_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """The cross entropy of distributions."""
    p = to_tensor(y_pred)
    t = cast(to_tensor(y_true), p.dtype)
    if label_smoothing:
        t = _v["add"](_v["mul"](t, 1.0 - label_smoothing), label_smoothing / dims(p)[axis])
    if from_logits:
        return nn.softmax_cross_entropy_with_logits(t, p, axis)
    p = _v["truediv"](p, reduce_sum(p, axis, keepdims=True))
    p = clip_by_value(p, EPSILON, 1.0 - EPSILON)
    return _v["neg"](reduce_sum(_v["mul"](t, _v["log"](p)), axis))


def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, axis: int = -1, ignore_class: Any = None
) -> Tensor:
    """The cross entropy of class numbers."""
    p = to_tensor(y_pred)
    t = cast(to_tensor(y_true), "int64")
    if t.ndim == p.ndim and dims(t)[-1] == 1:
        t = squeeze(t, -1)
    if not from_logits:
        p = _v["log"](clip_by_value(p, EPSILON, 1.0 - EPSILON))
    targets = one_hot(t, dims(p)[axis], dtype=p.dtype)
    return nn.softmax_cross_entropy_with_logits(targets, p, axis)


def binary_crossentropy(
    y_true: Any,
    y_pred: Any,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Tensor:
    """The cross entropy of probabilities of one class."""
    p = to_tensor(y_pred)
    t = cast(to_tensor(y_true), p.dtype)
    if label_smoothing:
        t = _v["add"](_v["mul"](t, 1.0 - label_smoothing), 0.5 * label_smoothing)
    if from_logits:
        return reduce_mean(nn.sigmoid_cross_entropy_with_logits(t, p), axis)
    p = clip_by_value(p, EPSILON, 1.0 - EPSILON)
    yes = _v["mul"](t, _v["log"](_v["add"](p, EPSILON)))
    other = _v["log"](_v["add"](_v["sub"](1.0, p), EPSILON))
    return reduce_mean(_v["neg"](_v["add"](yes, _v["mul"](_v["sub"](1.0, t), other))), axis)


class Loss:
    """A loss object: sample losses, weighted and reduced."""

    def __init__(self, reduction: str = "auto", name: str | None = None) -> None:
        self.reduction, self.name = reduction, name

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """The losses of the samples."""
        raise NotImplementedError("Must be implemented in subclasses.")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        values = to_tensor(self.call(y_true, y_pred))
        if sample_weight is not None:
            weight = cast(to_tensor(sample_weight), values.dtype)
            if weight.ndim == values.ndim + 1 and dims(weight)[-1] == 1:
                weight = squeeze(weight, -1)
            while 0 < weight.ndim < values.ndim:
                weight = expand_dims(weight, -1)
            values = _v["mul"](values, weight)
        if self.reduction == "none":
            return values
        total = reduce_sum(values)
        if self.reduction == "sum":
            return total
        return _v["truediv"](total, float(values._value.size))


class LossFunctionWrapper(Loss):
    """A loss object of a function."""

    def __init__(
        self, fn: Any, reduction: str = "auto", name: str | None = None, **options: Any
    ) -> None:
        super().__init__(reduction, name)
        self.fn, self.options = fn, options

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """The losses of the samples."""
        return self.fn(y_true, y_pred, **self.options)


def _object(class_name: str, fn: Any, **defaults: Any) -> type:
    """The class of loss objects of a function, its options as keywords."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        options = dict(defaults)
        if len(args) > len(options):
            raise TypeError(f"{class_name} takes at most {len(options)} positional arguments")
        options.update(zip(options, args, strict=False))
        options.update({k: kwargs.pop(k) for k in list(kwargs) if k in defaults})
        reduction, name = kwargs.pop("reduction", "auto"), kwargs.pop("name", fn.__name__)
        if kwargs:
            raise TypeError(f"{class_name} has no argument {next(iter(kwargs))!r}")
        LossFunctionWrapper.__init__(self, fn, reduction, name, **options)

    return type(class_name, (LossFunctionWrapper,), {"__init__": __init__, "__doc__": fn.__doc__})


_SMOOTH = {"from_logits": False, "label_smoothing": 0.0, "axis": -1}
MeanSquaredError = _object("MeanSquaredError", mean_squared_error)
MeanAbsoluteError = _object("MeanAbsoluteError", mean_absolute_error)
MeanAbsolutePercentageError = _object("MeanAbsolutePercentageError", mean_absolute_percentage_error)
MeanSquaredLogarithmicError = _object("MeanSquaredLogarithmicError", mean_squared_logarithmic_error)
LogCosh = _object("LogCosh", log_cosh)
Huber = _object("Huber", huber, delta=1.0)
Hinge = _object("Hinge", hinge)
KLDivergence = _object("KLDivergence", kl_divergence)
Poisson = _object("Poisson", poisson)
CosineSimilarity = _object("CosineSimilarity", cosine_similarity, axis=-1)
CategoricalCrossentropy = _object("CategoricalCrossentropy", categorical_crossentropy, **_SMOOTH)
BinaryCrossentropy = _object("BinaryCrossentropy", binary_crossentropy, **_SMOOTH)
SparseCategoricalCrossentropy = _object(
    "SparseCategoricalCrossentropy",
    sparse_categorical_crossentropy,
    from_logits=False,
    ignore_class=None,
)
mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
logcosh, kld = log_cosh, kl_divergence

TABLE: dict[str, Any] = {
    f.__name__: f
    for f in (
        *(mean_squared_error, mean_absolute_error, mean_absolute_percentage_error),
        *(mean_squared_logarithmic_error, log_cosh, huber, hinge, kl_divergence),
        *(cosine_similarity, categorical_crossentropy, sparse_categorical_crossentropy),
        binary_crossentropy,
    )
}
_SHORT = {"mse": mse, "mae": mae, "mape": mape, "msle": msle, "kld": kld, "logcosh": log_cosh}


def get(identifier: Any) -> Any:
    """The loss meant by a name, function, class or object."""
    return found("loss function", identifier, TABLE | _SHORT)


__getattr__ = missing("tf.keras.losses", lambda: globals())
