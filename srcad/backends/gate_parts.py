"""Where things stand in a plan of ``backends.gate``, and what its code calls more than once.

The texts are in the language of ``backends.gate_code``.  A result is described in the order in
which it is read: each part before its own, each in two words.  ``spread`` and ``built`` go through
the description with a cursor; ``spread`` takes what was given as ``out`` apart, ``built`` makes the
result.  A float32, which compiled code returns as a float, becomes NumPy's number: made by the
allocator of its type, as NumPy makes it.
"""

from __future__ import annotations

PLAIN, ARRAY, INTEGER = 0, 1, 2  # kinds of arguments
# where things stand in a plan
CODE, OWNER, EXTRA, FINISH, ARGS, NAMES, WATCHED = range(0, 56, 8)
OUT, KEY, PAIR, NOTHING, PLACES, LEAVES, EXPLAIN, SHAPE, SPREAD = range(56, 128, 8)
HEAD, ROW, ENTRY, WATCH, PART = 128, 64, 24, 16, 16  # bytes of what stands in a plan
NO_OUT, OUT_TUPLES, OUT_OTHER = range(3)  # forms of a call with ``out``
GROUP, WHOLE, ITEM, PLACE, SINGLE = range(5)  # parts of a result, see ``gate.Plan``
# where things stand in an object, an array, a dtype, a number of NumPy
TYPE, RANK, DTYPE, FLAGS, ORDER, NUMBER, VALUE = 8, 24, 56, 64, 26, 28, 16
ALLOCATOR = 47  # ``Py_tp_alloc``

PARTS = f"""
; f(x)
define internal i64 @apply(i64 %f, i64 %x) {{
  %args = call i64 @PyTuple_New(i64 1)
  %no.args = icmp eq i64 %args, 0
  br i1 %no.args, label %error, label %call
call:
  call void @Py_IncRef(i64 %x)
  %put = call i32 @PyTuple_SetItem(i64 %args, i64 0, i64 %x)
  %made = call i64 @PyObject_Call(i64 %f, i64 %args, i64 0)
  call void @Py_DecRef(i64 %args)
  ret i64 %made
error:
  ret i64 0
}}

; (x, y), of which x is given away
define internal i64 @two(i64 %x, i64 %y) {{
  %both = call i64 @PyTuple_New(i64 2)
  %lost = icmp eq i64 %both, 0
  br i1 %lost, label %error, label %fill
fill:
  call void @Py_IncRef(i64 %y)
  %put.x = call i32 @PyTuple_SetItem(i64 %both, i64 0, i64 %x)
  %put.y = call i32 @PyTuple_SetItem(i64 %both, i64 1, i64 %y)
  ret i64 %both
error:
  call void @Py_DecRef(i64 %x)
  ret i64 0
}}

; whether what was given as out is made of tuples as the plan says; its arrays go to places
define internal i1 @spread(i64 %cursor, i64 %x, i64 %places, i64 %plan) {{
entry:
  %at = word %cursor + 0
  %kind = word %at + 0
  %k = word %at + 8
  %next = add i64 %at, {PART}
  %cursor.to = inttoptr i64 %cursor to {{word}}
  store i64 %next, {{word}} %cursor.to
  switch i64 %kind, label %number [ i64 {GROUP}, label %group
                                    i64 {SINGLE}, label %single
                                    i64 {PLACE}, label %place ]
single:
  %inner = call i1 @spread(i64 %cursor, i64 %x, i64 %places, i64 %plan)
  ret i1 %inner
number:
  %absence = word %plan + {NOTHING}
  %is.none = icmp eq i64 %x, %absence
  ret i1 %is.none
place:
  call void @Py_IncRef(i64 %x)
  %put = call i32 @PyTuple_SetItem(i64 %places, i64 %k, i64 %x)
  ret i1 true
group:
  %type = word %x + {TYPE}
  %tuple = word %plan + {PAIR}
  %is.tuple = icmp eq i64 %type, %tuple
  br i1 %is.tuple, label %count, label %unlike
count:
  %size = call i64 @PyTuple_Size(i64 %x)
  %is.long = icmp eq i64 %size, %k
  br i1 %is.long, label %parts, label %unlike
parts:
  %j = phi i64 [ 0, %count ], [ %j.next, %like ]
  %done = icmp eq i64 %j, %k
  br i1 %done, label %all, label %part
part:
  %item = call i64 @PyTuple_GetItem(i64 %x, i64 %j)
  %fine = call i1 @spread(i64 %cursor, i64 %item, i64 %places, i64 %plan)
  br i1 %fine, label %like, label %unlike
like:
  %j.next = add i64 %j, 1
  br label %parts
all:
  ret i1 true
unlike:
  ret i1 false
}}

; the result in tuples, made of what the code returns and of arrays given as out
define internal i64 @built(i64 %cursor, i64 %made, i64 %all, i64 %inputs) {{
entry:
  %at = word %cursor + 0
  %kind = word %at + 0
  %k = word %at + 8
  %next = add i64 %at, {PART}
  %cursor.to = inttoptr i64 %cursor to {{word}}
  store i64 %next, {{word}} %cursor.to
  switch i64 %kind, label %place [ i64 {GROUP}, label %group
                                   i64 {WHOLE}, label %whole
                                   i64 {ITEM}, label %item
                                   i64 {SINGLE}, label %single ]
whole:
  br label %leaf
item:
  %returned = call i64 @PyTuple_GetItem(i64 %made, i64 %k)
  br label %leaf
place:
  %position = add i64 %inputs, %k
  %given = call i64 @PyTuple_GetItem(i64 %all, i64 %position)
  br label %leaf
leaf:
  %part.of = phi i64 [ %made, %whole ], [ %returned, %item ], [ %given, %place ]
  call void @Py_IncRef(i64 %part.of)
  ret i64 %part.of
single:
  %wide = call i64 @built(i64 %cursor, i64 %made, i64 %all, i64 %inputs)
  %no.wide = icmp eq i64 %wide, 0
  br i1 %no.wide, label %error, label %narrow
narrow:
  %number = call double @PyFloat_AsDouble(i64 %wide)
  call void @Py_DecRef(i64 %wide)
  %slot = call i64 @PyType_GetSlot(i64 %k, i32 {ALLOCATOR})
  %allocate = inttoptr i64 %slot to {{allocator}}
  %new = call i64 %allocate(i64 %k, i64 0)
  %no.new = icmp eq i64 %new, 0
  br i1 %no.new, label %error, label %value
value:
  %narrowed = fptrunc double %number to float
  %value.at = add i64 %new, {VALUE}
  %value.to = inttoptr i64 %value.at to {{single}}
  store float %narrowed, {{single}} %value.to
  ret i64 %new
group:
  %tuple = call i64 @PyTuple_New(i64 %k)
  %lost = icmp eq i64 %tuple, 0
  br i1 %lost, label %error, label %parts
parts:
  %j = phi i64 [ 0, %group ], [ %j.next, %put ]
  %done = icmp eq i64 %j, %k
  br i1 %done, label %filled, label %part
part:
  %x = call i64 @built(i64 %cursor, i64 %made, i64 %all, i64 %inputs)
  %failed = icmp eq i64 %x, 0
  br i1 %failed, label %drop, label %put
put:
  %stored = call i32 @PyTuple_SetItem(i64 %tuple, i64 %j, i64 %x)
  %j.next = add i64 %j, 1
  br label %parts
filled:
  ret i64 %tuple
drop:
  call void @Py_DecRef(i64 %tuple)
  br label %error
error:
  ret i64 0
}}
"""
