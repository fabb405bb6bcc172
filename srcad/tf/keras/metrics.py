"""``keras.metrics``: running statistics with ``update_state``, ``result`` and ``reset_state``.

State is kept in float32 variables that tapes do not watch; calling a metric updates it and gives
the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.tape.convert import to_tensor
from srcad.tape.emit import raw
from srcad.tape.tensor import Tensor, wrap
from srcad.tape.variable import Variable
from srcad.tf.keras import losses
from srcad.tf.keras.named import found, unique_name
from srcad.tf.missing import missing


class Metric:
    """The base class: subclasses make variables with ``add_weight``."""

    def __init__(self, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        self.name = name or unique_name(type(self).__name__)
        self.dtype = dtype or "float32"
        self.weights: list[Variable] = []

    def add_weight(
        self, name: str | None = None, shape: Any = (), initializer: Any = "zeros", **kw: Any
    ) -> Variable:
        """A new variable, zero at the start."""
        v = Variable(np.zeros(tuple(shape), np.float32), trainable=False, name=name or "state")
        self.weights.append(v)
        return v

    @property
    def variables(self) -> list[Variable]:
        """The state."""
        return self.weights

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Take in new values."""
        raise NotImplementedError("Must be implemented in subclasses.")

    def result(self) -> Any:
        """The statistic of everything taken in."""
        raise NotImplementedError("Must be implemented in subclasses.")

    def reset_state(self) -> None:
        """Forget everything."""
        for v in self.weights:
            v.assign(np.zeros_like(v._value))

    def reset_states(self) -> None:
        """Forget everything (the older name)."""
        self.reset_state()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.update_state(*args, **kwargs)
        return self.result()


class _Ratio(Metric):
    """A weighted total over a weighted count."""

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name, dtype)
        self.total, self.count = self.add_weight("total"), self.add_weight("count")

    def _take(self, values: Any, sample_weight: Any) -> None:
        v = raw(values).astype(np.float32)
        weight = np.float32(v.size)
        if sample_weight is not None:
            w = raw(sample_weight).astype(np.float32)
            w = np.broadcast_to(w.reshape(w.shape + (1,) * (v.ndim - w.ndim)), v.shape)
            v, weight = v * w, np.sum(w, dtype=np.float32)
        self.total.assign_add(wrap(np.sum(v, dtype=np.float32)))
        self.count.assign_add(wrap(weight))

    def result(self) -> Tensor:
        """The mean, 0 if there is nothing yet."""
        count = self.count._value
        known = np.where(count != 0, count, np.float32(1))
        return wrap(np.where(count != 0, self.total._value / known, np.float32(0)))


class Mean(_Ratio):
    """The mean of all values."""

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Take in values."""
        self._take(values, sample_weight)


class Sum(Mean):
    """The sum of all values."""

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def result(self) -> Tensor:
        """The sum."""
        return Tensor(self.total._value)


class MeanMetricWrapper(_Ratio):
    """The mean of a function of targets and predictions."""

    def __init__(self, fn: Any, name: str | None = None, dtype: Any = None, **options: Any) -> None:
        super().__init__(name or getattr(fn, "__name__", None), dtype)
        self.fn, self.options = fn, options

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in targets and predictions."""
        values = self.fn(to_tensor(y_true), to_tensor(y_pred), **self.options)
        self._take(values, sample_weight)


