"""The evals in other tools, each written in that tool's own way.

A module a tool, with ``EVALS``: eval -> function of GradBench -> ``(prepare, run)``.  ``prepare``
makes the tool's tensors from the arguments that srcad's module reads, and whatever else may be
made beforehand; ``run`` is what is timed and returns when the result is there.  Results have the
shape of srcad's.  Sparse Jacobians leave out what only depends on the pattern.
"""
