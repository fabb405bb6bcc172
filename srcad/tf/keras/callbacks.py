"""``keras.callbacks``: what listens to training."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from srcad.tf.missing import missing

EVENTS = (
    *("on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end"),
    *("on_train_batch_begin", "on_train_batch_end", "on_test_batch_begin", "on_test_batch_end"),
)


class Callback:
    """The base class: override what you want to hear."""

    model: Any = None
    params: dict[str, Any] = {}  # noqa: RUF012

    def set_model(self, model: Any) -> None:
        """The model in training."""
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        """The number of epochs, and the like."""
        self.params = params

    def __getattr__(self, name: str) -> Any:
        if name in EVENTS:
            return lambda *args, **kwargs: None
        raise AttributeError(name)


class CallbackList:
    """Passes events on to all callbacks."""

    def __init__(self, callbacks: list[Any], model: Any, epochs: int) -> None:
        self.callbacks = callbacks
        for c in callbacks:
            c.set_model(model)
            c.set_params({"epochs": epochs})

    def call(self, event: str, *args: Any) -> None:
        """One event."""
        for c in self.callbacks:
            getattr(c, event)(*args)


class History(Callback):
    """Keeps the metrics of every epoch."""

    def __init__(self) -> None:
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """An epoch has ended."""
        self.epoch.append(epoch)
        for k, v in (logs or {}).items():
            self.history.setdefault(k, []).append(v)


class LambdaCallback(Callback):
    """Functions given as arguments."""

    def __init__(self, **functions: Callable[..., Any]) -> None:
        for event, f in functions.items():
            setattr(self, event, f)


class EarlyStopping(Callback):
    """Stops when a metric no longer improves."""

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: Any = None,
        restore_best_weights: bool = False,
    ) -> None:
        self.monitor, self.min_delta, self.patience = monitor, abs(min_delta), patience
        larger = mode == "max" or (mode == "auto" and "acc" in monitor)
        self.sign = -1.0 if larger else 1.0
        self.restore, self.weights = restore_best_weights, None
        self.best, self.wait = math.inf if baseline is None else self.sign * baseline, 0

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """An epoch has ended."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            return
        if self.sign * value < self.best - self.min_delta:
            self.best, self.wait = self.sign * value, 0
            self.weights = self.model.get_weights() if self.restore else None
            return
        self.wait += 1
        if self.wait >= max(self.patience, 1):
            self.model.stop_training = True
            if self.weights is not None:
                self.model.set_weights(self.weights)


class LearningRateScheduler(Callback):
    """Sets the learning rate at the start of every epoch."""

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        self.schedule = schedule

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """An epoch begins."""
        optimizer = self.model.optimizer
        optimizer.learning_rate = float(self.schedule(epoch, float(optimizer.learning_rate)))


__getattr__ = missing("tf.keras.callbacks", lambda: globals())
