"""``keras.optimizers.schedules``: learning rates that depend on the number of steps (float32)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srcad.tape.tensor import Tensor


class LearningRateSchedule:
    """A function of the step."""

    def __call__(self, step: Any) -> Any:
        raise NotImplementedError("Learning rate schedule must override __call__")


class _Formula(LearningRateSchedule):
    def __call__(self, step: Any) -> Tensor:
        return Tensor(np.float32(self.rate(float(step))))

    def rate(self, step: float) -> float:
        """The learning rate at a step."""
        raise NotImplementedError


class ExponentialDecay(_Formula):
    """rate * decay_rate^(step / decay_steps)."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps, self.decay_rate, self.staircase = decay_steps, decay_rate, staircase

    def rate(self, step: float) -> float:
        """The learning rate at a step."""
        p = step / self.decay_steps
        p = math.floor(p) if self.staircase else p
        return self.initial_learning_rate * self.decay_rate**p


class InverseTimeDecay(ExponentialDecay):
    """rate / (1 + decay_rate step / decay_steps)."""

    def rate(self, step: float) -> float:
        """The learning rate at a step."""
        p = step / self.decay_steps
        p = math.floor(p) if self.staircase else p
        return self.initial_learning_rate / (1 + self.decay_rate * p)


class PiecewiseConstantDecay(_Formula):
    """Constant between boundaries."""

    def __init__(self, boundaries: Any, values: Any, name: str | None = None) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "The length of boundaries should be 1 less than the length of values. Received: "
                f"boundaries={boundaries} of length {len(boundaries)}, and values={values} of "
                f"length {len(values)}."
            )
        self.boundaries, self.values = list(boundaries), list(values)

    def rate(self, step: float) -> float:
        """The learning rate at a step."""
        return self.values[sum(step > b for b in self.boundaries)]


class PolynomialDecay(_Formula):
    """From the initial rate to the end rate along a power."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = None,
    ) -> None:
        self.initial_learning_rate, self.decay_steps = initial_learning_rate, decay_steps
        self.end_learning_rate, self.power, self.cycle = end_learning_rate, power, cycle

    def rate(self, step: float) -> float:
        """The learning rate at a step."""
        steps = float(self.decay_steps)
        if self.cycle:
            steps *= max(1, math.ceil(step / steps))
        else:
            step = min(step, steps)
        span = self.initial_learning_rate - self.end_learning_rate
        return span * (1 - step / steps) ** self.power + self.end_learning_rate


class CosineDecay(_Formula):
    """Half a cosine from the initial rate down to ``alpha`` of it, after an optional warm-up."""

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str | None = None,
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate, self.decay_steps, self.alpha = (
            initial_learning_rate,
            decay_steps,
            alpha,
        )
        self.warmup_target, self.warmup_steps = warmup_target, warmup_steps

    def rate(self, step: float) -> float:
        """The learning rate at a step."""
        top = self.initial_learning_rate
        if self.warmup_target is not None:
            if step < self.warmup_steps:
                return top + (self.warmup_target - top) * step / self.warmup_steps
            top, step = self.warmup_target, step - self.warmup_steps
        p = min(step, self.decay_steps) / self.decay_steps
        cosine = 0.5 * (1 + math.cos(math.pi * p))
        return top * ((1 - self.alpha) * cosine + self.alpha)
