"""A function of arrays as a JAX function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.api.function import Transformed, as_function
from srcad.api.higher import vjp
from srcad.errors import TypeMismatch


def function(f: Any, out: Any = None, **options: Any) -> Callable[..., Any]:
    """``f`` as a JAX function: under ``jit``, ``grad``, ``vmap`` (one sample after the other).

    It runs on the host by ``jax.pure_callback``; reverse mode is srcad's, once.

    Args:
        f: a function of numbers and arrays that returns a float, an array, or a tuple of these.
        out: ``jax.ShapeDtypeStruct`` of the result, or a tuple of them; by default found by one
            call with ones, which must not raise.
        **options: see ``srcad.Options``.
    """
    import jax

    inner = _Hosted(as_function(f, options), out)

    @jax.custom_vjp
    def call(*args: Any) -> Any:
        kinds = inner.kinds(args)

        def run(*values: Any) -> Any:
            return jax.tree.map(lambda x, k: np.asarray(x, k.dtype), inner(*values), kinds)

        return jax.pure_callback(run, kinds, *args, vmap_method="sequential")

    def forward(*args: Any) -> Any:
        return call(*args), args

    def backward(args: tuple[Any, ...], seed: Any) -> Any:
        floats = [a for a in args if _floating(a)]
        kinds = tuple(jax.ShapeDtypeStruct(np.shape(a), _dtype(a)) for a in floats)
        back = jax.pure_callback(inner.pullback, kinds, args, seed, vmap_method="sequential")
        found = iter(back)
        return tuple(
            next(found) if _floating(a) else np.zeros(np.shape(a), jax.dtypes.float0) for a in args
        )

    call.defvjp(forward, backward)
    return call  # type: ignore[no-any-return]


class _Hosted:
    """A function of srcad on the host, with values of JAX."""

    def __init__(self, g: Transformed, out: Any) -> None:
        self.g, self.out = g, out
        self.known: dict[Any, Any] = {}

    def __call__(self, *args: Any) -> Any:
        """The value, in arrays."""
        import jax

        made = jax.tree.map(np.asarray, self.g(*map(_argument, args)))
        if any(x.dtype == object for x in jax.tree.leaves(made)):
            raise TypeMismatch(
                f"{self.g.__name__} as a function of JAX, which does not return numbers and arrays",
                instead="return arrays (a sparse matrix as its data, indices and indptr)",
            )
        return made

    def kinds(self, args: tuple[Any, ...]) -> Any:
        """Shapes and dtypes of the result."""
        import jax
        import jax.numpy as jnp

        if self.out is not None:
            return self.out
        key = tuple((np.shape(a), _dtype(a)) for a in args)
        if key not in self.known:
            made = self(*(np.ones(s, d) for s, d in key))
            dtype = jnp.result_type(*(d for _, d in key if jnp.issubdtype(d, jnp.floating)))
            self.known[key] = jax.tree.map(
                lambda x: jax.ShapeDtypeStruct(
                    x.shape, dtype if x.dtype.kind == "f" else jnp.result_type(x.dtype)
                ),
                made,
            )
        return self.known[key]

    def pullback(self, args: tuple[Any, ...], seed: Any) -> Any:
        """The cotangents of the arguments that are floats."""
        import jax

        value, pullback = vjp(self.g, *map(_argument, args))
        given = jax.tree.map(lambda s, v: np.asarray(s, float).reshape(np.shape(v)), seed, value)
        given = jax.tree.map(lambda x: x if x.ndim else float(x), given)
        return tuple(
            np.asarray(np.zeros(np.shape(a)) if c is None else c, np.asarray(a).dtype)
            for a, c in zip(args, pullback(given), strict=True)
            if _floating(a)
        )


def _dtype(a: Any) -> Any:
    import jax.numpy as jnp

    return jnp.result_type(a)


def _floating(a: Any) -> bool:
    """Whether an argument is a float or an array of floats."""
    dtype = a.dtype if hasattr(a, "dtype") else np.asarray(a).dtype
    return bool(np.issubdtype(dtype, np.floating))


def _argument(a: Any) -> Any:
    """A value from JAX as srcad takes it: a number where it has no axes, an array of its own."""
    x = np.asarray(a)
    return np.array(x) if x.ndim else x[()]
