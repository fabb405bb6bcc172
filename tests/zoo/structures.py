"""Tuples, namedtuples, lists, dicts with constant keys and dataclasses."""

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from tests.zoo.registry import add, mat, vec


class Point(NamedTuple):
    """A pair of coordinates."""

    x: float
    y: float


class State(NamedTuple):
    """Arrays and a nested namedtuple."""

    position: np.ndarray
    origin: Point
    steps: int


def tuple_argument(t, z):
    x, y = t
    return x * y * z + t[0] ** 2 + t[-1] * len(t)


add(tuple_argument, lambda: ((0.7, 1.3), 0.4), (0, 1), "tuple")


def nested_tuple_argument(t):
    (x, a), (y, (k, z)) = t
    a[0] *= x
    return x * np.sum(a) + y * k * z + t[1][1][1] * t[0][1][1]


add(
    nested_tuple_argument, lambda: (((0.7, vec(3)), (1.3, (2, 0.4))),), (0,), "tuple nested inplace"
)


def tuples_built(x, y):
    t = (x, y, x * y)
    u = t + (2.0, t[1] * t[2])
    s = 0.0
    for k in range(len(u)):
        s += u[0] * (k + 1)
    return s * u[-1] + u[3] + t[1:][0] * u[:2][1]


add(tuples_built, lambda: (0.7, 1.3), (0, 1), "tuple")


def tuple_indexed_in_loop(x, y):
    t = (x, y, x * y)
    s = 0.0
    for k in range(3):
        s = s * t[k] + t[2 - k]
        t = (t[1], s, t[0])
    return s * t[0]


add(tuple_indexed_in_loop, lambda: (0.7, 1.3), (0, 1), "tuple loops")


def tuple_carried(x, n):
    state = (x, (1.0, x * x))
    for i in range(n):
        p, (q, r) = state
        state = (q * r + 0.1 * i, (p, math.sin(q)))
    return state[0] + state[1][0] * state[1][1]


add(tuple_carried, lambda: (0.7, 3), (0,), "tuple loops nested")


def tuple_of_arrays(arrays, x):
    s = 0.0
    for a in arrays:
        a[0] *= x
        s += np.sum(a) * s + a[-1]
    first, second = arrays
    first[1] = second[0]
    return s + np.sum(first * second)


add(tuple_of_arrays, lambda: ((vec(3), vec(3, 1)), 0.7), (0, 1), "tuple inplace")


def namedtuple_argument(p, q):
    d = Point(p.x - q.x, p.y - q.y)
    r = d.x**2 + d[1] ** 2
    x, y = p
    return math.sqrt(r) * x + y * q.y


add(namedtuple_argument, lambda: (Point(0.7, 1.3), Point(0.2, 0.4)), (0, 1), "namedtuple", jit=True)


def nested_namedtuple(s, h):
    for i in range(s.steps):
        s.position[i % 2] += h * s.origin.x
        s.position[0] *= s.origin.y
    return np.sum(s.position) * s.origin.x


add(
    nested_namedtuple,
    lambda: (State(vec(3), Point(0.7, 1.3), 3), 0.1),
    (0, 1),
    "namedtuple nested inplace",
)


def namedtuple_carried(p, n):
    for i in range(n):
        p = Point(p.y * 0.9, p.x * p.y + 0.1)
    return p


add(namedtuple_carried, lambda: (Point(0.7, 1.3), 3), (0,), "namedtuple tuple_output loops")


def dict_argument(params, x):
    h = params["w"] * x + params["b"]
    params["w"][0] = h[1]
    return np.sum(np.tanh(h)) * params["scale"] + params["inner"]["c"] * params["w"][0]


def parameters():
    return {"w": vec(3), "b": vec(3, 1), "scale": 0.8, "n": 2, "inner": {"c": 1.3}}


add(dict_argument, lambda: (parameters(), 0.7), (0, 1), "dict inplace", njit=False, jit=True)


def dict_of_layers(params, x):
    for layer in (params["first"], params["second"]):
        x = np.tanh(layer["w"] @ x + layer["b"])
    return np.sum(x)


add(
    dict_of_layers,
    lambda: (
        {"first": {"w": mat(3, 2), "b": vec(3)}, "second": {"w": mat(1, 3), "b": vec(1)}},
        vec(2),
    ),
    (0, 1),
    "dict nested",
    njit=False,
)


@dataclasses.dataclass
class Model:
    """Floats, an array, an integer and a nested tuple."""

    weights: np.ndarray
    bias: float
    order: int
    limits: tuple


def dataclass_argument(model, x):
    s = model.bias
    for k in range(model.order):
        s += model.weights[k] * x**k
        model.weights[k] *= s
    low, high = model.limits
    return s * low + high * np.sum(model.weights)


add(
    dataclass_argument,
    lambda: (Model(vec(3), 0.8, 3, (0.2, 1.1)), 0.7),
    (0, 1),
    "dataclass inplace",
    njit=False,
    jit=True,
)


@dataclasses.dataclass(frozen=True)
class Spring:
    """A dataclass with a method."""

    stiffness: float
    rest: float

    def energy(self, length):
        return 0.5 * self.stiffness * (length - self.rest) ** 2


@dataclasses.dataclass
class Chain:
    """A dataclass of dataclasses."""

    springs: tuple
    load: float


def spring_energy(spring, length):
    return 0.5 * spring.stiffness * (length - spring.rest) ** 2


def nested_dataclasses(chain, x):
    e = -chain.load * x
    for spring in chain.springs:
        e += spring_energy(spring, x) * spring.rest
        x *= 0.9
    return e


add(
    nested_dataclasses,
    lambda: (Chain((Spring(1.3, 0.4), Spring(0.9, 0.3)), 0.2), 0.7),
    (0, 1),
    "dataclass nested helper",
    njit=False,
)
add(
    Spring(1.3, 0.4).energy,
    lambda: (0.7,),
    (0,),
    "dataclass method",
    name="dataclass_method",
    njit=False,
)


def dict_to_helper(params, x):
    return params["a"] * x + apply_bias(params, x)


def apply_bias(params, x):
    return params["b"] * params["a"] * x * x


add(dict_to_helper, lambda: ({"a": 0.7, "b": 1.3}, 0.4), (0, 1), "dict helper", njit=False)


def returns_structures(p, a):
    q = Point(p.x * a[0], p.y)
    return q, (a * q.x, [q.y, a[1]][1])


add(
    returns_structures,
    lambda: (Point(0.7, 1.3), vec(2)),
    (0, 1),
    "namedtuple tuple_output",
    jit=True,
)


class Coil(NamedTuple):
    """Methods and properties of a namedtuple."""

    stiffness: float
    ends: np.ndarray

    def energy(self, scale):
        return scale * self.stiffness * self.ends[0] * self.ends[1]

    @property
    def half(self):
        return self.stiffness / 2


def namedtuple_methods(spring):
    first, *between, last = spring.stiffness, spring.half, 3.0 * spring.ends[0], spring.ends[1]
    stiffer = spring._replace(stiffness=first * between[0])
    held = stiffer._asdict()
    return stiffer.energy(last) + held["stiffness"] * len(between) - between[-1]


add(namedtuple_methods, lambda: (Coil(0.7, vec(3)),), (0,), "tuple", njit=False, jit=True)
