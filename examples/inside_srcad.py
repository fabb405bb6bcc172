"""Inside srcad: every stage of the compiler, run on one small function and printed.

    python examples/inside_srcad.py

The function is an in-place loop, the kind of program that most differentiation tools refuse.
Read the output from top to bottom together with ``srcad/compiler.py``, which has the same stages.
"""

from __future__ import annotations

import ast
import inspect
import linecache

import numpy as np

import srcad
from srcad.analyses.summaries import summary_of
from srcad.api.programs import grad_program
from srcad.backends.base import backend
from srcad.backends.printer import emit
from srcad.compiler import PASSES, lowered
from srcad.frontend.arguments import spec_of
from srcad.frontend.lower import lower
from srcad.ir.text import text
from srcad.ir.verify import verify
from srcad.ir.walk import statements
from srcad.options import Options


def relax(u, rate):
    """Squared end state of a chain in which every cell follows its left neighbour, in place."""
    for i in range(1, len(u)):
        u[i] += rate * (u[i - 1] * u[i - 1] - u[i])
    return u[-1] * u[-1]


def title(words: str) -> None:
    """A heading."""
    print(f"\n{'=' * 4} {words} {'=' * max(4, 90 - len(words))}\n")


def main() -> None:
    """Run and print the stages."""
    u, rate = np.array([1.0, 0.5, 0.25, 2.0]), 0.3
    arguments = {"u": spec_of(u, "u"), "rate": spec_of(rate, "rate")}

    title("1. The source, found through the function object")
    print(inspect.getsource(relax))

    title("2. Its syntax tree, from Python's own parser (the loop only)")
    loop = ast.parse(inspect.getsource(relax)).body[0].body[1]  # type: ignore[attr-defined]
    print(ast.dump(loop.body[0], indent=2))

    title("3. Lowered to IR: every variable has a type, every array access is a statement")
    fn = lower(relax, arguments).fn
    verify(fn)
    print(text(fn))

    title("4. Cleaned up, pass by pass; the result is verified after each")
    for run in PASSES:
        before = count(fn)
        fn = run(fn)
        verify(fn)
        print(f"{run.__module__.rpartition('.')[2]:12} {before:3} -> {count(fn):3} statements")
    print(f"\n{text(fn)}")
    print(f"which arguments it writes to: {summary_of(fn).writes}")

    title("5. Reverse mode, IR to IR: a forward sweep with a tape, then each statement's adjoint")
    program = lowered(relax, arguments, Options(verify=True))
    gradient = grad_program(program, (0, 1), False, True, "relax")
    verify(gradient.fn)
    print(text(gradient.fn))

    title("6. What the sweep saves: only what is overwritten and still needed")
    print(srcad.explain(srcad.value_and_grad(relax, argnums=(0, 1)), u, rate))

    title("7. Printed as Python that runs by itself; then Numba compiles it")
    print(emit(gradient.fn, linecache.getlines).source)

    title("8. Three backends are checks on each other")
    for name in ("reference", "python", "cpu"):
        value, u_b, rate_b = backend(name).build(gradient.fn)(u.copy(), rate)
        print(f"{name:11} value {value:.12f}   d/drate {rate_b:.9f}   d/du {np.round(u_b, 9)}")
    step = 1e-6
    difference = (relax(u.copy(), rate + step) - relax(u.copy(), rate - step)) / (2.0 * step)
    print(f"{'differences':11} value {relax(u.copy(), rate):.12f}   d/drate {difference:.9f}")

    title("9. The public interface does all of this at the first call; the result is IR again")
    print("value_and_grad:", srcad.value_and_grad(relax, argnums=(0, 1))(u.copy(), rate))
    print("hessian in rate:", srcad.hessian(relax, argnums=1)(u.copy(), rate))


def count(fn) -> int:
    """Number of statements, nested ones included."""
    return sum(1 for _ in statements(fn.body))


if __name__ == "__main__":
    main()
