"""Control flow as functions, run at once: ``while_loop``, ``cond``, ``map_fn`` and relatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from srcad.tape import nest
from srcad.tape.convert import to_tensor
from srcad.tape.elementwise import VOCABULARY
from srcad.tape.failures import InvalidArgumentError
from srcad.tape.indexing import identity
from srcad.tape.kernels import is_symbolic
from srcad.tape.shaping import stack, unstack
from srcad.tape.state import STATE


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: Any = None,
    back_prop: Any = None,
    swap_memory: Any = None,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Repeat ``body`` on the loop variables while ``cond`` holds."""
    values = nest.map_structure(to_tensor, loop_vars)
    if STATE.trace is not None and not STATE.tapes:  # under a tape: unrolled, if that is possible
        return _traced_while(cond, body, values, maximum_iterations)
    count = 0
    while bool(cond(*values)) and (maximum_iterations is None or count < maximum_iterations):
        found = body(*values)
        found = found if isinstance(found, list | tuple) else [found]
        nest.assert_same_structure(list(loop_vars), list(found))
        values = nest.map_structure(to_tensor, found)
        count += 1
    return values


def _traced_while(cond: Any, body: Any, values: Any, most: Any) -> Any:
    """The loop as a node of a traced function; a counter is added where trips are limited."""
    flat = nest.flatten(values)
    limited = most is not None

    def structured(xs: Any) -> Any:
        return nest.pack_sequence_as(values, xs[: len(flat)])

    def test(*xs: Any) -> Any:
        found = cond(*structured(xs))
        return VOCABULARY["logical_and"](found, xs[-1] < most) if limited else found

    def step(*xs: Any) -> Any:
        found = body(*structured(xs))
        found = list(found) if isinstance(found, list | tuple) else [found]
        nest.assert_same_structure(list(values), found)
        return [*nest.flatten(found), *([xs[-1] + 1] if limited else [])]

    start = [*flat, to_tensor(np.int32(0))] if limited else flat
    return structured(STATE.trace.while_loop(test, step, start))


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    name: str | None = None,
) -> Any:
    """What one of two functions gives."""
    chosen = true_fn if bool(pred) else false_fn
    if chosen is None:
        raise TypeError("tf.cond needs both true_fn and false_fn")
    return chosen()


def case(
    pred_fn_pairs: Any,
    default: Callable[[], Any] | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str = "case",
) -> Any:
    """What the function of the first true condition gives."""
    for pred, f in pred_fn_pairs:
        if bool(pred):
            return f()
    if default is None:
        raise InvalidArgumentError("None of the conditions evaluated as True. [Op:Assert]")
    return default()


def switch_case(branch_index: Any, branch_fns: Any, default: Any = None, name: str = "") -> Any:
    """What the function with a given number gives; the last one if there is none."""
    functions = dict(branch_fns if isinstance(branch_fns, dict) else enumerate(branch_fns))
    last = default or functions[max(functions)]
    return functions.get(int(branch_index), last)()


def map_fn(fn: Callable[..., Any], elems: Any, *args: Any, **kwargs: Any) -> Any:
    """``fn`` of every slice along the first axis, stacked."""
    rows = zip(*[unstack(to_tensor(e)) for e in nest.flatten(elems)], strict=True)
    found = [fn(nest.pack_sequence_as(elems, row)) for row in rows]
    return nest.map_structure(lambda *xs: stack(list(xs)), *found)


def vectorized_map(fn: Callable[..., Any], elems: Any, *args: Any, **kwargs: Any) -> Any:
    """``fn`` of every slice along the first axis, stacked."""
    return map_fn(fn, elems)


def foldl(fn: Callable[..., Any], elems: Any, initializer: Any = None, **kwargs: Any) -> Any:
    """``fn(fn(a, x0), x1) ...``."""
    rows = unstack(to_tensor(elems))
    total = rows.pop(0) if initializer is None else initializer
    for row in rows:
        total = fn(total, row)
    return total


def foldr(fn: Callable[..., Any], elems: Any, initializer: Any = None, **kwargs: Any) -> Any:
    """``fn(fn(a, xn), ...)``, the last element first."""
    rows = unstack(to_tensor(elems))
    total = rows.pop() if initializer is None else initializer
    for row in reversed(rows):
        total = fn(total, row)
    return total


def identity_n(input: Any, name: str | None = None) -> list[Any]:
    """The same values, as tensors of their own."""
    return [identity(x) for x in input]


def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The value as an array; ``None`` while a function is traced."""
    value = to_tensor(tensor)._value
    return None if is_symbolic(value) else value


def scan(fn: Callable[..., Any], elems: Any, initializer: Any = None, **kwargs: Any) -> Any:
    """All intermediate results of ``foldl``, stacked."""
    rows = unstack(to_tensor(elems))
    total = rows[0] if initializer is None else initializer
    found = [total] if initializer is None else []
    for row in rows[1:] if initializer is None else rows:
        total = fn(total, row)
        found.append(total)
    return nest.map_structure(lambda *xs: stack(list(xs)), *found)


def group(*inputs: Any, **kwargs: Any) -> None:
    """Nothing: operations have run already."""


def no_op(name: str | None = None) -> None:
    """Nothing."""


@contextmanager
def _context(*args: Any, **kwargs: Any) -> Iterator[Any]:
    yield args[0] if args else None


name_scope = control_dependencies = init_scope = _context
