"""Numba's lowering to LLVM, in fewer words: elements of arrays, loops over ``range``, arithmetic.

Numba copies an array's description of seven fields for every element that is read or written, makes
objects of ranges and their iterators, and clears variables that go out of use: some fifty lines of
LLVM's language for ``a[i, j]``, a hundred for a loop.  LLVM's passes reduce them to the few that
count, in half of the time that compilation takes.  Here these few are written at once.

In: functions as for Numba's ``Lower``.  Out: code that computes the same (the same operations of
the same operands in the same order), with the same exceptions.  What is not mentioned below is
Numba's: everything about arrays of arrays, records and optional values, where bounds are checked,
and where variables are kept for a debugger.

Invariant: within a block of Numba's IR a value that was read is that of the variable until it is
assigned; blocks are lowered from a clean slate.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir as llvm
from numba.core import cgutils, config, ir, types
from numba.core.compiler_machinery import register_pass
from numba.core.lowering import Lower
from numba.core.typed_passes import NativeLowering
from numba.np.arrayobj import load_item, store_item

from srcad.backends.inner import lower_inside
from srcad.backends.lean_loops import Loops, plain_loops, source

WORD = llvm.IntType(64)
ZERO, ONE = llvm.Constant(WORD, 0), llvm.Constant(WORD, 1)
Key = tuple[Any, ...]
FLOATS: dict[Any, Any] = {operator.add: "fadd", operator.sub: "fsub", operator.mul: "fmul"}
INTEGERS: dict[Any, Any] = {operator.add: "add", operator.sub: "sub", operator.mul: "mul"}
COMPARISONS = {
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
    operator.eq: "==",
    operator.ne: "!=",
}


class LeanLower(Lower):  # type: ignore[misc]
    """See the module."""

    loops: Loops

    def pre_lower(self) -> None:
        """See ``numba.core.lowering``."""
        super().pre_lower()
        self.counts: dict[Any, bool] = {}  # types whose values have counted references
        self.known: dict[Key, Any] = {}  # what has been read in this block
        self.parts: dict[str, Any] = {}  # of ranges, iterators and pairs
        plain = self.generator_info is None and not self._disable_sroa_like_opt
        self.loops = plain_loops(self.blocks, self.fndesc.typemap) if plain else Loops()
        checked = getattr(config, "BOUNDSCHECK", None) or self.context.enable_boundscheck
        self.direct = plain and not checked

    def pre_block(self, block: Any) -> None:
        """See ``numba.core.lowering``."""
        self.known.clear()
        super().pre_block(block)

    # variables
    def counted(self, kind: Any) -> bool:
        """Whether values of a type have references that are counted."""
        found = self.counts.get(kind)
        if found is None:
            model = self.context.data_model_manager[kind]
            found = self.counts[kind] = model.contains_nrt_meminfo()
        return found

    def incref(self, typ: Any, val: Any) -> None:
        """See ``numba.core.lowering``."""
        if self.counted(typ):
            super().incref(*self.holder(typ, val))

    def decref(self, typ: Any, val: Any) -> None:
        """See ``numba.core.lowering``."""
        if self.counted(typ):
            super().decref(*self.holder(typ, val))

    def holder(self, kind: Any, value: Any) -> tuple[Any, Any]:
        """What has the references of a value: of an array the owner of its memory."""
        if type(kind) is not types.Array or self.counted(kind.dtype):
            return kind, value
        place = self.context.data_model_manager[kind].get_field_position("meminfo")
        return types.MemInfoPointer(kind.dtype), self.builder.extract_value(value, place)

    def in_slot(self, name: str) -> bool:
        """Whether a variable has a place in memory, and no references to count."""
        if self._disable_sroa_like_opt or name in self._singly_assigned_vars:
            return False
        return not self.counted(self.typeof(name))

    def loadvar(self, name: str) -> Any:
        """See ``numba.core.lowering``."""
        if name in self._blk_local_varmap or not self.in_slot(name):
            return super().loadvar(name)
        found = self.known.get((name,))
        if found is None:
            found = self.known[name,] = super().loadvar(name)
        return found

    def storevar(self, value: Any, name: str, argidx: int | None = None) -> None:
        """See ``numba.core.lowering``."""
        self.forget(name)
        if argidx is not None or not self.in_slot(name):
            super().storevar(value, name, argidx=argidx)
            return
        self.builder.store(value, self.getvar(name))
        self.known[name,] = value

    def delvar(self, name: str) -> None:
        """See ``numba.core.lowering``."""
        self.forget(name)
        if name in self.loops:
            return
        kind = self.typeof(name)
        if self.counted(kind) or self._disable_sroa_like_opt:
            super().delvar(name)
            return
        if name not in self._blk_local_varmap:
            self._singly_assigned_vars.discard(name)
        self._alloca_var(name, kind)

    def forget(self, name: str) -> None:
        """What was read of a variable is no longer of use."""
        for key in [key for key in self.known if key[0] == name]:
            del self.known[key]

    # elements of arrays
    def lower_getitem(self, resty: Any, expr: Any, value: Any, index: Any, signature: Any) -> Any:
        """See ``numba.core.lowering``."""
        pointer = self.element(value.name, index.name, signature)
        if pointer is None:
            return super().lower_getitem(resty, expr, value, index, signature)
        array = self.typeof(value.name)
        item = load_item(self.context, self.builder, array, pointer)
        return self.context.cast(self.builder, item, array.dtype, resty)

    def lower_setitem(self, target_var: Any, index_var: Any, value_var: Any, signature: Any) -> Any:
        """See ``numba.core.lowering``."""
        pointer = self.element(target_var.name, index_var.name, signature)
        kind = self.typeof(value_var.name)
        if pointer is None or not isinstance(kind, types.Number | types.Boolean):
            return super().lower_setitem(target_var, index_var, value_var, signature)
        array = self.typeof(target_var.name)
        value = self.loadvar(value_var.name)
        for to in (signature.args[2], array.dtype):
            value = self.context.cast(self.builder, value, kind, to)
            kind = to
        store_item(self.context, self.builder, array, value, pointer)
        return None

    def element(self, name: str, index: str, signature: Any) -> Any:
        """The address of an element; ``None`` where this is none, or nothing for this module."""
        array, kind = self.typeof(name), self.typeof(index)
        if not self.direct or type(array) is not types.Array or signature.args[0] != array:
            return None
        if not isinstance(array.dtype, types.Number | types.Boolean):
            return None
        several = isinstance(kind, types.BaseTuple)
        kinds = list(kind) if several else [kind]
        if len(kinds) != array.ndim or not all(map(word, kinds)):
            return None
        given = self.loadvar(index)
        numbers = [self.item(given, k) for k in range(len(kinds))] if several else [given]
        key = (name, "element", *numbers)
        found = self.known.get(key)
        if found is None:
            pairs = enumerate(zip(numbers, kinds, strict=True))
            places = [self.wrapped(name, k, x, t) for k, (x, t) in pairs]
            found = self.known[key] = self.address(name, array, places)
        return found

    def item(self, value: Any, k: int) -> Any:
        """Item of a tuple, without code where it was just put together."""
        while isinstance(value, llvm.InsertValue):
            if list(value.indices) == [k]:
                return value.value
            value = value.aggregate
        return self.builder.extract_value(value, k)

    def wrapped(self, name: str, axis: int, index: Any, kind: Any) -> Any:
        """An index, counted from the end where it is negative."""
        if not kind.signed or isinstance(index, llvm.Constant) and (index.constant or 0) >= 0:
            return index
        b = self.builder
        negative = b.icmp_signed("<", index, ZERO)
        return b.select(negative, b.add(index, self.field(name, "shape", axis)), index)

    def address(self, name: str, array: Any, places: list[Any]) -> Any:
        """The address of the element at these places."""
        b, data = self.builder, self.field(name, "data")
        if array.layout not in "CF":
            steps = [b.mul(self.field(name, "strides", k), x) for k, x in enumerate(places)]
            return cgutils.pointer_add(b, data, summed(b, steps))
        steps = []
        for k, x in enumerate(places):
            inner = range(k + 1, len(places)) if array.layout == "C" else range(k)
            steps.append(b.mul(x, self.sizes(name, tuple(inner))) if inner else x)
        return b.gep(data, [summed(b, steps)])

    def sizes(self, name: str, axes: tuple[int, ...]) -> Any:
        """How many elements axes have together."""
        found = self.known.get((name, "sizes", axes))
        if found is None:
            found = self.field(name, "shape", axes[0])
            for k in axes[1:]:
                found = self.builder.mul(found, self.field(name, "shape", k))
            self.known[name, "sizes", axes] = found
        return found

    def field(self, name: str, what: str, axis: int | None = None) -> Any:
        """A field of an array's description."""
        key = (name, what, axis)
        found = self.known.get(key)
        if found is None:
            model = self.context.data_model_manager[self.typeof(name)]
            place = model.get_field_position(what)
            if name in self._blk_local_varmap:
                indices = [place] if axis is None else [place, axis]
                found = self.builder.extract_value(self._blk_local_varmap[name], indices)
            else:
                slot = self.getvar(name)
                at = cgutils.gep_inbounds(
                    self.builder, slot, 0, place, *([] if axis is None else [axis])
                )
                found = self.builder.load(at)
            self.known[key] = found
        return found

    def lower_expr(self, resty: Any, expr: Any) -> Any:
        """See ``numba.core.lowering``."""
        if expr.op == "getattr" and expr.attr == "shape" and self.direct:
            name = expr.value.name
            array = self.typeof(name)
            if type(array) is types.Array:
                sizes = [self.field(name, "shape", k) for k in range(array.ndim)]
                return cgutils.pack_array(self.builder, sizes, ty=WORD)
        return super().lower_expr(resty, expr)

    # loops
    def lower_inst(self, inst: Any) -> Any:
        """See ``numba.core.lowering``."""
        if isinstance(inst, ir.Assign) and self.looped(inst.target.name, inst.value):
            return None
        return super().lower_inst(inst)

    def looped(self, name: str, value: Any) -> bool:
        """Lower an assignment that is part of a loop over a range, if it is one."""
        origin = source(value) or ""
        if name in self.loops.ranges:
            self.parts[name] = self.bounds(value)
        elif name in self.loops.iterators:
            parts = self.parts[origin]
            self.parts[name] = parts if isinstance(value, ir.Var) else self.started(*parts)
        elif name in self.loops.pairs:
            self.parts[name] = self.stepped(*self.parts[origin])
        elif origin in self.loops.pairs:
            kind, k = (types.int64, 0) if value.op == "pair_first" else (types.boolean, 1)
            part = self.parts[origin][k]
            self.storevar(self.context.cast(self.builder, part, kind, self.typeof(name)), name)
        else:
            return False
        return True

    def bounds(self, call: Any) -> tuple[Any, Any, Any]:
        """Start, stop and step of a range."""
        kinds = self.fndesc.calltypes[call].args
        given = [self._cast_var(x, t) for x, t in zip(call.args, kinds, strict=True)]
        start = given[0] if len(given) > 1 else ZERO
        return start, given[min(len(given), 2) - 1], given[2] if len(given) > 2 else ONE

    def started(self, start: Any, stop: Any, step: Any) -> tuple[Any, Any, Any]:
        """Places of the next number and of how many are left; the step."""
        b = self.builder
        number = cgutils.alloca_once(b, WORD, name="number")
        count = cgutils.alloca_once(b, WORD, name="count")
        b.store(start, number)
        b.store(self.length(b.sub(stop, start), step), count)
        return number, count, step

    def length(self, span: Any, step: Any) -> Any:
        """How many numbers a range has, as Numba counts them."""
        b = self.builder
        known = step.constant if isinstance(step, llvm.Constant) else None
        if known in (1, -1):
            up = b.icmp_signed(">", span, ZERO)
            return b.select(up, span, ZERO) if known == 1 else b.select(up, ZERO, b.neg(span))
        if not known:
            with cgutils.if_unlikely(b, b.icmp_unsigned("==", step, ZERO)):
                text = ("range() arg 3 must not be zero",)
                self.context.call_conv.return_user_exc(b, ValueError, text)
        up = b.icmp_signed(">", span, ZERO)
        differ = b.xor(up, b.icmp_signed(">", step, ZERO))
        rest = b.srem(span, step)
        rest = b.select(up, rest, b.neg(rest))
        more = b.select(b.icmp_signed(">", rest, ZERO), ONE, ZERO)
        return b.select(differ, ZERO, b.add(b.sdiv(span, step), more))

    def stepped(self, number: Any, count: Any, step: Any) -> tuple[Any, Any]:
        """The next number, and whether there is one."""
        b = self.builder
        value, left = b.load(number), b.load(count)
        valid = b.icmp_signed(">", left, ZERO)
        b.store(b.sub(left, ONE, flags=["nsw"]), count)
        b.store(b.add(value, step, flags=["nsw"]), number)
        return value, valid

    # arithmetic
    def lower_binop(self, resty: Any, expr: Any, op: Callable[..., Any]) -> Any:
        """See ``numba.core.lowering``."""
        args = self.fndesc.calltypes[expr].args
        made = None
        if ir.UNDEFINED is expr.static_lhs is expr.static_rhs and args[0] == args[1]:
            made = instruction(self.builder, op, args[0])
        if made is None:
            return super().lower_binop(resty, expr, op)
        operands = [
            self.context.cast(self.builder, self.loadvar(x.name), self.typeof(x.name), args[0])
            for x in (expr.lhs, expr.rhs)
        ]
        kind = types.boolean if op in COMPARISONS else args[0]
        return self.context.cast(self.builder, made(*operands), kind, resty)


