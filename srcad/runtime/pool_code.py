"""The code of ``runtime.workspace`` for LLVM: blocks of memory that are kept for the next call.

In: whether pointers have types (as they had in the LLVM of old versions of Numba).  Out: the text
of a module; its functions are called by compiled code that may run without the interpreter's lock.

A pool is a record of words of eight bytes (``FIELDS``).  Free blocks stand in a list, the one that
was given back last first; each begins with three words: the next one, its size, and the address
that the allocator gave.  The smallest block that is large enough serves, unless it is more than
twice as large as what is wanted.  Blocks are kept up to as many bytes as one call has asked for
(``asked``: this call, ``need``: calls before, forgotten by and by); of more, the ones that were
used longest ago go back to the system.  A pool that is closed keeps nothing, and ends with the last
block that was lent.

Invariant: a block is in the list, or one array owns it.  Whatever touches a pool holds its lock;
the system's allocator is called without it.

``word a + b`` is the number that stands in memory at ``a + b``, ``put x to a + b`` writes one; all
else is LLVM's own language.
"""

from __future__ import annotations

import re

FIELDS = (
    *("lock", "limit", "kept", "lent", "asked", "need"),
    *("closed", "owners", "blocks", "peak", "misses", "head"),
)
LOCK, LIMIT, KEPT, LENT, ASKED, NEED, CLOSED, OWNERS, BLOCKS, PEAK, MISSES, HEAD = range(0, 96, 8)
NEXT, SIZE, RAW, FRONT = 0, 8, 16, 32  # of a block; bytes before its data
PAGE, ALIGN, MOST = 4096, 64, 64  # sizes are multiples of a page; blocks kept at most

API = {
    "PyMem_RawMalloc": "i64 (i64)",
    "PyMem_RawFree": "void (i64)",
    "PyThread_acquire_lock": "i32 (i64, i32)",
    "PyThread_release_lock": "void (i64)",
    "PyThread_free_lock": "void (i64)",
}

