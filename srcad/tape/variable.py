"""``Variable``: a tensor that can be assigned.

Reading gives the current value, an ordinary tensor, and tells active tapes; assigning puts a
new tensor in its place, so what was read before is not changed.
"""

from __future__ import annotations

import itertools
import operator
from typing import Any

import numpy as np

from srcad.tape.convert import beside, to_tensor
from srcad.tape.dtypes import DType
from srcad.tape.elementwise import listed
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.indexing import identity, scatter_nd, tensor_scatter_nd_update
from srcad.tape.kernels import quiet, roomy
from srcad.tape.places import USED, fetched, place_of, resident
from srcad.tape.shapes import TensorShape
from srcad.tape.state import STATE
from srcad.tape.tensor import Reference, Tensor, value_text

_SERIAL = itertools.count()
_plus, _minus = quiet(operator.add), quiet(operator.sub)
_plus_array, _minus_array = quiet(roomy(operator.add)), quiet(roomy(operator.sub))


class Variable:
    """A value that programs change.

    Args:
        initial_value: a value, a tensor, or a function without arguments that gives one.
        trainable: whether tapes watch it when it is read.
        constraint: a projection that optimizers apply after an update.
        shape: the shape that assigned values must have, if not the initial value's
            (``TensorShape(None)``: any).
    """

    __array_priority__ = 100

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        import_scope: Any = None,
        constraint: Any = None,
        synchronization: Any = None,
        aggregation: Any = None,
        shape: Any = None,
    ) -> None:
        if initial_value is None:
            raise ValueError(
                "The `initial_value` arg to `tf.Variable` must be specified except when you are "
                "not providing a `variable_def`. You provided neither."
            )
        value = initial_value() if callable(initial_value) else initial_value
        if dtype is not None and not isinstance(value, Tensor):
            start = to_tensor(value, dtype)
        else:
            start = to_tensor(value, dtype if dtype is not None else None)
        self._tensor = Tensor(start._value)
        self._shape = TensorShape(start._value.shape if shape is None else shape)
        if not self._shape.is_compatible_with(start._value.shape):
            raise ValueError(
                f"In this `tf.Variable` creation, the initial value's shape ({start.shape}) is not "
                f"compatible with the explicitly supplied `shape` argument ({shape})."
            )
        self.trainable = True if trainable is None else bool(trainable)
        self.constraint = constraint
        self.name = f"{name or 'Variable'}:0"
        self._serial = next(_SERIAL)

    # reading
    def __tape_tensor__(self) -> Tensor:
        tensor = self._tensor if STATE.trace is None else STATE.trace.read(self)
        for tape in STATE.tapes:
            tape.see(self, tensor)
        return tensor

    @property
    def _value(self) -> Any:
        return self._now()._value

    def _now(self) -> Tensor:
        """The current value; no tape is told."""
        return self._tensor if STATE.trace is None else STATE.trace.read(self)

    def store(self, value: Any) -> None:
        """Put a value in place: for good, or for the rest of the function that is traced.

        The variable stays where it was made.
        """
        if STATE.trace is None:
            have = self._tensor._value
            self._tensor = resident(place_of(have).put(value)) if USED else Tensor(value)
        else:
            STATE.trace.write(self, Tensor(value))

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._now().dtype

    @property
    def shape(self) -> TensorShape:
        """The shape."""
        return self._shape

    @property
    def device(self) -> str:
        """Where it lives."""
        return self._now().device

    def get_shape(self) -> TensorShape:
        """The shape."""
        return self._shape

    def value(self) -> Tensor:
        """The current value as a tensor of its own."""
        return identity(self)

    def read_value(self) -> Tensor:
        """The current value as a tensor of its own."""
        return identity(self)

    def numpy(self) -> Any:
        """The current value: a NumPy scalar, or an array that is the caller's own."""
        return self._now().numpy()

    def initialized_value(self) -> Tensor:
        """The current value."""
        return identity(self)

    def ref(self) -> Reference:
        """A hashable stand-in for dictionaries and sets."""
        return Reference(self)

    # assigning
    def assign(
        self,
        value: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Replace the value."""
        new = self._as_value(value)
        if not self._shape.is_compatible_with(new._value.shape):
            raise ValueError(
                f"Cannot assign value to variable ' {self.name}': Shape mismatch. The variable "
                f"shape {self._shape}, and the assigned value shape {new.shape} are incompatible."
            )
        self.store(new._value)
        return self if read_value else None

    def assign_add(
        self,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Add to the value."""
        step = self._operand(delta, "AssignAddVariableOp")
        self.store((_plus_array if step.shape else _plus)(self._value, step))
        return self if read_value else None

    def assign_sub(
        self,
        delta: Any,
        use_locking: bool = False,
        name: str | None = None,
        read_value: bool = True,
    ) -> Any:
        """Subtract from the value."""
        step = self._operand(delta, "AssignSubVariableOp")
        self.store((_minus_array if step.shape else _minus)(self._value, step))
        return self if read_value else None

    def assign_part(self, key: Any, value: Any) -> Variable:
        """Replace the elements at a subscript."""
        array = np.array(self._value)
        array[key] = self._as_value(value)._value
        return self.assign(array)

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Replace elements at index tuples."""
        return self.assign(tensor_scatter_nd_update(self._now(), indices, updates))

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Add to elements at index tuples."""
        added = scatter_nd(indices, self._as_value(updates), self._value.shape)
        return self.assign_add(added)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Variable:
        """Subtract from elements at index tuples."""
        return self.assign_sub(scatter_nd(indices, self._as_value(updates), self._value.shape))

    def _operand(self, delta: Any, op: str) -> Any:
        have = self._value
        new = self._as_value(delta)
        if new._value.shape != have.shape:
            raise InvalidArgumentError(
                f"Cannot update variable with shape {listed(have.shape)} using a Tensor with shape "
                f"{listed(new._value.shape)}, shapes must be equal. [Op:{op}] name: "
            )
        return new._value

    def _as_value(self, value: Any) -> Tensor:
        """A tensor of the variable's type."""
        if type(value) in (int, float, bool):
            return to_tensor(value, self.dtype)
        new = value if type(value) is Tensor else beside(value, self._now())
        if new._value.dtype != self._value.dtype:
            raise ValueError(
                f"Tensor conversion requested dtype {self.dtype.name} for Tensor with dtype "
                f"{new.dtype.name}: {new!r}"
            )
        return new

    # as a Python value
    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self._now().__array__(dtype, copy)

    def __hash__(self) -> int:
        raise TypeError(
            f"Variable is unhashable. Instead, use variable.ref() as the key. (Variable: {self!r})"
        )

    def __bool__(self) -> bool:
        return bool(self._now())

    def __float__(self) -> float:
        return float(self._now())

    def __int__(self) -> int:
        return int(self._now())

    def __index__(self) -> int:
        return self._now().__index__()

    def __iter__(self) -> Any:
        return iter(identity(self))

    def __format__(self, spec: str) -> str:
        return format(self._now(), spec) if spec else str(self)

    def __copy__(self) -> Variable:
        return self.__deepcopy__(None)

    def __deepcopy__(self, memo: Any) -> Variable:
        name = self.name.removesuffix(":0")
        return Variable(self._now(), self.trainable, name=name, constraint=self.constraint)

    def __repr__(self) -> str:
        v = fetched(self._value)
        text = value_text(v)
        return f"<tf.Variable '{self.name}' shape={self._shape} dtype={v.dtype.name}, numpy={text}>"

    __str__ = __repr__
