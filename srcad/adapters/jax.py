"""A function of arrays as a JAX function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from srcad.api.function import as_function
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
    import jax.numpy as jnp

    g = as_function(f, options)
    known: dict[Any, Any] = {}

    def host(*args: Any) -> Any:
        made = jax.tree.map(np.asarray, g(*map(_argument, args)))
        if any(x.dtype == object for x in jax.tree.leaves(made)):
            raise TypeMismatch(
                f"{g.__name__} as a function of JAX, which does not return numbers and arrays",
                instead="return arrays (a sparse matrix as its data, indices and indptr)",
            )
        return made

    def shape_of(args: tuple[Any, ...]) -> Any:
        if out is not None:
            return out
        key = tuple((np.shape(a), jnp.result_type(a)) for a in args)
        if key not in known:
            made = host(*(np.ones(s, d) for s, d in key))
            dtype = jnp.result_type(*(d for _, d in key if jnp.issubdtype(d, jnp.floating)))
            known[key] = jax.tree.map(
                lambda x: jax.ShapeDtypeStruct(
                    x.shape, dtype if x.dtype.kind == "f" else jnp.result_type(x.dtype)
                ),
                made,
            )
        return known[key]

    def back_on_host(args: tuple[Any, ...], seed: Any) -> Any:
        arrays = tuple(map(_argument, args))
        value, pullback = vjp(g, *arrays)
        given = jax.tree.map(lambda s, v: np.asarray(s, float).reshape(np.shape(v)), seed, value)
        given = jax.tree.map(lambda x: x if x.ndim else float(x), given)
        cotangents = pullback(given)
        return tuple(
            np.asarray(np.zeros(np.shape(a)) if c is None else c, np.asarray(a).dtype)
            for a, c in zip(args, cotangents, strict=True)
            if _floating(a)
        )

    @jax.custom_vjp
    def call(*args: Any) -> Any:
        kinds = shape_of(args)

        def run(*values: Any) -> Any:
            return jax.tree.map(lambda x, k: np.asarray(x, k.dtype), host(*values), kinds)

        return jax.pure_callback(run, kinds, *args, vmap_method="sequential")

    def forward(*args: Any) -> Any:
        return call(*args), args

    def backward(args: tuple[Any, ...], seed: Any) -> Any:
        floats = [a for a in args if _floating(a)]
        kinds = tuple(jax.ShapeDtypeStruct(np.shape(a), jnp.result_type(a)) for a in floats)
        found = iter(jax.pure_callback(back_on_host, kinds, args, seed, vmap_method="sequential"))
        return tuple(
            next(found) if _floating(a) else np.zeros(np.shape(a), jax.dtypes.float0) for a in args
        )

    call.defvjp(forward, backward)
    return call  # type: ignore[no-any-return]


def _floating(a: Any) -> bool:
    """Whether an argument is a float or an array of floats."""
    dtype = a.dtype if hasattr(a, "dtype") else np.asarray(a).dtype
    return bool(np.issubdtype(dtype, np.floating))


def _argument(a: Any) -> Any:
    """A value from JAX as srcad takes it: a number where it has no axes, an array of its own."""
    x = np.asarray(a)
    return np.array(x) if x.ndim else x[()]
