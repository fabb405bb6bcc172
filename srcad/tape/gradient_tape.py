"""``GradientTape``: records operations, then pulls cotangents back through them.

A tape tracks watched tensors and everything computed from them (``tracked``, by identity), and
keeps one entry per operation on them.  Variables are watched when they are read: what was read
is the tensor that takes part, so a later assignment changes nothing.  Gradients are dense and
have the type of their source.
"""

from __future__ import annotations

import enum
import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from srcad.tape import nest
from srcad.tape.convert import is_tensor_like, to_tensor
from srcad.tape.elementwise import ones_like, zeros_like
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.shaping import broadcast_to
from srcad.tape.state import STATE
from srcad.tape.sweep import sweep
from srcad.tape.tensor import Tensor

LOG = logging.getLogger("srcad")
ONCE = (
    "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)"
)
INSIDE = (
    "Calling GradientTape.gradient on a persistent tape inside its context is significantly less "
    "efficient than calling it outside the context (it causes the gradient ops to be recorded on "
    "the tape, leading to increased CPU and memory usage). Only call GradientTape.gradient inside "
    "the context if you actually want to trace the gradient in order to compute higher order "
    "derivatives."
)


class UnconnectedGradients(enum.Enum):
    """What a gradient is where the target does not depend on the source."""

    NONE = "none"
    ZERO = "zero"


