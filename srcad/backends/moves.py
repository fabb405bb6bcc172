"""Handing values over at the ends of blocks: parallel assignments made sequential.

A loop's carried values and the results of an ``If`` change all at once; Python assigns one
after the other.  A value is assigned once nobody waiting still reads its old value; what is
left after that are cycles (a swap, Fibonacci's step), printed as one tuple assignment.
"""

from __future__ import annotations

from dataclasses import dataclass

from srcad.backends.expressions import Expr


@dataclass(frozen=True)
class Move:
    """``target = expr`` where ``target`` is the Python name of the class ``cell``."""

    target: str
    cell: str
    expr: Expr


def sequential(moves: list[Move]) -> list[list[Move]]:
    """Groups in an order in which each may be executed on its own; larger groups at once.

    >>> e = lambda *reads: Expr(None, 1, frozenset(reads))
    >>> swap = [Move("a", "a", e("b")), Move("b", "b", e("a", "b")), Move("c", "c", e("a"))]
    >>> [[m.target for m in group] for group in sequential(swap)]
    [['c'], ['a', 'b']]
    """
    groups: list[list[Move]] = []
    waiting = list(moves)
    while waiting:
        free = next((m for m in waiting if not _read_by_others(m, waiting)), None)
        group = [free] if free is not None else _cycle(waiting)
        groups.append(group)
        waiting = [m for m in waiting if m not in group]
    return groups


def _read_by_others(m: Move, moves: list[Move]) -> bool:
    return any(m.cell in other.expr.reads for other in moves if other is not m)


def _cycle(moves: list[Move]) -> list[Move]:
    """Moves that block each other, closed: who reads a target of the group is in the group.

    Every move's target is read by another one; following readers from any move ends in a set
    that nobody outside reads.
    """
    best = moves
    for start in moves:
        group = [start]
        for m in group:
            group += [o for o in moves if m.cell in o.expr.reads and o not in group]
        if len(group) < len(best):
            best = group
    return [m for m in moves if m in best]
