"""The code of ``backends.gate`` for LLVM.

In: whether pointers have types (as they had in the LLVM of old versions of Numba).  Out: the text
of a module with the function ``gate(self, args, keywords)``, a method of the interpreter.  ``self``
is a tuple of the plan (bytes, laid out as below), the slow function, and what keeps objects alive.

Objects are numbers of 64 bits here.  ``word a + b`` is the number that stands in memory at
``a + b``, ``half`` and ``byte`` are shorter ones; all else is LLVM's own language.
"""

from __future__ import annotations

import re

from srcad.backends.gate_parts import (
    ARGS,
    ARRAY,
    CODE,
    DTYPE,
    ENTRY,
    EXPLAIN,
    EXTRA,
    FINISH,
    FLAGS,
    HEAD,
    INTEGER,
    KEY,
    LEAVES,
    NAMES,
    NO_OUT,
    NUMBER,
    ORDER,
    OUT,
    OUT_TUPLES,
    OWNER,
    PARTS,
    PLACES,
    RANK,
    ROW,
    SHAPE,
    SPREAD,
    TYPE,
    WATCH,
    WATCHED,
)

API = {
    "PyTuple_Size": "i64 (i64)",
    "PyTuple_GetItem": "i64 (i64, i64)",
    "PySequence_Concat": "i64 (i64, i64)",
    "PyBytes_AsString": "i64 (i64)",
    "PyDict_Size": "i64 (i64)",
    "PyDict_GetItem": "i64 (i64, i64)",
    "PyLong_AsLongLongAndOverflow": "i64 (i64, i64)",
    "PyErr_Clear": "void ()",
    "PyErr_Fetch": "void (i64, i64, i64)",
    "PyErr_NormalizeException": "void (i64, i64, i64)",
    "PyErr_Restore": "void (i64, i64, i64)",
    "PyTuple_New": "i64 (i64)",
    "PyTuple_SetItem": "i32 (i64, i64, i64)",
    "PyFloat_AsDouble": "double (i64)",
    "PyType_GetSlot": "i64 (i64, i32)",
    "PyObject_Call": "i64 (i64, i64, i64)",
    "PyObject_CallObject": "i64 (i64, i64)",
    "Py_IncRef": "void (i64)",
    "Py_DecRef": "void (i64)",
}

