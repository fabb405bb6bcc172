"""What a CUDA kernel says of its threads: ``cuda.grid``, ``cuda.shared``, ``cuda.syncthreads`` …

In: an attribute of the module ``numba.cuda`` as the user's kernel names it (numba itself is not
imported, so the same text works for the simulator, with a GPU and with neither).  Out: hidden
parameters (``ir.threads``), local arrays, barriers, atomic updates.

Limits: inside ``srcad.cuda.kernel`` only; what is not listed in ``KNOWN`` is refused by name.  A
float atomic gives nothing back: the element as it was depends on the order of the threads.
"""

from __future__ import annotations

import types
from dataclasses import dataclass
from typing import Any

import numpy as np

from srcad.frontend import exchanges
from srcad.frontend.core import OBJECTS, Lowering, handles
from srcad.frontend.values import Static, Tuple, describe, is_array
from srcad.ir.build import const
from srcad.ir.nodes import Accumulate, Atom, Call, Const, Var
from srcad.ir.threads import AXES, EXTREMES, Hidden, atomic_function, atomic_name, names
from srcad.ir.types import DTYPES, I8, ArrayT, is_float

MODULES = ("numba.cuda", "numba_cuda.numba.cuda")
PLACE_OF = {"threadIdx": "thread", "blockIdx": "block", "blockDim": "width", "gridDim": "blocks"}
KNOWN = (
    *("grid", "gridsize", "syncthreads", "shared", "shared.array", "local", "local.array"),
    *("syncwarp", "const", "const.array_like", "fma", "selp", "cbrt"),
    *(*exchanges.SHUFFLES, *exchanges.VOTES),
    *("atomic", "atomic.add", "atomic.sub", *(f"atomic.{how}" for how in EXTREMES), *PLACE_OF),
)
REASONS = {
    **dict.fromkeys(("atomic.inc", "atomic.dec"), "it wraps around at a bound"),
    "atomic.exch": "which value an exchange leaves depends on the order of the threads",
    "atomic.cas": "which value an exchange leaves depends on the order of the threads",
    "atomic.compare_and_swap": "which value an exchange leaves depends on the order of the threads",
    "threadfence": "only barriers of whole blocks are reversed",
    "cg": "only barriers of whole blocks are reversed",
    **dict.fromkeys(
        ("popc", "clz", "ffs", "brev"), "integers have 64 bits here, and the width matters to it"
    ),
    **dict.fromkeys(
        ("all_sync", "any_sync", "eq_sync", "ballot_sync", "match_any_sync", "match_all_sync"),
        "which lanes of a warp take part is known only at run time",
    ),
    "activemask": "which lanes of a warp take part is known only at run time",
}
INSTEAD = {
    **dict.fromkeys(("popc", "clz", "ffs", "brev"), "write it as a loop of shifts and masks"),
    **dict.fromkeys(
        ("all_sync", "any_sync", "ballot_sync"),
        "use cuda.syncthreads_and, cuda.syncthreads_or or cuda.syncthreads_count",
    ),
    **dict.fromkeys(
        ("atomic.inc", "atomic.dec"), "use cuda.atomic.add of an array of integers, and a remainder"
    ),
}


@dataclass(frozen=True)
class CudaName:
    """A name of ``numba.cuda``: ``"grid"``, ``"shared.array"``."""

    path: str


def attribute(lo: Lowering, owner: Any, name: str, node: Any) -> Any:
    """``owner.name`` if it belongs to ``numba.cuda``, else ``None``."""
    if isinstance(owner, types.ModuleType) and owner.__name__ in MODULES:
        path = name
    elif isinstance(owner, CudaName):
        path = f"{owner.path}.{name}"
    else:
        return None
    first, _, axis = path.partition(".")
    in_kernel(lo, path, node)
    if first in PLACE_OF and axis in AXES:
        return place(lo, f"{PLACE_OF[first]}_{axis}")
    if path == "laneid":
        return exchanges.lane(lo, in_kernel(lo, path, node), place)
    if path == "warpsize":
        return const(exchanges.WARP)
    if path not in KNOWN:
        why = REASONS.get(path) or REASONS.get(first) or "srcad does not know what it does"
        instead = INSTEAD.get(path, "do it in a kernel of its own, outside the differentiated one")
        lo.fail(node, f"cuda.{path} is not supported in a differentiated kernel", why, instead)
    return Static(CudaName(path))


