"""``keras.optimizers``: the recurrences of TensorFlow's optimizers, on NumPy values.

In: gradients and variables.  Out: updated variables; slots are variables, made at the first
update.  Arithmetic is that of TensorFlow, in the variables' own type and in its order of
operations, so trajectories agree to the last digits.  Nothing here is recorded by tapes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.tape.convert import to_tensor
from srcad.tape.gradient_tape import GradientTape
from srcad.tape.mathops import clip_by_global_norm, clip_by_norm
from srcad.tape.tensor import Tensor
from srcad.tape.variable import Variable
from srcad.tf.keras import schedules
from srcad.tf.keras.named import found
from srcad.tf.missing import missing

LOG = logging.getLogger("srcad")


class Optimizer:
    """The base class: ``update`` of a subclass changes one variable.

    ``lr`` is the older name of ``learning_rate`` and is honoured.
    """

    slots: tuple[str, ...] = ()

    def __init__(
        self,
        learning_rate: Any,
        name: str | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        weight_decay: float | None = None,
        **older: Any,
    ) -> None:
        rate = older.pop("lr", learning_rate)
        self._decay = older.pop("decay", 0.0)
        for ignored in ("use_ema", "ema_momentum", "ema_overwrite_frequency", "jit_compile"):
            if older.pop(ignored, None):
                raise NotImplementedError(f"optimizers have no option {ignored!r} here")
        if older:
            raise TypeError(f"{type(self).__name__} has no argument {next(iter(older))!r}")
        self.name = name or type(self).__name__
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.weight_decay = weight_decay
        self.iterations = Variable(np.int64(0), trainable=False, name="iteration")
        self._state: dict[int, tuple[Variable, dict[str, Variable]]] = {}
        self._set_rate(rate)

    def _set_rate(self, rate: Any) -> None:
        if isinstance(rate, schedules.LearningRateSchedule) or (
            callable(rate) and not hasattr(rate, "__tape_tensor__")
        ):
            self._rate: Any = rate
        else:
            value = np.float32(float(rate))
            if isinstance(getattr(self, "_rate", None), Variable):
                self._rate.assign(value)  # compiled functions read this variable
            else:
                self._rate = Variable(value, trainable=False, name="learning_rate")

    @property
    def learning_rate(self) -> Any:
        """The rate: a variable, or the current value of a schedule."""
        return self._rate if isinstance(self._rate, Variable) else self._current()

    @learning_rate.setter
    def learning_rate(self, rate: Any) -> None:
        self._set_rate(rate)

    lr = learning_rate

    def _current(self) -> Tensor:
        if isinstance(self._rate, schedules.LearningRateSchedule):
            return to_tensor(self._rate(self.iterations))
        return to_tensor(self._rate())

    def _rate_now(self) -> Any:
        rate = self._rate._value if isinstance(self._rate, Variable) else self._current()._value
        if self._decay:
            rate = rate / np.float32(1 + self._decay * int(self.iterations._value))
        return rate

    # use
    def apply_gradients(self, grads_and_vars: Any, name: str | None = None, **kw: Any) -> Any:
        """Update variables by gradients; those without one are left out with a warning."""
        pairs = [(g, v) for g, v in grads_and_vars]
        kept = [(g, v) for g, v in pairs if g is not None]
        if not kept:
            names = [v.name for _, v in pairs]
            raise ValueError(
                f"No gradients provided for any variable: ({names},). Provided `grads_and_vars` "
                f"is {tuple(pairs)}."
            )
        if len(kept) < len(pairs):
            lost = [v.name for g, v in pairs if g is None]
            LOG.warning("Gradients do not exist for variables %s when minimizing the loss.", lost)
        grads = self._clipped([to_tensor(g) for g, _ in kept])
        rate = self._rate_now()
        self.step = self.iterations._value + 1
        with np.errstate(all="ignore"):
            for g, (_, v) in zip(grads, kept, strict=True):
                self._apply(v, g._value, rate.astype(v._value.dtype))
        self.iterations.store(self.iterations._value + 1)
        return self.iterations

    def _apply(self, v: Variable, g: Any, rate: Any) -> None:
        if self.weight_decay:
            decay = rate.dtype.type(self.weight_decay)
            v.store(v._value - v._value * decay * rate)
        value = self.update(v._value, g, rate, self._slots_of(v) if self.slots else {})
        v.store(value)
        if v.constraint is not None:
            v.assign(v.constraint(v._now()))

    def _clipped(self, grads: list[Tensor]) -> list[Tensor]:
        if self.clipnorm:
            return [clip_by_norm(g, self.clipnorm) for g in grads]
        if self.global_clipnorm:
            return clip_by_global_norm(grads, self.global_clipnorm)[0]
        if self.clipvalue:
            limit = self.clipvalue
            return [Tensor(np.clip(g._value, -limit, limit)) for g in grads]
        return grads

    def minimize(
        self, loss: Any, var_list: Any = None, tape: Any = None, name: Any = None, **kw: Any
    ) -> Any:
        """One step for a loss function, or for a loss recorded on a given tape."""
        if callable(loss):
            tape = GradientTape()
            with tape:
                loss = loss()
        elif tape is None:
            raise ValueError("`tape` is required when a `Tensor` loss is passed.")
        variables = list(var_list() if callable(var_list) else var_list or tape.watched_variables())
        grads = tape.gradient(loss, variables)
        return self.apply_gradients(zip(grads, variables, strict=True))

    # state
    def update(self, value: Any, g: Any, rate: Any, slots: dict[str, Variable]) -> Any:
        """The new value of one variable."""
        raise NotImplementedError

    def initial(self, slot: str, value: Any) -> Any:
        """The start value of a slot."""
        return np.zeros_like(value)

    def build(self, var_list: Any) -> None:
        """Make the slots of variables."""
        for v in var_list:
            self._slots_of(v)

    def _slots_of(self, v: Variable) -> dict[str, Variable]:
        if id(v) not in self._state:
            base = v.name.removesuffix(":0")
            made = {
                s: Variable(self.initial(s, v._value), trainable=False, name=f"{base}/{s}")
                for s in self.slots
            }
            self._state[id(v)] = (v, made)
        return self._state[id(v)][1]

    @property
    def variables(self) -> list[Variable]:
        """The state: the iteration, and all slots."""
        return [self.iterations, *(s for _, made in self._state.values() for s in made.values())]

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        plain = bool | int | float | str | None
        own = {k: v for k, v in vars(self).items() if k[0] != "_" and isinstance(v, plain)}
        own.pop("step", None)
        return own | {"learning_rate": float(self._rate_now())}


def _put(slots: dict[str, Variable], name: str, value: Any) -> Any:
    slots[name].store(value)
    return value


def _towards(old: Any, new: Any, share: Any) -> Any:
    """old + (new - old) share, with one temporary."""
    moved = new - old
    moved *= share
    moved += old
    return moved


class SGD(Optimizer):
    """v - rate g; with momentum m = momentum m - rate g, v + m (or, after Nesterov, one ahead)."""

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str = "SGD",
        **kw: Any,
    ) -> None:
        if not 0 <= momentum <= 1:
            raise ValueError("`momentum` must be between [0, 1].")
        super().__init__(learning_rate, name, **kw)
        self.momentum, self.nesterov = momentum, nesterov
        self.slots = ("m",) if momentum else ()

    def update(self, value: Any, g: Any, rate: Any, slots: dict[str, Variable]) -> Any:
        """The new value of one variable."""
        if not self.momentum:
            return value - rate * g
        momentum = rate.dtype.type(self.momentum)
        m = _put(slots, "m", slots["m"]._value * momentum - rate * g)
        return value + (m * momentum - rate * g if self.nesterov else m)


class Adam(Optimizer):
    """Kingma & Ba, "Adam" (2015), with the bias corrections in the step size."""

    slots: tuple[str, ...] = ("m", "v")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        name: str = "Adam",
        **kw: Any,
    ) -> None:
        super().__init__(learning_rate, name, **kw)
        self.beta_1, self.beta_2, self.epsilon, self.amsgrad = beta_1, beta_2, epsilon, amsgrad
        if amsgrad:
            self.slots = ("m", "v", "vhat")

    def update(self, value: Any, g: Any, rate: Any, slots: dict[str, Variable]) -> Any:
        """The new value of one variable."""
        kind = rate.dtype.type
        b1, b2, step = kind(self.beta_1), kind(self.beta_2), self.step.astype(kind)
        alpha = rate * np.sqrt(kind(1) - b2**step) / (kind(1) - b1**step)
        m = _put(slots, "m", _towards(slots["m"]._value, g, kind(1 - self.beta_1)))
        v = _put(slots, "v", _towards(slots["v"]._value, g * g, kind(1 - self.beta_2)))
        if self.amsgrad:
            v = _put(slots, "vhat", np.maximum(slots["vhat"]._value, v))
        root = np.sqrt(v)
        root += kind(self.epsilon)
        step = m * alpha
        step /= root
        return value - step


class AdamW(Adam):
    """Adam, after the variable has been shrunk by ``weight_decay`` times the rate."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        name: str = "AdamW",
        **kw: Any,
    ) -> None:
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, name, weight_decay=weight_decay, **kw
        )


