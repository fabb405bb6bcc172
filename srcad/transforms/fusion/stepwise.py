"""Which loops had better keep their state at the start of each iteration, and no more.

In: a function, its activity, what reverse mode would record in it.  Out: the loops (time steps, as
a rule) whose iteration writes few arrays but needs many intermediate values in reverse: keeping
the former and running the iteration again costs less memory traffic than recording the latter.

Invariant: an iteration can be run again from what it is given.  What it writes and reads is kept
(a snapshot for each iteration); what it only writes belongs to this iteration (``analyses.order``)
and is not written again.
Limits: top level; state in C order; no calls, prints, draws, lists, breaks, array operations,
carried references; nothing dear (``exp``) in the loop, whose results are worth recording.
"""

from __future__ import annotations

from collections import Counter

from srcad.analyses.activity import Activity
from srcad.analyses.tree import Node, Tree
from srcad.ir.nodes import Accumulate, Alloc, ArrayOp, For, Function, Load, Op, Store, Var
from srcad.ir.primitives import PRIMITIVES
from srcad.ir.types import ArrayT, is_float
from srcad.ir.walk import statements
from srcad.transforms.fusion.eligible import Candidate, Eligible
from srcad.transforms.fusion.private import is_private

DEAR = 8  # cost of an operation that is not to be run twice


def steps(fn: Function, activity: Activity, tree: Tree, taped: dict[str, Var]) -> list[Candidate]:
    """The loops to be differentiated step by step."""
    eligible = Eligible(fn, activity)
    found = []
    for position, s in enumerate(fn.body.stmts):
        if isinstance(s, For) and eligible.plain(s) and not _dear(s):
            candidate = _Step(eligible, position, s).candidate()
            if candidate is not None and _worth(candidate, tree, taped):
                found.append(candidate)
    return found


class _Step:
    """One loop: its arrays."""

    def __init__(self, eligible: Eligible, position: int, s: For) -> None:
        self.eligible, self.position, self.loop = eligible, position, s
        self.inside = list(statements(s.body))
        self.iterations = eligible.order.of(s)

    def candidate(self) -> Candidate | None:
        """The loop with its scratch arrays and its state, ``None`` if it cannot be run again."""
        private: list[Alloc] = []
        state: list[Var] = []
        final: list[Var] = []
        for root, group in self.iterations.accesses.items():
            refs = self.eligible.outside(self.inside, root, self.iterations.made)
            if all(isinstance(t, Load) for t in group):
                if self.written_later(root):
                    return None
                continue
            if not refs:
                continue
            alloc = self.eligible.alone(self.loop, root)
            if alloc is not None and is_private(self.loop.body, alloc):
                private.append(alloc)
                continue
            if len(refs) > 1:
                return None
            (array,) = refs
            if all(isinstance(t, Store) for t in group):
                if not self.iterations.independent(root):
                    return None
                final.append(array)
            elif isinstance(array.type, ArrayT) and array.type.layout == "F":
                return None  # rows of a table are in C order
            else:
                state.append(array)
        return Candidate(
            self.position, self.loop, tuple(private), tuple(state), tuple(final), again=True
        )

    def written_later(self, root: str) -> bool:
        """Whether an array that the loop only reads is written after it."""
        later = self.eligible.top_statements[self.position + 1 :]
        return any(
            isinstance(t, (Store, Accumulate)) and self.eligible.of(t.array, root)
            for s in later
            for t in s
        )


def _dear(s: For) -> bool:
    """Whether a loop does what is worth recording."""
    return any(
        isinstance(t, ArrayOp) or isinstance(t, Op) and _cost(t) > DEAR for t in statements(s.body)
    )


def _cost(s: Op) -> int:
    return PRIMITIVES[s.op].cost if is_float(s.target.type) else 0


def _worth(c: Candidate, tree: Tree, taped: dict[str, Var]) -> bool:
    """Whether at least twice as much would be recorded as is kept, in the innermost loops."""
    body = next(n for n in tree.nodes if isinstance(n.owner, For) and n.owner.index == c.loop.index)
    recorded: Counter[int] = Counter()
    for name in taped:
        depth = _depth(tree.home[name].node, body)
        if depth is not None:
            recorded[depth] += 1
    kept: Counter[int] = Counter(a.type.ndim for a in c.state if isinstance(a.type, ArrayT))
    kept[0] += sum(is_float(x.arg.type) for x in c.loop.carried)
    most = max([*recorded, *kept])
    return recorded[most] > 0 and recorded[most] >= 2 * kept[most] and (most > 0 or kept[0] > 0)


def _depth(node: Node, body: Node) -> int | None:
    """In how many loops inside ``body`` a block stands."""
    loops = node.loops()
    return loops.index(body) if body in loops else None