def _arrays(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    return raw(y_true), raw(y_pred)


def accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where they are equal."""
    t, p = _arrays(y_true, y_pred)
    return wrap((t == p).astype(np.float32))


def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest elements are at the same place."""
    t, p = _arrays(y_true, y_pred)
    return wrap((np.argmax(t, -1) == np.argmax(p, -1)).astype(np.float32))


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest prediction is at the class number."""
    t, p = _arrays(y_true, y_pred)
    t = t[..., 0] if t.ndim == p.ndim and t.shape[-1] == 1 else t
    return wrap((t.astype(np.int64) == np.argmax(p, -1)).astype(np.float32))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """The share of labels on the right side of a threshold."""
    t, p = _arrays(y_true, y_pred)
    return wrap(np.mean((t == (p > threshold)).astype(np.float32), -1))


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """1 where the true class is among the ``k`` largest predictions."""
    t, p = _arrays(y_true, y_pred)
    own = np.take_along_axis(p, np.argmax(t, -1)[..., None], -1)
    return wrap((np.sum(p > own, -1) < k).astype(np.float32))


def _object(class_name: str, fn: Callable[..., Any], **defaults: Any) -> type:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        names = [*defaults, "name", "dtype"] if args and not isinstance(args[0], str) else ["name"]
        given = {**defaults, **dict(zip(names, args, strict=False)), **kwargs}
        name = given.pop("name", None) or fn.__name__
        MeanMetricWrapper.__init__(self, fn, name, given.pop("dtype", None), **given)

    return type(class_name, (MeanMetricWrapper,), {"__init__": __init__, "__doc__": fn.__doc__})


Accuracy = _object("Accuracy", accuracy)
CategoricalAccuracy = _object("CategoricalAccuracy", categorical_accuracy)
SparseCategoricalAccuracy = _object("SparseCategoricalAccuracy", sparse_categorical_accuracy)
BinaryAccuracy = _object("BinaryAccuracy", binary_accuracy, threshold=0.5)
TopKCategoricalAccuracy = _object("TopKCategoricalAccuracy", top_k_categorical_accuracy, k=5)
MeanSquaredError = _object("MeanSquaredError", losses.mean_squared_error)
MeanAbsoluteError = _object("MeanAbsoluteError", losses.mean_absolute_error)
CategoricalCrossentropy = _object(
    "CategoricalCrossentropy", losses.categorical_crossentropy, from_logits=False
)
SparseCategoricalCrossentropy = _object(
    "SparseCategoricalCrossentropy", losses.sparse_categorical_crossentropy, from_logits=False
)
BinaryCrossentropy = _object("BinaryCrossentropy", losses.binary_crossentropy, from_logits=False)


class RootMeanSquaredError(MeanMetricWrapper):
    """The root of the mean squared error."""

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(losses.mean_squared_error, name, dtype)

    def result(self) -> Tensor:
        """The root of the mean."""
        return Tensor(np.sqrt(super().result()._value))


class _Counts(Metric):
    """Numbers of right and wrong decisions at a threshold."""

    def __init__(
        self, thresholds: float | None = None, name: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(name, dtype)
        self.threshold = 0.5 if thresholds is None else thresholds
        self.hits, self.others = self.add_weight("hits"), self.add_weight("others")
        self.missed = False

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in targets and predictions."""
        t, p = _arrays(y_true, y_pred)
        yes, said = t.astype(bool), p > self.threshold
        other = yes & ~said if self.missed else ~yes & said
        self.hits.assign_add(np.float32((yes & said).sum()))
        self.others.assign_add(np.float32(other.sum()))

    def result(self) -> Tensor:
        """The share, 0 if there is nothing yet."""
        total = self.hits._value + self.others._value
        return Tensor(self.hits._value / total if total else np.float32(0))


class Precision(_Counts):
    """Right among those predicted positive."""


class Recall(_Counts):
    """Right among those that are positive."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.missed = True


TABLE: dict[str, Any] = {
    "binary_accuracy": BinaryAccuracy,
    "categorical_accuracy": CategoricalAccuracy,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "mse": MeanSquaredError,
    "mean_squared_error": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "mean_absolute_error": MeanAbsoluteError,
    "precision": Precision,
    "recall": Recall,
}


def get(identifier: Any) -> Any:
    """The metric meant by a name, class, function or object."""
    made = found("metric", identifier, TABLE)
    return made if isinstance(made, Metric) or not callable(made) else MeanMetricWrapper(made)


__getattr__ = missing("tf.keras.metrics", lambda: globals())