POOL = f"""
define internal void @lock(i64 %pool) {{
  %lock = word %pool + {LOCK}
  %got = call i32 @PyThread_acquire_lock(i64 %lock, i32 1)
  ret void
}}

define internal void @unlock(i64 %pool) {{
  %lock = word %pool + {LOCK}
  call void @PyThread_release_lock(i64 %lock)
  ret void
}}

; adds to a word
define internal void @add(i64 %at, i64 %change) {{
  %old = word %at + 0
  %new = add i64 %old, %change
  put %new to %at + 0
  ret void
}}

; takes the block that the word at %link refers to off the list
define internal i64 @unlink(i64 %pool, i64 %link) {{
  %block = word %link + 0
  %next = word %block + {NEXT}
  put %next to %link + 0
  %size = word %block + {SIZE}
  %less = sub i64 0, %size
  %kept = add i64 %pool, {KEPT}
  call void @add(i64 %kept, i64 %less)
  %blocks = add i64 %pool, {BLOCKS}
  call void @add(i64 %blocks, i64 -1)
  ret i64 %block
}}

; the block that fits best, off the list, or 0
define internal i64 @fitting(i64 %pool, i64 %size) {{
entry:
  %head = add i64 %pool, {HEAD}
  %twice = shl i64 %size, 1
  %above = add i64 %twice, 1
  br label %walk
walk:
  %link = phi i64 [ %head, %entry ], [ %block, %look ]
  %best = phi i64 [ 0, %entry ], [ %best.new, %look ]
  %least = phi i64 [ %above, %entry ], [ %least.new, %look ]
  %block = word %link + 0
  %end = icmp eq i64 %block, 0
  br i1 %end, label %done, label %look
look:
  %has = word %block + {SIZE}
  %enough = icmp uge i64 %has, %size
  %smaller = icmp ult i64 %has, %least
  %better = and i1 %enough, %smaller
  %best.new = select i1 %better, i64 %link, i64 %best
  %least.new = select i1 %better, i64 %has, i64 %least
  br label %walk
done:
  %none = icmp eq i64 %best, 0
  br i1 %none, label %nothing, label %found
found:
  %taken = call i64 @unlink(i64 %pool, i64 %best)
  ret i64 %taken
nothing:
  ret i64 0
}}

; blocks used longest ago leave the list until it holds at most %bound bytes; they as a list
define internal i64 @shrink(i64 %pool, i64 %bound) {{
entry:
  %head = add i64 %pool, {HEAD}
  br label %more
more:
  %gone = phi i64 [ 0, %entry ], [ %last, %drop ]
  %kept = word %pool + {KEPT}
  %blocks = word %pool + {BLOCKS}
  %fits = icmp ule i64 %kept, %bound
  %few = icmp ule i64 %blocks, {MOST}
  %fine = and i1 %fits, %few
  br i1 %fine, label %done, label %walk
walk:
  %link = phi i64 [ %head, %more ], [ %block, %walk ]
  %block = word %link + 0
  %next = word %block + {NEXT}
  %end = icmp eq i64 %next, 0
  br i1 %end, label %drop, label %walk
drop:
  %last = call i64 @unlink(i64 %pool, i64 %link)
  put %gone to %last + {NEXT}
  br label %more
done:
  ret i64 %gone
}}

; a list of blocks goes back to the system
define internal void @free(i64 %first) {{
entry:
  br label %walk
walk:
  %block = phi i64 [ %first, %entry ], [ %next, %one ]
  %end = icmp eq i64 %block, 0
  br i1 %end, label %done, label %one
one:
  %next = word %block + {NEXT}
  %raw = word %block + {RAW}
  call void @PyMem_RawFree(i64 %raw)
  br label %walk
done:
  ret void
}}

; how many bytes may be kept
define internal i64 @bound(i64 %pool) {{
  %limit = word %pool + {LIMIT}
  %asked = word %pool + {ASKED}
  %need = word %pool + {NEED}
  %less = icmp ult i64 %asked, %need
  %most = select i1 %less, i64 %need, i64 %asked
  %over = icmp ult i64 %limit, %most
  %bound = select i1 %over, i64 %limit, i64 %most
  ret i64 %bound
}}

; a block of the system, or 0
define internal i64 @fresh(i64 %size) {{
  %whole = add i64 %size, {FRONT + ALIGN}
  %raw = call i64 @PyMem_RawMalloc(i64 %whole)
  %none = icmp eq i64 %raw, 0
  br i1 %none, label %nothing, label %made
made:
  %past = add i64 %raw, {FRONT + ALIGN - 1}
  %data = and i64 %past, {-ALIGN}
  %block = sub i64 %data, {FRONT}
  put %size to %block + {SIZE}
  put %raw to %block + {RAW}
  ret i64 %block
nothing:
  ret i64 0
}}

; a call begins
define void @srcad_begin(i64 %pool) {{
  call void @lock(i64 %pool)
  %asked = word %pool + {ASKED}
  %need = word %pool + {NEED}
  %part = lshr i64 %need, 3
  %less = sub i64 %need, %part
  %more = icmp ult i64 %less, %asked
  %new = select i1 %more, i64 %asked, i64 %less
  put %new to %pool + {NEED}
  put 0 to %pool + {ASKED}
  %bound = call i64 @bound(i64 %pool)
  %old = call i64 @shrink(i64 %pool, i64 %bound)
  call void @unlock(i64 %pool)
  call void @free(i64 %old)
  ret void
}}

; memory for %wanted bytes, or 0
define i64 @srcad_take(i64 %pool, i64 %wanted) {{
entry:
  %up = add i64 %wanted, {PAGE - 1}
  %size = and i64 %up, {-PAGE}
  call void @lock(i64 %pool)
  %asked = add i64 %pool, {ASKED}
  call void @add(i64 %asked, i64 %size)
  %known = call i64 @fitting(i64 %pool, i64 %size)
  %miss = icmp eq i64 %known, 0
  br i1 %miss, label %make, label %again
again:
  %has = word %known + {SIZE}
  call void @lend(i64 %pool, i64 %has)
  call void @unlock(i64 %pool)
  %found = add i64 %known, {FRONT}
  ret i64 %found
make:
  %bound = call i64 @bound(i64 %pool)
  %over = icmp ult i64 %bound, %size
  %rest = sub i64 %bound, %size
  %room = select i1 %over, i64 0, i64 %rest
  %old = call i64 @shrink(i64 %pool, i64 %room)
  %misses = add i64 %pool, {MISSES}
  call void @add(i64 %misses, i64 1)
  call void @lend(i64 %pool, i64 %size)
  call void @unlock(i64 %pool)
  call void @free(i64 %old)
  %new = call i64 @fresh(i64 %size)
  %full = icmp eq i64 %new, 0
  br i1 %full, label %release, label %made
release:
  call void @srcad_release(i64 %pool)
  %last = call i64 @fresh(i64 %size)
  %failed = icmp eq i64 %last, 0
  br i1 %failed, label %fail, label %made
made:
  %block = phi i64 [ %new, %make ], [ %last, %release ]
  %data = add i64 %block, {FRONT}
  ret i64 %data
fail:
  call void @lock(i64 %pool)
  %less = sub i64 0, %size
  %lent = add i64 %pool, {LENT}
  call void @add(i64 %lent, i64 %less)
  %owners = add i64 %pool, {OWNERS}
  call void @add(i64 %owners, i64 -1)
  call void @unlock(i64 %pool)
  ret i64 0
}}

; another block is lent
define internal void @lend(i64 %pool, i64 %size) {{
  %lent = add i64 %pool, {LENT}
  call void @add(i64 %lent, i64 %size)
  %owners = add i64 %pool, {OWNERS}
  call void @add(i64 %owners, i64 1)
  %a = word %pool + {LENT}
  %b = word %pool + {KEPT}
  %now = add i64 %a, %b
  %peak = word %pool + {PEAK}
  %higher = icmp ugt i64 %now, %peak
  %new = select i1 %higher, i64 %now, i64 %peak
  put %new to %pool + {PEAK}
  ret void
}}

; the last reference to an array is gone: %owned holds its memory and the pool
define void @srcad_give(i64 %owned, i64 %bytes, i64 %info) {{
entry:
  %data = word %owned + 0
  %pool = word %owned + 8
  %block = sub i64 %data, {FRONT}
  %size = word %block + {SIZE}
  %less = sub i64 0, %size
  call void @lock(i64 %pool)
  %lent = add i64 %pool, {LENT}
  call void @add(i64 %lent, i64 %less)
  %owners = add i64 %pool, {OWNERS}
  call void @add(i64 %owners, i64 -1)
  %closed = word %pool + {CLOSED}
  %open = icmp eq i64 %closed, 0
  br i1 %open, label %keep, label %gone
keep:
  %first = word %pool + {HEAD}
  put %first to %block + {NEXT}
  put %block to %pool + {HEAD}
  %kept = add i64 %pool, {KEPT}
  call void @add(i64 %kept, i64 %size)
  %blocks = add i64 %pool, {BLOCKS}
  call void @add(i64 %blocks, i64 1)
  %bound = call i64 @bound(i64 %pool)
  %old = call i64 @shrink(i64 %pool, i64 %bound)
  call void @unlock(i64 %pool)
  call void @free(i64 %old)
  ret void
gone:
  call void @ended(i64 %pool)
  put 0 to %block + {NEXT}
  call void @free(i64 %block)
  ret void
}}

; unlocks a closed pool, which ends where nothing of it is lent
define internal void @ended(i64 %pool) {{
  %owners = word %pool + {OWNERS}
  %lock = word %pool + {LOCK}
  call void @unlock(i64 %pool)
  %some = icmp ne i64 %owners, 0
  br i1 %some, label %later, label %now
now:
  call void @PyThread_free_lock(i64 %lock)
  call void @PyMem_RawFree(i64 %pool)
  ret void
later:
  ret void
}}

; what is kept goes back to the system
define void @srcad_release(i64 %pool) {{
  call void @lock(i64 %pool)
  %old = call i64 @shrink(i64 %pool, i64 0)
  call void @unlock(i64 %pool)
  call void @free(i64 %old)
  ret void
}}

; nothing is kept any more
define void @srcad_close(i64 %pool) {{
  call void @lock(i64 %pool)
  put 1 to %pool + {CLOSED}
  %old = call i64 @shrink(i64 %pool, i64 0)
  call void @ended(i64 %pool)
  call void @free(i64 %old)
  ret void
}}
"""

READ = re.compile(r"  (%[\w.]+) = word (%[\w.]+) \+ (\d+)$", re.M)
WRITE = re.compile(r"  put (%?[\w.]+) to (%[\w.]+) \+ (\d+)$", re.M)


def text(typed: bool) -> str:
    """The module, its pointers with or without types."""
    pointer = "i64*" if typed else "ptr"
    places = iter(range(1 << 30))

    def access(base: str, offset: str, then: str) -> str:
        k = next(places)
        at, place = f"%at.{k}", f"%place.{k}"
        return (
            f"  {at} = add i64 {base}, {offset}\n"
            f"  {place} = inttoptr i64 {at} to {pointer}\n"
            f"  {then}{pointer} {place}"
        )

    code = READ.sub(lambda m: access(m[2], m[3], f"{m[1]} = load i64, "), POOL)
    code = WRITE.sub(lambda m: access(m[2], m[3], f"store i64 {m[1]}, "), code)
    declared = [f"declare {t.replace(' ', f' @{name}', 1)}" for name, t in API.items()]
    return "\n".join([*declared, code])