class RMSprop(Optimizer):
    """Gradients over the root of their mean square; optionally centered, with momentum."""

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        name: str = "RMSprop",
        **kw: Any,
    ) -> None:
        super().__init__(learning_rate, name, **kw)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered
        self.slots = ("v", *(["m"] if momentum else []), *(["mean"] if centered else []))

    def update(self, value: Any, g: Any, rate: Any, slots: dict[str, Variable]) -> Any:
        """The new value of one variable."""
        kind = rate.dtype.type
        rho, new = kind(self.rho), kind(1 - self.rho)
        square = _put(slots, "v", rho * slots["v"]._value + new * (g * g))
        if self.centered:
            mean = _put(slots, "mean", rho * slots["mean"]._value + new * g)
            square = square - mean * mean
        step = rate * g / np.sqrt(square + kind(self.epsilon))
        if self.momentum:
            step = _put(slots, "m", kind(self.momentum) * slots["m"]._value + step)
        return value - step


class Adagrad(Optimizer):
    """Gradients over the root of the sum of their squares."""

    slots = ("accumulator",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        name: str = "Adagrad",
        **kw: Any,
    ) -> None:
        super().__init__(learning_rate, name, **kw)
        self.start, self.epsilon = initial_accumulator_value, epsilon

    def initial(self, slot: str, value: Any) -> Any:
        """The start value of a slot."""
        return np.full_like(value, self.start)

    def update(self, value: Any, g: Any, rate: Any, slots: dict[str, Variable]) -> Any:
        """The new value of one variable."""
        total = _put(slots, "accumulator", slots["accumulator"]._value + g * g)
        return value - rate * g / np.sqrt(total + rate.dtype.type(self.epsilon))