def in_kernel(lo: Lowering, path: str, node: Any) -> Any:
    """The launch that the kernel in hand is compiled for."""
    launch = getattr(lo.program.options, "launch", None)
    if launch is None:
        lo.fail(
            node,
            f"cuda.{path} in a function that is no kernel",
            "only the threads of a kernel know where they are",
            "differentiate the kernel with srcad.cuda.kernel",
        )
    return launch


def hidden(lo: Lowering, wish: str, key: Any, kind: Any, what: Hidden) -> Var:
    """The hidden parameter for ``key``, made on first use."""
    known = lo.program.hidden.get(key)
    if known is None:
        known = lo.program.hidden[key] = (lo.b.var(wish, kind), what)
    return known[0]


def place(lo: Lowering, name: str) -> Var:
    """Where the thread stands in the launch."""
    return hidden(lo, name, name, I8, Hidden("place", name))


@handles(OBJECTS, CudaName)
def call(lo: Lowering, f: Any, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """A call of a name of ``numba.cuda``."""
    path = f.path
    if path in ("grid", "gridsize"):
        return _grid(lo, path, [*args, *keywords.values()], node)
    if path in ("syncthreads", "syncwarp"):  # what orders a block orders its warps
        exchanges.synchronise(lo)
        return Static(None)
    given, launch = [*args, *keywords.values()], in_kernel(lo, path, node)
    if path in exchanges.VOTES:
        return exchanges.vote(lo, path, given, node, launch, (hidden, place))
    if path in exchanges.SHUFFLES:
        return exchanges.shuffle(lo, path, given, node, launch, (hidden, place))
    if path in ("fma", "selp", "cbrt"):
        return exchanges.arithmetic(lo, path, given, node)
    if path == "const.array_like":
        return exchanges.constant(lo, given, node)
    if path in ("shared.array", "local.array"):
        values = dict(zip(("shape", "dtype"), args, strict=False)) | keywords
        return _array(lo, path, values, node)
    if path.startswith("atomic."):
        return _atomic(lo, path, args, keywords, node)
    lo.mismatch(node, f"cuda.{path} cannot be called")


def _grid(lo: Lowering, path: str, args: list[Any], node: Any) -> Any:
    ndim = args[0] if len(args) == 1 else None
    if not (isinstance(ndim, Const) and ndim.value in (1, 2, 3)):
        lo.mismatch(node, f"cuda.{path} takes the number of axes", instead="give 1, 2 or 3")
    found = tuple(place(lo, name) for name in names(path)[: int(ndim.value)])
    return found[0] if len(found) == 1 else Tuple(found)


def _array(lo: Lowering, path: str, values: dict[str, Any], node: Any) -> Var:
    shape, dtype = values.get("shape"), _dtype(lo, path, values.get("dtype"), node)
    sizes = shape.items if isinstance(shape, Tuple) else (shape,)
    if not all(isinstance(n, Const) and n.type == I8 for n in sizes):
        lo.fail(
            node,
            f"the shape of cuda.{path} is not known when the kernel is compiled",
            "shared and local memory have a fixed size",
            "use constants; for shared memory shape 0 takes the size from the launch",
        )
    exact = tuple(int(n.value) for n in sizes)
    kind = ArrayT(dtype, len(exact))
    if path == "local.array":
        return lo.new_array(dtype, tuple(map(const, exact)), hint="a")
    if exact == (0,):
        exact = (_dynamic(lo, dtype, node),)
    made = hidden(lo, "shared", lo.key(node, "shared"), kind, Hidden("shared", "", exact))
    return lo.note_shape(made, tuple(map(const, exact)))


def _dynamic(lo: Lowering, dtype: str, node: Any) -> int:
    """The size of an array in dynamic shared memory, which all such arrays have in common."""
    first = lo.program.hidden.setdefault("dynamic", (lo.key(node, "shared"), Hidden("dynamic")))[0]
    if first != lo.key(node, "shared"):
        lo.fail(
            node,
            "a second array in dynamic shared memory",
            "both would begin at the same address",
            "make one array of shape 0, and take slices of it",
        )
    size = int(in_kernel(lo, "shared.array", node).shared) // np.dtype(dtype).itemsize
    if not size:
        lo.mismatch(
            node,
            "cuda.shared.array of shape 0, and the launch gives no shared memory",
            instead="launch with [blocks, threads, stream, bytes]",
        )
    return size


def _dtype(lo: Lowering, path: str, value: Any, node: Any) -> str:
    obj = getattr(value, "obj", None)
    try:
        dt = np.dtype(obj if isinstance(obj, (type, np.dtype)) else str(obj))
    except TypeError:
        lo.mismatch(node, f"the dtype of cuda.{path} is {describe(value)}", instead="np.float64")
    code = "b1" if dt == np.bool_ else f"{dt.kind}{dt.itemsize}"
    if code not in DTYPES or code.startswith("c"):
        lo.mismatch(
            node, f"cuda.{path} of {dt.name} is not supported", instead="use floats or ints"
        )
    return code


def _atomic(lo: Lowering, path: str, args: list[Any], keywords: dict[str, Any], node: Any) -> Any:
    """``cuda.atomic.add(array, index, value)``, and other updates that have an adjoint."""
    from srcad.frontend.arrays import to_element
    from srcad.frontend.indexing import check_target, key_items

    given = dict(zip(("ary", "idx", "val"), args, strict=False)) | keywords
    if set(given) != {"ary", "idx", "val"} or not is_array(given["ary"]):
        lo.mismatch(node, f"cuda.{path} takes an array, an index and a value")
    array = given["ary"]
    check_target(lo, array, node)
    _wide(lo, path, array, node)
    items = key_items(lo, array, given["idx"], node)
    if not all(i[0] == "at" for i in items):
        lo.mismatch(node, f"cuda.{path} updates one element", instead="give an index for each axis")
    index = tuple(i[1] for i in items)
    value: Atom = lo.scalar(given["val"], node)
    how = path.partition(".")[2]
    if how == "sub":
        how, value = "add", lo.b.op("neg", value)
    value = to_element(lo, value, array)
    alone = getattr(lo.node, "value", None) is node and type(lo.node).__name__ == "Expr"
    if alone and how == "add":
        lo.b.emit(Accumulate(array, index, value, lo.b.loc, atomic=True))
        return Static(None)
    if not alone and is_float(array.type):
        lo.fail(
            node,
            f"the value that cuda.{path} of a float array gives back",
            "it depends on the order of the threads, so it has no derivative",
            "use the call as a statement of its own",
        )
    return _called(lo, how, array, (*index, value), not alone)


def _called(lo: Lowering, how: str, array: Var, rest: tuple[Atom, ...], old: bool) -> Any:
    """An atomic that is a call; only counters may ask for the element as it was."""
    assert isinstance(array.type, ArrayT)
    name = atomic_name(how, array.type, old)
    lo.program.callees.setdefault(name, atomic_function(how, array.type, old))
    before = lo.b.var("old", array.type.element)
    lo.b.emit(Call((before,) if old else (), name, (array, *rest), lo.b.loc))
    return before if old else Static(None)


def _wide(lo: Lowering, path: str, array: Var, node: Any) -> None:
    """Refuse arrays whose elements the device cannot update atomically."""
    kind = array.type.dtype  # type: ignore[union-attr]
    if kind == "b1" or int(kind[1:]) < 4:
        lo.mismatch(
            node,
            f"cuda.{path} of an array of {kind}",
            "the device updates elements of four or eight bytes",
            "use an array of int32, int64, float32 or float64",
        )
