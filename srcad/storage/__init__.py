"""Recorded storage: what a tape holds, how many bytes, and refusing what would be too large.

Tapes are ordinary arrays and lists of the IR (role ``tape`` in their location), allocated at the
top of the generated function; where each primal value comes from is decided in
``transforms.reverse.storage``.  That is what lets every transform apply to the result of every
other: there is no tape management to differentiate.
"""
