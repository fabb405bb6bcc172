"""Where tensors live: on the processor, or in the memory of a device.

A *place* has a ``name`` and a method ``put(value)``, the value there; ``put`` gives a value that
is there already, or that the place cannot hold, as it is.  The processor is ``HOST``; whoever knows
another one (``tf.devices``) makes it, and its values say where they are (``place``), give
themselves to the processor (``fetch``) and answer NumPy's protocols.

``within`` opens a scope: tensors that are made inside live in its place, and operations inside
move their operands there first, recorded, so that cotangents go back to where they belong.
Outside of scopes nothing is moved, and an operation runs where its operands are.

Operations look at ``OPEN``, a list that is empty while no thread has a scope open.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from srcad.tape.state import STATE, record

OPEN: list[Any] = []  # the places of all scopes of all threads
USED: list[Any] = []  # the places besides ``HOST`` that anything has been in
RECEIVERS: list[Any] = []  # functions that take arrays of other libraries, or give ``None``


class Host:
    """The processor."""

    name = "/job:localhost/replica:0/task:0/device:CPU:0"

    def put(self, value: Any) -> Any:
        """A value as an array or a number of NumPy."""
        return fetched(value)


HOST = Host()


class Scopes(threading.local):
    """The places of the scopes of a thread, innermost last; ``None`` asks for nothing."""

    def __init__(self) -> None:
        self.places: list[Any] = []


_SCOPES = Scopes()


def fetched(value: Any) -> Any:
    """A value on the processor."""
    fetch = getattr(value, "fetch", None)
    return value if fetch is None else fetch()


def place_of(value: Any) -> Any:
    """Where a value is."""
    return getattr(value, "place", HOST)


def asked() -> Any:
    """The place that the innermost scope asks for, if any."""
    return _SCOPES.places[-1] if _SCOPES.places else None


@contextmanager
def within(place: Any) -> Iterator[None]:
    """A scope; ``None`` takes back what the scopes around it ask for."""
    OPEN.append(place)
    _SCOPES.places.append(place)
    try:
        yield
    finally:
        _SCOPES.places.pop()
        OPEN.pop()


def placed(value: Any) -> Any:
    """A value that a tensor is made of, where the scope wants it."""
    place = asked()
    if place is None:
        return value
    if STATE.trace is not None:  # the whole program that is traced will run there
        STATE.trace.places.add(place)
        return value
    return place.put(value)


def moved(tensor: Any) -> Any:
    """An operand, where the scope wants it; tapes see the move."""
    place = asked()
    if place is None or STATE.trace is not None:
        return tensor
    return transferred(tensor, place)


def transferred(tensor: Any, place: Any) -> Any:
    """A tensor in another place, itself if it is there; its cotangent comes back."""
    value = place.put(tensor._value)
    if value is tensor._value:
        return tensor
    out = resident(value)
    if STATE.tapes:
        record(out, (tensor,), _back)
    return out


def _back(g: Any, i: int, inputs: Any, out: Any, lead: int) -> Any:
    return transferred(g, place_of(inputs[0]._value))


def where(other: Any, value: Any) -> Any:
    """A value in the place of another one."""
    return place_of(other).put(value) if USED else value


def resident(value: Any) -> Any:
    """A tensor of a value where it is, whatever the scope."""
    from srcad.tape.tensor import Tensor

    made = Tensor.__new__(Tensor)
    made._value = value
    return made
