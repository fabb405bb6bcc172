"""``tf.random``: seeded random tensors.

The same seeds give the same numbers here, but not the numbers that TensorFlow draws.  A global
seed restarts all draws; an operation's own seed makes a stream of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from srcad.tape.convert import to_tensor
from srcad.tape.dtypes import as_dtype, float32, int64
from srcad.tape.emit import as_shape, plain
from srcad.tape.indexing import gather, stop_gradient
from srcad.tape.places import fetched
from srcad.tape.shaping import dims
from srcad.tape.state import STATE
from srcad.tape.tensor import Tensor, wrap
from srcad.tf.missing import missing
from srcad.tf.symbolic import NotTraceable


class Streams:
    """The global seed and the generators that follow from it."""

    def __init__(self) -> None:
        self.reset(None)

    def reset(self, seed: int | None) -> None:
        """Start anew from a global seed (``None``: unpredictable)."""
        self.seed = seed
        self.main = np.random.default_rng(seed)
        self.own: dict[Any, np.random.Generator] = {}

    def source(self, seed: Any = None) -> np.random.Generator:
        """The generator of an operation with this seed."""
        if STATE.trace is not None:
            raise NotTraceable("random numbers are drawn anew in every call")
        if seed is None:
            return self.main
        if self.seed is None:
            return self.own.setdefault(seed, np.random.default_rng(abs(int(seed))))
        start = [abs(int(self.seed)), abs(int(seed))]
        return self.own.setdefault(seed, np.random.default_rng(start))


GENERATOR = Streams()


def set_seed(seed: int) -> None:
    """Set the global seed."""
    GENERATOR.reset(int(seed))


def _parameter(x: Any) -> Any:
    """The value of a parameter, where the numbers are drawn: on the processor."""
    return fetched(to_tensor(x)._value)


def _made(values: Any, dtype: Any) -> Tensor:
    return wrap(np.asarray(values).astype(as_dtype(dtype)._np))


def _normal(rng: Any, shape: Any, mean: Any, stddev: Any, dtype: Any) -> Tensor:
    mean, stddev = _parameter(mean), _parameter(stddev)
    return _made(rng.standard_normal(as_shape(shape)) * stddev + mean, dtype)


def _uniform(rng: Any, shape: Any, low: Any, high: Any, dtype: Any) -> Tensor:
    low = plain(low)
    high = plain(high)
    if as_dtype(dtype).is_integer:
        if high is None:
            raise ValueError("Must specify maxval for integer dtype")
        return _made(rng.integers(low, high, as_shape(shape)), dtype)
    high = 1 if high is None else high
    return _made(rng.random(as_shape(shape)) * (np.asarray(high) - low) + low, dtype)


def _truncated(rng: Any, shape: Any, mean: Any, stddev: Any, dtype: Any) -> Tensor:
    values = rng.standard_normal(as_shape(shape))
    while np.any(np.abs(values) > 2):
        far = np.abs(values) > 2
        values = np.where(far, rng.standard_normal(values.shape), values)
    return _made(values * plain(stddev) + plain(mean), dtype)


def normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = float32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    """Normally distributed numbers."""
    return _normal(GENERATOR.source(seed), shape, mean, stddev, dtype)


def uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = float32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    """Uniformly distributed numbers, the upper end excluded."""
    return _uniform(GENERATOR.source(seed), shape, minval, maxval, dtype)


def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = float32,
    seed: Any = None,
    name: str | None = None,
) -> Tensor:
    """Normally distributed numbers, drawn again beyond two standard deviations."""
    return _truncated(GENERATOR.source(seed), shape, mean, stddev, dtype)


def poisson(shape: Any, lam: Any, dtype: Any = float32, seed: Any = None, name: str = "") -> Tensor:
    """Poisson distributed counts."""
    rates = np.asarray(_parameter(lam))
    rng = GENERATOR.source(seed)
    return _made(rng.poisson(rates, (*as_shape(shape), *rates.shape)), dtype)


def gamma(
    shape: Any, alpha: Any, beta: Any = 1.0, dtype: Any = float32, seed: Any = None, name: str = ""
) -> Tensor:
    """Gamma distributed numbers (without derivatives for the parameters)."""
    a, b = np.asarray(_parameter(alpha)), np.asarray(_parameter(beta))
    rng = GENERATOR.source(seed)
    inner = np.broadcast_shapes(a.shape, b.shape)
    return _made(rng.gamma(a, 1 / b, (*as_shape(shape), *inner)), dtype)


def shuffle(value: Any, seed: Any = None, name: str | None = None) -> Tensor:
    """The slices along the first axis in random order."""
    x = to_tensor(value)
    return stop_gradient(gather(x, GENERATOR.source(seed).permutation(dims(x)[0])))


def categorical(
    logits: Any, num_samples: Any, dtype: Any = int64, seed: Any = None, name: str = ""
) -> Tensor:
    """Class numbers drawn with the given unnormalized log-probabilities."""
    x = np.asarray(to_tensor(logits)._value)
    noise = GENERATOR.source(seed).gumbel(size=(x.shape[0], int(num_samples), x.shape[1]))
    return _made(np.argmax(x[:, None, :] + noise, axis=-1), int64 if dtype is None else dtype)


def _stateless(seed: Any) -> np.random.Generator:
    return np.random.default_rng([abs(int(s)) for s in np.asarray(plain(seed)).reshape(-1)])


def stateless_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32, **kw: Any
) -> Tensor:
    """Normally distributed numbers that only depend on the seed."""
    return _normal(_stateless(seed), shape, mean, stddev, dtype)


def stateless_uniform(
    shape: Any, seed: Any, minval: Any = 0, maxval: Any = None, dtype: Any = float32, **kw: Any
) -> Tensor:
    """Uniformly distributed numbers that only depend on the seed."""
    return _uniform(_stateless(seed), shape, minval, maxval, dtype)


def stateless_truncated_normal(
    shape: Any, seed: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32, **kw: Any
) -> Tensor:
    """Truncated normal numbers that only depend on the seed."""
    return _truncated(_stateless(seed), shape, mean, stddev, dtype)


class Generator:
    """A stream of random numbers of its own."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    @classmethod
    def from_seed(cls, seed: int, alg: Any = None) -> Generator:
        """The stream of a seed."""
        return cls(np.random.default_rng(abs(int(seed))))

    @classmethod
    def from_non_deterministic_state(cls, alg: Any = None) -> Generator:
        """An unpredictable stream."""
        return cls(np.random.default_rng())

    def normal(
        self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32, name: str = ""
    ) -> Tensor:
        """Normally distributed numbers."""
        return _normal(self._rng, shape, mean, stddev, dtype)

    def uniform(
        self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = float32, name: str = ""
    ) -> Tensor:
        """Uniformly distributed numbers."""
        return _uniform(self._rng, shape, minval, maxval, dtype)


_GLOBAL = Generator.from_non_deterministic_state()


def get_global_generator() -> Generator:
    """The generator shared by the program."""
    return _GLOBAL


def set_global_generator(generator: Generator) -> None:
    """Replace the generator shared by the program."""
    global _GLOBAL
    _GLOBAL = generator


__getattr__ = missing("tf.random", lambda: globals())
