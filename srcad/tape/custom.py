"""Functions whose derivative the user gives, and recomputation.

``custom_gradient`` calls the function and gives fresh results, which one operation with the
user's pullback connects to the operands.  What the function computes is recorded as well: only
values that the pullback uses depend on it, so second derivatives through them are right.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from srcad.tape import nest
from srcad.tape.convert import is_tensor_like, to_tensor
from srcad.tape.elementwise import zeros_like
from srcad.tape.gradient_tape import GradientTape
from srcad.tape.shaping import dims, stack
from srcad.tape.state import STATE, record
from srcad.tape.tensor import Tensor


def custom_gradient(f: Callable[..., Any] | None = None) -> Any:
    """A function that gives its result and a function from cotangents to operands' cotangents."""
    if f is None:
        return custom_gradient

    @functools.wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        return _called(f, args, kwargs)

    return decorated


class Watcher:
    """Stands among the active tapes to learn which variables are read; records nothing."""

    def __init__(self) -> None:
        self.tracked: dict[int, Any] = {}
        self.read: dict[int, Any] = {}

    def see(self, variable: Any, tensor: Tensor) -> None:
        """A variable was read."""
        if variable.trainable:
            self.read[id(variable)] = variable


def _called(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    given = nest.flatten(list(args))
    flat = [_operand(a) for a in given]
    watcher = Watcher()
    STATE.tapes.append(watcher)
    try:
        result, grad_fn = f(*args, **kwargs)
        parts = [to_tensor(r) for r in nest.flatten(result)]
    finally:
        STATE.tapes.remove(watcher)
    variables = [v for v in watcher.read.values() if all(v is not a for a in given)]
    if variables:
        _check_keyword(grad_fn, variables)
    outs = tuple(Tensor(p._value) for p in parts)
    pull = functools.partial(_pull, grad_fn, variables, len(flat))
    if STATE.tapes:
        record(outs, (*flat, *(to_tensor(v) for v in variables)), pull)
    return nest.pack_sequence_as(result, list(outs))


def _operand(value: Any) -> Tensor:
    """The tensor that stands for an argument; anything for one that is no value."""
    try:
        return to_tensor(value)
    except (TypeError, ValueError):
        return Tensor(np.float32(0))


def _check_keyword(grad_fn: Callable[..., Any], variables: list[Any]) -> None:
    parameters = inspect.signature(grad_fn).parameters
    if "variables" not in parameters and all(
        p.kind is not p.VAR_KEYWORD for p in parameters.values()
    ):
        raise TypeError(
            "@tf.custom_gradient grad_fn must accept keyword argument 'variables', since function "
            f"uses variables: {variables}"
        )


def _pull(
    grad_fn: Callable[..., Any],
    variables: list[Any],
    count: int,
    gs: list[Any],
    wanted: list[bool],
    inputs: tuple[Any, ...],
    outs: tuple[Any, ...],
    lead: int,
) -> list[Any]:
    """The user's pullback, called once for every row of a Jacobian."""
    rows = next(dims(g)[0] for g in gs if g is not None) if lead else 0
    if not lead:
        return _asked(grad_fn, variables, count, gs, outs)
    each = [
        _asked(grad_fn, variables, count, [None if g is None else g[k] for g in gs], outs)
        for k in range(rows)
    ]
    return [
        None if all(p is None for p in column) else stack([_dense(p, x) for p in column])
        for x, column in zip(inputs, zip(*each, strict=True), strict=True)
    ]


def _asked(
    grad_fn: Callable[..., Any], variables: list[Any], count: int, gs: list[Any], outs: Any
) -> list[Any]:
    cotangents = [zeros_like(o) if g is None else g for g, o in zip(gs, outs, strict=True)]
    for_variables: list[Any] = []
    if variables:
        found, for_variables = grad_fn(*cotangents, variables=variables)
    else:
        found = grad_fn(*cotangents)
    flat = nest.flatten(found)
    if len(flat) != count:
        raise ValueError(
            f"custom_gradient function expected to return {count} gradients, but returned "
            f"{len(flat)} instead."
        )
    return [None if p is None else to_tensor(p) for p in [*flat, *nest.flatten(for_variables)]]


def _dense(part: Any, like: Tensor) -> Tensor:
    return zeros_like(like) if part is None else part


@contextmanager
def _unrecorded() -> Iterator[None]:
    """Only watchers stay active."""
    active = STATE.tapes
    STATE.tapes = [t for t in active if isinstance(t, Watcher)]
    try:
        yield
    finally:
        STATE.tapes = active


def recompute_grad(f: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which keeps no intermediate values but computes them again."""

    @custom_gradient
    def inner(*args: Any, **kwargs: Any) -> Any:
        with _unrecorded():
            result = f(*args, **kwargs)

        def grad(*cotangents: Any, variables: Any = ()) -> Any:
            with GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([a for a in args if is_tensor_like(a) and a.dtype.is_floating])
                for v in variables:
                    tape.watch(v)
                again = f(*args, **kwargs)
            sources = [list(args), list(variables)]
            found = tape.gradient(nest.flatten(again), sources, list(cotangents))
            return (found[0], found[1]) if variables else found[0]

        return result, grad

    return functools.wraps(f)(inner)


def grad_pass_through(f: Callable[..., Any]) -> Callable[..., Any]:
    """The value of ``f``, the derivative of the identity."""

    @custom_gradient
    def inner(*args: Any, **kwargs: Any) -> Any:
        return f(*args, **kwargs), lambda *cotangents: cotangents

    return functools.wraps(f)(inner)
