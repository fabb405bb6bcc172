"""Random calls, operators and subscripts, in plain NumPy and in srcad.

``source(seed)`` writes a function of a dozen arguments of all kinds.  Odd seeds give expressions
without any sense (most are refused), even seeds fill templates with arguments that mostly fit, so
that the values can be compared.
"""
# ruff: noqa: SIM905

from __future__ import annotations

import linecache
import math
import random
import re
import warnings
from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from tests.fuzzing import snippet_calls, snippets

PARAMETERS = "x y n k flag a b m c0 e1 f32 ia mask t3 F S".split()


def arguments() -> dict[str, Any]:
    """Fresh arguments: numbers, arrays of all layouts, dtypes and ranks."""
    rng = np.random.default_rng(3)

    def draw(*shape: int) -> np.ndarray:
        return rng.uniform(0.3, 1.4, shape)

    return {
        "x": 0.75,
        "y": 1.3,
        "n": 2,
        "k": -1,
        "flag": True,
        "a": draw(3),
        "b": draw(3),
        "m": draw(3, 3),
        "c0": np.array(0.9),
        "e1": np.zeros(0),
        "f32": np.array([0.5, 0.7, 0.9], np.float32),
        "ia": np.array([0, 2, 1]),
        "mask": np.array([True, False, True]),
        "t3": draw(2, 3, 2),
        "F": np.asfortranarray(draw(2, 3)),
        "S": draw(4, 6)[::2, 1::2],
    }


FITTING = {  # what stands for a letter of a template
    "A": "a b f32 ia a[1:] a[::-1] m[0] m[:,1] S[1] m.T[1] e1 t3[1,:,1] (a*x) (a>b) a[ia] a[mask]",
    "M": "m m.T F S t3[0] t3[:,1] m[ia] (m+a) m[1:,:2] np.outer(a,b) F.T m[::-1]",
    "N": "x y n k flag 0.5 2 -1.5 c0 a[0] m[1,-1] len(a) np.pi x*y a.sum()",
    "T": "t3 t3[::-1] t3.transpose(2,0,1) np.zeros((2,1,2))",
    "I": "n k 0 1 2 -1 -2",
    "X": "None 0 1 -1 (0,1)",
    "R": "sum prod max min mean var std any all argmax argmin cumsum cumprod",
    "U": "sin exp sqrt log abs floor ceil sign square tanh isnan negative cbrt expm1 rint trunc",
    "V": "maximum minimum add subtract multiply divide power arctan2 hypot fmod remainder less",
    "W": "sin exp log floor ceil trunc sqrt gamma erf fabs isnan degrees tanh log1p lgamma",
}
TEMPLATES = """
np.R(A) np.R(M) np.R(M,axis=X) np.R(T,X) A.R() M.R(X) T.R(axis=X,keepdims=True) np.where(A>N,A,N)
np.where(M>N,N,M) np.dot(A,A) np.dot(M,A) (M@M) (M@A) (A@M) np.outer(A,A) np.clip(A,N,N)
np.clip(M,0.5,A) np.concatenate((A,A)) np.concatenate((M,M),axis=X) np.hstack((A,A))
np.vstack((A,A)) np.stack((A,A),I) np.column_stack((A,A)) np.U(A) np.U(N) np.U(M) np.V(A,N)
np.V(A,A) np.V(M,A) np.V(N,N) np.V(N,M) math.W(N) A[I] M[I] M[I,I] A[I:] A[:I] A[I:I] A[::I]
A[I:I:I] M[I:,I] M[:,::I] M[A] A[ia] M[ia,ia] M[:,ia] M[ia,I] M[mask] A[mask] T[I,:,I] T[...,I]
T[:,None,I] T[ia[:2],:,I] M[None] np.reshape(m,(I,-1)) t3.reshape(-1) m.reshape((I,I)) T.ravel()
M.flatten() np.transpose(T,(0,2,1)) T.transpose(1,0,2) np.swapaxes(T,I,I) np.moveaxis(T,I,I)
np.expand_dims(A,I) np.flip(M,X) np.flip(A) np.flipud(M) np.fliplr(M) np.roll(A,I)
np.roll(M,I,axis=X) np.diff(A) np.diff(M) np.trace(M) np.diag(A) np.diag(M) np.triu(M,I)
np.tril(M) np.repeat(A,I) np.linspace(N,N,I) np.arange(I) np.arange(N,N,N) np.arange(I,I,I)
np.eye(I) np.eye(I,I) np.full(I,N) np.full((I,I),N) np.zeros_like(A) np.full_like(A,N)
np.array([N,N,N]) np.array([[N,N],[N,N]]) np.array([A,A]) np.linalg.norm(A) np.linalg.norm(M)
np.linalg.solve(M,A) np.linalg.det(M) np.linalg.inv(M) A.astype(np.int64) A.astype(np.float32)
float(N) int(N) bool(N) round(N) round(N,I) divmod(N,N) abs(N) abs(A) min(N,N) max(N,N,N) min(A)
max(A) sum(A) len(M) any(A) all(A) (A+A) (A*N) (A/N) (N/A) (A//N) (A%N) (N%A) (N//N) (N%N) (A**N)
(N**A) (A-M) (M*A) (N&N) (N<<N) (N>>N) (-A) (~I) (not(N)) (A<A) (A==N) (N<N<N) (N)and(N)
(N)if(N)else(N) (A)if(N>0.5)else(A) [N,N][I] (N,N,N)[I] (N,A)[0] A.shape M.shape[I] M.size T.ndim
M.T isinstance(N,float) A.item(I) M.item(I,I) np.atleast_1d(N) np.squeeze(T[:1],0)
np.broadcast_to(A,(2,3)) np.count_nonzero(A) np.ravel(M) np.ascontiguousarray(M.T)
np.asfortranarray(M) np.copy(M.T) M.copy().T np.var(A,ddof=I) np.std(M,axis=X)
""".split()
KEYS = (
    "0 1 -1 n : 1: :-1 ::-1 ::2 ia mask :,0 0,: :,1: ...,0 1,ia ia,ia :,ia a>0.6 n:5 -2: ia[::-1] "
    "1:,0 k 5: :2 [0,0] [1,1,0] m>0.7 0,0 ia,1 :,: ... x None 1:2,None,0 'k' 0.5 (0,1)"
).split(" ")
ATOMS = (*PARAMETERS, *PARAMETERS, *snippets.CONSTANTS[:16], "np", "len", "lambda v: v", "range(n)")
METHODS = (
    "sum mean max copy astype fill item dot reshape ravel flatten transpose clip argmax cumsum T "
    "shape size ndim dtype real flat tolist sort append pop items get nothing __len__ repeat"
).split()
OPERATORS = "+ - * / // % ** @ & | ^ << >> == != < >= and or is in".split()


