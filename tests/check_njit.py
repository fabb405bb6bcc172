"""Compare the zoo's values with ``numba.njit``: ``python -m tests.check_njit [word ...]``.

Slow (a compilation per program), so not part of the test suite; run it when programs change.
``deep_njit`` compiles a function and the plain helpers it reaches, as njit wants them.  Programs
marked ``njit=False`` are tried as well, so that a wrong mark is reported.
"""

import sys
import time
import types

import numba
import numpy as np

from tests import oracle
from tests.programs import PROGRAMS
from tests.zoo.registry import Program


def deep_njit(fn, memo=None):
    """``numba.njit`` of ``fn`` with helpers in globals and closures compiled likewise."""
    memo = {} if memo is None else memo
    if id(fn) in memo:
        return memo[id(fn)]
    names, surroundings = oracle_names(fn), {}
    cells = tuple(types.CellType() for _ in fn.__closure__ or ())
    new = types.FunctionType(fn.__code__, surroundings, fn.__name__, fn.__defaults__, cells)
    new.__kwdefaults__ = fn.__kwdefaults__
    new.__module__ = fn.__module__
    memo[id(fn)] = compiled = numba.njit(new)
    surroundings |= {"__builtins__": __builtins__, "__name__": fn.__module__}
    for name in names & fn.__globals__.keys():
        surroundings[name] = _compiled(fn.__globals__[name], memo)
    for cell, old in zip(cells, fn.__closure__ or (), strict=True):
        cell.cell_contents = _compiled(old.cell_contents, memo)
    return compiled


def oracle_names(fn):
    """The global names a function and the functions inside it use."""

    def of(code):
        nested = (c for c in code.co_consts if isinstance(c, types.CodeType))
        return set(code.co_names).union(*map(of, nested))

    return of(fn.__code__)


def _unwrapped(value):
    """The plain function inside a decorated one."""
    return getattr(value, "py_func", getattr(value, "__wrapped__", value))


def _compiled(value, memo):
    value = _unwrapped(value)
    return deep_njit(value, memo) if isinstance(value, types.FunctionType) else value


def compare(program: Program) -> str:
    """An empty string if njit agrees with plain Python, else what is different."""
    fn = _unwrapped(program.fn)
    if not isinstance(fn, types.FunctionType):
        return "not a plain function"
    args = [_compiled(a, {}) for a in program.args()]
    expected_args = program.args()
    expected = program.fn(*expected_args, **program.kwargs)
    try:
        out = deep_njit(fn)(*args, **program.kwargs)
    except Exception as error:  # whatever njit says is the report
        return f"{type(error).__name__}: {str(error).strip()[:150]}".splitlines()[0]
    tolerance = 1e-4 if "float32" in program.tags else 1e-11
    for name, got, want in (("value", out, expected), ("exit", list(args), list(expected_args))):
        got, want = (
            [float(c) for leaf in oracle.leaves(tree) for c in oracle.components(leaf)]
            for tree in (got, want)
        )
        if len(got) != len(want) or not np.allclose(
            got, want, tolerance, tolerance, equal_nan=True
        ):
            return f"{name} differs: {got} instead of {want}"
    return ""


def main(words):
    """Report programs whose mark is wrong; exit status 1 if there are any."""
    chosen = [p for p in PROGRAMS if not words or p.name in words or p.tags & set(words)]
    wrong = 0
    for program in chosen:
        start = time.perf_counter()
        problem = compare(program)
        seconds = time.perf_counter() - start
        if bool(problem) == program.njit:
            wrong += 1
            print(f"{program.name}: njit={program.njit}, but {problem or 'it agrees'}")
        elif problem or seconds > 8:
            print(f"{program.name}: ({seconds:.1f} s) as marked {problem}")
        sys.stdout.flush()
    print(f"{len(chosen)} programs, {wrong} wrong marks")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
