"""A traced function that runs: its source, compiled by Numba, with variables read and written.

In: a ``Graph``.  ``run`` takes the tensors among the arguments in order.  The generated source is
kept in ``source``.  A program is only for arguments and variables of the types it was traced for
(``fits``).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from srcad.tape import nest
from srcad.tape.tensor import Tensor, wrap
from srcad.tf.emitting import Emitter
from srcad.tf.tracing import Graph


class Program:
    """One specialization of a ``tf.function``."""

    def __init__(self, graph: Graph) -> None:
        emitter = Emitter(graph)
        self.source = emitter.source()
        self.constants = emitter.constants
        self.variables = graph.variables
        self.kinds = [(s.shape, s.dtype) for s in graph.variable_inputs]
        self.updated = [v for v, _ in graph.updates]
        self.result = graph.result
        self._compiled: Callable[..., Any] | None = None

    def fits(self) -> bool:
        """Whether the variables still have the shapes and types of the tracing."""
        return all(
            v._tensor._value.shape == shape and v._tensor._value.dtype == dtype
            for v, (shape, dtype) in zip(self.variables, self.kinds, strict=True)
        )

    def run(self, tensors: list[Tensor]) -> Any:
        """The result for these tensors; variables are updated."""
        values = [t._value for t in (*tensors, *(v._tensor for v in self.variables))]
        found = list(self._function()(*map(_given, values), *self.constants))
        count = len(found) - len(self.updated)
        for v, value in zip(self.updated, found[count:], strict=True):
            v._tensor = Tensor(_taken(value, v._tensor._value.dtype))
        return nest.pack_sequence_as(self.result, self._leaves(found))

    def _leaves(self, found: list[Any]) -> list[Any]:
        given = iter(found)
        return [
            None if r is None else Tensor(_taken(next(given), r.dtype))
            for r in nest.flatten(self.result)
        ]

    def _function(self) -> Callable[..., Any]:
        if self._compiled is None:
            space: dict[str, Any] = {"np": np, "math": math}
            exec(compile(self.source, "<tf.function>", "exec"), space)
            self._compiled = numba.njit(space["compiled"], error_model="numpy")
        return self._compiled


def _given(value: Any) -> Any:
    """An argument as compiled code takes it."""
    return np.require(value, requirements=["C", "W"]) if value.shape else value


def _taken(value: Any, dtype: Any) -> Any:
    """A result with the type that was traced."""
    if isinstance(value, np.ndarray):
        return wrap(value)._value
    return dtype.type(value)