def source(seed: int) -> str:
    """The text of a function ``f``."""
    rng = random.Random(seed)
    statement, result = (_odd_statement, _odd) if seed % 2 else (_fitting_statement, _fitting)
    body = [statement(rng) for _ in range(rng.choice((0, 0, 1, 2)))]
    last = result(rng, rng.choice((1, 1, 2)) if seed % 2 else rng.choice((0, 1)))
    if not seed % 2 and rng.random() < 0.3:
        last = rng.choice(("a, b, m, x, y, n", "t3, ia, mask, S, F, f32"))
    lines = [f"def f({', '.join(PARAMETERS)}):", *body, f"return {last}"]
    return "\n    ".join(line.replace("NAME", rng.choice(PARAMETERS)) for line in lines) + "\n"


def _fitting(rng: random.Random, depth: int) -> str:
    def fill(match: re.Match[str]) -> str:
        letter = match.group(0)
        if depth > 0 and letter in "AMN" and rng.random() < 0.4:
            return f"({_fitting(rng, depth - 1)})"
        return rng.choice(FITTING[letter].split())

    return re.sub(r"(?<![.\w])[AMNTIX]\b|(?<=\.)[RUVW]\b", fill, rng.choice(TEMPLATES))


def _fitting_statement(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.3:
        return f"{rng.choice('abmxyn')} = {_fitting(rng, 1)}"
    operator = rng.choice(("", "+", "-", "*", "/", "**", "%"))
    if kind < 0.5:
        return f"{rng.choice('abmxyn')} {operator or '+'}= {_fitting(rng, 0)}"
    name = rng.choice(("a", "b", "m", "t3", "ia", "mask", "S", "F", "f32"))
    return f"{name}[{rng.choice(KEYS)}] {operator}= {_fitting(rng, 1)}"


def _odd(rng: random.Random, depth: int = 2) -> str:
    if depth <= 0 or rng.random() < 0.15:
        return rng.choice(ATOMS)
    inner = _odd(rng, depth - 1)
    kind = rng.random()
    if kind < 0.4:
        return f"np.{rng.choice(snippet_calls.NUMPY)}{_arguments(rng, depth)}"
    if kind < 0.5:
        return f"{rng.choice(snippet_calls.BUILTINS)}{_arguments(rng, depth)}"
    if kind < 0.65:
        call = _arguments(rng, depth) if rng.random() < 0.8 else ""
        return f"({inner}).{rng.choice(METHODS)}{call}"
    if kind < 0.8:
        return f"({inner} {rng.choice(OPERATORS)} {_odd(rng, depth - 1)})"
    if kind < 0.95:
        return f"({inner})[{rng.choice(KEYS)}]"
    return f"({rng.choice(('-', '+', 'not ', '~'))}{inner})"


def _arguments(rng: random.Random, depth: int) -> str:
    found = [_odd(rng, depth - 1) for _ in range(rng.choice((0, 1, 1, 2, 2, 3)))]
    if rng.random() < 0.3:
        found.append(rng.choice(snippet_calls.ARGUMENTS).replace("EXPR", "x"))
    return f"({', '.join(found)})"


def _odd_statement(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.4:
        return f"{rng.choice('abmxyn')} = {_odd(rng)}"
    operator = rng.choice(("", "+", "-", "*", "/", "//", "**", "@", "&"))
    if kind < 0.8:
        return f"{rng.choice(PARAMETERS)}[{rng.choice(KEYS)}] {operator}= {_odd(rng, 1)}"
    return f"for {rng.choice(('i', 'i, j', 'x'))} in {_odd(rng, 1)}: x = {_odd(rng, 1)}"


def load(seed: int) -> Callable[..., Any] | None:
    """The function of a seed, or ``None`` where Python refuses its text."""
    text, file = source(seed), f"<random calls {seed}>"
    space: dict[str, Any] = {"np": np, "math": math, "numba": numba, "__name__": "random_calls"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(compile(text, file, "exec"), space)
    except (SyntaxError, ValueError):
        return None
    linecache.cache[file] = (len(text), None, text.splitlines(True), file)
    return space["f"]  # type: ignore[no-any-return]


def unload(seed: int) -> None:
    """Forget the text."""
    linecache.cache.pop(f"<random calls {seed}>", None)