GATE = f"""
define i64 @gate(i64 %self, i64 %given, i64 %keywords) {{
entry:
  %room = alloca [4 x i64]
  %error.1 = ptrtoint {{room}} %room to i64
  %error.2 = add i64 %error.1, 8
  %error.3 = add i64 %error.1, 16
  %overflow = add i64 %error.1, 24
  %cursor = alloca i64
  %cursor.at = ptrtoint {{word}} %cursor to i64
  %bytes = call i64 @PyTuple_GetItem(i64 %self, i64 0)
  %plan = call i64 @PyBytes_AsString(i64 %bytes)
  %out = word %plan + {OUT}
  %alone = icmp eq i64 %out, {NO_OUT}
  %shape = word %plan + {SHAPE}
  %tree = add i64 %plan, %shape
  %nameless = icmp eq i64 %keywords, 0
  br i1 %nameless, label %unnamed, label %names
names:
  %some = call i64 @PyDict_Size(i64 %keywords)
  switch i64 %some, label %slow [ i64 0, label %unnamed
                                  i64 1, label %named ]
unnamed:
  call void @Py_IncRef(i64 %given)
  br i1 %alone, label %count, label %refuse

named:
  %out.key = word %plan + {KEY}
  %into = call i64 @PyDict_GetItem(i64 %keywords, i64 %out.key)
  %absent = icmp eq i64 %into, 0
  %other.call = or i1 %absent, %alone
  br i1 %other.call, label %slow, label %apart
apart:
  %tuples = icmp eq i64 %out, {OUT_TUPLES}
  br i1 %tuples, label %spread, label %taken
spread:
  %size = word %plan + {PLACES}
  %found = call i64 @PyTuple_New(i64 %size)
  %no.room = icmp eq i64 %found, 0
  br i1 %no.room, label %error, label %walk
walk:
  store i64 %tree, {{word}} %cursor
  %fine = call i1 @spread(i64 %cursor.at, i64 %into, i64 %found, i64 %plan)
  br i1 %fine, label %appended, label %unfit
unfit:
  call void @Py_DecRef(i64 %found)
  br label %slow
taken:
  %leaves = word %plan + {LEAVES}
  %leaves.of = call i64 @apply(i64 %leaves, i64 %into)
  %unlike = icmp eq i64 %leaves.of, 0
  br i1 %unlike, label %clear, label %appended
appended:
  %places = phi i64 [ %found, %walk ], [ %leaves.of, %taken ]
  %with.out = call i64 @PySequence_Concat(i64 %given, i64 %places)
  call void @Py_DecRef(i64 %places)
  %no.whole = icmp eq i64 %with.out, 0
  br i1 %no.whole, label %error, label %count

count:
  %whole = phi i64 [ %given, %unnamed ], [ %with.out, %appended ]
  %receiver = phi i64 [ 0, %unnamed ], [ %into, %appended ]
  %n = call i64 @PyTuple_Size(i64 %whole)
  %n.plan = word %plan + {ARGS}
  %n.same = icmp eq i64 %n, %n.plan
  br i1 %n.same, label %arguments, label %refuse.whole

arguments:
  %k = phi i64 [ 0, %count ], [ %k.next, %fits ]
  %rows = mul i64 %k, {ROW}
  %rows.at = add i64 %rows, {HEAD}
  %row = add i64 %plan, %rows.at
  %k.done = icmp eq i64 %k, %n
  br i1 %k.done, label %captured, label %argument
argument:
  %x = call i64 @PyTuple_GetItem(i64 %whole, i64 %k)
  %type = word %x + {TYPE}
  %type.1 = word %row + 8
  %first = icmp eq i64 %type, %type.1
  br i1 %first, label %kinds, label %other
other:
  %type.2 = word %row + 16
  %second = icmp eq i64 %type, %type.2
  br i1 %second, label %fits, label %refuse.whole
kinds:
  %kind = word %row + 0
  switch i64 %kind, label %fits [ i64 {ARRAY}, label %array
                                  i64 {INTEGER}, label %integer ]
integer:
  %value = call i64 @PyLong_AsLongLongAndOverflow(i64 %x, i64 %overflow)
  %over = half %overflow + 0
  %small = icmp eq i64 %over, 0
  br i1 %small, label %fits, label %refuse.whole
array:
  %rank = half %x + {RANK}
  %rank.plan = word %row + 24
  %rank.same = icmp eq i64 %rank, %rank.plan
  br i1 %rank.same, label %placed, label %refuse.whole
placed:
  %flags = half %x + {FLAGS}
  %mask = word %row + 32
  %masked = and i64 %flags, %mask
  %flags.plan = word %row + 40
  %flags.same = icmp eq i64 %masked, %flags.plan
  br i1 %flags.same, label %numbers, label %refuse.whole
numbers:
  %dtype = word %x + {DTYPE}
  %number = half %dtype + {NUMBER}
  %number.plan = word %row + 48
  %number.same = icmp eq i64 %number, %number.plan
  br i1 %number.same, label %ordered, label %refuse.whole
ordered:
  %order = byte %dtype + {ORDER}
  %order.plan = word %row + 56
  %order.same = icmp eq i64 %order, %order.plan
  br i1 %order.same, label %fits, label %refuse.whole
fits:
  %k.next = add i64 %k, 1
  br label %arguments

captured:
  %many = word %plan + {NAMES}
  br label %entries
entries:
  %m = phi i64 [ 0, %captured ], [ %m.next, %unchanged ]
  %at = phi i64 [ %row, %captured ], [ %at.next, %unchanged ]
  %m.done = icmp eq i64 %m, %many
  br i1 %m.done, label %functions, label %name
name:
  %table = word %at + 0
  %key = word %at + 8
  %now = call i64 @PyDict_GetItem(i64 %table, i64 %key)
  %then = word %at + 16
  %as.then = icmp eq i64 %now, %then
  br i1 %as.then, label %unchanged, label %refuse.whole
unchanged:
  %m.next = add i64 %m, 1
  %at.next = add i64 %at, {ENTRY}
  br label %entries

functions:
  %several = word %plan + {WATCHED}
  br label %watches
watches:
  %w = phi i64 [ 0, %functions ], [ %w.next, %constant ]
  %by = phi i64 [ %at, %functions ], [ %by.next, %constant ]
  %w.done = icmp eq i64 %w, %several
  br i1 %w.done, label %extras, label %watched
watched:
  %get = word %by + 0
  %got = call i64 @PyObject_CallObject(i64 %get, i64 0)
  %failed = icmp eq i64 %got, 0
  br i1 %failed, label %raised, label %compare
raised:
  call void @PyErr_Clear()
  br label %refuse.whole
compare:
  call void @Py_DecRef(i64 %got)
  %before = word %by + 8
  %same = icmp eq i64 %got, %before
  br i1 %same, label %constant, label %refuse.whole
constant:
  %w.next = add i64 %w, 1
  %by.next = add i64 %by, {WATCH}
  br label %watches

extras:
  %leaves.by = word %plan + {SPREAD}
  %no.spread = icmp eq i64 %leaves.by, 0
  br i1 %no.spread, label %ready, label %apart.too
apart.too:
  %leaves.too = call i64 @PyObject_Call(i64 %leaves.by, i64 %whole, i64 0)
  call void @Py_DecRef(i64 %whole)
  %no.leaves = icmp eq i64 %leaves.too, 0
  br i1 %no.leaves, label %error, label %ready
ready:
  %inner = phi i64 [ %whole, %extras ], [ %leaves.too, %apart.too ]
  %extra = word %plan + {EXTRA}
  %no.extra = icmp eq i64 %extra, 0
  br i1 %no.extra, label %call, label %more
more:
  %with.extra = call i64 @PySequence_Concat(i64 %inner, i64 %extra)
  call void @Py_DecRef(i64 %inner)
  %no.more = icmp eq i64 %with.extra, 0
  br i1 %no.more, label %error, label %call
call:
  %all = phi i64 [ %inner, %ready ], [ %with.extra, %more ]
  %owner = word %plan + {OWNER}
  %address = word %plan + {CODE}
  %code = inttoptr i64 %address to {{method}}
  %made = call i64 %code(i64 %owner, i64 %all, i64 0)
  %wrong = icmp eq i64 %made, 0
  br i1 %wrong, label %failure, label %success

success:
  %flat = icmp eq i64 %shape, 0
  br i1 %flat, label %shapeless, label %shaped
shaped:
  %arrays = word %plan + {PLACES}
  %inputs = sub i64 %n, %arrays
  store i64 %tree, {{word}} %cursor
  %built = call i64 @built(i64 %cursor.at, i64 %made, i64 %all, i64 %inputs)
  call void @Py_DecRef(i64 %made)
  call void @Py_DecRef(i64 %all)
  ret i64 %built
shapeless:
  call void @Py_DecRef(i64 %all)
  %finish = word %plan + {FINISH}
  %bare = icmp eq i64 %finish, 0
  br i1 %bare, label %return, label %finishing
return:
  ret i64 %made
finishing:
  br i1 %alone, label %finish.alone, label %finish.out
finish.alone:
  %finished = call i64 @apply(i64 %finish, i64 %made)
  call void @Py_DecRef(i64 %made)
  ret i64 %finished
finish.out:
  %ends = call i64 @two(i64 %made, i64 %receiver)
  %no.ends = icmp eq i64 %ends, 0
  br i1 %no.ends, label %error, label %ending
ending:
  %ended = call i64 @PyObject_Call(i64 %finish, i64 %ends, i64 0)
  call void @Py_DecRef(i64 %ends)
  ret i64 %ended

failure:
  call void @Py_DecRef(i64 %all)
  br i1 %alone, label %error, label %explain
explain:
  call void @PyErr_Fetch(i64 %error.1, i64 %error.2, i64 %error.3)
  call void @PyErr_NormalizeException(i64 %error.1, i64 %error.2, i64 %error.3)
  %kind.then = word %error.1 + 0
  %value.then = word %error.2 + 0
  %trace.then = word %error.3 + 0
  %why = word %plan + {EXPLAIN}
  %explained = call i64 @apply(i64 %why, i64 %value.then)
  %no.better = icmp ne i64 %explained, 0
  br i1 %no.better, label %restore, label %better
restore:
  call void @Py_DecRef(i64 %explained)
  call void @PyErr_Restore(i64 %kind.then, i64 %value.then, i64 %trace.then)
  br label %error
better:
  call void @Py_DecRef(i64 %kind.then)
  call void @Py_DecRef(i64 %value.then)
  call void @Py_DecRef(i64 %trace.then)
  br label %error
error:
  ret i64 0

clear:
  call void @PyErr_Clear()
  br label %slow
refuse:
  call void @Py_DecRef(i64 %given)
  br label %slow
refuse.whole:
  call void @Py_DecRef(i64 %whole)
  br label %slow
slow:
  %long = call i64 @PyTuple_GetItem(i64 %self, i64 1)
  %answer = call i64 @PyObject_Call(i64 %long, i64 %given, i64 %keywords)
  ret i64 %answer
}}
"""

