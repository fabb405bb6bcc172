"""A traced ``tf.function`` on the device: a driver and its kernels, updates of variables included.

In: a ``Graph``, and which of its inputs are on the device.  ``run`` launches; arrays stay where
they are, results are on the device, and each variable stays in its place.  Nothing goes to the
processor in between but what decides about a branch, the trips of a loop, or belongs to a variable
of the processor; arguments and variables of the processor are copied to the device at every call,
their numbers are passed by value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from srcad.tape import nest
from srcad.tape.places import resident
from srcad.tape.tensor import Tensor
from srcad.tf import devices
from srcad.tf.device_code import DeviceEmitter, code_of, memory_of, result_of
from srcad.tf.graphs import Graph
from srcad.tf.programs import PathRaises, Program


def is_here(tensor: Any) -> bool:
    """Whether a tensor is on the device."""
    return hasattr(tensor._value, "memory")


class DeviceProgram(Program):
    """One specialization of a ``tf.function`` on the device."""

    on_device = True

    def __init__(self, graph: Graph, tensors: Sequence[Tensor]) -> None:
        self.here = [is_here(t) for t in (*tensors, *(v._tensor for v in graph.variables))]
        super().__init__(graph)
        self.made: list[Any] = []  # the constants on the device

    def emitter(self, graph: Graph) -> DeviceEmitter:
        symbols = (*graph.inputs, *graph.variable_inputs)
        pairs = zip(symbols, self.here, strict=True)
        cells = {id(s) for s, here in pairs if here and not s.shape}
        kept = {id(v) for v in graph.variables if not is_here(v._tensor)}
        return DeviceEmitter(graph, cells, kept)

    def fits(self) -> bool:
        """Whether the variables have the types of the tracing, and are where they were."""
        places = [is_here(v._tensor) for v in self.variables]
        return places == self.here[len(self.inputs) :] and super().fits()

    def compile(self) -> None:
        """Prepare what does not depend on the arguments; kernels are compiled when launched."""
        self._compiled = code_of(self.source, devices.BACKEND)
        self.made = [memory_of(c) for c in self.constants]

    def run(self, tensors: list[Tensor]) -> Any:
        """The result for these tensors; variables are updated."""
        values = [t._value for t in (*tensors, *(v._tensor for v in self.variables))]
        f = self.compiled()
        filled = [devices.empty(*b) for b in self.fills]
        spaces = [devices.empty(*b) for b in self.between]
        returned = f(*map(memory_of, values), *filled, *spaces, *self.made)
        path = int(returned[0])
        if path < 0:
            raise PathRaises
        leaves = [
            o.dtype.type(returned[o.where])
            if o.kind == "returned"
            else o.where
            if o.kind == "constant" and o.where is None
            else result_of(o, values, filled)
            for o in self.outputs[path]
        ]
        count = len(leaves) - len(self.updated)
        for v, value in zip(self.updated, leaves[count:], strict=True):
            v.store(value)
        results = [None if x is None else resident(x) for x in leaves[:count]]
        return nest.pack_sequence_as(self.structures[path], results)
