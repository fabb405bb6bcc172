"""The reverse sweep over recorded operations.

In: the entries of a tape in the order of recording, the ids of sources, and cotangents of
targets.  Out: the cotangents of the sources, by id.  Only operations between sources and targets
are visited, and only contributions to operands that depend on a source are computed.  The sweep
calls tensor operations, so whatever tapes are active record it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from srcad.tape.elementwise import VOCABULARY
from srcad.tape.shaping import unbroadcast

Entry = tuple[Any, tuple[Any, ...], Any]
_add = VOCABULARY["add"]


def sweep(
    entries: list[Entry],
    sources: Iterable[int],
    seeds: dict[int, Any],
    lead: int = 0,
    consume: bool = False,
) -> dict[int, Any]:
    """The cotangents of ``sources``; ``seeds`` have ``lead`` leading axes (rows of a Jacobian).

    With ``consume`` the list is emptied and every operation forgotten once it is done with: its
    memory serves the next ones.
    """
    reach = set(sources)
    keep = frozenset(reach)
    path = [e for e in entries if _depends(e, reach)]
    if consume:
        entries.clear()
    grads = dict(seeds)
    while path:
        out, inputs, pull = path.pop()
        if type(out) is tuple:
            _pull_several(grads, reach, keep, (out, inputs, pull), lead)
            continue
        key = id(out)
        g = grads.get(key) if key in keep else grads.pop(key, None)
        if g is None:
            continue
        for i, x in enumerate(inputs):
            k = id(x)
            if k in reach:
                c = pull(g, i, inputs, out, lead)
                if c is not None:
                    _accumulate(grads, k, c, x, lead)
    return grads


def _depends(entry: Entry, reach: set[int]) -> bool:
    """Whether an operation depends on the sources; its results then do, too."""
    for x in entry[1]:
        if id(x) in reach:
            out = entry[0]
            if type(out) is tuple:
                reach.update(map(id, out))
            else:
                reach.add(id(out))
            return True
    return False


def _accumulate(grads: dict[int, Any], k: int, c: Any, x: Any, lead: int) -> None:
    have = c._value.shape
    if have and have[lead:] != x._value.shape:
        c = unbroadcast(c, x, lead)
    old = grads.get(k)
    grads[k] = c if old is None else _add(old, c)


def _pull_several(
    grads: dict[int, Any], reach: set[int], keep: frozenset[int], entry: Entry, lead: int
) -> None:
    """An operation with several results: its pullback takes all cotangents, gives all parts."""
    outs, inputs, pull = entry
    gs = [grads.get(id(o)) if id(o) in keep else grads.pop(id(o), None) for o in outs]
    if all(g is None for g in gs):
        return
    wanted = [id(x) in reach for x in inputs]
    for x, c in zip(inputs, pull(gs, wanted, inputs, outs, lead), strict=True):
        if c is not None and id(x) in reach:
            _accumulate(grads, id(x), c, x, lead)
