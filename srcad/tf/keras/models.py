"""``keras.Model`` and ``Sequential``: layers of layers, with ``compile``, ``fit`` and relatives.

Subclass ``Model`` and write ``call``, or list layers in ``Sequential``.  Models from symbolic
inputs (``keras.Input``) are not there.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.tape import nest
from srcad.tape.convert import to_tensor
from srcad.tape.gradient_tape import GradientTape
from srcad.tape.shapes import TensorShape
from srcad.tape.tensor import Tensor
from srcad.tf.keras import losses, metrics, optimizers
from srcad.tf.keras.base import Layer
from srcad.tf.keras.training import Trainer


class Model(Layer):
    """A layer that can be trained by itself."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args or "inputs" in kwargs:
            raise NotImplementedError(
                "models from symbolic inputs are not in srcad.tf: subclass tf.keras.Model and "
                "write call(), or use tf.keras.Sequential"
            )
        super().__init__(**kwargs)
        self.optimizer: Any = None
        self.loss: Any = None
        self.stop_training = False
        self.history: Any = None

    @property
    def layers(self) -> list[Layer]:
        """The layers inside."""
        return list(self._inner_layers())

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by name or number."""
        if index is not None:
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Existing layers are: {self.layers}.")

    def build(self, input_shape: Any) -> None:
        """Make all weights by calling the model on zeros."""
        self.built = True
        if isinstance(input_shape, TensorShape) and input_shape.is_fully_defined():
            return
        dims = [d or 1 for d in input_shape]
        self(np.zeros(dims, np.float32))

    # training
    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: Any = None,
        **kwargs: Any,
    ) -> None:
        """State how to train."""
        self.optimizer = optimizers.get(optimizer)
        self.loss = _as_loss(loss)
        self._wanted_metrics = list(nest.flatten(metrics)) if metrics is not None else []
        self._own_metrics: Any = None
        self._own_mean = _mean_loss()

    def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The loss of a batch, penalties included."""
        total = None
        if self.loss is not None:
            total = self.loss(y, y_pred, sample_weight)
        for penalty in self.losses:
            total = penalty if total is None else total + penalty
        if total is None:
            raise ValueError("No loss found. You may have forgotten to call `compile(loss=...)`.")
        return total

    def train_step(self, data: Any) -> dict[str, Any]:
        """One optimizer step on a batch; gives the running metrics."""
        x, y, weight = unpack_x_y_sample_weight(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred, weight)
        self.optimizer.minimize(loss, self.trainable_variables, tape=tape)
        return self._updated(loss, y, y_pred, weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """The metrics of a batch, without training."""
        x, y, weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        return self._updated(self.compute_loss(x, y, y_pred, weight), y, y_pred, weight)

    def predict_step(self, data: Any) -> Any:
        """The outputs of a batch."""
        return self(unpack_x_y_sample_weight(data)[0], training=False)

    def _updated(self, loss: Any, y: Any, y_pred: Any, weight: Any) -> dict[str, Any]:
        if self._own_metrics is None:
            self._own_metrics = [_as_metric(m, y, y_pred) for m in self._wanted_metrics]
        self._own_mean.update_state(loss, _rows(y_pred))
        found = {"loss": self._own_mean.result()}
        for m in self._own_metrics:
            m.update_state(y, y_pred, weight)
            found[m.name] = m.result()
        return found

    @property
    def metrics(self) -> list[Any]:
        """The mean loss and the compiled metrics."""
        if self.optimizer is None:
            return []
        return [self._own_mean, *(self._own_metrics or [])]

    @property
    def metrics_names(self) -> list[str]:
        """Their names."""
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        """Start the metrics anew."""
        for m in self.metrics:
            m.reset_state()

    def fit(self, x: Any = None, y: Any = None, **options: Any) -> Any:
        """Train; see ``training.Trainer.fit`` for the options."""
        if self.optimizer is None:
            raise RuntimeError(
                "You must compile your model before training/testing. Use `model.compile(optimizer,"
                " loss)`."
            )
        return Trainer(self).fit(x, y, **options)

    def evaluate(self, x: Any = None, y: Any = None, **options: Any) -> Any:
        """Loss and metrics on data."""
        return Trainer(self).evaluate(x, y, **options)

    def predict(self, x: Any, **options: Any) -> Any:
        """The outputs as arrays."""
        return Trainer(self).predict(x, **options)

    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kw: Any) -> Any:
        """One step; gives the loss, and metrics if there are any."""
        self.reset_metrics()
        return _listed(self.train_step(tuple(map(_tensor, (x, y, sample_weight)))))

    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, **kw: Any) -> Any:
        """Loss and metrics of one batch."""
        self.reset_metrics()
        return _listed(self.test_step(tuple(map(_tensor, (x, y, sample_weight)))))

    # state
    def save_weights(self, filepath: str, **kwargs: Any) -> None:
        """Write all variables to an ``.npz`` file."""
        arrays = {f"w{i}": v._value for i, v in enumerate(self.weights)}
        np.savez(_npz(filepath), **arrays)

    def load_weights(self, filepath: str, **kwargs: Any) -> None:
        """Read all variables from an ``.npz`` file."""
        with np.load(_npz(filepath), allow_pickle=False) as found:
            self.set_weights([found[f"w{i}"] for i in range(len(found.files))])

    def summary(self, print_fn: Any = print, **kwargs: Any) -> None:
        """Print layers and numbers of parameters."""
        print_fn(f'Model: "{self.name}"')
        for layer in self.layers:
            shown = f"{layer.name} ({type(layer).__name__})"
            print_fn(f" {shown:<40} {layer.count_params():>12,}")
        print_fn(f"Total params: {self.count_params():,}")


