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


add(tuple_argument, lambda: ((0.7, 1.3), 0.4), (0, 1), "tuple", jit=True)


def nested_tuple_argument(t):
    (x, a), (y, (k, z)) = t
    a[0] *= x
    return x * np.sum(a) + y * k * z + t[1][1][1] * t[0][1][1]


add(nested_tuple_argument, lambda: (((0.7, vec(3)), (1.3, (2, 0.4))),), (0,),
    "tuple nested inplace", jit=True)  # fmt: skip


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


add(tuple_indexed_in_loop, lambda: (0.7, 1.3), (0, 1), "tuple loops", jit=True)


def tuple_carried(x, n):
    state = (x, (1.0, x * x))
    for i in range(n):
        p, (q, r) = state
        state = (q * r + 0.1 * i, (p, math.sin(q)))
    return state[0] + state[1][0] * state[1][1]


add(tuple_carried, lambda: (0.7, 3), (0,), "tuple loops nested", jit=True)


def tuple_of_arrays(arrays, x):
    s = 0.0
    for a in arrays:
        a[0] *= x
        s += np.sum(a) * s + a[-1]
    first, second = arrays
    first[1] = second[0]
    return s + np.sum(first * second)


add(tuple_of_arrays, lambda: ((vec(3), vec(3, 1)), 0.7), (0, 1), "tuple inplace", jit=True)


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


add(nested_namedtuple, lambda: (State(vec(3), Point(0.7, 1.3), 3), 0.1), (0, 1),
    "namedtuple nested inplace", jit=True)  # fmt: skip


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


add(dict_of_layers,
    lambda: ({"first": {"w": mat(3, 2), "b": vec(3)}, "second": {"w": mat(1, 3), "b": vec(1)}},
             vec(2)), (0, 1), "dict nested", njit=False)  # fmt: skip


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


add(dataclass_argument, lambda: (Model(vec(3), 0.8, 3, (0.2, 1.1)), 0.7), (0, 1),
    "dataclass inplace", njit=False, jit=True)  # fmt: skip


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


add(nested_dataclasses, lambda: (Chain((Spring(1.3, 0.4), Spring(0.9, 0.3)), 0.2), 0.7), (0, 1),
    "dataclass nested helper", njit=False)  # fmt: skip
add(Spring(1.3, 0.4).energy, lambda: (0.7,), (0,), "dataclass method", name="dataclass_method",
    njit=False)  # fmt: skip


def dict_to_helper(params, x):
    return params["a"] * x + apply_bias(params, x)


def apply_bias(params, x):
    return params["b"] * params["a"] * x * x


add(dict_to_helper, lambda: ({"a": 0.7, "b": 1.3}, 0.4), (0, 1), "dict helper", njit=False)


def list_append(x, n):
    values = []
    y = x
    for i in range(n):
        y = y * x + i
        values.append(y)
    s = 0.0
    for v in values:
        s = s * 0.5 + v * v
    return s + values[0] * values[-1] + len(values)


add(list_append, lambda: (0.7, 4), (0,), "list loops", jit=True)


def list_read_back(a):
    stack = [1.0]
    for v in a:
        if v > 0.6:
            stack.append(v * stack[-1])
    s = 0.0
    for k in range(len(stack) - 1, -1, -1):
        s += stack[k] * s + stack[k]
    return s


add(list_read_back, lambda: (vec(5),), (0,), "list if", jit=True)


def list_pop(x, n):
    stack = [x, 2.0 * x]
    for i in range(n):
        top = stack.pop()
        below = stack.pop()
        stack.append(top * below)
        stack.append(top + i)
    return stack.pop() * stack.pop() + len(stack)


add(list_pop, lambda: (0.7, 3), (0,), "list pop", jit=True)


def list_assignment(x, n):
    values = [0.0] * n
    for i in range(n):
        values[i] = x**i + values[i - 1]
        values[0] *= values[i]
    values[1], values[2] = values[2], values[1]
    values[-1] += x
    return values[0] * values[1] + values[-1]


add(list_assignment, lambda: (0.7, 4), (0,), "list inplace", jit=True)


def list_comprehension(a, x):
    squares = [v * v + x for v in a]
    products = [a[i] * squares[i] for i in range(len(a)) if a[i] > 0.5]
    return sum(squares) + sum(products) * max(squares) + np.sum(np.array([x, squares[1]]))


add(list_comprehension, lambda: (vec(4), 0.7), (0, 1), "list comprehension", jit=True)


def nested_comprehension(a, b):
    table = np.array([[u * v for v in b] for u in a])
    flat = [u + v * v for u in a for v in b]
    return np.sum(table * table) + flat[1] * flat[-1]


add(nested_comprehension, lambda: (vec(2), vec(3)), (0, 1), "comprehension nested", njit=False)


def list_of_arrays(a, n):
    history = [a]
    for i in range(n):
        history.append(np.sin(history[-1]) * history[0])
    history[1][0] = 0.5
    s = 0.0
    for h in history:
        s += np.sum(h * h)
    return s + history[-1][1] * history[1][0]


add(list_of_arrays, lambda: (vec(3), 3), (0,), "list array loops", jit=True)


def list_of_aliases(a, x):
    parts = [a[:2], a[1:3]]
    parts[0][1] = x
    parts[1][1] *= parts[0][1]
    parts.append(a)
    parts[2][0] += parts[1][1]
    return np.sum(a * a)


add(list_of_aliases, lambda: (vec(3), 0.7), (0, 1), "list alias inplace", jit=True)


def list_of_tuples(a):
    pairs = [(1.0, 0.5)]
    for v in a:
        u, w = pairs[-1]
        pairs.append((u * v, w + u))
    s = 0.0
    for k, (u, w) in enumerate(pairs):
        s += u * w * k
    return s


add(list_of_tuples, lambda: (vec(3),), (0,), "list tuple", jit=True)


def list_alias(x):
    u = [x, 2.0]
    v = u
    v[0] = x * x
    u.append(v[0] * u[1])
    w = [t for t in u]
    w[0] = 100.0
    return u[0] * v[2] + len(v) + w[1]


add(list_alias, lambda: (0.7,), (0,), "list alias")


def list_of_integers(a):
    order = [2, 0, 1]
    order.append(order[0])
    s = 1.0
    for k in order:
        s = s * a[k] + k
    return s


add(list_of_integers, lambda: (vec(3),), (0,), "list int", jit=True)


def list_from_helper(x, n):
    powers = collect_powers(x, n)
    extend_by_sum(powers)
    return powers[-1] * powers[0]


def collect_powers(x, n):
    powers = [x]
    for _ in range(n):
        powers.append(powers[-1] * x)
    return powers


def extend_by_sum(values):
    s = 0.0
    for v in values:
        s += v
    values.append(s)


add(list_from_helper, lambda: (0.7, 3), (0,), "list helper mutate", jit=True)


def zip_structures(arrays, p):
    s = 0.0
    for a, k in zip(arrays, p):
        s += np.sum(a) * k
        a[0] = s
    for i, a in enumerate(arrays):
        s += a[i] * p[i]
    return s


add(zip_structures, lambda: ((vec(2), vec(2, 1)), (0.7, 1.3)), (0, 1), "tuple zip inplace")


def returns_structures(p, a):
    q = Point(p.x * a[0], p.y)
    return q, (a * q.x, [q.y, a[1]][1])


add(returns_structures, lambda: (Point(0.7, 1.3), vec(2)), (0, 1), "namedtuple tuple_output")
