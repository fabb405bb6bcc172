"""``tf.keras``: models, layers, losses, metrics and optimizers with the semantics of Keras 2."""

from srcad.tf.keras import (
    activations,
    callbacks,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    utils,
)
from srcad.tf.keras.models import Model, Sequential
from srcad.tf.keras.utils import backend
from srcad.tf.missing import missing

__all__ = [
    "Model",
    "Sequential",
    "activations",
    "backend",
    "callbacks",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "regularizers",
    "utils",
]
__getattr__ = missing(
    "tf.keras",
    lambda: globals(),
    {
        "Input": "subclass tf.keras.Model and write call(), or use tf.keras.Sequential",
        "datasets": "load the data with NumPy",
        "applications": "define the model and load weights with load_weights",
    },
)