class Sequential(Model):
    """Layers one after the other."""

    def __init__(self, layers: Any = None, name: str | None = None) -> None:
        super().__init__(name=name)
        for layer in layers or []:
            self.add(layer)

    def add(self, layer: Any) -> None:
        """Put a layer at the end."""
        if not isinstance(layer, Layer):
            raise TypeError(
                f"The added layer must be an instance of class Layer. Received: layer={layer} of "
                f"type {type(layer)}."
            )
        given = getattr(layer, "given", None) or layer._given_shape
        self._layers.append(layer)
        if len(self._layers) == 1 and given is not None:
            self._first_shape = tuple(given)
        if hasattr(self, "_first_shape"):
            self.built = True
            self(np.zeros((1, *(d or 1 for d in self._first_shape)), np.float32))

    def pop(self) -> None:
        """Take the last layer away."""
        self._layers.pop()

    def call(self, inputs: Any, training: Any = None) -> Any:
        """Compute the outputs."""
        x = inputs
        for layer in self._layers:
            x = layer(x) if training is None else layer(x, training=training)
        return x

    @property
    def layers(self) -> list[Layer]:
        """The layers, without the input layer."""
        return [x for x in self._layers if type(x).__name__ != "InputLayer"]


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and weights of a batch."""
    if not isinstance(data, tuple | list):
        return data, None, None
    return (*data, *(None,) * (3 - len(data)))  # type: ignore[return-value]


def _rows(y_pred: Any) -> float:
    """The size of a batch: what its mean loss weighs."""
    first = nest.flatten(y_pred)[0]
    return float(first._value.shape[0]) if first._value.shape else 1.0


def _tensor(value: Any) -> Any:
    return None if value is None else nest.map_structure(to_tensor, value)


def _listed(found: dict[str, Any]) -> Any:
    values = [float(v) for v in found.values()]
    return values[0] if len(values) == 1 else values


def _npz(path: str) -> str:
    return path if str(path).endswith(".npz") else f"{path}.npz"


def _mean_loss() -> Any:
    return metrics.Mean(name="loss")


def _as_loss(loss: Any) -> Any:
    if loss is None or isinstance(loss, losses.Loss):
        return loss
    return losses.LossFunctionWrapper(losses.get(loss))


def _as_metric(wanted: Any, y: Any, y_pred: Tensor) -> Any:
    """The metric meant; ``"accuracy"`` depends on the shapes of targets and predictions."""
    if wanted not in ("accuracy", "acc") if isinstance(wanted, str) else True:
        made = metrics.get(wanted)
        if isinstance(wanted, str):
            made.name = wanted
        return made
    width, rank = y_pred._value.shape[-1], y_pred.ndim
    if width == 1:
        return metrics.BinaryAccuracy(name=wanted)
    same = y.ndim == rank and y._value.shape[-1] == width
    kind = metrics.CategoricalAccuracy if same else metrics.SparseCategoricalAccuracy
    return kind(name=wanted)
