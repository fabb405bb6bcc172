"""Whole random programs of the numeric subset: a grammar, two drivers for it, and the check.

`chooser` decides, `grammar` modules write source text, `program` puts a program together,
`loading` makes it a function, `checking` compares derivatives.  `tests.random_programs` is the
public face.
"""