def word(kind: Any) -> bool:
    """Whether an index is a number of 64 bits."""
    return types.unliteral(kind) in (types.int64, types.uint64)


def summed(builder: Any, numbers: list[Any]) -> Any:
    """The sum, from the left."""
    total = numbers[0] if numbers else ZERO
    for x in numbers[1:]:
        total = builder.add(total, x)
    return total


def instruction(builder: Any, op: Any, kind: Any) -> Callable[..., Any] | None:
    """What Numba makes of an operation of two numbers of a type, where it is one instruction."""
    floating = kind in (types.float64, types.float32)
    if not floating and kind != types.int64:
        return None
    name = (FLOATS if floating else INTEGERS).get(op)
    if name is not None:
        flags = () if floating else ("nsw",)  # as Numba says of signed integers
        return lambda x, y: getattr(builder, name)(x, y, flags=flags)
    sign = COMPARISONS.get(op)
    if sign is None:
        return None
    unordered = floating and sign == "!="
    compare = builder.fcmp_unordered if unordered else builder.fcmp_ordered
    return lambda x, y: (compare if floating else builder.icmp_signed)(sign, x, y)


@register_pass(mutates_CFG=True, analysis_only=False)
class LeanLowering(NativeLowering):  # type: ignore[misc]
    """``NativeLowering`` in fewer words."""

    _name = "srcad_lean_lowering"

    @property
    def lowering_class(self) -> Any:
        """See ``numba.core.typed_passes``."""
        return LeanLower

    def run_pass(self, state: Any) -> bool:
        """See ``numba.core.compiler_machinery``."""
        if not state.pipeline.inner:
            return bool(super().run_pass(state))
        state.pipeline.inner = False  # the other list of passes makes a library
        return lower_inside(state, super().run_pass)