class Adamax(Adam):
    """Adam with the maximum norm."""

    slots = ("m", "u")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        name: str = "Adamax",
        **kw: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, False, name, **kw)

    def update(self, value: Any, g: Any, rate: Any, slots: dict[str, Variable]) -> Any:
        """The new value of one variable."""
        kind = rate.dtype.type
        m = _put(slots, "m", _towards(slots["m"]._value, g, kind(1 - self.beta_1)))
        u = _put(slots, "u", np.maximum(kind(self.beta_2) * slots["u"]._value, np.abs(g)))
        rest = kind(1) - kind(self.beta_1) ** self.step.astype(kind)
        return value - (rate * m) / (rest * (u + kind(self.epsilon)))


class Adadelta(Optimizer):
    """Steps scaled by the ratio of running means of squared steps and gradients."""

    slots = ("square", "delta")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        name: str = "Adadelta",
        **kw: Any,
    ) -> None:
        super().__init__(learning_rate, name, **kw)
        self.rho, self.epsilon = rho, epsilon

    def update(self, value: Any, g: Any, rate: Any, slots: dict[str, Variable]) -> Any:
        """The new value of one variable."""
        kind = rate.dtype.type
        rho, new, eps = kind(self.rho), kind(1 - self.rho), kind(self.epsilon)
        square = _put(slots, "square", rho * slots["square"]._value + new * g * g)
        old = slots["delta"]._value
        delta = np.sqrt(old + eps) / np.sqrt(square + eps) * g
        _put(slots, "delta", rho * old + new * delta * delta)
        return value - rate * delta


TABLE: dict[str, Callable[..., Any]] = {
    c.__name__.lower(): c for c in (SGD, Adam, AdamW, RMSprop, Adagrad, Adamax, Adadelta)
}


def get(identifier: Any) -> Any:
    """The optimizer meant by a name, class or object."""
    return found("optimizer", identifier, TABLE)


__getattr__ = missing("tf.keras.optimizers", lambda: globals())
