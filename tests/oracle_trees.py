"""Nested arguments and results: tuples, namedtuples, lists, dicts and dataclasses."""

import dataclasses

import numpy as np

from tests.oracle_dual import Dual


def map_tree(function, tree, *others):
    """``tree`` with ``function`` applied to its leaves (and to those of equally built trees).

    Another tree may be None anywhere: None is then passed for each leaf below.
    """

    def below(get):
        return [None if o is None else get(o) for o in others]

    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        names = [f.name for f in dataclasses.fields(tree)]
        return rebuild(
            type(tree),
            {
                n: map_tree(function, getattr(tree, n), *below(lambda o, n=n: getattr(o, n)))
                for n in names
            },
        )
    if isinstance(tree, dict):
        return {k: map_tree(function, v, *below(lambda o, k=k: o.get(k))) for k, v in tree.items()}
    if isinstance(tree, tuple | list):
        items = [map_tree(function, v, *below(lambda o, k=k: o[k])) for k, v in enumerate(tree)]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return function(tree, *others)


def rebuild(cls, attributes):
    """An instance with these attributes, bypassing ``__init__``."""
    instance = object.__new__(cls)
    for name, value in attributes.items():
        object.__setattr__(instance, name, value)
    return instance


def leaves(tree):
    """The leaves in order."""
    found = []
    map_tree(found.append, tree)
    return found


def is_float_leaf(x):
    """May a derivative be taken with respect to this leaf?"""
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "fO"
    return isinstance(x, float | np.floating | Dual)


def components(leaf):
    """The float entries of a leaf, in C order."""
    if not is_float_leaf(leaf):
        return []
    return list(np.asarray(leaf).ravel()) if isinstance(leaf, np.ndarray) else [leaf]


def random_like(tree, rng):
    """A tree of standard normal floats shaped like ``tree``: a tangent or weights."""

    def draw(x):
        if not is_float_leaf(x):
            return None
        if not isinstance(x, np.ndarray):
            return float(rng.standard_normal())
        return np.asarray(rng.standard_normal(x.shape))

    return map_tree(draw, tree)
