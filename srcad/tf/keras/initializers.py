"""``keras.initializers``: start values of weights, drawn from ``tf.random``'s seeded streams."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from srcad.tape.dtypes import as_dtype, float32
from srcad.tape.emit import as_shape
from srcad.tape.tensor import Tensor, wrap
from srcad.tf import random
from srcad.tf.keras.named import found
from srcad.tf.missing import missing


class Initializer:
    """A function from a shape to a tensor."""

    def __call__(self, shape: Any, dtype: Any = float32, **kwargs: Any) -> Tensor:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments it was made with."""
        return dict(vars(self))


class Constant(Initializer):
    """One value everywhere."""

    def __init__(self, value: Any = 0) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = float32, **kwargs: Any) -> Tensor:
        return wrap(np.full(as_shape(shape), self.value, as_dtype(dtype)._np))


class Identity(Initializer):
    """A multiple of the identity matrix."""

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = float32, **kwargs: Any) -> Tensor:
        rows, columns = as_shape(shape)
        return wrap(np.eye(rows, columns, dtype=as_dtype(dtype)._np) * self.gain)


class Zeros(Constant):
    """Zeros."""

    def __init__(self) -> None:
        super().__init__(0)


class Ones(Constant):
    """Ones."""

    def __init__(self) -> None:
        super().__init__(1)


class RandomNormal(Initializer):
    """Normally distributed."""

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: Any = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: Any, dtype: Any = float32, **kwargs: Any) -> Tensor:
        return random.normal(shape, self.mean, self.stddev, dtype, self.seed)


class TruncatedNormal(RandomNormal):
    """Normally distributed within two standard deviations."""

    def __call__(self, shape: Any, dtype: Any = float32, **kwargs: Any) -> Tensor:
        return random.truncated_normal(shape, self.mean, self.stddev, dtype, self.seed)


class RandomUniform(Initializer):
    """Uniformly distributed."""

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: Any = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape: Any, dtype: Any = float32, **kwargs: Any) -> Tensor:
        return random.uniform(shape, self.minval, self.maxval, dtype, self.seed)


class VarianceScaling(Initializer):
    """A variance of ``scale`` over the number of inputs, outputs or their mean."""

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Any = None,
    ) -> None:
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution, seed

    def __call__(self, shape: Any, dtype: Any = float32, **kwargs: Any) -> Tensor:
        inputs, outputs = _fans(as_shape(shape))
        n = {"fan_in": inputs, "fan_out": outputs, "fan_avg": (inputs + outputs) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return random.uniform(shape, -limit, limit, dtype, self.seed)
        if self.distribution == "untruncated_normal":
            return random.normal(shape, 0.0, math.sqrt(variance), dtype, self.seed)
        stddev = math.sqrt(variance) / 0.87962566103423978  # of the truncated distribution
        return random.truncated_normal(shape, 0.0, stddev, dtype, self.seed)


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    if len(shape) < 2:
        n = shape[0] if shape else 1
        return n, n
    field = int(np.prod(shape[:-2]))
    return shape[-2] * field, shape[-1] * field


def _scaling(name: str, scale: float, mode: str, distribution: str) -> type:
    def __init__(self: Any, seed: Any = None) -> None:
        VarianceScaling.__init__(self, scale, mode, distribution, seed)

    doc = f"Variance {scale:g}/{mode}, {distribution}."
    return type(name, (VarianceScaling,), {"__init__": __init__, "__doc__": doc})


GlorotUniform = _scaling("GlorotUniform", 1.0, "fan_avg", "uniform")
GlorotNormal = _scaling("GlorotNormal", 1.0, "fan_avg", "truncated_normal")
HeUniform = _scaling("HeUniform", 2.0, "fan_in", "uniform")
HeNormal = _scaling("HeNormal", 2.0, "fan_in", "truncated_normal")
LecunUniform = _scaling("LecunUniform", 1.0, "fan_in", "uniform")
LecunNormal = _scaling("LecunNormal", 1.0, "fan_in", "truncated_normal")


class Orthogonal(Initializer):
    """Orthonormal rows or columns."""

    def __init__(self, gain: float = 1.0, seed: Any = None) -> None:
        self.gain, self.seed = gain, seed

    def __call__(self, shape: Any, dtype: Any = float32, **kwargs: Any) -> Tensor:
        dims = as_shape(shape)
        rows, columns = int(np.prod(dims[:-1])), dims[-1]
        big, small = max(rows, columns), min(rows, columns)
        q, r = np.linalg.qr(random.normal((big, small), seed=self.seed)._value.astype(float))
        q = q * np.sign(np.diag(r))
        q = (q if rows >= columns else q.T).reshape(dims) * self.gain
        return wrap(q.astype(as_dtype(dtype)._np))


TABLE: dict[str, Any] = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "random_normal": RandomNormal,
    "random_uniform": RandomUniform,
    "truncated_normal": TruncatedNormal,
    "variance_scaling": VarianceScaling,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "lecun_uniform": LecunUniform,
    "lecun_normal": LecunNormal,
    "orthogonal": Orthogonal,
}
globals().update(TABLE)
_BY_CLASS = {c.__name__: c for c in TABLE.values()}


def get(identifier: Any) -> Any:
    """The initializer meant by a name, class or object."""
    return found("initializer", identifier, TABLE | _BY_CLASS)


__getattr__ = missing("tf.keras.initializers", lambda: globals())
