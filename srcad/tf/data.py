"""``tf.data``: pipelines over nested structures of arrays.

A ``Dataset`` is a function that starts an iterator over NumPy values; tensors are made only
where the user sees an element, so batching stays fast.  Every pass starts anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from srcad.tape import nest
from srcad.tape.convert import to_tensor
from srcad.tape.failures import OutOfRangeError
from srcad.tape.shapes import TensorSpec
from srcad.tape.tensor import Tensor, wrap
from srcad.tf.missing import missing
from srcad.tf.random import GENERATOR

AUTOTUNE = -1
INFINITE_CARDINALITY, UNKNOWN_CARDINALITY = -1, -2


def _values(structure: Any) -> Any:
    """The NumPy values of a structure of tensors and values; lists become tensors first."""
    if isinstance(structure, list):
        return to_tensor(structure)._value
    if isinstance(structure, tuple | dict):
        keys = list(structure) if isinstance(structure, dict) else None
        if keys is not None:
            return {k: _values(structure[k]) for k in keys}
        return tuple(_values(s) for s in structure)
    return to_tensor(structure)._value


def _tensors(element: Any) -> Any:
    return nest.map_structure(wrap, element)


def _call(f: Callable[..., Any], element: Any) -> Any:
    return f(*_tensors(element)) if type(element) is tuple else f(_tensors(element))


class Dataset:
    """A sequence of elements that can be passed through any number of times."""

    def __init__(self, start: Callable[[], Iterator[Any]], length: int | None) -> None:
        self._start = start
        self._length = length  # None: unknown, -1: infinite

    # sources
    @staticmethod
    def from_tensor_slices(tensors: Any, name: str | None = None) -> Dataset:
        """The slices along the first axis."""
        whole = _values(tensors)
        sizes = {len(v) for v in nest.flatten(whole)}
        if len(sizes) != 1:
            raise ValueError(f"Dimensions {sorted(sizes)} are not compatible")
        n = sizes.pop()

        def start() -> Iterator[Any]:
            if type(whole) is tuple and all(isinstance(w, np.ndarray) for w in whole):
                return iter(zip(*whole, strict=True))
            if isinstance(whole, np.ndarray):
                return iter(whole)
            return (nest.map_structure(lambda v, i=i: v[i], whole) for i in range(n))

        return Dataset(start, n)

    @staticmethod
    def from_tensors(tensors: Any, name: str | None = None) -> Dataset:
        """One element."""
        whole = _values(tensors)
        return Dataset(lambda: iter([whole]), 1)

    @staticmethod
    def from_generator(generator: Callable[[], Iterable[Any]], *args: Any, **kw: Any) -> Dataset:
        """What a Python generator gives."""
        return Dataset(lambda: map(_values, iter(generator())), None)

    @staticmethod
    def range(*args: Any, **kwargs: Any) -> Dataset:
        """Integers (int64)."""
        numbers = range(*map(int, args))
        return Dataset(lambda: map(np.int64, numbers), len(numbers))

    @staticmethod
    def zip(*datasets: Any, name: str | None = None) -> Dataset:
        """Elements of several datasets side by side, until the first ends."""
        parts = datasets[0] if len(datasets) == 1 and isinstance(datasets[0], tuple) else datasets
        lengths = [d._length for d in parts]
        known = [n for n in lengths if n is not None and n >= 0]
        length = None if None in lengths else (min(known) if known else -1)
        return Dataset(lambda: zip(*[d._start() for d in parts], strict=False), length)

    # transformations
    def map(self, map_func: Callable[..., Any], *args: Any, **kwargs: Any) -> Dataset:
        """A function of every element."""
        return Dataset(lambda: (_values(_call(map_func, e)) for e in self._start()), self._length)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements for which a function is true."""
        return Dataset(lambda: (e for e in self._start() if bool(_call(predicate, e))), None)

    def batch(
        self, batch_size: Any, drop_remainder: bool = False, *args: Any, **kw: Any
    ) -> Dataset:
        """So many elements stacked."""
        size = int(batch_size)

        def start() -> Iterator[Any]:
            rows = self._start()
            while chunk := list(itertools.islice(rows, size)):
                if len(chunk) == size or not drop_remainder:
                    yield _stacked(chunk)

        n = self._length
        if n is None or n < 0:
            return Dataset(start, n)
        return Dataset(start, n // size if drop_remainder else -(-n // size))

    def unbatch(self, name: str | None = None) -> Dataset:
        """The slices of every element."""

        def start() -> Iterator[Any]:
            for e in self._start():
                for i in range(len(nest.flatten(e)[0])):
                    yield nest.map_structure(lambda v, i=i: v[i], e)

        return Dataset(start, None)

    def shuffle(
        self,
        buffer_size: Any,
        seed: Any = None,
        reshuffle_each_iteration: Any = None,
        name: str = "",
    ) -> Dataset:
        """In random order, drawn from a buffer of so many elements."""
        size, again = int(buffer_size), reshuffle_each_iteration is not False
        fixed = int(GENERATOR.source(seed).integers(2**31))

        def start() -> Iterator[Any]:
            rng = GENERATOR.source(seed) if again else np.random.default_rng(fixed)
            rows = self._start()
            buffer = list(itertools.islice(rows, size))
            for e in rows:
                k = int(rng.integers(len(buffer)))
                yield buffer[k]
                buffer[k] = e
            for k in rng.permutation(len(buffer)):
                yield buffer[k]

        return Dataset(start, self._length)

    def repeat(self, count: Any = None, name: str | None = None) -> Dataset:
        """Again and again, or so many times."""
        endless = count is None or int(count) < 0
        n = self._length

        def start() -> Iterator[Any]:
            for _ in itertools.count() if endless else range(int(count)):
                yield from self._start()

        return Dataset(start, -1 if endless else (None if n is None else n * int(count)))

    def take(self, count: Any, name: str | None = None) -> Dataset:
        """The first elements."""
        k, n = int(count), self._length
        length = n if k < 0 else (None if n is None else (k if n < 0 else min(k, n)))
        return Dataset(lambda: itertools.islice(self._start(), None if k < 0 else k), length)

    def skip(self, count: Any, name: str | None = None) -> Dataset:
        """Without the first elements."""
        k, n = int(count), self._length
        length = n if n is None or n < 0 else max(0, n - k)
        return Dataset(lambda: itertools.islice(self._start(), k, None), length)

    def enumerate(self, start: Any = 0, name: str | None = None) -> Dataset:
        """Elements with their numbers."""
        first = int(start)
        return Dataset(
            lambda: ((np.int64(i), e) for i, e in enumerate(self._start(), first)), self._length
        )

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
        """The elements of both."""
        a, b = self._length, dataset._length
        length = None if a is None or b is None else (-1 if min(a, b) < 0 else a + b)
        return Dataset(lambda: itertools.chain(self._start(), dataset._start()), length)

    def prefetch(self, buffer_size: Any, name: str | None = None) -> Dataset:
        """The dataset itself: elements are made when they are needed."""
        return self

    def cache(self, filename: str = "", name: str | None = None) -> Dataset:
        """The elements, kept after the first pass."""
        kept: list[Any] = []

        def start() -> Iterator[Any]:
            if not kept:
                kept.extend(self._start())
            return iter(kept)

        return Dataset(start, self._length)

    def reduce(self, initial_state: Any, reduce_func: Callable[..., Any], name: str = "") -> Any:
        """A function of a state and every element in turn."""
        state = nest.map_structure(to_tensor, initial_state)
        for e in self:
            state = reduce_func(state, e)
        return state

    # use
    def __iter__(self) -> Iterator[Any]:
        return map(_tensors, self._start())

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements as NumPy values."""
        return (nest.map_structure(lambda v: v.copy() if v.shape else v, e) for e in self._start())

    def cardinality(self, name: str | None = None) -> Tensor:
        """The number of elements: -1 infinite, -2 unknown."""
        return wrap(np.int64(UNKNOWN_CARDINALITY if self._length is None else self._length))

    def __len__(self) -> int:
        if self._length is None:
            raise TypeError("The dataset length is unknown.")
        if self._length < 0:
            raise TypeError("The dataset is infinite.")
        return self._length

    def __bool__(self) -> bool:
        return True

    @property
    def element_spec(self) -> Any:
        """Types and shapes of the first element."""
        first = next(self._start(), None)
        if first is None:
            raise OutOfRangeError("End of sequence")
        return nest.map_structure(lambda v: TensorSpec(v.shape, v.dtype), first)

    def __repr__(self) -> str:
        return f"<Dataset element_spec={self.element_spec}>"


def _stacked(rows: list[Any]) -> Any:
    first = rows[0]
    if type(first) is tuple and not any(nest.is_nested(f) for f in first):
        return tuple(np.array(column) for column in zip(*rows, strict=True))
    return nest.map_structure(lambda *vs: np.array(vs), *rows)


__getattr__ = missing("tf.data", lambda: globals())
