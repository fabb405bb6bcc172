"""JAX on the CPU: ``jit`` of ``value_and_grad``, ``scan`` for loops."""

from __future__ import annotations

from types import SimpleNamespace

import jax
import jax.numpy as jnp

from benchmarks.peers.tool import Tool

jax.config.update("jax_enable_x64", True)
FUNCTIONS = SimpleNamespace(
    exp=jnp.exp,
    log=jnp.log,
    sqrt=jnp.sqrt,
    sin=jnp.sin,
    cos=jnp.cos,
    tanh=jnp.tanh,
    sigmoid=jax.nn.sigmoid,
    sum=jnp.sum,
    sign=jnp.sign,
    cumprod=jnp.cumprod,
    broadcast_to=jnp.broadcast_to,
    logsumexp=jax.scipy.special.logsumexp,
    stack=jnp.stack,
    concatenate=jnp.concatenate,
    reshape=jnp.reshape,
    einsum=jnp.einsum,
    matvec=jnp.dot,
    take=lambda x, at, axis: x[at] if axis == 0 else x[:, at],
    constant=jnp.asarray,
)


def scan(step, carry, rows):
    """The compiled loop."""
    return jnp.sum(jax.lax.scan(step, carry, rows)[1])


def loop(step, x, count):
    """The compiled loop without rows."""
    return jax.lax.scan(lambda y, _: (step(y), None), x, None, length=count)[0]


def value_and_grad(f, argnums):
    """Compiled."""
    run = jax.jit(jax.value_and_grad(f, argnums=argnums))
    return lambda *chosen: jax.block_until_ready(run(*chosen))


def tool(name: str = "jax") -> Tool:
    """JAX."""
    return Tool(name, jax.__version__, FUNCTIONS, value_and_grad, scan, loop, jnp.asarray)