class GradientTape:
    """Records operations for differentiation.

    Args:
        persistent: whether gradients may be asked for more than once.
        watch_accessed_variables: whether trainable variables are watched when read.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent = persistent
        self.watch_accessed_variables = watch_accessed_variables
        self._recording = False
        self._spent = True  # nothing to differentiate: not yet, or no longer
        self._clear()

    def _clear(self) -> None:
        self.tracked: dict[int, Tensor] = {}
        self.entries: list[Any] = []
        self.reads: dict[int, list[Tensor]] = {}  # by variable: the tensors read from it
        self.chosen: dict[int, Any] = {}  # variables watched by name
        self.watched: dict[int, Any] = {}  # variables watched so far

    # recording
    def __enter__(self) -> GradientTape:
        self._push()
        return self

    def __exit__(self, *error: object) -> None:
        if self._recording:
            self._pop()

    def _push(self) -> None:
        if self._recording:
            raise ValueError(
                "Tape is still recording, This can happen if you try to re-enter an already-active "
                "tape."
            )
        if self._spent:
            self._spent = False
            self._clear()
        STATE.tapes.append(self)
        self._recording = True

    def _pop(self) -> None:
        if not self._recording:
            raise ValueError("Tape is not recording.")
        STATE.tapes.remove(self)
        self._recording = False

    def watch(self, tensor: Any) -> None:
        """Track a tensor, a variable, or all in a nested structure."""
        if self._spent:
            raise RuntimeError("a tape watches inside of its context: write `with tape:` around it")
        for t in nest.flatten(tensor):
            if not is_tensor_like(t):
                raise ValueError(
                    f"Passed in object {t} of type {type(t).__name__!r}, not tf.Tensor or "
                    "tf.Variable or ExtensionType."
                )
            if not t.dtype.is_floating:
                LOG.warning(
                    "The dtype of the watched tensor must be floating (e.g. tf.float32), got %r",
                    t.dtype,
                )
            elif type(t) is Tensor:
                self.tracked[id(t)] = t
            else:
                self.chosen[id(t)] = self.watched[id(t)] = t

    def see(self, variable: Any, tensor: Tensor) -> None:
        """A variable was read: ``tensor`` is its value."""
        if id(tensor) in self.tracked:
            return
        if (self.watch_accessed_variables and variable.trainable) or id(variable) in self.chosen:
            if tensor._value.dtype.kind == "f":
                self.tracked[id(tensor)] = tensor
                self.reads.setdefault(id(variable), []).append(tensor)
            self.watched[id(variable)] = variable

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """A block that this tape does not record."""
        if not self._recording:
            raise RuntimeError("Trying to stop recording a tape which is not recording.")
        self._pop()
        try:
            yield
        finally:
            self._push()

    def reset(self) -> None:
        """Forget everything recorded and watched."""
        self._pop()
        self._clear()
        self._push()

    def watched_variables(self) -> tuple[Any, ...]:
        """The variables watched so far, in the order in which they were made."""
        return tuple(sorted(self.watched.values(), key=lambda v: v._serial))

    # differentiation
    def gradient(
        self,
        target: Any,
        sources: Any,
        output_gradients: Any = None,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
    ) -> Any:
        """The derivative of the sum of all targets, in the structure of ``sources``."""
        zero = wants_zero(unconnected_gradients)
        self._start()
        targets = [self._as_target(t) for t in nest.flatten(target)]
        given = (
            [None] * len(targets) if output_gradients is None else nest.flatten(output_gradients)
        )
        seeds: dict[int, Any] = {}
        for t, g in itertools.zip_longest(targets, given[: len(targets)]):  # the others get ones
            if t._value.dtype.kind == "f":
                add_seed(seeds, t, g)
        flat = nest.flatten(sources)
        found = self.pulled(flat, seeds, 0, consume=not self.persistent)
        if not self.persistent:
            self._finish()
        if zero:
            pairs = zip(flat, found, strict=True)
            found = [zeros_like(s) if g is None else g for s, g in pairs]
        return nest.pack_sequence_as(sources, found)

    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The derivative of every element of the target, in the structure of ``sources``."""
        from srcad.tape.jacobian import jacobian

        return jacobian(self, target, sources, unconnected_gradients, experimental_use_pfor)

    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: Any = UnconnectedGradients.NONE,
        parallel_iterations: Any = None,
        experimental_use_pfor: bool = True,
    ) -> Any:
        """The Jacobian of every row, where rows do not depend on each other."""
        from srcad.tape.jacobian import batch_jacobian

        return batch_jacobian(self, target, source, unconnected_gradients, experimental_use_pfor)

    def pulled(
        self, sources: list[Any], seeds: dict[int, Any], lead: int, consume: bool = False
    ) -> list[Any]:
        """The cotangents of sources, ``None`` where nothing arrives."""
        read = [self._tensors_of(s) for s in sources]
        ids = [id(t) for ts in read for t in ts]
        known = [i for i in ids if i in self.tracked]
        if consume:
            self.tracked = {}
        grads = sweep(self.entries, known, seeds, lead, consume)
        found = []
        for tensors in read:
            parts = [grads[id(t)] for t in tensors if id(t) in grads]
            found.append(sum(parts[1:], parts[0]) if parts else None)
        return found

    def _tensors_of(self, source: Any) -> list[Tensor]:
        if not is_tensor_like(source):
            raise TypeError(f"gradient sources must be tensors or variables, not {source!r}")
        if not source.dtype.is_floating:
            LOG.warning(
                "The dtype of the source tensor must be floating (e.g. tf.float32) when calling "
                "GradientTape.gradient, got %r",
                source.dtype,
            )
            return []
        return [source] if type(source) is Tensor else self.reads.get(id(source), [])

    def _start(self) -> None:
        if self._spent:
            raise RuntimeError(ONCE)
        if self._recording:
            if self.persistent:
                LOG.warning(INSIDE)
            else:
                self._pop()

    def _finish(self) -> None:
        """Free what was recorded."""
        watched = self.watched
        self._clear()
        self.watched, self._spent = watched, True

    def _as_target(self, target: Any) -> Tensor:
        if not is_tensor_like(target):
            raise TypeError(
                "Argument `target` should be a list or nested structure of Tensors, Variables or "
                f"CompositeTensors to be differentiated, but received {target}."
            )
        if not target.dtype.is_floating:
            LOG.warning(
                "The dtype of the target tensor must be floating (e.g. tf.float32) when calling "
                "GradientTape.gradient, got %r",
                target.dtype,
            )
        if type(target) is Tensor:
            return target
        if self._recording:
            return to_tensor(target)
        self._push()
        try:
            return to_tensor(target)
        finally:
            self._pop()


def wants_zero(unconnected: Any) -> bool:
    """Whether unconnected sources get zeros instead of ``None``."""
    try:
        return UnconnectedGradients(unconnected) is UnconnectedGradients.ZERO
    except ValueError:
        raise ValueError(f"Unknown value for unconnected_gradients: {unconnected!r}") from None


def add_seed(seeds: dict[int, Any], target: Tensor, given: Any) -> None:
    """Enter the cotangent of a target: ones unless it is given."""
    seed = ones_like(target) if given is None else to_tensor(given, hint=target._value.dtype)
    if seed._value.shape != target._value.shape:
        try:
            seed = broadcast_to(seed, target._value.shape)
        except InvalidArgumentError:
            raise InvalidArgumentError(
                f"output_gradients of shape {list(seed._value.shape)} for a target of shape "
                f"{list(target._value.shape)}"
            ) from None
    old = seeds.get(id(target))
    seeds[id(target)] = seed if old is None else old + seed
