"""``Layer``: what has weights, is built at its first call, and finds the layers inside it.

Weights and layers are found by assigning them to attributes, in order of assignment; lists,
tuples and dictionaries of them count.  ``training`` reaches inner layers if the outer call
states it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np

from srcad.tape import nest
from srcad.tape.convert import is_tensor_like, to_tensor
from srcad.tape.dtypes import as_dtype
from srcad.tape.mathops import cast
from srcad.tape.shapes import TensorShape
from srcad.tape.variable import Variable
from srcad.tf.keras import initializers, regularizers
from srcad.tf.keras.named import unique_name
from srcad.tf.module import Module

_CALLS: list[tuple[str, Any]] = []  # names and training flags of the calls we are inside


class Layer(Module):
    """The base class of layers and models."""

    _weights: list[Variable]
    _layers: list[Layer]
    _own_losses: list[Any]

    def __init__(
        self,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
        dynamic: bool = False,
        **kwargs: Any,
    ) -> None:
        shape = kwargs.pop("input_shape", None)
        if "input_dim" in kwargs:
            shape = (kwargs.pop("input_dim"),)
        if "batch_input_shape" in kwargs:
            shape = tuple(kwargs.pop("batch_input_shape"))[1:]
        if kwargs:
            raise TypeError(f"Keyword argument not understood: {next(iter(kwargs))}")
        set_ = super().__setattr__
        set_("_weights", [])
        set_("_layers", [])
        set_("_own_losses", [])
        self._name = name or unique_name(type(self).__name__)
        self._dtype = as_dtype(dtype or "float32")
        self._trainable = trainable
        self._given_shape = shape
        self.built = False

    # what is inside
    def __setattr__(self, name: str, value: Any) -> None:
        if "_layers" not in vars(self) and name != "_name":
            if isinstance(value, Layer | Variable):
                raise RuntimeError(
                    "It looks like you are subclassing `Model` and you forgot to call "
                    "`super().__init__()`. Always start with this line."
                )
        super().__setattr__(name, value)
        if "_layers" in vars(self) and not name.startswith("_own"):
            self._track(value)

    def _track(self, value: Any) -> None:
        if isinstance(value, Variable):
            if all(v is not value for v in self._weights):
                self._weights.append(value)
        elif isinstance(value, Layer):
            if all(x is not value for x in self._layers):
                self._layers.append(value)
        elif isinstance(value, list | tuple):
            if value is not self._weights and value is not self._layers:
                for part in value:
                    self._track(part)
        elif isinstance(value, Mapping):
            for key in value:
                self._track(value[key])

    def _inner_layers(self) -> list[Layer]:
        """The layers inside, those put into lists later included."""
        for value in list(vars(self).values()):
            if isinstance(value, list) and value is not self._layers and value is not self._weights:
                self._track(value)
        return self._layers

    @property
    def trainable(self) -> bool:
        """Whether the weights are to be trained."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self._inner_layers():
            layer.trainable = value

    @property
    def weights(self) -> list[Variable]:
        """All variables: the trainable ones first."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The variables to be trained."""
        if not self._trainable:
            return []
        own = [v for v in self._weights if v.trainable]
        return _once(own + [v for x in self._inner_layers() for v in x.trainable_weights])

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The other variables."""
        own = [v for v in self._weights if not (v.trainable and self._trainable)]
        inner = [
            v
            for x in self._inner_layers()
            for v in (x.non_trainable_weights if self._trainable else x.weights)
        ]
        return _once(own + inner)

    variables = weights  # type: ignore[assignment]
    trainable_variables = trainable_weights  # type: ignore[assignment]
    non_trainable_variables = non_trainable_weights  # type: ignore[assignment]

    @property
    def dtype(self) -> str:
        """The name of the weights' type."""
        return self._dtype.name

    @property
    def losses(self) -> list[Any]:
        """Penalties: those added in calls, and of regularized weights."""
        found = [f() if callable(f) else f for f in self._own_losses]
        return found + [loss for x in self._inner_layers() for loss in x.losses]

    def add_loss(self, losses: Any, **kwargs: Any) -> None:
        """Add penalties to the training loss."""
        self._own_losses.extend(nest.flatten(losses))

    def add_weight(
        self,
        name: str | None = None,
        shape: Any = (),
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
        **kwargs: Any,
    ) -> Variable:
        """A new variable."""
        kind = as_dtype(dtype or self._dtype)
        make = initializers.get(initializer or "glorot_uniform")
        scope = "/".join([*[n for n, _ in _CALLS], "" if _CALLS else self._name]).strip("/")
        scope = scope if scope.endswith(self._name) else f"{scope}/{self._name}"
        v = Variable(make(shape, kind), trainable, name=f"{scope}/{name or 'Variable'}")
        v.constraint = constraint
        self._track(v)
        penalty = regularizers.get(regularizer)
        if penalty is not None:
            self._own_losses.append(lambda: penalty(v))
        return v

    def build(self, input_shape: Any) -> None:
        """Make the weights for a shape of inputs."""
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs."""
        return inputs

    # calling
    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        inputs = nest.map_structure(self._as_input, inputs)
        kwargs = self._with_training(args, kwargs)
        _CALLS.append((self._name, kwargs.get("training", _training())))
        try:
            self._own_losses[:] = [f for f in self._own_losses if callable(f)]
            if not self.built:
                self.build(_shapes(inputs))
                self.built = True
            return self.call(inputs, *args, **kwargs)
        finally:
            _CALLS.pop()

    def _as_input(self, x: Any) -> Any:
        if not is_tensor_like(x) and not isinstance(x, np.ndarray | float | int | list):
            return x
        t = to_tensor(x)
        return cast(t, self._dtype) if t.dtype.is_floating and t.dtype != self._dtype else t

    def _with_training(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        names = list(inspect.signature(self.call).parameters)
        if "training" not in names or "training" in kwargs or names.index("training") <= len(args):
            if "training" in kwargs and "training" not in names:
                kwargs = {k: v for k, v in kwargs.items() if k != "training"}
            return kwargs
        state = _training()
        return kwargs if state is None else {**kwargs, "training": state}

    # state
    def get_weights(self) -> list[Any]:
        """All variables as arrays."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Replace all variables."""
        own = self.weights
        if len(own) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer {self._name!r} with a weight list of "
                f"length {len(weights)}, but the layer was expecting {len(own)} weights."
            )
        for v, w in zip(own, weights, strict=True):
            v.assign(np.asarray(w, v._value.dtype))

    def count_params(self) -> int:
        """The number of elements of all variables."""
        return sum(int(v._value.size) for v in self.weights)

    def get_config(self) -> dict[str, Any]:
        """The arguments that the layer was made with."""
        config = {"name": self._name, "trainable": self._trainable, "dtype": self.dtype}
        for key in inspect.signature(type(self).__init__).parameters:
            if key in vars(self):
                value = vars(self)[key]
                config[key] = value.__name__ if inspect.isfunction(value) else value
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        """A layer made with these arguments."""
        return cls(**config)


def _training() -> Any:
    return _CALLS[-1][1] if _CALLS else None


def _once(variables: list[Variable]) -> list[Variable]:
    return list({id(v): v for v in variables}.values())


def _shapes(inputs: Any) -> Any:
    """The shape of an input, or a list of shapes."""
    if nest.is_nested(inputs):
        return nest.map_structure(lambda x: TensorShape(x.shape), inputs)
    return inputs.shape if is_tensor_like(inputs) else None
