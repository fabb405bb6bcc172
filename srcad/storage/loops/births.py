"""In which block an array is made anew, as far as its contents are concerned.

In: an array made outside of loops, its accesses.  Out: the innermost block each execution of which
writes what it reads of the array before it does (``fusion.private``): as if the array was made
there.
"""

from __future__ import annotations

from srcad.analyses.elements import Access
from srcad.analyses.tree import Node, Tree
from srcad.ir.nodes import Alloc, Op
from srcad.transforms.fusion.private import is_private


def birth(tree: Tree, made: Alloc, accesses: list[Access]) -> Node:
    """The block; that of the allocation if there is none further in."""
    home = tree.home[made.target.name].node
    found = home
    ops = (h.stmt for h in tree.home.values())
    sums = {s.target.name: s for s in ops if isinstance(s, Op) and s.op == "sub"}
    for node in _down(home, accesses):
        if is_private(node.block, made, sums):
            found = node
    return found


def _down(home: Node, accesses: list[Access]) -> list[Node]:
    """The loop bodies inside ``home`` that all accesses stand in, from the outside in."""
    paths = [a.node.path() for a in accesses]
    shared = [n for n in paths[0] if all(n in p for p in paths)]
    return [n for n in shared[shared.index(home) + 1 :] if n.is_loop]
