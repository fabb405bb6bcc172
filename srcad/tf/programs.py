"""A traced function that runs: its source, compiled by Numba, with variables read and written.

In: a ``Graph``.  ``run`` takes the tensors among the arguments in order.  The generated source is
kept in ``source``.  A program is only for arguments and variables of the types it was traced for
(``fits``).

Results and new values of variables are filled arrays of their own for every call; everything in
between goes to arrays that are kept, one set for each thread that is inside.  Variables change at
the end only, so a call that fails has changed nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from srcad.tape import nest
from srcad.tape.memory import empty
from srcad.tape.places import fetched
from srcad.tape.tensor import Tensor, wrap
from srcad.tf.emitting import Emitter, Output
from srcad.tf.graphs import Graph
from srcad.tf.spelling import namespace


class PathRaises(Exception):
    """The function raises for these arguments; an eager call tells what."""


class Program:
    """One specialization of a ``tf.function``; with ``compiled`` off it runs as plain Python."""

    on_device = False

    def __init__(self, graph: Graph, compiled: bool = True) -> None:
        emitter = self.emitter(graph)
        self.source = emitter.source()
        self.constants = emitter.constants
        self.variables = graph.variables
        self.kinds = [(s.shape, s.dtype) for s in graph.variable_inputs]
        self.inputs = [(s.shape, s.dtype) for s in graph.inputs]
        self.updated = emitter.updated
        self.structures = [leaf.result for leaf in graph.leaves if not leaf.raised]
        self.fills = [(b.shape, b.dtype) for b in emitter.results]
        self.between = [(b.shape, b.dtype) for b in emitter.spaces]
        self.outputs = emitter.outputs  # of each path
        self.options: Any = {"fastmath": {"reassoc"}} if emitter.reorders else {}
        self._spaces: list[list[Any]] = []  # sets that no thread is using
        self._compiled: Callable[..., Any] | None = None if compiled else self._plain()

    def emitter(self, graph: Graph) -> Emitter:
        """What writes the source."""
        return Emitter(graph)

    def fits(self) -> bool:
        """Whether the variables still have the shapes and types of the tracing."""
        return all(
            v._tensor._value.shape == shape and v._tensor._value.dtype == dtype
            for v, (shape, dtype) in zip(self.variables, self.kinds, strict=True)
        )

    def run(self, tensors: list[Tensor]) -> Any:
        """The result for these tensors; variables are updated."""
        values = [fetched(t._value) for t in (*tensors, *(v._tensor for v in self.variables))]
        path, leaves = self._called(self.compiled(), values)
        count = len(leaves) - len(self.updated)
        for v, value in zip(self.updated, leaves[count:], strict=True):
            v.store(value)
        results = [None if x is None else Tensor(x) for x in leaves[:count]]
        return nest.pack_sequence_as(self.structures[path], results)

    def _called(self, f: Callable[..., Any], values: list[Any]) -> tuple[int, list[Any]]:
        """The path that was taken, and the values of all results and updates."""
        spaces = self._spaces.pop() if self._spaces else [np.empty(*b) for b in self.between]
        filled = [empty(*b) for b in self.fills]
        try:
            returned = f(*map(_given, values), *filled, *spaces, *self.constants)
        finally:
            self._spaces.append(spaces)
        path = int(returned[0])
        if path < 0:
            raise PathRaises
        sources = {"argument": values, "filled": filled, "returned": returned}
        return path, [_taken(o, sources) for o in self.outputs[path]]

    def compile(self) -> None:
        """Let Numba compile for the types of the tracing."""
        arrays = [np.empty(*kind) for kind in (*self.inputs, *self.kinds)]
        given = [a if a.ndim else a[()] for a in arrays]
        work = [np.empty(*b) for b in (*self.fills, *self.between)]
        f = self._jitted()
        f.compile(tuple(map(numba.typeof, (*given, *work, *self.constants))))
        self._compiled = f

    def compiled(self) -> Callable[..., Any]:
        """The compiled function."""
        if self._compiled is None:
            self.compile()
        assert self._compiled is not None
        return self._compiled

    def _plain(self, compiled: bool = False) -> Any:
        space = namespace(self.source, compiled)
        exec(compile(self.source, "<tf.function>", "exec"), space)
        return space["compiled"]

    def _jitted(self) -> Any:
        f = self._plain(compiled=True)
        return numba.njit(f, error_model="numpy", nogil=True, **self.options)


def _given(value: Any) -> Any:
    """An argument as compiled code takes it."""
    return np.require(value, requirements=["C", "W"]) if value.shape else value


def _taken(output: Output, sources: dict[str, Any]) -> Any:
    """A result with the shape and type that were traced."""
    if output.kind == "constant":
        return output.where if output.where is None else wrap(np.asarray(output.where))._value
    value = sources[output.kind][output.where]
    if not output.shape:
        return output.dtype.type(value if np.ndim(value) == 0 else np.reshape(value, ())[()])
    return value if value.shape == output.shape else value.reshape(output.shape)
