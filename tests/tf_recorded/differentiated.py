"""Value, gradient and higher derivatives of one operation, as one case of the suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.tf_documents.fixed import numbers
from tests.tf_recorded.values import Close


def _weights(tf, seed: int, y: Any) -> Any:
    return tf.constant(numbers(seed, *y.shape), dtype=y.dtype)


def _dense(tf, gradient: Any, source: Any) -> Any:
    return tf.zeros_like(source) if gradient is None else tf.convert_to_tensor(gradient)


def differentiated(operation: Callable, *points: Any, kind: str = "float32") -> Callable:
    """A case: ``operation(tf, *points)``, its gradients, and the gradients of those.

    Results are weighted by fixed numbers.  A missing second derivative counts as zero, because
    an operation may be made of others.
    """

    def program(tf):
        sources = [tf.constant(p, dtype=kind) for p in points]
        with tf.GradientTape() as outer:
            outer.watch(sources)
            with tf.GradientTape() as inner:
                inner.watch(sources)
                y = operation(tf, *sources)
            first = inner.gradient(y, sources, output_gradients=_weights(tf, 1, y))
            dense = [_dense(tf, g, s) for g, s in zip(first, sources, strict=True)]
        weights = [_weights(tf, 2, g) for g in dense]
        second = outer.gradient(dense, sources, output_gradients=weights)
        shown = [None if g is None else tf.convert_to_tensor(g) for g in first]
        second = [_dense(tf, g, s) for g, s in zip(second, sources, strict=True)]
        return Close([y, shown, second], rtol=2e-4, atol=2e-5)

    return program


def _derivatives(tf: Any, operation: Callable, points: Any, at: float) -> list[float]:
    """Second and third derivative along a line through the points, by three tapes."""
    t = tf.constant(at, tf.float64)
    with tf.GradientTape() as third:
        third.watch(t)
        with tf.GradientTape() as second:
            second.watch(t)
            with tf.GradientTape() as first:
                first.watch(t)
                along = [tf.constant(p, tf.float64) for p in points]
                line = [p + t * _weights(tf, 5 + k, p) for k, p in enumerate(along)]
                y = operation(tf, *line)
                total = tf.reduce_sum(y * _weights(tf, 3, y))
            d1 = first.gradient(total, t)
        d2 = tf.zeros_like(t) if d1 is None else second.gradient(d1, t)
    d3 = None if d2 is None else third.gradient(d2, t)
    return [0.0 if d is None else float(d) for d in (d2, d3)]


def third_order(tf: Any, operation: Callable, points: Any, step: float = 1e-4) -> tuple:
    """The third derivative by three tapes, and by differences of the second."""
    _, exact = _derivatives(tf, operation, points, 0.0)
    above, below = (_derivatives(tf, operation, points, s)[0] for s in (step, -step))
    return exact, (above - below) / (2 * step)