READ = re.compile(r"  (%[\w.]+) = (word|half|byte) (%[\w.]+) \+ (\d+)$", re.M)
TYPES = {"word": "i64", "half": "i32", "byte": "i8"}


def text(typed: bool) -> str:
    """The module, its pointers with or without types."""
    pointers = {name: f"{t}*" if typed else "ptr" for name, t in TYPES.items()}
    pointers["room"] = "[4 x i64]*" if typed else "ptr"
    pointers["method"] = "i64 (i64, i64, i64)*" if typed else "ptr"
    pointers["allocator"] = "i64 (i64, i64)*" if typed else "ptr"
    pointers["single"] = "float*" if typed else "ptr"
    declared = [f"declare {t.replace(' ', f' @{name}', 1)}" for name, t in API.items()]

    def read(match: re.Match[str]) -> str:
        target, size, base, offset = match.groups()
        short = f"{target}.short" if size != "word" else target
        lines = [
            f"  {target}.at = add i64 {base}, {offset}",
            f"  {target}.in = inttoptr i64 {target}.at to {pointers[size]}",
            f"  {short} = load {TYPES[size]}, {pointers[size]} {target}.in",
        ]
        if short != target:
            lines.append(f"  {target} = zext {TYPES[size]} {short} to i64")
        return "\n".join(lines)

    code = GATE + PARTS
    for name, pointer in pointers.items():
        code = code.replace("{" + name + "}", pointer)
    return "\n".join([*declared, READ.sub(read, code)])
