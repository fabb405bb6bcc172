"""Programs with what no program of the zoo has: rules of the user and checkpointed loops.

Each comes as a pair: what is compiled, and a plain twin of which the oracle knows the derivatives.
``REFUSALS`` are calls that must be refused; all objects in them are made in the call, so that
nothing compiled earlier is used.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import srcad
from tests import checkpoint_programs, test_custom_rules
from tests.marking import load_marked
from tests.zoo.registry import Program, vec


# rules
@srcad.custom_vjp
def turned(u, angle, n):
    """A vector and a number of the rest; an int; the vector of the arguments written later."""
    return np.cos(angle) * u + n, np.sin(angle) * np.sum(u * u)


def turned_fwd(u, angle, n):
    return turned(u, angle, n), (u.copy(), np.cos(angle), np.sin(angle))


def turned_bwd(residuals, out_b):
    u, c, s = residuals
    v_b, e_b = out_b
    return c * v_b + 2.0 * s * u * e_b, c * np.sum(u * u) * e_b - s * np.sum(u * v_b), None


turned.defvjp(turned_fwd, turned_bwd)


def plain_turned(u, angle, n):
    return np.cos(angle) * u + n, np.sin(angle) * np.sum(u * u)


@srcad.custom_jvp
def scaled(u, factor):
    """A vector and a number; the tangent of either may be missing."""
    return np.sin(u) * factor, factor * factor


@scaled.defjvp
def scaled_rule(primals, tangents):
    u, factor = primals
    u_t, factor_t = tangents
    return scaled(u, factor), (
        np.cos(u) * factor * u_t + np.sin(u) * factor_t,
        2.0 * factor * factor_t,
    )


def plain_scaled(u, factor):
    return np.sin(u) * factor, factor * factor


def use(u, a, turn, scale):
    """Both kinds in a loop, on storage that is overwritten, with results that are not used."""
    w = u.copy()
    s = 0.0
    for k in range(3):
        v, e = turn(w, a, k)
        p, f = scale(v, e * 0.3)
        w[k] = p[0] * a
        w = w + 0.1 * p
        if k < 2:
            s += f * e
    _v, e = turn(w, s, 1)
    _, f = scale(u, 0.5)
    p, _ = scale(np.ones(3), s)
    return e + np.sum(p) * f


def use_rules(u, a):
    return use(u, a, turned, scaled)


def use_plainly(u, a):
    return use(u, a, plain_turned, plain_scaled)


def write(u, a, turn, scale):
    """The arguments are written, by values that come through the rules."""
    v, e = turn(u[1:], a, 2)
    u[1:] = v * e
    p, f = scale(u[1:], u[0])
    u[0] = f * p[1]
    u[2] = turn(p, f, 0)[1]


def write_by_rules(u, a):
    write(u, a, turned, scaled)


def write_plainly(u, a):
    write(u, a, plain_turned, plain_scaled)


def recursive(x, k):
    """Through a function that is not expanded."""
    return x if k == 0 else recursive(test_custom_rules.wave(x, x * 0.5), k - 1) + x


def recursive_plainly(x, k):
    if k == 0:
        return x
    return recursive_plainly(test_custom_rules.plain_wave(x, x * 0.5), k - 1) + x


def structures(x):
    """Structures in and out, a rule for tangents, one for a function of somebody else."""
    out, total = test_custom_rules.smooth(x, {"a": x[0], "b": x * x}, 2)
    rest = test_custom_rules.product(x[0], x[1]) + test_custom_rules.theirs(x[1], x[2])
    return np.sum(out * out) * total + rest


def structures_plainly(x):
    out, total = test_custom_rules.plain_smooth(x, {"a": x[0], "b": x * x}, 2)
    return np.sum(out * out) * total + x[0] * x[1] + x[1] * x[2] + x[1] ** 3


RULED = (
    (test_custom_rules.with_rules, test_custom_rules.without_rules, lambda: (vec(3),), (0,)),
    (structures, structures_plainly, lambda: (vec(3),), (0,)),
    (use_rules, use_plainly, lambda: (vec(3), 0.7), (0, 1)),
    (use_rules, use_plainly, lambda: (vec(3), 0.7), (1,)),
    (write_by_rules, write_plainly, lambda: (vec(3), 0.7), (0, 1)),
    (recursive, recursive_plainly, lambda: (0.7, 3), (0,)),
)


def pairs() -> Iterator[tuple[Program, Program]]:
    """What is compiled, and what the oracle is asked about."""
    for fn, plain, args, wrt in RULED:
        yield twins(f"ruled {fn.__name__} {wrt}", fn, plain, args, wrt)
    text = Path(checkpoint_programs.__file__).read_text()
    module = load_marked("marked_for_mutation", text, 0)
    for (fn, _, _), (plain, args, wrt) in zip(
        module.PROGRAMS, checkpoint_programs.PROGRAMS, strict=True
    ):
        yield twins(f"marked {plain.__name__}", fn, plain, args, wrt)


def twins(name: str, fn: Callable, plain: Callable, args: Callable, wrt: tuple) -> tuple:
    """Two programs that differ in the function only."""
    return Program(name, fn, args, wrt), Program(name, plain, args, wrt)


# refusals
def _apply():
    made = srcad.custom_vjp(lambda f, x, n: f(x) * n, nondiff_argnums=(0, 2))
    made.defvjp(lambda f, x, n: (f(x) * n, x), lambda f, n, x, out_b: (n * x * out_b,))
    return made


def _power():
    made = srcad.custom_jvp(lambda n, x: x**n, nondiff_argnums=0)
    made.defjvp(lambda n, p, t: (p[0] ** n, n * t[0]))
    return made


def _clipped():
    made = srcad.custom_vjp(lambda x: x)
    made.defvjp(lambda x: (x, None), lambda res, out_b: (np.clip(out_b, -1.0, 1.0),))
    return made


def _bent():
    made = srcad.custom_jvp(lambda x: x)
    made.defjvp(lambda p, t: (p[0], t[0] * t[0]))
    return made


REFUSALS: dict[str, Callable[[], object]] = {
    "a rule for cotangents, by reverse": lambda: _grad(_apply(), "vjp"),
    "a rule for cotangents, by forward": lambda: _jvp(_apply(), "vjp"),
    "a rule for tangents, by reverse": lambda: _grad(_power(), "jvp"),
    "a rule for tangents, by forward": lambda: _jvp(_power(), "jvp"),
    "a bent rule, forward": lambda: srcad.jvp(_clipped(), (1.0,), (1.0,), backend="reference"),
    "a bent rule, reverse": lambda: srcad.grad(_bent(), backend="reference")(1.0),
}


def _calls(f, kind):
    """The argument that the rule leaves out is active."""
    return (lambda x: f(lambda t: t, 1.0, x)) if kind == "vjp" else (lambda x: f(x, 2.0))


def _grad(f, kind):
    return srcad.grad(_calls(f, kind), backend="reference")(2.0)


def _jvp(f, kind):
    return srcad.jvp(_calls(f, kind), (2.0,), (1.0,), backend="reference")
