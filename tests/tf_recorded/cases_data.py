"""Data sets."""

import numpy as np

from tests.tf_documents.fixed import numbers


def slices(tf):
    """Rows of arrays, batched, in order."""
    data = tf.data.Dataset.from_tensor_slices((np.arange(5.0), np.arange(5) * 2)).batch(2)
    return [(x, y) for x, y in data], len(data)


def structures(tf):
    """Dictionaries of columns; one array alone."""
    data = tf.data.Dataset.from_tensor_slices({"a": [1, 2], "b": [[1.0, 2.0], [3.0, 4.0]]})
    return list(data), list(tf.data.Dataset.from_tensor_slices([1.0, 2.0]))


def steps(tf):
    """Maps, filters, repeats, ranges."""
    data = tf.data.Dataset.range(6).map(lambda i: i * i).filter(lambda i: i % 2 == 0)
    more = tf.data.Dataset.range(3).repeat(2).skip(1).take(4).prefetch(1)
    return [int(i) for i in data], [int(i) for i in more]


def map_pairs(tf):
    """A map of pairs."""
    data = tf.data.Dataset.from_tensor_slices(([1.0, 2.0], [3.0, 4.0]))
    return list(data.map(lambda x, y: (x + y, x * y)))


def shuffled(tf):
    """A shuffle keeps all rows, and differs from epoch to epoch."""
    data = tf.data.Dataset.range(50).shuffle(50, seed=3)
    first, second = [int(i) for i in data], [int(i) for i in data]
    return sorted(first) == list(range(50)), first != list(range(50)), first != second


def remainder(tf):
    """The last batch may be dropped."""
    data = tf.data.Dataset.range(5)
    return [b.shape for b in data.batch(2)], [b.shape for b in data.batch(2, drop_remainder=True)]


def more(tf):
    """Zipped, enumerated, cached, made by a generator."""
    a = tf.data.Dataset.range(3)
    zipped = tf.data.Dataset.zip((a, a.map(lambda i: i + 10)))
    made = tf.data.Dataset.from_tensors([1.0, 2.0])
    return list(zipped.cache()), [(int(i), int(x)) for i, x in a.enumerate(start=1)], list(made)


def in_order(tf):
    """The usual pipeline."""
    x, y = numbers(1, 10, 3), np.arange(10)
    data = tf.data.Dataset.from_tensor_slices((x, y))
    data = data.shuffle(10).batch(4).prefetch(tf.data.AUTOTUNE)
    shapes, seen = [], []
    for step, (xb, yb) in enumerate(data):
        shapes.append((step, xb.shape, xb.dtype, yb.dtype))
        seen += yb.numpy().tolist()
    return shapes, sorted(seen)
